"""A ticket as agents see it (contract, section 2). All of its text is masked (G4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from functions.core.domain import events as e
from functions.core.domain.delivery import Delivery
from functions.core.domain.recipients import CUSTOMERS
from functions.core.domain.record import (
    TicketRecord,
    handling_record,
    message_order,
    open_question,
)
from functions.core.domain.rules import Locale, Playbook, StepField
from functions.core.domain.ticket import Ticket, Timer
from functions.core.domain.timers import settled
from functions.core.platform.web import earlier_page
from functions.core.services.merging import same_customer
from functions.core.services.suggesting import suggest
from functions.core.storage.files import FILES
from functions.core.text.sms_numbers import SMS_WITHHELD, SmsObstacle
from functions.core.text.templating import step_fields
from functions.core.text.words import delivery_reason, event_label, label
from functions.workbench.rights import Principal, possible_actions, possible_steps, works_on

Link = Callable[[e.Attachment], str]


@dataclass(frozen=True)
class FullTicket:
    """A page of a ticket, of the tickets merged into it, and the customer's other tickets.

    Attributes:
        own: the ticket with the page's commits and their deliveries.
        opening: the ticket's first commits: its request and classification.
        others: the customer's other tickets, newest first.
    """

    own: TicketRecord
    opening: Sequence[e.Commit]
    merged: Sequence[TicketRecord] = ()
    others: Sequence[Ticket] = ()
    handler_is_offline: bool = False

    @property
    def records(self) -> tuple[TicketRecord, ...]:
        return (self.own, *self.merged)


def summary_view(
    ticket: Ticket,
    playbook: Playbook,
    principal: Principal,
    locale: Locale,
    *,
    handler_is_offline: bool = False,
) -> dict[str, Any]:
    """A ticket in a list, and in the response to an action, with labels in a language."""
    priority = playbook.priorities.get(ticket.priority)
    problem = contact_problem(ticket.customer.sms_obstacle, locale)
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
        "proposed_type": ticket.proposed_type,
        "queue": ticket.queue,
        "team": ticket.team,
        "handler": ticket.handler,
        "handler_name": ticket.handler_name,
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
            "claimed_class": ticket.customer.class_once_proven or ticket.customer.claimed_class,
            "preferred_channel": ticket.customer.preferred,
            "undeliverable": ticket.customer.undeliverable,
        },
        "contact_proven": ticket.contact_proven,
        "contact_reachable": problem is None,
        "contact_problem": problem,
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
        "tasks": [
            {"kind": task.kind, "assignee": task.assignee, "due_at": _local(task.due_at, playbook)}
            for task in ticket.tasks
        ],
        "actions": possible_actions(
            principal, ticket, playbook, handler_is_offline=handler_is_offline
        ),
    }


def contact_problem(obstacle: SmsObstacle | None, locale: Locale) -> str | None:
    """Say why text messages do not reach the customer, None if they do."""
    return delivery_reason(SMS_WITHHELD[obstacle], locale) if obstacle else None


def ticket_view(
    full: FullTicket,
    playbook: Playbook,
    principal: Principal,
    link: Link,
    locale: Locale,
    now: datetime,
) -> dict[str, Any]:
    """The full view of a ticket, with the messages and files of tickets merged into it.

    Args:
        link: makes a short-lived link to a file; only those who work on the ticket get one.
    """
    ticket, history = full.own.ticket, full.own.history
    received = full.opening[0].of(e.TicketReceived)[0]
    description = received.description
    draft = suggest(ticket, playbook, description, ticket.locale, now)
    return {
        **summary_view(
            ticket, playbook, principal, locale, handler_is_offline=full.handler_is_offline
        ),
        "question": open_question(ticket, history),
        "description": description,
        "subject": received.subject,
        "product": received.product.model_dump() if received.product else None,
        "proof_of_purchase": received.proof_of_purchase,
        "order": received.order,
        "since": received.since,
        "environment": received.environment,
        "attempted": received.attempted,
        "entered_by": received.entered_by,
        "timeline": list(_timeline(history, playbook, locale)),
        "messages": _conversation(full, playbook, locale),
        "timers": [
            {
                "kind": kind,
                "state": timer.state,
                "due_at": _local(timer.due_at, playbook),
                "left_seconds": int(timer.left.total_seconds())
                if timer.left and timer.state == "paused"
                else None,
                "provisional": timer.counted_at is not None,
            }
            for kind, stored in sorted(ticket.timers.items())
            for timer in (_settled(kind, stored, playbook),)
        ],
        "suggestion": {"text": draft.text, "article": draft.article},
        "rules": [
            rule
            for commit in {c.version: c for c in (*full.opening, *history)}.values()
            for event in commit.of(e.TicketClassified)
            for rule in event.rules
        ],
        "steps": _steps(ticket, received, playbook, principal, locale),
        "facts": dict(ticket.facts),
        "pending": _pending(ticket, playbook, locale),
        "records": [
            _without_words(entry) for entry in handling_record(history, playbook.records.pattern)
        ],
        "attachments": _attachments(full, link if works_on(principal, ticket) else None),
        "refused": _refused(full),
        "related": list(ticket.related),
        "before": earlier_page(history),
        "history": [other.number for other in full.others],
        "other_tickets": [_other(other, ticket, playbook, locale) for other in full.others],
    }


def _settled(kind: str, timer: Timer, playbook: Playbook) -> Timer:
    """A timer as the next sweep or change of the ticket will have it."""
    rule = playbook.timers.get(kind)
    return settled(timer, rule, playbook) if rule else timer


def _without_words(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of the handling record; the timeline and messages of its version have its text."""
    return {name: value for name, value in entry.items() if name != "text"}


def _steps(
    ticket: Ticket,
    received: e.TicketReceived,
    playbook: Playbook,
    principal: Principal,
    locale: Locale,
) -> list[dict[str, Any]]:
    """The desk's own steps that the caller may take now, with their fields.

    A field's `value` is what is known already: from the request, or from the step before (D4).
    """
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
                    "choice_labels": {
                        choice: term.label[locale]
                        for choice, term in playbook.choices(field).items()
                    },
                    "required": field.required,
                    "required_with": field.required_with,
                    "max": field.max,
                    "customer_sees": field.customer_sees,
                    "future": field.future,
                    "value": _prefilled(key, field, ticket, received),
                }
                for key, field in step.fields.items()
            ],
            "attachments": step.attachments,
            "customer_sees": step.customer_sees,
            "approval": step.approval.model_dump(mode="json") if step.approval else None,
        }
        for name in possible_steps(principal, ticket, playbook)
        for step in (playbook.steps[name],)
    ]


def _prefilled(key: str, field: StepField, ticket: Ticket, received: e.TicketReceived) -> str:
    """What fills in a field: its value when the step was taken before, else the request's."""
    if not field.from_request:
        return ""
    texts = (_given(received, name) for name in field.from_request)
    return ticket.facts.get(key) or " ".join(filter(None, texts))[: field.max]


def _given(received: e.TicketReceived, name: str) -> str:
    value: Any = received
    for part in name.split("."):
        value = getattr(value, part, None)
    return value or ""


def _pending(ticket: Ticket, playbook: Playbook, locale: Locale) -> dict[str, Any] | None:
    """The step that waits for a supervisor's approval (C9)."""
    pending = ticket.pending
    if pending is None:
        return None
    return {
        "step": pending.step,
        "label": label(playbook.steps, pending.step, locale),
        "fields": dict(pending.fields),
        "by": pending.by,
    }


def _other(ticket: Ticket, shown: Ticket, playbook: Playbook, locale: Locale) -> dict[str, Any]:
    """Another ticket of the same contact; anybody can have named the contact of an unproven one."""
    return {
        "number": ticket.number,
        "status": ticket.status,
        "status_label": label(playbook.statuses, ticket.status, locale),
        "type": ticket.type,
        "type_label": label(playbook.types, ticket.type, locale),
        "received_at": _local(ticket.received_at, playbook),
        "score": ticket.score,
        "same_customer": same_customer(ticket, shown),
    }


def _timeline(
    history: Sequence[e.Commit], playbook: Playbook, locale: Locale
) -> Iterable[dict[str, Any]]:
    """Every event with its actor and time (A14), except changes of timers."""
    return (
        {
            "at": _local(commit.at, playbook),
            "event": event.event,
            "label": event_label(event, playbook, locale),
            "actor": commit.actor,
            "version": commit.version,
            "sealed": commit.sealed,
            "details": _details(event),
            **(
                {"fields": step_fields(event, playbook, locale, for_customer=False)}
                if isinstance(event, e.StepTaken)
                else {}
            ),
        }
        for commit in history
        for event in commit.events
        if not isinstance(event, e.TimersSet)
    )


_SHOWN_ELSEWHERE = frozenset(
    {"text", "description", "customer", "former", "attachments", "refused", "raw", "subject"}
)


def _details(event: e.Event) -> dict[str, Any]:
    """The fields of an event, without those that the view shows elsewhere."""
    hidden = set(_SHOWN_ELSEWHERE)
    if isinstance(event, e.NoteAdded):
        hidden.remove("text")
    details: dict[str, Any] = event.model_dump(mode="json", exclude=hidden, exclude_defaults=True)
    if isinstance(event, e.ContactCorrected) and event.customer and event.former:
        details |= {"contact": event.customer.contact, "former_contact": event.former.contact}
    return details


def _conversation(full: FullTicket, playbook: Playbook, locale: Locale) -> list[dict[str, Any]]:
    """The messages of the ticket and of those merged into it, in order, each with its number."""
    messages = [
        (message_order(record, message["at"], message["version"]), record.ticket.number, message)
        for record in full.records
        for message in _messages(record, locale)
    ]
    messages.sort(key=itemgetter(0))
    return [
        {**message, "at": _local(message["at"], playbook), "number": number}
        for _, number, message in messages
    ]


def _messages(record: TicketRecord, locale: Locale) -> list[dict[str, Any]]:
    """The messages of one ticket in order, written by people and sent automatically.

    `delivery` is None for incoming messages and `pending` for a text that is not delivered yet;
    `reason` says why a text was not delivered, `parts` how many parts a text message has.
    """
    deliveries = [d for d in record.deliveries if d.recipient in CUSTOMERS]
    messages = [
        _message(record.ticket, commit, event, deliveries, locale)
        for commit in record.history
        for event in commit.events
        if event.direction is not None
    ]
    written = {(m["version"], m["event"]) for m in messages if m["direction"] == "out"}
    messages.extend(
        _entry("out", d.channel, d.text, d.claimed_at, d.state, d.event, "system", d.version)
        | _outcome(d, locale)
        for d in deliveries
        if (d.version, d.event) not in written
    )
    return sorted(messages, key=lambda message: (message["at"], message["version"]))


def _message(
    ticket: Ticket,
    commit: e.Commit,
    event: e.Event,
    deliveries: Sequence[Delivery],
    locale: Locale,
) -> dict[str, Any]:
    name, actor, version = event.event, commit.actor, commit.version
    if isinstance(event, e.TicketReceived | e.CustomerWrote):
        entry = _entry("in", event.channel, event.words, commit.at, None, name, actor, version)
        entry["sealed"] = commit.sealed
        if isinstance(event, e.CustomerWrote):
            entry["by_another"] = event.by_another
            entry["by_submitter"] = event.by_submitter
        return entry
    delivery = next((d for d in deliveries if (d.version, d.event) == (version, name)), None)
    channel = delivery.channel if delivery else ticket.channel
    state = delivery.state if delivery else "pending"
    entry = _entry("out", channel, event.words, commit.at, state, name, actor, version)
    entry["sealed"] = commit.sealed
    return entry | (_outcome(delivery, locale) if delivery else {})


def _outcome(delivery: Delivery, locale: Locale) -> dict[str, Any]:
    """Why a message did not go out, or not yet,; a text message's parts."""
    reason = {"reason": delivery_reason(delivery.cause, locale)} if delivery.cause else {}
    return reason | ({"parts": delivery.parts} if delivery.parts else {})


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


def _attachments(full: FullTicket, link: Link | None) -> list[dict[str, Any]]:
    return [
        {
            "name": file.name,
            "content_type": file.content_type,
            "size": file.size,
            "url": link(file) if link and file.key.startswith(FILES) else None,
            **source,
        }
        for event, source in _sources(full)
        if not isinstance(event, e.ApprovalRequested)  # the step follows once it is approved
        for file in getattr(event, "attachments", ())
    ]


def _refused(full: FullTicket) -> list[dict[str, Any]]:
    """Files that were not accepted, with the reason; only the original mail holds them."""
    return [
        {**file.model_dump(mode="json"), **source}
        for event, source in _sources(full)
        if isinstance(event, e.TicketReceived | e.CustomerWrote)
        for file in event.refused
    ]


def _sources(full: FullTicket) -> Iterator[tuple[e.Event, dict[str, Any]]]:
    """Every event with the fields that say where a file comes from."""
    for record in full.records:
        for commit in record.history:
            for event in commit.events:
                number, version = record.ticket.number, commit.version
                yield event, {"event": event.event, "number": number, "version": version}


def _local(at: datetime | None, playbook: Playbook) -> datetime | None:
    return at.astimezone(playbook.zone) if at else None
