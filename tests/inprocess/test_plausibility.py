"""Implausible input is refused with a reason, or flagged to the agent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.core.domain.roster import Agent
from functions.core.playbook import load
from tests.inprocess.conftest import ROOT
from tests.inprocess.desk_journey import SimulatedJourney, deployed


@pytest.fixture
def journey() -> Iterator[SimulatedJourney]:
    roster = [
        Agent(desk="aftersales", username="li-1", role="agent", team="维修工程师组", capacity=5),
        Agent(desk="aftersales", username="zg-1", role="supervisor", team="主管组", capacity=5),
    ]
    with deployed("aftersales", roster) as found:
        found.online("li-1")
        yield found


@pytest.mark.requirement("D11")
@pytest.mark.parametrize("by", [timedelta(minutes=-1), timedelta(days=400)])
def test_an_arrival_is_still_ahead(journey: SimulatedJourney, by: timedelta) -> None:
    journey.file("冰箱不制冷，需要维修")
    journey.act("li-1", "accept")
    arrival = (datetime.now(UTC) + by).isoformat()
    answer = journey.try_action("li-1", "visit", arrival=arrival)
    assert answer.status == 400
    (error,) = answer.json["errors"]
    assert error["field"] == "arrival"
    assert error["message"] == "尚未到来、一年以内的时间"


@pytest.mark.requirement("B6", "D11", "E5")
@pytest.mark.parametrize("desk", ["standard", "omnichannel", "aftersales", "rapid", "assisted"])
def test_every_time_that_agents_name_is_one_ahead(desk: str) -> None:
    """Arrivals, the answers of departments, promised times."""
    steps = load(ROOT / "playbooks" / f"{desk}.yaml").steps
    times = [f for step in steps.values() for f in step.fields.values() if f.kind == "time"]
    assert all(field.future for field in times)


@pytest.mark.requirement("D2")
@pytest.mark.parametrize("by_agent", [False, True])
def test_nothing_was_bought_in_the_future(journey: SimulatedJourney, by_agent: bool) -> None:
    today = datetime.now(UTC).astimezone(journey.playbook.zone).date()
    body: dict[str, Any] = {"contact": "13812345678", "description": "冰箱不制冷"}
    for day, status in ((today, 201), (today + timedelta(days=1), 400)):
        body |= {"product": {"name": "冰箱", "purchased_on": day.isoformat()}}
        answer = (
            journey.as_agent("li-1", "POST", "/tickets", body)
            if by_agent
            else journey.http("POST", "/desks/aftersales/tickets", body)
        )
        assert answer.status == status
    assert [error["field"] for error in answer.json["errors"]] == ["product.purchased_on"]


@pytest.mark.requirement("D4")
def test_a_completed_date_of_purchase_is_one(journey: SimulatedJourney) -> None:
    journey.file("冰箱不制冷", product={"name": "冰箱"})
    today = datetime.now(UTC).astimezone(journey.playbook.zone).date()
    given = {"product_line": "冰箱", "warranty": "保修期内", "symptoms": "不制冷"}
    for bought, problem in (
        ((today + timedelta(days=1)).isoformat(), "不晚于今天的日期"),
        ("去年", "请填写日期，例如 2026-03-10"),
        ("2026-02-30", "请填写日期，例如 2026-03-10"),
    ):
        answer = journey.try_action("zg-1", "complete", purchased_on=bought, **given)
        expected = [{"field": "purchased_on", "message": problem}]
        assert (answer.status, answer.json["errors"]) == (400, expected)
    journey.act("zg-1", "complete", purchased_on=today.isoformat(), **given)


@pytest.mark.requirement("A4")
@pytest.mark.parametrize(
    ("contact", "more", "problem"),
    [
        ("13812345678", {}, ""),
        ("han@example.com", {}, ""),
        ("010-65551234", {}, "不是手机号码"),
        ("400-820-8820", {}, "不是手机号码"),
        ("+1 415 555 2671", {}, "不向该号码所在的国家"),
        ("010-65551234", {"preferred_channel": "phone"}, ""),
    ],
)
def test_a_number_that_gets_no_text_messages_is_flagged(
    journey: SimulatedJourney, contact: str, more: dict[str, str], problem: str
) -> None:
    body: dict[str, Any] = {"contact": contact, "description": "冰箱不制冷", **more}
    answer = journey.as_agent("li-1", "POST", "/tickets", body)
    assert answer.status == 201
    assert [problem in warning for warning in answer.json["warnings"]] == [True] * bool(problem)
    journey.number = answer.json["number"]
    view = journey.view("zg-1")
    assert view["contact_reachable"] is not bool(problem)
    assert problem in (view["contact_problem"] or "")
    journey.act("zg-1", "correct-contact", contact="13912345678")
    assert journey.view("zg-1")["contact_reachable"]
