"""A customer's and an agent's day (`docs/day`), told by the pictures that this takes (H1, H3)."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System
from tests.pages.browsing import PHONE, Browsing
from tests.pages.people import LONG_WAIT, AgentPages, CustomerPages
from tests.pages.pictures import MOST_BYTES, ROOT, shot

pytestmark = pytest.mark.requirement("H1", "H3", "H8")
DESK, AGENT, COLLEAGUE = "assisted", "repair-service-1", "repair-service-2"
LAPTOP: ViewportSize = {"width": 1280, "height": 800}
BROKEN = "家里的空调从昨晚开始不制冷，开机半小时还是热风，请派师傅来看看。"
ANSWER = "您好，已为您安排师傅明天（周三）9:00–11:00上门检修，出发前会给您打电话。"
OTHERS = (
    ("洗衣机脱水时声音很大，能上门看看吗？", "普通"),
    ("热水器不出热水，家里有老人，急用", "紧急"),
    ("净水器滤芯怎么换？", "普通"),
    ("冰箱门关不严，里面结霜", "普通"),
    ("电视开机没有声音", "普通"),
)


@pytest.mark.slow
def test_the_day_of_a_customer_and_an_agent(system: System, windows: Browsing) -> None:
    journey = SystemJourney(system, DESK)
    journey.set_online("repair-service", 1)
    for serial, (text, urgency) in enumerate(OTHERS):
        journey.file(text, contact=f"1390000{serial}123", urgency=urgency)

    customer = CustomerPages(system, DESK, windows.open(size=PHONE))
    customer.page.goto(customer.url())
    customer.page.locator("[name=description]").fill(BROKEN)
    customer.page.locator("[name=urgency]").nth(1).check()
    customer.page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    shot(customer.page, "customer-form", document=True)
    journey.number = customer.file("wang.fang@example.com", BROKEN, urgency="紧急")
    shot(customer.page, "customer-filed", document=True)
    journey.until_handled_by(AGENT)
    link = journey.link

    agent = AgentPages(system, DESK, windows.open(size=LAPTOP))
    agent.sign_in(AGENT)
    agent.await_row(journey.number)
    agent.open(journey.number)
    agent.await_composer()
    expect(agent.page.locator("#context")).to_contain_text("不制冷", timeout=LONG_WAIT)
    shot(agent.page, "agent-ticket", document=True)

    agent.composer.fill(ANSWER)
    colleague = AgentPages(system, DESK, windows.open(size=LAPTOP))
    colleague.sign_in(COLLEAGUE, f"/tickets/{journey.number}")
    agent.composer.press("End")
    agent.composer.press_sequentially("谢谢。")
    for _ in range(LONG_WAIT // 1000):  # who has stopped writing is no longer shown so
        if colleague.page.locator("#viewers.typing").is_visible():
            break
        agent.composer.press_sequentially("！")
        agent.composer.press("Backspace")
        agent.page.wait_for_timeout(1000)
    expect(colleague.page.locator("#viewers.typing")).to_be_visible()
    shot(colleague.page, "agent-presence", document=True)
    agent.action("reply").click()
    expect(agent.page.locator("#notices .undo")).to_be_visible(timeout=LONG_WAIT)
    shot(agent.page, "agent-undo", document=True)
    expect(agent.messages(ANSWER)).to_have_count(1, timeout=LONG_WAIT)
    agent.page.keyboard.press("Escape")
    agent.page.keyboard.press("?")
    expect(agent.page.locator("#help")).to_be_visible()
    shot(agent.page, "agent-keys", document=True)
    agent.page.keyboard.press("Escape")
    agent.page.emulate_media(color_scheme="dark")
    shot(agent.page, "agent-dark", document=True)
    agent.page.emulate_media(color_scheme="light")
    for size in (PHONE,):
        agent.page.set_viewport_size(size)
        shot(agent.page, "agent-phone")

    customer.open(link)
    shot(customer.page, "customer-status", document=True)
    journey.act(AGENT, "resolve", summary="师傅已上门，更换了电容，制冷恢复正常")
    customer.expect_status("awaiting_confirmation")
    shot(customer.page, "customer-confirm", document=True)
    customer.confirm()
    customer.expect_status("resolved")
    customer.page.locator("input[name=score][value='5']").check(force=True)
    shot(customer.page, "customer-rate", document=True)


def test_the_day_s_pictures_are_there_and_small() -> None:
    day = ROOT / "docs" / "day"
    for page in sorted(each.name for each in day.glob("*.md")):
        shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (day / page).read_text("utf-8"))
        assert shown
        for name in shown:
            assert 0 < Path(day, name).stat().st_size <= MOST_BYTES, name
