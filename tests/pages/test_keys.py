"""Everything by keyboard alone, and the most frequent jobs with few keys (H3)."""

import pytest
from playwright.sync_api import expect

from infra.bench.pages import KEYS
from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System
from tests.pages.browsing import Browsing
from tests.pages.people import LONG_WAIT, AgentPages, CustomerPages

pytestmark = [pytest.mark.requirement("H3", "H8"), pytest.mark.slow]
DESK, AGENT = "assisted", "repair-service-1"
BROKEN = "空调不制冷，请派人来修"
KNOWN = "a known question answered from the queue"
UNASSIGNED = "an unassigned ticket taken and answered"
NEXT = "sent, and the next ticket"


@pytest.fixture
def journey(system: System) -> SystemJourney:
    journey = SystemJourney(system, DESK)
    journey.set_online("repair-service", 1)
    journey.file(BROKEN, contact=f"keys-{journey.contact}@example.com")
    journey.until_handled_by(AGENT)
    return journey


@pytest.fixture
def agent(system: System, windows: Browsing, journey: SystemJourney) -> AgentPages:
    """An agent at the queue."""
    agent = AgentPages(system, DESK, windows.open())
    agent.sign_in(AGENT)
    agent.await_row(journey.number)
    return agent


def test_a_known_question_is_answered_with_three_keys(
    agent: AgentPages, journey: SystemJourney
) -> None:
    answer(agent, journey.number, *KEYS[KNOWN][0])


def test_an_unassigned_ticket_is_taken_and_answered_with_three_keys(
    agent: AgentPages, journey: SystemJourney
) -> None:
    journey.set_online("repair-service")
    journey.file(BROKEN, contact=f"waits-{journey.contact}@example.com")
    journey.until_handled_by(None)
    agent.await_row(journey.number, "team")
    answer(agent, journey.number, *KEYS[UNASSIGNED][0])
    assert journey.view()["handler"] == f"{DESK}-{AGENT}"
    expect(agent.action("resolve")).to_be_attached()


def answer(agent: AgentPages, number: str, *keys: str) -> None:
    """Answer a ticket of the queue by keys alone, with the text that is suggested."""
    assert len(keys) <= 3
    enter, reply, send = keys
    agent.row(number).get_by_role("link").first.focus()
    agent.page.keyboard.press(enter)
    agent.page.wait_for_url(f"**/tickets/{number}*")
    agent.await_composer()
    agent.page.keyboard.press(reply)
    expect(agent.composer).to_be_focused()
    expect(agent.composer).not_to_have_value("")
    agent.page.keyboard.press(send)
    expect(agent.page.locator("#notices .undo")).to_be_visible(timeout=LONG_WAIT)


def test_what_is_typed_after_the_key_goes_to_the_end_and_nothing_is_lost(
    agent: AgentPages, journey: SystemJourney
) -> None:
    agent.open(journey.number)
    agent.await_composer()
    suggested = agent.composer.input_value()
    agent.page.keyboard.type("rX!")
    expect(agent.composer).to_have_value(f"{suggested}X!")


def test_sending_opens_the_next_ticket(agent: AgentPages, journey: SystemJourney) -> None:
    first = journey.number
    journey.file(BROKEN, contact=f"next-{journey.contact}@example.com")
    journey.until_handled_by(AGENT)
    agent.await_row(journey.number)
    agent.open(first)
    agent.await_composer()
    agent.page.keyboard.press("r")
    (send,) = KEYS[NEXT][0]
    agent.page.keyboard.press(send)
    expect(agent.page.locator("#ticket")).not_to_have_attribute(
        "data-number", first, timeout=LONG_WAIT
    )


def test_single_keys_can_be_switched_off_and_are_inactive_in_fields(
    agent: AgentPages, journey: SystemJourney
) -> None:
    page = agent.page
    page.keyboard.press("?")
    page.locator("#help [data-setting=keys]").uncheck()
    page.keyboard.press("Escape")
    agent.open(journey.number)
    page.keyboard.press("r")
    expect(agent.composer).not_to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_hidden()
    page.evaluate("() => localStorage.clear()")
    page.reload()
    page.keyboard.press("r")
    expect(agent.composer).to_be_focused()
    page.keyboard.type("?n")
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(agent.composer).not_to_be_focused()


def test_a_ticket_is_handled_by_keyboard_alone(agent: AgentPages, journey: SystemJourney) -> None:
    page = agent.page
    agent.queue("mine")
    for _ in range(40):
        page.keyboard.press("j")
        if agent.row(journey.number).locator("a:focus").count():
            break
    page.keyboard.press("Enter")
    expect(page.locator("#ticket")).to_have_attribute("data-number", journey.number)
    page.keyboard.press("n")
    page.keyboard.type("请带上滤网")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-note]", has_text="请带上滤网")).to_be_visible(timeout=LONG_WAIT)
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    form = page.locator("form[data-action=resolve]")
    expect(form).to_be_visible()
    expect(form.locator("[name=summary]")).to_be_focused()
    page.keyboard.type("已上门修好")
    for _ in range(8):
        page.keyboard.press("Tab")
        if form.locator("button[name=action]:focus").count():
            break
    page.keyboard.press("Enter")
    expect(form).to_be_hidden(timeout=LONG_WAIT)
    expect(page.locator("#ticket-head .status")).to_have_attribute(
        "data-status", "awaiting_confirmation", timeout=LONG_WAIT
    )
    page.keyboard.press("Control+k")
    expect(page.locator("#palette input")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("q")
    expect(page.locator("#queue [data-src], #queue .rows, #queue .empty").first).to_be_visible()


def test_a_customer_needs_no_mouse(system: System, windows: Browsing) -> None:
    customer = CustomerPages(system, DESK, windows.open())
    page = customer.page
    page.goto(customer.url())
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    wanted = {"description": BROKEN, "contact": "keyboard@example.com"}
    for _ in range(25):
        page.keyboard.press("Tab")
        name = page.evaluate("() => document.activeElement.name || ''")
        if name in wanted:
            page.keyboard.type(wanted.pop(name))
        if not wanted:
            break
    page.wait_for_timeout(2100)
    page.keyboard.press("Enter")
    expect(page.locator("[data-status]").first).to_be_visible()
