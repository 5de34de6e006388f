"""A request that an agent enters: a call, a visit, or the desk's own initiative."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

from functions.core.domain.errors import InvalidInput, Phrase
from functions.core.platform.container import ticket_creator
from functions.core.platform.web import HttpResponse
from functions.core.services.rights import ENTERS_TICKETS, require
from functions.core.text.error_texts import translated
from functions.core.text.queue_texts import CHANNELS as CHANNEL_LABELS
from functions.workbench import calls
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route

CHANNELS = ("phone", "counter", "initiative")
"""The channels of a request that an agent enters."""

PREFERRED = ("sms", "email", "message", "phone")

PRODUCT = ("name", "model", "serial", "purchased_on")

MORE = ("proof_of_purchase", "order", "since", "environment", "attempted", "customer_id")
"""Further fields of one line."""

FIELDS = (
    "contact",
    "name",
    "description",
    "channel",
    "type",
    "urgency",
    "preferred_channel",
    "locale",
    *MORE,
)


@route("GET")
def show(page: WorkbenchPage) -> HttpResponse:
    """Show an empty form."""
    require(page.principal, ENTERS_TICKETS, Phrase("enter a request"))
    return _form(page, {"channel": "phone"}, uuid4().hex)


@route("POST")
def create(page: WorkbenchPage) -> HttpResponse:
    """Create the ticket and lead to it; a warning about the contact is shown first."""
    given = {name: page.field(name).strip() for name in (*FIELDS, *_product_fields())}
    body: dict[str, Any] = {name: given[name] for name in FIELDS if given[name]}
    product = {name: given[f"product.{name}"] for name in PRODUCT if given[f"product.{name}"]}
    if product:
        body["product"] = product
    key = page.field("key")
    request = page.calling(body)
    request = replace(request, headers={**request.headers, "idempotency-key": key})
    creator = ticket_creator(request.deployment)
    try:
        entered = calls.enter_ticket(request, page.storage, page.desk, creator).body
    except InvalidInput as refused:
        errors = page.wrong_fields(refused)
        return _form(page, given, key, errors or {"": translated(refused.detail, page.locale)})
    if entered["warnings"]:
        return page.render("new_done.html", title=None, entered=entered)
    return page.redirect(page.url("tickets", entered["number"]))


def _product_fields() -> list[str]:
    return [f"product.{name}" for name in PRODUCT]


def _form(
    page: WorkbenchPage, given: dict[str, str], key: str, errors: dict[str, str] | None = None
) -> HttpResponse:
    playbook, locale = page.playbook, page.locale
    more = (*_product_fields(), *MORE)
    return page.render(
        "new.html",
        400 if errors else 200,
        title=None,
        given=given,
        key=key,
        errors=errors or {},
        more=more,
        more_open=any(given.get(name) for name in more) or bool({*more} & {*(errors or {})}),
        channels=CHANNELS,
        channel_labels=CHANNEL_LABELS,
        preferred=PREFERRED,
        types={name: each.label[locale] for name, each in playbook.types.items()},
        priorities={
            name: (each.label[locale], each.promise[locale] if each.promise else "")
            for name, each in playbook.priorities.items()
        },
        limit=playbook.fields.description_max,
    )
