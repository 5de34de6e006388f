"""The board's call: fresh, and with few reads however many tickets there are (D16)."""

from datetime import timedelta
from typing import Any, cast

import pytest

from functions.core.domain.errors import Forbidden
from functions.core.domain.journal import JournalEntry
from functions.core.domain.rules import Playbook
from functions.core.reports.board import BoardEntry, BoardSnapshot
from functions.core.storage.board_snapshots import BoardSnapshots
from functions.core.storage.database import Storage
from functions.workbench.board import show_board
from tests.core.sample_desk import NOON, file_ticket
from tests.workbench.conftest import Agent, Counting, SignedIn

pytestmark = pytest.mark.requirement("D16")
EARLIER = NOON - timedelta(hours=4, minutes=5)
"""Before midnight (UTC): both journals are read on two days."""


def entries(n: int) -> dict[str, BoardEntry]:
    at = int(NOON.timestamp()) - 60
    names = [f"T{k:05}" for k in range(n)]
    return {
        name: BoardEntry(name, 1, "queued", "waiting", at, "fault", "high", "technical")
        for name in names
    }


def change(storage: Storage, playbook: Playbook, *numbers: str) -> None:
    """File tickets, of which one journal or the other tells."""
    for n, number in enumerate(numbers):
        file_ticket(storage, playbook, number, NOON - timedelta(minutes=5))
        journal = storage.changes if n % 2 else storage.journal
        entry = JournalEntry(number=number, version=1, at=NOON)
        journal.write(playbook.desk, entry, NOON - timedelta(minutes=4))


def shown(agent: Agent) -> Any:
    return show_board(agent.request("GET"), agent.storage, "testdesk").body


@pytest.mark.parametrize("n", [10, 2000])
def test_the_board_takes_six_reads_of_the_table_at_most(
    n: int, dynamodb: Any, playbook: Playbook, snapshots: BoardSnapshots
) -> None:
    """Besides sign-in, whose reads the container keeps."""
    client = Counting(dynamodb)
    storage = Storage.on(cast("Any", client), "deskbell-test")
    snapshots.put("testdesk", BoardSnapshot(EARLIER, entries(n)))
    change(storage, playbook, *(f"CS{k}" for k in range(30)))
    supervisor = Agent(storage, "supervisor-1", "testdesk:supervisor")
    shown(supervisor)
    client.calls.clear()
    found = shown(supervisor)
    assert sorted(client.calls) == ["batch_get_item", *["query"] * 5]
    assert found["today"]["received"]["n"] == n + 30
    assert found["as_of"] == "2026-03-10T12:00:00+08:00"


def test_what_changed_since_the_snapshot_is_on_the_board(
    storage: Storage, playbook: Playbook, snapshots: BoardSnapshots, signed_in: SignedIn
) -> None:
    known = entries(2)
    old = BoardEntry("CS1", 0, "resolved", "closed", int(EARLIER.timestamp()), "inquiry", "low")
    snapshots.put("testdesk", BoardSnapshot(EARLIER, {**known, "CS1": old}))
    change(storage, playbook, "CS1", "CS2")
    found = shown(signed_in("supervisor-1"))
    assert set(found["now"]["waiting"]["tickets"]) == {"T00000", "T00001", "CS1", "CS2"}
    assert "supervisor-1" in found["online"]


def test_too_many_changes_leave_the_snapshot_and_its_time(
    storage: Storage, playbook: Playbook, snapshots: BoardSnapshots, signed_in: SignedIn
) -> None:
    at = NOON - timedelta(minutes=10)
    snapshots.put("testdesk", BoardSnapshot(at, entries(3)))
    for k in range(101):
        entry = JournalEntry(number=f"CS{k}", version=1, at=NOON)
        storage.changes.write("testdesk", entry, NOON - timedelta(minutes=4))
    found = shown(signed_in("qa-1"))
    assert found["today"]["received"]["n"] == 3
    assert found["as_of"] == "2026-03-10T11:50:00+08:00"


def test_a_desk_without_a_snapshot_has_what_changed_in_a_day(
    storage: Storage, playbook: Playbook, snapshots: BoardSnapshots, signed_in: SignedIn
) -> None:
    change(storage, playbook, "CS1")
    assert shown(signed_in("supervisor-1"))["now"]["waiting"]["tickets"] == ["CS1"]


@pytest.mark.parametrize("who", ["agent-1", "finance-1"])
def test_the_board_is_for_who_sees_all_tickets(
    who: str, snapshots: BoardSnapshots, signed_in: SignedIn
) -> None:
    with pytest.raises(Forbidden):
        shown(signed_in(who))
