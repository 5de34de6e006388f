"""Mails as they go over the wire, and a golden file for each message of the desk `standard`.

`DESKBELL_RECORD_GOLDEN=1 pytest tests/notify/test_mail.py` writes the golden files anew.
"""

from __future__ import annotations

import os
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from functions.core.domain.rules import Locale, Playbook
from functions.core.services.composing import RenderedMessage, compose, written_by_agent
from functions.notify.mail import Envelope, Thread, build, html
from tests.notify.deployment import NOON
from tests.notify.sample_events import LINK, NUMBER, commit, notifications_by_message, ticket

GOLDEN = Path(__file__).parent / "golden"
RECORD = bool(os.environ.get("DESKBELL_RECORD_GOLDEN"))
MESSAGES = sorted(path.name.rsplit(".", 2)[0] for path in GOLDEN.glob("*.zh-CN.txt"))

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


def shown(message: EmailMessage, rendered: RenderedMessage) -> str:
    """A mail as people can compare it."""
    headers = "".join(f"{name}: {value}\n" for name, value in message.items())
    parts = {"text": part(message, "plain"), "html": part(message, "html"), "sms": rendered.sms}
    return headers + "".join(f"\n----- {kind}\n{text}\n" for kind, text in parts.items())


@pytest.mark.requirement("A4", "A8", "A11", "A12")
@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_the_mails_of_the_standard_desk_match_their_golden_files(
    playbook: Playbook, locale: Locale
) -> None:
    desk = playbook.model_copy(update={"locale": locale})
    different = []
    for key, notification in notifications_by_message(desk).items():
        rendered = compose(
            notification,
            commit(notification.event),
            ticket(locale=locale),
            desk,
            status_url=LINK,
            description="App 无法登录，提示 <网络错误> & 重试",
        )
        customer = notification.recipient == "customer"
        envelope = replace(
            ENVELOPE,
            sender=desk.mail.sender[locale],
            thread=ENVELOPE.thread if customer else Thread(own_id="x@standard.local"),
            reply_to=ENVELOPE.reply_to if customer else "",
            automatic=not (customer and written_by_agent(notification.event.event)),
        )
        mail = shown(parsed(envelope, rendered), rendered)
        path = GOLDEN / f"{key}.{locale}.txt"
        if RECORD:
            path.write_text(mail, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != mail:
            different.append(path.name)
    assert different == [], "see DESKBELL_RECORD_GOLDEN above"


def test_every_message_of_the_desk_standard_has_its_golden_file(playbook: Playbook) -> None:
    """No message is unused, and no golden file is left over."""
    assert sorted(notifications_by_message(playbook)) == sorted(playbook.messages) == MESSAGES


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
