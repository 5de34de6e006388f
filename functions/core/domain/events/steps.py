"""The desk's own steps, and their approval."""

from functions.core.domain.events.base import Commit, Event
from functions.core.domain.privacy import FreeText, StepFields, TermName
from functions.core.domain.ticket import Attachment, Pending, Slip, Status, Ticket, TicketChanges


class StepTaken(
    Event, label=("处理进展", "Progress"), webhook="step.taken", customer="message", record="step"
):
    """One of the desk's own steps was taken, with its fields (D8–D11, B2, B6, E5).

    `asks` is the slip that it sends to a department, `answers` those that it answers.
    """

    step: TermName
    to: Status | None = None
    fields: StepFields = {}
    attachments: tuple[Attachment, ...] = ()
    customer_sees: bool = False
    responds: bool = False
    asks: Slip | None = None
    answers: tuple[Slip, ...] = ()

    @property
    def triggers(self) -> tuple[str, ...]:
        return (self.event, f"step:{self.step}")

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        closed = (*self.answers, self.asks)
        left = tuple(slip for slip in ticket.slips if slip not in closed)
        return {
            "status": self.to or ticket.status,
            "slips": (*left, self.asks) if self.asks else left,
            "facts": {**ticket.facts, **self.fields},
            "first_response_at": ticket.first_response_at or (commit.at if self.responds else None),
        }


class ApprovalRequested(
    Event, label=("等待主管审批", "Waiting for approval"), webhook="approval.requested"
):
    """A step exceeds the agent's authority and waits for a supervisor (C9)."""

    step: TermName
    fields: StepFields = {}
    attachments: tuple[Attachment, ...] = ()
    by: TermName = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        pending = Pending(
            step=self.step,
            fields=self.fields,
            attachments=self.attachments,
            # A second request while one is pending returns to the status before the first.
            status=ticket.pending.status if ticket.pending else ticket.status,
            by=self.by,
            at=commit.at,
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

    step: TermName
    approved: bool
    reason: FreeText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"status": status_after_approval(ticket), "pending": None}


def status_after_approval(ticket: Ticket) -> Status:
    """The status before the approval was requested, unless the ticket has moved on since."""
    if ticket.pending is None or ticket.status != "awaiting_department":
        return ticket.status
    return ticket.pending.status
