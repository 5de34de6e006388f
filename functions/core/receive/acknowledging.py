"""The acknowledgement of a new ticket that the HTTP response to its chat message carries (A4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.core.domain.delivery import Delivery
from functions.core.text.masking import mask_but

if TYPE_CHECKING:
    from functions.core.domain.events import Commit
    from functions.core.domain.ticket import Ticket
    from functions.core.receive.chat import ChatChannel
    from functions.core.storage.idempotency import IdempotencyRecord


@dataclass
class Acknowledgement:
    """The acknowledgement of a new ticket in the HTTP response (A4)."""

    channel: ChatChannel
    idempotency: IdempotencyRecord
    number: str = ""
    text: str = ""

    def delivery(self, commit: Commit, ticket: Ticket) -> Delivery | None:
        """Return the acknowledgement as a sent delivery, None if the playbook has none."""
        composed = self.channel.compose_acknowledgement(commit, ticket)
        if composed is None:
            return None
        notification, self.text, link = composed
        self.number = ticket.number
        without_key = self.text.replace(link, link.partition("?")[0])
        return Delivery(
            desk=ticket.desk,
            number=ticket.number,
            version=commit.version,
            event=notification.event.event,
            message=notification.message,
            recipient=notification.recipient,
            about=notification.timer_or_step,
            channel="message",
            to=ticket.customer.contact,
            text=mask_but(without_key, self.channel.playbook.public_contacts),
            state="sent",
            attempts=1,
            claimed_at=commit.at,
            at=commit.at,
            provider_id=f"answer to {self.idempotency.id}",
        )
