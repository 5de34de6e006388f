"""Classification and assignment."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool

from functions.core.domain import events as e
from functions.core.domain.classification import Classification
from functions.core.domain.commands.base import (
    LEADERS,
    AgentAction,
    Body,
    Name,
    Remark,
    TermOf,
    TicketCommand,
    require_known,
    unknown_names,
)
from functions.core.domain.errors import InvalidInput
from functions.core.domain.follow_ups import of_mood
from functions.core.domain.playbook_assistant import UPSET
from functions.core.domain.privacy import FreeText, PersonalText, TermName
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import IN_HAND, OPEN, UNASSIGNED, Queue, Status, Ticket


@dataclass(frozen=True)
class Classify(
    TicketCommand,
    name="classify",
    sources=UNASSIGNED,
    by="router",
    meaning="type, tags and priority from the words of the request",
):
    """Record the classification of the request's text."""

    type: TermName
    tags: tuple[TermName, ...]
    priority: TermName
    mood: TermName | None = None
    confidence: float = 1.0
    rules: tuple[TermName, ...] = ()
    product: FreeText | None = None

    @classmethod
    def by(cls, found: Classification) -> Self:
        return cls(**{field.name: getattr(found, field.name) for field in fields(cls)})

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        return [e.TicketClassified(**vars(self))]


@dataclass(frozen=True)
class RecogniseMood(
    TicketCommand,
    name="recognise-mood",
    sources=OPEN,
    by="router",
    meaning="the mood of a later message, by examples",
):
    """Record that the customer of this message is upset, unless a rule has said so."""

    text: FreeText
    mood: TermName = UPSET

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        return of_mood(ticket, self.text, playbook, self.mood)


@dataclass(frozen=True)
class AskConfirmation(
    TicketCommand,
    name="ask-confirmation",
    sources={"received", "pending_confirmation"},
    target="pending_confirmation",
    by="router",
    meaning="too vague to route",
):
    """Put the ticket in 待确认 and ask `team` to confirm its type (A6)."""

    team: TermName
    question: PersonalText
    queue: Queue = "waiting"

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        return [e.ConfirmationRequested(**vars(self))]


class ConfirmTypeBody(Body):
    type: Annotated[Name, TermOf("types")]
    tags: Annotated[tuple[Name, ...] | None, Field(max_length=20), TermOf("tags")] = None
    priority: Annotated[Name | None, TermOf("priorities")] = None


@dataclass(frozen=True)
class ConfirmType(
    TicketCommand,
    name="confirm-type",
    sources=OPEN,
    target="received",
    keeps=IN_HAND,
    by="agent",
    meaning="the type is known; a ticket in hand stays with its handler",
    agents=AgentAction(
        label=("确认类型", "Confirm type"),
        rights={"agent": "team", **LEADERS},
        body=ConfirmTypeBody,
    ),
):
    """Confirm the type of a vague request, or change it; None leaves a value as it is (A6).

    A ticket without a handler is routed by it. It also accepts or refuses a proposed type.
    """

    type: TermName
    tags: tuple[TermName, ...] | None = None
    priority: TermName | None = None

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        priority = self.priority or ticket.priority
        errors = (
            *unknown_names("type", (self.type,), playbook.types),
            *unknown_names("tags", self.tags or (), playbook.tags),
            *unknown_names("priority", (priority,), playbook.priorities),
        )
        if errors:
            raise InvalidInput("Some fields are invalid.", errors)
        tags = ticket.tags if self.tags is None else self.tags
        if ticket.status not in IN_HAND:
            return [e.TypeConfirmed(type=self.type, tags=tags, priority=priority)]
        changed = e.TicketClassified(
            type=self.type, tags=tags, priority=ticket.priority, mood=ticket.mood
        )
        return [changed, *SetPriority(priority).decide(ticket, playbook, now)]


@dataclass(frozen=True)
class AskCustomer(
    TicketCommand,
    name="ask-customer",
    sources={"received", "pending_confirmation"},
    target="pending_confirmation",
    by="router",
    meaning="the customer is asked what a vague request is about",
):
    """Ask the customer what a vague request is about (E2)."""

    question: PersonalText

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        return [e.CustomerAsked(question=self.question, count=ticket.asked + 1)]


@dataclass(frozen=True)
class Enqueue(
    TicketCommand,
    name="queue",
    sources=OPEN,
    target="queued",
    by="router, supervisor",
    meaning="waits for an agent or a supervisor",
):
    """Put the ticket in a queue."""

    team: TermName
    queue: Queue = "waiting"
    reason: FreeText = ""

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        require_known("team", self.team, playbook.teams)
        return [e.TicketQueued(team=self.team, queue=self.queue, reason=self.reason)]


@dataclass(frozen=True)
class ReportNobodyOnline(
    TicketCommand,
    name="nobody-online",
    sources=OPEN,
    by="router",
    meaning="nobody of the team is online; the supervisors are told once",
):
    """Tell the supervisors that a ticket waits for a team of which nobody is online.

    Outside the desk's hours that is as expected, unless the ticket has the highest priority.
    """

    team: TermName

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        urgent = playbook.ranks.get(ticket.priority) == 0
        if ticket.nobody_online or not (urgent or playbook.hours.is_open(now)):
            return []
        return [e.NobodyOnline(team=self.team)]


class TakeBody(Body):
    """The body of `take`: only the version."""


_WAITING: frozenset[Status] = frozenset(
    {"awaiting_customer", "awaiting_department", "awaiting_confirmation"}
)
"""Statuses that a change of handler keeps: somebody else's answer is awaited."""


class _Assignment:
    """The rule that `assign` and `take` share."""

    team: str
    handler: str
    handler_name: str
    reason: str

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        require_known("team", self.team, playbook.teams)
        if ticket.status in IN_HAND and ticket.handler == self.handler:
            return []
        assigned = e.TicketAssigned(
            team=self.team,
            handler=self.handler,
            handler_name=self.handler_name,
            reason=self.reason,
            status=ticket.waiting_status if ticket.waiting_status in _WAITING else "assigned",
            announced=self.team != ticket.announced_team,
        )
        return [assigned]


@dataclass(frozen=True)
class Take(
    _Assignment,
    TicketCommand,
    name="take",
    sources=OPEN,
    target="assigned",
    keeps=_WAITING,
    by="agent",
    meaning="an agent takes it",
    agents=AgentAction(label=("领取", "Take"), rights={"agent": "team", **LEADERS}, body=TakeBody),
):
    """Assign the ticket to the agent who asks for it, free capacity or not."""

    team: TermName
    handler: TermName
    reason: FreeText = ""
    by_person: bool = True
    handler_name: TermName = ""


class AssignBody(Body):
    """Exactly one of `agent`, `team` and `queue`; `insist` as in `AssignReview`."""

    agent: Name | None = None
    team: Name | None = None
    queue: Literal["team", "supervisor"] | None = None
    reason: Remark = ""
    insist: StrictBool = False


@dataclass(frozen=True)
class Assign(
    _Assignment,
    TicketCommand,
    name="assign",
    sources=OPEN,
    target="assigned",
    keeps=_WAITING,
    by="router, supervisor",
    meaning="has a handler",
    agents=AgentAction(
        label=("分配", "Assign"), rights={"qa": "review", **LEADERS}, body=AssignBody
    ),
):
    """Assign the ticket to an agent. `by_person`: a person decided, so capacity is not checked."""

    team: TermName
    handler: TermName
    reason: FreeText = ""
    by_person: bool = False
    handler_name: TermName = ""


class PriorityBody(Body):
    priority: Annotated[Name, TermOf("priorities")]
    reason: Remark = ""


@dataclass(frozen=True)
class SetPriority(
    TicketCommand,
    name="priority",
    sources=OPEN,
    by="agent",
    meaning="more or less urgent",
    agents=AgentAction(
        label=("调整优先级", "Change priority"),
        rights={"agent": "team", **LEADERS},
        body=PriorityBody,
    ),
):
    """Change the priority."""

    priority: TermName
    reason: FreeText = ""

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        require_known("priority", self.priority, playbook.priorities)
        if self.priority == ticket.priority:
            return []
        rank, ranks = playbook.ranks[self.priority], playbook.ranks
        again = any(ranks.get(former, 99) <= rank for former in ticket.former_priorities)
        again = again and rank < ranks.get(ticket.priority, 99)
        return [e.PriorityChanged(priority=self.priority, reason=self.reason, again=again)]
