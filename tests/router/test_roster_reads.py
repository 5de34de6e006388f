"""Routing reads the roster once a second, and no more waiting tickets than it can assign."""

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from functions.core.domain import commands as c
from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.storage.roster import ROUTING_TTL
from functions.router import routing
from functions.router.routing import MOST_READ, PAGE_SIZE, Router
from tests.core.sample_desk import DESK, NOON, agent, file_ticket
from tests.core.storage.test_table import failing
from tests.router.test_waiting import file_waiting, handlers

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.requirement("A6", "E11", "G7")
TEAM = "technical"
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    """Return a desk where faults need the skill `network`."""
    routing = [
        {"when": {"type": "fault"}, "team": TEAM, "needs": {"skills": ["network"]}},
        {"team": TEAM},
    ]
    return load({**DESK, "tags": {}, "routing": routing})


class Counting:
    """A client that counts the items it reads: of the roster, of the queue, and whole tickets."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.read: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def query(self, **arguments: Any) -> Any:
        answer = self._client.query(**arguments)
        partition = arguments["ExpressionAttributeValues"][":pk"]["S"]
        kind = "queue" if "IndexName" in arguments else partition.partition("#")[0]
        self.read[kind] += len(answer["Items"])
        self.read["queries"] += 1
        return answer

    def batch_get_item(self, **arguments: Any) -> Any:
        answer = self._client.batch_get_item(**arguments)
        self.read["tickets"] += sum(len(items) for items in answer["Responses"].values())
        return answer


@pytest.fixture
def counting(storage: Storage) -> Counting:
    return Counting(storage.table.client)


@pytest.fixture
def read(counting: Counting) -> Counter[str]:
    """The reads of the containers."""
    return counting.read


@pytest.fixture
def container(counting: Counting, storage: Storage) -> Storage:
    """Return a storage with caches of its own, as another container has."""
    return Storage.on(cast("DynamoDBClient", counting), storage.table.name)


@pytest.mark.parametrize("waiting", [10, 60])
def test_reads_do_not_grow_with_the_waiting_tickets(
    storage: Storage, container: Storage, playbook: Playbook, read: Counter[str], waiting: int
) -> None:
    numbers = [f"CS{n:03}" for n in range(waiting)]
    for number in numbers:
        file_waiting(storage, playbook, number)
    storage.roster.put(agent("agent-1", capacity=3))
    read.clear()
    Router(container, playbook, NOON).assign_waiting(TEAM, 3)
    assert handlers(storage, *numbers[:4]) == ["agent-1"] * 3 + [None]
    assert (read["DESK"], read["queue"], read["tickets"]) == (1, 3, 3)


def test_no_more_is_read_if_nobody_is_free_after_all(
    storage: Storage, container: Storage, playbook: Playbook, read: Counter[str]
) -> None:
    for n in range(9):
        file_waiting(storage, playbook, f"CS{n}")
    storage.roster.put(agent("agent-1", capacity=3, online=False))
    read.clear()
    Router(container, playbook, NOON).assign_waiting(TEAM, 3)
    assert (read["DESK"], read["queue"], read["tickets"]) == (1, 3, 3)


def test_the_roster_is_not_read_if_nothing_waits(
    storage: Storage, container: Storage, playbook: Playbook, read: Counter[str]
) -> None:
    storage.roster.put(agent("agent-1", capacity=3))
    read.clear()
    Router(container, playbook, NOON).assign_waiting(TEAM, 3)
    assert (read["DESK"], read["queries"]) == (0, 1)


def test_tickets_for_nobody_free_bound_a_read_and_the_next_goes_on(
    storage: Storage,
    container: Storage,
    playbook: Playbook,
    read: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one behind them is assigned by the second call, not read over and over."""
    monkeypatch.setattr(routing, "PAGE_SIZE", 4)
    monkeypatch.setattr(routing, "MOST_READ", 8)
    routing._read_up_to.clear()
    for n in range(12):
        file_waiting(storage, playbook, f"CS{n:03}", type="fault")
    file_waiting(storage, playbook, "CS012")
    storage.roster.put(agent("agent-1", capacity=3))
    read.clear()
    for call in range(2):
        now = NOON + call * SECOND
        Router(container, playbook, now).assign_waiting(TEAM, 3)
        assert read["tickets"] <= 8 + 4
        assert handlers(storage, "CS012") == [["agent-1"], [None]][call == 0]
        read.clear()
    storage.roster.put(agent("agent-2", skills=("network",), capacity=1))
    Router(container, playbook, NOON + 3 * SECOND).assign_waiting(TEAM, 3)
    assert handlers(storage, "CS000") == ["agent-2"]
    assert MOST_READ % PAGE_SIZE == 0


def test_a_container_reads_the_roster_once_a_second(
    storage: Storage, container: Storage, playbook: Playbook, read: Counter[str]
) -> None:
    """Its own assignments count at once."""
    for who in ("agent-1", "agent-2"):
        storage.roster.put(agent(who, capacity=9))
    numbers = [f"CS{n}" for n in range(5)]
    tickets = [file_ticket(storage, playbook, number, description="您好") for number in numbers]
    read.clear()
    for n, ticket in enumerate(tickets):
        Router(container, playbook, NOON + n * SECOND / 4).route_on(ticket)
    assert Counter(handlers(storage, *numbers)) in (
        {"agent-1": 3, "agent-2": 2},
        {"agent-1": 2, "agent-2": 3},
    )
    assert read["DESK"] == 2
    late = file_ticket(storage, playbook, "CS9", description="您好")
    Router(container, playbook, NOON + SECOND + ROUTING_TTL).route_on(late)
    assert read["DESK"] == 4


def test_an_old_roster_never_leaves_a_ticket_waiting(
    storage: Storage, container: Storage, playbook: Playbook
) -> None:
    """Before a ticket waits, the roster is read again."""
    storage.roster.put(agent("agent-1", online=False))
    first = file_ticket(storage, playbook, "CS1", description="您好")
    Router(container, playbook, NOON).route_on(first)
    assert handlers(storage, "CS1") == [None]
    storage.roster.set_presence("testdesk", "agent-1", online=True)
    second = file_ticket(storage, playbook, "CS2", description="您好")
    Router(container, playbook, NOON + ROUTING_TTL / 2).route_on(second)
    assert handlers(storage, "CS2") == ["agent-1"]


def test_who_went_offline_meanwhile_gets_nothing(
    storage: Storage, container: Storage, playbook: Playbook
) -> None:
    for who in ("agent-1", "agent-2"):
        storage.roster.put(agent(who))
    container.roster.recent("testdesk", NOON)
    storage.roster.set_presence("testdesk", "agent-1", online=False)
    numbers = ["CS1", "CS2", "CS3"]
    for number in numbers:
        ticket = file_ticket(storage, playbook, number, description="您好")
        Router(container, playbook, NOON).route_on(ticket)
    assert handlers(storage, *numbers) == ["agent-2", "agent-2", None]


@pytest.mark.parametrize(("agents", "handler"), [(2, "agent-2"), (1, "agent-1")])
def test_a_contended_agent_is_left_to_the_others(
    storage: Storage,
    playbook: Playbook,
    monkeypatch: pytest.MonkeyPatch,
    agents: int,
    handler: str,
) -> None:
    """Unless there is nobody else; then the claim is tried again."""
    for n in range(1, agents + 1):
        storage.roster.put(agent(f"agent-{n}"))
    hold = c.Assign(TEAM, f"agent-{agents}", by_person=True)
    file_ticket(storage, playbook, "CS1")
    if agents > 1:
        change(storage, "testdesk", "CS1", hold, playbook, NOON, actor="system")
    monkeypatch.setattr("time.sleep", lambda _: None)
    write, tried = storage.table.client.transact_write_items, 0

    def contended(**arguments: Any) -> Any:
        nonlocal tried
        updates = [w["Update"] for w in arguments["TransactItems"] if "Update" in w]
        if any(update["Key"]["sk"]["S"] == "AGENT#agent-1" for update in updates) and tried < 3:
            tried += 1
            reasons = [
                "TransactionConflict" if "Update" in write else "None"
                for write in arguments["TransactItems"]
            ]
            raise failing("TransactionCanceledException", reasons)
        return write(**arguments)

    monkeypatch.setattr(storage.table.client, "transact_write_items", contended, raising=False)
    ticket = file_ticket(storage, playbook, "CS2", description="您好")
    Router(storage, playbook, NOON + SECOND).route_on(ticket)
    assert handlers(storage, "CS2") == [handler]
    assert tried == (1 if agents > 1 else 3)
