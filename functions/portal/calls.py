"""The calls of the customers' API: each takes a `Request` and returns JSON or a page."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from functions.core.domain.errors import Forbidden, InvalidInput
from functions.core.domain.events import Commit
from functions.core.domain.record import TicketRecord
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import Ticket
from functions.core.pages.forms import FormContent, read_content
from functions.core.pages.security import PRIVATE, page_headers
from functions.core.platform.web import (
    HttpResponse,
    Request,
    earlier_page,
    locale_of,
    page_before,
    wants_page,
)
from functions.core.storage.database import Storage
from functions.core.text.tokens import LinkKind, link_key
from functions.core.text.words import nearest_locale
from functions.portal import access, submissions
from functions.portal.context import PortalContext
from functions.portal.files import as_attachments, said_errors
from functions.portal.status import status_view, submitter_view

if TYPE_CHECKING:
    from functions.portal.shapes import StatusView

PAGE = 100
"""The commits in one view of a ticket; `before` names earlier ones."""

_PARAMETERS: dict[access.Proof, str] = {"customer": "key", "submitter": "key", "contact": "contact"}
"""Proof → the query parameter that holds it."""


def show(request: Request, context: PortalContext, desk: str, number: str) -> HttpResponse:
    """Show a ticket's status, as JSON or as a page (F6, A14, A16).

    Raises:
        NotFound: there is no such ticket, or the proof is wrong.
    """
    playbook = context.playbook(desk, request)
    ticket, proof = access.authorize(context.storage, playbook, context.root, request, number)
    locale = locale_of(request, ticket.locale)
    view = _view(request, context, playbook, ticket, proof, locale)
    if not wants_page(request.headers):
        return HttpResponse(view, headers=PRIVATE)
    return _page_of(request, context, playbook, ticket, proof, view, locale)


def _view(
    request: Request,
    context: PortalContext,
    playbook: Playbook,
    ticket: Ticket,
    proof: access.Proof,
    locale: Locale,
) -> StatusView:
    """Return the ticket as the holder of the proof may see it."""
    before = page_before(request) if request.method == "GET" else None
    history, opening = _page(context.storage, ticket, before)
    if proof == "submitter":
        view = submitter_view(ticket, history, opening, playbook, locale)
    else:
        # The end of a contact proves enough to show the status, but not the files.
        link = context.link if proof == "customer" else None
        carried, goes_on_as = _merged(context.storage, ticket)
        view = status_view(ticket, history, playbook, locale, link, carried)
        if goes_on_as:
            view["goes_on_as"] = goes_on_as
    if proof == "contact":
        view["question"] = None
    view["before"] = earlier_page(history)
    return view


def _page_of(
    request: Request,
    context: PortalContext,
    playbook: Playbook,
    ticket: Ticket,
    proof: access.Proof,
    view: StatusView,
    locale: Locale,
    refused: tuple[FormContent, InvalidInput] | None = None,
) -> HttpResponse:
    """Answer with the page; `refused` is a form that was not accepted, and why."""
    from functions.portal.page import CustomerPage
    from functions.portal.status_page import Shown, status_page

    kept = {name: request.query[name] for name in (_PARAMETERS[proof],)}
    goes_on_as = view.get("goes_on_as")
    shown = Shown(
        ticket=ticket,
        view=view,
        proof=kept,
        calls=submissions.open_calls(ticket, proof),
        done=request.query.get("done"),
        goes_on=_link_to(context, ticket, goes_on_as, proof, request) if goes_on_as else None,
    )
    status = 200
    if refused is not None:
        content, error = refused
        errors = said_errors(error, content, locale)
        typed = {name: values[0] for name, values in content.fields.items()}
        shown, status = replace(shown, typed=typed, errors=errors, done=None), error.status
    page = CustomerPage(request, context, playbook, locale, kept)
    return status_page(page, shown, status)


def write(
    request: Request, context: PortalContext, desk: str, number: str, call: str
) -> HttpResponse:
    """Carry out one of `submissions.CALLS`; a browser is redirected to the page (303).

    Raises:
        NotFound: there is no such ticket, or the key is wrong.
        Forbidden: a submitter link neither confirms nor rates.
        InvalidInput, ActionNotAllowed, AlreadyAnswered, KeyReused: as the call says; to a browser
            the page says what is invalid, and keeps what was written.
    """
    playbook = context.playbook(desk, request)
    ticket, proof = access.authorize_by_key(
        context.storage, playbook, context.root, request, number
    )
    if not _is_form(request):
        return _submit(context, playbook, ticket, proof, request, call)
    content = read_content(request)
    try:
        response = _submit(context, playbook, ticket, proof, _as_json(request, content), call)
    except InvalidInput as error:
        if not wants_page(request.headers):
            raise
        locale = locale_of(request, ticket.locale)
        view = _view(request, context, playbook, ticket, proof, locale)
        return _page_of(request, context, playbook, ticket, proof, view, locale, (content, error))
    return _redirect_to_page(request, ticket, call) if wants_page(request.headers) else response


def _page(
    storage: Storage, ticket: Ticket, before: int | None
) -> tuple[list[Commit], Commit | None]:
    """Read a page of a ticket's entries, and its request."""
    desk, number = ticket.desk, ticket.number
    history = storage.tickets.history_page(desk, number, ticket.version, PAGE, before)
    if history and history[0].version == 1:
        return history, history[0]
    return history, storage.tickets.commit_at(desk, number, 1)


def _merged(storage: Storage, ticket: Ticket) -> tuple[list[TicketRecord], str | None]:
    """The merged tickets and the merge target that the customer may see: their own."""
    if ticket.merged is None and not ticket.carries:
        return [], None
    from functions.core.services.merging import merge_target, merged_tickets, same_customer

    own = [
        TicketRecord(merged, _page(storage, merged, None)[0])
        for merged in merged_tickets(storage, ticket)
        if same_customer(merged, ticket)
    ]
    last = merge_target(storage, ticket)
    return own, last.number if last is not ticket and same_customer(last, ticket) else None


def _link_to(
    context: PortalContext, ticket: Ticket, number: str, proof: access.Proof, request: Request
) -> dict[str, str]:
    """The number of a merge target and its URL, relative to the ticket's page."""
    if proof == "customer":
        target = context.storage.tickets.load(ticket.desk, number)
        generation = target.link_generation
        parameters = {"key": link_key(context.root, proof, ticket.desk, number, generation)}
    else:
        parameters = {"contact": request.query.get("contact", "")}
    language = nearest_locale(request.query.get("lang"))
    query = urlencode(parameters | ({"lang": language} if language else {}))
    return {"number": number, "url": f"{quote(number)}?{query}"}


def _submit(
    context: PortalContext,
    playbook: Playbook,
    ticket: Ticket,
    proof: LinkKind,
    request: Request,
    call: str,
) -> HttpResponse:
    if proof == "submitter" and call != "messages":
        raise Forbidden(
            "This link shows what was submitted. To confirm or rate, use the link that was sent to "
            "the contact that was given."
        )
    submission = submissions.Submission(
        context.storage, playbook, ticket, proof, request, context.keep, context.seal
    )
    if call == "messages":
        return submission.write_message(request.read(submissions.NewMessage))
    if call == "confirmation":
        return submission.confirm(request.read(submissions.NewConfirmation))
    return submission.answer_survey(request.read(submissions.NewScore))


def _is_form(request: Request) -> bool:
    media = request.headers.get("content-type", "").lower()
    return request.has_files or media.startswith("application/x-www-form-urlencoded")


def _as_json(request: Request, content: FormContent) -> Request:
    """Convert a browser's form to the JSON body that programs send."""
    fields: dict[str, Any] = {name: values[0] for name, values in content.fields.items()}
    # A form has its key in a field: one that is sent twice is one message.
    key = fields.pop("once", "")[:64]
    if fields.get("solved") in {"true", "false"}:
        fields["solved"] = fields["solved"] == "true"
    if content.files:
        fields["attachments"] = as_attachments(content.files)
    headers = dict(request.headers) | ({"idempotency-key": key} if key else {})
    body = json.dumps(fields).encode()
    return replace(request, headers=headers, body=body)


def _redirect_to_page(request: Request, ticket: Ticket, call: str) -> HttpResponse:
    """Redirect to the page by a relative URL, since the API's own is not known here."""
    query = f"key={quote(request.query.get('key', ''))}&done={call}"
    language = nearest_locale(request.query.get("lang"))
    if language:
        query += f"&lang={language}"
    headers = {**page_headers(), "Location": f"../{quote(ticket.number)}?{query}"}
    return HttpResponse("", 303, headers, content_type="text/html")
