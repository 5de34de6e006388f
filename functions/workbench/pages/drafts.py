"""The drafts of a ticket: saved while typing, sent ten seconds later, taken back before (H3).

The script of the composer calls these; every answer says what is stored now. `html` is a part that
asks what to do: the ticket has moved on, another window wrote, or nothing can be sent.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from functions.core.domain.drafts import Draft, Frame
from functions.core.domain.errors import FieldError, InvalidInput, NotFound, Phrase, Refused
from functions.core.domain.ticket import MAX_ATTACHMENTS
from functions.core.pages.security import form_token
from functions.core.platform import container
from functions.core.platform.web import HttpResponse
from functions.core.services.drafts import ACTIONS, NEWS, DraftDesk, MovedOn, StaleDraft, TypedDraft
from functions.core.text.error_texts import translated
from functions.core.text.words import event_label
from functions.workbench.pages.composer import clock, outgoing_of
from functions.workbench.pages.page import PAGE_HEADERS, PAGES, PURPOSE, WorkbenchPage
from functions.workbench.pages.routing import route


@route("GET", "{number}")
def show(page: WorkbenchPage, number: str) -> HttpResponse:
    """Return the caller's draft."""
    return _answer(page, _desk(page).get(page.principal, number))


@route("POST", "{number}")
def save(page: WorkbenchPage, number: str) -> HttpResponse:
    """Store what was written; with `send`, have it sent in ten seconds."""
    desk, now = _desk(page), page.request.now
    try:
        written = _written(page)
        if page.field("send"):
            draft = _send(page, desk, number, written)
        else:
            draft = desk.save(page.principal, number, written, now)
    except StaleDraft as stale:
        stored = stale.stored
        part = _part(page, "composer_windows.html", stored=stored, at=clock(page, stored.saved_at))
        return _answer(page, stored, 409, conflict=True, html=part)
    except MovedOn as moved:
        return _moved(page, number, moved)
    except NotFound:
        raise
    except Refused as refused:
        return _refused(page, desk.get(page.principal, number), refused)
    if merged := page.field("merged_from"):
        desk.adopt(page.principal, merged, now)
    return _answer(page, draft)


@route("POST", "{number}/commit")
def commit(page: WorkbenchPage, number: str) -> HttpResponse:
    """Carry out what was sent; repeated, it changes nothing."""
    carried = _desk(page).commit(
        page.principal, page.playbook, number, page.request.now, page.field("id") or None
    )
    if carried.refused is None:
        version = carried.ticket.version if carried.ticket else 0
        return _answer(page, carried.draft, sent=True, version=version)
    if isinstance(carried.refused, MovedOn):
        return _moved(page, number, carried.refused)
    return _refused(page, carried.draft, carried.refused)


@route("POST", "{number}/leaving")
def leave(page: WorkbenchPage, number: str) -> HttpResponse:
    """Send at once what a page was sending when it was closed, which may have been stored."""
    with suppress(StaleDraft):
        _send(page, _desk(page), number, _written(page))
    return commit(page, number)


@route("POST", "{number}/undo")
def undo(page: WorkbenchPage, number: str) -> HttpResponse:
    """Take back what was sent; 409 if it has gone out."""
    desk = _desk(page)
    draft = desk.take_back(page.principal, number, page.field("id"), page.request.now)
    if draft is None:
        return _answer(page, desk.get(page.principal, number), 409, sent=True)
    return _answer(page, draft)


def _send(page: WorkbenchPage, desk: DraftDesk, number: str, written: TypedDraft) -> Draft:
    return desk.send(
        page.principal,
        page.playbook,
        number,
        _action(page),
        written,
        page.request.now,
        insist=bool(page.field("insist")),
    )


def _desk(page: WorkbenchPage) -> DraftDesk:
    return container.drafts(page.request.deployment)


def _written(page: WorkbenchPage) -> TypedDraft:
    frame: Frame = "note" if page.field("frame") == "note" else "reply"
    files = tuple(name for name in page.form.get("files", ()) if name)
    if len(files) > MAX_ATTACHMENTS:
        wrong = FieldError("files", Phrase("{most} files at most", most=MAX_ATTACHMENTS))
        raise InvalidInput("Some fields are invalid.", (wrong,))
    return TypedDraft(
        frame=frame,
        text=page.field("text"),
        other=page.field("other"),
        files=files,
        seen=_whole(page, "version"),
        based_on=_whole(page, "draft"),
    )


def _whole(page: WorkbenchPage, name: str) -> int:
    given = page.field(name)
    return int(given) if given.isascii() and given.isdigit() and len(given) < 8 else 0


def _action(page: WorkbenchPage) -> str:
    action = page.field("action")
    if action not in ACTIONS:
        raise InvalidInput(
            "Some fields are invalid.",
            (FieldError("action", Phrase("one of: {names}", names=sorted(ACTIONS))),),
        )
    return action


def _answer(
    page: WorkbenchPage, draft: Draft | None, status: int = 200, **more: Any
) -> HttpResponse:
    body: dict[str, Any] = {"draft": 0, "text": "", "other": "", "frame": "reply", "files": []}
    if draft is not None:
        body = {
            "draft": draft.edition,
            "frame": draft.frame,
            "text": draft.text,
            "other": draft.other,
            "files": list(draft.files),
            "seen": draft.seen,
            "saved": clock(page, draft.saved_at),
            "outgoing": outgoing_of(draft, page.request.now),
        }
    return HttpResponse(body | more, status, PAGE_HEADERS)


def _moved(page: WorkbenchPage, number: str, moved: MovedOn) -> HttpResponse:
    """Show what has come since; the draft is kept."""
    from functions.workbench.pages.ticket_words import Words

    words = Words(page)
    news = [
        {
            "actor": words.person(commit.actor),
            "at": clock(page, commit.at),
            "label": event_label(event, page.playbook, page.locale),
            "text": event.words if event.direction else getattr(event, "text", ""),
            "inward": event.direction == "in",
        }
        for commit in moved.commits
        for event in commit.events
        if isinstance(event, NEWS)
    ]
    part = _part(page, "composer_moved.html", news=news, version=moved.ticket.version)
    draft = _desk(page).get(page.principal, number)
    return _answer(page, draft, 409, moved=True, version=moved.ticket.version, html=part)


def _refused(page: WorkbenchPage, draft: Draft | None, refused: Refused) -> HttpResponse:
    """Say why nothing was sent; the draft is kept."""
    errors = [translated(each.message, page.locale) for each in getattr(refused, "errors", ())]
    detail = translated(refused.detail, page.locale)
    part = _part(page, "composer_refused.html", detail=detail, errors=errors)
    return _answer(page, draft, refused.status, refused=True, detail=detail, html=part)


def _part(page: WorkbenchPage, template: str, **values: Any) -> str:
    token = form_token(page.secret, PURPOSE)
    return PAGES.render(template, page.locale, page.base, page=page, token=token, **values)
