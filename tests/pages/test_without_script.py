"""Every page works without script, as links and forms alone (H1, H3)."""

import pytest
from playwright.sync_api import expect

from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System
from tests.pages.browsing import PHONE, Browsing
from tests.pages.people import AgentPages, CustomerPages

pytestmark = [pytest.mark.requirement("H1", "H2", "H3", "H8"), pytest.mark.slow]
DESK, AGENT = "assisted", "repair-service-1"
ANSWER = "您好，师傅明天上午上门，出发前会打电话给您。"


def test_a_request_is_filed_answered_and_rated_without_script(
    system: System, windows: Browsing
) -> None:
    journey = SystemJourney(system, DESK)
    journey.set_online("repair-service", 1)
    customer = CustomerPages(system, DESK, windows.open(size=PHONE, script=False))
    journey.number = customer.file("plain.pages@example.com", "空调不制冷，请派人来修")
    journey.until_handled_by(AGENT)

    agent = AgentPages(system, DESK, windows.open(script=False))
    agent.sign_in(AGENT)
    agent.await_row(journey.number)
    agent.open(journey.number)
    agent.reply(ANSWER)
    expect(agent.messages(ANSWER)).to_have_count(1)
    agent.page.locator(".frame:has([value=note])").click()
    agent.composer.fill("客户要求上午上门")
    agent.action("note").click()
    expect(agent.page.locator("[data-note]", has_text="客户要求上午上门")).to_be_visible()
    agent.page.locator("#more > summary").click()
    agent.page.locator("#ticket-head").locator("button[value=resolve]").click()
    form = agent.page.locator("form:has([name=summary])")
    form.locator("[name=summary]").fill("已上门修好")
    form.locator("button[name=action]").click()
    expect(agent.page.locator("#ticket [data-status]").first).to_have_attribute(
        "data-status", "awaiting_confirmation"
    )

    customer.open(journey.link)
    expect(customer.page.locator("[data-message]", has_text=ANSWER)).to_be_visible()
    customer.confirm()
    customer.expect_status("resolved")
    customer.rate("5")
    customer.expect_status("archived")


def test_the_chat_leads_to_the_form_without_script(system: System, windows: Browsing) -> None:
    customer = CustomerPages(system, DESK, windows.open(script=False))
    customer.page.goto(customer.url("/chat"))
    customer.page.locator("noscript a, .plain-way a").first.click()
    expect(customer.page.locator("[name=description]")).to_be_visible()


def test_a_lost_link_is_sent_and_the_page_never_says_whether_there_is_a_ticket(
    system: System, windows: Browsing
) -> None:
    journey = SystemJourney(system, DESK)
    journey.file("空调不制冷，请派人来修", contact="lost.pages@example.com")
    customer = CustomerPages(system, DESK, windows.open(script=False))
    answers = []
    for number in (journey.number, "ZN-20200101-0001"):
        customer.page.goto(customer.url("/find"))
        customer.page.locator("[name=number]").fill(number)
        customer.page.locator("[name=contact]").fill("lost.pages@example.com")
        customer.page.locator("form:has([name=number]) button").last.click()
        answers.append(customer.page.locator("main").inner_text().replace(number, "…"))
    assert answers[0] == answers[1]
    assert journey.link in journey.mail("lost.pages@example.com", journey.number)
