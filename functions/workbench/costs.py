"""The call that tells finance what a desk's work has cost (F8). It shows no ticket's text."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple, get_args

from functions.core.domain.errors import FieldError, InvalidInput, Phrase
from functions.core.domain.roster import Role
from functions.core.platform.web import HttpResponse, Request, locale_of, preferred
from functions.core.reports.cost_files import amount, cost_csv, cost_workbook
from functions.core.reports.cost_queries import CostsBy
from functions.core.reports.costs import CostLine, CostTable, Query, costs_of
from functions.core.reports.periods import YEARS
from functions.core.reports.prices import HOME
from functions.core.services.rights import require
from functions.workbench.calls import signed_in
from functions.workbench.queues import require_known
from functions.workbench.report_routes import XLSX

if TYPE_CHECKING:
    from functions.core.domain.rules import Locale, Playbook
    from functions.core.storage.database import Storage
    from functions.workbench.shapes import CostLineView, CostsView

SEES_COSTS: frozenset[Role] = frozenset({"finance", "admin"})

MOST_DAYS = 93
MOST_LINES = 5_000
"""The most lines of an answer, which Lambda limits to 6 MB."""

CSV = "text/csv"


class AskedCosts(NamedTuple):
    """The first and the last local day, both included, and the subject of a line."""

    first: date
    last: date
    by: CostsBy


def show_costs(request: Request, storage: Storage, desk: str, query: Query) -> HttpResponse:
    """Answer with the costs of a desk in JSON, CSV or XLSX, as `Accept` prefers.

    Raises:
        Forbidden: the caller is neither finance nor admin.
        InvalidInput: a parameter is invalid, or the answer would be too long.
    """
    principal, playbook = signed_in(request, storage, desk)
    require(principal, SEES_COSTS, Phrase("see costs"))
    asked = asked_costs(request, playbook)
    table = read_costs(request, playbook, asked, query)
    kind = preferred(request.headers, "application/json", CSV, XLSX)
    if kind == "application/json":
        return HttpResponse(costs_view(desk, *asked, table))
    return costs_file(desk, asked, table, kind, locale_of(request, playbook.locale))


def asked_costs(request: Request, playbook: Playbook) -> AskedCosts:
    """Return the costs that a query asks for; by default this month's, of the whole desk.

    Raises:
        InvalidInput: a parameter is invalid.
    """
    by = _by(request)
    return AskedCosts(*_days(request, playbook), by)


def read_costs(request: Request, playbook: Playbook, asked: AskedCosts, query: Query) -> CostTable:
    """Return the costs of a desk.

    Raises:
        InvalidInput: there are too many lines for an answer.
    """
    table = costs_of(playbook, *asked, request.deployment.region, query)
    if len(table.lines) > MOST_LINES:
        raise _invalid("to", Phrase("More than {most} lines: ask for fewer days.", most=MOST_LINES))
    return table


def costs_file(
    desk: str, asked: AskedCosts, table: CostTable, media: str, locale: Locale
) -> HttpResponse:
    """Return costs as CSV or as a workbook."""
    write = cost_csv if media == CSV else cost_workbook
    suffix = "csv" if media == CSV else "xlsx"
    name = f"costs-{desk}-{asked.first}-{asked.last}.{suffix}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    body = write({desk: table}, asked.by, locale)
    return HttpResponse(body, headers=headers, content_type=media)


def _by(request: Request) -> CostsBy:
    by = request.query.get("by", "desk")
    require_known("by", by, get_args(CostsBy))
    return by  # type: ignore[return-value]  # one of them


def _days(request: Request, playbook: Playbook) -> tuple[date, date]:
    """Return the first and the last local day; by default, this month up to today."""
    today = request.now.astimezone(playbook.zone).date()
    last = _day(request, "to") or today
    first = _day(request, "from") or last.replace(day=1)
    if first > last:
        raise _invalid("to", "`from` is later than `to`.")
    if last - first >= timedelta(days=MOST_DAYS):
        raise _invalid("to", Phrase("At most {days} days.", days=MOST_DAYS))
    return first, last


def _day(request: Request, name: str) -> date | None:
    text = request.query.get(name)
    try:
        # `fromisoformat` alone also takes weeks and dates without hyphens.
        found = date.fromisoformat(text) if text else None
        if found is None or (found.isoformat() == text and found.year in YEARS):
            return found
    except ValueError:
        pass
    raise _invalid(name, "A date such as 2026-03-10.")


def _invalid(name: str, message: str) -> InvalidInput:
    return InvalidInput("Some fields are invalid.", (FieldError(name, message),))


def costs_view(desk: str, first: date, last: date, by: CostsBy, table: CostTable) -> CostsView:
    """Return the costs of a desk as JSON has them."""
    return {
        "desk": desk,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "by": by,
        "currency": table.currency,
        "usd_rate": float(table.usd_rate),
        "region": table.region,
        "prices_of": HOME if table.of_home else table.region,
        "unpriced": list(table.unpriced),
        "lines": [_line(line) for line in table.lines],
        "sum": _line(table.sum),
        "remainder": None,
    }


def _line(line: CostLine) -> CostLineView:
    return {
        "key": line.key,
        "units": {name: float(amount(each)) for name, each in line.units.items()},
        "usd": float(amount(line.usd)),
        "agent": {"minutes": float(amount(line.minutes)), "amount": float(amount(line.agent))},
        "parts": {
            "used": {name: int(count) for name, count in line.used.items()},
            "amount": float(amount(line.parts)),
        },
        "compensation": float(amount(line.compensation)),
        "total": float(amount(line.total)),
    }
