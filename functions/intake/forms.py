"""Create tickets from HTTP bodies: the open form and the signed webhook (F1, F5, G1)."""

from __future__ import annotations

from collections.abc import Callable

from functions.core.domain.errors import Unauthorised
from functions.core.domain.rules import Playbook
from functions.core.platform.web import HttpResponse, Request
from functions.core.services.create_ticket import (
    Source,
    TicketCreator,
    TicketRequest,
    read_new_ticket,
)
from functions.core.storage.idempotency import IdempotencyRecord
from functions.intake.signatures import verify

Secrets = Callable[[str], str | None]
"""Returns a desk's webhook secret, None if it has none."""


def create_from_form(request: Request, creator: TicketCreator, playbook: Playbook) -> HttpResponse:
    """Create a ticket from a web or app form; `Idempotency-Key` recognises a repetition."""
    body = read_new_ticket(request.body, playbook)
    key = request.key("Idempotency-Key")
    idempotency = IdempotencyRecord(playbook.desk, "form", key, body=body.digest) if key else None
    return _create(TicketRequest(body, request.now, idempotency=idempotency), creator, playbook)


def create_from_webhook(
    request: Request, creator: TicketCreator, playbook: Playbook
) -> HttpResponse:
    """Create a ticket from a webhook with a verified signature; `webhook-id` recognises a
    repetition.
    """
    body = read_new_ticket(request.body, playbook)
    idempotency = IdempotencyRecord(playbook.desk, "webhook", request.key("webhook-id"))
    source = Source(contact_proven=True)  # the sender's system vouches for its customers
    return _create(
        TicketRequest(body, request.now, source=source, idempotency=idempotency), creator, playbook
    )


def _create(request: TicketRequest, creator: TicketCreator, playbook: Playbook) -> HttpResponse:
    ticket = creator.create(playbook, request)
    headers = {"Location": ticket.status_url or ""}
    return HttpResponse(ticket.as_body(playbook.zone), status=201, headers=headers)


def require_signature(request: Request, desk: str, secrets: Secrets) -> None:
    """Refuse a request without a valid Standard Webhooks signature.

    Raises:
        Unauthorised: a header is missing, the signature is wrong, or it is too old.
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
            "Invalid signature. Sign `webhook-id.webhook-timestamp.body` with this desk's secret "
            "by the Standard Webhooks scheme, and send it within five minutes."
        )
