"""A step that reclassifies a waiting ticket re-routes it once."""

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest

from functions.core.domain import commands as c, events as e
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform.settings import Deployment
from functions.core.playbook import load
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.router.consumer import process
from tests.aws_snapshots import aws_in_memory
from tests.core.sample_desk import DESK, NOON, TABLE, agent, both, file_ticket, make_table

DEPLOYMENT = Deployment("aws", "us-east-1", "123456789012", "test")
NUMBER = "CS20260310001"
ANYWHERE = ["queued", "assigned", "in_progress"]


def step(then: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"label": both("改判"), "source": ANYWHERE, "then": then, **more}


STEPS = {
    "is-fault": step({"type": "fault"}),
    "is-inquiry": step({"type": "inquiry"}),
    "is-outage": step({"type": "outage"}),
    "is-payment": step({"type": "payment"}),
    "is-urgent": step({"priority": "high"}),
    "is-fault-if-approved": step({"type": "fault"}, approval={}),
}
ROUTING = [
    {"when": {"type": "fault"}, "team": "technical"},
    {"when": {"type": "outage"}, "team": "technical", "queue": "supervisor"},
    {"when": {"type": "payment"}, "team": "technical", "needs": {"skills": ["pay"]}},
    {"team": "general"},
]


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    """Return the small desk with one step per type, and one team per type."""
    types = {**DESK["types"], "outage": {"label": both("故障")}, "payment": {"label": both("支付")}}
    statuses = {**DESK["statuses"], "awaiting_department": {"label": both("待批准")}}
    return load(
        {**DESK, "types": types, "tags": {}, "statuses": statuses, "routing": ROUTING}
        | {"steps": STEPS}
    )


class WaitingTicket:
    """A waiting ticket of type inquiry, and the delivery of its stream records."""

    def __init__(self, client: Any, playbook: Playbook) -> None:
        self.client, self.playbook = client, playbook
        self.storage = Storage.on(client, TABLE)
        self.storage.playbooks.put(playbook, NOON)
        file_ticket(self.storage, playbook, NUMBER, description="你好")
        self.deliver(1)

    @property
    def ticket(self) -> Ticket:
        return self.storage.tickets.load("testdesk", NUMBER)

    @property
    def destination(self) -> tuple[str, str | None, str | None]:
        found = self.ticket
        return found.queue, found.team, found.handler

    def carry_out(self, *commands: c.Command, actor: str = "agent-9") -> int:
        """Carry commands out and return the ticket's version."""
        for command in commands:
            after = change(
                self.storage, "testdesk", NUMBER, command, self.playbook, NOON, actor=actor
            )
        return after.version

    def take_step(self, name: str) -> int:
        return self.carry_out(c.TakeStep(name, {}))

    def deliver(self, version: int) -> None:
        """Deliver the record of a version if the stream's filter lets it pass."""
        key = {"pk": {"S": f"TICKET#testdesk#{NUMBER}"}, "sk": {"S": f"EVENT#{version:06}"}}
        image = self.client.get_item(TableName=TABLE, Key=key)["Item"]
        if image["readers"]["S"] == "both":
            process({"dynamodb": {"NewImage": image}}, DEPLOYMENT, self.storage, NOON)

    def add_agent(self, username: str, team: str, **more: Any) -> None:
        """Bring an agent online without a stream record."""
        self.storage.roster.put(agent(username, team=team, **more))

    def announce_online(self, username: str) -> None:
        key = {"pk": {"S": "DESK#testdesk"}, "sk": {"S": f"AGENT#{username}"}}
        image = self.client.get_item(TableName=TABLE, Key=key)["Item"] | {"change": {"S": "online"}}
        process({"dynamodb": {"NewImage": image}}, DEPLOYMENT, self.storage, NOON)

    def destinations(self) -> list[tuple[str, str]]:
        """Return the event and team of each routing."""
        history = self.storage.tickets.history("testdesk", NUMBER)
        return [
            (event.event, event.team)
            for commit in history
            for event in commit.events
            if isinstance(event, e.TicketQueued | e.TicketAssigned)
        ]


@pytest.fixture
def waiting(playbook: Playbook) -> Iterator[WaitingTicket]:
    import boto3

    with aws_in_memory():
        client = boto3.client("dynamodb", region_name="us-east-1")
        make_table(client)
        yield WaitingTicket(client, playbook)


@pytest.mark.requirement("A5", "E6", "F2")
def test_a_reclassified_ticket_is_rerouted_once(waiting: WaitingTicket) -> None:
    """Even if the record is repeated after a person has moved the ticket."""
    assert waiting.destination == ("waiting", "general", None)
    version = waiting.take_step("is-fault")
    for _ in range(3):
        waiting.deliver(version)
    assert waiting.destination == ("waiting", "technical", None)
    assert waiting.destinations() == [("TicketQueued", "general"), ("TicketQueued", "technical")]
    waiting.carry_out(c.Enqueue("general", reason="by hand"))
    waiting.deliver(version)
    assert waiting.destination == ("waiting", "general", None)


@pytest.mark.requirement("A5", "D7")
def test_a_free_agent_of_the_new_team_gets_it_at_once(waiting: WaitingTicket) -> None:
    waiting.add_agent("agent-1", "technical")
    waiting.add_agent("agent-2", "technical", skills=("pay",))
    waiting.deliver(waiting.take_step("is-payment"))
    assert waiting.destination == ("agent", "technical", "agent-2")


@pytest.mark.requirement("F2")
@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_the_records_may_come_in_any_order(waiting: WaitingTicket, order: tuple[int, ...]) -> None:
    """The last type decides, whichever record is processed first."""
    versions = [waiting.take_step(name) for name in ("is-fault", "is-outage", "is-payment")]
    waiting.add_agent("agent-1", "technical")  # has not the skill
    for index in (*order, *order):
        waiting.deliver(versions[index])
    assert waiting.destination == ("supervisor", "technical", None)
    assert waiting.destinations() == [("TicketQueued", "general"), ("TicketQueued", "technical")]


def test_a_ticket_that_gets_its_old_type_back_stays(waiting: WaitingTicket) -> None:
    versions = [waiting.take_step(name) for name in ("is-fault", "is-inquiry")]
    for version in versions:
        waiting.deliver(version)
    assert waiting.destinations() == [("TicketQueued", "general")]


@pytest.mark.requirement("E3")
def test_a_change_that_gives_no_other_destination_leaves_it(waiting: WaitingTicket) -> None:
    waiting.deliver(waiting.take_step("is-urgent"))
    assert (waiting.destinations(), waiting.ticket.priority) == (
        [("TicketQueued", "general")],
        "high",
    )


@pytest.mark.requirement("A5")
@pytest.mark.parametrize("freed_first", [True, False])
def test_the_old_team_does_not_get_it_before_the_steps_record_comes(
    waiting: WaitingTicket, freed_first: bool
) -> None:
    version = waiting.take_step("is-fault")
    waiting.add_agent("agent-1", "general")
    if freed_first:
        waiting.announce_online("agent-1")
    waiting.deliver(version)
    waiting.announce_online("agent-1")
    assert waiting.destination == ("waiting", "technical", None)
    assert waiting.destinations() == [("TicketQueued", "general"), ("TicketQueued", "technical")]


@pytest.mark.requirement("F2")
def test_the_old_team_does_not_get_it_by_an_older_record(waiting: WaitingTicket) -> None:
    queued = waiting.ticket.version
    waiting.take_step("is-fault")
    waiting.add_agent("agent-1", "general")
    waiting.deliver(queued)
    assert waiting.destination == ("waiting", "technical", None)


@pytest.mark.requirement("E6")
def test_an_assigned_ticket_keeps_its_handler(waiting: WaitingTicket) -> None:
    waiting.add_agent("agent-1", "general")
    waiting.announce_online("agent-1")
    waiting.add_agent("agent-2", "technical")
    waiting.deliver(waiting.take_step("is-fault"))
    assert (waiting.destination, waiting.ticket.type) == (("agent", "general", "agent-1"), "fault")


@pytest.mark.requirement("A7")
def test_rules_route_a_ticket_to_the_supervisors_and_back(waiting: WaitingTicket) -> None:
    version = waiting.take_step("is-outage")
    waiting.deliver(version)
    waiting.deliver(version)
    assert waiting.destination == ("supervisor", "technical", None)
    waiting.deliver(waiting.take_step("is-fault"))
    assert waiting.destination == ("waiting", "technical", None)
    assert len(waiting.destinations()) == 3


@pytest.mark.requirement("A7")
def test_a_ticket_that_a_person_gave_the_supervisors_stays(waiting: WaitingTicket) -> None:
    waiting.carry_out(c.Enqueue("general", queue="supervisor", reason="by hand"))
    waiting.deliver(waiting.take_step("is-fault"))
    assert waiting.destination == ("supervisor", "general", None)


@pytest.mark.requirement("C9")
def test_an_approved_step_reroutes_the_ticket(waiting: WaitingTicket) -> None:
    waiting.deliver(waiting.take_step("is-fault-if-approved"))
    assert waiting.ticket.status == "awaiting_department"
    waiting.deliver(waiting.carry_out(c.Approve(approved=True), actor="lead-1"))
    assert (waiting.ticket.status, waiting.destination) == (
        "queued",
        ("waiting", "technical", None),
    )


@pytest.mark.requirement("F2", "G7")
def test_the_routers_own_events_do_not_invoke_it() -> None:
    known = e.TicketClassified(type="fault", tags=(), priority="high")
    given = e.TicketAssigned(team="technical", handler="agent-1")
    assert e.readers((known, given)) == "notify"
    assert e.readers((e.StepTaken(step="look"),)) == "notify"
    assert e.readers((e.StepTaken(step="is-fault"), known)) == "both"
