"""The form with which customers file a request (H1, A1).

It needs no script and sets no puzzle (WCAG 3.3.8): a hidden field that people leave empty, a signed
token with the time at which the form was made, and the API's own limits keep machines away. A
hidden random key makes a form that is sent twice one ticket.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

from functions.core.domain.errors import InvalidInput, KeyReused, Quarantined
from functions.core.domain.promises import promise
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.timers import due_if_received
from functions.core.pages.forms import FormContent, read_content
from functions.core.pages.security import age_of_token, timed_token
from functions.core.platform import container
from functions.core.platform.logging import logger
from functions.core.platform.web import MAX_FILES_MB, HttpResponse
from functions.core.services.create_ticket import read_new_ticket
from functions.core.services.filing import SentForm
from functions.core.services.flooding import is_local
from functions.portal.files import (
    MAX_FILES,
    NewAttachment,
    as_attachments,
    require_accepted,
    said_errors,
)
from functions.portal.page import CustomerPage
from functions.portal.sentences import spoken_time
from functions.portal.submissions import NewMessage

PATH = ""

ALWAYS = ("type", "description", "urgency", "contact", "name", "preferred_channel")
ASKED: dict[str, str] = {
    "product.name": "text", "product.model": "text", "product.serial": "text",
    "product.purchased_on": "date", "order": "text", "proof_of_purchase": "text",
    "since": "text", "environment": "text", "attempted": "textarea",
}  # fmt: skip
"""The fields that a type may ask for, in the order of the form, with the kind of control."""

_ORDER = (*ALWAYS[:2], *ASKED, "attachments", *ALWAYS[2:])
"""The fields in the order of the form."""

TRAP = "website"
"""A field that nobody sees; programs fill it in."""

QUICKEST = timedelta(seconds=2)
"""The time that people need at least."""
OLDEST = timedelta(hours=24)

log = logger("portal")


@dataclass
class _Form:
    """A form as it is shown: what was entered, what is wrong with it, and its hidden fields."""

    page: CustomerPage
    values: dict[str, str] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)
    token: str = ""
    once: str = ""
    had_files: bool = False

    def show(self, status: int = 200) -> HttpResponse:
        """Answer with the form."""
        page = self.page
        playbook, locale = page.playbook, page.locale
        types = {name: kind for name, kind in playbook.types.items() if not kind.agents_only}
        title = page.say("file.title")
        return page.render(
            "file.html",
            page.say("page.error", title=title) if self.errors else title,
            status,
            heading=title,
            values={name: self.values.get(name, "") for name in (*ALWAYS, *ASKED)},
            errors=self.errors,
            wrong=dict(reversed(self.errors)),
            types=[(name, kind.label[locale]) for name, kind in types.items()],
            asked=[
                (
                    name,
                    control,
                    [str(i) for i, kind in enumerate(types.values()) if name in kind.asks],
                )
                for name, control in ASKED.items()
                if any(name in kind.asks for kind in types.values())
            ],
            urgencies=list(_urgencies(page)),
            default_urgency=_urgency(playbook, playbook.default_priority, locale),
            limit=playbook.fields.description_max,
            files=(MAX_FILES, MAX_FILES_MB),
            had_files=self.had_files,
            privacy=playbook.privacy,
            trap=TRAP,
            token=self.token or timed_token(page.context.root, _purpose(page), page.now),
            once=self.once or secrets.token_urlsafe(16),
        )


def get(page: CustomerPage) -> HttpResponse:
    """Show the form; `?type=` chooses a type."""
    form = _Form(page, {"type": page.request.query.get("type", "")}).show()
    # Whoever goes back to a sent form finds the same one, with its key, and makes no second ticket.
    return replace(form, headers={**form.headers, "Cache-Control": "private, no-cache"})


def post(page: CustomerPage) -> HttpResponse:
    """File the request, and lead on to the page of its number (303)."""
    content = read_content(page.request)
    values = {name: content.value(name).strip() for name in (*ALWAYS, *ASKED)}
    form = _Form(
        page,
        values,
        token=content.value("token"),
        once=content.value("once")[:64],
        had_files=bool(content.files),
    )
    version = page.playbook.privacy.version if page.playbook.privacy else None
    age = age_of_token(page.context.root, _purpose(page), form.token, page.now)
    try:
        body_json = _as_json(values, page.locale)
        body = read_new_ticket(body_json, page.playbook)
        files = _files(content, page.playbook)
    except InvalidInput as error:
        form.errors = _said(error, content, page.locale)
        return form.show(400)
    if age is None or age > OLDEST:
        # Not ours, or the privacy notice has changed since: it is shown again, with all fields.
        form.token = ""
        form.errors = [("", page.say("file.stale"))]
        return form.show(400)
    if age < QUICKEST and not is_local(page.request.source):
        form.errors = [("", page.say("file.quick"))]
        return form.show(400)
    sent = SentForm(
        body_json,
        body,
        page.now,
        form.once,
        page.request.source,
        privacy_version=version,
        keep=partial(_keep, page, files) if files else None,
        suspect="a hidden field was filled in" if content.value(TRAP) else None,
    )
    return _file(form, content, sent)


def _file(form: _Form, content: FormContent, sent: SentForm) -> HttpResponse:
    page = form.page
    try:
        created = container.form_filing(page.request.deployment).file(page.playbook, sent)
    except InvalidInput as error:
        form.errors = _said(error, content, page.locale)
        return form.show(400)
    except KeyReused:
        form.once = ""
        form.errors = [("", page.say("file.repeated"))]
        return form.show(422)
    except Quarantined as error:
        log.warning("form.quarantined", extra={"desk": page.desk, "cause": str(error)})
        title = page.say("file.held.title")
        return page.render("held.html", title, 202, files=sent.keep is not None)
    address = (created.status_url or "").partition("/desks/")[2]
    location = f"{page.request.root}/desks/{address}&done=filed&lang={page.locale}"
    headers = {**page.headers, "Location": location}
    return HttpResponse("", 303, headers, content_type="text/html")


def _purpose(page: CustomerPage) -> str:
    """The purpose of the token; it names the notice that the page showed."""
    version = page.playbook.privacy.version if page.playbook.privacy else ""
    return f"file/{page.desk}/{version}"


def _as_json(values: Mapping[str, str], locale: Locale) -> bytes:
    """Return the form as the API's call takes it."""
    body: dict[str, Any] = {"locale": locale}
    for name, value in values.items():
        if not value:
            continue
        whole, _, part = name.partition(".")
        if part:
            body.setdefault(whole, {})[part] = value
        else:
            body[name] = value
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def _files(content: FormContent, playbook: Playbook) -> tuple[NewAttachment, ...]:
    """Return the files of the form, checked as those of a message."""
    if not content.files:
        return ()
    checked = NewMessage.model_validate({"text": "-", "attachments": as_attachments(content.files)})
    require_accepted(checked.attachments, playbook.files)
    return checked.attachments


def _keep(page: CustomerPage, files: tuple[NewAttachment, ...], folder: str) -> Any:
    return page.context.keep(folder, files, page.playbook.files)


def _said(error: InvalidInput, content: FormContent, locale: Locale) -> list[tuple[str, str]]:
    """Return what is wrong, in the order of the form."""
    said = said_errors(error, content, locale)
    return sorted(said, key=lambda each: _ORDER.index(each[0]) if each[0] in _ORDER else -1)


def _urgencies(page: CustomerPage) -> Any:
    """Yield each urgency: its key, what it is called, and when an answer would come."""
    playbook, locale = page.playbook, page.locale
    for name in playbook.priorities:
        due = due_if_received(name, playbook.default_type, playbook, page.now)
        told = promise(due, page.now, playbook.hours)
        when = ""
        if told.by is not None:
            when = page.say("file.answer_by", at=spoken_time(told.by, page.now, playbook, locale))
        elif told.opens_at is not None:
            at = spoken_time(told.opens_at, page.now, playbook, locale)
            when = page.say("file.answer_open", at=at)
        yield name, _urgency(playbook, name, locale), when


def _urgency(playbook: Playbook, name: str, locale: Locale) -> str:
    """Return what the form calls a priority."""
    priority = playbook.priorities[name]
    return (priority.urgency or priority.customer_label or priority.label)[locale]
