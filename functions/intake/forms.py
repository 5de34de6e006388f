"""Create tickets from HTTP bodies: the open form and the signed webhook (F1, F5, G1).

A form that is over a limit of `flooding` waits in quarantine: its sender gets 202, and
`deskbell quarantine replay` files it with the time at which it came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

from functions.core.domain.errors import DeadLetter, Quarantined, Refused, Unauthorised
from functions.core.domain.rules import Playbook
from functions.core.platform import aws, container
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment
from functions.core.platform.web import HttpResponse, Request
from functions.core.services.create_ticket import (
    CreatedTicket,
    NewTicket,
    Source,
    TicketCreator,
    TicketRequest,
    class_by_id,
    read_new_ticket,
)
from functions.core.storage.idempotency import IdempotencyRecord
from functions.core.text.words import say, written_in
from functions.intake.flooding import Flooding
from functions.intake.signatures import verify

if TYPE_CHECKING:
    from functions.core.text.shapes import Held
    from functions.intake.mail_store import MailStore

FORM = "form"
"""The channel of idempotency records and quarantined requests of the open form."""

Secrets = Callable[[str], str | None]
"""Returns a desk's webhook secret, None if it has none."""

_KEY_LIMIT = 600
"""The maximum characters of an idempotency key in an object's metadata, percent-encoded. A request
with a longer one is filed once as well, but its sender's own repetition is not recognised."""

log = logger("intake")


def receive(request: Request, desk: str) -> HttpResponse:
    """Create a ticket from a web or app form; `Idempotency-Key` recognises a repetition."""
    deployment, storage = request.deployment, container.storage(request.deployment)
    playbook = storage.playbooks.get(desk, request.now)
    body = read_new_ticket(request.body, playbook)
    key = request.key("Idempotency-Key")
    flooding = Flooding(storage.counters, aws.root_key(deployment), playbook, request.now)
    asked = TicketRequest(
        body,
        request.now,
        idempotency=_record(desk, key, body),
        admit=lambda: flooding.require_admitted(request.source),
    )
    try:
        return _created(container.ticket_creator(deployment).create(playbook, asked), playbook)
    except Quarantined as error:
        _quarantine(request, desk, key, str(error))
    locale = body.locale or written_in(body.description) or playbook.locale
    answer: Held = {"quarantined": True, "detail": say("form.quarantined", locale)}
    return HttpResponse(answer, status=202)


def create_released(call: Mapping[str, Any], deployment: Deployment, now: datetime) -> None:
    """Create the ticket of a form that an operator released, at the time at which it came.

    Raises:
        DeadLetter: its body is gone, or the desk no longer accepts it.
    """
    desk, object_key = str(call["desk"]), str(call["key"])
    try:
        playbook = container.storage(deployment).playbooks.get(desk, now)
        body = read_new_ticket(_mail_store(deployment).get(object_key), playbook)
        record = _record(desk, str(call.get("id") or object_key), body)
        asked = TicketRequest(body, datetime.fromisoformat(call["at"]), idempotency=record)
        container.ticket_creator(deployment).create(playbook, asked)
    except Refused as error:
        raise DeadLetter(f"the request can no longer be filed: {error}") from error


def _quarantine(request: Request, desk: str, key: str, cause: str) -> None:
    """Keep a request whole; a repetition under the same key replaces it."""
    # Without a key two equal requests are two requests.
    name = sha256(f"{desk}\0{key}".encode()).hexdigest() if key else uuid4().hex
    call = {"desk": desk, "channel": FORM, "query": {}, "at": request.now.isoformat()}
    if key and len(quote(key)) <= _KEY_LIMIT:
        call["id"] = key
    store = _mail_store(request.deployment)
    store.quarantine(request.body, f"form-{name}", desk, cause, call=call)
    log.warning("form.quarantined", extra={"desk": desk, "cause": cause})


def _mail_store(deployment: Deployment) -> MailStore:
    from functions.intake.mail_store import MailStore

    return MailStore(aws.client("s3"), deployment.mail_bucket)


def _record(desk: str, key: str, body: NewTicket) -> IdempotencyRecord | None:
    return IdempotencyRecord(desk, FORM, key, body=body.digest) if key else None


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
