"""Text messages as agents write them, measured before anybody pays for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from functions.core.domain import events as e
from functions.core.domain.errors import FieldError, InvalidInput, Phrase
from functions.core.domain.lifecycle import Decided, apply
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.composing import RenderedMessage, compose, notifications_for
from functions.core.text.sms_parts import sms_parts
from functions.core.text.tokens import CODE_LENGTH

if TYPE_CHECKING:
    from functions.core.text.shapes import TextMessageView

MAX_PARTS = 3
"""The most parts of a text message that an agent may write."""

_WRITTEN = "\ue000"
"""Stands for what an agent writes; nobody types it."""


def by_text_message(ticket: Ticket) -> bool:
    """Return whether the customer gets text messages: a phone contact who is not called."""
    return ticket.customer.kind == "phone" and not ticket.customer.is_called


def require_short(decided: Decided, playbook: Playbook, base: Callable[[], str]) -> None:
    """Refuse what an agent's action would send in more than `MAX_PARTS` parts.

    Args:
        base: returns the beginning of the desk's links.

    Raises:
        InvalidInput: with the number of parts and what to do instead.
    """
    for rendered in _to_customer(decided.ticket, decided.events, playbook, base):
        parts = sms_parts(rendered.sms)
        if parts > MAX_PARTS:
            length, counts = len(rendered.sms), {"most": MAX_PARTS, "parts": parts}
            raise InvalidInput(
                Phrase(
                    "The customer gets a text message, and this one would have {parts} parts "
                    "({length} characters); {most} are the most. Shorten it, or attach a "
                    "document, which the customer opens by the link in the message.",
                    parts=parts,
                    length=length,
                    most=MAX_PARTS,
                ),
                (FieldError("text", Phrase("{most} parts at most, not {parts}", **counts)),),
            )


def text_message_frame(
    ticket: Ticket, playbook: Playbook, base: Callable[[], str]
) -> TextMessageView | None:
    """Return what surrounds an agent's text in a text message, so that a page can count as they
    write; None if the customer gets none. A link in it has its length, not its secret."""
    if not by_text_message(ticket):
        return None
    price = f"{playbook.sms.price_per_part:f}"
    frames: TextMessageView = {"max_parts": MAX_PARTS, "price_per_part_usd": price}
    for event in (e.ReplySent(text=_WRITTEN), e.InformationRequested(text=_WRITTEN)):
        for rendered in _to_customer(ticket, (event,), playbook, base):
            action: Literal["reply", "request-info"] = (
                "reply" if isinstance(event, e.ReplySent) else "request-info"
            )
            prefix, found, suffix = rendered.sms.partition(_WRITTEN)
            if found:
                frames[action] = {"prefix": prefix, "suffix": suffix}
            elif rendered.registered:
                frames[action] = {"prefix": prefix, "suffix": "", "behind_link": True}
    return frames


def _to_customer(
    ticket: Ticket, events: tuple[e.Event, ...], playbook: Playbook, base: Callable[[], str]
) -> list[RenderedMessage]:
    commit = e.Commit(
        desk=ticket.desk,
        number=ticket.number,
        version=ticket.version + 1,
        at=ticket.updated_at,
        actor="",
        events=events,
    )
    after = apply(ticket, commit)
    told = notifications_for(commit, after, playbook)
    to_customer = [notification for notification in told if notification.recipient == "customer"]
    link = f"{base()}/t/{'0' * CODE_LENGTH}" if to_customer else ""
    return [
        compose(notification, commit, after, playbook, status_url=link, short_url=link)
        for notification in to_customer
    ]
