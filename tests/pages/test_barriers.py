"""No page keeps anybody out: axe finds nothing in any language, theme or state (H8)."""

import pytest
from playwright.sync_api import expect

from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System
from tests.pages.accessibility import Barriers, findings
from tests.pages.browsing import Browsing
from tests.pages.people import HUMAN, CustomerPages

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
