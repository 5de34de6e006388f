"""`deskbell person …`: the people of the desks."""

import inspect
import re
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, cast, get_args

import typer

from functions.core.domain.calendar import WEEKDAYS, BusinessCalendar
from functions.core.domain.roster import Role
from infra.console.errors import UsageError
from infra.console.terminal import DATA, Data, Stage, connect, report, table

app = typer.Typer(help="The people of the desks.", no_args_is_help=True)


def _option(kind: Any, text: str, *names: str, **more: Any) -> Any:
    return Annotated[kind | None, typer.Option(*names, help=text, **more)]


_ENTRY: dict[str, Any] = {
    "team": _option(str, "A team of the desk's playbook."),
    "display_name": _option(str, "The name that customers read, such as 客服-张."),
    "email": _option(str, "The mailbox for what concerns this person alone."),
    "further_roles": _option(list[str], "One more role; may be repeated.", "--further-role"),
    "level": _option(int, "Seniority, 0 the first line."),
    "skills": _option(list[str], "A skill; may be repeated.", "--skill"),
    "products": _option(list[str], "A product; may be repeated.", "--product"),
    "capacity": _option(int, "The most tickets in hand.", min=0),
    "shift": _option(
        list[str], "Hours of some days: 'mon-fri 09:00-12:00 13:30-18:00'; may be repeated."
    ),
}
"""Field of a roster's entry → its option."""


def _with_entry(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a roster's entry in place of its last parameter, `given`."""
    signature = inspect.signature(command, eval_str=True)
    own = [each for each in signature.parameters.values() if each.name != "given"]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in _ENTRY.items()
    ]

    def run(**values: Any) -> None:
        entry = {name: values.pop(name) for name in _ENTRY}
        command(**values, given=_read(entry))

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = signature.replace(  # type: ignore[attr-defined]  # typer reads it
        parameters=[each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own] + options
    )
    run.__annotations__ = {each.name: each.annotation for each in (*own, *options)}
    return run


def _read(entry: dict[str, Any]) -> dict[str, Any]:
    """The fields of an entry that are given, each in its form."""
    forms: dict[str, Callable[[Any], Any]] = {
        "further_roles": _roles,
        "skills": tuple,
        "products": tuple,
        "shift": _shift,
    }
    return {
        name: forms[name](value) if name in forms else value
        for name, value in entry.items()
        if value is not None
    }


@app.command("list")
def list_(
    stage: Stage = "",
    desk: Annotated[str, typer.Option(help="Only this desk's.")] = "",
    data: Data = DATA,
) -> None:
    """List the people on the desks' rosters; `*` stands for every desk."""
    from infra.console.people import listed

    rows = [
        (
            agent.desk,
            agent.username,
            " ".join((agent.role, *agent.further_roles)),
            agent.team,
            f"{agent.load}/{agent.capacity}",
            ("online" if agent.online else "offline") if agent.active else "removed",
            agent.display_name,
        )
        for agent in listed(connect(stage, data), desk)
    ]
    table(("desk", "username", "roles", "team", "load", "state", "name"), rows)


@app.command()
@_with_entry
def add(
    desk: Annotated[str, typer.Argument()],
    username: Annotated[str, typer.Argument()],
    role: Annotated[Role, typer.Option(help="The person's role.")],
    given: Any = None,
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Let a person in, or in again; a new user's password is read from standard input."""
    from infra.console.people import people_of
    from infra.deploy.trail import OperatorTrail

    people = people_of(OperatorTrail.of(connect(stage, data)))
    people.add(desk, username, role, given, _password)
    report(f"{username} may sign in to {desk} as {role}")


@app.command()
@_with_entry
def change(
    desk: Annotated[str, typer.Argument()],
    username: Annotated[str, typer.Argument()],
    role: Annotated[Role | None, typer.Option(help="The person's role.")] = None,
    given: Any = None,
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Change what is given of a person's entry; in force within 30 s."""
    from infra.console.people import people_of
    from infra.deploy.trail import OperatorTrail

    changes = given | ({"role": role} if role else {})
    if not changes:
        raise UsageError("nothing to change: see --help")
    people_of(OperatorTrail.of(connect(stage, data))).change(desk, username, changes)
    report(f"{username} at {desk}: in force within 30 s")


@app.command()
def remove(desk: str, username: str, stage: Stage = "", data: Data = DATA) -> None:
    """End a person's access to a desk within 30 s; their tickets wait for the team again."""
    from infra.console.people import people_of
    from infra.deploy.trail import OperatorTrail

    left = people_of(OperatorTrail.of(connect(stage, data))).remove(desk, username)
    report(f"{username} is signed out, and refused by {desk} within 30 s")
    for number in left.to_team:
        report(f"{number}: waits for its team again")
    for number in left.to_supervisors:
        report(f"{number}: waits for a supervisor, nobody of its team is left")
    for number in left.reviews:
        report(f"{number}: its call-back needs another reviewer (action assign)")


@app.command()
def reset(
    username: str,
    password: Annotated[
        bool, typer.Option("--password", help="Set a password, read from standard input.")
    ] = False,
    mfa: Annotated[bool, typer.Option("--mfa", help="Remove a lost authenticator.")] = False,
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Set a person's password, remove their authenticator, or both, and end their sessions."""
    from infra.console.people import people_of
    from infra.deploy.trail import OperatorTrail

    if not (password or mfa):
        raise UsageError("give --password, --mfa or both")
    people = people_of(OperatorTrail.of(connect(stage, data)))
    people.reset(username, _password() if password else None, mfa=mfa)
    report(f"{username} signs in anew" + (", by the password alone until then" if mfa else ""))


def _roles(names: Sequence[str]) -> tuple[Role, ...]:
    unknown = [name for name in names if name not in get_args(Role)]
    if unknown:
        raise UsageError(f"there is no role {unknown[0]}: use {', '.join(get_args(Role))}")
    return tuple(cast("Role", name) for name in names)


def _shift(lines: Sequence[str]) -> dict[str, list[list[str]]]:
    """Hours by weekday, in the form of a calendar's `hours`; an empty line means no shifts."""
    shift: dict[str, list[list[str]]] = {}
    for line in filter(None, lines):
        days, *intervals = line.split()
        first, _, last = days.partition("-")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
            raise UsageError(f"there are no days {days}: use mon, or mon-fri")
        hours = [re.split("-", interval, maxsplit=1) for interval in intervals]
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        shift |= dict.fromkeys(WEEKDAYS[start : end + 1], hours)
    try:
        BusinessCalendar.from_dict({"timezone": "UTC", "hours": shift})
    except ValueError as error:
        raise UsageError(f"--shift: {error}") from error
    return shift


def _password() -> str:
    """The first line of standard input; on a terminal it is asked for and not shown."""
    if sys.stdin.isatty():
        return str(typer.prompt("password", hide_input=True, confirmation_prompt=True))
    given = sys.stdin.readline().rstrip("\n")
    if not given:
        raise UsageError("give the password on standard input")
    return given
