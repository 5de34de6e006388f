"""Decide from a ticket's state how its closing workflow continues (F4).

The workflow's waiting tasks and the router, which wakes them, both call these functions, so their
decisions cannot differ.
"""

from __future__ import annotations

from typing import Literal, TypedDict

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


def after_survey(ticket: Ticket, resolution: int) -> TaskResult | None:
    """Return the result of the survey of a resolution, None while it is open (A13, D13)."""
    if ticket.resolutions != resolution:
        return REOPENED
    if ticket.status in _AWAITING_ANSWER:
        return None
    if ticket.status in OPEN or ticket.status == "merged":
        return REOPENED
    return REVIEW if ticket.status == "in_review" else ARCHIVE


def after_review(ticket: Ticket, resolution: int) -> TaskResult | None:
    """Return the result of the call-back of a resolution, None while it is pending (A13)."""
    result = after_survey(ticket, resolution)
    return None if result == REVIEW else result


def task_result(kind: TaskKind, ticket: Ticket, resolution: int) -> TaskResult | None:
    """Return the result of a waiting task, None while it has to wait."""
    rule = after_survey if kind == "survey" else after_review
    return rule(ticket, resolution)
