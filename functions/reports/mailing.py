"""Mail finished reports to the desk's recipients, and jumps to its supervisors (B11, D16)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from html import escape
from typing import Any, Literal

from functions.core.deliver.email import deliverable
from functions.core.deliver.failures import Passing, SendFailure
from functions.core.domain.rules import Locale, Playbook
from functions.core.platform.logging import logger
from functions.core.reports.figures import FIGURES
from functions.core.reports.labels import (
    figure_definition,
    figure_label,
    figure_text,
    number_text,
    word,
)
from functions.core.reports.report import CorrectionView, ReportJumpView, ReportView
from functions.core.reports.workbook import MEDIA_TYPE, workbook
from functions.core.storage.report_mails import ReportMails
from functions.core.text.words import say

ADDRESS = "mail:"
"""Begins a recipient that is an address rather than a team."""

log = logger("reports")

SendMail = Callable[[str, str, bytes], object]
"""Sends a raw mail; takes sender and recipient before it."""

Line = tuple[str, str]
Block = Literal["head", "table", "list", "quiet"]


@dataclass(frozen=True)
class ReportMail:
    """A mail before it is built: blocks of lines, each with a name or only a text."""

    subject: str
    blocks: Sequence[tuple[Block, str, Sequence[Line]]]
    locale: Locale

    @property
    def text(self) -> str:
        between = "：" if self.locale == "zh-CN" else ": "
        parts = []
        for kind, title, lines in self.blocks:
            dash = "- " if kind == "list" else ""
            said = [f"{dash}{between.join(filter(None, line))}" for line in lines]
            parts.append("\n".join(filter(None, (title, *said))))
        return "\n\n".join(parts) + "\n"

    @property
    def html(self) -> str:
        parts = [
            f'<!doctype html>\n<html lang="{self.locale}"><head><style>{_STYLE}</style></head>'
        ]
        for kind, title, lines in self.blocks:
            parts += [f"<p>{escape(title)}</p>"] if title else []
            cells = ("".join(f"<td>{escape(cell)}</td>" for cell in line if cell) for line in lines)
            rows = (f"<tr>{each}</tr>" for each in cells)
            parts.append("\n".join((f'<table class="{kind}">', *rows, "</table>")))
        return "\n".join((*parts, "</html>\n"))


_STYLE = (
    "html{font-family:-apple-system,'Segoe UI','PingFang SC','Microsoft YaHei',sans-serif}"
    "p{margin:20px 0 6px;font-weight:600}table{border-collapse:collapse;margin-bottom:12px}"
    "td{padding:4px 16px 4px 0;vertical-align:top}.table td{border-bottom:1px solid #e5e7eb}"
    ".quiet td{padding:2px 16px 2px 0;font-size:12px;color:#6b7280}"
)


def report_mail(report: ReportView, playbook: Playbook) -> ReportMail:
    """Return the mail with a report: its figures, what stands out, and the definitions."""
    locale = playbook.reports.locale or playbook.locale
    kind, desk = word(report["kind"], locale), playbook.name[locale]
    figures: Mapping[str, Any] = report["figures"]
    last = datetime.fromisoformat(report["to"]) - timedelta(seconds=1)
    days = dict.fromkeys((report["from"][:10], last.date().isoformat()))
    said = [
        (figure_label(name, locale), figure_text(name, value, locale))
        for name, value in figures.items()
    ]
    advice = [("", each["text"]) for each in report["suggestions"]]
    blocks: list[tuple[Block, str, Sequence[Line]]] = [
        ("head", f"{desk} {kind} {report['period']}", [
            (f"{' – '.join(days)} ({report['timezone']})", ""),
        ]),
        ("list", say("report.mail.wrong", locale), [("", each) for each in report["problems"]]),
        ("table", "", said),
        ("list", word("suggestions", locale), advice),
        ("list", word("jumps", locale), [("", each["label"]) for each in report["jumps"]]),
        ("list", word("top_problems", locale), [
            (each["label"], f"{each['n']} ({each['share']:.0%})")
            for each in report["top_problems"][:5]
        ]),
        ("list", word("corrections", locale), [
            (f"{each['period']} {figure_label(each['figure'], locale)}", _corrected(each, locale))
            for each in report["corrections"]
        ]),
        ("head", "", [(say("report.mail.attached", locale), "")]),
        ("quiet", word("definitions", locale), [
            (figure_label(name, locale), figure_definition(name, locale))
            for name in figures if name in FIGURES
        ]),
    ]  # fmt: skip
    title = f"【{kind}】{desk} {report['period']}"
    subject = title if locale == "zh-CN" else f"{kind} {report['period']}: {desk}"
    return ReportMail(subject, [block for block in blocks if block[2]], locale)


def _corrected(correction: CorrectionView, locale: Locale) -> str:
    """Return what a figure was and is: its count, or the mean of durations."""
    figure = correction["figure"]
    path = "mean" if figure in FIGURES and FIGURES[figure].seconds else "n"
    was, now = (number_text(figure, path, correction[side], locale) for side in ("from", "to"))
    return f"{was} → {now}"


def jump_mail(jumps: Sequence[ReportJumpView], playbook: Playbook) -> ReportMail:
    """Return the mail that tells supervisors of jumps, with the numbers of their tickets."""
    locale = playbook.locale
    blocks: list[tuple[Block, str, Sequence[Line]]] = [
        ("head", "", [(say("report.mail.jump", locale), "")]),
        *(("table", each["label"], [("", " ".join(each["tickets"]))]) for each in jumps),
        ("quiet", "", [(say("report.mail.jump_means", locale), "")]),
    ]
    first = jumps[0]["label"]
    subject = f"【异常增长】{first}" if locale == "zh-CN" else f"Unusually many: {first}"
    return ReportMail(subject, blocks, locale)


def address_of(recipient: str, playbook: Playbook) -> str | None:
    """Return where a recipient of reports gets mail: an address, or the mailbox of a team."""
    if recipient.startswith(ADDRESS):
        return recipient.removeprefix(ADDRESS)
    name = recipient if recipient in playbook.teams else playbook.team_of_role(recipient)
    return playbook.teams[name].mailbox if name else None


@dataclass(frozen=True)
class ReportMailer:
    """Sends the mails about reports."""

    claims: ReportMails
    send: SendMail
    now: datetime

    def send_report(self, report: ReportView, playbook: Playbook) -> bool:
        """Mail a report to each recipient who has not got it; False if one has to be tried again.

        A claim is recorded first: of two runs one sends, and a mail that may have gone out is not
        sent again.
        """
        kind, desk = report["kind"], playbook.desk
        if kind not in playbook.reports.kinds:
            return True
        name, attached, done = f"{kind}/{report['period']}", b"", True
        for recipient in playbook.reports.recipients:
            address = address_of(recipient, playbook)
            if address is None:
                continue
            mail = report_mail(report, playbook)
            attached = attached or workbook(report, mail.locale)
            # Claimed once it is made: if it cannot be, the next run tries again.
            if not self.claims.claim(desk, name, recipient, self.now):
                continue
            file = (f"{desk}-{report['period']}.xlsx", attached)
            if not self._deliver(mail, playbook, address, f"{name}/{recipient}", file):
                self.claims.release(desk, name, recipient)
                done = False
        return done

    def send_jumps(self, playbook: Playbook, jumps: Sequence[ReportJumpView]) -> bool:
        """Tell the supervisors of jumps; False if it has to be tried again.

        Each is claimed for its day: of two runs at once, one tells of it.
        """
        address, desk = address_of("supervisor", playbook), playbook.desk
        if address is None:
            return True
        new = [jump for jump in jumps if self.claims.claim(desk, *_told(jump), self.now)]
        if not new:
            return True
        name = "/".join((self.now.isoformat(), *(jump["group"] for jump in new)))
        if self._deliver(jump_mail(new, playbook), playbook, address, name):
            return True
        for jump in new:
            self.claims.release(desk, *_told(jump))
        return False

    def _deliver(
        self,
        mail: ReportMail,
        playbook: Playbook,
        address: str,
        name: str,
        file: tuple[str, bytes] | None = None,
    ) -> bool:
        """Send a mail; False if it has not gone out and may be sent again."""
        try:
            to = deliverable(address)
            self.send(playbook.mail.address, to, build(mail, playbook, to, self.now, name, file))
        except Passing as failure:
            log.warning("reports.mail_failed", extra={"desk": playbook.desk, "cause": str(failure)})
            return False
        except SendFailure as failure:
            log.error("reports.mail_failed", extra={"desk": playbook.desk, "cause": str(failure)})
        return True


def _told(jump: ReportJumpView) -> tuple[str, str]:
    """Return what is claimed for the mail about a jump: the day and the group."""
    return f"jump/{jump['day']}", jump["group"]


def build(
    mail: ReportMail,
    playbook: Playbook,
    to: str,
    at: datetime,
    name: str,
    file: tuple[str, bytes] | None = None,
) -> bytes:
    """Return a mail as it goes over the wire. The same arguments give the same bytes."""
    from email import policy
    from email.headerregistry import Address
    from email.message import EmailMessage
    from email.utils import format_datetime

    digest = sha256(f"{playbook.desk}/{name}".encode()).hexdigest()[:24]
    sender = playbook.mail
    message = EmailMessage(policy=policy.SMTP.clone(cte_type="7bit"))
    message["From"] = Address(sender.sender[mail.locale], addr_spec=sender.address)
    message["To"] = to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<report.{digest}@{sender.address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    message.set_boundary(f"deskbell-{digest}")
    if file:
        main, _, subtype = MEDIA_TYPE.partition("/")
        message.add_attachment(file[1], maintype=main, subtype=subtype, filename=file[0])
        message.set_boundary(f"deskbell-outer-{digest}")
    message["Content-Language"] = mail.locale
    return message.as_bytes()
