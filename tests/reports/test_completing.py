"""The facts of a desk are completed from its feeds, whatever is run twice, late or at once."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import boto3
import pytest

from functions.core.domain import commands as c
from functions.core.domain.journal import ChatEnd, JournalEntry, entry_of
from functions.core.domain.rules import Playbook
from functions.core.reports.columns import Fact
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.storage.facts import FactStore
from functions.core.storage.journal import SETTLED_AFTER
from functions.reports import completing
from functions.reports.completing import MOVES_EVERY, Changed, FactCompleter, Superseded
from tests.core.sample_desk import NOON, agent, file_ticket

DESK, BUCKET = "testdesk", "deskbell-test-reports"
DAY = date(2026, 3, 10)
SOON = NOON + timedelta(minutes=10)


@dataclass
class Desk:
    """A desk whose commits are entered in its feeds."""

    storage: Storage
    playbook: Playbook
    facts: FactStore

    def file(self, number: str, at: datetime = NOON) -> None:
        file_ticket(self.storage, self.playbook, number, at)
        self.enter(number, at)

    def act(self, number: str, command: c.TicketCommand, at: datetime = NOON) -> None:
        change(self.storage, DESK, number, command, self.playbook, at, actor="li-1")
        self.enter(number, at)

    def enter(
        self, number: str, at: datetime = NOON, usage: dict[str, float] | None = None
    ) -> None:
        """Enter a ticket's newest commit, as `notify` does."""
        commit = self.storage.tickets.history(DESK, number)[-1]
        entry = entry_of(commit)
        feed = self.storage.journal if entry else self.storage.changes
        entry = entry or JournalEntry(number=number, version=commit.version, at=commit.at)
        feed.write(DESK, entry.model_copy(update={"usage": usage or {}}), at)

    def complete(self, now: datetime = SOON, time: datetime | None = None) -> list[Changed]:
        completer = FactCompleter(self.storage, self.facts, self.playbook, now)
        return [completed.changed for completed in completer.complete(time or now)]

    def read(self, day: date = DAY) -> list[Fact]:
        return self.facts.read(DESK, day)

    def versions(self) -> list[tuple[str, int]]:
        return sorted((fact.number, fact.version) for fact in self.read())

    def through(self) -> datetime:
        return self.storage.report_progress.get(DESK, SOON).facts_through


@pytest.fixture
def desk(storage: Storage, playbook: Playbook) -> Iterator[Desk]:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    yield Desk(storage, playbook, FactStore(s3, BUCKET))
    for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=item["Key"])
    s3.delete_bucket(Bucket=BUCKET)


def test_both_feeds_are_in_the_facts(desk: Desk) -> None:
    desk.file("CS1")
    desk.storage.roster.put(agent("li-1"))
    desk.act("CS1", c.Assign("technical", "li-1", by_person=True))
    (changed,) = desk.complete()
    assert desk.versions() == [("CS1", 1), ("CS1", 2)]
    assert [fact.version for fact in changed["CS1"]] == [1, 2]
    assert desk.through() == SOON - SETTLED_AFTER


def test_what_arrived_just_now_is_in_the_facts_and_read_again(desk: Desk) -> None:
    desk.file("CS1", SOON)
    desk.complete()
    assert desk.versions() == [("CS1", 1)]
    desk.file("CS2", SOON)  # it was written before, but could not be read yet
    desk.complete(SOON + timedelta(minutes=10))
    assert desk.versions() == [("CS1", 1), ("CS2", 1)]


def test_a_run_for_an_earlier_time_reads_the_later_ones_again(desk: Desk) -> None:
    desk.complete(time=NOON)
    assert desk.through() == NOON - SETTLED_AFTER
    desk.file("CS1", NOON + timedelta(minutes=1))
    desk.complete(time=NOON + timedelta(minutes=1))
    assert desk.versions() == [("CS1", 1)]


def test_only_what_arrived_is_written(desk: Desk) -> None:
    desk.file("CS1")
    desk.complete()
    later = SOON + timedelta(minutes=10)
    desk.act("CS1", c.Note("看过"), later)
    desk.complete(later)
    assert len(desk.facts._names(DESK, DAY)) == 2
    assert desk.versions() == [("CS1", 1), ("CS1", 2)]


def test_what_a_change_used_is_kept_when_a_later_one_arrives(desk: Desk) -> None:
    desk.file("CS1")
    desk.enter("CS1", usage={"lambda.request": 2})
    desk.act("CS1", c.Note("看过"))
    desk.complete()
    assert [fact.usage for fact in desk.read()] == [("lambda.request~2",), ()]


def test_presence_and_ended_chats_are_facts(desk: Desk) -> None:
    desk.storage.presence.write(
        DESK, JournalEntry(number="li-1", version=1, at=NOON, presence=False), NOON
    )
    end = ChatEnd(outcome="confirmed", channel="web")
    ended = JournalEntry(number="chat", version=1, at=NOON, chat_end=end)
    desk.storage.chat_ends.write(DESK, ended, NOON)
    assert desk.complete() == [{}]
    assert {(fact.kind, fact.presence, fact.outcome) for fact in desk.read()} == {
        ("presence", 0, ""), ("chat", None, "confirmed"),
    }  # fmt: skip


def test_many_entries_are_stored_in_steps(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completing, "AT_ONCE", 2)
    for number in range(5):
        desk.file(f"CS{number}", NOON + timedelta(seconds=number // 4))
    completer = FactCompleter(desk.storage, desk.facts, desk.playbook, SOON)
    steps = completer.complete(SOON)
    passed = [(sorted(each.changed), desk.through()) for each in steps]
    assert [numbers for numbers, _ in passed] == [["CS0", "CS1"], ["CS2", "CS3"], ["CS4"]]
    assert all(before <= after for (_, before), (_, after) in pairwise(passed))
    assert (passed[0][1], passed[-1][1]) == (NOON, SOON - SETTLED_AFTER)
    assert len(desk.versions()) == 5


def test_the_first_run_writes_all_of_a_ticket_that_changed_before_it(desk: Desk) -> None:
    """A version before the feed of changes entered words only, as the other ones wake no more."""
    desk.storage.roster.put(agent("li-1"))
    file_ticket(desk.storage, desk.playbook, "CS1", NOON)
    assign = c.Assign("technical", "li-1", by_person=True)
    change(desk.storage, DESK, "CS1", assign, desk.playbook, NOON, actor="li-1")
    desk.act("CS1", c.Reply(text="请重启"), NOON)
    desk.complete()
    assert desk.versions() == [("CS1", 1), ("CS1", 2), ("CS1", 3)]
    later = NOON + timedelta(hours=1)
    desk.act("CS1", c.Reply(text="好了吗"), later)
    written = {fact.version: fact.written for fact in desk.read()}
    desk.complete(later + timedelta(minutes=12))
    again = {fact.version: fact.written for fact in desk.read()}
    assert {version for version in again if again[version] != written.get(version)} == {4}


def test_of_two_runs_at_once_one_ends(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completing, "AT_ONCE", 1)
    desk.file("CS1")
    desk.file("CS2", NOON + timedelta(seconds=1))
    first = FactCompleter(desk.storage, desk.facts, desk.playbook, SOON).complete(SOON)
    next(first)
    desk.complete()
    with pytest.raises(Superseded):
        next(first)
    assert desk.versions() == [("CS1", 1), ("CS2", 1)]


def test_an_erasure_writes_all_facts_of_the_ticket_again(desk: Desk) -> None:
    desk.file("CS1")
    desk.complete()
    desk.act("CS1", c.ErasePerson("asked"), SOON)
    later = SOON + timedelta(minutes=10)
    desk.complete(later)
    assert {fact.written for fact in desk.read()} == {int(later.timestamp())}


def test_what_a_run_wrote_while_an_erasure_went_on_is_gone_after_the_next(desk: Desk) -> None:
    desk.file("CS1")
    desk.complete()
    (before,) = desk.read()
    desk.act("CS1", c.ErasePerson("asked"), SOON)
    # It had read the history before, and wrote it after the erasure.
    late = replace(before, product="KFR-35", written=int(SOON.timestamp()))
    desk.facts.write(desk.playbook, [late], SOON)
    desk.complete(SOON + timedelta(minutes=10))
    stored = [fact for name in desk.facts._names(DESK, DAY) for fact in desk.facts._facts(name)]
    assert not any(fact.product for fact in stored)
    assert {(fact.number, fact.version) for fact in desk.read()} == {("CS1", 1), ("CS1", 2)}


def test_a_desk_without_news_moves_on_once_a_day(desk: Desk) -> None:
    desk.complete()
    stored = desk.storage.report_progress.get(DESK, SOON)
    desk.complete(SOON + timedelta(hours=1))
    assert desk.storage.report_progress.get(DESK, SOON) == stored
    desk.complete(SOON + MOVES_EVERY)
    assert desk.through() == SOON + MOVES_EVERY - SETTLED_AFTER


def test_days_that_ended_are_merged_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    compacted: list[date] = []

    def noted(self: FactStore, playbook: Playbook, day: date, now: datetime) -> bool:
        compacted.append(day)
        return merge(self, playbook, day, now)

    merge = FactStore.compact
    monkeypatch.setattr(FactStore, "compact", noted)
    tomorrow = NOON + timedelta(days=1)
    for at in (NOON, SOON, tomorrow):
        desk.file(f"CS{at:%d%H%M}", at)
        desk.complete(at)
    completer = FactCompleter(desk.storage, desk.facts, desk.playbook, tomorrow)
    completer.compact()
    completer.compact()
    assert compacted == [DAY]
    assert len(desk.facts._names(DESK, DAY)) == 1
    assert len(desk.read()) == 2
    replace(completer, now=tomorrow + timedelta(days=1)).compact()
    assert compacted == [DAY, DAY + timedelta(days=1)]
