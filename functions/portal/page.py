"""The status page: server-rendered, without script, under a strict Content-Security-Policy.

The link's key must not leave the page: no referrer is sent, nothing is loaded from elsewhere, and
no cache keeps it (OWASP, "Content Security Policy Cheat Sheet").
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import OPEN, Ticket
from functions.core.text.words import LIST_SEPARATOR, TEXTS, label, say
from functions.portal.submissions import open_calls

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent
_STYLE = (_HERE / "page.css").read_text(encoding="utf-8")
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()

PRIVATE = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
"""For every answer whose address holds a proof."""

HEADERS = {
    **PRIVATE,
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
"""For every page."""

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
    """What the page shows: the customer's view of a ticket and by which proof it was opened."""

    ticket: Ticket
    view: dict[str, Any]
    playbook: Playbook
    locale: Locale
    key: str | None
    contact: str | None
    done: str | None
    goes_on: dict[str, str] | None = None


def status_page(shown: Shown) -> str:
    """The page of one ticket. Only whoever came by the secret link is offered forms."""
    ticket, playbook, locale = shown.ticket, shown.playbook, shown.locale
    calls = open_calls(ticket, playbook) if shown.key else ()
    return render(
        "status.html",
        locale,
        title=f"{ticket.number} · {playbook.name[locale]}",
        desk=playbook.name[locale],
        other="en" if locale == "zh-CN" else "zh-CN",
        proof={"key": shown.key} if shown.key else {"contact": shown.contact or ""},
        key=shown.key,
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
        files=[file for file in shown.view["attachments"] if file["url"]],
        refused=[
            (file["name"], say(f"refused.{file['reason']}", locale))
            for file in shown.view["refused"]
        ],
        calls=calls,
        open=ticket.status in OPEN or ticket.merged is not None,
        merged=ticket.merged is not None,
        goes_on=shown.goes_on,
        scores=_scores(playbook),
        worded=bool(playbook.survey.words),
        done=shown.done if f"done.{shown.done}" in TEXTS else None,
        zone=str(playbook.zone),
    )


def error_page(why: int | str, locale: Locale) -> str:
    """A refusal, by its HTTP status or a word of its own, as a page that says what can be done."""
    key = f"error.{why}" if f"error.{why}" in TEXTS else "error.400"
    title = say("error.title", locale)
    return render("error.html", locale, title=title, text=say(key, locale))


def clock(at: datetime | None) -> str:
    """A15: a moment as people read it, `YYYY-MM-DD HH:MM:SS`."""
    return at.strftime("%Y-%m-%d %H:%M:%S") if at else ""


def _steps(status: str, status_label: str, locale: Locale) -> list[tuple[str, str]]:
    """Each step's name and whether it is `done`, the `current` one, or still `ahead`.

    The current one is called as the desk calls the ticket's status.
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
    """Name of a field and its text; what is empty is left out."""
    ticket, playbook, locale, view = shown.ticket, shown.playbook, shown.locale, shown.view
    fields = {
        "page.type": label(playbook.types, ticket.type, locale),
        "page.tags": LIST_SEPARATOR[locale].join(
            label(playbook.tags, tag, locale) for tag in ticket.tags
        ),
        "page.priority": label(playbook.priorities, ticket.priority, locale),
        "page.team": label(playbook.teams, ticket.team, locale),
        "page.handler": ticket.handler or "",
        "page.received_at": clock(view["received_at"]),
        "page.expected_response_by": (
            "" if ticket.first_response_at else clock(view["expected_response_by"])
        ),
        "page.first_response_at": clock(view["first_response_at"]),
        "page.expected_resolution_by": (
            "" if ticket.resolved_at else clock(view["expected_resolution_by"])
        ),
        "page.resolved_at": clock(view["resolved_at"]),
    }
    return [(say(name, locale), text) for name, text in fields.items() if text]


def _scores(playbook: Playbook) -> list[str]:
    """What the customer chooses from: the desk's words, or the numbers, best first."""
    if playbook.survey.words:
        return list(playbook.survey.words)
    low, high = playbook.survey.scores
    return [str(score) for score in range(high, low - 1, -1)]


def render(template: str, locale: Locale, **values: Any) -> str:
    from markupsafe import Markup

    def t(key: str, **given: str) -> str:
        return say(key, locale, **given)

    # The style sheet is ours; escaping would change it and with it the hash of the policy.
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
