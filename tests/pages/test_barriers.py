"""No page keeps anybody out: axe finds nothing in any language, theme or state (H8)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from functions.core.domain.roster import Role
from functions.workbench.pages.navigation import NAVIGATION
from tests.e2e.desk_journey import SystemJourney
from tests.e2e.reporting_desk import run_reports
from tests.e2e.running_system import System
from tests.pages.accessibility import Barriers, findings
from tests.pages.browsing import DESKTOP, PHONE, Browsing
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
    page.locator("#queue .pick input").first.check(force=True)
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


ROLES = {
    "agent": AGENT,
    "supervisor": "supervisors-1",
    "qa": "quality-assurance-1",
    "finance": "finance-1",
    "admin": "admin-1",
}

BELOW = (
    "board/tickets?of=received",
    "quarantine?discarded=1",
    "costs?wait=1",
    "costs?from=x",
    "knowledge?q=魑魅魍魉",
    "knowledge/new",
    "knowledge/try",
    "knowledge/proposals",
    "knowledge/report",
    "roster/new",
    "audit?from=x",
    "erasure/tickets?number=nothing",
    "playbook/1",
    "playbook/messages",
)
"""Addresses below the pages; an administrator may see all of them."""

LINKED = {
    "quarantine": "main tbody th a",
    "knowledge": "main tbody th a",
    "roster": "main tbody th a",
}
"""The pages of lists, and where the first entry is linked."""

REFUSED = {
    "knowledge/new": "#article .sticky button >> nth=0",
    "roster/new": "main .fields .buttons button",
    "playbook": "main .fields button",
}
"""The forms that are sent as they are, and their buttons."""


@pytest.mark.requirement("H4", "H5", "H6", "H7")
@pytest.mark.parametrize(
    ("role", "locale"),
    [
        ("agent", "zh-CN"),
        ("supervisor", "en"),
        ("qa", "zh-CN"),
        ("finance", "en"),
        # An administrator opens every page.
        ("admin", "zh-CN"),
        ("admin", "en"),
    ],
)
def test_the_pages_of_each_role_have_no_barriers(
    system: System, windows: Browsing, role: Role, locale: str
) -> None:
    barriers, person = Barriers(), AgentPages(system, DESK, windows.open(locale=locale))
    page, first = person.page, "costs" if role == "finance" else "board"
    person.sign_in(ROLES[role], f"/{first}?lang={locale}")
    for name, entry in NAVIGATION.items():
        if role in entry.roles:
            page.goto(person.url(f"/{DESK}/{name}"))
            expect(page.locator("h1")).to_be_visible()
            barriers.check_all(page, name)
    barriers.assert_none()


@pytest.mark.requirement("H4", "H5", "H6", "H7")
@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_what_is_below_the_pages_has_no_barriers(
    system: System, windows: Browsing, locale: str
) -> None:
    """Lists, entries, forms and their errors, of an administrator, who has the most on them."""
    journey = SystemJourney(system, DESK)
    journey.file(BROKEN, contact=f"below.{locale.lower()}@example.com")
    system.mail("robot@example.com", "自动回复", "不在", desk=DESK, Auto_Submitted="auto-replied")
    barriers, admin = Barriers(), AgentPages(system, DESK, windows.open(locale=locale))
    page = admin.page
    admin.sign_in("admin-1", f"/costs?lang={locale}")

    def visit(path: str) -> None:
        page.goto(admin.url(f"/{DESK}/{path}"))
        expect(page.locator("h1")).to_be_visible()

    for path in (*BELOW, f"erasure/tickets?number={journey.number}"):
        visit(path)
        barriers.check_all(page, path)
    for name, selector in LINKED.items():
        visit(name)
        link = page.locator(selector).first
        expect(link, name).to_be_visible()
        page.goto(link.evaluate("(link) => link.href"))
        barriers.check_all(page, f"an entry of {name}")
    for path, selector in REFUSED.items():
        visit(path)
        page.locator("main form[method=post]").first.evaluate("(form) => form.noValidate = true")
        page.locator(selector).first.click()
        expect(page.get_by_role("alert").first).to_be_visible()
        barriers.check_all(page, f"{path} refused")
    barriers.assert_none()


@pytest.mark.requirement("H5")
def test_a_report_has_no_barriers(system: System, windows: Browsing) -> None:
    """Figures, charts, the trend, and the tickets behind a figure."""
    desk = "aftersales"
    journey = SystemJourney(system, desk)
    journey.file("冰箱不制冷", contact="report.barriers@example.com")
    run_reports(system, desk, datetime.now(UTC) + timedelta(days=1, minutes=30))
    for locale in ("zh-CN", "en"):
        barriers, admin = Barriers(), AgentPages(system, desk, windows.open(locale=locale))
        page = admin.page
        admin.sign_in("admin-1", f"/reports?lang={locale}")
        expect(page.locator(".summary")).to_be_visible()
        page.goto(page.locator("#trend a").evaluate("(link) => link.href"))
        barriers.check_all(page, "report")
        page.goto(page.locator(".summary .more a").first.evaluate("(link) => link.href"))
        barriers.check_all(page, "behind a figure")
        barriers.assert_none()


@pytest.mark.requirement("H7")
def test_more_pages_open_by_key_and_by_touch(system: System, windows: Browsing) -> None:
    """On a phone all pages are under "More", and the bar is not higher than two lines."""
    for size, shown in ((DESKTOP, 3), (PHONE, 0)):
        admin = AgentPages(system, DESK, windows.open(locale="en", size=size))
        admin.sign_in("admin-1", "/audit?lang=en")
        page, more = admin.page, admin.page.locator(".pages .menu > summary")
        page.wait_for_load_state()
        assert page.locator(".pages > a:visible").count() == shown
        bar = page.locator(".bar").bounding_box()
        assert bar is not None
        assert bar["height"] <= (120 if size == PHONE else 60)
        if size == PHONE:
            more.tap()
        else:
            more.focus()
            page.keyboard.press("Enter")
        links = page.locator(".pages .menu a:visible")
        assert links.count() == len(NAVIGATION) - shown
        page.keyboard.press("Escape")
        expect(links).to_have_count(0)
        expect(more).to_be_focused()
        more.click()
        links.last.click()
        expect(page).to_have_url(re.compile("/erasure"))


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
