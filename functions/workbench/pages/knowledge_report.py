"""The report on articles: what came of customers' questions in a period, article by article."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions.core.domain.knowledge import in_locale
from functions.core.domain.questions import by_article, last_outcomes, outcomes
from functions.core.platform import aws
from functions.core.reports.periods import Period
from functions.core.storage.reports import StoredReports

if TYPE_CHECKING:
    from functions.core.domain.journal import JournalEntry
    from functions.core.domain.questions import Outcomes
    from functions.workbench.pages.page import WorkbenchPage

DAYS = timedelta(days=30)
"""The longest period; questions are kept for five days more."""

WEEKS = 4
"""The finished weeks that can be chosen."""

MOST = 5000
"""The most questions that are counted, the newest."""

UNANSWERED = 20
"""The newest questions without an answer that are shown."""


@dataclass(frozen=True)
class ArticleFigures:
    """The outcomes of the questions that an article was the answer to."""

    name: str
    title: str
    counts: Outcomes


def report_of(page: WorkbenchPage) -> dict[str, Any]:
    """Return what the page shows of the chosen period: a finished week, else the last 30 days."""
    now, zone = page.request.now, page.playbook.zone
    week = Period.of("weekly", now.astimezone(zone).date()).previous
    weeks = [week]
    while len(weeks) < WEEKS:
        weeks.append(weeks[-1].previous)
    chosen = next((each for each in weeks if each.name == page.request.query.get("period")), None)
    since = chosen.start(zone) if chosen else now - DAYS
    until = chosen.end(zone) - timedelta(microseconds=1) if chosen else now
    entries = _entries(page, since, until)
    base = page.storage.knowledge.get(page.desk, now, fresh=True)
    titles = {
        name: in_locale(found.article.title, page.locale) for name, found in base.articles.items()
    }
    counted = by_article(entries)
    rows = [ArticleFigures(name, titles.get(name, name), each) for name, each in counted.items()]
    rows.sort(key=lambda row: (-row.counts.total, row.name))
    missed = [
        entry
        for entry in reversed(last_outcomes(entries))
        if entry.question and entry.question.outcome in ("missed", "none")
    ]
    stored = StoredReports(aws.client("s3"), page.request.deployment.mail_bucket)
    report = stored.find(page.desk, chosen or week)
    return {
        "weeks": weeks,
        "chosen": chosen,
        "since": since,
        "until": until,
        "all": outcomes(entries),
        "capped": len(entries) >= MOST,
        "rows": rows,
        "known": titles,
        "unused": [
            (name, titles[name])
            for name, found in base.articles.items()
            if name not in counted and found.article.may_be_read("customer", now, zone)
        ],
        "missed": missed[:UNANSWERED],
        "week": chosen or week,
        "written": report is not None,
        "frequent": report["questions"] if report else [],
    }


def _entries(page: WorkbenchPage, since: datetime, until: datetime) -> list[JournalEntry]:
    """Return the newest questions of a period, in order."""
    days: list[list[JournalEntry]] = []
    left, end = MOST, until.astimezone(UTC)
    while left > 0 and end >= since:
        midnight = datetime(end.year, end.month, end.day, tzinfo=UTC)
        begin = max(since, midnight)
        found = page.storage.questions.entries(page.desk, begin, end)
        days.append([entry for _, entry in found][-left:])
        left -= len(days[-1])
        end = midnight - timedelta(microseconds=1)
    return [entry for day in reversed(days) for entry in day]
