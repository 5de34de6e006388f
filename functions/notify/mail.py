"""A message as a mail: headers, plain text, and the same in HTML. Pure.

Amazon SES replaces the Message-ID with one of its own but keeps References, and mail clients carry
References over into answers. So Deskbell's keyed ids stand there too, and an answer finds its
ticket by them (RFC 5322, 3.6.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.notify import texts

if TYPE_CHECKING:
    from functions.core.domain.rules import Locale
    from functions.core.services.composing import Words

SUPPRESS = "OOF, AutoReply"
"""Asks Exchange not to answer by itself ([MS-OXCMAIL], X-Auto-Response-Suppress)."""


@dataclass(frozen=True)
class Thread:
    """Where a mail stands in its conversation. Ids are without angle brackets.

    `ticket_id` is the same in every mail of a ticket, `own_id` belongs to this one, `answers` is
    the customer's own message, if there was one.
    """

    own_id: str
    ticket_id: str = ""
    answers: str = ""

    @property
    def references(self) -> tuple[str, ...]:
        """The conversation so far, oldest first, and this mail itself."""
        if not self.ticket_id:
            return ()
        return tuple(dict.fromkeys(filter(None, (self.ticket_id, self.answers, self.own_id))))

    @property
    def in_reply_to(self) -> str:
        """The message that this one follows: the customer's, else the ticket's first."""
        return self.answers or (self.ticket_id if self.ticket_id != self.own_id else "")


@dataclass(frozen=True)
class Envelope:
    """Everything of a mail but its words. Answers go to `answers_to`, else to `address`."""

    sender: str
    address: str
    to: str
    at: datetime
    thread: Thread
    automatic: bool
    answers_to: str = ""


def build(envelope: Envelope, words: Words, number: str, link: str) -> bytes:
    """The mail as it goes over the wire: CRLF, ASCII, text and HTML alternative.

    The same arguments give the same bytes.
    """
    from email import policy
    from email.headerregistry import Address
    from email.message import EmailMessage
    from email.utils import format_datetime

    thread = envelope.thread
    message = EmailMessage(policy=policy.SMTP.clone(cte_type="7bit"))
    message["From"] = Address(envelope.sender, addr_spec=envelope.address)
    message["Reply-To"] = envelope.answers_to or envelope.address
    message["To"] = envelope.to
    message["Subject"] = words.subject
    message["Date"] = format_datetime(envelope.at)
    message["Message-ID"] = f"<{thread.own_id}>"
    for name, ids in (("In-Reply-To", (thread.in_reply_to,)), ("References", thread.references)):
        written = " ".join(f"<{one}>" for one in ids if _is_id(one))
        if written:
            message[name] = written
    if thread.ticket_id:
        # SES gives the mail another Message-ID: by this one it is known should it come back.
        message["X-Deskbell-Id"] = f"<{thread.own_id}>"
    if envelope.automatic:
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = SUPPRESS
    message.set_content(words.text)
    message.add_alternative(html(words, envelope.sender, number, link), subtype="html")
    message["Content-Language"] = words.locale
    message.set_boundary(f"deskbell-{sha256(thread.own_id.encode()).hexdigest()[:24]}")
    return message.as_bytes()


def _is_id(found: str) -> bool:
    """Whether an id may stand in a header as it is; one from outside could hold anything."""
    return bool(found) and found.isascii() and found.isprintable() and not set(found) & set(" <>")


def html(words: Words, sender: str, number: str, link: str) -> str:
    """The words as a self-contained HTML page; a line that ends in the link becomes a button."""
    page: str = _layout().render(
        locale=words.locale,
        subject=words.subject,
        sender=sender,
        number=number,
        number_label=texts.NUMBER[words.locale],
        blocks=_blocks(words.text, link, words.locale),
    )
    return page


def _blocks(text: str, link: str, locale: Locale) -> list[dict[str, Any]]:
    """Paragraphs and buttons, in order."""
    blocks: list[dict[str, Any]] = []
    open_lines: list[str] | None = None
    for line in text.splitlines():
        stripped = line.strip()
        if link and stripped.endswith(link):
            said = stripped.removesuffix(link).rstrip()
            label = said.rstrip(":：")
            if _columns(label) > texts.LABEL_COLUMNS:
                blocks.append({"url": "", "lines": [said]})
                label = ""
            blocks.append({"url": link, "label": label or texts.STATUS_BUTTON[locale]})
            open_lines = None
        elif not stripped:
            open_lines = None
        elif open_lines is None:
            open_lines = [stripped]
            blocks.append({"url": "", "lines": open_lines})
        else:
            open_lines.append(stripped)
    return blocks


def _columns(text: str) -> int:
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


@lru_cache(maxsize=1)
def _layout() -> Any:
    from jinja2 import Environment

    source = Path(__file__).parent.joinpath("templates", "mail.html").read_text(encoding="utf-8")
    return Environment(autoescape=True).from_string(source)
