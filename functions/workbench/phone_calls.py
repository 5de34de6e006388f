"""The calls of the agents' API about customers' phone calls (B1, D1)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pydantic import Field, create_model

from functions.core.domain.errors import NotFound, Phrase
from functions.core.platform import aws, container
from functions.core.platform.web import HttpResponse, Request
from functions.core.services.create_ticket import NewTicket
from functions.core.services.phone_calls import CallDesk, caller
from functions.core.services.rights import ENTERS_TICKETS, require
from functions.core.services.trail import Trail
from functions.core.text.contacts import mask_contact
from functions.core.text.json_body import parse_model
from functions.core.text.masking import mask
from functions.core.text.shapes import local_time
from functions.workbench.calls import signed_in
from functions.workbench.view import contact_problem

if TYPE_CHECKING:
    from functions.core.domain.calls import PhoneCall
    from functions.core.domain.rules import Playbook
    from functions.core.storage.database import Storage
    from functions.workbench.shapes import (
        Entered,
        PhoneCallList,
        PhoneCallView,
        Recording,
        WholePhoneCall,
    )

LISTED = 30
"""The calls of a list."""

PURPOSE = Phrase("enter a request")


TicketOfCall = create_model(
    "TicketOfCall",
    __base__=NewTicket,
    __doc__="The fields of a ticket from a phone call, which fills in what is left out.",
    __module__=__name__,
    contact=(str | None, Field(default=None, max_length=320)),
    description=(str | None, None),
)


def list_calls(request: Request, storage: Storage, desk: str) -> HttpResponse:
    """List the desk's newest phone calls.

    Raises:
        Forbidden: the caller's role enters no requests.
    """
    principal, playbook = signed_in(request, storage, desk)
    require(principal, ENTERS_TICKETS, PURPOSE)
    found = storage.calls.recent(desk, LISTED, partial(aws.root_key, request.deployment))
    listed: PhoneCallList = {"calls": [_view(call, playbook) for call in found]}
    return HttpResponse(listed)


def show_call(request: Request, storage: Storage, desk: str, call: str) -> HttpResponse:
    """Show a phone call with its transcript, and what it fills in on a ticket.

    Raises:
        NotFound: there is no such call, or it has expired.
        Forbidden: the caller's role enters no requests.
    """
    principal, playbook = signed_in(request, storage, desk)
    require(principal, ENTERS_TICKETS, PURPOSE)
    calls = _call_desk(request, playbook)
    found = calls.find(call)
    text = mask(calls.text(found))
    shown = _view(found, playbook)
    whole: WholePhoneCall = {
        **shown,
        "transcript": [
            {"speaker": part.speaker, "text": mask(part.text), "partial": part.partial}
            for part in found.parts
        ],
        "ticket": {
            "contact": shown["caller"],
            "description": text[: playbook.fields.description_max],
            "channel": "phone",
        },
    }
    return HttpResponse(whole)


def open_ticket(request: Request, storage: Storage, desk: str, call: str) -> HttpResponse:
    """Create the ticket of a phone call, once.

    Raises:
        NotFound, Forbidden: as `show_call`.
        InvalidInput: some fields are invalid, or the number was withheld and no contact is given.
    """
    principal, playbook = signed_in(request, storage, desk)
    require(principal, ENTERS_TICKETS, PURPOSE)
    body = parse_model(TicketOfCall, request.body or b"{}")
    given = body.model_dump(mode="json", exclude_none=True)
    calls = _call_desk(request, playbook)
    created = calls.open_ticket(calls.find(call), given, principal.username)
    problem = contact_problem(created.sms_obstacle, playbook.locale)
    entered: Entered = {
        **created.as_body(playbook.zone),
        "warnings": [problem] if problem else [],
    }
    return HttpResponse(entered, 201)


def open_recording(request: Request, storage: Storage, desk: str, call: str) -> HttpResponse:
    """Record that somebody opens the recording of a call, and return the link to it.

    Raises:
        NotFound: there is no such call, or it has no recording.
        Forbidden: as `show_call`.
    """
    principal, playbook = signed_in(request, storage, desk)
    require(principal, ENTERS_TICKETS, PURPOSE)
    found = _call_desk(request, playbook).find(call)
    if not found.recording:
        raise NotFound("There is no such call.")
    trail = Trail(lambda: storage.audit, principal.username, lambda: request.now)
    trail.record("call.open-recording", desk, found.number or found.id)
    link: Recording = {"url": found.recording}
    return HttpResponse(link)


def _view(call: PhoneCall, playbook: Playbook) -> PhoneCallView:
    contact, zone = caller(call), playbook.zone
    masked = mask_contact(contact.address, playbook.fields.contact_style) if contact else None
    return {
        "id": call.id,
        "state": call.state,
        "direction": call.direction or "inbound",
        "caller": masked,
        "agent": mask(call.agent) or None,
        "started_at": local_time(call.begun_at, zone),
        "answered_at": local_time(call.answered_at, zone),
        "ended_at": local_time(call.ended_at, zone),
        "recorded": bool(call.recording),
        "number": call.number,
    }


def _call_desk(request: Request, playbook: Playbook) -> CallDesk:
    return CallDesk(container.ticket_creator(request.deployment), playbook, request.now)
