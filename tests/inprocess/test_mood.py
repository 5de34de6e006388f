"""An upset customer is recognised without any keyword, and comforted first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from functions.answers import encoder, mood
from functions.answers.vectors import Floats
from functions.core.domain.events import FollowUpClassified, TicketClassified
from functions.router import mood as router_mood
from tests.inprocess.conftest import ROOT
from tests.inprocess.desk_journey import SimulatedJourney, deployed
from tests.inprocess.test_rapid import ROSTER

pytestmark = pytest.mark.requirement("B13", "E9")
CALM, UPSET = "我的快递到哪了", "我的快递蜗牛都比你们快"
"""A question, and what an upset customer makes of it: no rule of the desk has a word of it."""


def embed(texts: Sequence[str]) -> Floats:
    """Encode a text like the first upset example, or like the first calm one."""
    stored = np.frombuffer((ROOT / "functions/answers" / mood.VECTORS).read_bytes(), np.int8)
    rows = stored.reshape(len(mood.shipped()), -1).astype(np.float32) / mood.SCALE
    calm = len(mood.examples()["upset"])
    return np.stack([rows[0 if "蜗牛" in text else calm] for text in texts])


@pytest.fixture
def journey(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedJourney]:
    monkeypatch.setattr(router_mood, "_silent_until", {})
    with deployed("rapid", ROSTER, embed=embed) as found:
        deliver = found.simulator.deliver

        def twice(records: list[object]) -> None:
            for _ in range(2):
                deliver(records)

        monkeypatch.setattr(found.simulator, "deliver", twice)
        found.online("kx-1")
        yield found


def asked(journey: SimulatedJourney) -> int:
    return sum(run.function == "answers" for run in journey.simulator.invocations)


@pytest.mark.slow
def test_an_upset_request_is_comforted_first(journey: SimulatedJourney) -> None:
    """Its record comes twice; the mood is asked for and recorded once."""
    journey.file(CALM)
    calm = journey.view()
    assert (calm["mood"], journey.messages_to("customer")) == (None, ["received", "assigned"])
    before = asked(journey)
    journey.file(UPSET, contact="another@example.com")
    upset = journey.view()
    assert (upset["mood"], upset["priority"]) == ("upset", calm["priority"])
    assert "mood_by_examples" in upset["rules"]
    assert upset["suggestion"]["text"] != calm["suggestion"]["text"]
    assert "生气都是应该的" in upset["suggestion"]["text"].split("\n\n")[0]
    assert journey.messages_to("customer") == ["received", "assigned_upset"]
    assert asked(journey) == before + 1
    history = journey.storage.tickets.history("rapid", journey.number)
    assert sum(len(commit.of(TicketClassified)) for commit in history) == 2


def test_an_upset_message_is_answered_with_comfort_once(journey: SimulatedJourney) -> None:
    journey.file(CALM)
    journey.act_as_customer("messages", text="好的")
    journey.act_as_customer("messages", text=UPSET)
    journey.act_as_customer("messages", text=UPSET)
    assert journey.ticket.mood == "upset"
    assert journey.messages_to("customer").count("comfort") == 1
    history = journey.storage.tickets.history("rapid", journey.number)
    (change,) = [event for commit in history for event in commit.of(FollowUpClassified)]
    assert change.rules == ("mood_by_examples",)


def test_a_ticket_is_routed_without_an_engine(
    journey: SimulatedJourney, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(encoder, "load", broken)
        journey.file(UPSET)
    assert (journey.ticket.handler, journey.ticket.mood) == ("kx-1", None)


def test_nobody_asks_about_a_mood_that_a_rule_has_said(journey: SimulatedJourney) -> None:
    journey.file("非常生气，你们的快递像蜗牛")
    assert (journey.ticket.mood, asked(journey)) == ("upset", 0)
    assert "mood_by_examples" not in journey.view()["rules"]
    journey.act_as_customer("messages", text=UPSET)
    assert asked(journey) == 0
