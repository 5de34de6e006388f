"""File a request: from what somebody sent to a numbered ticket (A1, A3, A4, E11, G1, G4).

Every way in ends here. Three calls to the table: what is on file about the request and its sender,
the serial, and one transaction with ticket, event and idempotency. A request that was filed before
gets its first answer again, however many come at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from functions.core.domain import events as e
from functions.core.domain.commands import CorrectContact, Receive
from functions.core.domain.errors import DeadLetter, FieldError, InvalidInput, KeyReused
from functions.core.domain.lifecycle import apply, decide, queue_rank
from functions.core.domain.matching import find_term
from functions.core.domain.rules import Locale, Playbook, Term
from functions.core.domain.ticket import Customer, RefusedFile, Ticket
from functions.core.storage.store import Conversation, Duplicate, IdempotencyRecord, Known, Store
from functions.core.text.contacts import (
    Contact,
    contact_hash,
    mask_contact,
    mask_name,
    normalise_contact,
)
from functions.core.text.masking import mask
from functions.core.text.tokens import derive, status_key
from functions.core.text.unmasking import MessageMasker, Seal, original
from functions.core.text.words import written_in

if TYPE_CHECKING:
    from functions.core.domain.delivery import Delivery
    from functions.core.platform.web import Request

Short = Annotated[str, Field(max_length=200)]


class NewProduct(BaseModel):
    """D2: the product a request is about."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    name: Short | None = None
    model: Short | None = None
    serial: Short | None = None
    purchased_on: str | None = None

    @field_validator("purchased_on")
    @classmethod
    def _is_a_date(cls, given: str | None) -> str | None:
        try:
            known = given is None or date.fromisoformat(given).isoformat() == given
        except ValueError:
            known = False
        if not known:
            raise PydanticCustomError("date", "a date, such as 2026-03-10")
        return given


class NewTicket(BaseModel):
    """The body that files a ticket (contract, section 2)."""

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

    @field_validator("locale", mode="before")
    @classmethod
    def _nearest_locale(cls, given: Any) -> Any:
        if not isinstance(given, str) or not given:
            return given
        return "zh-CN" if given.casefold().startswith("zh") else "en"

    @property
    def digest(self) -> str:
        """What tells this body from another (the idempotency key's second half)."""
        document = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return sha256(document.encode()).hexdigest()


@dataclass(frozen=True)
class Tracking:
    """Where a request came from, for threading and for the record.

    `sender` is who wrote it, where the channel itself proves that; it counts instead of the
    request's own `contact`, which anybody could have written down. `hiding` has masked what the
    request says, where its texts had to be cut.
    """

    subject: str | None = None
    text: str | None = None
    message_id: str | None = None
    raw: str | None = None
    attachments: tuple[e.Attachment, ...] = ()
    refused: tuple[RefusedFile, ...] = ()
    unproven: bool = False
    entered_by: str | None = None
    sender: Contact | None = None
    linked_to: str | None = None
    hiding: MessageMasker | None = None


@dataclass(frozen=True)
class Filed:
    """The answer to a filed request; the same for every repetition."""

    number: str
    status: str
    expected_response_by: datetime | None
    status_url: str


@dataclass(frozen=True)
class Filing:
    """What filing needs beside the request.

    `seal(desk, number, contact)` encrypts for delivery alone, `seal_original` for a recorded act of
    opening; `root` is the deployment's root key;
    `public_url` the address of the API. `talk` is the sender's conversation on a chat channel, as
    it was read; `acknowledge` gives what the answer to the request itself says of the new ticket.
    """

    store: Store
    seal: Callable[[str, str, bytes], bytes]
    seal_original: Seal
    root: bytes
    public_url: str
    now: datetime
    default_channel: str = "web"
    tracking: Tracking = field(default_factory=Tracking)
    conversation: Conversation | None = None
    acknowledge: Callable[[e.Commit, Ticket], Delivery | None] | None = None


def file_ticket(
    filing: Filing,
    playbook: Playbook,
    request: NewTicket,
    idempotency: IdempotencyRecord | None,
    actor: str,
    known: Known | None = None,
) -> Filed:
    """File a request as a new ticket, once.

    Args:
        idempotency: how a repetition is recognised, None where the channel gives no id. Its `body`,
        if
            any, must be the same again.
        actor: `customer`, or the agent who enters the request.
        known: what is on file about request and sender, where the caller has just read it.

    Raises:
        InvalidInput: fields that do not fit; every one is named.
        KeyReused: the idempotency record was first used with another body.
        Conflict: the sender's conversation has moved on since it was read.
        TryAgain: the table was too busy; nothing was filed.
    """
    contact, chosen = _checked(playbook, request, filing.tracking)
    digest = contact_hash(contact, playbook.desk, derive(filing.root, "contact"))
    known = known or filing.store.known(playbook.desk, idempotency, digest)
    if known.idempotency is not None:
        return _filed_before(filing, playbook, known.idempotency, idempotency)
    local = filing.now.astimezone(playbook.zone)
    serial = filing.store.next_serial(playbook.desk, playbook.number.period(local))
    number = playbook.number.write(local, serial)
    hiding = filing.tracking.hiding or MessageMasker()
    received = _received(playbook, request, contact, digest, chosen, filing, known, hiding)
    command = Receive(number=number, request=received, actor=actor)
    decided = decide(None, command, playbook, filing.now)
    first = _first(playbook.desk, number, filing.now, actor, decided)
    ticket = apply(None, first)
    secret = _secret(contact, request.name or "", filing.tracking.message_id or "")
    sealed = filing.seal(playbook.desk, number, secret)
    hidden = original(hiding, filing.seal_original)
    try:
        filing.store.commit(
            None,
            ticket,
            decided,
            actor=actor,
            rank=queue_rank(ticket, playbook),
            idempotency=idempotency,
            sealed=sealed,
            told=filing.acknowledge(first, ticket) if filing.acknowledge else None,
            conversation=filing.conversation,
            original=hidden.sealed_for(playbook.desk, number) if hidden else (),
        )
    except Duplicate as duplicate:
        if duplicate.found is None:
            raise DeadLetter("an idempotency record refused the request and is gone") from duplicate
        return _filed_before(filing, playbook, duplicate.found, idempotency)
    return _answer(filing, ticket)


def status_url(public_url: str, root: bytes, desk: str, number: str) -> str:
    """The secret link under which a customer sees how the ticket stands (A14, A16)."""
    key = status_key(root, desk, number)
    return f"{public_url}/desks/{desk}/tickets/{quote(number)}?key={key}"


@dataclass(frozen=True)
class _Chosen:
    type: str | None
    urgency: str | None


def read_request(request: Request, playbook: Playbook) -> NewTicket:
    """The body of a request that is to be filed.

    Raises:
        InvalidInput: it does not fit; every field that is wrong is named at once, those that the
            desk's playbook decides on too.
    """
    try:
        return request.read(NewTicket)
    except InvalidInput as refused:
        named = {error.field for error in refused.errors}
        more = [e for e in _misfits(_content(request.body), playbook) if e.field not in named]
        raise InvalidInput(refused.detail, (*refused.errors, *more)) from refused


def _content(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _misfits(
    given: Mapping[str, Any], playbook: Playbook, *, cut: bool = False
) -> list[FieldError]:
    """What of a request's content the desk cannot take. `cut`: a longer text stands elsewhere."""
    wrong: list[FieldError] = []
    texts = {name: value for name, value in given.items() if isinstance(value, str) and value}
    try:
        normalise_contact(texts["contact"])
    except KeyError:
        pass
    except ValueError as error:
        wrong.append(FieldError("contact", str(error)))
    limit, length = playbook.fields.description_max, len(texts.get("description", ""))
    if length > limit and not cut:
        wrong.append(FieldError("description", f"{limit} characters at most, not {length}"))
    known: dict[str, Mapping[str, Term]] = {
        "type": playbook.types,
        "urgency": playbook.priorities,
    }
    for name, terms in known.items():
        if name in texts and find_term(texts[name], terms) is None:
            wrong.append(FieldError(name, f"one of: {', '.join(terms)}"))
    return wrong


def _checked(playbook: Playbook, request: NewTicket, tracking: Tracking) -> tuple[Contact, _Chosen]:
    """The contact, type and urgency of a request, or every field that does not fit."""
    given = request.model_dump(exclude={"contact"} if tracking.sender else None)
    wrong = _misfits(given, playbook, cut=tracking.text is not None)
    if wrong:
        raise InvalidInput("Some fields do not fit; see errors.", tuple(wrong))
    kind = find_term(request.type, playbook.types) if request.type else None
    urgency = find_term(request.urgency, playbook.priorities) if request.urgency else None
    return tracking.sender or normalise_contact(request.contact), _Chosen(kind, urgency)


def _received(
    playbook: Playbook,
    request: NewTicket,
    contact: Contact,
    digest: str,
    chosen: _Chosen,
    filing: Filing,
    known: Known,
    hiding: MessageMasker,
) -> e.TicketReceived:
    tracking, hide = filing.tracking, hiding.mask
    product = request.product
    return e.TicketReceived(
        customer=Customer(
            name=mask_name(request.name or "", playbook.fields.name_style) if request.name else "",
            contact=mask_contact(contact.address, playbook.fields.contact_style),
            kind=contact.kind,
            hash=digest,
            id=mask(request.customer_id) if request.customer_id else None,
            customer_class=known.customer_class or _class_of(playbook, request.customer_id),
            preferred=request.preferred_channel,
            undeliverable=known.undeliverable,
        ),
        channel=request.channel or filing.default_channel,
        locale=request.locale or written_in(request.description) or playbook.locale,
        type=chosen.type or playbook.default_type,
        type_given=chosen.type is not None,
        priority=chosen.urgency or playbook.default_priority,
        urgency=chosen.urgency,
        description=hide("description", request.description)[: playbook.fields.description_max],
        text=hide("text", tracking.text) if tracking.text else None,
        subject=hide("subject", tracking.subject) if tracking.subject else None,
        raw=tracking.raw,
        attachments=tracking.attachments,
        refused=tracking.refused,
        unproven=tracking.unproven,
        product=e.Product(**product.model_dump()) if product else None,
        proof_of_purchase=hide("proof_of_purchase", request.proof_of_purchase)
        if request.proof_of_purchase
        else None,
        order=hide("order", request.order) if request.order else None,
        entered_by=tracking.entered_by,
        linked_to=tracking.linked_to,
    )


def _class_of(playbook: Playbook, customer_id: str | None) -> str | None:
    """A5: the customer's class, by the id that the channel gives."""
    if not customer_id:
        return None
    for name, known in playbook.customer_classes.items():
        if any(fnmatchcase(customer_id, pattern) for pattern in known.customer_ids):
            return name
    return None


def new_contact(filing: Filing, playbook: Playbook, ticket: Ticket, given: str) -> CorrectContact:
    """Another contact for a ticket: as it may be shown, and sealed anew.

    Raises:
        InvalidInput: it is no phone number or mail address.
    """
    try:
        contact = normalise_contact(given)
    except ValueError as error:
        wrong = FieldError("contact", str(error))
        raise InvalidInput("Some fields do not fit; see errors.", (wrong,)) from error
    digest = contact_hash(contact, playbook.desk, derive(filing.root, "contact"))
    customer = ticket.customer.model_copy(
        update={
            "contact": mask_contact(contact.address, playbook.fields.contact_style),
            "kind": contact.kind,
            "hash": digest,
            "undeliverable": filing.store.known(playbook.desk, None, digest).undeliverable,
        }
    )
    sealed = filing.seal(playbook.desk, ticket.number, _secret(contact, "", ""))
    return CorrectContact(customer=customer, sealed=sealed)


def _secret(contact: Contact, name: str, message_id: str) -> bytes:
    """What is sealed, for delivery alone: the contact as it is, and how an answer threads.

    A Message-ID often names its writer's machine or address, so it is sealed too.
    """
    document = {
        "contact": contact.address,
        "kind": contact.kind,
        "name": name,
        "message_id": message_id,
    }
    written = {name: value for name, value in document.items() if value}
    return json.dumps(written, ensure_ascii=False, separators=(",", ":")).encode()


def _first(
    desk: str, number: str, now: datetime, actor: str, decided: tuple[e.Event, ...]
) -> e.Commit:
    return e.Commit(desk=desk, number=number, version=1, at=now, actor=actor, events=decided)


def _filed_before(
    filing: Filing, playbook: Playbook, found: IdempotencyRecord, asked: IdempotencyRecord | None
) -> Filed:
    """The first answer, again."""
    if asked is not None and asked.body and found.body != asked.body:
        raise KeyReused(
            "This Idempotency-Key was used before with another body. A new request needs a new key."
        )
    first = filing.store.commit_at(playbook.desk, found.number, 1)
    if first is None:
        raise DeadLetter(f"{found.number} has no first commit")
    return _answer(filing, apply(None, first))


def _answer(filing: Filing, ticket: Ticket) -> Filed:
    return Filed(
        number=ticket.number,
        status=ticket.status,
        expected_response_by=ticket.expected_response_by,
        status_url=status_url(filing.public_url, filing.root, ticket.desk, ticket.number),
    )
