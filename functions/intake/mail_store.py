"""The mail bucket: raw mails, their attachments, and the quarantine.

SES writes each mail to S3 and announces it over SNS; the announcement waits in SQS until it is
processed (AWS, "Contents of notifications for Amazon SES email receiving").
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from functions.core.domain.errors import DeadLetter
from functions.core.domain.events import Attachment
from functions.core.domain.ticket import RefusedFile
from functions.core.storage.files import Files
from functions.core.storage.quarantined import quarantine
from functions.intake.mail_policy import Verdicts

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

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


class MailStore:
    """The mail bucket of a deployment."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self.client = client
        self.bucket = bucket

    def get(self, key: str) -> bytes:
        """Return a raw mail.

        Raises:
            DeadLetter: it is not in the bucket.
        """
        from botocore.exceptions import ClientError

        try:
            return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            # A caller that may not list the bucket gets AccessDenied for a missing key (GetObject).
            if error.response["Error"]["Code"] in {"NoSuchKey", "404", "AccessDenied"}:
                raise DeadLetter(f"the mail {key} is not in the bucket") from error
            raise

    def put(self, raw: bytes) -> str:
        """Store a mail that SES has not stored, under its digest, and return its key."""
        key = f"mail/{sha256(raw).hexdigest()}"
        self.client.put_object(Bucket=self.bucket, Key=key, Body=raw)
        return key

    def quarantine(
        self,
        raw: bytes,
        key: str,
        desk: str,
        cause: str,
        verdicts: Verdicts = NO_VERDICTS,
        call: Mapping[str, Any] | None = None,
    ) -> None:
        """Store a mail with the cause for `deskbell quarantine`.

        `call`: the desk, channel and query of a request, if `raw` is its body; the request can be
        read again with them.
        """
        receipt = verdicts.as_receipt()
        quarantine(self.client, self.bucket, raw, key, desk, cause, receipt=receipt, call=call)

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
