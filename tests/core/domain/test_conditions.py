"""Conditional writes of the table: what came meanwhile is never written over (G1, G3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from functions.core.domain import commands as c
from functions.core.domain.errors import Conflict
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.command_service import change
from functions.core.storage.store import IdempotencyRecord, Store
from tests.core.sample_desk import NOON, agent, file

MARKER = IdempotencyRecord("testdesk", "form", "order-42")


@pytest.fixture
def ticket(store: Store, playbook: Playbook) -> Ticket:
    store.put_agent(agent(capacity=5))
    return file(store, playbook, "CS1")


def item(store: Store, sort_key: str) -> Any:
    (found,) = [i for i in store.everything("testdesk", "CS1") if i["sk"]["S"] == sort_key]
    return found


def test_what_was_done_is_known_for_as_long_as_was_said(store: Store) -> None:
    assert store.once(MARKER, NOON, timedelta(days=2))
    assert not store.once(MARKER, NOON, timedelta(days=2))
    found = store._get(MARKER.pk, "SEEN", consistent=True)
    assert int(found["expires_at"]["N"]) == int((NOON + timedelta(days=2)).timestamp())


def test_a_key_of_another_desk_or_channel_is_another_key(store: Store) -> None:
    assert store.once(MARKER, NOON, timedelta(days=2))
    for other in (
        IdempotencyRecord("other", "form", MARKER.id),
        IdempotencyRecord("testdesk", "mail", MARKER.id),
    ):
        assert store.once(other, NOON, timedelta(days=2))


def test_a_body_that_is_no_longer_what_was_read_is_left_alone(store: Store, ticket: Ticket) -> None:
    """B10: two erasures at a time, or one beside a delivery that is being sent."""
    read = item(store, "EVENT#000001")
    assert store.rewrite(read, '{"a": 1}')
    assert not store.rewrite(read, '{"a": 2}')
    assert item(store, "EVENT#000001")["body"]["S"] == '{"a": 1}'
    assert item(store, "EVENT#000001")["readers"]["S"] == "none"


def test_a_due_moment_is_moved_for_the_version_that_was_read(
    store: Store, playbook: Playbook, ticket: Ticket
) -> None:
    """F3: the sweep has read a ticket that somebody changes before it is put where it is due."""
    change(store, "testdesk", "CS1", c.SetPriority("high"), playbook, NOON, actor="agent-1")
    before = item(store, "TICKET")
    assert not store.move_wake(ticket)
    assert item(store, "TICKET") == before
    assert store.move_wake(store.load("testdesk", "CS1"))


def test_the_first_of_several_markers_is_asked_for_in_their_order(store: Store) -> None:
    """G1: a mail that refers to two earlier ones joins the ticket of the nearer."""
    for number in ("CS1", "CS2"):
        idempotency = IdempotencyRecord("testdesk", "mail", f"<{number}@a>", number=number)
        assert store.once(idempotency, NOON, timedelta(days=2))
    asked = [
        IdempotencyRecord("testdesk", "mail", f"<{number}@a>") for number in ("CS9", "CS2", "CS1")
    ]
    found = store.first_seen(asked)
    assert found is not None
    assert found.number == "CS2"


def test_a_place_is_taken_only_of_the_ticket_that_was_read(
    store: Store, playbook: Playbook, ticket: Ticket
) -> None:
    """F2: of two who give one ticket away at once, one has to look again; one place is taken."""
    give = c.Assign("technical", "agent-1", by_person=True)
    change(store, "testdesk", "CS1", give, playbook, NOON, actor="agent-1", seen=ticket)
    with pytest.raises(Conflict):
        change(store, "testdesk", "CS1", give, playbook, NOON, actor="agent-1", seen=ticket)
    kept = store.agent("testdesk", "agent-1")
    assert kept is not None
    assert kept.load == 1
