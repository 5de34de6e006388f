"""Roster: a ticket counts in its handler's load, in the same transaction."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from functions.core.domain import commands as c
from functions.core.domain.audit import AuditEntry
from functions.core.domain.errors import AgentAtCapacity, Conflict, NotFound, TryAgain
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.storage.table import key
from tests.core.sample_desk import NOON, agent, file_ticket
from tests.core.storage.samples import assign, carry_out

pytestmark = pytest.mark.requirement("F2")


def load_of(storage: Storage, username: str = "agent-1") -> int:
    found = storage.roster.get("testdesk", username)
    assert found is not None
    return found.load


def test_an_agent_at_capacity_takes_no_other_ticket(storage: Storage, playbook: Playbook) -> None:
    storage.roster.put(agent(capacity=1))
    tickets = [file_ticket(storage, playbook, f"CS{n}") for n in range(6)]

    def claim(ticket: Ticket) -> bool:
        try:
            carry_out(storage, ticket, assign(), playbook)
        except AgentAtCapacity:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(claim, tickets)) == 1
    assert load_of(storage) == 1


def test_an_offline_agent_takes_no_ticket(storage: Storage, playbook: Playbook) -> None:
    storage.roster.put(agent(online=False))
    ticket = file_ticket(storage, playbook, "CS1")
    with pytest.raises(AgentAtCapacity) as refused:
        carry_out(storage, ticket, assign(), playbook)
    assert refused.value.agent == "agent-1"
    assert storage.tickets.load("testdesk", "CS1").status == "received"


@pytest.mark.requirement("A7")
def test_a_person_may_assign_beyond_the_capacity(storage: Storage, playbook: Playbook) -> None:
    """A supervisor changes the handler at any time."""
    storage.roster.put(agent(capacity=1, online=False))
    for number in ("CS1", "CS2"):
        carry_out(storage, file_ticket(storage, playbook, number), assign(by_hand=True), playbook)
    assert load_of(storage) == 2


def test_only_agents_on_the_roster_take_tickets(
    storage: Storage, playbook: Playbook, ticket: Ticket
) -> None:
    with pytest.raises(AgentAtCapacity):
        carry_out(storage, ticket, assign("stranger", by_hand=True), playbook)


@pytest.mark.parametrize(
    "command",
    [c.Resolve("重置密码"), c.Close("spam"), c.Enqueue("general", "supervisor")],
    ids=["resolved", "closed", "queued"],
)
def test_the_load_falls_once_when_a_ticket_leaves_its_handler(
    storage: Storage, playbook: Playbook, ticket: Ticket, command: c.Command
) -> None:
    ticket = carry_out(storage, ticket, assign(), playbook)
    assert load_of(storage) == 1
    ticket = carry_out(storage, ticket, c.Reply("您好"), playbook)
    ticket = carry_out(storage, ticket, command, playbook)
    assert load_of(storage) == 0
    carry_out(storage, ticket, c.Note("后记"), playbook)
    assert load_of(storage) == 0


def test_the_load_moves_with_the_ticket(
    storage: Storage, playbook: Playbook, ticket: Ticket
) -> None:
    storage.roster.put(agent("agent-2"))
    ticket = carry_out(storage, ticket, assign(), playbook)
    carry_out(storage, ticket, assign("agent-2"), playbook)
    assert (load_of(storage), load_of(storage, "agent-2")) == (0, 1)
    found = storage.roster.get("testdesk", "agent-2")
    assert found is not None
    assert found.assigned_at == NOON


def test_one_of_two_assignments_of_a_version_conflicts(
    storage: Storage, playbook: Playbook, ticket: Ticket
) -> None:
    """The ticket counts once."""
    give = assign(by_hand=True)
    change(storage, "testdesk", "CS1", give, playbook, NOON, actor="agent-1", seen=ticket)
    with pytest.raises(Conflict):
        change(storage, "testdesk", "CS1", give, playbook, NOON, actor="agent-1", seen=ticket)
    assert load_of(storage) == 1


def test_changing_an_agent_keeps_presence_and_load(
    storage: Storage, playbook: Playbook, ticket: Ticket
) -> None:
    carry_out(storage, ticket, assign(), playbook)
    storage.roster.put(agent(capacity=7, team="general", online=False))
    (found,) = storage.roster.list("testdesk")
    assert (found.capacity, found.team, found.online, found.load) == (7, "general", True, 1)


def test_presence_is_set_only_for_agents_on_the_roster(storage: Storage) -> None:
    storage.roster.put(agent())
    storage.roster.set_presence("testdesk", "agent-1", online=False)
    (found,) = storage.roster.list("testdesk")
    assert not found.online
    with pytest.raises(NotFound):
        storage.roster.set_presence("testdesk", "stranger", online=True)
    assert storage.roster.get("testdesk", "stranger") is None


# Active or not


def test_nobody_assigns_to_who_was_deactivated(
    storage: Storage, playbook: Playbook, ticket: Ticket
) -> None:
    """Not even a person whose page still showed them."""
    assert storage.roster.set_active("testdesk", "agent-1", False)
    for give in (assign(), assign(by_hand=True)):
        with pytest.raises(AgentAtCapacity):
            carry_out(storage, ticket, give, playbook)
    assert load_of(storage) == 0


def test_a_deactivated_agent_gives_tickets_back(
    storage: Storage, playbook: Playbook, ticket: Ticket
) -> None:
    ticket = carry_out(storage, ticket, assign(), playbook)
    storage.roster.set_active("testdesk", "agent-1", False)
    carry_out(storage, ticket, c.Enqueue("technical"), playbook)
    assert load_of(storage) == 0


def test_who_is_deactivated_is_offline_and_stays_so(storage: Storage) -> None:
    storage.roster.put(agent())
    assert storage.roster.set_active("testdesk", "agent-1", False)
    with pytest.raises(NotFound):
        storage.roster.set_presence("testdesk", "agent-1", online=True)
    storage.roster.put(agent(online=True, capacity=9))  # a change of the entry lets nobody in
    (found,) = storage.roster.list("testdesk")
    assert (found.active, found.online, found.capacity) == (False, False, 9)
    assert storage.roster.set_active("testdesk", "agent-1", True)
    (found,) = storage.roster.list("testdesk")
    assert (found.active, found.online) == (True, False)


def test_deactivating_and_activating_twice_changes_nothing(storage: Storage) -> None:
    storage.roster.put(agent())
    assert not storage.roster.set_active("testdesk", "agent-1", True)
    assert storage.roster.set_active("testdesk", "agent-1", False)
    assert not storage.roster.set_active("testdesk", "agent-1", False)
    with pytest.raises(NotFound):
        storage.roster.set_active("testdesk", "stranger", False)


def test_an_entry_of_former_code_is_active(
    storage: Storage, playbook: Playbook, ticket: Ticket
) -> None:
    """It has no such attribute."""
    storage.table.client.update_item(
        TableName=storage.table.name,
        Key=key("DESK#testdesk", "AGENT#agent-1"),
        UpdateExpression="REMOVE active",
    )
    assert storage.roster.list("testdesk")[0].active
    carry_out(storage, ticket, assign(), playbook)
    storage.roster.set_presence("testdesk", "agent-1", online=True)
    assert storage.roster.set_active("testdesk", "agent-1", False)


def test_a_change_and_its_entry_in_the_audit_are_one(storage: Storage) -> None:
    """If the entry cannot be written, nothing changes."""
    storage.roster.put(agent())
    entry = AuditEntry(
        at=NOON, actor="console:a", act="person.remove", desk="testdesk", target="agent-1"
    )
    write = storage.audit.write(entry)
    assert storage.roster.set_active("testdesk", "agent-1", False, write)
    with pytest.raises(TryAgain):
        storage.roster.set_active("testdesk", "agent-1", True, write)  # this entry exists
    assert not storage.roster.list("testdesk")[0].active
    assert list(storage.audit.list(NOON, NOON + timedelta(seconds=1))) == [entry]
