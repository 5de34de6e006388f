"""From the assistant to a person and back in one chat window (H2)."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System, wait_until
from tests.pages.browsing import PHONE, Browsing
from tests.pages.people import LONG_WAIT, NUMBER, AgentPages, CustomerPages
from tests.pages.pictures import shot

pytestmark = [pytest.mark.requirement("H2", "H8"), pytest.mark.slow]
DESK, AGENT = "assisted", "orders-and-returns-1"
QUESTION, ANSWER = "收货地址填错了怎么办？", "地址已改好，今天发货。"


@pytest.fixture
def chat(system: System, windows: Browsing) -> Page:
    """The chat on a phone, once the engine has the index: the first chat of all builds it."""

    def answered() -> bool:
        return system.api.chat(DESK).write("怎么开票？")[-1]["kind"] == "rating"

    wait_until(answered, "the index is built", 300, every=3)
    page = windows.open(size=PHONE)
    page.goto(CustomerPages(system, DESK, page).url("/chat"))
    expect(page.locator("[data-from=assistant]")).to_have_count(1)
    return page


def write(page: Page, text: str) -> None:
    field = page.locator("textarea[name=text]")
    field.fill(text)
    field.press("Enter")


def test_a_question_is_answered_then_a_person_takes_over_and_replies_in_the_chat(
    system: System, windows: Browsing, chat: Page
) -> None:
    write(chat, QUESTION)
    expect(chat.locator("[data-from=customer]")).to_contain_text(QUESTION)
    expect(chat.locator("[data-from=assistant]", has_text="地址").last).to_be_visible()
    stars = chat.locator("[data-from=assistant]").last.get_by_role("button")
    expect(stars).to_have_count(5, timeout=LONG_WAIT)
    stars.last.click()
    shot(chat, "chat-answered", document=True)
    write(chat, "转人工")
    told = chat.locator(".ticket:visible")
    expect(told).to_be_visible(timeout=LONG_WAIT)
    found = NUMBER.search(told.inner_text())
    assert found

    journey = SystemJourney(system, DESK)
    journey.number = found[0]
    journey.set_online("orders-and-returns", 1)
    journey.act("supervisors-1", "assign", agent=f"{DESK}-{AGENT}")
    agent = AgentPages(system, DESK, windows.open())
    agent.sign_in(AGENT, f"/tickets/{journey.number}")
    expect(agent.page.locator("#chat")).to_contain_text(QUESTION)
    agent.send(ANSWER)
    expect(chat.locator("[data-from=agent]", has_text=ANSWER)).to_be_visible(timeout=LONG_WAIT)
    shot(chat, "chat-with-a-person")

    write(chat, "好的，收到")
    expect(chat.locator("[data-from=customer]").last).to_contain_text("好的，收到")
    chat.reload()
    expect(chat.locator("[data-from=agent]", has_text=ANSWER)).to_be_visible()
    chat.goto(told.locator("a").get_attribute("href") or "")
    expect(chat.locator("[data-message]", has_text=ANSWER)).to_be_visible()


def test_a_message_is_broken_by_shift_enter_and_never_sent_while_composing(chat: Page) -> None:
    field = chat.locator("textarea[name=text]")
    field.press_sequentially("一行")
    field.press("Shift+Enter")
    field.press_sequentially("二行")
    field.dispatch_event("keydown", {"key": "Enter", "keyCode": 229, "isComposing": True})
    expect(field).to_have_value("一行\n二行")
    expect(chat.locator("[data-from=customer]")).to_have_count(0)
    field.press("Enter")
    expect(chat.locator("[data-from=customer]")).to_have_count(1)
    expect(field).to_have_value("")
