"""`deskbell agents …`: the people of the desks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, cast, get_args

import typer

from functions.core.domain.roster import Role
from infra.console.errors import UsageError
from infra.console.terminal import DATA, Data, Stage, connect, report, table

app = typer.Typer(help="The people of the desks.", no_args_is_help=True)

Team = Annotated[str | None, typer.Option(help="A team of the desk's playbook.")]
Further = Annotated[
    list[str] | None, typer.Option("--further-role", help="One more role; may be repeated.")
]
Level = Annotated[int | None, typer.Option(help="Seniority, 0 the first line.")]
Skills = Annotated[list[str] | None, typer.Option("--skill", help="A skill; may be repeated.")]
Products = Annotated[
    list[str] | None, typer.Option("--product", help="A product; may be repeated.")
]
Capacity = Annotated[int | None, typer.Option(min=0, help="The most tickets in hand.")]


@app.command("list")
def list_(
    stage: Stage = "",
    desk: Annotated[str, typer.Option(help="Only this desk's.")] = "",
    data: Data = DATA,
) -> None:
    """List the people on the desks' rosters; `*` stands for every desk."""
    from infra.console.agents import listed

    rows = [
        (
            agent.desk,
            agent.username,
            " ".join((agent.role, *agent.further_roles)),
            agent.team,
            f"{agent.load}/{agent.capacity}",
            ("online" if agent.online else "offline") if agent.active else "deactivated",
        )
        for agent in listed(connect(stage, data), desk)
    ]
    table(("desk", "username", "roles", "team", "load", "state"), rows)


@app.command()
def add(
    desk: str,
    username: str,
    role: Annotated[Role, typer.Option(help="The person's role.")],
    team: Team = None,
    further_role: Further = None,
    level: Level = None,
    skill: Skills = None,
    product: Products = None,
    capacity: Capacity = None,
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Add a person to a desk; a new user's password is read from standard input."""
    from infra.console import agents
    from infra.console.people import Person
    from infra.deploy.trail import Trail

    person = Person(
        desk,
        username,
        role,
        team or "",
        level or 0,
        tuple(skill or ()),
        tuple(product or ()),
        _roles(further_role or ()),
    )
    trail = Trail.of(connect(stage, data))
    agents.add(trail, person, capacity, _password())
    report(f"{username} may sign in to {desk} as {role}")


@app.command("set")
def set_(
    desk: str,
    username: str,
    role: Annotated[Role | None, typer.Option(help="The person's role.")] = None,
    team: Team = None,
    further_role: Further = None,
    level: Level = None,
    skill: Skills = None,
    product: Products = None,
    capacity: Capacity = None,
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Change a person's roles, team, capacity, level, skills or products; in force within 30 s."""
    from infra.console import agents
    from infra.deploy.trail import Trail

    given: dict[str, Any] = {
        "role": role,
        "team": team,
        "further_roles": None if further_role is None else _roles(further_role),
        "level": level,
        "skills": None if skill is None else tuple(skill),
        "products": None if product is None else tuple(product),
        "capacity": capacity,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise UsageError("nothing to change: see --help")
    agents.set_(Trail.of(connect(stage, data)), desk, username, changes)
    report(f"{username} at {desk}: in force within 30 s")


@app.command()
def password(username: str, stage: Stage = "", data: Data = DATA) -> None:
    """Set a person's password, read from standard input, and end their sessions."""
    from infra.console import agents
    from infra.deploy.trail import Trail

    agents.set_password(Trail.of(connect(stage, data)), username, _password())
    report(f"{username} has a new password")


@app.command("reset-mfa")
def reset_mfa(username: str, stage: Stage = "", data: Data = DATA) -> None:
    """Remove a person's lost authenticator and end their sessions."""
    from infra.console import agents
    from infra.deploy.trail import Trail

    agents.reset_mfa(Trail.of(connect(stage, data)), username)
    report(f"{username} signs in with the password alone until an authenticator is set up")


@app.command()
def activate(desk: str, username: str, stage: Stage = "", data: Data = DATA) -> None:
    """Let a deactivated person in again."""
    from infra.console import agents
    from infra.deploy.trail import Trail

    agents.activate(Trail.of(connect(stage, data)), desk, username)
    report(f"{username} may sign in to {desk} again")


@app.command()
def deactivate(desk: str, username: str, stage: Stage = "", data: Data = DATA) -> None:
    """End a person's access to a desk within 30 s and hand over their tickets."""
    from infra.console import agents
    from infra.deploy.trail import Trail

    trail = Trail.of(connect(stage, data))
    left = agents.deactivate(trail, desk, username, datetime.now(UTC))
    report(f"{username} is signed out, and refused by {desk} within 30 s")
    for number in left.to_team:
        report(f"{number}: waits for its team again")
    for number in left.to_supervisors:
        report(f"{number}: waits for a supervisor, nobody of its team is left")
    for number in left.reviews:
        report(f"{number}: its call-back needs another reviewer (action assign)")


def _roles(names: Sequence[str]) -> tuple[Role, ...]:
    unknown = [name for name in names if name not in get_args(Role)]
    if unknown:
        raise UsageError(f"there is no role {unknown[0]}: use {', '.join(get_args(Role))}")
    return tuple(cast("Role", name) for name in names)


def _password() -> str:
    """The first line of standard input; on a terminal it is asked for and not shown."""
    if sys.stdin.isatty():
        return str(typer.prompt("password", hide_input=True, confirmation_prompt=True))
    given = sys.stdin.readline().rstrip("\n")
    if not given:
        raise UsageError("give the password on standard input")
    return given
