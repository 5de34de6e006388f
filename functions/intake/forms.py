"""Requests that arrive over HTTP: the open form and the signed channels (F1, F5, G1)."""

from __future__ import annotations

from collections.abc import Callable

from functions.core.domain.errors import Unauthorised
from functions.core.domain.rules import Playbook
from functions.core.platform.web import HttpResponse, Request
from functions.core.services.create_ticket import Filed, Filing, file_ticket, read_request
from functions.core.storage.store import IdempotencyRecord
from functions.intake.signatures import verify

Secrets = Callable[[str], str | None]
"""A desk's webhook secret, None where it has none."""


def file_from_form(request: Request, filing: Filing, playbook: Playbook) -> HttpResponse:
    """A ticket from a web or app form. `Idempotency-Key` makes a repetition harmless."""
    body = read_request(request, playbook)
    key = request.key("Idempotency-Key")
    idempotency = IdempotencyRecord(playbook.desk, "form", key, body=body.digest) if key else None
    return answer(file_ticket(filing, playbook, body, idempotency, "customer"), playbook)


def file_from_webhook(request: Request, filing: Filing, playbook: Playbook) -> HttpResponse:
    """A ticket from a webhook whose signature was checked; its `webhook-id` files once."""
    body = read_request(request, playbook)
    idempotency = IdempotencyRecord(playbook.desk, "webhook", request.key("webhook-id"))
    return answer(file_ticket(filing, playbook, body, idempotency, "customer"), playbook)


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


def answer(filed: Filed, playbook: Playbook) -> HttpResponse:
    """What the contract promises for a filed request, times in the desk's own offset."""
    expected = filed.expected_response_by
    return HttpResponse(
        {
            "number": filed.number,
            "status": filed.status,
            "expected_response_by": expected.astimezone(playbook.zone) if expected else None,
            "status_url": filed.status_url,
        },
        status=201,
        headers={"Location": filed.status_url},
    )
