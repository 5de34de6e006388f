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
    from functions.core.reports.report import BehindList, BehindView, ReportView
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
    stored = stored_reports(request)
    report = read_report(stored, principal, playbook, period, request.now)
    if figure := request.query.get("tickets"):
        listed = read_behind(stored, principal, period, figure, request.query.get("cursor"))
        if preferred(request.headers, "application/json", "text/csv") == "text/csv":
            return behind_file(stored, principal, period, figure, locale)
        return HttpResponse(listed)
    wanted = preferred(request.headers, "application/json", "text/csv", XLSX)
    return (
        HttpResponse(report)
        if wanted == "application/json"
        else report_file(report, wanted, locale)
    )


def stored_reports(request: Request) -> StoredReports:
    """Return the reports of a deployment."""
    return StoredReports(aws.client("s3"), request.deployment.mail_bucket)


def read_report(
    stored: StoredReports, principal: Principal, playbook: Playbook, period: Period, now: datetime
) -> ReportView:
    """Return a report as somebody may see it.

    Raises:
        NotFound: the period has not ended, or has no report.
    """
    report = stored.find(principal.desk, period)
    if report is None:
        raise _no_report(period.end(playbook.zone), now, playbook)
    if not principal.roles & SEES_BEHIND:
        report = {**report, "questions": []}  # they are tickets' words
    return report


def report_file(report: ReportView, media: str, locale: Locale) -> HttpResponse:
    """Return a report as CSV or as a workbook."""
    name = f"{report['desk']}-{report['period']}"
    if media == XLSX:
        from functions.core.reports.workbook import workbook

        return _file(f"{name}.xlsx", workbook(report, locale), XLSX)
    from functions.core.reports.files import report_csv

    return _file(f"{name}.csv", report_csv(report, locale), "text/csv")


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


def read_behind(
    stored: StoredReports, principal: Principal, period: Period, figure: str, cursor: str | None
) -> BehindList:
    """Return a page of the tickets behind a figure as somebody may see them.

    Raises:
        InvalidInput: there is no such figure or page.
    """
    listed = stored.page(principal.desk, period, figure, cursor)
    whole = _sees_whole(principal, figure)
    return {**listed, "tickets": [_shown(row, whole) for row in listed["tickets"]]}


def behind_file(
    stored: StoredReports, principal: Principal, period: Period, figure: str, locale: Locale
) -> HttpResponse:
    """Return all tickets behind a figure as CSV."""
    from functions.core.reports.files import tickets_csv

    desk, whole = principal.desk, _sees_whole(principal, figure)
    rows = [_shown(row.view(), whole) for row in stored.behind(desk, period, figure)]
    return _file(f"{desk}-{period.name}-{figure}.csv", tickets_csv(rows, locale), "text/csv")


def _sees_whole(principal: Principal, figure: str) -> bool:
    return figure == "cost" or bool(principal.roles & SEES_BEHIND)


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
