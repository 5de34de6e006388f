"""Let people in, change what they may do, and end their access.

The roster is the authority: it is changed first, together with the entry of the audit, and running
functions follow it within `ROSTER_TTL`. The user pool follows. Every command can be run again and
completes an interrupted run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3

from functions.core.domain.audit import STAGE
from functions.core.domain.errors import NotFound
from functions.core.domain.journal import presence_entry
from functions.core.domain.roster import Agent, Role
from functions.core.domain.rules import Playbook
from functions.core.services.handing_over import LEFT_BEHIND, hand_over, tickets_of
from functions.core.services.rights import ANY_DESK, desks_of
from functions.core.storage.database import Storage
from infra.console.errors import ConsoleError
from infra.console.people import create_user, has_user, user_pool
from infra.deploy.desks import storage_of, versions
from infra.deploy.trail import OperatorTrail

_SHOWN = {
    "role", "further_roles", "team", "capacity", "level", "skills", "products", "shift",
    "display_name", "active",
}  # fmt: skip


class PersonError(ConsoleError):
    """An unknown desk, team or person, or one who exists already."""


@dataclass(frozen=True)
class HandedOver:
    """The work of a leaver: tickets that wait again, and call-backs that need another reviewer."""

    to_team: tuple[str, ...] = ()
    to_supervisors: tuple[str, ...] = ()
    reviews: tuple[str, ...] = ()


def listed(stage: str, desk: str = "") -> list[Agent]:
    storage = storage_of(stage)
    desks = [desk] if desk else [ANY_DESK, *(name for name, _version in versions(stage))]
    return [agent for name in desks for agent in storage.roster.list(name)]


def add(
    trail: OperatorTrail,
    desk: str,
    username: str,
    role: Role,
    given: Mapping[str, Any],
    new_password: Callable[[], str],
) -> None:
    """Let a person in, offline, or in again after a removal; an existing user keeps the password.

    Args:
        given: fields of the roster's entry; the capacity is by default that of the playbook.
        new_password: asked for a new user's password, before anything is changed.

    Raises:
        PersonError: there is no such desk or team, or the person works there as something else.
    """
    storage = storage_of(trail.stage)
    playbook = _checked(storage, desk, given.get("team", ""))
    capacity = playbook.assignment.capacity if playbook else 0
    fields: dict[str, Any] = {"team": "", "capacity": capacity, **given}
    agent = Agent(desk=desk, username=username, role=role, **fields)
    before = storage.roster.get(desk, username)
    if before is not None and before.active and before != agent:
        raise PersonError(f"{username} is on the roster of {desk}: use `person change`")
    pool = user_pool(trail.stage)
    password = "" if has_user(pool, username) else new_password()
    entry = trail.entry("person.add", desk, username, after=_shown(agent))
    storage.roster.put(agent, storage.audit.write(entry))
    if before is not None and not before.active:
        storage.roster.set_active(desk, username, True)
    create_user(pool, agent, password)


def change_entry(
    trail: OperatorTrail, desk: str, username: str, changes: Mapping[str, Any]
) -> None:
    """Change a person's entry in the roster.

    Raises:
        PersonError: there is no such team or person.
    """
    storage = storage_of(trail.stage)
    before = storage.roster.get(desk, username)
    if before is None:
        raise PersonError(f"{username} is not on the roster of {desk}: use `person add`")
    after = before.model_copy(update=dict(changes))
    _checked(storage, desk, after.team)
    entry = trail.entry("person.change", desk, username, before=_shown(before), after=_shown(after))
    storage.roster.put(after, storage.audit.write(entry))


def reset(trail: OperatorTrail, username: str, password: str | None, *, mfa: bool) -> None:
    """Set a person's password, remove an authenticator that is lost, and end their sessions."""
    trail.record("person.reset", STAGE, username, after={"password": bool(password), "mfa": mfa})
    pool = user_pool(trail.stage)
    cognito = boto3.client("cognito-idp")
    if password is not None:
        cognito.admin_set_user_password(
            UserPoolId=pool, Username=username, Password=password, Permanent=True
        )
    if mfa:
        cognito.admin_set_user_mfa_preference(
            UserPoolId=pool,
            Username=username,
            SoftwareTokenMfaSettings={"Enabled": False, "PreferredMfa": False},
        )
    cognito.admin_user_global_sign_out(UserPoolId=pool, Username=username)


def remove(trail: OperatorTrail, desk: str, username: str, now: datetime) -> HandedOver:
    """End a person's access to a desk and hand over what they had.

    Their sessions end everywhere; the user is disabled if no other desk has them.
    """
    storage = storage_of(trail.stage)
    entry = trail.entry(
        "person.remove", desk, username, before={"active": True}, after={"active": False}
    )
    try:
        storage.roster.set_active(desk, username, False, storage.audit.write(entry))
    except NotFound as error:
        raise PersonError(f"{username} is not on the roster of {desk}") from error
    _sign_out(storage, user_pool(trail.stage), username)
    if desk == ANY_DESK:
        return HandedOver()
    storage.presence.write(desk, presence_entry(username, False, now), now)
    return _hand_over(storage, desk, username, trail.actor, now)


def _sign_out(storage: Storage, pool: str, username: str) -> None:
    """End all sessions of a user, and disable the user if no desk has them."""
    cognito = boto3.client("cognito-idp")
    pages = cognito.get_paginator("admin_list_groups_for_user").paginate(
        UserPoolId=pool, Username=username
    )
    try:
        desks = desks_of([group["GroupName"] for page in pages for group in page["Groups"]])
    except cognito.exceptions.UserNotFoundException:
        return
    cognito.admin_user_global_sign_out(UserPoolId=pool, Username=username)
    entries = (storage.roster.get(desk, username) for desk in desks)
    if not any(entry is not None and entry.active for entry in entries):
        cognito.admin_disable_user(UserPoolId=pool, Username=username)


def _hand_over(storage: Storage, desk: str, username: str, actor: str, now: datetime) -> HandedOver:
    """Let a leaver's tickets wait for their team or the supervisors; list the call-backs."""
    playbook = storage.playbooks.get(desk, now)
    moved = hand_over(
        storage, playbook, username, LEFT_BEHIND, actor=actor, reason="deactivated", now=now
    )
    reviews = (t for t in tickets_of(storage, f"{desk}#qa") if t.reviewer == username)
    return HandedOver(
        tuple(number for number, to_team in moved.items() if to_team),
        tuple(number for number, to_team in moved.items() if not to_team),
        tuple(ticket.number for ticket in reviews if ticket.status == "in_review"),
    )


def _checked(storage: Storage, desk: str, team: str) -> Playbook | None:
    """The playbook of a desk that has this team; None for every desk, which has none."""
    if desk == ANY_DESK:
        if team:
            raise PersonError("a person of every desk has no team")
        return None
    if storage.playbooks.version(desk) is None:
        raise PersonError(f"there is no desk {desk}")
    playbook = storage.playbooks.get(desk, datetime.now(UTC))
    if team and team not in playbook.teams:
        raise PersonError(f"desk {desk} has no team {team}: it has {', '.join(playbook.teams)}")
    return playbook


def _shown(agent: Agent) -> dict[str, Any]:
    return agent.model_dump(mode="json", include=_SHOWN)
