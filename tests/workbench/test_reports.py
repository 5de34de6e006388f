"""The calls of reports: as JSON and as files, and the tickets behind a figure (B11, D15)."""

import zipfile
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest

from functions.core.domain.errors import Forbidden, InvalidInput, NotFound
from functions.core.domain.rules import Playbook
from functions.core.platform import aws, clock
from functions.core.platform.web import HttpResponse
from functions.core.reports.behind import Behind
from functions.core.reports.periods import Period
from functions.core.storage.reports import StoredReports, listed
from functions.workbench.report_routes import XLSX
from functions.workbench.reports import show_report
from infra.simulator.simulator import Simulator
from tests.core.reports.sample_report import sample_report
from tests.core.sample_desk import NOON
from tests.portal.deployment import deployed
from tests.workbench.conftest import DEPLOYMENT, ROSTER, SignedIn

pytestmark = pytest.mark.requirement("B11", "D15")
WEEK = Period.parse("weekly", "2026-W10")
ROWS = [
    Behind("CS1", 3, 720, 540, agent="agent-1", groups=("type=fault",)),
    Behind("CS2", 4, 60, 60, agent="=cmd()", reason="merged CS1"),
]


def store(s3: Any) -> None:
    s3.create_bucket(Bucket=DEPLOYMENT.mail_bucket)
    stored = StoredReports(s3, DEPLOYMENT.mail_bucket)
    stored.put(WEEK, sample_report(), {"first_response": listed(ROWS)})


@pytest.fixture(autouse=True)
def _stored(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    if "simulator" not in request.fixturenames:
        request.getfixturevalue("dynamodb")
        s3 = boto3.client("s3", region_name="us-east-1")
        store(s3)
        monkeypatch.setattr(aws, "client", lambda service: s3)


@pytest.fixture
def show(signed_in: SignedIn) -> Any:
    def call(
        who: str = "supervisor-1", kind: str = "weekly", period: str = "2026-W10", **query: str
    ) -> HttpResponse:
        agent = signed_in(who)
        asked = agent.request("GET", **query)
        return show_report(asked, agent.storage, "testdesk", kind, period)

    return call


def test_a_report_is_shown_as_it_was_stored(show: Any) -> None:
    assert show().body == sample_report()


@pytest.mark.parametrize("who", ["supervisor-1", "qa-1", "finance-1"])
def test_a_report_is_for_leaders_and_finance(who: str, show: Any) -> None:
    assert show(who).body["figures"]["cost"]["total"] == "944.33"


def test_agents_see_no_reports(show: Any) -> None:
    with pytest.raises(Forbidden):
        show("agent-1")


@pytest.mark.parametrize(
    ("kind", "period"),
    [("yearly", "2026"), ("daily", "2026-3-9"), ("weekly", "2026-W60"), ("monthly", "2026-13")],
)
def test_a_malformed_period_is_invalid(show: Any, kind: str, period: str) -> None:
    with pytest.raises(InvalidInput):
        show(kind=kind, period=period)


def test_a_period_that_has_not_ended_says_when_it_does(show: Any) -> None:
    with pytest.raises(NotFound, match="ends at 2026-03-16 00:00;"):
        show(period="2026-W11")


def test_a_period_without_a_report_says_how_far_they_go_back(show: Any) -> None:
    with pytest.raises(NotFound, match="45 days"):
        show(period="2025-W10")


def test_a_figure_opens_its_tickets_and_those_left_out(show: Any) -> None:
    page = show(tickets="first_response").body
    assert [(row["number"], row["counted"], row["reason"]) for row in page["tickets"]] == [
        ("CS1", True, ""), ("CS2", False, "merged CS1"),
    ]  # fmt: skip
    assert page["tickets"][0]["agent"] == "agent-1"
    assert page["cursor"] is None


def test_finance_sees_the_numbers_of_tickets_only(show: Any) -> None:
    first, _ = show("finance-1", tickets="first_response").body["tickets"]
    assert (first["number"], first["counted"]) == ("CS1", True)
    assert (first["agent"], first["groups"], first["value"]) == ("", [], None)


@pytest.mark.requirement("F8")
def test_finance_does_not_see_what_customers_asked(show: Any) -> None:
    assert show("qa-1").body["questions"]
    assert show("finance-1").body == {**sample_report(), "questions": []}


def test_an_unknown_figure_is_invalid(show: Any) -> None:
    with pytest.raises(InvalidInput):
        show(tickets="odd")


@pytest.fixture
def simulator(playbook: Playbook, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A deployment at noon, with a report."""
    import boto3

    with deployed(playbook, ROSTER) as running:
        monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(minutes=1))
        store(boto3.client("s3"))
        yield running


def test_files_through_api_gateway(simulator: Simulator) -> None:
    """The workbook is bytes: API Gateway gets it as Base64 with the flag that it decodes by."""
    path = "/agent/desks/testdesk/reports/weekly/2026-W10"
    claims = {"cognito:username": "finance-1", "cognito:groups": "testdesk:finance"}

    def get(accept: str, query: str = "") -> Any:
        return simulator.http("GET", path + query, headers={"Accept": accept}, claims=claims)

    assert get("application/json").json["period"] == "2026-W10"
    text = get("text/csv, */*;q=0.1")
    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    assert text.text.startswith("\ufeff")
    assert 'filename="testdesk-2026-W10.csv"' in text.headers["content-disposition"]
    book = get(XLSX)
    assert book.headers["content-type"] == XLSX
    assert "xl/workbook.xml" in zipfile.ZipFile(BytesIO(b64decode(book.text))).namelist()
    rows = get("text/csv", "?tickets=first_response").text.splitlines()
    assert [line.split(",")[0] for line in rows[1:]] == ["CS1", "CS2"]
    assert "cmd" not in "".join(rows)
