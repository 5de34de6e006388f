"""Mails and requests that wait in the bucket for `deskbell quarantine` (G9)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def as_metadata(text: str, limit: int = 700) -> str:
    """Percent-encode a text for an object's metadata, cut between two characters.

    S3 takes 2 KB of metadata per object (AWS, "Working with object metadata").
    """
    encoded = quote(text)
    while len(encoded) > limit:
        text = text[: len(text) * limit // len(encoded)]
        encoded = quote(text)
    return encoded


def quarantine(
    s3: S3Client,
    bucket: str,
    raw: bytes,
    key: str,
    desk: str,
    cause: str,
    *,
    receipt: Mapping[str, Any] | None = None,
    call: Mapping[str, Any] | None = None,
) -> None:
    """Store a mail, or the body of a request, with the cause of its quarantine.

    Args:
        receipt: the verdicts on a mail, as SES writes them.
        call: the desk, channel and query of a request, with which it can be read again.
    """
    metadata = {}
    if call:
        function = "form" if call["channel"] == "form" else "chat"
        metadata = {"function": function, "call": as_metadata(json.dumps(call), 1000)}
    s3.put_object(
        Bucket=bucket,
        Key=f"quarantine/{desk}/{key.rpartition('/')[2]}",
        Body=raw,
        Metadata={
            "cause": as_metadata(cause),
            "mail": as_metadata(key),
            "verdicts": json.dumps(receipt or {}),
            **metadata,
        },
    )


def released_call(body: str) -> Mapping[str, Any] | None:
    """Return a request that an operator released from quarantine; None for a mail."""
    try:
        call = json.loads(body)["call"]
        return call if {"desk", "channel", "query", "key"} <= set(call) else None
    except (ValueError, KeyError, TypeError):
        return None
