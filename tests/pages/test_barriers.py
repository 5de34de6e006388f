"""No page keeps anybody out: axe finds nothing in any language, theme or state (H8)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System
from tests.pages.accessibility import Barriers, findings
from tests.pages.browsing import Browsing
from tests.pages.people import HUMAN, LONG_WAIT, AgentPages, CustomerPages

pytestmark = [pytest.mark.requirement("H1", "H2", "H3", "H8"), pytest.mark.slow]
DESK, AGENT = "assisted", "repair-service-1"
BROKEN = "空调不制冷，请派人来修"
ANSWER = "您好，师傅明天上午上门，出发前会打电话给您。"


def test_axe_finds_what_is_wrong(windows: Browsing) -> None:
    page = windows.open()
    page.set_content("<html><body><img src=x><p style='color:#999'>grey</p></body></html>")
    found = "\n".join(findings(page))
    for rule in ("image-alt", "color-contrast", "html-has-lang"):
        assert rule in found


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_customers_pages_have_no_barriers(system: System, windows: Browsing, locale: str) -> None:
    journey = SystemJourney(system, DESK)
    journey.set_online("repair-service", 1)
    barriers, customer = Barriers(), CustomerPages(system, DESK, windows.open(locale=locale))
    page, lang = customer.page, f"lang={locale}"

    page.goto(customer.url(f"?{lang}"))
    barriers.check(page, "form")
    page.wait_for_timeout(HUMAN)
    page.locator("form:has([name=description]) button[type=submit]").click()
    expect(page.get_by_role("alert")).to_be_visible()
    barriers.check(page, "form with errors")
    for name in ("find", "privacy", "chat"):
        page.goto(customer.url(f"/{name}?{lang}"))
        barriers.check(page, name)
    page.goto(customer.url(f"/tickets/CS0?{lang}"))
    barriers.check(page, "nothing there")

    journey.number = customer.file(
        f"barriers.{locale.lower()}@example.com", "空调不制冷，请派人来修"
    )
    barriers.check(page, "filed")
    journey.until_handled_by(AGENT)
    link = f"{journey.link}&{lang}"
    journey.act(AGENT, "reply", text=ANSWER)
    customer.open(link)
    barriers.check(page, "status")
    journey.act(AGENT, "request-info", text="请问空调是什么型号？")
    customer.open(link)
    barriers.check(page, "asked")
    journey.act_as_customer("messages", text="KF-35")
    journey.act(AGENT, "resolve", summary="已上门修好")
    customer.open(link)
    barriers.check(page, "to be confirmed")
    journey.act_as_customer("confirmation", solved=True)
    customer.open(link)
    barriers.check(page, "to be rated")
    journey.act_as_customer("survey", score=5)
    journey.until_status("archived")
    customer.open(link)
    barriers.check(page, "archived")
    barriers.assert_none()


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_agents_pages_have_no_barriers(system: System, windows: Browsing, locale: str) -> None:
    journey = SystemJourney(system, DESK)
    journey.set_online("repair-service", 1)
    journey.file(BROKEN, contact=f"desk.{locale.lower()}@example.com")
    journey.until_handled_by(AGENT)
    journey.act(AGENT, "reply", text=ANSWER)
    journey.act(AGENT, "note", text="已联系仓库")
    barriers, agent = Barriers(), AgentPages(system, DESK, windows.open(locale=locale))
    page, lang = agent.page, f"lang={locale}"

    page.goto(agent.url(f"?{lang}"))
    barriers.check(page, "sign-in")
    page.locator("[name=username]").fill("nobody")
    page.locator("[name=password]").fill("wrong")
    page.locator("form:has([name=password]) button").last.click()
    expect(page.get_by_role("alert")).to_be_visible()
    barriers.check(page, "sign-in refused")
    agent.sign_in(AGENT)
    for what, path in (
        ("queue", f"?queue=mine&{lang}"),
        ("empty queue", f"?queue=tasks&{lang}"),
        ("ticket", f"/tickets/{journey.number}?{lang}"),
        ("timeline", f"/tickets/{journey.number}?tab=timeline&{lang}"),
        ("files", f"/tickets/{journey.number}?tab=files&{lang}"),
        ("records", f"/tickets/{journey.number}?tab=records&{lang}"),
        ("action", f"/tickets/{journey.number}/actions?action=resolve&{lang}"),
        ("search", f"/search?q=空调&{lang}"),
        ("search without result", f"/search?q=魑魅魍魉&{lang}"),
        ("new ticket", f"/new?{lang}"),
        ("views", f"/views?{lang}"),
        ("board", f"/board?{lang}"),
        ("tickets of the board", f"/board/tickets?of=in_hand&{lang}"),
        ("contact", f"/contacts/{journey.number}?{lang}"),
        ("nothing there", f"/tickets/CS0?{lang}"),
    ):
        page.goto(agent.url(f"/{DESK}{path}"))
        barriers.check(page, what)
    page.goto(agent.url(f"/{DESK}?queue=mine&{lang}"))
    for what, prepare in DIALOGS.items():
        prepare(page)
        barriers.check(page, what)
        page.keyboard.press("Escape")
    page.locator("#bulk button[value=note]").click()
    expect(page.locator("#several")).to_be_visible()
    barriers.check(page, "several")
    page.locator("#several textarea").fill("已核实")
    page.locator("#several .fields button").click()
    expect(page.locator("#several .results")).to_be_visible()
    barriers.check(page, "preview of several")
    barriers.assert_none()


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_a_ticket_at_work_has_no_barriers(system: System, windows: Browsing, locale: str) -> None:
    """The frame of a note, the menu, the form of an action, a conflict, the gaps of a reply."""
    journey = SystemJourney(system, DESK)
    journey.set_online("repair-service", 1)
    journey.file(BROKEN, contact=f"work.{locale.lower()}@example.com")
    journey.until_handled_by(AGENT)
    barriers, agent = Barriers(), AgentPages(system, DESK, windows.open(locale=locale))
    page = agent.page
    agent.sign_in(AGENT, f"/tickets/{journey.number}?lang={locale}")
    agent.await_composer()
    page.keyboard.press("n")
    barriers.check(page, "note")
    page.locator("#more > summary").click()
    barriers.check(page, "menu")
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    expect(page.locator("form[data-action=resolve]")).to_be_visible()
    barriers.check(page, "action in a dialog")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    agent.composer.fill("您好，订单号【请填写：订单号】")
    barriers.check(page, "gaps")
    agent.composer.fill(ANSWER)
    journey.act_as_customer("messages", text="已经好了，不用来了")
    agent.action("reply").click()
    expect(page.locator("#composer-notice .moved")).to_be_visible(timeout=LONG_WAIT)
    barriers.check(page, "conflict")
    page.locator("[data-do=insist]").click()
    expect(page.locator("#notices .undo")).to_be_visible(timeout=LONG_WAIT)
    barriers.check(page, "undo")
    barriers.assert_none()


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_the_board_has_no_barriers(system: System, windows: Browsing, locale: str) -> None:
    """With a ticket to assign, a step to approve and a ticket to call back about."""
    journey = SystemJourney(system, DESK)
    journey.set_online("repair-service", 1)
    journey.file(BROKEN, contact=f"board.{locale.lower()}@example.com")
    journey.until_handled_by(AGENT)
    journey.act(
        AGENT, "goodwill", goodwill_kind="免运费", goodwill_offer="免运费", goodwill_ground="迟到"
    )
    barriers, leader = Barriers(), AgentPages(system, DESK, windows.open(locale=locale))
    leader.sign_in(SystemJourney.supervisor, f"/board?lang={locale}")
    page = leader.page
    for name in ("", "/approvals", "/reviews", "/tickets?of=received"):
        page.goto(leader.url(f"/{DESK}/board{name}{'&' if '?' in name else '?'}lang={locale}"))
        barriers.check(page, f"board {name}")
    page.goto(leader.url(f"/{DESK}/board/approvals?lang={locale}"))
    page.locator("#board button[value=no]").first.click()
    expect(page.locator("#board .error")).to_be_visible()
    barriers.check(page, "refused without a reason")
    barriers.assert_none()


def _press(*keys: str) -> Callable[[Page], None]:
    def press(page: Page) -> None:
        for key in keys:
            page.keyboard.press(key)
        page.wait_for_timeout(300)

    return press


DIALOGS: dict[str, Callable[[Page], None]] = {
    "help": _press("?"),
    "palette": _press("Control+k"),
    "selected": _press("j", "x"),
}
