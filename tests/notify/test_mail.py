"""Mails as they go over the wire. `DESKBELL_RECORD_GOLDEN=1` writes the golden file anew."""

import os
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from functions.core.services.composing import RenderedMessage
from functions.notify.mail import Envelope, Thread, build, html
from tests.notify.deployment import NOON
from tests.notify.sample_events import LINK, NUMBER

GOLDEN = Path(__file__).with_name("golden_mail.txt")
RECORD = bool(os.environ.get("DESKBELL_RECORD_GOLDEN"))

RENDERED = RenderedMessage(locale="zh-CN", subject=f"[{NUMBER}] 您好", text="您好：\n", sms="您好")
ENVELOPE = Envelope(
    sender="客户支持中心",
    address="support@standard.local",
    to="customer@example.com",
    at=NOON,
    thread=Thread(
        own_id="standard.1.5.own@standard.local",
        ticket_id="standard.1.1.root@standard.local",
        answers="first@mail.example.com",
    ),
    automatic=True,
    reply_to="support+cs20260310001.token@standard.local",
)


def parsed(envelope: Envelope = ENVELOPE, rendered: RenderedMessage = RENDERED) -> EmailMessage:
    found = message_from_bytes(build(envelope, rendered, NUMBER, LINK), policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    content: str = body.get_content()
    return content.replace("\r\n", "\n")


def shown(message: EmailMessage) -> str:
    """A mail as people can compare it."""
    headers = "".join(f"{name}: {value}\n" for name, value in message.items())
    parts = {"text": part(message, "plain"), "html": part(message, "html")}
    return headers + "".join(f"\n----- {kind}\n{text}\n" for kind, text in parts.items())


def test_a_mail_matches_its_golden_file() -> None:
    """Headers, text and HTML; the messages' texts are those of `tests/infra/test_preview.py`."""
    text = (
        f"您好：\n\n预计 <2小时> 内答复 & 跟进。\n查看进度：{LINK}\n如需补充，请直接回复本邮件。\n"
    )
    mail = shown(parsed(rendered=replace(RENDERED, text=text)))
    if RECORD:
        GOLDEN.write_text(mail, encoding="utf-8")
    assert GOLDEN.read_text(encoding="utf-8") == mail


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert build(ENVELOPE, RENDERED, NUMBER, LINK) == build(ENVELOPE, RENDERED, NUMBER, LINK)
    assert build(ENVELOPE, RENDERED, NUMBER, LINK).isascii()


@pytest.mark.requirement("A4")
def test_an_automatic_mail_is_marked_as_such() -> None:
    """RFC 3834: an out-of-office system must not answer it."""
    message = parsed()
    assert message["From"] == "客户支持中心 <support@standard.local>"
    assert message["Reply-To"] == "support+cs20260310001.token@standard.local"
    assert message["X-Deskbell-Id"] == "<standard.1.5.own@standard.local>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert message["Date"].datetime == NOON
    assert message.get_content_type() == "multipart/alternative"


@pytest.mark.requirement("A10")
def test_an_agents_reply_is_not_marked_automatic() -> None:
    message = parsed(replace(ENVELOPE, automatic=False))
    assert "Auto-Submitted" not in message
    assert "X-Auto-Response-Suppress" not in message


def test_references_contain_the_keyed_id() -> None:
    """SES replaces the Message-ID."""
    message = parsed()
    assert message["Message-ID"] == "<standard.1.5.own@standard.local>"
    assert message["In-Reply-To"] == "<first@mail.example.com>"
    assert message["References"].split() == [
        "<standard.1.1.root@standard.local>",
        "<first@mail.example.com>",
        "<standard.1.5.own@standard.local>",
    ]


def test_a_mail_is_threaded_without_a_mail_from_the_customer() -> None:
    first = Thread(own_id="root@x", ticket_id="root@x")
    assert (first.references, first.in_reply_to) == (("root@x",), "")
    second = Thread(own_id="two@x", ticket_id="root@x")
    assert (second.references, second.in_reply_to) == (("root@x", "two@x"), "root@x")
    staff = parsed(replace(ENVELOPE, thread=Thread(own_id="s@x")))
    assert "References" not in staff
    assert "In-Reply-To" not in staff


@pytest.mark.parametrize("answers", ["a@x\r\nBcc: b@x", "a b@x", "a@x> <c@x", "名@x"])
def test_an_unsafe_message_id_is_left_out_of_the_headers(answers: str) -> None:
    thread = replace(ENVELOPE.thread, answers=answers)
    message = parsed(replace(ENVELOPE, thread=thread))
    assert "Bcc" not in message
    assert "In-Reply-To" not in message
    assert len(message["References"].split()) == 2


def test_html_escapes_text() -> None:
    page = html(replace(RENDERED, text="<script>alert(1)</script> & <b>"), "Desk", NUMBER, LINK)
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;" in page


def test_a_line_that_ends_in_the_link_becomes_a_button() -> None:
    page = html(replace(RENDERED, text=f"A\nB\n\n查看进度：{LINK}\nC\n"), "Desk", NUMBER, LINK)
    assert page.count("<a ") == 1
    assert ">查看进度</a>" in page
    assert "A<br>\nB</p>" in page


def test_a_long_line_before_the_link_becomes_a_paragraph_and_a_short_button() -> None:
    sentence = "请在24小时内直接回复本邮件，或在此补充您的信息："
    page = html(replace(RENDERED, text=f"{sentence}{LINK}\n\n{LINK}"), "Desk", NUMBER, LINK)
    assert f">{sentence}</p>" in page
    assert page.count(">打开工单</a>") == 2
