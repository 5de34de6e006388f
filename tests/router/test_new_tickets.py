"""A request is classified as its ticket is created; the router only routes it."""

from datetime import timedelta
from functools import reduce

import pytest

from functions.core.domain import commands as c, events as e
from functions.core.domain.lifecycle import apply, queue_rank
from functions.core.playbook import load
from functions.core.services.command_service import change
from functions.core.services.composing import notifications_for
from functions.core.storage.database import Storage
from functions.core.storage.tickets import Change
from functions.router.routing import Router
from tests.core.sample_desk import DESK, NOON, both, committed, file_ticket, request

NUMBER = "CS20260310001"
ACKNOWLEDGED = {"on": "TicketReceived", "to": "customer"}
PLAYBOOK = load(
    {
        **DESK,
        "rules": [{"id": "outage", "when": {"mentions": "瘫痪"}, "then": {"priority": "high"}}],
        "messages": {name: {"subject": both(name), "text": both(name)} for name in ("now", "soon")},
        "notifications": [
            {**ACKNOWLEDGED, "message": "now", "when": {"tags": "login"}},
            {**ACKNOWLEDGED, "message": "soon"},
        ],
    }
)
OUTAGE = "系统瘫痪，无法登录"


@pytest.mark.requirement("A4", "A7", "E3")
def test_the_first_promise_is_that_of_the_rules(storage: Storage) -> None:
    """And the acknowledgement is chosen by the classification of its own commit, also later."""
    ticket = file_ticket(storage, PLAYBOOK, NUMBER, description=OUTAGE)
    assert (ticket.type, ticket.priority, ticket.tags) == ("fault", "high", ("login",))
    assert ticket.timers["first_response"].due_at == NOON + timedelta(hours=2)
    (first,) = storage.tickets.history("testdesk", NUMBER)
    assert [event.event for event in first.events][:2] == ["TicketReceived", "TicketClassified"]
    later = ticket.changed(tags=(), priority="low")
    (told,) = notifications_for(first, later, PLAYBOOK)
    assert told.message == "now"


@pytest.mark.requirement("A5", "F2")
def test_the_router_keeps_the_classification_and_a_priority_set_meanwhile(storage: Storage) -> None:
    file_ticket(storage, PLAYBOOK, NUMBER, description=OUTAGE)
    (first,) = storage.tickets.history("testdesk", NUMBER)
    changed = change(
        storage, "testdesk", NUMBER, c.SetPriority("low"), PLAYBOOK, NOON, actor="agent-1"
    )
    for _ in range(2):
        Router(storage, PLAYBOOK, NOON).route_new(changed, first)
        changed = storage.tickets.load("testdesk", NUMBER)
    assert (changed.team, changed.priority, changed.version) == ("technical", "low", 3)


@pytest.mark.requirement("A2", "A5")
def test_a_ticket_of_an_earlier_version_is_classified_by_the_router(storage: Storage) -> None:
    first = committed(None, (request(description=OUTAGE),), NOON, NUMBER)
    ticket = apply(None, first)
    stored = Change(None, ticket, first.events, queue_rank(ticket, PLAYBOOK))
    storage.tickets.commit_all((stored,), actor="customer")
    Router(storage, PLAYBOOK, NOON).route_new(ticket, first)
    history = storage.tickets.history("testdesk", NUMBER)
    routed = reduce(apply, history, None)
    assert routed is not None
    assert len(history[1].of(e.TicketClassified)) == 1
    assert (routed.type, routed.priority, routed.team) == ("fault", "high", "technical")
