"""Implausible input is refused with a reason, on the whole system over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System


@pytest.mark.requirement("D2")
def test_nothing_was_bought_in_the_future(system: System) -> None:
    journey = SystemJourney(system, "aftersales")
    ahead = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    body = {
        "contact": "tomorrow@example.com",
        "description": "冰箱不制冷",
        "product": {"name": "冰箱", "purchased_on": ahead},
    }
    refused = journey.http("POST", "/desks/aftersales/tickets", body)
    assert refused.status == 400
    assert [error["field"] for error in refused.json["errors"]] == ["product.purchased_on"]
    body["product"] = {"name": "冰箱", "purchased_on": "2026-03-10"}
    assert journey.http("POST", "/desks/aftersales/tickets", body).status == 201


@pytest.mark.requirement("D11", "A4")
def test_an_arrival_in_the_past_is_refused_and_a_landline_is_flagged(system: System) -> None:
    journey = SystemJourney(system, "aftersales")
    body = {"contact": "010-65551234", "description": "洗衣机不转"}
    entered = journey.as_agent("service-agents-1", "POST", "/tickets", body)
    assert (entered.status, len(entered.json["warnings"])) == (201, 1)
    assert "不是手机号码" in entered.json["warnings"][0]
    journey.number = entered.json["number"]
    assert not journey.view()["contact_reachable"]

    journey.act("supervisors-1", "assign", agent="aftersales-repair-engineers-2")
    journey.act("repair-engineers-2", "accept")
    past = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    refused = journey.try_action("repair-engineers-2", "visit", arrival=past)
    assert refused.status == 400
    assert [error["field"] for error in refused.json["errors"]] == ["arrival"]


@pytest.mark.requirement("A13")
def test_a_poor_answer_without_words_gets_one_question(system: System) -> None:
    journey, address = SystemJourney(system, "standard"), "poor@example.com"
    journey.file("无法登录", contact=address)
    journey.act("supervisors-1", "take")
    journey.act("supervisors-1", "resolve", summary="已重置密码")
    resolved = journey.system.mail_about(address, f"[{journey.number}] 问题已处理完成")
    subject = f"Re: {resolved['Subject']}"
    journey.system.mail(address, subject, "不满意", In_Reply_To=resolved["Message-ID"])
    journey.await_message("customer", "ask_reason")
