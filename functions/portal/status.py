"""The ticket as its customer sees it (A14, A15, A16; contract, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from functions.core.domain import events as e
from functions.core.domain.record import TicketRecord, open_question
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import Ticket
from functions.core.storage.files import FILES
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

Link = Callable[[e.Attachment], str]


def status_view(
    ticket: Ticket,
    history: Sequence[e.Commit],
    playbook: Playbook,
    locale: Locale,
    link: Link | None = None,
    merged: Sequence[TicketRecord] = (),
    goes_on_as: str | None = None,
) -> dict[str, Any]:
    """The JSON of the status call; times are ISO 8601 with the desk's offset.

    Args:
        link: makes a short-lived link to a file; None for a caller without a key.
        merged: tickets of the same customer that were merged into this one.
        goes_on_as: the same customer's ticket that this one was merged into.
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
        "type": label(playbook.types, ticket.type, locale),
        "tags": customer_tags(ticket.tags, playbook, locale) or None,
        "priority": customer_label(playbook.priorities, ticket.priority, locale),
        "team": label(playbook.teams, ticket.team, locale) or None,
        "handler": handler_for_customer(ticket, playbook, locale),
        "received_at": local(ticket.received_at, zone),
        "expected_response_by": local(ticket.expected_response_by, zone),
        "expected_resolution_by": local(ticket.expected_resolution_by, zone),
        "first_response_at": local(ticket.first_response_at, zone),
        "resolved_at": local(ticket.resolved_at, zone),
        "summary": ticket.summary,
        "timeline": [
            {
                "at": local(commit.at, zone),
                "event": event.event,
                "label": customer_event_label(event, playbook, locale),
                **({"number": commit.number} if commit.number != ticket.number else {}),
                **_step(event, playbook, locale),
            }
            for commit in commits
            for event in _visible(commit)
            # Of a merged ticket only the conversation is shown.
            if commit.number == ticket.number or event.customer_visibility == "message"
        ],
        **({"goes_on_as": goes_on_as} if goes_on_as else {}),
        "question": open_question(ticket, history),
        "messages": list(_messages(ticket, commits, playbook, locale, link)) if link else [],
        "attachments": [
            {**_file(file, link), "at": local(commit.at, zone)}
            for commit in commits
            for file in _files(commit)
        ],
        "refused": [
            {**file.model_dump(mode="json"), "at": local(commit.at, zone)}
            for commit in commits
            for event in commit.events
            if isinstance(event, e.TicketReceived | e.CustomerWrote) and not _by_stranger(event)
            for file in event.refused
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
) -> dict[str, Any]:
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
        "type": label(playbook.types, request.type, locale)
        if request and request.type_given
        else None,
        "tags": None,
        "priority": None,
        "team": None,
        "handler": None,
        "received_at": local(ticket.received_at, zone),
        "expected_response_by": local(ticket.expected_response_by, zone),
        "expected_resolution_by": local(ticket.expected_resolution_by, zone),
        "first_response_at": None,
        "resolved_at": None,
        "summary": None,
        "timeline": [],
        "question": None,
        "messages": [],
        "attachments": [],
        "refused": [],
        "submitted": [
            {"at": local(commit.at, zone), "text": event.words}
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
) -> Iterator[dict[str, Any]]:
    """What the customer and the desk wrote to each other, in order."""
    assigned = [event for commit in commits for event in commit.of(e.TicketAssigned)]
    names = {event.handler: event.handler_name for event in assigned}
    names[ticket.handler or ""] = ticket.handler_name
    for commit in commits:
        for event in commit.events:
            asked = isinstance(event, e.CustomerAsked)
            if (event.direction is None and not asked) or _by_stranger(event):
                continue
            by = names.get(commit.actor) or playbook.name[locale]
            # What an agent entered is the desk's record, not the customer's words.
            if event.direction == "in" and not getattr(event, "entered_by", None):
                by = getattr(event, "by_another", None) or say("page.you", locale)
            yield {
                "direction": event.direction or "out",
                "text": event.words,
                "at": local(commit.at, playbook.zone),
                "by": by,
                "attachments": [_file(file, link) for file in getattr(event, "attachments", ())],
            }


def _file(file: e.Attachment, link: Link | None) -> dict[str, Any]:
    return {
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
        "url": link(file) if link and file.key.startswith(FILES) else None,
    }


def _step(event: e.Event, playbook: Playbook, locale: Locale) -> dict[str, Any]:
    """A step with those of its fields that customers see, such as the arrival time (D9, D11)."""
    if not isinstance(event, e.StepTaken):
        return {}
    fields = step_fields(event, playbook, locale, for_customer=True)
    return {"step": event.step, "fields": fields}


def _by_this_submitter(event: e.Event) -> bool:
    """Return whether this ticket's own submitter link wrote it, not a merged ticket's."""
    return isinstance(event, e.CustomerWrote) and event.by_submitter and event.via is None


def _files(commit: e.Commit) -> Iterator[e.Attachment]:
    """The files that customer and desk sent each other."""
    for event in commit.events:
        written = event.direction is not None and not _by_stranger(event)
        if written or (isinstance(event, e.StepTaken) and event.customer_sees):
            yield from getattr(event, "attachments", ())


def _by_stranger(event: e.Event) -> bool:
    """Return whether another customer wrote it, on a ticket merged into this one (G4)."""
    return isinstance(event, e.CustomerWrote) and event.stranger


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


def local(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    """Convert a time to a time zone, to the second."""
    return at.astimezone(zone).replace(microsecond=0) if at else None
