"""Confirmation, queues and assignment."""

from functions.core.domain.events.base import Commit, Event
from functions.core.domain.privacy import FreeText, PersonalText, TermName
from functions.core.domain.ticket import Queue, Status, Ticket, TicketChanges


class ConfirmationRequested(
    Event,
    label=("正在确认问题类型", "Type being confirmed"),
    webhook="ticket.type_confirmation_requested",
    customer="status",
):
    """The request is too vague; an agent is asked to confirm its type (A6)."""

    team: TermName
    question: PersonalText
    queue: Queue = "waiting"

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"status": "pending_confirmation", "queue": self.queue, "team": self.team}


class TypeConfirmed(
    Event,
    label=("问题类型已确认", "Type confirmed"),
    webhook="ticket.type_confirmed",
    wakes_router=True,
    customer="status",
):
    """An agent confirmed the type of a vague request (A6)."""

    type: TermName
    tags: tuple[TermName, ...]
    priority: TermName

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {
            "status": "received",
            "queue": "new",
            "type": self.type,
            "tags": self.tags,
            "priority": self.priority,
            "proposed_type": None,
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


class TicketQueued(
    Event,
    label=("等待处理人员", "Waiting for an agent"),
    webhook="ticket.queued",
    wakes_router=True,
    customer="status",
):
    """The ticket waits in a team's queue or in the supervisors' queue."""

    team: TermName
    queue: Queue = "waiting"
    reason: FreeText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {
            **ticket.released(),
            "status": "queued",
            "queue": self.queue,
            "team": self.team,
            "awaits_answer": ticket.waiting_status == "awaiting_customer",
        }


class NobodyOnline(
    Event, label=("团队无人在线", "Nobody of the team online"), webhook="ticket.nobody_online"
):
    """Nobody of the team that a ticket waits for is online; told once per ticket."""

    team: TermName

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"nobody_online": True}


class TicketAssigned(
    Event,
    label=("已分配处理人员", "Assigned to an agent"),
    webhook="ticket.assigned",
    customer="status",
):
    """An agent became the ticket's handler; customers read `handler_name`.

    `status` is that of the ticket from now on: what it waits for, it goes on waiting for. With
    `announced` the customer is told of the team, whom it has not been told of yet (A8).
    """

    team: TermName
    handler: TermName
    handler_name: TermName = ""
    reason: FreeText = ""
    status: Status = "assigned"
    announced: bool | None = None  # events of earlier versions do not say

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        former = ticket.former_handlers
        if ticket.handler and ticket.handler != self.handler:
            former = (*former, ticket.handler)
        return {
            "status": self.status,
            "queue": "agent",
            "team": self.team,
            "handler": self.handler,
            "handler_name": self.handler_name,
            "announced_team": self.team if self.announced else ticket.announced_team,
            "awaits_answer": False,
            "assigned_at": commit.at,
            "former_handlers": former,
            "reopen_to": None,
        }


class PriorityChanged(
    Event,
    label=("优先级已调整", "Priority changed"),
    webhook="ticket.priority_changed",
    wakes_router=True,
):
    """The priority was set by a person or raised by an escalation.

    `again`: a person raised it to what it was before, of which the supervisors know.
    """

    priority: TermName
    reason: FreeText = ""
    again: bool | None = None  # events of earlier versions do not say

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        if self.again is None:
            return {"priority": self.priority}
        former = dict.fromkeys((*ticket.former_priorities, ticket.priority))
        return {"priority": self.priority, "former_priorities": tuple(former)}
