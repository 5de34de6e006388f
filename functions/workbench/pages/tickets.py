"""A ticket: what was said and done, why it is here, and what the person may do."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from functions.core.domain.errors import (
    ActionNotAllowed,
    Forbidden,
    InvalidInput,
    NotFound,
    Refused,
    StaleVersion,
)
from functions.core.domain.events import ApprovalRequested, Attachment
from functions.core.pages.addresses import nothing_here
from functions.core.platform import aws
from functions.core.platform.web import HttpResponse, Request, page_before
from functions.core.services.rights import (
    SEES_TICKETS,
    may,
    may_take_over,
    require,
    works_on,
)
from functions.core.text.error_texts import translated
from functions.workbench import calls
from functions.workbench.pages import ticket_actions, ticket_forms
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route
from functions.workbench.pages.ticket_words import Words
from functions.workbench.reading import TicketPage, read_page
from functions.workbench.view import FullTicket

if TYPE_CHECKING:
    from functions.core.domain.ticket import Ticket
    from functions.workbench.pages.ticket_forms import ActionForm

TABS = ("conversation", "timeline", "files", "records")

MOST_ENTRIES = 200
"""The most entries that a live update of the page shows again."""

FILES_ENTRIES = 100
"""The entries that a page of the tab with files reads."""

SHOWN_OTHERS = 5
"""The customer's other tickets in the right column."""


@route("GET", "{number}")
def show(page: WorkbenchPage, number: str) -> HttpResponse:
    """Show a ticket, or a part of it to a script.

    `part` is `conversation` (the regions that live updates replace), `earlier` (the entries before
    `before`) or `customer` (the other tickets).
    """
    query = page.request.query
    part, tab = query.get("part", ""), query.get("tab", "")
    tab = tab if tab in TABS else TABS[0]
    if part == "customer":
        full, _ = _whole(page, number)
        return page.render("ticket_customer.html", **_shown(page, full, None, tab, others=True))
    before = page_before(page.request)
    asked = ticket_forms.whole(query.get("entries", "")) or calls.PAGE
    limit = min(max(asked, calls.PAGE), MOST_ENTRIES)
    limit = FILES_ENTRIES if tab == "files" else limit
    if "others" in query:
        full, read = _whole(page, number)
    else:
        read = read_page(page.storage, page.playbook, number, before, limit)
        full = _full(page, read)
    values = _shown(page, full, read, tab, others="others" in query)
    values |= {"entries_shown": limit, "before": before, "title": values["subject"]}
    templates = {"conversation": "ticket_live.html", "earlier": "ticket_earlier.html"}
    if part in templates:
        return page.render(templates[part], **values)
    return page.render("ticket_swapped.html" if page.is_fragment else "ticket.html", **values)


@route("GET", "{number}/actions")
def choose(page: WorkbenchPage, number: str) -> HttpResponse:
    """Show the form of the action that a button without script names."""
    return form(page, number, page.request.query.get("action", ""))


@route("GET", "{number}/actions/{action}")
def form(page: WorkbenchPage, number: str, action: str) -> HttpResponse:
    """Show the form of an action; parameters of the address fill it in."""
    values = _for_form(page, number, action)
    made = ticket_forms.form_of(action, values["ticket"], values["words"])
    given = {name: [value] for name, value in page.request.query.items() if name != "lang"}
    return _form(page, made.with_values(given), values)


@route("POST", "{number}")
def act(page: WorkbenchPage, number: str) -> HttpResponse:
    """Carry out an action of the desk's playbook."""
    action = page.field("action")
    words = Words(page)
    given = {name: values for name, values in page.form.items() if name not in ("action", "key")}
    body = ticket_forms.body_of(action, given, words)
    try:
        answer = _carry_out(page, number, action, body)
    except NotFound:
        raise
    except Refused as refused:
        return _refused(page, number, action, given, refused)
    if action == "open-original":
        return page.render("ticket_original.html", title=number, number=number, opened=answer)
    if action == "draft":
        return page.render("ticket_draft.html", title=number, number=number, draft=answer)
    if page.is_fragment:
        named = ticket_forms.label_of(action, words)
        return page.render("ticket_done.html", headers={"X-Done": "1"}, label=named)
    return page.redirect(page.url("tickets", number))


@route("POST", "{number}/uploads")
def upload(page: WorkbenchPage, number: str) -> HttpResponse:
    """Return a signed link to which the browser uploads a file (JSON, for the script)."""
    size = ticket_forms.whole(page.field("size")) or 0
    body = {"name": page.field("name"), "size": size}
    return HttpResponse(_carry_out(page, number, "attachments", body), 201)


@route("GET", "{number}/files/{version}/{index}")
def file(page: WorkbenchPage, number: str, version: str, index: str) -> HttpResponse:
    """Lead to a file by a link that is valid for a few minutes; the page's own stays valid."""
    require(page.principal, SEES_TICKETS, "see tickets")
    ticket = page.storage.tickets.load(page.desk, number)
    if not works_on(page.principal, _that_goes_on(page, ticket)):
        raise Forbidden("Only those who work on this ticket can open its files.")
    at, place = ticket_forms.whole(version), ticket_forms.whole(index)
    if at is None or place is None:
        raise nothing_here()
    commit = page.storage.tickets.commit_at(page.desk, number, at)
    files: list[Attachment] = [
        each
        for event in (commit.events if commit else ())
        if not isinstance(event, ApprovalRequested)
        for each in getattr(event, "attachments", ())
    ]
    if place >= len(files):
        raise nothing_here()
    return page.redirect(calls.files(page.request).link(files[place]))


def _that_goes_on(page: WorkbenchPage, ticket: Ticket) -> Ticket:
    if ticket.merged is None:
        return ticket
    from functions.core.services.merging import merge_target

    return merge_target(page.storage, ticket)


def _full(page: WorkbenchPage, read: TicketPage) -> FullTicket:
    """Return what the view of a ticket takes, without what the page shows later."""
    require(page.principal, SEES_TICKETS, "see tickets")
    storage, record = page.storage, read.record
    offline = may_take_over(page.principal, "take", record.ticket) and _is_away(page, record.ticket)
    knowledge = storage.knowledge.get(page.desk, page.request.now)
    merged = calls.merged_pages(storage, record)
    return FullTicket(record, read.opening, merged, (), None, offline, knowledge)


def _is_away(page: WorkbenchPage, ticket: Ticket) -> bool:
    """Return whether the handler is offline, as far as this container knows."""
    agent = Words(page).agents.get(ticket.in_hand_of or "")
    return agent is None or not (agent.online and agent.assignable)


def _whole(page: WorkbenchPage, number: str) -> tuple[FullTicket, TicketPage]:
    """Read a ticket with the customer's record and other tickets."""
    from functions.core.services.customers import record_of

    read = read_page(page.storage, page.playbook, number)
    full = _full(page, read)
    assisted = page.playbook.assistant is not None
    record = record_of(page.storage, full.own.ticket, assisted=assisted)
    others = calls.other_tickets(page.storage, full.own.ticket, record)
    return replace(full, others=others, record=record), read


def _shown(
    page: WorkbenchPage, full: FullTicket, read: TicketPage | None, tab: str, *, others: bool
) -> dict[str, Any]:
    """Return the values of the templates of a ticket."""
    from functions.workbench.pages.ticket_reasons import why

    ticket, words = full.own.ticket, Words(page)
    request = page.calling()
    summary = read.summary if read else None
    viewed = calls.show_full(
        request, page.storage, page.principal, page.playbook, full, _named, summary
    )
    shown: dict[str, Any] = {"goes_on_as": None, "model_summary": None, **viewed}
    reasons = why(ticket, full.opening, full.own.history, words)
    opens = may(page.principal, "open-original", ticket)
    entries = words.entries(shown, reasons.words, opens) if tab == "conversation" else []
    menu = ticket_actions.menu_of(shown, words)
    text = (shown["subject"] or shown["description"]).strip()
    return {
        "ticket": shown,
        "subject": _shortened(text) or shown["number"],
        "words": words,
        "tab": tab,
        "tabs": TABS,
        "entries": entries,
        "deadlines": words.deadlines(ticket),
        "why": reasons,
        "menu": menu,
        "record": full.own,
        "records": _records(page, full) if tab == "records" else (),
        "others": others,
        "shown_others": SHOWN_OTHERS,
        "sees_costs": bool(page.principal.roles & {"finance", "admin"}),
        "slips": shown["tasks"],
        "model": page.playbook.language_model,
    }


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"


def _named(file: Attachment) -> str:
    """Stand for the link to a file: the page has links of its own, which do not expire."""
    return file.key


def _records(page: WorkbenchPage, full: FullTicket) -> Sequence[Mapping[str, Any]]:
    from functions.core.domain.record import handling_record

    return handling_record(full.own.history, page.playbook.records.pattern)


def _for_form(page: WorkbenchPage, number: str, action: str) -> dict[str, Any]:
    """Return the values of a form's template; a merge offers the customer's other tickets."""
    if action == "merge":
        full, read = _whole(page, number)
    else:
        read = read_page(page.storage, page.playbook, number)
        full = _full(page, read)
    return _shown(page, full, read, TABS[0], others=action == "merge")


def _form(
    page: WorkbenchPage,
    made: ActionForm,
    values: dict[str, Any],
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    shown = {
        "form": made,
        "key": page.field("key") if page.request.method == "POST" else "",
        "alert": "",
        "errors": (),
        "changes": (),
        "changes_before": 0,
        "possible": None,
        "files": _uploaded(page) if page.request.method == "POST" else (),
        **values,
        **more,
    }
    shown["key"] = shown["key"] or secrets.token_urlsafe(16)
    template = "ticket_form.html" if page.is_fragment else "ticket_form_page.html"
    return page.render(template, status, title=made.label, **shown)


def _uploaded(page: WorkbenchPage) -> list[tuple[str, str]]:
    """Return the files that were uploaded for a form that is shown again, with their names."""
    names = page.form.get("attachment_names", [])
    ids = [each for each in page.form.get("attachments", []) if each]
    return [(each, names[i] if i < len(names) else each) for i, each in enumerate(ids)]


def _refused(
    page: WorkbenchPage,
    number: str,
    action: str,
    given: Mapping[str, Sequence[str]],
    refused: Refused,
) -> HttpResponse:
    """Show the form again, with what was filled in and what is wrong."""
    values = _for_form(page, number, action)
    words: Words = values["words"]
    made = ticket_forms.form_of(action, values["ticket"], words).with_values(given)
    more: dict[str, Any] = {"alert": translated(refused.detail, page.locale)}
    if isinstance(refused, InvalidInput):
        errors: dict[str, list[str]] = {}
        for each in refused.errors:
            said = translated(each.message, page.locale)
            errors.setdefault(each.field.partition(".")[0], []).append(said)
        made = made.with_errors(errors)
        placed = {each.name for each in made.fields if each.errors}
        known = {*placed, *(("agent", "team", "queue") if action == "assign" else ())}
        more["errors"] = [text for name, texts in errors.items() if name not in known
                          for text in texts]  # fmt: skip
        if placed or more["errors"]:
            more["alert"] = words.t("ticket.form.errors")
    elif isinstance(refused, StaleVersion):
        more |= _difference(given, values)
    elif isinstance(refused, ActionNotAllowed):
        more["possible"] = values["menu"].all
    return _form(page, made, values, refused.status, **more)


def _difference(given: Mapping[str, Sequence[str]], values: dict[str, Any]) -> dict[str, Any]:
    """Return what has happened since the version that the person saw."""
    seen = ticket_forms.whole((given.get("version") or [""])[0]) or 0
    changes = [entry for entry in values["entries"] if entry.version > seen]
    known = {entry.version for entry in changes}
    before = values["ticket"]["version"] - seen - len(known)
    return {"changes": changes, "changes_before": max(before, 0)}


def _carry_out(page: WorkbenchPage, number: str, action: str, body: dict[str, Any]) -> Any:
    """Call the API's action with the form's idempotency key."""
    from functions.core.platform.container import contact_corrector
    from functions.workbench import unseal_client

    request: Request = page.calling(body)
    if key := page.field("key"):
        request = replace(request, headers={**request.headers, "idempotency-key": key})
    deployment = request.deployment
    return calls.act(
        request,
        page.storage,
        page.desk,
        number,
        action,
        calls.files(request),
        lambda: contact_corrector(deployment),
        partial(unseal_client.unseal, deployment),
        partial(aws.seal_original, deployment, what="outgoing"),
    ).body
