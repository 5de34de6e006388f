"""The router's reactions besides routing: the closing workflow's wake-ups and runs."""

from types import SimpleNamespace
from typing import Any

import pytest

from functions.core.domain import events as e
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Status, Ticket
from functions.core.platform import aws
from functions.core.platform.settings import Deployment
from functions.core.playbook import load
from functions.router import closing_workflow, consumer
from tests.core.sample_desk import DESK, NOON, committed, received

pytestmark = pytest.mark.requirement("A13", "A14", "B9")
DEPLOYMENT = Deployment("aws", "us-east-1", "123456789012", "test")


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    return load(DESK)


def calls_of(
    name: str, monkeypatch: pytest.MonkeyPatch, ticket: Ticket, event: e.Event
) -> list[Any]:
    """Return the last argument of each call of the closing workflow that an event causes."""
    made: list[Any] = []
    monkeypatch.setattr(aws, "client", lambda service: None)
    monkeypatch.setattr(closing_workflow, name, lambda *given: made.append(given[-1]))
    router: Any = SimpleNamespace(
        playbook=None,
        storage=None,
        route_on=lambda ticket: None,
        route_after_unmerge=lambda ticket: None,
    )
    commit = committed(ticket, (event,), NOON)
    consumer._Reaction(ticket, commit, router, DEPLOYMENT).react(event)
    return made


def test_a_reopened_ticket_ends_its_survey_and_its_review(
    playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    reopened = e.TicketReopened(team="general")
    assert calls_of("wake", monkeypatch, received(playbook), reopened) == ["survey", "review"]


@pytest.mark.parametrize(
    "status", ["awaiting_confirmation", "resolved", "in_review", "archived", "closed"]
)
def test_an_unmerged_ticket_asks_its_customer_again(
    playbook: Playbook, monkeypatch: pytest.MonkeyPatch, status: Status
) -> None:
    event = e.TicketUnmerged(other="CS2", status=status, queue="qa")
    assert len(calls_of("start", monkeypatch, received(playbook), event)) == 1


@pytest.mark.parametrize(("status", "runs"), [("archived", 1), ("closed", 1), ("resolved", 0)])
def test_a_merge_renews_an_archived_document(
    playbook: Playbook, monkeypatch: pytest.MonkeyPatch, status: Status, runs: int
) -> None:
    ticket = received(playbook).model_copy(update={"status": status})
    assert len(calls_of("start", monkeypatch, ticket, e.MergeReceived(other="CS1"))) == runs
