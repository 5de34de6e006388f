"""Promises to a customer: never a time that has passed, or at which nobody is there."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from functions.core.domain.calendar import BusinessCalendar
from functions.core.domain.promises import Promise, promise

ZONE = ZoneInfo("Asia/Shanghai")
WEEK = {
    day: [["09:00", "12:00"], ["13:30", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")
}
OFFICE = BusinessCalendar.from_dict({"timezone": "Asia/Shanghai", "hours": WEEK})
ALWAYS = BusinessCalendar.from_dict({"timezone": "Asia/Shanghai"})


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-05-{text}").replace(tzinfo=ZONE)


@pytest.mark.requirement("A4", "A8", "G2")
@pytest.mark.parametrize(
    ("deadline", "hours", "told"),
    [
        ("22 10:04", OFFICE, Promise(by=at("22 10:04"))),
        ("22 18:00", OFFICE, Promise(by=at("22 18:00"))),  # the closing minute itself
        ("25 23:30", OFFICE, Promise(opens_at=at("27 09:00"))),  # a Saturday night
        ("22 12:40", OFFICE, Promise(opens_at=at("22 13:30"))),
        ("25 23:30", ALWAYS, Promise(by=at("25 23:30"))),
        ("20 09:00", ALWAYS, Promise()),  # now
        ("19 09:00", OFFICE, Promise()),
        (None, OFFICE, Promise()),
    ],
)
def test_a_promise_is_ahead_and_within_opening_hours(
    deadline: str | None, hours: BusinessCalendar, told: Promise
) -> None:
    assert promise(at(deadline) if deadline else None, at("20 09:00"), hours) == told
