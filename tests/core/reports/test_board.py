"""The board from entries: what waits, what is late, the day so far (D16)."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Customer, Pending, Ticket, Timer
from functions.core.reports.board import (
    BoardEntry,
    BoardSnapshot,
    board,
    day_began,
    entry_of,
    to_assign,
)
from functions.core.reports.columns import Fact
from functions.core.reports.jumps import Baseline
from tests.core.sample_desk import NOON, agent

pytestmark = pytest.mark.requirement("D16")
NOW = int(NOON.timestamp())
HOUR = 3600


def ticket(number: str = "CS1", **fields: object) -> Ticket:
    """A ticket, received an hour ago unless `fields` say else."""
    at = NOON - timedelta(hours=1)
    known = {
        "desk": "testdesk", "number": number, "version": 1, "status": "queued", "channel": "web",
        "customer": Customer(contact="****", kind="phone", hash="h"), "locale": "zh-CN",
        "type": "fault", "priority": "high", "received_at": at, "updated_at": at,
        "queue": "waiting", "team": "technical",
    }  # fmt: skip
    return Ticket.model_validate(known | fields)


def entry(number: str = "CS1", **fields: object) -> BoardEntry:
    found = BoardEntry(number, 1, "queued", "waiting", NOW - HOUR, "fault", "high", "technical")
    return replace(found, **fields)  # type: ignore[arg-type]  # by name


def running(due: datetime) -> Timer:
    return Timer(state="running", allowed=timedelta(hours=2), due_at=due)


def test_an_entry_has_the_desks_deadlines_only(playbook: Playbook) -> None:
    """A timer that waits for the customer makes no ticket overdue, nor does one that has ended."""
    timers = {
        "first_response": running(NOON),
        "resolution": Timer(state="breached", allowed=timedelta(hours=1), due_at=NOON),
        "collaboration": Timer(state="breached", due_at=NOON),
        "acceptance": Timer(state="paused", left=timedelta(hours=1)),
        "customer_info": running(NOON),
        "satisfaction": Timer(state="breached", allowed=timedelta(hours=1), due_at=NOON),
    }
    found = entry_of(ticket(timers=timers), playbook)
    assert found.dues == {"first_response": NOW}
    assert found.overdue == ("resolution",)


def test_an_entry_measures_the_first_response_in_opening_hours_too(playbook: Playbook) -> None:
    """From 11:30 to 13:45; the desk has lunch from 12:00 to 13:30."""
    received = NOON - timedelta(minutes=30)
    answered = NOON + timedelta(minutes=105)
    found = entry_of(ticket(received_at=received, first_response_at=answered), playbook)
    assert (found.first_response, found.first_response_business) == (135 * 60, 45 * 60)


def test_facts_come_before_what_a_ticket_says(playbook: Playbook) -> None:
    """A poor score that started a second handling is not on the ticket any more."""
    rows = [
        Fact("ticket", "CS1", 3, NOW, NOW - 600, first_response=60, first_response_business=50),
        Fact("ticket", "CS1", 5, NOW, NOW - 60, score=1, good=0, product="KFR-35"),
    ]
    answered = NOON - timedelta(minutes=10)
    found = entry_of(ticket(first_response_at=answered), playbook, rows)
    assert (found.first_response, found.first_response_business) == (60, 50)
    assert (found.score, found.good, found.scored_at) == (1, 0, NOW - 60)
    assert found.product == "KFR-35"
    later = entry_of(ticket(version=6, first_response_at=answered), playbook, before=found)
    assert (later.score, later.product, later.first_response) == (1, "KFR-35", 60)


def test_a_new_score_counts_when_it_was_given(playbook: Playbook) -> None:
    scored = ticket(status="archived", score=4, archived_at=NOON, updated_at=NOON)
    found = entry_of(scored, playbook)
    assert (found.scored_at, found.good) == (NOW, 1)
    noted = ticket(status="archived", score=4, archived_at=NOON - timedelta(days=9))
    assert entry_of(noted, playbook).scored_at == NOW - 9 * 24 * HOUR


def test_now_is_counted_in_all_by_team_and_by_agent(playbook: Playbook) -> None:
    entries = [
        entry("W1"),
        entry("W2", team="", status="received", dues={"first_response": NOW + HOUR}),
        entry("H1", status="assigned", agent="agent-1", dues={"resolution": NOW + HOUR + 1}),
        entry("H2", status="in_progress", agent="agent-1", dues={"resolution": NOW}),
        entry("H3", status="in_progress", agent="left-1", overdue=("resolution",)),
        entry("D1", status="archived", agent="agent-1", dues={}),
    ]
    people = [
        agent("agent-1", desk="testdesk", role="agent", team="technical"),
        agent("agent-2", desk="testdesk", role="agent", team="general"),
        agent("agent-3", desk="testdesk", role="agent", team="general"),
    ]
    people[0] = people[0].model_copy(update={"online": True, "load": 2})
    people[1] = people[1].model_copy(update={"online": True})
    people[2] = people[2].model_copy(update={"online": False})
    found = board(entries, people, playbook, NOON)
    now = found["now"]
    assert now["waiting"] == {"n": 2, "tickets": ["W2", "W1"]}
    assert now["in_hand"]["tickets"] == ["H2", "H1", "H3"]
    assert now["overdue"] == {"n": 2, "tickets": ["H2", "H3"]}
    assert now["due_within_the_hour"] == {"n": 1, "tickets": ["W2"]}
    teams = {team["team"]: team for team in found["by_team"]}
    assert list(teams) == ["technical", "general", "qa", None]
    assert teams["technical"]["waiting"]["tickets"] == ["W1"]
    assert teams["technical"]["label"] == "技术支持组"
    assert teams["general"]["overdue"]["n"] == 0
    assert teams[None]["due_within_the_hour"]["tickets"] == ["W2"]
    staff = {one["agent"]: one for one in found["by_agent"]}
    assert list(staff) == ["agent-1", "agent-2", "left-1"]
    assert (staff["agent-1"]["load"], staff["agent-1"]["in_hand"]["n"]) == (2, 2)
    assert staff["left-1"]["overdue"]["tickets"] == ["H3"]
    assert found["online"] == ["agent-1", "agent-2"]
    for name in ("waiting", "in_hand", "overdue", "due_within_the_hour"):
        assert now[name]["n"] == sum(team[name]["n"] for team in found["by_team"])


def test_today_is_the_desks_own_day(playbook: Playbook) -> None:
    """Midnight in Shanghai is 16:00 UTC of the day before."""
    midnight = day_began(NOON, playbook)
    assert datetime.fromtimestamp(midnight, UTC) == datetime(2026, 3, 9, 16, tzinfo=UTC)
    entries = [
        entry("A", received_at=midnight, first_response_at=NOW, first_response=60,
              first_response_business=60),
        entry("B", received_at=midnight - 1, first_response_at=NOW, first_response=120,
              first_response_business=30),
        entry("C", received_at=midnight - 1, first_response_at=midnight - 1, first_response=9),
        entry("M", status="merged"),
        entry("R", received_at=midnight - 1, status="resolved", resolved_at=midnight),
        entry("S", received_at=midnight - 1, status="archived", scored_at=NOW, score=2, good=0),
        entry("T", received_at=midnight - 1, status="archived", scored_at=NOW, score=5, good=1),
    ]  # fmt: skip
    today = board(entries, [], playbook, NOON)["today"]
    assert today["received"] == {"n": 1, "tickets": ["A"]}
    assert today["resolved"]["tickets"] == ["R"]
    first = today["first_response"]
    assert (first["n"], first["median"], first["business_median"]) == (2, 90, 45)
    assert today["csat"] == {"n": 2, "tickets": ["S", "T"], "good": 1, "share": 0.5}


def test_a_day_without_anything_averages_nothing(playbook: Playbook) -> None:
    found = board([], [], playbook, NOON)
    assert found["today"]["first_response"]["median"] is None
    assert found["today"]["csat"]["share"] is None
    assert found["jumps"] == []


def flood() -> Iterator[BoardEntry]:
    for n in range(12):
        yield entry(f"K{n:02}", product="KFR-35", tags=("login",))
    yield entry("M", product="KFR-35", status="merged")
    yield entry("O", product="KFR-35", received_at=NOW - 24 * HOUR)


def test_a_jump_names_what_stands_out_with_its_tickets(playbook: Playbook) -> None:
    day = NOON.astimezone(playbook.zone).date()
    usual = {
        "product=KFR-35": (30,) * 8, "type=fault": (30,) * 8, "tag=login": (30,) * 8,
        "product=KFR-35&tag=login": (20,) * 8, "product=KFR-35&type=fault": (3,) * 8,
    }  # fmt: skip
    (found,) = board(flood(), [], playbook, NOON, baseline=Baseline(day, 8, usual))["jumps"]
    assert found["label"] == "型号 KFR-35 · 报障：12件，预期3件"
    assert (found["count"], found["expected"]) == (12, 3)
    assert found["tickets"] == [f"K{n:02}" for n in range(12)]
    english = board(
        flood(), [], playbook, NOON, baseline=Baseline(day, 8, usual), locale="en"
    )["jumps"]  # fmt: skip
    assert english[0]["label"] == "Product KFR-35 · 报障: 12, expected 3"


def test_the_baseline_of_another_day_says_nothing(playbook: Playbook) -> None:
    day = NOON.astimezone(playbook.zone).date() - timedelta(days=1)
    assert board(flood(), [], playbook, NOON, baseline=Baseline(day, 8, {}))["jumps"] == []


def test_a_snapshot_is_read_as_it_was_written() -> None:
    entries = [
        entry("A", dues={"resolution": NOW}, overdue=("review",), tags=("login",), agent="agent-1"),
        entry("B", score=0, good=0, scored_at=NOW),
    ]
    day = NOON.date()
    baseline = Baseline(day, 7, {"type=fault": (1, 2)})
    snapshot = BoardSnapshot(NOON, {each.number: each for each in entries}, baseline, ("x",))
    text = json.dumps(snapshot.document())
    assert BoardSnapshot.of(json.loads(text)) == snapshot
    newer = json.loads(text)
    newer["entries"][0]["later"] = 1
    assert BoardSnapshot.of(newer) == snapshot


def test_a_deadline_is_late_from_its_second_on() -> None:
    waits = entry(dues={"first_response": NOW, "resolution": NOW + 1}, overdue=("review",))
    assert waits.late(NOW - 1) == ("review",)
    assert waits.late(NOW) == ("review", "first_response")


def test_what_waits_and_the_supervisors_queue_are_to_be_assigned() -> None:
    held = {"status": "in_progress", "agent": "agent-1"}
    found = [
        entry("later", dues={"resolution": NOW + HOUR}),
        entry("sooner", dues={"resolution": NOW}),
        entry("held", **held, queue="agent"),
        entry("escalated", **held, queue="supervisor"),
        entry("solved", status="resolved", queue="supervisor"),
    ]
    assert to_assign(found) == ["sooner", "later", "escalated"]


def test_a_step_that_waits_for_approval_is_known(playbook: Playbook) -> None:
    pending = Pending(step="visit", status="assigned")
    for status, waits in (("awaiting_department", True), ("closed", False)):
        assert entry_of(ticket(status=status, pending=pending), playbook).approval is waits
