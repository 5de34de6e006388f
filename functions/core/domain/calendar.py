"""Business time: opening hours, deadlines and elapsed business time (G2).

A :class:`BusinessCalendar` is an immutable value, built from a playbook's dict. Building one is
cheap; the opening intervals of a year are computed and kept when the year is first needed.

Rules:

- Intervals are half-open: at the closing minute the desk is closed.
- ``add(start, d)`` is the *earliest* instant ``t >= start`` with ``between(start, t) == d``. A
  deadline therefore falls on the closing minute and not on the next opening, and ``add(start, 0)``
  is ``start``, even while the desk is closed.
- Durations are elapsed time: a shift over the spring clock change is an hour shorter, over the
  autumn change an hour longer. A wall-clock time means the first instant at which the clock in the
  zone shows it or a later time: a skipped time is the moment of the skip, a repeated time its first
  occurrence.
- An interval over midnight belongs to the day on which it begins: the night shift of the evening
  before a holiday runs to its end, the holiday's own night shift does not take place.
- In order of precedence, a day is decided by the desk's ``workdays``; its own ``holidays`` (or
  ``extra``); the country's make-up workdays; the country's holidays; the weekday's hours.
- A make-up workday on a Saturday or Sunday, or on another weekday without hours, has
  ``workday_hours`` if given, else Monday's hours, else (Monday closed) those of the first weekday
  that has any. A make-up workday on another weekday has that weekday's hours.

Country holidays come from the ``holidays`` package. For China it contains the State Council's
notices, including make-up workdays, up to the last one before its release. For later years it has
the statutory days only, so until the package is updated a desk enters the days of a new notice as
``holidays.extra`` and ``workdays``.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from types import ModuleType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from holidays import HolidayBase

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST_YEAR, LAST_YEAR = 1900, 2199

_KEYS = ("timezone", "hours", "holidays", "workdays", "workday_hours")
_COUNTRY_KEYS = ("country", "subdivision", "extra")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MINUTE_US = 60_000_000
_DAY_MINUTES = 24 * 60
_DAY_US = _DAY_MINUTES * _MINUTE_US
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
_SATURDAY = 5
_MAKE_UP, _CLOSED = 7, 8

# In these years the State Council's notices name a holiday without exchanged days alone
# ("放假，与周末连休"); in all others the adjacent weekend is part of the holiday.
_WEEKEND_NOT_NAMED = frozenset({2014, 2015, 2016, 2017, 2018, 2019, 2024})

# Minutes after midnight, [open, close).
Pieces = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Year:
    """The opening intervals of a local year in microseconds since 1970, and their prefix sums."""

    start: int
    end: int
    opens: list[int]
    closes: list[int]
    before: list[int]
    total: int

    def elapsed(self, at: int) -> int:
        """Return the business time from the start of the year to ``at``."""
        index = bisect_right(self.opens, at) - 1
        if index < 0:
            return 0
        return self.before[index] + min(at, self.closes[index]) - self.opens[index]


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """A desk's opening hours in its time zone, with holidays and make-up workdays.

    Create one with :meth:`from_dict`. Instants are aware datetimes in any zone. Naive datetimes and
    times outside the years 1900 to 2199 raise ``ValueError``.
    """

    timezone: ZoneInfo
    _hours: tuple[Pieces, ...]
    _over_midnight: tuple[Pieces, ...]
    _holidays: frozenset[int]
    _workdays: frozenset[int]
    _country: tuple[str, str | None] | None
    _years: dict[int, _Year] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_dict(cls, d: Mapping[str, object]) -> "BusinessCalendar":
        """Build a calendar from a playbook's dict.

        ``timezone``: an IANA name; optional if there are no other keys (then UTC).
        ``hours``: ``mon`` … ``sun`` to lists of ``["HH:MM", "HH:MM"]``. An end of ``"24:00"`` and
        an end before the start (over midnight) are allowed, overlaps are merged. A desk without
        hours is always open, even on holidays.
        ``holidays``: a list of dates, or ``{"country": "CN", "subdivision": …, "extra": [dates]}``
        with an ISO 3166-1 code; the last two are optional.
        ``workdays``: dates on which the desk works in any case.
        ``workday_hours``: the hours of make-up workdays instead of Monday's.
        Dates are ``"YYYY-MM-DD"`` or ``date``.

        Raises ``ValueError``; the message names the key and what was expected.
        """
        if not isinstance(d, Mapping):
            raise _wrong("calendar", "a mapping", d)
        _only_known(d, _KEYS, "")
        hours = _weekly_hours(d.get("hours"))
        own = d.get("workday_hours")
        make_up = () if own is None else _pieces(own, "workday_hours")
        if make_up and not any(hours):
            raise _wrong("workday_hours", "no value, since no day has hours", own)
        if not make_up:
            make_up = next((day for day in hours if day), ())
        country, holidays = _holidays(d.get("holidays"))
        workdays = _dates(d.get("workdays"), "workdays")
        zone = d.get("timezone")
        if zone is None and not (any(hours) or country or holidays or workdays):
            zone = "UTC"
        days = (*hours, make_up, ())
        return cls(
            timezone=_zone(zone),
            _hours=tuple(
                tuple((start, min(end, _DAY_MINUTES)) for start, end in day) for day in days
            ),
            _over_midnight=tuple(
                tuple((0, end - _DAY_MINUTES) for _, end in day if end > _DAY_MINUTES)
                for day in days
            ),
            _holidays=holidays,
            _workdays=workdays,
            _country=country,
        )

    @property
    def always_open(self) -> bool:
        """Return whether the desk has no hours and therefore never closes."""
        return not any(self._hours)

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """Return the earliest instant at which ``duration`` of business time has passed.

        The result is in the zone of ``start``. It is a closing minute rather than the next opening;
        a zero duration returns ``start``. Raises ``ValueError`` for a negative duration, a naive
        ``start`` and a deadline after the year 2199.
        """
        at = _microseconds(start, "start")
        left = duration // _MICROSECOND
        if left < 0:
            raise _wrong("duration", "zero or more", duration)
        if left == 0:
            return start
        if self.always_open:
            return _datetime(at + left, start)
        table, year = self._year_at(at, start.year)
        left += table.elapsed(at)
        while left > table.total:
            left -= table.total
            year += 1
            table = self._year(year)
        index = bisect_left(table.before, left) - 1
        return _datetime(table.opens[index] + left - table.before[index], start)

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return the business time from ``start`` to ``end``; negative if ``end`` is earlier.

        ``between(a, b) == -between(b, a)``, and ``between(s, add(s, d)) == d``. Raises
        ``ValueError`` for naive datetimes.
        """
        first, last = _microseconds(start, "start"), _microseconds(end, "end")
        if self.always_open:
            return (last - first) * _MICROSECOND
        first_table, first_year = self._year_at(first, start.year)
        last_table, last_year = self._year_at(last, end.year)
        whole = sum(self._year(year).total for year in range(first_year, last_year))
        whole -= sum(self._year(year).total for year in range(last_year, first_year))
        return (whole + last_table.elapsed(last) - first_table.elapsed(first)) * _MICROSECOND

    def is_open(self, at: datetime) -> bool:
        """Return whether the desk is open: from the opening to before the closing minute."""
        instant = _microseconds(at, "at")
        if self.always_open:
            return True
        table, _ = self._year_at(instant, at.year)
        index = bisect_right(table.opens, instant) - 1
        return index >= 0 and instant < table.closes[index]

    def is_provisional(self, at: datetime) -> bool:
        """Return whether the official calendar of the year of ``at`` is not published yet.

        China publishes each year's holidays and make-up workdays in the autumn before; until the
        ``holidays`` package has them, that year's are estimates. Other countries' follow from laws.
        """
        if self._country is None or self.always_open:
            return False
        return at.astimezone(self.timezone).year > _last_published(self._country[0])

    def year_start(self, at: datetime) -> datetime:
        """Return the first instant of the year of ``at`` in the desk's zone."""
        return datetime(at.astimezone(self.timezone).year, 1, 1, tzinfo=self.timezone)

    def is_workday(self, day: date) -> bool:
        """Return whether the desk's hours begin on ``day``, a date in the desk's zone.

        A night shift that only ends on that day does not count. A desk that is always open works
        every day. Raises ``ValueError`` for a datetime, since its date depends on the zone.
        """
        if isinstance(day, datetime):
            raise _wrong("day", "a date in the desk's time zone", day)
        return self.always_open or bool(self._hours[self._kind(day.toordinal())])

    def _kind(self, day: int) -> int:
        """Return the index into the hours for a day, given as its ordinal."""
        weekday = (day - 1) % 7
        if day in self._workdays:
            return self._worked(weekday)
        if day in self._holidays:
            return _CLOSED
        if self._country:
            off, make_up = _public_days(*self._country, date.fromordinal(day).year)
            if day in make_up:
                return self._worked(weekday)
            if day in off:
                return _CLOSED
        return weekday

    def _worked(self, weekday: int) -> int:
        return weekday if weekday < _SATURDAY and self._hours[weekday] else _MAKE_UP

    def _year_at(self, at: int, guess: int) -> tuple[_Year, int]:
        """Return the table of ``at`` and its year; ``guess`` is its year in another zone."""
        table = self._year(guess)
        while at >= table.end:
            guess += 1
            table = self._year(guess)
        while at < table.start:
            guess -= 1
            table = self._year(guess)
        return table, guess

    def _year(self, year: int) -> _Year:
        table = self._years.get(year)
        if table is None:
            if not FIRST_YEAR <= year <= LAST_YEAR:
                raise ValueError(
                    f"expected a time in the years {FIRST_YEAR} to {LAST_YEAR},"
                    f" the calendar was asked for {year}"
                )
            table = self._years[year] = self._build(year)
        return table

    def _build(self, year: int) -> _Year:
        first = date(year, 1, 1).toordinal()
        last = date(year + 1, 1, 1).toordinal()
        opens: list[int] = []
        closes: list[int] = []
        before: list[int] = []
        total = 0
        merged: dict[tuple[int, int], Pieces] = {}
        midnight = start = _instant(datetime(year, 1, 1), self.timezone)  # noqa: DTZ001 - wall
        kind_before = self._kind(first - 1)
        for day in range(first, last):
            kind = self._kind(day)
            next_midnight = _instant(_wall(day, _DAY_MINUTES), self.timezone)
            key = (kind_before, kind)
            if key not in merged:
                merged[key] = _merge(self._over_midnight[kind_before] + self._hours[kind])
            plain = next_midnight - midnight == _DAY_US
            for opening, closing in merged[key]:
                if plain:
                    open_at = midnight + opening * _MINUTE_US
                    close_at = midnight + closing * _MINUTE_US
                else:
                    open_at = _instant(_wall(day, opening), self.timezone)
                    close_at = _instant(_wall(day, closing), self.timezone)
                if open_at < close_at:
                    opens.append(open_at)
                    closes.append(close_at)
                    before.append(total)
                    total += close_at - open_at
            kind_before, midnight = kind, next_midnight
        return _Year(start, midnight, opens, closes, before, total)


def _microseconds(at: datetime, name: str) -> int:
    if at.utcoffset() is None:
        raise _wrong(name, "an aware datetime (one with a time zone)", at)
    return (at - _EPOCH) // _MICROSECOND


def _datetime(instant: int, like: datetime) -> datetime:
    try:
        return (_EPOCH + instant * _MICROSECOND).astimezone(like.tzinfo)
    except OverflowError:
        raise ValueError("the deadline lies beyond the last year a datetime can hold") from None


def _wall(day: int, minutes: int) -> datetime:
    return datetime.fromordinal(day) + timedelta(minutes=minutes)


def _instant(wall: datetime, zone: ZoneInfo) -> int:
    """Return the first instant, in microseconds, at which the clock shows ``wall`` or later.

    ``fold`` has the meaning of PEP 495: the first of two readings, and in a skip the offset before
    it.
    """
    first = wall.replace(tzinfo=zone)
    instant = (first - _EPOCH) // _MICROSECOND
    later = (first.replace(fold=1) - _EPOCH) // _MICROSECOND
    if instant <= later:
        return instant
    seconds = range(later // 1_000_000, instant // 1_000_000)
    jump = bisect_left(
        seconds,
        True,
        key=lambda second: datetime.fromtimestamp(second, zone).replace(tzinfo=None) >= wall,
    )
    return (seconds.start + jump) * 1_000_000


def _merge(pieces: Pieces) -> Pieces:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(pieces):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


@lru_cache(maxsize=32)
def _country_class(code: str) -> "type[HolidayBase]":
    """Return the ``holidays`` package's class for an ISO 3166-1 code.

    ``holidays.country_holidays`` imports the modules of all 250 countries, which adds 60 to 90 ms
    to a cold start; the one module takes 2 ms. Raises ``KeyError`` for an unknown code.
    """
    import holidays
    from holidays.registry import COUNTRIES

    modules = {names[1]: (module, names[0]) for module, names in COUNTRIES.items()}
    module_name, class_name = modules[code]
    module = ModuleType(module_name)
    path = f"{holidays.__path__[0]}/countries/{module_name}.py"
    SourceFileLoader(module_name, path).exec_module(module)
    country: type[HolidayBase] = getattr(module, class_name)
    return country


@lru_cache(maxsize=32)
def _last_published(country: str) -> int:
    """Return the last year whose holidays the ``holidays`` package has officially."""
    if country != "CN":
        return LAST_YEAR
    published: Mapping[int, object] = _country_class(country)().special_public_holidays
    return max(published)


@lru_cache(maxsize=256)
def _public_days(
    country: str, subdivision: str | None, year: int
) -> tuple[frozenset[int], frozenset[int]]:
    """Return a country's days off and make-up workdays of one year, as ordinals."""
    # The notices of both years cover the turn of the year.
    public = _country_class(country)(
        subdiv=subdivision,
        years=(year - 1, year, year + 1),
        language="zh_CN" if country == "CN" else None,
    )
    make_up = {day.toordinal() for day in public.weekend_workdays}
    off = {day.toordinal() for day in public} - make_up
    if country == "CN":
        exchanged = {day.toordinal() for day, name in public.items() if "调休" in name}
        off |= _weekends_of_holidays(off, make_up, exchanged)
    inside = range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
    return (
        frozenset(day for day in off if day in inside),
        frozenset(day for day in make_up if day in inside),
    )


def _weekends_of_holidays(off: set[int], make_up: set[int], exchanged: set[int]) -> set[int]:
    """Return the weekend days that China's notices count as part of an adjacent holiday.

    The package lists weekdays off only, but a desk that works on Saturdays is closed on these too.
    Source: the yearly 国务院办公厅关于部分节假日安排的通知.
    """

    def is_day_off(day: int) -> bool:
        return day in off or ((day - 1) % 7 >= _SATURDAY and day not in make_up)

    named: set[int] = set()
    for holiday in off:
        first = last = holiday
        while is_day_off(first - 1):
            first -= 1
        while is_day_off(last + 1):
            last += 1
        run = range(first, last + 1)
        year = date.fromordinal(holiday).year
        if year not in _WEEKEND_NOT_NAMED or not exchanged.isdisjoint(run):
            named.update(run)
    return named


def _wrong(key: str, expected: str, got: object) -> ValueError:
    return ValueError(f"{key}: expected {expected}, got {got!r}")


def _only_known(d: Mapping[str, object], known: tuple[str, ...], where: str) -> None:
    for key in d:
        if key not in known:
            raise ValueError(f"{where}{key}: unknown key, expected one of {', '.join(known)}")


def _zone(name: object) -> ZoneInfo:
    expected = 'an IANA time zone such as "Asia/Shanghai"'
    if not isinstance(name, str):
        raise _wrong("timezone", expected, name)
    try:
        return ZoneInfo(name)
    # A missing zone is a KeyError, a bad path a ValueError, a folder of zones an OSError.
    except (KeyError, ValueError, OSError):
        raise _wrong("timezone", expected, name) from None


def _weekly_hours(hours: object) -> tuple[Pieces, ...]:
    if hours is None:
        hours = {}
    if not isinstance(hours, Mapping):
        raise _wrong("hours", "a mapping of mon … sun to lists of intervals", hours)
    _only_known(hours, WEEKDAYS, "hours.")
    return tuple(_pieces(hours.get(day, ()), f"hours.{day}") for day in WEEKDAYS)


def _pieces(intervals: object, key: str) -> Pieces:
    """Parse and merge intervals, in minutes of the day; an end over midnight exceeds 24:00."""
    if not isinstance(intervals, list | tuple):
        raise _wrong(key, 'a list of ["HH:MM", "HH:MM"], [] for closed', intervals)
    pieces = []
    for number, interval in enumerate(intervals):
        where = f"{key}[{number}]"
        if not isinstance(interval, list | tuple) or len(interval) != 2:
            raise _wrong(where, 'an opening and a closing time, ["09:00", "18:00"]', interval)
        start, end = _clock(interval[0], f"{where}[0]"), _clock(interval[1], f"{where}[1]")
        if start == end:
            raise _wrong(where, 'two different times ("00:00" to "24:00" is all day)', interval)
        if start == _DAY_MINUTES:
            raise _wrong(f"{where}[0]", 'an opening time before "24:00"', interval[0])
        pieces.append((start, end if end > start else end + _DAY_MINUTES))
    return _merge(tuple(pieces))


def _clock(value: object, key: str) -> int:
    if not isinstance(value, str):
        # YAML 1.1 reads an unquoted 22:00 as the number 1320.
        raise _wrong(key, 'a time "HH:MM" in quotes', value)
    if not _CLOCK.fullmatch(value):
        raise _wrong(key, 'a time "HH:MM" from "00:00" to "24:00"', value)
    return int(value[:2]) * 60 + int(value[3:])


def _dates(days: object, key: str) -> frozenset[int]:
    if days is None:
        return frozenset()
    if isinstance(days, str | Mapping) or not isinstance(days, Iterable):
        raise _wrong(key, 'a list of dates "YYYY-MM-DD"', days)
    return frozenset(_date(day, f"{key}[{number}]") for number, day in enumerate(days))


def _date(day: object, key: str) -> int:
    if isinstance(day, date) and not isinstance(day, datetime):
        return day.toordinal()
    try:
        if isinstance(day, str) and len(day) == len("YYYY-MM-DD"):
            return date.fromisoformat(day).toordinal()
    except ValueError:
        pass
    raise _wrong(key, 'a date "YYYY-MM-DD"', day)


def _holidays(value: object) -> tuple[tuple[str, str | None] | None, frozenset[int]]:
    if not isinstance(value, Mapping):
        return None, _dates(value, "holidays")
    _only_known(value, _COUNTRY_KEYS, "holidays.")
    extra = _dates(value.get("extra"), "holidays.extra")
    country, subdivision = value.get("country"), value.get("subdivision")
    expected = 'an ISO 3166-1 code in capitals such as "CN"'
    if not isinstance(country, str):
        raise _wrong("holidays.country", expected, country)
    try:
        known = _country_class(country)
    except KeyError:
        raise _wrong("holidays.country", expected, country) from None
    allowed = (*known.subdivisions, *known.subdivisions_aliases)
    if subdivision is None:
        return (country, None), extra
    if not isinstance(subdivision, str) or subdivision not in allowed:
        choice = ", ".join(known.subdivisions) or "none"
        raise _wrong("holidays.subdivision", f"one of {choice}", subdivision)
    return (country, subdivision), extra
