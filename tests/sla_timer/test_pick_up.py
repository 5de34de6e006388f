"""The sweep picks up new tickets that the stream's functions did not process."""

from datetime import datetime, timedelta

import pytest

from functions.core.domain import commands as c
from functions.core.domain.delivery import Delivery
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import PICK_UP_AFTER, Ticket
from functions.core.playbook import load
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.storage.items import SHARDS
from functions.sla_timer.sweep import sweep
from tests.core.sample_desk import DESK, NOON, agent, file_ticket

pytestmark = pytest.mark.requirement("F2", "G3")
TOLD = {"zh-CN": "已收到", "en": "Received"}
ACKNOWLEDGING = {
    **DESK,
    "messages": {"ack": {"subject": TOLD, "text": TOLD}},
    "notifications": [{"on": "TicketReceived", "to": "customer", "message": "ack"}],
}


@pytest.fixture
def desk(storage: Storage) -> Storage:
    """A table with one desk that acknowledges requests."""
    storage.playbooks.put(load(ACKNOWLEDGING), NOON)
    storage.roster.put(agent())
    return storage


def file_new(storage: Storage) -> Ticket:
    return file_ticket(storage, storage.playbooks.get("testdesk", NOON), "CS1")


def route(storage: Storage) -> None:
    playbook = storage.playbooks.get("testdesk", NOON)
    command = c.Assign("technical", "agent-1", by_person=True)
    change(storage, "testdesk", "CS1", command, playbook, NOON, actor="system")


def acknowledge(storage: Storage) -> None:
    delivery = Delivery(
        desk="testdesk", number="CS1", version=1, event="TicketReceived", message="ack",
        recipient="customer", channel="sms", to="****8000", claimed_at=NOON, at=NOON, lead=True,
    )  # fmt: skip
    assert storage.deliveries.claim(delivery)


def redriven_at(storage: Storage) -> str | None:
    items = storage.tickets.items("testdesk", "CS1")
    (first,) = [item for item in items if item["sk"]["S"] == "EVENT#000001"]
    redriven: str | None = first.get("redriven_at", {}).get("S")
    return redriven


def run_sweep(storage: Storage, at: datetime) -> None:
    swept = sweep(storage, at, lambda: timedelta(minutes=1))
    assert swept.failed == 0


def listed_at(storage: Storage) -> list[datetime]:
    far = NOON + timedelta(days=999)
    return [due.at for shard in range(SHARDS) for due in storage.tickets.due(shard, far)]


@pytest.mark.parametrize(
    ("routed", "acknowledged", "picked_up"),
    [(False, False, True), (True, False, True), (False, True, True), (True, True, False)],
)
def test_a_neglected_ticket_comes_again_after_two_minutes(
    desk: Storage, routed: bool, acknowledged: bool, picked_up: bool
) -> None:
    ticket = file_new(desk)
    if routed:
        route(desk)
    if acknowledged:
        acknowledge(desk)
    assert listed_at(desk) == [NOON + PICK_UP_AFTER]
    run_sweep(desk, NOON + PICK_UP_AFTER - timedelta(seconds=1))
    assert redriven_at(desk) is None
    run_sweep(desk, NOON + PICK_UP_AFTER)
    assert (redriven_at(desk) is not None) == picked_up
    expected = NOON + 2 * PICK_UP_AFTER if picked_up else ticket.next_due
    assert listed_at(desk) == [expected]


@pytest.mark.parametrize("routed", [False, True])
def test_a_stranded_ticket_is_listed_for_agents(desk: Storage, routed: bool) -> None:
    """A ticket that was just received is in no list, since the router moves it within a second."""
    file_new(desk)
    if routed:
        route(desk)
    assert desk.tickets.queue_page(["testdesk#new"])[0] == []
    run_sweep(desk, NOON + PICK_UP_AFTER)
    listed, _ = desk.tickets.queue_page(["testdesk#new"])
    assert [ticket.number for ticket in listed] == ([] if routed else ["CS1"])
    if not routed:
        route(desk)
        assert desk.tickets.queue_page(["testdesk#new"])[0] == []


def test_it_comes_again_ever_more_rarely(desk: Storage) -> None:
    """A ticket that cannot be processed must not wake functions each minute for good."""
    file_new(desk)
    seen: list[str | None] = []
    looks = [2**n for n in range(1, 12)]
    for minute in sorted({*range(10), *looks, *(look + 1 for look in looks), 720, 721}):
        run_sweep(desk, NOON + timedelta(minutes=minute))
        if redriven_at(desk) not in (None, *seen):
            seen.append(redriven_at(desk))
    assert 8 <= len(seen) <= 10


def test_after_an_outage_the_look_is_late_and_not_left_out(desk: Storage) -> None:
    file_new(desk)
    run_sweep(desk, NOON + timedelta(minutes=31))
    assert redriven_at(desk) is not None
    assert listed_at(desk) == [NOON + timedelta(minutes=32)]


def test_a_desk_without_acknowledgements_owes_none(storage: Storage, playbook: Playbook) -> None:
    storage.playbooks.put(playbook, NOON)
    storage.roster.put(agent())
    file_new(storage)
    route(storage)
    run_sweep(storage, NOON + PICK_UP_AFTER)
    assert redriven_at(storage) is None


def test_an_unreadable_position_delays_nobody_else(desk: Storage) -> None:
    file_new(desk)
    desk.table.client.put_item(
        TableName=desk.table.name,
        Item={
            "pk": {"S": "TICKET#testdesk#CS0"}, "sk": {"S": "TICKET"}, "due_sk": {"S": "2026-03-1"},
            "due_pk": {"S": _shard_of(desk, "CS1")},
        },
    )  # fmt: skip
    swept = sweep(desk, NOON + PICK_UP_AFTER, lambda: timedelta(minutes=1))
    assert (swept.done, swept.failed) == (1, 1)
    assert redriven_at(desk) is not None


def _shard_of(storage: Storage, number: str) -> str:
    (item,) = [i for i in storage.tickets.items("testdesk", number) if i["sk"]["S"] == "TICKET"]
    shard: str = item["due_pk"]["S"]
    return shard
