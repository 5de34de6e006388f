"""The limits that a deployment sets beside the stacks: throttles, concurrency, the log of SMS."""

from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from app import app
from infra.console.main import app as console
from infra.deploy import steps
from infra.deploy.limits import (
    RESERVED,
    apply_limits,
    log_text_messages,
    open_routes,
    throttles,
)
from infra.deploy.stacks import load_template
from infra.simulator.simulator import FUNCTIONS
from tests.aws_snapshots import aws_in_memory

pytestmark = pytest.mark.requirement("G9")
WIRING = load_template(steps.INFRA / "templates" / "wiring.yaml")
DEFAULTS = {name: str(WIRING["Parameters"][name]["Default"]) for name in WIRING["Outputs"]}
FORM = ("/desks/{desk}/tickets", "POST")


class Recorded:
    """AWS's clients, which record the calls of this module after botocore has checked them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def client(self, service: str) -> Any:
        client: Any = boto3.session.Session(region_name="us-east-1").client(
            service,  # type: ignore[call-overload]
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        client.meta.events.register("provide-client-params.*.*", self._record)
        client.meta.events.register("before-call.*.*", lambda **_: (Answer(), {}))
        return client

    def _record(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls.append((model.name, dict(params)))


class Answer:
    """A response that the service accepted the call."""

    status_code = 200


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    recorded = Recorded()
    monkeypatch.setattr("infra.deploy.limits.boto3.client", recorded.client)
    return recorded


def test_the_stage_and_the_open_routes_are_throttled_by_default(aws: Recorded) -> None:
    apply_limits("prod", "api-1", DEFAULTS)
    ((operation, asked),) = aws.calls
    assert (operation, asked["restApiId"], asked["stageName"]) == ("UpdateStage", "api-1", "api")
    changes = {change["path"]: change["value"] for change in asked["patchOperations"]}
    assert changes["/*/*/throttling/rateLimit"] == "50"
    assert changes["/*/*/throttling/burstLimit"] == "100"
    form = "/~1desks~1{desk}~1tickets/POST/throttling"
    assert (changes[f"{form}/rateLimit"], changes[f"{form}/burstLimit"]) == ("10", "50")
    assert len(changes) == 2 * (1 + len(open_routes()))


def test_a_path_is_written_as_a_json_pointer() -> None:
    paths = [operation["path"] for operation in throttles([FORM], DEFAULTS)]
    assert paths == [
        "/*/*/throttling/rateLimit",
        "/*/*/throttling/burstLimit",
        "/~1desks~1{desk}~1tickets/POST/throttling/rateLimit",
        "/~1desks~1{desk}~1tickets/POST/throttling/burstLimit",
    ]


def test_a_rate_of_zero_leaves_the_accounts_limit(aws: Recorded) -> None:
    apply_limits("prod", "api-1", {**DEFAULTS, "StageRate": "0"})
    assert aws.calls == []


def test_every_route_without_sign_in_or_signature_is_open() -> None:
    """A route that is added is throttled without being listed anywhere."""
    assert {FORM, ("/session", "POST"), ("/desks/{desk}/tickets/{number}", "GET")} <= set(
        open_routes()
    )
    for path, methods in app.routes.items():
        for method in methods:
            closed = path.startswith("/agent/") or "/channels/" in path
            assert closed or (path, method) in open_routes(), path


def test_concurrency_is_reserved_on_request_only(aws: Recorded) -> None:
    values = {**DEFAULTS, "StageRate": "0", "ReservedConcurrency": "5"}
    apply_limits("prod", "api-1", values)
    assert aws.calls == [
        (
            "PutFunctionConcurrency",
            {"FunctionName": f"deskbell-prod-{name}", "ReservedConcurrentExecutions": 5},
        )
        for name in RESERVED
    ]
    assert set(RESERVED) <= set(FUNCTIONS)


def test_text_messages_that_fail_are_logged_and_the_log_is_not_kept_for_ever() -> None:
    with aws_in_memory("us-east-1"):
        role = "arn:aws:iam::123456789012:role/deskbell-prod-sms-logs"
        for _ in range(2):
            log_text_messages(role, 30)
        attributes = boto3.client("sns").get_sms_attributes()["attributes"]
        assert attributes["DeliveryStatusIAMRole"] == role
        assert attributes["DeliveryStatusSuccessSamplingRate"] == "0"
        (group,) = boto3.client("logs").describe_log_groups()["logGroups"]
        name = "sns/us-east-1/123456789012/DirectPublishToPhoneNumber/Failure"
        assert (group["logGroupName"], group["retentionInDays"]) == (name, 30)


def test_the_options_of_a_deployment_reach_its_stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that is left out keeps its value."""
    given: list[steps.Variant] = []

    def deploy(stage: str, report: Any, variant: steps.Variant) -> steps.DeployedStage:
        given.append(variant)
        return steps.DeployedStage(stage, "id", "https://example.com", {})

    monkeypatch.setattr(steps, "deploy", deploy)
    options = ["--open-rate", "5", "--waf-requests", "500", "--reserved-concurrency", "10"]
    done = CliRunner().invoke(
        console, ["deploy", "--stage", "prod", *options, "--sms-spend-alarm-usd", "40"]
    )
    assert done.exit_code == 0, done.output
    (variant,) = given
    wiring = {"OpenRate": "5", "WafRequests": "500", "ReservedConcurrency": "10"}
    assert variant.wiring == wiring
    assert variant.foundation == {"SmsSpendAlarmUsd": "40"}
    assert set(variant.wiring) <= set(WIRING["Parameters"])
