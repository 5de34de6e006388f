"""A desk's segments: written twice, at once and late, merged, and rewritten after erasures."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from functions.core.domain import commands as c
from functions.core.domain.errors import TryAgain
from functions.core.domain.journal import entry_of
from functions.core.domain.rules import Playbook
from functions.core.services import indexing
from functions.core.services.command_service import change
from functions.core.services.indexing import MOVES_EVERY, SearchIndex
from functions.core.storage.database import Storage
from functions.core.storage.manifests import Manifest
from functions.core.storage.segments import FOLDER, Segments, forget_segments
from functions.core.text.search import shown
from tests.core.sample_desk import NOON, file_ticket

pytestmark = pytest.mark.requirement("H3")
DESK, BUCKET = "testdesk", "deskbell-test-mail"
SOON, LATER = NOON + timedelta(minutes=5), NOON + timedelta(minutes=10)


@dataclass
class Desk:
    """A desk whose tickets are entered in the journal and indexed."""

    storage: Storage
    playbook: Playbook
    index: SearchIndex

    def file(self, number: str, said: str = "退款", at: Any = NOON) -> None:
        file_ticket(self.storage, self.playbook, number, description=said)
        self.enter(number, at)

    def enter(self, number: str, at: Any = NOON) -> None:
        commit = self.storage.tickets.history(DESK, number)[-1]
        entry = entry_of(commit)
        assert entry is not None
        self.storage.journal.write(DESK, entry, at)

    def say(self, number: str, text: str, at: Any = NOON) -> None:
        change(self.storage, DESK, number, c.Note(text), self.playbook, at, actor="agent-1")
        self.enter(number, at)

    def rebuild(self, *numbers: str, at: datetime) -> int:
        texts = (self.index.text_of(DESK, number) for number in numbers)
        return self.index.rebuild(DESK, texts, lambda: at)

    @property
    def manifest(self) -> Manifest:
        found = self.storage.manifests.get(DESK, consistent=True)
        assert found is not None
        return found

    def texts(self) -> dict[str, str]:
        """Number → its newest text."""
        lines = [each for one in self.index.segments.get(self.manifest.segments) for each in one]
        return {line.number: shown(line.text) for line in sorted(lines, key=lambda line: line.at)}

    def stored(self) -> set[str]:
        listed = boto3.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=FOLDER)
        return {item["Key"] for item in listed.get("Contents", [])}


@pytest.fixture
def desk(storage: Storage, playbook: Playbook) -> Iterator[Desk]:
    forget_segments()
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    storage.manifests.start(DESK, NOON)
    yield Desk(storage, playbook, SearchIndex(storage, Segments(s3, BUCKET), lambda: bytes(32)))
    for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=item["Key"])


def test_what_arrived_is_indexed_once_it_has_settled(desk: Desk) -> None:
    desk.file("CS1", "退款")
    assert not desk.index.add_new(DESK, NOON + timedelta(minutes=1))
    assert desk.texts() == {}
    desk.index.add_new(DESK, SOON)
    assert "退款" in desk.texts()["CS1"]
    before = desk.manifest
    desk.index.add_new(DESK, SOON)
    assert desk.manifest == before


def test_a_later_message_and_a_late_record_give_one_text(desk: Desk) -> None:
    desk.file("CS1", "退款")
    desk.index.add_new(DESK, SOON)
    desk.say("CS1", "已到账", SOON)
    desk.file("CS2", at=SOON)
    desk.enter("CS1", SOON)  # a record that comes again
    desk.index.add_new(DESK, LATER)
    assert set(desk.texts()) == {"CS1", "CS2"}
    assert "已到账" in desk.texts()["CS1"]


def test_of_two_runs_at_once_one_counts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.file("CS1")
    text_of = SearchIndex.text_of

    def overtaken(self: SearchIndex, of: str, number: str) -> Any:
        monkeypatch.setattr(SearchIndex, "text_of", text_of)
        desk.index.add_new(DESK, SOON)
        return text_of(self, of, number)

    monkeypatch.setattr(SearchIndex, "text_of", overtaken)
    desk.index.add_new(DESK, SOON)
    assert set(desk.texts()) == {"CS1"}
    assert desk.stored() == {ref.key for ref in desk.manifest.segments}


def test_many_are_taken_in_steps(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "AT_ONCE", 2)
    for n in range(5):
        desk.file(f"CS{n}", at=NOON + timedelta(seconds=n))
    steps = 1
    while desk.index.add_new(DESK, SOON):
        steps += 1
    assert steps > 2
    assert len(desk.texts()) == 5


def test_small_segments_are_merged_and_full_ones_divided(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "FULL", 400)
    for n in range(24):
        at = NOON + timedelta(minutes=5 * n)
        desk.file(f"CS{n:02}", "退款" * 8, at)
        desk.say(f"CS{n % 7:02}", f"第{n}条", at)
        desk.index.add_new(DESK, at + timedelta(minutes=3))
    refs = desk.manifest.segments
    assert 3 < len(refs) < 10
    assert max(ref.size for ref in refs) <= 400
    lines = sum(ref.tickets for ref in refs)
    assert 24 <= lines < 32
    assert len(desk.texts()) == 24


def test_what_is_left_over_is_deleted_after_a_while(desk: Desk) -> None:
    desk.file("CS1")
    desk.index.add_new(DESK, SOON)
    (first,) = desk.manifest.segments
    desk.say("CS1", "x", SOON)
    desk.index.add_new(DESK, LATER)
    assert first.key in desk.stored()
    desk.index.add_new(DESK, LATER + MOVES_EVERY)
    assert desk.stored() == {ref.key for ref in desk.manifest.segments}
    assert desk.manifest.through == LATER + MOVES_EVERY - timedelta(minutes=2)


def test_a_run_that_read_a_ticket_before_its_erasure_does_not_add_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.file("CS1", "退款")
    text_of = SearchIndex.text_of

    def before_an_erasure(self: SearchIndex, of: str, number: str) -> Any:
        text = text_of(self, of, number)
        monkeypatch.setattr(SearchIndex, "text_of", text_of)
        erase = c.ErasePerson("asked")
        change(desk.storage, DESK, number, erase, desk.playbook, SOON, actor="admin")
        desk.index.rewrite(DESK, [number], SOON)
        return text

    monkeypatch.setattr(SearchIndex, "text_of", before_an_erasure)
    desk.index.add_new(DESK, SOON)
    assert desk.texts() == {}
    monkeypatch.setattr(SearchIndex, "text_of", before_an_erasure)
    with pytest.raises(TryAgain):
        desk.rebuild("CS1", at=SOON)
    assert desk.texts() == {}
    # A record of the stream that comes late changes nothing.
    desk.index.add_new(DESK, LATER)
    assert desk.texts() == {}


def test_a_rebuilt_desk_has_all_that_the_table_has(desk: Desk) -> None:
    for n in range(3):
        file_ticket(desk.storage, desk.playbook, f"CS{n}")
    desk.file("CS3")
    desk.index.add_new(DESK, SOON)
    assert set(desk.texts()) == {"CS3"}
    assert desk.rebuild(*(f"CS{n}" for n in range(4)), at=LATER) == 4
    assert set(desk.texts()) == {f"CS{n}" for n in range(4)}


def test_the_newest_text_of_a_ticket_stays_whatever_is_merged_first(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older text is in the smaller segment."""
    monkeypatch.setattr(indexing, "RATIO", 0)
    desk.file("CS1", "旧")
    desk.index.add_new(DESK, SOON)
    desk.say("CS1", "新" * 90, SOON)
    desk.index.add_new(DESK, LATER)
    assert len(desk.manifest.segments) == 2
    monkeypatch.setattr(indexing, "RATIO", 90)
    desk.file("CS2", at=LATER)
    desk.index.add_new(DESK, LATER + timedelta(minutes=5))
    assert len(desk.manifest.segments) == 1
    assert "新" in desk.texts()["CS1"]


def test_a_segment_that_was_replaced_is_asked_for_again(desk: Desk) -> None:
    desk.file("CS1")
    desk.index.add_new(DESK, SOON)
    gone = replace(desk.manifest.segments[0], key=f"{FOLDER}{DESK}/gone")
    with pytest.raises(TryAgain):
        desk.index.segments.get([gone])
