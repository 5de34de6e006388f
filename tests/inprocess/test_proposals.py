"""Customers' words become proposals, which a person accepts: whole loops in one process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.core.domain.proposals import ProposalDecision
from functions.core.platform import clock
from functions.core.storage.proposals import DeskProposals
from tests.inprocess.conftest import erase_customer
from tests.inprocess.desk_journey import SimulatedJourney
from tests.inprocess.test_assistant import Chat, configure, journey as journey

GOLD = ("黄金会员怎么升级", "升级黄金会员的条件", "如何成为黄金会员", "黄金会员要多少积分")
SOON, LATER = timedelta(minutes=1), timedelta(hours=1)
"""Erasing waits until no message is being sent."""


def make(journey: SimulatedJourney, at: datetime | None = None) -> dict[str, int]:
    """Run the function for the desk, as every night."""
    time = (at or datetime.now(UTC)) + SOON
    event = {"time": time.isoformat(), "desk": journey.desk}
    made: dict[str, int] = journey.simulator.invoke("proposals", event)
    return made


def proposals(journey: SimulatedJourney) -> Any:
    return journey.as_agent("zg-1", "GET", "/proposals").json


def decide(journey: SimulatedJourney, proposal: str, **body: Any) -> Any:
    return journey.as_agent("zg-1", "POST", f"/proposals/{proposal}", body)


@pytest.fixture
def subjects(monkeypatch: pytest.MonkeyPatch) -> None:
    known = ("退", "票", "单", "包裹", "黄金")
    monkeypatch.setattr("tests.inprocess.test_assistant.SUBJECTS", known)


@pytest.fixture
def missed(journey: SimulatedJourney, subjects: None) -> SimulatedJourney:
    """A desk whose assistant has not understood four questions about the same thing."""
    for text in GOLD:
        chat = Chat(journey)
        chat.begin()
        assert [message["kind"] for message in chat.write(text)] == ["text"]
    return journey


@pytest.mark.slow
@pytest.mark.requirement("C12")
def test_missed_questions_become_an_article(
    missed: SimulatedJourney, monkeypatch: pytest.MonkeyPatch
) -> None:
    Chat(missed).begin()
    assert make(missed)["chats"] == 1
    found = proposals(missed)
    (proposal,) = [one for one in found["articles"] if one["source"] == "chats"]
    assert (proposal["article"], proposal["count"], proposal["share"]) == (None, 4, 1.0)
    assert {one["text"] for one in proposal["questions"]} == set(GOLD)
    assert found["made"]["chats"]["seen"] == 4

    agent = missed.as_agent("zx-1", "POST", f"/proposals/{proposal['id']}", {"accepted": True})
    assert agent.status == 403
    later = clock.now() + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    decided = decide(missed, proposal["id"], accepted=True, article="gold").json
    assert (decided["article"], decided["phrasings"], decided["before"]) == ("gold", 4, 0.0)
    assert decide(missed, proposal["id"], accepted=False).status == 409
    draft = missed.as_agent("zg-1", "GET", "/articles/gold").json
    assert (draft["state"], draft["history"][0]["author"]) == ("draft", "zg-1")
    assert set(draft["asked"]["zh-CN"]) == set(GOLD)

    published = {key: draft[key] for key in ("version", "title", "asked")}
    published |= {"solution": {"zh-CN": "满1000积分升级。"}, "state": "published"}
    assert missed.as_agent("zg-1", "PUT", "/articles/gold", published).status == 200
    missed.simulator.expire_playbooks()
    Chat(missed).begin()  # prepares the index
    chat = Chat(missed)
    chat.begin()
    configure(missed, at_once=0.5)
    said = chat.write("黄金会员怎么升级？")
    if said[0]["kind"] == "offer":
        said = chat.new("choice", option="gold")
    assert said[0]["article"] == "gold"

    assert make(missed, later)["chats"] == 0  # what was decided is not proposed again
    (decision,) = proposals(missed)["decisions"]
    assert (decision["after"], decision["helped"], decision["by"]) == (1.0, 1.0, "zg-1")


@pytest.mark.slow
@pytest.mark.requirement("C12")
def test_poor_ratings_and_refused_offers_count(journey: SimulatedJourney, subjects: None) -> None:
    for rating in (True, True, False, False):
        configure(journey, at_once=0.5 if rating else 1)
        chat = Chat(journey)
        chat.begin()
        chat.write("我的退款怎么还没到账")
        chat.new("rating", score=2) if rating else chat.new("choice", option="none")
    make(journey)
    (proposal, *_) = proposals(journey)["articles"]
    assert (proposal["article"], proposal["poor"]) == (None, {"refund-status": 2})


@pytest.mark.slow
@pytest.mark.requirement("C12")
def test_a_dismissed_proposal_does_not_come_back(missed: SimulatedJourney) -> None:
    make(missed)
    (proposal,) = proposals(missed)["articles"]
    assert decide(missed, "unknown", accepted=True).status == 404
    both = decide(missed, proposal["id"], accepted=False, article="gold")
    assert (both.status, both.json["errors"][0]["field"]) == (400, "article")
    assert decide(missed, proposal["id"], accepted=False).status == 200
    make(missed)
    assert proposals(missed)["articles"] == []


@pytest.mark.slow
@pytest.mark.requirement("E8")
def test_the_most_frequent_questions_of_tickets_are_listed_weekly(
    journey: SimulatedJourney, subjects: None
) -> None:
    for text in (*GOLD, "门店地址在哪里"):
        journey.file(text, contact="13800138000", type="咨询")
    assert make(journey)["tickets"] == 1
    (proposal,) = proposals(journey)["articles"]
    assert (proposal["source"], proposal["count"], proposal["share"]) == ("tickets", 4, 0.8)
    assert proposal["types"] == {"咨询": 4}
    accepted = decide(journey, proposal["id"], accepted=True).json
    draft = journey.as_agent("zg-1", "GET", f"/articles/{accepted['article']}").json
    assert (draft["audience"], draft["state"]) == ("agent", "draft")


@pytest.mark.slow
@pytest.mark.requirement("C12")
def test_corrected_classifications_become_a_rule(journey: SimulatedJourney) -> None:
    for text in ("音箱嗡嗡响", "新买的投影仪一直嗡嗡响", "你们周末开门吗"):
        journey.file(text, contact="13800138000", type="咨询")
        if "嗡" in text:
            assert journey.try_action("zg-1", "confirm-type", type="报障").status == 200
    journey.simulator.pump()
    assert make(journey)["rules"] == 1
    (rule,) = proposals(journey)["rules"]
    assert (rule["was"], rule["value"], rule["corrected"]) == ("咨询", "报障", 2)
    assert rule["rule"]["then"] == {"type": "报障"}
    assert (rule["changes"], rule["right"]) == (2, 2)
    assert decide(journey, rule["id"], accepted=True).json["article"] is None
    make(journey)
    assert proposals(journey)["rules"] == []


@pytest.mark.slow
@pytest.mark.requirement("B10", "C12")
def test_an_erased_customer_leaves_questions_and_proposals(
    journey: SimulatedJourney, subjects: None
) -> None:
    for text in GOLD:
        journey.file(text, contact="13800138000")
    make(journey)
    assert proposals(journey)["articles"]
    erase_customer(journey.simulator, datetime.now(UTC) + LATER, contact="13800138000")
    assert proposals(journey)["articles"] == []
    make(journey)
    assert proposals(journey)["articles"] == []


def test_each_desk_is_run_at_its_own_night(journey: SimulatedJourney) -> None:
    night = datetime(2026, 3, 9, 18, 30, tzinfo=UTC)  # 02:30 in Shanghai
    journey.storage.manifests.start(journey.desk, night)
    for hour, made in ((night + timedelta(hours=1), False), (night, True)):
        journey.simulator.invoke("proposals", {"time": hour.isoformat()})
        journey.simulator.pump()
        assert bool(proposals(journey)["made"]) is made


@pytest.mark.slow
@pytest.mark.requirement("C12")
def test_only_one_of_two_decisions_adds_an_article(
    missed: SimulatedJourney, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(missed)
    (proposal,) = proposals(missed)["articles"]
    assert decide(missed, proposal["id"], accepted=True, article="Bad Id/x").status == 400
    store = DeskProposals.decide

    def second(self: DeskProposals, desk: str, decision: ProposalDecision) -> bool:
        """Store what the other person decided a moment before."""
        other = decision.model_copy(update={"by": "zg-2", "article": "first"})
        return store(self, desk, other) and store(self, desk, decision)

    monkeypatch.setattr(DeskProposals, "decide", second)
    assert decide(missed, proposal["id"], accepted=True, article="gold").status == 409
    assert missed.as_agent("zg-1", "GET", "/articles/gold").status == 404


@pytest.mark.slow
@pytest.mark.requirement("C12", "G4")
def test_what_is_masked_becomes_no_phrasing(journey: SimulatedJourney, subjects: None) -> None:
    for text in (*GOLD, "黄金会员怎么升级，我的电话13812345678"):
        chat = Chat(journey)
        chat.begin()
        chat.write(text)
    make(journey)
    (proposal,) = proposals(journey)["articles"]
    decided = decide(journey, proposal["id"], accepted=True, article="gold").json
    assert (proposal["count"], decided["phrasings"]) == (5, 4)


@pytest.mark.slow
@pytest.mark.requirement("C12")
def test_an_article_gets_no_phrasing_twice(missed: SimulatedJourney) -> None:
    make(missed)
    (proposal,) = proposals(missed)["articles"]
    known = {"title": {"zh-CN": "会员"}, "solution": {"zh-CN": "满1000积分。"}}
    asked = {"asked": {"zh-CN": [f"{GOLD[0]}？"]}}
    assert missed.as_agent("zg-1", "PUT", "/articles/gold", known | asked).status == 200
    assert decide(missed, proposal["id"], accepted=True, article="gold").json["phrasings"] == 3
    assert len(missed.as_agent("zg-1", "GET", "/articles/gold").json["asked"]["zh-CN"]) == 4
