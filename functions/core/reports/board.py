"""The board: what waits, what is overdue and what came in today, from one entry per ticket (D16).

The entries of a desk are stored every twelve minutes (`functions/reports/snapshots.py`); tickets
that changed since are put on top of them when somebody looks.
"""

# ruff: noqa: UP013 - fields side by side: a class would take a line for each

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

from typing_extensions import TypedDict

from functions.core.domain.roster import Agent
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import IN_HAND, OPEN, UNASSIGNED, Ticket
from functions.core.reports.columns import Fact
from functions.core.reports.facts import is_good
from functions.core.reports.jumps import Baseline, groups_of, jumps
from functions.core.reports.labels import jump_label
from functions.core.reports.periods import midnight
from functions.core.reports.report import ReportJumpView
from functions.core.text.shapes import Time, local_time
from functions.core.text.words import label

SOON = timedelta(hours=1)
OF_CUSTOMER = frozenset({"customer_info", "satisfaction"})
"""The timers that wait for the customer: they make no ticket overdue."""
ENDED = frozenset({"archived", "closed", "merged"})
_NEVER = 1 << 62


@dataclass(frozen=True)
class BoardEntry:
    """A ticket on the board. Times are Unix seconds and durations seconds.

    - `agent`: its handler, in a review the reviewer;
    - `score`, `good`, `scored_at`: the last answer to the survey, also of a ticket reopened since;
    - `dues`: kind → deadline of each running timer; `overdue`: the kinds that have breached and
      still wait;
    - `approval`: a step waits for a supervisor's approval.
    """

    number: str
    version: int
    status: str
    queue: str
    received_at: int
    type: str
    priority: str
    team: str = ""
    agent: str = ""
    tags: tuple[str, ...] = ()
    product: str = ""
    first_response_at: int | None = None
    first_response: int | None = None
    first_response_business: int | None = None
    resolved_at: int | None = None
    scored_at: int | None = None
    score: int | None = None
    good: int | None = None
    dues: Mapping[str, int] | None = None
    overdue: tuple[str, ...] = ()
    approval: bool = False

    def late(self, now: int) -> tuple[str, ...]:
        """Return the kinds of the deadlines that have passed."""
        dues = self.dues or {}
        return (*self.overdue, *(kind for kind, due in dues.items() if due <= now))

    @property
    def due(self) -> int:
        """The next deadline."""
        return min((self.dues or {}).values(), default=_NEVER)

    def is_needed(self, since: int) -> bool:
        """Return whether the board shows the ticket on the day that began at `since`."""
        times = (self.received_at, self.first_response_at, self.resolved_at, self.scored_at)
        return self.status not in ENDED or any(at and at >= since for at in times)


def entry_of(
    ticket: Ticket, playbook: Playbook, facts: Sequence[Fact] = (), before: BoardEntry | None = None
) -> BoardEntry:
    """Return the entry of a ticket.

    Args:
        facts: the ticket's rows, from which the figures of the day are taken exactly; without them
            they are those of `before`, and what is new is measured on the ticket.
        before: the entry of an earlier version.
    """
    timers = {kind: one for kind, one in ticket.timers.items() if kind not in OF_CUSTOMER}
    running = {kind: one.due_at for kind, one in timers.items() if one.state == "running"}
    in_review = ticket.status == "in_review"
    measured = _from_facts(facts) if facts else _measured(ticket, playbook, before)
    return BoardEntry(
        number=ticket.number,
        version=ticket.version,
        status=ticket.status,
        queue=ticket.queue,
        received_at=int(ticket.received_at.timestamp()),
        type=ticket.type,
        priority=ticket.priority,
        team=ticket.team or "",
        agent=(ticket.reviewer if in_review else ticket.handler) or "",
        tags=ticket.tags,
        resolved_at=_seconds(ticket.resolved_at),
        dues={kind: int(due.timestamp()) for kind, due in running.items() if due},
        overdue=tuple(
            kind for kind, one in timers.items() if one.state == "breached" and one.awaits
        ),
        approval=ticket.pending is not None and ticket.status in OPEN,
        **measured,
    )


def _from_facts(facts: Sequence[Fact]) -> dict[str, Any]:
    answered = next((row for row in facts if row.first_response is not None), None)
    scored = next((row for row in reversed(facts) if row.score is not None), None)
    return {
        "product": facts[-1].product,
        "first_response_at": answered and answered.happened,
        "first_response": answered and answered.first_response,
        "first_response_business": answered and answered.first_response_business,
        "scored_at": scored and scored.happened,
        "score": scored and scored.score,
        "good": scored and scored.good,
    }


def _measured(ticket: Ticket, playbook: Playbook, before: BoardEntry | None) -> dict[str, Any]:
    kept = (
        "product", "first_response_at", "first_response", "first_response_business", "scored_at",
        "score", "good",
    )  # fmt: skip
    found: dict[str, Any] = {name: getattr(before, name) for name in kept} if before else {}
    answered = ticket.first_response_at
    if answered and found.get("first_response_at") is None:
        business = playbook.hours.between(ticket.received_at, answered)
        found |= {
            "first_response_at": int(answered.timestamp()),
            "first_response": int((answered - ticket.received_at).total_seconds()),
            "first_response_business": int(business.total_seconds()),
        }
    if ticket.score is not None and ticket.score != found.get("score"):
        at = min(filter(None, (ticket.archived_at, ticket.updated_at)))
        good = int(is_good(ticket.score, playbook))
        found |= {"scored_at": int(at.timestamp()), "score": ticket.score, "good": good}
    return found


@dataclass(frozen=True)
class BoardSnapshot:
    """The board of a desk at a time: its entries, its baseline, and the jumps that were told.

    `told` has the groups of the day of the baseline that the supervisors know of.
    """

    at: datetime
    entries: Mapping[str, BoardEntry]
    baseline: Baseline | None = None
    told: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the snapshot as JSON."""
        baseline = self.baseline and {
            "day": self.baseline.day.isoformat(),
            "weeks": self.baseline.weeks,
            "counts": self.baseline.counts,
        }
        entries = [_written(entry) for entry in self.entries.values()]
        at = self.at.astimezone(UTC).isoformat()
        return {"at": at, "entries": entries, "baseline": baseline, "told": self.told}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> BoardSnapshot:
        """Read a snapshot; fields that newer code wrote are ignored."""
        found = document["baseline"]
        baseline = found and Baseline(
            date.fromisoformat(found["day"]),
            found["weeks"],
            {group: tuple(seen) for group, seen in found["counts"].items()},
        )
        entries = map(_read, document["entries"])
        return cls(
            datetime.fromisoformat(document["at"]),
            {entry.number: entry for entry in entries},
            baseline,
            tuple(document["told"]),
        )


_FIELDS = {field.name: field.default for field in fields(BoardEntry)}


def _written(entry: BoardEntry) -> dict[str, Any]:
    found = {name: getattr(entry, name) for name in _FIELDS}
    return {name: value for name, value in found.items() if value != _FIELDS[name]}


def _read(document: Mapping[str, Any]) -> BoardEntry:
    known: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in document.items()
        if name in _FIELDS
    }
    return BoardEntry(**known)


TicketCount = TypedDict("TicketCount", {"n": int, "tickets": list[str]})
"""A number of tickets, and which they are, the most urgent first."""

BoardCounts = TypedDict("BoardCounts", {
    "waiting": TicketCount, "in_hand": TicketCount, "overdue": TicketCount,
    "due_within_the_hour": TicketCount,
})  # fmt: skip
"""`waiting` for an agent, `in_hand` of one; `overdue`, and due within the hour, are deadlines of
the desk: of what it waits for from customers none is counted."""


class BoardTeam(BoardCounts):
    """The counts of a team; null for tickets that are not routed yet."""

    team: str | None
    label: str


class BoardAgent(BoardCounts):
    """The counts of an agent; `load` and `capacity` are those of the roster."""

    agent: str
    name: str
    team: str
    online: bool
    load: int
    capacity: int


BoardDuration = TypedDict("BoardDuration", {
    "n": int, "tickets": list[str], "median": float | None, "business_median": float | None,
})  # fmt: skip
"""The median in seconds, and in seconds of the desk's opening hours; null of none."""

BoardCsat = TypedDict("BoardCsat", {
    "n": int, "tickets": list[str], "good": int, "share": float | None,
})  # fmt: skip
"""The answers to the survey, and how many of them are good."""

BoardToday = TypedDict("BoardToday", {
    "received": TicketCount, "resolved": TicketCount, "first_response": BoardDuration,
    "csat": BoardCsat,
})  # fmt: skip
"""The figures of the desk's own day so far; merged tickets are not counted as received."""

BoardView = TypedDict("BoardView", {
    "desk": str, "as_of": Time, "day": str, "now": BoardCounts, "by_team": list[BoardTeam],
    "by_agent": list[BoardAgent], "online": list[str], "today": BoardToday,
    "jumps": list[ReportJumpView],
})  # fmt: skip
"""The desk now. `as_of` is the time up to which changes are in it: now, unless more than a hundred
tickets changed since it was last stored. `online` are the usernames of agents who get tickets."""


def board(
    entries: Iterable[BoardEntry],
    agents: Iterable[Agent],
    playbook: Playbook,
    now: datetime,
    *,
    as_of: datetime | None = None,
    baseline: Baseline | None = None,
    locale: Locale | None = None,
) -> BoardView:
    """Return the board of a desk."""
    known, seconds = list(entries), int(now.timestamp())
    locale = locale or playbook.locale
    by_team: defaultdict[str, list[BoardEntry]] = defaultdict(list)
    by_agent: defaultdict[str, list[BoardEntry]] = defaultdict(list)
    for entry in known:
        by_team[entry.team].append(entry)
        by_agent[entry.agent].append(entry)
    teams: list[BoardTeam] = [
        {**counts, "team": team or None, "label": label(playbook.teams, team, locale)}
        for team in (*playbook.teams, *sorted(by_team.keys() - playbook.teams.keys()))
        if team in playbook.teams or _any(_counts(by_team[team], seconds))
        for counts in (_counts(by_team[team], seconds),)
    ]
    people = {agent.username: agent for agent in agents}
    staff: list[BoardAgent] = [
        {
            **counts,
            "agent": name,
            "name": agent.display_name if agent else "",
            "team": agent.team if agent else "",
            "online": _is_online(agent),
            "load": agent.load if agent else 0,
            "capacity": agent.capacity if agent else 0,
        }
        for name in sorted(people.keys() | by_agent.keys() - {""})
        for agent in (people.get(name),)
        for counts in (_counts(by_agent[name], seconds),)
        if _is_online(agent) or _any(counts)
    ]
    today = now.astimezone(playbook.zone).date()
    return {
        "desk": playbook.desk,
        "as_of": local_time(as_of or now, playbook.zone),
        "day": today.isoformat(),
        "now": _counts(known, seconds),
        "by_team": teams,
        "by_agent": staff,
        "online": [agent["agent"] for agent in staff if agent["online"]],
        "today": _today(known, day_began(now, playbook)),
        "jumps": jumps_today(known, playbook, now, baseline, locale),
    }


def day_began(now: datetime, playbook: Playbook) -> int:
    """Return when the desk's present day began."""
    return int(midnight(now.astimezone(playbook.zone).date(), playbook.zone).timestamp())


def counted_today(
    entries: Iterable[BoardEntry], playbook: Playbook, now: datetime
) -> dict[str, list[str]]:
    """Return the numbers of the tickets received today, by group, merged ones left out."""
    since, groups = day_began(now, playbook), defaultdict[str, list[str]](list)
    for entry in sorted(entries, key=lambda each: each.number):
        if entry.received_at >= since and entry.status != "merged":
            for group in groups_of(entry.type, entry.tags, entry.product):
                groups[group].append(entry.number)
    return groups


def to_assign(entries: Iterable[BoardEntry]) -> list[str]:
    """Return the tickets that wait for somebody to assign them, the most urgent first.

    What is in the supervisors' queue is among them, whoever handles it.
    """
    waits = (
        entry
        for entry in entries
        if entry.status in UNASSIGNED or (entry.queue == "supervisor" and entry.status in IN_HAND)
    )
    return _numbers(waits)["tickets"]


def jumps_today(
    entries: Iterable[BoardEntry],
    playbook: Playbook,
    now: datetime,
    baseline: Baseline | None,
    locale: Locale,
) -> list[ReportJumpView]:
    """Return the jumps among what was received today, the most unusual first (D16)."""
    today = now.astimezone(playbook.zone).date()
    if baseline is None or baseline.day != today:
        return []
    groups = counted_today(entries, playbook, now)
    return [
        {
            "day": baseline.day.isoformat(),
            "label": jump_label(found.group, len(found.tickets), found.expected, playbook, locale),
            "group": found.group,
            "count": len(found.tickets),
            "expected": round(found.expected, 1),
            "tickets": list(found.tickets),
        }
        for found in jumps(groups, baseline)
    ]


def _counts(entries: Sequence[BoardEntry], now: int) -> BoardCounts:
    soon = now + int(SOON.total_seconds())
    late = [entry for entry in entries if entry.late(now)]
    numbers = {entry.number for entry in late}
    return {
        "waiting": _numbers(entry for entry in entries if entry.status in UNASSIGNED),
        "in_hand": _numbers(entry for entry in entries if entry.status in IN_HAND),
        "overdue": _numbers(late),
        "due_within_the_hour": _numbers(
            entry for entry in entries if entry.due <= soon and entry.number not in numbers
        ),
    }


def _any(counts: BoardCounts) -> bool:
    return any(
        counts[name]["n"] for name in ("waiting", "in_hand", "overdue", "due_within_the_hour")
    )


def _numbers(entries: Iterable[BoardEntry]) -> TicketCount:
    order = sorted(entries, key=lambda each: (each.due, each.received_at, each.number))
    return {"n": len(order), "tickets": [entry.number for entry in order]}


def _today(entries: Sequence[BoardEntry], since: int) -> BoardToday:
    def on_day(at: Callable[[BoardEntry], int | None]) -> list[BoardEntry]:
        return [entry for entry in entries if (at(entry) or 0) >= since]

    received = [one for one in on_day(lambda e: e.received_at) if one.status != "merged"]
    answered = on_day(lambda e: e.first_response_at)
    scored = on_day(lambda e: e.scored_at)
    good = sum(entry.good or 0 for entry in scored)
    return {
        "received": _numbers(received),
        "resolved": _numbers(on_day(lambda e: e.resolved_at)),
        "first_response": {
            **_numbers(answered),
            "median": _median(entry.first_response for entry in answered),
            "business_median": _median(entry.first_response_business for entry in answered),
        },
        "csat": {
            **_numbers(scored),
            "good": good,
            "share": good / len(scored) if scored else None,
        },
    }


def _median(values: Iterable[int | None]) -> float | None:
    found = [value for value in values if value is not None]
    return float(median(found)) if found else None


def _is_online(agent: Agent | None) -> bool:
    return agent is not None and agent.active and agent.online


def _seconds(at: datetime | None) -> int | None:
    return int(at.timestamp()) if at else None
