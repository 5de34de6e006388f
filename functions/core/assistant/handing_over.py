"""Make a ticket of a chat, with all that was said, so that nobody asks twice (C6)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from functions.core.domain import events as e
from functions.core.domain.chat import CHAT, Chat
from functions.core.domain.promises import promise
from functions.core.domain.rules import Playbook
from functions.core.services.create_ticket import NewTicket, Source, TicketCreator, TicketRequest
from functions.core.storage.idempotency import IdempotencyRecord
from functions.core.text.contacts import chat_contact
from functions.core.text.templating import format_time
from functions.core.text.words import say

if TYPE_CHECKING:
    from functions.core.assistant.dialogue import Articles
    from functions.core.domain.rules import Locale
    from functions.core.services.create_ticket import CreatedTicket


def hand_over(
    chat: Chat,
    token: str,
    playbook: Playbook,
    articles: Articles,
    creator: TicketCreator,
    now: datetime,
) -> Chat:
    """Create the ticket of a chat, once, and tell the customer its number.

    The contact is the one that the customer gave, else the chat itself: agents' replies appear in
    it either way.
    """
    given = opened(chat.sealed, token)
    contact = given.pop("contact", "")
    sender = None if contact else chat_contact(CHAT, chat.id)
    conversation = tuple(
        e.ChatLine(writer=message.writer, text=message.text, at=message.at)
        for message in chat.messages
    )
    body = NewTicket(
        contact=contact or CHAT,
        description=chat.first_words or say("chat.no_words", chat.locale),
        locale=chat.locale,
        type=_type(chat, playbook, articles),
        customer_id=chat.customer_id,
        order=chat.values.get("order_number"),
        channel=chat.channel,
        **given,
    )
    source = Source(
        channel=CHAT,
        sender=sender,
        text=body.description,
        chat=e.ChatHandedOver(
            id=chat.id,
            reason=chat.reason or "asked",
            articles=chat.articles,
            values=chat.values,
            conversation=conversation,
        ),
    )
    idempotency = IdempotencyRecord(chat.desk, CHAT, chat.id)
    asked = TicketRequest(body, now, source=source, idempotency=idempotency)
    ticket = creator.create(playbook, asked)
    text = _promised(ticket, playbook, chat.locale, now)
    return chat.said("system", text, now, kind="handover").changed(number=ticket.number)


def _type(chat: Chat, playbook: Playbook, articles: Articles) -> str | None:
    """Return the type of the last article that names one which the desk has."""
    named = (articles[name].type for name in reversed(chat.articles) if name in articles)
    return next((kind for kind in named if kind in playbook.types), None)


def _promised(ticket: CreatedTicket, playbook: Playbook, locale: Locale, now: datetime) -> str:
    """Tell the number, and the time of the answer if the desk is open then (C7)."""
    told = promise(ticket.expected_response_by, now, playbook.hours)
    at = format_time(told.by or told.opens_at, playbook, locale)
    key = "chat.handed_over" if told.by else "chat.handed_over_closed"
    return say(key if at else "chat.handed_over_untimed", locale, number=ticket.number, at=at)


def sealed(contact: str, name: str, token: str) -> str:
    """Encrypt a customer's contact and name, so that only the chat's token opens them (G4)."""
    from cryptography.fernet import Fernet

    document = {key: value for key, value in (("contact", contact), ("name", name)) if value}
    if not document:
        return ""
    return Fernet(token.encode()).encrypt(json.dumps(document).encode()).decode()


def opened(text: str, token: str) -> dict[str, str]:
    """Decrypt what `sealed` encrypted."""
    if not text:
        return {}
    from cryptography.fernet import Fernet

    document: dict[str, str] = json.loads(Fernet(token.encode()).decrypt(text.encode()))
    return document
