"""The administrative acts of a desk: first of all, who opened what is sealed, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any, NamedTuple

from functions.core.domain.audit import ACTS, AUDITED, AuditEntry
from functions.core.domain.rules import Locale
from functions.core.platform.web import HttpResponse
from functions.core.reports.files import csv_text
from functions.core.text.tables import read_table
from functions.core.text.workbench_texts import TEXTS
from functions.workbench.pages.page import PAGE_HEADERS, PAGES, WorkbenchPage
from functions.workbench.pages.routing import route
from functions.workbench.pages.ticket_forms import whole
from functions.workbench.reading import commits_at

OPENED = "opened"
"""The choice of all acts that open what is sealed; the first one."""
ALL = "all"
OPENING = frozenset({"ticket.open-contact", "ticket.open-original"})

DEFAULT_SPAN = timedelta(days=30)
LONGEST_SPAN = timedelta(days=366)
PAGE_SIZE = 50
_FIRST_YEAR, _LAST_YEAR = 2000, 2199


@dataclass(frozen=True)
class AuditFilter:
    """The values of the filters, `first` and `last` included."""

    act: str
    person: str
    first: date
    last: date

    def keeps(self, entry: AuditEntry) -> bool:
        if self.act == OPENED and entry.act not in OPENING:
            return False
        if self.act not in (OPENED, ALL, entry.act):
            return False
        people = [entry.actor, entry.target if entry.act.startswith("person.") else ""]
        return any(self.person.casefold() in name.casefold() for name in people)


class AuditRow(NamedTuple):
    """An act as the page shows it."""

    entry: AuditEntry
    at: datetime
    ticket: str
    reason: str
    changes: list[tuple[str, str, str]]


@route("GET")
def show(page: WorkbenchPage) -> HttpResponse:
    """Show the acts, newest first, or send them as CSV."""
    query = page.request.query
    asked, errors = _asked(page)
    found = [] if errors else list(found_acts(page, asked))
    if query.get("format") == "csv" and not errors:
        return _csv(page, asked, found)
    number = max(whole(query.get("page", "")) or 1, 1)
    shown = found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    given = {
        "act": asked.act,
        "person": asked.person,
        "from": query.get("from") or asked.first.isoformat(),
        "to": query.get("to") or asked.last.isoformat(),
    }
    return page.render(
        "audit.html",
        400 if errors else 200,
        title=PAGES.say("page.audit", locale=page.locale),
        asked=given,
        errors=errors,
        acts=[OPENED, ALL, *sorted(ACTS)],
        label=lambda act: act_label(act, page.locale),
        rows=[*map(partial(_row, page), shown, reasons_of(page, shown))],
        count=len(found),
        number=number,
        last=-(-len(found) // PAGE_SIZE),
    )


def found_acts(page: WorkbenchPage, asked: AuditFilter) -> Sequence[AuditEntry]:
    """Return the desk's acts that the filters keep, newest first."""
    zone = page.playbook.zone
    since = datetime.combine(asked.first, time(), zone)
    until = datetime.combine(asked.last + timedelta(days=1), time(), zone)
    entries = page.storage.audit.list(since, until, page.desk)
    return [entry for entry in entries if asked.keeps(entry)][::-1]


def reasons_of(page: WorkbenchPage, entries: Sequence[AuditEntry]) -> list[str]:
    """Return the reason of each act on a ticket from its history, "" if that has none."""
    versions = [_version(entry) for entry in entries]
    commits = commits_at(page.storage, page.desk, filter(None, versions))
    found = [commits.get(version) if version else None for version in versions]
    reasons = (
        [event.reason for event in commit.events if isinstance(event, AUDITED)] if commit else []
        for commit in found
    )
    return [next(filter(None, each), "") for each in reasons]


def _version(entry: AuditEntry) -> tuple[str, int] | None:
    """Return the ticket and the version of it that an act has written."""
    version = entry.after.get("version")
    return (entry.target, version) if _on_ticket(entry) and isinstance(version, int) else None


def _on_ticket(entry: AuditEntry) -> bool:
    return entry.act.startswith("ticket.") and entry.target != "contact"


def _asked(page: WorkbenchPage) -> tuple[AuditFilter, dict[str, str]]:
    """Return what the filters say, and what is wrong with them."""
    query = page.request.query
    errors: dict[str, str] = {}

    def day(name: str, default: date) -> date:
        try:
            given = query.get(name, "").strip()
            return _day(given) if given else default
        except ValueError:
            errors[name] = PAGES.say("audit.wrong_day", locale=page.locale)
            return default

    today = page.request.now.astimezone(page.playbook.zone).date()
    last = day("to", today)
    first = day("from", last - DEFAULT_SPAN + timedelta(days=1))
    if not errors and not timedelta() <= last - first < LONGEST_SPAN:
        errors["to"] = PAGES.say("audit.wrong_span", locale=page.locale, n=LONGEST_SPAN.days)
    act = query.get("act", "")
    known = act if act in {ALL, *ACTS} else OPENED
    return AuditFilter(known, query.get("person", "").strip(), first, last), errors


def _day(text: str) -> date:
    day = date.fromisoformat(text)
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError
    return day


def _row(page: WorkbenchPage, entry: AuditEntry, reason: str) -> AuditRow:
    changes = [
        (_field(page, name), before, after)
        for name in dict.fromkeys((*entry.before, *entry.after))
        if name not in {"active", "version"}
        and (before := _said(entry.before.get(name))) != (after := _said(entry.after.get(name)))
    ]
    on_ticket = _on_ticket(entry)
    return AuditRow(
        entry,
        entry.at.astimezone(page.playbook.zone),
        entry.target if on_ticket else "",
        reason,
        [] if on_ticket else changes,
    )


def _field(page: WorkbenchPage, name: str) -> str:
    """Say a field of an entry as the roster's form does, if it has it."""
    return TEXTS.get(f"roster.{name}", {}).get(page.locale, name)


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name} {_said(each)}" for name, each in value.items())
    if isinstance(value, list):
        times = len(value) == 2 and all(":" in str(each) and len(each) == 5 for each in value)
        return ("-" if times else ", ").join(map(_said, value))
    if isinstance(value, bool):
        return "✓" if value else ""
    return "" if value is None else str(value)


def _csv(page: WorkbenchPage, asked: AuditFilter, found: Sequence[AuditEntry]) -> HttpResponse:
    """Send acts as CSV, without the reasons: an erasure reaches those in the history alone."""
    heads = ("at", "actor", "act", "meaning", "target", "before", "after")
    rows = (
        (
            entry.at.astimezone(page.playbook.zone).isoformat(timespec="seconds"),
            entry.actor,
            entry.act,
            act_label(entry.act, page.locale),
            entry.target,
            _said(entry.before),
            _said(entry.after),
        )
        for entry in found
    )
    say = PAGES.say
    text = csv_text([[say(f"audit.{head}", locale=page.locale) for head in heads], *rows])
    name = f"audit-{page.desk}-{asked.first}-{asked.last}.csv"
    headers = {**PAGE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, headers=headers, content_type="text/csv")


def act_label(act: str, locale: Locale) -> str:
    """Return what an act, or a choice of several, is called."""
    choice = TEXTS.get(f"audit.{act}")
    said = choice or {"en": ACTS.get(act, act), **read_table("acts").get(act, {})}
    return said.get(locale, act)
