"""The bench: its counts, budgets and report."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest

from functions.core.domain.roster import Agent
from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from functions.core.reports.columns import Fact
from functions.core.reports.prices import read_usage
from functions.core.storage.database import Storage
from infra.bench import (
    budgets,
    burst,
    costs,
    import_time,
    pages,
    reporting,
    reports,
    throughput,
    usage,
)
from infra.bench.emulator import agent_of
from infra.bench.sweep import sweeps
from infra.bench.ticket_life import TEAM
from infra.deploy.desks import SHIPPED
from infra.simulator import capacity
from infra.simulator.simulator import FUNCTIONS, Call, Invocation, Simulator
from tests.inprocess.conftest import simulator as simulator  # the deployment on moto

pytestmark = pytest.mark.requirement("G7")


def text(size: int) -> dict[str, str]:
    return {"S": "x" * size}


def item(size: int) -> dict[str, Any]:
    """An item of so many bytes."""
    return {"pk": text(4), "sk": {"S": "TICKET"}, "b": text(size - 15)}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "无"}, 3),
        ({"N": "0"}, 1),
        ({"N": "12345"}, 4),
        ({"N": "-12.50"}, 4),
        ({"B": b"1234"}, 4),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"L": [{"S": "ab"}, {"S": "c"}]}, 8),
        ({"M": {"k": {"S": "ab"}}}, 7),
        ({"SS": ["ab", "c"]}, 3),
    ],
)
def test_item_sizes_follow_dynamodb_s_rules(value: dict[str, Any], size: int) -> None:
    """Names count too (developer guide, "Item sizes and formats")."""
    assert capacity.item_bytes({"n": value}) == 1 + size


@pytest.mark.parametrize(
    ("operation", "asked", "answer", "units"),
    [
        ("GetItem", {"Key": item(20)}, {"Item": item(4096)}, 0.5),
        ("GetItem", {"Key": item(20), "ConsistentRead": True}, {"Item": item(4097)}, 2),
        ("GetItem", {"Key": item(20)}, {}, 0.5),
        ("Query", {}, {"Items": [item(3000), item(3000)]}, 1),
        ("Query", {"IndexName": "due"}, {"Items": []}, 0.5),
        (
            "BatchGetItem",
            {"RequestItems": {"t": {"Keys": [item(20), item(20), item(20)]}}},
            {"Responses": {"t": [item(100), item(5000)]}},
            2,
        ),
    ],
)
def test_reads_are_counted_by_the_published_rules(
    operation: str, asked: dict[str, Any], answer: dict[str, Any], units: float
) -> None:
    """4 KB a unit, half if eventually consistent; a query by page, a batch by item."""
    assert capacity.used(operation, asked, answer).read == units


def test_writes_are_counted_by_table_and_index() -> None:
    reported = {
        "TableName": "t",
        "CapacityUnits": 7.0,
        "GlobalSecondaryIndexes": {"due": {"CapacityUnits": 1.0}, "queue": {"CapacityUnits": 2.0}},
    }
    asked = {"TransactItems": [{"Put": {"Item": item(500)}}, {"Update": {"Key": item(20)}}]}
    used = capacity.used("TransactWriteItems", asked, {"ConsumedCapacity": [reported]})
    assert used.write == 7
    assert used.parts == {"due": 1, "queue": 2, "table": 4}
    assert used.items == "TICKET 500 B, TICKET 20 B"


def test_a_refused_write_is_counted_by_its_size() -> None:
    assert capacity.used("PutItem", {"Item": item(1500)}, {"Error": {}}).write == 2
    asked = {"TransactItems": [{"Put": {"Item": item(1500)}}]}
    assert capacity.used("TransactWriteItems", asked, {"Error": {}}).write == 4
    batch = {"RequestItems": {"t": [{"DeleteRequest": {"Key": item(20)}}]}}
    assert capacity.used("BatchWriteItem", batch, {}).write == 1
    assert capacity.used("DescribeTable", {}, {}) == capacity.Used()


@pytest.fixture
def desk(simulator: Simulator) -> Simulator:
    """The deployment on moto with the bench's agent at work."""
    agent = Agent(
        desk="standard", username=agent_of(TEAM), role="agent", team=TEAM, capacity=5, online=True
    )
    Storage.on(boto3.client("dynamodb"), simulator.deployment.table).roster.put(agent)
    simulator.pump()
    simulator.calls.clear()
    return simulator


@pytest.mark.slow
def test_a_ticket_s_life_is_measured_step_by_step(
    desk: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every budget has a value, a limit, a verdict and the calls behind it."""
    report = budgets.Report()
    budgets.units(report, desk)
    document = json.loads(json.dumps(report.document(datetime(2026, 3, 10, tzinfo=UTC))))
    assert document["at"] == "2026-03-10T00:00:00+00:00"
    assert document["skipped"] == {}
    for row in document["budgets"]:
        assert {"part", "what", "value", "limit", "unit", "note", "met"} == set(row)
        assert row["met"] == (None if row["limit"] is None else row["value"] <= row["limit"])
    assert document["missed"] == [row["what"] for row in document["budgets"] if row["met"] is False]
    listed = document["budgets"]
    creation = {row["what"]: row for row in listed if row["what"].startswith("creating")}
    assert [row["value"] for row in creation.values()] == [3, 3]
    transitions = [row for row in document["budgets"] if row["unit"] == "state transitions"]
    assert [row["met"] for row in transitions] == [True]
    read = [row for row in document["budgets"] if row["unit"] == "read units"]
    assert [row["met"] for row in read] == [True, True, True, None]
    names = [life["name"] for life in document["details"]["lives"]]
    assert names[:3] == ["web form", "web form, Idempotency-Key", "mail"]
    for life in document["details"]["lives"]:
        steps = life["steps"]
        assert life["read_units"] == sum(step["read_units"] for step in steps)
        assert all(call["function"] for step in steps for call in step["calls"])
    budgets.show_calls(report)
    assert "customer answers the survey, archived: " in capsys.readouterr().out
    new = document["details"]["lives"][3]
    assert new["read_units"] > document["details"]["lives"][0]["read_units"]


@pytest.mark.requirement("H8")
def test_pages_are_measured_as_a_browser_loads_them(desk: Simulator) -> None:
    """A second visit loads the HTML alone; what cannot be loaded is named."""
    found = pages.measure(desk, waiting=2, long=60)
    queue, ticket = found.pages["queue"], found.pages["ticket"]
    assert queue.html.count(b"data-ticket=") == 2
    assert queue.kilobytes() < queue.kilobytes(".css", ".js") < queue.first_visit
    assert "Query" in queue.operations
    assert len(ticket.reads) <= len(found.pages["long ticket"].reads)
    figures = {figure.what: figure for figure in found.figures()}
    assert figures["customer: status, everything"].limit == pages.CUSTOMER_KB
    assert figures["workbench, style"].value == queue.kilobytes(".css")
    assert all(": " in why for why in found.missing.values())


@pytest.mark.requirement("F3")
def test_a_sweep_reads_only_what_is_due(simulator: Simulator) -> None:
    """More open tickets cost no more."""
    found = sweeps(simulator, counts=(20, 60), due=5)
    assert [swept.open for swept in found] == [20, 60]
    assert {swept.done for swept in found} == {5}
    assert found[0].read_units == found[1].read_units


def test_a_month_without_tickets_has_its_fixed_cost(simulator: Simulator) -> None:
    """The key, alarms, the dashboard, schedules, and the queue's pollers."""
    used = usage.idle_usage(simulator)
    assert used["kms.key"] == 1
    assert used["lambda.request"] == 30 * 24 * (60 + 12 + 5 + 1)
    assert used["sqs.request"] == 15 * 30 * 24 * 60
    # Four empty shards, and no manifest.
    assert used["dynamodb.read_unit"] == 30 * 24 * (60 * 2 + (12 + 5 + 1) * Decimal("0.5"))
    assert set(used) <= set(costs.read_prices().prices)


def test_more_memory_makes_waiting_dearer_and_computing_not() -> None:
    """Computing ends sooner by as much as each millisecond costs more."""
    runs = [Invocation("router", 0.2), Invocation("notify", 0.1)]
    calls = [Call("router", "dynamodb", "GetItem"), Call("notify", "sesv2", "SendEmail")]
    small, large = {"router": 256, "notify": 256}, {"router": 256, "notify": 1024}
    assert usage.gb_seconds(runs, [], small) == usage.gb_seconds(runs, [], large)
    added = usage.gb_seconds(runs, calls, large) - usage.gb_seconds(runs, calls, small)
    assert added == costs.ASSUMPTIONS["lambda.call_ms"] / 1000 * (1024 - 256) / 1024


def test_every_function_of_the_simulator_has_memory() -> None:
    """Otherwise its calls would have no price."""
    assert {"api_handler", *FUNCTIONS} <= set(usage.memory())
    assert {512, 1024, 1769} == set(usage.memory().values())


@pytest.mark.requirement("E1", "G2")
def test_classification_and_business_time_are_measured() -> None:
    """On the desk with the most rules; ten years are added."""
    found = throughput.rules(seconds=0.05)
    assert (found.desk, found.rules > 10) == ("aftersales", True)
    assert found.per_second == found.rules * found.requests_per_second > 0
    added = throughput.additions(seconds=0.05)
    assert added.business > timedelta(days=1000)
    assert added.milliseconds > 0


def settled(**more: Any) -> burst.Outcome:
    """Return the outcome of two good requests, with changes."""
    well: dict[str, Any] = {
        "statuses": {"CS1": "assigned", "CS2": "queued"},
        "received": Counter({"CS1": 1, "CS2": 1}),
        "written": Counter({"CS1": 2, "CS2": 1}),
        "mailed": Counter({"a@example.com": 2, "b@example.com": 1}),
    }
    return burst.Outcome(**{**well, **more})


@pytest.mark.requirement("E11", "G1")
@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        (settled(), []),
        (settled(statuses={"CS1": "assigned"}), ["CS2 is not in the table"]),
        (
            settled(statuses={"CS1": "assigned", "CS2": "queued", "CS3": "queued"}),
            ["CS3 was not returned by the API"],
        ),
        (settled(statuses={"CS1": "assigned", "CS2": "received"}), ["CS2 is not routed"]),
        (settled(received=Counter({"CS1": 1})), ["CS2 has 0 acknowledgements"]),
        (
            settled(mailed=Counter({"a@example.com": 3, "b@example.com": 1})),
            ["CS1: 3 mails were sent, but 2 are on record"],
        ),
    ],
)
def test_a_burst_is_judged_by_the_table_and_the_mails(
    found: burst.Outcome, wrong: list[str]
) -> None:
    """The report names lost and doubled requests."""
    filed = {"a@example.com": "CS1", "b@example.com": "CS2"}
    assert burst.faults(filed, found) == wrong


@pytest.mark.requirement("E11", "A3")
def test_two_requests_with_one_number_are_reported() -> None:
    filed = {"a@example.com": "CS1", "b@example.com": "CS1"}
    assert burst.faults(filed, settled())[0] == "2 requests have 1 numbers"


def test_parts_without_a_running_system_are_reported_as_not_measured(tmp_path: Path) -> None:
    """The other parts are measured."""
    report = budgets.Report()
    budgets.on_local_system(report, ["latency", "burst"], tmp_path / "local.json")
    assert report.skipped.keys() == {"latency", "burst"}
    assert report.rows == []


def test_a_missed_budget_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    report = budgets.Report(
        rows=[
            budgets.Row("units", "too much", 46, 45, "write units"),
            budgets.Row("units", "enough", 45, 45, "write units"),
            budgets.Row("units", "for itself", 3),
        ],
        skipped={"latency": "[no] stack"},
    )
    budgets.show(report)
    shown = capsys.readouterr().out
    assert "MISSED" in shown
    assert "1 of 2 budgets met" in shown
    assert "latency: not measured: [no] stack" in shown
    assert report.document(datetime.now(UTC))["missed"] == ["too much"]


def test_parts_of_the_bench_are_chosen_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def taken(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", taken)
    out = tmp_path / "build" / "bench.json"
    assert budgets.main(["--only", "imports", "--out", str(out)]) == 0
    document = json.loads(out.read_text("utf-8"))
    assert [row["what"] for row in document["budgets"]] == list(import_time.HANDLERS)
    assert "functions.intake.handler" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        budgets.main(["--only", "luck"])
    assert "unknown parts: luck" in capsys.readouterr().err


def test_a_bill_has_list_prices_and_less_free_tiers() -> None:
    """An allowance never makes a cost negative; calls become metered units."""
    used = {"sqs.request": Decimal(3_000_000), "kms.request": Decimal(10_000)}
    prices = costs.read_prices()
    assert costs.cost_of(used, prices) == Decimal("1.23")
    assert costs.cost_of(used, prices, free_tiers=True) == Decimal("0.80")
    assert [line.name for line in costs.bill(used, prices)] == ["sqs.request", "kms.request"]
    calls = [
        Call("notify", "dynamodb", "GetItem", read_units=0.5),
        Call("notify", "dynamodb", "PutItem", write_units=2.0),
        Call("notify", "kms", "Decrypt"),
        Call("notify", "sns", "Publish"),
        Call("notify", "ssm", "GetParameter"),
    ]
    assert costs.usage_of_calls(calls) == {
        "dynamodb.read_unit": Decimal("0.5"),
        "dynamodb.write_unit": Decimal(2),
        "kms.request": Decimal(1),
        "sns.sms": Decimal(2),
    }
    assert costs.idle_polling() == {"sqs.request": Decimal(15 * 60 * 24 * 30)}


def test_a_month_of_facts_is_made_up_and_asked_for_its_costs(tmp_path: Path) -> None:
    """The same facts each time; Athena charges 10 MB for any query."""
    desk = load(SHIPPED / "standard.yaml")
    month = reports.month_of_facts(desk, 20, tmp_path)
    assert month.lines == 20 * 6 * reports.DAYS
    assert month.stored_bytes < month.raw_bytes / 4
    facts = [fact for n in range(reports.SAMPLED) for fact in _facts(desk, n)]
    used = costs.plus(*(read_usage(fact.usage) for fact in facts))
    asked = reports.asked_costs(desk, tmp_path)
    assert round(asked.usd, 9) == round(costs.cost_of(used, costs.read_prices()), 9)
    assert reports.query_usage(1, 3) == {"athena.scanned": Decimal(30) / 1024}
    assert reports.query_usage(1024**3) == {"athena.scanned": Decimal(1)}
    assert reports.storage_usage(month)["s3.storage"] == Decimal(month.stored_bytes) / 1024**3


@pytest.mark.slow
def test_a_report_is_written_in_a_process_of_its_own(tmp_path: Path) -> None:
    """Of the facts of a month, most of which are those of the first days, moved on."""
    playbook = SHIPPED / "standard.yaml"
    month = reports.month_of_facts(load(playbook), 5, tmp_path, reports.DAYS)
    assert month.lines == 5 * 6 * reports.DAYS
    daily, weekly, monthly = reporting.MONTH
    assert [daily.kind, weekly.kind, monthly.kind] == ["daily", "weekly", "monthly"]
    found = reporting.write_report(playbook, tmp_path, daily)
    assert found.adds_up
    assert len(found.days) == 7
    assert max(found.days) == 64
    assert found.objects["put"] > 10
    assert found.cpu_seconds > 0
    assert found.peak_mb > 20
    used = found.usage(month)
    assert used["athena.scanned"] == Decimal(70) / 1024
    assert used["s3.put"] == found.objects["put"] + 2 * 7


def test_a_run_of_the_reports_is_counted_by_ticket() -> None:
    """A ticket that changed has its history read; objects are put once for all of a run."""
    run = reporting.RunUsage({"s3.put": Decimal(2)}, {"dynamodb.read_unit": Decimal(1)})
    assert run.month(10) == {"s3.put": 2 * 120 * 30, "dynamodb.read_unit": 10 * 30 * 4}


def _facts(desk: Playbook, ahead: int) -> Iterator[Fact]:
    return reports.facts_of_a_day(desk, reports.FIRST + timedelta(days=ahead), 20)
