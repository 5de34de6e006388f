"""The periods of reports: a desk's local days, ISO weeks and months."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

from functions.core.domain.errors import FieldError, InvalidInput, Phrase
from functions.core.domain.playbook_reports import ReportKind

KINDS: tuple[ReportKind, ...] = get_args(ReportKind)

_FORMS = {
    "daily": (re.compile(r"\d{4}-\d\d-\d\d"), "2026-11-28"),
    "weekly": (re.compile(r"(\d{4})-W(\d\d)"), "2026-W48"),
    "monthly": (re.compile(r"\d{4}-\d\d"), "2026-11"),
}
"""Kind → the form of its periods, and an example."""

YEARS = range(1970, 3000)
"""The years of days that can be asked for: none has a neighbour that no calendar has."""


@dataclass(frozen=True, order=True)
class Period:
    """A period by its first day and the day after its last one; both begin at local midnight."""

    first: date
    after: date
    kind: ReportKind

    @classmethod
    def parse(cls, kind: str, name: str) -> Period:
        """Read a period such as 2026-11-28, 2026-W48 or 2026-11.

        Raises:
            InvalidInput: there is no such kind, or no such period of it.
        """
        if kind not in _FORMS:
            raise _wrong("kind", Phrase("expected one of {kinds}", kinds=KINDS))
        form, example = _FORMS[kind]
        found = form.fullmatch(name)
        try:
            if found and int(name[:4]) in YEARS:
                if kind == "weekly":
                    return cls.of(kind, date.fromisocalendar(int(found[1]), int(found[2]), 1))
                return cls.of(kind, date.fromisoformat(name if kind == "daily" else f"{name}-01"))
        except ValueError:
            pass
        raise _wrong("period", Phrase("expected a period such as {example}", example=example))

    @classmethod
    def of(cls, kind: str, day: date) -> Period:
        """Return the period of a kind in which a day lies."""
        if kind == "daily":
            return cls(day, day + timedelta(days=1), "daily")
        if kind == "weekly":
            first = day - timedelta(days=day.weekday())
            return cls(first, first + timedelta(days=7), "weekly")
        first = day.replace(day=1)
        return cls(first, (first + timedelta(days=31)).replace(day=1), "monthly")

    @property
    def name(self) -> str:
        """The period as the API writes it."""
        if self.kind == "weekly":
            year, week, _ = self.first.isocalendar()
            return f"{year}-W{week:02}"
        return self.first.isoformat() if self.kind == "daily" else f"{self.first:%Y-%m}"

    @property
    def previous(self) -> Period:
        return Period.of(self.kind, self.first - timedelta(days=1))

    @property
    def next(self) -> Period:
        return Period.of(self.kind, self.after)

    def start(self, zone: ZoneInfo) -> datetime:
        return midnight(self.first, zone)

    def end(self, zone: ZoneInfo) -> datetime:
        return midnight(self.after, zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which a local day begins, in UTC; days of 23 and 25 hours are right."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def ended(kind: ReportKind, since: date, now: datetime, zone: ZoneInfo) -> list[Period]:
    """Return the periods that have ended, oldest first, from the one in which a day lies."""
    found = []
    period = Period.of(kind, since)
    while period.end(zone) <= now:
        found.append(period)
        period = period.next
    return found


def _wrong(field: str, message: Phrase) -> InvalidInput:
    return InvalidInput("Some fields are invalid.", (FieldError(field, message),))
