"""Bills of AWS: Cost Explorer's answers and both forms of the Cost and Usage Report."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from functions.core.reports.bills import BillError, read_bill

pytestmark = pytest.mark.requirement("F8")
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 2)


def result(day: int, *amounts: str, unit: str = "USD", days: int = 1) -> dict[str, Any]:
    """A period as `aws ce get-cost-and-usage` prints it, grouped if there are several amounts."""
    costs = [{"UnblendedCost": {"Amount": amount, "Unit": unit}} for amount in amounts]
    groups = [{"Keys": [f"Service {n}"], "Metrics": cost} for n, cost in enumerate(costs)]
    return {
        "TimePeriod": {"Start": f"2026-11-{day:02}", "End": f"2026-11-{day + days:02}"},
        "Total": costs[0] if len(costs) == 1 else {},
        "Groups": groups if len(costs) > 1 else [],
        "Estimated": False,
    }


def explored(*results: Any, **more: Any) -> list[str]:
    document = {"ResultsByTime": results, "DimensionValueAttributes": [], **more}
    return json.dumps(document, indent=4).splitlines(keepends=True)


def test_cost_explorer_is_added_up_for_the_days_of_the_report() -> None:
    days = (result(1, "1.25"), result(2, "0.1", "0.2", "0.0000001"), result(3, "9"))
    assert read_bill(explored(*days), FIRST, LAST) == Decimal("1.5500001")
    month = result(1, "30.5", days=29)
    assert read_bill(explored(month), FIRST, date(2026, 11, 29)) == Decimal("30.5")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['{"ResultsByTime": [\n', "oops"], "line 2: Expecting value"),
        (["{}"], "not from `aws ce"),
        (explored(result(1, "1")), "nothing for 2026-11-02"),
        (explored(result(1, "1", days=3)), r"ResultsByTime\[0\]: 2026-11-01 to 2026-11-04 reaches"),
        (explored(result(1, "1"), result(2, "7", unit="CNY")), r"\[1\]: .* CNY, not in USD"),
        (explored(result(1, "1"), result(2, "x")), r"\[1\]: 'x' is not an amount"),
        (explored({"TimePeriod": {"Start": "2026-11-01"}}), r"\[0\]: no 'End'"),
        (explored(result(1, "1"), NextPageToken="more"), "other pages"),
    ],
)
def test_an_answer_that_cannot_be_used_is_named(lines: list[str], message: str) -> None:
    with pytest.raises(BillError, match=message):
        read_bill(lines, FIRST, LAST)


NEW = (
    "line_item_usage_start_date,line_item_unblended_cost,line_item_currency_code,resource_tags\n",
    '2026-11-01T00:00:00Z,0.25,USD,"{""user_application"": ""deskbell""}"\n',
    '2026-11-02T23:00:00Z,0.5,USD,"{""user_application"": ""deskbell"", ""user_x"": ""y""}"\n',
    '2026-11-02T23:00:00Z,4,USD,"{""user_application"": ""shop""}"\n',
    "2026-11-02T23:00:00Z,8,USD,\n",
    '2026-11-03T00:00:00Z,16,USD,"{""user_application"": ""deskbell""}"\n',
)
LEGACY = (
    "\ufeffidentity/LineItemId,lineItem/UsageStartDate,lineItem/UnblendedCost,product/servicecode,"
    "resourceTags/user:application\n",
    "1,2026-11-01T00:00:00Z,0.25,AmazonS3,deskbell\n",
    "2,2026-11-02T05:00:00Z,0.5,AmazonDynamoDB,deskbell\n",
    "3,2026-11-02T05:00:00Z,4,AmazonEC2,\n",
    "4,2026-10-31T05:00:00Z,8,AmazonS3,deskbell\n",
)


@pytest.mark.parametrize("lines", [NEW, LEGACY], ids=["CUR 2.0", "legacy"])
def test_a_report_counts_our_lines_of_these_days(lines: tuple[str, ...]) -> None:
    assert read_bill(lines, FIRST, LAST) == Decimal("0.75")


def test_a_report_without_tags_counts_whole() -> None:
    """An account that has nothing else needs none."""
    lines = [f"{line.rstrip().rpartition(',')[0]}\n" for line in LEGACY]
    assert read_bill(lines, FIRST, LAST) == Decimal("4.75")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "line 1: no column line_item_usage_start_date"),
        (["line_item_usage_start_date\n"], "line 1: no column line_item_unblended_cost"),
        ([*LEGACY, "5,2026-11-01,much,AmazonS3,deskbell\n"], "line 6: 'much' is not an amount"),
        ([*LEGACY, "5,yesterday,1,AmazonS3,deskbell\n"], "line 6: Invalid isoformat"),
        ([*LEGACY, "5,2026-11-01\n"], "line 6: fewer columns"),
        ([*NEW, '2026-11-01,1,CNY,"{""application"": ""deskbell""}"\n'], "line 7: .* CNY"),
        ([*NEW, "2026-11-01,1,USD,{\n"], "line 7: "),
    ],
)
def test_a_line_that_cannot_be_read_is_named(lines: list[str], message: str) -> None:
    with pytest.raises(BillError, match=message):
        read_bill(lines, FIRST, LAST)
