"""A ticket as agents see it (contract, section 2). All of its text is masked (G4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from functions.core.domain import events as e
from functions.core.domain.customers import CustomerRecord
from functions.core.domain.delivery import Delivery
from functions.core.domain.knowledge import KnowledgeBase, in_locale
from functions.core.domain.recipients import CUSTOMERS
from functions.core.domain.record import (
    TicketRecord,
    handling_record,
    message_order,
    open_question,
)
from functions.core.domain.rules import Locale, Playbook, StepField
from functions.core.domain.ticket import Ticket, Timer
from functions.core.domain.timers import due_next, settled
from functions.core.platform.web import earlier_page
from functions.core.services.merging import same_customer
from functions.core.services.rights import Principal, possible_actions, possible_steps, works_on
from functions.core.services.suggesting import suggest
from functions.core.storage.files import FILES
from functions.core.text.shapes import local_time
from functions.core.text.sms_numbers import SMS_WITHHELD, SmsObstacle
from functions.core.text.templating import step_fields
from functions.core.text.words import delivery_reason, event_label, label, say

if TYPE_CHECKING:
    from functions.workbench import shapes

Link = Callable[[e.Attachment], str]


@dataclass(frozen=True)
class FullTicket:
    """A page of a ticket, of the tickets merged into it, and the customer's other tickets.

    Attributes:
        own: the ticket with the page's commits and their deliveries.
        opening: the ticket's first commits: its request and classification.
        others: the customer's other tickets, newest first.
        record: the customer's record, if their contact was joined with others.
        knowledge: the desk's knowledge base, for the draft of an answer.
    """

    own: TicketRecord
    opening: Sequence[e.Commit]
    merged: Sequence[TicketRecord] = ()
    others: Sequence[Ticket] = ()
    record: CustomerRecord | None = None
    handler_is_offline: bool = False
    knowledge: KnowledgeBase | None = None

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
) -> shapes.SummaryView:
    """A ticket in a list, and in the response to an action, with labels in a language."""
    priority, zone = playbook.priorities.get(ticket.priority), playbook.zone
    due = due_next(ticket, playbook)
    problem = contact_problem(ticket.customer.sms_obstacle, locale)
    return {
        "number": ticket.number,
        "version": ticket.version,
        "title": ticket.title,
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
        "received_at": local_time(ticket.received_at, zone),
        "updated_at": local_time(ticket.updated_at, zone),
        "assigned_at": local_time(ticket.assigned_at, zone),
        "expected_response_by": local_time(ticket.expected_response_by, zone),
        "expected_resolution_by": local_time(ticket.expected_resolution_by, zone),
        "first_response_at": local_time(ticket.first_response_at, zone),
        "resolved_at": local_time(ticket.resolved_at, zone),
        "due_next": {"kind": due[0], "at": local_time(due[1], zone)} if due else None,
        "archived_at": local_time(ticket.archived_at, zone),
        "summary": ticket.summary,
        "score": ticket.score,
        "merged_into": ticket.merged.into if ticket.merged else None,
        "carries": list(ticket.carries),
        "tasks": [
            {
                "kind": task.kind,
                "assignee": task.assignee,
                "due_at": local_time(task.due_at, zone),
            }
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
) -> shapes.TicketView:
    """The full view of a ticket, with the messages and files of tickets merged into it.

    Args:
        link: makes a short-lived link to a file; only those who work on the ticket get one.
    """
    ticket, history = full.own.ticket, full.own.history
    received = full.opening[0].of(e.TicketReceived)[0]
    description = received.description
    draft = suggest(ticket, playbook, description, ticket.locale, now, full.knowledge)
    summary = summary_view(
        ticket, playbook, principal, locale, handler_is_offline=full.handler_is_offline
    )
    return {
        **summary,  # type: ignore[typeddict-item]  # the caller adds `sms` and `goes_on_as`
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
        "privacy_version": received.privacy_version,
        "chat": _chat(received.chat, full.knowledge, playbook, locale),
        "timeline": list(_timeline(history, playbook, locale)),
        "messages": _conversation(full, playbook, locale),
        "timers": [
            {
                "kind": kind,
                "state": timer.state,
                "due_at": local_time(timer.due_at, playbook.zone),
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
        "preferred_channel": _preferred(full),
        "customer_record": record_view(full.record, playbook) if full.record else None,
        "other_tickets": [_other(other, ticket, playbook, locale) for other in full.others],
    }


def _preferred(full: FullTicket) -> shapes.Channel | None:
    """Return the channel that the customer asked for here, else in their newest other ticket."""
    ticket = full.own.ticket
    others = (
        other for other in full.others if full.record is not None or same_customer(other, ticket)
    )
    wishes = (each.customer.preferred for each in (ticket, *others))
    return next(filter(None, wishes), None)


def record_view(record: CustomerRecord, playbook: Playbook) -> shapes.CustomerRecordView:
    """A customer's identities, and the joins that made them one."""
    shown = {each.hash: each.shown for each in record.identities}
    return {
        "id": record.id,
        "identities": [{"kind": each.kind, "shown": each.shown} for each in record.identities],
        "joins": [
            {
                "join": number,
                "proof": join.proof,
                "at": local_time(join.at, playbook.zone),
                "brought": [shown[each] for each in join.brought if each in shown],
                "undone_at": local_time(join.undone_at, playbook.zone),
                "undone_by": join.undone_by,
                "reason": join.reason or None,
            }
            for number, join in enumerate(record.joins)
        ],
    }


def _chat(
    chat: e.ChatHandedOver | None,
    knowledge: KnowledgeBase | None,
    playbook: Playbook,
    locale: Locale,
) -> shapes.ChatView | None:
    """The chat that the assistant handed over, whole, so that nobody asks again (C6)."""
    if chat is None:
        return None
    known = knowledge.articles if knowledge else {}
    return {
        "id": chat.id,
        "reason": chat.reason,
        "reason_label": say(f"chat.reason.{chat.reason}", locale),
        "articles": [
            {
                "id": name,
                "title": in_locale(known[name].article.title, locale) if name in known else name,
            }
            for name in chat.articles
        ],
        "values": dict(chat.values),
        "messages": [
            {
                "from": line.writer,
                "text": line.text,
                "at": local_time(line.at, playbook.zone),
            }
            for line in chat.conversation
        ],
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
) -> list[shapes.StepView]:
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
    """Return a field's prefilled value: the one of the step's last run, else the request's."""
    if not field.from_request:
        return ""
    texts = (_given(received, name) for name in field.from_request)
    return ticket.facts.get(key) or " ".join(filter(None, texts))[: field.max]


def _given(received: e.TicketReceived, name: str) -> str:
    value: Any = received
    for part in name.split("."):
        value = getattr(value, part, None)
    return value or ""


def _pending(ticket: Ticket, playbook: Playbook, locale: Locale) -> shapes.PendingView | None:
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


def _other(ticket: Ticket, shown: Ticket, playbook: Playbook, locale: Locale) -> shapes.OtherTicket:
    """Another ticket of the same contact; anybody can have named the contact of an unproven one."""
    return {
        "number": ticket.number,
        "status": ticket.status,
        "status_label": label(playbook.statuses, ticket.status, locale),
        "type": ticket.type,
        "type_label": label(playbook.types, ticket.type, locale),
        "received_at": local_time(ticket.received_at, playbook.zone),
        "score": ticket.score,
        "same_customer": same_customer(ticket, shown),
    }


def _timeline(
    history: Sequence[e.Commit], playbook: Playbook, locale: Locale
) -> Iterator[shapes.EntryView]:
    for commit in history:
        for event in commit.events:
            if isinstance(event, e.TimersSet):
                continue
            entry: shapes.EntryView = {
                "at": local_time(commit.at, playbook.zone),
                "event": event.event,
                "label": event_label(event, playbook, locale),
                "actor": commit.actor,
                "version": commit.version,
                "sealed": commit.sealed,
                "details": _details(event),
            }
            if isinstance(event, e.StepTaken):
                entry["fields"] = step_fields(event, playbook, locale, for_customer=False)
            yield entry


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


def _conversation(full: FullTicket, playbook: Playbook, locale: Locale) -> list[shapes.MessageView]:
    """The messages of the ticket and of those merged into it, in order."""
    messages = [
        (message_order(record, at, message["version"]), message)
        for record in full.records
        for at, message in _messages(record, playbook, locale)
    ]
    return [message for _, message in sorted(messages, key=itemgetter(0))]


def _messages(
    record: TicketRecord, playbook: Playbook, locale: Locale
) -> list[tuple[datetime, shapes.MessageView]]:
    """The messages of one ticket in order, written by people and sent automatically.

    `delivery` is None for incoming messages and `pending` for a text that is not delivered yet.
    """
    number, zone = record.ticket.number, playbook.zone
    deliveries = [d for d in record.deliveries if d.recipient in CUSTOMERS]
    messages = [
        (commit.at, _message(record.ticket, commit, event, deliveries, playbook, locale))
        for commit in record.history
        for event in commit.events
        if event.direction is not None
    ]
    written = {(m["version"], m["event"]) for _, m in messages if m["direction"] == "out"}
    for d in deliveries:
        if (d.version, d.event) not in written:
            entry: shapes.MessageView = {
                "direction": "out",
                "channel": d.channel,
                "text": d.text,
                "at": local_time(d.claimed_at, zone),
                "delivery": d.state,
                "event": d.event,
                "actor": "system",
                "version": d.version,
                "number": number,
            }
            messages.append((d.claimed_at, _with_outcome(entry, d, locale)))
    return sorted(messages, key=lambda entry: (entry[0], entry[1]["version"]))


def _message(
    ticket: Ticket,
    commit: e.Commit,
    event: e.Event,
    deliveries: Sequence[Delivery],
    playbook: Playbook,
    locale: Locale,
) -> shapes.MessageView:
    received = e.TicketReceived | e.CustomerWrote | e.FilesReceived
    incoming = event if isinstance(event, received) else None
    sent = (d for d in deliveries if (d.version, d.event) == (commit.version, event.event))
    delivery = None if incoming else next(sent, None)
    from_or_by = incoming or delivery or ticket
    entry: shapes.MessageView = {
        "direction": "in" if incoming else "out",
        "channel": from_or_by.channel,
        "text": event.words,
        "at": local_time(commit.at, playbook.zone),
        "delivery": None if incoming else delivery.state if delivery else "pending",
        "event": event.event,
        "actor": commit.actor,
        "version": commit.version,
        "number": ticket.number,
        "sealed": commit.sealed,
    }
    if isinstance(event, e.CustomerWrote):
        entry["by_another"] = event.by_another
        entry["by_submitter"] = event.by_submitter
    return _with_outcome(entry, delivery, locale) if delivery else entry


def _with_outcome(
    entry: shapes.MessageView, delivery: Delivery, locale: Locale
) -> shapes.MessageView:
    """Add why a message did not go out, or not yet, and a text message's parts."""
    if delivery.cause:
        entry["reason"] = delivery_reason(delivery.cause, locale)
    if delivery.parts:
        entry["parts"] = delivery.parts
    return entry


def _attachments(full: FullTicket, link: Link | None) -> list[shapes.SourcedFile]:
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


def _refused(full: FullTicket) -> list[shapes.RefusedFileView]:
    """Files that were not accepted, with the reason; only the original mail holds them."""
    return [
        {"name": file.name, "size": file.size, "reason": file.reason, **source}
        for event, source in _sources(full)
        for file in getattr(event, "refused", ())
    ]


def _sources(full: FullTicket) -> Iterator[tuple[e.Event, shapes.SourceView]]:
    """Every event with the fields that say where a file comes from."""
    for record in full.records:
        for commit in record.history:
            for event in commit.events:
                number, version = record.ticket.number, commit.version
                yield event, {"event": event.event, "number": number, "version": version}
