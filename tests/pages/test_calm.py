"""Nothing moves by itself: pages do not shift, and changes wait for a key (H3, H8)."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System
from tests.pages.browsing import PHONE, Browsing
from tests.pages.people import LONG_WAIT, AgentPages, CustomerPages

pytestmark = [pytest.mark.requirement("H1", "H3", "H8"), pytest.mark.slow]
DESK, AGENT = "assisted", "repair-service-1"
BROKEN = "空调不制冷，请派人来修"
# A minute less on a clock is narrower; what CLS shows as 0.000 is nothing that moves.
OBSERVE = """
window.shifts = [];
new PerformanceObserver((list) => {
  const moved = (each) => !each.hadRecentInput && each.value >= 0.0005;
  for (const each of list.getEntries().filter(moved)) window.shifts.push({
    value: each.value,
    moved: each.sources.map((s) => s.node?.outerHTML?.slice(0, 120) ?? s.node?.nodeName ?? ""),
  });
}).observe({ type: "layout-shift", buffered: true });
"""


def shifts(page: Page) -> list[object]:
    page.wait_for_load_state("networkidle")
    found: list[object] = page.evaluate("() => window.shifts")
    return found


@pytest.mark.parametrize("phone", [True, False])
def test_pages_do_not_shift_while_they_load(system: System, windows: Browsing, phone: bool) -> None:
    journey = SystemJourney(system, DESK)
    journey.set_online("repair-service", 1)
    journey.file(BROKEN, contact=f"calm-{journey.contact}@example.com")
    journey.until_handled_by(AGENT)
    page = windows.open(size=PHONE) if phone else windows.open()
    page.context.add_init_script(OBSERVE)
    customer, agent = CustomerPages(system, DESK, page), AgentPages(system, DESK, page)
    found = []
    for url in (customer.url(), customer.url("/chat"), journey.link):
        page.goto(url)
        found += [(url, each) for each in shifts(page)]
    agent.sign_in(AGENT)
    for path in ("?queue=mine", f"/tickets/{journey.number}"):
        page.goto(agent.url(f"/{DESK}{path}"))
        found += [(path, each) for each in shifts(page)]
    assert not found


def test_what_has_changed_waits_until_it_is_wanted(system: System, windows: Browsing) -> None:
    """The queue keeps its rows; the open ticket grows at its end; what is being written stays."""
    journey = SystemJourney(system, DESK)
    journey.set_online("repair-service", 1)
    journey.file(BROKEN, contact=f"calm-{journey.contact}@example.com")
    journey.until_handled_by(AGENT)
    agent = AgentPages(system, DESK, windows.open())
    agent.page.context.add_init_script(OBSERVE)
    agent.sign_in(AGENT)
    agent.await_row(journey.number)
    agent.open(journey.number)
    agent.await_composer()
    agent.page.keyboard.press("r")
    agent.page.keyboard.type("请问")
    written = agent.composer.input_value()
    before = agent.page.locator("#queue [data-ticket]").count()
    first = journey.number
    journey.act_as_customer("messages", text="型号是KF-35")
    journey.file("空调漏水", contact=f"second-{journey.contact}@example.com")
    journey.until_handled_by(AGENT)
    expect(agent.messages("型号是KF-35")).to_be_visible(timeout=LONG_WAIT)
    changes = agent.page.locator("#changes")
    expect(changes).to_be_visible(timeout=LONG_WAIT)
    assert agent.page.locator("#queue [data-ticket]").count() == before
    expect(agent.composer).to_have_value(written)
    assert shifts(agent.page) == []
    second, journey.number = journey.number, first
    ticket, view = agent.page.locator("#ticket"), journey.view()
    journey.number = second
    expect(ticket).to_have_attribute("data-version", str(view["version"]))
    expect(ticket).to_have_attribute("data-status", view["status"])
    for _ in range(2):  # the first one may close the list of phrases
        agent.page.keyboard.press("Escape")
    for _ in range(LONG_WAIT // 1000):  # the first change may be the message alone
        agent.page.keyboard.press("u")
        if agent.row(second).count():
            break
        agent.page.wait_for_timeout(1000)
    expect(agent.row(second)).to_be_visible()
    expect(agent.row(first)).to_be_visible()
    expect(agent.composer).to_have_value(written)
