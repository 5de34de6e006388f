"""The sentence that comes first on a request's page: who has it, by when, must the customer act.

Pure; it says no more than the view that the holder of the link may see (contract, *Links*).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from functions.core.domain.promises import promise
from functions.core.domain.rules import Locale, Playbook
from functions.core.text.tables import read_table
from functions.core.text.templating import format_time, zone_name

if TYPE_CHECKING:
    from functions.portal.shapes import StatusView

WAITS = frozenset({"received", "pending_confirmation", "queued"})
TEXTS = read_table("portal")
WITH_COLLEAGUES = "awaiting_department"


class Said(NamedTuple):
    """The first sentence of a page, and whether the customer has to do something."""

    fact: str
    act: str
    asks: bool = False


def first_sentence(
    view: StatusView, calls: tuple[str, ...], playbook: Playbook, locale: Locale, now: datetime
) -> Said:
    """Return the sentence about a request.

    Args:
        calls: the customer's calls that are possible now by the link.
    """

    def t(key: str, **values: str) -> str:
        return TEXTS[key][locale].format(**values)

    status = view["status"]
    by_submitter = "submitted" in view
    if view["question"] and "messages" in calls:
        return Said(t("says.question"), t("act.answer"), asks=True)
    if status == "awaiting_customer":
        here = not by_submitter and "messages" in calls
        return Said(t("says.question"), t("act.answer" if here else "act.answer_there"), asks=True)
    if status == "awaiting_confirmation":
        here = "confirmation" in calls
        return Said(t("says.confirm"), t("act.confirm" if here else "act.confirm_there"), asks=True)
    if status == "resolved" and "survey" in calls:
        return Said(t("says.resolved"), t("act.rate"))
    ended = {
        "resolved": "says.resolved",
        "in_review": "says.call",
        "archived": "says.done",
        "closed": "says.closed",
        "merged": "says.merged",
    }
    if status in ended:
        return Said(t(ended[status]), t("act.closed" if status == "closed" else "act.nothing"))
    return Said(_who(view, locale) + _when(view, playbook, locale, now), t("act.nothing"))


def _who(view: StatusView, locale: Locale) -> str:
    status, team, handler = view["status"], view["team_label"], view["handler"]
    if status in WAITS:
        return TEXTS["says.received"][locale]
    if handler and team and handler != team:
        who = TEXTS["says.with_team"][locale].format(team=team, handler=handler)
    else:
        who = handler or team or ""
    of_colleagues = status == WITH_COLLEAGUES
    if not who:
        return TEXTS["says.we_department" if of_colleagues else "says.we_work"][locale]
    return TEXTS["says.department" if of_colleagues else "says.working"][locale].format(who=who)


def _when(view: StatusView, playbook: Playbook, locale: Locale, now: datetime) -> str:
    """Say the one deadline that comes next; never one that has passed."""
    answered = view["first_response_at"] is not None
    due = view["expected_resolution_by" if answered else "expected_response_by"]
    if due is None:
        return TEXTS["says.untimed"][locale]
    told = promise(datetime.fromisoformat(due), now, playbook.hours)
    what = "done" if answered else "answer"
    if told.by is not None:
        at = spoken_time(told.by, now, playbook, locale)
        return TEXTS[f"says.{what}_by"][locale].format(at=at)
    if told.opens_at is not None:
        at = spoken_time(told.opens_at, now, playbook, locale)
        return TEXTS[f"says.{what}_open"][locale].format(at=at)
    return TEXTS["says.late"][locale]


def spoken_time(
    at: datetime, now: datetime, playbook: Playbook, locale: Locale, *, zoned: bool = True
) -> str:
    """Say a time as people do: 今天18:30, 18:30 today (GMT+8); a farther day with its date.

    `zoned`: with the zone where the language needs it, as for a promise.
    """
    local, today = at.astimezone(playbook.zone), now.astimezone(playbook.zone).date()
    said = format_time(at, playbook, locale)
    for days, key in ((0, "time.today"), (1, "time.tomorrow"), (-1, "time.yesterday")):
        if local.date() == today + timedelta(days=days):
            said = TEXTS[key][locale].format(clock=f"{local:%H:%M}", zone=zone_name(local))
    return said if zoned else said.removesuffix(f" ({zone_name(local)})")
