"""Create a ticket from a request, once (A1, A3, A4, E11, G1, G4).

Every channel ends here. Creation makes three calls to the table: one read of what is stored about
the request and its sender, the serial number, and one transaction with the ticket, its first event
and the idempotency record. A repeated request gets the first answer again, also when the repetition
is concurrent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from functions.core.domain import events as e
from functions.core.domain.commands import Receive
from functions.core.domain.commands.base import one_of
from functions.core.domain.commands.steps import date_problem
from functions.core.domain.errors import (
    DeadLetter,
    FieldError,
    InvalidInput,
    KeyReused,
    too_long,
)
from functions.core.domain.lifecycle import apply, opening, queue_rank
from functions.core.domain.matching import find_term
from functions.core.domain.privacy import rewritten
from functions.core.domain.rules import Locale, Playbook, Term
from functions.core.domain.tasks import tasks_of
from functions.core.domain.ticket import Customer, RefusedFile, Status, Ticket
from functions.core.services.contacts import (
    SealContact,
    contact_digest,
    contact_document,
    sms_problem,
)
from functions.core.services.links import ticket_link
from functions.core.storage.contacts import Conversation, PriorRecords
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import Duplicate, IdempotencyRecord
from functions.core.storage.tickets import Change
from functions.core.text.contacts import Contact, mask_contact, mask_name, normalise_contact
from functions.core.text.json_body import parse_json, parse_model
from functions.core.text.masking import mask
from functions.core.text.shapes import local_time
from functions.core.text.sms_numbers import SmsObstacle
from functions.core.text.tokens import LinkKind
from functions.core.text.unmasking import MessageMasker, Original, Seal
from functions.core.text.words import written_in

if TYPE_CHECKING:
    from functions.core.domain.delivery import Delivery
    from functions.core.text.shapes import Filed

Short = Annotated[str, Field(max_length=200)]


class NewProduct(BaseModel):
    """The product that a request is about (D2)."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    name: Short | None = None
    model: Short | None = None
    serial: Short | None = None
    purchased_on: str | None = None


_ADDED = ("since", "environment", "attempted")


class NewTicket(BaseModel):
    """The body of a request for a ticket (docs/http.md)."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)

    contact: str = Field(min_length=1, max_length=320)
    description: str = Field(min_length=1)
    name: Short | None = None
    type: Short | None = None
    urgency: Short | None = None
    channel: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,29}$")] | None = None
    customer_id: Annotated[str, Field(max_length=100)] | None = None
    preferred_channel: Literal["sms", "email", "message", "phone"] | None = None
    locale: Locale | None = None
    product: NewProduct | None = None
    proof_of_purchase: Short | None = None
    order: Short | None = None
    since: Short | None = None
    environment: Annotated[str, Field(max_length=500)] | None = None
    attempted: Annotated[str, Field(max_length=1000)] | None = None

    @field_validator("locale", mode="before")
    @classmethod
    def _nearest_locale(cls, written: Any) -> Any:
        if not isinstance(written, str) or not written:
            return written
        return "zh-CN" if written.casefold().startswith("zh") else "en"

    @property
    def digest(self) -> str:
        """The digest by which a reused idempotency key with another body is noticed.

        Fields that earlier releases did not have count only if they are given.
        """
        absent = {name for name in _ADDED if getattr(self, name) is None}
        fields = self.model_dump(mode="json", exclude=absent)
        document = json.dumps(fields, sort_keys=True, ensure_ascii=False)
        return sha256(document.encode()).hexdigest()


def read_new_ticket(body: bytes, playbook: Playbook, *, by_agent: bool = False) -> NewTicket:
    """Parse the HTTP body of a request for a ticket.

    Raises:
        InvalidInput: some fields are invalid. The error names all of them at once, those that the
            desk's playbook decides on too.
    """
    try:
        return parse_model(NewTicket, body)
    except InvalidInput as error:
        named = {wrong.field for wrong in error.errors}
        wrong = _playbook_errors(_fields(body), playbook, by_agent=by_agent)
        more = [each for each in wrong if each.field not in named]
        raise InvalidInput(error.detail, (*error.errors, *more)) from error


@dataclass(frozen=True)
class Source:
    """The channel of a request, and the data that came with it.

    `sender` is the writer's contact if the channel proves it; it replaces the body's `contact`,
    which anybody could have typed. `text` is the whole message if the description was cut. Answers
    refer to `message_id`; `raw` is the key of the stored original. `contact_proven`: the channel
    proves the contact and the customer's id; a chat proves only the contact. `hiding` holds the
    hidden parts of texts that were masked before they were cut. `chat` is the chat with the
    assistant that ended in this ticket. `privacy_version` is that of the notice that the sender
    agreed to.
    """

    channel: str = "web"
    sender: Contact | None = None
    subject: str | None = None
    text: str | None = None
    message_id: str | None = None
    raw: str | None = None
    attachments: tuple[e.Attachment, ...] = ()
    refused: tuple[RefusedFile, ...] = ()
    unproven: bool = False
    contact_proven: bool = False
    entered_by: str | None = None
    linked_to: str | None = None
    hiding: MessageMasker | None = None
    chat: e.ChatHandedOver | None = None
    privacy_version: str | None = None


@dataclass(frozen=True)
class TicketRequest:
    """One request for a ticket.

    Args:
        actor: `customer`, or the username of the agent who enters the request.
        idempotency: recognises a repetition; None if the channel gives no id. A repetition must
            have the same `body` digest, if the record has one.
        known: the stored records of the request and its sender, if the caller has just read them.
        conversation: the sender's conversation on a chat channel, as it was read.
        acknowledge: returns the delivery that goes out with the HTTP response, if any.
        admit: called before the ticket is created, but not for a repetition; raises `Quarantined`
            if the request has to wait.
        keep: stores the files of the request in a folder and returns them; called like `admit`,
            once the ticket has its number.
    """

    body: NewTicket
    now: datetime
    actor: str = "customer"
    source: Source = Source()
    idempotency: IdempotencyRecord | None = None
    known: PriorRecords | None = None
    conversation: Conversation | None = None
    acknowledge: Callable[[e.Commit, Ticket], Delivery | None] | None = None
    admit: Callable[[], None] | None = None
    keep: Callable[[str], tuple[e.Attachment, ...]] | None = None


@dataclass(frozen=True)
class CreatedTicket:
    """The answer to a request; the same for every repetition.

    `status_url` is a customer link if the channel proved the contact, a submitter link if nothing
    did, and None for an agent, who never gets one.
    """

    number: str
    status: Status
    expected_response_by: datetime | None
    status_url: str | None
    sms_obstacle: SmsObstacle | None = None

    def as_body(self, zone: tzinfo) -> Filed:
        """Return the HTTP body, with times in the desk's own offset."""
        body: Filed = {
            "number": self.number,
            "status": self.status,
            "expected_response_by": local_time(self.expected_response_by, zone),
        }
        if self.status_url:
            body["status_url"] = self.status_url
        return body


@dataclass(frozen=True)
class TicketCreator:
    """Creates tickets.

    `seal` encrypts a contact for delivery, `seal_original` the unmasked text for a recorded act of
    opening it; `root_key` is the deployment's root key, `public_url` the address of the API.
    """

    storage: Storage
    seal: SealContact
    seal_original: Seal
    root_key: bytes
    public_url: str

    def create(self, playbook: Playbook, request: TicketRequest) -> CreatedTicket:
        """Create a ticket for a request, once.

        Raises:
            InvalidInput: some fields are invalid; the error names each of them.
            KeyReused: the idempotency record was first used with another body.
            Conflict: the sender's conversation has moved on since it was read.
            TryAgain: the table is too busy; nothing was written.
            Quarantined: `request.admit` refuses it; nothing was written.
        """
        fields = _validate(playbook, request)
        digest = contact_digest(fields.contact, playbook.desk, self.root_key)
        known = request.known or self.storage.contacts.known(
            playbook.desk, request.idempotency, digest
        )
        if known.idempotency is not None:
            return self._first_answer(known.idempotency, playbook, request)
        if request.admit is not None:
            request.admit()
        hiding = request.source.hiding or MessageMasker()
        customer = _customer(playbook, request, fields.contact, digest, known)
        number = self._next_number(playbook, request.now)
        if request.keep is not None:
            files = request.keep(f"{playbook.desk}/{number}")
            request = replace(request, source=replace(request.source, attachments=files))
        received = _ticket_received(playbook, request, fields, customer, hiding)
        command = Receive(number=number, request=received, actor=request.actor)
        first = opening(command, playbook, request.now)
        try:
            ticket = self._commit(first, playbook, request, fields.contact, hiding)
        except Duplicate as duplicate:
            if duplicate.record is None:
                raise DeadLetter(
                    "the transaction met an idempotency record that is gone"
                ) from duplicate
            return self._first_answer(duplicate.record, playbook, request)
        return self._answer(ticket, playbook, request.source)

    def _next_number(self, playbook: Playbook, now: datetime) -> str:
        local = now.astimezone(playbook.zone)
        numbering = playbook.number
        serial = self.storage.tickets.next_serial(
            playbook.desk, numbering.period(local), numbering.block
        )
        return numbering.write(local, serial)

    def _commit(
        self,
        first: e.Commit,
        playbook: Playbook,
        request: TicketRequest,
        contact: Contact,
        hiding: MessageMasker,
    ) -> Ticket:
        """Write the ticket's first commit with everything that belongs to it."""
        ticket = apply(None, first)
        ticket = ticket.changed(tasks=tasks_of(ticket, playbook))
        document = contact_document(
            contact, request.body.name or "", request.source.message_id or ""
        )
        change = Change(
            None,
            ticket,
            first.events,
            queue_rank(ticket, playbook),
            sealed=self.seal(first.desk, first.number, document),
            original=Original(hiding, self.seal_original).sealed_for(first.desk, first.number),
        )
        self.storage.tickets.commit_all(
            (change,),
            actor=first.actor,
            idempotency=request.idempotency,
            acknowledgement=request.acknowledge(first, ticket) if request.acknowledge else None,
            conversation=request.conversation,
        )
        return ticket

    def _first_answer(
        self, recorded: IdempotencyRecord, playbook: Playbook, request: TicketRequest
    ) -> CreatedTicket:
        requested = request.idempotency
        if requested is not None and requested.body and recorded.body != requested.body:
            raise KeyReused(
                "This Idempotency-Key was used before with another body. "
                "Use a new key for a new request."
            )
        first = self.storage.tickets.commit_at(recorded.desk, recorded.number, 1)
        if first is None:
            raise DeadLetter(f"{recorded.number} has no first commit")
        return self._answer(apply(None, first), playbook, request.source)

    def _answer(self, ticket: Ticket, playbook: Playbook, source: Source) -> CreatedTicket:
        kind: LinkKind = "customer" if source.contact_proven else "submitter"
        link = ticket_link(playbook, self.public_url, self.root_key, kind, ticket)
        return CreatedTicket(
            number=ticket.number,
            status=ticket.status,
            expected_response_by=ticket.expected_response_by,
            status_url=None if source.entered_by else link,
            sms_obstacle=ticket.customer.sms_obstacle,
        )


@dataclass(frozen=True)
class _Fields:
    """The fields of a body as the desk's playbook understands them."""

    contact: Contact
    type: str | None
    urgency: str | None


def _fields(body: bytes) -> Mapping[str, Any]:
    try:
        content = parse_json(body)
    except InvalidInput:
        return {}
    return content if isinstance(content, dict) else {}


def _playbook_errors(
    fields: Mapping[str, Any],
    playbook: Playbook,
    *,
    by_agent: bool,
    whole_text_kept: bool = False,
) -> list[FieldError]:
    """Return the fields that the desk does not accept.

    `whole_text_kept`: the message is stored whole elsewhere, so its description may be too long.
    """
    wrong: list[FieldError] = []
    texts = {name: value for name, value in fields.items() if isinstance(value, str) and value}
    try:
        normalise_contact(texts["contact"])
    except KeyError:
        pass
    except ValueError as error:
        wrong.append(FieldError("contact", error.args[0]))
    limit, length = playbook.fields.description_max, len(texts.get("description", ""))
    if length > limit and not whole_text_kept:
        wrong.append(FieldError("description", too_long(limit, length)))
    allowed: dict[str, Mapping[str, Term]] = {
        "type": {
            name: kind for name, kind in playbook.types.items() if by_agent or not kind.agents_only
        },
        "urgency": playbook.priorities,
    }
    for name, terms in allowed.items():
        if name in texts and find_term(texts[name], terms) is None:
            wrong.append(one_of(name, terms))
    return wrong


def _validate(playbook: Playbook, request: TicketRequest) -> _Fields:
    """Check a body against the desk's playbook."""
    body, source = request.body, request.source
    fields = body.model_dump(exclude={"contact"} if source.sender else None)
    wrong = _playbook_errors(
        fields,
        playbook,
        by_agent=source.entered_by is not None,
        whole_text_kept=source.text is not None,
    )
    bought = body.product.purchased_on if body.product else None
    today = request.now.astimezone(playbook.zone).date()
    if bought is not None and (problem := date_problem(bought, today)):
        wrong.append(FieldError("product.purchased_on", problem))
    if wrong:
        raise InvalidInput("Some fields are invalid.", tuple(wrong))
    return _Fields(
        contact=source.sender or normalise_contact(body.contact),
        type=find_term(body.type, playbook.types) if body.type else None,
        urgency=find_term(body.urgency, playbook.priorities) if body.urgency else None,
    )


def _customer(
    playbook: Playbook, request: TicketRequest, contact: Contact, digest: str, known: PriorRecords
) -> Customer:
    body, source = request.body, request.source
    by_id = class_by_id(playbook, body.customer_id)
    # Anybody can type an id, or another's contact, so a class by one of them is only a hint.
    vouched = source.contact_proven or source.entered_by is not None
    id_vouched = vouched and source.chat is None
    return Customer(
        name=mask_name(body.name or "", playbook.fields.name_style) if body.name else "",
        contact=mask_contact(contact.address, playbook.fields.contact_style),
        kind=contact.kind,
        hash=digest,
        id=body.customer_id or None,
        record=known.customer,
        customer_class=(known.customer_class if vouched else None)
        or (by_id if id_vouched else None),
        claimed_class=None if id_vouched else by_id,
        class_once_proven=None if vouched else known.customer_class,
        preferred=body.preferred_channel,
        undeliverable=known.undeliverable,
        sms_obstacle=sms_problem(contact, body.preferred_channel, playbook),
    )


def class_by_id(playbook: Playbook, customer_id: str | None) -> str | None:
    """Return the customer's class by the id that the channel gives (A5)."""
    if not customer_id:
        return None
    for name, customer_class in playbook.customer_classes.items():
        if any(fnmatchcase(customer_id, pattern) for pattern in customer_class.customer_ids):
            return name
    return None


def _ticket_received(
    playbook: Playbook,
    request: TicketRequest,
    fields: _Fields,
    customer: Customer,
    hiding: MessageMasker,
) -> e.TicketReceived:
    body, source = request.body, request.source
    product = body.product
    received = e.TicketReceived(
        customer=customer,
        # A stranger names the channel; with digits that are somebody's number it is no name.
        channel=mask(body.channel or source.channel),
        locale=body.locale or written_in(body.description) or playbook.locale,
        type=fields.type or playbook.default_type,
        type_given=fields.type is not None,
        priority=fields.urgency or playbook.default_priority,
        urgency=fields.urgency,
        description=body.description,
        text=source.text or None,
        subject=source.subject or None,
        raw=source.raw,
        attachments=source.attachments,
        refused=source.refused,
        unproven=source.unproven,
        contact_proven=source.contact_proven,
        product=e.Product(**product.model_dump()) if product else None,
        proof_of_purchase=body.proof_of_purchase or None,
        order=body.order or None,
        since=body.since or None,
        environment=body.environment or None,
        attempted=body.attempted or None,
        entered_by=source.entered_by,
        linked_to=source.linked_to,
        chat=source.chat,
        privacy_version=source.privacy_version,
    )
    masked = rewritten(received, hiding.mask)
    shortened = masked.description[: playbook.fields.description_max]
    return masked.model_copy(update={"description": shortened})
