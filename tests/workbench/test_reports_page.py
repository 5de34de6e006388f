"""The pages of reports: figures as they are stored, charts beside tables, the tickets behind."""

import json
import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import pytest

from functions.core.domain.errors import Forbidden
from functions.core.domain.rules import LOCALES
from functions.core.pages import assets
from functions.core.platform import aws
from functions.core.platform.web import HttpResponse
from functions.core.reports.behind import Behind
from functions.core.reports.figures import FIGURES
from functions.core.reports.labels import figure_definition, measures, number_text
from functions.core.reports.periods import Period
from functions.core.reports.report import ReportView
from functions.core.storage.reports import PAGE, StoredReports, listed
from functions.workbench.pages import reports
from functions.workbench.report_routes import XLSX
from tests.core.reports.sample_report import SLA, row, sample_report
from tests.workbench.conftest import DEPLOYMENT, SignedIn
from tests.workbench.pages import Browser, texts

pytestmark = pytest.mark.requirement("H5")

WEEK = Period.parse("weekly", "2026-W10")
ROWS = [
    Behind("CS1", 3, 720, 540, agent="agent-1", groups=("type=fault", "channel=mail")),
    Behind("CS2", 4, 60, 60, agent="<b>x", reason="merged CS1"),
    Behind("CS3", 4, 60, 60, reason="odd"),
]


@dataclass
class Bucket:
    """The stored reports, and what is read of them."""

    stored: StoredReports
    read: list[str] = field(default_factory=list)

    def put(self, report: ReportView, rows: Any = None, **more: Any) -> None:
        period = Period.parse(report["kind"], report["period"])
        lists = {"first_response": listed(ROWS if rows is None else rows), **more}
        self.stored.put(period, report, lists)
        written = self.stored.written("testdesk")
        self.stored.put_written(
            "testdesk", {"first_day": "2026-02-20", **written, report["kind"]: report["period"]}
        )
        self.read.clear()


@pytest.fixture
def bucket(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket without reports."""
    import boto3

    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket=DEPLOYMENT.mail_bucket)
    found = Bucket(StoredReports(s3, DEPLOYMENT.mail_bucket))
    s3.meta.events.register(
        "provide-client-params.s3.GetObject", lambda params, **_: found.read.append(params["Key"])
    )
    monkeypatch.setattr(aws, "client", lambda service: s3)
    return found


@pytest.fixture
def reported(bucket: Bucket) -> Bucket:
    """Two weeks and a day with reports; the sample is that of the later week."""
    earlier = sample_report(period="2026-W09")
    figures: Any = {
        **earlier["figures"],
        "volume": {"n": 50},
        "first_response": {**earlier["figures"]["first_response"], "median": 540},
        "sla": {**earlier["figures"]["sla"], "share": 0.85},
        "csat": {**earlier["figures"]["csat"], "share": None},
    }
    bucket.put({**earlier, "figures": figures})
    bucket.put(sample_report(kind="daily", period="2026-03-07"))
    bucket.put(sample_report())
    return bucket


def figure(answer: HttpResponse, name: str) -> str:
    """Return the words of a figure in the summary."""
    found = re.search(rf'<li data-figure="{name}">(.*?)</li>', answer.body, re.DOTALL)
    assert found
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[1])).split())


def charts(answer: HttpResponse) -> list[list[str]]:
    """Return the numbers of each chart of bars, in words."""
    drawn = re.findall(r'<svg class="chart".*?</svg>', answer.body, re.DOTALL)
    return [
        [unescape(text) for text in re.findall(r'<text class="value"[^>]*>(.*?)</text>', each)]
        for each in drawn
    ]


def test_it_opens_on_the_newest_report(reported: Bucket, signed_in: SignedIn) -> None:
    answer = Browser(signed_in("qa-1")).get("reports")
    assert "周报 2026年第10周（3月2日至3月8日）" in texts(answer)
    assert "2026-W09" in texts(answer), "the period before"
    assert "2026-W11" not in answer.body, "there is no report after it"
    assert answer.status == 200
    english = texts(Browser(signed_in("qa-1"), "en").get("reports"))
    assert "Weekly report Week 10 of 2026 (2 Mar to 8 Mar)" in english


@pytest.mark.parametrize("locale", LOCALES)
def test_the_numbers_are_those_of_the_stored_report(
    locale: Any, reported: Bucket, signed_in: SignedIn
) -> None:
    answer = Browser(signed_in("supervisor-1"), locale).get("reports")
    found: Any = sample_report()["figures"]
    for name in FIGURES:
        said = figure(answer, name)
        numbers = dict(measures(found[name]))
        shown = ("n", "median", "share", "closing", "total", "confirmed", "met", "answer_rate")
        if name == "first_response_after_handover" or name == "first_time_fix":
            assert ("无数据" if locale == "zh-CN" else "No data") in said
            continue
        for path in numbers.keys() & set(shown):
            assert number_text(name, path, numbers[path], locale) in said, (name, path)
        assert figure_definition(name, locale) in said
        assert f"tickets={name}" in answer.body


@pytest.mark.parametrize(
    ("name", "chinese", "english"),
    [
        ("volume", "比上期少（−10，−20%）", "Less than before (−10, −20%)"),
        ("first_response", "比上期长（+3分钟，+33%）", "Longer than before (+3 min, +33%)"),
        ("sla", "比上期高（+5.0 个百分点）", "Higher than before (+5.0 points)"),
        ("csat", "上期无数据", "No data before"),
        ("reopened", "与上期相同", "As before"),
    ],
)
def test_a_change_is_said_in_words_and_with_its_sign(
    name: str, chinese: str, english: str, reported: Bucket, signed_in: SignedIn
) -> None:
    assert chinese in figure(Browser(signed_in("qa-1")).get("reports"), name)
    assert english in figure(Browser(signed_in("qa-1"), "en").get("reports"), name)


def test_the_first_report_is_compared_with_nothing(bucket: Bucket, signed_in: SignedIn) -> None:
    bucket.put(sample_report())
    bucket.stored.put_written("testdesk", {"first_day": "2026-03-02", "weekly": "2026-W10"})
    answer = Browser(signed_in("qa-1")).get("reports")
    assert "上期" not in figure(answer, "volume")
    assert 'rel="prev"' not in answer.body


def test_charts_have_the_numbers_of_the_tables_beside_them(
    reported: Bucket, signed_in: SignedIn
) -> None:
    answer = Browser(signed_in("supervisor-1")).get("reports")
    drawn = charts(answer)
    assert drawn[:3] == [["30", "10"], ["4"], ["20"]], "volumes by type, product, agent"
    assert ["4", "5", "3", "1"] in drawn, "the backlog by age"
    titled = re.findall(r'aria-labelledby="(\S+) (\S+)"', answer.body)
    assert len(titled) == len(drawn)
    for title, desc in titled:
        assert re.search(rf'<title id="{title}">[^<]+</title><desc id="{desc}">[^<]', answer.body)
    bodies = re.findall(r"<tbody>(.*?)</tbody>", answer.body, re.DOTALL)
    for each, body in zip(drawn, bodies, strict=True):
        cells = [re.findall(r"<td>(.*?)</td>", line) for line in body.split("</tr>")]
        assert all(text in row for text, row in zip(each, cells, strict=False)), each
    said = texts(answer)
    assert "忙碌率" in said
    assert "50.0%" in said
    assert "2小时" in said
    assert "首次响应 90.0% 36 4 3" in said, "deadlines by their kind"


def test_what_stands_out_leads_to_its_tickets(reported: Bucket, signed_in: SignedIn) -> None:
    answer = Browser(signed_in("qa-1")).get("reports")
    said = texts(answer)
    assert "登录占比30%，需优化登录流程" in said
    assert "型号 KFR-35 · 报障：12件，预期3件" in said
    assert "2026-W09的受理量：41 → 40" in said
    assert "怎么重置密码？" in said
    for number in ("CS1", "CS2", "CS9"):
        assert f'href="/workbench/testdesk/tickets/{number}"' in answer.body


def test_finance_reads_figures_and_no_customers_words(
    reported: Bucket, signed_in: SignedIn
) -> None:
    finance = Browser(signed_in("finance-1"))
    answer = finance.get("reports")
    assert "944.33 CNY" in figure(answer, "cost")
    assert "怎么重置密码？" not in answer.body
    behind = finance.get("reports?kind=weekly&period=2026-W10&tickets=first_response")
    assert "CS1" in texts(behind)
    for secret in ("agent-1", "报障", "12分钟", "CS2 不计：已并入"):
        assert secret not in texts(behind)
    for page in (answer, behind):
        assert "/tickets/" not in page.body
        assert 'role="search"' not in page.body, "there is nothing that it may search"
    file = finance.get("reports?kind=weekly&period=2026-W10&tickets=first_response&format=csv")
    assert "agent-1" not in file.body


@pytest.mark.parametrize("who", ["agent-1", "agent-3"])
def test_agents_open_no_reports(who: str, reported: Bucket, signed_in: SignedIn) -> None:
    with pytest.raises(Forbidden):
        Browser(signed_in(who)).get("reports")


def test_a_figure_opens_its_tickets_and_says_what_does_not_count(
    reported: Bucket, signed_in: SignedIn
) -> None:
    supervisor = Browser(signed_in("supervisor-1"))
    answer = supervisor.get("reports?kind=weekly&period=2026-W10&tickets=first_response")
    said = texts(answer)
    assert "首次响应时间：背后的工单" in said
    assert "CS1 计入 12分钟 9分钟 agent-1 Faulty · 邮件" in said.replace("报障", "Faulty")
    assert "CS2 不计：已并入 CS1" in said
    assert "CS3 不计 " in said
    assert "&lt;b&gt;x" in answer.body
    assert answer.body.count('href="/workbench/testdesk/tickets/CS1"') == 2
    csv = supervisor.get("reports?kind=weekly&period=2026-W10&tickets=first_response&format=csv")
    assert csv.content_type == "text/csv"
    assert "CS2" in csv.body


def test_many_tickets_are_paged(bucket: Bucket, signed_in: SignedIn) -> None:
    bucket.put(sample_report(), [Behind(f"CS{n}", 1) for n in range(PAGE + 2)])
    browser = Browser(signed_in("qa-1"))
    address = "reports?kind=weekly&period=2026-W10&tickets=first_response"
    first = browser.get(address)
    assert f'href="/workbench/testdesk/tickets/CS{PAGE - 1}"' in first.body
    assert f"CS{PAGE}<" not in first.body
    assert f"cursor={PAGE}" in first.body
    second = browser.get(f"{address}&cursor={PAGE}")
    assert f"CS{PAGE + 1}<" in second.body
    assert "&amp;cursor=" not in second.body
    assert "回到开头" in texts(second)


@pytest.mark.parametrize(
    ("name", "behind", "said"),
    [
        ("sla", Behind("CS1", 1, hit=0, item="first_response~breached~17"), "首次响应 · 超时"),
        ("sla", Behind("CS1", 1, item="review~cancelled~17", reason="cancelled"), "时限已取消"),
        ("collaboration", Behind("CS1", 1, 90, hit=1, item="technical~90~90~1"), "1分钟30秒"),
        ("csat", Behind("CS1", 1, 4, hit=1), "CS1 计入 4 是"),
        ("csat", Behind("CS1", 1, reason="unanswered"), "客户未评价"),
        ("cost", Behind("CS1", 1, 12.5), "12.5"),
        ("parts", Behind("CS1", 1, item="滤芯"), "滤芯"),
    ],
)
def test_rows_behind_a_figure_are_in_words(
    name: str, behind: Behind, said: str, bucket: Bucket, signed_in: SignedIn
) -> None:
    bucket.put(sample_report(), **{name: listed([behind])})
    answer = Browser(signed_in("qa-1")).get(f"reports?kind=weekly&period=2026-W10&tickets={name}")
    assert said in texts(answer)


def test_chats_behind_the_assistant_have_no_page(bucket: Bucket, signed_in: SignedIn) -> None:
    bucket.put(sample_report(), assistant=listed([Behind("c9", 1, item="silent")]))
    answer = Browser(signed_in("qa-1")).get("reports?kind=weekly&period=2026-W10&tickets=assistant")
    assert "c9 计入 未再回应" in texts(answer)
    assert "/tickets/" not in answer.body


def test_a_desk_without_reports_says_when_the_first_is_there(
    bucket: Bucket, signed_in: SignedIn
) -> None:
    answer = Browser(signed_in("supervisor-1")).get("reports")
    assert answer.status == 200
    assert "还没有报表 第一份日报在 明天 00:00 之后半小时内生成。" in texts(answer)
    assert '<input type="date"' not in answer.body
    english = Browser(signed_in("supervisor-1"), "en").get("reports")
    assert "the first one is here within half an hour after tomorrow 00:00" in texts(english)


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("kind=monthly", 200, "本周期于 2026-04-01 00:00 结束"),
        ("kind=weekly&period=2026-W11", 404, "本周期于 2026-03-16 00:00 结束"),
        ("kind=weekly&date=2024-01-01", 404, "没有这个周期的报表"),
        ("kind=weekly&period=2026-W60", 400, "应为周期，例如 2026-W48"),
        ("kind=yearly&period=2026", 400, "应为以下之一"),
        ("kind=weekly&date=9999-12-30", 400, "应为周期，例如 2026-11-28"),
        ("date=0001-01-01", 400, "应为周期，例如 2026-11-28"),
        ("date=yesterday", 400, "应为周期，例如 2026-11-28"),
        ("kind=weekly&period=2026-W10&format=pdf", 400, "csv"),
        ("kind=weekly&period=2026-W10&tickets=odd", 400, "应为以下之一"),
        ("kind=weekly&period=2026-W10&tickets=volume&cursor=x", 400, "页码无效"),
    ],
)
def test_what_there_is_not_is_said(
    query: str, status: int, said: str, reported: Bucket, signed_in: SignedIn
) -> None:
    answer = Browser(signed_in("qa-1")).get(f"reports?{query}")
    assert answer.status == status
    assert said in texts(answer)
    assert '<input type="date"' in answer.body, "another one can be picked"


def test_a_day_leads_to_the_report_that_it_is_in(reported: Bucket, signed_in: SignedIn) -> None:
    browser = Browser(signed_in("qa-1"))
    assert "2026年第9周" in texts(browser.get("reports?kind=weekly&date=2026-02-25"))
    daily = browser.get("reports?kind=daily")
    assert "日报 2026年3月7日（周六）" in texts(daily)
    assert "kind=weekly&amp;period=2026-W10" in daily.body
    assert 'value="2026-03-07"' in daily.body


@pytest.mark.parametrize(("name", "media"), [("csv", "text/csv"), ("xlsx", XLSX)])
def test_files_are_links(name: str, media: str, reported: Bucket, signed_in: SignedIn) -> None:
    browser = Browser(signed_in("finance-1"))
    link = re.search(
        rf'href="/workbench/testdesk/([^"]*format={name})"( download)?', browser.get("reports").body
    )
    assert link
    # By `download` a browser asks for `*/*`, for which API Gateway decodes no bytes.
    assert not (link[2] and media == XLSX)
    answer = browser.get(unescape(link[1]))
    assert answer.content_type == media
    assert f'filename="testdesk-2026-W10.{name}"' in answer.headers["Content-Disposition"]
    assert "怎么重置密码" not in str(answer.body)


def test_lines_over_time_have_the_numbers_of_their_table(
    reported: Bucket, signed_in: SignedIn
) -> None:
    browser = Browser(signed_in("qa-1"))
    part = browser.get("reports?kind=weekly&period=2026-W10&part=trend", script=True)
    assert "<html" not in part.body
    assert "2026-W09 50 9分钟 85.0% 无数据 2026-W10 40 12分钟 90.0% 85.0%" in texts(part)
    points = re.findall(r"<circle[^>]*><title>(.*?)</title>", part.body)
    assert points == [
        "2026-W09: 50", "2026-W10: 40", "2026-W09: 9分钟", "2026-W10: 12分钟",
        "2026-W09: 85.0%", "2026-W10: 90.0%", "2026-W10: 85.0%",
    ]  # fmt: skip
    whole = browser.get("reports?kind=weekly&period=2026-W10&trend=1")
    assert part.body.strip() in whole.body
    assert "至少有两份报表" in texts(browser.get("reports?kind=daily&part=trend"))


def test_no_more_reports_are_read_than_are_drawn(
    bucket: Bucket, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "TREND", 2)
    for week in (8, 9, 10):
        bucket.put(sample_report(period=f"2026-W{week:02}"))
    part = Browser(signed_in("qa-1")).get("reports?kind=weekly&period=2026-W10&part=trend")
    assert ("2026-W09" in part.body, "2026-W08" in part.body) == (True, False)


def test_of_reports_that_end_together_the_longer_one_opens(
    bucket: Bucket, signed_in: SignedIn
) -> None:
    bucket.put(sample_report(kind="daily", period="2026-03-08"))
    bucket.put(sample_report())
    assert "周报 2026年第10周" in texts(Browser(signed_in("qa-1")).get("reports"))


def test_no_period_before_the_desk_began_is_led_to(bucket: Bucket, signed_in: SignedIn) -> None:
    bucket.put(sample_report())
    browser = Browser(signed_in("qa-1"))
    for first_day, before in (("2026-03-01", True), ("2026-03-02", False)):
        written = {"first_day": first_day, "weekly": "2026-W10"}
        bucket.stored.put_written("testdesk", written)
        assert ('rel="prev"' in browser.get("reports").body) == before


def test_a_report_that_does_not_add_up_says_so(bucket: Bucket, signed_in: SignedIn) -> None:
    bucket.put(sample_report(adds_up=False, problems=["受理量 3 + 已合并 1 ≠ 收到 5"]))
    assert "受理量 3 + 已合并 1 ≠ 收到 5" in texts(Browser(signed_in("qa-1")).get("reports"))


def test_words_of_a_product_are_escaped_and_long_tables_cut(
    bucket: Bucket, signed_in: SignedIn
) -> None:
    rows = [row(f"p{n}", f"<i>{n}", 100 - n) for n in range(30)]
    report = sample_report(tables=[{"dimension": "product", "rows": rows}])
    bucket.put(report)
    answer = Browser(signed_in("qa-1")).get("reports")
    assert "<i>" not in answer.body
    assert "另有 10 行" in texts(answer)
    assert charts(answer)[0] == [str(100 - n) for n in range(10)]


def test_a_report_is_read_with_few_calls_and_is_small(
    reported: Bucket, signed_in: SignedIn
) -> None:
    import gzip

    rows = [row(f"v{n}", f"名称 {n}", 10 * n) for n in range(25)]
    dimensions = ("type", "tag", "team", "agent", "channel", "priority", "product")
    kinds = {f"kind-{n}": SLA for n in range(8)}
    big: Any = sample_report(tables=[{"dimension": name, "rows": rows} for name in dimensions])
    big["figures"]["sla"]["by_kind"] = kinds
    reported.put(big)
    answer = Browser(signed_in("supervisor-1")).get("reports")
    assert len(gzip.compress(answer.body.encode())) <= 25 * 1024
    assert reported.read == [
        f"reports/testdesk/{name}.json.gz"
        for name in ("written", "weekly/2026-W10", "weekly/2026-W10/questions", "weekly/2026-W09")
    ]
    assert len(gzip.compress(assets.content("figures.css").encode())) <= 2 * 1024


def test_the_page_says_what_the_call_says(reported: Bucket, signed_in: SignedIn) -> None:
    """One way to the report: what the page has is what the API answers."""
    from functions.workbench.reports import show_report

    agent = signed_in("finance-1")
    body = show_report(agent.request("GET"), agent.storage, "testdesk", "weekly", "2026-W10").body
    assert json.loads(json.dumps(body))["questions"] == []
    shown = figure(Browser(agent).get("reports"), "cost")
    for path in ("total", "usd_units", "agent", "parts", "compensation"):
        assert body["figures"]["cost"][path] in shown
