"""Bring tickets of another help desk in: masked and sealed as if received, and nobody is told.

The past is written with its own times (`domain.imports`). A ticket is known by its key in the other
help desk, so an import that is repeated or was interrupted goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from functions.core.domain import events as e, imports
from functions.core.domain.errors import Conflict
from functions.core.domain.imports import PastCommit, PastTicket
from functions.core.domain.journal import JournalEntry
from functions.core.domain.lifecycle import queue_rank
from functions.core.domain.privacy import rewritten
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.tasks import tasks_of
from functions.core.domain.ticket import OPEN, Customer, Ticket
from functions.core.services.contacts import (
    SealContact,
    contact_digest,
    contact_document,
    sms_problem,
)
from functions.core.services.create_ticket import class_by_id
from functions.core.storage.contacts import PriorRecords
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import IdempotencyRecord
from functions.core.storage.imports import PastChange, PastTickets
from functions.core.storage.tickets import Change
from functions.core.text.contacts import Contact, mask_contact, mask_name, normalise_contact
from functions.core.text.import_texts import IMPORTED_AS
from functions.core.text.unmasking import MessageMasker, Original, Seal
from functions.core.text.words import written_in


class Imported(NamedTuple):
    """A ticket that was imported, and how many commits were written: none if it was there."""

    ticket: Ticket
    written: int


class BegunImport(NamedTuple):
    """A ticket to write, its number and customer, and what an earlier run has written of it."""

    past: PastTicket
    number: str
    contact: Contact
    customer: Customer
    record: IdempotencyRecord
    stored: Ticket | None


class _Masked(NamedTuple):
    """A commit as it is stored, and what was hidden in it."""

    told: PastCommit
    hiding: MessageMasker


@dataclass(frozen=True)
class TicketImporter:
    """Imports tickets; the clients are those of `create_ticket.TicketCreator`."""

    storage: Storage
    seal: SealContact
    seal_original: Seal
    root_key: bytes

    def begin(self, playbook: Playbook, past: PastTicket) -> BegunImport:
        """Find what is there of a ticket, or draw its number: in the order of the file.

        Raises:
            ContactError: its contact is none.
            Conflict: an earlier run began it otherwise.
            TryAgain: the table was too busy.
        """
        desk = playbook.desk
        contact = normalise_contact(past.contact)
        digest = contact_digest(contact, desk, self.root_key)
        record = IdempotencyRecord(desk, f"import-{past.source}", past.key, str(past.commits))
        known = self.storage.contacts.known(desk, record, digest)
        customer = _customer(playbook, past, contact, digest, known)
        if known.idempotency is None:
            number = self._next_number(playbook, past.received_at)
            return BegunImport(past, number, contact, customer, record, None)
        begun = known.idempotency
        ticket = self.storage.tickets.load(desk, begun.number)
        if ticket.version < int(begun.body) and begun.body != record.body:
            raise Conflict(f"{ticket.number} was begun with another content or mapping")
        record = replace(record, body=begun.body)
        return BegunImport(past, ticket.number, contact, customer, record, ticket)

    def add(self, playbook: Playbook, begun: BegunImport, now: datetime) -> Imported:
        """Write a ticket, or what is missing of it; tickets may be written at once.

        Raises:
            Conflict: somebody else writes it.
            TryAgain: the table was too busy.
        """
        if begun.stored is not None and begun.stored.version >= int(begun.record.body):
            return Imported(begun.stored, 0)
        told = list(self._told(playbook, begun, now))
        ticket = told[-1].change.after
        show_on_board(self.storage, ticket, now)
        PastTickets(self.storage.tickets).write(told, begun.record, now)
        return Imported(ticket, len(told))

    def _next_number(self, playbook: Playbook, at: datetime) -> str:
        local, numbering = at.astimezone(playbook.zone), playbook.number
        period = numbering.period(local)
        serial = self.storage.tickets.next_serial(playbook.desk, period, numbering.block)
        return numbering.write(local, serial)

    def _told(self, playbook: Playbook, begun: BegunImport, now: datetime) -> Iterator[PastChange]:
        """Yield the changes that are not stored yet."""
        past, number, stored = begun.past, begun.number, begun.stored
        locale = past.locale or written_in(past.description) or playbook.locale
        opening = _opening(playbook, imports.opening_of(past, begun.customer, locale))
        masked = [opening, *_later(playbook, past, locale)]
        desk, first = playbook.desk, 0 if stored is None else stored.version
        commits = imports.commits_of(None, desk, number, [one.told for one in masked])
        ticket: Ticket | None = None
        request: e.Commit | None = None
        for (before, commit, after), (_, hiding) in zip(commits, masked, strict=True):
            ticket, request = after, request or commit
            if commit.version > first:
                sealed = None
                if before is None:
                    document = contact_document(begun.contact, past.name)
                    sealed = self.seal(desk, number, document)
                yield self._change(before, commit, after, playbook, hiding, sealed)
        if ticket is None or request is None:
            return
        events = imports.going_on(past, request, ticket, playbook, now)
        if events:
            last = [PastCommit(now, imports.ACTOR, events)]
            for before, commit, after in imports.commits_of(ticket, desk, number, last):
                yield self._change(before, commit, after, playbook, MessageMasker(), None)

    def _change(
        self,
        before: Ticket | None,
        commit: e.Commit,
        after: Ticket,
        playbook: Playbook,
        hiding: MessageMasker,
        sealed: bytes | None,
    ) -> PastChange:
        after = after.changed(tasks=tasks_of(after, playbook))
        change = Change(
            before,
            after,
            commit.events,
            queue_rank(after, playbook),
            assigned_by_person=True,
            sealed=sealed,
            original=Original(hiding, self.seal_original).sealed_for(commit.desk, commit.number),
            imported=True,
        )
        return PastChange(change, commit.actor)


def show_on_board(storage: Storage, ticket: Ticket, now: datetime) -> None:
    """Let the board of what waits look at an open ticket, which no function has heard of.

    It comes before the ticket is written: what is written to a feed is read minutes later.
    """
    if ticket.status in OPEN:
        entry = JournalEntry(number=ticket.number, version=ticket.version, at=now)
        storage.changes.write(ticket.desk, entry, now)


def _customer(
    playbook: Playbook, past: PastTicket, contact: Contact, digest: str, known: PriorRecords
) -> Customer:
    """The customer, whose class counts by contact and by id, as when an agent enters a request."""
    return Customer(
        name=mask_name(past.name, playbook.fields.name_style) if past.name else "",
        contact=mask_contact(contact.address, playbook.fields.contact_style),
        kind=contact.kind,
        hash=digest,
        id=past.customer_id or None,
        record=known.customer,
        customer_class=known.customer_class or class_by_id(playbook, past.customer_id),
        undeliverable=known.undeliverable,
        sms_obstacle=sms_problem(contact, None, playbook),
    )


def _masked(playbook: Playbook, told: PastCommit) -> _Masked:
    hiding = MessageMasker(playbook.public_contacts)
    events = tuple(rewritten(event, hiding.mask) for event in told.events)
    return _Masked(told._replace(events=events), hiding)


def _opening(playbook: Playbook, told: PastCommit) -> _Masked:
    """Mask the request; a description that is too long is cut, and its whole text kept."""
    limit = playbook.fields.description_max
    received, *others = told.events
    if isinstance(received, e.TicketReceived) and len(received.description) > limit:
        received = received.model_copy(update={"text": received.description})
    masked = _masked(playbook, told._replace(events=(received, *others)))
    received, *others = masked.told.events
    if isinstance(received, e.TicketReceived):
        cut = received.description[:limit]
        received = received.model_copy(update={"description": cut})
    return masked._replace(told=masked.told._replace(events=(received, *others)))


def _later(playbook: Playbook, past: PastTicket, locale: Locale) -> Sequence[_Masked]:
    summary = IMPORTED_AS[locale][past.outcome]
    return [_masked(playbook, told) for told in imports.later_of(past, summary)]
