"""A report's figures and tables, from the numbers that queries found. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from functions.core.domain.playbook_types import Locale
from functions.core.domain.rules import Playbook
from functions.core.reports.behind import AGENT, OpenTicket, count, number
from functions.core.reports.figures import BEHIND, DIMENSIONS, FIGURES, SINGLE, Figure
from functions.core.reports.labels import figure_label, label_of, word
from functions.core.reports.report import (
    BacklogView,
    ChangeView,
    FiguresView,
    ProblemShareView,
    RowView,
    TableView,
)
from functions.core.text.words import say

ALL, ITEM = "all", "item="

Outcomes = ("confirmed", "silent", "handed_over")
TOP_PARTS = 5
TOP_PROBLEMS = 5

_DAY = 86_400
_AGES = ((_DAY, "<1d"), (3 * _DAY, "1-3d"), (7 * _DAY, "3-7d"))
_OLDEST = ">7d"


@dataclass(frozen=True)
class Statistic:
    """The statistics of a figure in a group.

    `n` rows count, of which `judged` could be `hits`; others are `left_out`.
    """

    n: int = 0
    hits: int = 0
    judged: int = 0
    left_out: int = 0
    mean: float | None = None
    median: float | None = None
    p90: float | None = None
    business: tuple[float | None, float | None, float | None] = (None, None, None)

    @classmethod
    def of_row(cls, row: Mapping[str, str]) -> Statistic:
        """Read a row of `Queries.statistics`."""
        return cls(
            count(row["n"]),
            count(row["hits"]),
            count(row["judged"]),
            count(row["left_out"]),
            number(row["wall_mean"]),
            number(row["wall_median"]),
            number(row["wall_p90"]),
            (
                number(row["business_mean"]),
                number(row["business_median"]),
                number(row["business_p90"]),
            ),
        )


_NONE = Statistic()

Statistics = Mapping[tuple[str, str], Statistic]
"""Figure and group (`all`, `team=…`, `item=…`) → the statistics."""


@dataclass
class Backlog:
    """The open tickets at both ends of a period, and the flows between."""

    opening: dict[str, OpenTicket]
    closing: dict[str, OpenTicket] = field(default_factory=dict)
    flows: Counter[str] = field(default_factory=Counter)

    def view(self, end: int) -> BacklogView:
        """Return the figure; ages are those at the end, in Unix seconds."""
        ages = dict.fromkeys([*(name for _, name in _AGES), _OLDEST], 0)
        for ticket in self.closing.values():
            if ticket.open:
                ages[_age(end - ticket.received)] += 1
        return {
            "opening": sum(ticket.open for ticket in self.opening.values()),
            "received": self.flows["received"],
            "reopened": self.flows["reopened"],
            "unmerged": self.flows["unmerged"],
            "resolved": self.flows["resolved"],
            "closed": self.flows["closed"],
            "merged": self.flows["merged"],
            "closing": sum(ticket.open for ticket in self.closing.values()),
            "by_age": ages,
        }

    @property
    def running(self) -> int:
        return sum(ticket.running for ticket in self.closing.values())

    def by_group(self) -> Counter[str]:
        return Counter(
            name for ticket in self.closing.values() if ticket.open for name in ticket.groups
        )


def _age(seconds: int) -> str:
    return next((name for limit, name in _AGES if seconds < limit), _OLDEST)


def balance(backlog: BacklogView) -> int:
    """Return opening and flows minus closing: 0 if the backlog adds up."""
    came = backlog["opening"] + backlog["received"] + backlog["reopened"] + backlog["unmerged"]
    return came - backlog["resolved"] - backlog["closed"] - backlog["merged"] - backlog["closing"]


def figures_of(found: Statistics, backlog: Backlog, end: int) -> FiguresView:
    """Return the figures of a period without its cost."""
    values: dict[str, Any] = {
        name: _view(figure, found.get((name, ALL), _NONE)) for name, figure in BEHIND.items()
    }
    values["backlog"] = backlog.view(end)
    values["sla"] |= {
        "running": backlog.running,
        "by_kind": {
            kind: _view(FIGURES["sla"], each) for kind, each in _items(found, "sla").items()
        },
    }
    values["collaboration"]["by_team"] = {
        team: _view(FIGURES["collaboration"], each)
        for team, each in _items(found, "collaboration").items()
    }
    ended = _items(found, "assistant")
    values["assistant"] = {name: ended.get(name, _NONE).n for name in Outcomes}
    used = sorted(_items(found, "parts").items(), key=lambda each: (-each[1].n, each[0]))
    values["parts"] = {
        "n": sum(each.n for _, each in used),
        "top": [{"part": part, "n": each.n} for part, each in used[:TOP_PARTS]],
    }
    values["cost"] = None
    return cast("FiguresView", {name: values[name] for name in FIGURES})


def tables_of(
    found: Statistics,
    backlog: Backlog,
    working: Mapping[str, Mapping[str, int]],
    playbook: Playbook,
    locale: Locale,
    names: Mapping[str, str],
) -> list[TableView]:
    """Return a table for each dimension.

    Args:
        working: username → `handled` tickets, seconds of `handling` and `signed_in`.
        names: username → display name.
    """
    by_group = backlog.by_group()
    groups = {grp for _, grp in found} | set(by_group)
    groups |= {AGENT + person for person in working}
    tables: list[TableView] = []
    for dimension in DIMENSIONS:
        rows: list[RowView] = []
        for group in groups:
            value = group.removeprefix(f"{dimension}=")
            if value == group or not value:
                continue
            row: dict[str, Any] = {
                "value": value,
                "label": label_of(dimension, value, playbook, locale, names),
            }
            for name in _TABLED:
                row[name] = _view(FIGURES[name], found.get((name, group), _NONE))
            row["backlog"] = {"n": by_group[group]}
            if dimension == "agent":
                row |= _occupancy(working.get(value, {}))
            rows.append(cast("RowView", row))
        rows.sort(key=lambda row: (-row["volume"]["n"], row["value"]))
        tables.append({"dimension": dimension, "rows": rows})
    return tables


_TABLED = [
    name
    for name, each in FIGURES.items()
    if each.measure in {"count", "duration", "share", "sla", "csat"}
]
"""The figures that tables divide, beside the backlog."""


def top_problems(found: Statistics, playbook: Playbook, locale: Locale) -> list[ProblemShareView]:
    """Return the tags that most tickets have (D15)."""
    volume = found.get(("volume", ALL), _NONE).n
    tags = [
        (each.n, group.removeprefix("tag="))
        for (figure, group), each in found.items()
        if figure == "volume" and group.startswith("tag=") and each.n
    ]
    return [
        {"tag": tag, "label": label_of("tag", tag, playbook, locale), "n": n, "share": n / volume}
        for n, tag in sorted(tags, key=lambda each: (-each[0], each[1]))[:TOP_PROBLEMS]
    ]


def problems_of(found: Statistics, backlog: BacklogView, locale: Locale) -> list[str]:
    """Return what does not add up, in words."""
    problems = []
    if balance(backlog):
        problems.append(say("report.problem.backlog", locale, **backlog))
    volume = found.get(("volume", ALL), _NONE)
    if volume.n + volume.left_out != backlog["received"]:
        values = {"volume": volume.n, "merged": volume.left_out, "received": backlog["received"]}
        problems.append(say("report.problem.volume", locale, **values))
    for dimension in SINGLE:
        total = sum(
            each.n
            for (figure, group), each in found.items()
            if figure == "volume" and group.startswith(f"{dimension}=")
        )
        if total != volume.n:
            named = word(dimension, locale).lower()
            problems.append(
                say("report.problem.groups", locale, dimension=named, sum=total, volume=volume.n)
            )
    return problems


def compared(before: Statistics, after: Statistics, locale: Locale) -> list[ChangeView]:
    """Return what changed between two spans, for each figure that is one number."""
    changes: list[ChangeView] = []
    for name in _TABLED:
        figure = FIGURES[name]
        was, now = before.get((name, ALL), _NONE), after.get((name, ALL), _NONE)
        first, then = _number(figure, was), _number(figure, now)
        known = first is not None and then is not None and first != 0
        changes.append(
            {
                "figure": name,
                "label": figure_label(name, locale),
                "before": first,
                "after": then,
                "change": (then - first) / first if known else None,  # type: ignore[operator]
                "n_before": was.n,
                "n_after": now.n,
            }
        )
    return changes


def _number(figure: Figure, found: Statistic) -> float | None:
    if figure.measure == "count":
        return found.n
    if figure.measure == "duration":
        return found.mean
    return found.hits / found.judged if found.judged else None


def _view(figure: Figure, found: Statistic) -> dict[str, Any]:
    """Return a figure's numbers in its shape; those that are not statistics are added after."""
    share = found.hits / found.judged if found.judged else None
    mean, median, p90 = found.business
    match figure.measure:
        case "duration":
            return {
                "n": found.n,
                "mean": found.mean,
                "median": found.median,
                "p90": found.p90,
                "business": {"mean": mean, "median": median, "p90": p90},
            }
        case "share":
            return {"n": found.hits, "of": found.n, "share": share}
        case "sla":
            breached = found.n - found.hits
            return {
                "n": found.n,
                "met": found.hits,
                "breached": breached,
                "cancelled": found.left_out,
                "share": share,
            }
        case "csat":
            asked = found.n + found.left_out
            return {
                "n": found.n,
                "good": found.hits,
                "share": share,
                "asked": asked,
                "answer_rate": found.n / asked if asked else None,
                "mean": found.mean,
            }
        case "collaboration":
            return {"n": found.n, "in_time": found.hits, "share": share, "mean": found.mean}
        case _:
            return {"n": found.n}


def _items(found: Statistics, name: str) -> dict[str, Statistic]:
    """Return a figure's statistics by its part, such as the kind of a deadline."""
    return {
        group.removeprefix(ITEM): each
        for (figure, group), each in sorted(found.items())
        if figure == name and group.startswith(ITEM) and group != ITEM
    }


def _occupancy(working: Mapping[str, int]) -> dict[str, Any]:
    signed_in, handling = working.get("signed_in", 0), working.get("handling", 0)
    return {
        "handled": working.get("handled", 0),
        "handling": handling,
        "signed_in": signed_in,
        "occupancy": handling / signed_in if signed_in else None,
    }
