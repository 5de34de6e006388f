"""Waits and promises on the whole system: over SMTP in, over HTTP and by mail out."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System, wait_until

SHANGHAI = ZoneInfo("Asia/Shanghai")


def mailed(system: System, address: str, text: str) -> SystemJourney:
    """Send a mail to the standard desk and wait for its ticket."""
    journey = SystemJourney(system, "standard")
    system.mail(address, "求助", text)

    def filed() -> str | None:
        found = (re.search(r"CS\d+", sent["Subject"]) for sent in system.sent(address))
        return next((match[0] for match in found if match), None)

    journey.number = wait_until(filed, "the mail is a ticket")
    return journey


def answer(journey: SystemJourney, address: str, text: str) -> None:
    """Answer the ticket's last mail about a question."""
    asked = journey.system.mail_about(address, f"[{journey.number}] 请补充信息")
    journey.system.mail(address, f"Re: {asked['Subject']}", text, In_Reply_To=asked["Message-ID"])


@pytest.mark.requirement("A8", "A11", "G2")
def test_a_question_outlives_a_change_of_handler(system: System) -> None:
    """The pause and the follow-up go on; nobody announces a colleague of the same team."""
    address = "he@example.com"
    journey = mailed(system, address, "APP无法登录，提示验证码错误")
    first, second = "technical-support-1", "technical-support-2"
    journey.set_online("technical-support", 1, 2)
    journey.act("supervisors-1", "assign", agent=f"standard-{first}")
    journey.act(first, "request-info", text="请问是哪个账号？")
    asked = {kind: journey.timer(kind) for kind in ("customer_info", "resolution")}
    assert asked["resolution"]["state"] == "paused"

    journey.act("supervisors-1", "assign", agent=f"standard-{second}")
    view = journey.view()
    assert (view["status"], view["question"]) == ("awaiting_customer", "请问是哪个账号？")
    assert {kind: journey.timer(kind) for kind in asked} == asked

    answer(journey, address, "是工作用的那个账号")
    journey.until("it goes on", lambda: journey.view()["status"] == "in_progress")
    assert journey.view()["handler"] == f"standard-{second}"
    assert journey.timer("customer_info")["state"] == "met"
    assert journey.timer("resolution")["state"] == "running"
    journey.await_message("customer", "assigned")  # once


@pytest.mark.requirement("A4", "A7")
def test_an_outage_by_mail_is_promised_the_time_of_its_priority(system: System) -> None:
    """The first mail tells the time that holds after the rules; no other mail contradicts it."""
    address = "lou@example.com"
    journey = mailed(system, address, "系统崩溃，核心业务中断")
    view = journey.view()
    assert view["priority"] == "高"
    due = journey.due("first_response").astimezone(SHANGHAI)
    assert due - datetime.fromisoformat(view["received_at"]) == timedelta(hours=2)
    told = journey.mail(address, "请求已接收")
    times = re.findall(r"(\d+)月(\d+)日（周.）(\d\d):(\d\d)", told)
    assert len(times) <= 1
    for month, day, hour, minute in times:
        assert (int(month), int(day)) >= (due.month, due.day)
        if (int(month), int(day)) == (due.month, due.day):
            assert (int(hour), int(minute)) == (due.hour, due.minute)
