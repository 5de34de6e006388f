"""G6, B10: the whole life of a ticket as one document.

One shape for the archive, for `deskbell ticket export` and for whoever wants to see everything. It
holds what is stored for display, masked as it is stored; the sealed contact is never part of it.
The same ticket gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from functions.core.domain.delivery import Delivery
from functions.core.domain.events import SCHEMA_VERSION, Commit
from functions.core.domain.ticket import Ticket, Timer

RECORDS = "{ticket}-{step:03}"

SCHEMA = "deskbell/ticket/1"
"""The document's own version; fields are only ever added under one number."""

_STEPS: dict[str, str | None] = {"StepTaken": None, "NoteAdded": "text", "ApprovalGiven": "reason"}
_COMMUNICATIONS: dict[str, str | None] = {
    "TicketReceived": "description",
    "CustomerWrote": "text",
    "CustomerAsked": "question",
    "ReplySent": "text",
    "InformationRequested": "text",
    "ConfirmationGiven": "reason",
    "SurveyAnswered": "comment",
    "CallbackRecorded": "cause",
}
_SOLUTIONS: dict[str, str | None] = {"TicketResolved": "summary"}
_HANDLING = {
    **{name: ("step", field) for name, field in _STEPS.items()},
    **{name: ("communication", field) for name, field in _COMMUNICATIONS.items()},
    **{name: ("solution", field) for name, field in _SOLUTIONS.items()},
}
"""Event type → what it is in the handling record, and which of its fields says it."""

_INWARD = {"TicketReceived": "description", "CustomerWrote": "text"}
_OUTWARD = {"ReplySent": "text", "InformationRequested": "text"}


@dataclass(frozen=True)
class TicketRecord:
    """A ticket with its commits and deliveries: alone, or among those that were merged."""

    ticket: Ticket
    history: Sequence[Commit]
    deliveries: Sequence[Delivery] = ()


def record(
    ticket: Ticket,
    commits: Sequence[Commit],
    deliveries: Sequence[Delivery],
    playbook_version: int | None = None,
    records: str = RECORDS,
    merged: Sequence[TicketRecord] = (),
) -> dict[str, Any]:
    """Everything that happened to a ticket, as plain JSON data.

    Args:
        records: the pattern by which the handling record is numbered (B7).
        merged: the tickets that go on in this one.

    Keys: `schema`, `event_schema`, `desk`, `number`, `playbook_version` (the one in force when the
    document was made), `ticket` (its last state, timers apart), `timers` [{kind, …}], `history`
    [{version, at, actor, events}], `records` as `handling` says, `messages` [{number, version, at,
    actor, direction, channel, text, attachments, refused}], `deliveries`, `merged` [{number,
    ticket, timers, history, deliveries}]. The messages of merged tickets stand in order among the
    ticket's own. Times are ISO 8601 with offset, durations ISO 8601.
    """
    own = TicketRecord(ticket, commits, deliveries)
    said = [
        (place(part, datetime.fromisoformat(message["at"]), message["version"]), message)
        for part in (own, *merged)
        for message in _conversation(part)
    ]
    return {
        "schema": SCHEMA,
        "event_schema": SCHEMA_VERSION,
        "desk": ticket.desk,
        "playbook_version": playbook_version,
        **_told(own),
        "records": handling(own.history, records),
        "messages": [message for _, message in sorted(said, key=itemgetter(0))],
        "merged": [_told(part) for part in merged],
    }


def place(part: TicketRecord, at: datetime, version: int) -> tuple[datetime, int, int, str]:
    """Where something that was said on a ticket stands among what was said on merged ones.

    Moments are whole seconds. Of two in the same one, what a ticket heard after it took another in
    comes later, then what was said on the later number.
    """
    number = part.ticket.number
    merges = sum(commit.version < version for commit in part.history if commit.of("MergeReceived"))
    return at, merges, len(number), number


def _told(part: TicketRecord) -> dict[str, Any]:
    """What is on record of one ticket."""
    ticket = part.ticket
    state = ticket.model_dump(mode="json")
    state.pop("timers")
    return {
        "number": ticket.number,
        "ticket": state,
        "timers": [_timer(kind, timer) for kind, timer in sorted(ticket.timers.items())],
        "history": [
            {
                "version": commit.version,
                "at": _at(commit.at),
                "actor": commit.actor,
                "events": [event.model_dump(mode="json") for event in commit.events],
            }
            for commit in _in_order(part.history)
        ],
        "deliveries": [
            {"id": delivery.id, **delivery.model_dump(mode="json", exclude={"desk", "number"})}
            for delivery in sorted(part.deliveries, key=lambda delivery: delivery.id)
        ],
    }


def _in_order(commits: Sequence[Commit]) -> list[Commit]:
    return sorted(commits, key=lambda commit: commit.version)


def _conversation(part: TicketRecord) -> list[dict[str, Any]]:
    commits = _in_order(part.history)
    return [message for commit in commits for message in _messages(commit, part.ticket)]


def handling(commits: Sequence[Commit], pattern: str = RECORDS) -> list[dict[str, Any]]:
    """B7: the handling record, every step, communication and solution of a ticket by number.

    A history only grows, so a number once given stays. Keys of an entry: `number`, `kind` (`step`,
    `communication`, `solution`), `at`, `actor`, `event`, `step` (the desk's own, else null),
    `text`, `fields`, `version`.

    Args:
        commits: the ticket's history.
        pattern: such as `{ticket}-{step:03}`, the playbook's `records.pattern`.
    """
    told = (
        (commit, event)
        for commit in sorted(commits, key=lambda commit: commit.version)
        for event in commit.events
        if event.event in _HANDLING
    )
    return [
        _entry(pattern.format(ticket=commit.number, step=count), commit, event)
        for count, (commit, event) in enumerate(told, 1)
    ]


def _entry(number: str, commit: Commit, event: Any) -> dict[str, Any]:
    kind, field = _HANDLING[event.event]
    return {
        "number": number,
        "kind": kind,
        "at": _at(commit.at),
        "actor": commit.actor,
        "event": event.event,
        "step": getattr(event, "step", None),
        "text": getattr(event, field) if field else "",
        "fields": dict(getattr(event, "fields", {})),
        "version": commit.version,
    }


def document(found: dict[str, Any]) -> bytes:
    """A record as the bytes that are kept: UTF-8 JSON, keys in order."""
    return json.dumps(found, ensure_ascii=False, sort_keys=True, indent=1).encode()


def archive_key(ticket: Ticket, zone: ZoneInfo) -> str:
    """Where the archive keeps a ticket, by the year in which it came in, in the desk's own time.

    The year does not change with a reopening, so there is one place and one newest document.
    """
    return f"archive/{ticket.desk}/{ticket.received_at.astimezone(zone):%Y}/{ticket.number}.json"


def _timer(kind: str, timer: Timer) -> dict[str, Any]:
    return {"kind": kind, **timer.model_dump(mode="json")}


def _messages(commit: Commit, ticket: Ticket) -> list[dict[str, Any]]:
    """What the customer and the desk said to each other in one commit."""
    found = []
    for event in commit.events:
        inward = event.event in _INWARD
        field = _INWARD.get(event.event) or _OUTWARD.get(event.event)
        if field is None:
            continue
        text = getattr(event, field)
        if event.event == "TicketReceived":
            text = event.text or text
        attachments = getattr(event, "attachments", ())
        found.append(
            {
                "number": commit.number,
                "version": commit.version,
                "at": _at(commit.at),
                "actor": commit.actor,
                "direction": "in" if inward else "out",
                "channel": getattr(event, "channel", ticket.channel),
                "text": text,
                "attachments": [item.model_dump(mode="json") for item in attachments],
                "refused": [item.model_dump(mode="json") for item in getattr(event, "refused", ())],
            }
        )
    return found


def _at(moment: datetime) -> str:
    return moment.isoformat()
