"""The acts of the roster: let people in, change what they may do, end their access."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any, cast, get_args

from functions.administration.acts import Administration, act
from functions.administration.people import People
from functions.administration.user_pool import UserPool, new_password
from functions.core.domain.errors import (
    ActionNotAllowed,
    FieldError,
    Forbidden,
    InvalidInput,
    Phrase,
    StaleVersion,
    too_long,
)
from functions.core.domain.roster import HANDLES_TICKETS, Agent, Role, read_shift
from functions.core.domain.rules import LOCALES, Playbook
from functions.core.platform import aws
from functions.core.services.rights import ANY_DESK

OF_SUPERVISORS = frozenset({"capacity", "languages", "products", "shift", "skills"})
"""Fields of the desk's agents that a supervisor may change."""

MOST_IN_HAND = 999
HIGHEST_LEVEL = 9
MOST_NAMES = 50
LONGEST_NAME = 40

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{1,63}")
_NOBODY = frozenset({"customer", "system"})
"""Actors of commits that are no person."""
_EMAIL = re.compile(r"[^\s@<>,;]{1,64}@[^\s@<>,;.]+(?:\.[^\s@<>,;.]+)+")


@act("admin")
def invite(administration: Administration, username: str, entry: dict[str, Any]) -> Any:
    """Let a person in, or in again after a removal.

    Returns:
        The first password of a new user, to be shown once; None for one who has a password.
    """
    errors = _username_errors(username)
    fields = _read(entry, administration.playbook, errors)
    role: Role = fields.pop("role")
    desk, people = administration.desk, people_of(administration)
    password = people.add(desk, username, role, fields, new_password, temporary=True)
    return {"password": password or None}


@act("admin", "supervisor")
def change(
    administration: Administration, username: str, entry: dict[str, Any], seen: str = ""
) -> None:
    """Change a person's entry.

    Args:
        seen: the `mark` of the entry that was edited.

    Raises:
        Forbidden: a supervisor may not change this.
        StaleVersion: somebody else has changed the entry meanwhile.
        ActionNotAllowed: the desk would have no administrator.
    """
    desk, people = administration.desk, people_of(administration)
    before = people.entry(desk, username)
    if "admin" not in administration.principal.roles:
        if before.roles != {"agent"}:
            raise Forbidden("A supervisor may change the desk's agents alone.")
        if entry.keys() - OF_SUPERVISORS:
            raise Forbidden(
                "A supervisor may change skills, products, languages, capacity and shifts alone."
            )
    fields = _read(entry, administration.playbook, [])
    after = before.model_copy(update=fields)
    if before.active and "admin" not in after.roles:
        _require_another_admin(administration, before)
    if after != before and seen not in ("", before.mark):
        raise StaleVersion(
            "Somebody has changed this entry meanwhile. Nothing is saved yet: save again if what "
            "you have entered still holds."
        )
    people.change(desk, username, fields)


@act("admin")
def remove(administration: Administration, username: str) -> Any:
    """End a person's access to the desk; return where their tickets have gone.

    Raises:
        ActionNotAllowed: it is oneself, or the desk would have no administrator.
    """
    if username == administration.principal.username:
        raise ActionNotAllowed("You cannot remove yourself: another administrator can.")
    desk, people = administration.desk, people_of(administration)
    before = people.entry(desk, username)
    if before.active:
        _require_another_admin(administration, before)
    return asdict(people.remove(desk, username))


@act("admin")
def reset(
    administration: Administration,
    username: str,
    password: bool = False,
    authenticator: bool = False,
) -> Any:
    """Give a person a new first password, remove an authenticator that is lost, or both.

    Returns:
        The password, to be shown once.

    Raises:
        Forbidden: the person works at other desks too, whose administrators have not agreed.
    """
    desk, people = administration.desk, people_of(administration)
    if not people.entry(desk, username).active:
        raise ActionNotAllowed("Let this person in again first.")
    if people.works_at(username) - {desk}:
        raise Forbidden(
            "This person works at other desks too: whoever runs Deskbell can reset them."
        )
    if not people.pool().has(username):
        raise ActionNotAllowed(
            "This person has no user to sign in with: remove them and let them in again."
        )
    new = new_password() if password else None
    people.reset(username, new, mfa=authenticator, temporary=True, desk=desk)
    return {"password": new}


def people_of(administration: Administration) -> People:
    """Return the people of a deployment, as the administrator changes them."""

    def pool() -> UserPool:
        pool_id = aws.settings(administration.deployment)["user_pool_id"]
        return UserPool(aws.client("cognito-idp"), pool_id)

    return People(administration.storage, pool, administration.trail, administration.now)


def _require_another_admin(administration: Administration, leaver: Agent) -> None:
    """Require an administrator of the desk beside somebody who is one no longer.

    Those of every desk count, unless the desk has an entry of theirs, which then holds.
    """
    if "admin" not in leaver.roles:
        return
    roster, desk = administration.storage.roster, administration.desk
    own = {agent.username: agent for agent in roster.list(desk)}
    everywhere = {agent.username: agent for agent in roster.list(ANY_DESK)}
    others = {**everywhere, **own}
    del others[leaver.username]
    if not any(agent.active and "admin" in agent.roles for agent in others.values()):
        raise ActionNotAllowed("The desk needs an administrator: make somebody else one first.")


def _username_errors(username: str) -> list[FieldError]:
    if not _USERNAME.fullmatch(username) or username.casefold() in _NOBODY:
        text = "2 to 64 letters, digits, dots, hyphens or underscores, such as agent-7"
        return [FieldError("username", text)]
    return []


def _read(entry: Mapping[str, Any], playbook: Playbook, errors: list[FieldError]) -> dict[str, Any]:
    """Return the fields of an entry as the roster has them.

    Args:
        errors: what is wrong beside the entry.

    Raises:
        InvalidInput: with an error for each wrong field.
    """
    errors = [*errors]
    fields: dict[str, Any] = {}
    checks: dict[str, Callable[[Any], Any]] = {
        "role": _role,
        "further_roles": lambda roles: tuple(
            role for role in dict.fromkeys(map(_role, roles)) if role != entry.get("role")
        ),
        "team": lambda team: _known(team, ("", *playbook.teams)),
        "display_name": _line,
        "email": _email,
        "level": lambda text: _number(text, HIGHEST_LEVEL),
        "capacity": lambda text: _number(text, MOST_IN_HAND),
        "skills": _names,
        "products": _names,
        "languages": lambda names: tuple(_known(name, LOCALES) for name in names),
        "shift": read_shift,
    }
    for name, check in checks.items():
        if name in entry:
            try:
                fields[name] = check(entry[name])
            except ValueError as error:
                errors.append(FieldError(name, error.args[0]))
    roles = {fields.get("role"), *fields.get("further_roles", ())}
    if roles & HANDLES_TICKETS and not fields.get("team", "-"):
        errors.append(FieldError("team", "who handles tickets needs a team"))
    if errors:
        raise InvalidInput("Some fields are invalid.", tuple(errors))
    return fields


def _role(name: str) -> Role:
    return cast("Role", _known(name, get_args(Role)))


def _known(name: str, names: Iterable[str]) -> str:
    if name not in names:
        raise ValueError("choose one of the list")
    return name


def _line(text: str) -> str:
    line = " ".join(str(text).split())
    if len(line) > LONGEST_NAME:
        raise ValueError(too_long(LONGEST_NAME, len(line)))
    return line


def _email(text: str) -> str:
    address = text.strip()
    if address and (len(address) > 254 or not _EMAIL.fullmatch(address)):
        raise ValueError("a mail address such as zhang@example.com")
    return address


def _number(text: str | int, most: int) -> int:
    given = str(text).strip()
    if not (given.isascii() and given.isdigit() and len(given) < 9 and int(given) <= most):
        raise ValueError(Phrase("a whole number from 0 to {most}", most=most))
    return int(given)


def _names(texts: Iterable[str]) -> tuple[str, ...]:
    """Names without repetition; one text may have several, separated by commas or lines."""
    split = (name for text in texts for name in re.split(r"[,，、;；\n]", text))
    names = tuple(filter(None, dict.fromkeys(map(_line, split))))
    if len(names) > MOST_NAMES:
        raise ValueError(Phrase("{limit} at most", limit=MOST_NAMES))
    return names
