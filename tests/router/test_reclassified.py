"""A step that reclassifies a waiting ticket re-routes it once."""

from __future__ import annotations

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
from tests.core.sample_desk import DESK, NOON, TABLE, agent, both, file, make_table

PLACE = Deployment("aws", "us-east-1", "123456789012", "test")
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


class Desk:
    """One ticket of an inquiry that waits for its team, and what the stream brings of it."""

    def __init__(self, client: Any, playbook: Playbook) -> None:
        self.client, self.playbook = client, playbook
        self.storage = Storage.on(client, TABLE)
        self.storage.playbooks.put(playbook, NOON)
        file(self.storage, playbook, NUMBER, description="你好")
        self.bring(1)

    @property
    def ticket(self) -> Ticket:
        return self.storage.tickets.load("testdesk", NUMBER)

    @property
    def place(self) -> tuple[str, str | None, str | None]:
        found = self.ticket
        return found.queue, found.team, found.handler

    def do(self, *commands: c.Command, actor: str = "agent-9") -> int:
        """The version that came of it."""
        for command in commands:
            after = change(
                self.storage, "testdesk", NUMBER, command, self.playbook, NOON, actor=actor
            )
        return after.version

    def take(self, name: str) -> int:
        return self.do(c.TakeStep(name, {}))

    def bring(self, version: int) -> None:
        """One record of the ticket, if the stream's filter lets it pass."""
        key = {"pk": {"S": f"TICKET#testdesk#{NUMBER}"}, "sk": {"S": f"EVENT#{version:06}"}}
        image = self.client.get_item(TableName=TABLE, Key=key)["Item"]
        if image["readers"]["S"] in {"router", "both"}:
            process({"dynamodb": {"NewImage": image}}, PLACE, self.storage, NOON)

    def free(self, username: str, team: str, **more: Any) -> None:
        """Somebody comes online; the stream does not say so yet."""
        self.storage.roster.put(agent(username, team=team, **more))

    def freed(self, username: str) -> None:
        key = {"pk": {"S": "DESK#testdesk"}, "sk": {"S": f"AGENT#{username}"}}
        image = self.client.get_item(TableName=TABLE, Key=key)["Item"] | {"change": {"S": "online"}}
        process({"dynamodb": {"NewImage": image}}, PLACE, self.storage, NOON)

    def placed(self) -> list[tuple[str, str]]:
        """Each time that it was put somewhere: the event and the team."""
        history = self.storage.tickets.history("testdesk", NUMBER)
        return [
            (event.event, event.team)
            for commit in history
            for event in commit.events
            if isinstance(event, e.TicketQueued | e.TicketAssigned)
        ]


@pytest.fixture
def desk(playbook: Playbook) -> Iterator[Desk]:
    import boto3

    with aws_in_memory():
        client = boto3.client("dynamodb", region_name="us-east-1")
        make_table(client)
        yield Desk(client, playbook)


@pytest.mark.requirement("A5", "E6", "F2")
def test_a_reclassified_ticket_is_rerouted_once(desk: Desk) -> None:
    """However often the record comes, even after a person has moved the ticket."""
    assert desk.place == ("waiting", "general", None)
    version = desk.take("is-fault")
    for _ in range(3):
        desk.bring(version)
    assert desk.place == ("waiting", "technical", None)
    assert desk.placed() == [("TicketQueued", "general"), ("TicketQueued", "technical")]
    desk.do(c.Enqueue("general", reason="by hand"))
    desk.bring(version)
    assert desk.place == ("waiting", "general", None)


@pytest.mark.requirement("A5", "D7")
def test_a_free_agent_of_the_new_team_gets_it_at_once(desk: Desk) -> None:
    desk.free("agent-1", "technical")
    desk.free("agent-2", "technical", skills=("pay",))
    desk.bring(desk.take("is-payment"))
    assert desk.place == ("agent", "technical", "agent-2")


@pytest.mark.requirement("F2")
@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_the_records_may_come_in_any_order(desk: Desk, order: tuple[int, ...]) -> None:
    """The last type decides, whichever record is processed first."""
    versions = [desk.take(name) for name in ("is-fault", "is-outage", "is-payment")]
    desk.free("agent-1", "technical")  # has not the skill
    for index in (*order, *order):
        desk.bring(versions[index])
    assert desk.place == ("supervisor", "technical", None)
    assert desk.placed() == [("TicketQueued", "general"), ("TicketQueued", "technical")]


def test_a_ticket_that_gets_its_old_type_back_stays(desk: Desk) -> None:
    versions = [desk.take(name) for name in ("is-fault", "is-inquiry")]
    for version in versions:
        desk.bring(version)
    assert desk.placed() == [("TicketQueued", "general")]


@pytest.mark.requirement("E3")
def test_a_change_that_gives_no_other_destination_leaves_it(desk: Desk) -> None:
    desk.bring(desk.take("is-urgent"))
    assert (desk.placed(), desk.ticket.priority) == ([("TicketQueued", "general")], "high")


@pytest.mark.requirement("A5")
@pytest.mark.parametrize("freed_first", [True, False])
def test_the_old_team_does_not_get_it_before_the_steps_record_comes(
    desk: Desk, freed_first: bool
) -> None:
    version = desk.take("is-fault")
    desk.free("agent-1", "general")
    if freed_first:
        desk.freed("agent-1")
    desk.bring(version)
    desk.freed("agent-1")
    assert desk.place == ("waiting", "technical", None)
    assert desk.placed() == [("TicketQueued", "general"), ("TicketQueued", "technical")]


@pytest.mark.requirement("F2")
def test_the_old_team_does_not_get_it_by_an_older_record(desk: Desk) -> None:
    queued = desk.ticket.version
    desk.take("is-fault")
    desk.free("agent-1", "general")
    desk.bring(queued)
    assert desk.place == ("waiting", "technical", None)


@pytest.mark.requirement("E6")
def test_an_assigned_ticket_keeps_its_handler(desk: Desk) -> None:
    desk.free("agent-1", "general")
    desk.freed("agent-1")
    desk.free("agent-2", "technical")
    desk.bring(desk.take("is-fault"))
    assert (desk.place, desk.ticket.type) == (("agent", "general", "agent-1"), "fault")


@pytest.mark.requirement("A7")
def test_rules_route_a_ticket_to_the_supervisors_and_back(desk: Desk) -> None:
    version = desk.take("is-outage")
    desk.bring(version)
    desk.bring(version)
    assert desk.place == ("supervisor", "technical", None)
    desk.bring(desk.take("is-fault"))
    assert desk.place == ("waiting", "technical", None)
    assert len(desk.placed()) == 3


@pytest.mark.requirement("A7")
def test_a_ticket_that_a_person_gave_the_supervisors_stays(desk: Desk) -> None:
    desk.do(c.Enqueue("general", queue="supervisor", reason="by hand"))
    desk.bring(desk.take("is-fault"))
    assert desk.place == ("supervisor", "general", None)


@pytest.mark.requirement("C9")
def test_an_approved_step_reroutes_the_ticket(desk: Desk) -> None:
    desk.bring(desk.take("is-fault-if-approved"))
    assert desk.ticket.status == "awaiting_department"
    desk.bring(desk.do(c.Approve(approved=True), actor="lead-1"))
    assert (desk.ticket.status, desk.place) == ("queued", ("waiting", "technical", None))


@pytest.mark.requirement("F2", "G7")
def test_the_routers_own_events_do_not_invoke_it() -> None:
    known = e.TicketClassified(type="fault", tags=(), priority="high")
    given = e.TicketAssigned(team="technical", handler="agent-1")
    assert e.readers((known, given)) == "notify"
    assert e.readers((e.StepTaken(step="look"),)) == "notify"
    assert e.readers((e.StepTaken(step="is-fault"), known)) == "both"
