"""Requests that arrive over HTTP: the open form and the signed channels (F1, F5, G1)."""

from __future__ import annotations

from collections.abc import Callable

from functions.core.errors import InvalidInput, NotFound, Unauthorised
from functions.core.filing import Filed, Filing, file_ticket, read_request
from functions.core.playbook import Playbook
from functions.core.store import Marker
from functions.core.web import Answer, Request
from functions.intake.signatures import verify

Secrets = Callable[[str], str | None]
"""A desk's webhook secret, None where it has none."""

MAX_KEY = 200
"""Characters of an Idempotency-Key or webhook-id at most."""


def file_from_form(request: Request, filing: Filing, playbook: Playbook) -> Answer:
    """A ticket from a web or app form. `Idempotency-Key` makes a repetition harmless."""
    body = read_request(request, playbook)
    key = request.headers.get("idempotency-key")
    marker = _marker(playbook.desk, "form", key, body.digest) if key else None
    return answer(file_ticket(filing, playbook, body, marker, "customer"), playbook)


def file_from_webhook(request: Request, filing: Filing, playbook: Playbook) -> Answer:
    """A ticket from a webhook whose signature was checked; its `webhook-id` files once."""
    body = read_request(request, playbook)
    marker = _marker(playbook.desk, "webhook", request.headers["webhook-id"], "")
    return answer(file_ticket(filing, playbook, body, marker, "customer"), playbook)


def require_signature(request: Request, desk: str, secrets: Secrets) -> None:
    """Let a request through only with a valid Standard Webhooks signature.

    Raises:
        Unauthorised: the headers are missing, the signature is wrong, or it is too old.
    """
    secret = secrets(desk)
    valid = secret is not None and verify(
        "standard_webhooks",
        secret=secret,
        id=request.headers.get("webhook-id"),
        timestamp=request.headers.get("webhook-timestamp"),
        body=request.body,
        signature=request.headers.get("webhook-signature"),
        now=request.now.timestamp(),
    )
    if not valid:
        raise Unauthorised(
            "The signature does not hold. Sign `webhook-id.webhook-timestamp.body` with this "
            "desk's secret by the Standard Webhooks scheme, within five minutes."
        )


def _marker(desk: str, channel: str, key: str, digest: str) -> Marker:
    if len(key) > MAX_KEY:
        raise InvalidInput(f"An idempotency key may have {MAX_KEY} characters at most.")
    return Marker(desk=desk, channel=channel, id=key, body=digest)


def answer(filed: Filed, playbook: Playbook) -> Answer:
    """What the contract promises for a filed request, times in the desk's own offset."""
    expected = filed.expected_response_by
    return Answer(
        {
            "number": filed.number,
            "status": filed.status,
            "expected_response_by": expected.astimezone(playbook.zone) if expected else None,
            "status_url": filed.status_url,
        },
        status=201,
        headers={"Location": filed.status_url},
    )


def desk_of(request: Request) -> str:
    """The desk in the path."""
    desk = request.params.get("desk")
    if not desk:
        raise NotFound("There is no such desk.")
    return desk
