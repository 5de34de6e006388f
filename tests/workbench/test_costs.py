"""Costs of a desk for finance, as JSON and files, without anything about tickets but numbers."""

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from functions.core.domain.errors import Forbidden, InvalidInput
from functions.core.domain.rules import Playbook
from functions.core.platform.web import HttpResponse
from functions.core.reports.columns import Fact
from functions.core.storage.database import Storage
from functions.workbench import costs
from functions.workbench.report_routes import XLSX
from tests.core.sample_desk import NOON
from tests.reports.duck import Duck
from tests.workbench.conftest import SignedIn

pytestmark = pytest.mark.requirement("F8")

LATER = NOON + timedelta(minutes=4)
PRICED = {"agent_rate": 30, "currency": "CNY", "usd_rate": 7, "part_prices": {"滤芯": 30}}


@pytest.fixture
def duck(storage: Storage, playbook: Playbook, tmp_path: Path) -> Duck:
    reports = playbook.reports.model_validate(PRICED)
    storage.playbooks.put(playbook.model_copy(update={"reports": reports}), NOON)
    duck = Duck(tmp_path, playbook.desk, playbook.zone)
    filed = Fact(
        kind="ticket", number="CS1", version=1, written=1, happened=int(NOON.timestamp()),
        actor="customer", channel="mail", usage=("ses.sent~1", "s3.put~2.5"),
    )  # fmt: skip
    answered = replace(
        filed, version=2, happened=int(LATER.timestamp()), actor="agent-1", handling=1,
        previous=filed.happened, usage=("ses.sent~1", "s3.gone~1"), parts=("滤芯",),
    )  # fmt: skip
    duck.write([filed, answered, replace(filed, number="CS2", usage=())])
    return duck


def ask(
    signed_in: SignedIn, duck: Duck, who: str = "finance-1", accept: str = "", **query: str
) -> HttpResponse:
    agent = signed_in(who)
    request = replace(agent.request("GET", **query), headers={"accept": accept})
    return costs.show_costs(request, agent.storage, "testdesk", duck.rows)


def test_finance_reads_units_list_price_agents_time_and_parts(
    signed_in: SignedIn, duck: Duck
) -> None:
    """This month up to today, for the whole desk; a unit without a price is named."""
    body = ask(signed_in, duck).body
    assert (body["from"], body["to"], body["by"]) == ("2026-03-01", "2026-03-10", "desk")
    (line,) = body["lines"]
    assert line == body["sum"] | {"key": "testdesk"}
    assert line["units"] == {"s3.gone": 1, "s3.put": 2.5, "ses.sent": 2}
    assert line["usd"] == pytest.approx(2 * 0.1 / 1000 + 2.5 * 0.005 / 1000, abs=1e-6)
    assert line["agent"] == {"minutes": 4, "amount": 2}
    assert line["parts"] == {"used": {"滤芯": 1}, "amount": 30}
    assert line["total"] == pytest.approx(32 + 7 * line["usd"], abs=1e-5)
    assert (body["currency"], body["remainder"]) == ("CNY", None)
    assert (body["unpriced"], body["prices_of"]) == (["s3.gone"], "us-east-1")


@pytest.mark.parametrize(
    ("by", "keys"),
    [("ticket", ["CS1"]), ("day", ["2026-03-10"]), ("channel", ["mail"]), ("desk", ["testdesk"])],
)
def test_a_line_is_about_what_was_asked(
    signed_in: SignedIn, duck: Duck, by: str, keys: list[str]
) -> None:
    assert [line["key"] for line in ask(signed_in, duck, by=by).body["lines"]] == keys
    yesterday = ask(signed_in, duck, by=by, to="2026-03-09").body
    assert (yesterday["lines"], yesterday["sum"]["total"]) == ([], 0)


@pytest.mark.parametrize("who", ["agent-1", "supervisor-1", "qa-1"])
def test_nobody_else_reads_costs(signed_in: SignedIn, duck: Duck, who: str) -> None:
    with pytest.raises(Forbidden, match="see costs: admin, finance"):
        ask(signed_in, duck, who)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"by": "team"}, "by"),
        ({"from": "20260301"}, "from"),
        ({"to": "2026-03-32"}, "to"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "to"),
        ({"from": "2026-01-01", "to": "2026-04-04"}, "to"),
    ],
)
def test_a_wrong_parameter_is_named(
    signed_in: SignedIn, duck: Duck, query: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(signed_in, duck, **query)
    assert [error.field for error in refused.value.errors] == [field]


def test_a_quarter_can_be_read_and_no_more_lines_than_lambda_answers(
    signed_in: SignedIn, duck: Duck
) -> None:
    assert ask(signed_in, duck, **{"from": "2026-01-01", "to": "2026-04-03"}).body["lines"]
    row = {"priced_on": "2026-03-01", "name": "s3.put", "quantity": "1"}

    def many(sql: str) -> Iterable[Mapping[str, str]]:
        return ({**row, "cost_key": f"CS{n}"} for n in range(costs.MOST_LINES + 1))

    agent = signed_in("finance-1")
    with pytest.raises(InvalidInput, match="are invalid"):
        costs.show_costs(agent.request("GET"), agent.storage, "testdesk", many)


def test_csv_and_workbook_have_a_column_for_each_unit(signed_in: SignedIn, duck: Duck) -> None:
    """In the desk's language; no cell is a formula."""
    answer = ask(signed_in, duck, accept="text/csv", by="channel")
    assert answer.content_type == "text/csv"
    assert answer.headers["Content-Disposition"].endswith('-2026-03-10.csv"')
    head, line, total = csv.reader(StringIO(answer.body.removeprefix("\ufeff")))
    assert head[:4] == ["服务台", "渠道", "AWS 目录价 (USD)", "坐席分钟"]
    assert head[8:] == ["币种", "s3.gone", "s3.put", "ses.sent", "滤芯"]
    assert (line[:2], line[9:]) == (["testdesk", "mail"], ["1", "2.5", "2", "1"])
    assert total[:2] == ["testdesk", "总计"]
    assert total[2:] == line[2:]
    duck.write(
        [Fact("chat", "c", 1, 1, int(NOON.timestamp()), channel="=1+1", usage=("s3.put~1",))]
    )
    text = ask(signed_in, duck, accept="text/csv", by="channel").body
    assert "testdesk,'=1+1," in text
    for by in ("day", "desk"):
        book = ask(signed_in, duck, accept=XLSX, by=by)
        with ZipFile(BytesIO(book.body)) as files:
            sheet = files.read("xl/worksheets/sheet1.xml").decode()
            assert "<f>" not in sheet
            assert ("xl/charts/chart1.xml" in files.namelist()) == (by == "day")
            assert "<v>32." in sheet


def test_the_answer_tells_nothing_of_a_ticket_but_its_number(
    signed_in: SignedIn, duck: Duck
) -> None:
    secret: dict[str, Any] = {"product": "XK-200", "handler": "agent-9", "tags": ("complaint",)}
    happened = int(LATER.timestamp())
    duck.write([Fact("ticket", "CS3", 1, 1, happened, usage=("s3.put~1",), **secret)])
    text = json.dumps(ask(signed_in, duck, by="ticket").body)
    assert '"CS3"' in text
    assert not [word for word in ("XK-200", "agent-9", "complaint", "mail") if word in text]
