"""The calls of the agents' API: each takes a `Request` and returns an `HttpResponse`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from functions.core.domain.commands.base import WHOLE
from functions.core.domain.customers import CustomerRecord
from functions.core.domain.errors import Forbidden, NotFound, Phrase
from functions.core.domain.events import Commit
from functions.core.domain.journal import presence_entry
from functions.core.domain.playbook_model import TICKET_TASKS
from functions.core.domain.record import TicketRecord
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws
from functions.core.platform.web import HttpResponse, Request, locale_of, page_before
from functions.core.services import agent_actions
from functions.core.services.customers import record_of
from functions.core.services.links import base_url
from functions.core.services.rights import (
    SEES_TICKETS,
    Principal,
    caller,
    is_offline,
    may_take_over,
    principal_of,
    require,
    works_on,
)
from functions.core.services.text_messages import text_message_frame
from functions.core.storage.database import Storage
from functions.core.storage.files import MAX_BYTES, Files
from functions.core.text.shapes import local_time
from functions.workbench import queues, view

if TYPE_CHECKING:
    from functions.core.services.contacts import ContactCorrector
    from functions.core.services.create_ticket import TicketCreator
    from functions.core.storage.model_summaries import ModelSummary
    from functions.core.text.unmasking import Seal
    from functions.workbench.shapes import (
        ListedTicket,
        OpenedContact,
        OpenedOriginal,
        TicketList,
        TicketView,
    )

Unseal = Callable[[str, str, int, str], dict[str, str]]
"""Opens an original or a contact: desk, number, version of the act, agent → field → text."""

SEARCHES = ("q", "tag", "from", "to")
"""The parameters that make a list of tickets a search."""

PAGE = 20
"""The commits in one view of a ticket; `before` names earlier ones."""

OPENING = 3
"""The first commits, which contain the request and its classification."""

CONTACT_SHOWN_FOR = timedelta(seconds=60)
"""The time for which an opened contact is shown; later a new act is recorded."""

MAX_OTHER_TICKETS = 20
"""The most other tickets of the customer that a view names."""


class Presence(BaseModel):
    """The body of a change of presence: whether the router assigns tickets to the agent."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    online: StrictBool


class NewUpload(BaseModel):
    """The announcement of an upload; `size` in bytes."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)

    name: str = Field(min_length=1, max_length=120)
    size: Annotated[int, Field(ge=1, le=MAX_BYTES), WHOLE]


def list_tickets(
    request: Request,
    storage: Storage,
    desk: str,
    admits: queues.Admits | None = None,
    open_only: bool = False,
) -> HttpResponse:
    """List a queue, or what a search finds; `admits` and `open_only` narrow a queue."""
    principal, playbook = signed_in(request, storage, desk)
    locale = locale_of(request, playbook.locale)
    if not request.query.keys().isdisjoint(SEARCHES):
        return _search(request, storage, principal, playbook, locale)
    tickets, cursor = queues.list_tickets(
        storage, playbook, principal, request.query, request.now, admits, open_only
    )
    shown: list[ListedTicket] = [
        {**view.summary_view(ticket, playbook, principal, locale), "found": None}
        for ticket in tickets
    ]
    page: TicketList = {"tickets": shown, "cursor": cursor}
    return HttpResponse(page)


def _search(
    request: Request, storage: Storage, principal: Principal, playbook: Playbook, locale: Locale
) -> HttpResponse:
    from functions.core.storage.segments import Segments
    from functions.workbench.search import search

    require(principal, SEES_TICKETS, Phrase("see tickets"))
    deployment = request.deployment
    segments = Segments(aws.client("s3"), deployment.mail_bucket)
    root = partial(aws.root_key, deployment)
    found, cursor = search(storage, segments, playbook, request.query, request.now, root)
    shown: list[ListedTicket] = [
        {**view.summary_view(ticket, playbook, principal, locale), "found": text}
        for ticket, text in found
    ]
    page: TicketList = {"tickets": shown, "cursor": cursor}
    return HttpResponse(page)


def show_ticket(
    request: Request, storage: Storage, desk: str, number: str, files: Files
) -> HttpResponse:
    """Show a ticket.

    Raises:
        NotFound: there is none, or it is another desk's.
        Forbidden: the caller's role sees no tickets.
    """
    principal, playbook = signed_in(request, storage, desk)
    require(principal, SEES_TICKETS, Phrase("see tickets"))
    ticket = storage.tickets.load(desk, number)
    record = record_of(storage, ticket, assisted=playbook.assistant is not None)
    others = other_tickets(storage, ticket, record)
    page, opening = _page(storage, ticket, page_before(request))
    offline = may_take_over(principal, "take", ticket) and is_offline(storage, ticket)
    knowledge = storage.knowledge.get(desk, request.now)
    merged = merged_pages(storage, page)
    full = view.FullTicket(page, opening, merged, others, record, offline, knowledge)
    summary = storage.model_summaries.get(desk, number) if playbook.language_model else None
    return HttpResponse(show_full(request, storage, principal, playbook, full, files.link, summary))


def show_full(
    request: Request,
    storage: Storage,
    principal: Principal,
    playbook: Playbook,
    full: view.FullTicket,
    link: view.Link,
    summary: ModelSummary | None,
) -> TicketView:
    """Return the view of a ticket that was read, with what only the caller's request has."""
    ticket, locale = full.own.ticket, locale_of(request, playbook.locale)
    shown = view.ticket_view(full, playbook, principal, link, locale, request.now)
    shown["sms"] = text_message_frame(
        ticket, playbook, lambda: base_url(playbook, aws.public_url(request.deployment))
    )
    if summary:
        shown["model_summary"] = {
            "text": summary.text,
            "version": summary.version,
            "at": local_time(summary.at, playbook.zone),
            "model": summary.model,
        }
    if ticket.merged is not None:
        from functions.core.services.merging import merge_target

        shown["goes_on_as"] = merge_target(storage, ticket).number
    return shown


def other_tickets(
    storage: Storage, ticket: Ticket, record: CustomerRecord | None
) -> Sequence[Ticket]:
    """Read the customer's newest other tickets, by every contact of theirs (C2)."""
    contacts = record.contacts if record else (ticket.customer.hash,)
    numbers = {
        number: None
        for contact in contacts
        for number in storage.contacts.tickets(ticket.desk, contact, MAX_OTHER_TICKETS + 1)
        if number != ticket.number
    }
    found = storage.tickets.load_many(ticket.desk, list(numbers))
    return sorted(found, key=lambda each: each.received_at, reverse=True)[:MAX_OTHER_TICKETS]


def _page(
    storage: Storage, ticket: Ticket, before: int | None
) -> tuple[TicketRecord, Sequence[Commit]]:
    """Read a page of a ticket's entries, and its first commits."""
    desk, number, version = ticket.desk, ticket.number, ticket.version
    history = storage.tickets.history_page(desk, number, version, PAGE, before)
    first = history[0].version if history else 1
    opening = (
        history
        if first == 1 and history
        else storage.tickets.history_page(desk, number, OPENING, OPENING)
    )
    last = history[-1].version if history else 0
    deliveries = storage.deliveries.of_commits(desk, number, first, last)
    return TicketRecord(ticket, history, deliveries), opening


def merged_pages(storage: Storage, page: TicketRecord) -> list[TicketRecord]:
    """Read the newest entries of the tickets merged into this one that belong to its page."""
    ticket, history = page.ticket, page.history
    if not ticket.carries or not history:
        return []
    from functions.core.services.merging import merged_tickets

    since = None if history[0].version == 1 else history[0].at
    until = None if history[-1].version == ticket.version else history[-1].at
    records = []
    for merged in merged_tickets(storage, ticket):
        record, _ = _page(storage, merged, None)
        commits = [
            commit
            for commit in record.history
            if (since is None or commit.at >= since) and (until is None or commit.at <= until)
        ]
        records.append(TicketRecord(merged, commits, record.deliveries))
    return records


def enter_ticket(
    request: Request, storage: Storage, desk: str, creator: TicketCreator
) -> HttpResponse:
    from functions.workbench.agent_create_ticket import create_as_agent

    principal, playbook = signed_in(request, storage, desk)
    return HttpResponse(create_as_agent(request, creator, playbook, principal), 201)


def act(
    request: Request,
    storage: Storage,
    desk: str,
    number: str,
    action: str,
    files: Files,
    corrector: Callable[[], ContactCorrector],
    unseal: Unseal,
    seal_outgoing: Seal,
) -> HttpResponse:
    """Carry out an action and return the ticket's summary.

    `attachments` returns an upload for a file that a later action can name (D10). `draft` and
    `summary` return what the desk's language model writes. `open-original`
    records the act and returns the original of a message, `open-contact` the contact (G4).
    """
    principal, playbook = signed_in(request, storage, desk)
    if action == "attachments":
        return _create_upload(request, storage, principal, number, files)
    if action in TICKET_TASKS:
        from functions.workbench.model_calls import write_for_ticket

        return write_for_ticket(request, storage, principal, playbook, number, action)
    context = agent_actions.ActionContext(
        principal,
        playbook,
        storage,
        files,
        corrector,
        lambda: aws.public_url(request.deployment),
        seal_outgoing,
    )
    ticket = agent_actions.act(
        context, number, action, request.body, request.now, request.key("Idempotency-Key")
    )
    if action == "open-original":
        opened = unseal(desk, number, ticket.version, principal.username)
        original: OpenedOriginal = {
            "number": number,
            "version": ticket.version,
            "original": opened,
        }
        return HttpResponse(original)
    if action == "open-contact":
        opened = unseal(desk, number, ticket.version, principal.username)
        contact: OpenedContact = {
            "number": number,
            "version": ticket.version,
            "contact": opened["contact"],
            "shown_until": local_time(request.now + CONTACT_SHOWN_FOR, playbook.zone),
        }
        return HttpResponse(contact)
    locale = locale_of(request, playbook.locale)
    return HttpResponse(view.summary_view(ticket, playbook, principal, locale))


def _create_upload(
    request: Request, storage: Storage, principal: Principal, number: str, files: Files
) -> HttpResponse:
    require(principal, SEES_TICKETS, Phrase("add a file"))
    ticket = storage.tickets.load(principal.desk, number)
    if not works_on(principal, ticket):
        raise Forbidden("Only those who work on this ticket can add files to it.")
    upload = request.read(NewUpload)
    return HttpResponse(files.create_upload(principal.desk, number, upload.name, upload.size), 201)


def set_presence(request: Request, storage: Storage, desk: str) -> HttpResponse:
    """Set the caller's presence. Going offline ends the shift, as its end in the roster does.

    Raises:
        NotFound: no tickets of this desk can be assigned to the caller.
    """
    principal, playbook = signed_in(request, storage, desk)
    presence = request.read(Presence)
    if not principal.assignable:
        raise NotFound("You are not on this desk's roster.")
    hands_over = playbook.assignment.end_of_shift != "keep"
    ends = presence.online and hands_over
    until = principal.agent.shift_end(request.now, playbook.zone) if ends else None
    storage.roster.set_presence(desk, principal.username, presence.online, until)
    entry = presence_entry(principal.username, presence.online, request.now)
    storage.presence.write(desk, entry, request.now)
    if hands_over and not presence.online:
        from functions.core.services.handing_over import end_shift

        end_shift(storage, playbook, principal.username, principal.username, request.now)
    return HttpResponse(presence.model_dump())


def signed_in(request: Request, storage: Storage, desk: str) -> tuple[Principal, Playbook]:
    principal = principal_of(storage, caller(request.claims), desk, request.now)
    return principal, storage.playbooks.get(desk, request.now)


def files(request: Request) -> Files:
    return Files(aws.client("s3"), request.deployment.mail_bucket)
