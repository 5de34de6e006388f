"""The sweep moves the index key of a ticket that has nothing due at it."""

from datetime import timedelta

import pytest

from functions.core.domain import commands as c
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import PICK_UP_AFTER
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.storage.items import SHARDS
from functions.sla_timer.sweep import sweep
from tests.core.sample_desk import NOON, agent, file_ticket

pytestmark = pytest.mark.requirement("F3", "G2")


def due_in(storage: Storage, after: timedelta) -> list[str]:
    return [due.pk for shard in range(SHARDS) for due in storage.tickets.due(shard, NOON + after)]


def test_a_ticket_that_is_due_too_early_is_moved_without_a_commit(
    storage: Storage, playbook: Playbook
) -> None:
    """A reply leaves the ticket's index key; the sweep moves it when that time comes."""
    ticket = file_ticket(storage, playbook, "CS1")
    storage.roster.put(agent())
    storage.playbooks.put(playbook, NOON)
    first = ticket.next_due
    assert first is not None
    storage.tickets.move_wake(ticket, first)
    for command in (c.Assign("technical", "agent-1", by_person=True), c.Reply("您好")):
        at = NOON + PICK_UP_AFTER
        ticket = change(storage, "testdesk", "CS1", command, playbook, at, actor="agent-1")
    assert ticket.next_due is not None
    assert ticket.next_due > first
    assert ticket.wakes_at == first
    assert due_in(storage, first - NOON) == ["TICKET#testdesk#CS1"]

    swept = sweep(storage, first, lambda: timedelta(minutes=1))
    assert (swept.done, swept.failed) == (1, 0)
    found = storage.tickets.load("testdesk", "CS1")
    assert found.version == ticket.version
    assert found.wakes_at == found.next_due == ticket.next_due
    assert due_in(storage, first - NOON) == []
    assert due_in(storage, ticket.next_due - NOON) == ["TICKET#testdesk#CS1"]


def test_a_late_move_changes_nothing(storage: Storage, playbook: Playbook) -> None:
    ticket = file_ticket(storage, playbook, "CS1")
    change(storage, "testdesk", "CS1", c.Note("x"), playbook, NOON, actor="agent-1")
    assert not storage.tickets.move_wake(ticket, ticket.next_due)


def test_a_ticket_without_deadlines_leaves_the_index(storage: Storage, playbook: Playbook) -> None:
    ticket = file_ticket(storage, playbook, "CS1")
    assert storage.tickets.move_wake(ticket, None)
    assert due_in(storage, timedelta(days=999)) == []
