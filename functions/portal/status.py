"""What a customer is shown of a ticket (A14, A15, A16; contract, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from functions.core.domain.events import Attachment, Commit
from functions.core.domain.record import TicketRecord
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import Ticket
from functions.core.domain.timers import parse_field_time
from functions.core.storage.files import FILES
from functions.core.text.words import label, shown_label

SHOWN_EVENTS = frozenset(
    {
        "TicketReceived",
        "ConfirmationRequested",
        "TypeConfirmed",
        "TicketQueued",
        "TicketAssigned",
        "ReplySent",
        "InformationRequested",
        "CustomerWrote",
        "InformationReceived",
        "TicketResolved",
        "TicketReopened",
        "CustomerAsked",
        "CallbackRequested",
        "SecondHandlingStarted",
        "StepTaken",
        "ConfirmationGiven",
        "SurveyAnswered",
        "ReviewRequested",
        "CallbackRecorded",
        "TicketArchived",
        "TicketClosed",
        "TicketMerged",
        "TicketUnmerged",
    }
)
"""Changes of status and what passed between customer and desk. The rest is internal, and so is a
step of the desk's own unless the playbook says that the customer sees it (D10, D11)."""

CARRIED_EVENTS = frozenset(
    {
        "TicketReceived", "ReplySent", "InformationRequested", "CustomerWrote", "CustomerAsked",
        "StepTaken",
    }
)  # fmt: skip
"""What is shown of a ticket that was merged into this one: what passed between the two sides."""

Link = Callable[[Attachment], str]


def status_view(
    ticket: Ticket,
    history: Sequence[Commit],
    playbook: Playbook,
    locale: Locale,
    link: Link | None = None,
    carried: Sequence[TicketRecord] = (),
    goes_on_as: str | None = None,
) -> dict[str, Any]:
    """The ticket as its customer may see it; times are ISO 8601 with the desk's offset.

    Args:
        link: makes a short-lived link to a file; None for whoever has no key.
        carried: the same customer's tickets that were merged into this one.
        goes_on_as: the same customer's ticket that this one was merged into.
    """
    zone = playbook.zone
    commits = sorted(
        (*history, *(commit for part in carried for commit in part.history)),
        key=lambda commit: (commit.at, commit.number, commit.version),
    )
    shown = [
        (commit, event)
        for commit in commits
        for event in _shown(commit)
        if commit.number == ticket.number or event.event in CARRIED_EVENTS
    ]
    return {
        "number": ticket.number,
        "status": ticket.status,
        "status_label": label(playbook.statuses, ticket.status, locale),
        "type": ticket.type,
        "tags": list(ticket.tags),
        "priority": ticket.priority,
        "team": ticket.team,
        "handler": ticket.handler,
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
                "label": shown_label(event, playbook, locale),
                **({"number": commit.number} if commit.number != ticket.number else {}),
                **_step(event, playbook, locale),
            }
            for commit, event in shown
        ],
        **({"goes_on_as": goes_on_as} if goes_on_as else {}),
        "question": asked_for(ticket, history),
        "attachments": [
            {
                "name": file.name,
                "content_type": file.content_type,
                "size": file.size,
                "at": local(commit.at, zone),
                "url": link(file) if link and file.key.startswith(FILES) else None,
            }
            for commit in commits
            for event in _with_files(commit)
            for file in event.attachments
        ],
        "refused": [
            {**file.model_dump(mode="json"), "at": local(commit.at, zone)}
            for commit in commits
            for event in commit.of("TicketReceived", "CustomerWrote")
            for file in event.refused
            if not _of_a_stranger(event)
        ]
        if link
        else [],
    }


def _with_files(commit: Commit) -> Iterator[Any]:
    """What came with files, from the customer or to them."""
    told = commit.of("TicketReceived", "CustomerWrote", "ReplySent")
    yield from (event for event in told if not _of_a_stranger(event))
    yield from (event for event in commit.of("StepTaken") if event.customer_sees)


def _of_a_stranger(event: Any) -> bool:
    """G4: whether another customer wrote this, whose ticket was merged into this one."""
    found: bool = getattr(event, "stranger", False)
    return found


def _shown(commit: Commit) -> Iterator[Any]:
    """The events of a commit that the customer sees, each kind once; of steps, every one."""
    kinds: set[str] = set()
    for event in commit.events:
        if event.event == "StepTaken":
            if event.customer_sees:
                yield event
        elif event.event in SHOWN_EVENTS - kinds and not _of_a_stranger(event):
            kinds.add(event.event)
            yield event


def _step(event: Any, playbook: Playbook, locale: Locale) -> dict[str, Any]:
    """What was written down with a step: the arrival time, the parts (D9, D11)."""
    if event.event != "StepTaken":
        return {}
    step = playbook.steps.get(event.step)
    fields = step.fields if step else {}
    return {
        "step": event.step,
        "fields": [
            {
                "name": name,
                "label": label(fields, name, locale),
                "value": _readable(value, playbook.zone),
            }
            for name, value in event.fields.items()
        ],
    }


def _readable(value: str, zone: ZoneInfo) -> str:
    """A moment in the desk's own time, as people read it; everything else as it was written."""
    at = parse_field_time(value)
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}" if at else value


def local(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    """A moment in the desk's time zone, to the second."""
    return at.astimezone(zone).replace(microsecond=0) if at else None


def asked_for(ticket: Ticket, history: Sequence[Commit]) -> str | None:
    """What the desk last asked of the customer, while it waits for the answer (A11, E2)."""
    if ticket.status == "awaiting_customer":
        asked = [event.text for commit in history for event in commit.of("InformationRequested")]
    elif ticket.status == "pending_confirmation":
        asked = [event.question for commit in history for event in commit.of("CustomerAsked")]
        since = max((k.version for k in history if k.of("CustomerAsked")), default=0)
        if any(k.version > since for k in history if k.of("ConfirmationRequested")):
            return None  # by now the supervisors have to say
    else:
        return None
    return asked[-1] if asked else None
