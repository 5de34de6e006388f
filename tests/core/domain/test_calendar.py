"""Business time with lunch breaks, public holidays and make-up workdays (调休)."""

import copy
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import example, given, settings, strategies as st

from functions.core.domain.calendar import WEEKDAYS, BusinessCalendar
from tests.growth import seconds

pytestmark = pytest.mark.requirement("G2")
SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
WORKING_DAYS = WEEKDAYS[:5]
OFFICE = {day: [["09:00", "18:00"]] for day in WORKING_DAYS}
LUNCH = {day: [["09:00", "12:00"], ["13:30", "18:00"]] for day in WORKING_DAYS}
NIGHT = {day: [["22:00", "06:00"]] for day in WEEKDAYS}
ROUND_THE_CLOCK = {day: [["00:00", "24:00"]] for day in WEEKDAYS}


def calendar(zone: str = "Asia/Shanghai", **keys: Any) -> BusinessCalendar:
    return BusinessCalendar.from_dict({"timezone": zone, **keys})


def cn(*wall: int) -> datetime:
    return datetime(*wall, tzinfo=SHANGHAI)  # type: ignore[arg-type, misc]


def test_lunch_does_not_count() -> None:
    desk = calendar(hours=LUNCH)
    assert desk.add(cn(2026, 3, 2, 11, 30), HOUR) == cn(2026, 3, 2, 14)
    assert desk.between(cn(2026, 3, 2, 11), cn(2026, 3, 2, 14)) == timedelta(hours=1.5)
    assert not desk.is_open(cn(2026, 3, 2, 12))
    assert desk.is_open(cn(2026, 3, 2, 13, 30))


def test_a_deadline_falls_on_the_closing_minute_not_the_next_opening() -> None:
    desk = calendar(hours=LUNCH)
    assert desk.add(cn(2026, 3, 6, 17), HOUR) == cn(2026, 3, 6, 18)
    assert desk.add(cn(2026, 3, 6, 11), HOUR) == cn(2026, 3, 6, 12)
    assert desk.add(cn(2026, 3, 6, 18), timedelta(microseconds=1)) == cn(2026, 3, 9, 9) + timedelta(
        microseconds=1
    )


def test_hours_are_half_open() -> None:
    desk = calendar(hours=OFFICE)
    tick = timedelta(microseconds=1)
    assert desk.is_open(cn(2026, 3, 2, 9))
    assert not desk.is_open(cn(2026, 3, 2, 9) - tick)
    assert desk.is_open(cn(2026, 3, 2, 18) - tick)
    assert not desk.is_open(cn(2026, 3, 2, 18))


def test_adding_zero_returns_the_start_even_while_closed() -> None:
    sunday = cn(2026, 3, 8, 3)
    assert calendar(hours=OFFICE).add(sunday, timedelta(0)) == sunday


def test_the_result_is_in_the_zone_of_the_start() -> None:
    desk = calendar(hours=OFFICE)
    start = datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert desk.add(start, HOUR).tzinfo is UTC
    assert desk.add(start.astimezone(NEW_YORK), HOUR).tzinfo is NEW_YORK


def test_between_is_negative_backwards() -> None:
    desk = calendar(hours=LUNCH)
    earlier, later = cn(2024, 12, 31, 17), cn(2027, 1, 4, 10)
    assert desk.between(later, earlier) == -desk.between(earlier, later)
    assert calendar().between(later, earlier) == earlier - later


def test_no_hours_at_all_means_always_open() -> None:
    for desk in (
        BusinessCalendar.from_dict({}),
        calendar(),
        calendar(hours={}),
        calendar(hours={"mon": [], "sun": []}),
        calendar(hours=None, holidays=["2026-10-01"], workdays=None, workday_hours=None),
    ):
        assert desk.always_open
        assert desk.is_open(cn(2026, 10, 1, 3))
        assert desk.is_workday(date(2026, 10, 1))
        assert desk.add(cn(2026, 10, 1, 3), timedelta(days=40)) == cn(2026, 11, 10, 3)
        assert desk.between(cn(2026, 10, 1, 3), cn(2026, 10, 1, 4)) == HOUR


def test_an_end_of_24_00_is_midnight() -> None:
    desk = calendar(hours={"mon": [["18:00", "24:00"]], "tue": [["00:00", "01:00"]]})
    assert desk.between(cn(2026, 3, 2), cn(2026, 3, 4)) == 7 * HOUR
    assert desk.add(cn(2026, 3, 2, 23), HOUR) == cn(2026, 3, 3)
    assert desk.is_open(cn(2026, 3, 3))
    all_week = calendar(hours=ROUND_THE_CLOCK)
    assert all_week.between(cn(2020, 1, 1), cn(2026, 1, 1)) == cn(2026, 1, 1) - cn(2020, 1, 1)


def test_an_end_of_00_00_closes_at_midnight() -> None:
    desk = calendar(hours={"mon": [["18:00", "00:00"]]})
    assert desk.between(cn(2026, 3, 2), cn(2026, 3, 4)) == 6 * HOUR


def test_a_night_shift_ends_on_a_holiday_but_does_not_begin_there() -> None:
    desk = calendar(hours=NIGHT, holidays=["2026-03-03"])
    assert desk.is_open(cn(2026, 3, 3, 5, 59))
    assert not desk.is_open(cn(2026, 3, 3, 22))
    assert not desk.is_open(cn(2026, 3, 4, 5))
    assert desk.between(cn(2026, 3, 2, 12), cn(2026, 3, 4, 12)) == 8 * HOUR
    assert not desk.is_workday(date(2026, 3, 3))


def test_a_night_shift_over_new_year_is_counted_once() -> None:
    desk = calendar(hours=NIGHT)
    assert desk.between(cn(2025, 12, 31, 12), cn(2026, 1, 1, 12)) == 8 * HOUR
    assert desk.add(cn(2025, 12, 31, 12), 8 * HOUR) == cn(2026, 1, 1, 6)
    assert desk.is_open(cn(2026, 1, 1))


def test_overlaps_are_counted_once() -> None:
    desk = calendar(
        hours={
            "mon": [["22:00", "06:00"], ["21:00", "23:00"]],
            "tue": [["05:00", "09:00"], ["09:00", "10:00"], ["08:30", "09:30"]],
        }
    )
    assert desk.between(cn(2026, 3, 2), cn(2026, 3, 4)) == 13 * HOUR
    assert desk.add(cn(2026, 3, 2, 21), 13 * HOUR) == cn(2026, 3, 3, 10)


# Make-up workdays


def test_a_make_up_day_without_hours_has_mondays() -> None:
    desk = calendar(
        hours={**OFFICE, "mon": [["10:00", "16:00"]]},
        holidays=["2026-10-09"],
        workdays=["2026-10-10"],
    )
    assert desk.is_workday(date(2026, 10, 10))
    assert not desk.is_workday(date(2026, 10, 9))
    assert desk.between(cn(2026, 10, 9), cn(2026, 10, 12)) == 6 * HOUR
    assert desk.is_open(cn(2026, 10, 10, 10))
    assert not desk.is_open(cn(2026, 10, 10, 9))


def test_a_make_up_weekend_day_has_mondays_hours() -> None:
    desk = calendar(hours={**OFFICE, "sat": [["10:00", "12:00"]]}, workdays=["2026-10-10"])
    assert desk.between(cn(2026, 10, 10), cn(2026, 10, 11)) == 9 * HOUR
    assert desk.between(cn(2026, 10, 17), cn(2026, 10, 18)) == 2 * HOUR


def test_a_desk_can_set_the_hours_of_make_up_days() -> None:
    desk = calendar(hours=OFFICE, workdays=["2026-10-10"], workday_hours=[["20:00", "02:00"]])
    assert desk.between(cn(2026, 10, 10), cn(2026, 10, 11)) == 4 * HOUR
    assert desk.between(cn(2026, 10, 11), cn(2026, 10, 12)) == 2 * HOUR


def test_without_monday_hours_a_make_up_day_has_the_first_open_weekdays() -> None:
    desk = calendar(hours={"wed": [["09:00", "11:00"]]}, workdays=["2026-10-10", "2026-10-05"])
    assert desk.between(cn(2026, 10, 10), cn(2026, 10, 11)) == 2 * HOUR
    assert desk.between(cn(2026, 10, 5), cn(2026, 10, 6)) == 2 * HOUR


def test_a_workday_that_is_also_a_holiday_is_a_workday_with_its_own_hours() -> None:
    desk = calendar(
        hours={**OFFICE, "thu": [["09:00", "10:00"]]},
        holidays={"country": "CN", "extra": ["2026-10-08"]},
        workdays=["2026-10-01", "2026-10-08"],
        workday_hours=[["20:00", "22:00"]],
    )
    assert desk.between(cn(2026, 10, 1), cn(2026, 10, 2)) == HOUR
    assert desk.is_workday(date(2026, 10, 8))


# Public holidays. Source of the days: 国务院办公厅关于部分节假日安排的通知 of each year.
# (year, days off that are named as month.day or ranges of them, make-up workdays)
NOTICES = [
    (2012, "1.1-1.3 1.22-1.28 4.2-4.4 4.29-5.1 6.22-6.24 9.30-10.7",
     "1.21 1.29 3.31 4.1 4.28 9.29"),
    (2015, "1.1-1.3 2.18-2.24 4.5-4.6 5.1 6.20 6.22 9.3-9.5 9.27 10.1-10.7",
     "1.4 2.15 2.28 9.6 10.10"),
    (2018, "1.1 2.15-2.21 4.5-4.7 4.29-5.1 6.18 9.24 10.1-10.7 12.30-12.31",
     "2.11 2.24 4.8 4.28 9.29 9.30 12.29"),
    (2019, "1.1 2.4-2.10 4.5 5.1-5.4 6.7 9.13 10.1-10.7", "2.2 2.3 4.28 5.5 9.29 10.12"),
    (2020, "1.1 1.24-2.2 4.4-4.6 5.1-5.5 6.25-6.27 10.1-10.8", "1.19 4.26 5.9 6.28 9.27 10.10"),
    (2021, "1.1-1.3 2.11-2.17 4.3-4.5 5.1-5.5 6.12-6.14 9.19-9.21 10.1-10.7",
     "2.7 2.20 4.25 5.8 9.18 9.26 10.9"),
    (2022, "1.1-1.3 1.31-2.6 4.3-4.5 4.30-5.4 6.3-6.5 9.10-9.12 10.1-10.7 12.31",
     "1.29 1.30 4.2 4.24 5.7 10.8 10.9"),
    (2023, "1.1-1.2 1.21-1.27 4.5 4.29-5.3 6.22-6.24 9.29-10.6",
     "1.28 1.29 4.23 5.6 6.25 10.7 10.8"),
    (2024, "1.1 2.10-2.17 4.4-4.6 5.1-5.5 6.10 9.15-9.17 10.1-10.7",
     "2.4 2.18 4.7 4.28 5.11 9.14 9.29 10.12"),
    (2025, "1.1 1.28-2.4 4.4-4.6 5.1-5.5 5.31-6.2 10.1-10.8", "1.26 2.8 4.27 9.28 10.11"),
    (2026, "1.1-1.3 2.15-2.23 4.4-4.6 5.1-5.5 6.19-6.21 9.25-9.27 10.1-10.7",
     "1.4 2.14 2.28 5.9 9.20 10.10"),
]  # fmt: skip


def days(year: int, ranges: str) -> Iterator[date]:
    for span in ranges.split():
        first, _, last = span.partition("-")
        day = date(year, *map(int, first.split(".")))
        until = date(year, *map(int, (last or first).split(".")))
        while day <= until:
            yield day
            day += timedelta(days=1)


@pytest.mark.parametrize(("year", "off", "make_up"), NOTICES, ids=[str(n[0]) for n in NOTICES])
def test_chinese_days_off_and_make_up_workdays_match_the_notice(
    year: int, off: str, make_up: str
) -> None:
    office = calendar(hours=OFFICE, holidays={"country": "CN"})
    every_day = calendar(
        hours={day: [["09:00", "18:00"]] for day in WEEKDAYS}, holidays={"country": "CN"}
    )
    named, worked = set(days(year, off)), set(days(year, make_up))
    for day in days(year, "1.1-12.31"):
        # A desk that never rests shows which weekends the notice counts as holiday.
        assert every_day.is_workday(day) == (day not in named), day
        expected = day in worked or (day.weekday() < 5 and day not in named)
        assert office.is_workday(day) == expected, day


def test_the_desks_own_holidays_override_make_up_days() -> None:
    closed = {"country": "CN", "extra": ["2026-10-10"]}
    assert calendar(hours=OFFICE, holidays={"country": "CN"}).is_workday(date(2026, 10, 10))
    assert not calendar(hours=OFFICE, holidays=closed).is_workday(date(2026, 10, 10))


def test_a_year_without_a_notice_has_statutory_and_own_holidays() -> None:
    desk = calendar(
        hours=OFFICE, holidays={"country": "CN", "extra": ["2099-10-07"]}, workdays=["2099-10-10"]
    )
    assert not desk.is_workday(date(2099, 10, 1))
    assert not desk.is_workday(date(2099, 10, 7))
    assert desk.is_workday(date(2099, 10, 10))


def test_a_subdivision_has_its_holidays() -> None:
    epiphany = date(2026, 1, 6)
    germany = calendar("Europe/Berlin", hours=OFFICE, holidays={"country": "DE"})
    bavaria = calendar(
        "Europe/Berlin", hours=OFFICE, holidays={"country": "DE", "subdivision": "BY"}
    )
    assert germany.is_workday(epiphany)
    assert not bavaria.is_workday(epiphany)
    assert not germany.is_workday(date(2026, 10, 3))


# Daylight saving


@pytest.mark.parametrize(
    ("zone", "before", "after", "night"),
    [
        (BERLIN, date(2026, 3, 28), date(2026, 3, 29), 7),
        (BERLIN, date(2026, 10, 24), date(2026, 10, 25), 9),
        (NEW_YORK, date(2026, 3, 7), date(2026, 3, 8), 7),
        (NEW_YORK, date(2026, 10, 31), date(2026, 11, 1), 9),
    ],
)
def test_a_night_shift_over_a_clock_change_counts_elapsed_time(
    zone: ZoneInfo, before: date, after: date, night: int
) -> None:
    desk = calendar(str(zone), hours=NIGHT)
    evening = datetime(before.year, before.month, before.day, 22, tzinfo=zone)
    morning = datetime(after.year, after.month, after.day, 6, tzinfo=zone)
    assert desk.between(evening, morning) == night * HOUR
    assert desk.add(evening, night * HOUR) == morning
    day = calendar(str(zone), hours=ROUND_THE_CLOCK)
    midnight = morning.replace(hour=0)
    assert day.between(midnight, midnight + timedelta(days=1)) == (night + 16) * HOUR


def test_a_skipped_clock_time_means_the_moment_of_the_skip() -> None:
    skip = datetime(2026, 3, 29, 1, tzinfo=UTC)
    opening = calendar("Europe/Berlin", hours={"sun": [["02:30", "05:00"]]})
    assert opening.is_open(skip)
    assert not opening.is_open(skip - timedelta(microseconds=1))
    assert opening.between(skip - HOUR, skip + 9 * HOUR) == 2 * HOUR
    closing = calendar("Europe/Berlin", hours={"sun": [["01:00", "02:30"]]})
    assert closing.add(skip - HOUR, HOUR) == skip
    assert not closing.is_open(skip)
    skipped = calendar("Europe/Berlin", hours={"sun": [["02:15", "02:45"]]})
    assert skipped.between(skip - HOUR, skip + HOUR) == timedelta(0)


def test_a_repeated_clock_time_means_its_first_occurrence() -> None:
    first_two = datetime(2026, 10, 25, 0, tzinfo=UTC)
    desk = calendar("Europe/Berlin", hours={"sun": [["01:00", "02:30"]]})
    assert desk.add(first_two - HOUR, timedelta(hours=1.5)) == first_two + 30 * MINUTE
    assert not desk.is_open(first_two + 75 * MINUTE)
    start = datetime(2026, 10, 25, 2, 15, tzinfo=BERLIN)
    assert desk.is_open(start)
    assert not desk.is_open(start.replace(fold=1))


def test_a_day_that_a_zone_skips_has_no_business_time() -> None:
    # Samoa went from 29 to 31 December 2011.
    desk = calendar("Pacific/Apia", hours=ROUND_THE_CLOCK)
    zone = ZoneInfo("Pacific/Apia")
    start, end = datetime(2011, 12, 29, tzinfo=zone), datetime(2012, 1, 1, tzinfo=zone)
    assert desk.between(start, end) == 48 * HOUR


def test_desk_and_caller_can_be_in_different_years() -> None:
    east = calendar("Pacific/Auckland", hours=ROUND_THE_CLOCK)
    west = calendar("America/Los_Angeles", hours=ROUND_THE_CLOCK)
    for desk in (east, west):
        for start in (datetime(2025, 12, 31, 20, tzinfo=UTC), datetime(2026, 1, 1, 2, tzinfo=UTC)):
            assert desk.is_open(start)
            assert desk.add(start, 48 * HOUR) == start + 48 * HOUR
            assert desk.between(start, start + 48 * HOUR) == 48 * HOUR


# Properties

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
# Around both clock changes of each of the zones, and around a new year.
SEASONS = [
    datetime(2026, month, day, tzinfo=UTC)
    for month, day in ((3, 6), (3, 27), (4, 3), (10, 2), (10, 23), (10, 30), (12, 30))
]


@st.composite
def times_of_day(draw: st.DrawFn) -> list[str]:
    minutes = st.integers(0, 95).map(lambda quarter: quarter * 15)
    start = draw(minutes)
    end = draw(st.integers(1, 96).map(lambda q: q * 15).filter(lambda end: end != start))
    return [f"{minute // 60:02}:{minute % 60:02}" for minute in (start, end)]


@st.composite
def desks(draw: st.DrawFn) -> dict[str, Any]:
    day = st.lists(times_of_day(), max_size=3)
    hours = draw(
        st.fixed_dictionaries(dict.fromkeys(WEEKDAYS, day)).filter(lambda h: any(h.values()))
    )
    near = st.builds(
        lambda season, offset: (season + timedelta(days=offset)).date().isoformat(),
        st.sampled_from(SEASONS),
        st.integers(-1, 4),
    )
    return {
        "timezone": draw(st.sampled_from(ZONES)),
        "hours": hours,
        "holidays": draw(st.lists(near, max_size=4)),
        "workdays": draw(st.lists(near, max_size=4)),
        "workday_hours": draw(st.none() | day),
    }


instants = st.builds(
    lambda season, second: season + timedelta(seconds=second),
    st.sampled_from(SEASONS),
    st.integers(0, 4 * 86400),
)
durations = st.timedeltas(timedelta(0), timedelta(days=60)) | st.builds(
    lambda minutes: minutes * MINUTE, st.integers(0, 6000)
)


@given(desks(), instants, durations)
def test_between_inverts_add(desk: dict[str, Any], start: datetime, duration: timedelta) -> None:
    business = BusinessCalendar.from_dict(desk)
    deadline = business.add(start, duration)
    assert business.between(start, deadline) == duration
    assert business.between(deadline, start) == -duration
    if duration:
        # The earliest such instant: just before it less has passed.
        assert business.between(start, deadline - timedelta(microseconds=1)) < duration


@given(desks(), instants, durations, durations)
def test_adding_is_monotonic_and_additive(
    desk: dict[str, Any], start: datetime, one: timedelta, two: timedelta
) -> None:
    business = BusinessCalendar.from_dict(desk)
    assert business.add(start, min(one, two)) <= business.add(start, max(one, two))
    assert business.add(business.add(start, one), two) == business.add(start, one + two)


@given(desks(), instants, instants, instants)
def test_business_time_is_additive_over_a_pause(
    desk: dict[str, Any], one: datetime, two: datetime, three: datetime
) -> None:
    business = BusinessCalendar.from_dict(desk)
    whole = business.between(one, three)
    assert business.between(one, two) + business.between(two, three) == whole


def slow_opening_minutes(desk: dict[str, Any], start: datetime, count: int) -> list[bool]:
    """Compute opening minutes minute by minute from the wall clock, as a reference.

    A clock that is set back shows no new time until it has caught up, hence the maximum.
    """
    zone = ZoneInfo(desk["timezone"])
    hours = desk["hours"]
    make_up = desk["workday_hours"] or next(hours[day] for day in WEEKDAYS if hours[day])

    def intervals(day: date) -> list[list[str]]:
        weekday = WEEKDAYS[day.weekday()]
        own: list[list[str]] = hours[weekday]
        if day.isoformat() in desk["workdays"]:
            return own if own and day.weekday() < 5 else make_up
        return [] if day.isoformat() in desk["holidays"] else own

    def is_open(wall: datetime) -> bool:
        clock = f"{wall:%H:%M}"
        today, yesterday = wall.date(), wall.date() - timedelta(days=1)
        return any(
            opens <= clock and (clock < closes or closes < opens)
            for opens, closes in intervals(today)
        ) or any(clock < closes < opens for opens, closes in intervals(yesterday))

    shown = datetime.min  # noqa: DTZ901 - a reading of the wall clock
    minutes = []
    for minute in range(-120, count):
        at = (start + minute * MINUTE).astimezone(zone)
        shown = max(shown, at.replace(tzinfo=None))
        minutes.append(is_open(shown))
    return minutes[120:]


@pytest.mark.slow
@settings(max_examples=60)
@given(desks(), st.sampled_from(SEASONS))
@example(
    {
        "timezone": "Europe/Berlin",
        "hours": {day: [["02:15", "02:45"], ["23:30", "02:30"]] for day in WEEKDAYS},
        "holidays": [],
        "workdays": [],
        "workday_hours": None,
    },
    SEASONS[4],
)
def test_a_minute_by_minute_reference_agrees(desk: dict[str, Any], start: datetime) -> None:
    business = BusinessCalendar.from_dict(desk)
    count = 3 * 24 * 60
    expected = slow_opening_minutes(desk, start, count)
    found = [business.is_open(start + minute * MINUTE) for minute in range(count)]
    assert found == expected
    assert business.between(start, start + count * MINUTE) == sum(expected) * MINUTE
    worked = [minute for minute, is_open in enumerate(expected) if is_open]
    for done in range(0, len(worked), 97):
        assert business.add(start, (done + 1) * MINUTE) == start + (worked[done] + 1) * MINUTE


# What is refused


@pytest.mark.parametrize(
    ("change", "key", "expected"),
    [
        ({"timezone": None}, "timezone", "IANA"),
        ({"timezone": "Asia/Nowhere"}, "timezone", "IANA"),
        ({"timezone": "../etc/passwd"}, "timezone", "IANA"),
        ({"timezone": "Asia"}, "timezone", "IANA"),
        ({"hours": [["09:00", "18:00"]]}, "hours", "a mapping"),
        ({"hours": {"Mon": []}}, "hours.Mon", "unknown key, expected one of mon"),
        ({"hours": {"mon": None}}, "hours.mon", "[] for closed"),
        ({"hours": {"mon": "09:00-18:00"}}, "hours.mon", "a list"),
        ({"hours": {"mon": ["09:00", "18:00"]}}, "hours.mon[0]", "opening and a closing"),
        ({"hours": {"mon": [["09:00"]]}}, "hours.mon[0]", "opening and a closing"),
        ({"hours": {"mon": [["9:00", "18:00"]]}}, "hours.mon[0][0]", '"HH:MM"'),
        ({"hours": {"mon": [["09:00", "24:01"]]}}, "hours.mon[0][1]", '"24:00"'),
        ({"hours": {"mon": [["24:00", "06:00"]]}}, "hours.mon[0][0]", 'before "24:00"'),
        ({"hours": {"mon": [["09:00", "09:00"]]}}, "hours.mon[0]", "differ"),
        ({"hours": {"mon": [["08:00", 1320]]}}, "hours.mon[0][1]", "quotes"),
        ({"holidays": "2026-10-01"}, "holidays", "a list of dates"),
        ({"holidays": 7}, "holidays", "a list of dates"),
        ({"holidays": ["2026-10-01", "2026-02-30"]}, "holidays[1]", "YYYY-MM-DD"),
        ({"holidays": ["20261001"]}, "holidays[0]", "YYYY-MM-DD"),
        ({"holidays": [datetime(2026, 10, 1, tzinfo=UTC)]}, "holidays[0]", "YYYY-MM-DD"),
        ({"holidays": {"country": "XX"}}, "holidays.country", "ISO 3166-1"),
        ({"holidays": {"country": "cn"}}, "holidays.country", "ISO 3166-1"),
        ({"holidays": {}}, "holidays.country", "ISO 3166-1"),
        ({"holidays": {"land": "CN"}}, "holidays.land", "unknown key"),
        ({"holidays": {"country": "CN", "extra": ["x"]}}, "holidays.extra[0]", "YYYY-MM-DD"),
        ({"holidays": {"country": "DE", "subdivision": "XX"}}, "holidays.subdivision", "BY"),
        ({"holidays": {"country": "CN", "subdivision": 3}}, "holidays.subdivision", "none"),
        ({"workdays": {"2026-10-10": True}}, "workdays", "a list of dates"),
        ({"workday_hours": "09:00"}, "workday_hours", "a list"),
        ({"workday_hours": [["09:00", "x"]]}, "workday_hours[0][1]", '"HH:MM"'),
        ({"hours": {}, "workday_hours": [["09:00", "18:00"]]}, "workday_hours", "no value"),
        ({"opening": {}}, "opening", "unknown key, expected one of timezone"),
    ],
)
def test_an_error_names_the_key_and_what_was_expected(
    change: dict[str, Any], key: str, expected: str
) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        BusinessCalendar.from_dict({"timezone": "Asia/Shanghai", "hours": OFFICE, **change})
    message = str(refused.value)
    assert message.startswith(f"{key}: ")
    assert expected in message


def test_a_value_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(ValueError, match="calendar: expected a mapping"):
        BusinessCalendar.from_dict([])  # type: ignore[arg-type]


def test_date_objects_are_accepted() -> None:
    desk = calendar(hours=OFFICE, holidays=[date(2026, 3, 2)], workdays=[date(2026, 3, 7)])
    assert not desk.is_workday(date(2026, 3, 2))
    assert desk.is_workday(date(2026, 3, 7))


NAIVE = datetime(2026, 3, 2, 9)  # noqa: DTZ001 - what has to be refused


@pytest.mark.parametrize("hours", [{}, OFFICE])
@pytest.mark.parametrize(
    "question",
    [
        lambda desk: desk.add(NAIVE, HOUR),
        lambda desk: desk.between(NAIVE, cn(2026, 3, 2)),
        lambda desk: desk.between(cn(2026, 3, 2), NAIVE),
        lambda desk: desk.is_open(NAIVE),
    ],
)
def test_naive_datetimes_are_refused(
    question: Callable[[BusinessCalendar], object], hours: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="expected an aware datetime"):
        question(calendar(hours=hours))


def test_a_negative_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="duration: expected zero or more"):
        calendar(hours=OFFICE).add(cn(2026, 3, 2), -MINUTE)


def test_a_datetime_is_no_date() -> None:
    with pytest.raises(ValueError, match="day: expected a date"):
        calendar(hours=OFFICE).is_workday(cn(2026, 3, 2))


def test_a_time_outside_the_supported_years_is_refused() -> None:
    with pytest.raises(ValueError, match="1900 to 2199"):
        calendar(hours=OFFICE).add(cn(2026, 3, 2), timedelta(days=365_000))
    with pytest.raises(ValueError, match="1900 to 2199"):
        calendar(hours=OFFICE).is_open(datetime(1, 1, 1, tzinfo=timezone(12 * HOUR)))
    with pytest.raises(ValueError, match="last year"):
        calendar().add(cn(2026, 3, 2), timedelta.max)


# Cost


def test_adding_ten_years_is_as_fast_as_adding_a_month() -> None:
    """There is no loop over days; `make bench` prints the time."""
    desk = calendar(hours=LUNCH, holidays={"country": "CN"})
    start = cn(2026, 5, 4, 9)
    ten_years = desk.between(start, cn(2036, 5, 4, 9))
    assert desk.add(start, ten_years) == cn(2036, 4, 30, 18)

    def adding(duration: timedelta) -> float:
        return seconds(lambda: [desk.add(start, duration) for _ in range(200)])

    assert adding(ten_years) < 5 * adding(ten_years / 120)


def test_a_countrys_holidays_do_not_load_other_countries() -> None:
    """A cold start imports only the named country's module of the holidays package."""
    program = """
import sys
from datetime import date
from functions.core.domain.calendar import BusinessCalendar
hours = {"mon": [["09:00", "18:00"]]}
desk = {"timezone": "Asia/Shanghai", "hours": hours}
BusinessCalendar.from_dict(desk).is_workday(date(2026, 10, 5))
assert "holidays" not in sys.modules
desk = BusinessCalendar.from_dict({**desk, "holidays": {"country": "CN"}})
assert not desk.is_workday(date(2026, 10, 5))
assert not any(name.startswith("holidays.countries") for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("country", "zone"), [("DE", BERLIN), ("US", NEW_YORK), ("PR", NEW_YORK), ("JP", SHANGHAI)]
)
def test_a_countrys_holidays_match_the_package(country: str, zone: ZoneInfo) -> None:
    desk = calendar(
        str(zone),
        hours={day: [["09:00", "18:00"]] for day in WEEKDAYS},
        holidays={"country": country},
    )
    known = holidays.country_holidays(country, years=2026)
    for day in days(2026, "1.1-12.31"):
        assert desk.is_workday(day) == (day not in known), day


def test_calendars_compare_by_value() -> None:
    given_hours = copy.deepcopy(OFFICE)
    desk = calendar(hours=given_hours)
    given_hours["mon"].clear()
    assert desk.is_open(cn(2026, 3, 2, 10))
    assert desk == calendar(hours=OFFICE)
    with pytest.raises(AttributeError):
        desk.timezone = BERLIN  # type: ignore[misc]


def test_deadlines_at_the_turn_of_the_year() -> None:
    """On the last closing minute and over midnight, in any zone of the caller."""
    office = calendar(hours=OFFICE)
    assert office.add(cn(2026, 12, 31, 17), HOUR) == cn(2026, 12, 31, 18)
    assert office.add(cn(2026, 12, 31, 17), HOUR + MINUTE) == cn(2027, 1, 1, 9, 1)
    night = calendar(hours=NIGHT)
    midnight = cn(2027, 1, 1)
    for at in (midnight, midnight.astimezone(UTC), midnight.astimezone(NEW_YORK)):
        assert night.is_open(at)
        assert night.add(at, HOUR) == cn(2027, 1, 1, 1)
        assert night.between(at - HOUR, at) == night.between(at, at + HOUR) == HOUR
