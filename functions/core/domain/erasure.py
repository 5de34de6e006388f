"""Remove the customer's personal data from a ticket and keep its figures (B10).

Pure: stored commits and deliveries in, the same without personal data out. Each field
declares what it holds (`privacy`); types, tags, priorities, statuses, scores, times, teams,
handlers and numbers of events stay, so every statistic of them keeps its value. Erasing twice
changes nothing more.

Fields of a desk's own steps stay if reports count their kind: a time, a number, a choice, a list
(parts used, D15). A number or list in which masking finds contact data is erased.
"""

from collections.abc import Callable, Collection

from functions.core.domain import events as e
from functions.core.domain.delivery import Delivery
from functions.core.domain.privacy import COUNTED, TERM, blanks
from functions.core.domain.recipients import CUSTOMERS
from functions.core.domain.rules import Playbook, StepField
from functions.core.domain.ticket import HIDDEN, Customer

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
    update = blanks(delivery)
    update["to"] = HIDDEN if delivery.recipient in CUSTOMERS else delivery.to
    if delivery.cause is not None:  # providers' own explanations follow the colon
        update["cause"] = delivery.cause.partition(":")[0]
    return delivery.model_copy(update=update)


def files_of(commit: e.Commit, via: str | None = None) -> set[str]:
    """The keys in the mail bucket of all files in a commit, or of those `via` a merged ticket."""
    events = [event for event in commit.events if via is None or getattr(event, "via", None) == via]
    keys = {file.key for event in events for file in getattr(event, "attachments", ())}
    keys |= {getattr(event, "raw", None) or "" for event in events}
    return keys - {""}


def _erased(event: e.Event, commit: e.Commit, playbook: Playbook, mask: Mask) -> e.Event:
    update = blanks(event)
    for name in type(event).model_fields:
        value = getattr(event, name)
        if isinstance(value, Customer):
            update[name] = value.without_person(commit.number)
    if isinstance(event, e.StepTaken | e.ApprovalRequested):
        update["fields"] = _counted(event.step, event.fields, playbook, mask)
    if commit.actor == "system" and isinstance(event, _SYSTEM_REASONS):
        del update["reason"]
    return event.model_copy(update=update)


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
    return field.holds is TERM or (field.holds is COUNTED and mask(value) == value)
