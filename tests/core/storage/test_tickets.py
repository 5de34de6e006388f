"""Tickets: atomic commits, complete lists and sweeps."""

import json
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from functions.core.domain import commands as c
from functions.core.domain.errors import AgentAtCapacity, Conflict, DeadLetter
from functions.core.domain.events import NoteAdded
from functions.core.domain.lifecycle import apply, queue_rank
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import PICK_UP_AFTER, Ticket
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.storage.items import SHARDS, commit_sort_key, queue_key, ticket_key
from functions.core.storage.table import key
from tests.core.lagging_replica import Lagging
from tests.core.sample_desk import NOON, agent, file_ticket, received, request, then
from tests.core.storage.samples import assign, carry_out, file_with, item_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MINUTE = timedelta(minutes=1)


def test_a_new_ticket_is_read_back(storage: Storage, playbook: Playbook) -> None:
    filed = file_ticket(storage, playbook, "CS1")
    loaded = storage.tickets.load("testdesk", "CS1")
    assert loaded.wakes_at == filed.pick_up_at
    assert loaded.model_copy(update={"wakes_at": None}) == filed


@pytest.mark.requirement("A14", "G6")
def test_applying_the_history_gives_the_stored_ticket(
    storage: Storage, playbook: Playbook, ticket: Ticket
) -> None:
    ticket = carry_out(storage, ticket, assign(), playbook)
    ticket = carry_out(storage, ticket, c.Reply("您好"), playbook)
    ticket = carry_out(storage, ticket, c.Resolve("重置密码"), playbook)
    again: Ticket | None = None
    for commit in storage.tickets.history("testdesk", "CS1"):
        again = apply(again, commit)
    assert again == ticket.changed(wakes_at=None)
    assert ticket == storage.tickets.load("testdesk", "CS1")


@pytest.mark.requirement("A14")
def test_a_commit_has_actor_and_time(storage: Storage, playbook: Playbook) -> None:
    ticket = file_ticket(storage, playbook, "CS1")
    carry_out(storage, ticket, c.Note("看过"), playbook)
    commit = storage.tickets.commit_at("testdesk", "CS1", 2)
    assert commit is not None
    assert (commit.actor, commit.at) == ("agent-1", NOON)
    assert commit.events == (NoteAdded(text="看过"),)
    assert storage.tickets.commit_at("testdesk", "CS1", 3) is None


def test_the_second_of_two_concurrent_changes_conflicts(
    storage: Storage, playbook: Playbook
) -> None:
    ticket = file_ticket(storage, playbook, "CS1")
    carry_out(storage, ticket, c.SetPriority("high"), playbook)
    with pytest.raises(Conflict):
        carry_out(storage, ticket, c.SetPriority("low"), playbook)
    assert storage.tickets.load("testdesk", "CS1").priority == "high"
    assert len(storage.tickets.history("testdesk", "CS1")) == 2


def test_a_number_is_used_once(storage: Storage, playbook: Playbook) -> None:
    file_ticket(storage, playbook, "CS1")
    with pytest.raises(Conflict):
        file_ticket(storage, playbook, "CS1")


@pytest.mark.requirement("G4")
def test_the_contact_is_sealed_in_the_first_commit_alone(
    storage: Storage, playbook: Playbook
) -> None:
    file_with(storage, playbook, "CS1", sealed=b"\x01sealed")
    assert storage.tickets.first_commit("testdesk", "CS1").sealed == b"\x01sealed"
    items = storage.tickets.items("testdesk", "CS1")
    assert [("sealed" in item) for item in items] == [True, False]
    assert storage.tickets.first_commit("testdesk", "CS2").sealed is None


@pytest.mark.requirement("G3")
def test_a_commit_of_a_newer_schema_is_a_dead_letter(storage: Storage, playbook: Playbook) -> None:
    file_ticket(storage, playbook, "CS1")
    storage.table.client.update_item(
        TableName=storage.table.name,
        Key={"pk": {"S": "TICKET#testdesk#CS1"}, "sk": {"S": "EVENT#000001"}},
        UpdateExpression="SET #schema = :new",
        ExpressionAttributeNames={"#schema": "schema"},
        ExpressionAttributeValues={":new": {"N": "99"}},
    )
    with pytest.raises(DeadLetter, match="schema 99"):
        storage.tickets.history("testdesk", "CS1")


@pytest.mark.requirement("F2")
def test_a_refused_transaction_leaves_no_trace_on_the_stream(
    storage: Storage, playbook: Playbook, dynamodb: Any
) -> None:
    """As on AWS, the stream has committed changes only."""
    import boto3

    ticket = file_ticket(storage, playbook, "CS1")
    storage.roster.put(agent(capacity=1, online=False))
    streams = boto3.client("dynamodbstreams", region_name="us-east-1")
    arn = dynamodb.describe_table(TableName=storage.table.name)["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]

    def records() -> int:
        start = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return len(streams.get_records(ShardIterator=start)["Records"])

    before = records()
    with pytest.raises(AgentAtCapacity):
        carry_out(storage, ticket, c.Assign("technical", "agent-1"), playbook)
    assert records() == before
    assert storage.tickets.load("testdesk", "CS1").version == 1


@pytest.mark.requirement("A3")
def test_concurrent_requests_get_different_serials(storage: Storage) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda _: storage.tickets.next_serial("testdesk", "2026-03-10"), range(40))
        )
    assert sorted(found) == list(range(1, 41))
    assert storage.tickets.next_serial("testdesk", "2026-03-11") == 1


@pytest.mark.requirement("A3", "E11")
def test_containers_that_draw_blocks_get_different_serials(storage: Storage) -> None:
    """Each draws from the counter once a block; a new period or a desk begins its own block."""
    writes = 0

    class CountingUpdates:
        def __getattr__(self, name: str) -> Any:
            nonlocal writes
            writes += name == "update_item"
            return getattr(storage.table.client, name)

    client = cast("DynamoDBClient", CountingUpdates())
    containers = [Storage.on(client, storage.table.name) for _ in range(2)]
    drawn = [
        container.tickets.next_serial("testdesk", "2026-03-10", 5)
        for _ in range(7)
        for container in containers
    ]
    assert len(set(drawn)) == 14
    assert set(drawn) <= set(range(1, 21))
    assert writes == 4
    others = [("testdesk", "2026-03-11", 5), ("otherdesk", "2026-03-11", 5)]
    assert [containers[0].tickets.next_serial(*other) for other in others] == [1, 1]
    # A playbook that goes back to strict serials leaves the rest of a block unused.
    assert containers[0].tickets.next_serial("testdesk", "2026-03-11") == 6


@pytest.mark.requirement("G7")
def test_a_stored_ticket_is_small(storage: Storage, playbook: Playbook) -> None:
    """A write unit is 1 KB; a ticket without its conversation stays near one."""
    ticket = file_ticket(storage, playbook, "CS1", description="字" * 200)
    storage.roster.put(agent())
    ticket = carry_out(storage, ticket, assign(), playbook)
    body = ticket.model_dump_json(exclude_defaults=True)
    assert len(body.encode()) < 2048
    assert json.loads(body)["number"] == "CS1"
    assert queue_rank(ticket, playbook).startswith("1#01#2026-03-10T04:00:00")


@pytest.mark.requirement("B10")
def test_a_body_that_changed_since_it_was_read_is_not_rewritten(
    storage: Storage, ticket: Ticket
) -> None:
    """Two erasures may run at once, or one beside a delivery that is being sent."""
    read = item_of(storage, "EVENT#000001")
    assert storage.tickets.rewrite(read, '{"a": 1}')
    assert not storage.tickets.rewrite(read, '{"a": 2}')
    assert item_of(storage, "EVENT#000001")["body"]["S"] == '{"a": 1}'
    assert item_of(storage, "EVENT#000001")["readers"]["S"] == "none"


# Usage


@pytest.mark.requirement("F8")
def test_a_commit_carries_what_was_used_before_it(
    storage: Storage, ticket: Ticket, playbook: Playbook
) -> None:
    used = {"lambda.request": 1.0, "lambda.gb_second": 0.007123, "s3.put": 2.0}
    storage.tickets.spent = lambda desk, number: nullcontext(used)
    assign = c.Assign("technical", "agent-1", by_person=True)
    change(storage, "testdesk", "CS1", assign, playbook, NOON, actor="agent-1")
    commits, usages = storage.tickets.history_with_usage("testdesk", "CS1")
    assert commits == storage.tickets.history("testdesk", "CS1")
    assert usages == {1: {}, 2: used}
    assert item_of(storage, "EVENT#000002")["usage"] == {"S": "L:1 G:0.007123 s3.put:2"}
    assert "usage" not in item_of(storage, "EVENT#000001")


# Queues


@pytest.mark.requirement("A5")
def test_a_queue_lists_vip_first_then_priority_then_age(
    storage: Storage, playbook: Playbook
) -> None:
    vip = request().customer.model_copy(update={"customer_class": "vip"})
    waiting: list[tuple[str, datetime, dict[str, Any]]] = [
        ("CS-young", NOON + MINUTE, {}),
        ("CS-old", NOON, {}),
        ("CS-urgent", NOON + MINUTE, {"priority": "high"}),
        ("CS-vip", NOON + MINUTE, {"customer": vip, "priority": "low"}),
    ]
    for number, at, changes in waiting:
        ticket = file_ticket(storage, playbook, number, at, **changes)
        carry_out(storage, ticket, c.Enqueue("technical"), playbook)
    tickets, cursor = storage.tickets.queue_page(["testdesk#waiting#technical"])
    assert [t.number for t in tickets] == ["CS-vip", "CS-urgent", "CS-old", "CS-young"]
    assert cursor is None


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_pages_over_partitions_show_each_ticket_once(
    storage: Storage, playbook: Playbook, limit: int
) -> None:
    for index in range(7):
        ticket = file_ticket(storage, playbook, f"CS{index}")
        team = "technical" if index % 3 else "general"
        carry_out(storage, ticket, c.Enqueue(team), playbook)
    partitions = [
        "testdesk#waiting#qa", "testdesk#waiting#technical", "testdesk#supervisor",
        "testdesk#waiting#general",
    ]  # fmt: skip
    seen: list[str] = []
    cursor = None
    for _ in range(20):
        tickets, cursor = storage.tickets.queue_page(partitions, cursor, limit)
        assert len(tickets) <= limit
        seen += [ticket.number for ticket in tickets]
        if cursor is None:
            break
    assert cursor is None
    assert sorted(seen) == [f"CS{index}" for index in range(7)]


@pytest.mark.slow
def test_a_page_can_exceed_one_batch_read(storage: Storage, playbook: Playbook) -> None:
    """BatchGetItem reads up to 100 items."""
    for index in range(105):
        ticket = file_ticket(storage, playbook, f"CS{index:03}", NOON + index * MINUTE)
        carry_out(storage, ticket, c.Enqueue("technical"), playbook)
    tickets, cursor = storage.tickets.queue_page(["testdesk#waiting#technical"], limit=200)
    assert [t.number for t in tickets] == [f"CS{index:03}" for index in range(105)]
    assert cursor is None


def test_a_made_up_cursor_is_refused(storage: Storage) -> None:
    contents = (
        "nonsense", "[]", "{}", "3", "null", "[-1]", "[true]", '["0"]', "[5]", "[1e400]",
        "[0, 1, 2, 3, 4]", '[0, "a"]', '[0, "TICKET#x#1", "TICKET", "otherdesk#new", "r"]',
    )  # fmt: skip
    made = [urlsafe_b64encode(content.encode()).decode() for content in contents]
    for cursor in ("%%%", "", *made):
        with pytest.raises(ValueError, match="cursor"):
            storage.tickets.queue_page(["testdesk#new"], cursor)


def test_no_partitions_list_no_tickets(storage: Storage) -> None:
    assert storage.tickets.queue_page([]) == ([], None)


def test_only_a_ticket_that_was_just_received_is_in_no_queue(
    storage: Storage, playbook: Playbook
) -> None:
    """Else all new tickets of a desk would share one partition of the index (C5)."""
    for number in ("CS1", "CS2", "CS3"):
        file_ticket(storage, playbook, number)
    assert storage.tickets.queue_page(["testdesk#new"]) == ([], None)
    for number, at in (("CS2", NOON + PICK_UP_AFTER - MINUTE), ("CS3", NOON + PICK_UP_AFTER)):
        change(
            storage,
            "testdesk",
            number,
            c.CustomerMessage("?", "web"),
            playbook,
            at,
            actor="customer",
        )
    tickets, _ = storage.tickets.queue_page(["testdesk#new"])
    assert [ticket.number for ticket in tickets] == ["CS3"]
    asked = c.AskCustomer("什么？")
    change(storage, "testdesk", "CS1", asked, playbook, NOON, actor="system")
    tickets, _ = storage.tickets.queue_page(["testdesk#new"])
    assert [ticket.number for ticket in tickets] == ["CS1", "CS3"]


def test_the_queue_key_follows_the_ticket(storage: Storage, playbook: Playbook) -> None:
    ticket = received(playbook)
    assert queue_key(ticket) == "testdesk#new"
    ticket = then(ticket, c.Enqueue("technical"), playbook)
    assert queue_key(ticket) == "testdesk#waiting#technical"
    ticket = then(ticket, assign(), playbook)
    assert queue_key(ticket) == "testdesk#agent#agent-1"
    assert queue_key(then(ticket, c.Close("spam"), playbook)) == "testdesk#closed#2026-03"


# The sweep


def due(storage: Storage, at: datetime) -> list[str]:
    return sorted(due.pk for shard in range(SHARDS) for due in storage.tickets.due(shard, at))


def test_a_timer_is_not_due_before_its_time(storage: Storage, playbook: Playbook) -> None:
    ticket = file_ticket(storage, playbook, "CS1")
    assert ticket.next_due is not None
    storage.tickets.move_wake(ticket, ticket.next_due)
    assert due(storage, ticket.next_due - timedelta(microseconds=1)) == []
    assert due(storage, ticket.next_due) == ["TICKET#testdesk#CS1"]


def test_the_sweep_reads_to_the_last_page(storage: Storage, playbook: Playbook) -> None:
    """A page of a query is 1 MB at most; here each is made to hold seven items."""
    for index in range(60):
        file_ticket(storage, playbook, f"CS{index:02}")
    query = storage.table.client.query
    pages = 0

    def short(**arguments: Any) -> Any:
        nonlocal pages
        pages += 1
        return query(**{**arguments, "Limit": 7})

    storage.table.client.query = short  # type: ignore[method-assign]
    found = due(storage, NOON + timedelta(days=30))
    assert found == [f"TICKET#testdesk#CS{index:02}" for index in range(60)]
    assert pages > SHARDS


def test_an_ended_ticket_is_never_due(storage: Storage, playbook: Playbook) -> None:
    file_ticket(storage, playbook, "CS1")
    close = c.Close("spam")
    at = NOON + PICK_UP_AFTER
    change(storage, "testdesk", "CS1", close, playbook, at, actor="agent-1")
    assert due(storage, NOON + timedelta(days=365)) == []


@pytest.mark.requirement("F3")
def test_the_due_key_moves_only_for_the_version_that_was_read(
    storage: Storage, playbook: Playbook, ticket: Ticket
) -> None:
    """A ticket may change after the sweep has read it."""
    change(storage, "testdesk", "CS1", c.SetPriority("high"), playbook, NOON, actor="agent-1")
    before = item_of(storage, "TICKET")
    assert not storage.tickets.move_wake(ticket, ticket.next_due)
    assert item_of(storage, "TICKET") == before
    newest = storage.tickets.load("testdesk", "CS1")
    assert storage.tickets.move_wake(newest, newest.next_due)


# A replica that lags behind


def test_a_ticket_is_at_least_as_new_as_its_event(
    behind: Storage, lagging: Lagging, playbook: Playbook
) -> None:
    ticket = file_ticket(behind, playbook, "CS1")
    lagging.catch_up()
    carry_out(behind, ticket, c.Note("看过"), playbook)
    assert behind.tickets.load_since("testdesk", "CS1", 1).version == 1
    assert behind.tickets.load_since("testdesk", "CS1", 2).version == 2


def test_a_read_that_the_replica_can_answer_is_not_repeated(
    behind: Storage, lagging: Lagging, playbook: Playbook
) -> None:
    file_ticket(behind, playbook, "CS1")
    lagging.catch_up()
    lagging.reads.clear()
    behind.tickets.load_since("testdesk", "CS1", 1)
    behind.tickets.history("testdesk", "CS1", 1)
    behind.tickets.first_commit("testdesk", "CS1")
    assert dict(lagging.reads) == {("get_item", "replica"): 2, ("query", "replica"): 1}


@pytest.mark.requirement("A14")
def test_a_history_includes_the_version_that_the_caller_knows(
    behind: Storage, lagging: Lagging, playbook: Playbook
) -> None:
    ticket = file_ticket(behind, playbook, "CS1")
    lagging.catch_up()
    carry_out(behind, ticket, c.Note("看过"), playbook)
    assert [k.version for k in behind.tickets.history("testdesk", "CS1", 1)] == [1]
    assert [k.version for k in behind.tickets.history("testdesk", "CS1", 2)] == [1, 2]


def test_the_first_commit_is_found_although_the_replica_lags(
    behind: Storage, playbook: Playbook
) -> None:
    file_with(behind, playbook, "CS1", sealed=b"\x01sealed")
    opening = behind.tickets.first_commit("testdesk", "CS1")
    assert opening.commit is not None
    assert opening.sealed == b"\x01sealed"
    assert behind.tickets.first_commit("testdesk", "CS2").commit is None


@pytest.mark.requirement("G2")
def test_a_commit_never_overwrites_a_stored_event(
    storage: Storage, playbook: Playbook, ticket: Ticket
) -> None:
    orphan = key(ticket_key("testdesk", "CS1"), commit_sort_key(2))
    storage.table.client.put_item(TableName=storage.table.name, Item=orphan)
    with pytest.raises(Conflict):
        carry_out(storage, ticket, c.Note("看过"), playbook)
