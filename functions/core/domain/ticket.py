"""The ticket: one request, a versioned aggregate, and the timers that run on it.

A ticket holds what decides which actions are possible and what its status page shows. The
conversation (description, replies, notes) is kept in its events, written once, so a change of
status never rewrites it. Personal data in a ticket is masked; the contact is sealed and stored
separately (G4).
"""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self, TypedDict, Unpack, cast, get_args

from pydantic import BaseModel, ConfigDict

from functions.core.domain.privacy import (
    PERSONAL,
    FreeText,
    PersonalText,
    StepFields,
    TermName,
    blanks,
)

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
"""Statuses of a ticket without a handler."""

IN_HAND: frozenset[Status] = frozenset(
    {"assigned", "in_progress", "awaiting_customer", "awaiting_department", "awaiting_confirmation"}
)
"""Statuses in which a ticket counts towards its handler's capacity."""

OPEN: frozenset[Status] = UNASSIGNED | IN_HAND
"""Statuses of a ticket that is not resolved yet."""

DONE: frozenset[Status] = frozenset({"resolved", "in_review", "archived", "closed"})
"""Statuses of a ticket whose handling has ended."""

TIMER_KINDS: dict[str, dict[Literal["zh-CN", "en"], str]] = {
    "first_response": {"zh-CN": "首次响应", "en": "first response"},
    "confirm_type": {"zh-CN": "类型确认", "en": "confirmation of the type"},
    "customer_info": {"zh-CN": "客户补充信息", "en": "information from the customer"},
    "acceptance": {"zh-CN": "接单", "en": "acceptance"},
    "review": {"zh-CN": "审核", "en": "review"},
    "resolution": {"zh-CN": "处理", "en": "resolution"},
    "callback": {"zh-CN": "回访", "en": "call-back"},
    "collaboration": {"zh-CN": "跨部门协作", "en": "collaboration"},
    "customer_update": {"zh-CN": "客户进度通报", "en": "update to the customer"},
    "satisfaction": {"zh-CN": "满意度调查", "en": "satisfaction survey"},
    "second_handling": {"zh-CN": "二次处理", "en": "second handling"},
}
"""Timer kind (contract, section 2) → its name in messages."""

TimerState = Literal["running", "paused", "met", "breached", "cancelled"]
Queue = Literal["new", "waiting", "agent", "supervisor", "qa", "closed"]


class Value(BaseModel):
    """An immutable value stored as JSON. Unknown keys, written by newer code, are ignored."""

    # Built at first use, because most containers need few of these schemas (cold start).
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Timer(Value):
    """Something due on a ticket.

    `due_at` is the deadline, absent while paused; `left` is the time that remained when the timer
    was paused, measured on the timer's own clock. A deadline in a year whose official holidays are
    not published yet is provisional: `left` ran from `counted_at`, to recalculate it. `wakes_at` is
    the next time at which the sweep has to process it: a warning, the deadline, or a repetition
    after it. An ended timer keeps only its deadline; the events hold its start and allowance.
    """

    state: TimerState
    started_at: datetime | None = None
    allowed: timedelta = timedelta()
    due_at: datetime | None = None
    wakes_at: datetime | None = None
    left: timedelta | None = None
    counted_at: datetime | None = None
    warned: int = 0
    breaches: int = 0

    @property
    def awaits(self) -> bool:
        """Return whether what the timer waits for has not happened, in time or at all."""
        overdue = self.state == "breached" and bool(self.allowed)
        return overdue or self.state in {"running", "paused"}


PICK_UP_AFTER = timedelta(minutes=2)
"""The age at which a ticket that nobody routed or acknowledged is picked up by the sweep."""

MAX_ATTACHMENTS = 10
"""The maximum number of files in one message or action."""

HIDDEN = "****"
"""Replaces an erased contact. It gives no access to a ticket's status page."""

COMPLAINT = "complaint"
"""First word of `Customer.undeliverable` after the customer reported our mail as spam."""


class Customer(Value):
    """The customer as shown: masked name and contact, and the contact's keyed hash.

    `id` is the company's own id of the customer, as the channel gave it; in a form or a chat
    anybody may have typed it. `record` is the id of the customer's record, if the contact was
    joined with others.
    `undeliverable` is the reason why no mail is sent until somebody corrects the contact,
    `sms_obstacle` why the number gets no text messages.
    `claimed_class` is the class that an unproven `id` would give; `class_once_proven`
    the class of the contact, in force once the contact is proven.
    """

    name: PersonalText = ""
    contact: PersonalText
    kind: Literal["phone", "email", "message"]
    hash: PersonalText
    id: FreeText | None = None
    record: TermName | None = None
    customer_class: TermName | None = None
    claimed_class: TermName | None = None
    class_once_proven: TermName | None = None
    preferred: Literal["sms", "email", "message", "phone"] | None = None
    undeliverable: PersonalText | None = None
    sms_obstacle: Literal["country", "not_mobile"] | None = None

    @property
    def complained(self) -> bool:
        """Return whether only automatic mail is blocked; agents may still write."""
        return (self.undeliverable or "").startswith(COMPLAINT)

    @property
    def is_called(self) -> bool:
        """Return whether people call: the customer prefers it, or the number gets no texts (B8)."""
        no_texts = self.preferred == "phone" or self.sms_obstacle is not None
        return self.kind == "phone" and no_texts

    def without_person(self, number: str) -> Self:
        """The customer of an erased ticket: class and preferences stay for statistics (B10)."""
        return self.model_copy(
            update=blanks(self) | {"contact": HIDDEN, "hash": f"erased-{number}"}
        )


class Attachment(Value):
    """A file attached to a message or step, stored in the mail bucket under `key`."""

    name: FreeText
    content_type: TermName
    size: int
    key: PersonalText


class RefusedFile(Value):
    """A file that was not accepted; only the original mail still holds it (D10, G3).

    `reason`: `size`, `count`, `program`, `macros`, `kind` (not accepted by the desk), `virus`;
    `unavailable` (the provider did not give it), `address` (it is not kept by the provider).
    """

    name: FreeText
    size: int
    reason: TermName


class Pending(Value):
    """A step that waits for a supervisor's approval, and the status to return to (C9).

    `at` is when it was asked for; None if an earlier version wrote it.
    """

    step: TermName
    fields: StepFields = {}
    attachments: Annotated[tuple[Attachment, ...], PERSONAL] = ()
    status: Status
    by: TermName = ""
    at: datetime | None = None


class Slip(Value):
    """A question to a department that is not answered yet: the step that asked it, and the team
    that has to answer (B6, D9, E5)."""

    step: TermName
    team: TermName


class TicketTask(Value):
    """Something that somebody has to do on a ticket beside handling it.

    `kind` is `callback`, `call`, `slip`, `approval`, or that of the timer whose rule names a team;
    `assignee` is `agent:<username>`, `team:<team>` or `role:<role>`.
    """

    kind: TermName
    assignee: TermName
    due_at: datetime | None = None


class Merged(Value):
    """The merge target of a ticket, and the state to restore when the merge is undone.

    `timers` holds the timers that were still live at the merge.
    """

    into: TermName
    by: TermName
    at: datetime
    status: Status
    queue: Queue
    timers: dict[str, Timer] = {}


ReopenTo = Literal["handler", "team", "senior"]
"""Recipient of a reopened ticket: its handler, the team, or a more senior agent (B9, E7)."""


class TicketChanges(TypedDict, total=False):
    """The fields of a ticket that events change, with their types."""

    version: int
    status: Status
    customer: Customer
    contact_proven: bool
    type: str
    priority: str
    former_priorities: tuple[str, ...]
    updated_at: datetime
    tags: tuple[str, ...]
    mood: str | None
    proposed_type: str | None
    reason_asked: bool
    entered_by: str | None
    queue: Queue
    team: str | None
    handler: str | None
    handler_name: str
    reviewer: str | None
    expected_response_by: datetime | None
    first_response_at: datetime | None
    announced_team: str | None
    assigned_at: datetime | None
    resolved_at: datetime | None
    archived_at: datetime | None
    summary: str | None
    score: int | None
    resolutions: int
    level: int
    former_handlers: tuple[str, ...]
    reopen_to: ReopenTo | None
    product: str | None
    order: str | None
    facts: dict[str, str]
    pending: Pending | None
    slips: tuple[Slip, ...]
    calls: tuple[int, ...]
    tasks: tuple[TicketTask, ...]
    asked: int
    awaits_answer: bool
    related: tuple[str, ...]
    sealed_in: int
    records: int | None
    held: bool
    erased: bool
    merged: Merged | None
    carries: tuple[str, ...]
    timers: dict[str, Timer]
    wakes_at: datetime | None
    nobody_online: bool
    solved_by: str | None
    imported: str | None


class Ticket(Value):
    """One request at one version.

    - `title`: its subject or first words, masked, for lists; None if an earlier version wrote it.
    - `entered_by`: the agent who entered the request, if one did.
    - `facts`: latest value of each field recorded with the desk's steps (arrival time, parts used).
    - `announced_team`: the team that the customer was told of (A8).
    - `former_priorities`: those that it had before, since it was last reopened.
    - `reopen_to`: the recipient of a reopened ticket.
    - `slips`: the departments that have not answered yet, in the order in which they were asked.
    - `calls`: the versions whose message to the customer waits for a call (B8).
    - `tasks`: what people have to do beside handling it, when it was last written (`tasks_of`).
    - `proposed_type`: the type that a later message suggests; an agent accepts or refuses it.
    - `reason_asked`: the customer was asked what a poor answer without words is about.
    - `asked`: number of questions sent about a vague request.
    - `awaits_answer`: queued while it waited for the customer (A11), which its next handler goes on
      waiting for.
    - `merged`: the merge target; `carries`: numbers of the tickets merged into this one.
    - `wakes_at`: next read by the sweep, possibly earlier than `next_due` (see `next_wake`).
    - `sealed_in`: the version whose event holds the sealed contact.
    - `records`: entries of the handling record (B7); None if an earlier version did not count them.
    - `contact_proven`: the writer has shown that the contact is theirs (contract, *Links*).
    - `nobody_online`: the supervisors were told that nobody of the team was online.
    - `solved_by`: the team that solved the ticket, while another one calls the customer back.
    - `related`: earlier and later tickets of the same conversation.
    - `imported`: the help desk that it came from, if it began in another one.
    """

    desk: TermName
    number: TermName
    version: int
    status: Status
    customer: Customer
    channel: TermName
    locale: Literal["zh-CN", "en"]
    type: TermName
    priority: TermName
    received_at: datetime
    updated_at: datetime
    former_priorities: tuple[TermName, ...] = ()
    tags: tuple[TermName, ...] = ()
    mood: TermName | None = None
    proposed_type: TermName | None = None
    reason_asked: bool = False
    urgency: TermName | None = None
    title: FreeText | None = None
    entered_by: TermName | None = None
    queue: Queue = "new"
    team: TermName | None = None
    handler: TermName | None = None
    handler_name: TermName = ""
    reviewer: TermName | None = None
    expected_response_by: datetime | None = None
    first_response_at: datetime | None = None
    announced_team: TermName | None = None
    assigned_at: datetime | None = None
    resolved_at: datetime | None = None
    archived_at: datetime | None = None
    summary: FreeText | None = None
    score: int | None = None
    resolutions: int = 0
    level: int = 0
    former_handlers: tuple[TermName, ...] = ()
    reopen_to: ReopenTo | None = None
    product: FreeText | None = None
    order: FreeText | None = None
    facts: StepFields = {}
    pending: Pending | None = None
    slips: tuple[Slip, ...] = ()
    calls: tuple[int, ...] = ()
    tasks: tuple[TicketTask, ...] = ()
    asked: int = 0
    awaits_answer: bool = False
    related: tuple[PersonalText, ...] = ()
    sealed_in: int = 1
    records: int | None = None
    contact_proven: bool = False
    held: bool = False
    erased: bool = False
    merged: Merged | None = None
    carries: tuple[TermName, ...] = ()
    timers: dict[str, Timer] = {}
    wakes_at: datetime | None = None
    nobody_online: bool = False
    solved_by: TermName | None = None
    imported: TermName | None = None

    @property
    def in_hand_of(self) -> str | None:
        """The agent whose load includes this ticket, if any."""
        return self.handler if self.status in IN_HAND else None

    def handled_by(self, username: str) -> bool:
        return username == self.handler or username in self.former_handlers

    @property
    def waiting_status(self) -> Status:
        """The status that timers pause in: an open question outlives a change of handler."""
        waits = self.awaits_answer and self.status == "queued"
        return "awaiting_customer" if waits else self.status

    @property
    def pick_up_at(self) -> datetime:
        """The time at which the sweep looks whether a new ticket was routed and acknowledged."""
        return self.received_at + PICK_UP_AFTER

    @property
    def link_generation(self) -> int:
        """The version that set the contact; links that earlier contacts got are invalid."""
        return self.sealed_in

    @property
    def next_due(self) -> datetime | None:
        """The earliest time at which one of the timers needs the sweep."""
        return min((t.wakes_at for t in self.timers.values() if t.wakes_at), default=None)

    @property
    def expected_resolution_by(self) -> datetime | None:
        """The resolution deadline, in a second handling its own; None while it is paused."""
        second = self.timers.get("second_handling")
        running = second is not None and second.state == "running"
        timer = second if running else self.timers.get("resolution")
        return timer.due_at if timer else None

    def changed(self, **changes: Unpack[TicketChanges]) -> Self:
        return self.model_copy(update=dict(changes))

    def person_erased(self) -> TicketChanges:
        """The changes that erase who the customer was (B10)."""
        erased = blanks(self) | {
            "erased": True,
            "customer": self.customer.without_person(self.number),
            "summary": None if self.summary is None else "",
        }
        return cast(TicketChanges, erased)

    def released(self) -> TicketChanges:
        former = self.former_handlers
        if self.handler and self.handler not in former:
            former = (*former, self.handler)
        return {"handler": None, "handler_name": "", "former_handlers": former}


def next_wake(before: Ticket | None, after: Ticket) -> datetime | None:
    """The position of a changed ticket in the `due` index.

    A position that is still ahead and early enough is kept: moving it costs two writes, and most
    tickets end before it comes. If it does come, the sweep finds nothing due and moves it then.
    """
    due = after.next_due
    if after.updated_at < after.pick_up_at:
        due = min(due or after.pick_up_at, after.pick_up_at)
    if due is None or before is None or before.wakes_at is None:
        return due
    return before.wakes_at if after.updated_at < before.wakes_at <= due else due
