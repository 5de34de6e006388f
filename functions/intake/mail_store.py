"""The mail bucket: raw mails in, their attachments kept beside them.

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
from urllib.parse import quote

from functions.core.domain.errors import DeadLetter
from functions.core.domain.events import Attachment
from functions.core.domain.ticket import RefusedFile
from functions.core.storage.files import Files
from functions.intake.mail_policy import Verdicts

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from functions.core.domain.rules import FileRules
    from functions.intake.mail.parser import MailAttachment


NO_VERDICTS = Verdicts()


def as_metadata(text: str, most: int = 700) -> str:
    """A text as it may stand beside an object: percent-encoded, cut between two characters.

    S3 takes 2 KB of all such texts of an object together (AWS, "Working with object metadata").
    """
    written = quote(text)
    while len(written) > most:
        text = text[: len(text) * most // len(written)]
        written = quote(text)
    return written


@dataclass(frozen=True)
class Announced:
    """A mail that SES has received: where it lies, or the mail itself, and for whom it came.

    `released`: a person has looked at it in quarantine and says that it is a request;
    `even_infected`: although a virus was found in it.
    """

    key: str
    recipients: tuple[str, ...]
    verdicts: Verdicts = NO_VERDICTS
    released: bool = False
    even_infected: bool = False
    raw: bytes | None = None


def announced(body: str) -> Announced:
    """Read SES's announcement out of an SQS message, wrapped in an SNS envelope or not.

    Raises:
        DeadLetter: it is not the announcement of a mail that was stored.
    """
    try:
        content: Any = json.loads(body)
        if "Message" in content:
            content = json.loads(content["Message"])
        receipt = content["receipt"]
        raw = _inside(content) if receipt["action"].get("type") == "SNS" else None
        return Announced(
            raw=raw,
            key="" if raw is not None else receipt["action"]["objectKey"],
            recipients=tuple(receipt["recipients"]),
            verdicts=Verdicts.of(receipt),
            released=content.get("released") is True,
            even_infected=content.get("even_infected") is True,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DeadLetter(
            f"not SES's announcement of a mail: {type(error).__name__}: {error}"
        ) from error


def released_call(body: str) -> Mapping[str, Any] | None:
    """The call of a chat channel that a person has released from quarantine, None for a mail."""
    try:
        call = json.loads(body)["call"]
        return call if {"desk", "channel", "query", "key"} <= set(call) else None
    except (ValueError, KeyError, TypeError):
        return None


def _inside(content: Any) -> bytes:
    """The mail that SES's SNS action puts into its announcement, up to 150 KB."""
    if content["receipt"]["action"].get("encoding") == "BASE64":
        return b64decode(content["content"], validate=True)
    return str(content["content"]).encode("utf-8", "surrogateescape")


class Inbox:
    """The mail bucket of a deployment."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self.client = client
        self.bucket = bucket

    def raw(self, key: str) -> bytes:
        """A raw mail.

        Raises:
            DeadLetter: it is not there.
        """
        from botocore.exceptions import ClientError

        try:
            return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            # To whom may not list the bucket, S3 says so of what is not there (GetObject).
            if error.response["Error"]["Code"] in {"NoSuchKey", "404", "AccessDenied"}:
                raise DeadLetter(f"the mail {key} is not in the bucket") from error
            raise

    def store(self, raw: bytes) -> str:
        """Keep a raw mail that SES has not stored, under its own digest, and return its key."""
        key = f"mail/{sha256(raw).hexdigest()}"
        self.client.put_object(Bucket=self.bucket, Key=key, Body=raw)
        return key

    def set_aside(
        self,
        raw: bytes,
        key: str,
        desk: str,
        cause: str,
        verdicts: Verdicts = NO_VERDICTS,
        call: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep a mail that opens no ticket where `deskbell quarantine` lists it, with its cause.

        `call`: what is kept is a call of a chat channel's provider; where it came in and with
        which query, so that it can be read again.
        """
        beside = {"room": "chat", "call": as_metadata(json.dumps(call))} if call else {}
        self.client.put_object(
            Bucket=self.bucket,
            Key=f"quarantine/{desk}/{key.rpartition('/')[2]}",
            Body=raw,
            Metadata={
                "cause": as_metadata(cause),
                "mail": as_metadata(key),
                "verdicts": json.dumps(verdicts.receipt()),
                **beside,
            },
        )

    def keep(
        self,
        desk: str,
        raw: str,
        found: tuple[MailAttachment, ...],
        rules: FileRules,
        *,
        infected: bool,
    ) -> tuple[tuple[Attachment, ...], tuple[RefusedFile, ...]]:
        """Keep the files of the mail at `raw`; those kept, and those that stay in the original with
        why."""
        folder = f"{desk}/{raw.rpartition('/')[2]}"
        files = ((file.name, file.content) for file in found)
        why = "virus" if infected else None
        return Files(self.client, self.bucket).keep(folder, files, rules, why)
