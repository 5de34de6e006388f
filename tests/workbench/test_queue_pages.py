"""The queue's pages: views, rows in the order of what is due, and what an empty view says."""

import re
from datetime import timedelta

import pytest

from functions.core.domain import commands as c
from functions.core.domain.rules import Playbook
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from tests.core.sample_desk import NOON, file_ticket
from tests.workbench.conftest import SignedIn
from tests.workbench.pages import Browser, rows, texts

pytestmark = pytest.mark.requirement("H3")
HOUR = timedelta(hours=1)


@pytest.fixture
def desk(storage: Storage, playbook: Playbook) -> Storage:
    """Four tickets of agent-1, in hand, of which CS2 is overdue and CS4 waits for the customer."""
    given = (
        ("CS1", NOON - HOUR, "medium", "网络很慢"),
        ("CS2", NOON - 3 * HOUR, "high", "系统崩溃，所有人都无法登录，请尽快处理一下谢谢，拜托了"),
        ("CS3", NOON, "high", "Where is my parcel?"),
        ("CS4", NOON - 2 * HOUR, "low", "发票抬头"),
    )
    for number, at, priority, description in given:
        file_ticket(storage, playbook, number, at, priority=priority, description=description)
        command = c.Assign("technical", "agent-1", by_person=True, handler_name="客服-张")
        change(storage, "testdesk", number, command, playbook, at, actor="supervisor-1")
    asked = c.RequestInformation("订单号？")
    change(storage, "testdesk", "CS4", asked, playbook, NOON, actor="agent-1")
    return storage


@pytest.fixture
def browser(signed_in: SignedIn) -> Browser:
    return Browser(signed_in("agent-1"))


def test_rows_are_in_the_order_of_what_is_due(desk: Storage, browser: Browser) -> None:
    page = browser.get()
    assert rows(page) == ["CS2", "CS3", "CS1", "CS4"]
    said = texts(page)
    assert "系统崩溃，所有人都无法登录，请尽快处理一下谢…" in said
    assert "逾期 1 小时 待首次回复 · 高" in said
    assert "今天 14:00" in said, "the deadline of CS3, by the desk's clock"
    assert "待客户补充 · 低" in said
    assert 'data-ticket="CS2" data-due="2026-03-10T11:00:00+08:00" data-version="2"' in page.body
    assert '<time class="late" datetime="2026-03-10T11:00:00+08:00">' in page.body


def test_in_english_too(desk: Storage, browser: Browser) -> None:
    browser.locale = "en"
    said = texts(browser.get())
    assert "1 h late First reply · 高" in said
    assert "Customer to answer" in said
    assert "CS1 · ***8000 · Web · ZH" in said


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("queue=mine&due=overdue", ["CS2"]),
        ("queue=mine&status=awaiting_customer", ["CS4"]),
        ("queue=mine&priority=high", ["CS2", "CS3"]),
        ("queue=mine&words=parcel", ["CS3"]),
        ("queue=mine&words=cs1 网络", ["CS1"]),
        ("queue=mine&type=fault", ["CS2"]),
        ("queue=mine&tag=login", ["CS2"]),
    ],
)
def test_filters_are_in_the_address(
    desk: Storage, browser: Browser, query: str, found: list[str]
) -> None:
    assert rows(browser.get(f"?{query}")) == found


def test_a_view_is_current_by_its_filters(desk: Storage, browser: Browser) -> None:
    page = browser.get("?queue=mine&status=awaiting_customer")
    (current,) = re.findall(r'<a [^>]*aria-current="page">([^<]+)', page.body)
    assert current.strip() == "等客户"


def test_each_role_has_its_views(desk: Storage, signed_in: SignedIn) -> None:
    def views(name: str) -> str:
        page = Browser(signed_in(name)).get("?part=rows")
        return " ".join(" ".join(re.findall(r"data-command[^>]*>([^<]+)", page.body)).split())

    assert views("agent-1") == "我的 团队 待分配 待确认 等客户 已逾期 待办"
    assert views("supervisor-1") == "我的 团队 待分配 待确认 等客户 已逾期 待办 主管 质检 全部"
    assert views("qa-1") == "我的 等客户 待办 质检 全部"
    assert Browser(signed_in("finance-1")).get().headers["Location"].endswith("/costs")


def test_an_empty_view_says_what_is_next(
    desk: Storage, playbook: Playbook, signed_in: SignedIn, browser: Browser
) -> None:
    said = texts(browser.get("?queue=mine&type=fault&priority=low"))
    assert "没有待办，下一个到期 今天 11:00" in said
    file_ticket(desk, playbook, "CS9", NOON - 2 * HOUR, priority="high")
    queued = c.Enqueue("technical")
    change(desk, "testdesk", "CS9", queued, playbook, NOON - 2 * HOUR, actor="system")
    page = Browser(signed_in("agent-2")).get()
    said = texts(page)
    assert "没有待办，下一个到期 今天 12:00" in said
    assert "团队有 1 张在等，最久的已等 2 小时。" in said
    assert "/workbench/testdesk/tickets/CS9" in page.body


def test_a_script_gets_the_column_alone(desk: Storage, browser: Browser) -> None:
    part = browser.get("?queue=mine&part=rows")
    assert not re.search("<html|<nav", part.body)
    assert rows(part) == rows(browser.get("?queue=mine", script=True)) == rows(browser.get())


def test_a_long_queue_comes_in_pages(
    storage: Storage, playbook: Playbook, browser: Browser
) -> None:
    for n in range(53):
        file_ticket(storage, playbook, f"CS{n:03}", NOON + timedelta(minutes=n))
        command = c.Assign("technical", "agent-1", by_person=True)
        change(storage, "testdesk", f"CS{n:03}", command, playbook, NOON, actor="system")
    first = browser.get("?queue=mine")
    assert len(rows(first)) == 50
    (more,) = re.findall(r'class="more"><a href="/workbench/testdesk([^"]+)"', first.body)
    rest = browser.get(more.replace("&amp;", "&") + "&part=more")
    assert len(rows(rest)) == 3
    assert "<ol" not in rest.body
    assert len(rows(browser.get("?queue=mine&part=rows&rows=53"))) == 53


def test_tasks_say_what_is_to_be_done(
    desk: Storage, playbook: Playbook, signed_in: SignedIn
) -> None:
    change(desk, "testdesk", "CS1", c.Reply("好了"), playbook, NOON, actor="agent-1")
    change(desk, "testdesk", "CS1", c.Resolve("好了"), playbook, NOON, actor="agent-1")
    answered = c.AnswerSurvey(score=1, comment="差")
    change(desk, "testdesk", "CS1", answered, playbook, NOON, actor="customer")
    change(desk, "testdesk", "CS1", c.AssignReview("agent-2"), playbook, NOON, actor="qa-1")
    page = Browser(signed_in("agent-2")).get("?queue=tasks")
    assert rows(page) == ["CS1"]
    assert "请回访客户" in texts(page)
    assert 'href="/workbench/testdesk/contacts/CS1"' in page.body
