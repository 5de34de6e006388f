"""The page of a request: what happens, the conversation, and what the customer can do (H1, A15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

from functions.core.domain.promises import promise
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import OPEN, Ticket
from functions.core.platform.web import MAX_FILES_MB, HttpResponse
from functions.core.text.tables import read_table
from functions.core.text.templating import promise_variables
from functions.core.text.words import LIST_SEPARATOR, written_in
from functions.portal.files import MAX_FILES
from functions.portal.page import PAGES, CustomerPage
from functions.portal.sentences import Said, first_sentence, spoken_time

TEXTS = read_table("portal")

if TYPE_CHECKING:
    from functions.portal.shapes import StatusView

STEPS = ("received", "assigned", "in_progress", "resolved", "done")

_STEP_OF_STATUS = {
    "received": 0,
    "pending_confirmation": 0,
    "queued": 0,
    "assigned": 1,
    "awaiting_confirmation": 3,
    "resolved": 3,
    "in_review": 3,
    "archived": 4,
    "closed": 4,
    "merged": 4,
}
_IN_BETWEEN = 2

LATEST = 3
"""Entries of the record that are named before it is opened."""


@dataclass(frozen=True)
class Shown:
    """The content of the page.

    Attributes:
        view: the ticket as the holder of the proof sees it.
        proof: the query parameter that opened it, with its value.
        calls: the calls that are possible now, each of which has a form.
        done: what the customer has just done, or `filed` for a new request.
        typed: what a refused form had, and `errors` what is wrong with it, by field.
    """

    ticket: Ticket
    view: StatusView
    proof: dict[str, str]
    calls: tuple[str, ...]
    done: str | None = None
    goes_on: dict[str, str] | None = None
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Sequence[tuple[str, str]] = ()


def status_page(page: CustomerPage, shown: Shown, status: int = 200) -> HttpResponse:
    """Render the page of a ticket."""
    ticket, view, playbook, locale = shown.ticket, shown.view, page.playbook, page.locale
    title = f"{ticket.number} · {playbook.name[locale]}"
    asked = view["question"] if "messages" in shown.calls else None
    record = [
        {
            "at": clock(entry["at"]),
            "soon": _past(page, entry["at"]),
            "label": entry["label"],
            "fields": entry.get("fields", ()),
        }
        for entry in reversed(view["timeline"])
    ]
    return page.render(
        "status.html",
        page.say("page.error", title=title) if shown.errors else title,
        status,
        number=ticket.number,
        view=view,
        says=_says(page, shown),
        steps=_steps(view["status"], view["status_label"], locale),
        proof=shown.proof,
        details=_details(page, shown),
        asked=asked,
        confirming=ticket.status == "awaiting_confirmation",
        messages=list(_messages(page, shown)),
        record=record,
        latest=record[:LATEST],
        earlier={**shown.proof, "lang": locale, "before": str(view["before"])}
        if view["before"]
        else None,
        files=[file for file in view["attachments"] if file["url"]],
        refused=[(file["name"], page.say(f"refused.{file['reason']}")) for file in view["refused"]],
        calls=shown.calls,
        open=ticket.status in OPEN or ticket.merged is not None or "submitted" in view,
        merged=ticket.merged is not None,
        closed=ticket.status == "closed",
        by_contact="contact" in shown.proof,
        submitter="submitted" in view,
        goes_on=shown.goes_on,
        scores=_scores(playbook, locale),
        worded=bool(playbook.survey.words),
        done=shown.done if f"done.{shown.done}" in TEXTS else None,
        filed=_filed(page, view) if shown.done == "filed" else None,
        typed=shown.typed,
        once=shown.typed.get("once") or token_urlsafe(16),
        errors=shown.errors,
        most=(MAX_FILES, MAX_FILES_MB),
        zone=str(playbook.zone),
    )


def clock(at: str | None) -> str:
    """Format a time of the view for the record, `YYYY-MM-DD HH:MM:SS` (A15)."""
    return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def _says(page: CustomerPage, shown: Shown) -> Said:
    return first_sentence(shown.view, shown.calls, page.playbook, page.locale, page.now)


def _filed(page: CustomerPage, view: StatusView) -> dict[str, str]:
    """The promised time, as a customer reads it just after filing a request."""
    due = view["expected_response_by"]
    told = promise(datetime.fromisoformat(due) if due else None, page.now, page.playbook.hours)
    for key, at in (("filed.by", told.by), ("filed.open", told.opens_at)):
        if at is not None:
            spoken = spoken_time(at, page.now, page.playbook, page.locale)
            return {"when": page.say(key, at=spoken)}
    return {"when": ""}


def _messages(page: CustomerPage, shown: Shown) -> Any:
    """The conversation: all of it, or what came through the holder's own link."""
    view = shown.view
    entries: list[dict[str, Any]] = [dict(each) for each in view["messages"]] or [
        {"direction": "in", "by": page.say("page.you"), "attachments": (), **each}
        for each in view.get("submitted", ())
    ]
    for entry in entries:
        yield {
            **entry,
            "lang": written_in(entry["text"]),
            "soon": _past(page, entry["at"]),
        }


def _past(page: CustomerPage, at: str) -> str:
    when = datetime.fromisoformat(at)
    return spoken_time(when, page.now, page.playbook, page.locale, zoned=False)


def _steps(status: str, status_label: str, locale: Locale) -> list[tuple[str, str]]:
    """The name of each step, and `done`, `current` or `ahead`.

    The current step has the desk's label of the ticket's status.
    """
    at = _STEP_OF_STATUS.get(status, _IN_BETWEEN)
    names = ("received", "closed") if status in {"closed", "merged"} else STEPS
    at = min(at, len(names) - 1)
    ended = at == len(names) - 1
    states = ["done" if i < at or ended else "current" if i == at else "ahead" for i in range(9)]
    return [
        (
            status_label
            if state == "current" or (ended and name == names[-1])
            else PAGES.say(f"step.{name}", locale=locale),
            state,
        )
        for name, state in zip(names, states, strict=False)
    ]


def _details(page: CustomerPage, shown: Shown) -> list[tuple[str, str]]:
    playbook, locale, view = page.playbook, page.locale, shown.view
    open_ = shown.ticket.status in OPEN
    promised = promise_variables(shown.ticket, playbook, locale, page.now) if open_ else {}
    fields = {
        "page.type": view["type_label"] or "",
        "page.tags": LIST_SEPARATOR[locale].join(view["tags"] or ()),
        "page.priority": view["priority"] or "",
        "page.team": view["team_label"] or "",
        "page.handler": view["handler"] or "",
        "page.received_at": clock(view["received_at"]),
        # A promise is of interest while it is to be kept.
        "page.expected_response_by": _promised(page, "response", promised),
        "page.first_response_at": clock(view["first_response_at"]),
        "page.expected_resolution_by": _promised(page, "resolution", promised),
        "page.resolved_at": clock(view["resolved_at"]),
    }
    return [(page.say(name), text) for name, text in fields.items() if text]


def _promised(page: CustomerPage, name: str, promised: Mapping[str, str]) -> str:
    opens_at = promised.get(f"{name}_opens_at")
    by = promised.get(f"expected_{name}_by", "")
    return page.say("page.when_open", at=opens_at) if opens_at else by


def _scores(playbook: Playbook, locale: Locale) -> list[tuple[str, str]]:
    """The scores to choose from and what they read: the desk's words, best first, or numbers."""
    if playbook.survey.words:
        return [(name, word.label[locale]) for name, word in playbook.survey.words.items()]
    low, high = playbook.survey.scores
    return [(str(score), str(score)) for score in range(low, high + 1)]
