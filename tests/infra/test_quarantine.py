"""`deskbell quarantine`: list, show, replay and discard."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from functions.administration import closing_workflows
from functions.administration.entries import printable
from functions.administration.redelivery import Redelivery
from functions.administration.unprocessed import Quarantine
from functions.core.domain.errors import InvalidInput
from functions.core.domain.events import TicketReceived
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws
from functions.core.storage.database import Storage
from functions.core.storage.quarantined import as_metadata
from infra.console.main import app
from infra.console.quarantine import quarantine_of
from infra.simulator.simulator import Simulator, mail_notification
from tests.core.sample_desk import new_tickets
from tests.inprocess.conftest import (
    DEPLOYMENT,
    simulator as simulator,  # the deployment on moto
    storage as storage,
)

pytestmark = pytest.mark.requirement("G3")
DESK = "support@standard.local"
INFECTED = {"virusVerdict": {"status": "FAIL"}}
SPAM = {"spamVerdict": {"status": "FAIL"}}
ESCAPE = "\x1b]0;owned\x07\x1b[31m"


def raw_mail(id: str = "<m1@example.com>", text: str = "昨天起无法登录。") -> bytes:  # noqa: A002
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.com", DESK, "无法登录"
    mail["Message-ID"] = id
    mail.set_content(text)
    mail.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="a.pdf")
    mail.set_boundary("a-boundary")
    return mail.as_bytes()


@pytest.fixture
def quarantine(simulator: Simulator) -> Quarantine:
    return quarantine_of(DEPLOYMENT.stage)


@pytest.fixture(autouse=True)
def _emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    # moto ends every execution at once; these are to end badly.
    monkeypatch.setenv("SF_EXECUTION_HISTORY_TYPE", "FAILURE")


def console(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["quarantine", *arguments, "--stage", DEPLOYMENT.stage])
    assert done.exit_code == code, done.output
    return done.output


def listed(*arguments: str) -> list[list[str]]:
    return [line.split("\t") for line in console("list", *arguments).splitlines()]


def process_mail_queue(simulator: Simulator) -> Iterator[Any]:
    """Deliver the messages of the mail queue to intake and yield them."""
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{DEPLOYMENT.prefix}-mail")["QueueUrl"]
    for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        record = {"messageId": message["MessageId"], "body": message["Body"]}
        assert simulator.invoke("intake_mail", {"Records": [record]}) == {"batchItemFailures": []}
        yield json.loads(message["Body"])


def tickets(storage: Storage) -> list[Ticket]:
    return new_tickets(storage, "standard")


@pytest.fixture(autouse=True)
def queue(simulator: Simulator) -> None:
    boto3.client("sqs").create_queue(QueueName=f"{DEPLOYMENT.prefix}-mail")


@pytest.mark.requirement("G3", "G1")
def test_spam_is_quarantined_and_a_replay_creates_the_ticket(
    simulator: Simulator, storage: Storage
) -> None:
    """The quarantine keeps it whole with its cause; replays create one ticket."""
    simulator.mail(raw_mail(), DESK, key="mail/one", verdicts=SPAM)
    assert tickets(storage) == []
    ((id_, function, desk, _, about, cause),) = listed()
    assert (id_, function) == ("quarantine/standard/one", "mail")
    assert (desk, about) == ("standard", "mail/one")
    assert cause.startswith("spam: ")
    shown = console("show", id_)
    for part in ("subject: 无法登录", "spam=FAIL", "昨天起无法登录", "file: a.pdf", "--- source"):
        assert part in shown
    assert "queued for standard" in console("replay", id_)
    verdicts = [found["receipt"]["spamVerdict"] for found in process_mail_queue(simulator)]
    assert verdicts == [{"status": "FAIL"}]
    assert len(tickets(storage)) == 1
    assert listed() == []


def test_an_infected_mail_is_released_with_even_infected_only(
    simulator: Simulator, storage: Storage
) -> None:
    """Its attachments are dropped."""
    simulator.mail(raw_mail(), DESK, key="mail/one", verdicts=INFECTED)
    ((id_, *_, cause),) = listed()
    assert cause.startswith("virus: ")
    assert "--even-infected" in console("replay", "--all", code=1)
    assert "--even-infected" in console("replay", id_, code=1)
    assert listed()
    console("replay", id_, "--even-infected")
    assert len(list(process_mail_queue(simulator))) == 1
    (ticket,) = tickets(storage)
    (received,) = next(iter(storage.tickets.history("standard", ticket.number))).of(TicketReceived)
    assert received.attachments == ()
    assert listed() == []


def test_a_discarded_mail_records_who_discarded_it_and_why(
    simulator: Simulator, storage: Storage, quarantine: Quarantine, tmp_path: Path
) -> None:
    """It is kept whole and can still be released."""
    for name in ("one", "two"):
        simulator.mail(raw_mail(f"<{name}@example.com>"), DESK, key=f"mail/{name}", verdicts=SPAM)
    ids = [line[0] for line in listed()]
    console("discard", *ids, "--reason", "广告邮件，与工单无关")
    assert listed() == []
    found = listed("--discarded")
    assert [line[0] for line in found] == ["discarded/standard/one", "discarded/standard/two"]
    assert all(line[5].startswith("spam: ") for line in found)
    assert all("console:" in line[6] and "广告邮件，与工单无关" in line[6] for line in found)
    console("show", "discarded/standard/one", "--save", str(tmp_path / "one.eml"))
    assert (tmp_path / "one.eml").read_bytes() == raw_mail("<one@example.com>")
    console("replay", "discarded/standard/one")
    assert len(list(process_mail_queue(simulator))) == 1
    assert len(tickets(storage)) == 1
    assert len(listed("--discarded")) == 1


def test_discarding_a_dead_letter_records_it(simulator: Simulator, quarantine: Quarantine) -> None:
    simulator.invoke("intake_mail", {"Records": [{"messageId": "1", "body": "not json"}]})
    ((id_, *_),) = listed()
    console("discard", id_, "--reason", "a probe")
    assert listed() == []
    ((entry, function, *_, cause, by),) = listed("--discarded")
    assert entry == f"discarded/-/{id_}.json"
    assert (function, "not SES's announcement" in cause) == ("mail", True)
    assert by.endswith(": a probe")
    assert json.loads(console("show", entry))["reason"] == "a probe"


def test_discarding_requires_a_reason(simulator: Simulator, quarantine: Quarantine) -> None:
    simulator.mail(raw_mail(), DESK, verdicts=SPAM)
    with quarantine.opened() as (kept,), pytest.raises(InvalidInput, match="reason"):
        quarantine.discard(kept, "  ", "console:test", datetime.now(UTC))
    assert len(listed()) == 1


def test_untrusted_text_cannot_control_a_terminal(simulator: Simulator) -> None:
    """Escape sequences and bidirectional controls are spelt out."""
    turned = "\u202etxt.exe"
    raw = raw_mail(text=f"<script>alert(1)</script> {ESCAPE}{turned}")
    raw = raw.replace(b"Subject: ", b"Subject: \x1b[2J\x9b31m", 1)
    simulator.mail(raw, DESK, key="mail/odd", verdicts=SPAM)
    ((id_, *_),) = listed()
    for said in (console("show", id_), console("list")):
        assert not {c for c in said if ord(c) < 32 or 127 <= ord(c) < 160} - {"\n", "\t"}
        assert "\u202e" not in said
    assert "\\u001b]0;owned\\u0007" in console("show", id_)
    assert "<script>" in console("show", id_)


def test_an_unpaired_surrogate_is_escaped() -> None:
    """Terminals cannot write one."""
    assert printable("\ud83d a").encode() == b"\\ud83d a"


def test_line_ends_are_normalized() -> None:
    assert printable("a\r\nb\tc\rd") == "a\nb\tc\\u000dd"


def test_a_long_cause_fits_into_the_metadata_of_the_mail(simulator: Simulator) -> None:
    """S3 takes 2 KB of metadata; a cause in Chinese is percent-encoded nine bytes a character."""
    from functions.core.platform import aws
    from functions.intake.mail_store import MailStore

    inbox = MailStore(aws.client("s3"), DEPLOYMENT.mail_bucket)
    inbox.quarantine(b"raw", "mail/long", "standard", "原因：" + "很长" * 400)
    ((_, *_, cause),) = listed()
    assert cause.startswith("原因：很长")
    head = boto3.client("s3").head_object(
        Bucket=DEPLOYMENT.mail_bucket, Key="quarantine/standard/long"
    )
    assert sum(len(k) + len(v) for k, v in head["Metadata"].items()) < 1500


@pytest.mark.requirement("G1", "G3")
def test_another_mail_under_a_known_id_is_not_lost(simulator: Simulator, storage: Storage) -> None:
    """Some mailers give one id to every mail; a repetition has the same content."""
    simulator.mail(raw_mail(), DESK)
    simulator.mail(raw_mail().replace(b"From:", b"Received: by mx2\r\nFrom:", 1), DESK)
    assert listed() == []
    other = raw_mail(text="另一件事")
    simulator.mail(other, DESK, key="mail/other")
    ((id_, *_, cause),) = listed()
    assert cause.startswith("repeated id: ")
    console("replay", id_)
    assert len(list(process_mail_queue(simulator))) == 1
    for hop in (b"", b"Received: by mx3\r\n"):
        simulator.mail(hop + other, DESK)
    assert len(tickets(storage)) == 2
    assert listed() == []


def test_a_forged_sender_joins_no_ticket_by_its_address(
    simulator: Simulator, storage: Storage
) -> None:
    """Number and address of the customer are not enough if SPF and DKIM fail."""
    simulator.mail(raw_mail(), DESK)
    (ticket,) = tickets(storage)
    forged = EmailMessage()
    forged["From"], forged["To"] = "a@example.com", DESK
    forged["Subject"], forged["Message-ID"] = f"Re: [{ticket.number}]", "<m2@example.com>"
    forged["In-Reply-To"] = "<m1@example.com>"
    forged.set_content("请把验证码发到新的邮箱。")
    failing = {"spfVerdict": {"status": "FAIL"}, "dkimVerdict": {"status": "FAIL"}}
    simulator.mail(forged.as_bytes(), DESK, verdicts=failing)
    assert len(storage.tickets.history("standard", ticket.number)) == 1
    assert len(tickets(storage)) == 2


@pytest.mark.requirement("F4", "G3")
def test_a_failed_closing_workflow_is_listed_and_starts_again(simulator: Simulator) -> None:
    """It starts with the same input under another name and leaves the list."""
    states = boto3.client("stepfunctions")
    arn = states.create_state_machine(
        name=f"{DEPLOYMENT.prefix}-closing",
        definition='{"StartAt": "A", "States": {"A": {"Type": "Fail"}}}',
        roleArn=f"arn:aws:iam::{DEPLOYMENT.account}:role/x",
    )["stateMachineArn"]
    given = {"desk": "standard", "number": "CS1", "resolution": 1}
    states.start_execution(stateMachineArn=arn, name="standard-CS1-1", input=json.dumps(given))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws, "client", lambda service: boto3.client(service))
        _start_again(given)


def _start_again(given: dict[str, Any]) -> None:
    ((id_, function, desk, _, about, cause),) = listed()
    assert (id_, function, desk, about) == ("standard-CS1-1", "closing", "standard", "CS1")
    assert cause
    assert json.loads(console("show", id_)) == given
    assert "standard-CS1-1-again-1" in console("replay", id_)
    ((again, *_),) = listed()  # moto lets that one fail as well
    assert again == "standard-CS1-1-again-1"
    console("discard", again, "--reason", "the ticket was erased")
    assert listed() == []
    assert [run.name for run in closing_workflows.failed(DEPLOYMENT)] == [again]


def test_an_unknown_id_is_an_error(simulator: Simulator) -> None:
    for command in (("show", "x"), ("replay", "x"), ("discard", "x", "--reason", "y")):
        assert (
            CliRunner().invoke(app, ["quarantine", *command, "--stage", DEPLOYMENT.stage]).exit_code
        )


@pytest.mark.requirement("F4")
@pytest.mark.parametrize("name", ["standard-CS1-1", "x" * 80])
def test_the_name_of_a_restarted_execution_is_valid_for_step_functions(name: str) -> None:
    """80 characters at most ("StartExecution", `name`), however often it fails."""
    names = [name]
    for _ in range(12):
        names.append(closing_workflows._next_name(names[-1]))
    assert max(map(len, names)) <= 80
    assert len(set(names)) == len(names)
    assert names[-1].endswith("-again-12")


def put_dead_letter(function: str, body: dict[str, Any]) -> str:
    """Put a message into a function's dead-letter queue and return the message's id."""
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{DEPLOYMENT.prefix}-{function}-dlq")["QueueUrl"]
    return sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))["MessageId"]


@pytest.mark.parametrize("key", ["room", "function"])
def test_a_dead_letter_of_an_earlier_version_is_listed_and_replayed(
    simulator: Simulator, storage: Storage, key: str
) -> None:
    """Version 196e096 wrote the key `room`."""
    boto3.client("s3").put_object(Bucket=DEPLOYMENT.mail_bucket, Key="mail/one", Body=raw_mail())
    record = mail_notification("mail/one", (DESK,))["body"]
    cause = "ClientError: SlowDown"
    note = {key: "mail", "cause": cause, "keys": {"message_id": "1"}, "record": record}
    message_id = put_dead_letter("mail", note)
    ((entry_id, function, desk, _, subject, shown_cause),) = listed()
    assert (entry_id, function, desk) == (message_id, "mail", "standard")
    assert (subject, shown_cause) == ("mail/one", cause)
    assert "昨天起无法登录" in console("show", entry_id)
    console("replay", entry_id)
    assert len(list(process_mail_queue(simulator))) == 1
    assert len(tickets(storage)) == 1
    assert listed() == []


def test_a_stream_record_dead_lettered_by_an_earlier_version_is_replayed(
    quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record goes to the function whose queue holds it, whatever the key is called."""
    delivered: list[tuple[str, Any]] = []

    def records(redelivery: Redelivery, batch: list[Any]) -> str:
        delivered.append((redelivery.function, batch))
        return "processed"

    monkeypatch.setattr(Redelivery, "records", records)
    keys = {"pk": "TICKET#standard#CS1", "sk": "EVENT#000001"}
    record = {"dynamodb": {"SequenceNumber": "1"}}
    put_dead_letter("router", {"room": "router", "cause": "x", "keys": keys, "record": record})
    with quarantine.opened() as (entry,):
        assert (entry.function, entry.desk) == ("router", "standard")
        assert entry.subject == "CS1 EVENT#000001"
        assert quarantine.replay(entry) == "processed"
    assert delivered == [(f"{DEPLOYMENT.prefix}-router", [record])]
    assert listed() == []


@pytest.mark.parametrize("key", ["room", "function"])
def test_a_chat_call_quarantined_by_an_earlier_version_is_listed_as_one(
    simulator: Simulator, key: str
) -> None:
    call = {"desk": "standard", "channel": "wechat", "query": {}, "key": "mail/call"}
    boto3.client("s3").put_object(
        Bucket=DEPLOYMENT.mail_bucket,
        Key="quarantine/standard/call",
        Body=b"<xml/>",
        Metadata={key: "chat", "cause": "unreadable", "mail": "mail/call", "verdicts": "{}",
                  "call": as_metadata(json.dumps(call))},
    )  # fmt: skip
    ((entry_id, function, *_),) = listed()
    assert (entry_id, function) == ("quarantine/standard/call", "chat")
    assert "queued for standard" in console("replay", entry_id)


@pytest.mark.requirement("G4")
def test_a_ticket_of_an_unproven_sender_says_so(simulator: Simulator, storage: Storage) -> None:
    failing = {"spfVerdict": {"status": "FAIL"}, "dkimVerdict": {"status": "FAIL"}}
    simulator.mail(raw_mail(), DESK)
    simulator.mail(raw_mail("<m2@example.com>"), DESK, verdicts=failing)
    firsts = [storage.tickets.first_commit("standard", t.number).commit for t in tickets(storage)]
    received = [event for first in firsts if first for event in first.of(TicketReceived)]
    assert sorted(event.unproven for event in received) == [False, True]


def test_a_dead_letter_whose_replay_fails_stays(simulator: Simulator) -> None:
    keys = {"pk": "TICKET#standard#CS1", "sk": "DELIVERY#000001"}
    message_id = put_dead_letter("notify", {"function": "notify", "cause": "x", "keys": keys})
    console("replay", message_id, code=1)
    assert [row[0] for row in listed()] == [message_id]
