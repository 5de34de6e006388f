"""The page of costs: there at once, computed by a part; figures without any ticket's text."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest

from functions.core.domain.errors import Forbidden, TryAgain
from functions.core.domain.rules import Playbook
from functions.core.platform.athena import Athena
from functions.core.reports.spending import Spending
from functions.core.storage.database import Storage
from functions.workbench import costs
from functions.workbench.pages import costs as pages
from functions.workbench.report_routes import XLSX
from tests.core.sample_desk import NOON
from tests.reports.duck import Duck
from tests.workbench.conftest import SignedIn
from tests.workbench.pages import Browser, texts
from tests.workbench.test_costs import PRICED, duck

pytestmark = pytest.mark.requirement("H5", "F8")

__all__ = ["duck"]
MONTH = "from=2026-03-01&to=2026-03-10"


@pytest.fixture
def asked(duck: Duck, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queries that the page has run."""
    found: list[str] = []

    def rows(self: Athena, sql: str) -> Iterator[dict[str, str]]:
        found.append(sql)
        return duck.rows(sql)

    monkeypatch.setattr(Athena, "rows", rows)
    return found


@pytest.fixture
def finance(signed_in: SignedIn, asked: list[str]) -> Browser:
    return Browser(signed_in("finance-1"))


def test_the_page_is_there_before_the_table(finance: Browser, asked: list[str]) -> None:
    answer = finance.get("costs")
    assert answer.status == 200
    assert asked == []
    assert "正在计算" in texts(answer)
    part = re.search(r'hx-get="/workbench/testdesk/([^"]+)" hx-trigger="load"', answer.body)
    assert part
    assert unescape(part[1]) == f"costs?part=table&{MONTH}&by=day"
    assert re.search(r'<noscript>.*href="[^"]*wait=1[^"]*"', answer.body)
    assert 'value="2026-03-01"' in answer.body
    loaded = finance.get(unescape(part[1]), script=True)
    assert "<html" not in loaded.body
    assert len(asked) == 1


@pytest.mark.parametrize("by", ["desk", "channel", "day", "ticket"])
def test_the_table_has_the_numbers_of_the_call(
    by: str, finance: Browser, duck: Duck, signed_in: SignedIn
) -> None:
    agent = signed_in("finance-1")
    body = costs.show_costs(agent.request("GET", by=by), agent.storage, "testdesk", duck.rows).body
    answer = finance.get(f"costs?wait=1&by={by}")
    (head, line, total) = _rows(answer.body)
    assert head[-6:] == ["AWS 目录价 (USD)", "坐席分钟", "坐席成本", "配件", "补偿", "合计"]
    found = body["lines"][0]
    assert line[1:] == [
        f"{found['usd']:.4f}", "4.0", "2.00", "30.00", "0.00", f"{found['total']:.2f}",
    ]  # fmt: skip
    assert total == ["总计", *line[1:]]
    said = texts(answer)
    assert "账单余额（未分摊）" in said
    assert "没有价格，按 0 计：s3.gone" in said
    assert "ses.sent 2" in said
    assert "滤芯 1" in said
    assert ("32.00" in _chart(answer.body)) == (by != "desk")


def _rows(html: str) -> list[list[str]]:
    """Return the cells of the first table, without days on which nothing was spent."""
    table = html.partition("<table>")[2].partition("</table>")[0]
    lines = [re.findall(r"<t[hd][^>]*>(?:<a[^>]*>)?([^<]*)", line) for line in table.split("</tr>")]
    return [line for line in lines if line and line[-1] != "0.00"]


def _chart(html: str) -> str:
    found = re.search(r'<svg class="chart".*?</svg>', html, re.DOTALL)
    return found[0] if found else ""


def test_a_line_of_days_has_each_day(finance: Browser) -> None:
    answer = finance.get("costs?wait=1&from=2026-03-07&to=2026-03-31")
    points = re.findall(r"<title>(2026[^<]*)</title>", answer.body)
    assert points == [
        "2026-03-07: 0.00", "2026-03-08: 0.00", "2026-03-09: 0.00", "2026-03-10: 32.00",
    ]  # fmt: skip
    assert answer.body.count('<th scope="row">2026-') == 4, "the table has them too"


def test_nothing_spent_says_so(finance: Browser) -> None:
    answer = finance.get("costs?wait=1&from=2026-02-01&to=2026-02-03")
    assert "这些天没有费用" in texts(answer)
    assert '<svg class="chart"' not in answer.body


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-03-02&to=2026-03-01", "to"),
        ("from=20260301", "from"),
        ("from=0001-01-01&to=0001-01-01", "to"),
        ("to=2026-13-01", "to"),
        ("from=2026-01-01&to=2026-05-01", "to"),
        ("by=team", "by"),
    ],
)
def test_a_wrong_field_is_marked_and_keeps_its_value(
    query: str, field: str, finance: Browser, asked: list[str]
) -> None:
    answer = finance.get(f"costs?wait=1&{query}")
    assert answer.status == 400
    assert asked == []
    assert f'aria-describedby="wrong-{field}"' in answer.body
    assert f'id="wrong-{field}"' in answer.body
    if field != "by":
        given = dict(part.split("=") for part in query.split("&"))[field]
        assert f'name="{field}" value="{given}"' in answer.body


def test_a_query_that_takes_too_long_can_be_tried_again(
    signed_in: SignedIn, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(self: Athena, sql: str) -> Iterator[dict[str, str]]:
        raise TryAgain("not done")

    monkeypatch.setattr(Athena, "rows", late)
    browser = Browser(signed_in("finance-1"))
    part = browser.get("costs?part=table", script=True)
    assert part.status == 200, "htmx shows no other answer in place"
    assert "请再试一次" in texts(part)
    assert browser.get("costs?wait=1").status == 503


def test_too_many_lines_are_refused_in_place(
    signed_in: SignedIn, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def many(self: Athena, sql: str) -> Iterator[dict[str, str]]:
        row = {"priced_on": "2026-03-01", "name": "s3.put"}
        lines = range(pages.MOST_LINES + 1)
        return ({**row, "cost_key": f"CS{n}", "quantity": str(n or 50)} for n in lines)

    monkeypatch.setattr(Athena, "rows", many)
    browser = Browser(signed_in("finance-1"))
    answer = browser.get("costs?part=table&by=ticket", script=True)
    assert "另有 1 行" in texts(answer)
    shown = re.findall(r'<th scope="row">CS(\d+)', answer.body)
    assert (shown[0], "1" in shown) == ("100", False), "the dearest ones"
    assert answer.body.count('<rect class="bar"') == 10
    monkeypatch.setattr(costs, "MOST_LINES", 10)
    refused = browser.get("costs?part=table&by=ticket", script=True)
    assert "超过 10 行" in texts(refused)
    assert browser.get("costs?wait=1&by=ticket").status == 400


@pytest.mark.parametrize(("name", "media"), [("csv", "text/csv"), ("xlsx", XLSX)])
def test_files_are_links(name: str, media: str, finance: Browser) -> None:
    page = finance.get("costs?wait=1&by=channel")
    link = re.search(
        rf'href="/workbench/testdesk/([^"]*format={name}[^"]*)"( download)?', page.body
    )
    assert link
    # By `download` a browser asks for `*/*`, for which API Gateway decodes no bytes.
    assert not (link[2] and media == XLSX)
    answer = finance.get(unescape(link[1]))
    assert answer.content_type == media
    assert f"costs-testdesk-2026-03-01-2026-03-10.{name}" in answer.headers["Content-Disposition"]
    assert finance.get("costs?format=pdf").status == 400


def _spend(storage: Storage, **values: Any) -> None:
    progress = storage.report_progress.get("testdesk", NOON)
    spending = Spending(month="2026-03", through=NOON - timedelta(minutes=9), **values)
    storage.report_progress.put("testdesk", progress.changed(spending=spending))


def _budget(storage: Storage, playbook: Playbook, budget: int | None) -> None:
    reports = playbook.reports.model_validate({**PRICED, "budget": budget})
    storage.playbooks.put(playbook.model_copy(update={"reports": reports}), NOON)


def test_the_budget_says_how_much_is_used(
    storage: Storage, playbook: Playbook, signed_in: SignedIn
) -> None:
    browser = Browser(signed_in("finance-1"))
    _budget(storage, playbook, 5000)
    _spend(storage, spent=Decimal("1234.5"))
    answer = browser.get("costs")
    assert "已用 1,234.50 / 5,000.00 CNY（24.7%） 截至 今天 11:51" in texts(answer)
    assert '<progress max="1" value="0.2469"' in answer.body
    assert "超出" not in texts(answer)
    _spend(storage, spent=Decimal(5000))
    assert "已超出预算" not in texts(browser.get("costs"))
    _spend(storage, spent=Decimal("5000.01"))
    over = browser.get("costs")
    assert "已超出预算" in texts(over)
    assert '<progress max="1" value="1.0"' in over.body


def test_before_the_first_run_nothing_is_counted(signed_in: SignedIn) -> None:
    assert "还没有开始统计" in texts(Browser(signed_in("finance-1")).get("costs"))


def test_without_a_budget_there_is_no_bar(
    storage: Storage, playbook: Playbook, signed_in: SignedIn
) -> None:
    _budget(storage, playbook, None)
    _spend(storage, spent=Decimal(7))
    answer = Browser(signed_in("finance-1"), "en").get("costs")
    assert "The playbook sets no budget (reports.budget). 7.00 CNY used" in texts(answer)
    assert "<progress" not in answer.body


def test_last_months_spending_is_not_this_months(
    storage: Storage, playbook: Playbook, signed_in: SignedIn
) -> None:
    _budget(storage, playbook, 100)
    _spend(storage, spent=Decimal(99))
    later = replace(signed_in("finance-1").request("GET"), now=NOON + timedelta(days=31))
    agent = signed_in("finance-1")
    agent.request = lambda method, body=None, **query: later  # type: ignore[method-assign]
    assert "已用 0.00 / 100.00 CNY（0.0%）" in texts(Browser(agent).get("costs"))


def test_the_month_of_the_budget_is_the_desk_s(
    storage: Storage, playbook: Playbook, signed_in: SignedIn
) -> None:
    """On its first day, while it is still the last month in UTC."""
    _budget(storage, playbook, 100)
    _spend(storage, spent=Decimal(99))
    agent = signed_in("finance-1")
    early = replace(agent.request("GET"), now=datetime(2026, 2, 28, 16, 30, tzinfo=UTC))
    agent.request = lambda method, body=None, **query: early  # type: ignore[method-assign]
    assert "已用 99.00 / 100.00 CNY" in texts(Browser(agent).get("costs"))


@pytest.mark.parametrize("who", ["agent-1", "supervisor-1", "qa-1"])
def test_nobody_else_opens_costs(who: str, signed_in: SignedIn, asked: list[str]) -> None:
    with pytest.raises(Forbidden):
        Browser(signed_in(who)).get("costs?wait=1")
    assert asked == []


def test_finance_sees_numbers_of_tickets_and_leads_to_none(finance: Browser) -> None:
    answer = finance.get("costs?wait=1&by=ticket")
    assert '<th scope="row">CS1</th>' in answer.body
    assert "/tickets/" not in answer.body


def test_finance_begins_with_the_costs(signed_in: SignedIn, storage: Storage) -> None:
    answer = Browser(signed_in("finance-1")).get()
    assert (answer.status, answer.headers["Location"]) == (303, "/workbench/testdesk/costs")
    page = Browser(signed_in("finance-1")).get("costs")
    assert 'data-key="g q"' not in page.body
    assert ">费用</a>" in page.body
    assert ">报表</a>" in page.body
