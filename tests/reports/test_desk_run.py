"""A run of the function for one desk, and that the next ones do nothing again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from functions.core.deliver.failures import Passing
from functions.core.domain import commands as c
from functions.core.domain.errors import TryAgain
from functions.core.domain.journal import JournalEntry, entry_of
from functions.core.domain.rules import Playbook
from functions.core.reports.columns import Fact
from functions.core.reports.periods import Period
from functions.core.services.command_service import change
from functions.core.storage.board_snapshots import BoardSnapshots
from functions.core.storage.database import Storage
from functions.core.storage.facts import FactStore
from functions.core.storage.reports import StoredReports
from functions.reports.desk_run import DeskRun
from functions.reports.reporting import Reporting
from tests.core.sample_desk import NOON, agent, file_ticket
from tests.reports.duck import Duck
from tests.reports.mailed_desk import playbook

__all__ = ["playbook"]

DESK, BUCKET = "testdesk", "deskbell-test-run"
MONDAY = NOON + timedelta(days=6)
WEEK = Period.parse("weekly", "2026-W11")


@dataclass
class OnStore:
    """Athena's place: DuckDB over the facts that are stored."""

    facts: FactStore
    playbook: Playbook
    folder: Path
    asked: int = 0
    read: list[Fact] | None = None
    duck: Duck | None = None

    def rows(self, sql: str) -> Iterator[dict[str, str]]:
        self.asked += 1
        stored = [fact for day in self.facts.days(DESK) for fact in self.facts.read(DESK, day)]
        if self.duck is None or stored != self.read:
            self.read = stored
            self.duck = Duck(self.folder / str(self.asked), DESK, self.playbook.zone)
            self.duck.write(stored)
        return self.duck.rows(sql)


@dataclass
class Desk:
    storage: Storage
    playbook: Playbook
    s3: Any
    athena: OnStore
    sent: list[str] = field(default_factory=list)
    fails: bool = False

    def enter(self, number: str, at: datetime) -> None:
        commit = self.storage.tickets.history(DESK, number)[-1]
        entry = entry_of(commit)
        feed = self.storage.journal if entry else self.storage.changes
        entry = entry or JournalEntry(number=number, version=commit.version, at=commit.at)
        feed.write(DESK, entry.model_copy(update={"usage": {"ses.sent": 1.0}}), at)

    def send(self, _sender: str, to: str, _raw: bytes) -> None:
        if self.fails:
            raise Passing("SES: busy")
        self.sent.append(to)

    def run(self, now: datetime, time: datetime | None = None) -> None:
        DeskRun(
            storage=self.storage,
            facts=self.athena.facts,
            reports=self.reports,
            snapshots=BoardSnapshots(self.s3, BUCKET),
            athena=self.athena,
            send=self.send,
            region="us-east-1",
            playbook=self.playbook,
            time=time or now,
            now=now,
            has_time=lambda: True,
        ).run()

    @property
    def reports(self) -> StoredReports:
        return StoredReports(self.s3, BUCKET, 3)


@pytest.fixture
def desk(storage: Storage, playbook: Playbook, tmp_path: Path) -> Iterator[Desk]:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket=BUCKET)
    facts = FactStore(s3, BUCKET)
    storage.roster.put(agent("li-1"))
    found = Desk(storage, playbook, s3, OnStore(facts, playbook, tmp_path))
    file_ticket(storage, playbook, "CS1", NOON)
    found.enter("CS1", NOON)
    taken = c.Assign("technical", "li-1", by_person=True)
    change(storage, DESK, "CS1", taken, playbook, NOON, actor="li-1")
    found.enter("CS1", NOON)
    yield found
    for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=item["Key"])
    s3.delete_bucket(Bucket=BUCKET)


def test_facts_are_in_board_and_costs_before_anything_is_reported(desk: Desk) -> None:
    before = NOON - timedelta(minutes=12)
    desk.run(before)  # its spending counts from then on
    assert desk.reports.find(DESK, WEEK.previous) is not None
    assert desk.sent == [], "nobody is mailed a report without tickets"
    assert desk.athena.asked == 1, "only whether there are facts"
    kept = desk.reports.open_tickets(DESK, Period.parse("daily", "2026-03-09"))
    assert kept is not None, "an empty list too, or the next day would read all facts"
    assert desk.reports.page(DESK, WEEK.previous, "volume", None)["tickets"] == []
    desk.run(NOON + timedelta(minutes=12))
    snapshot = BoardSnapshots(desk.s3, BUCKET).get(DESK)
    assert snapshot is not None
    assert snapshot.entries["CS1"].agent == "li-1"
    spending = desk.storage.report_progress.get(DESK, NOON).spending
    assert spending is not None
    assert spending.usd == 2 * desk_price("ses.sent")


def desk_price(name: str) -> Any:
    from functions.core.reports.prices import read_prices

    price = read_prices().price(name)
    return price.value / price.per


@pytest.mark.requirement("B11", "G16")
def test_an_ended_week_is_reported_and_mailed_once(desk: Desk) -> None:
    desk.run(MONDAY)
    report = desk.reports.get(DESK, WEEK)
    assert report["adds_up"]
    assert report["figures"]["volume"] == {"n": 1}
    assert report["figures"]["backlog"]["closing"] == 1
    cost = report["figures"]["cost"]
    assert cost is not None
    assert float(cost["usd_units"]) > 0
    assert desk.sent == ["leads@testdesk.local", "boss@example.com"]
    behind = desk.reports.page(DESK, WEEK, "volume", None)["tickets"]
    assert [row["number"] for row in behind] == ["CS1"]
    asked = desk.athena.asked
    desk.run(MONDAY + timedelta(minutes=12))
    assert desk.reports.get(DESK, WEEK) == report
    assert (len(desk.sent), desk.athena.asked) == (2, asked)


@pytest.mark.slow
def test_mails_that_have_not_gone_out_go_with_the_next_run(desk: Desk) -> None:
    desk.fails = True
    desk.run(MONDAY)
    assert desk.sent == []
    desk.fails = False
    desk.run(MONDAY + timedelta(minutes=12))
    assert desk.sent == ["leads@testdesk.local", "boss@example.com"]
    assert desk.storage.report_progress.get(DESK, MONDAY).unmailed == ()


@pytest.mark.slow
def test_a_report_is_mailed_though_the_run_failed_after_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Reporting.write

    def fails(self: Reporting, period: Period) -> Any:
        report = write(self, period)
        if period == WEEK:
            raise TryAgain("Athena: busy")
        return report

    monkeypatch.setattr(Reporting, "write", fails)
    with pytest.raises(TryAgain):
        desk.run(MONDAY)
    monkeypatch.undo()
    desk.run(MONDAY + timedelta(minutes=12))
    assert desk.sent == ["leads@testdesk.local", "boss@example.com"]


@pytest.mark.slow
def test_the_event_says_which_periods_have_ended(desk: Desk) -> None:
    """Its time may be ahead of the clock."""
    desk.run(NOON + timedelta(minutes=12), MONDAY)
    assert desk.reports.get(DESK, WEEK)["figures"]["volume"] == {"n": 1}


@pytest.mark.slow
def test_what_comes_after_a_report_ahead_of_the_clock_is_a_correction(desk: Desk) -> None:
    desk.run(NOON + timedelta(minutes=12), MONDAY)
    later = NOON + timedelta(minutes=20)
    reply = c.Reply("已修好")
    change(desk.storage, DESK, "CS1", reply, desk.playbook, later, actor="li-1")
    desk.enter("CS1", later)
    desk.run(NOON + timedelta(minutes=40), MONDAY + timedelta(days=7))
    (corrected,) = (
        each
        for each in desk.reports.get(DESK, WEEK.next)["corrections"]
        if each["figure"] == "first_response"
    )
    assert (corrected["period"], corrected["from"], corrected["to"]) == (WEEK.name, None, 1200)


@pytest.mark.slow
def test_a_run_reads_all_parts_of_the_feeds_before_it_reports(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The month's costs, stored between two parts, are not taken for another run."""
    monkeypatch.setattr("functions.reports.completing.AT_ONCE", 1)
    file_ticket(desk.storage, desk.playbook, "CS2", NOON)
    desk.enter("CS2", NOON + timedelta(minutes=1))
    file_ticket(desk.storage, desk.playbook, "CS3", NOON)
    desk.enter("CS3", NOON + timedelta(minutes=2))
    desk.run(MONDAY)
    assert desk.reports.get(DESK, WEEK)["figures"]["volume"] == {"n": 3}
