"""The status page: server-rendered, without script, under a strict Content-Security-Policy.

The link's key must not leave the page: no referrer is sent, nothing is loaded from elsewhere, and
no cache keeps it (OWASP, "Content Security Policy Cheat Sheet").
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.core.domain.errors import InvalidInput, Refused
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import OPEN, Ticket
from functions.core.platform.web import HttpResponse
from functions.core.text.error_texts import translated
from functions.core.text.templating import promise_variables
from functions.core.text.words import LIST_SEPARATOR, TEXTS, say

if TYPE_CHECKING:
    from jinja2 import Environment

    from functions.portal.shapes import StatusView

_HERE = Path(__file__).parent
_STYLE = (_HERE / "page.css").read_text(encoding="utf-8")
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()

PRIVATE = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
"""Headers of every response whose URL contains a proof."""

HEADERS = {
    **PRIVATE,
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
"""Headers of every page."""

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


@dataclass(frozen=True)
class Shown:
    """The content of the page.

    Attributes:
        view: the ticket as the holder of the proof sees it.
        proof: the query parameter that opened it, with its value.
        calls: the calls that are possible now, each of which has a form.
    """

    ticket: Ticket
    view: StatusView
    playbook: Playbook
    locale: Locale
    proof: dict[str, str]
    calls: tuple[str, ...]
    done: str | None
    now: datetime
    goes_on: dict[str, str] | None = None


def status_page(shown: Shown) -> str:
    ticket, playbook, locale, calls = shown.ticket, shown.playbook, shown.locale, shown.calls
    return render(
        "status.html",
        locale,
        title=f"{ticket.number} · {playbook.name[locale]}",
        desk=playbook.name[locale],
        other="en" if locale == "zh-CN" else "zh-CN",
        proof=shown.proof,
        number=ticket.number,
        view=shown.view,
        tone=_tone(ticket.status),
        steps=_steps(ticket.status, shown.view["status_label"], locale),
        details=_details(shown),
        asked=shown.view["question"] if "messages" in calls else None,
        confirming=ticket.status == "awaiting_confirmation",
        timeline=[
            (clock(entry["at"]), entry["label"], entry.get("fields", ()))
            for entry in reversed(shown.view["timeline"])
        ],
        submitted=[
            (clock(entry["at"]), entry["text"]) for entry in shown.view.get("submitted", ())
        ],
        earlier={**shown.proof, "lang": locale, "before": str(shown.view["before"])}
        if shown.view["before"]
        else None,
        messages=[{**each, "at": clock(each["at"])} for each in shown.view["messages"]],
        files=[file for file in shown.view["attachments"] if file["url"]],
        refused=[
            (file["name"], say(f"refused.{file['reason']}", locale))
            for file in shown.view["refused"]
        ],
        calls=calls,
        open=ticket.status in OPEN or ticket.merged is not None or "submitted" in shown.view,
        merged=ticket.merged is not None,
        goes_on=shown.goes_on,
        scores=_scores(playbook, locale),
        worded=bool(playbook.survey.words),
        done=shown.done if f"done.{shown.done}" in TEXTS else None,
        zone=str(playbook.zone),
    )


def error_page(refused: Refused, locale: Locale) -> HttpResponse:
    """Render a refusal: what it says, and what is wrong with each field."""
    errors = refused.errors if isinstance(refused, InvalidInput) else ()
    title, *texts = (
        translated(text, locale)
        for text in (refused.title, refused.detail, *(each.message for each in errors))
    )
    html = render("error.html", locale, title=title, texts=texts)
    return HttpResponse(html, refused.status, HEADERS, content_type="text/html")


def clock(at: str | None) -> str:
    """Format a time of the view for people, `YYYY-MM-DD HH:MM:SS` (A15)."""
    return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M:%S") if at else ""


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
        (status_label if state == "current" else say(f"step.{name}", locale), state)
        for name, state in zip(names, states, strict=False)
    ]


def _tone(status: str) -> str:
    if status in {"resolved", "archived"}:
        return "good"
    if status in {"awaiting_customer", "awaiting_confirmation"}:
        return "asks"
    return "quiet" if status in {"closed", "merged"} else "busy"


def _details(shown: Shown) -> list[tuple[str, str]]:
    playbook, locale, view = shown.playbook, shown.locale, shown.view
    open_ = shown.ticket.status in OPEN
    promised = promise_variables(shown.ticket, playbook, locale, shown.now) if open_ else {}
    fields = {
        "page.type": view["type_label"] or "",
        "page.tags": LIST_SEPARATOR[locale].join(view["tags"] or ()),
        "page.priority": view["priority"] or "",
        "page.team": view["team_label"] or "",
        "page.handler": view["handler"] or "",
        "page.received_at": clock(view["received_at"]),
        # A promise is of interest while it is to be kept.
        "page.expected_response_by": _promised("response", promised, locale),
        "page.first_response_at": clock(view["first_response_at"]),
        "page.expected_resolution_by": _promised("resolution", promised, locale),
        "page.resolved_at": clock(view["resolved_at"]),
    }
    return [(say(name, locale), text) for name, text in fields.items() if text]


def _promised(name: str, promised: Mapping[str, str], locale: Locale) -> str:
    opens_at = promised.get(f"{name}_opens_at")
    by = promised.get(f"expected_{name}_by", "")
    return say("page.when_open", locale, at=opens_at) if opens_at else by


def _scores(playbook: Playbook, locale: Locale) -> list[tuple[str, str]]:
    """The scores to choose from, best first, and what they read: the desk's words or numbers."""
    if playbook.survey.words:
        return [(name, word.label[locale]) for name, word in playbook.survey.words.items()]
    low, high = playbook.survey.scores
    return [(str(score), str(score)) for score in range(high, low - 1, -1)]


def render(template: str, locale: Locale, **values: Any) -> str:
    from markupsafe import Markup

    def t(key: str, **values: str) -> str:
        return say(key, locale, **values)

    # Escaping would change the style sheet, and its hash in the policy would no longer match.
    style = Markup(_STYLE)  # noqa: S704
    return _environment().get_template(template).render(t=t, locale=locale, style=style, **values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
