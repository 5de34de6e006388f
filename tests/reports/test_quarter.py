"""A simulated quarter: the reports say what a second computation finds in the events.

The generator drives the real services in virtual time; the second computation shares no code with
facts, queries and reports (`tests/reports/quarter`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from functions.core.domain.playbook_reports import Reports as ReportsSection
from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from functions.core.reports.facts import facts_of
from functions.core.reports.report import CorrectionView, ReportView
from tests.reports.duck import Duck
from tests.reports.quarter.generator import BEGIN, END, Quarter, simulate
from tests.reports.quarter.oracle import DIVIDED, Oracle, Period, no_figure, periods
from tests.reports.quarter.reports import Reports

ROOT = Path(__file__).parents[2]
DESKS = {path.stem: path for path in sorted((ROOT / "playbooks").glob("*.yaml"))} | {
    "harbour": ROOT / "tests/desks/harbour.yaml"
}
FEW, MANY = 84, 3_300
"""Requests at each desk, of which some are made twice: more than 500 in `make test`, and more
than 20,000 tickets in `make test-all`."""
SEED = 16
_WORKING = ("handled", "handling", "signed_in", "occupancy")
_LOOK_BACK = timedelta(days=62)
_FEW_PERIODS = {"2026-02", "2026-03", "2026-W13", "2026-03-29"}
_MANY_PERIODS = {
    *("2026-01", "2026-02", "2026-03", "2026-W08", "2026-W12", "2026-W13"),
    *("2026-01-31", "2026-02-17", "2026-03-28", "2026-03-29"),
}
"""Some of each kind: ends of months, China's New Year, and the day of 23 hours in Amsterdam, for
which the list of the day before is carried on."""


def of_desks(*desks: str) -> pytest.MarkDecorator:
    groups = {desk: pytest.mark.xdist_group(f"quarter {desk}") for desk in desks}
    return pytest.mark.parametrize("desk", [pytest.param(d, marks=m) for d, m in groups.items()])


def playbook_of(desk: str) -> Playbook:
    """A desk's playbook that counts visits and parts, and more than the usual lists of them."""
    counted = ReportsSection(visits=("visit", "survey-visit"), parts=("parts_used", "gear"))
    return load(DESKS[desk]).model_copy(update={"reports": counted})


@lru_cache
def quarter_of(desk: str) -> tuple[Quarter, Oracle]:
    return simulated(playbook_of(desk), FEW)


def simulated(
    playbook: Playbook, tickets: int, begin: datetime = BEGIN, end: datetime = END
) -> tuple[Quarter, Oracle]:
    quarter = simulate(playbook, tickets, SEED, begin=begin, end=end)
    presence = [(came.at, came.username, came.online) for came in quarter.presence]
    chats = [(chat.at, chat.outcome) for chat in quarter.chats]
    return quarter, Oracle(quarter.histories, quarter.playbook, presence, chats)


@pytest.mark.requirement("B11", "D15")
@of_desks(*DESKS)
def test_reports_of_a_quarter_say_what_the_events_say(desk: str, tmp_path: Path) -> None:
    check(*quarter_of(desk), tmp_path, _FEW_PERIODS)


@pytest.mark.slow
@pytest.mark.requirement("B11", "D15")
@of_desks(*DESKS)
def test_reports_of_a_busy_quarter_say_what_the_events_say(desk: str, tmp_path: Path) -> None:
    check(*simulated(playbook_of(desk), MANY), tmp_path, _MANY_PERIODS)


def check(quarter: Quarter, oracle: Oracle, folder: Path, named: set[str]) -> None:
    """Write and compare the reports named."""
    reports = Reports(quarter, Duck(folder, quarter.playbook.desk, quarter.playbook.zone))
    written: dict[str, list[Period]] = {"daily": [], "weekly": [], "monthly": []}
    chosen = [each for each in periods(quarter.playbook, BEGIN, END) if each.name in named]
    assert len(chosen) == len(named)
    for period in chosen:
        report = reports.write(period.kind, period.name)
        expected = oracle.report(period.start, period.end)
        assert report["adds_up"], report["problems"]
        assert list(differences(report, expected)) == []
        found = {correction_of(each) for each in report["corrections"]}
        assert found == corrections(oracle, period, written[period.kind])
        written[period.kind].append(period)


def differences(report: ReportView, expected: dict[str, Any]) -> Iterator[str]:
    """Every figure in which a report is not what is expected."""
    named = f"{report['desk']} {report['period']}"
    figures: Any = report["figures"]
    for name, figure in expected["figures"].items():
        if not same(figures[name], figure):
            yield f"{named} {name}: {figures[name]}, not {figure}"
    for table in report["tables"]:
        dimension, rows = table["dimension"], dict[str, Any](expected["tables"][table["dimension"]])
        for row in table["rows"]:
            want = rows.pop(row["value"], {})
            for name, figure in expected_row(want, dimension).items():
                got: Any = row.get(name)
                if not same(got, figure):
                    yield f"{named} {dimension}={row['value']} {name}: {got}, not {figure}"
        for value, want in rows.items():
            if any(figure != none_of(name) for name, figure in expected_row(want, "").items()):
                yield f"{named} {dimension}={value} is missing: {want}"


def expected_row(want: dict[str, Any], dimension: str) -> dict[str, Any]:
    row = {name: want.get(name, none_of(name)) for name in (*DIVIDED, "backlog")}
    row["sla"] = {name: row["sla"][name] for name in none_of("sla")}
    if dimension == "agent":
        row |= {name: want.get(name, None if name == "occupancy" else 0) for name in _WORKING}
    return row


def none_of(name: str) -> dict[str, Any]:
    if name == "backlog":
        return {"n": 0}
    none = no_figure(name)
    return {key: none[key] for key in none.keys() - {"running", "by_kind"}}


def same(found: Any, expected: Any) -> bool:
    """Compare; fractions may differ in the last digits."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(
            same(found[name], expected[name]) for name in found
        )
    if isinstance(found, float) and expected is not None:
        return found == pytest.approx(expected)
    return bool(found == expected)


Correction = tuple[str, str, str | None, float | None, float | None]


def correction_of(correction: CorrectionView) -> Correction:
    figure, group = correction["figure"], correction["group"]
    return correction["period"], figure, group, correction["from"], correction["to"]


def corrections(oracle: Oracle, period: Period, earlier: list[Period]) -> set[Correction]:
    """Return the differences in earlier reports since the one before."""
    found: set[Correction] = set()
    for other in earlier:
        if other.start < period.start - _LOOK_BACK:
            continue
        before = oracle.corrected(other.start, other.end, earlier[-1].end)
        after = oracle.corrected(other.start, other.end, period.end)
        changed = [
            (other.name, name, None, number, after["numbers"][name])
            for name, number in before["numbers"].items()
            if number != after["numbers"][name]
        ]
        found.update(changed)
        if before["numbers"]["volume"] == after["numbers"]["volume"]:
            types = before["types"].keys() | after["types"].keys()
            found.update(
                (other.name, "volume", f"type={name}", before["types"][name], after["types"][name])
                for name in types
                if before["types"][name] != after["types"][name]
            )
    return found


@of_desks(*DESKS)
def test_the_backlog_of_every_period_adds_up(desk: str) -> None:
    quarter, oracle = quarter_of(desk)
    for period in periods(quarter.playbook, BEGIN, END):
        assert balance(oracle.backlog(period.start, period.end)) == 0


instants = st.datetimes(BEGIN.replace(tzinfo=None), END.replace(tzinfo=None)).map(
    lambda at: at.replace(tzinfo=BEGIN.tzinfo)
)


@pytest.mark.xdist_group("quarter harbour")
@given(st.tuples(instants, instants).map(sorted))
@settings(max_examples=30)
def test_the_backlog_of_any_span_adds_up_in_facts(span: list[datetime]) -> None:
    start, end = (int(at.timestamp()) for at in span)
    opening = closing = flows = 0
    for facts in facts_of_harbour():
        opening += next((f.is_open for f in reversed(facts) if f.happened < start), 0)
        closing += next((f.is_open for f in reversed(facts) if f.happened < end), 0)
        names = [flow for f in facts if start <= f.happened < end for flow in f.flow]
        came = sum(name in {"received", "reopened", "unmerged"} for name in names)
        flows += 2 * came - len(names)
    assert opening + flows == closing


@lru_cache(maxsize=1)
def facts_of_harbour() -> list[list[Any]]:
    quarter, _ = quarter_of("harbour")
    return [facts_of(history, quarter.playbook, END) for history in quarter.histories]


def balance(backlog: dict[str, int]) -> int:
    came = sum(backlog[name] for name in ("opening", "received", "reopened", "unmerged"))
    return came - sum(backlog[name] for name in ("resolved", "closed", "merged", "closing"))


@pytest.mark.xdist_group("quarter harbour")
def test_a_fact_never_depends_on_what_comes_later() -> None:
    quarter, _ = quarter_of("harbour")
    for history, facts in zip(quarter.histories, facts_of_harbour(), strict=True):
        half = len(history) // 2 + 1
        assert facts_of(history[:half], quarter.playbook, END) == facts[:half]


@of_desks(*DESKS)
def test_the_second_reading_of_a_history_ends_as_the_ticket_is(desk: str) -> None:
    quarter, oracle = quarter_of(desk)
    for life in oracle.lives:
        ticket, state = (
            quarter.storage.tickets.load(quarter.playbook.desk, life.number),
            life.states[-1],
        )
        assert (ticket.status, ticket.type, ticket.priority, ticket.team, ticket.handler) == (
            state.status,
            state.type,
            state.priority,
            state.team,
            state.handler,
        )
        assert ticket.tags == state.tags
        assert (ticket.merged.into if ticket.merged else None) == state.merged_into


def test_a_seed_always_gives_the_same_quarter() -> None:
    playbook = playbook_of("standard")
    seeds = (SEED, SEED, SEED + 1)
    end = BEGIN + timedelta(days=14)
    first, second, other = (simulate(playbook, 10, seed, end=end).histories for seed in seeds)
    assert first == second
    assert first != other
