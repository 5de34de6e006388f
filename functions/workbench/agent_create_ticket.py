"""Create a ticket that an agent enters, after a call or at the counter (B1, B12, D1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.domain.errors import Phrase
from functions.core.domain.rules import Playbook
from functions.core.platform.web import Request
from functions.core.services.create_ticket import (
    Source,
    TicketCreator,
    TicketRequest,
    read_new_ticket,
)
from functions.core.services.rights import ENTERS_TICKETS, Principal, require
from functions.core.storage.idempotency import IdempotencyRecord
from functions.workbench.view import contact_problem

if TYPE_CHECKING:
    from functions.workbench.shapes import Entered


def create_as_agent(
    request: Request, creator: TicketCreator, playbook: Playbook, principal: Principal
) -> Entered:
    """Create a ticket under the agent's name; a repeated `Idempotency-Key` creates no second one.

    Raises:
        Forbidden: the caller's role does not enter requests.
        InvalidInput, KeyReused, TryAgain: as `TicketCreator.create` says.
    """
    require(principal, ENTERS_TICKETS, Phrase("enter a request"))
    body = read_new_ticket(request.body, playbook, by_agent=True)
    username, key = principal.username, request.key("Idempotency-Key")
    idempotency = IdempotencyRecord(principal.desk, "agent", f"{username}:{key}", body=body.digest)
    ticket = creator.create(
        playbook,
        TicketRequest(
            body,
            request.now,
            actor=username,
            source=Source(channel="phone", entered_by=username),
            idempotency=idempotency if key else None,
        ),
    )
    problem = contact_problem(ticket.sms_obstacle, playbook.locale)
    return {**ticket.as_body(playbook.zone), "warnings": [problem] if problem else []}
