"""The board's snapshot through a day of changes, and jumps that are told once (D16)."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from functions.core.domain import commands as c
from functions.core.domain.journal import JournalEntry
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.reports.board import board, entry_of
from functions.core.reports.columns import Fact
from functions.core.reports.jumps import DayCount
from functions.core.reports.report import ReportJumpView
from functions.core.storage.board_snapshots import BoardSnapshots
from functions.core.storage.database import Storage
from functions.reports.snapshots import SnapshotKeeper, update
from tests.core.sample_desk import NOON, agent, file_ticket, received, then
from tests.reports.mailed_desk import playbook

__all__ = ["playbook"]

pytestmark = pytest.mark.requirement("D16")
TODAY = date(2026, 3, 10)
MINUTES = timedelta(minutes=10)


def tickets(playbook: Playbook, n: int, at: datetime = NOON) -> list[Ticket]:
    return [
        received(playbook, at, description="无法登录").model_copy(update={"number": f"CS{k}"})
        for k in range(n)
    ]


def test_a_snapshot_follows_a_ticket_until_it_has_ended_and_the_day_is_over(
    playbook: Playbook,
) -> None:
    ticket = received(playbook)
    first = update(None, [ticket], playbook, NOON)
    assert first.entries == {ticket.number: entry_of(ticket, playbook)}
    closed = then(ticket, c.Close(reason="重复"), playbook)
    second = update(first, [closed], playbook, NOON + MINUTES)
    assert second.entries[ticket.number].status == "closed"
    assert second.at == NOON + MINUTES
    tomorrow = update(second, [], playbook, NOON + timedelta(days=1))
    assert tomorrow.entries == {}


def test_an_open_ticket_stays_on_later_days(playbook: Playbook) -> None:
    first = update(None, [received(playbook)], playbook, NOON)
    assert update(first, [], playbook, NOON + timedelta(days=30)).entries == first.entries


def test_a_snapshot_gives_the_board_that_the_tickets_give(playbook: Playbook) -> None:
    """It does so whatever is changed in whichever runs."""
    found = tickets(playbook, 6)
    at_once = update(None, found, playbook, NOON)
    in_steps = None
    for ticket in found:
        in_steps = update(in_steps, [ticket], playbook, NOON)
    assert in_steps is not None
    assert board(in_steps.entries.values(), [], playbook, NOON) == board(
        at_once.entries.values(), [], playbook, NOON
    )


def test_facts_say_what_the_ticket_has_forgotten(playbook: Playbook) -> None:
    ticket, now = received(playbook), int(NOON.timestamp())
    rows = [Fact("ticket", ticket.number, 2, now, now, score=1, good=0)]
    found = update(None, [ticket], playbook, NOON, facts={ticket.number: rows})
    again = update(found, [ticket], playbook, NOON)
    for snapshot in (found, again):
        assert board(snapshot.entries.values(), [], playbook, NOON)["today"]["csat"]["n"] == 1


class Desk:
    """A keeper on moto that notes what it asks and sends."""

    def __init__(self, storage: Storage, playbook: Playbook, usual: int = 1) -> None:
        import boto3

        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="mail")
        self.snapshots = BoardSnapshots(s3, "mail")
        self.playbook, self.usual = playbook, usual
        self.asked: list[date] = []
        self.sent: list[str] = []
        self.reachable = True
        self.keeper = SnapshotKeeper(storage, self.snapshots, self._counts, self._send)

    def _counts(self, playbook: Playbook, day: date) -> Iterator[DayCount]:
        self.asked.append(day)
        for back in range(1, 9):
            yield DayCount(day - timedelta(weeks=back), "type=fault", self.usual)

    def _send(self, playbook: Playbook, jumps: Sequence[ReportJumpView]) -> bool:
        self.sent += [jump["group"] for jump in jumps] if self.reachable else []
        return self.reachable

    def keep(self, found: Sequence[Ticket], now: datetime = NOON) -> Any:
        return self.keeper.keep(self.playbook, found, now, through=now)


@pytest.fixture
def desk(storage: Storage, playbook: Playbook) -> Iterator[Desk]:
    found = Desk(storage, playbook)
    yield found
    found.snapshots.s3.delete_object(Bucket="mail", Key="board/testdesk.json.gz")


def test_the_first_snapshot_has_every_open_ticket(
    storage: Storage, playbook: Playbook, desk: Desk
) -> None:
    """One that has not changed for longer than the journals go back, too."""
    storage.roster.put(agent())
    filed = file_ticket(storage, playbook, "CS900", NOON - timedelta(days=50))
    storage.tickets.move_wake(filed, None, "rank")
    assert set(desk.keep([]).entries) == {"CS900"}


def test_a_run_without_changes_stores_nothing_on_the_same_day(
    playbook: Playbook, desk: Desk
) -> None:
    first = desk.keep(tickets(playbook, 1))
    assert desk.keep([], NOON + MINUTES).at == first.at == NOON
    assert desk.snapshots.get("testdesk") == first
    tomorrow = datetime(2026, 3, 11, 0, 5, tzinfo=UTC)
    assert desk.keep([], tomorrow).at == tomorrow


def test_a_run_makes_up_for_one_that_failed_after_the_facts(
    storage: Storage, playbook: Playbook, desk: Desk
) -> None:
    desk.keep([])
    file_ticket(storage, playbook, "CS901", NOON)
    entry = JournalEntry(number="CS901", version=1, at=NOON)
    storage.changes.write(playbook.desk, entry, NOON + MINUTES)
    now = NOON + 2 * MINUTES
    found = desk.keeper.keep(playbook, [], now, since=NOON + timedelta(minutes=15), through=now)
    assert set(found.entries) == {"CS901"}


def test_a_supervisor_is_told_of_a_jump_once_a_day(playbook: Playbook, desk: Desk) -> None:
    desk.keep(tickets(playbook, 4))
    assert (desk.asked, desk.sent) == ([], []), "four are no jump, so nothing is asked"
    desk.keep(tickets(playbook, 6), NOON + MINUTES)
    assert (desk.asked, desk.sent) == ([TODAY], ["tag=login"])
    desk.keep(tickets(playbook, 9), NOON + 2 * MINUTES)
    assert (desk.asked, desk.sent) == ([TODAY], ["tag=login"])
    later = NOON + timedelta(days=1)
    desk.keep(tickets(playbook, 9, later), later)
    assert desk.asked == [TODAY, TODAY + timedelta(days=1)]
    assert desk.sent == ["tag=login"] * 2


def test_a_jump_that_could_not_be_sent_is_sent_by_the_next_run_with_changes(
    playbook: Playbook, desk: Desk
) -> None:
    desk.reachable = False
    desk.keep(tickets(playbook, 9))
    desk.reachable = True
    desk.keep(tickets(playbook, 9), NOON + MINUTES)
    assert desk.sent == ["tag=login"]
