"""The mail bucket: raw mails, their attachments, and the quarantine.

SES writes each mail to S3 and announces it over SNS; the announcement waits in SQS until it is
processed (AWS, "Contents of notifications for Amazon SES email receiving").
"""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.domain.errors import DeadLetter
from functions.core.domain.events import Attachment
from functions.core.domain.ticket import RefusedFile
from functions.core.storage.files import Files
from functions.core.storage.quarantined import quarantine
from functions.core.storage.raw_messages import RawMessages
from functions.intake.mail_policy import Verdicts

if TYPE_CHECKING:
    from functions.core.domain.rules import FileRules
    from functions.core.mail.parser import MailAttachment


NO_VERDICTS = Verdicts()


@dataclass(frozen=True)
class MailAnnouncement:
    """SES's announcement of a received mail, with its key in the bucket or with the mail itself.

    `released`: an operator released it from quarantine; `even_infected`: although the scanner
    found a virus in it.
    """

    key: str
    recipients: tuple[str, ...]
    verdicts: Verdicts = NO_VERDICTS
    released: bool = False
    even_infected: bool = False
    raw: bytes | None = None


def read_announcement(body: str) -> MailAnnouncement:
    """Read SES's announcement from an SQS message, with or without SNS's envelope.

    Raises:
        DeadLetter: it does not announce a stored mail.
    """
    try:
        content: Any = json.loads(body)
        if "Message" in content:
            content = json.loads(content["Message"])
        receipt = content["receipt"]
        raw = _embedded_mail(content) if receipt["action"].get("type") == "SNS" else None
        return MailAnnouncement(
            raw=raw,
            key="" if raw is not None else receipt["action"]["objectKey"],
            recipients=tuple(receipt["recipients"]),
            verdicts=Verdicts.from_receipt(receipt),
            released=content.get("released") is True,
            even_infected=content.get("even_infected") is True,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DeadLetter(
            f"not SES's announcement of a mail: {type(error).__name__}: {error}"
        ) from error


def _embedded_mail(content: Any) -> bytes:
    """Return the mail that SES's SNS action embeds in its announcement, up to 150 KB."""
    if content["receipt"]["action"].get("encoding") == "BASE64":
        return b64decode(content["content"], validate=True)
    return str(content["content"]).encode("utf-8", "surrogateescape")


class MailStore(RawMessages):
    """The mails of a deployment, with their verdicts and attachments."""

    def quarantine(
        self,
        raw: bytes,
        key: str,
        desk: str,
        cause: str,
        verdicts: Verdicts = NO_VERDICTS,
    ) -> None:
        """Store a mail with the cause for `deskbell quarantine`."""
        receipt = verdicts.as_receipt()
        quarantine(self.client, self.bucket, raw, key, desk, cause, receipt=receipt)

    def keep_attachments(
        self,
        desk: str,
        key: str,
        attachments: tuple[MailAttachment, ...],
        rules: FileRules,
        *,
        infected: bool,
    ) -> tuple[tuple[Attachment, ...], tuple[RefusedFile, ...]]:
        """Store the attachments of the mail at `key`; return those stored and those refused."""
        folder = f"{desk}/{key.rpartition('/')[2]}"
        files = ((attachment.name, attachment.content) for attachment in attachments)
        return Files(self.client, self.bucket).keep(
            folder, files, rules, "virus" if infected else None
        )
