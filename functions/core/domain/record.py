"""The whole life of a ticket as one document (G6, B10).

The archive and `deskbell ticket export` share this shape. It holds masked data as it is stored for
display, never the sealed contact. The same ticket yields the same bytes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from functions.core.domain.delivery import Delivery
from functions.core.domain.events import (
    SCHEMA_VERSION,
    Commit,
    ConfirmationRequested,
    CustomerAsked,
    Event,
    InformationRequested,
    MergeReceived,
)
from functions.core.domain.ticket import Ticket, Timer

RECORDS = "{ticket}-{step:03}"

SCHEMA = "deskbell/ticket/1"
"""The version of the document; fields are only ever added under one version."""


@dataclass(frozen=True)
class TicketRecord:
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
    parts: Sequence[str] = (),
) -> dict[str, Any]:
    """The record of a ticket as plain JSON data.

    Args:
        records: the pattern that numbers the handling record (B7).
        merged: the tickets that were merged into this one.
        parts: the keys of further documents, with the later entries of a long ticket.

    Keys: `schema`, `event_schema`, `desk`, `number`, `playbook_version` (in force when the
    document was made), `ticket` (its last state without timers), `timers` [{kind, …}], `history`
    [{version, at, actor, events}], `records` from `handling_record`, `messages` [{number, version,
    at, actor, direction, channel, text, attachments, refused}] including those of merged tickets,
    `deliveries`, `merged` [{number, ticket, timers, history, deliveries}], and `parts` if there are
    any. Times are ISO 8601 with offset, durations ISO 8601 too.
    """
    own = TicketRecord(ticket, commits, deliveries)
    messages = [
        (
            message_order(source, datetime.fromisoformat(message["at"]), message["version"]),
            message,
        )
        for source in (own, *merged)
        for message in _conversation(source)
    ]
    return {
        "schema": SCHEMA,
        "event_schema": SCHEMA_VERSION,
        "desk": ticket.desk,
        "playbook_version": playbook_version,
        **_ticket_document(own),
        "records": handling_record(own.history, records),
        "messages": [message for _, message in sorted(messages, key=itemgetter(0))],
        "merged": [_ticket_document(source) for source in merged],
        **({"parts": list(parts)} if parts else {}),
    }


def record_part(
    source: TicketRecord, part: int, records: str = RECORDS, before: int = 0
) -> dict[str, Any]:
    """The record of a long ticket's later entries.

    Args:
        source: the ticket with the entries of this part.
        before: entries of the handling record in earlier parts.

    Keys: `schema`, `event_schema`, `desk`, `number`, `part`, and `history`, `records`, `messages`,
    `deliveries` as in `record`.
    """
    whole = _ticket_document(source)
    return {
        "schema": SCHEMA,
        "event_schema": SCHEMA_VERSION,
        "desk": source.ticket.desk,
        "number": source.ticket.number,
        "part": part,
        "history": whole["history"],
        "records": handling_record(source.history, records, before),
        "messages": _conversation(source),
        "deliveries": whole["deliveries"],
    }


def message_order(
    record: TicketRecord, at: datetime, version: int
) -> tuple[datetime, int, int, str]:
    """The sort key of a message among the messages of merged tickets.

    Times are whole seconds. Within one second, messages after a merge follow those before it,
    then the later ticket number follows.
    """
    number = record.ticket.number
    merges = sum(commit.version < version for commit in record.history if commit.of(MergeReceived))
    return at, merges, len(number), number


def _ticket_document(record: TicketRecord) -> dict[str, Any]:
    ticket = record.ticket
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
                "events": [event.document() for event in commit.events],
            }
            for commit in _in_order(record.history)
        ],
        "deliveries": [
            {"id": delivery.id, **delivery.model_dump(mode="json", exclude={"desk", "number"})}
            for delivery in sorted(record.deliveries, key=lambda delivery: delivery.id)
        ],
    }


def _in_order(commits: Sequence[Commit]) -> list[Commit]:
    return sorted(commits, key=lambda commit: commit.version)


def _conversation(record: TicketRecord) -> list[dict[str, Any]]:
    commits = _in_order(record.history)
    return [message for commit in commits for message in _messages(commit, record.ticket)]


def handling_record(
    commits: Sequence[Commit], pattern: str = RECORDS, before: int = 0
) -> list[dict[str, Any]]:
    """The handling record: every step, communication and solution, numbered (B7).

    A history only grows, so numbers never change. Keys of an entry: `number`, `kind` (`step`,
    `communication`, `solution`), `at`, `actor`, `event`, `step` (the desk's own, else null),
    `text`, `fields`, `version`.

    Args:
        commits: the ticket's history, or a page of it whose commits know their `records_before`.
        pattern: such as `{ticket}-{step:03}`, the playbook's `records.pattern`.
        before: entries before these commits, if the commits do not know.
    """
    entries: list[dict[str, Any]] = []
    count = before
    for commit in _in_order(commits):
        count = count if commit.records_before is None else commit.records_before
        for event in commit.events:
            if event.record is not None:
                count += 1
                number = pattern.format(ticket=commit.number, step=count)
                entries.append(_entry(number, commit, event))
    return entries


def _entry(number: str, commit: Commit, event: Event) -> dict[str, Any]:
    return {
        "number": number,
        "kind": event.record,
        "at": _at(commit.at),
        "actor": commit.actor,
        "event": event.event,
        "step": getattr(event, "step", None),
        "text": getattr(event, event.says) if event.says else "",
        "fields": dict(getattr(event, "fields", {})),
        "version": commit.version,
    }


def document(record: dict[str, Any]) -> bytes:
    """A record as archived: UTF-8 JSON with sorted keys."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, indent=1).encode()


def archive_key(ticket: Ticket, zone: ZoneInfo) -> str:
    """The ticket's key in the archive, by the year of its receipt in the desk's time zone.

    Reopening does not change that year, so each ticket has one key and one newest document.
    """
    return f"archive/{ticket.desk}/{ticket.received_at.astimezone(zone):%Y}/{ticket.number}.json"


def part_key(key: str, part: int) -> str:
    """The key of a further part of an archived document: `CS1.002.json` beside `CS1.json`."""
    return f"{key.removesuffix('json')}{part:03}.json"


def _timer(kind: str, timer: Timer) -> dict[str, Any]:
    return {"kind": kind, **timer.model_dump(mode="json")}


def _messages(commit: Commit, ticket: Ticket) -> list[dict[str, Any]]:
    return [
        {
            "number": commit.number,
            "version": commit.version,
            "at": _at(commit.at),
            "actor": commit.actor,
            "direction": event.direction,
            "channel": getattr(event, "channel", ticket.channel),
            "text": event.words,
            "attachments": [
                file.model_dump(mode="json") for file in getattr(event, "attachments", ())
            ],
            "refused": [file.model_dump(mode="json") for file in getattr(event, "refused", ())],
        }
        for event in commit.events
        if event.direction is not None
    ]


def _at(moment: datetime) -> str:
    return moment.isoformat()


def open_question(ticket: Ticket, history: Sequence[Commit]) -> str | None:
    """The desk's last question, while the ticket waits for the customer's answer (A11, E2)."""
    if ticket.waiting_status == "awaiting_customer":
        requests = [x.text for commit in history for x in commit.of(InformationRequested)]
        return requests[-1] if requests else None
    if ticket.status != "pending_confirmation":
        return None
    question = None
    for commit in history:
        for event in commit.events:
            if isinstance(event, CustomerAsked):
                question = event.question
            elif isinstance(event, ConfirmationRequested):
                question = None  # an agent has to confirm the type instead
    return question
