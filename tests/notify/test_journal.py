"""The journal has what was written on tickets, once for each record of the stream."""

from datetime import timedelta

import pytest

from functions.core.domain import commands as c, events as e
from functions.core.domain.journal import MAX_TEXT, JournalEntry, entry_of
from functions.core.domain.ticket import Customer
from functions.core.platform import clock
from functions.core.storage.journal import Arrived
from functions.notify.handler import notify
from tests.notify.deployment import NOON, Context, Harness
from tests.notify.sample_events import commit

LATER = timedelta(days=400)


def entered(harness: Harness, kind: str = "journal") -> list[Arrived]:
    feed = getattr(harness.storage, kind)
    return list(feed.entries("standard", NOON - LATER, NOON + LATER))


@pytest.mark.requirement("A14")
def test_notify_enters_what_a_commit_says(harness: Harness) -> None:
    ticket = harness.change(harness.file(), c.Note(text="密码已重置"))
    for version in range(1, ticket.version + 1):
        harness.invoke(harness.event_record(ticket, version))
    first, *_, note = (found.entry for found in entered(harness))
    assert first.request is not None
    assert (first.number, first.version) == (ticket.number, 1)
    assert first.request.contact == ticket.customer.contact
    assert (note.version, note.texts, note.request) == (ticket.version, ("密码已重置",), None)


@pytest.mark.requirement("F8")
def test_notify_enters_every_commit_in_one_of_two_journals(harness: Harness) -> None:
    ticket = harness.change(harness.file(), c.Note(text="密码已重置"), c.Hold(held=True))
    for version in range(1, ticket.version + 1):
        record = harness.event_record(ticket, version)
        assert record["dynamodb"]["NewImage"]["readers"]["S"] in {"notify", "both"}
        harness.invoke(record)
    said = {found.entry.version for found in entered(harness)}
    others = {found.entry.version for found in entered(harness, "changes")}
    assert said & others == set()
    assert said | others == set(range(1, ticket.version + 1))
    assert ticket.version in others, "a hold says nothing"


def test_a_repeated_record_has_the_same_number_and_version(harness: Harness) -> None:
    ticket = harness.file()
    for _ in range(2):
        harness.invoke(harness.event_record(ticket))
    assert {(found.entry.number, found.entry.version) for found in entered(harness)} == {
        (ticket.number, 1)
    }


@pytest.mark.requirement("B10")
def test_what_was_erased_while_it_waited_is_not_entered(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, erased = harness.file(), harness.file()
    records = [harness.event_record(ticket) for ticket in (waiting, erased)]
    harness.change(erased, c.ErasePerson("asked"))
    late = clock.now() + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: late)
    for record in records:
        harness.invoke(record)
    assert {found.entry.number for found in entered(harness)} == {waiting.number}
    [(_, left)] = entered(harness, "changes")
    alone = JournalEntry(number=erased.number, version=1, at=left.at, usage=left.usage)
    assert left == alone, "without words"


@pytest.mark.requirement("F8")
def test_an_entry_has_what_the_commit_used_and_notify_for_it(harness: Harness) -> None:
    record = harness.event_record(harness.file())
    record["dynamodb"]["NewImage"]["usage"] = {"S": "L:1 R:1.5 s3.put:2"}
    harness.invoke(record)
    [(_, entry)] = entered(harness)
    assert entry.usage["lambda.request"] == 2
    assert entry.usage["s3.put"] == 2
    assert entry.usage["ses.sent"] == 1
    assert entry.usage["dynamodb.read_unit"] > 1.5


def test_an_entry_does_not_wait_for_a_message(harness: Harness) -> None:
    """While a provider is out of reach, search and reports go on."""
    ticket = harness.file()
    event = {"Records": [harness.event_record(ticket)]}
    assert notify(event, Context(left=1000))["batchItemFailures"]
    assert [found.entry.number for found in entered(harness)] == [ticket.number]


def test_entries_are_deleted_by_ticket(harness: Harness) -> None:
    kept, gone = harness.file(), harness.file()
    for ticket in (kept, gone):
        harness.invoke(harness.event_record(ticket))
    [*_, (at, _)] = entered(harness)
    harness.storage.journal.delete("standard", gone.number, at)
    assert {found.entry.number for found in entered(harness)} == {kept.number}


def test_a_commit_without_words_is_not_entered() -> None:
    assert entry_of(commit(e.HoldSet(held=True))) is None


def test_a_request_is_entered_as_it_was_classified() -> None:
    received = e.TicketReceived(
        customer=Customer(contact="138****5678", kind="phone", hash="h"),
        channel="web",
        locale="zh-CN",
        type="咨询",
        priority="中",
        description="退款" * MAX_TEXT,
        order="A-1",
    )
    classified = e.TicketClassified(type="售后", tags=("退款",), priority="高")
    entry = entry_of(commit(received, classified))
    assert entry is not None
    assert entry.request is not None
    assert (entry.request.type, entry.request.tags) == ("售后", ("退款",))
    assert entry.correction is None, "no person has classified it"
    assert [len(text) for text in entry.texts] == [MAX_TEXT, 3]
