"""People are never taken for machines, nor machines for people."""

import pytest

from functions.intake.mail.parser import parse

pytestmark = pytest.mark.requirement("F1", "F5")


def origin(subject: str, text: str, headers: str = "", sender: str = "c@example.com") -> str:
    head = f"From: {sender}\r\nTo: desk@example.com\r\n{headers}Subject: {subject}\r\n"
    return parse(f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}".encode()).origin


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Complaint: your driver", "He complained to my wife. Spam calls too."),
        ("Complaint from a customer", "Where do we send feedback?"),
        ("Abuse report about a seller", "This is abuse of your platform, he sent me spam."),
        ("Spam report", "I get spam from your shop. Any feedback is welcome."),
        ("Feedback loop in your amplifier", "The feedback is loud, what can I do?"),
        ("投诉：快递员态度差", "我要投诉"),
        ("自动回复不准确", "机器人答非所问"),
        ("自动回复设置在哪里", "找不到入口"),
        ("自動回覆一直出現", "請關閉"),
        ("自動返信が届かない", "登録しましたが届きません"),
        ("休假通知怎么设置", "系统里找不到"),
        ("Automatic reply never arrives", "I never got it."),
        ("Autoresponder stopped", "The autoresponder in my account stopped yesterday."),
        ("Out of office assistant does not work", "How do I switch it on?"),
        ("Holiday notice on your website", "It says that you are closed."),
        ("Auto-generated invoice is wrong", "The amount is off."),
        ("Abwesenheitsnotiz lässt sich nicht aktivieren", "Was mache ich falsch?"),
        ("Réponse automatique incorrecte", "Votre robot a tort."),
        ("不在通知が入っていました", "再配達お願いします"),
        ("不在通知", "再配達をお願いします"),
        ("留守中の配達", "荷物を受け取りたい"),
        ("OOF shoes", "size 12"),
        ("Undelivered parcel", "My parcel was returned to sender. 550 roubles lost."),
        ("Message not delivered", "I sent one in your app and got: 552 mailbox full. What now?"),
        (
            "Mail delivery failed for info@shop.example",
            "I got this: 550 5.7.1 <info@shop.example>: relaying denied. Please fix your server.",
        ),
        ("退信：发给客服的邮件", "被退回：550 5.1.1 user unknown，请问正确地址是什么"),
        (
            "Returned mail",
            "Remote host said: 550 5.1.1 unknown.\nReceived: from mx\nHow can I reach you?",
        ),
    ],
)
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


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("自动回复：您的来信", "您好，您的来信已收到，我会尽快回复。"),
        ("自动回复", "邮件已收到"),
        ("[自动回复] Re: 工单", "我在休假"),
        ("【自动回复】订单", "出差中"),
        ("您的邮件已收到（自动回复）", "这是系统自动发送的邮件，请勿回复"),
        ("休假中", "我在休假，5月8日回来"),
        ("Auto Reply", "Thanks, I will get back to you."),
        ("Automatic reply from A. Nybody", "I am out of the office until Monday."),
        ("Automatic reply: Ticket", "Can this wait? I am out of the office until Monday."),
        ("Automatic Reply - Ticket", "ok"),
        ("[Auto-Reply] Re: ticket", "Our office is closed."),
        ("Out of Office Re: ticket", "I am out of office"),
        ("Out of office until Monday", "I am on leave, back on Monday."),
        ("AUTO: A. Nybody is out of the office (returning 05/06)", "I am out of the office."),
        ("On vacation", "I am on vacation until May"),
        ("I'm away: Re: ticket", "I will be back on Monday"),
        ("Automatische Antwort: Ticket", "Ich bin im Urlaub"),
        ("自動返信：お問い合わせありがとうございます", "受け付けました"),
        ("自動応答メール", "このメールは自動送信です"),
        ("不在のお知らせ", "不在にしております"),
    ],
)
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
