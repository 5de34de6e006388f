"""An SMTP listener in place of SES inbound.

It does what SES does by the receipt rule of `foundation.yaml`: store the raw message in the bucket,
publish the notification to the topic, then answer 250. Format: SES developer guide, "Contents of
notifications for Amazon SES email receiving".
"""

from __future__ import annotations

import asyncio
import binascii
import json
import secrets
from datetime import UTC, datetime
from email import policy
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP, Envelope, Session
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient

PREFIX = "mail/"
# SES receives messages of up to 40 MB.
_LARGEST_MESSAGE = 40 * 1024 * 1024
# SES truncates the header fields at 10 KB.
_MOST_HEADERS = 10 * 1024
_COMMON = {
    "from": "From",
    "to": "To",
    "cc": "Cc",
    "date": "Date",
    "messageId": "Message-ID",
    "subject": "Subject",
    "returnPath": "Return-Path",
}
_LISTS = frozenset({"from", "to", "cc"})
# The standard test strings for spam (SpamAssassin's GTUBE) and viruses (EICAR), split so that
# scanners do not report this file.
_SPAM = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*" + b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
_VIRUS = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Mailbox:
    """The aiosmtpd handler: stores each message and publishes a notification."""

    def __init__(self, s3: S3Client, sns: SNSClient, bucket: str, topic: str) -> None:
        self._s3 = s3
        self._sns = sns
        self._bucket = bucket
        self._topic = topic

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Store the message and publish its notification; on failure the sender has to retry."""
        from botocore.exceptions import BotoCoreError, ClientError

        raw = envelope.original_content or b""
        try:
            await asyncio.to_thread(
                self.deliver, raw, envelope.mail_from or "", list(envelope.rcpt_tos)
            )
        except (BotoCoreError, ClientError) as error:
            return f"451 4.3.0 Not stored, try again: {type(error).__name__}"
        return "250 2.0.0 Stored"

    def deliver(self, raw: bytes, sender: str, recipients: list[str]) -> str:
        """Do what SES's S3 action does and return the message id that SES would assign."""
        message_id = secrets.token_hex(20)
        self._s3.put_object(Bucket=self._bucket, Key=f"{PREFIX}{message_id}", Body=raw)
        notification = received(
            raw,
            message_id=message_id,
            sender=sender,
            recipients=recipients,
            bucket=self._bucket,
            topic=self._topic,
            at=datetime.now(UTC),
        )
        self._sns.publish(
            TopicArn=self._topic,
            Subject="Amazon SES Email Receipt Notification",
            Message=json.dumps(notification, ensure_ascii=False),
        )
        return message_id


def received(
    raw: bytes,
    *,
    message_id: str,
    sender: str,
    recipients: list[str],
    bucket: str,
    topic: str,
    at: datetime,
) -> dict[str, Any]:
    parsed = BytesHeaderParser(policy=policy.compat32).parsebytes(raw)
    headers = [{"name": name, "value": _unfolded(value)} for name, value in parsed.items()]
    shown = _truncated(headers)
    common: dict[str, Any] = {}
    for key, name in _COMMON.items():
        values = [_unfolded(value)[:_MOST_HEADERS] for value in parsed.get_all(name, [])]
        if values:
            common[key] = values if key in _LISTS else values[0]
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return {
        "notificationType": "Received",
        "mail": {
            "timestamp": moment,
            "source": sender,
            "messageId": message_id,
            "destination": recipients,
            "headersTruncated": len(shown) < len(headers),
            "headers": shown,
            "commonHeaders": common,
        },
        "receipt": {
            "timestamp": moment,
            "processingTimeMillis": 1,
            "recipients": recipients,
            "spamVerdict": {"status": "FAIL" if _SPAM in raw else "PASS"},
            "virusVerdict": {"status": "FAIL" if _is_infected(raw) else "PASS"},
            "spfVerdict": {"status": "GRAY"},
            "dkimVerdict": {"status": "GRAY"},
            "dmarcVerdict": {"status": "GRAY"},
            "action": {
                "type": "S3",
                "topicArn": topic,
                "bucketName": bucket,
                "objectKeyPrefix": PREFIX,
                "objectKey": f"{PREFIX}{message_id}",
            },
        },
    }


def _is_infected(raw: bytes) -> bool:
    # As an attachment it is base64-encoded: 66 of its bytes form whole groups of three.
    encoded = binascii.b2a_base64(_VIRUS[:66], newline=False)
    return _VIRUS in raw or encoded in raw.replace(b"\r\n", b"")


def _unfolded(value: object) -> str:
    return " ".join(line.strip() for line in str(value).splitlines())


def _truncated(headers: list[dict[str, str]]) -> list[dict[str, str]]:
    size = 0
    for count, header in enumerate(headers):
        size += len(header["name"]) + len(header["value"])
        if size > _MOST_HEADERS:
            return headers[:count]
    return headers


def listen(mailbox: Mailbox, port: int) -> Controller:
    """Listen on 127.0.0.1 in a thread; `stop()` ends it."""
    from aiosmtpd.controller import Controller

    controller = Controller(
        mailbox,
        hostname="127.0.0.1",
        port=port,
        data_size_limit=_LARGEST_MESSAGE,
        decode_data=False,
        enable_SMTPUTF8=True,
        ident="Deskbell",
    )
    controller.start()
    return controller
