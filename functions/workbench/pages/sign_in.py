"""Sign in and out: a password, a code of the authenticator, a first password of one's own.

A script that asks for these pages gets the form alone, and once the person has signed in a JSON
object instead of a redirection: so the sign-in takes place in a dialog, over what is being typed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from functions.core.domain.errors import InvalidInput, Refused, TooManyAttempts, Unauthorised
from functions.core.pages.forms import read_form
from functions.core.pages.security import form_token, require_own_page
from functions.core.platform.web import HttpResponse, Request, locale_of
from functions.core.storage.database import Storage
from functions.core.text.error_texts import translated
from functions.core.text.words import nearest_locale
from functions.workbench.pages import language, sessions
from functions.workbench.pages.page import PAGE_HEADERS, PAGES, PURPOSE, address, base_of, is_part
from functions.workbench.session import (
    ChallengeAnswer,
    Credentials,
    FirstPassword,
    NewPasswordRequired,
    Sessions,
)

if TYPE_CHECKING:
    from functions.workbench.shapes import Challenge, Session

_NO_DESK = "sign_in.no_desk"


def show(request: Request, storage: Storage, service: Sessions) -> HttpResponse:
    """Show the form; whoever has signed in is led to the desk."""
    try:
        signed_in = sessions.session_of(request, storage, service)
    except Unauthorised:
        return _form(request)
    claims = signed_in.session.claims
    desks = list(service.desks(claims, request.now))
    if not desks:
        return _form(request, error=_said(request, _NO_DESK), status=401)
    wanted = request.query.get("next", "")
    return _lead_on(request, desks, wanted, signed_in.cookie, str(claims["cognito:username"]))


def submit(request: Request, storage: Storage, service: Sessions) -> HttpResponse:
    """Sign in with a password, or answer what was asked after it."""
    require_own_page(request)
    form = {name: values[0] for name, values in read_form(request).items()}
    try:
        opened: Any = _sign_in(service, form, request)
    except NewPasswordRequired as required:
        if not required.session:
            return _form(request, form, error=_detail(request, required), status=required.status)
        return _form(request, form | {"session": required.session}, asks="first")
    except InvalidInput as refused:
        error = f"{_detail(request, refused)} {_said(request, 'sign_in.rules')}"
        return _form(request, form, asks="first", error=error, status=refused.status)
    except (Unauthorised, TooManyAttempts) as refused:
        asks = "code" if "code" in form else "password"
        return _form(request, form, asks, _detail(request, refused), refused.status)
    if "challenge" in opened:
        return _form(request, form | {"session": opened["session"]}, asks="code")
    sessions.end(storage, request)
    cookie, header = sessions.begin(
        storage, opened["token"], opened["refresh_token"] or "", request.now
    )
    person = opened["agent"]
    chosen = nearest_locale(form.get("lang"))
    answer = _lead_on(
        request, list(person["desks"]), form.get("next", ""), cookie, person["username"]
    )
    return replace(answer, cookies=[header, *([language.cookie(chosen)] if chosen else [])])


def sign_out(request: Request, storage: Storage) -> HttpResponse:
    """End the session. Nobody else has its refresh token, which is deleted with it."""
    require_own_page(request)
    cookies = [sessions.end(storage, request)]
    headers = {**PAGE_HEADERS, "Location": address(base_of(request))}
    return HttpResponse("", 303, headers, content_type="text/html", cookies=cookies)


def _sign_in(service: Sessions, form: dict[str, str], request: Request) -> Session | Challenge:
    session = form.get("session", "")
    try:
        if "code" in form:
            answer = ChallengeAnswer(session=session, code="".join(form["code"].split()))
            return service.answer(answer, request.now)
        if "new_password" in form:
            first = FirstPassword(session=session, password=form["new_password"])
            return service.choose_password(first, request.now)
        username, password = form.get("username", "").strip(), form.get("password", "")
        return service.sign_in(Credentials(username=username, password=password), request.now)
    except ValueError as error:  # of the shape of what was typed
        if "code" in form:
            raise Unauthorised("The code is wrong or too late.") from error
        if "new_password" in form:
            raise InvalidInput("The password does not keep the rules.") from error
        raise Unauthorised("Username or password is wrong.") from error


def _form(
    request: Request,
    form: dict[str, str] | None = None,
    asks: str = "password",
    error: str | None = None,
    status: int = 200,
) -> HttpResponse:
    form = form or {}
    html = PAGES.render(
        "sign_in_part.html" if is_part(request) else "sign_in.html",
        locale_of(request),
        base_of(request),
        asks=asks,
        username=form.get("username", ""),
        session=form.get("session", ""),
        error=error,
        next=form.get("next") or request.query.get("next", ""),
        in_place=is_part(request),
        lang=form.get("lang") or request.query.get("lang", ""),
    )
    return HttpResponse(html, status, PAGE_HEADERS, content_type="text/html")


def _lead_on(
    request: Request, desks: list[str], wanted: str, cookie: str, username: str
) -> HttpResponse:
    """Lead to where the person wanted to go, if it is at a desk of theirs, else to the first."""
    if is_part(request):
        body = {"token": form_token(cookie.encode(), PURPOSE), "username": username}
        return HttpResponse(body, headers=PAGE_HEADERS)
    parts, home = urlsplit(wanted), address(base_of(request))
    desk = parts.path.removeprefix(f"{home}/").partition("/")[0]
    own = not parts.scheme and not parts.netloc and parts.path.startswith(f"{home}/")
    location = wanted if own and desk in desks else address(base_of(request), desks[0])
    return HttpResponse("", 303, {**PAGE_HEADERS, "Location": location}, content_type="text/html")


def _detail(request: Request, refused: Refused) -> str:
    return translated(refused.detail, locale_of(request))


def _said(request: Request, key: str) -> str:
    return PAGES.say(key, locale=locale_of(request))
