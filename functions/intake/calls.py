"""Take in phone calls: from a call centre's webhook, and from Amazon Connect by the mail queue.

What cannot be read is quarantined, and the answer is the one of success: a repetition would change
nothing. Imported with the first call (cold start).
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from functions.core.domain.calls import CallReport
from functions.core.domain.errors import DeadLetter, InvalidInput, Unauthorised
from functions.core.platform import aws, container
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment
from functions.core.platform.web import HttpResponse, Request
from functions.core.services.phone_calls import CallDesk
from functions.core.storage.quarantined import quarantine
from functions.intake.call_forms import read_calls
from functions.intake.forms import require_signature
from functions.intake.mail_store import MailStore

if TYPE_CHECKING:
    from functions.core.text.shapes import CallsReceived

CHANNEL = "voice"
RECEIVED: CallsReceived = {"code": 0, "msg": "接收成功"}
"""The answer as Aliyun VMS documents it (VoiceReport), which sends again without it."""

log = logger("intake")


def receive(request: Request, desk: str) -> HttpResponse:
    """Take the events of calls from a webhook of the desk's call centre.

    Raises:
        NotFound: there is no such desk.
        Unauthorised: neither is it signed, nor does it have the desk's key.
    """
    # The desk first: a call for an invented one must not read a secret.
    container.storage(request.deployment).playbooks.get(desk, request.now)
    _require_sender(request, desk)
    _take(request.body, desk, request.deployment, request.now)
    return HttpResponse(RECEIVED)


def _require_sender(request: Request, desk: str) -> None:
    """Check the signature, else the key in the query, of a call centre that cannot sign."""
    if "webhook-signature" in request.headers:
        require_signature(request, desk, partial(aws.webhook_secret, request.deployment))
        return
    secret = aws.channel_secret(request.deployment, desk, CHANNEL, request.now) or {}
    expected, given = str(secret.get("key") or ""), request.query.get("key", "")
    if not expected or not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise Unauthorised(
            "Sign the request by Standard Webhooks, or send the key of this desk's voice channel."
        )


def is_connect_event(body: str) -> bool:
    """Return whether a message of the mail queue is an event of Amazon Connect."""
    try:
        content: Any = json.loads(body)
    except ValueError:
        return False
    if not isinstance(content, dict):
        return False
    return content.get("source") == "aws.connect" or {"ContactId", "EventType"} <= content.keys()


def receive_event(body: str, deployment: Deployment, now: datetime) -> None:
    """Take an event of Amazon Connect for the desk of the stage's settings.

    Raises:
        DeadLetter: no desk takes the calls.
    """
    desk = aws.settings(deployment).get("connect_desk", "")
    if not desk:
        raise DeadLetter("no desk takes the calls of Amazon Connect: deploy with --connect-desk")
    _take(body.encode(), desk, deployment, now)


def receive_released(call: Mapping[str, Any], deployment: Deployment, now: datetime) -> None:
    """Process a quarantined request again; its sender was known when it came.

    Raises:
        DeadLetter: its body is gone.
    """
    body = MailStore(aws.client("s3"), deployment.mail_bucket).get(str(call["key"]))
    _take(body, str(call["desk"]), deployment, now)


def _take(body: bytes, desk: str, deployment: Deployment, now: datetime) -> None:
    """Take every event of a body, those of one call together; one call's failure keeps no other."""
    playbook = container.storage(deployment).playbooks.get(desk, now)
    store = MailStore(aws.client("s3"), deployment.mail_bucket)
    try:
        read = read_calls(body, playbook.zone)
    except ValueError as error:
        _quarantine(store, body, desk, str(error))
        return
    for record in read.unreadable:
        _quarantine(store, record, desk, "no id of a call")
    if read.reports:
        container.storage(deployment).channel_healths.note(desk, CHANNEL, "in", now)
    desk_calls = CallDesk(container.ticket_creator(deployment), playbook, now)
    failure: Exception | None = None
    by_call: dict[str, list[CallReport]] = {}
    for report in read.reports:
        by_call.setdefault(report.call_id, []).append(report)
    for reports in by_call.values():
        try:
            call = desk_calls.receive(reports)
            about = {"desk": desk, "call": call.id, "state": call.state, "events": len(reports)}
            log.info("call.received", extra=about)
        except (DeadLetter, InvalidInput) as error:
            _quarantine(store, body, desk, str(error))
        except Exception as error:  # the others first; the sender, or the queue, repeats them all
            failure = failure or error
    if failure is not None:
        raise failure


def _quarantine(store: MailStore, raw: bytes, desk: str, cause: str) -> None:
    call = {"desk": desk, "channel": CHANNEL, "query": {}}
    key = store.put(raw)
    quarantine(store.client, store.bucket, raw, key, desk, f"{CHANNEL}: {cause}", call=call)
    log.warning("call.quarantined", extra={"desk": desk})
