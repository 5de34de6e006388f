"""A request that an agent enters: a call, a visit, or the desk's own initiative."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

from functions.core.domain.errors import InvalidInput, Phrase
from functions.core.platform.container import ticket_creator
from functions.core.platform.web import HttpResponse, Request
from functions.core.services.rights import ENTERS_TICKETS, require
from functions.core.text.error_texts import translated
from functions.core.text.queue_texts import CHANNELS as CHANNEL_LABELS
from functions.workbench import calls, phone_calls
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route
from functions.workbench.pages.ticket_words import Words

CHANNELS = ("phone", "counter", "initiative")
"""The channels of a request that an agent enters."""

RECENT = 8
"""The phone calls that the page offers."""

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
    """Show an empty form, or one that a phone call has filled in."""
    require(page.principal, ENTERS_TICKETS, Phrase("enter a request"))
    given = {"channel": "phone", "call": page.request.query.get("call", "")}
    if given["call"]:
        given |= _filled_in(page, given["call"])
    return _form(page, given, uuid4().hex)


@route("POST", "recording/{call}")
def open_recording(page: WorkbenchPage, call: str) -> HttpResponse:
    """Record that the recording of a phone call is opened, and show the link to it."""
    _ = page.form  # sent from one of our pages
    opened = phone_calls.open_recording(page.calling(), page.storage, page.desk, call).body
    given = {"channel": "phone", "call": call, **_filled_in(page, call)}
    return _form(page, given, uuid4().hex, recording=opened["url"])


@route("POST")
def create(page: WorkbenchPage) -> HttpResponse:
    """Create the ticket and lead to it; a warning about the contact is shown first."""
    names = (*FIELDS, *_product_fields(), "call")
    given = {name: page.field(name).strip() for name in names}
    body: dict[str, Any] = {name: given[name] for name in FIELDS if given[name]}
    product = {name: given[f"product.{name}"] for name in PRODUCT if given[f"product.{name}"]}
    if product:
        body["product"] = product
    key = page.field("key")
    request = page.calling(body)
    request = replace(request, headers={**request.headers, "idempotency-key": key})
    try:
        entered = _enter(page, request, body, given["call"])
    except InvalidInput as refused:
        errors = page.wrong_fields(refused)
        return _form(page, given, key, errors or {"": translated(refused.detail, page.locale)})
    if entered["warnings"]:
        return page.render("new_done.html", title=None, entered=entered)
    return page.redirect(page.url("tickets", entered["number"]))


def _enter(page: WorkbenchPage, request: Request, body: dict[str, Any], call: str) -> Any:
    """Create the ticket. What a phone call has filled in stays with the call, unmasked."""
    if not call:
        creator = ticket_creator(request.deployment)
        return calls.enter_ticket(request, page.storage, page.desk, creator).body
    for name, filled_in in _filled_in(page, call).items():
        if body.get(name, "").replace("\r\n", "\n") == filled_in:
            del body[name]
    return phone_calls.open_ticket(page.calling(body), page.storage, page.desk, call).body


def _filled_in(page: WorkbenchPage, call: str) -> dict[str, str]:
    """Return the fields that a phone call fills in, masked."""
    shown = phone_calls.show_call(page.calling(), page.storage, page.desk, call).body["ticket"]
    fields = ("contact", "description")
    return {name: shown[name].strip() for name in fields if shown[name]}


def _product_fields() -> list[str]:
    return [f"product.{name}" for name in PRODUCT]


def _form(
    page: WorkbenchPage,
    given: dict[str, str],
    key: str,
    errors: dict[str, str] | None = None,
    recording: str = "",
) -> HttpResponse:
    playbook, locale, words = page.playbook, page.locale, Words(page)
    recent = phone_calls.list_calls(page.calling(), page.storage, page.desk).body["calls"]
    more = (*_product_fields(), *MORE)
    return page.render(
        "new.html",
        400 if errors else 200,
        title=None,
        given=given,
        recent=recent[:RECENT],
        chosen=next((each for each in recent if each["id"] == given.get("call")), None),
        recording=recording,
        words=words,
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
