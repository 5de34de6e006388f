"""Staffing: nobody online, an offline handler, the end of a shift; and how a ticket closes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.core.domain.roster import Agent
from functions.core.platform import clock
from functions.core.storage.table import stamp
from tests.inprocess.desk_journey import SimulatedJourney, deployed
from tests.moto_internals import sent_texts

NOON = datetime(2026, 3, 10, 4, tzinfo=UTC)  # Tuesday, 12:00 in Shanghai is the lunch break
OPEN, NIGHT = NOON + timedelta(hours=2), NOON + timedelta(hours=12)
TEAMS = {
    "standard": ("技术支持组", "主管组"),
    "rapid": ("技术支持组", "主管组"),
    "aftersales": ("维修工程师组", "主管组"),
    "omnichannel": ("技术支持", "客服主管"),
}
SHIFT = {
    day: [["09:00", "12:00"], ["13:30", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")
}
Deploy = Callable[..., SimulatedJourney]


@pytest.fixture
def deploy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deploy]:
    with ExitStack() as stack:

        def make(desk: str, at: datetime = OPEN, *online: str) -> SimulatedJourney:
            monkeypatch.setattr(clock, "now", lambda: at)
            team, leaders = TEAMS[desk]
            people: Any = {"li-1": team, "li-2": team, "wang-1": "另一组", "zg-1": leaders}
            roster = [
                Agent(
                    desk=desk,
                    username=name,
                    role="supervisor" if name == "zg-1" else "agent",
                    team=of,
                    capacity=5,
                    shift=SHIFT if name == "li-1" else {},
                )
                for name, of in people.items()
            ]
            journey = stack.enter_context(deployed(desk, roster))
            journey.online(*online)
            return journey

        yield make


def nobody(journey: SimulatedJourney) -> int:
    return journey.messages_to("supervisor").count("supervisor_nobody_online")


@pytest.mark.requirement("A7", "E3")
@pytest.mark.parametrize(
    ("desk", "at", "told"), [("standard", OPEN, 1), ("standard", NIGHT, 0), ("rapid", NIGHT, 1)]
)
def test_supervisors_are_told_once_that_nobody_is_online(
    deploy: Deploy, desk: str, at: datetime, told: int
) -> None:
    journey = deploy(desk, at)
    journey.file("无法登录，页面提示错误")
    assert (journey.ticket.status, nobody(journey)) == ("queued", told)
    journey.act("zg-1", "assign", team=TEAMS[desk][0])
    assert nobody(journey) == told


@pytest.mark.requirement("A7")
def test_at_night_supervisors_are_told_of_the_most_urgent_only(deploy: Deploy) -> None:
    journey = deploy("omnichannel", NIGHT + timedelta(hours=2))
    journey.file("页面报错，无法提交订单")
    assert (journey.ticket.priority, nobody(journey)) == ("P2", 0)
    journey.act("zg-1", "priority", priority="P1")
    journey.act("zg-1", "assign", team="技术支持")
    assert nobody(journey) == 1


@pytest.mark.requirement("A7")
def test_nobody_is_told_while_the_team_is_only_busy(deploy: Deploy) -> None:
    journey = deploy("standard", OPEN, "li-1")
    for _ in range(6):
        journey.file("无法登录")
    assert (journey.ticket.status, nobody(journey)) == ("queued", 0)


@pytest.mark.requirement("A7")
def test_the_team_takes_over_from_an_offline_handler(deploy: Deploy) -> None:
    journey = deploy("standard", OPEN, "li-1")
    journey.file("无法登录")
    assert journey.ticket.handler == "li-1"
    assert "take" not in journey.view("li-2")["actions"]
    assert journey.try_action("li-2", "take").status == 403
    journey.as_agent("li-1", "PUT", "/me/presence", {"online": False})
    assert journey.ticket.handler == "li-1"  # the desk keeps tickets at the end of a shift
    assert journey.try_action("wang-1", "take").status == 403
    assert "take" in journey.view("li-2")["actions"]
    assert journey.act("li-2", "take")["handler"] == "li-2"


@pytest.mark.requirement("E11")
@pytest.mark.parametrize("how", ["offline", "shift"])
def test_the_end_of_a_shift_hands_over_what_is_worked_on(deploy: Deploy, how: str) -> None:
    journey = deploy("rapid", OPEN, "li-1")
    asked = journey.file("无法登录，页面提示错误")
    journey.act("li-1", "request-info", text="请问手机型号？")
    working = journey.file("无法登录，页面提示错误")
    assert journey.ticket.handler == "li-1"
    journey.online("li-2")
    ends = OPEN + timedelta(hours=4)  # 18:00
    if how == "offline":
        journey.as_agent("li-1", "PUT", "/me/presence", {"online": False})
    else:
        journey.tick(ends - timedelta(minutes=1))
        assert journey.ticket.handler == "li-1"
        journey.tick(ends)
        journey.tick(ends)
    assert journey.number == working
    assert journey.ticket.handler == "li-2"
    left = journey.storage.tickets.load("rapid", asked)
    assert (left.status, left.handler) == ("awaiting_customer", "li-1")
    agent = journey.storage.roster.get("rapid", "li-1")
    assert agent is not None
    assert not agent.online
    assert not journey.storage.roster.go_offline_at("rapid", "li-1", stamp(ends))
    entries = journey.storage.presence.entries("rapid", OPEN, ends)
    presence = [entry.presence for _, entry in entries if entry.number == "li-1"]
    assert presence[-1] is False
    assert presence[0] is (how == "shift"), "else both came at the same moment of this clock"


@pytest.mark.parametrize(
    ("shift", "now", "ends"),
    [
        ({}, OPEN, None),
        (SHIFT, NOON, OPEN + timedelta(hours=4)),  # a break is no end
        (SHIFT, OPEN + timedelta(hours=4), OPEN + timedelta(hours=28)),
        ({"tue": [["22:00", "06:00"]]}, NIGHT, NOON + timedelta(hours=18)),
        ({"tue": [["22:00", "06:00"]]}, NOON + timedelta(hours=17), NOON + timedelta(hours=18)),
        ({"tue": [["08:00", "24:00"]]}, NOON, NIGHT),
    ],
)
def test_a_shift_ends_after_its_last_interval(
    shift: Any, now: datetime, ends: datetime | None
) -> None:
    from zoneinfo import ZoneInfo

    agent = Agent(desk="d", username="u", role="agent", team="t", capacity=1, shift=shift)
    assert agent.shift_end(now, ZoneInfo("Asia/Shanghai")) == ends


@pytest.mark.requirement("A14")
@pytest.mark.parametrize("desk", TEAMS)
def test_a_customer_is_told_why_a_ticket_was_closed(deploy: Deploy, desk: str) -> None:
    journey = deploy(desk)
    journey.file("无法登录，页面报错，需要维修")
    journey.act("zg-1", "close", reason="设备已由门店更换")
    assert "设备已由门店更换" in journey.message_text("customer", "closed")
    journey.file("无法登录，页面报错，需要维修")
    journey.act("zg-1", "close", reason="广告", silent=True)
    assert "closed" not in journey.messages_to("customer")


@pytest.mark.requirement("D10")
@pytest.mark.parametrize("contact", ["13812345678", "han@example.com"])
def test_files_of_a_reply_are_named_and_linked(deploy: Deploy, contact: str) -> None:
    journey = deploy("standard", OPEN, "li-1")
    journey.file("无法登录", contact=contact)
    for action, name in (("reply", "说明书.pdf"), ("request-info", "样例.pdf")):
        given = journey.upload("li-1", name, b"%PDF-1.7\n%%EOF\n")
        journey.act("li-1", action, text="请看附件", attachments=[given])
    text = journey.message_text("customer", "reply")
    assert "附件：说明书.pdf" in text
    assert f"/tickets/{journey.number}" in text
    assert "附件：样例.pdf" in journey.message_text("customer", "information_requested")
    if contact.startswith("1"):
        sms = next(text for _, text in sent_texts() if "说明书" in text)
        assert "/t/" in sms
    assert [file["name"] for file in journey.status()["attachments"]] == ["说明书.pdf", "样例.pdf"]
