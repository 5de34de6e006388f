"""The board: what waits, what is overdue and who is there, and what supervisors and QA do from it.

Every number opens its tickets. Supervisors assign what waits and decide on what needs approval;
QA assigns the call-backs. `board_figures` makes the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from functions.core.domain.errors import InvalidInput, Phrase
from functions.core.domain.events import SurveyAnswered
from functions.core.domain.ticket import OPEN
from functions.core.platform.web import HttpResponse
from functions.core.reports.board import BoardEntry, to_assign
from functions.core.services.rights import require
from functions.core.storage.items import task_queue_key
from functions.core.text.due_words import PATTERNS
from functions.core.text.error_texts import translated
from functions.core.text.queue_texts import channel_label
from functions.core.text.words import label
from functions.workbench import queues
from functions.workbench.board import newest, view_of, with_tickets
from functions.workbench.bulk import Result, attempted
from functions.workbench.pages.board_figures import (
    NO_TEAM,
    counted,
    staff_of,
    teams_of,
    tiles_of,
)
from functions.workbench.pages.bulk import action_context
from functions.workbench.pages.navigation import LEADERS
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route
from functions.workbench.pages.ticket_forms import whole
from functions.workbench.pages.ticket_words import Words
from functions.workbench.queue_rows import QueueRow, rows_of
from functions.workbench.queue_views import OVERDUE, View
from functions.workbench.queues import QUEUES
from functions.workbench.reading import last_commits
from functions.workbench.view import summary_view

if TYPE_CHECKING:
    from functions.core.domain.ticket import Ticket

MOST = 50
"""The tickets of a list."""

LAST_COMMITS = 4
"""The commits of a ticket in review among which its survey is looked for."""

NEAREST = {"waiting": View("unassigned"), "overdue": View("all", due=OVERDUE)}
"""The queue in which the tickets of a number are worked on, beside others."""

Answer = Callable[[WorkbenchPage, "BoardNotice | None"], HttpResponse]


@dataclass(frozen=True)
class BoardNotice:
    """The outcome of an act on a ticket, in words."""

    number: str
    text: str
    bad: bool = False


@route("GET")
@route("GET", "assign")
def show(page: WorkbenchPage) -> HttpResponse:
    """Show the board; a script gets the part that changes."""
    return _board(page, _told(page))


@route("POST", "assign")
def assign(page: WorkbenchPage) -> HttpResponse:
    """Assign a ticket to an agent."""
    require(page.principal, LEADERS, Phrase("assign tickets"))
    done = partial(page.say, "board.assigned")
    return _answered(page, _assignment(page), done, _board, "board", team=page.field("team"))


@route("GET", "tickets")
def tickets(page: WorkbenchPage) -> HttpResponse:
    """Show the tickets that a number of the board counts."""
    query, locale = page.request.query, page.locale
    snapshot = newest(page.request, page.storage, page.playbook)
    view = view_of(snapshot, (), page.playbook, page.request.now, locale)
    title, numbers = counted(page, view)
    start = whole(query.get("after", "")) or 0
    shown = page.storage.tickets.load_many(page.desk, numbers[start : start + MOST])
    following = {**query, "after": str(start + MOST)}
    following.pop("part", None)
    nearest = NEAREST.get(query.get("of", "")) if query.keys() <= {"of", "lang"} else None
    values: dict[str, Any] = {
        "rows": _rows(page, shown),
        "more": page.url("board", "tickets", **following) if numbers[start + MOST :] else None,
        "channel": partial(channel_label, locale=locale),
        "due_patterns": PATTERNS[locale],
        "pickable": False,
        "shows_handler": True,
    }
    if query.get("part") == "more":
        return page.render("queue_rows.html", **values)
    may = nearest is not None and bool(QUEUES[nearest.queue] & page.principal.roles)
    values |= {"heading": title, "n": len(numbers), "nearest": nearest if may else None}
    return page.render("board_tickets.html", title=None, **values)


@route("GET", "approvals")
def approvals(page: WorkbenchPage) -> HttpResponse:
    """Show the steps that wait for a supervisor's approval."""
    return _approvals(page, _told(page))


@route("POST", "approvals")
def approve(page: WorkbenchPage) -> HttpResponse:
    """Approve or refuse a step; whoever asked is to read why it is refused."""
    approved, reason = page.field("approved") == "yes", page.field("reason").strip()
    if not approved and not reason:
        wanted = BoardNotice(page.field("ticket"), page.say("board.reason_wanted"), bad=True)
        return _approvals(page, wanted)
    result = _attempt(page, "approve", {"approved": approved, "reason": reason})
    said = "board.approved" if approved else "board.refused"
    return _answered(page, result, partial(page.say, said), _approvals, "board", "approvals")


@route("GET", "reviews")
def reviews(page: WorkbenchPage) -> HttpResponse:
    """Show the tickets whose customers QA calls back."""
    return _reviews(page, _told(page))


@route("POST", "reviews")
def assign_review(page: WorkbenchPage) -> HttpResponse:
    """Assign a call-back to a reviewer."""
    require(page.principal, QUEUES["qa"], Phrase("assign call-backs"))
    done = partial(page.say, "board.review_assigned")
    return _answered(page, _assignment(page), done, _reviews, "board", "reviews")


# What came of an act


def _assignment(page: WorkbenchPage) -> Result:
    """Assign the ticket of the form to the recipient that it names."""
    kind, _, name = page.field("recipient").partition(":")
    if not name:
        missing = translated("this field is required", page.locale)
        return Result(page.field("ticket"), None, "refused", reasons=[missing])
    return _attempt(page, "assign", {kind: name})


def _attempt(page: WorkbenchPage, action: str, body: dict[str, Any]) -> Result:
    """Carry out an action on the ticket of the form, in the version that the person saw."""
    number, batch = page.field("ticket"), page.field("batch")
    if not batch.isalnum():
        raise InvalidInput("The form cannot be read.")
    body["version"] = whole(page.field("version")) or 1
    now = page.request.now
    return attempted(action_context(page), number, action, body, now, f"board-{batch[:40]}")


def _answered(
    page: WorkbenchPage,
    result: Result,
    done: Callable[..., str],
    again: Answer,
    *path: str,
    **query: str,
) -> HttpResponse:
    """Show the list again with what came of the act; a page without script is led there."""
    if result.outcome == "done":
        if page.is_fragment:
            return again(page, BoardNotice(result.number, done(number=result.number)))
        said = {"done": result.number, "said": page.field("approved") or "yes"}
        return page.redirect(page.url(*path, **{k: v for k, v in query.items() if v}, **said))
    why = [translated(reason, page.locale) for reason in result.reasons]
    text = " ".join(why) or page.say(f"bulk.result_{result.outcome}")
    refused = page.say("board.not_done", number=result.number, why=text)
    return again(page, BoardNotice(result.number, refused, bad=True))


def _told(page: WorkbenchPage) -> BoardNotice | None:
    """Return what the act before this page has done."""
    number = page.request.query.get("done", "")
    if not number.replace("-", "").isalnum():
        return None
    said = "board.refused" if page.request.query.get("said") == "no" else "board.done"
    return BoardNotice(number, page.say(said, number=number))


def _render(
    page: WorkbenchPage, name: str, notice: BoardNotice | None, **values: Any
) -> HttpResponse:
    """Render one of the board's pages, or the part of it that changes."""
    status = 409 if notice and notice.bad and not page.is_fragment else 200
    return page.render(
        "board_part.html" if page.is_fragment else "board.html",
        status,
        title=None,
        part=name,
        tabs=_tabs(page),
        notice=notice,
        batch=uuid4().hex[:12],
        words=Words(page),
        due_patterns=PATTERNS[page.locale],
        as_of=values.pop("as_of", page.request.now),
        **values,
    )


def _tabs(page: WorkbenchPage) -> list[str]:
    """Return the board, which has no name, and the pages beside it that the person may open."""
    roles = page.principal.roles
    allowed = {"approvals": LEADERS, "reviews": QUEUES["qa"]}
    return ["", *(name for name, needed in allowed.items() if roles & needed)]


# The board


def _board(page: WorkbenchPage, notice: BoardNotice | None) -> HttpResponse:
    """Show the board; supervisors see what they can assign beside the agents."""
    storage, playbook, now = page.storage, page.playbook, page.request.now
    # Read anew, and what the frame of the page shows of it too.
    agents = storage.roster.recent(page.desk, now, timedelta())
    snapshot = newest(page.request, storage, playbook)
    leads = bool(page.principal.roles & LEADERS)
    asked = page.field("team") if page.request.method == "POST" else page.request.query.get("team")
    team = asked if asked in playbook.teams else ""
    waiting: list[str] = []
    found: list[Ticket] = []
    if leads:
        waiting = _waiting(snapshot.entries, team)
        found = storage.tickets.load_many(page.desk, waiting[:MOST], consistent=True)
        # What was assigned just now has left the list before the journals tell of it.
        snapshot = with_tickets(snapshot, found, playbook)
        waiting = _waiting(snapshot.entries, team)
    view = view_of(snapshot, agents, playbook, now, page.locale)
    entries = snapshot.entries
    still = set(waiting)
    return _render(
        page,
        "",
        notice,
        source=page.url("board", **({"team": team} if team else {})),
        as_of=snapshot.at,
        counts={
            "approvals": sum(entry.approval for entry in entries.values()),
            "reviews": sum(
                entry.status == "in_review" and entry.queue == "qa" for entry in entries.values()
            ),
        },
        tiles=tiles_of(page, view, entries),
        teams=view["by_team"],
        jumps=view["jumps"],
        staff=staff_of(page, view, agents, team, everybody=leads),
        leads=leads,
        team=team,
        no_team=NO_TEAM,
        teams_with_agents=teams_of(page, agents),
        waiting=waiting,
        rows=_rows(page, [ticket for ticket in found if ticket.number in still]),
        agents=sorted(
            (agent for agent in agents if agent.assignable),
            key=lambda agent: (agent.team, not agent.online, agent.name),
        ),
    )


def _waiting(entries: Mapping[str, BoardEntry], team: str) -> list[str]:
    """Return what can be assigned: of a team, and what is not routed yet."""
    return [
        number
        for number in to_assign(entries.values())
        if not team or entries[number].team in (team, "")
    ]


def _rows(page: WorkbenchPage, found: Iterable[Ticket]) -> list[QueueRow]:
    playbook, locale = page.playbook, page.locale
    return rows_of(
        [{**summary_view(each, playbook, page.principal, locale), "found": None} for each in found],
        playbook,
        page.request.now,
        locale,
    )


# Approvals


def _approvals(page: WorkbenchPage, notice: BoardNotice | None) -> HttpResponse:
    require(page.principal, LEADERS, Phrase("approve steps"))
    words, now = Words(page), page.request.now
    listed = [task_queue_key(page.desk, "role:supervisor")]
    found, following = _page(page, listed, lambda each: bool(each.pending and each.status in OPEN))
    asked = {ticket.number: ticket.pending for ticket in found if ticket.pending}
    shown = []
    for row in _rows(page, found):
        pending = asked[row.ticket["number"]]
        shown.append(
            {
                "row": row,
                "step": label(page.playbook.steps, pending.step, page.locale),
                "fields": words.fields(pending.step, pending.fields),
                "files": len(pending.attachments),
                "by": words.person(pending.by) if pending.by else "",
                "at": words.moment(pending.at) if pending.at else None,
                "waited": words.span(now - pending.at) if pending.at else "",
            }
        )
    return _list(page, "approvals", notice, shown, following)


# Call-backs


def _reviews(page: WorkbenchPage, notice: BoardNotice | None) -> HttpResponse:
    require(page.principal, QUEUES["qa"], Phrase("see call-backs"))
    words = Words(page)
    found, following = _page(page, [f"{page.desk}#qa"], lambda each: each.status == "in_review")
    comments = _comments(page, found)
    shown = [
        {
            "row": row,
            "comment": comments.get(row.ticket["number"], ""),
            "reviewer": words.person(row.ticket["reviewer"]) if row.ticket["reviewer"] else "",
        }
        for row in _rows(page, found)
    ]
    calling = [
        agent for agent in words.agents.values() if agent.assignable and agent.roles & QUEUES["qa"]
    ]
    reviewers = sorted(calling, key=lambda agent: ("qa" not in agent.roles, agent.name))
    return _list(page, "reviews", notice, shown, following, reviewers=reviewers)


def _comments(page: WorkbenchPage, found: Sequence[Ticket]) -> dict[str, str]:
    """Return what customers said with their scores, where that is among a ticket's last commits."""
    return {
        commit.number: event.comment
        for commit in last_commits(page.storage, found, LAST_COMMITS)
        for event in commit.of(SurveyAnswered)
    }


def _page(
    page: WorkbenchPage, partitions: Sequence[str], wanted: queues.Admits
) -> tuple[list[Ticket], str | None]:
    cursor = page.request.query.get("cursor") or None
    return queues.page_of(page.storage, partitions, wanted, cursor)


def _list(
    page: WorkbenchPage,
    name: str,
    notice: BoardNotice | None,
    shown: list[dict[str, Any]],
    following: str | None,
    **values: Any,
) -> HttpResponse:
    cursor = page.request.query.get("cursor", "")
    return _render(
        page,
        name,
        notice,
        source=page.url("board", name, **({"cursor": cursor} if cursor else {})),
        shown=shown,
        more=page.url("board", name, cursor=following) if following else None,
        counts={} if following or cursor else {name: len(shown)},
        reason=page.field("reason") if notice and notice.bad else "",
        **values,
    )
