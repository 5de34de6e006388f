"""Mails, chat calls and forms held back by policy: objects under `quarantine/` in the mail bucket.

A discarded one moves to `discarded/`; a discarded dead letter leaves a JSON entry there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from functions.administration.entries import (
    NO_DESK,
    UNREADABLE,
    QuarantineEntry,
    printable,
    unreadable_cause,
)
from functions.core.domain.errors import NotFound, ReplayError
from functions.core.platform import aws, clock
from functions.core.platform.settings import Deployment
from functions.core.storage.database import Storage
from functions.core.storage.quarantined import as_metadata
from functions.core.text.masking import mask

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CopySourceTypeDef, GetObjectOutputTypeDef
    from mypy_boto3_sqs import SQSClient

QUARANTINE = "quarantine/"
DISCARDED = "discarded/"
_SHOWN_BYTES = 100_000
"""Bytes of a mail's source, and characters of its text, that are shown."""

_HEAD_BYTES = 16_384
"""Bytes at the beginning of a mail in which its sender and subject are looked for."""

ONLY_ENTRY = "Only its entry was kept when it was discarded, so it cannot be replayed."


class QuarantinedMail:
    """The mails and chat calls of a deployment that are in quarantine or were discarded."""

    def __init__(self, deployment: Deployment, storage: Storage) -> None:
        self._prefix = deployment.prefix
        self._bucket = deployment.mail_bucket
        self._storage = storage
        self._s3: S3Client = aws.client("s3")
        self._sqs: SQSClient = aws.client("sqs")

    def entries(self, prefix: str) -> Iterator[QuarantineEntry]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        for page in pages:
            for item in page.get("Contents", []):
                head = self._s3.head_object(Bucket=self._bucket, Key=item["Key"])
                yield _entry(item["Key"], item["LastModified"], head["Metadata"])

    def page(
        self, folders: Sequence[str], after: str, limit: int
    ) -> tuple[list[QuarantineEntry], str]:
        """Return the next entries below some folders, with their mails' senders and subjects.

        Args:
            after: the second value of the page before, "" for the first page.

        Returns:
            Also where the next page begins, "" if this is the last one.
        """
        keys: list[str] = []
        for folder in folders:
            # A folder that comes before that of `after` has been read.
            if after and folder in folders[: _position(folders, after)]:
                continue
            listed = self._s3.list_objects_v2(
                Bucket=self._bucket,
                Prefix=folder,
                StartAfter=after if after.startswith(folder) else folder,
                MaxKeys=limit + 1 - len(keys),
            )
            keys += [item["Key"] for item in listed.get("Contents", [])]
            if len(keys) > limit:
                break
        found = [entry for key in keys[:limit] if (entry := self.find(key))]
        return found, keys[limit - 1] if len(keys) > limit else ""

    def find(self, key: str) -> QuarantineEntry | None:
        """Return one entry, with its mail's sender and subject; None if there is none."""
        found = self._get(key, Range=f"bytes=0-{_HEAD_BYTES - 1}")
        if found is None:
            return None
        entry = _entry(key, found["LastModified"], found["Metadata"])
        if not entry.is_mail:
            return entry
        from functions.core.mail import parse

        mail = parse(found["Body"].read())
        sender, title = (printable(mask(text)) for text in (mail.from_address, mail.subject))
        return replace(entry, sender=sender, title=title)

    def has_discarded(self, entry: QuarantineEntry) -> bool:
        """Return whether an entry that has no object of its own was discarded."""
        return self.find(_discarded_key(entry)) is not None

    # Showing

    def original(self, key: str) -> bytes | None:
        found = self._get(key) if key else None
        return found["Body"].read() if found else None

    def _get(self, key: str, **part: Any) -> GetObjectOutputTypeDef | None:
        """Return an object or a part of it, None if there is none."""
        from botocore.exceptions import ClientError

        try:
            return self._s3.get_object(Bucket=self._bucket, Key=key, **part)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "InvalidRange":  # it is empty
                return self._s3.get_object(Bucket=self._bucket, Key=key)
            # Whoever may list some folders only gets AccessDenied for a missing key (GetObject).
            # A key that none can be comes from an address.
            if code in {"NoSuchKey", "404", "AccessDenied", "KeyTooLongError"}:
                return None
            raise

    def text(self, key: str, entry: QuarantineEntry) -> str:
        """The parsed content of a mail followed by its source; any other object as it is."""
        original = self.original(key)
        if original is None:
            return f"(the mail {key} is no longer in the bucket)"
        if not entry.is_mail:
            return original.decode("utf-8", "replace")
        source = original[:_SHOWN_BYTES].decode("utf-8", "replace")
        if len(original) > _SHOWN_BYTES:
            source += f"\n(… {len(original) - _SHOWN_BYTES} more bytes)"
        return f"{_parsed(original, entry)}\n\n--- source ---\n{source}"

    # Releasing

    def release(self, entry: QuarantineEntry, desk: str, *, even_infected: bool) -> str:
        """Queue a mail for intake again, marked as released by a person.

        Raises:
            ReplayError: it could not be released.
        """
        if entry.function in {"chat", "form"}:
            return self._release_call(entry)
        if entry.function != "mail":
            raise ReplayError(ONLY_ENTRY)
        if entry.infected and not even_infected:
            raise ReplayError("A virus was found in it. Check it first, then confirm the release.")
        if desk == NO_DESK:
            raise ReplayError("No desk has the mailbox that it was sent to. Name a desk.")
        if self._storage.playbooks.version(desk) is None:
            raise NotFound("There is no such desk.")
        mailbox = self._storage.playbooks.get(desk, clock.now()).mail.address
        key = self._move_out(entry)
        notification = {
            "notificationType": "Received",
            "receipt": {
                "recipients": [mailbox],
                "action": {"type": "S3", "bucketName": self._bucket, "objectKey": key},
                **entry.verdicts,
            },
            "released": True,
            "even_infected": even_infected,
        }
        self._queue_for_intake(notification, entry, key)
        return f"the mail is queued for {desk}"

    def _release_call(self, entry: QuarantineEntry) -> str:
        if "query" not in entry.call:
            raise ReplayError("It names no sender who could be answered.")
        key = self._move_out(entry)
        self._queue_for_intake({"call": {**entry.call, "key": key}}, entry, key)
        return f"the call is queued for {entry.desk}"

    def _move_out(self, entry: QuarantineEntry) -> str:
        """Move an object out of quarantine and return its new key.

        It is moved before it is queued: intake may quarantine it again under the same key, and
        deleting that key afterwards would delete the only copy.
        """
        key = f"mail/{entry.id.rpartition('/')[2]}"
        self._s3.copy_object(
            Bucket=self._bucket,
            Key=key,
            CopySource=self._source(entry.id),
            MetadataDirective="REPLACE",
        )
        self._s3.delete_object(Bucket=self._bucket, Key=entry.id)
        return key

    def _queue_for_intake(
        self, message: Mapping[str, Any], entry: QuarantineEntry, key: str
    ) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            queue = self._sqs.get_queue_url(QueueName=f"{self._prefix}-mail")["QueueUrl"]
            self._sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(message))
        except (BotoCoreError, ClientError):
            self._copy(key, entry.id, entry.metadata(key))
            raise

    # Discarding

    def discard(self, entry: QuarantineEntry, reason: str, actor: str, now: datetime) -> str:
        """Move a mail to `discarded/`, or write the entry of a dead letter there."""
        metadata = {
            **entry.metadata(entry.keys.get("mail", entry.id) if entry.body is None else entry.id),
            "by": as_metadata(actor, 100),
            "reason": as_metadata(reason, 400),
        }
        if entry.body is None:
            self._copy(entry.id, f"{DISCARDED}{entry.id.removeprefix(QUARANTINE)}", metadata)
            self._s3.delete_object(Bucket=self._bucket, Key=entry.id)
            return "discarded; the mail is kept for a year"
        document = {
            "id": entry.id,
            "function": entry.function,
            "cause": entry.cause,
            "keys": dict(entry.keys),
            "since": entry.at.isoformat(),
            "discarded_at": now.isoformat(),
            "by": actor,
            "reason": reason,
        }
        self._s3.put_object(
            Bucket=self._bucket,
            Key=_discarded_key(entry),
            Body=json.dumps(document, ensure_ascii=False).encode(),
            Metadata=metadata,
        )
        return "discarded; the entry is kept for a year"

    def _copy(self, source: str, key: str, metadata: Mapping[str, str]) -> None:
        self._s3.copy_object(
            Bucket=self._bucket,
            Key=key,
            CopySource=self._source(source),
            Metadata=metadata,
            MetadataDirective="REPLACE",
        )

    def _source(self, key: str) -> CopySourceTypeDef:
        return {"Bucket": self._bucket, "Key": key}


def _discarded_key(entry: QuarantineEntry) -> str:
    return f"{DISCARDED}{entry.desk}/{entry.id}.json"


def _position(folders: Sequence[str], key: str) -> int:
    """The position of the folder that holds a key; the first if none does."""
    return next((at for at, folder in enumerate(folders) if key.startswith(folder)), 0)


def _entry(key: str, at: datetime, metadata: Mapping[str, str]) -> QuarantineEntry:
    fields = {name: unquote(value) for name, value in metadata.items()}
    cause, unreadable = fields.get("cause", ""), False
    verdicts: Mapping[str, Any] = {}
    call: Mapping[str, Any] = {}
    try:
        verdicts = dict(json.loads(fields.get("verdicts", "{}")))
        call = dict(json.loads(fields.get("call", "{}")))
    except UNREADABLE as error:
        cause, unreadable = unreadable_cause(error), True
    return QuarantineEntry(
        id=key,
        # Objects written before the rename carry the key `room`.
        function=fields.get("function") or fields.get("room", "mail"),
        at=at,
        cause=cause,
        keys={"mail": fields.get("mail", key)},
        desk=(*key.split("/"), NO_DESK)[1],
        body=None,
        verdicts=verdicts,
        call=call,
        unreadable=unreadable,
        discarded=f"{fields['by']}: {fields.get('reason', '')}" if "by" in fields else "",
    )


def _parsed(original: bytes, entry: QuarantineEntry) -> str:
    from functions.core.mail import parse

    mail = parse(original)
    verdicts = {
        name.removesuffix("Verdict"): value.get("status") if isinstance(value, dict) else value
        for name, value in entry.verdicts.items()
    }
    fields = [
        ("cause", entry.cause),
        ("discarded", entry.discarded),
        ("from", f"{mail.from_name} <{mail.from_address}>".strip()),
        ("to", ", ".join(mail.to[:10])),
        ("subject", mail.subject),
        ("message id", mail.message_id),
        ("origin", mail.origin),
        ("verdicts", " ".join(f"{name}={value}" for name, value in verdicts.items())),
        ("defects", " ".join(mail.defects)),
        *(("file", f"{f.name} ({f.content_type}, {f.size} bytes)") for f in mail.attachments[:50]),
    ]
    head = "\n".join(f"{name}: {value}" for name, value in fields if value)
    return f"{head}\n\n{mail.full_text[:_SHOWN_BYTES]}"
