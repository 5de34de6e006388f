"""Customers' calls, as JSON and as pages: each takes a `Request` and returns an `HttpResponse`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from functions.core.domain.errors import Forgotten, InvalidInput, NotFound, Refused
from functions.core.domain.record import TicketRecord
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform.web import HttpResponse, Request
from functions.core.storage.database import Storage
from functions.core.text.tokens import status_key
from functions.core.text.unmasking import Seal
from functions.core.text.words import nearest_locale
from functions.portal import access, page, submissions
from functions.portal.status import Link, status_view

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class PortalContext:
    """What the calls need of the deployment: its table, the root key of the secret links, where
    files are kept and how they are handed out, and what seals hidden words."""

    storage: Storage
    root: bytes
    keep: submissions.Keep
    link: Link
    seal: Seal


def show(request: Request, desk: PortalContext, name: str, number: str) -> HttpResponse:
    """How a ticket stands, as JSON or as a page (F6, A14, A16).

    Raises:
        NotFound: there is no such ticket, or the proof does not hold.
    """
    return with_error_page(request, lambda: _show(request, desk, name, number))


def write(request: Request, desk: PortalContext, name: str, number: str, call: str) -> HttpResponse:
    """Carry out one of `submissions.CALLS`; a browser is sent back to the page (303).

    Raises:
        NotFound: there is no such ticket, or the key does not hold.
        Forgotten: the ticket's customer was erased, whatever the call.
        InvalidInput, ActionNotAllowed, AlreadyAnswered, KeyReused: as the call says.
    """
    return with_error_page(request, lambda: _write(request, desk, name, number, call))


def _show(request: Request, desk: PortalContext, name: str, number: str) -> HttpResponse:
    playbook = load_playbook(desk.storage, name, request)
    ticket, proof = access.prove(desk.storage, playbook, desk.root, request, number)
    history = desk.storage.tickets.history(name, ticket.number, ticket.version)
    locale = nearest_locale(request.query.get("lang")) or ticket.locale
    # The end of a contact is enough to see how a ticket stands, not to be handed its files.
    link = desk.link if proof == "key" else None
    carried, goes_on_as = _merged(desk.storage, ticket)
    view = status_view(ticket, history, playbook, locale, link, carried, goes_on_as)
    if proof != "key":
        view["question"] = None
    if not wants_page(request):
        return HttpResponse(view, headers=page.PRIVATE)
    shown = page.Shown(
        ticket=ticket,
        view=view,
        playbook=playbook,
        locale=locale,
        key=request.query.get("key") if proof == "key" else None,
        contact=request.query.get("contact") if proof == "contact" else None,
        done=request.query.get("done"),
        goes_on=_where(desk, ticket, goes_on_as, proof, request) if goes_on_as else None,
    )
    return HttpResponse(page.status_page(shown), headers=page.HEADERS, content_type="text/html")


def _merged(storage: Storage, ticket: Ticket) -> tuple[list[TicketRecord], str | None]:
    """What a customer sees of merged tickets: the own ones, and never somebody else's number."""
    if ticket.merged is None and not ticket.carries:
        return [], None
    from functions.core.services.merging import merge_target, merged_records, same_customer

    carried = merged_records(storage, ticket, deliveries=False)
    last = merge_target(storage, ticket)
    own = [part for part in carried if same_customer(part.ticket, ticket)]
    return own, last.number if last is not ticket and same_customer(last, ticket) else None


def _where(
    desk: PortalContext, ticket: Ticket, number: str, proof: access.Proof, request: Request
) -> dict[str, str]:
    """Number and address of the ticket that a merged one goes on in, relative to its page."""
    if proof == "key":
        proven = {"key": status_key(desk.root, ticket.desk, number)}
    else:
        proven = {"contact": request.query.get("contact", "")}
    language = nearest_locale(request.query.get("lang"))
    query = urlencode(proven | ({"lang": language} if language else {}))
    return {"number": number, "url": f"{quote(number)}?{query}"}


def _write(
    request: Request, desk: PortalContext, name: str, number: str, call: str
) -> HttpResponse:
    playbook = load_playbook(desk.storage, name, request)
    ticket = access.prove_by_key(desk.storage, playbook, desk.root, request, number)
    answer = _carry_out(desk, playbook, ticket, _as_json(request), call)
    return _back(request, ticket, call) if wants_page(request) else answer


def _carry_out(
    desk: PortalContext, playbook: Playbook, ticket: Ticket, request: Request, call: str
) -> HttpResponse:
    if ticket.erased:
        raise Forgotten  # before anything that was sent is read or kept
    storage = desk.storage
    if call == "messages":
        message = request.read(submissions.NewMessage)
        return submissions.write_message(
            storage, playbook, ticket, request, message, desk.keep, desk.seal
        )
    if call == "confirmation":
        confirmation = request.read(submissions.NewConfirmation)
        return submissions.confirm(storage, playbook, ticket, request, confirmation, desk.seal)
    score = request.read(submissions.NewScore)
    return submissions.answer_survey(storage, playbook, ticket, request, score, desk.seal)


def wants_page(request: Request) -> bool:
    """Whether the caller would rather have HTML than JSON (RFC 9110, section 12.5.1)."""
    weights = {"text/html": 0.0, "application/json": 0.0}
    for part in request.headers.get("accept", "").lower().split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        if media in weights:
            weights[media] = max(weights[media], _weight(parameters))
    return weights["text/html"] > weights["application/json"]


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter.removeprefix("q="))
            except ValueError:
                return 0.0
    return 1.0


def load_playbook(storage: Storage, name: str, request: Request) -> Playbook:
    try:
        return storage.playbooks.get(name, request.now)
    except NotFound as missing:
        raise access.no_such_ticket() from missing


def _as_json(request: Request) -> Request:
    """A form that a browser sends, as the JSON body that programs send."""
    if not request.headers.get("content-type", "").lower().startswith(FORM):
        return request
    try:
        fields: dict[str, Any] = dict(
            parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=20)
        )
    except ValueError as error:
        raise InvalidInput("The form cannot be read.") from error
    return replace(request, body=json.dumps(fields).encode())


def _back(request: Request, ticket: Ticket, call: str) -> HttpResponse:
    """Back to the page; the address is relative, since the API's own is not known here."""
    query = f"key={quote(request.query.get('key', ''))}&done={call}"
    language = nearest_locale(request.query.get("lang"))
    if language:
        query += f"&lang={language}"
    headers = {**page.HEADERS, "Location": f"../{quote(ticket.number)}?{query}"}
    return HttpResponse("", 303, headers, content_type="text/html")


def with_error_page(request: Request, function: Callable[[], HttpResponse]) -> HttpResponse:
    """A refusal as a page where a browser asked."""
    try:
        return function()
    except Refused as refused:
        if not wants_page(request):
            raise
        locale = _language(request)
        html = page.error_page(
            "erased" if isinstance(refused, Forgotten) else refused.status, locale
        )
        return HttpResponse(html, refused.status, page.HEADERS, content_type="text/html")


def _language(request: Request) -> Locale:
    asked = request.query.get("lang") or request.headers.get("accept-language")
    return nearest_locale(asked) or "zh-CN"
