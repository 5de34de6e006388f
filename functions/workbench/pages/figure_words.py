"""The figures of a report as its page shows them: in words, with what has changed, and as tables.

Each number comes from the report as it was stored; names are those of `core/reports`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.domain.errors import FieldError, InvalidInput, Phrase
from functions.core.domain.ticket import TIMER_KINDS
from functions.core.reports.cost_files import AMOUNTS, cost_word
from functions.core.reports.figures import FIGURES, Measure
from functions.core.reports.labels import (
    duration_text,
    figure_definition,
    figure_label,
    is_duration,
    is_share,
    label_of,
    measure_label,
    measures,
    number_text,
    word,
)
from functions.core.text.due_words import PATTERNS
from functions.core.text.queue_texts import channel_label
from functions.workbench.costs import CSV
from functions.workbench.report_routes import XLSX

if TYPE_CHECKING:
    from functions.core.reports.periods import Period
    from functions.core.reports.report import ReportView, TableView
    from functions.workbench.pages.page import WorkbenchPage

FORMATS = {"csv": CSV, "xlsx": XLSX}
"""The files that a page leads to, by `format`."""

_SHOWN: dict[Measure, tuple[str, ...]] = {
    "count": ("n",),
    "duration": ("median", "n", "mean", "p90", "business.median"),
    "share": ("share", "n", "of"),
    "sla": ("share", "n", "met", "breached", "cancelled", "running"),
    "csat": ("share", "n", "good", "asked", "answer_rate", "mean"),
    "backlog": ("closing", "opening", "received", "reopened", "unmerged", "resolved", "closed",
                "merged"),
    "collaboration": ("share", "n", "in_time", "mean"),
    "cost": ("total", "usd_units", "agent", "parts", "compensation"),
}  # fmt: skip
"""The measures of a figure that its summary has, the one that is compared first."""
_OF_LISTS = {"assistant": ("", "confirmed", "silent", "handed_over"), "parts": ("n",)}

_COLUMNS = (
    ("volume", "n"), ("first_response", "median"), ("resolution_full", "median"),
    ("reopened", "share"), ("sla", "share"), ("csat", "share"), ("backlog", "n"),
    ("handled", "handled"), ("handling", "handling"), ("occupancy", "occupancy"),
)  # fmt: skip
"""The columns of a table, as far as its rows have them; the files have all measures."""

TRENDS = (
    ("volume", "n"), ("first_response", "median"), ("sla", "share"), ("csat", "share"),
)  # fmt: skip
"""The measures that are drawn over several periods."""

MOST_ROWS, MOST_BARS = 20, 10
"""The most rows of a table and bars of a chart; the files have all."""


class Point(NamedTuple):
    """A bar or a point of a chart: its name, its number, and the number in words."""

    label: str
    number: float | None
    text: str


class ShownFigure(NamedTuple):
    """A figure in the summary; `measure` names the value where the figure does not."""

    name: str
    label: str
    value: str
    measure: str
    change: str
    rest: list[tuple[str, str]]
    definition: str
    opens: bool


class ShownTable(NamedTuple):
    """A table and the chart beside it; `drawn` says what the chart is of, `left_out` how many rows
    only the files have."""

    title: str
    head: list[str]
    rows: list[list[str]]
    drawn: str = ""
    points: Sequence[Point] = ()
    left_out: int = 0


def wanted_file(page: WorkbenchPage) -> str | None:
    """Return the type of the file that is asked for; None for a page.

    Raises:
        InvalidInput: there is no such file.
    """
    wanted = page.request.query.get("format")
    if wanted and wanted not in FORMATS:
        expected = Phrase("expected one of {kinds}", kinds=tuple(FORMATS))
        error = FieldError("format", expected)
        raise InvalidInput("Some fields are invalid.", (error,))
    return FORMATS[wanted] if wanted else None


def period_words(page: WorkbenchPage, period: Period) -> str:
    """Say a period: 2026年第10周（3月2日至3月8日）."""
    patterns, first = PATTERNS[page.locale], period.first
    months, last = patterns["months"].split(), period.after - timedelta(days=1)
    week_year, week, _ = first.isocalendar()
    return page.say(
        f"period.{period.kind}",
        year=first.year,
        month=months[first.month - 1],
        day=first.day,
        weekday=patterns["weekdays"].split()[first.weekday()],
        week_year=week_year,
        week=week,
        last_month=months[last.month - 1],
        last_day=last.day,
    )


def summary(
    page: WorkbenchPage, report: ReportView, before: ReportView | None
) -> list[ShownFigure]:
    """Return the figures of a report, compared with those of the period before."""
    found: Mapping[str, Any] = report["figures"]
    earlier: Mapping[str, Any] = before["figures"] if before else {}
    return [
        _shown(page, name, found.get(name), earlier.get(name) if before else None)
        for name in FIGURES
    ]


def _shown(page: WorkbenchPage, name: str, value: Any, before: Any) -> ShownFigure:
    locale, figure = page.locale, FIGURES[name]
    now, then = (dict(measures(each or {})) for each in (value, before))
    first, *rest = _OF_LISTS[name] if name in _OF_LISTS else _SHOWN[figure.measure]
    some = any(now.values())
    named = measure_label(first, locale) if figure.measure == "duration" else ""
    shown = number_text(name, first, now.get(first), locale) if first else ""
    if name == "cost" and some:
        shown = f"{shown} {now['currency']}"
    return ShownFigure(
        name,
        figure_label(name, locale),
        shown if some or figure.measure in {"count", "list"} else word("nothing", locale),
        named if some else "",
        change_words(page, name, first, now.get(first), then.get(first)) if before else "",
        [
            (_named(name, path, page), number_text(name, path, now[path], locale))
            for path in rest
            if path in now and (some or not first)
        ],
        figure_definition(name, locale),
        some or name == "volume",
    )


def _named(figure: str, path: str, page: WorkbenchPage) -> str:
    if figure == "cost" and path in AMOUNTS:
        return cost_word(path, page.locale)
    return measure_label(path, page.locale)


def change_words(page: WorkbenchPage, figure: str, path: str, now: Any, before: Any) -> str:
    """Say how a number has changed, in a word and with its sign; "" if there is no number now."""
    if now is None or not path:
        return ""
    if before is None:
        return page.say("change.new")
    new, old = Decimal(str(now)), Decimal(str(before))
    if new == old:
        return page.say("change.same")
    grew, by = new > old, abs(new - old)
    sign = "+" if grew else "−"
    if is_share(path):
        points = f"{sign}{by * 100:.1f}"
        kind, said = ("higher", "lower"), page.say("change.points", points=points)
    else:
        kind, said = ("more", "less"), f"{sign}{by:,.10g}"
        if is_duration(figure, path):
            kind, said = ("longer", "shorter"), sign + duration_text(float(by), page.locale)
        if old:
            between = "，" if page.locale == "zh-CN" else ", "
            said += f"{between}{sign}{by / abs(old) * 100:.0f}%"
    return page.say(f"change.{kind[not grew]}", by=said)


def parts_of(page: WorkbenchPage, report: ReportView) -> list[ShownTable]:
    """Return what figures consist of: the backlog by age, deadlines by kind, the top parts …"""
    locale, figures = page.locale, report["figures"]

    def rows(name: str, found: Iterable[tuple[str, Mapping[str, Any]]], *paths: str) -> Any:
        for label, numbers in found:
            yield [label, *(number_text(name, path, numbers[path], locale) for path in paths)]

    def table(name: str, by: str, found: Any, charted: str, *paths: str) -> ShownTable:
        found = list(found)
        points = [
            Point(label, numbers[charted], number_text(name, charted, numbers[charted], locale))
            for label, numbers in found
        ]
        figure, head = figure_label(name, locale), [measure_label(path, locale) for path in paths]
        title = f"{figure} · {word(by, locale)}" if by else figure
        head = [word("label", locale), *head]
        return ShownTable(title, head, list(rows(name, found, *paths)), title, points)

    ages = ((page.say(f"age.{age}"), {"n": n}) for age, n in figures["backlog"]["by_age"].items())
    kinds = (
        (TIMER_KINDS.get(kind, {}).get(locale, kind), found)
        for kind, found in figures["sla"]["by_kind"].items()
    )
    teams = (
        (label_of("team", team, page.playbook, locale), found)
        for team, found in figures["collaboration"]["by_team"].items()
    )
    top = ((part["part"], {"n": part["n"]}) for part in figures["parts"]["top"])
    problems = ((each["label"], each) for each in report["top_problems"])
    found = [
        table("top_problems", "", problems, "n", "n", "share"),
        table("backlog", "by_age", ages, "n", "n"),
        table("sla", "by_kind", kinds, "share", "share", "met", "breached", "cancelled"),
        table("collaboration", "by_team", teams, "share", "share", "n", "in_time", "mean"),
        table("parts", "top", top, "n", "n"),
    ]
    return [each for each in found if any(point.number for point in each.points)]


def shown_table(page: WorkbenchPage, table: TableView) -> ShownTable:
    """Return a table of a report with the chart of its volumes."""
    locale, dimension = page.locale, table["dimension"]
    every: Sequence[Mapping[str, Any]] = table["rows"]
    columns = [column for column in _COLUMNS if column[0] in (every[0] if every else {})]

    def label(row: Mapping[str, Any]) -> str:
        named = str(row["label"])
        return channel_label(named, locale) if dimension == "channel" else named

    def text(row: Mapping[str, Any], figure: str, path: str) -> str:
        numbers = dict(measures(row[figure]))
        return number_text(figure, path, numbers.get(path, numbers.get("n")), locale)

    title = word(dimension, locale)
    return ShownTable(
        title,
        [title, *(_column(figure, path, page) for figure, path in columns)],
        [[label(row), *(text(row, *column) for column in columns)] for row in every[:MOST_ROWS]],
        f"{figure_label('volume', locale)} · {title}",
        [
            Point(label(row), row["volume"]["n"], text(row, "volume", "n"))
            for row in every[:MOST_BARS]
        ],
        max(0, len(every) - MOST_ROWS),
    )


def _column(figure: str, path: str, page: WorkbenchPage) -> str:
    named = figure_label(figure, page.locale)
    if is_duration(figure, path) and figure in FIGURES:
        return f"{named}{'，' if page.locale == 'zh-CN' else ', '}{word(path, page.locale)}"
    return named


def trends(
    page: WorkbenchPage, reports: Sequence[tuple[Period, ReportView]]
) -> tuple[ShownTable, list[tuple[str, list[Point]]]]:
    """Return some figures over several periods: the table, and a line for each figure."""
    locale = page.locale
    lines = []
    for figure, path in TRENDS:
        numbers = [dict(measures(report["figures"][figure]))[path] for _, report in reports]  # type: ignore[literal-required]  # one of them
        points = [
            Point(period.name, number, number_text(figure, path, number, locale))
            for (period, _), number in zip(reports, numbers, strict=True)
        ]
        lines.append((_column(figure, path, page), points))
    head = [word("period", locale), *(title for title, _ in lines)]
    rows = [
        [period.name, *(points[n].text for _, points in lines)]
        for n, (period, _) in enumerate(reports)
    ]
    return ShownTable(page.say("reports.trend"), head, rows), lines
