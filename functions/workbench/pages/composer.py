"""The values of a ticket's composer: the draft, its recipient, what can be sent, or why not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from functions.core.domain.drafts import Draft, Frame
from functions.core.platform import aws
from functions.core.text.tables import read_table

if TYPE_CHECKING:
    from functions.workbench.pages.page import WorkbenchPage

BUTTONS: Mapping[Frame, tuple[str, ...]] = {"reply": ("request-info", "reply"), "note": ("note",)}
"""The actions of each frame; the last is the usual one."""

_FINISHED = {"closed", "archived", "merged"}


@dataclass(frozen=True)
class Elsewhere:
    """A draft on a ticket that was merged into the one that is shown."""

    number: str
    text: str


@dataclass(frozen=True)
class Composer:
    """The values of `composer.html`.

    Attributes:
        buttons: the actions that the caller may carry out now, by frame.
        channel: the way on which an answer reaches the customer, a key of the texts.
        draft: the edition of the stored draft, 0 if there is none.
        suggested: the text stands there because it was suggested; nobody has written it yet.
        merged_from: the merged ticket whose draft is shown.
        why: why no reply can be sent, "" if one can; `why_values` fill it in.
    """

    frame: Frame
    text: str
    other: str
    files: Sequence[str]
    seen: int
    draft: int
    saved: str
    reason: str
    outgoing: Mapping[str, Any] | None
    buttons: Mapping[Frame, Sequence[str]]
    channel: str
    suggested: bool
    merged_from: str
    elsewhere: Sequence[Elsewhere]
    why: str
    why_values: Mapping[str, str]
    may_take: bool
    texts: str
    sms: str


def composer_of(page: WorkbenchPage, ticket: Mapping[str, Any]) -> Composer:
    """Return the composer of a ticket, as the API shows the ticket to the caller."""
    number, actions = ticket["number"], ticket["actions"]
    drafts = _drafts(page, ticket)
    own, merged_from = drafts.pop(number, None), ""
    if (own is None or own.is_empty) and drafts:
        merged_from, carried = drafts.popitem()
        edition = own.edition if own else 0
        own = carried.taken_back().changed(edition=edition, seen=ticket["version"])
    suggestion = ticket["suggestion"]["text"]
    wanted = ticket["first_response_at"] is None and not {"reply", "take"}.isdisjoint(actions)
    suggested = bool(suggestion) and wanted and not (own and (own.text or own.outgoing))
    buttons: dict[Frame, Sequence[str]] = {
        frame: [name for name in names if name in actions] for frame, names in BUTTONS.items()
    }
    why, values = ("", {}) if buttons["reply"] else _why_not(ticket)
    frame: Frame = own.frame if own and not own.is_empty else _frame(buttons, why)
    shown = own or Draft(desk=page.desk, number=number, agent="", saved_at=page.request.now)
    return Composer(
        frame=frame,
        text=suggestion if suggested and frame == "reply" else shown.text,
        other=suggestion if suggested and frame == "note" else shown.other,
        files=shown.files,
        seen=shown.seen or ticket["version"],
        draft=shown.edition,
        saved=clock(page, shown.saved_at) if shown.text or shown.other else "",
        reason=shown.reason.get(page.locale, ""),
        outgoing=outgoing_of(shown, page.request.now),
        buttons=buttons,
        channel=channel_of(ticket),
        suggested=suggested,
        merged_from=merged_from,
        elsewhere=[Elsewhere(each.number, _whole(each)) for each in drafts.values()],
        why=why,
        why_values=values,
        may_take="take" in actions and not buttons["reply"],
        texts=json.dumps(
            {key: said[page.locale] for key, said in read_table("composer_script").items()},
            ensure_ascii=False,
        ),
        sms=json.dumps(ticket["sms"], ensure_ascii=False) if ticket.get("sms") else "",
    )


def clock(page: WorkbenchPage, at: datetime) -> str:
    """Write the time of day at the desk."""
    return at.astimezone(page.playbook.zone).strftime("%H:%M")


def outgoing_of(draft: Draft, now: datetime) -> dict[str, Any] | None:
    """Return what waits to be sent, with the seconds that are left to take it back."""
    sends = draft.outgoing
    if sends is None:
        return None
    left = 0 if sends.begun else max((sends.send_at - now).total_seconds(), 0)
    return {"id": sends.id, "action": sends.action, "seconds": round(left, 1)}


def channel_of(ticket: Mapping[str, Any]) -> str:
    """Return how an answer reaches the customer."""
    kind = ticket["customer"]["kind"]
    if kind == "phone":
        return "sms" if ticket.get("sms") else "call"
    if kind == "email":
        return "email"
    return "wechat" if ticket["channel"] == "wechat" else "chat"


def _drafts(page: WorkbenchPage, ticket: Mapping[str, Any]) -> dict[str, Draft]:
    """Return the caller's drafts on the ticket and on those merged into it, by number."""
    numbers = [ticket["number"]]
    if ticket["carries"]:
        from functions.core.services.merging import merged_tickets

        shown = page.storage.tickets.load(page.desk, ticket["number"])
        numbers += [each.number for each in merged_tickets(page.storage, shown)]
    root = aws.root_key(page.request.deployment)
    found = page.storage.drafts.of(page.desk, numbers, page.principal.username, root)
    return {
        number: draft
        for number, draft in found.items()
        if number == ticket["number"] or not draft.is_empty
    }


def _frame(buttons: Mapping[Frame, Sequence[str]], why: str) -> Frame:
    """Return the frame to begin with: a note where no reply will be possible."""
    waits = why in {"", "unassigned", "other"}
    return "reply" if buttons["reply"] or waits or not buttons["note"] else "note"


def _whole(draft: Draft) -> str:
    return "\n\n".join(filter(None, (draft.text, draft.other)))


def _why_not(ticket: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return why no reply can be sent, as a text and what fills it in."""
    if ticket["merged_into"]:
        return "merged", {"number": ticket.get("goes_on_as") or ticket["merged_into"]}
    if ticket["status"] in _FINISHED:
        return "status", {"status": ticket["status_label"]}
    if ticket["handler"] is None:
        return ("unassigned", {}) if "take" in ticket["actions"] else ("right", {})
    if "note" in ticket["actions"] and ticket["status"] in {"resolved", "in_review"}:
        return "status", {"status": ticket["status_label"]}
    return "other", {"name": ticket["handler_name"] or ticket["handler"]}
