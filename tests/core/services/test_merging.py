"""Merging and unmerging: both tickets, messages, timers, capacity, concurrency."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from functions.core.domain import commands as c
from functions.core.domain.commands.merging import MAX_MERGED
from functions.core.domain.errors import ActionNotAllowed, Conflict, NotFound
from functions.core.domain.events import (
    Commit,
    CustomerWrote,
    MergeReceived,
    MergeUndone,
    TicketMerged,
    TicketUnmerged,
)
from functions.core.domain.record import TicketRecord, record
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.command_service import change
from functions.core.services.merging import (
    merge_group,
    merge_target,
    merged_records,
    merged_tickets,
    past_merge_targets,
)
from functions.core.storage.database import Storage
from tests.core.sample_desk import NOON, agent, file_ticket

pytestmark = pytest.mark.requirement("A14", "G4")
LATER = NOON + timedelta(minutes=10)


@pytest.fixture
def desk(storage: Storage, playbook: Playbook) -> Storage:
    """Two tickets of one customer, the second assigned to an agent."""
    storage.playbooks.put(playbook, NOON)
    storage.roster.put(agent())
    open_ticket(storage, "CS1")
    open_ticket(storage, "CS2", NOON + timedelta(minutes=1))
    carry_out(storage, "CS2", c.Assign("technical", "agent-1"))
    return storage


def carry_out(
    storage: Storage, number: str, command: c.Command, at: datetime = LATER, actor: str = "agent-1"
) -> Ticket:
    playbook = storage.playbooks.get("testdesk", at)
    return change(storage, "testdesk", number, command, playbook, at, actor=actor)


def open_ticket(storage: Storage, number: str, at: datetime = NOON, **changes: Any) -> None:
    file_ticket(storage, storage.playbooks.get("testdesk", at), number, at, **changes)


def newest(storage: Storage, number: str) -> Commit:
    return storage.tickets.history("testdesk", number)[-1]


def load(storage: Storage, number: str) -> Ticket:
    return storage.tickets.load("testdesk", number)


def agent_load(storage: Storage) -> int:
    found = storage.roster.get("testdesk", "agent-1")
    assert found is not None
    return found.load


def recorded_messages(storage: Storage, number: str) -> list[str]:
    """Return the messages in a ticket's record, as the archive and the export have it."""
    ticket = load(storage, number)
    own = TicketRecord(ticket, storage.tickets.history("testdesk", number))
    found = record(ticket, own.history, (), merged=merged_records(storage, ticket))
    return [message["text"] for message in found["messages"]]


@pytest.mark.requirement("F2", "F3")
def test_a_merged_ticket_frees_capacity_and_has_no_timers(desk: Storage) -> None:
    assert agent_load(desk) == 1
    merged = carry_out(desk, "CS2", c.Merge("CS1", "同一问题"))
    assert (merged.status, merged.queue, agent_load(desk)) == ("merged", "closed", 0)
    assert merged.next_due is None
    assert {timer.state for timer in merged.timers.values()} == {"cancelled"}
    into = load(desk, "CS1")
    assert (into.status, into.carries) == ("received", ("CS2",))
    for number, name, other in (("CS2", TicketMerged, "CS1"), ("CS1", MergeReceived, "CS2")):
        commit = newest(desk, number)
        (event,) = commit.of(name)
        assert isinstance(event, TicketMerged | MergeReceived)
        assert (commit.actor, commit.at) == ("agent-1", LATER)
        assert (event.other, event.reason, event.same_customer) == (other, "同一问题", True)


def test_messages_to_a_merged_ticket_go_to_its_merge_target(
    desk: Storage, playbook: Playbook
) -> None:
    """Through any chain; the record lists all messages once, in order."""
    open_ticket(desk, "CS3", NOON + timedelta(minutes=2), description="第三")
    carry_out(desk, "CS2", c.Merge("CS1"))
    carry_out(desk, "CS1", c.Merge("CS3"))
    after = carry_out(desk, "CS2", c.CustomerMessage("还在吗", "mail"), actor="customer")
    assert after.number == "CS3"
    (event,) = newest(desk, "CS3").of(CustomerWrote)
    assert (event.via, event.stranger) == ("CS2", False)
    assert recorded_messages(desk, "CS3") == ["无法登录", "无法登录", "第三", "还在吗"]
    assert recorded_messages(desk, "CS2") == ["无法登录"]
    note = change(desk, "testdesk", "CS2", c.Note("退信"), playbook, LATER, actor="system")
    assert note.number == "CS3"
    assert [t.number for t in merge_group(desk, load(desk, "CS2"))] == ["CS3", "CS1", "CS2"]
    assert past_merge_targets(desk, load(desk, "CS2")) == ["CS1", "CS3"]


def test_another_customer_s_message_is_marked(desk: Storage) -> None:
    """It neither counts as this customer's answer nor is it shown to this customer."""
    somebody = load(desk, "CS1").customer.model_copy(update={"hash": "h2"})
    open_ticket(desk, "CS3", customer=somebody)
    carry_out(desk, "CS2", c.RequestInformation("型号？"))
    merged = carry_out(desk, "CS3", c.Merge("CS2"))
    (event,) = newest(desk, "CS3").of(TicketMerged)
    assert not event.same_customer
    assert merged.status == "merged"
    after = carry_out(desk, "CS3", c.CustomerMessage("我的呢", "web"), actor="customer")
    assert (after.number, after.status) == ("CS2", "awaiting_customer")
    assert newest(desk, "CS2").of(CustomerWrote)[0].stranger


def test_unmerging_restores_the_ticket(desk: Storage) -> None:
    """Status, queue, timers and handler come back; messages written meanwhile stay."""
    before = load(desk, "CS2")
    carry_out(desk, "CS2", c.Merge("CS1"))
    carry_out(desk, "CS2", c.CustomerMessage("还在吗", "mail"), actor="customer")
    after = carry_out(desk, "CS2", c.Unmerge("弄错了"), actor="supervisor-1")
    for name in ("status", "queue", "team", "handler", "timers", "merged", "next_due"):
        assert getattr(after, name) == getattr(before, name), name
    assert agent_load(desk) == 1
    assert load(desk, "CS1").carries == ()
    assert recorded_messages(desk, "CS1") == ["无法登录", "还在吗"]
    for number, kind in (("CS2", TicketUnmerged), ("CS1", MergeUndone)):
        commit = newest(desk, number)
        (undone,) = commit.of(kind)
        assert isinstance(undone, TicketUnmerged | MergeUndone)
        assert undone.reason == "弄错了"
        assert commit.actor == "supervisor-1"
    assert carry_out(desk, "CS2", c.CustomerMessage("x", "web")).number == "CS2"


@pytest.mark.requirement("G2")
def test_unmerging_gives_a_passed_deadline_the_time_that_was_left(desk: Storage) -> None:
    """A deadline that is still ahead is kept."""
    due = load(desk, "CS2").timers["first_response"].due_at
    assert due is not None
    carry_out(desk, "CS2", c.Merge("CS1"))
    soon = carry_out(desk, "CS2", c.Unmerge(), due - timedelta(minutes=1))
    assert soon.timers["first_response"].due_at == due
    carry_out(desk, "CS2", c.Merge("CS1"), due - timedelta(minutes=1))
    much_later = due + timedelta(days=3)
    late = carry_out(desk, "CS2", c.Unmerge(), much_later).timers["first_response"]
    assert (late.state, late.due_at) == ("running", much_later + timedelta(minutes=1))


def test_unmerging_leaves_a_paused_timer_paused(desk: Storage) -> None:
    carry_out(desk, "CS2", c.RequestInformation("型号？"))
    before = load(desk, "CS2").timers["resolution"]
    carry_out(desk, "CS2", c.Merge("CS1"))
    after = carry_out(desk, "CS2", c.Unmerge())
    assert after.status == "awaiting_customer"
    assert after.timers["resolution"] == before
    assert before.state == "paused"


def test_unmerging_queues_a_ticket_whose_handler_has_left(desk: Storage, dynamodb: Any) -> None:
    carry_out(desk, "CS2", c.Merge("CS1"))
    key = {"pk": {"S": "DESK#testdesk"}, "sk": {"S": "AGENT#agent-1"}}
    dynamodb.delete_item(TableName=desk.table.name, Key=key)
    after = carry_out(desk, "CS2", c.Unmerge())
    assert (after.status, after.queue, after.team) == ("queued", "waiting", "technical")
    assert (after.handler, after.former_handlers) == (None, ("agent-1",))


def test_unmerging_ignores_the_handler_s_capacity(desk: Storage) -> None:
    carry_out(desk, "CS2", c.Merge("CS1"))
    for number in ("CS4", "CS5"):
        open_ticket(desk, number)
        carry_out(desk, number, c.Assign("technical", "agent-1"))
    after = carry_out(desk, "CS2", c.Unmerge())
    assert (after.handler, agent_load(desk)) == ("agent-1", 3)


class TestRefusals:
    def test_a_ticket_is_not_merged_into_itself(self, desk: Storage) -> None:
        with pytest.raises(ActionNotAllowed, match="into itself"):
            carry_out(desk, "CS1", c.Merge("CS1"))

    def test_a_ticket_is_not_merged_twice(self, desk: Storage) -> None:
        carry_out(desk, "CS2", c.Merge("CS1"))
        with pytest.raises(ActionNotAllowed, match="It goes on as CS1"):
            carry_out(desk, "CS2", c.Merge("CS1"))
        with pytest.raises(ActionNotAllowed, match="It goes on as CS1"):
            carry_out(desk, "CS2", c.Close("x"))

    def test_a_merged_ticket_is_no_merge_target(self, desk: Storage) -> None:
        open_ticket(desk, "CS3")
        carry_out(desk, "CS2", c.Merge("CS1"))
        with pytest.raises(ActionNotAllowed, match="Merge into CS1"):
            carry_out(desk, "CS3", c.Merge("CS2"))
        with pytest.raises(ActionNotAllowed, match="was merged into this ticket"):
            carry_out(desk, "CS1", c.Merge("CS2"))

    def test_a_missing_ticket_is_no_merge_target(self, desk: Storage) -> None:
        with pytest.raises(NotFound, match="no ticket CS9 on this desk"):
            carry_out(desk, "CS1", c.Merge("CS9"))

    def test_an_open_ticket_is_not_merged_into_an_ended_one(self, desk: Storage) -> None:
        """An unsolved request would be lost in it; the other way is allowed."""
        carry_out(desk, "CS1", c.Close("spam"))
        with pytest.raises(ActionNotAllowed, match="reopen CS1 first"):
            carry_out(desk, "CS2", c.Merge("CS1"))
        assert carry_out(desk, "CS1", c.Merge("CS2")).status == "merged"
        assert carry_out(desk, "CS1", c.Unmerge()).status == "closed"

    def test_a_ticket_that_is_not_merged_is_not_unmerged(self, desk: Storage) -> None:
        with pytest.raises(ActionNotAllowed):
            carry_out(desk, "CS1", c.Unmerge())

    def test_a_merge_target_takes_only_so_many_tickets(self, desk: Storage) -> None:
        carries = tuple(f"X{n}" for n in range(MAX_MERGED))
        tickets = {"CS1": load(desk, "CS1").model_copy(update={"carries": carries})}
        tickets["CS2"] = load(desk, "CS2")
        with (
            patch.object(desk.tickets, "load", lambda _desk, number: tickets[number]),
            pytest.raises(ActionNotAllowed, match="the maximum"),
        ):
            carry_out(desk, "CS2", c.Merge("CS1"))


@pytest.mark.requirement("F2")
def test_concurrent_merges_into_each_other_make_no_cycle(desk: Storage) -> None:
    for _ in range(5):

        def one(pair: tuple[str, str]) -> str:
            try:
                return carry_out(desk, pair[0], c.Merge(pair[1])).status
            except (ActionNotAllowed, Conflict) as refused:
                return type(refused).__name__

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(one, [("CS1", "CS2"), ("CS2", "CS1")]))
        assert sorted(outcomes) == ["ActionNotAllowed", "merged"]
        gone = "CS1" if load(desk, "CS1").merged else "CS2"
        carry_out(desk, gone, c.Unmerge())


@pytest.mark.requirement("G1")
def test_a_merge_checks_the_versions_of_both_tickets(desk: Storage) -> None:
    commit_all, moved = desk.tickets.commit_all, iter([True])

    def overtaken(changes: Any, **more: Any) -> None:
        if next(moved, False):
            carry_out(desk, "CS1", c.Note("x"))
        commit_all(changes, **more)

    with patch.object(desk.tickets, "commit_all", overtaken):
        carry_out(desk, "CS2", c.Merge("CS1"))
    assert [k.events[0].event for k in desk.tickets.history("testdesk", "CS1")] == [
        "TicketReceived", "NoteAdded", "MergeReceived",
    ]  # fmt: skip
    assert load(desk, "CS2").version == 3


NUMBERS = ("CS1", "CS2", "CS3", "CS4")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("merge"), st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)),
        st.tuples(st.just("unmerge"), st.sampled_from(NUMBERS), st.just("")),
        st.tuples(st.just("write"), st.sampled_from(NUMBERS), st.just("")),
        st.tuples(st.just("assign"), st.sampled_from(NUMBERS), st.just("")),
    ),
    max_size=12,
)


class TestAnySequence:
    """No sequence of merges among four tickets loses or doubles a message, or makes a cycle."""

    @pytest.mark.slow
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(steps=STEPS)
    def test_every_message_is_on_its_merge_target_once(
        self, steps: list[tuple[str, str, str]], storage: Storage, playbook: Playbook
    ) -> None:
        _delete_everything(storage)
        storage.playbooks.put(playbook, NOON)
        storage.roster.put(agent(capacity=9))
        texts = []
        for number in NUMBERS:
            open_ticket(storage, number, description=f"first of {number}")
            texts.append(f"first of {number}")
        for count, (what, number, other) in enumerate(steps):
            commands: dict[str, c.Command] = {
                "merge": c.Merge(other),
                "unmerge": c.Unmerge(),
                "write": c.CustomerMessage(f"message {count}", "web"),
                "assign": c.Assign("technical", "agent-1"),
            }
            try:
                carry_out(storage, number, commands[what], NOON + timedelta(minutes=count))
            except ActionNotAllowed:
                assert what != "write"
                continue
            if what == "write":
                texts.append(f"message {count}")
            _check_invariants(storage, texts)


def _check_invariants(storage: Storage, texts: list[str]) -> None:
    tickets = {number: load(storage, number) for number in NUMBERS}
    for ticket in tickets.values():
        met, at = set(), ticket
        while at.merged is not None:
            assert at.number not in met, "a cycle"
            met.add(at.number)
            assert at.number in tickets[at.merged.into].carries
            at = tickets[at.merged.into]
        assert merge_target(storage, ticket).number == at.number
        for number in ticket.carries:
            below = tickets[number].merged
            assert below is not None
            assert below.into == ticket.number
        assert (ticket.status == "merged") == (ticket.merged is not None)
    ends = [ticket for ticket in tickets.values() if ticket.merged is None]
    shown = Counter(text for end in ends for text in recorded_messages(storage, end.number))
    assert shown == Counter(texts)
    together = [t.number for end in ends for t in (end, *merged_tickets(storage, end))]
    assert sorted(together) == list(NUMBERS)
    assert agent_load(storage) == sum(t.in_hand_of == "agent-1" for t in tickets.values())


def _delete_everything(storage: Storage) -> None:
    items = storage.table.client.scan(TableName=storage.table.name)["Items"]
    for item in items:
        storage.table.client.delete_item(
            TableName=storage.table.name, Key={"pk": item["pk"], "sk": item["sk"]}
        )
