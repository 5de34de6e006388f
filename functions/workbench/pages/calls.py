"""Answer requests for the workbench: find the session, then the page."""

from __future__ import annotations

from dataclasses import replace

from functions.core.domain.errors import NotFound, Refused, Unauthorised
from functions.core.domain.rules import Locale
from functions.core.platform import metering
from functions.core.platform.container import storage as storage_of
from functions.core.platform.web import HttpResponse, Request, locale_of
from functions.core.services.rights import caller, principal_of
from functions.workbench.pages import routing, sessions, sign_in
from functions.workbench.pages.language import in_chosen
from functions.workbench.pages.page import (
    PAGE_HEADERS,
    WorkbenchPage,
    address,
    base_of,
    is_part,
    refusal,
)
from functions.workbench.session import sessions_of


def answer_sign_in(request: Request) -> HttpResponse:
    request = in_chosen(request)
    storage = storage_of(request.deployment)
    service = sessions_of(request, storage)
    if request.method == "GET":
        return sign_in.show(request, storage, service)
    return sign_in.submit(request, storage, service)


def answer(request: Request, path: str) -> HttpResponse:
    """Answer a request below `/workbench`; whoever has not signed in is asked to."""
    request = in_chosen(request)
    storage = storage_of(request.deployment)
    desk, _, rest = path.strip("/").partition("/")
    if (request.method, path) == ("POST", "sign-out"):
        return sign_in.sign_out(request, storage)
    locale = locale_of(request)
    try:
        signed_in = sessions.session_of(request, storage, sessions_of(request, storage))
        request = replace(request, claims=signed_in.session.claims)
        metering.about(desk, None, None)
        principal = principal_of(storage, caller(request.claims), desk, request.now)
        playbook = storage.playbooks.get(desk, request.now)
        page = WorkbenchPage(
            request,
            storage,
            principal,
            playbook,
            locale_of(request, playbook.locale),
            signed_in.secret,
            base_of(request),
        )
        return routing.find(request.method, rest).answer(page)
    except Unauthorised as refused:
        return _ask_to_sign_in(request, refused, path)
    except (Refused, NotFound) as refused:
        return refusal(refused, locale, base_of(request), is_part(request))


def failed(refused: Refused, locale: Locale, request: Request) -> HttpResponse:
    """Answer with a page for what went wrong on our side."""
    return refusal(refused, locale, base_of(request), is_part(request))


def _ask_to_sign_in(request: Request, refused: Unauthorised, path: str) -> HttpResponse:
    """Lead to the form; a script gets 401, so that what is being typed stays."""
    if is_part(request) or request.method != "GET":
        return refusal(refused, locale_of(request), base_of(request), is_part(request))
    wanted = address(base_of(request), *path.split("/"), **request.query)
    location = address(base_of(request), next=wanted)
    headers = {**PAGE_HEADERS, "Location": location}
    return HttpResponse("", 303, headers, content_type="text/html")
