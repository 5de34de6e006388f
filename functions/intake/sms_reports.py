"""Receive the delivery reports of providers of text messages. Imported with the first one.

These providers do not sign their requests: the address that is entered at the provider ends with a
secret key.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from hmac import compare_digest
from typing import Any

from functions.core.channels.base import DeliveryReport
from functions.core.deliver.sms import REGISTERING, registering_provider, reports_of
from functions.core.domain.errors import NotFound, TryAgain, Unauthorised
from functions.core.platform import aws, container
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment
from functions.core.platform.web import HttpResponse, Request
from functions.core.services.delivery_reports import record_report
from functions.core.storage.raw_messages import RawMessages

CHANNEL = "sms-reports"

log = logger("intake")


def receive(request: Request, desk: str) -> HttpResponse:
    """Record the reports in a provider's request; answer as the provider expects.

    Raises:
        NotFound: the desk does not use this provider.
        Unauthorised: the key is wrong.
        TryAgain: a message's outcome is just being recorded.
    """
    # The desk first: a call for an invented one must not read a secret.
    container.storage(request.deployment).playbooks.get(desk, request.now)
    name = request.query.get("provider", "")
    known = name in REGISTERING
    secret = aws.sms_secret(request.deployment, desk, name, request.now) if known else None
    if secret is None:
        raise NotFound("There is no such desk, or it does not use this channel.")
    expected, given = str(secret.get("report_key") or ""), request.query.get("key", "")
    if not expected or not compare_digest(expected.encode(), given.encode()):
        raise Unauthorised("The key of this desk's delivery reports is wrong.")
    _record(request.body, desk, name, request.deployment, request.now)
    return HttpResponse(dict(registering_provider(name).accepted))


def receive_released(call: Mapping[str, Any], deployment: Deployment, now: datetime) -> None:
    """Process a quarantined request again; its key was right when it came."""
    body = _raw_messages(deployment).get(str(call["key"]))
    _record(body, str(call["desk"]), str(call["query"]["provider"]), deployment, now)


def _record(body: bytes, desk: str, name: str, deployment: Deployment, now: datetime) -> None:
    """Record every report that can be read; quarantine a request in which one cannot (G3)."""
    reports, unreadable = _read(body, name)
    if unreadable:
        call = {"desk": desk, "channel": CHANNEL, "query": {"provider": name}}
        cause = f"{CHANNEL} {name}: {unreadable} without an id or a state"
        _raw_messages(deployment).hold(body, desk, cause, call)
        log.warning("sms.report_quarantined", extra={"desk": desk, "channel": name})
    storage, again = container.storage(deployment), None
    for report in reports:
        try:
            if record_report(storage, desk, name, report, now):
                log.info("sms.report_failed", extra={"desk": desk, "channel": name})
        except TryAgain as error:  # the others first; a repetition changes nothing of them
            again = error
    if again is not None:
        raise again


def _read(body: bytes, name: str) -> tuple[list[DeliveryReport], int]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return [], 1
    return reports_of(registering_provider(name), content)


def _raw_messages(deployment: Deployment) -> RawMessages:
    return RawMessages(aws.client("s3"), deployment.mail_bucket)
