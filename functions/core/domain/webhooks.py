"""Outgoing webhooks (G5): where they go, who wants which event, and what a message is called.

Pure. An endpoint is data of the playbook; its secrets are not, and the deployment alone says
whether a message may stay on this machine (`LocalWebhooks` of the foundation). What a receiver may
rely on stands in docs/webhooks.md.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from functions.core.domain.rules import Webhook

EVERYTHING = "*"
"""Among an endpoint's events: all that there are."""

TEST = "webhook.test"
"""The type of the message by which an endpoint is tried out."""

RECIPIENT = "webhook:"
"""Before an endpoint's name, the recipient of its deliveries."""

THIS_MACHINE = "127.0.0.1"
"""The one address that a local system's messages may go to beside public ones."""

_PRINTABLE = re.compile(r"[!-\[\]-~]+")
_MESSAGE_ID = re.compile(
    r"msg_([a-z][a-z0-9-]*)_([A-Za-z0-9-]+)_([0-9]{1,9})_([0-9]{1,4})_([a-z][a-z0-9-]*)"
)
_PREFIX = "whsec_"


@dataclass(frozen=True)
class Endpoint:
    """An address to post to, taken apart once, so that whoever checks and whoever connects read
    the same. `authority` is what stands in the Host header, `target` in the request line."""

    scheme: str
    host: str
    port: int
    authority: str
    target: str

    @classmethod
    def of(cls, url: str) -> Endpoint:
        """Take an address apart.

        Raises:
            ValueError: webhooks do not go to such an address; the text says why. Which addresses
                the name stands for is not looked at here.
        """
        if not _PRINTABLE.fullmatch(url):
            raise ValueError("expected a URL of ASCII characters, other ones percent-encoded")
        split = urlsplit(url)
        host, port = split.hostname or "", split.port
        if "@" in split.netloc:
            raise ValueError("expected a URL without a user's name: the signature is the proof")
        if not host or split.fragment:
            raise ValueError("expected a URL such as https://crm.example.com/hooks")
        if split.scheme == "http" and host == THIS_MACHINE:
            port = port or 80
        elif split.scheme != "https":
            raise ValueError("expected https:// (http:// only to 127.0.0.1, on a local system)")
        elif port is not None and port != 443 and not 1024 <= port <= 65535:
            raise ValueError("expected port 443, or one above 1023")
        query = f"?{split.query}" if split.query else ""
        return cls(
            scheme=split.scheme,
            host=host,
            port=port or 443,
            authority=split.netloc.lower(),
            target=(split.path or "/") + query,
        )


@dataclass(frozen=True)
class MessageId:
    """The `webhook-id` of one event for one endpoint; every attempt and replay has the same.

    `position` is the event's place in its commit, from 0.
    """

    desk: str
    number: str
    version: int
    position: int
    webhook: str

    def __str__(self) -> str:
        # None of the parts can hold an underscore, and the scheme signs parts joined by dots.
        parts = (self.desk, self.number, self.version, self.position, self.webhook)
        return "_".join(("msg", *map(str, parts)))

    @classmethod
    def read(cls, written: str) -> MessageId | None:
        """The id of that form, None where there is none in it."""
        found = _MESSAGE_ID.fullmatch(written)
        if found is None:
            return None
        desk, number, version, position, webhook = found.groups()
        return cls(desk, number, int(version), int(position), webhook)


@lru_cache(maxsize=1)
def types() -> dict[str, str]:
    """Every type that an endpoint may ask for, and the event that it is about."""
    from functions.core.domain.events import EVENTS

    return {kind.webhook: name for name, kind in EVENTS.items() if kind.webhook is not None}


def wanted(
    events: Iterable[Any], webhooks: Mapping[str, Webhook]
) -> Iterator[tuple[str, int, Any]]:
    """Which endpoint wants which event: its name, the event's position and the event.

    A step of the desk's own is wanted by its type or by its name (`step:visit`).
    """
    if not webhooks:
        return
    for position, event in enumerate(events):
        if event.webhook is None:
            continue
        names = {EVERYTHING, event.webhook}
        if event.event == "StepTaken":
            names.add(f"step:{event.step}")
        for name, webhook in webhooks.items():
            if not names.isdisjoint(webhook.events):
                yield name, position, event


def valid_secrets(document: str, now: datetime) -> tuple[str, ...]:
    """The secrets that count at `now`, newest first: while they are rotated there are several.

    The document is a JSON list of `{"secret": "whsec_…", "until": "<ISO 8601>"}`; the newest has no
    `until`. One that cannot be read holds none.
    """
    return tuple(entry["secret"] for entry in _entries(document, now))


def rotated(document: str, secret: str, now: datetime, overlap: timedelta) -> str:
    """The document with a new secret; the one before it is valid for `overlap` longer."""
    kept = [
        entry if "until" in entry else {**entry, "until": (now + overlap).isoformat()}
        for entry in _entries(document, now)
    ]
    return json.dumps([{"secret": secret}, *kept])


def _entries(document: str, now: datetime) -> list[dict[str, str]]:
    try:
        found = json.loads(document)
        return [
            entry
            for entry in found
            if entry["secret"]
            and ("until" not in entry or now < datetime.fromisoformat(entry["until"]))
        ]
    except (ValueError, TypeError, KeyError):
        return []


def sign_standard_webhook(
    secret: str,
    id: str,  # noqa: A002 - the scheme's word
    timestamp: str | int,
    body: str | bytes,
) -> str:
    """The signature of one message, ``v1,<base64>`` (Standard Webhooks specification 1.0).

    `secret` is base64 with or without ``whsec_``, `timestamp` Unix seconds as it stands in
    `webhook-timestamp`. ValueError when the secret is not base64 or is empty, or a text holds what
    cannot be written as UTF-8.
    """
    octets = body if isinstance(body, bytes) else body.encode()
    signed = b".".join((id.encode(), str(timestamp).encode(), octets))
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode()


def _key(secret: str) -> bytes:
    encoded = secret.removeprefix(_PREFIX).rstrip("=")
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("the secret is not base64") from error
    if not key:
        raise ValueError("the secret is empty")
    return key
