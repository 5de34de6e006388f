"""The order in which waiting tickets are assigned, and to whom."""

from datetime import timedelta
from typing import Any

import pytest

from functions.core.domain import commands as c
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Customer, Ticket
from functions.core.playbook import load
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.router.routing import PAGE_SIZE, Router
from tests.core.sample_desk import DESK, NOON, agent, file_ticket

pytestmark = pytest.mark.requirement("A5", "A7", "D7", "D13")
TEAM = "technical"


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    """Return a desk where faults need the skill `network`."""
    routing = [
        {"when": {"type": "fault"}, "team": TEAM, "needs": {"skills": ["network"]}},
        {"team": TEAM},
    ]
    return load({**DESK, "tags": {}, "routing": routing})


def carry_out(storage: Storage, playbook: Playbook, number: str, *commands: c.Command) -> Ticket:
    return [
        change(storage, "testdesk", number, command, playbook, NOON, actor="system")
        for command in commands
    ][-1]


def file_waiting(storage: Storage, playbook: Playbook, number: str, **request: Any) -> Ticket:
    file_ticket(storage, playbook, number, **request)
    return carry_out(storage, playbook, number, c.Enqueue(TEAM, "waiting", "nobody free"))


def handlers(storage: Storage, *numbers: str) -> list[str | None]:
    return [storage.tickets.load("testdesk", number).handler for number in numbers]


@pytest.mark.requirement("A8")
def test_the_ticket_keeps_the_display_name_of_its_handler(
    storage: Storage, playbook: Playbook
) -> None:
    """Customers read it without a look at the roster; it goes with the handler."""
    file_waiting(storage, playbook, "CS1")
    storage.roster.put(agent("agent-1", display_name="客服-张"))
    Router(storage, playbook, NOON).assign_waiting(TEAM, 99)
    assigned = storage.tickets.load("testdesk", "CS1")
    assert (assigned.handler, assigned.handler_name) == ("agent-1", "客服-张")
    carry_out(storage, playbook, "CS1", c.Resolve("好了"))
    carry_out(storage, playbook, "CS1", c.Reopen())
    assert storage.tickets.load("testdesk", "CS1").handler_name == ""


@pytest.mark.requirement("D7")
def test_a_ticket_without_a_suitable_agent_does_not_hold_up_the_next(
    storage: Storage, playbook: Playbook
) -> None:
    file_waiting(storage, playbook, "CS1", type="fault")
    file_waiting(storage, playbook, "CS2")
    storage.roster.put(agent("agent-1"))
    Router(storage, playbook, NOON).assign_waiting(TEAM, 99)
    assert handlers(storage, "CS1", "CS2") == [None, "agent-1"]
    storage.roster.put(agent("agent-2", skills=("network",)))
    Router(storage, playbook, NOON).assign_waiting(TEAM, 99)
    assert handlers(storage, "CS1", "CS2") == ["agent-2", "agent-1"]


@pytest.mark.requirement("E11")
def test_all_pages_of_the_queue_are_assigned(storage: Storage, playbook: Playbook) -> None:
    numbers = [f"CS{serial:03}" for serial in range(PAGE_SIZE + 3)]
    for number in numbers:
        file_waiting(storage, playbook, number)
    storage.roster.put(agent("agent-1", capacity=PAGE_SIZE + 2))
    Router(storage, playbook, NOON).assign_waiting(TEAM, 99)
    assert handlers(storage, *numbers) == ["agent-1"] * (PAGE_SIZE + 2) + [None]


@pytest.mark.requirement("A5", "B4")
def test_a_vip_comes_first_then_the_urgent_then_the_older(
    storage: Storage, playbook: Playbook
) -> None:
    vip = Customer(contact="****8001", kind="phone", hash="h2", customer_class="vip")
    file_waiting(storage, playbook, "CS1", at=NOON)
    file_waiting(storage, playbook, "CS2", at=NOON - timedelta(hours=1))
    file_waiting(storage, playbook, "CS3", priority="high")
    file_waiting(storage, playbook, "CS4", priority="low", customer=vip)
    given = []
    for place in range(1, 5):
        storage.roster.put(agent("agent-1", capacity=place))
        Router(storage, playbook, NOON).assign_waiting(TEAM, 99)
        now = [n for n in ("CS1", "CS2", "CS3", "CS4") if handlers(storage, n) == ["agent-1"]]
        given += [number for number in now if number not in given]
    assert given == ["CS4", "CS3", "CS2", "CS1"]


@pytest.mark.requirement("A7")
def test_a_ticket_of_the_supervisors_stays_in_their_queue(
    storage: Storage, playbook: Playbook
) -> None:
    """Confirming its type does not take it out."""
    storage.roster.put(agent("agent-1", skills=("network",)))
    file_ticket(storage, playbook, "CS1")
    theirs = carry_out(storage, playbook, "CS1", c.Enqueue(TEAM, "supervisor", "asked for"))
    Router(storage, playbook, NOON).route_on(theirs)
    assert storage.tickets.load("testdesk", "CS1") == theirs


@pytest.mark.requirement("D13")
@pytest.mark.parametrize(
    ("role", "online", "handler"),
    [("agent", True, "agent-1"), ("agent", False, "agent-2"), ("finance", True, "agent-2")],
)
def test_an_unsolved_ticket_returns_to_its_former_handler_if_online(
    storage: Storage, playbook: Playbook, role: str, online: bool, handler: str
) -> None:
    """Whatever the load; otherwise, or if they handle tickets no more, it goes to a free agent."""
    for who in ("agent-1", "agent-2"):
        storage.roster.put(agent(who, capacity=1))
    file_ticket(storage, playbook, "CS1")
    file_ticket(storage, playbook, "CS2")
    for number in ("CS1", "CS2"):
        carry_out(storage, playbook, number, c.Assign(TEAM, "agent-1", by_person=True))
    carry_out(storage, playbook, "CS1", c.Resolve("已更换主板"))
    reopened = carry_out(storage, playbook, "CS1", c.Reopen("还是不行"))
    reopened = reopened.model_copy(update={"reopen_to": "handler"})
    assert reopened.former_handlers[-1] == "agent-1"
    storage.roster.put(agent("agent-1", role=role))
    storage.roster.set_presence("testdesk", "agent-1", online)
    router = Router(storage, playbook, NOON)
    router.route_on(reopened)
    assert handlers(storage, "CS1") == [handler]
