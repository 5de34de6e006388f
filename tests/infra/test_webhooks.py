"""The console's commands for webhooks: secrets, test messages, replays."""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from standardwebhooks import Webhook as Verifier
from typer.testing import CliRunner

from functions.administration.endpoints import Span
from functions.core.domain import commands as c
from functions.core.domain.errors import ActionNotAllowed, NotFound, PlaybookError
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws, container
from functions.core.playbook import load
from functions.notify import wiring
from infra.console.errors import UsageError
from infra.console.main import app
from infra.console.webhooks import webhooks_of
from infra.deploy import desks
from infra.deploy.stage_secrets import ensure_endpoint_secrets
from infra.deploy.trail import OperatorTrail
from tests.aws_snapshots import aws_in_memory, restore_or_make
from tests.inprocess.conftest import ROOT, shipped
from tests.notify.deployment import (
    DEPLOYMENT,
    NOON,
    REGION,
    STAGE,
    Harness,
    make_services,
    stream_record,
)
from tests.notify.webhook_receiver import Receiver

pytestmark = pytest.mark.requirement("G5")
HOUR = timedelta(hours=1)
TRAIL = OperatorTrail(STAGE, "console:test")
KEPT = (aws.client, aws.parameter, container.storage, wiring.endpoint_budget, wiring.secret_cache)


@pytest.fixture
def harness() -> Iterator[Harness]:
    for cached in KEPT:
        cached.cache_clear()
    with aws_in_memory(REGION):
        restore_or_make("webhooks", _services)
        yield Harness(desks.storage_of(STAGE), shipped(ROOT / "playbooks" / "standard.yaml"))
    for cached in KEPT:
        cached.cache_clear()


def _services() -> None:
    make_services()
    boto3.client("ssm").put_parameter(
        Name=DEPLOYMENT.parameter("settings"), Value='{"local_webhooks":"on"}', Type="String"
    )


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().listening() as found:
        yield found


@pytest.fixture
def desk(harness: Harness, receiver: Receiver) -> Harness:
    """The standard desk with one endpoint, as `deskbell playbook apply` stores it."""
    return apply_endpoints(harness, crm=["ticket.received", "note.added"], at=receiver.url)


def apply_endpoints(harness: Harness, *, at: str, **events: list[str]) -> Harness:
    document = json.loads(harness.playbook.model_dump_json(exclude_defaults=True))
    document["webhooks"] = {name: {"url": at, "events": wanted} for name, wanted in events.items()}
    harness.playbook = load(document)
    desks.apply(TRAIL, harness.playbook, NOON)
    harness.storage.playbooks.cache.clear()
    container.storage.cache_clear()
    return harness


def create_ticket_with_note(desk: Harness) -> Ticket:
    """Create a ticket, add a note an hour later, and deliver both stream records."""
    ticket = desk.change(desk.file(), c.Note(text="看过"), at=NOON + HOUR)
    for version in (1, ticket.version):
        assert desk.invoke(desk.event_record(ticket, version)) == []
    return ticket


def deliver_due(desk: Harness, ticket: Ticket) -> None:
    """Make retries due and deliver the stream records of due deliveries."""
    for delivery in desk.deliveries(ticket):
        if delivery.state == "retrying":
            assert desk.invoke(desk.make_due(delivery)) == []
    for item in desk.storage.tickets.items(ticket.desk, ticket.number):
        if item.get("state", {}).get("S") == "due":
            assert desk.invoke(stream_record(item, "MODIFY")) == []


def test_applying_a_playbook_creates_the_secret_once(desk: Harness) -> None:
    [secret] = webhooks_of(STAGE).secrets("standard", "crm", NOON)
    assert secret.startswith("whsec_")
    ensure_endpoint_secrets(boto3.client("ssm"), STAGE, "standard", ["crm"], NOON)
    assert webhooks_of(STAGE).secrets("standard", "crm", NOON) == (secret,)
    assert desks.versions(STAGE) == [("standard", 1)]
    [listed] = webhooks_of(STAGE).endpoints("standard", NOON)
    assert (listed.desk, listed.name, listed.secrets) == ("standard", "crm", 1)


def test_both_secrets_are_valid_after_a_rotation(desk: Harness, receiver: Receiver) -> None:
    """For a while, so that the receiver can change."""
    now = datetime.now(UTC)
    [old] = webhooks_of(STAGE).secrets("standard", "crm", now)
    new = webhooks_of(STAGE).rotate(TRAIL, "standard", "crm", HOUR, now)
    assert webhooks_of(STAGE).secrets("standard", "crm", now) == (new, old)
    create_ticket_with_note(desk)
    for secret in (old, new):
        assert Verifier(secret).verify(receiver.got[0].body, receiver.got[0].headers)
    assert webhooks_of(STAGE).secrets("standard", "crm", now + HOUR) == (new,)


def test_a_test_message_verifies(desk: Harness, receiver: Receiver) -> None:
    now = datetime.now(UTC)
    assert webhooks_of(STAGE).send_test(TRAIL, "standard", "crm", now) == "HTTP 204"
    [secret] = webhooks_of(STAGE).secrets("standard", "crm", now)
    found = Verifier(secret).verify(receiver.got[0].body, receiver.got[0].headers)
    assert found["type"] == "webhook.test"
    assert found["data"] == {"desk": "standard", "webhook": "crm"}


def test_one_message_is_replayed_with_its_id(desk: Harness, receiver: Receiver) -> None:
    """Even if it had arrived."""
    ticket = create_ticket_with_note(desk)
    first = receiver.ids[0]
    assert webhooks_of(STAGE).replay_id(first, NOON) == "it is sent now"
    with pytest.raises(ActionNotAllowed, match="is being sent"):
        webhooks_of(STAGE).replay_id(first, NOON)
    deliver_due(desk, ticket)
    assert receiver.ids.count(first) == 2
    assert len(receiver.ids) == 3


@pytest.mark.parametrize("written", ["msg_standard_CS99_1_0_crm", "x", "msg_standard_{}_1_77_crm"])
def test_an_unknown_message_is_an_error(desk: Harness, written: str) -> None:
    with pytest.raises(NotFound, match="There is no message"):
        webhooks_of(STAGE).replay_id(written.format(create_ticket_with_note(desk).number), NOON)


def test_a_period_is_replayed(desk: Harness, receiver: Receiver) -> None:
    """From its start until before its end, with the same ids."""
    ticket = create_ticket_with_note(desk)
    later = NOON + HOUR
    done = webhooks_of(STAGE).replay_span(Span("standard", "", later, later + HOUR), 300, later)
    assert (done.again, done.first, done.skipped) == (1, 0, 0)
    deliver_due(desk, ticket)
    assert [request.json["type"] for request in receiver.got] == [
        "ticket.received", "note.added", "note.added",
    ]  # fmt: skip
    assert receiver.ids[1] == receiver.ids[2]
    before = webhooks_of(STAGE).replay_span(Span("standard", "", NOON - HOUR, NOON), 300, later)
    assert (before.again, before.first) == (0, 0)


def test_a_new_endpoint_can_get_past_events(desk: Harness, receiver: Receiver) -> None:
    """Other endpoints get nothing again."""
    ticket = create_ticket_with_note(desk)
    apply_endpoints(desk, crm=["ticket.received"], bi=["*"], at=receiver.url)
    assert len(webhooks_of(STAGE).secrets("standard", "bi", NOON)) == 1
    span = Span("standard", "bi", NOON - HOUR, NOON + 2 * HOUR)
    done = webhooks_of(STAGE).replay_span(span, 300, NOON)
    assert (done.again, done.first) == (0, 3)
    deliver_due(desk, ticket)
    assert len(receiver.got) == 5
    assert {request.headers["webhook-id"].rpartition("_")[2] for request in receiver.got[2:]} == {
        "bi"
    }


def test_many_replayed_messages_are_spread_over_minutes(desk: Harness) -> None:
    """Customers' messages and the endpoint keep up."""
    tickets = [desk.file(contact=f"a{n}@example.com") for n in range(5)]
    span = Span("standard", "crm", NOON, NOON + HOUR)
    done = webhooks_of(STAGE).replay_span(span, 2, NOON)
    assert (done.first, done.last) == (5, NOON + timedelta(minutes=2))
    moments = sorted(d.next_at for t in tickets for d in desk.deliveries(t) if d.next_at)
    assert [m - NOON for m in moments] == [timedelta(minutes=n) for n in (0, 0, 1, 1, 2)]


def other_desk(desk: Harness, mailbox: str) -> Playbook:
    """Return the desk's playbook as that of another desk."""
    mail = desk.playbook.mail.model_copy(update={"address": mailbox})
    return desk.playbook.model_copy(update={"desk": "other", "mail": mail})


@pytest.mark.requirement("F7")
def test_applying_the_same_playbook_stores_no_new_version(desk: Harness) -> None:
    """Changes are listed line by line."""
    again = desks.apply(TRAIL, desk.playbook, NOON)
    assert (again.version, again.stored, again.changes) == (1, False, ())
    changed = desk.playbook.model_copy(update={"reopen_within": timedelta(days=3)})
    applied = desks.apply(TRAIL, changed, NOON)
    assert (applied.version, applied.stored) == (2, True)
    assert [(change.kind, change.key) for change in applied.changes] == [("added", "reopen_within")]


@pytest.mark.requirement("F1", "F7")
def test_a_mailbox_of_another_desk_is_refused_in_one_line(desk: Harness) -> None:
    """Nothing of the playbook is stored."""
    with pytest.raises(PlaybookError, match=r"mail\.address: support@standard\.local"):
        desks.apply(TRAIL, other_desk(desk, "support@standard.local"), NOON)
    assert desks.versions(STAGE) == [("standard", 1)]


def test_a_replayed_message_has_all_its_attempts(desk: Harness, receiver: Receiver) -> None:
    """Messages of other desks are left alone."""
    ticket = create_ticket_with_note(desk)
    desks.apply(TRAIL, other_desk(desk, "support@other.local"), NOON)
    span = Span("other", "", NOON - HOUR, NOON + 2 * HOUR)
    done = webhooks_of(STAGE).replay_span(span, 300, NOON)
    assert (done.again, done.first, done.skipped) == (0, 0, 0)
    assert webhooks_of(STAGE).replay_id(receiver.ids[0], NOON) == "it is sent now"
    (due,) = [d for d in desk.deliveries(ticket) if d.state == "due"]
    assert (due.attempts, due.cause) == (0, "replayed")


@pytest.mark.requirement("E11")
def test_a_claimed_message_is_not_replayed(desk: Harness) -> None:
    ticket = create_ticket_with_note(desk)
    for delivery in desk.deliveries(ticket):
        if delivery.channel == "webhook":
            claimed = {"state": "claimed"}
            assert desk.storage.deliveries.move(delivery.model_copy(update=claimed), delivery.state)
    span = Span("standard", "crm", NOON, NOON + 2 * HOUR)
    assert webhooks_of(STAGE).replay_span(span, 300, NOON).skipped == 2


def test_an_unknown_endpoint_is_an_error(desk: Harness) -> None:
    for ask in (
        lambda: webhooks_of(STAGE).send_test(TRAIL, "standard", "erp", NOON),
        lambda: webhooks_of(STAGE).rotate(TRAIL, "standard", "erp", HOUR, NOON),
        lambda: webhooks_of(STAGE).replay_span(Span("standard", "erp", NOON, NOON), 1, NOON),
    ):
        with pytest.raises(NotFound, match="The desk standard has no webhook erp; it has: crm"):
            ask()


@pytest.mark.requirement("G3", "G5")
def test_a_replayed_dead_letter_has_all_its_attempts(desk: Harness, receiver: Receiver) -> None:
    from infra.console.quarantine import quarantine_of

    for room in ("mail", "router", "sla_timer"):
        boto3.client("sqs").create_queue(QueueName=f"{DEPLOYMENT.prefix}-{room}-dlq")
    boto3.client("s3").create_bucket(Bucket=f"{DEPLOYMENT.prefix}-mail-123456789012-{REGION}")
    receiver.answers = [410, 500]
    ticket = desk.file()
    assert desk.invoke(desk.event_record(ticket)) == []
    box = quarantine_of(STAGE)
    with box.opened() as found:
        [kept] = [each for each in found if "webhook:crm" in each.subject]
        assert "410" in kept.cause
        assert box.replay(kept) == "the delivery is due"
    deliver_due(desk, ticket)
    [waiting] = [d for d in desk.deliveries(ticket) if d.channel == "webhook"]
    assert (waiting.state, waiting.attempts) == ("retrying", 1)
    assert len(set(receiver.ids)) == 1


# The commands


def run_command(*arguments: str) -> Any:
    return CliRunner().invoke(app, [*arguments, "--stage", STAGE])


@pytest.mark.slow
def test_the_console_commands_work(desk: Harness, receiver: Receiver) -> None:
    ticket = create_ticket_with_note(desk)
    listed = run_command("webhooks", "list").stdout.split("\t")
    assert listed[:2] == ["standard", "crm"]
    assert run_command("webhooks", "list", "--desk", "other").stdout == ""
    secret = run_command("webhooks", "secret", "standard", "crm").stdout.strip()
    assert webhooks_of(STAGE).secrets("standard", "crm", NOON) == (secret,)
    rotated = run_command(
        "webhooks", "rotate", "standard", "crm", "--keep-hours", "0"
    ).stdout.strip()
    assert run_command("webhooks", "secret", "standard", "crm").stdout.split() == [rotated]
    assert "HTTP 204" in run_command("webhooks", "send-test", "standard", "crm").stdout
    assert "sent now" in run_command("webhooks", "replay", "--id", receiver.ids[0]).stdout
    deliver_due(desk, ticket)
    past = ["--desk", "standard", "--from", NOON.isoformat(), "--to", (NOON + HOUR).isoformat()]
    assert (
        "1 are sent again, 0 for the first time" in run_command("webhooks", "replay", *past).stdout
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give --id"),
        (["--id", "x", "--desk", "standard", "--from", "2026-01-01"], "give --id"),
        (["--desk", "standard", "--from", "yesterday"], "--from: use a timestamp"),
        (["--desk", "standard", "--from", "2026-03-10T09:00:00"], "--from: use a timestamp"),
    ],
)
def test_an_incomplete_command_is_an_error(desk: Harness, arguments: list[str], said: str) -> None:
    done = run_command("webhooks", "replay", *arguments)
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)


def test_the_secret_of_an_unknown_endpoint_is_an_error(desk: Harness) -> None:
    """Empty output would read as an endpoint without a secret."""
    done = run_command("webhooks", "secret", "standard", "crn")
    assert isinstance(done.exception, NotFound)
    assert "has no webhook crn; it has: crm" in str(done.exception)


def test_secrets_have_the_standard_webhooks_form(desk: Harness) -> None:
    """32 octets in base64."""
    [secret] = webhooks_of(STAGE).secrets("standard", "crm", NOON)
    Verifier(secret)
    assert len(secret.removeprefix("whsec_")) == len(b64encode(bytes(32)))


def test_an_event_bus_is_created_tested_and_has_no_secret(harness: Harness) -> None:
    document = json.loads(harness.playbook.model_dump_json(exclude_defaults=True))
    document["webhooks"] = {"bi": {"bus": "orders", "events": ["*"]}}
    desks.apply(TRAIL, load(document), NOON)
    harness.storage.playbooks.cache.clear()
    names = [bus["Name"] for bus in boto3.client("events").list_event_buses()["EventBuses"]]
    assert DEPLOYMENT.bus("orders") in names
    webhooks = webhooks_of(STAGE)
    [listed] = webhooks.endpoints("standard", NOON)
    assert (listed.url, listed.secrets) == ("bus:orders", 0)
    assert webhooks.send_test(TRAIL, "standard", "bi", NOON).startswith("event ")
    for refused in (
        lambda: webhooks.secrets("standard", "bi", NOON),
        lambda: webhooks.rotate(TRAIL, "standard", "bi", HOUR, NOON),
    ):
        with pytest.raises(ActionNotAllowed, match="needs no secret"):
            refused()


@pytest.mark.parametrize(
    "wrong",
    [{}, {"url": "https://crm.example.com/in", "bus": "orders"}, {"bus": "arn:aws:events"}],
)
def test_an_endpoint_has_a_url_or_the_name_of_a_bus(harness: Harness, wrong: Any) -> None:
    document = json.loads(harness.playbook.model_dump_json(exclude_defaults=True))
    document["webhooks"] = {"bi": {**wrong, "events": ["*"]}}
    with pytest.raises(PlaybookError, match="webhooks"):
        load(document)
