"""Several tickets at once: choose what to do, see which tickets refuse it and why, carry it out."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import uuid4

from functions.core.domain.errors import InvalidInput
from functions.core.platform import aws
from functions.core.platform.container import contact_corrector
from functions.core.platform.web import HttpResponse
from functions.core.services.agent_actions import ActionContext
from functions.core.text.error_texts import translated
from functions.workbench import bulk, calls
from functions.workbench.bulk import ACTIONS, Order, Result
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route

FIELDS = ("recipient", "tag", "priority", "text", "reason", "silent")


@route("GET")
def nothing(page: WorkbenchPage) -> HttpResponse:
    """Say that tickets are selected in the queue: the address alone names none."""
    return _answer(page, [], "", {})


@route("POST")
def choose(page: WorkbenchPage) -> HttpResponse:
    """Ask for the fields of an action on the tickets that were selected."""
    return _answer(page, bulk.numbers_of(page.form.get("ticket", ())), page.field("bulk"), {})


@route("POST", "preview")
def preview(page: WorkbenchPage) -> HttpResponse:
    """Show what each ticket would say, and change nothing."""
    numbers, choice = bulk.numbers_of(page.form.get("ticket", ())), page.field("action")
    fields = {name: page.field(name) for name in FIELDS if page.field(name)}
    if page.field("change"):
        return _answer(page, numbers, choice, fields)
    try:
        order = _order(choice, fields)
        results = bulk.checked(action_context(page), order, numbers, page.request.now)
    except InvalidInput as refused:
        errors = page.wrong_fields(refused)
        return _answer(page, numbers, choice, fields, errors=errors, status=400)
    return _answer(page, numbers, choice, fields, results=results, batch=uuid4().hex[:12])


@route("POST", "run")
def run(page: WorkbenchPage) -> HttpResponse:
    """Carry it out on one ticket after the other; show what came of each."""
    seen = bulk.numbers_of(page.form.get("ticket", ()))
    choice, batch = page.field("action"), page.field("batch")
    fields = {name: page.field(name) for name in FIELDS if page.field(name)}
    versions = {
        number: int(version)
        for number, _, version in (each.rpartition(":") for each in seen)
        if version.isdigit()
    }
    order = _order(choice, fields)
    if not batch.isalnum():
        raise InvalidInput("The form cannot be read.")
    context, now = action_context(page), page.request.now
    results = list(bulk.carried_out(context, order, versions, batch[:40], now))
    return _answer(page, list(versions), choice, fields, results=results, batch=batch, ran=True)


def _order(choice: str, fields: dict[str, str]) -> Order:
    if choice not in ACTIONS:
        raise InvalidInput("The form cannot be read.")
    return Order(choice, fields)


def action_context(page: WorkbenchPage) -> ActionContext:
    """Return what actions of this person need."""
    request, deployment = page.request, page.request.deployment
    return ActionContext(
        page.principal,
        page.playbook,
        page.storage,
        calls.files(request),
        lambda: contact_corrector(deployment),
        lambda: aws.public_url(deployment),
        partial(aws.seal_original, deployment, what="outgoing"),
    )


def _answer(
    page: WorkbenchPage,
    numbers: list[str],
    choice: str,
    fields: dict[str, str],
    *,
    results: list[Result] | None = None,
    errors: dict[str, str] | None = None,
    batch: str = "",
    ran: bool = False,
    status: int = 200,
) -> HttpResponse:
    choice = choice if choice in ACTIONS else "assign"
    values: dict[str, Any] = {
        "numbers": numbers,
        "choice": choice,
        "choices": list(ACTIONS),
        "fields": fields,
        "errors": errors or {},
        "batch": batch,
        "ran": ran,
        "results": None if results is None else [_shown(page, each) for each in results],
        "agents": [],
        "teams": {},
    }
    if results is None and choice == "assign" and numbers:
        agents = page.storage.roster.list(page.desk)
        values["agents"] = [agent for agent in agents if agent.assignable]
        values["teams"] = page.playbook.teams
    # htmx shows an answer to a form that has errors only with 200.
    status = 200 if page.is_fragment else status
    template = "bulk_part.html" if page.is_fragment else "bulk.html"
    return page.render(template, status, title=None, **values)


def _shown(page: WorkbenchPage, result: Result) -> dict[str, Any]:
    """Return a result in the words of the page."""
    ticket, locale = result.ticket, page.locale
    kind = page.playbook.types.get(ticket.type) if ticket else None
    label = kind.label[locale] if kind else ""
    return {
        "number": result.number,
        "outcome": result.outcome,
        "version": result.version,
        "title": (ticket.title if ticket else None) or label,
        "type": label,
        "reasons": [translated(reason, locale) for reason in result.reasons],
    }
