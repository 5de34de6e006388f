"""Bounces and complaints: recorded on their ticket, and mail to bad addresses stopped."""

import json
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import boto3
import pytest

from deskbell.client import ApiResponse
from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import TryAgain
from functions.core.domain.events import ContactBounced, NoteAdded
from functions.core.domain.roster import Agent
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws
from functions.core.storage.contacts import Contacts
from functions.core.storage.database import Storage
from functions.core.text.tokens import message_id
from functions.intake.bounces import BounceRecorder
from infra.simulator.simulator import Simulator
from tests import moto_internals
from tests.inprocess.conftest import erase_customer

pytestmark = pytest.mark.requirement("G3")
DESK = "support@standard.local"
CUSTOMER = "li.lei@example.com"
SUPERVISOR = {"cognito:username": "zg-1", "cognito:groups": "standard:supervisor"}


def file_ticket(simulator: Simulator, storage: Storage, contact: str = CUSTOMER) -> str:
    """Create a ticket by web form and return its number."""
    body = {"contact": contact, "description": "无法登录"}
    answer = simulator.http("POST", "/desks/standard/tickets", body)
    assert answer.status == 201, answer.text
    simulator.pump()
    number: str = answer.json["number"]
    return number


def own_id(simulator: Simulator, number: str, version: int = 1) -> str:
    root = aws.root_key(simulator.deployment)
    return f"<{message_id(root, 'standard', number, version, 'standard.local')}>"


def bounce(
    headers: str, *, status: str = "5.1.1", recipient: str = CUSTOMER, action: str = "failed"
) -> bytes:
    """Return a bounce (RFC 3464) with the headers of the mail that came back."""
    return (
        "From: MAILER-DAEMON@mx.example.com\r\n"
        f"To: {DESK}\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\n"
        f"Message-ID: <{hash((headers, status, recipient, action)):x}@mx.example.com>\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nYour mail could not be delivered.\r\n\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.com\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{headers}\r\n\r\n--b--\r\n"
    ).encode()


def complaint(headers: str, feedback: str = "abuse") -> bytes:
    """Return a complaint (RFC 5965)."""
    return (
        "From: fbl@mx.example.com\r\n"
        f"To: {DESK}\r\nSubject: Email Feedback Report\r\nMessage-ID: <fbl-{feedback}@mx>\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThis is an abuse report.\r\n\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {feedback}\r\nUser-Agent: Some/1.0\r\nVersion: 1\r\n"
        f"Original-Rcpt-To: {CUSTOMER}\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\n{headers}\r\nSubject: x\r\n\r\n"
        "text\r\n--b--\r\n"
    ).encode()


def ses_notification(
    kind: str = "Bounce",
    *,
    named: str = "eventType",
    headers: list[dict[str, str]] | None = None,
    recipient: str = CUSTOMER,
    **detail: Any,
) -> str:
    """Return SES's notification as its developer guide shows it."""
    recipients = "bouncedRecipients" if kind == "Bounce" else "complainedRecipients"
    content: dict[str, Any] = {
        named: kind,
        kind.lower(): {
            "feedbackId": "00000138111222aa-33322211-cccc-cccc-cccc-ddddaaaa068a-000000",
            recipients: [{"emailAddress": recipient, "status": "5.1.1", "action": "failed"}],
            **({"bounceType": "Permanent", "bounceSubType": "General"} if kind == "Bounce" else {}),
            **detail,
        },
        "mail": {"source": f"Support <{DESK}>", "messageId": "0000013786031775"},
    }
    if headers is not None:
        content["mail"]["headers"] = headers
    return json.dumps(content)


def mail_bounce(simulator: Simulator, number: str, **changes: str) -> None:
    """Deliver a bounce of the mail about a ticket."""
    simulator.mail(bounce(f"Message-ID: {own_id(simulator, number)}", **changes), DESK)
    simulator.pump()


def notify(simulator: Simulator, number: str, kind: str = "Bounce", **changes: Any) -> None:
    """Process SES's notification about a mail that names the ticket's keyed id."""
    headers = [{"name": "References", "value": own_id(simulator, number)}]
    process_notification(simulator, ses_notification(kind, headers=headers, **changes))


def quarantined(simulator: Simulator) -> int:
    bucket = simulator.deployment.mail_bucket
    listed = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix="quarantine/standard/")
    return int(listed["KeyCount"])


def notes(storage: Storage, number: str) -> list[str]:
    history = storage.tickets.history("standard", number)
    return [event.text for commit in history for event in commit.of(NoteAdded)]


def process_notification(simulator: Simulator, body: str) -> None:
    record = {"messageId": "1", "body": body, "attributes": {}}
    assert simulator.invoke("intake_mail", {"Records": [record]}) == {"batchItemFailures": []}
    simulator.pump()


def undeliverable_cause(storage: Storage, number: str) -> str | None:
    return storage.tickets.load("standard", number).customer.undeliverable


def bounce_events(storage: Storage, number: str) -> list[Any]:
    found = storage.tickets.history("standard", number)
    return [event for commit in found for event in commit.of(ContactBounced)]


def act_on(simulator: Simulator, number: str, action: str, **body: Any) -> ApiResponse:
    path = f"/agent/desks/standard/tickets/{number}/{action}"
    answer = simulator.http("POST", path, body, claims=SUPERVISOR)
    simulator.pump()
    return answer


def last_delivery(storage: Storage, number: str, message: str) -> Delivery:
    found = [d for d in storage.deliveries.list("standard", number) if d.message == message]
    assert found, f"nobody was told {message}"
    return found[-1]


def sent_to(address: str) -> int:
    return sum(address in str(mail.destinations) for mail in moto_internals.sent_mails())


@pytest.mark.parametrize(
    "header", ["Message-ID", "References", "In-Reply-To", "X-Deskbell-Id"], ids=str.lower
)
def test_a_hard_bounce_stops_mail_to_its_contact(
    simulator: Simulator, storage: Storage, header: str
) -> None:
    number, other = file_ticket(simulator, storage), file_ticket(simulator, storage)
    simulator.mail(bounce(f"{header}: {own_id(simulator, number)}\r\nSubject: x"), DESK)
    simulator.pump()
    (event,) = bounce_events(storage, number)
    assert (event.permanent, event.cause) == (True, "bounce 5.1.1")
    assert (
        undeliverable_cause(storage, number)
        == undeliverable_cause(storage, other)
        == "bounce 5.1.1"
    )

    before = sent_to(CUSTOMER)
    assert act_on(simulator, number, "assign", agent="li-1").status == 200
    assert act_on(simulator, number, "reply", text="请重置密码").status == 200
    held = last_delivery(storage, number, "reply")
    assert held.state == "dead_lettered"
    assert held.cause == "blocked: bounce 5.1.1; correct the contact first"
    # The next ticket starts with the mark.
    third = file_ticket(simulator, storage)
    assert undeliverable_cause(storage, third) == "bounce 5.1.1"
    assert last_delivery(storage, third, "received").state == "dead_lettered"
    assert sent_to(CUSTOMER) == before
    # The handler is notified, by mail to the team.
    assert last_delivery(storage, other, "handler_mail_returned").state == "sent"


@pytest.mark.requirement("G1")
def test_a_repeated_bounce_is_recorded_once(simulator: Simulator, storage: Storage) -> None:
    number = file_ticket(simulator, storage)
    raw = bounce("Subject: x").replace(
        b"Subject: Und", f"References: {own_id(simulator, number)}\r\nSubject: Und".encode()
    )
    for _ in range(2):
        simulator.mail(raw, DESK)
    assert len(bounce_events(storage, number)) == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"status": "5.2.2"}, "a full mailbox"),
        ({"status": "4.4.1", "action": "delayed"}, "only late"),
        ({"recipient": "elsewhere@example.net"}, "somebody's forwarding"),
    ],
    ids=lambda found: found if isinstance(found, str) else "",
)
def test_a_soft_bounce_is_recorded_and_stops_no_mail(
    simulator: Simulator, storage: Storage, changes: dict[str, str], why: str
) -> None:
    number = file_ticket(simulator, storage)
    mail_bounce(simulator, number, **changes)
    (event,) = bounce_events(storage, number)
    assert not event.permanent
    assert undeliverable_cause(storage, number) is None


def test_a_bounce_without_our_keyed_id_is_quarantined(
    simulator: Simulator, storage: Storage
) -> None:
    number = file_ticket(simulator, storage)
    forged = own_id(simulator, number).replace(".1.", ".2.")
    for headers in ("Message-ID: <x@example.com>", f"Message-ID: {forged}"):
        simulator.mail(bounce(headers), DESK)
    assert undeliverable_cause(storage, number) is None
    assert bounce_events(storage, number) == []
    assert quarantined(simulator) == 2


@pytest.mark.parametrize("what", ["bounce", "complaint"])
def test_a_report_without_a_recipient_stops_no_mail(
    simulator: Simulator, storage: Storage, what: str
) -> None:
    """A forwarded mail reveals its keyed id to anybody."""
    number, other = file_ticket(simulator, storage), file_ticket(simulator, storage)
    headers = f"Message-ID: {own_id(simulator, number)}"
    raw = bounce(headers) if what == "bounce" else complaint(headers)
    for line in ("Final-Recipient: rfc822;", "Original-Rcpt-To:"):
        raw = raw.replace(f"{line} {CUSTOMER}\r\n".encode(), b"")
    assert CUSTOMER.encode() not in raw
    simulator.mail(raw, DESK)
    simulator.pump()
    (event,) = bounce_events(storage, number)
    assert (event.cause.split()[0], event.permanent) == (what, False)
    assert undeliverable_cause(storage, number) is undeliverable_cause(storage, other) is None
    assert undeliverable_cause(storage, file_ticket(simulator, storage)) is None


def test_an_ses_notification_needs_no_recipient(simulator: Simulator, storage: Storage) -> None:
    number = file_ticket(simulator, storage)
    notify(simulator, number, "Complaint", complainedRecipients=[])
    assert undeliverable_cause(storage, number) == "complaint"


@pytest.mark.requirement("B10")
def test_a_complaint_about_an_erased_ticket_stops_no_mail(
    simulator: Simulator, storage: Storage
) -> None:
    number = file_ticket(simulator, storage)
    erase_customer(simulator, datetime.now(UTC), number=number)
    notify(simulator, number, "Complaint", complainedRecipients=[])
    assert undeliverable_cause(storage, number) is None
    kept = boto3.client("dynamodb").scan(TableName=storage.table.name)["Items"]
    assert [item for item in kept if item["sk"]["S"] == "CONTACT"] == []


def test_a_complaint_stops_automatic_mail_only(simulator: Simulator, storage: Storage) -> None:
    """RFC 5965; `not-spam` stops nothing."""
    number = file_ticket(simulator, storage)
    headers = f"References: {own_id(simulator, number)}"
    simulator.mail(complaint(headers, "not-spam"), DESK)
    assert undeliverable_cause(storage, number) is None
    simulator.mail(complaint(headers), DESK)
    simulator.pump()
    assert undeliverable_cause(storage, number) == "complaint abuse"
    assert act_on(simulator, number, "assign", agent="li-1").status == 200
    assert last_delivery(storage, number, "assigned").state == "dead_lettered"
    assert act_on(simulator, number, "reply", text="您好").status == 200
    assert last_delivery(storage, number, "reply").state == "sent"


@pytest.mark.parametrize("named", ["eventType", "notificationType"])
@pytest.mark.parametrize(
    ("kind", "cause"), [("Bounce", "bounce 5.1.1"), ("Complaint", "complaint")]
)
def test_both_kinds_of_ses_notification_are_read(
    simulator: Simulator, storage: Storage, named: str, kind: str, cause: str
) -> None:
    number = file_ticket(simulator, storage)
    for _ in range(2):
        notify(simulator, number, kind, named=named)
    assert undeliverable_cause(storage, number) == cause
    assert len(bounce_events(storage, number)) == 1


def test_an_ses_notification_without_headers_marks_the_contact(
    simulator: Simulator, storage: Storage
) -> None:
    number = file_ticket(simulator, storage)
    envelope = {"Type": "Notification", "Message": ses_notification(named="notificationType")}
    process_notification(simulator, json.dumps(envelope))
    assert undeliverable_cause(storage, number) == "bounce 5.1.1"
    assert undeliverable_cause(storage, file_ticket(simulator, storage)) == "bounce 5.1.1"


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("Bounce", {"bounceType": "Transient"}),
        ("Complaint", {"complaintFeedbackType": "not-spam"}),
        ("Bounce", {"recipient": "somebody.else@example.com"}),
    ],
    ids=["transient", "not spam (RFC 5965)", "another address"],
)
def test_an_ses_notification_that_names_no_bad_address_stops_no_mail(
    simulator: Simulator, storage: Storage, kind: str, changes: dict[str, str]
) -> None:
    number = file_ticket(simulator, storage)
    notify(simulator, number, kind, **changes)
    assert len(bounce_events(storage, number)) == 1
    assert undeliverable_cause(storage, number) is None
    assert undeliverable_cause(storage, file_ticket(simulator, storage)) is None


def test_a_transient_ses_bounce_without_headers_stops_no_mail(
    simulator: Simulator, storage: Storage
) -> None:
    number = file_ticket(simulator, storage)
    process_notification(
        simulator, ses_notification(bounceType="Transient", bounceSubType="MailboxFull")
    )
    assert undeliverable_cause(storage, number) is None
    assert undeliverable_cause(storage, file_ticket(simulator, storage)) is None


@pytest.mark.parametrize("sub_type", ["Suppressed", "OnAccountSuppressionList"])
def test_a_suppression_by_ses_is_the_cause(
    simulator: Simulator, storage: Storage, sub_type: str
) -> None:
    """It ends in SES, not in the customer's mailbox."""
    number = file_ticket(simulator, storage)
    notify(simulator, number, bounceSubType=sub_type)
    assert undeliverable_cause(storage, number) == f"bounce {sub_type}"


@pytest.mark.requirement("G4")
def test_a_cause_contains_codes_only(simulator: Simulator, storage: Storage) -> None:
    number = file_ticket(simulator, storage)
    named = {"emailAddress": CUSTOMER, "status": f"5.1.1 <{CUSTOMER}> unknown"}
    notify(simulator, number, bouncedRecipients=[named])
    assert undeliverable_cause(storage, number) == "bounce"


@pytest.mark.requirement("G1", "G3")
def test_an_interrupted_run_is_repeated_completely(
    simulator: Simulator, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, number = file_ticket(simulator, storage), file_ticket(simulator, storage)
    body = ses_notification(headers=[{"name": "References", "value": own_id(simulator, number)}])
    with monkeypatch.context() as broken:

        def busy(*_: Any) -> list[str]:
            raise TryAgain("the table is busy")

        broken.setattr(Contacts, "tickets", busy)
        record = {"messageId": "1", "body": body, "attributes": {}}
        answer = simulator.invoke("intake_mail", {"Records": [record]})
        assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    process_notification(simulator, body)
    assert [undeliverable_cause(storage, each) for each in (other, number)] == ["bounce 5.1.1"] * 2


@pytest.mark.requirement("G6")
def test_ended_tickets_of_the_contact_are_not_changed(
    simulator: Simulator, storage: Storage
) -> None:
    ended, number = file_ticket(simulator, storage), file_ticket(simulator, storage)
    assert act_on(simulator, ended, "close", reason="重复").status == 200
    before = storage.tickets.load("standard", ended)
    notify(simulator, number)
    assert undeliverable_cause(storage, number) == "bounce 5.1.1"
    assert storage.tickets.load("standard", ended) == before


@pytest.mark.requirement("G4")
def test_a_keyed_id_finds_tickets_of_its_own_desk_only(
    simulator: Simulator, storage: Storage
) -> None:
    number = file_ticket(simulator, storage)
    recorder = BounceRecorder(storage, aws.root_key(simulator.deployment), datetime.now(UTC))
    ids = (own_id(simulator, number),)
    for desk in ("standard", None):
        found = recorder.find_ticket(ids, desk)
        assert found is not None
        assert found.number == number
    assert recorder.find_ticket(ids, "another") is None


def test_an_ses_notification_about_no_ticket_is_quarantined(
    simulator: Simulator, storage: Storage
) -> None:
    process_notification(simulator, ses_notification(recipient="tech@standard.local"))
    assert quarantined(simulator) == 1


VALIDATED = "Successfully validated SNS topic for Amazon SES event publishing."
SETUP = "AMAZON_SES_SETUP_NOTIFICATION"
NOT_ABOUT_MAIL: dict[str, Any] = {
    "TopicValidated": VALIDATED,
    SETUP: {
        "notificationType": "Received",
        "mail": {"source": "aws@amazon.com", "messageId": SETUP},
        "receipt": {
            "recipients": [DESK],
            "action": {"type": "S3", "objectKeyPrefix": "mail/", "objectKey": f"mail/{SETUP}"},
        },
    },
    "AmazonSnsSubscriptionSucceeded": {
        "notificationType": "AmazonSnsSubscriptionSucceeded",
        "message": "You have successfully subscribed your Amazon SNS topic",
    },
    "s3:TestEvent": {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "mail"},
    "Delivery": {"eventType": "Delivery", "mail": {"messageId": "1"}, "delivery": {}},
    "DeliveryDelay": {"eventType": "DeliveryDelay", "mail": {"messageId": "1"}},
    "Subscription": {"eventType": "Subscription", "mail": {"messageId": "1"}},
    "SubscriptionConfirmation": {
        "Type": "SubscriptionConfirmation",
        "Message": "You have chosen to subscribe to the topic",
        "SubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription",
    },
}
"""Messages of AWS itself to the mail's topic: neither mail nor bounces nor complaints."""


@pytest.mark.parametrize("in_envelope", [True, False])
@pytest.mark.parametrize("kind", NOT_ABOUT_MAIL)
def test_what_aws_publishes_when_it_is_set_up_is_ignored(
    simulator: Simulator, capsys: pytest.CaptureFixture[str], kind: str, in_envelope: bool
) -> None:
    """It is neither dead-lettered nor quarantined, and the log names it."""
    message = NOT_ABOUT_MAIL[kind]
    body = message if isinstance(message, str) else json.dumps(message)
    if in_envelope and kind != "SubscriptionConfirmation":
        body = json.dumps({"Type": "Notification", "Message": body})
    process_notification(simulator, body)
    assert not [call for call in simulator.calls if call.operation in {"SendMessage", "PutObject"}]
    (line,) = [row for row in capsys.readouterr().out.splitlines() if "notification_ignored" in row]
    assert json.loads(line)["notification"] == kind


def test_a_customer_cannot_pass_mail_off_as_a_notification_of_aws(
    simulator: Simulator,
) -> None:
    """A sender chooses the headers and the text of a mail, but none of SES's ids."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = CUSTOMER, DESK, VALIDATED
    mail["Message-ID"] = f"<{SETUP}>"
    mail.set_content(VALIDATED)
    simulator.mail(mail.as_bytes(), DESK)
    (commit,) = [call for call in simulator.calls if call.operation == "TransactWriteItems"]
    assert "TICKET " in commit.items


def test_an_automatic_reply_is_noted_once(simulator: Simulator, storage: Storage) -> None:
    number = file_ticket(simulator, storage)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = CUSTOMER, DESK, "Automatic reply: [x]"
    mail["Message-ID"], mail["Auto-Submitted"] = "<a@x>", "auto-replied"
    mail["In-Reply-To"] = own_id(simulator, number)
    mail.set_content("I am away")
    before = sent_to(CUSTOMER)
    for _ in range(2):
        simulator.mail(mail.as_bytes(), DESK)
    simulator.pump()
    assert notes(storage, number) == ["auto_reply: Automatic reply: [x]\nI am away"]
    assert sent_to(CUSTOMER) == before


def automatic_reply(simulator: Simulator, number: str, words: str) -> bytes:
    return (
        f"From: {CUSTOMER}\r\nTo: {DESK}\r\nSubject: Re: 13800138000\r\n"
        "Message-ID: <same@mail.example.com>\r\nPrecedence: auto_reply\r\n"
        f"In-Reply-To: {own_id(simulator, number)}\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{words}\r\n"
    ).encode()


@pytest.mark.requirement("G3", "G4")
def test_the_note_has_the_automatic_reply_s_masked_text(
    simulator: Simulator, storage: Storage
) -> None:
    """A different reply under the same id is quarantined."""
    number = file_ticket(simulator, storage)
    for words in ("请找 li@example.com", "请找 li@example.com", "已恢复上班"):
        simulator.mail(automatic_reply(simulator, number, words), DESK)
        simulator.pump()
    assert notes(storage, number) == ["auto_reply: Re: 138****8000\n请找 ***@e***.com"]
    assert quarantined(simulator) == 1


def replay_delivery(storage: Storage, simulator: Simulator, delivery: Delivery) -> None:
    """Make a dead-lettered delivery due again, as `deskbell quarantine replay` does."""
    assert storage.deliveries.move(delivery.model_copy(update={"state": "due"}), "dead_lettered")
    simulator.pump()


def test_a_corrected_contact_gets_the_held_mail(simulator: Simulator, storage: Storage) -> None:
    number, other = file_ticket(simulator, storage), file_ticket(simulator, storage)
    mail_bounce(simulator, number)
    view = simulator.http("GET", f"/agent/desks/standard/tickets/{number}", claims=SUPERVISOR).json
    assert view["customer"]["undeliverable"] == "bounce 5.1.1"
    assert "correct-contact" in view["actions"]
    act_on(simulator, number, "assign", agent="li-1")
    held = last_delivery(storage, number, "assigned")
    assert held.state == "dead_lettered"
    replay_delivery(storage, simulator, held)  # not yet: it is held again
    assert last_delivery(storage, number, "assigned").state == "dead_lettered"

    answer = act_on(simulator, number, "correct-contact", contact="li.lei2@example.org")
    assert answer.status == 200, answer.text
    ticket = storage.tickets.load("standard", number)
    assert ticket.customer.undeliverable is None
    assert undeliverable_cause(storage, other) == "bounce 5.1.1"  # still
    replay_delivery(storage, simulator, last_delivery(storage, number, "assigned"))
    assert last_delivery(storage, number, "assigned").state == "sent"
    assert sent_to("li.lei2@example.org") == 2  # that mail, and the notice with the new link
    everything = json.dumps(storage.tickets.items("standard", number), default=str)
    assert "li.lei2" not in everything.replace("sealed", "")
    # The corrected ticket is no longer in the old contact's history.
    again = simulator.http("GET", f"/agent/desks/standard/tickets/{other}", claims=SUPERVISOR).json
    assert number not in again["history"]
    refused = act_on(simulator, number, "correct-contact", contact=CUSTOMER)
    assert refused.status == 400
    assert refused.json["errors"][0]["field"] == "contact"


def test_a_corrected_phone_number_gets_the_held_mail_as_sms(
    simulator: Simulator, storage: Storage
) -> None:
    number = file_ticket(simulator, storage)
    mail_bounce(simulator, number)
    act_on(simulator, number, "assign", agent="li-1")
    assert act_on(simulator, number, "correct-contact", contact="13800138000").status == 200
    replay_delivery(storage, simulator, last_delivery(storage, number, "assigned"))
    found = last_delivery(storage, number, "assigned")
    assert (found.state, found.channel) == ("sent", "sms")


def test_a_contact_can_be_marked_as_deliverable_again(
    simulator: Simulator, storage: Storage
) -> None:
    number, other = file_ticket(simulator, storage), file_ticket(simulator, storage)
    mail_bounce(simulator, number)
    assert act_on(simulator, number, "correct-contact").status == 200
    assert undeliverable_cause(storage, number) is undeliverable_cause(storage, other) is None
    third = file_ticket(simulator, storage)
    assert last_delivery(storage, third, "received").state == "sent"
    assert act_on(simulator, number, "correct-contact").status == 200  # nothing left to do


@pytest.mark.parametrize("bounced", [False, True])
def test_only_a_supervisor_replaces_a_contact_that_works(
    simulator: Simulator, storage: Storage, bounced: bool
) -> None:
    number = file_ticket(simulator, storage)
    if bounced:
        mail_bounce(simulator, number)
    path = f"/agent/desks/standard/tickets/{number}"
    who = {"finance": "fi-1", "agent": "li-1", "supervisor": "zg-1"}
    finance = Agent(desk="standard", username="fi-1", role="finance", team="", capacity=0)
    storage.roster.put(finance)
    allowed = {"finance": False, "agent": bounced, "supervisor": True}
    for role, username in who.items():
        claims = {"cognito:username": username, "cognito:groups": "standard:agent"}
        if role != "finance":
            offered = simulator.http("GET", path, claims=claims).json["actions"]
            assert ("correct-contact" in offered) == allowed[role]
        if role == "supervisor" and bounced:
            continue  # the agent has corrected it
        body = {"contact": "13800138000"}
        answer = simulator.http("POST", f"{path}/correct-contact", body, claims=claims)
        assert answer.status == (200 if allowed[role] else 403), answer.text


@pytest.mark.requirement("A5")
def test_a_contact_keeps_its_mark_and_its_class(simulator: Simulator, storage: Storage) -> None:
    number = file_ticket(simulator, storage)
    mail_bounce(simulator, number)
    assert act_on(simulator, number, "set-customer-class", customer_class="vip").status == 200
    ticket: Ticket = storage.tickets.load("standard", file_ticket(simulator, storage))
    assert (ticket.customer.undeliverable, ticket.customer.class_once_proven) == (
        "bounce 5.1.1",
        "vip",
    )


@pytest.mark.requirement("G7")
def test_a_ticket_without_bounces_costs_one_read_unit_for_the_limits(
    simulator: Simulator, storage: Storage
) -> None:
    simulator.calls.clear()
    file_ticket(simulator, storage)
    asked = [c for c in simulator.calls if c.function == "notify" and c.operation == "Query"]
    assert sum(call.read_units for call in asked) <= 1
