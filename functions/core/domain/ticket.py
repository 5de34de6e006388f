"""The ticket: one request, a versioned aggregate, and the timers that run on it.

A ticket holds what is needed to decide what may happen next and to show where it stands. What was
said (description, replies, notes) stands in its events, written once, so that a change of status
never rewrites a conversation. Personal data in it is masked; the contact itself is sealed and kept
apart (G4).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

Status = Literal[
    "received",
    "pending_confirmation",
    "queued",
    "assigned",
    "in_progress",
    "awaiting_customer",
    "awaiting_department",
    "awaiting_confirmation",
    "resolved",
    "in_review",
    "archived",
    "closed",
    "merged",
]
"""The status codes (contract, section 2), in the order of a ticket's life."""

STATUSES: tuple[Status, ...] = get_args(Status)

UNASSIGNED: frozenset[Status] = frozenset({"received", "pending_confirmation", "queued"})
"""Statuses in which nobody has the ticket yet."""

IN_HAND: frozenset[Status] = frozenset(
    {
        "assigned",
        "in_progress",
        "awaiting_customer",
        "awaiting_department",
        "awaiting_confirmation",
    }
)
"""Statuses in which a ticket counts towards its handler's capacity."""

OPEN: frozenset[Status] = UNASSIGNED | IN_HAND
"""Statuses of a ticket that is not resolved yet."""

DONE: frozenset[Status] = frozenset({"resolved", "in_review", "archived", "closed"})
"""Statuses of a ticket whose handling has ended."""

TimerKind = Literal[
    "first_response",
    "confirm_type",
    "customer_info",
    "acceptance",
    "review",
    "resolution",
    "callback",
    "collaboration",
    "customer_update",
    "satisfaction",
    "second_handling",
]
"""The timer kinds (contract, section 2)."""

TIMER_KINDS: tuple[TimerKind, ...] = get_args(TimerKind)

TimerState = Literal["running", "paused", "met", "breached", "cancelled"]
Queue = Literal["new", "waiting", "agent", "supervisor", "qa", "closed"]


class Value(BaseModel):
    """An immutable value that is stored as JSON; unknown keys of a newer writer are ignored."""

    # Schemas are built at first use: most containers need few of these classes (cold start).
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Timer(Value):
    """Something due on a ticket.

    `due_at` is the deadline, absent while paused; `left` is what remained when it was paused, in
    the time of the timer's own clock. `wakes_at` is when the sweep has to look next: a warning, the
    deadline, or a repetition after it. A timer that has ended keeps its deadline alone; when it
    started and what it was allowed stand in the events.
    """

    state: TimerState
    started_at: datetime | None = None
    allowed: timedelta = timedelta()
    due_at: datetime | None = None
    wakes_at: datetime | None = None
    left: timedelta | None = None
    warned: int = 0
    breaches: int = 0


COMPLAINT = "complaint"
"""With this word the cause begins where the customer complained of mail."""


class Customer(Value):
    """Who asked, as it may be shown: name and contact masked, the contact's keyed hash.

    `undeliverable` says why no mail goes there until somebody corrects the contact.
    """

    name: str = ""
    contact: str
    kind: Literal["phone", "email", "message"]
    hash: str
    id: str | None = None
    customer_class: str | None = None
    preferred: Literal["sms", "email", "message", "phone"] | None = None
    undeliverable: str | None = None

    @property
    def complained(self) -> bool:
        """Whether automatic mail alone is unwanted; what an agent writes may still go."""
        return (self.undeliverable or "").startswith(COMPLAINT)


class Attachment(Value):
    """A file that came with a message or a step, kept in the mail bucket under `key`."""

    name: str
    content_type: str
    size: int
    key: str


class RefusedFile(Value):
    """A file that came and was not kept; it stands in the original mail alone (D10, G3).

    `reason`: `size`, `count`, `program`, `macros`, `kind` (the desk takes no such files), `virus`.
    """

    name: str
    size: int
    reason: str


class Pending(Value):
    """C9: a step that waits for a supervisor, and the status to go back to."""

    step: str
    fields: dict[str, str] = {}
    attachments: tuple[Attachment, ...] = ()
    status: Status
    by: str = ""


class Merged(Value):
    """Under which number a ticket's conversation goes on, and what it was before.

    The timers are those that were still live, as they were.
    """

    into: str
    by: str
    at: datetime
    status: Status
    queue: Queue
    timers: dict[str, Timer] = {}


class Ticket(Value):
    """One request at one version.

    `facts` are the newest values of what was written down with the desk's own steps (an arrival
    time, the parts used); `reopen_to` says whose a reopened ticket is; `asked` counts the questions
    that a vague request led to. `merged` says where a merged ticket goes on, `carries` which ones
    were merged into this one. `wakes_at` is when the sweep will look at it, which may be earlier
    than `next_due`: see `next_wake`. `sealed_in` is the version whose event holds the contact;
    `related` are the tickets that the same conversation went on in or came from.
    """

    desk: str
    number: str
    version: int
    status: Status
    customer: Customer
    channel: str
    locale: Literal["zh-CN", "en"]
    type: str
    priority: str
    received_at: datetime
    updated_at: datetime
    tags: tuple[str, ...] = ()
    mood: str | None = None
    urgency: str | None = None
    queue: Queue = "new"
    team: str | None = None
    handler: str | None = None
    reviewer: str | None = None
    expected_response_by: datetime | None = None
    first_response_at: datetime | None = None
    assigned_at: datetime | None = None
    resolved_at: datetime | None = None
    archived_at: datetime | None = None
    summary: str | None = None
    score: int | None = None
    resolutions: int = 0
    level: int = 0
    former_handlers: tuple[str, ...] = ()
    reopen_to: Literal["handler", "team", "senior"] | None = None
    product: str | None = None
    order: str | None = None
    facts: dict[str, str] = {}
    pending: Pending | None = None
    asked: int = 0
    related: tuple[str, ...] = ()
    sealed_in: int = 1
    held: bool = False
    erased: bool = False
    merged: Merged | None = None
    carries: tuple[str, ...] = ()
    timers: dict[str, Timer] = {}
    wakes_at: datetime | None = None

    @property
    def in_hand_of(self) -> str | None:
        """The agent of whose places this ticket takes one, if any."""
        return self.handler if self.status in IN_HAND else None

    @property
    def next_due(self) -> datetime | None:
        """When the sweep has to look at this ticket next: the earliest of its running timers."""
        return min((t.wakes_at for t in self.timers.values() if t.wakes_at), default=None)

    @property
    def expected_resolution_by(self) -> datetime | None:
        """The deadline of the resolution, while it is known (a paused timer has none)."""
        timer = self.timers.get("resolution")
        return timer.due_at if timer else None


def next_wake(before: Ticket | None, after: Ticket) -> datetime | None:
    """When the sweep is to look at a ticket after a change: where it stands in the `due` index.

    A place that is still ahead and early enough is kept. Moving it costs two writes, while most
    tickets end before it comes; if it does come, the sweep finds nothing due and moves it then.
    """
    due = after.next_due
    if due is None or before is None or before.wakes_at is None:
        return due
    return before.wakes_at if after.updated_at < before.wakes_at <= due else due
