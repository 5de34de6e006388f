"""Let people in, change what they may do, and end their access.

The roster is the authority: it is changed first, together with the entry of the audit, and running
functions follow it within `ROSTER_TTL`. The user pool follows. Every act can be run again and
completes an interrupted run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.administration.user_pool import UserPool
from functions.core.domain.audit import STAGE
from functions.core.domain.errors import ActionNotAllowed, InvalidInput, NotFound, Phrase
from functions.core.domain.journal import presence_entry
from functions.core.domain.roster import Agent, Role
from functions.core.domain.rules import Playbook
from functions.core.services.handing_over import LEFT_BEHIND, hand_over, tickets_of
from functions.core.services.rights import ANY_DESK
from functions.core.services.trail import Trail
from functions.core.storage.database import Storage

_SHOWN = {
    "role", "further_roles", "team", "capacity", "level", "skills", "products", "languages",
    "shift", "display_name", "active",
}  # fmt: skip


_NEW: dict[str, Any] = {"online": False, "load": 0, "assigned_at": None}
"""Fields of an entry before anything was assigned."""


@dataclass(frozen=True)
class HandedOver:
    """The work of a leaver: tickets that wait again, and call-backs that need another reviewer."""

    to_team: tuple[str, ...] = ()
    to_supervisors: tuple[str, ...] = ()
    reviews: tuple[str, ...] = ()


@dataclass(frozen=True)
class People:
    """The people of a deployment, as the person of the trail changes them.

    Attributes:
        pool: finds the user pool; not every act needs it.
    """

    storage: Storage
    pool: Callable[[], UserPool]
    trail: Trail
    now: datetime

    def add(
        self,
        desk: str,
        username: str,
        role: Role,
        given: Mapping[str, Any],
        new_password: Callable[[], str],
        *,
        temporary: bool = False,
    ) -> str:
        """Let a person in, offline, or in again after a removal.

        Args:
            given: fields of the roster's entry; the capacity is by default that of the playbook.
            new_password: asked for a new user's password, before anything is changed.
            temporary: the first sign-in asks for a password of one's own.

        Returns:
            The password of a new user; "" for an existing one, who keeps theirs.

        Raises:
            NotFound, InvalidInput: there is no such desk or team.
            ActionNotAllowed: the person works there as something else.
        """
        storage = self.storage
        playbook = self._checked(desk, given.get("team", ""))
        capacity = playbook.assignment.capacity if playbook else 0
        fields: dict[str, Any] = {"team": "", "capacity": capacity, **given}
        agent = Agent(desk=desk, username=username, role=role, **fields)
        before = storage.roster.get(desk, username)
        if before is not None and before.active and before.model_copy(update=_NEW) != agent:
            raise ActionNotAllowed(
                Phrase(
                    "{username} works at {desk} already: change the entry instead.",
                    username=username,
                    desk=desk,
                )
            )
        pool = self.pool()
        password = "" if pool.has(username) else new_password()
        entry = self.trail.entry("person.add", desk, username, after=_shown(agent))
        storage.roster.put(agent, storage.audit.write(entry))
        if before is not None and not before.active:
            storage.roster.set_active(desk, username, True)
        is_new = pool.create(desk, username, role, password, temporary=temporary)
        return password if is_new else ""

    def change(self, desk: str, username: str, changes: Mapping[str, Any]) -> None:
        """Change a person's entry in the roster; one that is so already stays.

        Raises:
            NotFound: there is no such person.
            InvalidInput: there is no such team.
        """
        before = self.entry(desk, username)
        after = before.model_copy(update=dict(changes))
        if "team" in changes:
            self._checked(desk, after.team)
        if after == before:
            return
        entry = self.trail.entry(
            "person.change", desk, username, before=_shown(before), after=_shown(after)
        )
        self.storage.roster.put(after, self.storage.audit.write(entry))

    def reset(
        self,
        username: str,
        password: str | None,
        *,
        mfa: bool,
        temporary: bool = False,
        desk: str = STAGE,
    ) -> None:
        """Set a person's password, remove a lost authenticator, and end their sessions."""
        after = {"password": bool(password), "mfa": mfa}
        self.trail.record("person.reset", desk, username, after=after)
        pool = self.pool()
        if password is not None:
            pool.set_password(username, password, temporary=temporary)
        if mfa:
            pool.remove_authenticator(username)
        pool.sign_out(username)

    def remove(self, desk: str, username: str) -> HandedOver:
        """End a person's access to a desk and hand over what they had.

        Their sessions end everywhere; the user is disabled if no other desk has them.

        Raises:
            NotFound: the roster has no such person.
        """
        storage = self.storage
        entry = self.trail.entry(
            "person.remove", desk, username, before={"active": True}, after={"active": False}
        )
        storage.roster.set_active(desk, username, False, storage.audit.write(entry))
        self._sign_out(username)
        if desk == ANY_DESK:
            return HandedOver()
        storage.presence.write(desk, presence_entry(username, False, self.now), self.now)
        return self._hand_over(desk, username)

    def entry(self, desk: str, username: str) -> Agent:
        """Return a person's entry in the roster.

        Raises:
            NotFound: there is none.
        """
        found = self.storage.roster.get(desk, username)
        if found is None:
            raise NotFound(
                Phrase("{username} is not on the roster of {desk}.", username=username, desk=desk)
            )
        return found

    def works_at(self, username: str) -> frozenset[str]:
        """Return the desks at which a user is active."""
        desks = self.pool().desks(username) or ()
        entries = {desk: self.storage.roster.get(desk, username) for desk in desks}
        return frozenset(desk for desk, entry in entries.items() if entry and entry.active)

    def _sign_out(self, username: str) -> None:
        """End all sessions of a user, and disable the user if no desk has them."""
        pool = self.pool()
        if pool.desks(username) is None:
            return
        pool.sign_out(username)
        if not self.works_at(username):
            pool.disable(username)

    def _hand_over(self, desk: str, username: str) -> HandedOver:
        """Let a leaver's tickets wait for their team or the supervisors; list the call-backs."""
        storage, now = self.storage, self.now
        moved = hand_over(
            storage,
            storage.playbooks.get(desk, now),
            username,
            LEFT_BEHIND,
            actor=self.trail.actor,
            reason="deactivated",
            now=now,
        )
        reviews = (t for t in tickets_of(storage, f"{desk}#qa") if t.reviewer == username)
        return HandedOver(
            tuple(number for number, to_team in moved.items() if to_team),
            tuple(number for number, to_team in moved.items() if not to_team),
            tuple(ticket.number for ticket in reviews if ticket.status == "in_review"),
        )

    def _checked(self, desk: str, team: str) -> Playbook | None:
        """The playbook of a desk that has this team; None for every desk, which has none."""
        if desk == ANY_DESK:
            if team:
                raise InvalidInput("A person of every desk has no team.")
            return None
        if self.storage.playbooks.version(desk) is None:
            raise NotFound(Phrase("There is no desk {desk}.", desk=desk))
        playbook = self.storage.playbooks.get(desk, self.now)
        if team and team not in playbook.teams:
            raise InvalidInput(
                Phrase(
                    "Desk {desk} has no team {team}: it has {teams}.",
                    desk=desk,
                    team=team,
                    teams=[*playbook.teams],
                )
            )
        return playbook


def _shown(agent: Agent) -> dict[str, Any]:
    return agent.model_dump(mode="json", include=_SHOWN)
