"""Decide from a ticket's state how its closing workflow continues (F4).

The workflow's waiting tasks and the router, which wakes them, both call these functions, so their
decisions cannot differ.
"""

from typing import Literal, TypedDict

from functions.core.domain.events import MergeReceived, MergeUndone, TicketUnmerged
from functions.core.domain.ticket import OPEN, Ticket

TaskKind = Literal["survey", "review"]
"""The waiting tasks: the customer's answer, and the call-back of the QA team."""


class TaskResult(TypedDict):
    """The result of a waiting task.

    `review`: the call-back of the QA team follows. `reopened`: the ticket was reopened or merged,
    so this execution ends.
    """

    review: bool
    reopened: bool


REOPENED = TaskResult(review=False, reopened=True)
REVIEW = TaskResult(review=True, reopened=False)
ARCHIVE = TaskResult(review=False, reopened=False)

_AWAITING_ANSWER = frozenset({"awaiting_confirmation", "resolved"})


NAME_LIMIT = 80
"""The most characters of an execution's name (Step Functions, "StartExecution")."""

AGAIN = "-again-"
"""Begins the suffix of an execution that failed and was started again, followed by a count."""

AGAIN_LENGTH = len(f"{AGAIN}99")

_LONGEST_RUN = max(
    (f"{event.__name__}-99999" for event in (MergeReceived, MergeUndone, TicketUnmerged)), key=len
)
"""The longest name of a run: the event and version that a workflow runs again for."""


def execution_name(desk: str, number: str, run: str) -> str:
    """Name one run of a ticket's closing workflow; Step Functions refuses a second of that name."""
    return f"{desk}-{number}-{run}"


def characters_over(desk: str, number: str) -> int:
    """Return by how many characters a ticket's longest execution name is too long; 0 if it fits."""
    longest = len(execution_name(desk, number, _LONGEST_RUN)) + AGAIN_LENGTH
    return max(longest - NAME_LIMIT, 0)


def after_survey(ticket: Ticket, resolution: int) -> TaskResult | None:
    if ticket.resolutions != resolution:
        return REOPENED
    if ticket.status in _AWAITING_ANSWER:
        return None
    if ticket.status in OPEN or ticket.status == "merged":
        return REOPENED
    return REVIEW if ticket.status == "in_review" else ARCHIVE


def after_review(ticket: Ticket, resolution: int) -> TaskResult | None:
    result = after_survey(ticket, resolution)
    return None if result == REVIEW else result


def task_result(kind: TaskKind, ticket: Ticket, resolution: int) -> TaskResult | None:
    rule = after_survey if kind == "survey" else after_review
    return rule(ticket, resolution)
