"""The function on moto: from a stream record to one mail or SMS."""

import json
from datetime import UTC, datetime, timedelta
from email import message_from_string, policy
from pathlib import Path

import pytest

from functions.notify import handler
from functions.notify.base_dispatch import CLAIM_TIMEOUT
from functions.notify.handler import CLAIM_PAUSE, notify
from tests.notify.deployment import MAIL, PHONE, URL, Context, Harness


@pytest.mark.requirement("A4", "F2")
def test_a_new_ticket_is_acknowledged_by_mail(harness: Harness) -> None:
    """With the number and the expected response time."""
    ticket = harness.file(MAIL)
    assert harness.invoke(harness.event_record(ticket)) == []
    [mail] = harness.mails
    assert set(mail.destinations) == {MAIL}
    message = message_from_string(mail.raw_data, policy=policy.default)
    assert message["Subject"] == f"[{ticket.number}] 请求已接收"
    body = message.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert ticket.number in text
    assert "3月11日（周三）12:00" in text
    assert f"{URL}/desks/standard/tickets/{ticket.number}?key=" in text
    [delivery] = harness.deliveries(ticket)
    assert (delivery.state, delivery.channel, delivery.attempts) == ("sent", "email", 1)
    assert delivery.provider_id


@pytest.mark.requirement("A4")
def test_a_new_ticket_with_a_phone_number_is_acknowledged_by_sms(harness: Harness) -> None:
    ticket = harness.file("138 0013 8000")
    assert harness.invoke(harness.event_record(ticket)) == []
    [(number, text)] = harness.sms
    assert number == PHONE
    assert ticket.number in text
    [delivery] = harness.deliveries(ticket)
    assert (delivery.state, delivery.channel, delivery.to) == ("sent", "sms", "*******8000")


@pytest.mark.requirement("G3", "F2")
def test_a_poison_record_is_dead_lettered_and_delays_no_other(harness: Harness) -> None:
    ticket = harness.file(MAIL)
    good = harness.event_record(ticket)
    poison = harness.event_record(ticket)
    poison["dynamodb"]["NewImage"] = {**poison["dynamodb"]["NewImage"], "body": {"S": "nonsense"}}
    assert harness.invoke(poison, good, {"dynamodb": {}}) == []
    assert len(harness.deliveries(ticket)) == 1
    causes = [note["cause"] for note in harness.dead_letters]
    assert len(causes) == 2
    assert any("not a list of events" in cause for cause in causes)


@pytest.mark.requirement("G3")
def test_a_rejected_mail_is_in_the_dead_letter_queue(harness: Harness) -> None:
    import boto3

    boto3.client("ses").delete_identity(Identity="support@standard.local")
    ticket = harness.file(MAIL)
    assert harness.invoke(harness.event_record(ticket)) == []
    [delivery] = harness.deliveries(ticket)
    assert delivery.state == "dead_lettered"
    assert "MessageRejected" in (delivery.cause or "")
    [note] = harness.dead_letters
    assert note["keys"] == {"pk": f"TICKET#standard#{ticket.number}", "sk": "DELIVERY#000001"}
    assert "li.example" not in str(note)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the function waits before its answer, in place of the waiting."""
    found: list[float] = []
    monkeypatch.setattr(handler, "sleep", found.append)
    return found


@pytest.mark.requirement("E11", "G3")
def test_a_record_is_retried_until_its_claim_times_out(
    harness: Harness, pauses: list[float]
) -> None:
    """Lambda retries at once, so the function pauses, within its own time."""
    ticket = harness.file(MAIL)
    harness.invoke(harness.event_record(ticket))
    assert pauses == []
    [sent] = harness.deliveries(ticket)
    claimed = sent.model_copy(update={"state": "claimed", "claimed_at": datetime.now(UTC)})
    assert harness.storage.deliveries.move(claimed, "sent")
    record = harness.event_record(ticket)
    assert harness.invoke(record) == [record["dynamodb"]["SequenceNumber"]]
    assert pauses == [CLAIM_PAUSE.total_seconds()]
    notify({"Records": [record]}, Context(left=26_000))
    assert pauses[-1] <= 21  # never beyond its own time


@pytest.mark.requirement("E11")
def test_a_claim_outlives_the_run_that_made_it() -> None:
    config = json.loads(Path(".chalice/config.json").read_text())
    for stage in config["stages"].values():
        timeout = timedelta(seconds=stage["lambda_functions"]["notify"]["lambda_timeout"])
        # A claim is stamped in whole seconds, and clocks of two machines differ a little.
        assert timeout + timedelta(seconds=2) <= CLAIM_TIMEOUT


@pytest.mark.requirement("E11")
def test_a_record_that_fails_for_now_is_reported_to_lambda(harness: Harness) -> None:
    first, second = harness.file(MAIL), harness.file(MAIL)
    harness.invoke(harness.event_record(first))
    [sent] = harness.deliveries(first)
    claimed = sent.model_copy(update={"state": "claimed", "claimed_at": datetime.now(UTC)})
    assert harness.storage.deliveries.move(claimed, "sent")
    again = harness.event_record(first)
    assert harness.invoke(again, harness.event_record(second)) == [
        again["dynamodb"]["SequenceNumber"]
    ]
    assert [d.state for d in harness.deliveries(second)] == ["sent"]


@pytest.mark.requirement("E11")
def test_no_record_is_started_without_time_to_finish_it(harness: Harness) -> None:
    ticket = harness.file(MAIL)
    record = harness.event_record(ticket)
    answer = notify({"Records": [record]}, Context(left=10_000))
    wanted = [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]
    assert answer == {"batchItemFailures": wanted}
    assert harness.deliveries(ticket) == []
    assert harness.invoke(record) == []
    assert len(harness.mails) == 1
