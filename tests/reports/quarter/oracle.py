"""The figures of a desk's reports, computed a second time: from the events, in plain Python.

Written from the definitions alone (`docs/reports.md`), without the code of `functions.core.reports`
and `functions.reports`. Slow and simple on purpose.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from functions.core.domain import events as e
from functions.core.domain.rules import Playbook
from tests.reports.quarter.reading import Act, Life, Measure, Resolution, State, read

DIMENSIONS = ("type", "tag", "team", "agent", "channel", "priority", "product")

_WEEK = timedelta(days=7)

Row = dict[str, Any]


@dataclass(frozen=True)
class Period:
    """A day, week or month in the desk's zone."""

    kind: str
    name: str
    start: datetime
    end: datetime


def periods(playbook: Playbook, begin: datetime, end: datetime) -> Iterator[Period]:
    """The days, weeks and months that end in a span of time."""
    zone = playbook.zone

    def midnight(day: date) -> datetime:
        return datetime.combine(day, time(), zone)

    day = begin.astimezone(zone).date()
    while midnight(day + timedelta(days=1)) <= end:
        after = day + timedelta(days=1)
        yield Period("daily", f"{day}", midnight(day), midnight(after))
        if after.weekday() == 0:
            monday = after - timedelta(days=7)
            year, week, _ = monday.isocalendar()
            yield Period("weekly", f"{year}-W{week:02}", midnight(monday), midnight(after))
        if after.day == 1:
            first = day.replace(day=1)
            yield Period("monthly", f"{first:%Y-%m}", midnight(first), midnight(after))
        day = after


@dataclass(frozen=True)
class _Counted:
    """One measure in a report, with the group values under which it is shown."""

    value: Any
    groups: frozenset[tuple[str, str]]


class Oracle:
    """Reports of one desk, from its tickets' histories."""

    def __init__(
        self,
        histories: Iterable[Sequence[e.Commit]],
        playbook: Playbook,
        presence: Iterable[tuple[datetime, str, bool]] = (),
        chats: Iterable[tuple[datetime, str]] = (),
    ) -> None:
        """Read what happened.

        Args:
            presence: who came (True) or went, and when.
            chats: when chats ended without a ticket, and how.
        """
        self.playbook = playbook
        self.lives = [read(history, playbook) for history in histories]
        self.chats = [*chats]
        self.acts = self._agent_time()
        self.online = _signed_in(presence)

    def corrected(self, start: datetime, end: datetime, known: datetime) -> Row:
        """The figures of a period that can change later, by what had happened at a later time."""
        touched = [
            (life, state) for life in self.lives if (state := life.before(known)) is not None
        ]
        collected = self._collected(touched, start, end, known)
        types = Counter(
            value
            for each in collected["volume"]
            for dimension, value in each.groups
            if dimension == "type"
        )
        numbers = {
            name: _FIGURES[name]([each.value for each in collected[name]])[key]
            for name, key in _CORRECTED.items()
        }
        return {"numbers": numbers, "types": types}

    def report(self, start: datetime, end: datetime) -> Row:
        """All figures of a period, and the main ones by each value of each dimension."""
        touched = [(life, state) for life in self.lives if (state := life.before(end)) is not None]
        collected = self._collected(touched, start, end, end)
        figures = {
            name: _FIGURES[name]([each.value for each in counted])
            for name, counted in collected.items()
        }
        figures["backlog"] = self.backlog(start, end)
        figures["assistant"] = self._assistant(start, end)
        tables = _tables(collected)
        open_now = [(life, state) for life, state in touched if state.is_open]
        for life, state in open_now:
            for dimension, value in _groups(life, state, state.handler):
                row = tables[dimension][value]
                row["backlog"] = {"n": row.get("backlog", {"n": 0})["n"] + 1}
        for agent, row in self._working(start, end).items():
            tables["agent"][agent] |= row
        return {"figures": figures, "tables": tables}

    def _collected(
        self, touched: list[tuple[Life, State]], start: datetime, end: datetime, known: datetime
    ) -> dict[str, list[_Counted]]:
        found: dict[str, list[_Counted]] = {name: [] for name in _FIGURES}
        for life, state in touched:
            for name, agent, value in _measures(life, state, start, end, known):
                who = state.handler if agent is None else agent
                found[name].append(_Counted(value, _groups(life, state, who)))
        return found

    def backlog(self, start: datetime, end: datetime) -> Row:
        """The tickets open at the start and at the end, and the flows between."""
        flows = Counter(flow for life in self.lives for at, flow in life.flows if start <= at < end)
        names = ("received", "reopened", "unmerged", "resolved", "closed", "merged")
        ages = [end - life.received for life in self.lives if _is_open_at(life, end)]
        by_age = Counter(_age(age) for age in ages)
        return {
            "opening": sum(_is_open_at(life, start) for life in self.lives),
            **{name: flows[name] for name in names},
            "closing": len(ages),
            "by_age": {name: by_age[name] for name in ("<1d", "1-3d", "3-7d", ">7d")},
        }

    def _assistant(self, start: datetime, end: datetime) -> Row:
        ended = Counter(outcome for at, outcome in self.chats if start <= at < end)
        handed_over = sum(life.handed_over and start <= life.received < end for life in self.lives)
        return {
            "confirmed": ended["confirmed"],
            "silent": ended["silent"],
            "handed_over": handed_over,
        }

    def _agent_time(self) -> list[tuple[Act, timedelta]]:
        """The time that each act of a person took: since the agent's act before on any ticket, or
        since the ticket's change before if that is shorter, and at most what the desk says."""
        last: dict[str, datetime] = {}
        found = []
        acts = sorted(
            (act for life in self.lives for act in life.acts),
            key=lambda act: (act.at, act.number, act.version),
        )
        for act in acts:
            waits = [self.playbook.reports.act_at_most]
            waits += [act.at - since for since in (last.get(act.agent), act.since) if since]
            found.append((act, min(waits)))
            last[act.agent] = act.at
        return found

    def _working(self, start: datetime, end: datetime) -> dict[str, Row]:
        """Agent → the tickets handled, and the seconds of handling and of being there."""
        handled: dict[str, set[str]] = defaultdict(set)
        handling: Counter[str] = Counter()
        for act, took in self.acts:
            if start <= act.at < end:
                handled[act.agent].add(act.number)
                handling[act.agent] += int(took.total_seconds())
        signed_in: Counter[str] = Counter()
        for agent, came, went in self.online:
            overlap = min(went or end, end) - max(came, start)
            signed_in[agent] += max(0, int(overlap.total_seconds()))
        return {
            agent: {
                "handled": len(handled[agent]),
                "handling": handling[agent],
                "signed_in": signed_in[agent],
                "occupancy": _share(handling[agent], signed_in[agent]),
            }
            for agent in handled.keys() | +signed_in
        }


def _signed_in(
    presence: Iterable[tuple[datetime, str, bool]],
) -> list[tuple[str, datetime, datetime | None]]:
    """The presence of agents: username, from, until; None for who is there still."""
    found: list[tuple[str, datetime, datetime | None]] = []
    came: dict[str, datetime] = {}
    for at, agent, online in sorted(presence):
        if agent in came:
            found.append((agent, came.pop(agent), at))
        if online:
            came[agent] = at
    return found + [(agent, at, None) for agent, at in came.items()]


def _is_open_at(life: Life, at: datetime) -> bool:
    state = life.before(at)
    return state is not None and state.is_open


def _age(age: timedelta) -> str:
    days = age / timedelta(days=1)
    return "<1d" if days < 1 else "1-3d" if days < 3 else "3-7d" if days < 7 else ">7d"


def _groups(life: Life, state: State, agent: str | None) -> frozenset[tuple[str, str]]:
    single = {
        "type": state.type,
        "team": state.team,
        "agent": agent,
        "channel": life.channel,
        "priority": state.priority,
        "product": state.product,
    }
    groups = {(name, value) for name, value in single.items() if value}
    return frozenset(groups | {("tag", tag) for tag in state.tags})


_Measured = tuple[str, str | None, Any]
"""Figure, agent (None: the ticket's handler), and value."""


def _measures(
    life: Life, state: State, start: datetime, end: datetime, known: datetime
) -> Iterator[_Measured]:
    """Yield the measures of a ticket in a period; `state` is that at the time `known`."""

    def during(measures: Iterable[Any]) -> list[Any]:
        return [each for each in measures if start <= each.at < end]

    if start <= life.received < end and state.merged_into is None:
        yield "volume", None, 1
    for each in during(life.responses):
        yield "first_response", each.agent, (each.wall, each.business)
    for each in during(life.handover_responses):
        yield "first_response_after_handover", each.agent, (each.wall, each.business)
    yield from _resolved(life, during(life.resolutions), known)
    for each in during(life.scores):
        yield "csat", each.agent, (each.wall, each.good)
    for each in during(life.expired_surveys):
        yield "csat", each.agent, None
    for each in life.targets:
        if each.at < known and each.counted is not None and start <= each.counted < end:
            yield "sla", each.agent or None, tuple(each.name.split("~"))
    if state.running:
        yield "sla", None, ("", "running", state.running)
    yield from (("collaboration", None, answer) for answer in during(life.answers))
    yield from (("parts", None, part) for at, part in life.parts if start <= at < end)


def _resolved(life: Life, during: list[Resolution], known: datetime) -> Iterator[_Measured]:
    """Yield what the last resolution of the period counts for, and the first if it was in it."""
    if not during:
        return
    if during[0].is_first:
        yield "resolution_first", during[0].agent, during[0].full
    last = during[-1]
    again = [at for at in life.reopened_at() if last.at < at < known]
    yield "resolution_full", last.agent, last.full
    yield "work_time", last.agent, last.work
    yield (
        "reopened",
        last.agent,
        any(
            timedelta() < at - one.at <= _WEEK
            for one in during
            for at in life.reopened_at()
            if at < known
        ),
    )
    yield "one_touch", last.agent, last.one_touch and not again
    yield "first_time_fix", last.agent, last.first_time_fix and not again


def _durations(values: Sequence[tuple[float, float]]) -> Row:
    wall = _distribution([value[0] for value in values])
    return {"n": len(values), **wall, "business": _distribution([value[1] for value in values])}


def _distribution(values: Sequence[float]) -> Row:
    if not values:
        return {"mean": None, "median": None, "p90": None}
    ordered = sorted(values)
    count = len(ordered)
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    p90 = ordered[-(-9 * count // 10) - 1]
    return {"mean": sum(ordered) / count, "median": middle, "p90": p90}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _shares(values: Sequence[bool]) -> Row:
    return {"n": sum(values), "of": len(values), "share": _share(sum(values), len(values))}


def _csat(values: Sequence[tuple[float, bool] | None]) -> Row:
    scores = [value for value in values if value is not None]
    good = sum(value[1] for value in scores)
    return {
        "n": len(scores),
        "good": good,
        "share": _share(good, len(scores)),
        "asked": len(values),
        "answer_rate": _share(len(scores), len(values)),
        "mean": sum(value[0] for value in scores) / len(scores) if scores else None,
    }


def _sla(values: Sequence[tuple[Any, ...]]) -> Row:
    by_kind: dict[str, Counter[str]] = defaultdict(Counter)
    running = sum(value[2] for value in values if value[1] == "running")
    for kind, state in (value for value in values if value[1] != "running"):
        by_kind[kind][state] += 1
    total = sum(by_kind.values(), Counter[str]())
    rows = {kind: _attainment(states) for kind, states in sorted(by_kind.items())}
    return {**_attainment(total), "running": running, "by_kind": rows}


def _attainment(states: Counter[str]) -> Row:
    due = states["met"] + states["breached"]
    counts = {name: states[name] for name in ("met", "breached", "cancelled")}
    return {"n": due, **counts, "share": _share(states["met"], due)}


def _collaboration(values: Sequence[Measure]) -> Row:
    by_team: dict[str, list[Measure]] = defaultdict(list)
    for value in values:
        by_team[value.name].append(value)
    rows = {team: _answers(answers) for team, answers in sorted(by_team.items())}
    return {**_answers(values), "by_team": rows}


def _answers(values: Sequence[Measure]) -> Row:
    judged = [value.good for value in values if value.good is not None]
    return {
        "n": len(values),
        "in_time": sum(judged),
        "share": _share(sum(judged), len(judged)),
        "mean": sum(value.wall for value in values) / len(values) if values else None,
    }


def _parts(values: Sequence[str]) -> Row:
    ordered = sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0]))
    return {"n": len(values), "top": [{"part": part, "n": n} for part, n in ordered[:5]]}


_FIGURES: dict[str, Any] = {
    "volume": lambda values: {"n": len(values)},
    "first_response": _durations,
    "first_response_after_handover": _durations,
    "resolution_first": _durations,
    "resolution_full": _durations,
    "work_time": _durations,
    "reopened": _shares,
    "one_touch": _shares,
    "first_time_fix": _shares,
    "sla": _sla,
    "csat": _csat,
    "collaboration": _collaboration,
    "parts": _parts,
}


_CORRECTED = {
    "volume": "n",
    **dict.fromkeys(
        (
            "first_response",
            "first_response_after_handover",
            "resolution_first",
            "resolution_full",
            "work_time",
        ),
        "mean",
    ),
    **dict.fromkeys(("reopened", "one_touch", "first_time_fix"), "n"),
    "sla": "met",
    "csat": "good",
}
"""The figures that a later report corrects, and what of them."""

DIVIDED = tuple(name for name in _FIGURES if name not in {"collaboration", "parts"})
"""The figures that tables divide, beside the backlog."""


def _tables(collected: dict[str, list[_Counted]]) -> dict[str, dict[str, Row]]:
    """Dimension → value → figure → its row."""
    tables: dict[str, dict[str, Row]] = {name: defaultdict(dict) for name in DIMENSIONS}
    for figure in DIVIDED:
        counted = collected[figure]
        by_group: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for each in counted:
            for group in each.groups:
                by_group[group].append(each.value)
        for (dimension, value), values in by_group.items():
            tables[dimension][value][figure] = _FIGURES[figure](values)
    return tables


def no_figure(name: str) -> Row:
    """The figure of a group without any measure."""
    row: Row = _FIGURES[name]([])
    return row
