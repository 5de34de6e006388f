"""Conditional writes to the table never overwrite a concurrent change (G1, G3)."""

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

RECORD = IdempotencyRecord("testdesk", "form", "order-42")


@pytest.fixture
def ticket(store: Store, playbook: Playbook) -> Ticket:
    store.put_agent(agent(capacity=5))
    return file(store, playbook, "CS1")


def item(store: Store, sort_key: str) -> Any:
    (stored,) = [i for i in store.everything("testdesk", "CS1") if i["sk"]["S"] == sort_key]
    return stored


def test_an_idempotency_record_expires_after_its_time(store: Store) -> None:
    assert store.once(RECORD, NOON, timedelta(days=2))
    assert not store.once(RECORD, NOON, timedelta(days=2))
    stored = store._get(RECORD.pk, "SEEN", consistent=True)
    assert int(stored["expires_at"]["N"]) == int((NOON + timedelta(days=2)).timestamp())


def test_idempotency_records_are_separate_per_desk_and_channel(store: Store) -> None:
    assert store.once(RECORD, NOON, timedelta(days=2))
    for other in (
        IdempotencyRecord("other", "form", RECORD.id),
        IdempotencyRecord("testdesk", "mail", RECORD.id),
    ):
        assert store.once(other, NOON, timedelta(days=2))


@pytest.mark.requirement("B10")
def test_a_changed_body_is_not_overwritten(store: Store, ticket: Ticket) -> None:
    """Two concurrent erasures, or an erasure during a delivery."""
    read = item(store, "EVENT#000001")
    assert store.rewrite(read, '{"a": 1}')
    assert not store.rewrite(read, '{"a": 2}')
    assert item(store, "EVENT#000001")["body"]["S"] == '{"a": 1}'
    assert item(store, "EVENT#000001")["readers"]["S"] == "none"


@pytest.mark.requirement("F3")
def test_the_wake_time_moves_only_for_the_version_that_was_read(
    store: Store, playbook: Playbook, ticket: Ticket
) -> None:
    """Somebody changes a ticket after the sweep has read it."""
    change(store, "testdesk", "CS1", c.SetPriority("high"), playbook, NOON, actor="agent-1")
    before = item(store, "TICKET")
    assert not store.move_wake(ticket)
    assert item(store, "TICKET") == before
    assert store.move_wake(store.load("testdesk", "CS1"))


@pytest.mark.requirement("G1")
def test_the_first_known_idempotency_record_wins(store: Store) -> None:
    """A mail that refers to two earlier ones joins the ticket of the later one."""
    for number in ("CS1", "CS2"):
        idempotency = IdempotencyRecord("testdesk", "mail", f"<{number}@a>", number=number)
        assert store.once(idempotency, NOON, timedelta(days=2))
    asked = [
        IdempotencyRecord("testdesk", "mail", f"<{number}@a>") for number in ("CS9", "CS2", "CS1")
    ]
    first = store.first_seen(asked)
    assert first is not None
    assert first.number == "CS2"


@pytest.mark.requirement("F2")
def test_capacity_is_claimed_only_for_the_version_that_was_read(
    store: Store, playbook: Playbook, ticket: Ticket
) -> None:
    """Of two concurrent assignments one is a conflict, and the load rises by one."""
    assign = c.Assign("technical", "agent-1", by_person=True)
    change(store, "testdesk", "CS1", assign, playbook, NOON, actor="agent-1", seen=ticket)
    with pytest.raises(Conflict):
        change(store, "testdesk", "CS1", assign, playbook, NOON, actor="agent-1", seen=ticket)
    assigned = store.agent("testdesk", "agent-1")
    assert assigned is not None
    assert assigned.load == 1
