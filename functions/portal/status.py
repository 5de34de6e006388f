"""The ticket as its customer sees it (A14, A15, A16; contract, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from functions.core.domain import events as e
from functions.core.domain.record import TicketRecord, open_question
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import Ticket
from functions.core.storage.files import FILES
from functions.core.text.shapes import local_time
from functions.core.text.templating import step_fields
from functions.core.text.words import (
    customer_event_label,
    customer_label,
    customer_status,
    customer_tags,
    handler_for_customer,
    label,
    say,
)

if TYPE_CHECKING:
    from functions.core.text.shapes import FileView
    from functions.portal.shapes import StatusEntry, StatusMessage, StatusView

Link = Callable[[e.Attachment], str]


def status_view(
    ticket: Ticket,
    history: Sequence[e.Commit],
    playbook: Playbook,
    locale: Locale,
    link: Link | None = None,
    merged: Sequence[TicketRecord] = (),
) -> StatusView:
    """The JSON of the status call; times are ISO 8601 with the desk's offset.

    Args:
        link: makes a short-lived link to a file; None for a caller without a key.
        merged: tickets of the same customer that were merged into this one.
    """
    zone = playbook.zone
    commits = sorted(
        (*history, *(commit for record in merged for commit in record.history)),
        key=lambda commit: (commit.at, commit.number, commit.version),
    )
    return {
        "number": ticket.number,
        "status": ticket.status,
        "status_label": customer_status(ticket.status, playbook, locale),
        "type": ticket.type,
        "type_label": label(playbook.types, ticket.type, locale),
        "tags": customer_tags(ticket.tags, playbook, locale) or None,
        "priority": customer_label(playbook.priorities, ticket.priority, locale),
        "team": ticket.team,
        "team_label": label(playbook.teams, ticket.team, locale) or None,
        "handler": handler_for_customer(ticket, playbook, locale),
        "received_at": local_time(ticket.received_at, zone),
        "expected_response_by": local_time(ticket.expected_response_by, zone),
        "expected_resolution_by": local_time(ticket.expected_resolution_by, zone),
        "first_response_at": local_time(ticket.first_response_at, zone),
        "resolved_at": local_time(ticket.resolved_at, zone),
        "summary": ticket.summary,
        "timeline": [
            _entry(event, commit, ticket, playbook, locale)
            for commit in commits
            for event in _visible(commit)
            # Of a merged ticket only the conversation is shown.
            if commit.number == ticket.number or event.customer_visibility == "message"
        ],
        "question": open_question(ticket, history),
        "messages": list(_messages(ticket, commits, playbook, locale, link)) if link else [],
        "attachments": [
            {**_file(file, link), "at": local_time(commit.at, zone)}
            for commit in commits
            for file in _files(commit)
        ],
        "refused": [
            {
                "name": file.name,
                "size": file.size,
                "reason": file.reason,
                "at": local_time(commit.at, zone),
            }
            for commit in commits
            for event in commit.events
            if not _by_stranger(event)
            for file in getattr(event, "refused", ())
        ]
        if link
        else [],
    }


def submitter_view(
    ticket: Ticket,
    history: Sequence[e.Commit],
    opening: e.Commit | None,
    playbook: Playbook,
    locale: Locale,
) -> StatusView:
    """The JSON for whoever filed the request and has not proven its contact (contract, *Links*).

    The keys of `status_view`, empty where its value is the desk's or the contact's, and what was
    submitted through the form and this link.
    """
    zone = playbook.zone
    request = next(iter(opening.of(e.TicketReceived)), None) if opening else None
    return {
        "number": ticket.number,
        "status": ticket.status,
        "status_label": customer_status(ticket.status, playbook, locale),
        "type": request.type if request and request.type_given else None,
        "type_label": label(playbook.types, request.type, locale)
        if request and request.type_given
        else None,
        "tags": None,
        "priority": None,
        "team": None,
        "team_label": None,
        "handler": None,
        "received_at": local_time(ticket.received_at, zone),
        "expected_response_by": local_time(ticket.expected_response_by, zone),
        "expected_resolution_by": local_time(ticket.expected_resolution_by, zone),
        "first_response_at": None,
        "resolved_at": None,
        "summary": None,
        "timeline": [],
        "question": None,
        "messages": [],
        "attachments": [],
        "refused": [],
        "submitted": [
            {"at": local_time(commit.at, zone), "text": event.words}
            for commit in (*([opening] if opening and opening not in history else ()), *history)
            for event in commit.events
            if isinstance(event, e.TicketReceived) or _by_this_submitter(event)
        ],
    }


def _messages(
    ticket: Ticket,
    commits: Sequence[e.Commit],
    playbook: Playbook,
    locale: Locale,
    link: Link,
) -> Iterator[StatusMessage]:
    assigned = [event for commit in commits for event in commit.of(e.TicketAssigned)]
    names = {event.handler: event.handler_name for event in assigned}
    names[ticket.handler or ""] = ticket.handler_name
    for commit in commits:
        for event in commit.events:
            asked = isinstance(event, e.CustomerAsked)
            if (event.direction is None and not asked) or _by_stranger(event):
                continue
            if isinstance(event, e.FilesReceived) and not event.attachments:
                continue  # `refused` names what was not taken
            by = names.get(commit.actor) or playbook.name[locale]
            # What an agent entered is the desk's record, not the customer's words.
            if event.direction == "in" and not getattr(event, "entered_by", None):
                by = getattr(event, "by_another", None) or say("page.you", locale)
            yield {
                "direction": event.direction or "out",
                "text": event.words,
                "at": local_time(commit.at, playbook.zone),
                "by": by,
                "attachments": [_file(file, link) for file in getattr(event, "attachments", ())],
            }


def _file(file: e.Attachment, link: Link | None) -> FileView:
    return {
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
        "url": link(file) if link and file.key.startswith(FILES) else None,
    }


def _entry(
    event: e.Event, commit: e.Commit, ticket: Ticket, playbook: Playbook, locale: Locale
) -> StatusEntry:
    """An event; of a step those of its fields that customers see, such as the arrival (D9, D11)."""
    entry: StatusEntry = {
        "at": local_time(commit.at, playbook.zone),
        "event": event.event,
        "label": customer_event_label(event, playbook, locale),
    }
    if commit.number != ticket.number:
        entry["number"] = commit.number
    if isinstance(event, e.StepTaken):
        entry["step"] = event.step
        entry["fields"] = step_fields(event, playbook, locale, for_customer=True)
    return entry


def _by_this_submitter(event: e.Event) -> bool:
    """Return whether this ticket's own submitter link wrote it, not a merged ticket's."""
    return isinstance(event, e.CustomerWrote) and event.by_submitter and event.via is None


def _files(commit: e.Commit) -> Iterator[e.Attachment]:
    for event in commit.events:
        written = event.direction is not None and not _by_stranger(event)
        if written or (isinstance(event, e.StepTaken) and event.customer_sees):
            yield from getattr(event, "attachments", ())


def _by_stranger(event: e.Event) -> bool:
    """Return whether another customer wrote it, on a ticket merged into this one (G4)."""
    return isinstance(event, e.CustomerWrote | e.FilesReceived) and event.stranger


def _visible(commit: e.Commit) -> Iterator[e.Event]:
    """The events of a commit that the customer sees, each kind once; of steps, every one."""
    seen: set[str] = set()
    for event in commit.events:
        if isinstance(event, e.StepTaken):
            if event.customer_sees:
                yield event
        elif event.customer_visibility == "never" or event.event in seen or _by_stranger(event):
            continue
        else:
            seen.add(event.event)
            yield event
