"""Tickets merged and parted by the real handlers: agents, customers, mail, archive (A14, G4)."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from functions.core.domain import commands as c
from functions.core.domain.commands.merging import MOST_MERGED
from functions.core.domain.errors import ActionNotAllowed, Conflict, NotFound
from functions.core.domain.events import (
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
from functions.core.services.merging import carried, family, parts, reached, survivor
from functions.core.storage.store import Store
from tests.core.sample_desk import NOON, agent, file

LATER = NOON + timedelta(minutes=10)


@pytest.fixture
def desk(store: Store, playbook: Playbook) -> Store:
    """Two tickets of one customer, the second in an agent's hands."""
    store.put_playbook(playbook, NOON)
    store.put_agent(agent())
    file(store, playbook, "CS1")
    file(store, playbook, "CS2", NOON + timedelta(minutes=1))
    act(store, playbook, "CS2", c.Assign("technical", "agent-1"))
    return store


def act(
    store: Store,
    playbook: Playbook,
    number: str,
    command: c.Command,
    at: datetime = LATER,
    actor: str = "agent-1",
) -> Ticket:
    return change(store, "testdesk", number, command, playbook, at, actor=actor)


def load(store: Store, number: str) -> Ticket:
    return store.load("testdesk", number)


def places(store: Store) -> int:
    found = store.agent("testdesk", "agent-1")
    assert found is not None
    return found.load


def said(store: Store, number: str) -> list[str]:
    """What a ticket's record says was said, as the archive and the export have it."""
    ticket = load(store, number)
    own = TicketRecord(ticket, store.history("testdesk", number))
    found = record(ticket, own.history, (), merged=parts(store, ticket, deliveries=False))
    return [message["text"] for message in found["messages"]]


def test_a_merged_ticket_lies_still(desk: Store, playbook: Playbook) -> None:
    """F2, F3: its place is given back, nothing is due on it any more, both records say who."""
    assert places(desk) == 1
    merged = act(desk, playbook, "CS2", c.Merge("CS1", "同一问题"))
    assert (merged.status, merged.queue, places(desk)) == ("merged", "closed", 0)
    assert merged.next_due is None
    assert {timer.state for timer in merged.timers.values()} == {"cancelled"}
    into = load(desk, "CS1")
    assert (into.status, into.carries) == ("received", ("CS2",))
    for number, name, other in (("CS2", TicketMerged, "CS1"), ("CS1", MergeReceived, "CS2")):
        newest = desk.history("testdesk", number)[-1]
        (event,) = newest.of(name)
        assert isinstance(event, TicketMerged | MergeReceived)
        assert (newest.actor, newest.at) == ("agent-1", LATER)
        assert (event.other, event.reason, event.same_customer) == (other, "同一问题", True)


def test_what_is_written_to_it_goes_on_with_the_survivor(desk: Store, playbook: Playbook) -> None:
    """A14: through any chain; the messages of all stand there once, in order."""
    file(desk, playbook, "CS3", NOON + timedelta(minutes=2), description="第三")
    act(desk, playbook, "CS2", c.Merge("CS1"))
    act(desk, playbook, "CS1", c.Merge("CS3"))
    after = act(desk, playbook, "CS2", c.CustomerMessage("还在吗", "mail"), actor="customer")
    assert after.number == "CS3"
    (event,) = desk.history("testdesk", "CS3")[-1].of(CustomerWrote)
    assert (event.via, event.stranger) == ("CS2", False)
    assert said(desk, "CS3") == ["无法登录", "无法登录", "第三", "还在吗"]
    assert said(desk, "CS2") == ["无法登录"]
    note = change(desk, "testdesk", "CS2", c.Note("退信"), playbook, LATER, actor="system")
    assert note.number == "CS3"
    assert [t.number for t in family(desk, load(desk, "CS2"))] == ["CS3", "CS1", "CS2"]
    assert reached(desk, load(desk, "CS2")) == ["CS1", "CS3"]


def test_what_somebody_else_writes_is_marked(desk: Store, playbook: Playbook) -> None:
    """G4: it neither counts as this customer's answer nor is it shown to this customer."""
    somebody = load(desk, "CS1").customer.model_copy(update={"hash": "h2"})
    file(desk, playbook, "CS3", customer=somebody)
    act(desk, playbook, "CS2", c.RequestInformation("型号？"))
    merged = act(desk, playbook, "CS3", c.Merge("CS2"))
    (event,) = desk.history("testdesk", "CS3")[-1].of(TicketMerged)
    assert not event.same_customer
    assert merged.status == "merged"
    after = act(desk, playbook, "CS3", c.CustomerMessage("我的呢", "web"), actor="customer")
    assert (after.number, after.status) == ("CS2", "awaiting_customer")
    assert desk.history("testdesk", "CS2")[-1].of(CustomerWrote)[0].stranger


def test_undone_it_is_what_it_was(desk: Store, playbook: Playbook) -> None:
    """Status, queue, timers and handler come back; what came meanwhile stays."""
    before = load(desk, "CS2")
    act(desk, playbook, "CS2", c.Merge("CS1"))
    act(desk, playbook, "CS2", c.CustomerMessage("还在吗", "mail"), actor="customer")
    after = act(desk, playbook, "CS2", c.Unmerge("弄错了"), actor="supervisor-1")
    same = ("status", "queue", "team", "handler", "timers", "merged", "next_due")
    for name in same:
        assert getattr(after, name) == getattr(before, name), name
    assert places(desk) == 1
    assert load(desk, "CS1").carries == ()
    assert said(desk, "CS1") == ["无法登录", "还在吗"]
    for number, kind in (("CS2", TicketUnmerged), ("CS1", MergeUndone)):
        newest = desk.history("testdesk", number)[-1]
        (event,) = newest.of(kind)
        assert isinstance(event, TicketUnmerged | MergeUndone)
        assert event.reason == "弄错了"
        assert newest.actor == "supervisor-1"
    assert act(desk, playbook, "CS2", c.CustomerMessage("x", "web")).number == "CS2"


def test_deadlines_that_passed_meanwhile_start_with_what_was_left(
    desk: Store, playbook: Playbook
) -> None:
    """G2: one that is still ahead is kept as it was promised."""
    due = load(desk, "CS2").timers["first_response"].due_at
    assert due is not None
    act(desk, playbook, "CS2", c.Merge("CS1"))
    soon = act(desk, playbook, "CS2", c.Unmerge(), due - timedelta(minutes=1))
    assert soon.timers["first_response"].due_at == due
    act(desk, playbook, "CS2", c.Merge("CS1"), due - timedelta(minutes=1))
    much_later = due + timedelta(days=3)
    late = act(desk, playbook, "CS2", c.Unmerge(), much_later).timers["first_response"]
    assert (late.state, late.due_at) == ("running", much_later + timedelta(minutes=1))


def test_a_paused_timer_stays_paused(desk: Store, playbook: Playbook) -> None:
    act(desk, playbook, "CS2", c.RequestInformation("型号？"))
    before = load(desk, "CS2").timers["resolution"]
    act(desk, playbook, "CS2", c.Merge("CS1"))
    after = act(desk, playbook, "CS2", c.Unmerge())
    assert after.status == "awaiting_customer"
    assert after.timers["resolution"] == before
    assert before.state == "paused"


def test_without_its_handler_it_waits_for_the_team(
    desk: Store, playbook: Playbook, dynamodb: Any
) -> None:
    """Who has left the roster gets no ticket back."""
    act(desk, playbook, "CS2", c.Merge("CS1"))
    key = {"pk": {"S": "DESK#testdesk"}, "sk": {"S": "AGENT#agent-1"}}
    dynamodb.delete_item(TableName=desk.table, Key=key)
    after = act(desk, playbook, "CS2", c.Unmerge())
    assert (after.status, after.queue, after.team) == ("queued", "waiting", "technical")
    assert (after.handler, after.former_handlers) == (None, ("agent-1",))


def test_who_has_no_place_free_gets_it_back_all_the_same(desk: Store, playbook: Playbook) -> None:
    act(desk, playbook, "CS2", c.Merge("CS1"))
    for number in ("CS4", "CS5"):
        file(desk, playbook, number)
        act(desk, playbook, number, c.Assign("technical", "agent-1"))
    after = act(desk, playbook, "CS2", c.Unmerge())
    assert (after.handler, places(desk)) == ("agent-1", 3)


class TestRefusals:
    def test_into_itself(self, desk: Store, playbook: Playbook) -> None:
        with pytest.raises(ActionNotAllowed, match="into itself"):
            act(desk, playbook, "CS1", c.Merge("CS1"))

    def test_twice(self, desk: Store, playbook: Playbook) -> None:
        act(desk, playbook, "CS2", c.Merge("CS1"))
        with pytest.raises(ActionNotAllowed, match="It goes on as CS1"):
            act(desk, playbook, "CS2", c.Merge("CS1"))
        with pytest.raises(ActionNotAllowed, match="It goes on as CS1"):
            act(desk, playbook, "CS2", c.Close("x"))

    def test_into_a_merged_one(self, desk: Store, playbook: Playbook) -> None:
        file(desk, playbook, "CS3")
        act(desk, playbook, "CS2", c.Merge("CS1"))
        with pytest.raises(ActionNotAllowed, match="merge into CS1"):
            act(desk, playbook, "CS3", c.Merge("CS2"))
        with pytest.raises(ActionNotAllowed, match="goes on in this very ticket"):
            act(desk, playbook, "CS1", c.Merge("CS2"))

    def test_into_nothing(self, desk: Store, playbook: Playbook) -> None:
        with pytest.raises(NotFound, match="no ticket CS9 on this desk"):
            act(desk, playbook, "CS1", c.Merge("CS9"))

    def test_an_open_one_into_one_that_has_ended(self, desk: Store, playbook: Playbook) -> None:
        """A request that nobody has solved would be lost in it; the other way is fine."""
        act(desk, playbook, "CS1", c.Close("spam"))
        with pytest.raises(ActionNotAllowed, match="reopen CS1 first"):
            act(desk, playbook, "CS2", c.Merge("CS1"))
        assert act(desk, playbook, "CS1", c.Merge("CS2")).status == "merged"
        assert act(desk, playbook, "CS1", c.Unmerge()).status == "closed"

    def test_what_was_not_merged(self, desk: Store, playbook: Playbook) -> None:
        with pytest.raises(ActionNotAllowed):
            act(desk, playbook, "CS1", c.Unmerge())

    def test_too_many(self, desk: Store, playbook: Playbook) -> None:
        full = load(desk, "CS1").model_copy(
            update={"carries": tuple(f"X{n}" for n in range(MOST_MERGED))}
        )
        store_load = desk.load
        with (
            patch.object(desk, "load", lambda d, n: full if n == "CS1" else store_load(d, n)),
            pytest.raises(ActionNotAllowed, match="the maximum"),
        ):
            act(desk, playbook, "CS2", c.Merge("CS1"))


def test_two_that_are_merged_into_each_other_at_once(desk: Store, playbook: Playbook) -> None:
    """F2: one transaction over both; the second one finds what the first one did."""
    for _ in range(5):

        def one(pair: tuple[str, str]) -> str:
            try:
                return act(desk, playbook, pair[0], c.Merge(pair[1])).status
            except (ActionNotAllowed, Conflict) as refused:
                return type(refused).__name__

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(one, [("CS1", "CS2"), ("CS2", "CS1")]))
        assert sorted(outcomes) == ["ActionNotAllowed", "merged"]
        gone = "CS1" if load(desk, "CS1").merged else "CS2"
        act(desk, playbook, gone, c.Unmerge())


def test_the_other_ticket_s_version_counts_too(desk: Store, playbook: Playbook) -> None:
    """G1: what was decided on both is written on both as they were, or not at all."""
    commit_all, moved = desk.commit_all, iter([True])

    def overtaken(changes: Any, **more: Any) -> None:
        if next(moved, False):
            act(desk, playbook, "CS1", c.Note("x"))
        commit_all(changes, **more)

    with patch.object(desk, "commit_all", overtaken):
        act(desk, playbook, "CS2", c.Merge("CS1"))
    assert [k.events[0].event for k in desk.history("testdesk", "CS1")] == [
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
    """Whatever is merged and parted among four tickets, nothing is lost, doubled or circular."""

    @settings(
        max_examples=25,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(steps=STEPS)
    def test_every_message_is_on_its_survivor_once(
        self, steps: list[tuple[str, str, str]], store: Store, playbook: Playbook
    ) -> None:
        _empty(store)
        store.put_agent(agent(capacity=9))
        texts = []
        for number in NUMBERS:
            file(store, playbook, number, description=f"first of {number}")
            texts.append(f"first of {number}")
        for count, (what, number, other) in enumerate(steps):
            commands: dict[str, c.Command] = {
                "merge": c.Merge(other),
                "unmerge": c.Unmerge(),
                "write": c.CustomerMessage(f"message {count}", "web"),
                "assign": c.Assign("technical", "agent-1"),
            }
            try:
                act(store, playbook, number, commands[what], NOON + timedelta(minutes=count))
            except ActionNotAllowed:
                assert what != "write"
                continue
            if what == "write":
                texts.append(f"message {count}")
            _sound(store, texts)


def _sound(store: Store, texts: list[str]) -> None:
    tickets = {number: load(store, number) for number in NUMBERS}
    for ticket in tickets.values():
        met, at = set(), ticket
        while at.merged is not None:
            assert at.number not in met, "a cycle"
            met.add(at.number)
            assert at.number in tickets[at.merged.into].carries
            at = tickets[at.merged.into]
        assert survivor(store, ticket).number == at.number
        for number in ticket.carries:
            below = tickets[number].merged
            assert below is not None
            assert below.into == ticket.number
        assert (ticket.status == "merged") == (ticket.merged is not None)
    ends = [ticket for ticket in tickets.values() if ticket.merged is None]
    shown = Counter(text for end in ends for text in said(store, end.number))
    assert shown == Counter(texts)
    together = [t.number for end in ends for t in (end, *carried(store, end))]
    assert sorted(together) == list(NUMBERS)
    assert places(store) == sum(t.in_hand_of == "agent-1" for t in tickets.values())


def _empty(store: Store) -> None:
    items = store.client.scan(TableName=store.table)["Items"]
    for item in items:
        store.client.delete_item(TableName=store.table, Key={"pk": item["pk"], "sk": item["sk"]})
