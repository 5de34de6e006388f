"""Every administrative act is declared, and recorded with who, when, what before and after."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from keyword import iskeyword
from pathlib import Path
from typing import Any

import boto3
import pytest
import typer.main
from botocore.exceptions import ClientError
from typer.core import TyperGroup
from typer.testing import CliRunner

from app import app as api
from functions.core.domain.audit import ACTS, STAGE, AuditEntry
from functions.core.domain.commands import agent_actions
from functions.core.domain.playbook_model import TICKET_TASKS
from functions.core.storage.database import Storage
from infra.console.main import app
from infra.deploy import local_stage, steps
from infra.deploy.stacks import load_template
from infra.deploy.trail import OperatorTrail
from infra.simulator.simulator import Simulator
from tests.infra import unrecorded
from tests.inprocess.conftest import (
    DEPLOYMENT,
    ROOT,
    WEBHOOK_SECRET,
    simulator as simulator,  # the deployment on moto
    storage as storage,
)
from tests.inprocess.test_returns import SUPERVISOR
from tests.inprocess.test_standard import MAIL, NAME, PHONE, StandardJourney
from tests.signed_requests import signed

pytestmark = pytest.mark.requirement("G4")
OPERATOR = "console:arn:aws:sts::123456789012:user/moto"
"""The identity that moto gives to everybody."""

PASSWORD, TOKEN, WHY = "Correct-Horse-9", "a-bot-token-nobody-may-see", f"{NAME} 来电要求"


def console(*arguments: str, told: str = "") -> str:
    """Run a command; it may fail after it has been recorded."""
    done = CliRunner().invoke(app, [*arguments, "--stage", DEPLOYMENT.stage], input=told)
    return done.output


OF_AGENTS = {
    "ticket.open-original": "li-1",
    "ticket.open-contact": "zg-1",
    "call.open-recording": "zg-1",
}
"""The acts of the agents' API, and who carries them out here."""


class Acts:
    """One way to carry out each act, on the desk `standard`."""

    def __init__(self, simulator: Simulator, storage: Storage, folder: Path) -> None:
        self.simulator = simulator
        self.storage = storage
        self.folder = folder
        self.journey = StandardJourney(simulator, storage)
        self.told: list[str] = []
        self._make_user_pool()

    def _make_user_pool(self) -> None:
        cognito = boto3.client("cognito-idp")
        pool = cognito.create_user_pool(PoolName="p")["UserPool"]["Id"]
        boto3.client("ssm").put_parameter(
            Name=DEPLOYMENT.parameter("settings"),
            Value=json.dumps({"user_pool_id": pool, "local_webhooks": "on"}),
            Type="String",
            Overwrite=True,
        )
        cognito.admin_create_user(UserPoolId=pool, Username="li-1")

    def run(self, *arguments: str, told: str = "") -> None:
        self.told.append(console(*arguments, told=told))

    def _quarantined(self) -> str:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = MAIL, "support@standard.local", "prize"
        mail.set_content("you won")
        spam = {"spamVerdict": {"status": "FAIL"}}
        self.simulator.mail(mail.as_bytes(), "support@standard.local", verdicts=spam)
        return console("quarantine", "list").split("\t")[0]

    def _ticket(self) -> str:
        self.journey.online("li-1")
        return self.journey.file()

    def _apply_webhook(self) -> None:
        text = (ROOT / "playbooks" / "standard.yaml").read_text("utf-8")
        path = self.folder / "standard.yaml"
        webhook = "\nwebhooks:\n  crm: {url: 'http://127.0.0.1:9/', events: [ticket.received]}\n"
        path.write_text(text + webhook, "utf-8")
        self.run("playbook", "apply", str(path))

    def _connect(self) -> None:
        secret = json.dumps({"bot_token": TOKEN, "signing_secret": TOKEN})
        self.run("channel", "set", "standard", "slack", told=secret)

    # The acts

    def person_add(self) -> None:
        role = ("--role", "agent", "--team", "售后组")
        self.run("person", "add", "standard", "neu-1", *role, told=PASSWORD)

    def person_change(self) -> None:
        self.run("person", "change", "standard", "li-1", "--role", "qa")

    def person_reset(self) -> None:
        self.run("person", "reset", "li-1", "--password", "--mfa", told=PASSWORD)

    def person_remove(self) -> None:
        self.run("person", "remove", "standard", "li-1")

    def channel_set(self) -> None:
        self._connect()

    def channel_remove(self) -> None:
        self._connect()
        self.run("channel", "remove", "standard", "slack")

    def sms_set(self) -> None:
        secret = json.dumps({"access_key_id": TOKEN, "access_key_secret": TOKEN})
        self.run("sms", "set", "standard", "aliyun", told=secret)

    def sms_remove(self) -> None:
        self.sms_set()
        self.run("sms", "remove", "standard", "aliyun")

    def deploy(self) -> None:
        self.run("deploy", "--alarm-email", MAIL)

    def playbook_apply(self) -> None:
        self._apply_webhook()

    def knowledge_apply(self) -> None:
        path = self.folder / "articles.yaml"
        path.write_text("articles: {a: {title: {en: T}, solution: {en: S}}}", "utf-8")
        self.run("knowledge", "apply", str(path), "--desk", "standard")

    def quarantine_show(self) -> None:
        self.run("quarantine", "show", self._quarantined())

    def quarantine_discard(self) -> None:
        self.run("quarantine", "discard", self._quarantined(), "--reason", WHY)

    def quarantine_replay(self) -> None:
        self.run("quarantine", "replay", self._quarantined())

    def export_desk(self) -> None:
        self._ticket()
        self.run("export", "standard", str(self.folder / "desk.jsonl"))

    def import_(self) -> None:
        self.export_desk()
        file = str(self.folder / "desk.jsonl")
        self.run("import", "--from", "deskbell", file, "--desk", "standard")

    def smoke(self) -> None:
        self.run("smoke", "--desk", "standard")

    def customer_export(self) -> None:
        file = self.folder / "customer.json"
        self.run("customer", "export", "standard", f"+86 {PHONE}", str(file), "--reason", WHY)

    def ticket_export(self) -> None:
        self.run("ticket", "export", "standard", self._ticket())

    def ticket_hold(self) -> None:
        self.run("ticket", "hold", "standard", self._ticket(), "--reason", WHY)

    def ticket_release(self) -> None:
        self.ticket_hold()
        self.run("ticket", "release", "standard", self.journey.number, "--reason", WHY)

    def ticket_erase(self) -> None:
        self._ticket()
        self.run("ticket", "erase", "standard", "--contact", PHONE, "--reason", WHY)

    def ticket_open_original(self) -> None:
        self._ticket()
        opened = self.journey.try_action("li-1", "open-original", message=1, reason=WHY)
        assert opened.status == 200, opened.text

    def ticket_open_contact(self) -> None:
        self._ticket()
        opened = self.journey.try_action("zg-1", "open-contact", reason=WHY)
        assert opened.status == 200, opened.text

    def call_open_recording(self) -> None:
        link, ended = "https://calls.example.com/r.wav", "2026-03-10T08:05:00+08:00"
        raw = json.dumps({"call_id": "1", "ended_at": ended, "recording_url": link}).encode()
        headers = {"Content-Type": "application/json", **signed(WEBHOOK_SECRET, raw)}
        posted = self.simulator.http("POST", "/desks/standard/channels/voice", raw, headers=headers)
        assert posted.status == 200, posted.text
        calls = "/agent/desks/standard/calls"
        (call,) = self.simulator.http("GET", calls, claims=SUPERVISOR).json["calls"]
        opened = self.simulator.http("POST", f"{calls}/{call['id']}/recording", claims=SUPERVISOR)
        assert opened.json == {"url": link}

    def webhooks_rotate(self) -> None:
        self._apply_webhook()
        self.run("webhooks", "rotate", "standard", "crm")

    def webhooks_secret(self) -> None:
        self._apply_webhook()
        self.run("webhooks", "secret", "standard", "crm")

    def webhooks_send_test(self) -> None:
        self._apply_webhook()
        self.run("webhooks", "send-test", "standard", "crm")

    def webhooks_replay(self) -> None:
        since = "2026-01-01T00:00:00+00:00"
        self._apply_webhook()
        self.run("webhooks", "replay", "--desk", "standard", "--from", since)


@pytest.fixture
def carried_out(
    simulator: Simulator, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], list[AuditEntry]]:
    """Carry out an act and return its entries."""
    for step, result in (
        ("require_stage", None),
        ("stack_exists", True),
        ("deploy_stack", {"StreamArn": "arn"}),
        ("deploy_functions", "api"),
    ):
        monkeypatch.setattr(steps, step, lambda *_, result=result: result)

    def carry_out(act: str) -> list[AuditEntry]:
        performed = Acts(simulator, storage, tmp_path)
        name = act.replace(".", "_").replace("-", "_")
        getattr(performed, f"{name}_" if iskeyword(name) else name)()
        return [entry for entry in recorded(storage) if entry.act == act]

    return carry_out


def recorded(storage: Storage) -> list[AuditEntry]:
    now = datetime.now(UTC)
    return list(storage.audit.list(now - timedelta(hours=1), now + timedelta(minutes=1)))


def _commands(group: Any, path: str = "") -> set[str]:
    found: set[str] = set()
    for name, command in group.commands.items():
        at = f"{path}{name}"
        found |= _commands(command, f"{at}.") if isinstance(command, TyperGroup) else {at}
    return found


# What is declared


def test_every_command_is_recorded_or_has_a_reason() -> None:
    commands = _commands(typer.main.get_command(app))
    of_console = {act for act in ACTS if act not in OF_AGENTS}
    assert commands == of_console | set(unrecorded.COMMANDS)
    assert not set(ACTS) & set(unrecorded.COMMANDS)


def test_every_action_of_agents_is_recorded_or_has_a_reason() -> None:
    administrative = {act.removeprefix("ticket.") for act in ACTS} & set(agent_actions())
    of_tickets = {act for act in OF_AGENTS if act.startswith("ticket.")}
    assert administrative == {act.removeprefix("ticket.") for act in of_tickets}
    calls = {*agent_actions(), "attachments", *TICKET_TASKS}
    assert calls == administrative | set(unrecorded.ACTIONS)


def test_every_other_call_of_agents_has_a_reason() -> None:
    calls = {
        f"{method} {path}"
        for path, methods in api.routes.items()
        for method, entry in methods.items()
        if method != "GET" and (entry.authorizer is not None or path.startswith("/session"))
    }
    assert calls == set(unrecorded.CALLS)


def test_every_act_is_documented() -> None:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert all(f"`{act}`" in text for act in ACTS)


def test_an_undeclared_act_cannot_be_recorded() -> None:
    with pytest.raises(ValueError, match="not declared"):
        OperatorTrail("test", "console:a").entry("desk.sell", "standard", "desk")


# What is recorded

BEFORE_AND_AFTER: Mapping[str, tuple[str, Any, Any]] = {
    "person.change": ("li-1", {"role": "agent"}, {"role": "qa"}),
    "person.add": ("neu-1", {}, {"role": "agent", "team": "售后组", "active": True}),
    "person.remove": ("li-1", {"active": True}, {"active": False}),
    "playbook.apply": ("playbook", {"version": 1}, {"version": 2}),
    "knowledge.apply": ("a", {}, {"version": 1}),
    "channel.set": ("slack", {"keys": []}, {"keys": ["bot_token", "signing_secret"]}),
    "channel.remove": ("slack", {"keys": ["bot_token", "signing_secret"]}, {}),
    "webhooks.rotate": ("crm", {}, {"secret": "new", "keep_hours": 24}),
}


@pytest.mark.slow
@pytest.mark.parametrize("act", ACTS)
def test_an_act_is_recorded_once_with_no_secret_no_customer_and_no_reason(
    carried_out: Callable[[str], list[AuditEntry]], act: str
) -> None:
    """So an erasure leaves nothing in the audit that it would have to look for."""
    entries = carried_out(act)
    assert entries, "not recorded"
    whole_stage = {"deploy", "person.reset"}
    for entry in entries:
        assert entry.actor == OF_AGENTS.get(act, OPERATOR)
        assert entry.desk == (STAGE if act in whole_stage else "standard")
        assert abs(datetime.now(UTC) - entry.at) < timedelta(minutes=1)
        assert entry.target
    if act in BEFORE_AND_AFTER:
        (entry,) = entries
        target, before, after = BEFORE_AND_AFTER[act]
        assert entry.target == target
        assert before.items() <= entry.before.items()
        assert after.items() <= entry.after.items()
    items = boto3.client("dynamodb").scan(
        TableName=DEPLOYMENT.table,
        FilterExpression="begins_with(pk, :audit)",
        ExpressionAttributeValues={":audit": {"S": "AUDIT#"}},
    )["Items"]
    written = json.dumps(items, ensure_ascii=False)
    assert act in written
    for secret in (PASSWORD, TOKEN, "whsec_", WHY, NAME, PHONE, MAIL):
        assert secret not in written


def test_an_erasure_is_recorded_for_each_ticket_and_for_the_contact(
    carried_out: Callable[[str], list[AuditEntry]], storage: Storage
) -> None:
    begun, ticket = carried_out("ticket.erase")
    assert (begun.target, begun.after) == ("contact", {})
    assert storage.tickets.load("standard", ticket.target).number == ticket.target
    assert ticket.after["erased"]


def test_what_cannot_be_recorded_is_not_done(
    simulator: Simulator, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    performed = Acts(simulator, storage, tmp_path)

    def unable(*_: object, **__: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "PutItem")

    monkeypatch.setattr("functions.core.storage.audit.Audit.record", unable)
    performed.channel_set()
    assert "slack" not in console("channel", "list")
    entry = performed._quarantined()
    console("quarantine", "discard", entry, "--reason", WHY)
    assert entry in console("quarantine", "list")
    assert "you won" not in console("quarantine", "show", entry)


def test_an_act_on_a_ticket_and_its_entry_are_one_transaction(
    simulator: Simulator, storage: Storage
) -> None:
    journey = StandardJourney(simulator, storage)
    journey.online("li-1")
    journey.file()
    simulator.calls.clear()
    assert journey.try_action("li-1", "open-original", message=1, reason=WHY).status == 200
    commits = [call for call in simulator.calls if call.operation == "TransactWriteItems"]
    assert sum("AUDIT#" in call.items for call in commits) <= 1
    (entry,) = recorded(storage)
    assert (entry.target, entry.after["message"]) == (journey.number, 1)
    commit = storage.tickets.commit_at("standard", journey.number, entry.after["version"])
    assert commit is not None
    assert commit.at == entry.at


def test_each_entry_goes_to_the_log_masked(
    simulator: Simulator, storage: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever recorded it: the router reads it from the stream."""
    OperatorTrail(DEPLOYMENT.stage, f"console:{PHONE}").record("person.reset", STAGE, MAIL)
    capsys.readouterr()
    simulator.pump()
    (line,) = [row for row in capsys.readouterr().out.splitlines() if "audit.recorded" in row]
    logged = json.loads(line)
    assert (logged["act"], logged["desk"]) == ("person.reset", STAGE)
    assert PHONE not in line
    assert MAIL not in line


def test_an_expired_entry_is_not_logged_again(
    simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    OperatorTrail(DEPLOYMENT.stage, "console:a").record("person.reset", STAGE, "b")
    simulator.pump()
    dynamodb = boto3.client("dynamodb")
    (item,) = (
        item
        for item in dynamodb.scan(TableName=DEPLOYMENT.table)["Items"]
        if item["pk"]["S"].startswith("AUDIT#")
    )
    dynamodb.delete_item(
        TableName=DEPLOYMENT.table, Key={name: item[name] for name in ("pk", "sk")}
    )
    capsys.readouterr()
    simulator.pump()
    assert "audit" not in capsys.readouterr().out


# Who


def test_the_operator_is_the_aws_identity_and_locally_the_system_s_user(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "alice")
    assert OperatorTrail.of(DEPLOYMENT.stage).actor == OPERATOR
    assert OperatorTrail.of(local_stage.STAGE).actor == "console:alice"

    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert OperatorTrail.of(local_stage.STAGE).actor.startswith("console:uid-")


# The list


def test_the_list_is_by_desk_and_time(storage: Storage) -> None:
    for desk, day in (("standard", 1), ("rapid", 2), ("standard", 3)):
        entry = OperatorTrail(DEPLOYMENT.stage, "console:a").entry(
            "person.change", desk, f"agent-{day}"
        )
        at = datetime(2026, 3, day, tzinfo=UTC)
        storage.audit.record(entry.model_copy(update={"at": at}))
    span = ("--since", "2026-02-01T00:00:00+00:00", "--until", "2026-03-03T00:00:00+00:00")
    rows = [line.split("\t") for line in console("audit", "list", *span).splitlines()]
    assert [row[4] for row in rows] == ["agent-1", "agent-2"]
    assert rows[0][:4] == ["2026-03-01T00:00:00+00:00", "console:a", "person.change", "standard"]
    (line,) = console("audit", "list", *span, "--desk", "rapid", "--json").splitlines()
    assert json.loads(line)["target"] == "agent-2"
    assert console("audit", "list") == ""
    assert "timestamp with offset" in str(
        CliRunner().invoke(app, ["audit", "list", "--since", "x", "--stage", "test"]).exception
    )


def test_only_new_entries_reach_the_router() -> None:
    """Expired ones leave the table without a trace in the log."""
    wiring = load_template(ROOT / "infra" / "templates" / "wiring.yaml")["Resources"]
    patterns = [
        json.loads(each["Pattern"])
        for each in wiring["RouterStream"]["Properties"]["FilterCriteria"]["Filters"]
    ]
    (audit,) = [pattern for pattern in patterns if "pk" in pattern["dynamodb"]["Keys"]]
    assert audit["eventName"] == ["INSERT"]
