"""Take phone calls in, and bring them to tickets (B1, D1).

A report changes its call first and its ticket after that, and every step may be repeated: the
records of idempotency `phone`, `missed` and `entered` are those of the call's entry on a ticket,
of the ticket of a missed call, and of the ticket that an agent opened.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from hashlib import sha256
from typing import Any

from functions.core.domain.calls import CallReport, PhoneCall, call_key, joined
from functions.core.domain.commands import AttachPhoneCall
from functions.core.domain.errors import Conflict, NotFound
from functions.core.domain.events import PhoneCallAttached
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import OPEN
from functions.core.services.command_service import TRIES, change
from functions.core.services.contacts import contact_digest
from functions.core.services.create_ticket import (
    CreatedTicket,
    NewTicket,
    Source,
    TicketCreator,
    TicketRequest,
    read_new_ticket,
)
from functions.core.services.merging import merge_target
from functions.core.storage.contacts import Conversation, PriorRecords
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import Duplicate, IdempotencyRecord
from functions.core.text.call_texts import call_text
from functions.core.text.contacts import Contact, ContactError, normalise_contact
from functions.core.text.unmasking import MessageMasker, Original

MAX_TEXT = 30_000
"""The maximum characters of a call on a ticket: more than two hours of talk. The call is whole."""

MAX_TICKETS = 20
"""The newest tickets of a caller among which an open one is looked for."""


def caller(call: PhoneCall) -> Contact | None:
    """Return the customer's number as a contact, None if it is withheld or no number."""
    try:
        return normalise_contact(call.customer)
    except ContactError:
        return None


@dataclass(frozen=True)
class CallDesk:
    """The phone calls of a desk."""

    creator: TicketCreator
    playbook: Playbook
    now: datetime

    @property
    def storage(self) -> Storage:
        return self.creator.storage

    def find(self, call: str) -> PhoneCall:
        """Return a call by our id.

        Raises:
            NotFound: there is none, or it has expired.
        """
        found = self.storage.calls.get(self.playbook.desk, call, self.creator.root_key)
        if found is None:
            raise NotFound("There is no such call.")
        return found

    def receive(self, reports: Sequence[CallReport]) -> PhoneCall:
        """Take the events of one call that came together; repeated ones change nothing.

        Raises:
            Conflict, TryAgain: others wrote at the same time; the same may be sent again.
            DeadLetter: the call is longer than an item.
        """
        call = self._changed(
            call_key(reports[0].call_id), lambda known: reduce(joined, reports, known)
        )
        contact = caller(call)
        if not call.is_over or contact is None:
            return call
        number = call.number or self._open_ticket(contact)
        if number is None and call.is_missed:
            number = self._missed_ticket(call, contact)
        return call if number is None else self._bound(call, self._attach(call, number))

    def open_ticket(self, call: PhoneCall, given: Mapping[str, Any], actor: str) -> CreatedTicket:
        """Create the ticket of a call under an agent's name, once a call.

        Args:
            given: the fields of a new ticket; the call fills in `contact` and `description`.

        Raises:
            InvalidInput: some fields are invalid, or the number is withheld and no contact given.
        """
        source = Source(channel="phone", entered_by=actor)
        body, source = self._filled_in(call, given, source)
        record = IdempotencyRecord(self.playbook.desk, "entered", call.id)
        request = TicketRequest(body, self.now, actor=actor, source=source, idempotency=record)
        created = self.creator.create(self.playbook, request)
        number = created.number
        if call.is_over:
            number = self._attach(call, number)
        if call.number is None:
            self._bound(call, number)
        return created

    def _filled_in(
        self, call: PhoneCall, given: Mapping[str, Any], source: Source
    ) -> tuple[NewTicket, Source]:
        """Return the body of a call's ticket, with the original of what the call fills in."""
        hiding = MessageMasker()
        text = self.text(call)
        # A stored description has no surrounding space; the masker records positions in it.
        masked = hiding.mask("description", text.strip(), MAX_TEXT)
        limit = self.playbook.fields.description_max
        fields = dict(given)
        if not fields.get("description"):
            hiding.mask("text", text.strip(), MAX_TEXT)
            whole = masked if len(masked) > limit else None
            source = replace(source, text=whole, hiding=hiding)
            fields["description"] = masked[:limit]
        contact = caller(call)
        if contact is not None and not fields.get("contact"):
            fields["contact"] = contact.address
        content = json.dumps(fields).encode()
        by_agent = source.entered_by is not None
        return read_new_ticket(content, self.playbook, by_agent=by_agent), source

    def text(self, call: PhoneCall) -> str:
        """Return what a ticket of this desk says of a call, unmasked."""
        return call_text(call, self.playbook.locale, self.playbook.zone)

    def _missed_ticket(self, call: PhoneCall, contact: Contact) -> str:
        """Return the ticket of a missed call: that of the caller's last one while it is open, which
        the index of tickets may not show yet, else a new one.

        A caller's number can be forged: no proof.
        """
        record = IdempotencyRecord(self.playbook.desk, "missed", call.id)
        digest = contact_digest(contact, self.playbook.desk, self.creator.root_key)
        for attempt in range(TRIES):
            known, conversation = self.storage.contacts.conversation(record, digest)
            if conversation.number is not None and self._is_open(conversation, digest):
                return conversation.number
            try:
                return self._file_missed(call, contact, record, known, conversation)
            except Conflict:  # another missed call has opened a ticket
                if attempt == TRIES - 1:
                    raise
        raise AssertionError("unreachable")

    def _is_open(self, conversation: Conversation, digest: str) -> bool:
        """Return whether the ticket of a caller's last missed call is open, and still theirs."""
        ticket = self.storage.tickets.find(self.playbook.desk, conversation.number or "")
        if ticket is None or ticket.customer.hash != digest:  # it has expired, or was erased
            return False
        return merge_target(self.storage, ticket).status in OPEN

    def _file_missed(
        self,
        call: PhoneCall,
        contact: Contact,
        record: IdempotencyRecord,
        known: PriorRecords,
        conversation: Conversation,
    ) -> str:
        given = {"contact": contact.address, "locale": self.playbook.locale}
        body, source = self._filled_in(call, given, Source(channel="phone"))
        request = TicketRequest(
            body,
            self.now,
            source=source,
            idempotency=record,
            known=known,
            conversation=conversation,
        )
        return self.creator.create(self.playbook, request).number

    def _open_ticket(self, contact: Contact) -> str | None:
        """Return the newest open ticket of a caller, by every contact of theirs (C2)."""
        storage, desk = self.storage, self.playbook.desk
        digest = contact_digest(contact, desk, self.creator.root_key)
        record = storage.customers.of(desk, digest)
        numbers = {
            number: None
            for each in (record.contacts if record else (digest,))
            for number in storage.contacts.tickets(desk, each, MAX_TICKETS)
        }
        tickets = storage.tickets.load_many(desk, list(numbers), consistent=True)
        open_ones = [ticket for ticket in tickets if ticket.status in OPEN]
        newest = max(open_ones, key=lambda ticket: ticket.received_at, default=None)
        return newest.number if newest else None

    def _attach(self, call: PhoneCall, number: str) -> str:
        """Put a call on a ticket, once for each state of the call; return the ticket that has it.

        The first entry alone asks for a call-back. If the call was answered after all, a later
        report says so, and the call-back is not needed any more.
        """
        text, hiding = self.text(call), MessageMasker()
        command = AttachPhoneCall(
            call=call.id,
            text=hiding.mask("text", text, MAX_TEXT),
            missed=call.is_missed,
            recorded=bool(call.recording),
        )
        digest = sha256(f"{command}\n{text}".encode("utf-8", "replace")).hexdigest()
        record = IdempotencyRecord(self.playbook.desk, "phone", call.id, digest, number)
        original = Original(hiding, self.creator.seal_original)
        try:
            self._commit(number, command, record, original)
        except Duplicate as duplicate:
            first = duplicate.record
            if first is None or first.body == digest:
                return first.number if first else number
            number = first.number
            later = replace(record, id=f"{call.id}:{digest}", number=number)
            answered = () if call.is_missed else self._missed_entries(call, number)
            command = replace(command, updated=True, answered_after=answered)
            with suppress(Duplicate):
                self._commit(number, command, later, original)
        return number

    def _commit(
        self, number: str, command: AttachPhoneCall, record: IdempotencyRecord, original: Original
    ) -> None:
        change(
            self.storage,
            self.playbook.desk,
            number,
            command,
            self.playbook,
            self.now,
            actor="system",
            idempotency=record,
            original=original,
        )

    def _missed_entries(self, call: PhoneCall, number: str) -> tuple[int, ...]:
        """Return the versions of the ticket that say that the call was missed."""
        tickets, desk = self.storage.tickets, self.playbook.desk
        ticket = merge_target(self.storage, tickets.load(desk, number))
        return tuple(
            commit.version
            for commit in tickets.history(desk, ticket.number, ticket.version)
            for event in commit.of(PhoneCallAttached)
            if event.call == call.id and event.missed
        )

    def _bound(self, call: PhoneCall, number: str) -> PhoneCall:
        """Return the call, which names its ticket from now on."""
        if call.number == number:
            return call
        return self._changed(call.id, lambda known: known.changed(number=number))

    def _changed(self, call: str, change_of: Callable[[PhoneCall], PhoneCall]) -> PhoneCall:
        """Change a call; one that stays the same is not written."""
        desk, root = self.playbook.desk, self.creator.root_key
        for attempt in range(TRIES):
            known = self.storage.calls.get(desk, call, root)
            before = known or PhoneCall(desk=desk, id=call, changed_at=self.now)
            after = change_of(before)
            if after == known:
                return after
            contact = caller(after)
            digest = contact_digest(contact, desk, root) if contact else None
            try:
                return self.storage.calls.put(after.changed(changed_at=self.now), digest, root)
            except Conflict:
                if attempt == TRIES - 1:
                    raise
        raise AssertionError("unreachable")
