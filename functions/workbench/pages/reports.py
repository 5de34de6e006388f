"""The reports of a desk: their figures, what they consist of, and the tickets behind each (H5)."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple

from functions.core.domain.errors import InvalidInput, NotFound
from functions.core.domain.ticket import TIMER_KINDS
from functions.core.platform.web import HttpResponse
from functions.core.reports.figures import FIGURES
from functions.core.reports.labels import (
    duration_text,
    figure_definition,
    figure_label,
    group_label,
    label_of,
    number_text,
    word,
)
from functions.core.reports.periods import KINDS, Period
from functions.core.reports.report import BehindView, ReportView
from functions.core.services.rights import SEES_TICKETS
from functions.core.storage.reports import PAGE, StoredReports
from functions.core.text.due_words import clock_words
from functions.core.text.error_texts import translated
from functions.core.text.queue_texts import channel_label
from functions.workbench.pages.figure_words import (
    parts_of,
    period_words,
    shown_table,
    summary,
    trends,
    wanted_file,
)
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route
from functions.workbench.reports import (
    SEES_BEHIND,
    behind_file,
    read_behind,
    read_report,
    report_file,
    stored_reports,
)

TREND = 8
"""The periods that are drawn side by side."""


class _Written(NamedTuple):
    """The newest report of each kind, and the day on which the desk began."""

    newest: dict[str, Period]
    first_day: date | None

    @classmethod
    def of(cls, stored: StoredReports, desk: str) -> _Written:
        written = stored.written(desk)
        first = written.get("first_day")
        newest: dict[str, Period] = {
            kind: Period.parse(kind, written[kind]) for kind in KINDS if kind in written
        }
        return cls(newest, date.fromisoformat(first) if first else None)

    def latest(self) -> Period | None:
        """Return the newest report of all, of two that end together the longer one."""
        found = self.newest.values()
        return max(found, key=lambda each: (each.after, KINDS.index(each.kind)), default=None)

    def has(self, period: Period) -> bool:
        """Return whether there should be a report of a period."""
        newest = self.newest.get(period.kind)
        began = self.first_day is None or period.after > self.first_day
        return newest is not None and began and period <= newest


@route("GET")
def show(page: WorkbenchPage) -> HttpResponse:
    """Show a report, the newest one by default; as a file with `format`, or with `tickets` what is
    behind one of its figures."""
    stored, query = stored_reports(page.request), page.request.query
    written = _Written.of(stored, page.desk)
    period = None
    try:
        period, media = _wanted(page, written), wanted_file(page)
        if period is None:
            return _answer(page, written, None, reason=_first(page))
        if figure := query.get("tickets"):
            return _behind(page, stored, period, figure, media)
        report = read_report(stored, page.principal, page.playbook, period, page.request.now)
    except InvalidInput as refused:
        errors = [translated(each.message, page.locale) for each in refused.errors]
        errors = errors or [translated(refused.detail, page.locale)]
        return _answer(page, written, None, errors=errors, status=400)
    except NotFound as refused:
        # Before a kind's first report, its empty page is the right answer to who opens it.
        status = 404 if {"period", "date"} & query.keys() else 200
        reason = translated(refused.detail, page.locale)
        return _answer(page, written, period, reason=reason, status=status)
    if media:
        return report_file(report, media, page.locale)
    values: dict[str, Any] = {}
    if "trend" in query or query.get("part") == "trend":
        values = _trend(page, stored, written, period, report)
        if "trend" not in query:
            return page.render("reports_trend.html", **values)
    values |= _read(page, stored, written, period, report)
    return _answer(page, written, period, **values)


def _wanted(page: WorkbenchPage, written: _Written) -> Period | None:
    """Return the period that is asked for; None if none is and there is no report.

    Raises:
        InvalidInput: there is no such kind or period.
    """
    query = page.request.query
    kind, name, day = (query.get(each, "") for each in ("kind", "period", "date"))
    if name or kind not in ("", *KINDS):
        return Period.parse(kind, name)
    if day:
        return Period.of(kind or KINDS[0], Period.parse("daily", day).first)
    if not kind:
        return written.latest()
    today = page.request.now.astimezone(page.playbook.zone).date()
    return written.newest.get(kind) or Period.of(kind, today)


def _read(
    page: WorkbenchPage,
    stored: StoredReports,
    written: _Written,
    period: Period,
    report: ReportView,
) -> dict[str, Any]:
    """Return what the page says of a report, compared with the one before."""
    before = None
    if written.has(period.previous):
        before = stored.find(page.desk, period.previous, questions=False)
    return {
        "report": report,
        "before": before,
        "made": clock_words(
            datetime.fromisoformat(report["generated_at"]),
            page.request.now,
            page.playbook.zone,
            page.locale,
        ),
        "figures": summary(page, report, before),
        "tables": [
            *(shown_table(page, table) for table in report["tables"] if table["rows"]),
            *parts_of(page, report),
        ],
        "corrections": [
            (_correction(page, correction), correction["tickets"])
            for correction in report["corrections"]
        ],
    }


def _correction(page: WorkbenchPage, correction: Any) -> str:
    """Say what has changed in an earlier report."""
    figure, locale = correction["figure"], page.locale
    path = {"duration": "mean"}.get(FIGURES[figure].measure if figure in FIGURES else "", "n")
    named = figure_label(figure, locale)
    if correction["group"]:
        named += f" · {group_label(correction['group'], page.playbook, locale)}"
    before, after = (number_text(figure, path, correction[each], locale) for each in ("from", "to"))
    return page.say(
        "reports.changed", period=correction["period"], figure=named, from_=before, to=after
    )


def _trend(
    page: WorkbenchPage,
    stored: StoredReports,
    written: _Written,
    period: Period,
    report: ReportView,
) -> dict[str, Any]:
    """Return some figures of the last reports, each of which is read."""
    found = [(period, report)]
    while len(found) < TREND and written.has(earlier := found[0][0].previous):
        before = stored.find(page.desk, earlier, questions=False)
        if before is None:
            break
        found.insert(0, (earlier, before))
    table, lines = trends(page, found)
    return {"trend": table, "lines": lines if len(found) > 1 else []}


def _first(page: WorkbenchPage) -> str:
    """Say when the first report will be there."""
    today = page.request.now.astimezone(page.playbook.zone).date()
    end = Period.of(KINDS[0], today).end(page.playbook.zone)
    at = clock_words(end, page.request.now, page.playbook.zone, page.locale)
    return page.say("reports.first", kind=word(KINDS[0], page.locale), at=at)


def _answer(
    page: WorkbenchPage,
    written: _Written,
    period: Period | None,
    *,
    status: int = 200,
    reason: str = "",
    errors: list[str] | None = None,
    **values: Any,
) -> HttpResponse:
    query, newest = page.request.query, written.latest()
    kinds = {kind: {"kind": kind} for kind in map(str, KINDS)}
    around = [Period.of(kind, period.first) for kind in kinds] if period else []
    for each in filter(written.has, around):
        kinds[each.kind]["period"] = each.name
    previous, following = (period.previous, period.next) if period else (None, None)
    shown: dict[str, Any] = {
        "report": None,
        "before": None,
        "trend": None,
        "reason": reason,
        "errors": errors or [],
        "period": period,
        "previous": previous if previous and written.has(previous) else None,
        "next": following if following and written.has(following) else None,
        "newest": newest,
        "kinds": kinds,
        "asked": {
            "kind": period.kind if period else query.get("kind") or KINDS[0],
            "date": period.first.isoformat() if period else query.get("date", ""),
        },
        "trend_length": TREND,
        "sees_tickets": bool(page.principal.roles & SEES_TICKETS),
    }
    return page.render("reports.html", status, title=None, **_words(page), **(shown | values))


def _words(page: WorkbenchPage) -> dict[str, Any]:
    def link(period: Period, **query: str) -> str:
        return page.url("reports", kind=period.kind, period=period.name, **query)

    return {"word": word, "words": partial(period_words, page), "link": link}


def _behind(
    page: WorkbenchPage, stored: StoredReports, period: Period, figure: str, media: str | None
) -> HttpResponse:
    """Show a page of the tickets behind a figure; those that do not count say why."""
    principal, cursor = page.principal, page.request.query.get("cursor")
    listed = read_behind(stored, principal, period, figure, cursor)
    if media:
        return behind_file(stored, principal, period, figure, page.locale)
    found, locale = listed["tickets"], page.locale
    columns = [name for name in _CELLS if any(row[name] not in (None, "", []) for row in found)]  # type: ignore[literal-required]  # keys of a row
    rows = [
        _why(page, row) | {"cells": [(_cell(page, figure, name, row), name) for name in columns]}
        for row in found
    ]
    return page.render(
        "report_tickets.html",
        title=page.say("behind.title", figure=figure_label(figure, locale)),
        definition=figure_definition(figure, locale),
        figure=figure,
        period=period,
        head=[(word(_CELLS[name], locale), name) for name in columns],
        numeric=("value", "business"),
        rows=rows,
        whole=bool(principal.roles & SEES_BEHIND),
        # Behind the assistant's figure are chats, which have no page.
        linked=bool(principal.roles & SEES_TICKETS) and figure != "assistant",
        cursor=listed["cursor"],
        later=bool(cursor),
        page_size=PAGE,
        **_words(page),
    )


_CELLS = {
    "value": "value", "business": "business", "hit": "hit", "item": "item", "agent": "agent",
    "groups": "group",
}  # fmt: skip
"""The columns of the rows behind a figure that have something in them, and their words."""


def _why(page: WorkbenchPage, row: BehindView) -> dict[str, Any]:
    """Say whether a row counts, and if not, why; a merged ticket leads to its target."""
    reason, _, target = row["reason"].partition(" ")
    known = reason in {"merged", "imported", "cancelled", "unanswered"}
    name = "counted" if row["counted"] else reason if known else "other"
    if name == "merged" and not target:
        name = "other"
    return {
        "number": row["number"],
        "counted": row["counted"],
        "why": page.say(f"behind.{name}"),
        "into": target if name == "merged" else "",
    }


def _cell(page: WorkbenchPage, figure: str, name: str, row: BehindView) -> str:
    """Return a cell in words."""
    locale, playbook = page.locale, page.playbook
    value: Any = row[name]  # type: ignore[literal-required]  # a key of a row
    if value is None:
        return ""
    if name in {"value", "business"}:
        seconds = FIGURES[figure].seconds
        return duration_text(value, locale) if seconds else number_text(figure, "n", value, locale)
    if name == "hit":
        return page.say("behind.yes" if value else "behind.no")
    if name == "groups":
        return " · ".join(_group(page, group) for group in value)
    if name == "item":
        first, _, rest = value.partition("~")
        if figure == "sla":
            kind = TIMER_KINDS.get(first, {}).get(locale, first)
            return f"{kind} · {word(rest.partition('~')[0], locale)}"
        if figure == "collaboration":
            return label_of("team", first, playbook, locale)
        return word(value, locale) if figure == "assistant" else str(value)
    return str(value)


def _group(page: WorkbenchPage, group: str) -> str:
    dimension, _, value = group.partition("=")
    if dimension == "channel":
        return channel_label(value, page.locale)
    return group_label(group, page.playbook, page.locale)
