"""The smoke test finds what does not work, says what to fix, and leaves nothing behind."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from functions.core.platform.settings import Deployment
from functions.core.playbook import load
from functions.core.storage.database import Storage
from infra.console import smoke
from infra.console.errors import UsageError
from infra.console.main import app
from infra.console.smoke import Check, Smoke, SmokeReport, desk_for
from infra.console.smoke_stage import _PATIENT, Answer, SmokeFailed, StageUnderTest
from infra.deploy.local_stage import Ports, aws_environment
from infra.deploy.trail import OperatorTrail
from infra.simulator.simulator import Simulator
from tests.inprocess.conftest import (
    DEPLOYMENT,
    ROOT,
    URL,
    simulator as simulator,  # the deployment on moto
    storage as storage,
)
from tests.notify.webhook_receiver import Receiver

pytestmark = [pytest.mark.requirement("G3", "F7"), pytest.mark.slow]
CLAIMS = {"cognito:username": smoke.USERNAME, "cognito:groups": "[standard:supervisor]"}
BUSY = timedelta(seconds=0.2)


@dataclass(frozen=True)
class InProcess(StageUnderTest):
    """The stage in this process; SES's mailbox simulator answers if `returns`."""

    simulator: Simulator
    returns: bool = True

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Answer:
        claims = CLAIMS if token else None
        answer = self.simulator.http(method, path, body, claims=claims)
        self.pause()
        contact = (body or {}).get("contact", "")
        if self.returns and contact.startswith(("bounce", "complaint")):
            self._return(contact)
        return Answer(answer.status, json.loads(answer.text))

    def _return(self, contact: str) -> None:
        kind = "Bounce" if contact.startswith("bounce") else "Complaint"
        recipients = "bouncedRecipients" if kind == "Bounce" else "complainedRecipients"
        detail: dict[str, Any] = {recipients: [{"emailAddress": contact}]}
        if kind == "Bounce":
            detail["bounceType"] = "Permanent"
        message = {
            "eventType": kind,
            kind.lower(): detail,
            "mail": {"source": "support@standard.local"},
        }
        record = {"messageId": "1", "body": json.dumps(message), "attributes": {}}
        with suppress(RuntimeError):
            self.simulator.invoke("intake_mail", {"Records": [record]})

    def invoke(self, function: str, event: Mapping[str, Any]) -> None:
        try:
            self.simulator.invoke(function, event)
        except RuntimeError as error:
            raise SmokeFailed(f"{function} failed: {error}") from error
        self.pause()

    def upload(self, offered: Mapping[str, Any], content: bytes) -> None:
        boto3.client("s3").put_object(**self._object(offered["url"]), Body=content)

    def download(self, url: str) -> bytes:
        return boto3.client("s3").get_object(**self._object(url))["Body"].read()

    def _object(self, url: str) -> Any:
        parts = urlsplit(url)
        key = unquote(parts.path).lstrip("/").removeprefix(f"{DEPLOYMENT.mail_bucket}/")
        return {"Bucket": DEPLOYMENT.mail_bucket, "Key": key}

    def announce_mail(self, raw: bytes, key: str, recipient: str) -> None:
        with suppress(RuntimeError):
            self.simulator.mail(raw, recipient, key=key)
        self.pause()

    def pause(self) -> None:
        self.simulator.forget_roster()
        with suppress(RuntimeError):
            self.simulator.pump()


@pytest.fixture
def user_pool(simulator: Simulator) -> str:
    cognito = boto3.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="p")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="c", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    boto3.client("ssm").put_parameter(
        Name=DEPLOYMENT.parameter("settings"),
        Value=json.dumps({"user_pool_id": pool, "user_pool_client_id": client}),
        Type="String",
        Overwrite=True,
    )
    return pool


Run = Callable[..., SmokeReport]


@pytest.fixture
def run(simulator: Simulator, user_pool: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the smoke test; a broken function fails whenever it is invoked."""

    def run(broken: str = "", *, returns: bool = True, patience: timedelta = BUSY) -> SmokeReport:
        invoke = simulator.invoke

        def guarded(function: str, event: Any) -> Any:
            if function == broken:
                raise RuntimeError("AccessDeniedException")
            return invoke(function, event)

        monkeypatch.setattr(simulator, "invoke", guarded)
        monkeypatch.setattr(simulator.workflows, "invoke", guarded)
        stage = InProcess(DEPLOYMENT, URL, simulator, returns)
        trail = OperatorTrail.of(DEPLOYMENT.stage)
        return Smoke(stage, trail, "standard", patience, lambda _: None).run()

    return run


def failed(report: SmokeReport) -> list[Check]:
    return [check for check in report.checks if check.state == "failed"]


def tickets(storage: Storage) -> list[Any]:
    numbers = {
        item["pk"]["S"].rpartition("#")[2]
        for item in boto3.client("dynamodb").scan(TableName=DEPLOYMENT.table)["Items"]
        if item["pk"]["S"].startswith("TICKET#")
    }
    return storage.tickets.load_many("standard", sorted(numbers))


def test_a_stage_that_works_passes_and_nothing_is_left_behind(
    run: Run, simulator: Simulator, storage: Storage
) -> None:
    """Every ticket has ended and is erased, no workflow waits, and the person may not come back."""
    for _ in range(2):
        report = run()
        assert failed(report) == []
        assert report.not_exercised == []
    assert {call.function for call in simulator.calls} >= smoke.FUNCTIONS
    left = tickets(storage)
    assert len(left) == 2 * 5
    assert all(ticket.erased for ticket in left)
    assert {ticket.status for ticket in left} <= {"archived", "closed"}
    assert {run.status for run in simulator.workflows.executions.values()} == {"SUCCEEDED"}
    person = storage.roster.get("standard", smoke.USERNAME)
    assert person is not None
    assert (person.active, person.online, person.load) == (False, False, 0)
    objects = boto3.client("s3").list_objects_v2(Bucket=DEPLOYMENT.mail_bucket)
    kept = [entry["Key"] for entry in objects.get("Contents", [])]
    assert not [key for key in kept if not key.startswith("discarded/")]


@pytest.mark.parametrize(
    "function", ["intake_mail", "router", "survey_ask", "survey_review_expire", "unseal"]
)
def test_a_function_that_fails_is_named_with_what_to_look_at(
    run: Run, storage: Storage, function: str
) -> None:
    report = run(function)
    assert not report.passed
    fixes = [check.fix for check in failed(report)]
    assert any(f"/aws/lambda/deskbell-test-{function};" in fix for fix in fixes), fixes
    assert function in report.not_exercised
    person = storage.roster.get("standard", smoke.USERNAME)
    assert person is not None
    assert not person.active


def test_whoever_was_let_in_is_let_out_even_if_they_could_not_sign_in(
    run: Run, storage: Storage, user_pool: str
) -> None:
    boto3.client("cognito-idp").delete_user_pool_client(
        UserPoolId=user_pool, ClientId=_client_of(user_pool)
    )
    report = run()
    assert next(iter(failed(report))).name == "sign-in"
    assert "api_handler" in report.worked  # by the form
    person = storage.roster.get("standard", smoke.USERNAME)
    assert person is not None
    assert not person.active


def _client_of(pool: str) -> str:
    (client,) = boto3.client("cognito-idp").list_user_pool_clients(UserPoolId=pool)[
        "UserPoolClients"
    ]
    return client["ClientId"]


def test_returned_mail_that_is_not_reported_is_found(run: Run) -> None:
    report = run(returns=False)
    assert [check.name for check in failed(report)] == ["bounce", "complaint"]
    assert all("configuration set" in check.fix for check in failed(report))


def test_an_alarm_and_a_dead_letter_are_found(run: Run) -> None:
    """Whoever caused them; and a dead letter of somebody else is not discarded."""
    cloudwatch = boto3.client("cloudwatch")
    for name in ("deskbell-test-api-errors", "deskbell-other-api-errors"):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            MetricName="5XXError",
            Namespace="AWS/ApiGateway",
            Statistic="Sum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
        )
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="5 errors")
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="deskbell-test-router-dlq")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody='{"keys": {"pk": "TICKET#standard#CS1"}}')
    alarms, letters = failed(run())
    assert (alarms.name, alarms.detail) == ("alarms", "deskbell-test-api-errors: 5 errors")
    assert (letters.name, letters.detail) == ("dead letters", "deskbell-test-router-dlq has 1")
    assert letters.fix == "`deskbell quarantine list`"


def test_mail_goes_to_nobody() -> None:
    """Locally SES has no simulator, and nothing leaves the machine; China has no SES."""
    for partition, stage, host, simulated in (
        ("aws", "prod", "simulator.amazonses.com", True),
        ("aws-cn", "prod", "simulator.amazonses.com", False),
        ("aws", "local", "example.com", False),
    ):
        place = Deployment(partition, "r", "1", stage)
        outside = StageUnderTest(place, URL)
        assert outside.address("bounce", "x") == f"bounce+x@{host}"
        assert outside.has_mail_simulator is simulated


def test_a_function_is_invoked_once_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that writes many reports takes minutes; boto3 would invoke it again meanwhile."""
    chalice = json.loads((ROOT / ".chalice" / "config.json").read_text("utf-8"))
    longest = max(
        function["lambda_timeout"]
        for stage in chalice["stages"].values()
        for function in stage["lambda_functions"].values()
    )
    assert _PATIENT.read_timeout >= longest  # type: ignore[attr-defined]  # botocore's options
    with Receiver([500]).listening() as aws:
        for name, value in aws_environment(Ports(aws=aws.port)).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(ClientError):
            StageUnderTest(DEPLOYMENT, URL).invoke("reports", {})
        assert len(aws.got) == 1


# The desk


def test_the_desk_is_one_whose_tickets_reach_every_function(storage: Storage) -> None:
    now = datetime.now(UTC)
    for name in ("aftersales", "rapid"):
        playbook = load(ROOT / "playbooks" / f"{name}.yaml")
        storage.playbooks.put(playbook, now)
        boto3.client("ssm").put_parameter(
            Name=DEPLOYMENT.parameter(f"desks/{name}/webhook"), Value="x", Type="String"
        )
    assert desk_for(DEPLOYMENT.stage) == "standard"
    assert desk_for(DEPLOYMENT.stage, "rapid") == "rapid"
    with pytest.raises(UsageError, match="no desk shop: the stage has aftersales, rapid, standard"):
        desk_for(DEPLOYMENT.stage, "shop")


def test_what_another_desk_cannot_exercise_is_skipped(
    simulator: Simulator, storage: Storage, user_pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smoke, "_reaches_all", lambda _: False)
    stage = InProcess(DEPLOYMENT, URL, simulator)
    report = Smoke(
        stage, OperatorTrail.of(DEPLOYMENT.stage), "standard", BUSY, lambda _: None
    ).run()
    assert report.passed
    assert "survey_review" in report.not_exercised
    assert [check.name for check in report.checks if check.state == "skipped"] == [
        "closing workflow"
    ]


# The command


def test_the_command_reports_and_exits_with_1_on_failure(
    simulator: Simulator, user_pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = InProcess(DEPLOYMENT, URL, simulator)
    monkeypatch.setattr(StageUnderTest, "of", lambda _: stage)
    command = ["smoke", "--stage", DEPLOYMENT.stage, "--patience", "1"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "not exercised: text messages" in done.output
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="deskbell-test-router-dlq")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1
    assert "failed  dead letters: deskbell-test-router-dlq has 1" in done.output
    assert "fix: `deskbell quarantine list`" in done.output


def test_a_stage_that_is_not_deployed_is_said_so(simulator: Simulator) -> None:
    boto3.client("ssm").delete_parameter(Name=DEPLOYMENT.parameter("api"))
    with pytest.raises(SmokeFailed, match="run `deskbell deploy --stage test`"):
        StageUnderTest.of(DEPLOYMENT.stage)
