"""Acts on a desk's outgoing webhooks: list, test, send again, rotate the secret (H7)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from functions.administration.acts import Administration, act
from functions.administration.endpoints import Webhooks
from functions.core.deliver.failures import SendFailure
from functions.core.domain.errors import ActionNotAllowed, NotFound, Phrase
from functions.core.domain.webhooks import MessageId


@act("admin")
def endpoints(administration: Administration) -> list[dict[str, Any]]:
    """List the desk's endpoints, without their secrets."""
    found = _webhooks(administration).endpoints(administration.desk, administration.now)
    return [asdict(endpoint) for endpoint in found]


@act("admin")
def send_test(administration: Administration, name: str) -> str:
    """Send a test message and return the status of the response."""
    desk, now = administration.desk, administration.now
    try:
        return _webhooks(administration).send_test(administration.trail, desk, name, now)
    except SendFailure as failure:
        raise ActionNotAllowed(
            Phrase("The endpoint did not accept it: {cause}", cause=failure)
        ) from failure


@act("admin")
def send_again(administration: Administration, ids: list[str]) -> int:
    """Send messages again that have not arrived, and return how many."""
    webhooks, sent = _webhooks(administration), 0
    for each in dict.fromkeys(ids):
        message = MessageId.read(each)
        if message is None or message.desk != administration.desk:
            raise NotFound(Phrase("There is no message {id}.", id=each))
        sent += webhooks.send_failed_again(administration.trail, each, administration.now)
    return sent


@act("admin")
def rotate(administration: Administration, name: str, version: int, keep_hours: int) -> str:
    """Create a new secret and return it, once; the old one stays valid for some hours."""
    return _webhooks(administration).rotate(
        administration.trail,
        administration.desk,
        name,
        timedelta(hours=max(keep_hours, 0)),
        administration.now,
        version,
    )


def _webhooks(administration: Administration) -> Webhooks:
    return Webhooks(administration.deployment, administration.storage)
