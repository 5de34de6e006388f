"""Periods: names, bounds in the desk's zone, and which have ended."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from functions.core.domain.errors import InvalidInput
from functions.core.reports.periods import KINDS, Period, ended

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("kind", "name", "first", "days"),
    [
        ("daily", "2026-11-28", date(2026, 11, 28), 1),
        ("weekly", "2026-W48", date(2026, 11, 23), 7),
        ("weekly", "2026-W53", date(2026, 12, 28), 7),
        ("monthly", "2026-11", date(2026, 11, 1), 30),
        ("monthly", "2026-12", date(2026, 12, 1), 31),
    ],
)
def test_a_period_is_read_and_written(kind: str, name: str, first: date, days: int) -> None:
    period = Period.parse(kind, name)
    assert (period.first, (period.after - period.first).days) == (first, days)
    assert period.name == name
    assert period.next.previous == period


@pytest.mark.parametrize(
    ("kind", "name", "field"),
    [
        ("yearly", "2026", "kind"),
        ("daily", "2026-11-31", "period"),
        ("daily", "20261128", "period"),
        ("weekly", "2025-W53", "period"),
        ("weekly", "2026-48", "period"),
        ("monthly", "2026-13", "period"),
        ("monthly", "2026-11-01", "period"),
        ("monthly", "0000-01", "period"),
        # The neighbours of these are in no calendar.
        ("daily", "9999-12-30", "period"),
        ("weekly", "9999-W52", "period"),
        ("monthly", "0001-01", "period"),
    ],
)
def test_what_is_no_period_is_named(kind: str, name: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Period.parse(kind, name)
    assert [error.field for error in refused.value.errors] == [field]


def test_days_have_the_hours_that_the_clocks_give_them() -> None:
    lengths = {
        name: (day.end(AMSTERDAM) - day.start(AMSTERDAM)) / timedelta(hours=1)
        for name in ("2026-03-29", "2026-10-25", "2026-10-26")
        for day in [Period.parse("daily", name)]
    }
    assert lengths == {"2026-03-29": 23, "2026-10-25": 25, "2026-10-26": 24}
    assert Period.parse("daily", "2026-03-29").start(AMSTERDAM) == datetime(
        2026, 3, 28, 23, tzinfo=UTC
    )


def test_a_period_has_ended_at_its_end() -> None:
    end = datetime(2026, 11, 29, 23, tzinfo=UTC)
    since = date(2026, 11, 16)
    assert [each.name for each in ended("weekly", since, end, AMSTERDAM)] == [
        "2026-W47", "2026-W48",
    ]  # fmt: skip
    assert [
        each.name for each in ended("weekly", since, end - timedelta(seconds=1), AMSTERDAM)
    ] == ["2026-W47"]


@given(st.sampled_from(KINDS), st.dates(date(2000, 1, 1), date(2199, 1, 1)))
def test_each_day_is_in_one_period_of_a_kind(kind: str, day: date) -> None:
    period = Period.of(kind, day)
    assert period.first <= day < period.after
    assert Period.parse(kind, period.name) == period
    assert period.next.first == period.after
