"""A supervisor's and a reviewer's morning (H4), of which `docs/day` shows the pictures."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from functions.core.domain.proposals import Proposals, RuleProposal
from functions.core.domain.rules import Locale
from functions.core.storage.database import Storage
from functions.workbench.pages.page import PAGES
from tests.e2e.desk_journey import TABLE, SystemJourney
from tests.e2e.running_system import System, wait_until
from tests.pages.browsing import Browsing
from tests.pages.people import LONG_WAIT, AgentPages
from tests.pages.pictures import shot

pytestmark = [
    pytest.mark.requirement("H4", "H8"),
    pytest.mark.slow,
    pytest.mark.parametrize("locale", ["zh-CN", "en"]),
]
DESK, SUPERVISOR, REVIEWER = "assisted", "supervisors-1", "quality-assurance-1"
REPAIRS, ORDERS = "repair-service-1", "orders-and-returns-1"
LAPTOP: ViewportSize = {"width": 1280, "height": 800}
LIVE = 120_000
"""Milliseconds until an open board must show what has happened; people are promised less."""

GROUND, REFUSED, DISCARDED = "包裹晚到五天", "先按规定补发", "自动回复，无需处理"
GOODWILL = {
    "goodwill_kind": "小额补偿",
    "goodwill_amount": 20,
    "goodwill_offer": "今天退到余额",
    "goodwill_ground": GROUND,
}


class Desk:
    """The desk that these people lead: its tickets, and what its pages say."""

    def __init__(self, system: System, windows: Browsing, who: str, locale: Locale) -> None:
        self.system, self.locale = system, locale
        self.journey = SystemJourney(system, DESK)
        self.journey.set_online("repair-service")
        self.journey.set_online("orders-and-returns", 1)
        self.pages = AgentPages(
            system, DESK, windows.open(size=LAPTOP, locale=locale, reduced_motion=True)
        )
        self.pages.sign_in(who)
        self.documented = locale == "zh-CN"

    @property
    def page(self) -> Page:
        return self.pages.page

    def filed(self, description: str, handler: str | None, **fields: str) -> str:
        """File a ticket that a handler gets, or nobody."""
        contact = f"lead-{uuid4().hex[:8]}@example.com"
        number = self.journey.file(description, contact=contact, **fields)
        self.journey.until_handled_by(handler)
        return number

    def view(self, number: str) -> dict[str, object]:
        self.journey.number = number
        found: dict[str, object] = self.journey.view()
        return found

    def row(self, number: str) -> Locator:
        return self.page.locator(f"#board [data-ticket='{number}']")

    def says(self, key: str, **values: object) -> None:
        """Expect a notice, and remove it: the next one may be the same."""
        text = PAGES.say(key, locale=self.locale, **values)
        said = self.page.locator("#notices .notice", has_text=text)
        expect(said).to_be_visible(timeout=LONG_WAIT)
        said.evaluate_all("(all) => all.forEach((bar) => bar.remove())")

    def go(self, name: str) -> None:
        """Open a page by the menu."""
        link = self.page.locator(f"nav.pages a:visible[href$='/{name}']")
        if not link.count():
            self.page.locator("nav.pages summary").click()
        link.first.click()

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, wanted: Locator, most: int = 300) -> None:
        """Press Tab until an element has the focus."""
        for _ in range(most):
            self.keys("Tab")
            if wanted.evaluate("(element) => element === document.activeElement"):
                return
        raise AssertionError("it is not reached by Tab")

    def shot(self, name: str) -> None:
        shot(self.page, name if self.documented else f"{name}-en", document=self.documented)


@pytest.mark.requirement("D16", "C9")
def test_a_supervisor_s_morning(system: System, windows: Browsing, locale: Locale) -> None:
    desk = Desk(system, windows, SUPERVISOR, locale)
    page, journey = desk.page, desk.journey
    senders = [f"a{uuid4().hex}@example.com" for _ in range(2)]
    for address, subject in zip(senders, ("支付失败", "外出自动回复"), strict=True):
        text = "支付失败，请协助处理\n"
        headers = {"Auto_Submitted": "auto-replied"}
        system.mail(address, f"{subject} {_word(address)}", text, desk=DESK, **headers)
    dragged = desk.filed("空调不制冷，请派人来修", None, urgency="紧急")
    asked = []
    for text in ("包裹五天没动了，一直没到", "快递晚了一周还没送到"):
        asked.append(desk.filed(text, ORDERS, urgency="紧急"))
        journey.act(ORDERS, "goodwill", **GOODWILL)

    # The board: numbers, and what arrives while it is open
    desk.keys("g", "b")
    expect(page.locator("#board-tiles [data-row=waiting] a")).to_be_visible()
    expect(desk.row(dragged)).to_be_visible(timeout=LIVE)
    page.evaluate("() => { window.never = 'loaded again'; }")
    by_keys = desk.filed("冰箱不制冷了，请派人来修", None, urgency="紧急")
    expect(desk.row(by_keys)).to_be_visible(timeout=LIVE)
    assert page.evaluate("() => window.never") == "loaded again"
    desk.shot("supervisor-board")
    page.locator("#board-assign").evaluate("(part) => part.scrollIntoView()")
    desk.shot("supervisor-assign")

    # One ticket is dragged onto an agent, another assigned by keys
    # Nothing scrolls while it is dragged: ticket and agent are both in view.
    page.set_viewport_size({"width": LAPTOP["width"], "height": 3000})
    desk.row(dragged).drag_to(page.locator(f"[data-agent='agent:{DESK}-{REPAIRS}']"))
    page.set_viewport_size(LAPTOP)
    desk.says("board.assigned", number=dragged)
    expect(desk.row(dragged)).to_have_count(0)
    assert desk.view(dragged)["handler"] == f"{DESK}-{REPAIRS}"
    choice = desk.row(by_keys).locator("select")
    page.locator(".skip").focus()
    desk.tab_to(choice)
    for _ in range(choice.locator("option").count()):
        if choice.input_value() == f"agent:{DESK}-{REPAIRS}":
            break
        desk.keys("ArrowDown")
    desk.keys("Tab", "Enter")
    desk.says("board.assigned", number=by_keys)
    expect(page.locator("#board :focus")).to_be_attached()
    assert desk.view(by_keys)["handler"] == f"{DESK}-{REPAIRS}"
    assert page.evaluate("() => window.never") == "loaded again"

    # One step is approved, another is refused, which needs a reason
    approved, refused = asked
    page.locator("#board-tabs a[href$='approvals']").click()
    expect(desk.row(refused)).to_contain_text(GROUND)
    desk.shot("supervisor-approvals")
    desk.row(approved).locator("button[value=yes]").click()
    desk.says("board.approved", number=approved)
    desk.row(refused).locator("button[value=no]").click()
    desk.says("board.reason_wanted")
    desk.row(refused).locator("[name=reason]").fill(REFUSED)
    desk.row(refused).locator("button[value=no]").click()
    desk.says("board.refused", number=refused)
    expect(desk.row(refused)).to_have_count(0)
    journey.number = refused
    assert REFUSED in journey.await_message("handler", "goodwill_refused")
    journey.number = approved
    journey.await_message("handler", "goodwill_approved")

    # One mail is released, another discarded
    released, discarded = senders
    desk.go("quarantine")
    _held_back(desk, *senders)
    desk.shot("supervisor-quarantine")
    _mail(desk, released).click()
    page.locator("button[value=show]").click()
    expect(page.locator("#main pre")).to_contain_text("支付失败，请协助处理")
    page.locator("button[value=replay]").click()
    expect(page.locator(".done")).to_have_text(PAGES.say("quarantine.done.replayed", locale=locale))
    _mail(desk, discarded).click()
    page.locator("[name=reason]").fill(DISCARDED)
    page.locator("button[value=discard]").click()
    expect(page.locator(".done")).to_have_text(
        PAGES.say("quarantine.done.discarded", locale=locale)
    )
    page.locator("#main a[href*='discarded=1']").click()
    expect(page.locator("tr", has=_mail(desk, discarded))).to_contain_text(DISCARDED)
    wait_until(lambda: system.sent(released), "the released mail is a ticket")
    assert system.sent(discarded) == []

    # A rule is proposed for what agents keep correcting
    proposal = RuleProposal(
        id=uuid4().hex[:12], was="综合咨询", value="维修", words=("漏水",), corrected=6, changes=7,
        right=6, numbers=(by_keys,),
    )  # fmt: skip
    made = datetime.now(UTC)
    found = Proposals(made_at=made, since=made, seen=240, rules=(proposal,))
    Storage.on(system.aws("dynamodb"), TABLE).proposals.put(DESK, "rules", found)
    desk.go("knowledge")
    page.locator("a[href$='/knowledge/proposals']").first.click()
    shown = page.locator(f"#proposal-{proposal.id}")
    expect(shown).to_contain_text("漏水")
    desk.shot("supervisor-proposal")
    shown.locator(f"button[value={'accept' if desk.documented else 'dismiss'}]").click()
    expect(shown).to_have_count(0)
    said = "was_accepted" if desk.documented else "was_dismissed"
    expect(page.locator(".done")).to_contain_text(PAGES.say(f"proposals.{said}", locale=locale))
    empty = PAGES.say("proposals.no_rules", locale=locale)
    expect(page.get_by_text(empty)).to_be_visible()


def _word(sender: str) -> str:
    """Return a word for the subject of a sender's mail; in lists, addresses are masked."""
    return "".join(filter(str.isalpha, sender.partition("@")[0]))


def _held_back(desk: Desk, *senders: str) -> None:
    """Wait until the list, loaded again, has the mails of these senders."""
    for _ in range(LONG_WAIT // 1000):
        if all(_mail(desk, sender).count() for sender in senders):
            return
        desk.page.wait_for_timeout(1000)
        desk.page.reload()
    raise AssertionError("the mails are not in quarantine")


def _mail(desk: Desk, sender: str) -> Locator:
    """Return the link of a sender's mail."""
    return desk.page.get_by_role("link", name=_word(sender))


@pytest.mark.requirement("C10")
def test_a_reviewer_s_morning(system: System, windows: Browsing, locale: Locale) -> None:
    desk = Desk(system, windows, REVIEWER, locale)
    page, journey = desk.page, desk.journey
    number = desk.filed("包裹五天没动了，一直没到", ORDERS, urgency="紧急")
    journey.act(ORDERS, "resolve", summary="包裹当晚送达")
    journey.act_as_customer("confirmation", solved=True)
    journey.until_status("resolved")
    journey.act_as_customer("survey", score=2, comment="等了五天，没有人主动告诉我")
    wait_until(lambda: desk.view(number)["status"] == "in_review", "QA calls back")

    desk.keys("g", "b")
    page.locator("#board-tabs a[href$='reviews']").click()
    row = desk.row(number)
    expect(row).to_contain_text("没有人主动告诉我")
    row.locator("select").select_option(f"agent:{DESK}-{REVIEWER}")
    row.locator("form button").click()
    desk.says("board.review_assigned", number=number)
    expect(row.locator("select")).to_have_value(f"agent:{DESK}-{REVIEWER}")
    desk.shot("qa-reviews")

    row.locator("h2 a").click()
    expect(page.locator("#ticket")).to_have_attribute("data-number", number)
    desk.pages.action("callback").click()
    form = page.locator("form[data-action=callback]")
    form.locator("[name=cause]").fill("承运商没有更新物流信息")
    form.locator("[name=note]").fill("已致歉，客户接受；下次延误会主动告知")
    desk.shot("qa-callback")
    form.locator("button[name=action]").click()
    expect(page.locator("#ticket-head .status")).to_have_attribute(
        "data-status", "archived", timeout=LONG_WAIT
    )
    desk.keys("g", "b")
    page.locator("#board-tabs a[href$='reviews']").click()
    expect(row).to_have_count(0)
    assert desk.view(number)["reviewer"] == f"{DESK}-{REVIEWER}"
