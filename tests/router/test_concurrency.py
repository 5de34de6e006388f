"""A hundred tickets at once on eight agents.

Threads deliver the stream's records concurrently; a record that meets a conflict is retried, as on
the platform.
"""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from functions.core.domain import commands as c
from functions.core.domain.errors import TryAgain
from functions.core.domain.events import Commit, TicketAssigned
from functions.core.domain.lifecycle import queue_rank
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.playbook import load
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.router.routing import Router
from tests.core.conftest import OneAtATime
from tests.core.sample_desk import DESK, NOON, TABLE, agent, file_ticket, request

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.requirement("D7", "E11", "F2")
TICKETS, AGENTS, CAPACITY = 100, 8, 5
THREADS = 4
NUMBERS = [f"CS20260310{n:03}" for n in range(1, TICKETS + 1)]
TEAM = "technical"


@pytest.fixture
def storage(storage: Storage) -> Storage:
    """Return a storage whose single calls do not overlap, like DynamoDB's transactions."""
    return Storage.on(cast("DynamoDBClient", OneAtATime(storage.table.client)), TABLE)


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    """Return a desk of one team that orders by priority, VIP and age."""
    order = {**DESK["assignment"], "order": ["priority", "vip", "age"]}
    return load({**DESK, "assignment": order, "routing": [{"team": TEAM}], "tags": {}})


def _retried(work: Callable[[], Any]) -> None:
    """Repeat the work while it raises TryAgain, as the platform does."""
    for _ in range(200):
        try:
            work()
        except TryAgain:
            continue
        return
    raise AssertionError("came too often")


class Stream:
    """The records of the table's stream, delivered by several threads at once.

    Each thread stands for a container, which keeps its own roster for a second.
    """

    def __init__(self, storage: Storage, playbook: Playbook) -> None:
        self.storage, self.playbook = storage, playbook
        self.containers = threading.local()
        self.clock = itertools.count()

    @property
    def router(self) -> Router:
        if not hasattr(self.containers, "storage"):
            self.containers.storage = Storage.on(self.storage.table.client, TABLE)
        now = NOON + next(self.clock) * timedelta(milliseconds=10)
        return Router(self.containers.storage, self.playbook, now)

    def ticket(self, number: str) -> Ticket:
        return self.storage.tickets.load("testdesk", number)

    def tickets(self) -> list[Ticket]:
        return self.storage.tickets.load_many("testdesk", NUMBERS)

    def process_all(self, work: Callable[[str], Any], numbers: list[str]) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda number: _retried(lambda: work(number)), numbers))

    def route_new(self, number: str) -> None:
        self.router.route_new(self.ticket(number), self._first(number))

    def _first(self, number: str) -> Commit:
        commit = self.storage.tickets.commit_at("testdesk", number, 1)
        assert commit is not None
        return commit

    def retry_waiting(self, number: str) -> None:
        self.router.retry_waiting(self.ticket(number))

    def assign_waiting(self, _: str) -> None:
        self.router.assign_waiting(TEAM, 99)

    def resolve(self, number: str) -> None:
        change(
            self.storage, "testdesk", number, c.Resolve("好了"), self.playbook, NOON, actor="agent"
        )


def _in_hand(tickets: list[Ticket]) -> Counter[str | None]:
    return Counter(ticket.handler for ticket in tickets if ticket.in_hand_of)


@pytest.mark.slow
def test_a_hundred_simultaneous_tickets_are_assigned_within_capacity_and_in_order(
    storage: Storage, playbook: Playbook
) -> None:
    """No agent exceeds the capacity, and no ticket waits while an agent has some left."""
    for n in range(AGENTS):
        storage.roster.put(agent(f"agent-{n}", capacity=CAPACITY))
    chance = random.Random(7)  # noqa: S311 - the same crowd each time
    vip = request().customer.model_copy(update={"customer_class": "vip"})
    for n, number in enumerate(NUMBERS):
        file_ticket(
            storage,
            playbook,
            number,
            NOON - timedelta(minutes=TICKETS - n),
            priority=chance.choice(list(DESK["priorities"])),
            description="你好",
            **({"customer": vip} if chance.random() < 0.2 else {}),
        )
    stream = Stream(storage, playbook)
    shuffled = chance.sample(NUMBERS, TICKETS)

    stream.process_all(stream.route_new, shuffled)
    stream.process_all(stream.retry_waiting, shuffled)
    tickets = stream.tickets()
    assert set(_in_hand(tickets).values()) == {CAPACITY}
    assert len(_in_hand(tickets)) == AGENTS
    assert {t.status for t in tickets} == {"assigned", "queued"}

    done = 0
    while waiting := [t for t in stream.tickets() if t.status == "queued"]:
        held = [t.number for t in stream.tickets() if t.in_hand_of]
        finished = chance.sample(held, min(len(held), 20))
        stream.process_all(stream.resolve, finished)
        done += len(finished)
        stream.process_all(stream.assign_waiting, finished[:THREADS])
        after = stream.tickets()
        counts = _in_hand(after)
        assert max(counts.values()) <= CAPACITY
        for someone in storage.roster.list("testdesk"):
            assert someone.load == counts[someone.username]
        still = [t for t in after if t.status == "queued"]
        # No ticket waits while an agent has capacity.
        assert not still or set(counts.values()) == {CAPACITY}
        # The tickets that still wait rank after all that were assigned.
        ranks = sorted(queue_rank(t, playbook) for t in waiting)
        taken = len(waiting) - len(still)
        assert sorted(queue_rank(t, playbook) for t in still) == ranks[taken:]
    assert done >= TICKETS - AGENTS * CAPACITY
    for number in NUMBERS:
        history = storage.tickets.history("testdesk", number)
        assert sum(len(commit.of(TicketAssigned)) for commit in history) == 1
