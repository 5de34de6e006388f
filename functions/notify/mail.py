"""Build a mail from a message: headers, plain text and HTML. Pure.

Amazon SES replaces the Message-ID but keeps References, and mail clients copy References into
replies. So References contains Deskbell's keyed ids too, and a reply finds its ticket by them (RFC
5322, 3.6.4).
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from functions.core.domain.rules import Locale
from functions.core.services.composing import RenderedMessage
from functions.notify import texts

SUPPRESS = "OOF, AutoReply"
"""Asks Exchange not to reply automatically ([MS-OXCMAIL], X-Auto-Response-Suppress)."""


@dataclass(frozen=True)
class Thread:
    """The ids that thread a mail, without angle brackets.

    `own_id` is this mail's; `ticket_id` is the same in every mail of a ticket; `answers` is that of
    the customer's own mail, if there was one.
    """

    own_id: str
    ticket_id: str = ""
    answers: str = ""

    @property
    def references(self) -> tuple[str, ...]:
        """The ids of the conversation, oldest first, with this mail's own."""
        if not self.ticket_id:
            return ()
        return tuple(dict.fromkeys(filter(None, (self.ticket_id, self.answers, self.own_id))))

    @property
    def in_reply_to(self) -> str:
        """The id of the mail before: the customer's, else the ticket's first."""
        return self.answers or (self.ticket_id if self.ticket_id != self.own_id else "")


@dataclass(frozen=True)
class Envelope:
    """A mail without its text. Replies go to `reply_to`, else to `address`."""

    sender: str
    address: str
    to: str
    at: datetime
    thread: Thread
    automatic: bool
    reply_to: str = ""


def build(envelope: Envelope, rendered: RenderedMessage, number: str, link: str) -> bytes:
    """Return the mail as it goes over the wire: CRLF, ASCII, with text and HTML alternatives.

    The same arguments give the same bytes.
    """
    from email import policy
    from email.headerregistry import Address
    from email.message import EmailMessage
    from email.utils import format_datetime

    thread = envelope.thread
    message = EmailMessage(policy=policy.SMTP.clone(cte_type="7bit"))
    message["From"] = Address(envelope.sender, addr_spec=envelope.address)
    message["Reply-To"] = envelope.reply_to or envelope.address
    message["To"] = envelope.to
    message["Subject"] = rendered.subject
    message["Date"] = format_datetime(envelope.at)
    message["Message-ID"] = f"<{thread.own_id}>"
    for name, ids in (("In-Reply-To", (thread.in_reply_to,)), ("References", thread.references)):
        if value := " ".join(f"<{id_}>" for id_ in ids if _is_header_id(id_)):
            message[name] = value
    if thread.ticket_id:
        # SES replaces the Message-ID; a bounce is matched by this header.
        message["X-Deskbell-Id"] = f"<{thread.own_id}>"
    if envelope.automatic:
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = SUPPRESS
    message.set_content(rendered.text)
    message.add_alternative(html(rendered, envelope.sender, number, link), subtype="html")
    message["Content-Language"] = rendered.locale
    message.set_boundary(f"deskbell-{sha256(thread.own_id.encode()).hexdigest()[:24]}")
    return message.as_bytes()


def _is_header_id(text: str) -> bool:
    """Return whether an id is safe in a header; the customer's mail could contain anything."""
    return bool(text) and text.isascii() and text.isprintable() and not set(text) & set(" <>")


def html(rendered: RenderedMessage, sender: str, number: str, link: str) -> str:
    """Return the message as a self-contained HTML page, with the link as a button."""
    page: str = _layout().render(
        locale=rendered.locale,
        subject=rendered.subject,
        sender=sender,
        number=number,
        number_label=texts.NUMBER[rendered.locale],
        blocks=_blocks(rendered.text, link, rendered.locale),
    )
    return page


def _blocks(text: str, link: str, locale: Locale) -> list[dict[str, Any]]:
    """Split a text into paragraphs and buttons; a line that ends in the link becomes a button."""
    blocks: list[dict[str, Any]] = []
    open_lines: list[str] | None = None
    for line in text.splitlines():
        stripped = line.strip()
        if link and stripped.endswith(link):
            lead_in = stripped.removesuffix(link).rstrip()
            label = lead_in.rstrip(":：")
            if _columns(label) > texts.LABEL_COLUMNS:
                blocks.append({"url": "", "lines": [lead_in]})
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
