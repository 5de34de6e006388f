"""The router asks whether a customer is upset, and routes whatever comes of it."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from functions.core.deliver import once
from functions.core.domain import commands as c, events as e
from functions.core.domain.playbook_assistant import MoodByExamples
from functions.core.platform.settings import Deployment
from functions.core.playbook import load
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.router import mood
from functions.router.routing import Router
from tests.core.sample_desk import DESK, NOON, file_ticket

pytestmark = pytest.mark.requirement("B13", "E9")
DEPLOYMENT = Deployment("aws", "us-east-1", "123456789012", "mood")
NUMBER = "CS20260310001"
PLAYBOOK = load(
    {
        **DESK,
        "rules": [{"id": "sorry", "when": {"mood": "upset"}, "then": {"priority": "high"}}],
        "mood_by_examples": {},
    }
)


class FakeLambda:
    """Answers with a likelihood, or fails; counts the questions."""

    def __init__(self, upset: float | Exception | None) -> None:
        self.upset = upset
        self.asked: list[Any] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803 - boto3's names
        assert FunctionName == "deskbell-mood-answers"
        self.asked.append(json.loads(Payload))
        if isinstance(self.upset, Exception):
            raise self.upset
        return {"Payload": BytesIO(json.dumps({"upset": self.upset}).encode())}


@pytest.fixture(autouse=True)
def _never_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mood, "_silent_until", {})


def asking(client: FakeLambda, monkeypatch: pytest.MonkeyPatch, **by: Any) -> Any:
    monkeypatch.setattr(once, "client", lambda service, read_timeout: client)
    return mood.reader(DEPLOYMENT, "testdesk", MoodByExamples(**by), NOON)


@pytest.mark.parametrize(("likelihood", "wanted"), [(0.7, True), (0.69, False), (None, False)])
def test_a_text_is_asked_about_once(
    likelihood: float | None, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = FakeLambda(likelihood)
    is_upset = asking(client, monkeypatch, upset=("烂船",), likely=0.7)
    assert [is_upset("没人管"), is_upset("没人管"), is_upset(" ")] == [wanted, wanted, False]
    assert client.asked == [
        {"desk": "testdesk", "mood_of": "没人管", "upset": ["烂船"], "calm": []}
    ]


def test_after_a_failure_nobody_waits_for_the_engine_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = FakeLambda(ConnectTimeoutError(endpoint_url="https://lambda"))
    is_upset = asking(client, monkeypatch)
    assert [is_upset("a"), is_upset("b")] == [False, False]
    assert len(client.asked) == 1
    client.upset = 1.0
    later = mood.reader(DEPLOYMENT, "testdesk", MoodByExamples(), NOON + mood.PAUSE)
    assert later("b")


def test_rules_follow_the_mood_in_the_change_that_routes(storage: Storage) -> None:
    file_ticket(storage, PLAYBOOK, NUMBER, description="等了十天")
    first, *_ = storage.tickets.history("testdesk", NUMBER)
    ticket = storage.tickets.load("testdesk", NUMBER)
    for _ in range(2):
        Router(storage, PLAYBOOK, NOON, lambda text: True).route_new(ticket, first)
        ticket = storage.tickets.load("testdesk", NUMBER)
    assert (ticket.version, ticket.mood, ticket.priority) == (2, "upset", "high")
    assert ticket.timers["first_response"].due_at == NOON + timedelta(hours=2)
    (_, routed) = storage.tickets.history("testdesk", NUMBER)
    (found,) = routed.of(e.TicketClassified)
    assert found.rules == ("mood_by_examples", "sorry")
    assert routed.of(e.TicketQueued, e.TicketAssigned)


def test_a_later_message_raises_the_priority_unless_the_mood_is_known(storage: Storage) -> None:
    ticket = file_ticket(storage, PLAYBOOK, NUMBER, description="请问几点上班")
    router = Router(storage, PLAYBOOK, NOON, lambda text: "十天" in text)
    assert router.hear_mood(ticket, "好的") == ticket
    heard = router.hear_mood(ticket, "等了十天")
    assert (heard.version, heard.mood, heard.priority) == (2, "upset", "high")
    assert router.hear_mood(heard, "还是等了十天") == heard
    (_, commit) = storage.tickets.history("testdesk", NUMBER)
    assert [event.event for event in commit.events][:2] == ["FollowUpClassified", "PriorityChanged"]


def test_a_priority_that_was_set_meanwhile_stays(storage: Storage) -> None:
    calm = PLAYBOOK.model_copy(update={"rules": ()})
    file_ticket(storage, calm, NUMBER, description="等了十天")
    first, *_ = storage.tickets.history("testdesk", NUMBER)
    lowered = change(storage, "testdesk", NUMBER, c.SetPriority("low"), calm, NOON, actor="agent-1")
    Router(storage, calm, NOON, lambda text: True).route_new(lowered, first)
    ticket = storage.tickets.load("testdesk", NUMBER)
    assert (ticket.mood, ticket.priority) == ("upset", "low")
