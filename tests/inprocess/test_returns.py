"""Mail that comes back: shown on its ticket, and no further mail to where it is no good (G3)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import boto3
import pytest

from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import TryAgain
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws
from functions.core.services.create_ticket import Filing
from functions.core.storage.store import Store
from functions.core.text.tokens import message_id
from functions.intake import bounces
from infra.simulator.simulator import ApiResponse, Simulator
from tests import moto_internals
from tests.inprocess.conftest import forget

DESK = "support@standard.local"
CUSTOMER = "li.lei@example.com"
SUPERVISOR = {"cognito:username": "zg-1", "cognito:groups": "standard:supervisor"}


def file(loop: Simulator, store: Store, contact: str = CUSTOMER) -> str:
    """A ticket by web form, acknowledged and assigned."""
    body = {"contact": contact, "description": "无法登录"}
    answer = loop.http("POST", "/desks/standard/tickets", body)
    assert answer.status == 201, answer.text
    loop.pump()
    number: str = answer.json["number"]
    return number


def own_id(loop: Simulator, number: str, version: int = 1) -> str:
    root = aws.root_key(loop.deployment)
    return f"<{message_id(root, 'standard', number, version, 'standard.local')}>"


def bounce(
    headers: str, *, status: str = "5.1.1", recipient: str = CUSTOMER, action: str = "failed"
) -> bytes:
    """A report as RFC 3464 has it, with the headers of the mail that came back."""
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
    """A report as RFC 5965 has it."""
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


def told_by_ses(
    kind: str = "Bounce",
    *,
    named: str = "eventType",
    headers: list[dict[str, str]] | None = None,
    recipient: str = CUSTOMER,
    **detail: Any,
) -> str:
    """SES's own notification, as its developer guide shows it."""
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


def tell(loop: Simulator, body: str) -> None:
    record = {"messageId": "1", "body": body, "attributes": {}}
    assert loop.invoke("intake_mail", {"Records": [record]}) == {"batchItemFailures": []}
    loop.pump()


def marked(store: Store, number: str) -> str | None:
    return store.load("standard", number).customer.undeliverable


def returns_on(store: Store, number: str) -> list[Any]:
    found = store.history("standard", number)
    return [event for commit in found for event in commit.of("ContactBounced")]


def act(loop: Simulator, number: str, action: str, **body: Any) -> ApiResponse:
    path = f"/agent/desks/standard/tickets/{number}/{action}"
    answer = loop.http("POST", path, body, claims=SUPERVISOR)
    loop.pump()
    return answer


def last(store: Store, number: str, message: str) -> Delivery:
    found = [d for d in store.deliveries("standard", number) if d.message == message]
    assert found, f"nobody was told {message}"
    return found[-1]


def sent_to(address: str) -> int:
    sent = moto_internals.sent_mails()
    return sum(address in str(message.destinations) for message in sent)


@pytest.mark.parametrize(
    "header", ["Message-ID", "References", "In-Reply-To", "X-Deskbell-Id"], ids=str.lower
)
def test_a_hard_bounce_stops_mail_to_its_contact(
    loop: Simulator, store: Store, header: str
) -> None:
    """Found by a keyed id in the headers that came back; held mail is on the ticket, with why."""
    number, other = file(loop, store), file(loop, store)
    loop.mail(bounce(f"{header}: {own_id(loop, number)}\r\nSubject: x"), DESK)
    loop.pump()
    (event,) = returns_on(store, number)
    assert (event.permanent, event.cause) == (True, "bounce 5.1.1")
    assert marked(store, number) == marked(store, other) == "bounce 5.1.1"

    before = sent_to(CUSTOMER)
    assert act(loop, number, "assign", agent="li-1").status == 200
    assert act(loop, number, "reply", text="请重置密码").status == 200
    held = last(store, number, "reply")
    assert held.state == "parked"
    assert held.cause == "held: bounce 5.1.1; correct the contact first"
    # The next request begins with the mark.
    third = file(loop, store)
    assert marked(store, third) == "bounce 5.1.1"
    assert last(store, third, "received").state == "parked"
    assert sent_to(CUSTOMER) == before
    # The handler is told, by mail to the team.
    assert last(store, other, "handler_mail_returned").state == "sent"


def test_a_bounce_by_its_thread_is_shown_once(loop: Simulator, store: Store) -> None:
    """G1: announced twice; the keyed id stands in the report's own References."""
    number = file(loop, store)
    raw = bounce("Subject: x").replace(
        b"Subject: Und", f"References: {own_id(loop, number)}\r\nSubject: Und".encode()
    )
    for _ in range(2):
        loop.mail(raw, DESK)
    assert len(returns_on(store, number)) == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"status": "5.2.2"}, "a full mailbox"),
        ({"status": "4.4.1", "action": "delayed"}, "only late"),
        ({"recipient": "elsewhere@example.net"}, "somebody's forwarding"),
    ],
    ids=lambda found: found if isinstance(found, str) else "",
)
def test_a_soft_bounce_is_shown_and_stops_nothing(
    loop: Simulator, store: Store, changes: dict[str, str], why: str
) -> None:
    number = file(loop, store)
    loop.mail(bounce(f"Message-ID: {own_id(loop, number)}", **changes), DESK)
    (event,) = returns_on(store, number)
    assert not event.permanent
    assert marked(store, number) is None


def test_anybodys_bounce_stops_nothing(loop: Simulator, store: Store) -> None:
    """A report without our keyed id is set aside; one with a forged id too."""
    number = file(loop, store)
    forged = own_id(loop, number).replace(".1.", ".2.")
    for headers in ("Message-ID: <x@example.com>", f"Message-ID: {forged}"):
        loop.mail(bounce(headers), DESK)
    assert marked(store, number) is None
    assert returns_on(store, number) == []
    kept = boto3.client("s3").list_objects_v2(
        Bucket=loop.deployment.mail_bucket, Prefix="quarantine/standard/"
    )
    assert kept["KeyCount"] == 2


@pytest.mark.parametrize("what", ["bounce", "complaint"])
def test_a_report_that_names_nobody_stops_nothing(loop: Simulator, store: Store, what: str) -> None:
    """G3: a forwarded mail tells its keyed id to anybody; the report shows and that is all."""
    number, other = file(loop, store), file(loop, store)
    headers = f"Message-ID: {own_id(loop, number)}"
    raw = bounce(headers) if what == "bounce" else complaint(headers)
    for line in ("Final-Recipient: rfc822;", "Original-Rcpt-To:"):
        raw = raw.replace(f"{line} {CUSTOMER}\r\n".encode(), b"")
    assert CUSTOMER.encode() not in raw
    loop.mail(raw, DESK)
    loop.pump()
    (event,) = returns_on(store, number)
    assert (event.cause.split()[0], event.permanent) == (what, False)
    assert marked(store, number) is marked(store, other) is None
    assert marked(store, file(loop, store)) is None


def test_ses_need_not_name_the_recipient(loop: Simulator, store: Store) -> None:
    """Its notification comes by a topic that it alone writes to."""
    number = file(loop, store)
    headers = [{"name": "References", "value": own_id(loop, number)}]
    tell(loop, told_by_ses("Complaint", headers=headers, complainedRecipients=[]))
    assert marked(store, number) == "complaint"


def test_ses_names_somebody_else(loop: Simulator, store: Store) -> None:
    """G3: a forwarding of the customer's that failed shows on the ticket and stops nothing."""
    number = file(loop, store)
    headers = [{"name": "References", "value": own_id(loop, number)}]
    tell(loop, told_by_ses(headers=headers, recipient="somebody.else@example.com"))
    assert len(returns_on(store, number)) == 1
    assert marked(store, number) is None
    assert marked(store, file(loop, store)) is None


def test_what_comes_back_of_an_erased_ticket_stops_nothing(loop: Simulator, store: Store) -> None:
    """B10: it says of nobody any more who they were, so there is nobody to stop mail to."""
    number = file(loop, store)
    forget(loop, datetime.now(UTC), number=number)
    headers = [{"name": "References", "value": own_id(loop, number)}]
    tell(loop, told_by_ses("Complaint", headers=headers, complainedRecipients=[]))
    assert marked(store, number) is None
    kept = boto3.client("dynamodb").scan(TableName=store.table)["Items"]
    assert [item for item in kept if item["sk"]["S"] == "CONTACT"] == []


def test_a_complaint_stops_automatic_mail_alone(loop: Simulator, store: Store) -> None:
    """RFC 5965: the agent may still write; `not-spam` stops nothing."""
    number = file(loop, store)
    headers = f"References: {own_id(loop, number)}"
    loop.mail(complaint(headers, "not-spam"), DESK)
    assert marked(store, number) is None
    loop.mail(complaint(headers), DESK)
    loop.pump()
    assert marked(store, number) == "complaint abuse"
    assert act(loop, number, "assign", agent="li-1").status == 200
    assert last(store, number, "assigned").state == "parked"
    assert act(loop, number, "reply", text="您好").status == 200
    assert last(store, number, "reply").state == "sent"


@pytest.mark.parametrize("named", ["eventType", "notificationType"])
@pytest.mark.parametrize(
    ("kind", "cause"), [("Bounce", "bounce 5.1.1"), ("Complaint", "complaint")]
)
def test_ses_tells_the_same(
    loop: Simulator, store: Store, named: str, kind: str, cause: str
) -> None:
    """Event publishing and identity notifications, with the headers of the mail."""
    number = file(loop, store)
    headers = [{"name": "References", "value": own_id(loop, number)}]
    for _ in range(2):
        tell(loop, told_by_ses(kind, named=named, headers=headers))
    assert marked(store, number) == cause
    assert len(returns_on(store, number)) == 1


def test_ses_tells_of_an_address_alone(loop: Simulator, store: Store) -> None:
    """Identity notifications without headers: by the desk's mailbox and the address."""
    number = file(loop, store)
    envelope = {"Type": "Notification", "Message": told_by_ses(named="notificationType")}
    tell(loop, json.dumps(envelope))
    assert marked(store, number) == "bounce 5.1.1"
    assert marked(store, file(loop, store)) == "bounce 5.1.1"


def test_ses_transient_bounces_stop_nothing(loop: Simulator, store: Store) -> None:
    number = file(loop, store)
    headers = [{"name": "References", "value": own_id(loop, number)}]
    tell(loop, told_by_ses(headers=headers, bounceType="Transient"))
    assert marked(store, number) is None
    assert len(returns_on(store, number)) == 1


def test_ses_says_that_it_was_no_spam(loop: Simulator, store: Store) -> None:
    """RFC 5965: `not-spam` is the opposite of a complaint, whoever tells of it."""
    number = file(loop, store)
    headers = [{"name": "References", "value": own_id(loop, number)}]
    tell(loop, told_by_ses("Complaint", headers=headers, complaintFeedbackType="not-spam"))
    assert len(returns_on(store, number)) == 1
    assert marked(store, number) is None


def test_ses_transient_bounces_of_an_address_alone_stop_nothing(
    loop: Simulator, store: Store
) -> None:
    """G3: a full mailbox is emptied again; neither this ticket nor the next one is marked."""
    number = file(loop, store)
    tell(loop, told_by_ses(bounceType="Transient", bounceSubType="MailboxFull"))
    assert marked(store, number) is None
    assert marked(store, file(loop, store)) is None


@pytest.mark.parametrize("sub_type", ["Suppressed", "OnAccountSuppressionList"])
def test_what_ses_itself_did_not_send_is_said(loop: Simulator, store: Store, sub_type: str) -> None:
    """G3: a suppression is ended in SES, not in the customer's mailbox, whatever status it has."""
    number = file(loop, store)
    headers = [{"name": "References", "value": own_id(loop, number)}]
    tell(loop, told_by_ses(headers=headers, bounceSubType=sub_type))
    assert marked(store, number) == f"bounce {sub_type}"


def test_a_cause_holds_no_words_of_others(loop: Simulator, store: Store) -> None:
    """G4: what is no code is left out; it stands on the ticket and goes into every answer."""
    number = file(loop, store)
    headers = [{"name": "References", "value": own_id(loop, number)}]
    named = {"emailAddress": CUSTOMER, "status": f"5.1.1 <{CUSTOMER}> unknown"}
    tell(loop, told_by_ses(headers=headers, bouncedRecipients=[named]))
    assert marked(store, number) == "bounce"


def test_a_run_that_breaks_off_is_done_again_whole(
    loop: Simulator, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G1, G3: the ticket comes last, so that its idempotency says that the others know it too."""
    other, number = file(loop, store), file(loop, store)
    body = told_by_ses(headers=[{"name": "References", "value": own_id(loop, number)}])
    with monkeypatch.context() as broken:

        def busy(*_: Any) -> list[str]:
            raise TryAgain("the table is busy")

        broken.setattr(Store, "tickets_of_contact", busy)
        record = {"messageId": "1", "body": body, "attributes": {}}
        answer = loop.invoke("intake_mail", {"Records": [record]})
        assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    tell(loop, body)
    assert [marked(store, each) for each in (other, number)] == ["bounce 5.1.1"] * 2


def test_an_address_s_ended_tickets_are_left_as_they_are(loop: Simulator, store: Store) -> None:
    """G6: no mail will go out about them, so there is nothing to put on their record."""
    ended, number = file(loop, store), file(loop, store)
    assert act(loop, ended, "close", reason="重复").status == 200
    before = store.load("standard", ended)
    headers = [{"name": "References", "value": own_id(loop, number)}]
    tell(loop, told_by_ses(headers=headers))
    assert marked(store, number) == "bounce 5.1.1"
    assert store.load("standard", ended) == before


def test_another_desk_s_ticket_is_none_of_this_mailbox(loop: Simulator, store: Store) -> None:
    """G4: a report that quotes another desk's mail says nothing at this one."""
    number = file(loop, store)
    filing = Filing(
        store=store,
        seal=lambda desk, number, secret: secret,
        seal_original=lambda desk, number, words: (),
        root=aws.root_key(loop.deployment),
        public_url="https://desk.example.com",
        now=datetime.now(UTC),
    )
    ids = (own_id(loop, number),)
    for desk in ("standard", None):
        found = bounces.ticket_of(ids, filing, desk)
        assert found is not None
        assert found.number == number
    assert bounces.ticket_of(ids, filing, "another") is None


def test_ses_on_nobodys_mail_is_set_aside(loop: Simulator, store: Store) -> None:
    """G3: the mailbox of a team, say; other notifications are none of ours."""
    tell(loop, told_by_ses(recipient="tech@standard.local"))
    tell(loop, json.dumps({"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "x"}))
    kept = boto3.client("s3").list_objects_v2(
        Bucket=loop.deployment.mail_bucket, Prefix="quarantine/standard/"
    )
    assert kept["KeyCount"] == 1


def test_an_automatic_reply_is_a_note_once(loop: Simulator, store: Store) -> None:
    """It opens no ticket, gets no answer and is shown on its own, even an archived one."""
    number = file(loop, store)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = CUSTOMER, DESK, "Automatic reply: [x]"
    mail["Message-ID"], mail["Auto-Submitted"] = "<a@x>", "auto-replied"
    mail["In-Reply-To"] = own_id(loop, number)
    mail.set_content("I am away")
    before = sent_to(CUSTOMER)
    for _ in range(2):
        loop.mail(mail.as_bytes(), DESK)
    loop.pump()
    notes = [e for c in store.history("standard", number) for e in c.of("NoteAdded")]
    assert [note.text for note in notes] == ["auto_reply: Automatic reply: [x]\nI am away"]
    assert sent_to(CUSTOMER) == before


def automatic(loop: Simulator, number: str, words: str) -> bytes:
    return (
        f"From: {CUSTOMER}\r\nTo: {DESK}\r\nSubject: Re: 13800138000\r\n"
        "Message-ID: <same@mail.example.com>\r\nPrecedence: auto_reply\r\n"
        f"In-Reply-To: {own_id(loop, number)}\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{words}\r\n"
    ).encode()


def test_an_automatic_reply_says_its_words(loop: Simulator, store: Store) -> None:
    """G3, G4: masked, on the ticket; another one under the same id is kept in quarantine."""
    number = file(loop, store)
    for words in ("请找 li@example.com", "请找 li@example.com", "已恢复上班"):
        loop.mail(automatic(loop, number, words), DESK)
        loop.pump()
    found = store.history("standard", number)
    notes = [event.text for commit in found for event in commit.of("NoteAdded")]
    assert notes == ["auto_reply: Re: 138****8000\n请找 ***@e***.com"]
    listed = boto3.client("s3").list_objects_v2(
        Bucket=loop.deployment.mail_bucket, Prefix="quarantine/standard/"
    )
    assert listed["KeyCount"] == 1


def replay(store: Store, loop: Simulator, delivery: Delivery) -> None:
    """What `deskbell quarantine replay` does with a parked delivery."""
    assert store.move(delivery.model_copy(update={"state": "due"}), "parked")
    loop.pump()


def test_a_new_contact_gets_what_was_held(loop: Simulator, store: Store) -> None:
    """`correct-contact`: sealed anew with the ticket; G4: nothing of it is readable."""
    number, other = file(loop, store), file(loop, store)
    loop.mail(bounce(f"Message-ID: {own_id(loop, number)}"), DESK)
    loop.pump()
    view = loop.http("GET", f"/agent/desks/standard/tickets/{number}", claims=SUPERVISOR).json
    assert view["customer"]["undeliverable"] == "bounce 5.1.1"
    assert "correct-contact" in view["actions"]
    act(loop, number, "assign", agent="li-1")
    held = last(store, number, "assigned")
    assert held.state == "parked"
    replay(store, loop, held)  # not yet: it is held again
    assert last(store, number, "assigned").state == "parked"

    answer = act(loop, number, "correct-contact", contact="li.lei2@example.org")
    assert answer.status == 200, answer.text
    ticket = store.load("standard", number)
    assert ticket.customer.undeliverable is None
    assert marked(store, other) == "bounce 5.1.1"  # the old address is no good still
    replay(store, loop, last(store, number, "assigned"))
    assert last(store, number, "assigned").state == "sent"
    assert sent_to("li.lei2@example.org") == 1
    everything = json.dumps(store.everything("standard", number), default=str)
    assert "li.lei2" not in everything.replace("sealed", "")
    # Mail to the new address is known again by the contact's own tickets.
    again = loop.http("GET", f"/agent/desks/standard/tickets/{other}", claims=SUPERVISOR).json
    assert number not in again["history"]
    refused = act(loop, number, "correct-contact", contact=CUSTOMER)
    assert refused.status == 400
    assert refused.json["errors"][0]["field"] == "contact"


def test_a_phone_number_may_take_its_place(loop: Simulator, store: Store) -> None:
    """What was held as a mail goes out as a short message."""
    number = file(loop, store)
    loop.mail(bounce(f"Message-ID: {own_id(loop, number)}"), DESK)
    loop.pump()
    act(loop, number, "assign", agent="li-1")
    assert act(loop, number, "correct-contact", contact="13800138000").status == 200
    replay(store, loop, last(store, number, "assigned"))
    found = last(store, number, "assigned")
    assert (found.state, found.channel) == ("sent", "sms")


def test_the_old_contact_works_again(loop: Simulator, store: Store) -> None:
    """Without a contact the mark goes, from every ticket of the address and the next ones."""
    number, other = file(loop, store), file(loop, store)
    loop.mail(bounce(f"Message-ID: {own_id(loop, number)}"), DESK)
    loop.pump()
    assert act(loop, number, "correct-contact").status == 200
    assert marked(store, number) is marked(store, other) is None
    third = file(loop, store)
    assert last(store, third, "received").state == "sent"
    assert act(loop, number, "correct-contact").status == 200  # nothing left to do


def test_who_may_correct_a_contact(loop: Simulator, store: Store) -> None:
    number = file(loop, store)
    path = f"/agent/desks/standard/tickets/{number}/correct-contact"
    for role, status in (("finance", 403), ("agent", 200)):
        claims = {"cognito:username": "li-1", "cognito:groups": f"standard:{role}"}
        answer = loop.http("POST", path, {"contact": "13800138000"}, claims=claims)
        assert answer.status == status, answer.text


def test_a_mark_outlives_the_class(loop: Simulator, store: Store) -> None:
    """A5: what is known of a contact is kept side by side."""
    number = file(loop, store)
    loop.mail(bounce(f"Message-ID: {own_id(loop, number)}"), DESK)
    assert act(loop, number, "class-customer", customer_class="vip").status == 200
    ticket: Ticket = store.load("standard", file(loop, store))
    assert (ticket.customer.undeliverable, ticket.customer.customer_class) == (
        "bounce 5.1.1",
        "vip",
    )


def test_the_happy_way_reads_and_writes_no_more(loop: Simulator, store: Store) -> None:
    """G7: a life without returns costs one read unit for the limits, and no write."""
    loop.calls.clear()
    file(loop, store)
    asked = [c for c in loop.calls if c.function == "notify" and c.operation == "Query"]
    assert sum(call.read_units for call in asked) <= 1
