"""The numbers of the board in words, and the tickets that each opens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions.core.domain.ticket import TIMER_KINDS
from functions.core.pages.addresses import nothing_here
from functions.core.text.words import label
from functions.workbench.pages.ticket_words import Words

if TYPE_CHECKING:
    from functions.core.domain.roster import Agent
    from functions.core.reports.board import BoardCounts, BoardEntry, BoardView
    from functions.workbench.pages.page import WorkbenchPage

NOW = ("waiting", "in_hand", "overdue", "due_within_the_hour")
NO_TEAM = "-"
"""Stands in addresses for tickets that are not routed yet."""

TODAY = ("received", "resolved", "first_response", "csat")


@dataclass(frozen=True)
class Tile:
    """A number of the board: its name, itself, what it is made of, and the tickets behind it."""

    name: str
    value: str
    note: str
    url: str | None
    tone: str = ""


def tiles_of(page: WorkbenchPage, view: BoardView, entries: Mapping[str, BoardEntry]) -> list[Tile]:
    words, today, now = Words(page), view["today"], view["now"]
    answered, csat = today["first_response"], today["csat"]
    median, clock = answered["business_median"], answered["median"]
    late = now["overdue"]["n"]
    share = csat["share"]
    none = words.t("board.none_yet")
    shown = {
        "waiting": (now["waiting"]["n"], _longest(page, now["waiting"]["tickets"], entries), ""),
        "overdue": (late, _late_by_kind(page, now["overdue"]["tickets"], entries), "bad"),
        "due_within_the_hour": (
            now["due_within_the_hour"]["n"],
            _urgent(page, now["due_within_the_hour"]["tickets"], entries),
            "warn",
        ),
        "received": (today["received"]["n"], words.t("board.today"), ""),
        "resolved": (today["resolved"]["n"], words.t("board.today"), ""),
        "first_response": (
            "–" if median is None else words.span(timedelta(seconds=median)),
            none
            if clock is None
            else words.t(
                "board.median", n=answered["n"], clock=words.span(timedelta(seconds=clock))
            ),
            "",
        ),
        "csat": (
            "–" if share is None else f"{share:.0%}",
            none if share is None else words.t("board.rated", n=csat["n"]),
            "",
        ),
    }
    behind = {**now, **today}
    return [
        Tile(
            name,
            str(value),
            note,
            page.url("board", "tickets", of=name) if behind[name]["n"] else None,  # type: ignore[index]
            tone if value else "",
        )
        for name, (value, note, tone) in shown.items()
    ]


def _longest(page: WorkbenchPage, numbers: Sequence[str], entries: Mapping[str, BoardEntry]) -> str:
    """Say how long the ticket that has waited longest has."""
    if not numbers:
        return page.say("board.nobody_waits")
    since = datetime.fromtimestamp(min(entries[each].received_at for each in numbers), UTC)
    words = Words(page)
    return words.t("board.longest", time=words.span(page.request.now - since))


def _late_by_kind(
    page: WorkbenchPage, numbers: Sequence[str], entries: Mapping[str, BoardEntry]
) -> str:
    """Say which deadlines have passed, the most frequent first."""
    if not numbers:
        return page.say("board.in_time")
    now = int(page.request.now.timestamp())
    kinds = Counter(kind for number in numbers for kind in set(entries[number].late(now)))
    named = ((TIMER_KINDS.get(kind, {}).get(page.locale, kind), n) for kind, n in kinds.items())
    return " · ".join(f"{kind} {n}" for kind, n in sorted(named, key=lambda each: -each[1])[:2])


def _urgent(page: WorkbenchPage, numbers: Sequence[str], entries: Mapping[str, BoardEntry]) -> str:
    """Say how many of these have the highest priority."""
    ranks = page.playbook.ranks
    first = next((name for name, rank in ranks.items() if rank == 0), "")
    n = sum(entries[number].priority == first for number in numbers)
    named = label(page.playbook.priorities, first, page.locale)
    return page.say("board.of_them", what=named, n=n)


@dataclass(frozen=True)
class StaffRow:
    """A person on the board: the numbers, and what can be handed to them."""

    username: str
    name: str
    team: str
    agent: Agent | None
    counts: BoardCounts | None
    skills: str

    @property
    def state(self) -> str:
        """`online`, `full`, `offline`, or `gone` for whoever has left with tickets in hand."""
        if self.agent is None or not self.agent.active:
            return "gone"
        if not self.agent.online:
            return "offline"
        return "online" if self.agent.load < self.agent.capacity else "full"


def staff_of(
    page: WorkbenchPage, view: BoardView, agents: Sequence[Agent], team: str, *, everybody: bool
) -> list[StaffRow]:
    """Return the people of a team: those who are online or have tickets, or all."""
    numbers = {each["agent"]: each for each in view["by_agent"]}
    people = {agent.username: agent for agent in agents}
    rows = []
    for username in people.keys() | numbers.keys():
        agent, counts = people.get(username), numbers.get(username)
        offered = everybody and agent is not None and agent.assignable
        if (counts is None and not offered) or (team and (agent is None or agent.team != team)):
            continue
        skills = (*agent.skills, *agent.products, *agent.languages) if agent else ()
        named = label(page.playbook.teams, agent.team, page.locale) if agent else ""
        name = agent.name if agent else username
        rows.append(StaffRow(username, name, named, agent, counts, " · ".join(skills)))
    order = ("online", "full", "offline", "gone")
    return sorted(rows, key=lambda row: (order.index(row.state) // 2, row.name, row.username))


def teams_of(page: WorkbenchPage, agents: Sequence[Agent]) -> dict[str, str]:
    """Return the teams whose agents can be given tickets."""
    there = {agent.team for agent in agents if agent.assignable}
    return {
        name: team.label[page.locale] for name, team in page.playbook.teams.items() if name in there
    }


def counted(page: WorkbenchPage, view: BoardView) -> tuple[str, list[str]]:
    """Return what the address asks for, in words, and its tickets.

    Raises:
        NotFound: the board has no such number.
    """
    query = page.request.query
    figure, group = query.get("of", ""), query.get("jump", "")
    if group:
        found = next((jump for jump in view["jumps"] if jump["group"] == group), None)
        return (found["label"], found["tickets"]) if found else (page.say("board.jumps"), [])
    named = page.say(f"board.{figure}") if figure in (*NOW, *TODAY) else ""
    if figure in TODAY:
        today: Mapping[str, Any] = view["today"]
        return named, today[figure]["tickets"]
    if figure not in NOW:
        raise nothing_here()
    counts: Mapping[str, Any] | None = view["now"]
    if "team" in query:
        team = None if query["team"] == NO_TEAM else query["team"]
        counts = next((each for each in view["by_team"] if each["team"] == team), None)
        name = label(page.playbook.teams, team, page.locale) or page.say("board.no_team")
        named = f"{named} · {name}"
    elif "agent" in query:
        counts = next((each for each in view["by_agent"] if each["agent"] == query["agent"]), None)
        if counts:
            named = f"{named} · {Words(page).person(query['agent'])}"
    return named, counts[figure]["tickets"] if counts else []
