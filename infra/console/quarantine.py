"""What could not be processed: list it, show it whole, bring it back or discard it (G3).

It lies in four places: in the dead-letter queues (what a function parked with its cause, what
Lambda and SQS gave up on), on the ticket (a delivery whose note in the queue names it), in the
mail bucket under `quarantine/` (mails that open no ticket, with their cause), and in Step Functions
(closing workflows that failed). What is discarded leaves an entry under `discarded/` in the mail
bucket that says who did it, when and why; a mail itself lies there too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from functions.core.storage.store import Store
from functions.intake.mail_store import as_metadata, released_call
from infra.console import closing_workflows
from infra.console.redelivery import (
    DeadLetteredAgainError,
    Redelivery,
    RefusedError,
    StreamGoneError,
    records_between,
)
from infra.deploy.desks import store_of

ROOMS = ("mail", "router", "notify", "sla_timer")
QUARANTINE = "quarantine/"
DISCARDED = "discarded/"
_HIDDEN_SECONDS = 60
_PAGE = 10


class ReplayError(RuntimeError):
    """It could not be brought back; the message tells why. It stays where it is."""


@dataclass(frozen=True)
class Kept:
    """One thing in quarantine.

    `id` is the message's or the key in the mail bucket and stays the same. `keys` say where it
    belongs: the table's keys of its item, or the mail. `body` is all of it.
    """

    id: str
    room: str
    at: datetime
    cause: str
    keys: Mapping[str, str]
    desk: str
    body: Any
    receipt: str = ""
    verdicts: Mapping[str, Any] = field(default_factory=dict)
    call: Mapping[str, Any] = field(default_factory=dict)
    """Of a chat channel's call: where it came in, and how it is read again."""

    discarded: str = ""
    """Who discarded it and why; empty for what waits."""

    @property
    def about(self) -> str:
        """The ticket, or the mail, in a few words."""
        pk = self.keys.get("pk", "")
        if pk:
            return f"{pk.rpartition('#')[2]} {self.keys.get('sk', '')}".strip()
        return self.keys.get("mail", "")


@dataclass
class Quarantine:
    """The quarantine of a stage."""

    stage: str
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        account = boto3.client("sts").get_caller_identity()["Account"]
        region = boto3.session.Session().region_name
        self._prefix = f"deskbell-{self.stage}"
        self._bucket = f"{self._prefix}-mail-{account}-{region}"
        self._sqs = boto3.client("sqs")
        self._s3 = boto3.client("s3")
        self.store = store_of(self.stage)

    @contextmanager
    def opened(self) -> Iterator[list[Kept]]:
        """Everything in quarantine, oldest first; messages are hidden from others meanwhile."""
        found: list[Kept] = []
        try:
            for room in ROOMS:
                found += self._messages(room)
            elsewhere = [*self._mails(QUARANTINE), *self._closings()]
            yield sorted([*found, *elsewhere], key=lambda kept: kept.at)
        finally:
            for kept in found:
                self._put_back(kept)

    def _queue(self, name: str) -> str:
        return self._sqs.get_queue_url(QueueName=f"{self._prefix}-{name}")["QueueUrl"]

    def _messages(self, room: str) -> Iterator[Kept]:
        queue = self._queue(f"{room}-dlq")
        while messages := self._sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=_PAGE,
            VisibilityTimeout=_HIDDEN_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp", "DeadLetterQueueSourceArn"],
        ).get("Messages", []):
            yield from (self._kept(room, message) for message in messages)

    def _kept(self, room: str, message: Any) -> Kept:
        body = _json(message["Body"])
        sent = int(message["Attributes"]["SentTimestamp"]) / 1000
        keys = self._keys(room, body)
        return Kept(
            id=message["MessageId"],
            room=room,
            at=datetime.fromtimestamp(sent, UTC),
            cause=_cause(body, message["Attributes"]),
            keys=keys,
            desk=self._desk(keys, body),
            body=body,
            receipt=message["ReceiptHandle"],
            call=(_call(body) or {}) if room == "mail" else {},
        )

    def _keys(self, room: str, body: Any) -> dict[str, str]:
        if not isinstance(body, dict):
            return {}
        if "DDBStreamBatchInfo" in body:
            try:
                records = records_between(body["DDBStreamBatchInfo"], room)
            except StreamGoneError:
                return {}
            first = records[0]["dynamodb"]["Keys"] if records else {}
            return {name: str(next(iter(value.values()))) for name, value in first.items()}
        found = {str(name): str(value) for name, value in (body.get("keys") or {}).items()}
        if room == "mail" and (announced := _announced(body.get("record", body))):
            found["mail"] = announced["receipt"]["action"]["objectKey"]
        elif room == "mail" and (call := _call(body)):
            found["mail"] = str(call["key"])
        return found

    def _desk(self, keys: Mapping[str, str], body: Any) -> str:
        parts = keys.get("pk", "").split("#")
        if len(parts) > 1:
            return parts[1]
        if call := _call(body):
            return str(call["desk"])
        announced = _announced(body.get("record", body)) if isinstance(body, dict) else None
        for recipient in announced["receipt"]["recipients"] if announced else []:
            if desk := self.store.desk_of_mailbox(str(recipient)):
                return desk
        return "-"

    def discarded(self) -> list[Kept]:
        """What was discarded, oldest first; mails whole, of the rest the entry."""
        return sorted(self._mails(DISCARDED), key=lambda kept: kept.at)

    def _mails(self, prefix: str) -> Iterator[Kept]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        for page in pages:
            for item in page.get("Contents", []):
                head = self._s3.head_object(Bucket=self._bucket, Key=item["Key"])
                beside = {name: unquote(value) for name, value in head["Metadata"].items()}
                yield Kept(
                    id=item["Key"],
                    room=beside.get("room", "mail"),
                    at=item["LastModified"],
                    cause=beside.get("cause", ""),
                    keys={"mail": beside.get("mail", item["Key"])},
                    desk=item["Key"].split("/")[1],
                    body=None,
                    verdicts=json.loads(beside.get("verdicts", "{}")),
                    call=json.loads(beside.get("call", "{}")),
                    discarded=f"{beside['by']}: {beside['reason']}" if "by" in beside else "",
                )

    def _closings(self) -> Iterator[Kept]:
        """Closing workflows that failed, were not started again since and not discarded."""
        left = {kept.keys["mail"] for kept in self._mails(DISCARDED) if kept.room == "closing"}
        for run in closing_workflows.failed(self._prefix):
            if run.name not in left:
                yield Kept(
                    id=run.name,
                    room="closing",
                    at=run.stopped_at,
                    cause=run.cause,
                    keys={"pk": f"TICKET#{run.input['desk']}#{run.input['number']}"},
                    desk=run.input["desk"],
                    body=run.input,
                )

    def _put_back(self, kept: Kept) -> None:
        try:
            self._sqs.change_message_visibility(
                QueueUrl=self._queue(f"{kept.room}-dlq"),
                ReceiptHandle=kept.receipt,
                VisibilityTimeout=0,
            )
        except ClientError as error:
            # Deleted meanwhile, because it was replayed, or visible again because of its age.
            if error.response["Error"]["Code"] not in _LEFT:
                raise

    # Showing

    def whole(self, kept: Kept) -> str:
        """All of it as text, harmless to a terminal: the record with its cause, or the mail."""
        if kept.body is None:
            return harmless(self._mail(kept.id, kept))
        parts = [json.dumps(kept.body, ensure_ascii=False, indent=2)]
        if _is_batch(kept):
            parts += self._records(kept)
        elif kept.room == "mail" and kept.keys.get("mail"):
            parts.append(self._mail(kept.keys["mail"], kept))
        elif kept.keys.get("sk", "").startswith("DELIVERY#"):
            _, desk, number = kept.keys["pk"].split("#", 2)
            delivery = self.store.delivery(desk, number, kept.keys["sk"])
            parts.append(delivery.model_dump_json(indent=2) if delivery else "(no such delivery)")
        return harmless("\n\n".join(parts))

    def original(self, kept: Kept) -> bytes | None:
        """The mail as it came, byte for byte; None where there is none."""
        key = kept.id if kept.body is None else kept.keys.get("mail", "")
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read() if key else None
        except self._s3.exceptions.NoSuchKey:
            return None

    def _records(self, kept: Kept) -> list[str]:
        try:
            records = records_between(kept.body["DDBStreamBatchInfo"], kept.room)
        except StreamGoneError as error:
            return [str(error)]
        return [json.dumps(record, ensure_ascii=False, indent=2) for record in records]

    def _mail(self, key: str, kept: Kept) -> str:
        """What was read of a mail, then its source; HTML in it is text like any other."""
        found = self.original(kept)
        if found is None:
            return f"(the mail {key} is not in the bucket any more)"
        if kept.room != "mail" or kept.call:
            return found.decode("utf-8", "replace")
        source = found[:_SHOWN].decode("utf-8", "replace")
        if len(found) > _SHOWN:
            source += f"\n(… {len(found) - _SHOWN} more bytes: --save keeps all of it)"
        return f"{_reading(found, kept)}\n\n--- source ---\n{source}"

    # Bringing back

    def replay(self, kept: Kept, desk: str | None = None, *, even_infected: bool = False) -> str:
        """Bring one thing back and say what became of it.

        Args:
            desk: for a mail that was sent to no desk's mailbox, the desk that it is for.
            even_infected: also a mail in which a virus was found. Its files stay in the original.

        Raises:
            ReplayError: it stays in quarantine.
        """
        if kept.room == "closing":
            return self._start_again(kept)
        if kept.body is None:
            return self._release(kept, desk or kept.desk, even_infected=even_infected)
        if kept.keys.get("sk", "").startswith("DELIVERY#") and not kept.body.get("record"):
            said = self._due(kept)
        elif kept.room == "mail":
            said = self._announce_again(kept)
        else:
            said = self._invoke(kept)
        self._delete(kept)
        return said

    def _delete(self, kept: Kept) -> None:
        self._sqs.delete_message(
            QueueUrl=self._queue(f"{kept.room}-dlq"), ReceiptHandle=kept.receipt
        )

    def _due(self, kept: Kept) -> str:
        _, desk, number = kept.keys["pk"].split("#", 2)
        delivery = self.store.delivery(desk, number, kept.keys["sk"])
        if delivery is None:
            raise ReplayError(f"there is no {kept.keys['sk']} on {number}")
        if delivery.state != "parked":
            return f"the delivery is {delivery.state} by now"
        due = delivery.model_copy(update={"state": "due"})
        if delivery.channel == "webhook":  # a machine that was away for a day gets another day
            due = due.model_copy(update={"attempts": 0})
        if not self.store.move(due, "parked"):
            raise ReplayError("the delivery has changed at this very moment: try again")
        return "the delivery is due"

    def _announce_again(self, kept: Kept) -> str:
        record = kept.body.get("record", kept.body) if isinstance(kept.body, dict) else kept.body
        if _announced(record) is None and _call(kept.body) is None:
            raise ReplayError("this is no announcement of a mail, and nothing can be made of it")
        text = record if isinstance(record, str) else json.dumps(record, ensure_ascii=False)
        self._sqs.send_message(QueueUrl=self._queue("mail"), MessageBody=text)
        return f"the {'call' if kept.call else 'mail'} is announced again"

    def _invoke(self, kept: Kept) -> str:
        redelivery = Redelivery(f"{self._prefix}-{kept.room}")
        try:
            if _is_batch(kept):
                return redelivery.records(
                    records_between(kept.body["DDBStreamBatchInfo"], kept.room)
                )
            if isinstance(kept.body, dict) and kept.body.get("record"):
                return redelivery.records([kept.body["record"]])
            if isinstance(kept.body, dict) and "requestPayload" in kept.body:
                return redelivery.event(kept.body["requestPayload"])
        except DeadLetteredAgainError as error:
            self._delete(kept)  # it lies there anew, with its cause of today
            raise ReplayError(str(error)) from error
        except (RefusedError, StreamGoneError) as error:
            raise ReplayError(str(error)) from error
        raise ReplayError("its record is not with it")

    def _start_again(self, kept: Kept) -> str:
        if kept.body is None:
            raise ReplayError("it was discarded: a closing workflow is not started from there")
        name = closing_workflows.start_again(self._prefix, kept.id, kept.body)
        return f"the workflow runs again as {name}"

    def _release(self, kept: Kept, desk: str, *, even_infected: bool) -> str:
        """Announce a mail that was set aside, marked as released by a person."""
        if kept.room == "chat":
            return self._call_again(kept)
        if kept.room != "mail":
            raise ReplayError("of this only the entry was kept when it was discarded")
        if kept.verdicts.get("virusVerdict", {}).get("status") == "FAIL" and not even_infected:
            raise ReplayError("a virus was found in it: look at it first, then say --even-infected")
        if desk == "-":
            raise ReplayError("no desk has the mailbox it was sent to: say --desk")
        version = self.store.playbook_version(desk)
        if version is None:
            raise ReplayError(f"there is no desk {desk}")
        mailbox = self.store.playbook(desk, datetime.now(UTC)).mail.address
        original = self._take_out(kept)
        announcement = {
            "notificationType": "Received",
            "receipt": {
                "recipients": [mailbox],
                "action": {"type": "S3", "bucketName": self._bucket, "objectKey": original},
                **kept.verdicts,
            },
            "released": True,
            "even_infected": even_infected,
        }
        self._announce(announcement, kept, original)
        return f"the mail is announced to {desk}"

    def _call_again(self, kept: Kept) -> str:
        """Have a call of a chat channel's provider read again, as the adapter reads it by now."""
        if "query" not in kept.call:
            raise ReplayError("it says of nobody who could be answered")
        original = self._take_out(kept)
        self._announce({"call": {**kept.call, "key": original}}, kept, original)
        return f"the call is read again for {kept.desk}"

    def _take_out(self, kept: Kept) -> str:
        """Move an object out of quarantine; its new key.

        It leaves first: if intake sets it aside again, it comes back to the same key, and what
        deleted it only then would delete the only trace of it.
        """
        original = f"mail/{kept.id.rpartition('/')[2]}"
        source: Any = {"Bucket": self._bucket, "Key": kept.id}
        self._s3.copy_object(
            Bucket=self._bucket, Key=original, CopySource=source, MetadataDirective="REPLACE"
        )
        self._s3.delete_object(Bucket=self._bucket, Key=kept.id)
        return original

    def _announce(self, announcement: Mapping[str, Any], kept: Kept, original: str) -> None:
        """Tell intake of what has left quarantine; where that fails it goes back."""
        try:
            self._sqs.send_message(
                QueueUrl=self._queue("mail"), MessageBody=json.dumps(announcement)
            )
        except (BotoCoreError, ClientError):
            self._s3.copy_object(
                Bucket=self._bucket,
                Key=kept.id,
                CopySource={"Bucket": self._bucket, "Key": original},
                Metadata=_beside(kept, original),
                MetadataDirective="REPLACE",
            )
            raise

    # Discarding

    def discard(self, kept: Kept, reason: str, actor: str, now: datetime) -> str:
        """Take one thing out of quarantine for good; who did it, when and why is kept.

        A mail is kept whole beside that, of everything else the entry alone.

        Raises:
            ValueError: no reason, or it was discarded before.
        """
        if not reason.strip():
            raise ValueError("say --reason: it is kept")
        if kept.discarded:
            raise ValueError("it was discarded before")
        about = kept.keys.get("mail", kept.id) if kept.body is None else kept.id
        beside = {
            **_beside(kept, about),
            "by": as_metadata(actor, 100),
            "reason": as_metadata(reason, 400),
        }
        if kept.body is None:
            source: Any = {"Bucket": self._bucket, "Key": kept.id}
            self._s3.copy_object(
                Bucket=self._bucket,
                Key=f"{DISCARDED}{kept.id.removeprefix(QUARANTINE)}",
                CopySource=source,
                Metadata=beside,
                MetadataDirective="REPLACE",
            )
            self._s3.delete_object(Bucket=self._bucket, Key=kept.id)
            return "discarded; the mail is kept for a year"
        entry = {
            "id": kept.id,
            "room": kept.room,
            "cause": kept.cause,
            "keys": dict(kept.keys),
            "since": kept.at.isoformat(),
            "discarded_at": now.isoformat(),
            "by": actor,
            "reason": reason,
        }
        self._s3.put_object(
            Bucket=self._bucket,
            Key=f"{DISCARDED}{kept.desk}/{kept.id}.json",
            Body=json.dumps(entry, ensure_ascii=False).encode(),
            Metadata=beside,
        )
        if kept.receipt:
            self._delete(kept)
        return "discarded; the entry is kept for a year"


_SHOWN = 100_000
"""Bytes of a mail's source that are shown."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff]"
)
"""Control characters but for tab and newline, characters that turn or hide a text, and halves of
characters, which cannot be written."""


def harmless(text: str) -> str:
    """A text of a stranger's that does nothing to a terminal: what is not seen is spelt out."""
    text = text.replace("\r\n", "\n")
    return _UNSEEN.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _reading(raw: bytes, kept: Kept) -> str:
    """What Deskbell reads in a mail, for whoever decides about it."""
    from functions.intake.mail.parser import parse

    mail = parse(raw)
    verdicts = {
        name.removesuffix("Verdict"): value.get("status") if isinstance(value, dict) else value
        for name, value in kept.verdicts.items()
    }
    lines = [
        ("cause", kept.cause),
        ("discarded", kept.discarded),
        ("from", f"{mail.from_name} <{mail.from_address}>".strip()),
        ("to", ", ".join(mail.to[:10])),
        ("subject", mail.subject),
        ("message id", mail.message_id),
        ("origin", mail.origin),
        ("verdicts", " ".join(f"{name}={value}" for name, value in verdicts.items())),
        ("mended", " ".join(mail.defects)),
        *(("file", f"{f.name} ({f.content_type}, {f.size} bytes)") for f in mail.attachments[:50]),
    ]
    head = "\n".join(f"{name}: {value}" for name, value in lines if value)
    return f"{head}\n\n{mail.full_text[:_SHOWN]}"


def _beside(kept: Kept, about: str) -> dict[str, str]:
    """What stands beside a mail in quarantine, so that it reads the same when it comes back."""
    return {
        "room": kept.room,
        "cause": as_metadata(kept.cause, 400),
        "mail": as_metadata(about, 200),
        "verdicts": json.dumps(dict(kept.verdicts)),
        "call": as_metadata(json.dumps(dict(kept.call))),
    }


_LEFT = frozenset(
    {
        "InvalidParameterValue",
        "MessageNotInflight",
        "AWS.SimpleQueueService.MessageNotInflight",
        "ReceiptHandleIsInvalid",
    }
)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _is_batch(kept: Kept) -> bool:
    return isinstance(kept.body, dict) and "DDBStreamBatchInfo" in kept.body


def _announced(record: Any) -> Any:
    """SES's announcement of a mail out of an SQS message, in SNS's envelope or not, or None."""
    content = _json(record) if isinstance(record, str) else record
    if isinstance(content, dict) and isinstance(content.get("Message"), str):
        content = _json(content["Message"])
    try:
        key, recipients = (
            content["receipt"]["action"]["objectKey"],
            content["receipt"]["recipients"],
        )
    except (KeyError, TypeError):
        return None
    return content if isinstance(key, str) and isinstance(recipients, list) else None


def _call(body: Any) -> Mapping[str, Any] | None:
    """The call of a chat channel in an SQS message of the mail queue, parked or not, or None."""
    record = body.get("record", body) if isinstance(body, dict) else body
    return released_call(record if isinstance(record, str) else json.dumps(record))


def _cause(body: Any, attributes: Mapping[str, str]) -> str:
    if isinstance(body, dict):
        if "cause" in body:
            return str(body["cause"])
        if "requestContext" in body:
            failed = body.get("responsePayload") or body.get("responseContext") or {}
            error = failed.get("errorMessage") or failed.get("functionError") or ""
            return f"{body['requestContext'].get('condition', 'failed')}: {error}".rstrip(": ")
    if "DeadLetterQueueSourceArn" in attributes:
        return "failed as often as its queue allows: see the function's log"
    return "unknown"
