"""What a ticket's state means to the closing workflow: wait on, or which way to go."""

from __future__ import annotations

from typing import TypedDict

from functions.core.ticket import OPEN, Ticket


class Answer(TypedDict):
    """What a waiting step ends with. `reopened`: the problem came back, so this run is over."""

    review: bool
    reopened: bool


REOPENED = Answer(review=False, reopened=True)
REVIEW = Answer(review=True, reopened=False)
ARCHIVE = Answer(review=False, reopened=False)


def after_survey(ticket: Ticket, resolution: int) -> Answer | None:
    """Where the run for `resolution` goes from its survey; None while the answer is open (A13)."""
    if ticket.resolutions != resolution or ticket.status in OPEN:
        return REOPENED
    if ticket.status == "resolved":
        return None
    return REVIEW if ticket.status == "in_review" else ARCHIVE


def after_review(ticket: Ticket, resolution: int) -> Answer | None:
    """Where the run for `resolution` goes from its review; None while nobody called back (A13)."""
    found = after_survey(ticket, resolution)
    if found == REVIEW:
        return None
    return found
