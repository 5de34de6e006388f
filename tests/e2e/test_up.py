"""The local system: its start, its quarantine, and what it keeps when killed.

The tests of this file run in order on one system.
"""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from functions.core.domain.errors import DeadLetter
from functions.core.domain.events import CustomerWrote, TicketReceived
from functions.core.storage.items import read_commit
from infra.deploy.local_stage import ACCOUNT, REGION
from tests.e2e.running_system import ROOT, System, free_port, wait_until
from tests.inprocess.generated_mails import GeneratedMail, MailGenerator

pytestmark = pytest.mark.requirement("F2", "F3", "F7", "G3", "G8")
PLAYBOOK = ROOT / "playbooks" / "standard.yaml"


def await_routing(system: System, ticket: Any) -> Any:
    """Return the customer's view of a ticket once it is routed."""

    def look() -> Any:
        found = system.http("GET", ticket["status_url"])
        assert found.status == 200, found.text
        return found.json if found.json["status"] != "received" else None

    return wait_until(look, f"{ticket['number']} is routed")


def subjects(system: System, address: str) -> list[str]:
    return [mail["Subject"] for mail in system.sent(address)]


def quarantine(system: System, about: str) -> list[list[str]]:
    """Return the fields of the lines of `deskbell quarantine list` that contain a text."""
    lines = system.command("quarantine", "list").splitlines()
    return [line.split("\t") for line in lines if about in line]


@pytest.mark.requirement("G8")
def test_local_json_lists_addresses_desks_secrets_and_agents(system: System) -> None:
    local = system.local
    assert local["api"] == f"http://127.0.0.1:{system.http_port}"
    assert local["smtp"] == f"127.0.0.1:{system.smtp_port}"
    assert local["aws_endpoint"] == f"http://127.0.0.1:{system.aws_port}"
    assert local["stage"] == "local"
    assert local["mailboxes"]["standard"] == "support@standard.local"
    assert local["webhook_secrets"]["standard"].startswith("whsec_")
    roles = [agent["role"] for agent in local["agents"] if agent["desk"] == "standard"]
    assert {"agent", "supervisor", "qa", "finance", "admin"} == set(roles)
    teams = [agent["team"] for agent in local["agents"] if agent["role"] == "agent"]
    assert all(teams.count(team) >= 2 for team in teams)
    assert (system.data / "local.json").stat().st_mode & 0o077 == 0


@pytest.mark.requirement("G8")
def test_functions_are_unpacked_in_the_data_folder(system: System) -> None:
    """From there they are deleted."""
    await_routing(system, system.file("unpacked@example.com", "无法登录"))
    assert list((system.data / "tmp").glob("ministack-lambda-*"))


@pytest.mark.requirement("G8")
def test_the_printed_commands_work(system: System) -> None:
    """Pasted, they create a ticket by HTTP and by mail."""
    by_http, by_mail, status = [line for line in system.output().splitlines() if "curl" in line]
    filed = subprocess.run(
        ["bash", "-c", by_http], capture_output=True, text=True, check=True, timeout=60
    )
    number = json.loads(filed.stdout)["number"]
    subprocess.run(["bash", "-c", by_mail], capture_output=True, check=True, timeout=60)
    shown = subprocess.run(
        ["bash", "-c", status.replace("<number>", number)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(shown.stdout)["number"] == number
    wait_until(lambda: system.sent("customer@example.com"), "the mail is acknowledged")


@pytest.mark.requirement("G8")
def test_the_examples_of_the_readme_work(system: System, tmp_path: Path) -> None:
    """Pasted one after the other, from a form to an agent's day."""
    text = (ROOT / "README.md").read_text("utf-8").partition("## On AWS")[0]
    text = text.replace(":8700", f":{system.http_port}").replace(":2525", f":{system.smtp_port}")
    blocks = re.findall(r"^```\w*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    creation = [block for block in blocks if "curl" in block]
    assert len(creation) == 3
    chat, day = (block for block in blocks if "deskbell.client" in block)
    (tmp_path / ".deskbell").symlink_to(system.data)

    def pasted(block: str) -> str:
        script = "set -euo pipefail\n" + block.replace("curl -s", "curl -sS --fail")
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    ticket, by_mail, by_webhook = map(pasted, creation)
    assert by_mail == ""
    assert json.loads(by_webhook)["number"] != json.loads(ticket)["number"]
    await_routing(system, json.loads(ticket))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for program in (chat, day):
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
    number = json.loads(ticket)["number"]
    assert system.session().desk("standard").ticket(number)["status"] == "resolved"


@pytest.mark.requirement("G8")
def test_a_taken_port_is_an_error_with_advice(system: System, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "infra.console.main", "up", "--data", str(tmp_path)),
            *("--port", str(system.http_port)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert f"port {system.http_port} is in use" in done.stderr


@pytest.mark.requirement("G8")
def test_a_second_start_does_not_disturb_the_running_system(system: System) -> None:
    """On the same ports or others."""
    before = (system.data / "local.json").read_bytes()
    for port in (system.http_port, free_port()):
        said = system.command("up", "--port", str(port), "--fresh", code=1)
        assert f"another system runs in {system.data}" in said
    assert (system.data / "local.json").read_bytes() == before
    assert "standard\t" in system.command("playbook", "list")


@pytest.mark.requirement("F2", "G3")
def test_a_malformed_record_is_dead_lettered_and_others_are_processed(system: System) -> None:
    """It is in the queues of both readers; the next ticket is routed."""
    put_event(system, "POISON", schema="1", body="no events")
    ticket = system.file("one@example.com", "无法登录")
    assert await_routing(system, ticket)["status"] == "assigned"
    dead_letters = wait_until(
        lambda: found if len(found := quarantine(system, "POISON")) == 2 else None,
        "both dead letters",
    )
    assert {line[1] for line in dead_letters} == {"router", "notify"}
    assert all("not a list of events" in line[5] for line in dead_letters)
    shown = json.loads(system.command("quarantine", "show", dead_letters[0][0]))
    assert shown["record"]["dynamodb"]["NewImage"]["body"]["S"] == "no events"
    again = system.command("quarantine", "replay", dead_letters[0][0], code=1)
    assert "dead-lettered it again" in again


@pytest.mark.requirement("F2", "G3")
def test_a_record_that_keeps_failing_is_dead_lettered_and_replayed(system: System) -> None:
    """With its cause, and again as long as the cause lasts."""
    ticket = system.file("two@example.com", "支付失败")
    await_routing(system, ticket)
    key = {"pk": {"S": f"TICKET#standard#{ticket['number']}"}, "sk": {"S": "TICKET"}}
    dynamodb = system.aws("dynamodb")
    item = dynamodb.get_item(TableName="deskbell-local", Key=key)["Item"]
    events = json.dumps([{"event": "TicketQueued", "team": "通用咨询组", "queue": "waiting"}])
    put_event(system, "LATER", schema=event_schema(), body=events, readers="notify")
    (line,) = wait_until(lambda: quarantine(system, "LATER"), "notify gave up", 150)
    assert line[1:3] == ["notify", "standard"]
    assert "NotFound: There is no such ticket" in line[5]
    assert "TICKET#standard#LATER" in system.command("quarantine", "show", line[0])
    assert "dead-lettered it again" in system.command("quarantine", "replay", line[0], code=1)
    (line,) = quarantine(system, "LATER")
    copied = json.loads(json.dumps(item).replace(ticket["number"], "LATER"))
    later = {name: value for name, value in copied.items() if not name.startswith("due_")}
    dynamodb.put_item(TableName="deskbell-local", Item=later)
    assert "has processed it" in system.command("quarantine", "replay", line[0])
    assert quarantine(system, "LATER") == []


def put_event(
    system: System, number: str, *, schema: str, body: str, readers: str = "both"
) -> None:
    """Write an event of a ticket that does not exist."""
    system.aws("dynamodb").put_item(
        TableName="deskbell-local",
        Item={
            "pk": {"S": f"TICKET#standard#{number}"},
            "sk": {"S": "EVENT#000002"},
            "at": {"S": "2026-03-02T01:00:00.000000Z"},
            "actor": {"S": "system"},
            "schema": {"N": schema},
            "readers": {"S": readers},
            "body": {"S": body},
        },
    )


def event_schema() -> str:
    from functions.core.domain.events import SCHEMA_VERSION

    return str(SCHEMA_VERSION)


@pytest.mark.requirement("E11", "G3")
def test_a_mail_that_always_fails_is_dead_lettered_and_others_are_processed(system: System) -> None:
    sqs, queue = system.aws("sqs"), system.queue("mail")
    nonsense = {"receipt": {"recipients": [], "action": {"objectKey": ""}}}
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(nonsense))
    system.mail("three@example.com", "支付失败", "支付失败，请协助处理\n")
    wait_until(lambda: system.sent("three@example.com"), "the good mail is acknowledged")
    dead_letters = wait_until(
        lambda: [line for line in quarantine(system, "mail") if "failed on every retry" in line[5]],
        "the other is in the dead-letter queue",
        120,
    )
    assert '"objectKey": ""' in system.command("quarantine", "show", dead_letters[0][0])
    assert "queued again" in system.command("quarantine", "replay", dead_letters[0][0])


@pytest.mark.requirement("G3")
def test_a_quarantined_mail_can_be_released(system: System) -> None:
    """An automatic mail makes a ticket only if a person releases it."""
    before = quarantine(system, "auto_reply")
    system.mail("four@example.com", "无法登录", "无法登录\n", Auto_Submitted="auto-replied")

    def added() -> list[list[str]]:
        return [line for line in quarantine(system, "auto_reply") if line not in before]

    (line,) = wait_until(added, "it is quarantined")
    assert line[0].startswith("quarantine/standard/")
    assert "four@example.com" in system.command("quarantine", "show", line[0])
    assert system.sent("four@example.com") == []
    assert "queued for standard" in system.command("quarantine", "replay", line[0])
    wait_until(lambda: system.sent("four@example.com"), "it is a ticket")
    assert added() == []


@pytest.mark.requirement("G3")
def test_every_mail_over_smtp_is_accounted_for(system: System) -> None:
    """Twenty mails of many kinds, each in exactly one place."""
    mails = mails_for_the_system(MailGenerator(SEED))
    assert len(mails) == 20
    for mail in mails:
        send_raw(system, mail.raw, mail.recipients)
    expected = {
        (desk, digest(mail.raw)): (mail.fate, mail.cause) for mail in mails for desk in mail.desks
    }

    def look() -> dict[tuple[str, str], list[tuple[str, str]]] | None:
        found = locations(system)
        return found if set(expected) <= set(found) else None

    found = wait_until(look, "every mail is somewhere", 120)
    for key, (fate, cause) in expected.items():
        ((where, why),) = found[key]
        assert (where, why.startswith(cause)) == (fate, True), (key, why)
    aside = [line[0] for line in quarantine(system, "mail/") if line[0].startswith("quarantine/")]
    system.command("quarantine", "discard", *aside, "--reason", "sent by a test")
    reasons = {
        line.partition("\t")[0]: line.rpartition(": ")[2]
        for line in system.command("quarantine", "list", "--discarded").splitlines()
    }
    for entry in aside:
        assert reasons[entry.replace("quarantine/", "discarded/", 1)] == "sent by a test"


SEED = 20
SPAM = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*" + b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def mails_for_the_system(make: MailGenerator) -> list[GeneratedMail]:
    """Return mails that need no verdict of SES, and one that every filter takes for spam."""
    spam = make.html()
    spam.raw = spam.raw.replace(b"<script>", SPAM)
    spam.fate, spam.cause = "quarantine", "spam: "
    people = [make.person(charset, charset) for charset in ("gb2312", "big5", "iso-2022-jp")]
    return [
        *people, make.html(), make.with_files(), make.program_inside(), make.without_id(),
        make.of_a_list(), make.asked_by_two(), make.of_the_other_desk(), make.quotes_a_number(),
        make.many_parts(), make.deep(), make.no_sender(), make.to_nobody(), make.own(),
        make.bounce(""), make.out_of_office(""), make.complaint(), spam,
    ]  # fmt: skip


def send_raw(system: System, mail: bytes, recipients: tuple[str, ...]) -> None:
    with system.smtp() as connection:
        connection.sendmail("sender@example.com", recipients, b"\r\n".join(mail.splitlines()))


def digest(mail: bytes) -> str:
    """Return the digest of a mail, whatever its line ends."""
    return sha256(b"\n".join(mail.rstrip().splitlines())).hexdigest()


def locations(system: System) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return (desk, digest of the mail) → its places: a ticket, or quarantine with the cause."""
    s3, bucket = system.aws("s3"), f"deskbell-local-mail-{ACCOUNT}-{REGION}"
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}

    def note(desk: str, key: str, place: tuple[str, str]) -> None:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        found.setdefault((desk, digest(body)), []).append(place)

    pages = system.aws("dynamodb").get_paginator("scan").paginate(TableName="deskbell-local")
    for item in (item for page in pages for item in page["Items"]):
        if item["sk"]["S"].startswith("EVENT#") and item["pk"]["S"].startswith("TICKET#"):
            # What other tests wrote there is not all meant to be read.
            with suppress(DeadLetter):
                commit = read_commit(item)
                for event in commit.events:
                    if isinstance(event, TicketReceived | CustomerWrote) and event.raw:
                        note(commit.desk, event.raw, ("ticket", ""))
    for line in system.command("quarantine", "list").splitlines():
        key, _, desk, _, _, cause = line.split("\t")
        if key.startswith("quarantine/"):
            note(desk, key, ("quarantine", cause))
    return found


@pytest.mark.requirement("G3")
def test_a_dead_lettered_delivery_is_replayed(system: System) -> None:
    """SES refuses it at first; it is sent once the cause is gone."""
    ses, address = system.aws("sesv2"), system.local["mailboxes"]["standard"]
    ses.delete_email_identity(EmailIdentity=address)
    ticket = system.file("five@example.com", "无法登录")
    wait_until(lambda: len(quarantine(system, ticket["number"])) >= 2, "its mails are dead letters")
    ses.create_email_identity(EmailIdentity=address)
    for line in quarantine(system, ticket["number"]):
        assert "the delivery is due" in system.command("quarantine", "replay", line[0])
    wait_until(lambda: len(system.sent("five@example.com")) >= 2, "they are sent")
    assert quarantine(system, ticket["number"]) == []
    exported = json.loads(system.command("ticket", "export", "standard", ticket["number"]))
    assert {delivery["state"] for delivery in exported["deliveries"]} == {"sent"}


@pytest.mark.requirement("A1")
def test_a_playbook_takes_effect_without_a_deployment(system: System, tmp_path: Path) -> None:
    """Within a minute after it is applied; applying it again stores nothing."""
    ticket = system.file("six@example.com", "无法登录")
    assert await_routing(system, ticket)["status_label"] == "已分配"
    changed = tmp_path / "standard.yaml"
    text = PLAYBOOK.read_text("utf-8")
    assert "{zh-CN: 已分配," in text
    changed.write_text(text.replace("{zh-CN: 已分配,", "{zh-CN: 已交专人,"), "utf-8")
    before = int(system.command("playbook", "list").split()[1])
    assert system.command("playbook", "check", str(changed)).startswith("OK\n")
    said = system.command("playbook", "apply", str(changed))
    assert "~ statuses.assigned.label.zh-CN: 已分配 → 已交专人" in said
    assert f"playbook {before + 1} is in force" in said
    assert "no changes" in system.command("playbook", "apply", str(changed))
    wait_until(
        lambda: system.http("GET", ticket["status_url"]).json["status_label"] == "已交专人",
        "the customer reads the new word",
        60,
    )
    system.command("playbook", "apply", str(PLAYBOOK))
    assert f"standard\t{before + 2}" in system.command("playbook", "list").splitlines()


@pytest.mark.requirement("G3")
def test_a_wrong_playbook_is_refused_with_its_line(system: System, tmp_path: Path) -> None:
    """The error names key, line and what was expected; nothing is stored."""
    wrong = tmp_path / "wrong.yaml"
    text = PLAYBOOK.read_text("utf-8").replace("default_priority: 中", "default_priority: 无")
    wrong.write_text(text, "utf-8")
    line = text[: text.index("default_priority")].count("\n") + 1
    for command in ("check", "apply"):
        said = system.command("playbook", command, str(wrong), code=1)
        assert f"wrong.yaml:{line}: default_priority: there is no '无'" in said


@pytest.mark.requirement("G3", "G8")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_restart_keeps_everything(system: System, how: signal.Signals) -> None:
    """Killed or stopped, it keeps tickets, agents and numbers."""
    address = f"{how.name.lower()}@example.com"
    ticket = system.file(address, "无法登录")
    status = await_routing(system, ticket)["status"]
    wait_until(lambda: len(system.sent(address)) >= 2, "acknowledged and assigned")
    mails, people = subjects(system, address), system.local["agents"]
    scratch = system.data / "tmp"
    left = set(scratch.glob("ministack-lambda-*"))
    [package] = (scratch / "packages").iterdir()
    unpacked = package.stat().st_ino
    assert left
    assert system.stop(how) == (0 if how == signal.SIGINT else -how)
    system.start()
    assert not any(folder.exists() for folder in left)
    assert package.stat().st_ino == unpacked
    assert "nothing changed since the last deployment" in system.output_since_start()
    # A desk that was added meanwhile gets its own agents.
    assert [agent for agent in system.local["agents"] if agent in people] == people
    assert system.http("GET", ticket["status_url"]).json["status"] == status
    assert subjects(system, address) == mails
    after = system.file("eight@example.com", "无法登录")
    assert int(after["number"][-3:]) > int(ticket["number"][-3:])  # decision 0007: gaps may be


@pytest.mark.requirement("F3")
def test_the_schedule_invokes_the_sweep_every_minute(system: System) -> None:
    logs, group = system.aws("logs"), "/aws/lambda/deskbell-local-sla_timer"

    def swept() -> bool:
        streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
        return any(
            "REPORT" in event["message"]
            for stream in streams
            for event in logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"]
            )["events"]
        )

    wait_until(swept, "a sweep", 90)
