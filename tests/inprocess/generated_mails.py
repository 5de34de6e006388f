"""Generate mails of every kind from a seed, each with its expected outcome (G1, G3).

All texts and names are made up.
"""

from __future__ import annotations

import random
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.header import Header
from email.message import EmailMessage
from typing import Any, Literal

DESK = "support@standard.local"
OTHER_DESK = "support@omnichannel.local"

Fate = Literal["ticket", "joins", "shown", "repetition", "quarantine", "dead_lettered"]

CHARSETS = {
    "utf-8": "无法登录，验证码收不到",
    "gb2312": "订单没有发货，请核实",
    "gbk": "退款迟迟没有到账",
    "gb18030": "发票抬头写错了，请重开",
    "big5": "無法登入，請協助處理",
    "iso-2022-jp": "ログインできません。確認してください",
    "shift_jis": "領収書を再発行してください",
    "euc-jp": "商品が届きません",
    "euc-kr": "로그인이 되지 않습니다",
    "koi8-r": "Не могу войти в кабинет",
    "windows-1251": "Заказ не пришёл",
    "iso-8859-1": "Die Rechnung fehlt für März",
    "iso-8859-2": "Proszę o fakturę za zamówienie",
    "windows-1252": "Je n’ai pas reçu ma commande",
    "iso-8859-7": "Δεν μπορώ να συνδεθώ",
    "windows-1256": "لا أستطيع تسجيل الدخول",
    "tis-620": "เข้าสู่ระบบไม่ได้",
    "utf-16": "表格无法打开",
}


@dataclass
class GeneratedMail:
    """A mail, its announcement, and its expected outcome (`fate`).

    `cause` is the beginning of the cause in quarantine; `about` is the mail whose ticket this one
    belongs to, or that it repeats.
    """

    kind: str
    raw: bytes
    fate: Fate
    desks: tuple[str, ...] = ("standard",)
    recipients: tuple[str, ...] = (DESK,)
    cause: str = ""
    about: GeneratedMail | None = None
    verdicts: dict[str, Any] = field(default_factory=dict)
    body: str | None = None
    key: str = ""


class MailGenerator:
    """Generates mails, each different from all others."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - to be the same each time
        self.count = 0
        self.followed = 0

    def standalone(self, share: int) -> Iterator[GeneratedMail]:
        """Yield standalone mails: `share` times every kind."""
        for _ in range(share):
            for charset in CHARSETS:
                yield self.person(f"charset {charset}", charset)
            for make in (
                self.html, self.with_files, self.without_id, self.raw_header, self.of_a_list,
                self.forged, self.asked_by_two, self.of_the_other_desk, self.quotes_a_number,
                self.cut_off, self.program_inside,
            ):  # fmt: skip
                yield make()
            yield from (self.spam(), self.virus(), self.against_dmarc(), self.oversized())
            yield from (self.many_parts(), self.deep(), self.no_sender(), self.garbage())
            yield from (self.to_nobody(), self.own(), self.poison(), self.announced_in_vain())
            yield from (self.bounce(""), self.out_of_office(""), self.complaint())

    def follow_ups(self, mail: GeneratedMail, number: str, own_id: str) -> Iterator[GeneratedMail]:
        """Yield one follow-up to a mail that made a ticket, of each kind in turn."""
        made = self.followed % 8
        self.followed += 1
        if made < 4:
            yield self.answer(mail, number, own_id, made)
        elif made == 4:
            yield self.again(mail)
        elif made == 5:
            yield self.other_words(mail)
        elif made == 6:
            yield self.bounce(own_id, mail)
        else:
            yield self.out_of_office(own_id, mail)

    # From people

    def person(self, kind: str, charset: str = "utf-8", **headers: str) -> GeneratedMail:
        return GeneratedMail(kind, self._mail(CHARSETS[charset], charset, **headers), "ticket")

    def html(self) -> GeneratedMail:
        mail = self._headers()
        mail.set_content("<p>付款<b>失败</b>了。</p><script>x()</script>", subtype="html")
        return GeneratedMail("html", self._bytes(mail), "ticket")

    def with_files(self) -> GeneratedMail:
        mail = self._headers()
        mail.set_content("见附件。")
        content = b"%PDF-1.7 " + str(self.count).encode()
        mail.add_attachment(content, maintype="application", subtype="pdf", filename="发票.pdf")
        return GeneratedMail("files", self._bytes(mail), "ticket")

    def program_inside(self) -> GeneratedMail:
        mail = self._headers()
        mail.set_content("请安装。")
        mail.add_attachment(b"MZ\x90", maintype="image", subtype="png", filename="a.png")
        return GeneratedMail("program", self._bytes(mail), "ticket")

    def without_id(self) -> GeneratedMail:
        mail = self._headers()
        del mail["Message-ID"]
        mail.set_content(f"没有编号的邮件 {self.count}")
        return GeneratedMail("without id", self._bytes(mail), "ticket")

    def raw_header(self) -> GeneratedMail:
        raw = self._mail("打不开", "utf-8")
        return GeneratedMail(
            "raw header", raw.replace(b"Subject: ", "Subject: 登录".encode("gb18030"), 1), "ticket"
        )

    def of_a_list(self) -> GeneratedMail:
        return self.person("list", **{"List-Id": "<users.example.org>", "Precedence": "list"})

    def cut_off(self) -> GeneratedMail:
        raw = self.with_files().raw
        return GeneratedMail("cut off", raw[: len(raw) * 2 // 3], "ticket")

    def forged(self) -> GeneratedMail:
        mail = self.person("forged")
        mail.verdicts = verdicts(spf="FAIL", dkim="FAIL")
        return mail

    def quotes_a_number(self) -> GeneratedMail:
        return self.person("a stranger's number", Subject="Re: CS20200101001")

    def asked_by_two(self) -> GeneratedMail:
        mail = self.person("two desks")
        mail.recipients, mail.desks = (DESK, OTHER_DESK), ("standard", "omnichannel")
        return mail

    def of_the_other_desk(self) -> GeneratedMail:
        mail = self.person("other desk")
        mail.recipients, mail.desks = (OTHER_DESK,), ("omnichannel",)
        return mail

    def answer(self, mail: GeneratedMail, number: str, own_id: str, how: int) -> GeneratedMail:
        """Return an answer that references our id, the customer's own id, or the number."""
        theirs = _header(mail.raw, b"Message-ID")
        sender = {"From": _header(mail.raw, b"From")}
        ways: tuple[dict[str, str], ...] = (
            {"In-Reply-To": own_id},
            {**sender, "References": f"<other@example.com> {own_id}"},
            {**sender, "In-Reply-To": theirs} if theirs else {"In-Reply-To": own_id},
            {**sender, "Subject": f"Re: [{number}] 补充"},
        )
        raw = self._mail("补充说明：今天还是一样。", "utf-8", **ways[how])
        return GeneratedMail(f"answer {how}", raw, "joins", about=mail)

    def again(self, mail: GeneratedMail) -> GeneratedMail:
        """Return the same mail as another server relays it."""
        raw = b"Received: from mx2.example.com by mx.example.net\r\n" + mail.raw
        if not _header(mail.raw, b"Message-ID"):
            raw = mail.raw  # without an id it is recognised by its bytes only
        return GeneratedMail("again", raw, "repetition", about=mail)

    def other_words(self, mail: GeneratedMail) -> GeneratedMail:
        theirs = _header(mail.raw, b"Message-ID") or "<fixed@example.com>"
        raw = self._mail("这是另一件事。", "utf-8", **{"Message-ID": theirs})
        if not _header(mail.raw, b"Message-ID"):
            return GeneratedMail(
                "after one without id", self._mail("这是另一件事。", "utf-8"), "ticket"
            )
        return GeneratedMail("repeated id", raw, "quarantine", cause="repeated id: ")

    # From machines

    def bounce(self, own_id: str, mail: GeneratedMail | None = None) -> GeneratedMail:
        self.count += 1
        text = (
            "From: MAILER-DAEMON@mx.example.com\r\nTo: support@standard.local\r\n"
            f"Subject: Undelivered Mail Returned to Sender {self.count}\r\n"
            f"Message-ID: <bounce-{self.count}@mx.example.com>\r\nAuto-Submitted: auto-replied\r\n"
            f"References: {own_id or '<unknown@example.org>'}\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
            "--b\r\n\r\nYour message could not be delivered.\r\n"
            "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
            "Reporting-MTA: dns; mx.example.com\r\n\r\n"
            "Final-Recipient: rfc822; gone@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n"
            "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
            f"Message-ID: {own_id or '<unknown@example.org>'}\r\nSubject: x\r\n--b--\r\n"
        )
        if mail is None:
            return GeneratedMail("bounce", text.encode(), "quarantine", cause="bounce: ")
        return GeneratedMail("bounce of ours", text.encode(), "shown", about=mail)

    def out_of_office(self, own_id: str, mail: GeneratedMail | None = None) -> GeneratedMail:
        headers = {"Auto-Submitted": "auto-replied", "Subject": "自动回复：休假"}
        if own_id:
            headers["In-Reply-To"] = own_id
        raw = self._mail("我正在休假。", "utf-8", **headers)
        if mail is None:
            return GeneratedMail("out of office", raw, "quarantine", cause="auto_reply: ")
        return GeneratedMail("out of office to ours", raw, "shown", about=mail)

    def complaint(self) -> GeneratedMail:
        self.count += 1
        text = (
            f"From: fbl@isp.example.com\r\nTo: {DESK}\r\nSubject: complaint {self.count}\r\n"
            f"Message-ID: <arf-{self.count}@isp.example.com>\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
            "--b\r\n\r\nThis is an abuse report.\r\n--b\r\n"
            "Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n--b--\r\n"
        )
        return GeneratedMail("complaint", text.encode(), "quarantine", cause="complaint: ")

    # Mail to quarantine

    def spam(self) -> GeneratedMail:
        return self._quarantined(self.person("spam"), "spam", spam="FAIL")

    def virus(self) -> GeneratedMail:
        return self._quarantined(self.with_files(), "virus", virus="FAIL", spam="FAIL")

    def against_dmarc(self) -> GeneratedMail:
        return self._quarantined(self.person("dmarc"), "dmarc", dmarc="FAIL", policy="reject")

    def oversized(self) -> GeneratedMail:
        mail = self._headers()
        mail.set_content("大文件")
        mail.add_attachment(
            self.random.randbytes(900_000), maintype="video", subtype="mp4", filename="a.mp4"
        )
        return GeneratedMail("oversized", self._bytes(mail), "quarantine", cause="limit: ")

    def many_parts(self) -> GeneratedMail:
        head = self._head('Content-Type: multipart/mixed; boundary="b"')
        raw = head + b"--b\r\n\r\nx\r\n" * 1_001 + b"--b--\r\n"
        return GeneratedMail("many parts", raw, "quarantine", cause="limit: ")

    def deep(self) -> GeneratedMail:
        raw = self._head('Content-Type: multipart/mixed; boundary="b0"')
        for depth in range(60):
            boundary = f'Content-Type: multipart/mixed; boundary="b{depth + 1}"'
            raw += f"--b{depth}\r\n{boundary}\r\n\r\n".encode()
        return GeneratedMail("deep", raw + b"--b60\r\n\r\nx\r\n", "quarantine", cause="limit: ")

    def no_sender(self) -> GeneratedMail:
        mail = self._headers()
        del mail["From"]
        mail.set_content("谁也不知道是谁写的")
        return GeneratedMail(
            "no sender", self._bytes(mail), "quarantine", cause="nobody to answer: "
        )

    def garbage(self) -> GeneratedMail:
        self.count += 1
        raw = bytes([0, 255, 13]) + self.random.randbytes(300).replace(b"@", b"")
        return GeneratedMail("garbage", raw, "quarantine", cause="nobody to answer: ")

    def to_nobody(self) -> GeneratedMail:
        mail = self.person("to nobody")
        mail.recipients, mail.desks = ("sales@elsewhere.local",), ("-",)
        mail.fate, mail.cause = "quarantine", "unknown recipient: "
        return mail

    def own(self) -> GeneratedMail:
        mail = self.person("own mail", From=DESK)
        mail.fate, mail.cause = "quarantine", "loop: "
        return mail

    # Unprocessable messages

    def poison(self) -> GeneratedMail:
        self.count += 1
        return GeneratedMail(
            "poison", b"", "dead_lettered", ("-",), body=f'{{"count": {self.count}'
        )

    def announced_in_vain(self) -> GeneratedMail:
        self.count += 1
        return GeneratedMail("not stored", b"", "dead_lettered", ("-",))

    # Building blocks

    def _quarantined(self, mail: GeneratedMail, cause: str, **statuses: str) -> GeneratedMail:
        mail.kind, mail.fate, mail.cause = cause, "quarantine", f"{cause}: "
        mail.verdicts = verdicts(**statuses)
        return mail

    def _headers(self, **headers: str) -> EmailMessage:
        self.count += 1
        mail = EmailMessage()
        given = {
            "From": f"writer {self.count} <writer{self.count}@example.com>",
            "To": DESK,
            "Subject": f"请求 {self.count}",
            "Message-ID": f"<m{self.count}@example.com>",
            **headers,
        }
        for name, value in given.items():
            mail[name] = value
        return mail

    def _bytes(self, mail: EmailMessage) -> bytes:
        if mail.is_multipart():
            mail.set_boundary(f"boundary-{self.count}")
        return mail.as_bytes()

    def _mail(self, text: str, charset: str, **headers: str) -> bytes:
        """Return a plain-text mail as old mailers write it: subject and body in one charset."""
        self.count += 1
        subject = Header(f"{text[:12]} {self.count}", charset if charset != "utf-16" else "utf-8")
        given = {
            "From": f"writer{self.count}@example.com",
            "To": DESK,
            "Subject": subject.encode(),
            "Message-ID": f"<m{self.count}@example.com>",
            "MIME-Version": "1.0",
            "Content-Type": f"text/plain; charset={charset}",
            "Content-Transfer-Encoding": "base64",
        }
        for name, value in headers.items():
            given[name] = value if value.isascii() else Header(value, "utf-8").encode()
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        body = b64encode(f"{text}\n（第 {self.count} 封）".encode(charset, "ignore"))
        return head.encode() + b"\r\n" + body + b"\r\n"

    def _head(self, *lines: str) -> bytes:
        self.count += 1
        head = (
            f"From: writer{self.count}@example.com",
            f"To: {DESK}",
            f"Subject: {self.count}",
            f"Message-ID: <m{self.count}@example.com>",
            *lines,
        )
        return "".join(f"{line}\r\n" for line in head).encode() + b"\r\n"


def verdicts(policy: str = "", **statuses: str) -> dict[str, Any]:
    """Return the verdicts in SES's receipt, such as `spam="FAIL"`."""
    found: dict[str, Any] = {f"{n}Verdict": {"status": s} for n, s in statuses.items()}
    return {**found, "dmarcPolicy": policy} if policy else found


def _header(raw: bytes, name: bytes) -> str:
    for line in raw.partition(b"\n\n")[0].splitlines():
        if line.startswith(name + b": "):
            return line.partition(b": ")[2].decode("ascii", "replace").strip()
    return ""
