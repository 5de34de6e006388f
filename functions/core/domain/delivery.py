"""The delivery of one message to one recipient, as an explicit state machine.

    claimed ──▶ sent ──(its provider reports a failure)──▶ dead_lettered
       │  └───▶ retrying ──(the sweep, at its time)──▶ due ──▶ claimed
       └──────▶ dead_lettered ──(an operator replays it)──▶ due
    waiting ──(a call is recorded)──▶ sent

The first delivery of a commit is claimed by writing it under a key that depends on the commit
alone, so a repeated event finds it and sends nothing. Its claim covers all recipients of the
commit; the others get their items with their outcome. A delivery that stays `claimed` because a
function died may or may not have been sent: it is dead-lettered for a person to decide, and never
sent twice automatically.
"""

from datetime import datetime, timedelta
from typing import Literal

from functions.core.domain.privacy import FreeText, PersonalText, TermName
from functions.core.domain.ticket import Value

State = Literal["claimed", "sent", "retrying", "due", "dead_lettered", "waiting"]

RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 4 * 60, 12 * 60))
"""The waits between attempts; after the last attempt a delivery is dead-lettered."""

WEBHOOK_RETRY_AFTER = (*RETRY_AFTER[:4], *(timedelta(hours=hours) for hours in (2, 4, 8, 12)))
"""The waits between attempts of a webhook (G5). Each is shortened by up to a tenth, so that
deliveries that failed together are not retried together; all attempts take 24 to 28 hours."""


class Delivery(Value):
    """A message to one recipient and what became of it.

    A webhook's delivery has no text; its message is the event.

    Attributes:
        version: the ticket version whose events requested the message.
        event: the type of the event.
        message: the key of the playbook's message; the type of a webhook.
        recipient: `customer`, a role or team as the playbook names them, or `webhook:<name>`.
        about: the timer kind or step name of the event, since one commit may contain events of
            several timers; the event's position in its commit for a webhook.
        channel: on `phone` it is `waiting` until a member of the desk has called the customer (B8);
            on `message` the text goes to the chat channel that the request came from.
        preferred: the channel that the customer prefers, if the message goes out on another.
        by_hand: an agent's action caused the message, so no limit of automatic mail applies.
        to: the masked address; the host of a webhook.
        text: the text that was sent, masked.
        parts: the parts of a text message, each of which costs.
        claim: identifies the run that claimed the delivery. A run whose request the network
            repeated recognises its own claim by it.
        lead: this is the commit's first delivery, which holds the claim of all.
        covers: the identities of the others that this claim covers.
        provider_id: the provider's id of the message; the status of a webhook's response.
        cause: the reason of the last failure.
    """

    desk: TermName
    number: TermName
    version: int
    event: TermName
    message: TermName
    recipient: TermName
    about: TermName = ""
    channel: Literal["email", "sms", "phone", "message", "webhook", "none"]
    preferred: TermName = ""
    by_hand: bool = False
    to: PersonalText
    subject: FreeText = ""
    text: FreeText = ""
    parts: int = 0
    state: State = "claimed"
    attempts: int = 0
    claimed_at: datetime
    claim: TermName = ""
    lead: bool = False
    covers: tuple[TermName, ...] = ()
    at: datetime
    next_at: datetime | None = None
    provider_id: PersonalText | None = None
    cause: FreeText | None = None

    @property
    def id(self) -> str:
        """The key of the delivery's item. That of the lead contains only the commit's version, so
        that a repeated event finds the claim even if the playbook has changed."""
        return f"{self.version:06}" if self.lead else self.identity

    @property
    def failed(self) -> bool:
        """Return whether the message has not arrived, for now or for good."""
        return self.state in {"retrying", "dead_lettered"}

    @property
    def identity(self) -> str:
        """The commit, message and recipient that make this delivery unique."""
        return delivery_identity(self.version, self.message, self.recipient, self.about)


def delivery_identity(version: int, message: str, recipient: str, about: str = "") -> str:
    """Return the identity of the delivery of a message that a commit requested."""
    key = f"{version:06}#{message}#{recipient}"
    return f"{key}#{about}" if about else key
