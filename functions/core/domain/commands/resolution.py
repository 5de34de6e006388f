"""Resolution, confirmation, survey, review, and reopening."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StrictBool

from functions.core.domain import events as e
from functions.core.domain.commands.base import (
    LEADERS,
    TO_CUSTOMER,
    AgentAction,
    Body,
    MessageText,
    Reason,
    Remark,
    TicketCommand,
    reopened,
)
from functions.core.domain.errors import AlreadyAnswered, FieldError, InvalidInput, Phrase
from functions.core.domain.privacy import FREE_TEXT, FreeText, TermName
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import DONE, OPEN, Status, Ticket

_ASKED: frozenset[Status] = frozenset({"resolved", "awaiting_confirmation"})


def already_answered() -> AlreadyAnswered:
    return AlreadyAnswered("This survey has been answered already. Thank you.")


class ResolveBody(Body):
    summary: MessageText


@dataclass(frozen=True)
class Resolve(
    TicketCommand,
    name="resolve",
    sources={"assigned", "in_progress", "awaiting_customer"},
    target="resolved",
    by="agent",
    meaning="solved, with a summary; awaiting_confirmation first where the desk asks",
    agents=AgentAction(
        label=("标记为已解决", "Resolve"), rights={"agent": "own", **LEADERS}, body=ResolveBody
    ),
):
    """Resolve the ticket; `summary` names the key action (A12)."""

    summary: FreeText

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        limit = playbook.fields.summary_max
        if not 1 <= len(self.summary) <= limit:
            phrase = Phrase(
                "write 1 to {limit} characters, not {length}", limit=limit, length=len(self.summary)
            )
            error = FieldError("summary", phrase)
            raise InvalidInput("A ticket is resolved with a summary of what was done.", (error,))
        resolved = e.TicketResolved(
            summary=self.summary,
            resolution=ticket.resolutions + 1,
            confirm=playbook.confirmation is not None,
        )
        return [resolved]


@dataclass(frozen=True)
class Confirm(
    TicketCommand,
    name="confirm",
    sources=_ASKED,
    by="customer",
    meaning="the customer says whether the problem is solved",
):
    """Record whether the problem is solved, in the customer's words (C10, D13)."""

    solved: bool
    reason: FreeText = ""

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        answer = e.ConfirmationGiven(solved=self.solved, reason=self.reason)
        confirmation = playbook.confirmation
        if not self.solved:
            to = confirmation.unsolved if confirmation else _after_poor_answer(playbook)
            again = reopened(ticket, self.reason, playbook, to)
            second = [e.SecondHandlingStarted(reason=self.reason)] if to == "senior" else []
            return [answer, *second, again, *_asking_why(ticket, self.reason)]
        if confirmation is not None and ticket.status == "awaiting_confirmation":
            if confirmation.solved == "callback" and confirmation.team:
                return [answer, e.CallbackRequested(team=confirmation.team, solved_by=ticket.team)]
            if confirmation.solved == "archive":
                return [answer, e.TicketArchived()]
            if ticket.score is not None:  # the survey was answered first
                return [answer, *_after_score(ticket, ticket.score, "", playbook)]
        return [answer]


def _asking_why(ticket: Ticket, reason: str) -> Sequence[e.Event]:
    """Ask once what is missing if a poor answer came without words."""
    return [] if reason or ticket.reason_asked else [e.ReasonAsked()]


def _after_poor_answer(playbook: Playbook) -> Literal["team", "senior"]:
    """The recipient of an unsolved ticket: a second handling if a poor score starts one (E7)."""
    return "senior" if playbook.survey.review.then == "second_handling" else "team"


class ReopenBody(Body):
    reason: Remark = ""


@dataclass(frozen=True)
class Reopen(
    TicketCommand,
    name="reopen",
    sources=DONE,
    target="queued",
    by="agent, customer",
    meaning="not solved after all",
    agents=AgentAction(
        label=("重新打开", "Reopen"), rights={"agent": "own", **LEADERS}, body=ReopenBody
    ),
):
    """Reopen a resolved or archived ticket."""

    reason: FreeText = ""

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        return [reopened(ticket, self.reason, playbook)]


@dataclass(frozen=True)
class AnswerSurvey(
    TicketCommand,
    name="survey",
    sources=_ASKED | {"in_review"},
    target="archived",
    keeps={"awaiting_confirmation", "in_review"},
    by="customer",
    meaning="a score; a poor one leads to in_review or to a second handling",
):
    """Record the customer's score (A13).

    `decides` is False if the customer confirms with the same message: then that decides.
    """

    score: int
    comment: FreeText = ""
    decides: bool = True

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        low, high = playbook.survey.scores
        if not low <= self.score <= high:
            error = FieldError("score", Phrase("a number from {low} to {high}", low=low, high=high))
            raise InvalidInput("The score is invalid.", (error,))
        if ticket.score is not None:
            raise already_answered()
        answer = e.SurveyAnswered(
            score=self.score, comment=self.comment, resolution=ticket.resolutions
        )
        poor = self.score < playbook.survey.review.below
        why = _asking_why(ticket, self.comment) if poor else []
        if not (self.decides and _settled_by_score(ticket, playbook)):
            return [answer, *why]
        return [answer, *_after_score(ticket, self.score, self.comment, playbook), *why]


def _settled_by_score(ticket: Ticket, playbook: Playbook) -> bool:
    """Return whether a score decides what follows, rather than the confirmation or the review.

    It also answers the question of the confirmation if a yes leads to nothing but the survey (C10).
    """
    confirmation = playbook.confirmation
    asked = confirmation is not None and confirmation.solved == "survey"
    return ticket.status == "resolved" or (asked and ticket.status == "awaiting_confirmation")


def _after_score(ticket: Ticket, score: int, comment: str, playbook: Playbook) -> Sequence[e.Event]:
    review = playbook.survey.review
    if score >= review.below:
        return [e.TicketArchived()]
    if review.then == "second_handling":
        again = reopened(ticket, comment, playbook, "senior")
        return [e.SecondHandlingStarted(reason=comment), again]
    return [e.ReviewRequested(team=review.team, score=score)]


@dataclass(frozen=True)
class ExpireSurvey(
    TicketCommand,
    name="expire-survey",
    sources=_ASKED,
    target="archived",
    by="closing workflow",
    meaning="nobody answered the survey",
):
    """End the wait for an answer to the survey of this resolution."""

    resolution: int

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        if self.resolution != ticket.resolutions:
            return []
        return [e.SurveyExpired(resolution=self.resolution), e.TicketArchived()]


@dataclass(frozen=True)
class AssignReview(
    TicketCommand,
    name="assign-review",
    sources={"in_review"},
    by="qa, supervisor",
    meaning="a reviewer is to call back",
):
    """Assign the call-back to somebody who has not handled the ticket, unless told to `insist`."""

    reviewer: TermName
    insist: bool = False

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        if ticket.reviewer == self.reviewer:
            return []
        if ticket.handled_by(self.reviewer) and not self.insist:
            error = FieldError(
                "agent", Phrase("{agent} has handled this ticket", agent=self.reviewer)
            )
            raise InvalidInput(
                "Whoever has handled a ticket does not call back about it; name somebody else. "
                "A supervisor can insist (insist: true).",
                (error,),
            )
        return [e.ReviewAssigned(reviewer=self.reviewer)]


class CallbackBody(Body):
    cause: Reason
    note: Annotated[str, Field(max_length=4000), FREE_TEXT] = ""


@dataclass(frozen=True)
class RecordCallback(
    TicketCommand,
    name="callback",
    sources={"in_review"},
    target="archived",
    by="qa",
    meaning="called back, the cause recorded",
    agents=AgentAction(
        label=("记录回访", "Record call-back"),
        rights={"agent": "callback", "qa": "review", **LEADERS},
        body=CallbackBody,
    ),
):
    """Record the call-back (A13)."""

    cause: FreeText
    note: FreeText = ""

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        called = e.CallbackRecorded(cause=self.cause, note=self.note)
        return [called, e.TicketArchived(team=ticket.solved_by)]


@dataclass(frozen=True)
class ExpireReview(
    TicketCommand,
    name="expire-review",
    sources={"in_review"},
    target="archived",
    by="closing workflow",
    meaning="nobody called back in time",
):
    """End the wait for the call-back after this resolution."""

    resolution: int

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        if self.resolution != ticket.resolutions:
            return []
        return [e.ReviewExpired(), e.TicketArchived(team=ticket.solved_by)]


class CloseBody(Body):
    """The customer is told the reason; `silent` ends spam and duplicates without a message."""

    reason: Annotated[Reason, TO_CUSTOMER]
    silent: StrictBool = False


@dataclass(frozen=True)
class Close(
    TicketCommand,
    name="close",
    sources=OPEN,
    target="closed",
    by="supervisor",
    meaning="ended without a solution, with a reason",
    agents=AgentAction(label=("关闭", "Close"), rights=LEADERS, body=CloseBody),
):
    """End the ticket without a solution."""

    reason: FreeText
    silent: bool = False

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        return [e.TicketClosed(reason=self.reason, silent=self.silent)]
