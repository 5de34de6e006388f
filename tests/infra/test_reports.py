"""`deskbell reports show` and `compare`: what an operator reads."""

import json
from collections.abc import Iterator
from typing import Any, cast

import boto3
import pytest
from typer.testing import CliRunner

from functions.core.reports.behind import Behind
from functions.core.reports.periods import Period
from functions.core.storage.reports import PAGE, StoredReports, listed
from infra.console import reports
from infra.console.errors import UsageError
from infra.console.main import app
from infra.deploy.stacks import deployment_of
from tests.aws_snapshots import aws_in_memory

FIGURES = {"volume": {"n": 101}, "csat": {"n": 3, "share": 2 / 3, "mean": None}}


@pytest.fixture
def stored() -> Iterator[None]:
    with aws_in_memory():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=(bucket := deployment_of("test").mail_bucket))
        report: Any = {
            "desk": "standard", "questions": [], "figures": FIGURES,
            "problems": ["Volume 1 + merged 0 ≠ received 2"],
            "suggestions": [{"text": "支付异常占比30%，需优化接口稳定性"}],
        }  # fmt: skip
        rows = (Behind(f"A{n:03}", 1, groups=("type=fault",)) for n in range(PAGE + 1))
        StoredReports(s3, bucket).put(
            Period.parse("daily", "2026-11-27"), cast("Any", report), {"volume": listed(rows)}
        )
        yield


def show(*arguments: str) -> str:
    words = ["reports", "show", "standard", "daily", "2026-11-27", "--stage", "test", *arguments]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_report_is_shown_with_what_it_says(stored: None) -> None:
    assert show().splitlines() == [
        "volume\tn\t101", "csat\tn\t3", "csat\tshare\t0.6667", "csat\tmean\t",
        "Volume 1 + merged 0 ≠ received 2", "支付异常占比30%，需优化接口稳定性",
    ]  # fmt: skip
    assert json.loads(show("--json"))["figures"] == FIGURES


def test_all_rows_behind_a_figure_are_shown(stored: None) -> None:
    rows = [json.loads(line) for line in show("--tickets", "volume", "--json").splitlines()]
    assert [row["number"] for row in rows] == [f"A{n:03}" for n in range(PAGE + 1)]
    assert show("--tickets", "volume").splitlines()[0].split("\t")[:2] == ["A000", "1"]


def test_a_comparison_is_written_in_lines() -> None:
    figure: Any = {"label": "First response", "n_before": 10, "n_after": 12}
    found: Any = {
        "figures": [
            {**figure, "before": 1000.4, "after": 700, "change": -0.3},
            {**figure, "before": None, "after": 0.25, "change": None},
        ]
    }
    assert reports.changes(found) == [
        ("First response", "1000", "700", "-30.0%", "10", "12"),
        ("First response", "", "0.25", "", "10", "12"),
    ]


def test_a_date_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="not '2026-13-01'"):
        reports.day_of("2026-13-01")
