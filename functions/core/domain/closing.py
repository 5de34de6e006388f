"""What a ticket's state means to its closing workflow: wait on, or which way to go (F4).

The workflow's waiting steps and the router, which wakes them, both ask here, so they cannot differ.
"""

from __future__ import annotations

from typing import TypedDict

from functions.core.domain.ticket import OPEN, Ticket


class TaskResult(TypedDict):
    """What a waiting step ends with. `reopened`: the problem came back, or the ticket
    goes on under another number, so this run is over."""

    review: bool
    reopened: bool


REOPENED = TaskResult(review=False, reopened=True)
REVIEW = TaskResult(review=True, reopened=False)
ARCHIVE = TaskResult(review=False, reopened=False)

_ASKED = frozenset({"awaiting_confirmation", "resolved"})


def after_survey(ticket: Ticket, resolution: int) -> TaskResult | None:
    """Where the run for `resolution` goes from its question; None while that is open (A13, D13)."""
    if ticket.resolutions != resolution:
        return REOPENED
    if ticket.status in _ASKED:
        return None
    if ticket.status in OPEN or ticket.status == "merged":
        return REOPENED
    return REVIEW if ticket.status == "in_review" else ARCHIVE


def after_review(ticket: Ticket, resolution: int) -> TaskResult | None:
    """Where the run for `resolution` goes from its call-back; None while nobody called (A13)."""
    found = after_survey(ticket, resolution)
    return None if found == REVIEW else found
