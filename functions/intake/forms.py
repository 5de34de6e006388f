"""Create tickets from HTTP bodies: the open form and the signed webhook (F1, F5, G1).

A form that has to wait in quarantine (`functions.core.services.filing`) gets 202.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from functions.core.domain.errors import DeadLetter, Quarantined, Refused, Unauthorised
from functions.core.domain.rules import Playbook
from functions.core.platform import aws, container
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment
from functions.core.platform.web import HttpResponse, Request
from functions.core.services.create_ticket import (
    CreatedTicket,
    Source,
    TicketCreator,
    TicketRequest,
    class_by_id,
    read_new_ticket,
)
from functions.core.services.filing import SentForm, form_record
from functions.core.storage.idempotency import IdempotencyRecord
from functions.core.text.words import say, written_in
from functions.intake.signatures import verify

if TYPE_CHECKING:
    from functions.core.text.shapes import Held

Secrets = Callable[[str], str | None]
"""Returns a desk's webhook secret, None if it has none."""

log = logger("intake")


def receive(request: Request, desk: str) -> HttpResponse:
    """Create a ticket from a web or app form; `Idempotency-Key` recognises a repetition."""
    filing = container.form_filing(request.deployment)
    playbook = filing.creator.storage.playbooks.get(desk, request.now)
    body = read_new_ticket(request.body, playbook)
    sent = SentForm(request.body, body, request.now, request.key("Idempotency-Key"), request.source)
    try:
        return _created(filing.file(playbook, sent), playbook)
    except Quarantined as error:
        log.warning("form.quarantined", extra={"desk": desk, "cause": str(error)})
    locale = body.locale or written_in(body.description) or playbook.locale
    answer: Held = {"quarantined": True, "detail": say("form.quarantined", locale)}
    return HttpResponse(answer, status=202)


def create_released(call: Mapping[str, Any], deployment: Deployment, now: datetime) -> None:
    """Create the ticket of a form that an operator released, at the time at which it came.

    Raises:
        DeadLetter: its body is gone, or the desk no longer accepts it.
    """
    from functions.intake.mail_store import MailStore

    desk, object_key = str(call["desk"]), str(call["key"])
    try:
        playbook = container.storage(deployment).playbooks.get(desk, now)
        store = MailStore(aws.client("s3"), deployment.mail_bucket)
        body = read_new_ticket(store.get(object_key), playbook)
        record = form_record(desk, str(call.get("id") or object_key), body)
        source = Source(privacy_version=call.get("privacy"))
        at = datetime.fromisoformat(call["at"])
        asked = TicketRequest(body, at, source=source, idempotency=record)
        container.ticket_creator(deployment).create(playbook, asked)
    except Refused as error:
        raise DeadLetter(f"the request can no longer be filed: {error}") from error


def create_from_webhook(
    request: Request, creator: TicketCreator, playbook: Playbook
) -> HttpResponse:
    """Create a ticket from a webhook with a verified signature; `webhook-id` recognises a
    repetition.
    """
    body = read_new_ticket(request.body, playbook)
    idempotency = IdempotencyRecord(playbook.desk, "webhook", request.key("webhook-id"))
    source = Source(contact_proven=True)  # the sender's system vouches for its customers
    asked = TicketRequest(body, request.now, source=source, idempotency=idempotency)
    created = creator.create(playbook, asked)
    if body.customer_id:
        _join(body.customer_id, body.contact, creator, playbook, request.now)
    return _created(created, playbook)


def _join(
    customer_id: str, contact: str, creator: TicketCreator, playbook: Playbook, now: datetime
) -> None:
    """Join a contact with the company's own id of the customer: a signed channel named both."""
    from functions.core.services.customers import (
        company_identity,
        contact_identity,
        join_customer,
    )
    from functions.core.text.contacts import normalise_contact

    desk = playbook.desk
    identity = contact_identity(normalise_contact(contact), desk, creator.root_key)
    company = company_identity(customer_id, desk, creator.root_key)
    join_customer(
        creator.storage,
        desk,
        (company, identity),
        "channel",
        now,
        class_by_id=class_by_id(playbook, customer_id),
    )


def _created(ticket: CreatedTicket, playbook: Playbook) -> HttpResponse:
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
