"""Remove the customer's personal data from a ticket and keep its figures (B10).

Pure: stored commits and deliveries in, the same without personal data out. Each event declares its
personal fields (`events.PERSONAL`); types, tags, priorities, statuses, scores, times, teams,
handlers and numbers of events stay, so every statistic keeps its value. Erasing twice changes
nothing more. A text field that declares neither is erased too, and a test names it.

Fields of a desk's own steps stay if reports count their kind: a time, a number, a choice, a list
(parts used, D15). A number or list in which masking finds contact data is erased.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any, get_args, get_origin

from functions.core.domain import events as e
from functions.core.domain.delivery import Delivery
from functions.core.domain.rules import CUSTOMERS, Playbook, StepField
from functions.core.domain.ticket import HIDDEN, Attachment, Customer, Value

Mask = Callable[[str], str]

_SYSTEM_REASONS = (e.TicketQueued, e.TicketAssigned, e.PriorityChanged)
"""Events whose reason is Deskbell's own (`timer:resolution`) unless a person acted."""


def without_person(
    commit: e.Commit, playbook: Playbook, mask: Mask, via: Collection[str] | None = None
) -> e.Commit:
    """A commit without personal data; the event that records the erasure stays.

    Args:
        mask: hides contact data in a text (`functions.core.text.masking.mask`).
        via: erase only messages to these merged tickets; everything if it is None.
    """
    events = tuple(
        _erased(event, commit, playbook, mask)
        if via is None or getattr(event, "via", None) in via
        else event
        for event in commit.events
    )
    return commit.model_copy(update={"events": events})


def without_words(delivery: Delivery) -> Delivery:
    """A delivery without text and address; its time and state stay."""
    update: dict[str, Any] = {"subject": "", "text": "", "provider_id": None}
    if delivery.recipient in CUSTOMERS:
        update["to"] = HIDDEN
    if delivery.cause is not None:  # providers' own explanations follow the colon
        update["cause"] = delivery.cause.partition(":")[0]
    return delivery.model_copy(update=update)


def files_of(commit: e.Commit, via: str | None = None) -> set[str]:
    """The keys in the mail bucket of all files in a commit, or of those `via` a merged ticket."""
    events = [event for event in commit.events if via is None or getattr(event, "via", None) == via]
    keys = {file.key for event in events for file in getattr(event, "attachments", ())}
    keys |= {getattr(event, "raw", None) or "" for event in events}
    return keys - {""}


@lru_cache(maxsize=64)
def personal_fields(kind: type[Value]) -> frozenset[str]:
    """The fields of a class that erasure blanks: those marked personal, and unmarked texts."""
    return frozenset(
        name
        for name, field in kind.model_fields.items()
        if e.PERSONAL in field.metadata
        or (e.IMPERSONAL not in field.metadata and _holds_text(field.annotation))
    )


def _holds_text(annotation: Any) -> bool:
    """Return whether a plain `str` is part of an annotation; keys of a dict are terms."""
    if annotation is str:
        return True
    arguments = get_args(annotation)
    if e.IMPERSONAL in arguments:
        return False
    values = arguments[1:] if get_origin(annotation) is dict else arguments
    return any(_holds_text(argument) for argument in values)


def _erased(event: e.Event, commit: e.Commit, playbook: Playbook, mask: Mask) -> e.Event:
    personal = personal_fields(type(event))
    update: dict[str, Any] = {}
    for name, field in type(event).model_fields.items():
        value = getattr(event, name)
        if isinstance(value, Customer):
            update[name] = value.without_person(commit.number)
        elif isinstance(value, e.Product):
            update[name] = value.model_copy(update=dict.fromkeys(personal_fields(e.Product)))
        elif name == "attachments":
            update[name] = tuple(_without_name(file) for file in value)
        elif name == "fields" and isinstance(event, e.StepTaken | e.ApprovalRequested):
            update[name] = _counted(event.step, value, playbook, mask)
        elif name == "reason" and commit.actor == "system" and isinstance(event, _SYSTEM_REASONS):
            continue
        elif name in personal:
            update[name] = "" if field.is_required() else field.get_default()
    return event.model_copy(update=update)


def _without_name(file: Attachment) -> Attachment:
    return file.model_copy(update={"name": "", "key": ""})


def _counted(step: str, fields: dict[str, str], playbook: Playbook, mask: Mask) -> dict[str, str]:
    """The fields of a step; those that no report counts are blank."""
    known = playbook.steps[step].fields if step in playbook.steps else {}
    return {
        name: value if name in known and _is_counted(value, known[name], mask) else ""
        for name, value in fields.items()
    }


def _is_counted(value: str, field: StepField, mask: Mask) -> bool:
    if field.kind == "choice":
        return value in field.choices
    if field.kind in {"number", "list"}:
        return mask(value) == value
    return field.kind == "time"
