"""Everything that can happen to a ticket: one class per event, past tense, immutable.

A change of a ticket is one `Commit`: a new version and the events that made it. Commits are the
history, the audit trail and the outbox at once: the table's stream hands each one to the router
and to notify.

An event class is the only declaration of an event. Its class keywords and fields say

- `label`: how a timeline names it, in zh-CN and en;
- `webhook`: the public type of its webhook message, None for bookkeeping;
- `wakes`: the functions that act on it (`ROUTER`, `NOTIFY`); `router_after_step`: the router acts
  on it only where one of the desk's own steps caused it;
- `customer`: whether customers see it: `never`, as a change of `status`, or as a `message` that
  passed between them and the desk;
- `record` and `says`: its kind in the handling record (B7), and the field that holds its words;
- `direction`: `in` or `out` for what customer and desk wrote to each other;
- which of its fields are personal (`PERSONAL`), so that erasure blanks them;
- `changes`: what it changes on the ticket.

Stored events carry `SCHEMA_VERSION`. Fields are only ever added, with defaults, so older events
stay readable; a commit of a newer schema is dead-lettered instead of misread. Event names are
stored and shown in timelines, so they never change (`docs/decisions/0020`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import SerializeAsAny

from functions.core.domain.ticket import (
    Attachment as Attachment,
    Customer,
    Merged,
    Pending,
    Queue,
    RefusedFile,
    ReopenTo,
    Status,
    Ticket,
    TicketChanges,
    Timer,
    Value,
)

SCHEMA_VERSION = 1

Function = Literal["router", "notify"]
ROUTER: frozenset[Function] = frozenset({"router"})
NOTIFY: frozenset[Function] = frozenset({"notify"})
BOTH = ROUTER | NOTIFY
NOBODY: frozenset[Function] = frozenset()

Visibility = Literal["never", "status", "message"]
RecordKind = Literal["step", "communication", "solution"]

PERSONAL = "personal"
"""Marks a field that may say who the customer is. Erasure blanks it (B10)."""
IMPERSONAL = "impersonal"
"""Marks a text field that never does: a term of the playbook, a username, a code."""

PersonalText = Annotated[str, PERSONAL]
"""Free text, or anything else that may say who the customer is."""
Term = Annotated[str, IMPERSONAL]
"""A term of the playbook, a username, a code: the same for many customers."""

EVENTS: dict[str, type[Event]] = {}
"""Event name → class, in the order of a ticket's life."""

E = TypeVar("E", bound="Event")


class Event(Value):
    """The base of all events; the module's docstring explains the class keywords."""

    event: ClassVar[str]
    label: ClassVar[dict[Literal["zh-CN", "en"], str]]
    webhook: ClassVar[str | None]
    wakes: ClassVar[frozenset[Function]]
    router_after_step: ClassVar[bool]
    customer_visibility: ClassVar[Visibility]
    record: ClassVar[RecordKind | None]
    says: ClassVar[str]
    direction: ClassVar[Literal["in", "out"] | None]

    def __init_subclass__(
        cls,
        *,
        label: tuple[str, str],
        webhook: str | None,
        wakes: frozenset[Function] = NOTIFY,
        router_after_step: bool = False,
        customer: Visibility = "never",
        record: RecordKind | None = None,
        says: str = "",
        direction: Literal["in", "out"] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls.event = cls.__name__
        cls.label = {"zh-CN": label[0], "en": label[1]}
        cls.webhook = webhook
        cls.wakes = wakes
        cls.router_after_step = router_after_step
        cls.customer_visibility = customer
        cls.record = record
        cls.says = says
        cls.direction = direction
        EVENTS[cls.event] = cls

    @property
    def words(self) -> str:
        """The event's free text, empty where it has none."""
        words: str | None = getattr(self, self.says) if self.says else None
        return words or ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        """The changes that this event makes on the ticket; most only add to the history."""
        return {}

    def document(self) -> dict[str, Any]:
        """The event as JSON data, its name first."""
        return {"event": self.event, **self.model_dump(mode="json")}


class Product(Value):
    """The product that a request is about (D2)."""

    name: Term | None = None
    model: Term | None = None
    serial: Annotated[str | None, PERSONAL] = None
    purchased_on: Annotated[str | None, PERSONAL] = None

    @property
    def title(self) -> str | None:
        """Name and model, for conditions and for agents who cover a product line (D7)."""
        return " ".join(filter(None, (self.name, self.model))) or None


class TicketReceived(
    Event,
    label=("已收到请求", "Request received"),
    webhook="ticket.received",
    wakes=BOTH,
    customer="message",
    record="communication",
    says="description",
    direction="in",
):
    """A request came in.

    `description` is masked and cut to the desk's limit; `text` is the whole masked text of a longer
    mail. `raw` is the key of the original mail in the mail bucket. `refused` lists files that were
    not accepted. `unproven`: the sender may not be who the mail says (G3). `linked_to` is the
    number of the ended ticket that this one continues.
    """

    customer: Customer
    channel: Term
    locale: Literal["zh-CN", "en"]
    type: Term
    priority: Term
    urgency: Term | None = None
    type_given: bool = False
    description: PersonalText
    text: Annotated[str | None, PERSONAL] = None
    subject: Annotated[str | None, PERSONAL] = None
    raw: Annotated[str | None, PERSONAL] = None
    attachments: tuple[Attachment, ...] = ()
    refused: Annotated[tuple[RefusedFile, ...], PERSONAL] = ()
    unproven: bool = False
    product: Product | None = None
    proof_of_purchase: Annotated[str | None, PERSONAL] = None
    order: Annotated[str | None, PERSONAL] = None
    entered_by: Term | None = None
    linked_to: Annotated[str | None, PERSONAL] = None

    @property
    def words(self) -> str:
        return self.text or self.description


class TicketClassified(
    Event,
    label=("已自动分类", "Classified"),
    webhook="ticket.classified",
    wakes=NOBODY,
    router_after_step=True,
):
    """The words of the request gave type, tags and priority, by `rules`."""

    type: Term
    tags: tuple[Term, ...]
    priority: Term
    mood: Term | None = None
    confidence: float = 1.0
    rules: tuple[Term, ...] = ()
    product: Term | None = None

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {
            "type": self.type,
            "tags": self.tags,
            "priority": self.priority,
            "mood": self.mood,
            "product": self.product or ticket.product,
        }


class ConfirmationRequested(
    Event,
    label=("正在确认问题类型", "Type being confirmed"),
    webhook="ticket.type_confirmation_requested",
    customer="status",
):
    """The request is too vague; an agent is asked to confirm its type (A6)."""

    team: Term
    question: PersonalText
    queue: Queue = "waiting"

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"status": "pending_confirmation", "queue": self.queue, "team": self.team}


class TypeConfirmed(
    Event,
    label=("问题类型已确认", "Type confirmed"),
    webhook="ticket.type_confirmed",
    wakes=BOTH,
    customer="status",
):
    """An agent confirmed the type of a vague request (A6)."""

    type: Term
    tags: tuple[Term, ...]
    priority: Term

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {
            "status": "received",
            "queue": "new",
            "type": self.type,
            "tags": self.tags,
            "priority": self.priority,
        }


class TicketQueued(
    Event,
    label=("等待处理人员", "Waiting for an agent"),
    webhook="ticket.queued",
    wakes=BOTH,
    customer="status",
):
    """The ticket waits in a team's queue or in the supervisors' queue."""

    team: Term
    queue: Queue = "waiting"
    reason: PersonalText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {
            **ticket.released(),
            "status": "queued",
            "queue": self.queue,
            "team": self.team,
        }


class TicketAssigned(
    Event,
    label=("已分配处理人员", "Assigned to an agent"),
    webhook="ticket.assigned",
    customer="status",
):
    """An agent became the ticket's handler."""

    team: Term
    handler: Term
    reason: PersonalText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        former = ticket.former_handlers
        if ticket.handler and ticket.handler != self.handler:
            former = (*former, ticket.handler)
        return {
            "status": "assigned",
            "queue": "agent",
            "team": self.team,
            "handler": self.handler,
            "assigned_at": commit.at,
            "former_handlers": former,
            "reopen_to": None,
        }


class PriorityChanged(
    Event,
    label=("优先级已调整", "Priority changed"),
    webhook="ticket.priority_changed",
    wakes=BOTH,
):
    """The priority was set by a person or raised by an escalation."""

    priority: Term
    reason: PersonalText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"priority": self.priority}


class ReplySent(
    Event,
    label=("已回复", "Answer sent"),
    webhook="reply.sent",
    customer="message",
    record="communication",
    says="text",
    direction="out",
):
    """An agent answered the customer; the first answer is the first response (A10)."""

    text: PersonalText
    attachments: tuple[Attachment, ...] = ()

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {
            "status": "in_progress" if ticket.status == "assigned" else ticket.status,
            "first_response_at": ticket.first_response_at or commit.at,
        }


class InformationRequested(
    Event,
    label=("请您补充信息", "Information requested"),
    webhook="information.requested",
    customer="message",
    record="communication",
    says="text",
    direction="out",
):
    """An agent asked the customer for information, and the ticket waits for it (A11)."""

    text: PersonalText

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {
            "status": "awaiting_customer",
            "first_response_at": ticket.first_response_at or commit.at,
        }


class CustomerWrote(
    Event,
    label=("收到留言", "Message received"),
    webhook="customer.message_received",
    wakes=BOTH,
    customer="message",
    record="communication",
    says="text",
    direction="in",
):
    """The customer added a message, on any channel.

    `via` is the merged ticket that the message was written to; `stranger`: the customer of that
    ticket is not the customer of this one. `by_another` is the masked address of a writer who is
    not the customer but holds the ticket's key, for instance from a forwarded mail. `refused` and
    `unproven` as in `TicketReceived`.
    """

    text: PersonalText
    channel: Term
    raw: Annotated[str | None, PERSONAL] = None
    attachments: tuple[Attachment, ...] = ()
    refused: Annotated[tuple[RefusedFile, ...], PERSONAL] = ()
    unproven: bool = False
    via: Term | None = None
    stranger: bool = False
    by_another: Annotated[str | None, PERSONAL] = None


class InformationReceived(
    Event,
    label=("已收到补充信息", "Information received"),
    webhook="information.received",
    customer="status",
):
    """The information that the ticket waited for arrived (A11)."""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"status": "in_progress"}


class NoteAdded(
    Event,
    label=("内部备注", "Internal note"),
    webhook="note.added",
    wakes=NOBODY,
    record="step",
    says="text",
):
    """An agent or a function added an internal note. Customers never see it."""

    text: PersonalText
    attachments: tuple[Attachment, ...] = ()


class TicketResolved(
    Event,
    label=("问题已处理完成", "Resolved"),
    webhook="ticket.resolved",
    wakes=BOTH,
    customer="status",
    record="solution",
    says="summary",
):
    """An agent resolved the ticket; `resolution` counts its resolutions (A12)."""

    summary: PersonalText
    resolution: int
    confirm: bool = False

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {
            "status": "awaiting_confirmation" if self.confirm else "resolved",
            "summary": self.summary,
            "resolved_at": commit.at,
            "resolutions": self.resolution,
            "pending": None,
        }


class TicketReopened(
    Event,
    label=("已重新处理", "Reopened"),
    webhook="ticket.reopened",
    wakes=BOTH,
    customer="status",
):
    """The problem is not solved after all; `to` names the recipient (B9, E7)."""

    reason: PersonalText = ""
    team: Term
    to: ReopenTo = "team"

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {
            **ticket.released(),
            "status": "queued",
            "queue": "waiting",
            "team": self.team,
            "reviewer": None,
            "summary": None,
            "score": None,
            "resolved_at": None,
            "archived_at": None,
            "level": ticket.level + (self.to == "senior"),
            "reopen_to": self.to,
            "pending": None,
        }


class CustomerAsked(
    Event,
    label=("请您说明问题", "We have a question for you"),
    webhook="clarification.requested",
    customer="message",
    record="communication",
    says="question",
):
    """The customer was asked what a vague request is about, for the `count`th time (E2)."""

    question: PersonalText
    count: int

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"status": "pending_confirmation", "asked": self.count}


class StepTaken(
    Event,
    label=("处理进展", "Progress"),
    webhook="step.taken",
    customer="message",
    record="step",
):
    """One of the desk's own steps was taken, with its fields (D8–D11, B2, B6, E5)."""

    step: Term
    to: Status | None = None
    fields: Annotated[dict[str, str], PERSONAL] = {}
    attachments: tuple[Attachment, ...] = ()
    customer_sees: bool = False
    responds: bool = False

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {
            "status": self.to or ticket.status,
            "facts": {**ticket.facts, **self.fields},
            "first_response_at": ticket.first_response_at or (commit.at if self.responds else None),
        }


class ApprovalRequested(
    Event,
    label=("等待主管审批", "Waiting for approval"),
    webhook="approval.requested",
):
    """A step exceeds the agent's authority and waits for a supervisor (C9)."""

    step: Term
    fields: Annotated[dict[str, str], PERSONAL] = {}
    attachments: tuple[Attachment, ...] = ()
    by: Term = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        pending = Pending(
            step=self.step,
            fields=self.fields,
            attachments=self.attachments,
            # A second request while one is pending returns to the status before the first.
            status=ticket.pending.status if ticket.pending else ticket.status,
            by=self.by,
        )
        return {"status": "awaiting_department", "pending": pending}


class ApprovalGiven(
    Event,
    label=("主管已审批", "Decided by a supervisor"),
    webhook="approval.decided",
    record="step",
    says="reason",
):
    """A supervisor decided on a step; an approved one follows as `StepTaken` (C9)."""

    step: Term
    approved: bool
    reason: PersonalText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"status": status_after_approval(ticket), "pending": None}


def status_after_approval(ticket: Ticket) -> Status:
    """The status before the approval was requested, unless the ticket has moved on since."""
    if ticket.pending is None or ticket.status != "awaiting_department":
        return ticket.status
    return ticket.pending.status


class CallbackRequested(
    Event,
    label=("安排电话回访", "Call-back arranged"),
    webhook="callback.requested",
    customer="status",
):
    """The customer confirmed the solution; a team is to call back and record it (D13)."""

    team: Term

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"status": "in_review", "queue": "waiting", "team": self.team}


class SecondHandlingStarted(
    Event,
    label=("已启动二次处理", "Second handling started"),
    webhook="second_handling.started",
    customer="status",
):
    """The customer is not satisfied; the ticket is handled again, one level up (B9, E7)."""

    reason: PersonalText = ""


class HoldSet(
    Event,
    label=("保存期限已调整", "Legal hold changed"),
    webhook="legal_hold.changed",
    wakes=NOBODY,
):
    """A legal hold was set or released (B10)."""

    held: bool
    reason: PersonalText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"held": self.held}


class PersonErased(
    Event,
    label=("客户信息已删除", "Personal data erased"),
    webhook="customer.erased",
    wakes=NOBODY,
):
    """The customer's personal data was erased; the figures stay (B10)."""

    reason: Term = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return ticket.person_erased()


class ConfirmationGiven(
    Event,
    label=("已反馈处理结果", "Feedback on the solution"),
    webhook="confirmation.answered",
    wakes=BOTH,
    customer="status",
    record="communication",
    says="reason",
):
    """The customer said whether the problem is solved (C10, D13)."""

    solved: bool
    reason: PersonalText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        if self.solved and ticket.status == "awaiting_confirmation":
            return {"status": "resolved"}
        return {}


class SurveyAnswered(
    Event,
    label=("已收到评价", "Survey answered"),
    webhook="survey.answered",
    wakes=BOTH,
    customer="status",
    record="communication",
    says="comment",
):
    """The customer scored one resolution (A13)."""

    score: int
    comment: PersonalText = ""
    resolution: int

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"score": self.score}


class SurveyExpired(
    Event,
    label=("评价已到期", "Survey expired"),
    webhook="survey.expired",
):
    """Nobody answered the survey in time; the ticket is archived without a score."""

    resolution: int


class ReviewRequested(
    Event,
    label=("安排回访", "Call-back arranged"),
    webhook="review.requested",
    customer="status",
):
    """A poor score put the ticket in the QA team's review (A13)."""

    team: Term
    score: int

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"status": "in_review", "queue": "qa"}


class ReviewAssigned(
    Event,
    label=("已指定回访人员", "Call-back assigned"),
    webhook="review.assigned",
):
    """A QA member was assigned the call-back (A13)."""

    reviewer: Term

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"reviewer": self.reviewer}


class CallbackRecorded(
    Event,
    label=("已完成回访", "Called back"),
    webhook="callback.recorded",
    wakes=BOTH,
    customer="status",
    record="communication",
    says="cause",
):
    """The call-back was made and its cause recorded (A13)."""

    cause: PersonalText
    note: PersonalText = ""


class ReviewExpired(
    Event,
    label=("回访已到期", "Call-back expired"),
    webhook="review.expired",
):
    """Nobody recorded a call-back in time; the review ends without one."""


class TicketArchived(
    Event,
    label=("已归档", "Archived"),
    webhook="ticket.archived",
    customer="status",
):
    """The ticket's document went to the archive."""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return _ended("archived", commit)


class TicketClosed(
    Event,
    label=("已关闭", "Closed"),
    webhook="ticket.closed",
    wakes=BOTH,
    customer="status",
):
    """A supervisor closed the ticket without a solution (spam, a duplicate)."""

    reason: PersonalText

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return _ended("closed", commit)


def _ended(status: Status, commit: Commit) -> TicketChanges:
    return {"status": status, "queue": "closed", "archived_at": commit.at, "pending": None}


class TicketMerged(
    Event,
    label=("已并入其他工单", "Merged into another ticket"),
    webhook="ticket.merged",
    wakes=BOTH,
    customer="status",
):
    """The ticket was merged into `other`, where its conversation goes on."""

    other: Term
    same_customer: bool = True
    reason: PersonalText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        live = {
            kind: timer
            for kind, timer in ticket.timers.items()
            if timer.wakes_at is not None or timer.state == "paused"
        }
        merged = Merged(
            into=self.other,
            by=commit.actor,
            at=commit.at,
            status=ticket.status,
            queue=ticket.queue,
            timers=live,
        )
        return {"status": "merged", "queue": "closed", "merged": merged}


class MergeReceived(
    Event,
    label=("已并入一张工单", "Another ticket was merged into this one"),
    webhook="ticket.merge_received",
    wakes=BOTH,
):
    """The ticket `other` was merged into this one."""

    other: Term
    same_customer: bool = True
    reason: PersonalText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"carries": (*ticket.carries, self.other)}


class TicketUnmerged(
    Event,
    label=("已撤销合并", "Merge undone"),
    webhook="ticket.unmerged",
    wakes=BOTH,
    customer="status",
):
    """The merge into `other` was undone; the ticket continues from `status`."""

    other: Term
    status: Status
    queue: Queue
    reason: PersonalText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        restored = ticket.merged.timers if ticket.merged else {}
        leaves_handler = self.status == "queued" and ticket.handler is not None
        return {
            **(ticket.released() if leaves_handler else TicketChanges()),
            "status": self.status,
            "queue": self.queue,
            "timers": {**ticket.timers, **restored},
            "merged": None,
        }


class MergeUndone(
    Event,
    label=("一张工单已移出", "A merged ticket was separated again"),
    webhook="ticket.merge_undone",
    wakes=BOTH,
):
    """The ticket `other`, which had been merged into this one, was separated again."""

    other: Term
    reason: PersonalText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"carries": tuple(number for number in ticket.carries if number != self.other)}


class OriginalOpened(
    Event,
    label=("已查看原文", "Original opened"),
    webhook="original.opened",
):
    """An agent opened the original of a message; `message` is the message's version (G4)."""

    message: int
    reason: PersonalText


class CustomerClassed(
    Event,
    label=("客户等级已调整", "Customer class changed"),
    webhook="customer.class_set",
    wakes=NOBODY,
):
    """A supervisor set the customer's class (VIP)."""

    customer_class: Term | None

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        update = {"customer_class": self.customer_class}
        return {"customer": ticket.customer.model_copy(update=update)}


class ContactBounced(
    Event,
    label=("邮件无法送达", "Mail bounced"),
    webhook="contact.bounced",
):
    """Mail to the customer bounced, or the customer reported it as spam.

    `permanent`: no mail is sent there until somebody corrects the contact. `cause` is `bounce` or
    `complaint` with its details: a status code (RFC 3463) or a feedback type (RFC 5965).
    """

    permanent: bool
    cause: PersonalText

    def marks(self, customer: Customer) -> bool:
        """Whether mail stops; a bad address replaces a complaint, not the reverse."""
        blocked = customer.undeliverable is not None and not customer.complained
        return self.permanent and not blocked and customer.undeliverable != self.cause

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        if not self.marks(ticket.customer):
            return {}
        return {"customer": ticket.customer.model_copy(update={"undeliverable": self.cause})}


class ContactCorrected(
    Event,
    label=("联系方式已更正", "Contact corrected"),
    webhook="contact.corrected",
    wakes=NOBODY,
):
    """An agent corrected the customer's contact, or said that the former one works again.

    A new contact sets `customer`, and the commit holds the sealed contact.
    """

    customer: Customer | None = None

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        if self.customer is not None:
            return {"customer": self.customer, "sealed_in": commit.version}
        return {"customer": ticket.customer.model_copy(update={"undeliverable": None})}


class TicketLinked(
    Event,
    label=("已关联新工单", "Continued in another ticket"),
    webhook="ticket.linked",
    wakes=NOBODY,
):
    """The conversation continues in another ticket, because this one had ended."""

    number: PersonalText

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"related": (*ticket.related, self.number)}


class TimerWarned(
    Event,
    label=("时限即将到期", "Deadline near"),
    webhook="timer.warning_reached",
):
    """A deadline is near: `share` of its time has passed."""

    kind: Term
    share: float
    due_at: datetime


class TimerBreached(
    Event,
    label=("已超过时限", "Deadline passed"),
    webhook="timer.breached",
):
    """A deadline passed; `count` is 1 at the deadline and rises with each repetition."""

    kind: Term
    due_at: datetime
    count: int = 1


class TimersSet(
    Event,
    label=("计时更新", "Timers updated"),
    webhook=None,
    wakes=NOBODY,
):
    """The effect of this commit's events on the ticket's timers."""

    timers: dict[str, Timer]

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        timers = {**ticket.timers, **self.timers}
        first = timers.get("first_response")
        if first is None or first.due_at is None:
            return {"timers": timers}
        return {"timers": timers, "expected_response_by": first.due_at}


Actor = str
"""`customer`, `system`, or an agent's username."""

MACHINES = frozenset({"customer", "system"})
"""The actors that are not members of the desk."""


class Commit(Value):
    """One change of a ticket: its events in order, with actor and moment.

    `sealed`: masking changed the customer's words, and the original is sealed beside them.
    """

    desk: str
    number: str
    version: int
    at: datetime
    actor: Actor
    events: tuple[SerializeAsAny[Event], ...]
    sealed: bool = False

    def of(self, *kinds: type[E]) -> tuple[E, ...]:
        """The events of these classes."""
        return tuple(event for event in self.events if isinstance(event, kinds))


def waking_router(events: Iterable[Event]) -> tuple[Event, ...]:
    """The events of one commit that the router acts on."""
    events = tuple(events)
    stepped = any(isinstance(event, StepTaken) for event in events)
    return tuple(
        event
        for event in events
        if "router" in event.wakes or (stepped and event.router_after_step)
    )


def readers(events: Iterable[Event], *, wanted_by_webhook: bool = False) -> str:
    """The functions that a commit wakes: `router`, `notify`, `both` or `none`.

    The stream's filters compare this word (`infra/templates/wiring.yaml`), so a function is not
    woken by a commit that it would ignore.

    Args:
        wanted_by_webhook: a webhook of the desk subscribes to one of the events; notify sends it
            whatever the event is (G5).
    """
    events = tuple(events)
    router = bool(waking_router(events))
    notify = wanted_by_webhook or any("notify" in event.wakes for event in events)
    if router and notify:
        return "both"
    return "router" if router else "notify" if notify else "none"
