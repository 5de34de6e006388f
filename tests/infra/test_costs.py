"""`deskbell costs` against a deployment in memory, with DuckDB in Athena's place."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zipfile import is_zipfile

import boto3
import pytest
from typer.testing import CliRunner, Result

from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from functions.core.reports.bills import OURS, TAG
from functions.core.reports.columns import Fact
from infra.console.errors import UsageError
from infra.console.main import app
from infra.deploy.steps import ROOT
from tests.core.sample_desk import DESK, NOON
from tests.portal.deployment import DEPLOYMENT, deployed
from tests.reports.duck import Duck

pytestmark = pytest.mark.requirement("F8")
DAYS = ("--from", "2026-03-01", "--to", "2026-03-31")


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    reports = {"currency": "CNY", "usd_rate": 7, "agent_rate": 60, "part_prices": {"滤芯": 30}}
    return load({**DESK, "reports": reports})


@pytest.fixture(autouse=True)
def _facts(playbook: Playbook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    duck = Duck(tmp_path / "facts", playbook.desk, playbook.zone)
    used = ("ses.sent~10000", "s3.gone~1")
    now = int(NOON.timestamp())
    duck.write([Fact("ticket", "CS1", 1, 1, now, channel="mail", usage=used, parts=("滤芯",))])
    query = "functions.core.platform.athena.Athena.rows"
    monkeypatch.setattr(query, lambda _athena, sql: duck.rows(sql))
    monkeypatch.setenv("AWS_DEFAULT_REGION", DEPLOYMENT.region)
    with deployed(playbook, {}):
        name = DEPLOYMENT.parameter(f"desks/{playbook.desk}/webhook")  # every desk has one
        boto3.client("ssm").put_parameter(Name=name, Value="secret", Type="SecureString")
        yield


def costs(*options: str) -> Result:
    return CliRunner().invoke(app, ["costs", *DAYS, "--stage", "test", *options])


def printed(*options: str) -> list[list[str]]:
    result = costs(*options)
    assert result.exit_code == 0, result.output
    return [line.split("\t") for line in result.output.splitlines()]


def explored(folder: Path, amount: str, unit: str = "USD") -> str:
    cost = {"UnblendedCost": {"Amount": amount, "Unit": unit}}
    period = {"Start": "2026-03-01", "End": "2026-04-01"}
    file = folder / "bill.json"
    file.write_text(json.dumps({"ResultsByTime": [{"TimePeriod": period, "Total": cost}]}))
    return str(file)


def test_costs_and_the_remainder_of_a_bill_are_printed(tmp_path: Path) -> None:
    """Every desk of the stage, unless some are named; what has no price is said."""
    line, unpriced = printed()
    assert line == ["testdesk", "1", "0", "0", "30", "0", "37", "CNY"]
    assert unpriced == ["desk testdesk: no price, so not counted: s3.gone"]
    lines = printed("--by", "channel", "--desk", "testdesk", "--bill", explored(tmp_path, "3.5"))
    assert [each[:3] for each in lines[:3]] == [
        ["testdesk", "mail", "1"],
        ["testdesk", "Sum", "1"],
        ["Remainder of the bill (unallocated)", "", "2.5"],
    ]


def test_json_has_what_the_api_has_and_the_remainder(tmp_path: Path) -> None:
    ((text,),) = printed("--by", "ticket", "--json", "--bill", explored(tmp_path, "1.25"))
    (desk,) = json.loads(text)["desks"]
    assert (desk["from"], desk["to"], desk["by"]) == ("2026-03-01", "2026-03-31", "ticket")
    assert [(line["key"], line["total"]) for line in desk["lines"]] == [("CS1", 37)]
    assert json.loads(text)["remainder"] == 0.25


def test_files_are_written_and_a_packed_report_is_read(tmp_path: Path) -> None:
    bill = tmp_path / "report.csv.gz"
    head = "line_item_usage_start_date,line_item_unblended_cost,resource_tags_user_application\n"
    bill.write_bytes(gzip.compress(f"{head}2026-03-31T05:00:00Z,4,deskbell\n".encode()))
    csv, xlsx = tmp_path / "costs.csv", tmp_path / "costs.xlsx"
    printed("--csv", str(csv), "--xlsx", str(xlsx), "--by", "day", "--bill", str(bill))
    assert "2026-03-10,1,0,0,30,0,37,CNY,1,10000,1" in csv.read_text("utf-8")
    assert csv.read_text("utf-8").splitlines()[-1].endswith("(unallocated),,3")
    assert is_zipfile(xlsx)


def test_another_region_is_priced_as_us_east_1_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = replace(DEPLOYMENT, region="eu-central-1")
    monkeypatch.setattr("infra.deploy.stacks.deployment_of", lambda _stage: elsewhere)
    assert printed()[-1] == ["no prices of eu-central-1: those of us-east-1 were taken"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--by", "team"), "--by: one of desk, channel, ticket, day"),
        (("--from", "March"), "--from: use a date"),
        (("--to", "2026-02-01"), "--from is later than --to"),
        (("--bill", "missing.json"), "missing.json: .*No such file"),
    ],
)
def test_a_wrong_option_is_named(options: tuple[str, ...], message: str) -> None:
    error = costs(*options).exception
    assert isinstance(error, UsageError)
    with pytest.raises(UsageError, match=message):
        raise error


def test_a_bill_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    error = costs("--bill", explored(tmp_path, "7", "CNY")).exception
    assert isinstance(error, UsageError)
    assert str(error).endswith("bill.json: ResultsByTime[0]: the amount is in CNY, not in USD")


def test_functions_have_the_tag_by_which_a_bill_is_filtered() -> None:
    """As the stacks' resources have; Chalice deploys the functions."""
    config = json.loads((ROOT / ".chalice" / "config.json").read_text("utf-8"))
    assert config["tags"] == {TAG: OURS}
