"""An agent's work on a phone: every action of the desktop is in reach of a thumb (H3, H8)."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System
from tests.pages.browsing import PHONE, Browsing
from tests.pages.people import LONG_WAIT, AgentPages

pytestmark = [pytest.mark.requirement("H3", "H8"), pytest.mark.slow]
DESK, AGENT = "assisted", "repair-service-1"
ANSWER = "您好，师傅明天上午上门，出发前会打电话给您。"


def actions(page: Page) -> list[str]:
    found = page.locator("#main button[name=action]:not([disabled])")
    names: list[str] = found.evaluate_all("(all) => all.map((each) => each.value)")
    return sorted(names)


def tap(button: Locator) -> None:
    """Tap where nothing else is."""
    button.scroll_into_view_if_needed()
    button.tap()


def test_every_action_of_the_desktop_is_on_the_phone(system: System, windows: Browsing) -> None:
    journey = SystemJourney(system, DESK)
    journey.set_online("repair-service", 1)
    journey.file("空调不制冷，请派人来修", contact=f"phone-{journey.contact}@example.com")
    journey.until_handled_by(AGENT)
    desktop = AgentPages(system, DESK, windows.open())
    desktop.sign_in(AGENT, f"/tickets/{journey.number}")
    wanted = actions(desktop.page)
    assert len(wanted) == len(set(wanted)), "an action is there twice"

    phone = AgentPages(system, DESK, windows.open(size=PHONE))
    page = phone.page
    phone.sign_in(AGENT)
    phone.await_row(journey.number)
    tap(phone.row(journey.number).get_by_role("link").first)
    page.wait_for_url(f"**/tickets/{journey.number}*")
    phone.await_composer()
    assert actions(page) == wanted
    tap(page.locator("#more > summary"))
    for button in page.locator("#ticket-head button[name=action]").all():
        button.tap(trial=True)
        box = button.bounding_box()
        assert box
        assert box["height"] >= 44
    tap(phone.action("resolve"))
    expect(page.locator("form[data-action=resolve] [name=summary]")).to_be_visible()
    page.locator("form[data-action=resolve] [data-close]").tap()

    tap(phone.composer)
    phone.composer.fill(ANSWER)
    tap(phone.action("reply"))
    tap(page.locator("#notices .undo button"))
    expect(phone.composer).to_have_value(ANSWER)
    tap(phone.action("reply"))
    expect(page.locator("#notices .undo")).to_be_visible(timeout=LONG_WAIT)
    phone.goto(journey.number)
    expect(phone.messages(ANSWER)).to_have_count(1, timeout=LONG_WAIT)


def test_the_language_is_switched_and_kept(system: System, windows: Browsing) -> None:
    agent = AgentPages(system, DESK, windows.open(locale="zh-CN"))
    page = agent.page
    agent.sign_in(AGENT)
    for language, shown in (("en", "Mine"), ("zh-CN", "我的")):
        page.locator("header.bar details.menu:not(#presence) > summary").click()
        page.locator(f"button[name=language][value={language}]").click()
        expect(page.locator("html")).to_have_attribute("lang", language)
        agent.queue("mine")
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("body")).to_contain_text(shown)
