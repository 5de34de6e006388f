"""Mails, chat calls and forms held back by policy: objects under `quarantine/` in the mail bucket.

A discarded one moves to `discarded/`; a discarded dead letter leaves a JSON entry there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from functions.core.storage.database import Storage
from functions.core.storage.quarantined import as_metadata
from infra.console.quarantine_entry import (
    UNREADABLE,
    Entry,
    ReplayError,
    unreadable_cause,
)

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

QUARANTINE = "quarantine/"
DISCARDED = "discarded/"
_SHOWN_BYTES = 100_000
"""Bytes of a mail's source, and characters of its text, that are shown."""


class QuarantinedMail:
    """The mails and chat calls of a deployment that are in quarantine or were discarded."""

    def __init__(self, prefix: str, bucket: str, storage: Storage) -> None:
        self._prefix = prefix
        self._bucket = bucket
        self._storage = storage
        self._s3 = boto3.client("s3")
        self._sqs = boto3.client("sqs")

    def entries(self, prefix: str) -> Iterator[Entry]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        for page in pages:
            for item in page.get("Contents", []):
                head = self._s3.head_object(Bucket=self._bucket, Key=item["Key"])
                yield _entry(item["Key"], item["LastModified"], head["Metadata"])

    # Showing

    def original(self, key: str) -> bytes | None:
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read() if key else None
        except self._s3.exceptions.NoSuchKey:
            return None

    def text(self, key: str, entry: Entry) -> str:
        """The parsed content of a mail followed by its source; any other object as it is."""
        original = self.original(key)
        if original is None:
            return f"(the mail {key} is no longer in the bucket)"
        if entry.function != "mail" or entry.call:
            return original.decode("utf-8", "replace")
        source = original[:_SHOWN_BYTES].decode("utf-8", "replace")
        if len(original) > _SHOWN_BYTES:
            source += f"\n(… {len(original) - _SHOWN_BYTES} more bytes: --save writes all of it)"
        return f"{_parsed(original, entry)}\n\n--- source ---\n{source}"

    # Releasing

    def release(self, entry: Entry, desk: str, *, even_infected: bool) -> str:
        """Queue a mail for intake again, marked as released by a person.

        Raises:
            ReplayError: it could not be released.
        """
        if entry.function in {"chat", "form"}:
            return self._release_call(entry)
        if entry.function != "mail":
            raise ReplayError("only its entry was kept when it was discarded")
        if entry.verdicts.get("virusVerdict", {}).get("status") == "FAIL" and not even_infected:
            raise ReplayError("a virus was found in it: check it first, then add --even-infected")
        if desk == "-":
            raise ReplayError("no desk has the mailbox that it was sent to: add --desk")
        if self._storage.playbooks.version(desk) is None:
            raise ReplayError(f"there is no desk {desk}")
        mailbox = self._storage.playbooks.get(desk, datetime.now(UTC)).mail.address
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

    def _release_call(self, entry: Entry) -> str:
        if "query" not in entry.call:
            raise ReplayError("the call names no sender who could be answered")
        key = self._move_out(entry)
        self._queue_for_intake({"call": {**entry.call, "key": key}}, entry, key)
        return f"the call is queued for {entry.desk}"

    def _move_out(self, entry: Entry) -> str:
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

    def _queue_for_intake(self, message: Mapping[str, Any], entry: Entry, key: str) -> None:
        try:
            queue = self._sqs.get_queue_url(QueueName=f"{self._prefix}-mail")["QueueUrl"]
            self._sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(message))
        except (BotoCoreError, ClientError):
            self._copy(key, entry.id, entry.metadata(key))
            raise

    # Discarding

    def discard(self, entry: Entry, reason: str, actor: str, now: datetime) -> str:
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
            Key=f"{DISCARDED}{entry.desk}/{entry.id}.json",
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


def _entry(key: str, at: datetime, metadata: Mapping[str, str]) -> Entry:
    fields = {name: unquote(value) for name, value in metadata.items()}
    cause, unreadable = fields.get("cause", ""), False
    verdicts: Mapping[str, Any] = {}
    call: Mapping[str, Any] = {}
    try:
        verdicts = dict(json.loads(fields.get("verdicts", "{}")))
        call = dict(json.loads(fields.get("call", "{}")))
    except UNREADABLE as error:
        cause, unreadable = unreadable_cause(error), True
    return Entry(
        id=key,
        # Objects written before the rename carry the key `room`.
        function=fields.get("function") or fields.get("room", "mail"),
        at=at,
        cause=cause,
        keys={"mail": fields.get("mail", key)},
        desk=(*key.split("/"), "-")[1],
        body=None,
        verdicts=verdicts,
        call=call,
        unreadable=unreadable,
        discarded=f"{fields['by']}: {fields.get('reason', '')}" if "by" in fields else "",
    )


def _parsed(original: bytes, entry: Entry) -> str:
    from functions.intake.mail import parse

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
