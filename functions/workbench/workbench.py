"""The agents' calls as functions from `Request` to `Answer`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, StrictBool

from functions.core.errors import NotFound
from functions.core.events import Attachment
from functions.core.playbook import Playbook
from functions.core.store import Store
from functions.core.web import Answer, Request
from functions.workbench import actions, queues, view
from functions.workbench.rights import SEES_TICKETS, Seat, caller, require, seat

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from functions.core.filing import Filing

MOST_OTHERS = 20
"""How many of the customer's other tickets are named."""


class Presence(BaseModel):
    """Whether an agent takes tickets."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    online: StrictBool


@dataclass(frozen=True)
class Files:
    """Short-lived links to what customers sent."""

    s3: S3Client
    bucket: str

    def link(self, file: Attachment) -> str:
        """A link that offers the file to be saved; a browser never opens it in place."""
        name = quote(file.name, safe="")
        return self.s3.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.bucket,
                "Key": file.key,
                "ResponseContentDisposition": f"attachment; filename*=UTF-8''{name}",
                "ResponseContentType": "application/octet-stream",
            },
            ExpiresIn=view.LINK_SECONDS,
        )


def list_tickets(request: Request, store: Store, desk: str) -> Answer:
    """One page of a queue."""
    at, playbook = _sit(request, store, desk)
    tickets, cursor = queues.list_tickets(store, playbook, at, request.query, request.now)
    shown = [view.summary_view(ticket, playbook, at) for ticket in tickets]
    return Answer({"tickets": shown, "cursor": cursor})


def show_ticket(request: Request, store: Store, desk: str, number: str, files: Files) -> Answer:
    """All of a ticket.

    Raises:
        NotFound: there is none, or it is another desk's.
        Forbidden: the caller's role sees no tickets.
    """
    at, playbook = _sit(request, store, desk)
    require(at, SEES_TICKETS, "see tickets")
    ticket = store.load(desk, number)
    others = store.tickets_of_contact(desk, ticket.customer.hash, MOST_OTHERS + 1)
    history = store.history(desk, number)
    deliveries = store.deliveries(desk, number)
    return Answer(view.ticket_view(ticket, history, deliveries, others, playbook, at, files.link))


def enter_ticket(request: Request, store: Store, desk: str, filing: Filing) -> Answer:
    """A request that an agent enters."""
    from functions.workbench.entering import enter

    at, playbook = _sit(request, store, desk)
    return Answer(enter(request, filing, playbook, at), 201)


def act(request: Request, store: Store, desk: str, number: str, action: str) -> Answer:
    """Carry an action out; answers with the ticket as it stands then."""
    at, playbook = _sit(request, store, desk)
    place = actions.Desk(at, playbook, store)
    ticket = actions.act(place, number, action, request, request.now)
    return Answer(view.summary_view(ticket, playbook, at))


def set_presence(request: Request, store: Store, desk: str) -> Answer:
    """Say whether the caller takes tickets.

    Raises:
        NotFound: the caller is not on this desk's roster.
    """
    at, _ = _sit(request, store, desk)
    presence = request.read(Presence)
    if at.agent is None:
        raise NotFound("You are not on this desk's roster.")
    store.set_presence(desk, at.username, presence.online)
    return Answer({"online": presence.online})


def _sit(request: Request, store: Store, desk: str) -> tuple[Seat, Playbook]:
    """The caller at the desk and the desk's rules."""
    at = seat(store, caller(request.claims), desk)
    return at, store.playbook(desk, request.now)
