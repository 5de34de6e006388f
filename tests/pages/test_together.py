"""Agents at one ticket, drafts that are never lost, and what is taken back (H3)."""

from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, Response, Route, expect

from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System
from tests.pages.browsing import Browsing
from tests.pages.people import LONG_WAIT, AgentPages

pytestmark = [pytest.mark.requirement("H3", "H8"), pytest.mark.slow]
DESK, AGENT, COLLEAGUE = "assisted", "repair-service-1", "repair-service-2"
TEXT = "您好，师傅明天上午上门，出发前会打电话给您。"
UNDO = 10_000


@pytest.fixture
def journey(system: System) -> SystemJourney:
    """A ticket that the first agent has."""
    journey = SystemJourney(system, DESK)
    journey.set_online("repair-service", 1)
    journey.file("空调不制冷，请派人来修", contact=f"together-{journey.contact}@example.com")
    journey.until_handled_by(AGENT)
    return journey


def at_work(journey: SystemJourney, windows: Browsing, who: str) -> AgentPages:
    """Sign an agent in, and open the ticket."""
    agent = AgentPages(journey.system, DESK, windows.open())
    agent.sign_in(who, f"/tickets/{journey.number}")
    agent.await_composer()
    return agent


def write(agent: AgentPages, text: str) -> None:
    """Write a draft, and wait until the server has it."""

    def has_text(answer: Response) -> bool:
        sent = parse_qs(answer.request.post_data or "").get("text")
        return "/drafts/" in answer.url and sent == [text]

    with agent.page.expect_response(has_text, timeout=LONG_WAIT) as answer:
        agent.composer.fill(text)
    assert answer.value.ok


def test_who_is_writing_is_shown_to_others(journey: SystemJourney, windows: Browsing) -> None:
    first = at_work(journey, windows, AGENT)
    first.composer.press_sequentially("您好")
    second = at_work(journey, windows, COLLEAGUE)
    expect(second.page.locator("#viewers")).to_contain_text("正在", timeout=LONG_WAIT)


def test_what_came_since_is_shown_before_a_reply_is_sent(
    journey: SystemJourney, windows: Browsing
) -> None:
    agent = at_work(journey, windows, AGENT)
    write(agent, TEXT)
    journey.act_as_customer("messages", text="已经好了，不用来了")
    agent.action("reply").click()
    notice = agent.page.locator("#composer-notice")
    expect(notice).to_contain_text("已经好了，不用来了", timeout=LONG_WAIT)
    expect(agent.composer).to_have_value(TEXT)
    assert TEXT not in str(journey.view()["messages"])


def test_a_reply_is_taken_back_within_ten_seconds(
    journey: SystemJourney, windows: Browsing
) -> None:
    agent = at_work(journey, windows, AGENT)
    write(agent, TEXT)
    agent.action("reply").click()
    agent.page.locator("#notices .undo button").click()
    expect(agent.composer).to_have_value(TEXT)
    agent.page.wait_for_timeout(UNDO + 2000)
    assert TEXT not in str(journey.view()["messages"])


def test_a_reply_that_is_not_taken_back_is_sent_once(
    journey: SystemJourney, windows: Browsing
) -> None:
    agent = at_work(journey, windows, AGENT)
    write(agent, TEXT)
    agent.action("reply").click()
    expect(agent.messages(TEXT)).to_have_count(1, timeout=UNDO + LONG_WAIT)
    said = [message for message in journey.view()["messages"] if message["text"] == TEXT]
    assert len(said) == 1


def test_a_draft_survives_reassignment_and_sign_out(
    journey: SystemJourney, windows: Browsing
) -> None:
    agent = at_work(journey, windows, AGENT)
    write(agent, TEXT)
    journey.act("supervisors-1", "assign", agent=f"{DESK}-{COLLEAGUE}", insist=True)
    agent.goto(journey.number)
    expect(agent.composer).to_have_value(TEXT)

    agent.page.locator("header.bar details.menu:not(#presence) summary").click()
    agent.page.locator("form[action$='/sign-out'] button").click()
    agent.sign_in(AGENT, f"/tickets/{journey.number}")
    expect(agent.composer).to_have_value(TEXT)


def test_a_call_is_repeated_after_signing_in_in_place(
    journey: SystemJourney, windows: Browsing
) -> None:
    agent = at_work(journey, windows, AGENT)
    write(agent, TEXT)
    agent.page.context.clear_cookies()
    agent.action("reply").click()
    dialog = agent.page.locator("#signing-in")
    expect(dialog).to_be_visible(timeout=LONG_WAIT)
    expect(agent.composer).to_have_value(TEXT)
    agent.fill_in(AGENT, dialog)
    expect(agent.page.locator("#notices .undo")).to_be_visible(timeout=LONG_WAIT)
    agent.page.locator("#notices .undo button").click()
    expect(agent.composer).to_have_value(TEXT)
    agent.goto(journey.number)
    expect(agent.composer).to_have_value(TEXT)


def test_what_is_sent_by_leaving_the_page_is_sent(
    journey: SystemJourney, windows: Browsing
) -> None:
    """A reply is sent even if the agent leaves before the server has answered."""
    agent = at_work(journey, windows, AGENT)
    agent.composer.fill(TEXT)
    agent.action("reply").click(no_wait_after=True)
    agent.goto(journey.number)
    undo = agent.page.locator("#notices .undo")
    expect(undo.or_(agent.messages(TEXT)).first).to_be_visible(timeout=LONG_WAIT)
    expect(agent.messages(TEXT)).to_have_count(1, timeout=UNDO + LONG_WAIT)


def test_what_is_typed_before_the_script_has_started_is_a_draft(
    journey: SystemJourney, windows: Browsing
) -> None:
    agent = AgentPages(journey.system, DESK, windows.open())
    agent.sign_in(AGENT)
    agent.page.route("**/static/composer*.js", lambda route: _late(agent.page, route))
    with agent.page.expect_response(lambda answer: "/drafts/" in answer.url, timeout=LONG_WAIT):
        agent.page.goto(agent.url(f"/{DESK}/tickets/{journey.number}"))
    agent.page.unroute_all()
    agent.goto(journey.number)
    expect(agent.composer).to_have_value(TEXT)


def _late(page: Page, route: Route) -> None:
    """Load a script only after somebody has written."""
    page.locator("textarea[name=text]").evaluate("(field, text) => { field.value = text; }", TEXT)
    route.continue_()


def test_a_draft_survives_a_merge(journey: SystemJourney, windows: Browsing) -> None:
    agent = at_work(journey, windows, AGENT)
    write(agent, TEXT)
    merged = journey.number
    journey.file("空调还是不制冷", contact=f"other-{journey.contact}@example.com")
    target = journey.number
    journey.until_handled_by(AGENT)
    journey.number = merged
    journey.act("supervisors-1", "merge", into=target)
    agent.goto(target)
    expect(agent.composer).to_have_value(TEXT)


def test_nothing_is_lost_offline(journey: SystemJourney, windows: Browsing) -> None:
    agent = at_work(journey, windows, AGENT)
    agent.page.context.set_offline(True)
    agent.composer.fill(TEXT)
    expect(agent.page.locator("#notices .warn")).to_be_visible(timeout=LONG_WAIT)
    expect(agent.action("reply")).to_be_disabled()
    agent.page.context.set_offline(False)
    expect(agent.page.locator("#notices .warn")).to_be_hidden(timeout=LONG_WAIT)
    write(agent, f"{TEXT}谢谢")
    agent.goto(journey.number)
    expect(agent.composer).to_have_value(f"{TEXT}谢谢")
