"""Build and sign webhook messages, and the deliveries that record them. Pure (G5)."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from functions.core.domain.delivery import WEBHOOK_RETRY_AFTER, Delivery
from functions.core.domain.errors import DeadLetter
from functions.core.domain.events import Commit, Event
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.domain.webhooks import RECIPIENT, Endpoint, MessageId

INTERNAL_FIELDS: Any = {
    "event": True,
    "raw": True,
    "customer": {"hash"},
    "former": {"hash"},
    "chat": {"public_key"},
    "former_sealed_in": True,
    "attachments": {"__all__": {"key"}},
}
"""Fields of an event that no message contains: its type, which the message states otherwise, keys
in the bucket, where the table keeps a contact, and its hash, and a chat's public key."""

TICKET_FIELDS = {
    "version", "status", "type", "tags", "priority", "channel", "locale", "queue", "team",
    "handler", "level", "received_at", "updated_at", "expected_response_by", "first_response_at",
    "resolved_at", "archived_at", "summary", "score",
}  # fmt: skip
"""The fields of a ticket that a message contains."""


def is_webhook(delivery_id: str) -> bool:
    return f"#{RECIPIENT}" in delivery_id


def webhook_name(delivery: Delivery) -> str:
    """Return the name under which the playbook lists a delivery's endpoint."""
    return delivery.recipient.removeprefix(RECIPIENT)


def draft_webhook(
    commit: Commit, playbook: Playbook, name: str, position: int, event: Event, now: datetime
) -> Delivery:
    """Return the delivery of one event to one endpoint, claimed by this run."""
    webhook = playbook.webhooks[name]
    return Delivery(
        desk=commit.desk,
        number=commit.number,
        version=commit.version,
        event=event.event,
        message=event.webhook,
        recipient=f"{RECIPIENT}{name}",
        about=str(position),
        channel="webhook",
        to=Endpoint.of(webhook.url).host if webhook.url else webhook.address,
        claimed_at=now,
        at=now,
        claim=uuid4().hex,
    )


def message_id(delivery: Delivery) -> str:
    """Return the delivery's `webhook-id`, the same for every attempt."""
    return str(
        MessageId(
            delivery.desk,
            delivery.number,
            delivery.version,
            int(delivery.about),
            webhook_name(delivery),
        )
    )


def message_body(event: Event, commit: Commit, ticket: Ticket, webhook_id: str = "") -> bytes:
    """Return the message: the event, masked as it is stored, and the ticket as it is now (G4).

    Args:
        webhook_id: the message's id where no header says it, on an event bus.

    Raises:
        DeadLetter: the event is bookkeeping and has no public type.
    """
    if event.webhook is None:
        raise DeadLetter(f"{event.event} is not sent to webhooks")
    return encode(
        event.webhook,
        commit.at,
        {
            "desk": commit.desk,
            "number": commit.number,
            "version": commit.version,
            "actor": commit.actor,
            "event": event.model_dump(mode="json", exclude=INTERNAL_FIELDS),
            "ticket": ticket.model_dump(mode="json", include=TICKET_FIELDS),
        },
        webhook_id,
    )


def encode(kind: str, at: datetime, data: Mapping[str, Any], webhook_id: str = "") -> bytes:
    """Encode a message as Standard Webhooks requires: `{"type", "timestamp", "data"}`, UTF-8.

    With a `webhook_id` it begins with `id`.
    """
    named = {"id": webhook_id} if webhook_id else {}
    message = {**named, "type": kind, "timestamp": at.isoformat(), "data": data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def retry_waits(delivery_id: str) -> tuple[timedelta, ...]:
    """Return the waits between a delivery's attempts; the same id gives the same waits."""
    return tuple(
        wait * (1 - jitter(f"{delivery_id}#{step}") / 10)
        for step, wait in enumerate(WEBHOOK_RETRY_AFTER)
    )


def jitter(text: str) -> float:
    """Return a pseudo-random number from 0 to below 1 that depends on the text alone."""
    return int.from_bytes(sha256(text.encode()).digest()[:4], "big") / 2**32
