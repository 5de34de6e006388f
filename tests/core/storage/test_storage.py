"""The table: commits are whole or nothing, places are counted, lists and sweeps reach the end."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.core.domain import commands as c
from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import (
    Conflict,
    DeadLetter,
    NoPlaceLeft,
    NotFound,
    PlaybookError,
    TryAgain,
)
from functions.core.domain.events import NoteAdded, TimersSet
from functions.core.domain.lifecycle import apply, decide, queue_rank
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.command_service import decide_all, write_all
from functions.core.storage.event_codec import dump
from functions.core.storage.store import (
    SHARDS,
    Duplicate,
    IdempotencyRecord,
    Store,
    moment,
    queue_key,
    read_commit,
    read_delivery,
    stamp,
)
from tests.core.sample_desk import (
    NOON,
    SHANGHAI,
    TABLE,
    agent,
    committed,
    file,
    received,
    request,
    then,
)

MINUTE = timedelta(minutes=1)
DELIVERY = Delivery(
    desk="testdesk", number="CS1", version=1, event="TicketReceived", message="ack",
    recipient="customer", channel="sms", to="****8000", claimed_at=NOON, at=NOON,
)  # fmt: skip


def act(
    store: Store, ticket: Ticket, command: c.Command, playbook: Playbook, **options: Any
) -> Ticket:
    """Carry a command out on exactly this version of the ticket."""
    decided = decide_all(store, ticket, command, playbook, NOON)
    return write_all(store, decided, playbook, NOON, "agent-1", **options)


def assign(handler: str = "agent-1", *, by_hand: bool = False) -> c.Assign:
    return c.Assign("technical", handler, by_person=by_hand)


def load_of(store: Store, username: str = "agent-1") -> int:
    found = store.agent("testdesk", username)
    assert found is not None
    return found.load


class TestCommits:
    """A14, G1: a change is one transaction of the ticket, its events and its idempotency."""

    def test_what_was_filed_is_read_back_whole(self, store: Store, playbook: Playbook) -> None:
        filed = file(store, playbook, "CS1")
        loaded = store.load("testdesk", "CS1")
        assert loaded.wakes_at == filed.next_due
        assert loaded.model_copy(update={"wakes_at": None}) == filed

    def test_the_history_makes_the_ticket_again(self, store: Store, playbook: Playbook) -> None:
        """A14, G6: applying every commit in order gives the stored ticket."""
        ticket = file(store, playbook, "CS1")
        store.put_agent(agent())
        ticket = act(store, ticket, assign(), playbook)
        ticket = act(store, ticket, c.Reply("您好"), playbook)
        ticket = act(store, ticket, c.Resolve("重置密码"), playbook)
        again: Ticket | None = None
        for commit in store.history("testdesk", "CS1"):
            again = apply(again, commit)
        assert again == ticket == store.load("testdesk", "CS1")

    def test_who_and_when_stand_with_each_change(self, store: Store, playbook: Playbook) -> None:
        """A14."""
        ticket = file(store, playbook, "CS1")
        act(store, ticket, c.Note("看过"), playbook)
        commit = store.commit_at("testdesk", "CS1", 2)
        assert commit is not None
        assert (commit.actor, commit.at) == ("agent-1", NOON)
        assert commit.events == (NoteAdded(text="看过"),)
        assert store.commit_at("testdesk", "CS1", 3) is None

    def test_the_slower_of_two_changes_conflicts(self, store: Store, playbook: Playbook) -> None:
        ticket = file(store, playbook, "CS1")
        act(store, ticket, c.SetPriority("high"), playbook)
        with pytest.raises(Conflict):
            act(store, ticket, c.SetPriority("low"), playbook)
        assert store.load("testdesk", "CS1").priority == "high"
        assert len(store.history("testdesk", "CS1")) == 2

    def test_a_number_is_given_once(self, store: Store, playbook: Playbook) -> None:
        file(store, playbook, "CS1")
        with pytest.raises(Conflict):
            file(store, playbook, "CS1")

    def test_a_marker_that_is_there_names_the_first_ticket(
        self, store: Store, playbook: Playbook
    ) -> None:
        """G1: a repeated request finds what was filed, and files nothing."""
        idempotency = IdempotencyRecord("testdesk", "webhook", "msg_1", body="digest")
        for number in ("CS1", "CS2"):
            events = decide(None, c.Receive(number, request()), playbook, NOON)
            after = apply(None, committed(None, events, NOON, number))
            try:
                store.commit(
                    None, after, events, actor="customer", rank="1", idempotency=idempotency
                )
            except Duplicate as duplicate:
                found = duplicate.found
        assert found is not None
        assert (found.number, found.body) == ("CS1", "digest")
        with pytest.raises(NotFound):
            store.load("testdesk", "CS2")
        assert store.known("testdesk", idempotency, "h1").idempotency == found
        other = IdempotencyRecord("testdesk", "webhook", "msg_2")
        assert store.known("testdesk", other, "h1").idempotency is None
        assert store.seen(other) is None

    def test_one_request_sent_twenty_times_at_once_is_one_ticket(
        self, store: Store, playbook: Playbook
    ) -> None:
        """G1."""
        idempotency = IdempotencyRecord("testdesk", "api", "key-1")

        def send(index: int) -> bool:
            number = f"CS{index}"
            events = decide(None, c.Receive(number, request()), playbook, NOON)
            after = apply(None, committed(None, events, NOON, number))
            try:
                store.commit(
                    None, after, events, actor="customer", rank="1", idempotency=idempotency
                )
            except Duplicate:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(send, range(20))) == 1

    def test_the_contact_is_kept_sealed_and_only_there(
        self, store: Store, playbook: Playbook
    ) -> None:
        """G4."""
        events = decide(None, c.Receive("CS1", request()), playbook, NOON)
        after = apply(None, committed(None, events, NOON, "CS1"))
        store.commit(None, after, events, actor="customer", rank="1", sealed=b"\x01sealed")
        assert store.opening("testdesk", "CS1").sealed == b"\x01sealed"
        items = store.everything("testdesk", "CS1")
        assert [("sealed" in item) for item in items] == [True, False]
        assert store.opening("testdesk", "CS2").sealed is None

    def test_a_commit_of_a_newer_schema_is_parked(self, store: Store, playbook: Playbook) -> None:
        """G3: what this code cannot read is not misread."""
        file(store, playbook, "CS1")
        store.client.update_item(
            TableName=store.table,
            Key={"pk": {"S": "TICKET#testdesk#CS1"}, "sk": {"S": "EVENT#000001"}},
            UpdateExpression="SET #schema = :new",
            ExpressionAttributeNames={"#schema": "schema"},
            ExpressionAttributeValues={":new": {"N": "99"}},
        )
        with pytest.raises(DeadLetter, match="schema 99"):
            store.history("testdesk", "CS1")

    def test_a_timer_that_started_with_its_commit_says_so_once(
        self, store: Store, playbook: Playbook
    ) -> None:
        """G7: the moment stands beside the events; read back, every timer has it."""
        filed = file(store, playbook, "CS1")
        [commit] = store.history("testdesk", "CS1")
        [told] = commit.of(TimersSet)
        assert told.timers == filed.timers
        assert {timer.started_at for timer in told.timers.values()} == {NOON}
        item = store.everything("testdesk", "CS1")[0]
        assert "started_at" not in item["body"]["S"]
        item["body"]["S"] = dump(commit.events)  # as it was written before
        assert read_commit(item) == commit

    def test_times_are_text_that_sorts(self) -> None:
        early, late = NOON, NOON.astimezone(SHANGHAI) + timedelta(microseconds=1)
        assert stamp(early) < stamp(late)
        assert moment(stamp(late)) == late


class TestPlaces:
    """F2: a ticket takes one of its handler's places in the same transaction."""

    def test_two_tickets_never_take_one_place(self, store: Store, playbook: Playbook) -> None:
        store.put_agent(agent(capacity=1))
        tickets = [file(store, playbook, f"CS{n}") for n in range(6)]

        def claim(ticket: Ticket) -> bool:
            try:
                act(store, ticket, assign(), playbook)
            except NoPlaceLeft:
                return False
            return True

        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(claim, tickets)) == 1
        assert load_of(store) == 1

    def test_an_agent_who_is_away_gets_nothing(self, store: Store, playbook: Playbook) -> None:
        store.put_agent(agent(online=False))
        ticket = file(store, playbook, "CS1")
        with pytest.raises(NoPlaceLeft) as refused:
            act(store, ticket, assign(), playbook)
        assert refused.value.agent == "agent-1"
        assert store.load("testdesk", "CS1").status == "received"

    def test_a_person_may_overfill_an_agent(self, store: Store, playbook: Playbook) -> None:
        """A7: a supervisor changes the handler at any time."""
        store.put_agent(agent(capacity=1, online=False))
        for number in ("CS1", "CS2"):
            act(store, file(store, playbook, number), assign(by_hand=True), playbook)
        assert load_of(store) == 2

    def test_nobody_on_the_roster_gets_nothing(self, store: Store, playbook: Playbook) -> None:
        ticket = file(store, playbook, "CS1")
        with pytest.raises(NoPlaceLeft):
            act(store, ticket, assign("stranger", by_hand=True), playbook)

    @pytest.mark.parametrize(
        "command",
        [c.Resolve("重置密码"), c.Close("spam"), c.Enqueue("general", "supervisor")],
        ids=["resolved", "closed", "queued"],
    )
    def test_a_place_is_given_back_once(
        self, store: Store, playbook: Playbook, command: c.Command
    ) -> None:
        store.put_agent(agent())
        ticket = act(store, file(store, playbook, "CS1"), assign(), playbook)
        assert load_of(store) == 1
        ticket = act(store, ticket, c.Reply("您好"), playbook)
        ticket = act(store, ticket, command, playbook)
        assert load_of(store) == 0
        act(store, ticket, c.Note("后记"), playbook)
        assert load_of(store) == 0

    def test_a_place_moves_with_the_ticket(self, store: Store, playbook: Playbook) -> None:
        store.put_agent(agent())
        store.put_agent(agent("agent-2"))
        ticket = act(store, file(store, playbook, "CS1"), assign(), playbook)
        act(store, ticket, assign("agent-2"), playbook)
        assert (load_of(store), load_of(store, "agent-2")) == (0, 1)
        found = store.agent("testdesk", "agent-2")
        assert found is not None
        assert found.assigned_at == NOON

    def test_changing_an_agent_keeps_presence_and_load(
        self, store: Store, playbook: Playbook
    ) -> None:
        store.put_agent(agent())
        act(store, file(store, playbook, "CS1"), assign(), playbook)
        store.put_agent(agent(capacity=7, team="general", online=False))
        (found,) = store.agents("testdesk")
        assert (found.capacity, found.team, found.online, found.load) == (7, "general", True, 1)
        assert found.has_room

    def test_presence(self, store: Store) -> None:
        store.put_agent(agent())
        store.set_presence("testdesk", "agent-1", online=False)
        (found,) = store.agents("testdesk")
        assert not found.has_room
        with pytest.raises(NotFound):
            store.set_presence("testdesk", "stranger", online=True)
        assert store.agent("testdesk", "stranger") is None


class TestQueues:
    """A5: waiting tickets in the desk's order, page by page over several partitions."""

    def test_vip_first_then_priority_then_age(self, store: Store, playbook: Playbook) -> None:
        """A5."""
        vip = request().customer.model_copy(update={"customer_class": "vip"})
        waiting: list[tuple[str, datetime, dict[str, Any]]] = [
            ("CS-young", NOON + MINUTE, {}),
            ("CS-old", NOON, {}),
            ("CS-urgent", NOON + MINUTE, {"priority": "high"}),
            ("CS-vip", NOON + MINUTE, {"customer": vip, "priority": "low"}),
        ]
        for number, at, changes in waiting:
            ticket = file(store, playbook, number, at, **changes)
            act(store, ticket, c.Enqueue("technical"), playbook)
        tickets, cursor = store.queue(["testdesk#waiting#technical"])
        assert [t.number for t in tickets] == ["CS-vip", "CS-urgent", "CS-old", "CS-young"]
        assert cursor is None

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
    def test_pages_over_partitions_show_each_ticket_once(
        self, store: Store, playbook: Playbook, limit: int
    ) -> None:
        for index in range(7):
            ticket = file(store, playbook, f"CS{index}")
            team = "technical" if index % 3 else "general"
            act(store, ticket, c.Enqueue(team), playbook)
        partitions = [
            "testdesk#waiting#qa", "testdesk#waiting#technical", "testdesk#supervisor",
            "testdesk#waiting#general",
        ]  # fmt: skip
        seen: list[str] = []
        cursor = None
        for _ in range(20):
            tickets, cursor = store.queue(partitions, cursor, limit)
            assert len(tickets) <= limit
            seen += [ticket.number for ticket in tickets]
            if cursor is None:
                break
        assert cursor is None
        assert sorted(seen) == [f"CS{index}" for index in range(7)]

    def test_more_than_one_batch_of_tickets(self, store: Store, playbook: Playbook) -> None:
        """A page may name more tickets than one BatchGetItem reads (100)."""
        for index in range(105):
            file(store, playbook, f"CS{index:03}", NOON + index * MINUTE)
        tickets, cursor = store.queue(["testdesk#new"], limit=200)
        assert [t.number for t in tickets] == [f"CS{index:03}" for index in range(105)]
        assert cursor is None

    def test_a_cursor_that_was_not_given_out_is_refused(self, store: Store) -> None:
        contents = (
            "nonsense", "[]", "{}", "3", "null", "[-1]", "[true]", '["0"]', "[5]", "[1e400]",
            "[0, 1, 2, 3, 4]", '[0, "a"]', '[0, "TICKET#x#1", "TICKET", "otherdesk#new", "r"]',
        )  # fmt: skip
        made = [urlsafe_b64encode(content.encode()).decode() for content in contents]
        for cursor in ("%%%", "", *made):
            with pytest.raises(ValueError, match="cursor"):
                store.queue(["testdesk#new"], cursor)

    def test_no_partitions_no_tickets(self, store: Store) -> None:
        assert store.queue([]) == ([], None)

    def test_where_a_ticket_stands(self, store: Store, playbook: Playbook) -> None:
        ticket = received(playbook)
        assert queue_key(ticket) == "testdesk#new"
        ticket = then(ticket, c.Enqueue("technical"), playbook)
        assert queue_key(ticket) == "testdesk#waiting#technical"
        ticket = then(ticket, assign(), playbook)
        assert queue_key(ticket) == "testdesk#agent#agent-1"
        assert queue_key(then(ticket, c.Close("spam"), playbook)) == "testdesk#closed#2026-03"

    def test_a_contacts_tickets_newest_first(self, store: Store, playbook: Playbook) -> None:
        for index in range(3):
            file(store, playbook, f"CS{index}", NOON + index * MINUTE)
        assert store.tickets_of_contact("testdesk", "h1", 2) == ["CS2", "CS1"]
        assert store.tickets_of_contact("testdesk", "h2", 2) == []


class TestDue:
    """G2, F3: the sweep reads what is due, all of it, and nothing else."""

    def due(self, store: Store, at: Any) -> list[str]:
        return sorted(due.pk for shard in range(SHARDS) for due in store.due(shard, at))

    def test_nothing_is_due_before_its_moment(self, store: Store, playbook: Playbook) -> None:
        ticket = file(store, playbook, "CS1")
        assert ticket.next_due is not None
        assert self.due(store, ticket.next_due - timedelta(microseconds=1)) == []
        assert self.due(store, ticket.next_due) == ["TICKET#testdesk#CS1"]

    def test_it_goes_to_the_last_page(self, store: Store, playbook: Playbook) -> None:
        """A page of a query is 1 MB at most; here each is made to hold seven items."""
        for index in range(60):
            file(store, playbook, f"CS{index:02}")
        query = store.client.query
        pages = 0

        def short(**arguments: Any) -> Any:
            nonlocal pages
            pages += 1
            return query(**{**arguments, "Limit": 7})

        store.client.query = short  # type: ignore[method-assign]
        found = self.due(store, NOON + timedelta(days=30))
        assert found == [f"TICKET#testdesk#CS{index:02}" for index in range(60)]
        assert pages > SHARDS

    def test_what_has_ended_is_never_due(self, store: Store, playbook: Playbook) -> None:
        ticket = file(store, playbook, "CS1")
        act(store, ticket, c.Close("spam"), playbook)
        assert self.due(store, NOON + timedelta(days=365)) == []

    def test_a_delivery_to_try_again(self, store: Store, playbook: Playbook) -> None:
        """G3: what failed for now comes back at its time, as itself."""
        file(store, playbook, "CS1")
        delivery = DELIVERY
        assert store.claim(delivery)
        assert not store.claim(delivery)
        later = delivery.model_copy(update={"state": "retrying", "next_at": NOON + MINUTE})
        assert store.move(later, "claimed")
        assert not store.move(later, "claimed")
        assert "TICKET#testdesk#CS1" in self.due(store, NOON + MINUTE)
        assert store.delivery("testdesk", "CS1", f"DELIVERY#{delivery.id}") == later
        assert store.deliveries("testdesk", "CS1") == [later]
        assert store.delivery("testdesk", "CS1", "DELIVERY#none") is None


def delivery(**changes: Any) -> Delivery:
    given: dict[str, Any] = {
        "desk": "testdesk", "number": "CS1", "version": 2, "event": "TicketAssigned",
        "message": "assigned", "recipient": "team:qa", "channel": "email", "to": "技术支持组",
        "claimed_at": NOON, "at": NOON, "claim": "c1",
        **changes,
    }  # fmt: skip
    return Delivery(**given)


class TestDeliveries:
    """E11: what its keys say stands in no delivery a second time, and is read back all the same."""

    @pytest.mark.parametrize(
        ("changes", "key"),
        [
            ({}, "000002#assigned#team:qa"),
            ({"about": "first_response"}, "000002#assigned#team:qa#first_response"),
            ({"lead": True, "covers": ("000002#told#customer",)}, "000002"),
            ({"at": NOON + timedelta(minutes=1), "text": "您好"}, "000002#assigned#team:qa"),
        ],
    )
    def test_a_delivery_is_read_back(self, store: Store, changes: Any, key: str) -> None:
        put = delivery(**changes)
        assert store.claim(put)
        assert not store.claim(put)
        assert store.deliveries("testdesk", "CS1") == [put]
        assert store.delivery("testdesk", "CS1", f"DELIVERY#{key}") == put
        sent = put.model_copy(update={"state": "sent", "attempts": 1})
        assert store.move(sent, "claimed")
        [found] = store.deliveries("testdesk", "CS1")
        assert found == sent.model_copy(update={"claim": ""})

    def test_one_that_another_covers_is_written_with_its_outcome(self, store: Store) -> None:
        sent = delivery(state="sent", claim="")
        assert store.move(sent, None)
        assert not store.move(sent.model_copy(update={"state": "parked"}), None)
        assert store.deliveries("testdesk", "CS1") == [sent]

    def test_one_that_was_written_whole_is_still_read(self, store: Store) -> None:
        old = delivery(state="sent")
        item = {
            "pk": {"S": "TICKET#testdesk#CS1"},
            "sk": {"S": f"DELIVERY#{old.id}"},
            "state": {"S": "sent"},
            "body": {"S": old.model_dump_json(exclude_defaults=True)},
        }
        assert read_delivery(item) == old


class TestPlaybooks:
    def test_a_new_version_is_seen_within_a_minute(self, store: Store, playbook: Playbook) -> None:
        assert store.put_playbook(playbook, NOON) == 1
        assert store.playbook("testdesk", NOON) == playbook
        changed = playbook.model_copy(update={"default_priority": "low"})
        assert store.put_playbook(changed, NOON) == 2
        assert store.playbook("testdesk", NOON + timedelta(seconds=29)) == playbook
        assert store.playbook("testdesk", NOON + timedelta(seconds=30)) == changed
        assert store.playbook_version("testdesk") == 2

    def test_an_unchanged_one_is_not_read_again(self, store: Store, playbook: Playbook) -> None:
        store.put_playbook(playbook, NOON)
        first = store.playbook("testdesk", NOON)
        assert store.playbook("testdesk", NOON + timedelta(minutes=5)) is first

    def test_a_look_into_the_future_does_not_keep_a_playbook_until_then(
        self, store: Store, playbook: Playbook
    ) -> None:
        """F3: a sweep may be invoked with a later time than now."""
        store.put_playbook(playbook, NOON)
        store.playbook("testdesk", NOON + timedelta(days=30))
        changed = playbook.model_copy(update={"default_priority": "low"})
        store.put_playbook(changed, NOON)
        assert store.playbook("testdesk", NOON) == changed

    def test_who_is_woken_trusts_what_the_writer_read(
        self, store: Store, playbook: Playbook
    ) -> None:
        """G7: no second read within the time that a playbook is trusted from its first one."""
        other = Store(store.client, store.table)
        store.put_playbook(playbook, NOON)
        first = other.playbook("testdesk", NOON)
        later = NOON + timedelta(minutes=5)
        store.playbook("testdesk", later)
        file(store, playbook, "CS1", later)
        store.put_playbook(playbook.model_copy(update={"default_priority": "low"}), later)
        [event] = [i for i in store.everything("testdesk", "CS1") if "playbook" in i]
        assert event["sk"]["S"].startswith("EVENT#")
        heard = later + timedelta(seconds=20)
        other.hear(event, heard)
        assert other.playbook("testdesk", heard) is first
        over = later + timedelta(seconds=30)
        other.hear(event, over)
        assert other.playbook("testdesk", over).default_priority == "low"

    def test_who_hears_of_a_newer_playbook_reads_it_at_once(
        self, store: Store, playbook: Playbook
    ) -> None:
        other = Store(store.client, store.table)
        store.put_playbook(playbook, NOON)
        other.playbook("testdesk", NOON)
        store.put_playbook(playbook.model_copy(update={"default_priority": "low"}), NOON)
        store.playbook("testdesk", NOON)
        file(store, playbook, "CS1")
        [event] = [i for i in store.everything("testdesk", "CS1") if "playbook" in i]
        for ignored in ({**event, "playbook": {"S": "0 1"}}, {"pk": event["pk"]}):
            other.hear(ignored, NOON)
            assert other.playbook("testdesk", NOON).default_priority == "medium"
        other.hear(event, NOON)
        assert other.playbook("testdesk", NOON).default_priority == "low"
        Store(store.client, store.table).hear(event, NOON)

    def test_a_playbook_of_a_later_moment_is_not_heard_of(
        self, store: Store, playbook: Playbook
    ) -> None:
        """F3: a sweep may be invoked with a later time; what it read is not fresh until then."""
        other = Store(store.client, store.table)
        store.put_playbook(playbook, NOON)
        other.playbook("testdesk", NOON)
        store.playbook("testdesk", NOON + timedelta(seconds=50))
        file(store, playbook, "CS1")
        store.put_playbook(playbook.model_copy(update={"default_priority": "low"}), NOON)
        [event] = [i for i in store.everything("testdesk", "CS1") if "playbook" in i]
        other.hear(event, NOON + timedelta(seconds=40))
        found = other.playbook("testdesk", NOON + timedelta(seconds=60))
        assert found.default_priority == "low"

    def test_two_desks_may_not_share_a_mailbox(self, store: Store, playbook: Playbook) -> None:
        """F1: a mail has one desk; `+anything` behind its name is the same mailbox."""
        store.put_playbook(playbook, NOON)
        store.put_playbook(playbook, NOON)
        other = playbook.model_copy(update={"desk": "second"})
        with pytest.raises(PlaybookError, match=r"mail\.address"):
            store.put_playbook(other, NOON)
        assert store.playbook_version("second") is None
        assert store.desk_of_mailbox("Support+CS1@testdesk.local") == "testdesk"
        assert store.desk_of_mailbox("support@elsewhere.local") is None

    def test_a_version_is_stored_once(
        self, store: Store, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.put_playbook(playbook, NOON)
        monkeypatch.setattr(store, "playbook_version", lambda desk: None)
        with pytest.raises(Conflict):
            store.put_playbook(playbook, NOON)

    def test_no_such_desk_or_version(self, store: Store) -> None:
        with pytest.raises(NotFound):
            store.playbook("nowhere", NOON)
        with pytest.raises(NotFound):
            store.playbook_document("nowhere", 1)


class TestRequests:
    def test_serials_are_given_once(self, store: Store) -> None:
        """A3: whoever asks at the same moment gets another serial."""
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: store.next_serial("testdesk", "2026-03-10"), range(40)))
        assert sorted(found) == list(range(1, 41))
        assert store.next_serial("testdesk", "2026-03-11") == 1

    def test_a_contacts_class_is_remembered(self, store: Store) -> None:
        """A5."""
        store.class_contact("testdesk", "h1", "vip")
        assert store.known("testdesk", None, "h1").customer_class == "vip"
        assert store.known("testdesk", None, "h2").customer_class is None
        store.class_contact("testdesk", "h1", None)
        assert store.known("testdesk", None, "h1").customer_class is None

    def test_tokens(self, store: Store) -> None:
        """F4."""
        assert store.token("testdesk", "CS1", "survey") is None
        store.keep_token("testdesk", "CS1", "survey", "token-1", 1)
        assert store.token("testdesk", "CS1", "survey") == ("token-1", 1)
        assert store.token("testdesk", "CS1", "review") is None


class Refusing:
    """A client whose calls fail a number of times before they reach the table."""

    def __init__(self, client: Any, error: ClientError, times: int) -> None:
        self.client, self.error, self.times = client, error, times
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.calls += 1
            if self.calls <= self.times:
                raise self.error
            return getattr(self.client, name)(**arguments)

        return call


def failing(code: str, reasons: list[str] | None = None) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "…"}}
    if reasons is not None:
        answer["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    return ClientError(answer, "TransactWriteItems")


class TestBusyTable:
    """G3: a table that is too busy is a failure that passes, never a loss."""

    @pytest.mark.parametrize(
        "code", ["ProvisionedThroughputExceededException", "ThrottlingException"]
    )
    def test_throttling_is_try_again_for_every_call(
        self, dynamodb: Any, playbook: Playbook, code: str
    ) -> None:
        store = Store(Refusing(dynamodb, failing(code), 10**6), TABLE)  # type: ignore[arg-type]
        calls: list[Any] = [
            lambda: store.load("testdesk", "CS1"),
            lambda: file(store, playbook, "CS1"),
            lambda: store.history("testdesk", "CS1"),
            lambda: store.next_serial("testdesk", "p"),
            lambda: store.queue(["testdesk#new"]),
            lambda: list(store.due(0, NOON)),
            lambda: store.playbook("testdesk", NOON),
            lambda: store.put_agent(agent()),
            lambda: store.set_presence("testdesk", "agent-1", online=True),
            lambda: store.keep_token("testdesk", "CS1", "survey", "t", 1),
        ]
        for call in calls:
            with pytest.raises(TryAgain):
                call()

    def test_another_error_stays_what_it_is(self, dynamodb: Any, playbook: Playbook) -> None:
        error = failing("AccessDeniedException")
        store = Store(Refusing(dynamodb, error, 9), TABLE)  # type: ignore[arg-type]
        calls: list[Any] = [
            lambda: store.load("testdesk", "CS1"),
            lambda: store.set_presence("testdesk", "agent-1", online=True),
            lambda: file(store, playbook, "CS1"),
            lambda: store.claim(DELIVERY),
        ]
        for call in calls:
            with pytest.raises(ClientError):
                call()

    def test_two_transactions_that_meet_are_tried_again(
        self, dynamodb: Any, playbook: Playbook
    ) -> None:
        error = failing("TransactionCanceledException", ["TransactionConflict", "None"])
        client = Refusing(dynamodb, error, 2)
        file(Store(client, TABLE), playbook, "CS1")  # type: ignore[arg-type]
        assert client.calls == 3

    def test_a_transaction_that_never_gets_through_is_try_again(
        self, dynamodb: Any, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("functions.core.storage.store.time.sleep", lambda seconds: None)
        error = failing("TransactionCanceledException", ["None", "ThrottlingError"])
        store = Store(Refusing(dynamodb, error, 10**6), TABLE)  # type: ignore[arg-type]
        with pytest.raises(TryAgain, match="ThrottlingError"):
            file(store, playbook, "CS1")

    def test_a_cancelled_transaction_without_reasons_is_try_again(
        self, dynamodb: Any, playbook: Playbook
    ) -> None:
        error = failing("TransactionCanceledException")
        store = Store(Refusing(dynamodb, error, 9), TABLE)  # type: ignore[arg-type]
        with pytest.raises(TryAgain):
            file(store, playbook, "CS1")

    def test_keys_left_unread_are_asked_for_again(self, store: Store, playbook: Playbook) -> None:
        """UnprocessedKeys of BatchGetItem: read again, or said that they could not be read."""
        for index in range(3):
            file(store, playbook, f"CS{index}")
        batch = store.client.batch_get_item
        answers = 0

        def half(**arguments: Any) -> Any:
            nonlocal answers
            answers += 1
            request = arguments["RequestItems"][store.table]
            first, rest = request["Keys"][:1], request["Keys"][1:]
            part: Any = {store.table: {**request, "Keys": first}}
            answer: Any = batch(RequestItems=part)
            if rest:
                answer["UnprocessedKeys"] = {store.table: {**request, "Keys": rest}}
            return answer

        store.client.batch_get_item = half  # type: ignore[method-assign]
        tickets, _ = store.queue(["testdesk#new"])
        assert sorted(ticket.number for ticket in tickets) == ["CS0", "CS1", "CS2"]
        assert answers == 3

        def none(**arguments: Any) -> Any:
            return {"Responses": {}, "UnprocessedKeys": arguments["RequestItems"]}

        store.client.batch_get_item = none  # type: ignore[method-assign]
        with pytest.raises(TryAgain):
            store.queue(["testdesk#new"])


def test_what_is_stored_is_small(store: Store, playbook: Playbook) -> None:
    """G7: a write unit is 1 KB; the ticket without its conversation has to stay near one."""
    ticket = file(store, playbook, "CS1", description="字" * 200)
    store.put_agent(agent())
    ticket = act(store, ticket, assign(), playbook)
    body = ticket.model_dump_json(exclude_defaults=True)
    assert len(body.encode()) < 2048
    assert json.loads(body)["number"] == "CS1"
    assert queue_rank(ticket, playbook).startswith("1#01#2026-03-10T04:00:00")


def test_a_refused_transaction_leaves_no_trace_on_the_stream(
    store: Store, playbook: Playbook, dynamodb: Any
) -> None:
    """F2: what the tests' stream brings is what was committed, as on AWS."""
    import boto3

    ticket = file(store, playbook, "CS1")
    store.put_agent(agent(capacity=1, online=False))
    streams = boto3.client("dynamodbstreams", region_name="us-east-1")
    arn = dynamodb.describe_table(TableName=store.table)["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]

    def records() -> int:
        start = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return len(streams.get_records(ShardIterator=start)["Records"])

    before = records()
    with pytest.raises(NoPlaceLeft):
        act(store, ticket, c.Assign("technical", "agent-1"), playbook)
    assert records() == before
    assert store.load("testdesk", "CS1").version == 1
