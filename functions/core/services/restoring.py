"""Write tickets with the histories and numbers that they had on another desk; nobody is told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.core.domain import events as e
from functions.core.domain.errors import Conflict
from functions.core.domain.lifecycle import apply, queue_rank
from functions.core.domain.privacy import free_texts
from functions.core.domain.rules import Playbook
from functions.core.domain.tasks import tasks_of
from functions.core.domain.ticket import Ticket
from functions.core.services.importing import Imported, TicketImporter, show_on_board
from functions.core.storage.idempotency import IdempotencyRecord
from functions.core.storage.imports import PastChange, PastTickets
from functions.core.storage.tickets import Change
from functions.core.text.masking import mask_but


@dataclass(frozen=True)
class TicketRestorer:
    """Restores tickets with the clients of an importer."""

    importer: TicketImporter

    def add(
        self,
        playbook: Playbook,
        commits: Sequence[e.Commit],
        contacts: Mapping[int, bytes],
        now: datetime,
    ) -> Imported:
        """Write a ticket's commits as they are, or those that are missing.

        Args:
            commits: all of them, from the first one on.
            contacts: version → the contact's document, to seal with the commit of that version.

        Raises:
            Conflict: the desk has another ticket of this number, the agent who holds it is not on
                the roster, or a text is not masked.
            TryAgain: the table was too busy.
        """
        storage, desk, number = self.importer.storage, playbook.desk, commits[0].number
        record = IdempotencyRecord(desk, "import-deskbell", number, str(len(commits)))
        stored = storage.tickets.find(desk, number)
        if stored is not None:
            known = storage.idempotency.get(record)
            if known is None or known.body != record.body:
                raise Conflict(f"the desk has another ticket {number}")
        first = 0 if stored is None else stored.version
        told: list[PastChange] = []
        before: Ticket | None = None
        for commit in commits:
            after = apply(before, commit)
            after = after.changed(tasks=tasks_of(after, playbook))
            if commit.version > first:
                told.append(self._told(playbook, before, commit, after, contacts))
            before = after
        if told:
            self._require_agent(after)
            past = PastTickets(storage.tickets)
            _reserve(past, playbook, after)
            show_on_board(storage, after, now)
            past.write(told, record, now)
        return Imported(after, len(told))

    def _told(
        self,
        playbook: Playbook,
        before: Ticket | None,
        commit: e.Commit,
        after: Ticket,
        contacts: Mapping[int, bytes],
    ) -> PastChange:
        for event in commit.events:
            for path, text in free_texts(event).items():
                if mask_but(text, playbook.public_contacts) != text:
                    raise Conflict(f"{event.event}.{path} of version {commit.version} is unmasked")
        document = contacts.get(commit.version)
        change = Change(
            before,
            after,
            commit.events,
            queue_rank(after, playbook),
            assigned_by_person=True,
            sealed=self.importer.seal(commit.desk, commit.number, document) if document else None,
            imported=True,
        )
        return PastChange(change, commit.actor)

    def _require_agent(self, ticket: Ticket) -> None:
        username = ticket.in_hand_of
        if username is None:
            return
        agent = self.importer.storage.roster.get(ticket.desk, username)
        if agent is None or not agent.active:
            raise Conflict(f"{username}, who holds it, is not on the roster: add them first")


_LAST_DIGITS = re.compile(r"\d+\Z")


def _reserve(past: PastTickets, playbook: Playbook, ticket: Ticket) -> None:
    """Let the desk's next numbers begin after a number that came with its ticket."""
    local, numbering = ticket.received_at.astimezone(playbook.zone), playbook.number
    found = _LAST_DIGITS.search(ticket.number)
    digits = found[0] if found else ""
    for length in range(1, len(digits) + 1):
        serial = int(digits[-length:])
        if numbering.write(local, serial) == ticket.number:
            past.reserve(playbook.desk, numbering.period(local), serial)
            return
