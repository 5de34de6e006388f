"""Parsing raw mails into text, sender, subject, attachments and origin."""

import random
import struct
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from functions.core.mail import html, mime, tnef
from functions.core.mail.charsets import codec_for, decode
from functions.core.mail.parser import InboundMail, parse
from tests.examples import examples
from tests.growth import grows_with_length, seconds

pytestmark = pytest.mark.requirement("F1", "F5")
EXAMPLES = examples(__file__)
ROOT = Path(__file__).parents[3]
MAILS = Path(__file__).parent / "mails"
NAMES = sorted(path.stem for path in MAILS.glob("*.eml"))
ZH = "洗衣机又停了。\n请明天派人来。"
EN = "The machine stopped again."
HEAD = b"From: a@example.com\r\nTo: b@example.com\r\nSubject: x\r\nMIME-Version: 1.0\r\n"


def read(name: str) -> InboundMail:
    return parse((MAILS / f"{name}.eml").read_bytes())


def test_the_readme_explains_every_mail() -> None:
    listed = (MAILS / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}.eml`" not in listed] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gmail_reply", EN),
        ("outlook_zh_gb2312", "洗衣机又停了。\n\n镕记的订单也一样，单价100€。"),
        ("qq_reply", ZH),
        ("foxmail_reply", ZH),
        ("netease_reply", ZH),
        ("wecom_reply", ZH),
        ("outlook_mobile", EN),
        ("apple_inline_answers", f"{EN}\n\nSecond thing: the lamp.\n\nAn X-1.\n\nSince Monday."),
        ("flowed", "It is the one that I bought in May."),
        ("raw_big5", "您好，洗衣機又停了，請明天派人來看看。\n謝謝！"),
        ("raw_gbk", "您好，洗衣机又停了，请明天派人来看看。\n谢谢！"),
        ("raw_latin1", "Die Waschmaschine läuft nicht mehr. Grüße aus Köln"),
        ("utf8_called_gb2312", ZH),
        ("iso2022jp", "洗濯機が止まりました。\nよろしくお願いします。ﾃｽﾄ"),
        ("boundary_wrong", EN),
        ("boundary_unclosed", EN),
        ("base64_damaged", EN),
        ("winmail", "洗衣机又停了。"),
        ("calendar_only", "Repair of the washing machine\nExample Street 1, Example City\n"
         "Please come\nat nine."),
        ("forwarded_as_attachment", "The lamp is broken."),
        ("no_blank_line", "The machine stopped again, as I said.\nSecond line."),
        ("bare_cr", "Line one.\nLine two."),
        ("uuencoded", "The log is below.\n\n\nThat is all."),
        ("inline_image", "Look at this:\n[image: photo.png]"),
    ],
)  # fmt: skip
def test_the_text_is_the_newly_written_part(name: str, text: str) -> None:
    assert read(name).text == text


def test_a_forward_without_comment_keeps_the_forwarded_text() -> None:
    mail = read("pure_forward")
    assert mail.text == mail.full_text
    assert mail.text.endswith("The lamp is broken.")


def test_the_full_text_includes_the_history() -> None:
    assert "请问型号是？" in read("qq_reply").full_text
    assert "Which model is it?" in read("gmail_reply").full_text


def test_html_becomes_readable_text() -> None:
    assert read("html_lists").text == (
        "Broken & loud\n\nTwo things:\n\n- the door\n"
        "- the lamp photo <https://example.com/lamp?a=1&b=2>\n\n1. first\n2. second\n\n"
        "Model X-1\nSerial 12<3\n\n"
        "See https://example.com/x https://example.com/x, write to Desk <desk@example.com>"
    )


@pytest.mark.parametrize(("name", "defects"), EXAMPLES["defects"])
def test_every_repair_of_a_mail_is_listed(name: str, defects: list[str]) -> None:
    assert list(read(name).defects) == defects


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("outlook_zh_gb2312", "答复: 洗衣机"), ("qq_reply", "回复：洗衣机"),
        ("raw_big5", "洗衣機的問題沒有解決"), ("raw_gbk", "洗衣机的问题没有解决"),
        ("raw_latin1", "Waschmaschine fällt ständig aus"), ("iso2022jp", "洗濯機が止まりました"),
        ("rfc2047_abuse", "洗衣机的问题one two é plain"), ("addresses_malformed", "hello world"),
    ],
)  # fmt: skip
def test_the_subject_is_one_decoded_line(name: str, subject: str) -> None:
    assert read(name).subject == subject


@pytest.mark.parametrize(
    ("name", "sender"),
    [
        ("outlook_zh_gb2312", ("镕记示例", "customer@example.com")),
        ("qq_reply", ("客户", "10001@example.com")),
        ("raw_gbk", ("客户服务", "customer@example.com")),
        ("raw_latin1", ("Käufer Süd", "customer@example.com")),
        ("rfc2047_abuse", ("Example, Customer", "customer@example.com")),
        ("addresses_malformed", ("Home", "customer@example.com")),
        ("from_missing", ("Example", "sender@example.com")),
        ("dsn", ("Mail Delivery System", "mailer-daemon@mx.example.com")),
    ],
)
def test_the_sender_is_found(name: str, sender: tuple[str, str]) -> None:
    mail = read(name)
    assert (mail.from_name, mail.from_address) == sender


def test_recipients_are_read_from_all_headers() -> None:
    mail = read("addresses_malformed")
    assert mail.to == (
        "desk@example.com", "a@example.com", "b@example.com", "c@example.com", "d@example.com",
        "envelope@example.com",
    )  # fmt: skip
    assert mail.reply_to == '"odd local"@example.com'


def test_thread_ids_are_read_without_brackets() -> None:
    mail = read("gmail_reply")
    assert mail.message_id == "m1@example.com"
    assert mail.in_reply_to == "t1@desk.example.com"
    assert mail.references == ("t0@desk.example.com", "t1@desk.example.com")
    assert read("from_missing").message_id == ""
    assert read("from_missing").in_reply_to is None


def test_attachment_names_are_decoded() -> None:
    mail = read("rfc2231_names")
    assert [attachment.name for attachment in mail.attachments] == [
        "发票.pdf", "发票.pdf", "发票.pdf", "my file.pdf", 'passwd".pdf', "long-name.pdf",
        "发票.pdf",
    ]  # fmt: skip
    assert {(a.content_type, a.size, a.content) for a in mail.attachments} == {
        ("application/pdf", 4, b"%PDF")
    }


@pytest.mark.parametrize("charset", ["utf-8", "gbk", "big5", "iso-2022-jp"])
def test_a_name_split_inside_an_escape_is_joined(charset: str) -> None:
    """The pieces of a name are one text (RFC 2231, section 3)."""
    name = "請求書.pdf"
    escaped = "".join(f"%{byte:02X}" for byte in name.encode(charset))
    for at in range(1, len(escaped)):
        pieces = f"filename*0*={charset}''{escaped[:at]}; filename*1*={escaped[at:]}"
        found = parse(
            HEAD + b"Content-Disposition: attachment; " + pieces.encode() + b"\r\n\r\nx"
        ).attachments
        assert [each.name for each in found] == [name]


def test_an_attached_mail_is_named_by_its_subject() -> None:
    """Even if it is encoded, which RFC 2046 forbids."""
    inner = b64encode(b"Subject: =?utf-8?b?5Y+R56Wo?=\r\n\r\ntext")
    head = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    (found,) = parse(HEAD + head + inner).attachments
    assert found.name == "发票.eml"


def test_the_files_in_winmail_dat_become_attachments() -> None:
    (attachment,) = read("winmail").attachments
    assert (attachment.name, attachment.content) == ("发票 2024.pdf", b"%PDF-1.4 example")


def test_inline_images_and_uuencoded_files_are_attachments() -> None:
    (image,) = read("inline_image").attachments
    assert (image.name, image.content_type, image.size) == ("photo.png", "image/png", 8)
    (log,) = read("uuencoded").attachments
    assert (log.name, log.content) == ("log.txt", b"Cat")


@pytest.mark.parametrize("name", NAMES)
def test_the_origin_of_a_mail_is_recognised(name: str) -> None:
    expected = {
        "vacation": "auto_reply",
        "auto_reply_zh": "auto_reply",
        "auto_reply_exchange": "auto_reply",
        "read_receipt": "auto_reply",
        "dsn": "bounce",
        "dsn_delay": "bounce",
        "bounce_qmail": "bounce",
        "bounce_zh": "bounce",
        "complaint_arf": "complaint",
    }
    assert read(name).origin == expected.get(name, "human")


@pytest.mark.parametrize(
    ("name", "recipients", "status", "permanent", "message_id"),
    [
        ("dsn", ("gone@example.net",), "5.1.1", True, "t7@desk.example.com"),
        ("dsn_delay", ("slow@example.net",), "4.4.1", False, ""),
        ("bounce_qmail", ("gone@example.net",), "5.1.1", True, "t8@desk.example.com"),
        ("bounce_zh", ("gone@example.net",), "", True, ""),
        ("complaint_arf", ("annoyed@example.net",), "", False, "t9@desk.example.com"),
    ],
)
def test_a_bounce_names_the_returned_mail_and_recipient(
    name: str, recipients: tuple[str, ...], status: str, permanent: bool, message_id: str
) -> None:
    returned = read(name).returned
    assert returned is not None
    assert (returned.recipients, returned.status) == (recipients, status)
    assert (returned.permanent, returned.message_id) == (permanent, message_id)


@pytest.mark.parametrize(
    ("status", "permanent"),
    [("5.1.1", True), ("5.2.1", True), ("5.0.0", True), ("5.4.4", True), ("5.2.2", False),
     ("5.3.4", False), ("5.7.1", False), ("4.4.1", False)],
)  # fmt: skip
def test_only_a_bad_address_is_a_hard_bounce(status: str, permanent: bool) -> None:
    raw = (MAILS / "dsn.eml").read_bytes().replace(b"Status: 5.1.1", b"Status: " + status.encode())
    returned = parse(raw).returned
    assert returned is not None
    assert returned.permanent is permanent


def test_ses_notifications_are_distinguished() -> None:
    bounce = (
        '{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bouncedRecipients":'
        '[{"emailAddress":"gone@example.net","status":"5.1.1"}]}}'
    )
    head = HEAD.replace(b"Subject: x", b"Subject: AWS Notification\r\nx-amz-sns-message-id: 1")
    mail = parse(head + b"\r\n" + bounce.encode())
    assert mail.origin == "bounce"
    assert mail.returned is not None
    assert mail.returned.permanent
    assert mail.returned.recipients == ("gone@example.net",)
    complaint = bounce.replace("Bounce", "Complaint").encode()
    assert parse(head + b"\r\n" + complaint).origin == "complaint"


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Ticket", "Out of Office: Ticket", "Abwesenheitsnotiz: Ticket",
        "Automatische Antwort: Ticket", "Réponse automatique : Ticket", "Absence du bureau",
        "Respuesta automática: Ticket", "Fuera de la oficina", "Risposta automatica: Ticket",
        "Resposta automática: Ticket", "Automatisch antwoord: Ticket", "Autosvar: Ticket",
        "Automatiskt svar: Ticket", "Automatisk svar: Ticket", "Automaattinen vastaus: Ticket",
        "Odpowiedź automatyczna: Ticket", "Автоматический ответ: Ticket", "Автоответ: Ticket",
        "Automatická odpověď: Ticket", "Otomatik Yanıt: Ticket", "自动答复: 洗衣机",
        "自動回覆: 洗衣機",
        "自動応答: 洗濯機", "不在通知", "자동 회신: 세탁기", "부재중: 세탁기",
    ],
)  # fmt: skip
def test_an_absence_notice_is_recognised_by_its_subject(subject: str) -> None:
    raw = HEAD.replace(b"Subject: x", b"Subject: " + subject.encode()) + b"\r\nI am away.\r\n"
    assert parse(raw).origin == "auto_reply"
    person = raw.replace(b"Subject: ", b"Subject: Re: ")
    assert parse(person).origin == "human"


@pytest.mark.parametrize(
    "headers",
    [
        b"Auto-Submitted: no\r\n",
        b"X-Auto-Response-Suppress: DR, RN, NRN\r\n",
        b"Precedence: bulk\r\nList-Id: <list.example.com>\r\n",
        b"Return-Path: <customer@example.com>\r\n",
    ],
)
def test_a_person_s_mail_is_not_taken_for_automatic_mail(headers: bytes) -> None:
    assert parse(headers + HEAD + b"\r\nHello, my order failed to be delivered.").origin == "human"


@pytest.mark.parametrize(
    "subject",
    [
        "Out of office hours support?", "Absence of parts", "Abwesenheit bei Lieferung",
        "Afwezig bij levering", "Assenza di corrente", "Auto: my car insurance",
        "Vacation: booking", "外出中の配達について", "留守でした", "不在通知の件", "退信怎么办",
        "Returned mail order item", "Delivery failed again", "Mail delivery problem",
    ],
)  # fmt: skip
def test_an_ambiguous_subject_does_not_make_a_mail_automatic(subject: str) -> None:
    raw = HEAD.replace(b"Subject: x", b"Subject: " + subject.encode())
    assert parse(raw + b"\r\nPlease help.\r\n").origin == "human"


@pytest.mark.parametrize(
    "text",
    [
        "My mail to your returns address came back: user unknown. Which one is right?",
        "The mailbox is full of water since the delivery failed.",
    ],
)
def test_a_person_can_write_about_a_failed_delivery(text: str) -> None:
    for subject in ("Delivery problem with my order", "Message not delivered?"):
        raw = HEAD.replace(b"Subject: x", b"Subject: " + subject.encode())
        assert parse(raw + b"\r\n" + text.encode()).origin == "human"


def test_a_forwarded_delivery_report_without_comment_is_a_bounce() -> None:
    head = HEAD.replace(b"Subject: x", b"Subject: Fwd: Returned mail: see transcript")
    report = (
        b"> Final-Recipient: rfc822; gone@example.net\r\n> Action: failed\r\n> Status: 5.1.1\r\n"
    )
    mail = parse(head + b"\r\nBegin forwarded message:\r\n\r\n" + report)
    assert mail.origin == "bounce"
    assert mail.returned is not None
    assert mail.returned.recipients == ("gone@example.net",)
    asked = b"\r\nCan you tell me what this answer means, please?\r\n\r\n" + report
    assert parse(head + asked).origin == "human"


def test_a_report_of_success_is_no_bounce() -> None:
    raw = (MAILS / "dsn.eml").read_bytes().replace(b"Action: failed", b"Action: delivered")
    assert parse(raw).origin == "auto_reply"


@pytest.mark.parametrize(
    "headers",
    [
        b"Auto-Submitted: auto-generated\r\n", b"X-Autoreply: yes\r\n", b"Precedence: junk\r\n",
        b"Precedence: auto_reply\r\n", b"X-Auto-Response-Suppress: All\r\n",
        b"Return-Path: <>\r\n", b"X-FC-MachineGenerated: true\r\n",
        b"X-POST-MessageClass: 9; Autoresponder\r\n", b"X-Mailer: vacation 1.2\r\n",
        b"X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent\r\n",
    ],
)  # fmt: skip
def test_automatic_mail_is_recognised_by_its_headers(headers: bytes) -> None:
    assert parse(headers + HEAD + b"\r\nHello.").origin == "auto_reply"


@pytest.mark.parametrize(
    ("sender", "subject", "body"),
    [
        ("staff@hotmail.example", "complaint about message from 192.0.2.1", "Abuse."),
        ("fbl@example.com", "FW: your newsletter", "This user complained about spam."),
        ("abuse@example.com", "x", "Feedback-Type: abuse\nUser-Agent: x"),
    ],
)
def test_a_complaint_without_a_report_is_recognised(sender: str, subject: str, body: str) -> None:
    raw = (
        f"From: {sender}\nSubject: {subject}\nContent-Type: multipart/mixed; boundary=b\n\n"
        f"--b\n\n{body}\n--b\nContent-Type: message/rfc822\n\nSubject: mine\n\nHello\n--b--\n"
    )
    assert parse(raw.encode()).origin == "complaint"


# --- charsets -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("您好，洗衣机又停了，请明天派人来看看。", "gb18030"),
        ("您好，洗衣機又停了，請明天派人來看看。", "big5"),
        ("洗濯機が止まりました。よろしくお願いします。", "shift_jis"),
        ("洗濯機が止まりました。よろしくお願いします。", "euc_jp"),
        ("안녕하세요 세탁기가 또 멈췄습니다.", "cp949"),
        ("Здравствуйте, стиральная машина снова остановилась", "koi8-r"),
        ("Здравствуйте, стиральная машина снова остановилась", "cp1251"),
        ("Grüße aus München, die Tür fällt zu", "latin-1"),
        ("Bonjour, la machine est arrêtée à nouveau", "cp1252"),
        ("洗衣机 machine", "utf-8"),
    ],
)
def test_an_undeclared_charset_is_guessed(text: str, codec: str) -> None:
    found: list[str] = []
    assert decode(text.encode(codec), None, found.append) == text
    assert len(found) == 1


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("gb2312", "gb18030"), ("GBK", "gb18030"), ("x-gbk", "gb18030"), ("big5", "big5hkscs"),
        ("iso-8859-1", "cp1252"), ("ks_c_5601-1987", "cp949"), ("windows-1251", "cp1251"),
        ("UTF8", "utf-8"), ("idna", None), ("unicode_escape", None), ("zlib", None),
        ("x-unknown", None), ("default", None), ("\x00", None), ("", None),
    ],
)  # fmt: skip
def test_charset_labels_are_read_leniently(label: str, codec: str | None) -> None:
    assert codec_for(label) == codec


# --- winmail.dat ----------------------------------------------------------------------------


def _attribute(ident: int, data: bytes) -> bytes:
    return struct.pack("<BII", 1, ident, len(data)) + data + b"\x00\x00"


def _property(kind: int, tag: int, data: bytes, name: bytes = b"") -> bytes:
    return (
        struct.pack("<HH", kind, tag) + name + struct.pack("<II", 1, len(data)) + data
        + b"\x00" * (-len(data) % 4)
    )  # fmt: skip


def test_winmail_properties_are_read() -> None:
    """Named and fixed properties precede the needed ones (MS-OXTNEF)."""
    guid = b"\x00" * 16
    properties = struct.pack("<I", 6) + b"".join([
        struct.pack("<HHI", 0x0003, 0x0E07, 1),
        _property(0x1E, 0x8001, b"named", guid + struct.pack("<II", 0, 17)),
        _property(0x1E, 0x8002, b"named", guid + struct.pack("<II", 1, 4) + b"a\x00\x00\x00"),
        struct.pack("<HHIII", 0x1003, 0x6000, 2, 7, 8),
        _property(0x1F, 0x1000, "文字".encode("utf-16-le") + b"\x00\x00"),
        _property(0x102, 0x1013, "<p>文字</p>".encode()),
    ])  # fmt: skip
    file = struct.pack("<I", 1) + _property(0x0D, 0x3701, b"\x00" * 16 + b"inside")
    data = struct.pack("<IH", 0x223E9F78, 1) + b"".join([
        _attribute(0x00069003, properties),
        _attribute(0x00018010, b"a.txt\x00"),
        _attribute(0x00069005, file),
    ])  # fmt: skip
    message = tnef.read(data, lambda _: None)
    assert (message.text, message.html) == ("文字", "<p>文字</p>")
    assert message.files == [("a.txt", b"inside")]


@given(st.binary(max_size=400))
def test_any_winmail_dat_is_read(data: bytes) -> None:
    found: list[str] = []
    tnef.read(data, found.append)
    tnef.read(struct.pack("<IH", 0x223E9F78, 1) + data, found.append)
    tnef.read(
        struct.pack("<IH", 0x223E9F78, 1) + _attribute(0x00069003, b"\xff\x00\x00\x00" + data)
        + _attribute(0x00069005, struct.pack("<I", 3) + data), found.append,
    )  # fmt: skip


def test_an_unreadable_winmail_dat_stays_an_attachment() -> None:
    head = HEAD + b'Content-Type: application/ms-tnef; name="winmail.dat"\r\n\r\n'
    mail = parse(head + b"no container")
    assert mail.defects == ("tnef", "tnef:unreadable")
    assert [a.name for a in mail.attachments] == ["winmail.dat"]


def test_an_error_in_the_parser_loses_no_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("functions.core.mail.mime.read", fail)
    mail = parse(b"Subject: x\n\nThe words.")
    assert mail.defects == ("parse:failed",)
    assert "The words." in mail.text


# --- markup ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("document", "text"), EXAMPLES["quotations"])
def test_markup_separates_the_new_text_from_the_history(document: str, text: str) -> None:
    head = HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    assert parse(head + document.encode()).text == text


def test_markup_finds_history_that_the_plain_text_does_not_mark() -> None:
    raw = (
        HEAD + b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n"
        b"New words.\r\n\r\nOld words without any sign.\r\n--b\r\nContent-Type: text/html\r\n\r\n"
        b"<div>New words.</div><div id=divRplyFwdMsg>Old words without any sign.</div>\r\n--b--"
    )
    assert parse(raw).text == "New words."


def test_a_plain_text_that_only_asks_for_html_is_ignored() -> None:
    raw = (
        HEAD + b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n"
        b"Your mail client does not show HTML.\r\n--b\r\nContent-Type: text/html\r\n\r\n"
        b"<p>The machine stopped again, please send somebody tomorrow.</p>\r\n--b--"
    )
    assert parse(raw).text == "The machine stopped again, please send somebody tomorrow."


# --- bounds ---------------------------------------------------------------------------------


def nested(depth: int) -> bytes:
    opening = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (i, i)
        for i in range(depth)
    )
    return HEAD + opening + b"\r\nhello\r\n"


HOSTILE = {
    "30 MB attachment": lambda: HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    b"\r\nhello\r\n--b\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n"
    b"\r\n" + b"QUJD" * 18 * 420_000 + b"\r\n--b--\r\n",
    "30 MB text": lambda: HEAD + b"\r\n" + b"a line of text and more\r\n" * 1_200_000,
    "30 MB GBK": lambda: HEAD + b"\r\n" + "你好，洗衣机坏了。\r\n".encode("gbk") * 1_500_000,
    "30 MB HTML": lambda: HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div><p>x" * 3_300_000,
    "10,000 nested parts": lambda: nested(10_000),
    "10,000 nested mails": lambda: HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 10_000,
    "boundaries": lambda: HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\n" * 1_000_000,
    "headers": lambda: b"X-A: b\r\n" * 1_000_000,
    "encoded words": lambda: b"Subject: " + b"=?utf-8?b?aGk=?= =?a?q?" * 300_000 + b"\r\n\r\nhi",
    "addresses": lambda: b"To: " + b'"a" <b@example.com>, ' * 100_000 + b"\r\n\r\nhi",
    "quotes": lambda: b'From: "' + b"\\" * 100_000 + b"\r\n\r\nhi",
    "angles": lambda: b"From: " + b"<" * 100_000 + b"\r\n\r\nhi",
    "parentheses": lambda: b"From: " + b"(" * 100_000 + b"\r\n\r\nhi",
    "parameters": lambda: b"Content-Type: text/plain; " + b'a*0*="' * 50_000 + b"\r\n\r\nhi",
    "base64 padding": lambda: HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n"
    + b"aa=" * 1_000_000,
    "uuencode": lambda: HEAD + b"\r\n" + b"begin 644 a\n" * 80_000,
    "flowed": lambda: HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\n"
    + b"a \r\n" * 200_000,
    "open elements": lambda: HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 400_000,
    "open tags": lambda: HEAD + b"Content-Type: text/html\r\n\r\n" + b'<a "' * 400_000,
    "open comments": lambda: HEAD + b"Content-Type: text/html\r\n\r\n" + b"<!--" * 400_000,
    "close tags": lambda: HEAD + b"Content-Type: text/html\r\n\r\n" + b"<b>" * 999
    + b"</i>" * 300_000,
    "spaces": lambda: HEAD + b"\r\na" + b" " * 1_000_000 + b"b",
    "boundary in one line": lambda: HEAD + b"Content-Type: multipart/mixed; boundary=-\r\n\r\n"
    + b"-" * 2_000_000,
    "unclosed styles": lambda: HEAD + b"Content-Type: text/html\r\n\r\n" + b"<style>a" * 200_000,
    "long introduction": lambda: HEAD + b"Content-Type: text/html\r\n\r\n" + b"wrote " * 100_000
    + b"<br>" + b"<blockquote></blockquote>" * 20_000,
    "blockquotes": lambda: HEAD + b"Content-Type: text/html\r\n\r\n"
    + b"<blockquote type=cite>x" * 80_000,
}  # fmt: skip


@pytest.fixture(scope="module")
def ordinary() -> float:
    """Processor seconds for a byte of an ordinary mail."""
    raw = HEAD + b"\r\n" + b"Good morning, my order has not come yet.\r\n" * 5_000
    return seconds(lambda: parse(raw)) / len(raw)


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_parsing_time_grows_with_the_size_of_a_mail(name: str, ordinary: float) -> None:
    """Quadratic time would take thousands of times as long."""
    raw = HOSTILE[name]()
    mails: list[InboundMail] = []
    taken = seconds(lambda: mails.append(parse(raw)), 1)
    assert taken < 100 * ordinary * len(raw)
    mail = mails[0]
    assert "parse:failed" not in mail.defects
    assert len(mail.text) <= 1_000_000
    assert len(mail.full_text) <= 1_000_000


UNITS = [
    '"\\"', '"', '"\\', "\\", "(", "(\\", "<", "<(", "<a@", "a@", "@", " ", "a ",
    "=?", "=?x", "=?a?q?", "=?a?q?b?= ", ";", "a=", 'a="', 'a="\\', "a*0*=", "a;", ",", "a,", "'",
    "=?a?b?QQ==",
]  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["From", "To", "Subject", "Reply-To", "Message-ID", "References", "Content-Type",
     "Content-Disposition", "List-Id", "Return-Path", "X-Failed-Recipients"],
)  # fmt: skip
@pytest.mark.slow
def test_header_parsing_time_is_linear(name: str) -> None:
    """Within the part of a header that is read, and with many headers."""

    def read(text: str) -> None:
        values = (text[at : at + mime.MAX_VALUE] for at in range(0, len(text), mime.MAX_VALUE))
        parse("".join(f"{name}: x{value}\n" for value in values).encode() + b"\n\nhi")

    for unit in UNITS:
        for size in (mime.MAX_VALUE, mime.MAX_HEADER_BYTES - 5_000):
            assert grows_with_length(read, (unit * size)[:size]), (unit, size)


@pytest.mark.parametrize(
    "start",
    ["", "Subject: Fwd: Returned mail\n\nFinal-Recipient: x\n", "Content-Type: text/html\n\nx ",
     'x-amz-sns-message-id: 1\n\n{"notificationType":"Bounce",', "Content-Type: text/calendar\n\n",
     "Content-Type: multipart/mixed; boundary=-\n\n", "Content-Type: multipart/mixed\n\n",
     "Content-Type: text/plain; format=flowed\n\n", "Content-Transfer-Encoding: base64\n\n"],
)  # fmt: skip
@pytest.mark.slow
def test_body_parsing_time_is_linear(start: str) -> None:
    units = [
        " ", "\n", "\u3000\n", "-", "--\n", "- ", "=", ">", "> \n", "<", "<!--", "<a ", "&#9", "a@",
        'messageId":"a@', "begin 644 a\n", "not ", "\xa0", "message-id:\n ", "x\n\n",
        "ab \n", "x\nto: a\n",
    ]  # fmt: skip
    for unit in units:
        text = (unit * 200_000)[:200_000]
        assert grows_with_length(lambda text: parse(f"{start}{text}x".encode()), text), unit


@pytest.mark.slow
@pytest.mark.parametrize("name", ["30 MB attachment", "30 MB text", "30 MB GBK", "boundaries"])
def test_a_mail_of_30_mb_is_parsed_within_512_mb(name: str) -> None:
    """512 MB is the function's memory."""
    program = (
        "import resource\nfrom functions.core.mail.parser import parse\n"
        "from tests.core.mail.test_parser import HOSTILE\n"
        "def most(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        f"raw = HOSTILE[{name!r}]()\nbefore = most()\nparse(raw)\nprint(most() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 200  # MB beside the mail itself


def test_a_long_text_is_truncated_and_kept_as_an_attachment() -> None:
    mail = parse(HEAD + b"\r\n" + b"a line of text\r\n" * 100_000)
    assert "text:cut" in mail.defects
    (attachment,) = mail.attachments
    assert attachment.size == 1_600_000


def well_formed(mail: InboundMail) -> bool:
    """The promises that hold for any bytes."""
    return (
        "parse:failed" not in mail.defects
        and mail.origin in {"human", "auto_reply", "bounce", "complaint"}
        and mail.from_address == mail.from_address.lower()
        and "\n" not in mail.subject
        and "\x00" not in mail.full_text
        and all(a.size == len(a.content) and a.name and "/" not in a.name for a in mail.attachments)
        and all("<" not in found for found in (*mail.references, mail.message_id))
        and bool(mail.text) == bool(mail.full_text)
    )


@given(st.binary(max_size=3000))
@settings(max_examples=100)
def test_any_bytes_are_parsed(raw: bytes) -> None:
    assert well_formed(parse(raw))


TOKENS = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"--b", b"--b--", b" ", b"\t", b"From: ", b"To: ",
    b"Subject: ", b"Content-Type: ", b"multipart/mixed; boundary=b", b"multipart/alternative;",
    b"text/html", b"text/plain; charset=gb2312", b"message/rfc822", b"application/ms-tnef",
    b"Content-Transfer-Encoding: ", b"base64", b"quoted-printable", b"x-uuencode", b"=?utf-8?b?",
    b"?=", b"=?gbk?q?=C4", b"filename*0*=utf-8''%e5", b"filename=", b'"', b"<", b">", b"@",
    b"a@b.c",
    b"<p>", b"<blockquote type=cite>", b"</div>", b"&#", b"=", b"=3D", b"\x1b$B", b"\xff\xfe",
    b"\xc4\xe3", b"begin 644 a\n", b"end\n", b"multipart/report; report-type=delivery-status",
    b"message/delivery-status", b"Final-Recipient: rfc822; a@b.c", b"x\x9f\x3e\x22\x01\x00", b"> ",
    b"On 1 Jan 2024, a <a@b.c> wrote:", b"-- \n", b"format=flowed; delsp=yes", b"Return-Path: <>",
]  # fmt: skip


@given(st.lists(st.sampled_from(TOKENS), max_size=80))
@settings(max_examples=100)
def test_any_mixture_of_mail_parts_is_parsed(tokens: list[bytes]) -> None:
    assert well_formed(parse(b"".join(tokens)))


def mutations() -> Iterator[bytes]:
    """Real shapes, damaged: bytes changed, stretches dropped, doubled, swapped with others."""
    chance = random.Random(16)  # noqa: S311 - repeatable damage, no secret
    originals = [path.read_bytes() for path in sorted(MAILS.glob("*.eml"))]
    for original in originals:
        for _ in range(6):
            raw = bytearray(original)
            for _ in range(chance.randint(1, 8)):
                at = chance.randrange(len(raw) + 1)
                to = min(len(raw), at + chance.randint(0, 40))
                other = chance.choice(originals)
                start = chance.randrange(len(other))
                raw[at:to] = chance.choice(
                    [b"", bytes([chance.randrange(256)]), raw[at:to] * 2, chance.choice(TOKENS),
                     other[start : start + chance.randint(1, 60)]]
                )  # fmt: skip
            yield bytes(raw)


def test_damaged_mails_are_parsed() -> None:
    for raw in mutations():
        assert well_formed(parse(raw)), raw


@given(st.text(alphabet=st.sampled_from("<>/=\"' abpdiv&#;!-\n"), max_size=500))
@settings(max_examples=100)
def test_any_markup_becomes_lines(document: str) -> None:
    assert all("\n" not in line.text for line in html.lines(document))


@pytest.mark.requirement("G3")
def test_an_unpaired_surrogate_is_replaced() -> None:
    """UTF-7 can encode one, and it cannot be stored."""
    head = HEAD.replace(b"Subject: x", b"Subject: =?utf-7?Q?+2AA-?=")
    found = parse(head + b"Content-Type: text/plain; charset=utf-7\r\n\r\nhello +2AA-")
    assert (found.subject, found.text) == ("\ufffd", "hello \ufffd")
    assert "charset:half-character" in found.defects
