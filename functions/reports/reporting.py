"""Write the reports of periods that ended: compute, check, store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import groupby
from typing import Protocol

from functions.core.domain.playbook_types import Locale
from functions.core.domain.rules import Playbook
from functions.core.platform.alarms import raise_alarm
from functions.core.reports.assembling import (
    Backlog,
    Statistic,
    compared,
    figures_of,
    problems_of,
    tables_of,
    top_problems,
)
from functions.core.reports.behind import Behind, OpenTicket, count
from functions.core.reports.corrections import CORRECTED, Counted, change_of
from functions.core.reports.costs import costs_with_tickets
from functions.core.reports.figures import DEFINITIONS
from functions.core.reports.jumps import DAYS_BEFORE, Baseline, DayCount, groups_of, jumps
from functions.core.reports.labels import jump_label
from functions.core.reports.periods import KINDS, Period, ended, midnight
from functions.core.reports.prices import HOME
from functions.core.reports.report import (
    ComparisonView,
    CorrectionView,
    CostView,
    FrequentQuestion,
    ReportJumpView,
    ReportView,
)
from functions.core.reports.suggestions import suggestions_of
from functions.core.storage.database import Storage
from functions.core.storage.reports import LISTED, OPEN, Lines, StoredReports, listed
from functions.core.text.shapes import local_time
from functions.reports.queries import FLOWS, LOOK_BACK, Queries, TimeSpan

WRITTEN_AFTER = timedelta(minutes=15)
"""The time between the end of a period and its report: by then the facts are complete."""
AT_FIRST = timedelta(days=45)
"""The time that a desk's first reports go back."""
USUAL = 8
"""The periods before by which a share is usual."""
QUESTIONS = 10
"""The most questions of a report."""
_FIRST_DAY = "first_day"


class RunsQueries(Protocol):
    """Runs queries over the facts."""

    def rows(self, sql: str) -> Iterator[dict[str, str]]:
        """Yield the rows of a query; values are texts, empty if there is none."""


class _Nothing:
    """Athena's place for a desk without facts, of which nothing has to be asked."""

    def rows(self, sql: str) -> Iterator[dict[str, str]]:
        return iter(())


def write_missing(
    storage: Storage,
    reports: StoredReports,
    athena: RunsQueries,
    playbook: Playbook,
    desk: str,
    now: datetime,
    enough: Callable[[], bool] = lambda: False,
    region: str = HOME,
    written_at: datetime | None = None,
) -> Iterator[ReportView]:
    """Write each ended report that is missing, oldest first, and yield it before it is noted.

    Whatever fails after a report is stored, the next run yields it again: nobody misses its mail.

    Args:
        enough: says that no time is left; the next run goes on.
        region: the region whose prices AWS's units have.
        written_at: the time of the clock, if `now` is another.
    """
    written = reports.written(desk)
    reporting = Reporting(storage, reports, athena, playbook, desk, now, region, written_at)
    missing = _missing(reporting, written)
    if missing and _first_day(reporting, written) is None:
        reporting = replace(reporting, athena=_Nothing())
    for period in missing:
        if enough():
            return
        yield reports.find(desk, period) or reporting.write(period)
        written[period.kind] = period.name
        reports.put_written(desk, written)


def _missing(reporting: Reporting, written: dict[str, str]) -> list[Period]:
    """Return the periods without reports: by their ends, days before the weeks they are in.

    Whether a month is missing is asked in every run until the first one has ended, so the desk's
    first day is noted in `written`.
    """
    zone, settled = reporting.playbook.zone, reporting.now - WRITTEN_AFTER
    earliest = (reporting.now - AT_FIRST).astimezone(zone).date()
    found: list[Period] = []
    for kind in KINDS:
        if kind in written:
            after = Period.parse(kind, written[kind]).next
            found += ended(kind, after.first, settled, zone)
        elif (first := _first_day(reporting, written)) is None:  # nothing has happened yet
            found += ended(kind, earliest, settled, zone)[-1:]
        else:
            found += ended(kind, max(earliest, first), settled, zone)
    return sorted(found, key=lambda period: (period.after, KINDS.index(period.kind)))


def _first_day(reporting: Reporting, written: dict[str, str]) -> date | None:
    if _FIRST_DAY not in written and reporting.first_day is not None:
        written[_FIRST_DAY] = reporting.first_day.isoformat()
        reporting.reports.put_written(reporting.desk, written)
    known = written.get(_FIRST_DAY)
    return date.fromisoformat(known) if known else None


def compare(
    athena: RunsQueries, playbook: Playbook, day: date, days: int, locale: Locale
) -> ComparisonView:
    """Compare the figures of as many days before and after a date, in the desk's zone."""
    zone = playbook.zone
    start, middle, end = (midnight(day + timedelta(days=n), zone) for n in (-days, 0, days))
    spans = [TimeSpan("before", start, middle), TimeSpan("after", middle, end)]
    found = _statistics(athena, Queries(playbook.desk, zone), spans)
    return {
        "desk": playbook.desk,
        "date": day.isoformat(),
        "days": days,
        "timezone": str(zone),
        "figures": compared(found["before"], found["after"], locale),
    }


@dataclass(frozen=True)
class Reporting:
    """Writes the reports of a desk, for which it is `now`, and `written_at` by the clock.

    Rows that the facts get later are late ones, so a report says when it was written by the clock.
    """

    storage: Storage
    reports: StoredReports
    athena: RunsQueries
    playbook: Playbook
    desk: str
    now: datetime
    region: str = HOME
    written_at: datetime | None = None

    @property
    def locale(self) -> Locale:
        return self.playbook.reports.locale or self.playbook.locale

    @property
    def queries(self) -> Queries:
        return Queries(self.desk, self.playbook.zone)

    @cached_property
    def first_day(self) -> date | None:
        """The local day of the desk's first fact."""
        for row in self.athena.rows(self.queries.first_day(self.now)):
            if row["first_at"]:
                return datetime.fromtimestamp(int(row["first_at"]), self.playbook.zone).date()
        return None

    @cached_property
    def names(self) -> dict[str, str]:
        return {agent.username: agent.display_name for agent in self.storage.roster.list(self.desk)}

    def write(self, period: Period) -> ReportView:
        """Compute, check and store a report.

        One that does not add up says so, and raises the shared alarm.
        """
        zone, locale, span = (
            self.playbook.zone,
            self.locale,
            TimeSpan.of(period, self.playbook.zone),
        )
        found = _statistics(self.athena, self.queries, [span])[span.name]
        backlog, corrections = self._backlog(period, span)
        lists, later, received = self._rows_behind(period, span, backlog)
        corrections += self._corrections(period, later)
        figures = figures_of(found, backlog, int(span.end.timestamp()))
        figures["cost"] = self._cost(period, lists["cost"])
        problems = problems_of(found, figures["backlog"], locale)
        report: ReportView = {
            "desk": self.desk,
            "kind": period.kind,
            "period": period.name,
            "definitions": DEFINITIONS,
            "from": local_time(span.start, zone),
            "to": local_time(span.end, zone),
            "timezone": str(zone),
            "generated_at": local_time(self.written_at or self.now, zone),
            "adds_up": not problems,
            "problems": problems,
            "figures": figures,
            "tables": tables_of(
                found, backlog, self._working(span), self.playbook, locale, self.names
            ),
            "top_problems": top_problems(found, self.playbook, locale),
            "suggestions": []
            if period.kind == "daily"
            else suggestions_of(found, self._before(period), self.playbook, locale),
            "jumps": self._jumps(period, received),
            "corrections": corrections,
            "questions": self._questions() if period.kind == "weekly" else [],
        }
        self.reports.put(period, report, lists)
        if problems:
            raise_alarm(
                "report_wrong", self.desk, report=f"{period.kind} {period.name}", problems=problems
            )
        return report

    def _backlog(self, period: Period, span: TimeSpan) -> tuple[Backlog, list[CorrectionView]]:
        """Return the backlog, and a correction if late rows changed it at the start.

        The list of the day before is carried on. Without one, it is made from all facts.
        """
        day_before = Period.of("daily", period.first - timedelta(days=1))
        stored = self.reports.open_tickets(self.desk, day_before)
        opening = {} if stored is None else {ticket.number: ticket for ticket in stored}
        reported = {number for number, ticket in opening.items() if ticket.open}
        backlog = Backlog(opening)
        after: dict[str, OpenTicket | None] = {}
        for row in self.athena.rows(self.queries.states(span, all_before=stored is None)):
            number = row["number"]
            if row["was_open"]:
                _put(opening, number, _open_ticket(row, "was_"))
            after[number] = _open_ticket(row, "is_")
            for flow in FLOWS:
                backlog.flows[flow] += count(row[f"{flow}_count"])
        backlog.closing = dict(opening)
        for number, ticket in after.items():
            _put(backlog.closing, number, ticket)
        known = {number for number, ticket in opening.items() if ticket.open}
        if stored is None or known == reported:
            return backlog, []
        correction: CorrectionView = {
            "period": period.previous.name,
            "figure": "backlog",
            "group": None,
            "from": len(reported),
            "to": len(known),
            "tickets": sorted(known ^ reported),
        }
        return backlog, [correction]

    def _rows_behind(
        self, period: Period, span: TimeSpan, backlog: Backlog
    ) -> tuple[dict[str, Lines], dict[tuple[str, str], dict[str, Behind]], dict[str, list[str]]]:
        """Return the lists of rows behind each figure; by period and figure, the rows of earlier
        periods that may have changed; and the numbers received by group, as jumps compare them."""
        zone = self.playbook.zone
        earlier = []
        before = period.previous
        while before.start(zone) >= span.start - LOOK_BACK:
            earlier.append(TimeSpan.of(before, zone))
            before = before.previous
        previous = self.reports.find(self.desk, period.previous)
        since = datetime.fromisoformat(previous["generated_at"]) if previous else span.start
        lists = {figure: Lines() for figure in LISTED}
        later: dict[tuple[str, str], dict[str, Behind]] = defaultdict(dict)
        received: dict[str, list[str]] = defaultdict(list)
        for row in self.athena.rows(self.queries.details(span, earlier, since)):
            figure, behind = row["figure"], Behind.of_row(row)
            if row["span"] != span.name:
                later[row["span"], figure][behind.key(figure)] = behind
                continue
            lists[figure].add(behind.line())
            if figure == "volume" and not behind.reason:
                for group in _groups(behind):
                    received[group].append(behind.number)
        end = int(span.end.timestamp())
        for ticket in backlog.closing.values():
            if ticket.open:
                age = end - ticket.received
                lists["backlog"].add(Behind(ticket.number, 0, age, groups=ticket.groups).line())
        if period.kind == "daily":
            lists[OPEN] = listed(backlog.closing.values())
        return lists, later, received

    def _corrections(
        self, period: Period, later: Mapping[tuple[str, str], dict[str, Behind]]
    ) -> list[CorrectionView]:
        """Return what has changed in earlier reports, and remember it for the next ones."""
        corrections: list[CorrectionView] = []
        for name, found in groupby(sorted(later), key=lambda each: each[0]):
            other = Period.parse(period.kind, name)
            if self.reports.find(self.desk, other) is None:
                continue
            known = self.reports.corrected(self.desk, other)
            changed: dict[str, dict[str, tuple[float | None, str]]] = {}
            for _, figure in found:
                if figure not in CORRECTED:
                    continue
                since = {
                    key: Counted(*value)
                    for by, figures in sorted(known.items())
                    if by < period.name
                    for key, value in figures.get(figure, {}).items()
                }
                reported = self.reports.behind(self.desk, other, figure)
                change = change_of(name, figure, reported, since, later[name, figure])
                corrections += change.corrections
                if change.changed:
                    changed[figure] = dict(change.changed)
            if changed:
                self.reports.put_corrected(self.desk, other, {**known, period.name: changed})
        return corrections

    def _working(self, span: TimeSpan) -> dict[str, dict[str, int]]:
        """Return by username the tickets handled, and the seconds of handling and signed in."""
        asked = self.queries.working_time(span, self.playbook.reports.act_at_most)
        found = {
            row["person"]: {
                "handled": count(row["tickets"]),
                "handling": count(row["handling"]),
                "signed_in": count(row["signed_in"]),
            }
            for row in self.athena.rows(asked)
        }
        return {person: each for person, each in found.items() if any(each.values())}

    def _cost(self, period: Period, tickets: Lines) -> CostView:
        """Return the costs, and list what each ticket has in them."""
        last = period.after - timedelta(days=1)
        table, totals = costs_with_tickets(
            self.playbook, period.first, last, self.region, self.athena.rows
        )
        for number, total in totals:
            tickets.add(Behind(number, 0, round(total, 6)).line())
        amounts = {
            name: f"{getattr(table.sum, name):.4f}" for name in ("agent", "parts", "compensation")
        }
        return {
            "usd_units": f"{table.sum.usd:.6f}",
            "agent": amounts["agent"],
            "parts": amounts["parts"],
            "compensation": amounts["compensation"],
            "remainder": None,
            "total": f"{table.sum.total:.4f}",
            "currency": table.currency,
        }

    def _before(self, period: Period) -> list[ReportView]:
        """Return the reports before, by which shares are usual."""
        found = []
        for _ in range(USUAL):
            period = period.previous
            report = self.reports.find(self.desk, period)
            if report is not None:
                found.append(report)
        return found

    def _jumps(self, period: Period, received: Mapping[str, Sequence[str]]) -> list[ReportJumpView]:
        """Return the jumps of a day, or those of the days of a longer period."""
        if period.kind != "daily":
            days = [Period.of("daily", period.first)]
            while days[-1].after < period.after:
                days.append(days[-1].next)
            written = (self.reports.find(self.desk, day) for day in days)
            return [jump for report in written if report for jump in report["jumps"]]
        zone, first = self.playbook.zone, period.first
        if not received:
            return []
        asked = self.queries.counts_by_day(
            midnight(first - timedelta(days=DAYS_BEFORE), zone), midnight(first, zone)
        )
        baseline = Baseline.of(map(DayCount.of_row, self.athena.rows(asked)), first)
        return [
            {
                "day": period.name,
                "label": jump_label(
                    jump.group, len(jump.tickets), jump.expected, self.playbook, self.locale
                ),
                "group": jump.group,
                "count": len(jump.tickets),
                "expected": jump.expected,
                "tickets": list(jump.tickets),
            }
            for jump in jumps(received, baseline)
        ]

    def _questions(self) -> list[FrequentQuestion]:
        """Return what customers ask most, as the proposals of the night know it (E8)."""
        made = (
            self.storage.proposals.get(self.desk, "tickets"),
            self.storage.proposals.get(self.desk, "chats"),
        )
        found = [each for proposals in made if proposals for each in proposals.articles]
        found.sort(key=lambda each: -each.count)
        return [
            {
                "n": each.count,
                "share": each.share,
                "source": each.source,
                "article": each.article,
                "phrasings": [{"text": one.text, "from": one.id} for one in each.questions],
            }
            for each in found[:QUESTIONS]
        ]


def _statistics(
    athena: RunsQueries, queries: Queries, spans: Sequence[TimeSpan]
) -> dict[str, dict[tuple[str, str], Statistic]]:
    found: dict[str, dict[tuple[str, str], Statistic]] = {span.name: {} for span in spans}
    for row in athena.rows(queries.statistics(spans)):
        found[row["span"]][row["figure"], row["grp"]] = Statistic.of_row(row)
    return found


def _groups(row: Behind) -> Iterator[str]:
    """Yield the groups by which jumps count a ticket."""
    named = [group.partition("=") for group in row.groups]
    tags = [value for dimension, _, value in named if dimension == "tag"]
    product = next((value for dimension, _, value in named if dimension == "product"), "")
    yield from groups_of(row.type, tags, product)


def _open_ticket(row: Mapping[str, str], when: str) -> OpenTicket | None:
    """Read a ticket's state at the end (`is_`) or the start (`was_`); None if nothing is open."""
    is_open = count(row[f"{when}open"])
    running = count(row["was_running" if when == "was_" else "running"])
    if not is_open and not running:
        return None
    groups = tuple(name for name in row["groupings"].split("|") if name)
    return OpenTicket(row["number"], count(row["received"]), bool(is_open), running, groups)


def _put(tickets: dict[str, OpenTicket], number: str, ticket: OpenTicket | None) -> None:
    if ticket is None:
        tickets.pop(number, None)
    else:
        tickets[number] = ticket
