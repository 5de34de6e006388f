"""The desk's playbook: versions, differences, a change with its rehearsal, messages (G15, H7)."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any, NamedTuple

from functions.core.domain.errors import (
    ActionNotAllowed,
    InvalidInput,
    PlaybookError,
    Refused,
    StalePlaybook,
    TryAgain,
)
from functions.core.domain.playbook_upgrades import upgraded
from functions.core.domain.rules import LOCALES, Playbook
from functions.core.domain.ticket import TIMER_KINDS
from functions.core.pages.addresses import nothing_here
from functions.core.platform import aws
from functions.core.platform.web import HttpResponse
from functions.core.playbook.changes import by_section, changes_to, differences, for_the_console
from functions.core.services.previewing import MessagePreview, TicketLife, previews, sample_life
from functions.core.text.error_texts import translated
from functions.core.text.sms_parts import sms_parts
from functions.core.text.templating import format_time
from functions.core.text.words import event_label
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route
from functions.workbench.playbook_words import PlaybookWords, RehearsalWords, recipient_words

SHOWN = 20
"""The versions on one page."""
DAYS = (7, 14, 30)
"""The periods of a rehearsal to choose from."""
MAX_TEXT = 400_000
"""The most characters of a playbook: an item of the table has 400 KB."""
FILE = "playbook"
"""The name of a file in what is said about it."""
ADMIN = "admin"


class Problem(NamedTuple):
    """Something to put right in a file; the line is "" if it is not known."""

    line: str
    text: str


@route("GET")
def show(page: WorkbenchPage) -> HttpResponse:
    """Show the versions, and the form for a change."""
    return _editor(page)


@route("GET", "messages")
def messages(page: WorkbenchPage) -> HttpResponse:
    """Show each message, filled in with a ticket's data or with sample data."""
    number = page.request.query.get("ticket", "").strip()
    ticket = page.storage.tickets.find(page.desk, number) if number else None
    history = page.storage.tickets.history(page.desk, number) if ticket is not None else []
    url = aws.public_url(page.request.deployment)
    agent = partial(page.storage.roster.get, page.desk)
    in_languages = [
        previews(
            page.playbook,
            TicketLife(ticket, history)
            if ticket is not None
            else sample_life(page.playbook, locale, page.request.now),
            locale,
            url,
            agent,
        )
        for locale in LOCALES
    ]
    return page.render(
        "playbook_messages.html",
        404 if number and ticket is None else 200,
        title=None,
        number=number,
        found=ticket is not None,
        messages=[*zip(*in_languages, strict=True)],
        locales=LOCALES,
        cause=partial(_cause, page),
        recipient=partial(recipient_words, playbook=page.playbook, locale=page.locale),
        parts=sms_parts,
    )


@route("GET", "{version}")
def version(page: WorkbenchPage, version: str) -> HttpResponse:
    """Show what a version changed of the one before, or of another one."""
    number, current = _number(version), _current(page)
    asked = page.request.query.get("with", "")
    other = _number(asked) if asked else number - 1
    document = page.storage.playbooks.document(page.desk, number)
    changes = None
    if other:
        before = page.storage.playbooks.document(page.desk, other)
        changes = by_section(differences(*(upgraded(json.loads(d)) for d in (before, document))))
    (stored,) = page.storage.playbooks.versions(page.desk, number, 1)
    return page.render(
        "playbook_version.html",
        title=None,
        version=stored,
        other=other,
        current=current,
        changes=changes,
        days=DAYS,
        chosen=DAYS[-1],
        at=partial(format_time, playbook=page.playbook, locale=page.locale),
    )


@route("GET", "{version}/yaml")
def download(page: WorkbenchPage, version: str) -> HttpResponse:
    """Download a version as the file that can be changed and applied."""
    number = _number(version)
    name = f"{page.desk}-{number}.yaml"
    return HttpResponse(
        _yaml(page, number),
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
        content_type="text/plain",
    )


@route("POST", "check")
def check(page: WorkbenchPage) -> HttpResponse:
    """Check a playbook, and show what it changes and would have changed."""
    if again := page.field("return_to"):
        return _checked(page, _yaml(page, _number(again)))
    text, problem = _given(page)
    return _editor(page, text, [problem]) if problem else _checked(page, text)


@route("POST", "edit")
def edit(page: WorkbenchPage) -> HttpResponse:
    """Go on editing what was checked."""
    return _editor(page, page.field("text"))


@route("POST", "apply")
def apply(page: WorkbenchPage) -> HttpResponse:
    """Apply a playbook that was checked; the function `administration` checks it again."""
    text = page.field("text")
    if not page.field("confirm"):
        return _checked(page, text, page.say("playbook.unconfirmed"), 400)
    replaces = _number(page.field("replaces"))
    try:
        applied = page.administer("playbooks.apply", text=text, replaces=replaces)
    except (ActionNotAllowed, StalePlaybook) as refused:
        return _checked(page, text, _said(page, refused), refused.status)
    except InvalidInput as refused:
        return _editor(page, text, _problems(_said(page, refused)))
    return page.redirect(page.url("playbook", applied=str(applied["version"])))


def _editor(
    page: WorkbenchPage,
    text: str = "",
    problems: list[Problem] | None = None,
    *,
    same: bool = False,
) -> HttpResponse:
    """Show the page with the versions and the form for a change, its values kept."""
    current = _current(page)
    before = page.request.query.get("before", "")
    newest = min(_number(before) - 1, current) if before else current
    applied = page.request.query.get("applied", "")
    return page.render(
        "playbook.html",
        400 if problems else 200,
        title=None,
        current=current,
        versions=page.storage.playbooks.versions(page.desk, newest, SHOWN),
        applied=applied if applied.isdecimal() else "",
        text=text,
        problems=problems or [],
        same=same,
        days=DAYS,
        chosen=_days(page),
        at=partial(format_time, playbook=page.playbook, locale=page.locale),
    )


def _checked(page: WorkbenchPage, text: str, error: str = "", status: int = 200) -> HttpResponse:
    """Show the problems of a playbook, or its differences and rehearsal."""
    from functions.core.playbook.loader import load_text

    try:
        changed = load_text(text, FILE, page.desk)
    except PlaybookError as invalid:
        return _editor(page, text, _problems(str(invalid)))
    number = _current(page)
    document = page.storage.playbooks.document(page.desk, number)
    changes = changes_to(document, changed)
    if not changes:
        return _editor(page, text, same=True)
    current, days = Playbook.stored(document), _days(page)
    return page.render(
        "playbook_check.html",
        status,
        title=None,
        text=text,
        current=number,
        changes=by_section(changes),
        rehearsal=_rehearsal(page, text, days, current, changed),
        days=days,
        reasons=[translated(why, page.locale) for why in for_the_console(current, changed)],
        admin=ADMIN in page.principal.roles,
        error=error,
    )


def _rehearsal(
    page: WorkbenchPage, text: str, days: int, current: Playbook, changed: Playbook
) -> RehearsalWords | None:
    """Return what a rehearsal found, None if it did not finish."""
    try:
        result = page.administer("playbooks.rehearse", text=text, days=days)
    except TryAgain:
        return None
    return PlaybookWords(current, changed, page.locale).rehearsal(result)


def _given(page: WorkbenchPage) -> tuple[str, Problem | None]:
    """Return the text of the chosen file or of the field, and what is wrong with it."""

    def wrong(key: str, **values: object) -> Problem:
        return Problem("", page.say(key, **values))

    text = page.field("text")
    for file in page.content.files:
        try:
            text = file.content.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError:
            return text, wrong("playbook.unreadable")
    if not text.strip():
        return text, wrong("playbook.empty")
    if len(text) > MAX_TEXT:
        return "", wrong("playbook.too_long", limit=MAX_TEXT)
    return text, None


def _problems(report: str) -> list[Problem]:
    """Return the problems in what the loader said, each with its line."""
    found = (re.match(rf"(?:{FILE}(?::(\d+))?: )?(.*)", line) for line in report.splitlines())
    return [Problem(each[1] or "", each[2]) for each in found if each]


def _said(page: WorkbenchPage, refused: Refused) -> str:
    return translated(refused.detail, page.locale)


def _days(page: WorkbenchPage) -> int:
    given = page.field("days") if page.request.method == "POST" else ""
    return int(given) if given in map(str, DAYS) else DAYS[-1]


def _number(text: str) -> int:
    """Return the number of a version.

    Raises:
        NotFound: it is none.
    """
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise nothing_here()
    return int(text)


def _current(page: WorkbenchPage) -> int:
    return page.storage.playbooks.version(page.desk) or 1


def _yaml(page: WorkbenchPage, number: int) -> str:
    from functions.core.playbook.loader import dump_yaml

    document: Any = json.loads(page.storage.playbooks.document(page.desk, number))
    return dump_yaml(upgraded(document))


def _cause(page: WorkbenchPage, preview: MessagePreview) -> str:
    """Say what a message is about."""
    said = event_label(preview.event, page.playbook, page.locale)
    kind: str = getattr(preview.event, "kind", "")
    return f"{said} · {TIMER_KINDS[kind][page.locale]}" if kind in TIMER_KINDS else said
