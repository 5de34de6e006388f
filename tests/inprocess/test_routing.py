"""Routing from the stream: team, VIP, capacity, supervisors, 待确认."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from functions.core.domain import commands as c
from functions.core.domain.ticket import Ticket
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.storage.tickets import Tickets
from infra.simulator.simulator import Simulator

pytestmark = pytest.mark.requirement("A5", "A6", "A7", "D7", "F2", "E11")


def file_ticket(simulator: Simulator, description: str, **more: Any) -> str:
    body = {"contact": "13800138000", "description": description, **more}
    answer = simulator.http("POST", "/desks/standard/tickets", body)
    assert answer.status == 201, answer.text
    return str(answer.json["number"])


def carry_out(storage: Storage, number: str, command: c.Command, actor: str = "li-1") -> Ticket:
    now = datetime.now(UTC)
    playbook = storage.playbooks.get("standard", now)
    return change(storage, "standard", number, command, playbook, now, actor=actor)


def ticket(storage: Storage, number: str) -> Ticket:
    return storage.tickets.load("standard", number)


def load(storage: Storage, username: str) -> int:
    agent = storage.roster.get("standard", username)
    assert agent is not None
    return agent.load


@pytest.mark.requirement("A5", "D7")
def test_tickets_are_assigned_round_robin(simulator: Simulator, storage: Storage) -> None:
    for username in ("li-1", "li-2"):
        storage.roster.set_presence("standard", username, online=True)
    found = [file_ticket(simulator, "无法登录") for _ in range(4)]
    simulator.pump()
    handlers = [ticket(storage, number).handler for number in found]
    assert sorted(str(handler) for handler in handlers) == ["li-1", "li-1", "li-2", "li-2"]
    assert load(storage, "li-1") == load(storage, "li-2") == 2


@pytest.mark.requirement("D7", "E11")
def test_nobody_gets_more_than_the_capacity(simulator: Simulator, storage: Storage) -> None:
    """Capacity five, seven tickets; the rest waits for free capacity."""
    storage.roster.set_presence("standard", "li-1", online=True)
    found = [file_ticket(simulator, "无法登录") for _ in range(7)]
    simulator.pump()
    by_status = [ticket(storage, number).status for number in found]
    assert by_status.count("assigned") == 5
    assert by_status.count("queued") == 2
    first = next(number for number in found if ticket(storage, number).status == "assigned")
    carry_out(storage, first, c.Resolve("已重置密码"))
    simulator.pump()
    assert load(storage, "li-1") == 5
    assert [ticket(storage, number).status for number in found].count("queued") == 1


@pytest.mark.requirement("A5")
def test_coming_online_assigns_waiting_tickets_vip_first(
    simulator: Simulator, storage: Storage
) -> None:
    plain = [file_ticket(simulator, "无法登录") for _ in range(5)]
    vip = file_ticket(simulator, "无法登录", contact="13800138001")
    carry_out(storage, vip, c.SetCustomerClass("vip"), "zg-1")
    simulator.pump()
    storage.roster.set_presence("standard", "li-1", online=True)
    simulator.pump()
    assert ticket(storage, vip).handler == "li-1"
    assert [ticket(storage, number).handler for number in plain] == ["li-1"] * 4 + [None]


@pytest.mark.requirement("A7")
def test_high_urgency_goes_to_the_supervisors(simulator: Simulator, storage: Storage) -> None:
    """By the given urgency or the text; a supervisor can change the handler."""
    storage.roster.set_presence("standard", "li-1", online=True)
    for number in (
        file_ticket(simulator, "无法登录", urgency="高"),
        file_ticket(simulator, "系统崩溃，所有人都无法工作"),
    ):
        simulator.pump()
        found = ticket(storage, number)
        assert (found.status, found.queue, found.priority) == ("queued", "supervisor", "高")
    given = carry_out(storage, number, c.Assign("技术支持组", "li-2", by_person=True), "zg-1")
    assert (given.status, given.handler) == ("assigned", "li-2")
    assert (
        carry_out(storage, number, c.Assign("技术支持组", "li-1", by_person=True), "zg-1").handler
        == "li-1"
    )
    assert (load(storage, "li-1"), load(storage, "li-2")) == (1, 0)


@pytest.mark.requirement("A6")
def test_a_vague_request_waits_for_confirmation(simulator: Simulator, storage: Storage) -> None:
    """待确认 for ten minutes; confirmation routes it."""
    storage.roster.set_presence("standard", "li-1", online=True)
    number = file_ticket(simulator, "功能异常")
    simulator.pump()
    found = ticket(storage, number)
    assert found.status == "pending_confirmation"
    timer = found.timers["confirm_type"]
    assert timer.due_at is not None
    assert timer.started_at is not None
    assert (timer.due_at - timer.started_at).total_seconds() == 600
    carry_out(storage, number, c.ConfirmType(type="报障", tags=("无法登录",)))
    simulator.pump()
    found = ticket(storage, number)
    assert (found.status, found.handler, found.type) == ("assigned", "li-1", "报障")
    assert found.timers["confirm_type"].state == "met"


@pytest.mark.requirement("F2", "G1")
def test_a_repeated_record_routes_once(simulator: Simulator, storage: Storage) -> None:
    storage.roster.set_presence("standard", "li-1", online=True)
    number = file_ticket(simulator, "无法登录")
    records = simulator._records()
    for _ in range(3):
        simulator.deliver(records)
        simulator.deliver(records[::-1])
    simulator.pump()
    assert ticket(storage, number).version == 2
    assert load(storage, "li-1") == 1


@pytest.mark.requirement("G3", "F2")
def test_a_poison_record_is_dead_lettered_and_the_others_go_on(
    simulator: Simulator, storage: Storage
) -> None:
    number = file_ticket(simulator, "无法登录")
    good = simulator._records()
    poison = [dict(record) for record in good if "EVENT#" in repr(record)]
    for record in poison:
        image = {**record["dynamodb"]["NewImage"], "body": {"S": "{broken"}}
        record["dynamodb"] = {**record["dynamodb"], "NewImage": image}
    assert simulator.invoke("router", {"Records": [*poison, *good]}) == {"batchItemFailures": []}
    assert ticket(storage, number).status == "queued"
    sqs = boto3.client("sqs")
    queue = sqs.get_queue_url(QueueName=f"{simulator.deployment.prefix}-router-dlq")["QueueUrl"]
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert "not a list of events" in message["Body"]
    assert "broken" in message["Body"]


@pytest.mark.requirement("F2")
def test_a_throttled_table_fails_the_record_alone(
    simulator: Simulator, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.core.domain.errors import TryAgain

    number = file_ticket(simulator, "无法登录")
    records = [record for record in simulator._records() if "EVENT#" in repr(record)]

    def busy(*_: Any, **__: Any) -> None:
        raise TryAgain("throttled")

    with monkeypatch.context() as patch:
        patch.setattr(Tickets, "commit_all", busy)
        answer = simulator.invoke("router", {"Records": records})
    sequence = records[0]["dynamodb"]["SequenceNumber"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": sequence}]}
    simulator.invoke("router", {"Records": records})
    assert ticket(storage, number).status == "queued"


@pytest.mark.requirement("A13")
def test_a_reopened_ticket_is_routed_again(simulator: Simulator, storage: Storage) -> None:
    """It goes to any free member of its team; only a second handling goes a level up."""
    storage.roster.set_presence("standard", "li-1", online=True)
    number = file_ticket(simulator, "无法登录")
    simulator.pump()
    carry_out(storage, number, c.Resolve("已重置"))
    carry_out(storage, number, c.Reopen("还是不行"), "zg-1")
    simulator.pump()
    found = ticket(storage, number)
    assert (found.status, found.handler, found.level) == ("assigned", "li-1", 0)
    assert load(storage, "li-1") == 1


@pytest.mark.requirement("A5", "A7")
def test_a_waiting_ticket_is_rerouted_after_a_priority_change(
    simulator: Simulator, storage: Storage
) -> None:
    number = file_ticket(simulator, "我无法登录")
    other = file_ticket(simulator, "支付失败")
    simulator.pump()
    assert carry_out(storage, number, c.SetPriority("高")).team == "技术支持组"
    records = simulator._records()
    simulator.deliver(records)
    simulator.pump()
    found = ticket(storage, number)
    assert (found.queue, found.team, found.handler) == ("supervisor", "主管组", None)
    assert ticket(storage, other).queue == "waiting"
    version = found.version
    simulator.deliver(records)
    assert ticket(storage, number).version == version
    carry_out(storage, number, c.SetPriority("中"))
    simulator.pump()
    found = ticket(storage, number)
    assert (found.queue, found.team) == ("waiting", "技术支持组")


@pytest.mark.requirement("A5", "E3")
def test_a_higher_priority_moves_a_ticket_up_its_queue(
    simulator: Simulator, storage: Storage
) -> None:
    first, second = (file_ticket(simulator, "我要退货", urgency="低") for _ in range(2))
    simulator.pump()
    carry_out(storage, second, c.SetPriority("中"))
    simulator.pump()
    waiting, _ = storage.tickets.queue_page(["standard#waiting#售后组"], None, 10)
    assert [found.number for found in waiting] == [second, first]


@pytest.mark.requirement("A7")
def test_a_priority_change_does_not_undo_a_persons_decision(
    simulator: Simulator, storage: Storage
) -> None:
    number = file_ticket(simulator, "我无法登录")
    simulator.pump()
    carry_out(storage, number, c.Enqueue("技术支持组", queue="supervisor"))
    carry_out(storage, number, c.SetPriority("低"))
    simulator.pump()
    assert ticket(storage, number).queue == "supervisor"
    carry_out(storage, number, c.Assign("技术支持组", "li-1", by_person=True))
    carry_out(storage, number, c.SetPriority("高"))
    simulator.pump()
    assert ticket(storage, number).handler == "li-1"
    both = c.CommandGroup((c.SetPriority("低"), c.Enqueue("售后组")))
    carry_out(storage, number, both)
    simulator.pump()
    assert (ticket(storage, number).queue, ticket(storage, number).team) == ("waiting", "售后组")
