"""B10: what tells who a customer was is taken out of a ticket; what is counted stays.

Pure: stored commits and deliveries in, the same without free text, names, contact, files, serial
numbers and references out. Types, tags, priorities, statuses, scores, times, teams, handlers and
how often things happened stay, so every statistic is what it was. Doing it twice is doing it once.

Of the fields that were written down with a desk's own steps, those stay that are counted by their
kind: a time, a number, one of several choices, and a list (the parts used, D15). A number or a list
in which contact data is recognised goes too, and so does every text.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from functions.core.domain.delivery import Delivery
from functions.core.domain.events import Attachment, Commit, Product
from functions.core.domain.rules import Playbook, StepField
from functions.core.domain.ticket import Customer, Ticket

HIDDEN = "****"
"""What stands where a contact was. It proves nothing to whoever asks for a ticket's status."""

STAYS = frozenset(
    {
        "event", "type", "type_given", "tags", "priority", "urgency", "channel", "locale", "mood",
        "confidence", "rules", "team", "queue", "handler", "reviewer", "entered_by", "by", "step",
        "to", "customer_sees", "responds", "approved", "solved", "held", "customer_class", "score",
        "resolution", "confirm", "count", "kind", "share", "due_at", "timers", "other", "status",
        "same_customer", "via", "stranger", "permanent", "message",
    }
)  # fmt: skip
"""Fields of events that say nothing about the person. Whatever is not named here is blanked."""

_SYSTEM_REASONS = frozenset({"TicketQueued", "TicketAssigned", "PriorityChanged"})
"""Events whose reason is Deskbell's own word where no person acted (`timer:resolution`)."""


def without_person(
    commit: Commit, playbook: Playbook, via: Collection[str] | None = None
) -> Commit:
    """A commit without what tells who the customer was; the entry that this was done stays.

    Args:
        via: only what was written to one of these merged tickets; everything where it is None.
    """
    events = tuple(
        _blank(event, commit, playbook)
        if via is None or getattr(event, "via", None) in via
        else event
        for event in commit.events
    )
    return commit.model_copy(update={"events": events})


def without_words(delivery: Delivery) -> Delivery:
    """A delivery without its words and address; that it was made, and what came of it, stays."""
    update: dict[str, Any] = {"subject": "", "text": "", "provider_id": None}
    if delivery.recipient == "customer":
        update["to"] = HIDDEN
    if delivery.cause is not None:  # providers explain themselves after the colon
        update["cause"] = delivery.cause.partition(":")[0]
    return delivery.model_copy(update=update)


def forgotten(ticket: Ticket) -> dict[str, Any]:
    """The fields of a ticket whose customer is forgotten, with their new values."""
    pending = ticket.pending
    return {
        "customer": _nobody(ticket.customer, ticket.number),
        "summary": None if ticket.summary is None else "",
        "order": None,
        "facts": {},
        "related": (),
        "pending": pending and pending.model_copy(update={"fields": {}, "attachments": ()}),
    }


def files_of(commit: Commit, via: str | None = None) -> set[str]:
    """The keys in the mail bucket of all files that a commit names, or of what came `via` a merged
    ticket."""
    events = [x for x in commit.events if via is None or getattr(x, "via", None) == via]
    found = {item.key for event in events for item in getattr(event, "attachments", ())}
    found |= {getattr(event, "raw", None) or "" for event in events}
    return found - {""}


def _nobody(customer: Customer, number: str) -> Customer:
    return customer.model_copy(
        update={
            "name": "",
            "contact": HIDDEN,
            "hash": f"erased-{number}",
            "id": None,
            "undeliverable": None,
        }
    )


def _blank(event: Any, commit: Commit, playbook: Playbook) -> Any:
    if event.event == "PersonErased":
        return event
    update: dict[str, Any] = {}
    for name, field in type(event).model_fields.items():
        value = getattr(event, name)
        if name in STAYS:
            continue
        if name == "customer":
            update[name] = value and _nobody(value, commit.number)
        elif name == "product":
            if isinstance(value, Product):  # elsewhere it is what the product is called, no more
                update[name] = Product(name=value.name, model=value.model)
        elif name == "attachments":
            update[name] = tuple(_unnamed(item) for item in value)
        elif name == "fields":
            update[name] = _counted(event.step, value, playbook)
        elif name == "reason" and commit.actor == "system" and event.event in _SYSTEM_REASONS:
            continue
        else:
            update[name] = "" if field.is_required() else field.get_default()
    return event.model_copy(update=update)


def _unnamed(item: Attachment) -> Attachment:
    return item.model_copy(update={"name": "", "key": ""})


def _counted(step: str, written: dict[str, str], playbook: Playbook) -> dict[str, str]:
    """The fields of a step that are counted rather than read."""
    known = playbook.steps[step].fields if step in playbook.steps else {}
    return {
        name: value if name in known and _is_counted(value, known[name]) else ""
        for name, value in written.items()
    }


def _is_counted(value: str, field: StepField) -> bool:
    if field.kind == "choice":
        return value in field.choices
    if field.kind in {"number", "list"}:
        from functions.core.text.masking import (
            mask,  # every function that changes tickets comes by here
        )

        return mask(value) == value
    return field.kind == "time"
