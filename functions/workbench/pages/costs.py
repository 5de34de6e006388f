"""The costs of a desk's work, for finance: a table, a chart, the budget; no ticket's text (H5, F8).

Athena takes seconds: the page is there at once, and a script loads the table. Without script a link
leads to the page that waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, get_args

from functions.core.domain.errors import InvalidInput, TryAgain
from functions.core.platform.web import HttpResponse
from functions.core.reports.cost_files import AMOUNTS, amount, cost_word
from functions.core.reports.cost_queries import CostsBy
from functions.core.reports.costs import CostLine, CostTable
from functions.core.services.rights import SEES_TICKETS
from functions.core.text.due_words import clock_words
from functions.core.text.error_texts import translated
from functions.core.text.queue_texts import channel_label
from functions.workbench.costs import AskedCosts, asked_costs, costs_file, read_costs
from functions.workbench.pages.figure_words import MOST_BARS, Point, wanted_file
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route
from functions.workbench.report_routes import PATIENCE

MOST_LINES = 100
"""The most lines of the page; the files have all."""

DEFAULT_BY = "day"

_PLACES = {"usd": 4, "minutes": 1}
"""The decimal places of amounts that are not in the desk's currency."""


@route("GET")
def show(page: WorkbenchPage) -> HttpResponse:
    """Show the page; with `wait` or `part=table` the costs, with `format` a file of them."""
    given = page.request.query
    asks = {name: given[name] for name in ("from", "to", "by") if given.get(name)}
    request = page.calling(**{"by": DEFAULT_BY, **asks})
    try:
        asked, media = asked_costs(request, page.playbook), wanted_file(page)
    except InvalidInput as refused:
        errors = page.wrong_fields(refused)
        return _answer(page, dict(request.query), errors=errors, status=400)
    query = {"from": asked.first.isoformat(), "to": asked.last.isoformat(), "by": asked.by}
    part = given.get("part") == "table"
    if not (part or media or "wait" in given):
        return _answer(page, query)
    table: Any = None
    problem, again, status = "", "", 200
    try:
        found = read_costs(request, page.playbook, asked, partial(_rows, page))
        if media:
            return costs_file(page.desk, asked, found, media, page.locale)
        table = _shown(page, asked, found)
    except InvalidInput as refused:
        problem = " ".join(translated(each.message, page.locale) for each in refused.errors)
        status = refused.status
    except TryAgain:
        problem, again, status = page.say("costs.late"), page.url("costs", **query), 503
    values = {"table": table, "problem": problem, "again": again}
    if part:
        # htmx shows an answer that has a problem only with 200.
        return page.render("costs_part.html", asked=query, query=query, **values)
    return _answer(page, query, status=status, **values)


def _rows(page: WorkbenchPage, sql: str) -> Iterable[Mapping[str, str]]:
    from functions.core.platform.athena import Athena

    return Athena(page.request.deployment, PATIENCE).rows(sql)


def _answer(
    page: WorkbenchPage,
    asked: dict[str, str],
    *,
    errors: dict[str, str] | None = None,
    status: int = 200,
    **values: Any,
) -> HttpResponse:
    shown: dict[str, Any] = {
        "asked": {name: asked.get(name, "") for name in ("from", "to", "by")},
        "query": asked,
        "errors": errors or {},
        "subjects": get_args(CostsBy),
        "word": cost_word,
        "budget": _budget(page),
        "table": None,
        "problem": "",
        "again": "",
    }
    return page.render("costs.html", status, title=None, **(shown | values))


def _budget(page: WorkbenchPage) -> dict[str, Any]:
    """Return the month's budget and how much of it the function `reports` has seen used."""
    reports, now = page.playbook.reports, page.request.now
    spending = page.storage.report_progress.get(page.desk, now).spending
    month = f"{now.astimezone(page.playbook.zone):%Y-%m}"
    spent = spending.spent if spending and spending.month == month else Decimal(0)
    values = {"spent": _money(spent), "currency": reports.currency}
    share = over = at = None
    if spending:
        at = clock_words(spending.through, now, page.playbook.zone, page.locale)
    if reports.budget is not None:
        used = spent / reports.budget
        share, over = round(float(min(used, Decimal(1))), 4), used > 1
        values |= {"budget": _money(reports.budget), "share": f"{used:.1%}"}
        text = page.say("costs.used", **values)
    elif spending:
        text = page.say("costs.no_budget", **values)
    if spending is None:
        text = page.say("costs.not_counted")
    return {"share": share, "over": over, "text": text, "at": at}


def _shown(page: WorkbenchPage, asked: AskedCosts, table: CostTable) -> dict[str, Any]:
    """Return the costs as the page has them; ticket lines begin with the dearest."""
    locale, by, lines = page.locale, asked.by, list(table.lines)
    if by == "day":
        lines = _every_day(page, asked, lines)
    elif by == "ticket":
        lines.sort(key=lambda line: -line.total)
    shown = lines[:MOST_LINES]

    def label(line: CostLine) -> str:
        if by == "desk":
            return page.playbook.name[locale]
        name = channel_label(line.key, locale) if by == "channel" else line.key
        return name or cost_word("none", locale)

    linked = by == "ticket" and page.principal.roles & SEES_TICKETS
    drawn = shown if by == "day" else sorted(shown, key=lambda line: -line.total)[:MOST_BARS]
    units = [*table.sum.units.items(), *table.sum.used.items()]
    return {
        "caption": page.say(
            "costs.table", first=asked.first, last=asked.last, currency=table.currency
        ),
        "head": [cost_word(name, locale) for name in (by, *AMOUNTS)],
        "rows": [[label(line), *_cells(line)] for line in shown] if table.lines else [],
        "links": {line.key: page.url("tickets", line.key) for line in shown if linked and line.key},
        "last": [[cost_word("sum", locale), *_cells(table.sum)]],
        "points": [
            Point(label(line), float(line.total), _money(line.total)) for line in drawn
        ] if by != "desk" else [],
        "drawn": f"{cost_word('total', locale)} · {cost_word(by, locale)}",
        "left_out": len(lines) - len(shown),
        "remainder": cost_word("remainder", locale),
        "units": [[name, f"{amount(quantity):,}"] for name, quantity in units],
        "currency": table.currency,
        "region": table.region if not table.of_home else "us-east-1",
        "rate": f"{table.usd_rate:,}",
        "unpriced": table.unpriced,
    }  # fmt: skip


def _every_day(page: WorkbenchPage, asked: AskedCosts, lines: list[CostLine]) -> list[CostLine]:
    """Return a line for each day up to today, so that a chart of days is true to time."""
    found, days = {line.key: line for line in lines}, []
    day, today = asked.first, page.request.now.astimezone(page.playbook.zone).date()
    while day <= min(asked.last, today):
        days.append(found.get(day.isoformat()) or CostLine(day.isoformat()))
        day += timedelta(days=1)
    return days


def _cells(line: CostLine) -> list[str]:
    return [f"{getattr(line, name):,.{_PLACES.get(name, 2)}f}" for name in AMOUNTS]


def _money(value: Decimal) -> str:
    return f"{value:,.2f}"
