"""One message to one recipient, as an explicit state machine.

    claimed ──▶ sent
       │  └───▶ retrying ──(its time has come)──▶ due ──▶ claimed
       └──────▶ parked ──(an operator replays it)──▶ due

The first delivery of a commit is claimed by writing it under a key that follows from the commit
alone, so a repeated event finds it there and sends nothing. Its claim is that of all whom the
commit is told to: the others are written when something has become of them. One that stays
`claimed` since a function died in between may or may not have been sent: it is parked for a person
to decide, never sent twice by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from functions.core.domain.ticket import Value

State = Literal["claimed", "sent", "retrying", "due", "parked"]

RETRY_AFTER: tuple[timedelta, ...] = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
)
"""The waits between attempts; after the last one a delivery is parked."""

WEBHOOK_RETRY_AFTER: tuple[timedelta, ...] = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=12),
)
"""The same for webhooks (G5): each wait is up to a tenth shorter, so that what failed together
does not come again together; from the first attempt to the last it is 24 to 28 hours."""


class Delivery(Value):
    """A message on its way. `to` is masked; `text` is what was sent, masked.

    `version` is the ticket version whose events asked for it; `event` the event type; `about` the
    timer it is about, since one commit may hold events of several timers. `claim` tells the claims
    of different runs apart, so that a run whose own claim was written by a repeated network request
    knows it again. `lead` is the commit's first delivery, and `covers` names those that were
    claimed with it. On the channel `phone` a team is asked to call the customer and say the words
    (B8); on `message` it goes out by the chat channel that the request came by. `preferred` is the
    way that the customer asked for, where the message goes another. For a webhook `message` is its
    type, `to` the host, `about` the event's position in its commit; it has no text, since it says
    what the event says. `by_hand`: it follows from what an agent did, so no limit of
    automatic mail holds it.
    """

    desk: str
    number: str
    version: int
    event: str
    message: str
    recipient: str
    about: str = ""
    channel: Literal["email", "sms", "phone", "message", "webhook", "none"]
    preferred: str = ""
    by_hand: bool = False
    to: str
    subject: str = ""
    text: str = ""
    state: State = "claimed"
    attempts: int = 0
    claimed_at: datetime
    claim: str = ""
    lead: bool = False
    covers: tuple[str, ...] = ()
    at: datetime
    next_at: datetime | None = None
    provider_id: str | None = None
    cause: str | None = None

    @property
    def id(self) -> str:
        """What its item is known by. The first one's says nothing but the commit: the rules may
        change between an event and its repetition, and which claim counts may not."""
        return f"{self.version:06}" if self.lead else self.told

    @property
    def told(self) -> str:
        """What makes this delivery one: the commit, the message and who gets it."""
        key = f"{self.version:06}#{self.message}#{self.recipient}"
        return f"{key}#{self.about}" if self.about else key
