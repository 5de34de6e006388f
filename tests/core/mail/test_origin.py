"""People are never taken for machines, nor machines for people."""

import pytest

from functions.core.mail.parser import parse
from tests.examples import examples

pytestmark = pytest.mark.requirement("F1", "F5")
EXAMPLES = examples(__file__)


def origin(subject: str, text: str, headers: str = "", sender: str = "c@example.com") -> str:
    head = f"From: {sender}\r\nTo: desk@example.com\r\n{headers}Subject: {subject}\r\n"
    return parse(f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}".encode()).origin


@pytest.mark.parametrize(("subject", "text"), EXAMPLES["written_by_people"])
def test_a_person_who_writes_about_machines_is_a_person(subject: str, text: str) -> None:
    assert origin(subject, text) == "human"


@pytest.mark.parametrize(
    ("sender", "subject", "text"),
    [
        ("Postmaster <postmaster@corp.example>", "Question", "550 user unknown. How can we call?"),
        ("root <root@corp.example>", "Invoice", "my mailbox is full of your invoices"),
        ("Mail Systems GmbH <info@ms.example>", "Order", "No such address, please check my order."),
    ],
)
def test_an_administrator_is_a_person(sender: str, subject: str, text: str) -> None:
    assert origin(subject, text, sender=sender) == "human"


def test_a_request_not_to_answer_automatically_is_no_automatic_answer() -> None:
    assert origin("退款", "怎么还没到", "X-Auto-Response-Suppress: OOF, AutoReply\r\n") == "human"


def test_a_mail_that_a_person_forwards_as_a_file_is_no_complaint_about_it() -> None:
    raw = (
        "From: complaints@shop.example\nSubject: Complaint about mail from you\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n"
        "My order is wrong, the customer complained. How can we solve this?\n"
        "--b\nContent-Type: message/rfc822\n\nSubject: mine\n\nHello\n--b--\n"
    )
    assert parse(raw.encode()).origin == "human"


@pytest.mark.parametrize(("subject", "text"), EXAMPLES["automatic"])
def test_an_automatic_reply_without_headers_is_recognised(subject: str, text: str) -> None:
    assert origin(subject, text) == "auto_reply"


@pytest.mark.parametrize(
    ("sender", "subject", "text"),
    [
        ("MAILER-DAEMON@example.com", "Undelivered Mail Returned to Sender",
         "I'm sorry to have to inform you that your message could not be delivered"),
        ("postmaster@example.com", "系统退信", "无法投递到 a@example.net"),
        ("admin@example.com", "Mail delivery failed",
         "550 5.1.1 <a@example.net> User unknown\n\nReceived: by x\nMessage-ID: <a@example.com>"),
        ("relay@example.com", "Mail delivery failed", "550 5.1.1 <a@example.net> User unknown"),
    ],
)  # fmt: skip
def test_a_bounce_without_a_report_is_recognised(sender: str, subject: str, text: str) -> None:
    assert origin(subject, text, sender=sender) == "bounce"
