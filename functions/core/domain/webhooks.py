"""Outgoing webhooks (G5): endpoints, event types, message ids, secrets and signatures.

An endpoint is part of the playbook, its secrets are not. Only the deployment decides whether
messages may go to this machine (`LocalWebhooks` of the foundation). docs/webhooks.md describes what
a receiver may rely on.
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
from urllib.parse import urlsplit

from functions.core.domain.events import EVENTS, Event, StepTaken
from functions.core.domain.rules import Webhook

ALL_EVENTS = "*"
"""The entry of an endpoint's `events` that selects every event."""

TEST = "webhook.test"
"""The type of the test message (`deskbell webhooks send-test`)."""

RECIPIENT = "webhook:"
"""The prefix of an endpoint's name in the recipient of its deliveries."""

THIS_MACHINE = "127.0.0.1"
"""The only address besides public ones that a local system may send to."""

_PRINTABLE = re.compile(r"[!-\[\]-~]+")
_MESSAGE_ID = re.compile(
    r"msg_([a-z][a-z0-9-]*)_([A-Za-z0-9-]+)_([0-9]{1,9})_([0-9]{1,4})_([a-z][a-z0-9-]*)"
)
_PREFIX = "whsec_"


@dataclass(frozen=True)
class Endpoint:
    """A parsed endpoint URL, so that the check and the connection use the same parts.

    `authority` is the value of the Host header, `target` the request target.
    """

    scheme: str
    host: str
    port: int
    authority: str
    target: str

    @classmethod
    def of(cls, url: str) -> Endpoint:
        """Parse a URL. The host name is not resolved here.

        Raises:
            ValueError: webhooks are not sent to such a URL; the message says why.
        """
        if not _PRINTABLE.fullmatch(url):
            raise ValueError("expected a URL of ASCII characters, others percent-encoded")
        split = urlsplit(url)
        host, port = split.hostname or "", split.port
        if "@" in split.netloc:
            raise ValueError("expected a URL without a user name; messages are signed instead")
        if not host or split.fragment:
            raise ValueError("expected a URL such as https://crm.example.com/hooks")
        if split.scheme == "http" and host == THIS_MACHINE:
            port = port or 80
        elif split.scheme != "https":
            raise ValueError("expected https:// (http:// only to 127.0.0.1, on a local system)")
        elif port is not None and port != 443 and not 1024 <= port <= 65535:
            raise ValueError("expected port 443 or a port above 1023")
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
    """The `webhook-id` of one event for one endpoint, the same for every attempt and replay.

    `position` is the index of the event in its commit, from 0.
    """

    desk: str
    number: str
    version: int
    position: int
    webhook: str

    def __str__(self) -> str:
        # No part contains an underscore. A dot would be ambiguous: the signed content is
        # joined by dots.
        parts = (self.desk, self.number, self.version, self.position, self.webhook)
        return "_".join(("msg", *map(str, parts)))

    @classmethod
    def read(cls, text: str) -> MessageId | None:
        """Parse a message id, None for any other text."""
        match = _MESSAGE_ID.fullmatch(text)
        if match is None:
            return None
        desk, number, version, position, webhook = match.groups()
        return cls(desk, number, int(version), int(position), webhook)


def event_of_type() -> dict[str, str]:
    """Map every webhook type to its event. Endpoints never receive an event without a type."""
    return {kind.webhook: name for name, kind in EVENTS.items() if kind.webhook is not None}


def wanted(
    events: Iterable[Event], webhooks: Mapping[str, Webhook]
) -> Iterator[tuple[str, int, Event]]:
    """Yield every pair of endpoint and event to send: endpoint name, event position, event.

    A step of the desk is selected by its type or by its name (`step:visit`).
    """
    if not webhooks:
        return
    for position, event in enumerate(events):
        if event.webhook is None:
            continue
        selectors = {ALL_EVENTS, event.webhook}
        if isinstance(event, StepTaken):
            selectors.add(f"step:{event.step}")
        for name, webhook in webhooks.items():
            if not selectors.isdisjoint(webhook.events):
                yield name, position, event


def valid_secrets(document: str, now: datetime) -> tuple[str, ...]:
    """Return the secrets that are valid at `now`, newest first; several during a rotation.

    The document is a JSON list of `{"secret": "whsec_…", "until": "<ISO 8601>"}`; the newest has no
    `until`. A document that cannot be read has no secrets.
    """
    return tuple(entry["secret"] for entry in _entries(document, now))


def rotated(document: str, secret: str, now: datetime, overlap: timedelta) -> str:
    """Add a new secret to the document; the previous one stays valid for `overlap`."""
    previous = [
        entry if "until" in entry else {**entry, "until": (now + overlap).isoformat()}
        for entry in _entries(document, now)
    ]
    return json.dumps([{"secret": secret}, *previous])


def _entries(document: str, now: datetime) -> list[dict[str, str]]:
    try:
        return [
            entry
            for entry in json.loads(document)
            if entry["secret"]
            and ("until" not in entry or now < datetime.fromisoformat(entry["until"]))
        ]
    except (ValueError, TypeError, KeyError):
        return []


def sign_standard_webhook(
    secret: str,
    id: str,  # noqa: A002 - the specification's name
    timestamp: str | int,
    body: str | bytes,
) -> str:
    """Sign a message: ``v1,<base64>`` (Standard Webhooks specification 1.0).

    `secret` is base64 with or without ``whsec_``, `timestamp` the Unix seconds of the header
    `webhook-timestamp`.

    Raises:
        ValueError: the secret is empty or not base64, or a text cannot be encoded as UTF-8.
    """
    octets = body if isinstance(body, bytes) else body.encode()
    signed = b".".join((id.encode(), str(timestamp).encode(), octets))
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode()


def signed_headers(
    webhook_id: str, body: bytes, secrets: Iterable[str], now: datetime
) -> dict[str, str]:
    """Return the three headers of Standard Webhooks, signed with every valid secret.

    Raises:
        ValueError: a secret cannot sign.
    """
    stamp = int(now.timestamp())
    signatures = (sign_standard_webhook(secret, webhook_id, stamp, body) for secret in secrets)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": " ".join(signatures),
    }


def _key(secret: str) -> bytes:
    encoded = secret.removeprefix(_PREFIX).rstrip("=")
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("the secret is not base64") from error
    if not key:
        raise ValueError("the secret is empty")
    return key
