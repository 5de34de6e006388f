"""A request from its customer's form to the stars, on the pages alone (H1, H3)."""

import pytest
from playwright.sync_api import expect

from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System
from tests.pages.browsing import PHONE, Browsing
from tests.pages.people import LONG_WAIT, AgentPages, CustomerPages

pytestmark = pytest.mark.requirement("H1", "H3", "H8")
DESK, AGENT = "assisted", "orders-and-returns-1"
ANSWER = "您好，包裹今晚送达，送达前快递员会给您打电话。"


def test_a_request_is_filed_answered_confirmed_and_rated(system: System, windows: Browsing) -> None:
    journey = SystemJourney(system, DESK)
    journey.set_online("orders-and-returns", 1)
    customer = CustomerPages(system, DESK, windows.open(size=PHONE))
    journey.number = customer.file(
        "walk.pages@example.com", "包裹五天没动了，一直没到", urgency="紧急"
    )
    agent = AgentPages(system, DESK, windows.open())
    agent.sign_in(AGENT)
    agent.await_row(journey.number)
    agent.open(journey.number)
    agent.send(ANSWER)
    agent.goto(journey.number)
    expect(agent.messages(ANSWER)).to_have_count(1, timeout=LONG_WAIT)
    agent.act("resolve", summary="包裹当晚送达")

    customer.open(journey.link)
    expect(customer.page.locator("[data-message]", has_text=ANSWER)).to_have_count(1)
    customer.expect_status("awaiting_confirmation")
    customer.confirm()
    customer.expect_status("resolved")
    customer.rate("5", "很快就解决了")
    customer.expect_status("archived")
    assert journey.view()["score"] == 5
