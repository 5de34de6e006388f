"""The agents' queues."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.core.domain import commands as c
from functions.core.domain.errors import Forbidden, InvalidInput
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Customer
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.workbench import queues
from functions.workbench.queues import QUEUES
from tests.aws_snapshots import restore_or_make
from tests.core.sample_desk import NOON, agent, file_ticket
from tests.workbench.conftest import ROSTER, SignedIn

pytestmark = pytest.mark.requirement("A5", "A7")
HELD = c.Assign("technical", "agent-1", by_person=True)
HELD_BY_2 = c.Assign("technical", "agent-2", by_person=True)


@pytest.fixture
def tickets(storage: Storage, playbook: Playbook) -> dict[str, str]:
    """Create tickets in every queue; return number → queue."""
    return restore_or_make("queues", lambda: _put_tickets(storage, playbook))


def _put_tickets(storage: Storage, playbook: Playbook) -> dict[str, str]:
    where: dict[str, tuple[c.Command, ...]] = {
        "T-1-new": (),
        "T-2-waiting": (c.Enqueue("technical"),),
        "T-3-general": (c.Enqueue("general"),),
        "T-4-supervisor": (c.Enqueue("technical", "supervisor"),),
        "T-5-mine": (HELD,),
        "T-6-theirs": (HELD_BY_2,),
        "T-7-review": (HELD, c.Resolve("好了"), c.AnswerSurvey(2)),
        "T-8-closed": (c.Close("重复"),),
        "T-9-resolved": (HELD, c.Resolve("好了")),
    }
    for number, commands in where.items():
        file_ticket(storage, playbook, number)
        for command in commands:
            change(storage, "testdesk", number, command, playbook, NOON, actor="system")
    return {number: number[4:] for number in where}


@pytest.mark.parametrize(
    ("who", "queue", "expected"),
    [
        ("agent-1", "mine", "mine resolved"),
        ("agent-1", "team", "waiting mine resolved theirs"),
        ("agent-1", "unassigned", "waiting general"),
        ("agent-3", "team", "general"),
        ("supervisor-1", "supervisor", "supervisor"),
        ("supervisor-1", "mine", ""),
        ("qa-1", "qa", "review"),
        (
            "qa-1",
            "all",
            "supervisor waiting general mine resolved theirs review closed",
        ),
    ],
)
def test_a_queue_lists_its_tickets(
    tickets: dict[str, str], signed_in: SignedIn, who: str, queue: str, expected: str
) -> None:
    found = [tickets[number] for number in signed_in(who).numbers(queue=queue)]
    assert found == expected.split()


def test_mine_is_the_default_queue(tickets: dict[str, str], signed_in: SignedIn) -> None:
    agent = signed_in("agent-1")
    assert agent.tickets() == agent.tickets(queue="mine")


@pytest.mark.parametrize(
    ("status", "expected"),
    [("resolved", ["T-9-resolved"]), ("closed", ["T-8-closed"]), ("archived", [])],
)
def test_a_status_filters_the_list(
    tickets: dict[str, str], signed_in: SignedIn, status: str, expected: list[str]
) -> None:
    assert signed_in("supervisor-1").numbers(queue="all", status=status) == expected


def test_a_role_sees_its_queues_only(signed_in: SignedIn) -> None:
    """Other queues are 403; finance sees none."""
    for who, queue in product(ROSTER, QUEUES):
        if ROSTER[who][0] in QUEUES[queue]:
            signed_in(who).tickets(queue=queue)
        else:
            with pytest.raises(Forbidden):
                signed_in(who).tickets(queue=queue)


def test_without_a_team_there_is_no_team_queue(storage: Storage, signed_in: SignedIn) -> None:
    storage.roster.put(agent("guest", role="admin", team=""))
    guest = signed_in("agent-1")
    guest.username = "guest"
    with pytest.raises(Forbidden):
        guest.tickets(queue="team")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"queue": "everything"}, "queue"),
        ({"status": "lost"}, "status"),
        ({"cursor": "%%%"}, "cursor"),
        ({"cursor": "WzUsbnVsbF0"}, "cursor"),
        ({"cursor": "WzAsIngiXQ"}, "cursor"),
        ({"cursor": "WzAseyJwayI6eyJTIjoieCJ9fV0"}, "cursor"),
        ({"cursor": "e30"}, "cursor"),
    ],
)
def test_an_invalid_query_parameter_is_named(
    signed_in: SignedIn, query: dict[str, str], field: str
) -> None:
    """With 400; also a cursor of another list, or a made-up one."""
    with pytest.raises(InvalidInput) as refused:
        signed_in("agent-1").tickets(**query)
    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.parametrize(
    ("code", "error"), [("ValidationException", InvalidInput), ("X", ClientError)]
)
def test_a_start_key_of_another_query_is_an_invalid_cursor(
    storage: Storage,
    signed_in: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    error: type[Exception],
) -> None:
    """DynamoDB refuses a key outside the query's boundaries."""

    def refuse(*_: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "Query")

    monkeypatch.setattr(storage.tickets, "queue_page", refuse)
    with pytest.raises(error):
        signed_in("agent-1").tickets()


def test_pages_list_every_ticket_once_in_order(
    storage: Storage, playbook: Playbook, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """VIPs first, then by priority and age."""
    monkeypatch.setattr(queues, "PAGE", 3)
    vip = Customer(contact="****8000", kind="phone", hash="h9", customer_class="vip")
    for n in range(8):
        more: dict[str, Any] = {"customer": vip} if n == 7 else {}
        file_ticket(storage, playbook, f"N-{n}", NOON + timedelta(minutes=n), **more)
        change(
            storage, "testdesk", f"N-{n}", c.Enqueue("technical"), playbook, NOON, actor="system"
        )
    agent, found, cursor = signed_in("agent-1"), [], ""
    while True:
        page = agent.tickets(queue="team", cursor=cursor)
        assert len(page["tickets"]) <= 3
        found += [ticket["number"] for ticket in page["tickets"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert found == ["N-7", *(f"N-{n}" for n in range(7))]


def test_a_status_filter_reads_several_pages(
    storage: Storage, playbook: Playbook, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "PAGE", 2)
    for n in range(7):
        file_ticket(storage, playbook, f"N-{n}", NOON + timedelta(minutes=n))
        change(storage, "testdesk", f"N-{n}", HELD, playbook, NOON, actor="system")
    change(storage, "testdesk", "N-6", c.Reply("好"), playbook, NOON, actor="agent-1")
    agent = signed_in("agent-1")
    assert agent.numbers(queue="mine", status="in_progress") == ["N-6"]
    monkeypatch.setattr(queues, "_MAX_READS", 2)
    page = agent.tickets(queue="mine", status="in_progress")
    assert page["tickets"] == []
    assert agent.numbers(queue="mine", status="in_progress", cursor=page["cursor"]) == ["N-6"]


@pytest.mark.requirement("B10")
def test_the_months_of_closed_tickets_go_back_three_years() -> None:
    months = queues._months(NOON)
    assert (months[0], months[2], months[3], months[-1]) == (
        "2026-03", "2026-01", "2025-12", "2023-03",
    )  # fmt: skip
