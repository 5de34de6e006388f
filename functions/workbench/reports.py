"""The calls of reports: a report as JSON, CSV or workbook, and the tickets behind its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.domain.errors import NotFound, Phrase
from functions.core.domain.roster import Role
from functions.core.platform import aws
from functions.core.platform.web import HttpResponse, Request, locale_of, preferred
from functions.core.reports.periods import Period
from functions.core.services.rights import Principal, require
from functions.core.storage.reports import StoredReports
from functions.workbench.calls import signed_in
from functions.workbench.report_routes import XLSX

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.domain.rules import Locale, Playbook
    from functions.core.reports.report import BehindView
    from functions.core.storage.database import Storage

SEES_REPORTS: frozenset[Role] = frozenset({"supervisor", "qa", "finance", "admin"})
SEES_BEHIND: frozenset[Role] = SEES_REPORTS - {"finance"}
"""The roles that see customers' questions, and more of the tickets behind a figure than numbers."""


def show_report(
    request: Request, storage: Storage, desk: str, kind: str, period_name: str
) -> HttpResponse:
    """Show a report; with `tickets` what is behind one of its figures.

    Raises:
        InvalidInput: there is no such kind, period, figure or page.
        NotFound: the period has not ended, or has no report.
    """
    principal, playbook = signed_in(request, storage, desk)
    require(principal, SEES_REPORTS, Phrase("see reports"))
    period, locale = Period.parse(kind, period_name), locale_of(request, playbook.locale)
    stored = StoredReports(aws.client("s3"), request.deployment.mail_bucket)
    report = stored.find(desk, period)
    if report is None:
        raise _no_report(period.end(playbook.zone), request.now, playbook)
    if figure := request.query.get("tickets"):
        return _behind(request, stored, principal, period, figure, locale)
    if not principal.roles & SEES_BEHIND:
        report = {**report, "questions": []}  # they are tickets' words
    name = f"{desk}-{period.name}"
    wanted = preferred(request.headers, "application/json", "text/csv", XLSX)
    if wanted == XLSX:
        from functions.core.reports.workbook import workbook

        return _file(f"{name}.xlsx", workbook(report, locale), XLSX)
    if wanted == "text/csv":
        from functions.core.reports.files import report_csv

        return _file(f"{name}.csv", report_csv(report, locale), wanted)
    return HttpResponse(report)


def _no_report(end: datetime, now: datetime, playbook: Playbook) -> NotFound:
    if end > now:
        return NotFound(
            Phrase(
                "This period ends at {time}; its report is written within half an hour after that.",
                time=f"{end.astimezone(playbook.zone):%Y-%m-%d %H:%M}",
            )
        )
    return NotFound(
        "There is no report of this period. Reports go back to 45 days before the first one; "
        "the newest is written within half an hour after its period."
    )


def _behind(
    request: Request,
    stored: StoredReports,
    principal: Principal,
    period: Period,
    figure: str,
    locale: Locale,
) -> HttpResponse:
    """Show a page of the tickets behind a figure, or all of them as CSV."""
    desk = principal.desk
    whole = figure == "cost" or bool(principal.roles & SEES_BEHIND)
    page = stored.page(desk, period, figure, request.query.get("cursor"))
    if preferred(request.headers, "application/json", "text/csv") == "text/csv":
        from functions.core.reports.files import tickets_csv

        rows = [_shown(row.view(), whole) for row in stored.behind(desk, period, figure)]
        name = f"{desk}-{period.name}-{figure}.csv"
        return _file(name, tickets_csv(rows, locale), "text/csv")
    shown = [_shown(row, whole) for row in page["tickets"]]
    return HttpResponse({**page, "tickets": shown})


def _shown(row: BehindView, whole: bool) -> BehindView:
    """Return a row; finance gets the number and whether it counts, nothing about the ticket."""
    if whole:
        return row
    return {
        "number": row["number"],
        "version": row["version"],
        "value": None,
        "business": None,
        "hit": None,
        "item": "",
        "agent": "",
        "groups": [],
        "counted": row["counted"],
        "reason": "",
    }


def _file(name: str, body: str | bytes, media: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(body, headers=headers, content_type=media)
