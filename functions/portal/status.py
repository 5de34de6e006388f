"""What a customer is shown of a ticket (A14, A15, A16; contract, section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from functions.core.events import Commit
from functions.core.playbook import Locale, Playbook
from functions.core.ticket import Ticket
from functions.core.words import event_label, label

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
        "ConfirmationGiven",
        "SurveyAnswered",
        "ReviewRequested",
        "CallbackRecorded",
        "TicketArchived",
        "TicketClosed",
    }
)
"""Changes of status and what passed between customer and desk. The rest is internal."""


def status_view(
    ticket: Ticket, history: Sequence[Commit], playbook: Playbook, locale: Locale
) -> dict[str, Any]:
    """The ticket as its customer may see it; times are ISO 8601 with the desk's offset."""
    zone = playbook.zone
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
            {"at": local(commit.at, zone), "event": name, "label": event_label(name, locale)}
            for commit in history
            for name in dict.fromkeys(event.event for event in commit.events)
            if name in SHOWN_EVENTS
        ],
    }


def local(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    """A moment in the desk's time zone, to the second."""
    return at.astimezone(zone).replace(microsecond=0) if at else None


def asked_for(ticket: Ticket, history: Sequence[Commit]) -> str | None:
    """What the desk last asked of the customer, while it waits for the answer (A11)."""
    if ticket.status != "awaiting_customer":
        return None
    asked = [event.text for commit in history for event in commit.of("InformationRequested")]
    return asked[-1] if asked else None
