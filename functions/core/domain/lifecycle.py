"""The only way to change a ticket: `decide` the events, `apply` them.

`decide(ticket, command, playbook, now)` returns the events that a command causes, or refuses with
the actions that the ticket's status allows. `apply(ticket, commit)` returns the ticket after the
events. Both are pure; `functions.core.services.command_service` combines them with storage.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.core.domain import commands as c, events as e, timers
from functions.core.domain.classification import classify_request
from functions.core.domain.commands.base import not_allowed
from functions.core.domain.commands.resolution import already_answered
from functions.core.domain.errors import Forgotten
from functions.core.domain.rules import Playbook
from functions.core.domain.tasks import wants_call
from functions.core.domain.ticket import Ticket


@dataclass(frozen=True)
class Decided:
    """The events that a command causes on this version of a ticket.

    `sealed` is the customer's new contact, encrypted. `by_person`: a person chose the handler, so
    capacity is not checked.
    """

    ticket: Ticket
    events: tuple[e.Event, ...]
    by_person: bool = False
    sealed: bytes | None = None


def decide(
    ticket: Ticket | None, command: c.Command, playbook: Playbook, now: datetime
) -> tuple[e.Event, ...]:
    """The events that a command causes; none if it changes nothing.

    A request is classified as its ticket is created, so that the first promise is the right one.

    Args:
        ticket: the newest version, None only for `Receive`.
        now: the time, aware.

    Raises:
        ActionNotAllowed: the ticket's status does not allow it; the error names the allowed ones.
        Forgotten: the customer writes or answers on a ticket whose personal data was erased.
        AlreadyAnswered: the survey has its answer.
        InvalidInput: the content is invalid under the playbook.
    """
    if isinstance(command, c.Receive):
        request = command.request
        found = classify_request(request, playbook, request.customer.customer_class)
        opening = (request, e.TicketClassified(**vars(found)))
        after = apply(None, _provisional(playbook.desk, command.number, 1, now, opening))
        return with_timers(None, after, opening, playbook, now)
    if ticket is None:
        raise ValueError(f"{type(command).__name__} needs a ticket")
    parts = command.commands if isinstance(command, c.CommandGroup) else (command,)
    after = ticket
    events: list[e.Event] = []
    for part in parts:
        more = _checked(after, part, playbook, now)
        if wants_call(after, more, playbook):
            more = [*more, e.CallRequested()]
        if more:
            events.extend(more)
            version = ticket.version + 1
            after = apply(after, _provisional(ticket.desk, ticket.number, version, now, more))
    return with_timers(ticket, after, events, playbook, now) if events else ()


def opening(command: c.Receive, playbook: Playbook, now: datetime) -> e.Commit:
    """The first commit of a ticket."""
    events = decide(None, command, playbook, now)
    return e.Commit(
        desk=playbook.desk,
        number=command.number,
        version=1,
        at=now,
        actor=command.actor,
        events=events,
    )


def _checked(
    ticket: Ticket, command: c.TicketCommand, playbook: Playbook, now: datetime
) -> Sequence[e.Event]:
    """The events of one command, provided that the ticket's status allows it."""
    action = command.action
    if ticket.erased and action.by == "customer":
        raise Forgotten  # in any status: nobody could answer (B10)
    if ticket.status not in action.sources:
        if isinstance(command, c.AnswerSurvey) and ticket.score is not None:
            raise already_answered()
        raise not_allowed(action.name, ticket, playbook)
    return command.decide(ticket, playbook, now)


def _provisional(
    desk: str, number: str, version: int, now: datetime, events: Sequence[e.Event]
) -> e.Commit:
    """A commit that only serves to apply events while a decision is made."""
    return e.Commit(
        desk=desk, number=number, version=version, at=now, actor="", events=tuple(events)
    )


def with_timers(
    before: Ticket | None,
    after: Ticket,
    events: Sequence[e.Event],
    playbook: Playbook,
    now: datetime,
) -> tuple[e.Event, ...]:
    """Return the events of a change, with their effect on the ticket's timers."""
    changed = timers.updated_timers(before, after, events, playbook, now)
    decided = next((event for event in events if isinstance(event, e.TimersSet)), None)
    if decided is not None:
        events = [event for event in events if event is not decided]
        changed = {**decided.timers, **changed}
    return (*events, e.TimersSet(timers=changed)) if changed else tuple(events)


def queue_rank(ticket: Ticket, playbook: Playbook) -> str:
    """The position of a ticket in its queue, as text that sorts (A5: VIP first, B4, D7)."""
    parts = {
        "vip": "0" if playbook.comes_first(ticket.customer.customer_class) else "1",
        "priority": f"{playbook.ranks.get(ticket.priority, 99):02}",
        "age": ticket.received_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    order = [*playbook.assignment.order, "age"]
    # The number decides among tickets of the same second.
    return "#".join((*(parts[part] for part in dict.fromkeys(order)), ticket.number))


def apply(ticket: Ticket | None, commit: e.Commit) -> Ticket:
    """The ticket after a commit. Applying its whole history in order yields the ticket."""
    for changed in after_each(ticket, commit):
        ticket = changed
    if ticket is None:
        raise ValueError("a commit without events opens no ticket")
    records = None if ticket.records is None else ticket.records + commit.record_entries
    return ticket.changed(version=commit.version, updated_at=commit.at, records=records)


def after_each(ticket: Ticket | None, commit: e.Commit) -> Iterator[Ticket]:
    """Yield the ticket after each event of a commit; its version is still the one before."""
    for event in commit.events:
        if ticket is None:
            ticket = _opened(event, commit)
        else:
            ticket = ticket.changed(**event.changes(ticket, commit))
        yield ticket


def _opened(event: e.Event, commit: e.Commit) -> Ticket:
    if not isinstance(event, e.TicketReceived):
        raise ValueError(f"a ticket begins with TicketReceived, not {event.event}")
    return Ticket(
        desk=commit.desk,
        number=commit.number,
        version=commit.version,
        status="received",
        customer=event.customer,
        channel=event.channel,
        locale=event.locale,
        type=event.type,
        priority=event.priority,
        urgency=event.urgency,
        title=event.title,
        entered_by=event.entered_by,
        product=event.product.title if event.product else None,
        order=event.order,
        contact_proven=event.contact_proven,
        records=0,
        related=(event.linked_to,) if event.linked_to else (),
        received_at=commit.at,
        updated_at=commit.at,
    )
