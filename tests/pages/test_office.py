"""Finance, a writer of articles and an administrator at work on the pages (H5, H6, H7)."""

import csv
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO, StringIO
from pathlib import Path
from uuid import uuid4
from zipfile import ZipFile

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from functions.core.domain.proposals import ArticleProposal, AskedQuestion, Proposals
from functions.core.reports.periods import Period
from functions.core.storage.database import Storage
from tests.e2e.desk_journey import TABLE, SystemJourney
from tests.e2e.reporting_desk import run_reports
from tests.e2e.running_system import System, wait_until
from tests.e2e.test_reported_desk import arrived
from tests.pages.browsing import Browsing
from tests.pages.people import LONG_WAIT, AgentPages
from tests.pages.pictures import shot

pytestmark = pytest.mark.slow
DESK = "assisted"
LAPTOP: ViewportSize = {"width": 1280, "height": 800}
WORDS = (
    "洗衣机漏水，地板都泡了，请尽快派人",
    "耳机充不进电，可以换新吗",
    "发票抬头写错了，怎么改",
)
TITLE = "钢琴上门调律"
QUESTIONS = (
    "钢琴可以上门调律吗", "你们给钢琴调音吗", "钢琴音不准了，能来调吗", "调一次钢琴多少钱",
    "钢琴多久调一次律", "怎么预约钢琴调律", "买的钢琴送调律吗", "搬家以后钢琴要调音吗",
)  # fmt: skip
PHRASINGS = (
    "do you tune pianos", "my piano is out of tune", "how do i book a piano tuning",
    "what does tuning a piano cost", "how often should a piano be tuned", "piano tuner",
    "is tuning included with the piano", "tune my piano after moving",
)  # fmt: skip
SOLUTION = "购买后一年内免费上门调律一次，请提前三天预约。"
BETTER = "购买后一年内免费上门调律两次，请提前三天预约。"
ENGLISH = "One tuning is free in the first year."


def at_work(
    system: System, windows: Browsing, who: str, path: str = "", locale: str = "zh-CN"
) -> AgentPages:
    """Sign somebody in."""
    person = AgentPages(system, DESK, windows.open(size=LAPTOP, locale=locale))
    person.sign_in(who, path)
    return person


def a_contact() -> str:
    return f"139{uuid4().int % 10**8:08}"


def press(page: Page, name: str) -> None:
    page.locator("#main").get_by_role("button", name=name, exact=True).click()


def downloaded(page: Page, name: str) -> bytes:
    """Follow a link to a file; return its bytes as the browser has stored them."""
    with page.expect_download(timeout=LONG_WAIT) as started:
        page.locator("#main").get_by_role("link", name=name, exact=True).click()
    return Path(started.value.path()).read_bytes()


def is_workbook(content: bytes) -> bool:
    with ZipFile(BytesIO(content)) as book:
        return book.testzip() is None and "xl/workbook.xml" in book.namelist()


@pytest.mark.requirement("H5", "F8")
def test_finance_reads_costs_and_reports_and_no_ticket_s_words(
    system: System, windows: Browsing
) -> None:
    journey = SystemJourney(system, DESK)
    numbers = [journey.file(text, contact=a_contact()) for text in WORDS]
    for number in numbers:
        wait_until(partial(arrived, system, DESK, number), f"{number} in the feeds")
    zone = Storage.on(system.aws("dynamodb"), TABLE).playbooks.get(DESK, datetime.now(UTC)).zone
    day = Period.of("daily", datetime.now(zone).date())
    run_reports(system, DESK, day.end(zone) + timedelta(minutes=20))

    finance = at_work(system, windows, "finance-1")
    page = finance.page
    expect(page).to_have_url(re.compile(f"/workbench/{DESK}/costs"))
    expect(page.locator(".found table").first).to_be_visible(timeout=LONG_WAIT)
    shot(page, "finance-costs", document=True)
    page.locator("[name=from]").fill(day.first.isoformat())
    page.locator("[name=to]").fill(day.first.isoformat())
    page.locator("[name=by]").select_option("ticket")
    press(page, "显示")
    table = page.locator(".found table").first
    expect(table).to_contain_text(numbers[0], timeout=LONG_WAIT)
    expect(table).to_contain_text(day.first.isoformat())
    assert page.locator("a[href*='/tickets/']").count() == 0
    assert is_workbook(downloaded(page, "Excel"))
    rows = list(csv.reader(StringIO(downloaded(page, "CSV").decode("utf-8-sig"))))
    assert numbers[0] in {cell for row in rows for cell in row}

    page.get_by_role("navigation").get_by_role("link", name="报表").first.click()
    expect(page.locator("[data-figure=volume]")).to_be_visible()
    assert day.name in page.url or day.name in page.title()
    shot(page, "finance-report", document=True)
    seen = [page.locator("body").inner_text()]
    assert is_workbook(downloaded(page, "Excel"))
    page.locator("[data-figure=volume] .more a").click()
    # A report is written once, perhaps for an earlier test.
    expect(page.locator("tbody th").first).to_have_text(re.compile(r"ZN\d+"))
    seen += [page.locator("body").inner_text(), downloaded(page, "CSV").decode("utf-8-sig")]
    assert page.locator("a[href*='/tickets/']").count() == 0
    for text in WORDS:
        assert text[:6] not in "".join(seen)
    answer = page.goto(finance.url(f"/{DESK}/tickets/{numbers[0]}"))
    assert answer is not None
    assert answer.status == 403


@pytest.mark.requirement("H6")
def test_a_writer_answers_what_customers_ask(system: System, windows: Browsing) -> None:
    name = f"piano-{uuid4().hex[:6]}"
    writer = at_work(system, windows, "supervisors-1", "/knowledge/new")
    page = writer.page
    page.locator("[name=id]").fill(name)
    page.locator("[name='title.zh-CN']").fill(TITLE)
    page.locator("[name='solution.zh-CN']").fill(SOLUTION)
    expect(page.locator("#preview")).to_contain_text(SOLUTION, timeout=LONG_WAIT)
    page.locator("[name='asked.zh-CN']").fill("\n".join(QUESTIONS))
    page.locator("[name='title.en']").fill("Piano tuning at home")
    page.locator("[name='solution.en']").fill(ENGLISH)
    page.locator("[name='asked.en']").fill("\n".join(PHRASINGS))
    expect(page.locator("#preview")).to_contain_text(ENGLISH, timeout=LONG_WAIT)
    expect(page.locator("#preview")).to_contain_text(QUESTIONS[0])
    page.locator("[name=state]").select_option("published")
    page.evaluate("() => { document.activeElement.blur(); main.scrollTo(0, 0); }")
    shot(page, "writer-editor", document=True)
    press(page, "保存")
    expect(page).to_have_url(re.compile(f"/knowledge/{name}$"))
    expect(page.locator(".standing")).to_have_class(re.compile("current"))

    # Two windows: who saves second sees what the first one changed, and loses nothing.
    page.goto(writer.url(f"/{DESK}/knowledge/{name}/edit"))
    other = windows.page_of(page.context)
    other.goto(page.url)
    other.locator("[name='solution.en']").fill(f"{ENGLISH} Book it online.")
    press(other, "保存")
    expect(other).to_have_url(re.compile(f"/knowledge/{name}$"))
    page.locator("[name='solution.zh-CN']").fill(BETTER)
    press(page, "保存")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Book it online")
    expect(page.locator("[name='solution.zh-CN']")).to_have_value(BETTER)
    shot(page, "writer-stale", document=True)
    press(page, "保存我的版本")
    expect(page).to_have_url(re.compile(f"/knowledge/{name}$"))
    expect(page.locator(".solution").first).to_have_text(BETTER)

    found = re.compile(f"{TITLE}|{BETTER}")  # without an encoder, articles are only offered
    chat = page.locator(".as-chat")
    for _ in range(LONG_WAIT // 1000):  # a change is in force within a minute
        page.goto(writer.url(f"/{DESK}/knowledge/try"))
        page.locator("[name=question]").fill(QUESTIONS[0])
        page.locator("#main form button").click(timeout=2 * LONG_WAIT)  # an engine may start
        if chat.count() and found.search(chat.inner_text()):
            break
        page.wait_for_timeout(2000)
    expect(page.locator(".as-chat")).to_contain_text(found)
    expect(page.locator(".tried .history")).to_contain_text(TITLE)
    shot(page, "writer-try", document=True)

    proposal = f"p-{uuid4().hex[:8]}"
    propose(system, proposal, name)
    page.get_by_role("navigation").get_by_role("link", name="改进建议").click()
    card = page.locator(f"#proposal-{proposal}")
    expect(card).to_contain_text("调律师几点上门")
    shot(page, "writer-proposal", document=True)
    card.locator("[name=article]").select_option(name)
    card.locator("[name=decision][value=accept]").click()
    expect(page.locator("p.done")).to_contain_text(TITLE)
    page.locator("p.done").get_by_role("link").first.click()
    expect(page.locator(".phrasings").first).to_contain_text("调律师几点上门")


def propose(system: System, proposal: str, article: str) -> None:
    """Store a proposal as the weekly run does."""
    now = datetime.now(UTC)
    questions = [
        AskedQuestion(id=f"chat-{proposal}-{n}", text=text)
        for n, text in enumerate(("调律师几点上门", "调钢琴的师傅什么时候来"))
    ]
    found = ArticleProposal(
        id=proposal, source="chats", article=article, count=2, share=0.01,
        questions=tuple(questions), members=tuple(each.id for each in questions),
    )  # fmt: skip
    made = Proposals(made_at=now, since=now - timedelta(days=7), seen=200, articles=(found,))
    Storage.on(system.aws("dynamodb"), TABLE).proposals.put(DESK, "chats", made)


@pytest.mark.requirement("H7")
def test_an_admin_lets_somebody_in_and_out_again(system: System, windows: Browsing) -> None:
    username = f"ouyang-{uuid4().hex[:6]}"
    admin = at_work(system, windows, "admin-1", "/roster")
    page = admin.page
    shot(page, "admin-roster", document=True)
    page.get_by_role("link", name="邀请新人").click()
    page.locator("[name=username]").fill(username)
    page.locator("[name=display_name]").fill("客服-欧阳")
    page.locator("[name=team]").select_option(index=1)
    press(page, "邀请")
    password = page.locator("code").inner_text()
    assert len(password) >= 12
    shot(page, "admin-invited", document=True)
    page.goto(admin.url(f"/{DESK}/roster/people/{username}"))
    expect(page.locator("[name=display_name]")).to_have_value("客服-欧阳")
    assert password not in page.content()

    # The first password lets the person in once, to choose another.
    new = AgentPages(system, DESK, windows.open(size=LAPTOP, locale="en"))
    new.page.goto(new.url(f"/{DESK}"))
    own = "Meadow-Lantern-4821"
    new.page.locator("[name=username]").fill(username)
    new.page.locator("[name=password]").fill(password)
    new.page.get_by_role("button", name="Sign in").click()
    new.page.locator("[name=new_password]").fill(own)
    new.page.get_by_role("button", name="Continue").click()
    expect(new.page.locator("body.workbench #queue")).to_be_visible()
    expect(new.page.locator("html")).to_have_attribute("lang", "en")

    page.locator("[name='shift.mon']").fill("九点")
    press(page, "保存")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("[name='shift.mon']")).to_have_value("九点")
    page.locator("[name='shift.mon']").fill("09:00-18:00")
    page.locator("[name='shift.tue']").fill("09:00-18:00")
    page.locator("[name=skills_more]").fill("日语")
    page.locator("[name=languages][value=en]").check()
    press(page, "保存")
    row = page.locator("tr", has_text=username)
    expect(row).to_contain_text("周一至周二 09:00–18:00")
    expect(row).to_contain_text("日语")

    row.get_by_role("link").click()
    page.get_by_role("link", name="停用…").click()
    press(page, "停用")
    page.goto(admin.url(f"/{DESK}/roster"))
    expect(page.locator("#main")).to_contain_text(username)
    again = windows.open(locale="en")
    again.goto(new.url(f"/{DESK}"))
    again.locator("[name=username]").fill(username)
    again.locator("[name=password]").fill(own)
    again.get_by_role("button", name="Sign in").click()
    expect(again.get_by_role("alert")).to_be_visible()
    page.goto(admin.url(f"/{DESK}/audit?act=all&person={DESK}-admin-1"))
    expect(page.locator("tbody tr", has_text=username).first).to_contain_text("停用")


@pytest.mark.requirement("G15", "H7")
def test_an_admin_changes_the_playbook_and_returns(system: System, windows: Browsing) -> None:
    journey = SystemJourney(system, DESK)
    journey.file(WORDS[0], contact=a_contact())
    admin = at_work(system, windows, "admin-1", "/playbook", locale="en")
    page = admin.page
    version = int(re.findall(r"\d+", page.locator(".playbook > p").first.inner_text())[0])
    with page.expect_download() as started:
        page.get_by_role("link", name=f"Download version {version}").first.click()
    text = Path(started.value.path()).read_text("utf-8")
    changed = f"{text}reopen_within: 10d\n"
    page.locator("[name=file]").set_input_files(
        {"name": "playbook.yaml", "mimeType": "text/yaml", "buffer": changed.encode()}
    )
    press(page, "Check and rehearse")
    expect(page.locator(".sections").first).to_contain_text("reopen_within", timeout=LONG_WAIT)
    expect(page.locator("#main")).to_contain_text("Rehearsal")
    shot(page, "admin-rehearsal", document=True)
    page.locator("[name=confirm]").check()
    press(page, f"Apply as version {version + 1}")
    expect(page.get_by_role("status").first).to_contain_text(f"Version {version + 1}")
    page.get_by_role("link", name=f"Version {version}", exact=True).click()
    press(page, f"Check a return to version {version}")
    expect(page.locator(".sections").first).to_contain_text("reopen_within", timeout=LONG_WAIT)
    page.locator("[name=confirm]").check()
    press(page, f"Apply as version {version + 2}")
    expect(page.get_by_role("status").first).to_contain_text(f"Version {version + 2}")
    with page.expect_download() as started:
        page.get_by_role("link", name=f"Download version {version + 2}").first.click()
    assert Path(started.value.path()).read_text("utf-8") == text

    page.get_by_role("link", name="Message preview").click()
    page.locator("[name=ticket]").fill(journey.number)
    press(page, "Fill in with this ticket")
    expect(page.locator("article.card").first).to_contain_text(journey.number)
    shot(page, "admin-messages", document=True)
    for name in ("channels", "webhooks", "quarantine"):
        page.goto(admin.url(f"/{DESK}/{name}"))
        expect(page.locator("main h1")).to_be_visible()
        shot(page, f"admin-{name}")


@pytest.mark.requirement("B10", "H7")
def test_an_admin_holds_releases_and_erases(system: System, windows: Browsing) -> None:
    journey = SystemJourney(system, DESK)
    contact = a_contact()
    journey.file(WORDS[0], contact=contact)
    number = journey.number
    admin = at_work(system, windows, "admin-1", "/erasure")
    page = admin.page
    hold = page.locator("form[action$='/hold']")
    hold.locator("[name=number]").fill(number)
    hold.locator("[name=reason]").fill("法务要求")
    hold.get_by_role("button").click()
    expect(page.get_by_role("status").first).to_contain_text(number)
    page.locator("form[action$='/tickets'] [name=number]").fill(number)
    press(page, "查看将删除的内容")
    expect(page.get_by_role("alert")).to_contain_text("法务要求")
    assert page.get_by_role("button", name="永久删除").count() == 0
    page.get_by_role("link", name="返回").click()
    held = page.locator("tr", has_text=number)
    held.locator("[name=reason]").fill("案件结束")
    held.get_by_role("button").click()
    expect(page.locator("p.done")).to_contain_text(number)
    page.locator("form[action$='/tickets'] [name=number]").fill(number)
    press(page, "查看将删除的内容")
    shot(page, "admin-erasure", document=True)
    page.locator("[name=reason]").fill("客户要求")
    page.locator("[name=confirm]").fill(number[:-1])
    press(page, "永久删除")
    expect(page.get_by_role("alert")).to_contain_text(number)
    page.locator("[name=confirm]").fill(number)
    press(page, "永久删除")
    expect(page.locator("main h1")).to_have_text("客户个人信息已删除", timeout=LONG_WAIT)
    page.locator("#main").get_by_role("link", name=number).click()
    expect(page.locator("#main")).to_contain_text("客户个人信息已按要求删除")
    assert page.locator("#composer").count() == 0
    shown = page.locator("body").inner_text()
    assert WORDS[0][:6] not in shown
    assert contact not in shown
    shot(page, "admin-erased", document=True)
    page.goto(admin.url(f"/{DESK}/audit"))
    page.locator("[name=act]").select_option("all")
    press(page, "查看")
    expect(page.locator("tbody")).to_contain_text("客户要求")
    shot(page, "admin-audit", document=True)
