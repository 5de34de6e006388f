"""The agents' calls as functions from `Request` to `HttpResponse`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from functions.core.domain.errors import Forbidden, NotFound
from functions.core.domain.record import TicketRecord
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform.web import HttpResponse, Request
from functions.core.storage.files import MAX_BYTES, Files
from functions.core.storage.store import Store
from functions.workbench import actions, queues, view
from functions.workbench.rights import (
    SEES_TICKETS,
    Principal,
    among_its_people,
    caller,
    require,
    seat,
)

if TYPE_CHECKING:
    from functions.core.services.contacts import ContactCorrector
    from functions.core.services.create_ticket import TicketCreator

Unseal = Callable[[str, str, int, str], dict[str, str]]
"""Opens an original: desk, number, the version of the recorded act, who asks → field, its words."""

MOST_OTHERS = 20
"""How many of the customer's other tickets are named."""


class Presence(BaseModel):
    """Whether an agent takes tickets."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    online: StrictBool


class NewUpload(BaseModel):
    """A file that an agent is about to upload; `size` in bytes."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)

    name: str = Field(min_length=1, max_length=120)
    size: int = Field(ge=1, le=MAX_BYTES)


def list_tickets(request: Request, store: Store, desk: str) -> HttpResponse:
    """One page of a queue."""
    at, playbook = _sit(request, store, desk)
    tickets, cursor = queues.list_tickets(store, playbook, at, request.query, request.now)
    shown = [view.summary_view(ticket, playbook, at) for ticket in tickets]
    return HttpResponse({"tickets": shown, "cursor": cursor})


def show_ticket(
    request: Request, store: Store, desk: str, number: str, files: Files
) -> HttpResponse:
    """All of a ticket.

    Raises:
        NotFound: there is none, or it is another desk's.
        Forbidden: the caller's role sees no tickets.
    """
    at, playbook = _sit(request, store, desk)
    require(at, SEES_TICKETS, "see tickets")
    ticket = store.load(desk, number)
    numbers = store.tickets_of_contact(desk, ticket.customer.hash, MOST_OTHERS + 1)
    others = store.tickets(desk, [other for other in numbers if other != number])
    history = store.history(desk, number, ticket.version)
    deliveries = store.deliveries(desk, number)
    whole = view.Whole(TicketRecord(ticket, history, deliveries), _carried(store, ticket), others)
    shown = view.ticket_view(whole, playbook, at, files.link)
    if ticket.merged is not None:
        from functions.core.services.merging import merge_target

        shown["goes_on_as"] = merge_target(store, ticket).number
    return HttpResponse(shown)


def _carried(store: Store, ticket: Ticket) -> list[TicketRecord]:
    if not ticket.carries:
        return []
    from functions.core.services.merging import merged_records

    return merged_records(store, ticket)


def enter_ticket(request: Request, store: Store, desk: str, creator: TicketCreator) -> HttpResponse:
    """A request that an agent enters."""
    from functions.workbench.agent_create_ticket import create_as_agent

    at, playbook = _sit(request, store, desk)
    return HttpResponse(create_as_agent(request, creator, playbook, at), 201)


def act(
    request: Request,
    store: Store,
    desk: str,
    number: str,
    action: str,
    files: Files,
    corrector: Callable[[], ContactCorrector],
    unseal: Unseal,
) -> HttpResponse:
    """Carry an action out; answers with the ticket as it stands then.

    `attachments` is none: it says where to upload a file that a later action names (D10).
    `open-original` answers with what was hidden of a message, once the act is on record (G4).
    """
    at, playbook = _sit(request, store, desk)
    if action == "attachments":
        return _offer(request, store, at, number, files)
    place = actions.ActionContext(at, playbook, store, files, corrector)
    ticket = actions.act(place, number, action, request, request.now)
    if action == "open-original":
        opened = unseal(desk, number, ticket.version, at.username)
        return HttpResponse({"number": number, "version": ticket.version, "original": opened})
    return HttpResponse(view.summary_view(ticket, playbook, at))


def _offer(
    request: Request, store: Store, at: Principal, number: str, files: Files
) -> HttpResponse:
    require(at, SEES_TICKETS, "add a file")
    ticket = store.load(at.desk, number)
    if not among_its_people(at, ticket):
        raise Forbidden("Only those who work on this ticket add files to it.")
    given = request.read(NewUpload)
    return HttpResponse(files.offer(at.desk, number, given.name, given.size), 201)


def set_presence(request: Request, store: Store, desk: str) -> HttpResponse:
    """Say whether the caller takes tickets.

    Raises:
        NotFound: the caller is not on this desk's roster.
    """
    at, _ = _sit(request, store, desk)
    presence = request.read(Presence)
    if at.agent is None:
        raise NotFound("You are not on this desk's roster.")
    store.set_presence(desk, at.username, presence.online)
    return HttpResponse({"online": presence.online})


def _sit(request: Request, store: Store, desk: str) -> tuple[Principal, Playbook]:
    """The caller at the desk and the desk's rules."""
    at = seat(store, caller(request.claims), desk)
    return at, store.playbook(desk, request.now)
