"""A ticket: what was said and done, and what the person may do."""

from __future__ import annotations

from functools import partial

from functions.core.platform import aws
from functions.core.platform.container import contact_corrector
from functions.core.platform.web import HttpResponse
from functions.workbench import calls, unseal_client
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route


@route("GET", "{number}")
def show(page: WorkbenchPage, number: str) -> HttpResponse:
    """Show a ticket."""
    request = page.calling()
    ticket = calls.show_ticket(request, page.storage, page.desk, number, calls.files(request)).body
    return page.render("ticket.html", title=number, ticket=ticket)


@route("POST", "{number}")
def act(page: WorkbenchPage, number: str) -> HttpResponse:
    """Carry out an action of the desk's playbook."""
    action = page.field("action")
    body = {name: values[0] for name, values in page.form.items() if name != "action" and values[0]}
    version = body.pop("version", "")
    if version.isdigit():
        body |= {"version": int(version)}  # type: ignore[dict-item]
    request = page.calling(body)
    deployment = request.deployment
    calls.act(
        request,
        page.storage,
        page.desk,
        number,
        action,
        calls.files(request),
        lambda: contact_corrector(deployment),
        partial(unseal_client.unseal, deployment),
        partial(aws.seal_original, deployment, what="outgoing"),
    )
    return page.redirect(page.url("tickets", number))
