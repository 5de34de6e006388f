"""Make a ticket of a chat, with all that was said, so that nobody asks twice (C6)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from functions.core.domain import events as e
from functions.core.domain.chat import CHAT, Chat
from functions.core.domain.promises import promise
from functions.core.domain.rules import Playbook
from functions.core.services.create_ticket import NewTicket, Source, TicketCreator, TicketRequest
from functions.core.storage.idempotency import IdempotencyRecord
from functions.core.text.contacts import Contact, chat_contact
from functions.core.text.templating import format_time
from functions.core.text.tokens import lock, unlock
from functions.core.text.words import say

if TYPE_CHECKING:
    from functions.core.assistant.dialogue import Articles
    from functions.core.domain.delivery import Delivery
    from functions.core.domain.rules import Locale
    from functions.core.domain.ticket import Ticket
    from functions.core.services.create_ticket import CreatedTicket
    from functions.core.storage.contacts import Conversation, PriorRecords


@dataclass(frozen=True)
class HandOver:
    """The data that a chat's ticket needs beside the chat.

    `contact` and `name` are what the customer gave; `sender` is the writer that a channel proves,
    or the contact that the customer verified; `words` has what a message masks, by its id. The
    other fields are those of a `TicketRequest`, for a chat on a provider's channel.
    """

    contact: str = ""
    name: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    sender: Contact | None = None
    message_id: str | None = None
    raw: str | None = None
    idempotency: IdempotencyRecord | None = None
    known: PriorRecords | None = None
    conversation: Conversation | None = None
    acknowledge: Callable[[e.Commit, Ticket], Delivery | None] | None = None


def hand_over(
    chat: Chat,
    given: HandOver,
    playbook: Playbook,
    articles: Articles,
    creator: TicketCreator,
    now: datetime,
) -> Chat:
    """Create the ticket of a chat, once, and tell the customer its number.

    The contact is the one that is proven or was given, else the chat itself: agents' replies appear
    in it either way.
    """
    unknown = not given.sender and not given.contact
    conversation = tuple(
        e.ChatLine(writer=message.writer, text=message.shown, at=message.at)
        for message in chat.messages
    )
    body = NewTicket(
        contact=given.contact or CHAT,
        name=given.name or None,
        description=chat.first_words(given.words) or say("chat.no_words", chat.locale),
        locale=chat.locale,
        type=_type(chat, playbook, articles),
        customer_id=chat.customer_id,
        order=chat.values.get("order_number"),
        channel=chat.channel,
    )
    source = Source(
        channel=CHAT,
        sender=chat_contact(CHAT, chat.id) if unknown else given.sender,
        text=body.description,
        message_id=given.message_id,
        raw=given.raw,
        contact_proven=given.sender is not None,
        privacy_version=chat.privacy_version,
        chat=e.ChatHandedOver(
            id=chat.id,
            reason=chat.reason or "asked",
            public_key=chat.public_key,
            articles=chat.articles,
            values=chat.values,
            conversation=conversation,
        ),
    )
    ticket = creator.create(
        playbook,
        TicketRequest(
            body,
            now,
            source=source,
            idempotency=given.idempotency or IdempotencyRecord(chat.desk, CHAT, chat.id),
            known=given.known,
            conversation=given.conversation,
            acknowledge=given.acknowledge,
        ),
    )
    text = promised(ticket, playbook, chat.locale, now)
    return chat.said("system", text, now, kind="handover").changed(number=ticket.number)


def _type(chat: Chat, playbook: Playbook, articles: Articles) -> str | None:
    """Return the type of the last article that names one which the desk has."""
    named = (articles[name].type for name in reversed(chat.articles) if name in articles)
    return next((kind for kind in named if kind in playbook.types), None)


def promised(
    ticket: CreatedTicket | Ticket, playbook: Playbook, locale: Locale, now: datetime
) -> str:
    """Tell the number, and the time of the answer if the desk is open then (C7)."""
    told = promise(ticket.expected_response_by, now, playbook.hours)
    at = format_time(told.by or told.opens_at, playbook, locale)
    key = "chat.handed_over" if told.by else "chat.handed_over_closed"
    return say(key if at else "chat.handed_over_untimed", locale, number=ticket.number, at=at)


def sealed(contact: str, name: str, token: str) -> str:
    """Encrypt a customer's contact and name, so that only the chat's token opens them (G4)."""
    document = {key: value for key, value in (("contact", contact), ("name", name)) if value}
    return lock(json.dumps(document), token) if document else ""


def opened(text: str, token: str) -> dict[str, str]:
    """Decrypt what `sealed` encrypted."""
    document: dict[str, str] = json.loads(unlock(text, token)) if text else {}
    return document
