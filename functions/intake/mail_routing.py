"""Route a mail at a desk: to a new ticket, to the ticket that it answers, or to neither."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from functions.core.domain.commands import Command, CustomerMessage, Link, Note, proving
from functions.core.domain.endings import read_ending
from functions.core.domain.errors import (
    ActionNotAllowed,
    Forgotten,
    InvalidInput,
    Quarantined,
)
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.mail.parser import InboundMail
from functions.core.services.command_service import change
from functions.core.services.contacts import address_digest
from functions.core.services.create_ticket import NewTicket, Source, TicketCreator, TicketRequest
from functions.core.services.flooding import Flooding
from functions.core.services.merging import merge_target
from functions.core.storage.contacts import PriorRecords
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import Duplicate, IdempotencyRecord
from functions.core.text.contacts import mask_contact
from functions.core.text.tokens import (
    numbers_in_reply_token,
    parse_message_id,
    reply_token,
    same,
    ticket_of_message_id,
)
from functions.core.text.unmasking import MessageMasker, Original, Seal
from functions.core.text.words import EMPTY
from functions.intake import bounces
from functions.intake.mail_store import MailStore

MAX_TEXT = 4000
"""Characters of a mail on the ticket; the bucket keeps the whole original."""

MAX_SUBJECT = 1000
"""Characters of a subject (RFC 5322, 2.1.1: a line has 998)."""

_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{3,39}")
_MAX_REFERENCES = 20  # the nearest ones; a thread needs no more
_MAX_CANDIDATES = 8  # recipients, and words of a subject, that are tried as ticket numbers


@dataclass(frozen=True)
class ReceivedMail:
    """A mail that came to a desk.

    Args:
        key: the key of the original in the mail bucket.
        digest: the digest of the raw bytes, which identifies a mail without a Message-ID.
        released: an operator released it from quarantine as a person's mail.
        sender_trusted: the sender's address may decide which ticket the mail belongs to.
        sender_proven: DMARC shows that the sender's domain sent it.
        infected: the scanner found a virus in it; its files stay in the original.
        limited: a ticket that it opens counts towards the desk's `unproven_tickets`.
    """

    mail: InboundMail
    key: str
    digest: str
    released: bool = False
    sender_trusted: bool = True
    sender_proven: bool = False
    infected: bool = False
    limited: bool = False


@dataclass(frozen=True)
class RoutedMail:
    """The ticket that a mail belongs to; `new` if the mail opened it."""

    number: str
    new: bool


@dataclass(frozen=True)
class MailRouter:
    storage: Storage
    root_key: bytes
    seal_original: Seal
    creator: TicketCreator
    mail_store: MailStore
    playbook: Playbook
    now: datetime

    def route(self, received: ReceivedMail) -> RoutedMail:
        """Open a ticket for a mail, or add the mail to the ticket that it answers; once (G1).

        Raises:
            Quarantined: the mail has no sender to answer, a machine wrote it, another mail came
                under the same id, or too many unproven mails opened tickets.
        """
        mail = received.mail
        if self._is_own(mail):
            raise Quarantined("loop: the desk's own mail came back to it")
        idempotency = self._idempotency(received)
        if mail.origin != "human" and not received.released:
            return self._route_automatic(received, idempotency)
        sender = self._digest(mail.from_address)
        idempotency, known = self._deduplicate(idempotency, sender, released=received.released)
        if known.idempotency is not None:
            self._link_again(known.idempotency.number)
            return RoutedMail(known.idempotency.number, new=False)
        source = self._source(received)
        answered, by_token = self._find_ticket(received)
        target = merge_target(self.storage, answered) if answered else None
        if answered and target and (answered.erased or target.erased):
            # Nobody could answer there, and a link would reveal who the customer was (B10).
            answered = target = None
        if answered and target and not self._needs_new_ticket(target, mail):
            try:
                proves = by_token or received.sender_proven
                return self._join(answered, mail, source, sender, idempotency, proves=proves)
            except ActionNotAllowed as refused:
                # The ticket no longer accepts messages, so the mail gets a new ticket. It is not
                # linked to one that was erased just now.
                target = None if isinstance(refused, Forgotten) else target
        admit = self._flooding.require_admitted if received.limited else None
        return self._create(mail, source, idempotency, known, target, admit)

    @property
    def _flooding(self) -> Flooding:
        return Flooding(self.storage.counters, self.root_key, self.playbook, self.now)

    # Deduplicate

    def _idempotency(self, received: ReceivedMail) -> IdempotencyRecord:
        """Return the record that recognises a repetition: by its id, while the content is the same.

        Servers add headers on the way, so only the written content is compared.
        """
        mail = received.mail
        content = sha256("\0".join((mail.from_address, mail.subject, mail.full_text)).encode())
        for attachment in mail.attachments:
            content.update(sha256(attachment.content).digest())
        return IdempotencyRecord(
            self.playbook.desk, "mail", mail.message_id or received.digest, body=content.hexdigest()
        )

    def _deduplicate(
        self, idempotency: IdempotencyRecord, sender: str | None, *, released: bool
    ) -> tuple[IdempotencyRecord, PriorRecords]:
        """Return the record to file the mail under, and what is stored about it and its sender."""
        known = self.storage.contacts.known(self.playbook.desk, idempotency, sender)
        first = known.idempotency
        if first is None or first.body in ("", idempotency.body):
            return idempotency, known
        idempotency = replace(idempotency, id=f"{idempotency.id}\0{idempotency.body}")
        known = self.storage.contacts.known(self.playbook.desk, idempotency, sender)
        if known.idempotency is None and not released:
            raise _repeated_id(first)
        return idempotency, known

    # Thread

    def _find_ticket(self, received: ReceivedMail) -> tuple[Ticket | None, bool]:
        """Return the ticket of this desk that a mail answers, and whether by a token of ours.

        A Message-ID or an address for answers that Deskbell made proves the ticket, unless its
        contact was replaced since: the former contact has them too. A reference to an earlier mail
        of the customer and a number in the subject prove nothing: they count only if the mail comes
        from the ticket's contact, and its sender is trusted (G3).
        """
        mail, desk = received.mail, self.playbook.desk
        for reference in (mail.in_reply_to, *reversed(mail.references)):
            key = parse_message_id(self.root_key, reference) if reference else None
            if key is not None and key[0] == desk:
                ticket = self._load(key[1])
                if ticket is None or key[2] >= ticket.link_generation:
                    return ticket, True
        ticket = self._ticket_of_recipients(mail)
        if ticket is not None:
            return ticket, True
        sender = self._digest(mail.from_address) if received.sender_trusted else None
        if sender is None:
            return None, False
        for number in (*self._numbers_of_references(mail), *_numbers_in(mail.subject)):
            ticket = self._load(number)
            if ticket is not None and ticket.customer.hash == sender:
                return ticket, False
        return None, False

    def _ticket_of_recipients(self, mail: InboundMail) -> Ticket | None:
        """Return the ticket that a recipient's address proves (`support+<token>@…`)."""
        mailbox, _, mail_domain = self.playbook.mail.address.lower().rpartition("@")
        tokens = []
        for address in mail.to:
            local, _, domain = address.lower().rpartition("@")
            name, _, token = local.partition("+")
            if (name, domain) == (mailbox, mail_domain):
                tokens.append(token)
        for token in tokens[:_MAX_CANDIDATES]:
            for number in numbers_in_reply_token(token):
                ticket = self._load(number)
                if ticket is not None and self._is_reply_token(token, ticket):
                    return ticket
        return None

    def _is_reply_token(self, token: str, ticket: Ticket) -> bool:
        number, generation = ticket.number, ticket.link_generation
        expected = reply_token(self.root_key, ticket.desk, number, generation)
        return expected != "" and same(token, expected)

    def _numbers_of_references(self, mail: InboundMail) -> tuple[str, ...]:
        """Return the number of the ticket that an earlier mail, which this one references, has."""
        ids = dict.fromkeys(filter(None, (mail.in_reply_to, *reversed(mail.references))))
        records = [
            IdempotencyRecord(self.playbook.desk, "mail", message_id)
            for message_id in list(ids)[:_MAX_REFERENCES]
        ]
        first = self.storage.idempotency.get_first(records) if records else None
        return (first.number,) if first else ()

    def _is_own(self, mail: InboundMail) -> bool:
        """Return whether the desk itself sent this mail, also through an alias or a forwarding."""
        local, _, domain = mail.from_address.rpartition("@")
        if f"{local.partition('+')[0]}@{domain}" == self.playbook.mail.address.lower():
            return True
        keys = (ticket_of_message_id(self.root_key, id_) for id_ in (mail.message_id, mail.own_id))
        return any(key is not None and key[0] == self.playbook.desk for key in keys)

    def _needs_new_ticket(self, ticket: Ticket, mail: InboundMail) -> bool:
        """Return whether a message to this ticket is a new request: the playbook says so, or it
        ended too long ago. Thanks never are.
        """
        if not mail.attachments and read_ending(mail.text, self.playbook).needs_no_answer:
            return False
        if ticket.status in bounces.ENDED and self.playbook.closed_reply == "linked":
            return True
        ended_at = ticket.archived_at or ticket.resolved_at
        return ended_at is not None and self.now - ended_at > self.playbook.reopen_within

    # Join or create

    def _source(self, received: ReceivedMail) -> Source:
        mail = received.mail
        attachments, refused = self.mail_store.keep_attachments(
            self.playbook.desk,
            received.key,
            mail.attachments,
            self.playbook.files,
            infected=received.infected,
        )
        return Source(
            channel="mail",
            message_id=mail.message_id or None,
            raw=received.key,
            attachments=attachments,
            refused=refused,
            unproven=not received.sender_trusted,
            contact_proven=received.sender_proven,
        )

    def _join(
        self,
        ticket: Ticket,
        mail: InboundMail,
        source: Source,
        sender: str | None,
        idempotency: IdempotencyRecord,
        *,
        proves: bool,
    ) -> RoutedMail:
        """Add a mail to a ticket as the customer's message.

        Args:
            proves: a mail from the ticket's contact proves that contact.
        """
        by_another = None
        if sender != ticket.customer.hash:
            by_another = mask_contact(mail.from_address, self.playbook.fields.contact_style) or "-"
        hiding = MessageMasker()
        message = CustomerMessage(
            text=hiding.mask("text", mail.text or mail.subject, MAX_TEXT),
            channel=source.channel,
            raw=source.raw,
            attachments=source.attachments,
            refused=source.refused,
            unproven=source.unproven,
            by_another=by_another,
            proven=proves,
        )
        proven = proves and by_another is None
        command: Command = proving(message, ticket) if proven else message
        try:
            changed = change(
                self.storage,
                ticket.desk,
                ticket.number,
                command,
                self.playbook,
                self.now,
                actor="customer",
                idempotency=replace(idempotency, number=ticket.number),
                original=Original(hiding, self.seal_original),
            )
        except Duplicate:
            return RoutedMail(ticket.number, new=False)
        return RoutedMail(changed.number, new=False)

    def _create(
        self,
        mail: InboundMail,
        source: Source,
        idempotency: IdempotencyRecord,
        known: PriorRecords,
        ended: Ticket | None,
        admit: Callable[[], None] | None,
    ) -> RoutedMail:
        """Create a ticket from a mail, linked to the ended ticket that it answers, if any."""
        parts = [part.strip() for part in (mail.subject, mail.text) if part.strip()]
        whole = "\n".join(parts) or EMPTY[self.playbook.locale]
        hiding, limit = MessageMasker(), self.playbook.fields.description_max
        body = NewTicket(
            contact=mail.from_address or "-",
            name=mail.from_name[:200] or None,
            description=hiding.mask("description", whole, limit),
        )
        text = mail.text or mail.subject if len(whole) > limit else None
        source = replace(
            source,
            subject=hiding.mask("subject", mail.subject, MAX_SUBJECT) or None,
            text=hiding.mask("text", text, MAX_TEXT) if text else None,
            linked_to=ended.number if ended else None,
            hiding=hiding,
        )
        request = TicketRequest(
            body, self.now, source=source, idempotency=idempotency, known=known, admit=admit
        )
        try:
            ticket = self.creator.create(self.playbook, request)
        except InvalidInput as error:
            problems = "; ".join(f"{wrong.field}: {wrong.message}" for wrong in error.errors)
            if not mail.from_address:
                problems = "it names no sender"
            raise Quarantined(f"nobody to answer: {problems}") from error
        if ended is not None:
            self._link(ended.number, ticket.number)
        return RoutedMail(ticket.number, new=True)

    def _link(self, ended: str, number: str) -> None:
        self._change(ended, Link(number=number))

    def _link_again(self, number: str) -> None:
        """Link the related tickets, in case an interrupted run did not; a repetition changes
        nothing.
        """
        ticket = self._load(number)
        for ended in ticket.related if ticket else ():
            self._link(ended, number)

    # Automatic mail

    def _route_automatic(
        self, received: ReceivedMail, idempotency: IdempotencyRecord
    ) -> RoutedMail:
        """Add automatic mail to the ticket that it is about; it opens none and gets no answer."""
        mail = received.mail
        if mail.origin in {"bounce", "complaint"}:
            recorder = bounces.BounceRecorder(self.storage, self.root_key, self.now)
            returned = bounces.read_report(mail)
            ticket = recorder.find_ticket(returned.ids, self.playbook.desk)
            if ticket is not None:
                recorder.record(returned, ticket, self.playbook, idempotency)
                return RoutedMail(ticket.number, new=False)
        ticket, _ = self._find_ticket(received)
        if ticket is None:
            raise Quarantined(f"{mail.origin}: automatic mail opens no ticket")
        # The note has the text too, since a person's mail may be taken for a machine's.
        text = f"{mail.origin}: {mail.subject}\n{mail.text}".strip()
        note = Note(text=MessageMasker().mask("text", text, MAX_TEXT))
        try:
            self._change(ticket.number, note, replace(idempotency, number=ticket.number))
        except Duplicate as duplicate:
            first = duplicate.record
            if first is not None and first.body not in ("", idempotency.body):
                raise _repeated_id(first) from duplicate
        except ActionNotAllowed as error:
            raise Quarantined(f"{mail.origin}: {ticket.number} cannot show it: {error}") from error
        return RoutedMail(ticket.number, new=False)

    def _change(
        self, number: str, command: Link | Note, idempotency: IdempotencyRecord | None = None
    ) -> None:
        change(
            self.storage,
            self.playbook.desk,
            number,
            command,
            self.playbook,
            self.now,
            actor="system",
            idempotency=idempotency,
        )

    def _load(self, number: str) -> Ticket | None:
        return self.storage.tickets.find(self.playbook.desk, number)

    def _digest(self, address: str) -> str | None:
        return address_digest(address, self.playbook.desk, self.root_key)


def _repeated_id(first: IdempotencyRecord) -> Quarantined:
    return Quarantined(f"repeated id: {first.number} has a different mail under this Message-ID")


def _numbers_in(subject: str) -> Iterator[str]:
    words = [word for word in _NUMBER.findall(subject) if any(c.isdigit() for c in word)]
    yield from dict.fromkeys(words[:_MAX_CANDIDATES])
