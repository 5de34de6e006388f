"""Eventually consistent reads: no function acts on a version older than the one announced.

Such a read, at half the cost, comes from a replica that may lag behind. Here it always does.
"""

from dataclasses import replace
from typing import Any

import pytest

from functions.core.domain import commands as c
from functions.core.domain.errors import Conflict
from functions.core.domain.rules import Playbook
from functions.core.platform.settings import Deployment
from functions.core.services.command_service import change
from functions.core.services.create_ticket import NewTicket, TicketCreator, TicketRequest
from functions.core.storage.contacts import Conversation
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import IdempotencyRecord
from functions.router import closing_workflow
from functions.router.consumer import process
from tests.core.lagging_replica import Lagging
from tests.core.sample_desk import NOON, TABLE, agent, file_ticket
from tests.core.storage.samples import assign, carry_out, file_with, item_of
from tests.notify.deployment import stream_record

pytestmark = pytest.mark.requirement("F2", "G2")
DEPLOYMENT = Deployment("aws", "us-east-1", "123456789012", "test")


@pytest.fixture
def desk(behind: Storage, lagging: Lagging, playbook: Playbook) -> Storage:
    """Return a desk with an agent, of which the replica knows."""
    behind.playbooks.put(playbook, NOON)
    behind.roster.put(agent())
    lagging.catch_up()
    return behind


def event(storage: Storage, version: int) -> Any:
    """Return the stream's record of one commit of CS1."""
    return stream_record(item_of(storage, f"EVENT#{version:06}"))


class TestRouting:
    @pytest.mark.requirement("F2", "A5")
    def test_a_ticket_that_the_replica_does_not_know_is_routed(
        self, desk: Storage, playbook: Playbook
    ) -> None:
        file_ticket(desk, playbook, "CS1")
        process(event(desk, 1), DEPLOYMENT, desk, NOON)
        ticket = desk.tickets.load("testdesk", "CS1")
        assert (ticket.status, ticket.handler) == ("assigned", "agent-1")

    def test_a_repeated_record_changes_nothing(
        self, desk: Storage, lagging: Lagging, playbook: Playbook
    ) -> None:
        """The condition refuses a decision on the replica's version."""
        file_ticket(desk, playbook, "CS1")
        lagging.catch_up()
        for _ in range(3):
            process(event(desk, 1), DEPLOYMENT, desk, NOON)
        assert desk.tickets.load("testdesk", "CS1").version == 2
        assert [a.load for a in desk.roster.list("testdesk")] == [1]

    @pytest.mark.requirement("F4", "A13")
    def test_a_survey_answer_reaches_its_workflow_despite_the_lag(
        self, desk: Storage, lagging: Lagging, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        woken: list[tuple[int | None, str]] = []
        monkeypatch.setattr("functions.core.platform.aws.client", lambda service: None)
        monkeypatch.setattr(
            closing_workflow,
            "wake",
            lambda _, storage, ticket, kind: woken.append((ticket.score, kind)),
        )
        ticket = file_ticket(desk, playbook, "CS1")
        for command in (assign(), c.Reply("您好"), c.Resolve("重置密码")):
            ticket = carry_out(desk, ticket, command, playbook)
        lagging.catch_up()
        ticket = carry_out(desk, ticket, c.AnswerSurvey(5), playbook)
        process(event(desk, ticket.version), DEPLOYMENT, desk, NOON)
        assert woken == [(5, "survey")]

    @pytest.mark.requirement("G3")
    def test_a_ticket_that_keeps_changing_is_retried_by_the_stream(
        self, desk: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The router reads twice at most."""

        def refused(*_: Any, **__: Any) -> None:
            raise Conflict("changed since")

        file_ticket(desk, playbook, "CS1")
        monkeypatch.setattr("functions.router.routing.change", refused)
        with pytest.raises(Conflict):
            process(event(desk, 1), DEPLOYMENT, desk, NOON)


class TestCreation:
    @pytest.fixture
    def creator(self, desk: Storage) -> TicketCreator:
        return TicketCreator(
            storage=desk,
            seal=lambda desk, number, secret: b"\x01sealed",
            seal_original=lambda desk, number, words: (),
            root_key=bytes(32),
            public_url="https://api.example.com",
        )

    @pytest.mark.requirement("G1")
    def test_a_repeated_request_makes_one_ticket_despite_the_lag(
        self, desk: Storage, creator: TicketCreator, playbook: Playbook
    ) -> None:
        """The transaction's condition decides; the first read only saves a serial."""
        asked = NewTicket(contact="13800138000", description="无法登录")
        idempotency = IdempotencyRecord("testdesk", "web", "key-1", body=asked.digest)
        numbers = {
            creator.create(playbook, TicketRequest(asked, NOON, idempotency=idempotency)).number
            for _ in range(5)
        }
        [number] = numbers
        items = desk.table.client.scan(TableName=TABLE)["Items"]
        filed = [item["pk"]["S"] for item in items if item["sk"]["S"] == "TICKET"]
        assert filed == [f"TICKET#testdesk#{number}"]

    @pytest.mark.requirement("A5")
    def test_creating_a_ticket_does_not_repeat_earlier_reads(
        self, desk: Storage, creator: TicketCreator, lagging: Lagging, playbook: Playbook
    ) -> None:
        """The caller passes the customer's class."""
        asked = NewTicket(contact="13800138000", description="无法登录")
        idempotency = IdempotencyRecord("testdesk", "mail", "<1@example.com>")
        known = replace(desk.contacts.known("testdesk", idempotency, None), customer_class="vip")
        lagging.reads.clear()
        filed = creator.create(
            playbook, TicketRequest(asked, NOON, idempotency=idempotency, known=known)
        )
        assert not lagging.reads
        assert desk.tickets.load("testdesk", filed.number).customer.class_once_proven == "vip"


@pytest.mark.requirement("A13")
def test_a_customer_s_message_uses_the_ticket_read_for_the_proof(
    desk: Storage, lagging: Lagging, playbook: Playbook
) -> None:
    """A change in between is still noticed."""
    ticket = file_ticket(desk, playbook, "CS1")
    carry_out(desk, ticket, c.Note("看过"), playbook)
    lagging.reads.clear()
    after = change(
        desk, "testdesk", "CS1", c.CustomerMessage("您好", "web"), playbook, NOON,
        actor="customer", loaded=ticket,
    )  # fmt: skip
    assert after.version == 3
    assert dict(lagging.reads) == {("get_item", "newest"): 1}


def test_failed_attempts_count_at_once(behind: Storage) -> None:
    assert [behind.failed_attempts.add("testdesk", "CS1", NOON) for _ in range(2)] == [1, 2]


def test_the_second_of_two_chat_messages_finds_the_ticket_of_the_first(
    behind: Storage, playbook: Playbook
) -> None:
    message = IdempotencyRecord("testdesk", "line", "1")
    opened = Conversation("testdesk", "h1")
    file_with(behind, playbook, "CS1", conversation=opened, idempotency=message)
    known, conversation = behind.contacts.conversation(message, "h1")
    assert (conversation.number, known.idempotency is not None) == ("CS1", True)
