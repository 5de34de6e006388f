"""A request that an agent enters: a call, somebody at the counter, the desk's own (B1, B12, D1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from functions.core.domain.rules import Playbook
from functions.core.platform.web import Request
from functions.core.services.create_ticket import Filing, Tracking, file_ticket, read_request
from functions.core.storage.store import IdempotencyRecord
from functions.workbench.rights import ENTERS_TICKETS, Principal, require


def enter(
    request: Request, filing: Filing, playbook: Playbook, principal: Principal
) -> dict[str, Any]:
    """File the request under the agent's name; `Idempotency-Key` makes a repetition harmless.

    Raises:
        Forbidden: the caller's role does not enter requests.
        InvalidInput, KeyReused, TryAgain: as `file_ticket` says.
    """
    require(principal, ENTERS_TICKETS, "enter a request")
    body = read_request(request, playbook)
    key = request.key("Idempotency-Key")
    idempotency = (
        IdempotencyRecord(principal.desk, "agent", f"{principal.username}:{key}", body=body.digest)
        if key
        else None
    )
    tracked = replace(
        filing, default_channel="phone", tracking=Tracking(entered_by=principal.username)
    )
    filed = file_ticket(tracked, playbook, body, idempotency, principal.username)
    expected = filed.expected_response_by
    return {
        "number": filed.number,
        "status": filed.status,
        "expected_response_by": expected.astimezone(playbook.zone) if expected else None,
        "status_url": filed.status_url,
    }
