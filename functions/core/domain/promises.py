"""Promises to a customer: a time within opening hours, or when the desk opens (A4, A8)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.core.domain.calendar import BusinessCalendar

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Promise:
    """A promise to a customer: `by` a time at which the desk is open, else from `opens_at` on.

    Both are None if there is nothing to promise: no deadline, or one that has passed.
    """

    by: datetime | None = None
    opens_at: datetime | None = None


def promise(deadline: datetime | None, now: datetime, hours: BusinessCalendar) -> Promise:
    """Return what to tell a customer at `now` about a deadline.

    Nobody answers at half past eleven on a Saturday night because a clock says so: if the desk is
    closed at the deadline, its next opening is told instead.
    """
    if deadline is None or deadline <= now:
        return Promise()
    if hours.is_open(deadline) or hours.is_open(deadline - _INSTANT):
        return Promise(by=deadline)
    return Promise(opens_at=hours.add(deadline, _INSTANT) - _INSTANT)
