"""What agents see of a ticket (contract, section 2). Everything in it is stored masked (G4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from functions.core.domain.delivery import Delivery
from functions.core.domain.events import Attachment, Commit
from functions.core.domain.record import TicketRecord, handling, place
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.suggesting import suggest
from functions.core.storage.files import FILES
from functions.core.text.words import label, shown_label
from functions.workbench.rights import Principal, among_its_people, possible, possible_steps

Link = Callable[[Attachment], str]


@dataclass(frozen=True)
class Whole:
    """A ticket with all that is shown of it.

    `carried` are the tickets that were merged into it, `others` the same customer's other tickets,
    the newest first.
    """

    own: TicketRecord
    carried: Sequence[TicketRecord] = ()
    others: Sequence[Ticket] = ()

    @property
    def parts(self) -> tuple[TicketRecord, ...]:
        return (self.own, *self.carried)


def summary_view(ticket: Ticket, playbook: Playbook, at: Principal) -> dict[str, Any]:
    """A ticket as it stands in a list, and as an action answers with it."""
    locale = playbook.locale
    priority = playbook.priorities.get(ticket.priority)
    return {
        "number": ticket.number,
        "version": ticket.version,
        "status": ticket.status,
        "status_label": label(playbook.statuses, ticket.status, locale),
        "type": ticket.type,
        "type_label": label(playbook.types, ticket.type, locale),
        "tags": list(ticket.tags),
        "priority": ticket.priority,
        "priority_label": label(playbook.priorities, ticket.priority, locale),
        "priority_colour": priority.colour if priority else None,
        "urgency": ticket.urgency,
        "mood": ticket.mood,
        "queue": ticket.queue,
        "team": ticket.team,
        "handler": ticket.handler,
        "reviewer": ticket.reviewer,
        "channel": ticket.channel,
        "locale": ticket.locale,
        "level": ticket.level,
        "customer": {
            "name": ticket.customer.name,
            "contact": ticket.customer.contact,
            "kind": ticket.customer.kind,
            "id": ticket.customer.id,
            "class": ticket.customer.customer_class,
            "preferred_channel": ticket.customer.preferred,
            "undeliverable": ticket.customer.undeliverable,
        },
        "received_at": _local(ticket.received_at, playbook),
        "updated_at": _local(ticket.updated_at, playbook),
        "assigned_at": _local(ticket.assigned_at, playbook),
        "expected_response_by": _local(ticket.expected_response_by, playbook),
        "expected_resolution_by": _local(ticket.expected_resolution_by, playbook),
        "first_response_at": _local(ticket.first_response_at, playbook),
        "resolved_at": _local(ticket.resolved_at, playbook),
        "archived_at": _local(ticket.archived_at, playbook),
        "summary": ticket.summary,
        "score": ticket.score,
        "merged_into": ticket.merged.into if ticket.merged else None,
        "carries": list(ticket.carries),
        "actions": possible(at, ticket, playbook),
    }


def ticket_view(whole: Whole, playbook: Playbook, at: Principal, link: Link) -> dict[str, Any]:
    """All of a ticket; messages and files of those that were merged into it stand among its own.

    Args:
        link: makes a short-lived link to an attachment; only the ticket's people get one.
    """
    ticket, history = whole.own.ticket, whole.own.history
    received = _events(history, "TicketReceived")[0]
    description = received.description
    draft = suggest(ticket, playbook, description, ticket.locale)
    return {
        **summary_view(ticket, playbook, at),
        "description": description,
        "subject": received.subject,
        "product": received.product.model_dump() if received.product else None,
        "proof_of_purchase": received.proof_of_purchase,
        "order": received.order,
        "entered_by": received.entered_by,
        "timeline": list(_timeline(history, playbook)),
        "messages": _conversation(whole, playbook),
        "timers": [
            {
                "kind": kind,
                "state": timer.state,
                "due_at": _local(timer.due_at, playbook),
                "left_seconds": int(timer.left.total_seconds()) if timer.left else None,
            }
            for kind, timer in sorted(ticket.timers.items())
        ],
        "suggestion": {"text": draft.text, "article": draft.article},
        "rules": [rule for event in _events(history, "TicketClassified") for rule in event.rules],
        "steps": _steps(ticket, playbook, at),
        "facts": dict(ticket.facts),
        "pending": _pending(ticket, playbook),
        "records": handling(history, playbook.records.pattern),
        "attachments": _attachments(whole, link if among_its_people(at, ticket) else None),
        "refused": _refused(whole),
        "related": list(ticket.related),
        "history": [other.number for other in whole.others],
        "other_tickets": [_other(other, playbook) for other in whole.others],
    }


def _steps(ticket: Ticket, playbook: Playbook, at: Principal) -> list[dict[str, Any]]:
    """The desk's own steps that the caller may take now, and what each one asks for."""
    locale = playbook.locale
    return [
        {
            "action": name,
            "label": step.label[locale],
            "to": step.to,
            "fields": [
                {
                    "name": key,
                    "label": field.label[locale],
                    "kind": field.kind,
                    "choices": list(field.choices),
                    "required": field.required,
                    "max": field.max,
                }
                for key, field in step.fields.items()
            ],
            "attachments": step.attachments,
            "customer_sees": step.customer_sees,
            "approval": step.approval.model_dump(mode="json") if step.approval else None,
        }
        for name in possible_steps(at, ticket, playbook)
        for step in (playbook.steps[name],)
    ]


def _pending(ticket: Ticket, playbook: Playbook) -> dict[str, Any] | None:
    """C9: the step that waits for a supervisor."""
    pending = ticket.pending
    if pending is None:
        return None
    return {
        "step": pending.step,
        "label": label(playbook.steps, pending.step, playbook.locale),
        "fields": dict(pending.fields),
        "by": pending.by,
    }


def _other(ticket: Ticket, playbook: Playbook) -> dict[str, Any]:
    locale = playbook.locale
    return {
        "number": ticket.number,
        "status": ticket.status,
        "status_label": label(playbook.statuses, ticket.status, locale),
        "type": ticket.type,
        "type_label": label(playbook.types, ticket.type, locale),
        "received_at": _local(ticket.received_at, playbook),
        "score": ticket.score,
    }


def _timeline(history: Sequence[Commit], playbook: Playbook) -> Iterable[dict[str, Any]]:
    """A14: every event, with who and when. Bookkeeping of timers is left to `timers`."""
    for commit in history:
        for event in commit.events:
            if event.event == "TimersSet":
                continue
            yield {
                "at": _local(commit.at, playbook),
                "event": event.event,
                "label": shown_label(event, playbook, playbook.locale),
                "actor": commit.actor,
                "version": commit.version,
                "details": _details(event),
            }


_SHOWN_AS_MESSAGES = frozenset(
    {"text", "description", "customer", "attachments", "refused", "raw", "subject"}
)


def _details(event: Any) -> dict[str, Any]:
    """What the event says, but for what stands elsewhere in the view."""
    hidden = _SHOWN_AS_MESSAGES - {"text"} if event.event == "NoteAdded" else _SHOWN_AS_MESSAGES
    content: dict[str, Any] = event.model_dump(
        mode="json", exclude={"event", *hidden}, exclude_defaults=True
    )
    return content


def _conversation(whole: Whole, playbook: Playbook) -> list[dict[str, Any]]:
    """What customer and desk said to each other, in order, each with the number it was said on."""
    found = [
        (place(part, message["at"], message["version"]), part.ticket.number, message)
        for part in whole.parts
        for message in _messages(part)
    ]
    found.sort(key=itemgetter(0))
    return [
        {**message, "at": _local(message["at"], playbook), "number": number}
        for _, number, message in found
    ]


def _messages(part: TicketRecord) -> list[dict[str, Any]]:
    """What was said on one ticket, in order; `delivery` is None for what came in.

    What an agent wrote and what went out by itself are one list; a text that is still on its way
    to be delivered is `pending`.
    """
    ticket = part.ticket
    sent = [d for d in part.deliveries if d.recipient == "customer"]
    found = [
        message
        for commit in part.history
        for event in commit.events
        if (message := _message(ticket, commit, event, sent)) is not None
    ]
    written = {(m["version"], m["event"]) for m in found if m["direction"] == "out"}
    found.extend(
        _entry("out", d.channel, d.text, d.claimed_at, d.state, d.event, "system", d.version)
        for d in sent
        if (d.version, d.event) not in written
    )
    return sorted(found, key=lambda message: (message["at"], message["version"]))


def _message(
    ticket: Ticket, commit: Commit, event: Any, sent: Sequence[Delivery]
) -> dict[str, Any] | None:
    name, actor, version = event.event, commit.actor, commit.version
    if name == "TicketReceived":
        text = event.text or event.description
        came = _entry("in", event.channel, text, commit.at, None, name, actor, version)
        return {**came, "sealed": commit.sealed}
    if name == "CustomerWrote":
        came = _entry("in", event.channel, event.text, commit.at, None, name, actor, version)
        return {**came, "sealed": commit.sealed, "by_another": event.by_another}
    if name not in {"ReplySent", "InformationRequested"}:
        return None
    delivery = next((d for d in sent if (d.version, d.event) == (version, name)), None)
    channel = delivery.channel if delivery else ticket.channel
    state = delivery.state if delivery else "pending"
    return _entry("out", channel, event.text, commit.at, state, name, actor, version)


def _entry(
    direction: str,
    channel: str,
    text: str,
    at: datetime,
    delivery: str | None,
    event: str,
    actor: str,
    version: int,
) -> dict[str, Any]:
    return {
        "direction": direction,
        "channel": channel,
        "text": text,
        "at": at,
        "delivery": delivery,
        "event": event,
        "actor": actor,
        "version": version,
    }


def _attachments(whole: Whole, link: Link | None) -> list[dict[str, Any]]:
    return [
        {
            "name": file.name,
            "content_type": file.content_type,
            "size": file.size,
            "url": link(file) if link and file.key.startswith(FILES) else None,
            "event": event.event,
            "number": part.ticket.number,
            "version": commit.version,
        }
        for part in whole.parts
        for commit in part.history
        for event in commit.of(*_WITH_FILES)
        for file in event.attachments
    ]


def _refused(whole: Whole) -> list[dict[str, Any]]:
    """Files that came and stand in the original mail alone, with why they were not kept."""
    return [
        {
            **file.model_dump(mode="json"),
            "event": event.event,
            "number": part.ticket.number,
            "version": commit.version,
        }
        for part in whole.parts
        for commit in part.history
        for event in commit.of("TicketReceived", "CustomerWrote")
        for file in event.refused
    ]


_WITH_FILES = ("TicketReceived", "CustomerWrote", "ReplySent", "NoteAdded", "StepTaken")


def _events(history: Sequence[Commit], name: str) -> list[Any]:
    return [event for commit in history for event in commit.of(name)]


def _local(at: datetime | None, playbook: Playbook) -> datetime | None:
    return at.astimezone(playbook.zone) if at else None
