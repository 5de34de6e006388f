"""`deskbell verify`: nothing to say about a working table, one line for each broken invariant."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import boto3
import pytest
from typer.testing import CliRunner

from functions.core.domain.chat import Chat
from functions.core.domain.customers import Identity
from functions.core.domain.journal import JournalEntry
from functions.core.domain.ticket import Ticket
from functions.core.reports.facts import facts_of
from functions.core.services.indexing import SearchIndex
from functions.core.storage.database import Storage
from functions.core.storage.facts import FactStore
from functions.core.storage.items import ticket_key
from functions.core.storage.manifests import Manifest
from functions.core.storage.segments import Segments, forget_segments
from functions.core.storage.table import stamp
from functions.core.text.contacts import ContactStyle, mask_contact
from functions.core.text.search import Segment, TicketText
from infra.console.main import app
from infra.console.search import numbers
from infra.console.verification import UNCOUNTED_FOR, Verification
from infra.simulator.simulator import Simulator
from tests.aws_snapshots import restore_or_make
from tests.inprocess.conftest import (
    DEPLOYMENT,
    erase_customer,
    simulator as simulator,
    storage as storage,
)
from tests.inprocess.test_links import file_form, link_sent, post
from tests.inprocess.test_returns import CUSTOMER, act_on

pytestmark = pytest.mark.requirement("G6", "G2", "G1", "G4")


NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)
IDENTITIES = [Identity(kind=kind, hash=kind, shown="*") for kind in ("phone", "email")]


@pytest.fixture
def number(simulator: Simulator, storage: Storage) -> str:
    """A ticket in the hand of an agent, with a customer's message, in a table of several lives."""
    return restore_or_make("verified", lambda: live(simulator, storage))


def live(simulator: Simulator, storage: Storage) -> str:
    """Let several tickets live; return the number of the last one."""
    storage.roster.set_presence("standard", "li-1", online=True)
    archived, _ = file_form(simulator, contact="a@example.com")
    act_on(simulator, archived, "resolve", summary="已重置")
    post(simulator, link_sent(simulator, storage, archived), "survey", score=5)
    storage.customers.join("standard", IDENTITIES, "code", datetime.now(UTC))
    chat = Chat(desk="standard", id="c1", token="x", locale="en", started_at=NOW, changed_at=NOW)
    storage.chats.put(chat.gone_on(NOW))
    erased, _ = file_form(simulator, contact="b@example.com")
    merged, _ = file_form(simulator, contact=CUSTOMER)
    target, _ = file_form(simulator, contact=CUSTOMER)
    act_on(simulator, merged, "merge", into=target)
    erase_customer(simulator, datetime.now(UTC), contact="b@example.com")
    closed, _ = file_form(simulator, contact="c@example.com")
    act_on(simulator, closed, "close", reason="重复")
    assert erased
    last, _ = file_form(simulator, description="无法登录，请回电13912345678")
    post(simulator, link_sent(simulator, storage, last), "messages", text="请尽快")
    act_on(simulator, last, "reply", text="请重启")
    return last


def broken_invariants(storage: Storage) -> list[str]:
    at = datetime.now(UTC)
    return list(Verification(storage, at, lambda: None).broken_invariants())


@pytest.mark.slow
def test_a_working_table_has_no_broken_invariant(storage: Storage, number: str) -> None:
    assert broken_invariants(storage) == []
    said = CliRunner().invoke(app, ["verify", "--stage", DEPLOYMENT.stage])
    assert (said.exit_code, said.output) == (0, "OK: 6 tickets\n")


def test_a_ticket_of_a_version_without_titles_is_in_order(storage: Storage, number: str) -> None:
    item = storage.table.get(ticket_key("standard", number), "TICKET", consistent=True)
    assert item is not None
    body = json.loads(item["body"]["S"])
    assert body.pop("title") == "无法登录，请回电139****5678"
    item["body"]["S"] = json.dumps(body)
    storage.table.client.put_item(TableName=storage.table.name, Item=item)
    assert broken_invariants(storage) == []


@pytest.mark.slow
def test_a_commit_without_a_fact_is_found_and_rebuilt(storage: Storage, number: str) -> None:
    store = FactStore(boto3.client("s3"), DEPLOYMENT.mail_bucket)
    later = datetime.now(UTC) + 2 * UNCOUNTED_FOR

    def missing() -> list[str]:
        found = Verification(storage, later, lambda: None, facts=store).broken_invariants()
        return [line for line in found if "has no fact" in line]

    storage.manifests.start("standard", datetime.now(UTC))
    lines = missing()
    assert f"standard/{number}: version 1 has no fact: deskbell reports rebuild" in lines
    playbook = storage.playbooks.get("standard", datetime.now(UTC))
    used = [
        replace(fact, usage=("lambda~1",))
        for fact in facts_of(storage.tickets.history("standard", number), playbook, NOW)
    ]
    undone = [
        replace(used[0], number="CS0", happened=0),  # a day of its own
        replace(used[0], number="CS0"),
        replace(used[0], version=99),
        replace(used[0], kind="presence", number="li-1"),
    ]
    store.write(playbook, [*used, *undone], NOW)
    assert len(missing()) == len(lines) - len(used)
    stage = ["--stage", DEPLOYMENT.stage]
    said = CliRunner().invoke(app, ["reports", "rebuild", "standard", *stage])
    assert (said.exit_code, said.output) == (0, f"standard: {len(lines)} facts\n")
    assert missing() == []
    days = list(store.days("standard"))
    facts = [fact for day in days for fact in store.read("standard", day)]
    assert {fact.number for fact in facts if fact.usage} == {number, "li-1"}
    assert len(facts) == len(lines) + 1  # of what the table does not have, nothing is left
    assert not any(store.compact(playbook, day, later) for day in days)
    checked = CliRunner().invoke(app, ["verify", "--facts", *stage])
    assert (checked.exit_code, checked.output) == (0, "OK: 6 tickets\n")


def item(storage: Storage, number: str, sk: str) -> Any:
    found = storage.table.get(ticket_key("standard", number), sk, consistent=True)
    assert found is not None
    return found


def put(storage: Storage, stored: Any) -> None:
    storage.table.client.put_item(TableName=storage.table.name, Item=stored)


def change_body(storage: Storage, number: str, sk: str, **fields: Any) -> None:
    stored = item(storage, number, sk)
    body = json.loads(stored["body"]["S"])
    parts = body if isinstance(body, list) else [body]
    parts[0] |= fields
    put(storage, stored | {"body": {"S": json.dumps(body)}})


def delete_event(storage: Storage, number: str) -> None:
    storage.table.client.delete_item(
        TableName=storage.table.name,
        Key={"pk": {"S": ticket_key("standard", number)}, "sk": {"S": "EVENT#000002"}},
    )


def delete_last_event(storage: Storage, number: str) -> None:
    version = storage.tickets.load("standard", number).version
    storage.table.client.delete_item(
        TableName=storage.table.name,
        Key={"pk": {"S": ticket_key("standard", number)}, "sk": {"S": f"EVENT#{version:06}"}},
    )


def late_wake(storage: Storage, number: str) -> None:
    far = {"S": stamp(datetime.now(UTC) + timedelta(days=900))}
    put(storage, item(storage, number, "TICKET") | {"due_sk": far})


def no_wake(storage: Storage, number: str) -> None:
    stored = item(storage, number, "TICKET")
    put(storage, {name: value for name, value in stored.items() if not name.startswith("due_")})


def write_unmasked(storage: Storage, _number: str) -> None:
    now = datetime.now(UTC)
    storage.manifests.start("standard", now)
    entry = JournalEntry(number="CS1", version=1, at=now, texts=("请打13912345678",))
    storage.journal.write("standard", entry, now)


def abandoned(storage: Storage, number: str) -> None:
    (first, *_) = storage.deliveries.list("standard", number)
    old = datetime.now(UTC) - timedelta(hours=1)
    lost = first.model_copy(update={"state": "claimed", "at": old, "claimed_at": old})
    assert storage.deliveries.move(lost, first.state)


def unlisted_retry(storage: Storage, number: str) -> None:
    stored = item(storage, number, "DELIVERY#000001")
    put(storage, stored | {"state": {"S": "retrying"}})


def unreadable_delivery(storage: Storage, number: str) -> None:
    put(storage, item(storage, number, "DELIVERY#000001") | {"body": {"S": "{"}})


def wrong_load(storage: Storage, number: str) -> None:
    storage.table.client.update_item(
        TableName=storage.table.name,
        Key={"pk": {"S": "DESK#standard"}, "sk": {"S": "AGENT#li-1"}},
        UpdateExpression="SET #load = :load",
        ExpressionAttributeNames={"#load": "load"},
        ExpressionAttributeValues={":load": {"N": "7"}},
    )


def lost_ticket_of_record(storage: Storage, number: str) -> None:
    put(
        storage,
        {
            "pk": {"S": "SEEN#standard#form#x"}, "sk": {"S": "SEEN"}, "body": {"S": ""},
            "number": {"S": "CS20200101001"},
        },
    )  # fmt: skip


def ticket_of(storage: Storage, number: str) -> Ticket:
    """The ticket under a number that does not exist."""
    ticket = storage.tickets.load("standard", number)
    return ticket.model_copy(update={"number": "CS20200101001"})


def lost_serial(storage: Storage, number: str) -> None:
    items = storage.table.client.scan(TableName=storage.table.name)["Items"]
    (serial,) = [each for each in items if each["sk"]["S"] == "SERIAL"]
    put(storage, serial | {"n": {"N": "2"}})


def wrong_queue(storage: Storage, number: str) -> None:
    put(storage, item(storage, number, "TICKET") | {"queue_pk": {"S": "standard#waiting#x"}})


def chat_of(storage: Storage) -> Chat:
    found = storage.chats.get("standard", "c1")
    assert found is not None
    return found


CONTACT = {"kind": "email", "hash": "h"}

BREAKS: dict[str, tuple[Callable[[Storage, str], object], str]] = {
    "events contiguous": (delete_event, "the events are not contiguous: [2] missing"),
    "version = last event": (delete_last_event, "but the last event is"),
    "replay gives the ticket": (
        lambda s, n: change_body(s, n, "TICKET", priority="高"), "its events give another priority",
    ),
    "due key = earliest timer": (late_wake, "but the sweep looks"),
    "due key there": (no_wake, "but the sweep looks nowhere"),
    "queue": (wrong_queue, "it is not listed in the queue"),
    "loads = tickets in hand": (wrong_load, "the load is 7, 3 tickets are in hand"),
    "records point to tickets": (lost_ticket_of_record, "CS20200101001, which does not exist"),
    "short links point to tickets": (
        lambda s, n: s.short_links.keep("x" * 11, ticket_of(s, n), datetime.now(UTC)),
        "the short link names CS20200101001, which does not exist",
    ),
    "identities name their record": (
        lambda s, _: s.contacts.forget("standard", "phone"), "phone * names another record",
    ),
    "chats are closed": (
        lambda s, _: s.chats.put(chat_of(s).changed(looks_at=None)), "c1: nothing will close it",
    ),
    "chats name their ticket": (
        lambda s, _: s.chats.put(chat_of(s).changed(number="CS9")), "CS9 does not exist",
    ),
    "serials": (lost_serial, "but only 2 serials were drawn"),
    "delivery in progress": (abandoned, ": claimed since"),
    "delivery to retry": (unlisted_retry, "no sweep would find it"),
    "delivery readable": (unreadable_delivery, "DELIVERY#000001: not a delivery"),
    "text masked": (
        lambda s, n: change_body(s, n, "EVENT#000001", description="请打13912345678"),
        "TicketReceived.description holds personal data outside the seal",
    ),
    "contact masked": (
        lambda s, n: change_body(
            s, n, "TICKET", customer=CONTACT | {"contact": "feng.jia6@example.com"}
        ),
        "a contact is not masked",
    ),
    "delivery masked": (
        lambda s, n: change_body(s, n, "DELIVERY#000001", text="请打13912345678"),
        "Delivery.text holds personal data outside the seal",
    ),
    "journal masked": (
        write_unmasked, "JOURNAL#standard: CS1, version 1, holds personal data outside the seal",
    ),
    "ticket readable": (
        lambda s, n: put(s, item(s, n, "TICKET") | {"body": {"S": "{}"}}),
        ": not a ticket: KeyError",
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("style", get_args(ContactStyle))
def test_a_contact_is_masked_in_the_desk_s_style(
    storage: Storage, number: str, style: ContactStyle
) -> None:
    mails = ("feng.jia6@example.com", "han@example.com", "a@b.c", "ab@x.cn")
    for contact in (*mails, "13812345678", "12345", "010-62345678", "wechat:oabc12345"):
        for shown, problems in ((mask_contact(contact, style), 0), (contact, 1)):
            change_body(storage, number, "TICKET", customer=CONTACT | {"contact": shown})
            found = [line for line in broken_invariants(storage) if "not masked" in line]
            assert len(found) == problems, shown


@pytest.mark.slow
@pytest.mark.parametrize("name", BREAKS)
def test_each_broken_invariant_is_named(storage: Storage, number: str, name: str) -> None:
    break_it, expected = BREAKS[name]
    break_it(storage, number)
    found = broken_invariants(storage)
    assert any(expected in line for line in found), found
    assert all(number in line or "standard" in line or "#" in line for line in found)
    assert not any("13912345678" in line for line in found)


def test_the_command_prints_a_line_for_each_and_exits_with_1(
    storage: Storage, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    delete_event(storage, number)
    wrong_load(storage, number)
    said = CliRunner().invoke(app, ["verify", "--stage", DEPLOYMENT.stage])
    assert said.exit_code == 1
    assert len(said.output.splitlines()) == 2


def test_what_is_mended_meanwhile_is_not_reported(storage: Storage, number: str) -> None:
    """A ticket that changes while it is read looks wrong for a moment."""
    stored = item(storage, number, "TICKET")
    wrong_queue(storage, number)
    verification = Verification(storage, datetime.now(UTC), lambda: put(storage, stored))
    assert list(verification.broken_invariants()) == []


@pytest.mark.requirement("H3")
def test_search_finds_every_ticket_and_none_that_was_erased(
    simulator: Simulator, storage: Storage, number: str
) -> None:
    forget_segments()
    segments = Segments(boto3.client("s3"), DEPLOYMENT.mail_bucket)
    index = SearchIndex(storage, segments, lambda: bytes(32))

    def problems() -> set[str]:
        checked = Verification(storage, datetime.now(UTC), lambda: None, segments)
        return {line.replace(number, "…") for line in checked.broken_invariants()}

    later = datetime.now(UTC) + timedelta(days=1)
    storage.manifests.put(Manifest("standard", later))
    assert "standard/…: search does not find it: deskbell search rebuild" in problems()
    texts = (index.text_of("standard", each) for each in numbers(storage, "standard"))
    index.rebuild("standard", texts, lambda: later)
    assert problems() == set()
    erase_customer(simulator, datetime.now(UTC), number=number)
    manifest = storage.manifests.get("standard")
    assert manifest is not None
    ref = segments.put("standard", Segment([TicketText(number, 1, 1, "x")]), later)
    storage.manifests.put(replace(manifest, segments=(ref,)))
    assert "standard/…: was erased, but search has it" in problems()
    boto3.client("s3").delete_object(Bucket=DEPLOYMENT.mail_bucket, Key=ref.key)
    forget_segments()
    assert any("a segment is missing" in line for line in problems())
