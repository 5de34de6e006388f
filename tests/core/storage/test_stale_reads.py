"""Reads that may be old: nobody ever acts on a version before the one that was announced (F2, G2).

A read at half the cost comes from a replica that may lag behind. Here it always does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from functions.core.domain import commands as c
from functions.core.domain.errors import Conflict
from functions.core.domain.lifecycle import apply, decide
from functions.core.domain.rules import Playbook
from functions.core.platform.settings import Deployment
from functions.core.services.command_service import change
from functions.core.services.create_ticket import NewTicket, TicketCreator, TicketRequest
from functions.core.storage.store import IdempotencyRecord, Store
from functions.router import closing_workflow
from functions.router.consumer import process
from tests.core.lagging_replica import Lagging
from tests.core.sample_desk import NOON, TABLE, agent, committed, file, request
from tests.core.storage.test_storage import act, assign
from tests.notify.deployment import stream_record

PLACE = Deployment("aws", "us-east-1", "123456789012", "test")


@pytest.fixture
def lagging(dynamodb: Any) -> Iterator[Lagging]:
    client = Lagging(dynamodb)
    yield client
    client.close()


@pytest.fixture
def store(lagging: Lagging) -> Store:
    return Store(cast("Any", lagging), TABLE)


@pytest.fixture
def desk(store: Store, lagging: Lagging, playbook: Playbook) -> Store:
    """A desk with somebody at work, of which the replica knows."""
    store.put_playbook(playbook, NOON)
    store.put_agent(agent())
    lagging.catch_up()
    return store


def event(store: Store, version: int) -> Any:
    """The stream's record of one commit of CS1."""
    items = store.everything("testdesk", "CS1", consistent=True)
    [item] = [item for item in items if item["sk"]["S"] == f"EVENT#{version:06}"]
    return stream_record(item)


class TestReading:
    def test_a_ticket_is_as_new_as_the_event_that_told_of_it(
        self, store: Store, lagging: Lagging, playbook: Playbook
    ) -> None:
        ticket = file(store, playbook, "CS1")
        lagging.catch_up()
        act(store, ticket, c.Note("看过"), playbook)
        assert store.load_since("testdesk", "CS1", 1).version == 1
        assert store.load_since("testdesk", "CS1", 2).version == 2

    def test_what_the_replica_knows_costs_no_second_read(
        self, store: Store, lagging: Lagging, playbook: Playbook
    ) -> None:
        file(store, playbook, "CS1")
        lagging.catch_up()
        lagging.reads.clear()
        store.load_since("testdesk", "CS1", 1)
        store.history("testdesk", "CS1", 1)
        store.opening("testdesk", "CS1")
        assert dict(lagging.reads) == {("get_item", "replica"): 2, ("query", "replica"): 1}

    def test_a_history_reaches_to_the_version_that_is_known(
        self, store: Store, lagging: Lagging, playbook: Playbook
    ) -> None:
        """A14: what a customer or an agent is shown is not shorter than its ticket."""
        ticket = file(store, playbook, "CS1")
        lagging.catch_up()
        act(store, ticket, c.Note("看过"), playbook)
        assert [k.version for k in store.history("testdesk", "CS1", 1)] == [1]
        assert [k.version for k in store.history("testdesk", "CS1", 2)] == [1, 2]

    def test_the_first_commit_is_found_wherever_it_is(
        self, store: Store, playbook: Playbook
    ) -> None:
        events = decide(None, c.Receive("CS1", request()), playbook, NOON)
        after = apply(None, committed(None, events, NOON, "CS1"))
        store.commit(None, after, events, actor="customer", rank="1", sealed=b"\x01sealed")
        opening = store.opening("testdesk", "CS1")
        assert opening.commit is not None
        assert opening.sealed == b"\x01sealed"
        assert store.opening("testdesk", "CS2").commit is None


class TestRouting:
    def test_a_ticket_that_the_replica_does_not_know_is_routed(
        self, desk: Store, playbook: Playbook
    ) -> None:
        """F2, A5."""
        file(desk, playbook, "CS1")
        process(event(desk, 1), PLACE, desk, NOON)
        ticket = desk.load("testdesk", "CS1")
        assert (ticket.status, ticket.handler) == ("assigned", "agent-1")

    def test_a_repeated_record_meets_the_newest_ticket_and_changes_nothing(
        self, desk: Store, lagging: Lagging, playbook: Playbook
    ) -> None:
        """F2: decided on what the replica still shows, refused by the condition, left alone."""
        file(desk, playbook, "CS1")
        lagging.catch_up()
        for _ in range(3):
            process(event(desk, 1), PLACE, desk, NOON)
        assert desk.load("testdesk", "CS1").version == 2
        assert [a.load for a in desk.agents("testdesk")] == [1]

    def test_an_answer_wakes_its_workflow_although_the_replica_knows_none(
        self, desk: Store, lagging: Lagging, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """F4, A13."""
        woken: list[tuple[int | None, str]] = []
        monkeypatch.setattr("functions.core.platform.aws.client", lambda service: None)
        monkeypatch.setattr(
            closing_workflow,
            "wake",
            lambda _, store, ticket, kind: woken.append((ticket.score, kind)),
        )
        ticket = file(desk, playbook, "CS1")
        for command in (assign(), c.Reply("您好"), c.Resolve("重置密码")):
            ticket = act(desk, ticket, command, playbook)
        lagging.catch_up()
        ticket = act(desk, ticket, c.AnswerSurvey(5), playbook)
        process(event(desk, ticket.version), PLACE, desk, NOON)
        assert woken == [(5, "survey")]

    def test_what_changes_all_the_time_comes_again(
        self, desk: Store, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """G3: the second look is the last; the stream brings the record once more."""

        def refused(*_: Any, **__: Any) -> None:
            raise Conflict("changed since")

        file(desk, playbook, "CS1")
        monkeypatch.setattr("functions.router.routing.change", refused)
        with pytest.raises(Conflict):
            process(event(desk, 1), PLACE, desk, NOON)


class TestCreation:
    @pytest.fixture
    def creator(self, desk: Store) -> TicketCreator:
        return TicketCreator(
            store=desk,
            seal=lambda desk, number, secret: b"\x01sealed",
            seal_original=lambda desk, number, words: (),
            root_key=bytes(32),
            public_url="https://api.example.com",
        )

    def test_a_repetition_that_the_replica_does_not_know_is_one_ticket(
        self, desk: Store, creator: TicketCreator, playbook: Playbook
    ) -> None:
        """G1: the transaction's condition is the guard, the first look only saves a serial."""
        asked = NewTicket(contact="13800138000", description="无法登录")
        idempotency = IdempotencyRecord("testdesk", "web", "key-1", body=asked.digest)
        numbers = {
            creator.create(playbook, TicketRequest(asked, NOON, idempotency=idempotency)).number
            for _ in range(5)
        }
        [number] = numbers
        items = desk.client.scan(TableName=TABLE)["Items"]
        filed = [item["pk"]["S"] for item in items if item["sk"]["S"] == "TICKET"]
        assert filed == [f"TICKET#testdesk#{number}"]

    def test_what_was_read_before_is_not_read_again(
        self, desk: Store, creator: TicketCreator, lagging: Lagging, playbook: Playbook
    ) -> None:
        """A5: the customer's class comes with it."""
        asked = NewTicket(contact="13800138000", description="无法登录")
        idempotency = IdempotencyRecord("testdesk", "mail", "<1@example.com>")
        known = replace(desk.known("testdesk", idempotency, None), customer_class="vip")
        lagging.reads.clear()
        filed = creator.create(
            playbook, TicketRequest(asked, NOON, idempotency=idempotency, known=known)
        )
        assert not lagging.reads
        assert desk.load("testdesk", filed.number).customer.customer_class == "vip"


def test_a_customer_acts_on_the_ticket_that_was_just_read(
    desk: Store, lagging: Lagging, playbook: Playbook
) -> None:
    """A13: read once for the proof and the decision; a change in between is seen all the same."""
    ticket = file(desk, playbook, "CS1")
    act(desk, ticket, c.Note("看过"), playbook)
    lagging.reads.clear()
    after = change(
        desk, "testdesk", "CS1", c.CustomerMessage("您好", "web"), playbook, NOON,
        actor="customer", loaded=ticket,
    )  # fmt: skip
    assert after.version == 3
    assert dict(lagging.reads) == {("get_item", "newest"): 1}
