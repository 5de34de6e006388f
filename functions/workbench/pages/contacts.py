"""A customer's contact, shown for a minute against a recorded act (G4).

The contact is in the answer to a form alone: never in an address, never kept by a browser.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from functions.core.domain.errors import InvalidInput
from functions.core.platform import aws
from functions.core.platform.container import contact_corrector
from functions.core.platform.web import HttpResponse
from functions.core.text.error_texts import translated
from functions.workbench import calls, unseal_client
from functions.workbench.calls import CONTACT_SHOWN_FOR
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route


@route("GET", "{number}")
def ask(page: WorkbenchPage, number: str) -> HttpResponse:
    """Ask what the contact is needed for."""
    return _answer(page, number)


@route("POST", "{number}")
def show(page: WorkbenchPage, number: str) -> HttpResponse:
    """Record the act and show the contact; the page without script leads on after a minute."""
    reason = page.field("reason").strip()
    request, deployment = page.calling({"reason": reason}), page.request.deployment
    try:
        opened = calls.act(
            request,
            page.storage,
            page.desk,
            number,
            "open-contact",
            calls.files(request),
            lambda: contact_corrector(deployment),
            partial(unseal_client.unseal, deployment),
            partial(aws.seal_original, deployment, what="outgoing"),
        ).body
    except InvalidInput as refused:
        error = " ".join(translated(each.message, page.locale) for each in refused.errors)
        return _answer(page, number, error=error)
    until = datetime.fromisoformat(opened["shown_until"])
    return _answer(page, number, contact=opened["contact"], until=until)


def _answer(
    page: WorkbenchPage,
    number: str,
    *,
    contact: str | None = None,
    until: datetime | None = None,
    error: str = "",
) -> HttpResponse:
    return page.render(
        "contact_part.html" if page.is_fragment else "contact.html",
        title=None,
        number=number,
        contact=contact,
        until=until,
        error=error,
        seconds=int(CONTACT_SHOWN_FOR.total_seconds()),
    )
