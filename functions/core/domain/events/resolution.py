"""Resolution, confirmation, survey, review, archive."""

from functions.core.domain.events.base import Commit, Event
from functions.core.domain.privacy import FreeText, TermName
from functions.core.domain.ticket import ReopenTo, Status, Ticket, TicketChanges


class TicketResolved(
    Event,
    label=("问题已处理完成", "Resolved"),
    webhook="ticket.resolved",
    wakes_router=True,
    customer="status",
    record="solution",
    says="summary",
):
    """An agent resolved the ticket; `resolution` counts its resolutions (A12)."""

    summary: FreeText
    resolution: int
    confirm: bool = False

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {
            "status": "awaiting_confirmation" if self.confirm else "resolved",
            "summary": self.summary,
            "resolved_at": commit.at,
            "resolutions": self.resolution,
            "pending": None,
            "slips": (),
        }


class TicketReopened(
    Event,
    label=("已重新处理", "Reopened"),
    webhook="ticket.reopened",
    wakes_router=True,
    customer="status",
):
    """The problem is not solved after all; `to` names the recipient (B9, E7)."""

    reason: FreeText = ""
    team: TermName
    to: ReopenTo = "team"

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {
            **ticket.released(),
            "status": "queued",
            "queue": "waiting",
            "team": self.team,
            "solved_by": None,
            "reviewer": None,
            "summary": None,
            "score": None,
            "resolved_at": None,
            "archived_at": None,
            "level": ticket.level + (self.to == "senior"),
            "reopen_to": self.to,
            "former_priorities": (),
            "pending": None,
            "slips": (),
        }


class SecondHandlingStarted(
    Event,
    label=("由资深同事重新处理", "Taken up by a senior colleague"),
    webhook="second_handling.started",
    customer="status",
):
    """The customer is not satisfied; the ticket is handled again, one level up (B9, E7)."""

    reason: FreeText = ""


class ConfirmationGiven(
    Event,
    label=("已反馈处理结果", "Feedback on the solution"),
    webhook="confirmation.answered",
    wakes_router=True,
    customer="status",
    record="communication",
    says="reason",
):
    """The customer said whether the problem is solved (C10, D13)."""

    solved: bool
    reason: FreeText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        if self.solved and ticket.status == "awaiting_confirmation":
            return {"status": "resolved"}
        return {}


class ReasonAsked(
    Event,
    label=("请您说明原因", "We asked what is missing"),
    webhook="reason.requested",
    customer="status",
):
    """The customer, whose poor answer had no words, was asked what is missing; handling goes on."""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"reason_asked": True}


class CallbackRequested(
    Event,
    label=("安排电话回访", "Call-back arranged"),
    webhook="callback.requested",
    customer="status",
):
    """The customer confirmed the solution; a team is to call back and record it (D13).

    `solved_by` is the team that solved the ticket and gets it back after the call (D14).
    """

    team: TermName
    solved_by: TermName | None = None

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {
            "status": "in_review",
            "queue": "waiting",
            "team": self.team,
            "solved_by": self.solved_by,
        }


class SurveyAnswered(
    Event,
    label=("已收到评价", "Survey answered"),
    webhook="survey.answered",
    wakes_router=True,
    customer="status",
    record="communication",
    says="comment",
):
    """The customer scored one resolution (A13)."""

    score: int
    comment: FreeText = ""
    resolution: int

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"score": self.score}


class SurveyExpired(Event, label=("评价已到期", "Survey expired"), webhook="survey.expired"):
    """Nobody answered the survey in time; the ticket is archived without a score."""

    resolution: int


class ReviewRequested(
    Event, label=("安排回访", "Call-back arranged"), webhook="review.requested", customer="status"
):
    """A poor score put the ticket in the QA team's review (A13)."""

    team: TermName
    score: int

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"status": "in_review", "queue": "qa"}


class ReviewAssigned(
    Event, label=("已指定回访人员", "Call-back assigned"), webhook="review.assigned"
):
    """A QA member was assigned the call-back (A13)."""

    reviewer: TermName

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"reviewer": self.reviewer}


class CallbackRecorded(
    Event,
    label=("已完成回访", "Called back"),
    webhook="callback.recorded",
    wakes_router=True,
    customer="status",
    record="communication",
    says="cause",
):
    """The call-back was made and its cause recorded (A13)."""

    cause: FreeText
    note: FreeText = ""


class ReviewExpired(Event, label=("回访已到期", "Call-back expired"), webhook="review.expired"):
    """Nobody recorded a call-back in time; the review ends without one."""


class TicketArchived(
    Event, label=("已归档", "Archived"), webhook="ticket.archived", customer="status"
):
    """The ticket's document went to the archive.

    `team` is the one that solved the ticket, if another one called the customer back (D14).
    """

    team: TermName | None = None

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {**_ended("archived", commit), "team": self.team or ticket.team}


class TicketClosed(
    Event, label=("已关闭", "Closed"), webhook="ticket.closed", wakes_router=True, customer="status"
):
    """A supervisor closed the ticket without a solution; `silent`: the customer is not told."""

    reason: FreeText
    silent: bool = False

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return _ended("closed", commit)


def _ended(status: Status, commit: Commit) -> TicketChanges:
    return {"status": status, "queue": "closed", "archived_at": commit.at, "pending": None}
