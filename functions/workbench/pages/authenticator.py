"""Set up an authenticator: the password first, then its secret, then a code that proves it."""

from __future__ import annotations

from typing import Any

from functions.core.domain.errors import Refused
from functions.core.platform.web import HttpResponse
from functions.core.text.error_texts import translated
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route
from functions.workbench.pages.sessions import session_of
from functions.workbench.session import Enrolment, sessions_of


@route("GET")
def show(page: WorkbenchPage) -> HttpResponse:
    """Ask for the password."""
    return _page(page, "password")


@route("POST")
def submit(page: WorkbenchPage) -> HttpResponse:
    """Show the secret for a password, or set up the authenticator that shows a code."""
    sessions = sessions_of(page.request, page.storage)
    code, secret = "".join(page.field("code").split()), page.field("secret")
    try:
        if not secret:
            return _secret(page, page.field("password"))
        session = session_of(page.request, page.storage, sessions).session
        sessions.confirm_authenticator(session.refresh_token, code)
    except Refused as refused:
        # 401 would ask the person to sign in again.
        status = 400 if refused.status == 401 else refused.status
        error = translated(refused.detail, page.locale)
        step = "secret" if secret else "password"
        return _page(page, step, status, error=error, secret=secret, uri=page.field("uri"))
    return _page(page, "done")


def _secret(page: WorkbenchPage, password: str) -> HttpResponse:
    sessions = sessions_of(page.request, page.storage)
    body = Enrolment.model_construct(username=page.principal.username, password=password, code=None)
    asked: Any = sessions.enrol(body)
    return _page(page, "secret", secret=asked["secret"], uri=asked["uri"])


def _page(page: WorkbenchPage, step: str, status: int = 200, **values: Any) -> HttpResponse:
    shown: dict[str, Any] = {"error": "", "secret": "", "uri": "", **values}
    return page.render("authenticator.html", status, title="", step=step, **shown)
