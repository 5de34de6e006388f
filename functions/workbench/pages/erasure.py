"""Legal holds, and the erasure of a customer's personal data by a ticket's number (B10)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from functions.core.domain.audit import AuditEntry
from functions.core.domain.erasure import files_of
from functions.core.domain.errors import ActionNotAllowed, InvalidInput, TryAgain
from functions.core.domain.events import Commit, HoldSet
from functions.core.domain.ticket import Ticket
from functions.core.platform.web import HttpResponse
from functions.core.services.merging import merge_group, same_person
from functions.core.text.error_texts import translated
from functions.workbench.pages.audit import reasons_of
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route

HOLDS_OF = timedelta(days=366)
"""The time of whose acts the page lists the holds: the table has no index of them."""


class HeldTicket(NamedTuple):
    """A ticket that is held, and the act that holds it."""

    number: str
    at: datetime
    actor: str
    reason: str


class ErasedPart(NamedTuple):
    """A ticket that an erasure erases, and how much of it."""

    ticket: Ticket
    entries: int
    files: int


@route("GET")
def show(page: WorkbenchPage) -> HttpResponse:
    """Show the holds, and ask for a ticket to hold or to erase."""
    return _page(page, done=page.request.query.get("done", ""))


@route("POST", "hold")
def hold(page: WorkbenchPage) -> HttpResponse:
    """Set a hold, with its reason."""
    return _hold(page, "hold")


@route("POST", "release")
def release(page: WorkbenchPage) -> HttpResponse:
    """End a hold, with its reason."""
    return _hold(page, "release")


@route("GET", "tickets")
def ask(page: WorkbenchPage) -> HttpResponse:
    """Lead from the form with a number to what its erasure erases."""
    number = _number(page.request.query.get("number", ""))
    if page.storage.tickets.find(page.desk, number) is None:
        wrong = {"erase_number": page.say("erasure.no_ticket")}
        return _page(page, errors=wrong, given={"erase_number": number})
    return page.redirect(page.url("erasure", "tickets", number))


@route("GET", "tickets/{number}")
def preview(page: WorkbenchPage, number: str) -> HttpResponse:
    """Show what an erasure erases, and what it needs."""
    return _preview(page, number)


@route("POST", "tickets/{number}")
def erase(page: WorkbenchPage, number: str) -> HttpResponse:
    """Erase, if the number was typed once more; show what has been erased."""
    reason, confirmed = page.field("reason"), _number(page.field("confirm"))
    errors: dict[str, str] = {}
    if confirmed != number:
        errors["confirm"] = page.say("erasure.wrong_number", number=number)
    if not reason.strip():
        errors["reason"] = translated("this field is required", page.locale)
    if errors:
        return _preview(page, number, errors)
    try:
        erased = page.administer("erasure.erase", number=number, reason=reason)
    except InvalidInput as refused:
        return _preview(page, number, _errors(page, refused))
    except ActionNotAllowed:  # it is held since the page was opened, which the page now says
        return _preview(page, number, status=409)
    except TryAgain:  # it goes on for a while; a second run completes it
        erased = {"numbers": [number], "again": True}
    return page.render("erasure_done.html", title=None, number=number, reason=reason, erased=erased)


def _hold(page: WorkbenchPage, act: str) -> HttpResponse:
    number, reason = _number(page.field("number")), page.field("reason")
    given = {f"{act}_number": number, f"{act}_reason": reason}
    errors: dict[str, str] = {}
    if page.storage.tickets.find(page.desk, number) is None:
        errors[f"{act}_number"] = page.say("erasure.no_ticket")
    else:
        try:
            page.administer(f"erasure.{act}", number=number, reason=reason)
        except InvalidInput as refused:
            wrong = _errors(page, refused)
            errors = {f"{act}_{name}": text for name, text in wrong.items()}
    if errors:
        return _page(page, errors=errors, given=given)
    return page.redirect(page.url("erasure", done=act, number=number))


def _page(
    page: WorkbenchPage,
    *,
    errors: dict[str, str] | None = None,
    given: dict[str, str] | None = None,
    done: str = "",
) -> HttpResponse:
    return page.render(
        "erasure.html",
        400 if errors else 200,
        title=page.say("page.erasure"),
        held=held_tickets(page),
        errors=errors or {},
        given=given or {},
        done=done if done in {"hold", "release"} else "",
        number=page.request.query.get("number", ""),
    )


def held_tickets(page: WorkbenchPage) -> list[HeldTicket]:
    """Return the tickets that are held by an act of the last year, the newest first."""
    now, zone = page.request.now, page.playbook.zone
    acts = page.storage.audit.list(now - HOLDS_OF, now + timedelta(seconds=1), page.desk)
    newest: dict[str, AuditEntry] = {}
    for entry in acts:
        if entry.act == "ticket.hold":
            newest.pop(entry.target, None)
            newest[entry.target] = entry
    held = {t.number for t in page.storage.tickets.load_many(page.desk, [*newest]) if t.held}
    entries = [entry for entry in reversed(newest.values()) if entry.target in held]
    return [
        HeldTicket(entry.target, entry.at.astimezone(zone), entry.actor, reason)
        for entry, reason in zip(entries, reasons_of(page, entries), strict=True)
    ]


def _preview(
    page: WorkbenchPage, number: str, errors: dict[str, str] | None = None, status: int = 400
) -> HttpResponse:
    storage = page.storage
    ticket = storage.tickets.load(page.desk, number)
    group = merge_group(storage, ticket)
    parts = [_part(page, each) for each in same_person(ticket, group)]
    numbers = {part.ticket.number for part in parts}
    contact = storage.contacts.tickets(page.desk, ticket.customer.hash)
    held = next((part for part in group if part.held), None)
    values: dict[str, Any] = {
        "number": number,
        "parts": parts,
        "others": [part.number for part in group if part.number not in numbers],
        "remaining": len(set(contact) - numbers),
        "held": held,
        "why": _why_held(page, held) if held else "",
        "reason": page.field("reason") if page.request.method == "POST" else "",
        "errors": errors or {},
    }
    sent = page.request.method == "POST"
    return page.render("erasure_preview.html", status if sent else 200, title=None, **values)


def _part(page: WorkbenchPage, ticket: Ticket) -> ErasedPart:
    history = page.storage.tickets.history(page.desk, ticket.number, ticket.version)
    files = {key for commit in history for key in files_of(commit)}
    return ErasedPart(ticket, len(history), len(files))


def _why_held(page: WorkbenchPage, ticket: Ticket) -> str:
    history: list[Commit] = page.storage.tickets.history(page.desk, ticket.number, ticket.version)
    holds = [event for commit in history for event in commit.of(HoldSet) if event.held]
    return holds[-1].reason if holds else ""


def _number(text: str) -> str:
    return text.strip()


def _errors(page: WorkbenchPage, refused: InvalidInput) -> dict[str, str]:
    return {each.field: translated(each.message, page.locale) for each in refused.errors}
