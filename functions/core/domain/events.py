"""What happens to tickets: past tense, immutable, one class an event.

One change of a ticket is one *commit*: a new version and the events that made it. Commits are the
history, the audit trail and the outbox at once: the table's stream hands each to the router and to
notify. `apply` in `functions.core.domain.lifecycle` says what each event does to the ticket.

A stored event carries `SCHEMA_VERSION`. Fields are only ever added, with defaults, so that older
events stay readable; a commit of a *newer* schema is parked instead of misread.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from functions.core.domain.errors import DeadLetter
from functions.core.domain.ticket import Attachment as Attachment
from functions.core.domain.ticket import Customer, Queue, RefusedFile, Timer, Value

SCHEMA_VERSION = 1


class Product(Value):
    """D2: the product a request is about."""

    name: str | None = None
    model: str | None = None
    serial: str | None = None
    purchased_on: str | None = None


class TicketReceived(Value):
    """A request came in.

    `description` is masked and short enough to show; `text` is the whole of a longer mail, masked
    too. `raw` is the key of the original mail in the mail bucket. `refused` are files that came and
    were not kept; `unproven`: whoever sent it may not be who it says (G3). `linked_to` is the ended
    ticket that it goes on from.
    """

    event: Literal["TicketReceived"] = "TicketReceived"
    customer: Customer
    channel: str
    locale: Literal["zh-CN", "en"]
    type: str
    priority: str
    urgency: str | None = None
    type_given: bool = False
    description: str
    text: str | None = None
    subject: str | None = None
    raw: str | None = None
    attachments: tuple[Attachment, ...] = ()
    refused: tuple[RefusedFile, ...] = ()
    unproven: bool = False
    product: Product | None = None
    proof_of_purchase: str | None = None
    order: str | None = None
    entered_by: str | None = None
    linked_to: str | None = None


class TicketClassified(Value):
    """The words of the request gave type, tags and priority; `rules` names which made them."""

    event: Literal["TicketClassified"] = "TicketClassified"
    type: str
    tags: tuple[str, ...]
    priority: str
    mood: str | None = None
    confidence: float = 1.0
    rules: tuple[str, ...] = ()
    product: str | None = None


class ConfirmationRequested(Value):
    """A6: what the customer wrote is too vague; an agent is to confirm the type."""

    event: Literal["ConfirmationRequested"] = "ConfirmationRequested"
    team: str
    question: str
    queue: Queue = "waiting"


class TypeConfirmed(Value):
    """A6: an agent has said what the request is."""

    event: Literal["TypeConfirmed"] = "TypeConfirmed"
    type: str
    tags: tuple[str, ...]
    priority: str


class TicketQueued(Value):
    """The ticket waits: in a team's queue, or for the supervisors."""

    event: Literal["TicketQueued"] = "TicketQueued"
    team: str
    queue: Queue = "waiting"
    reason: str = ""


class TicketAssigned(Value):
    """The ticket has a handler."""

    event: Literal["TicketAssigned"] = "TicketAssigned"
    team: str
    handler: str
    reason: str = ""


class PriorityChanged(Value):
    """The priority was set by hand or raised by an escalation."""

    event: Literal["PriorityChanged"] = "PriorityChanged"
    priority: str
    reason: str = ""


class ReplySent(Value):
    """A10: an agent answered the customer; the first one is the first response."""

    event: Literal["ReplySent"] = "ReplySent"
    text: str
    attachments: tuple[Attachment, ...] = ()


class InformationRequested(Value):
    """A11: an agent asked the customer for information; the ticket waits for it."""

    event: Literal["InformationRequested"] = "InformationRequested"
    text: str


class CustomerWrote(Value):
    """The customer added something, on any channel.

    `via` is the merged ticket that it was written to; a `stranger` is that ticket's customer where
    this one's is somebody else. `by_another` is the masked address of whoever wrote it, where that
    is not the customer's: they hold the ticket's key, as by a mail that was forwarded to them.
    `refused` and `unproven` as of a request.
    """

    event: Literal["CustomerWrote"] = "CustomerWrote"
    text: str
    channel: str
    raw: str | None = None
    attachments: tuple[Attachment, ...] = ()
    refused: tuple[RefusedFile, ...] = ()
    unproven: bool = False
    via: str | None = None
    stranger: bool = False
    by_another: str | None = None


class InformationReceived(Value):
    """A11: what the ticket waited for has come; it goes on."""

    event: Literal["InformationReceived"] = "InformationReceived"


class NoteAdded(Value):
    """An internal remark. The customer never sees it."""

    event: Literal["NoteAdded"] = "NoteAdded"
    text: str
    attachments: tuple[Attachment, ...] = ()


class TicketResolved(Value):
    """A12: the agent holds the problem to be solved; `resolution` counts how often that was."""

    event: Literal["TicketResolved"] = "TicketResolved"
    summary: str
    resolution: int
    confirm: bool = False


class TicketReopened(Value):
    """The problem is not gone after all.

    `to` says whose it is: the same handler's, the team's, or somebody more senior's (B9, E7).
    """

    event: Literal["TicketReopened"] = "TicketReopened"
    reason: str = ""
    team: str
    to: Literal["handler", "team", "senior"] = "team"


class CustomerAsked(Value):
    """E2: the request is vague; the customer is asked what it is about, the `count`th time."""

    event: Literal["CustomerAsked"] = "CustomerAsked"
    question: str
    count: int


class StepTaken(Value):
    """D8–D11, B2, B6, E5: a step of the desk's own, with what was written down."""

    event: Literal["StepTaken"] = "StepTaken"
    step: str
    to: str | None = None
    fields: dict[str, str] = {}
    attachments: tuple[Attachment, ...] = ()
    customer_sees: bool = False
    responds: bool = False


class ApprovalRequested(Value):
    """C9: a step exceeds the agent's authority and waits for a supervisor."""

    event: Literal["ApprovalRequested"] = "ApprovalRequested"
    step: str
    fields: dict[str, str] = {}
    attachments: tuple[Attachment, ...] = ()
    by: str = ""


class ApprovalGiven(Value):
    """C9: a supervisor has decided; an approved step follows as `StepTaken`."""

    event: Literal["ApprovalGiven"] = "ApprovalGiven"
    step: str
    approved: bool
    reason: str = ""


class CallbackRequested(Value):
    """D13: the customer says it is solved; somebody is to call back and record it."""

    event: Literal["CallbackRequested"] = "CallbackRequested"
    team: str


class SecondHandlingStarted(Value):
    """B9, E7: the customer is not satisfied; the ticket is handled a second time, one level up."""

    event: Literal["SecondHandlingStarted"] = "SecondHandlingStarted"
    reason: str = ""


class HoldSet(Value):
    """B10: the ticket's record is kept beyond its time, or no longer is."""

    event: Literal["HoldSet"] = "HoldSet"
    held: bool
    reason: str = ""


class PersonErased(Value):
    """B10: what told who the customer was is gone; the figures stay."""

    event: Literal["PersonErased"] = "PersonErased"
    reason: str = ""


class ConfirmationGiven(Value):
    """C10, D13: the customer said whether the problem is gone."""

    event: Literal["ConfirmationGiven"] = "ConfirmationGiven"
    solved: bool
    reason: str = ""


class SurveyAnswered(Value):
    """A13: the customer's score for one resolution."""

    event: Literal["SurveyAnswered"] = "SurveyAnswered"
    score: int
    comment: str = ""
    resolution: int


class SurveyExpired(Value):
    """Nobody answered the survey in time; the ticket is archived all the same."""

    event: Literal["SurveyExpired"] = "SurveyExpired"
    resolution: int


class ReviewRequested(Value):
    """A13: a poor score; the QA team is to find out why."""

    event: Literal["ReviewRequested"] = "ReviewRequested"
    team: str
    score: int


class ReviewAssigned(Value):
    """A13: somebody of the QA team is to call the customer back."""

    event: Literal["ReviewAssigned"] = "ReviewAssigned"
    reviewer: str


class CallbackRecorded(Value):
    """A13: the customer was called back; the cause is on the record."""

    event: Literal["CallbackRecorded"] = "CallbackRecorded"
    cause: str
    note: str = ""


class ReviewExpired(Value):
    """Nobody recorded a call-back in time; the review ends without one, visibly."""

    event: Literal["ReviewExpired"] = "ReviewExpired"


class TicketArchived(Value):
    """The loop is closed: the ticket's document goes to the archive."""

    event: Literal["TicketArchived"] = "TicketArchived"


class TicketClosed(Value):
    """A supervisor ended the ticket without resolving it (spam, a duplicate)."""

    event: Literal["TicketClosed"] = "TicketClosed"
    reason: str


class TicketMerged(Value):
    """The ticket's conversation goes on under the number `other`."""

    event: Literal["TicketMerged"] = "TicketMerged"
    other: str
    same_customer: bool = True
    reason: str = ""


class MergeReceived(Value):
    """The conversation of the ticket `other` goes on in this one."""

    event: Literal["MergeReceived"] = "MergeReceived"
    other: str
    same_customer: bool = True
    reason: str = ""


class TicketUnmerged(Value):
    """The ticket's merge into `other` is undone: it goes its own way again, from `status`."""

    event: Literal["TicketUnmerged"] = "TicketUnmerged"
    other: str
    status: str
    queue: Queue
    reason: str = ""


class MergeUndone(Value):
    """The ticket `other`, which was merged into this one, goes its own way again."""

    event: Literal["MergeUndone"] = "MergeUndone"
    other: str
    reason: str = ""


class OriginalOpened(Value):
    """G4: an agent had what was hidden of a message opened; `message` is the message's version."""

    event: Literal["OriginalOpened"] = "OriginalOpened"
    message: int
    reason: str


class CustomerClassed(Value):
    """A supervisor said which class the customer belongs to (VIP)."""

    event: Literal["CustomerClassed"] = "CustomerClassed"
    customer_class: str | None


class ContactBounced(Value):
    """Mail to the customer came back, or the customer complained of it.

    `permanent`: none goes there any more until somebody corrects the contact. `cause` is `bounce`
    or `complaint` and what is known of it: a status (RFC 3463), a type of feedback (RFC 5965).
    """

    event: Literal["ContactBounced"] = "ContactBounced"
    permanent: bool
    cause: str


class ContactCorrected(Value):
    """An agent gave the customer's contact anew, or said that the old one works again.

    With another contact `customer` is set, and the commit holds the contact, sealed.
    """

    event: Literal["ContactCorrected"] = "ContactCorrected"
    customer: Customer | None = None


class TicketLinked(Value):
    """The conversation goes on in another ticket, since this one had ended."""

    event: Literal["TicketLinked"] = "TicketLinked"
    number: str


class TimerWarned(Value):
    """A deadline draws near: `share` of its time is gone."""

    event: Literal["TimerWarned"] = "TimerWarned"
    kind: str
    share: float
    due_at: datetime


class TimerBreached(Value):
    """A deadline has passed; `count` is 1 at the deadline and rises with each repetition."""

    event: Literal["TimerBreached"] = "TimerBreached"
    kind: str
    due_at: datetime
    count: int = 1


class TimersSet(Value):
    """What the events of this commit did to the ticket's timers."""

    event: Literal["TimersSet"] = "TimersSet"
    timers: dict[str, Timer]


Event = (
    TicketReceived
    | TicketClassified
    | ConfirmationRequested
    | TypeConfirmed
    | TicketQueued
    | TicketAssigned
    | PriorityChanged
    | ReplySent
    | InformationRequested
    | CustomerWrote
    | InformationReceived
    | NoteAdded
    | TicketResolved
    | TicketReopened
    | CustomerAsked
    | StepTaken
    | ApprovalRequested
    | ApprovalGiven
    | CallbackRequested
    | SecondHandlingStarted
    | HoldSet
    | PersonErased
    | ConfirmationGiven
    | SurveyAnswered
    | SurveyExpired
    | ReviewRequested
    | ReviewAssigned
    | CallbackRecorded
    | ReviewExpired
    | TicketArchived
    | TicketClosed
    | TicketMerged
    | MergeReceived
    | TicketUnmerged
    | MergeUndone
    | OriginalOpened
    | CustomerClassed
    | ContactBounced
    | ContactCorrected
    | TicketLinked
    | TimerWarned
    | TimerBreached
    | TimersSet
)
"""Any event."""

EVENTS: dict[str, type[Value]] = {kind.__name__: kind for kind in Event.__args__}
"""Event type → class."""


@lru_cache(maxsize=1)
def _many() -> TypeAdapter[tuple[Event, ...]]:
    """The reader of a commit's events, built when the first is read."""
    return TypeAdapter(tuple[Annotated[Event, Field(discriminator="event")], ...])


ROUTER_READS = frozenset(
    {
        "TicketReceived",
        "TypeConfirmed",
        "PriorityChanged",
        "TicketQueued",
        "TicketReopened",
        "TicketResolved",
        "SurveyAnswered",
        "CallbackRecorded",
        "TicketClosed",
        "ConfirmationGiven",
        "CustomerWrote",
        "TicketMerged",
        "MergeReceived",
        "TicketUnmerged",
        "MergeUndone",
    }
)
"""The events that the router acts on, whatever they come with."""

ROUTER_READS_OF_STEPS = frozenset({"TicketClassified"})
"""Those that it acts on where a step of the desk's own brought them, not what it said itself."""

NOTIFY_READS = frozenset(EVENTS) - {
    "TimersSet",
    "TicketClassified",
    "CustomerClassed",
    "NoteAdded",
    "HoldSet",
    "PersonErased",
    "ContactCorrected",
    "TicketLinked",
}
"""The events that a playbook may tell somebody about."""


def for_router(events: Iterable[Event]) -> frozenset[str]:
    """The names of those events of one commit that the router acts on."""
    names = frozenset(event.event for event in events)
    return names & (ROUTER_READS | ROUTER_READS_OF_STEPS if "StepTaken" in names else ROUTER_READS)


def readers(events: Iterable[Event], *, hooked: bool = False) -> str:
    """Who reads a commit off the stream: `router`, `notify`, `both` or `none`.

    `hooked`: a webhook of the desk wants one of the events, which notify sends whatever it is (G5).

    The stream's filters compare this one word (`infra/templates/wiring.yaml`), so a function is not
    even woken by what it would ignore.
    """
    events = tuple(events)
    names = {event.event for event in events}
    routed, notified = bool(for_router(events)), hooked or bool(names & NOTIFY_READS)
    if routed and notified:
        return "both"
    return "router" if routed else "notify" if notified else "none"


MACHINES = frozenset({"customer", "system"})
"""The actors that are nobody of the desk."""


class Commit(Value):
    """One change of a ticket: who made it, when, and the events, in order.

    `actor` is `customer`, `system`, or an agent's username. `sealed`: something was hidden of what
    the customer wrote, and the original is sealed beside it.
    """

    desk: str
    number: str
    version: int
    at: datetime
    actor: str
    events: tuple[Any, ...]
    sealed: bool = False

    def of(self, *names: str) -> tuple[Any, ...]:
        """The events of these types."""
        return tuple(event for event in self.events if event.event in names)


def dump(events: tuple[Event, ...], at: datetime | None = None) -> str:
    """Events as the JSON text that is stored; what has its default is left out.

    Args:
        at: the commit's own moment. A timer that started then does not say it again.
    """
    return json.dumps(
        [
            {
                "event": event.event,
                **_each_timer(event, at, _written).model_dump(mode="json", exclude_defaults=True),
            }
            for event in events
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )


_GOING = frozenset({"running", "paused"})
"""Timers that know when they started; one that has ended keeps its deadline alone."""


def _written(timer: Timer, at: datetime) -> Timer:
    """A timer as a commit of `at` holds it."""
    began = timer.state in _GOING and timer.started_at == at
    return timer.model_copy(update={"started_at": None}) if began else timer


def _read(timer: Timer, at: datetime) -> Timer:
    """What `_written` was given."""
    unsaid = timer.state in _GOING and timer.started_at is None
    return timer.model_copy(update={"started_at": at}) if unsaid else timer


def _each_timer(
    event: Event, at: datetime | None, change: Callable[[Timer, datetime], Timer]
) -> Event:
    if at is None or not isinstance(event, TimersSet):
        return event
    return TimersSet(timers={kind: change(timer, at) for kind, timer in event.timers.items()})


def parse(document: str, schema_version: int, at: datetime | None = None) -> tuple[Event, ...]:
    """Stored events, read back.

    Args:
        at: the commit's own moment, as `dump` had it.

    Raises:
        DeadLetter: the text is not a commit of events, or was written by a newer schema.
    """
    if schema_version > SCHEMA_VERSION:
        raise DeadLetter(
            f"events of schema {schema_version}; this code reads {SCHEMA_VERSION} at most"
        )
    try:
        events = _many().validate_json(document)
    except ValidationError as error:
        raise DeadLetter(f"not a list of events: {error.error_count()} problems") from error
    return tuple(_each_timer(event, at, _read) for event in events)
