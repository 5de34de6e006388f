"""Routing by the customer's text applies as long as a ticket waits."""

from typing import Any

import pytest

from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.playbook import load
from functions.core.storage.database import Storage
from functions.core.storage.tickets import Tickets
from functions.router.routing import Router
from tests.core.sample_desk import DESK, NOON, agent, file_ticket

NUMBER = "CS20260310001"
WORDS = "银行卡被扣了两万元，金额20000元"


def playbook_of(**place: Any) -> Playbook:
    """Return a desk whose first destination is for keywords or amounts."""
    return load(
        {**DESK, "tags": {}, "routing": [{**place, "team": "technical"}, {"team": "general"}]}
    )


def route_by_text(storage: Storage, playbook: Playbook) -> Router:
    """Return the router, and a ticket that it has routed by its text."""
    ticket = file_ticket(storage, playbook, NUMBER, description=WORDS)
    router = Router(storage, playbook, NOON)
    router.route_new(ticket, storage.tickets.history("testdesk", NUMBER)[0])
    assert destination_of(storage) == ("waiting", "technical", None)
    return router


def destination_of(storage: Storage) -> tuple[str, str | None, str | None]:
    found: Ticket = storage.tickets.load("testdesk", NUMBER)
    return found.queue, found.team, found.handler


@pytest.mark.requirement("B4", "B5")
@pytest.mark.parametrize("when", [{"mentions": ["银行卡"]}, {"amount_over": 10000}], ids=str)
def test_the_skills_that_the_text_requires_are_required_while_it_waits(
    storage: Storage, when: dict[str, Any]
) -> None:
    router = route_by_text(storage, playbook_of(when=when, needs={"skills": ["pay"]}))
    storage.roster.put(agent("agent-1"))
    router.assign_waiting("technical", 9)
    router.retry_waiting(storage.tickets.load("testdesk", NUMBER))
    assert destination_of(storage) == ("waiting", "technical", None)
    storage.roster.put(agent("agent-2", skills=("pay",)))
    router.assign_waiting("technical", 9)
    assert destination_of(storage) == ("agent", "technical", "agent-2")


@pytest.mark.requirement("E3")
def test_a_collected_ticket_is_never_assigned_automatically(storage: Storage) -> None:
    router = route_by_text(storage, playbook_of(when={"mentions": "银行卡"}, queue="collect"))
    storage.roster.put(agent("agent-1"))
    router.assign_waiting("technical", 9)
    assert destination_of(storage) == ("waiting", "technical", None)


@pytest.mark.requirement("G7")
def test_a_desk_that_does_not_route_by_text_reads_no_history(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    playbook = playbook_of(when={"type": DESK["default_type"]})
    router = route_by_text(storage, playbook)
    storage.roster.put(agent("agent-1"))
    monkeypatch.setattr(Tickets, "history", lambda *_: pytest.fail("the history was read"))
    router.assign_waiting("technical", 9)
    assert destination_of(storage) == ("agent", "technical", "agent-1")
