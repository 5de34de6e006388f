"""Sign in and out: password, a code of the authenticator, a first password of one's own."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from functions.core.domain.errors import Refused, TooManyAttempts, Unauthorised
from functions.core.domain.rules import Locale
from functions.core.pages.forms import read_form
from functions.core.pages.security import require_own_page
from functions.core.platform.web import HttpResponse, Request, locale_of
from functions.core.storage.database import Storage
from functions.core.text.error_texts import translated
from functions.workbench.pages import sessions
from functions.workbench.pages.page import PAGE_HEADERS, PAGES, address, base_of
from functions.workbench.session import (
    ChallengeAnswer,
    Credentials,
    Sessions,
)


def show(request: Request, storage: Storage, service: Sessions) -> HttpResponse:
    """Show the form; whoever has signed in is led to the desk."""
    try:
        signed_in = sessions.session_of(request, storage, service)
    except Unauthorised:
        return _form(request)
    return _lead_on(request, list(service.desks(signed_in.session.claims, request.now)))


def submit(request: Request, storage: Storage, service: Sessions) -> HttpResponse:
    """Sign in with a password, or answer the question for a code."""
    require_own_page(request)
    form = {name: values[0] for name, values in read_form(request).items()}
    try:
        opened: Any
        if "code" in form:
            answer = ChallengeAnswer(session=form.get("session", ""), code=form["code"].strip())
            opened = service.answer(answer, request.now)
        else:
            given = Credentials(
                username=form.get("username", "").strip(), password=form.get("password", "")
            )
            opened = service.sign_in(given, request.now)
    except (Unauthorised, TooManyAttempts) as refused:
        return _form(request, form, refused)
    except ValueError:
        return _form(request, form, Unauthorised("Username or password is wrong."))
    if "challenge" in opened:
        return _form(request, form | {"session": opened["session"]}, asks="code")
    cookie = sessions.begin(storage, opened["token"], opened["refresh_token"] or "", request.now)
    return _lead_on(request, list(opened["agent"]["desks"]), {"Set-Cookie": cookie})


def sign_out(request: Request, storage: Storage) -> HttpResponse:
    """End the session."""
    require_own_page(request)
    headers = {"Set-Cookie": sessions.end(storage, request), "Location": address(base_of(request))}
    return HttpResponse("", 303, PAGE_HEADERS | headers, content_type="text/html")


def _form(
    request: Request,
    form: dict[str, str] | None = None,
    refused: Refused | None = None,
    asks: str = "password",
) -> HttpResponse:
    locale: Locale = locale_of(request)
    form = form or {}
    html = PAGES.render(
        "sign_in.html",
        locale,
        base_of(request),
        asks="code" if refused is not None and "code" in form else asks,
        username=form.get("username", ""),
        session=form.get("session", ""),
        error=translated(refused.detail, locale) if refused else None,
        next=form.get("next") or request.query.get("next", ""),
    )
    status = refused.status if refused else 200
    return HttpResponse(html, status, PAGE_HEADERS, content_type="text/html")


def _lead_on(
    request: Request, desks: list[str], headers: dict[str, str] | None = None
) -> HttpResponse:
    """Lead to where the person wanted to go, else to the first desk."""
    form = read_form(request) if request.method == "POST" else {}
    wanted = (form.get("next") or [request.query.get("next", "")])[0]
    own = urlsplit(wanted)
    home = address(base_of(request))
    safe = not own.scheme and not own.netloc and wanted.startswith(f"{home}/")
    location = wanted if safe else address(base_of(request), desks[0] if desks else "")
    found = {**PAGE_HEADERS, **(headers or {}), "Location": location}
    return HttpResponse("", 303, found, content_type="text/html")
