"""The one way a ticket changes: `decide` what happens, `apply` it.

`decide(ticket, command, playbook, now)` says which events follow from a command, or refuses with
the actions that the ticket's status allows. `apply(ticket, commit)` says what the events make of
the ticket. Both are pure; `functions.core.change` puts them together with the store.

`TRANSITIONS` is the one table of statuses; `docs/architecture.md` draws it from here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.core import commands as c
from functions.core import events as e
from functions.core import timers
from functions.core.errors import ActionNotAllowed, AlreadyAnswered, FieldError, InvalidInput
from functions.core.playbook import Playbook
from functions.core.ticket import IN_HAND, OPEN, Queue, Ticket


@dataclass(frozen=True)
class Transition:
    """From which statuses an action is possible, and where it leads.

    With `target` None the status stays; so it does in the statuses of `keeps`.
    """

    sources: frozenset[str]
    target: str | None
    by: str
    meaning: str
    keeps: frozenset[str] = frozenset()


_WORKED_ON = frozenset({"assigned", "in_progress", "awaiting_customer"})
_UNASSIGNED = frozenset({"received", "pending_confirmation", "queued"})
_DONE = frozenset({"resolved", "in_review", "archived", "closed"})

TRANSITIONS: dict[str, Transition] = {
    "classify": Transition(_UNASSIGNED, None, "router", "type, tags and priority from the words"),
    "ask-confirmation": Transition(
        frozenset({"received"}), "pending_confirmation", "router", "too vague to route"
    ),
    "confirm-type": Transition(
        frozenset({"pending_confirmation", "received"}), "received", "agent", "the type is known"
    ),
    "queue": Transition(OPEN, "queued", "router, supervisor", "waits for an agent or supervisor"),
    "assign": Transition(OPEN, "assigned", "router, supervisor", "has a handler"),
    "take": Transition(OPEN, "assigned", "agent", "an agent takes it"),
    "priority": Transition(OPEN, None, "agent", "more or less urgent"),
    "reply": Transition(
        _WORKED_ON,
        "in_progress",
        "agent",
        "the customer gets an answer",
        keeps=frozenset({"awaiting_customer"}),
    ),
    "request-info": Transition(
        _WORKED_ON, "awaiting_customer", "agent", "the customer is asked for something"
    ),
    "message": Transition(
        OPEN | _DONE, None, "customer", "the customer writes; what waited for it goes on"
    ),
    "note": Transition(OPEN | _DONE, None, "agent", "an internal remark"),
    "resolve": Transition(_WORKED_ON, "resolved", "agent", "solved, with a summary"),
    "confirm": Transition(
        frozenset({"resolved", "awaiting_confirmation"}), None, "customer", "the problem is gone"
    ),
    "reopen": Transition(_DONE, "queued", "agent, customer", "not solved after all"),
    "survey": Transition(
        frozenset({"resolved"}), "archived", "customer", "a score; a poor one goes to in_review"
    ),
    "expire-survey": Transition(
        frozenset({"resolved"}), "archived", "closing workflow", "nobody answered the survey"
    ),
    "assign-review": Transition(
        frozenset({"in_review"}), None, "qa, supervisor", "somebody is to call back"
    ),
    "callback": Transition(
        frozenset({"in_review"}), "archived", "qa", "called back, the cause recorded"
    ),
    "expire-review": Transition(
        frozenset({"in_review"}), "archived", "closing workflow", "nobody called back in time"
    ),
    "close": Transition(OPEN, "closed", "supervisor", "ended without a solution, with a reason"),
    "class-customer": Transition(OPEN | _DONE, None, "supervisor", "says who is VIP"),
    "tick": Transition(OPEN | _DONE, None, "sla_timer", "a deadline is near or past"),
}
"""Action → what it needs and where it leads."""

BY_PEOPLE = (
    "confirm-type",
    "take",
    "assign",
    "priority",
    "reply",
    "request-info",
    "note",
    "resolve",
    "reopen",
    "callback",
    "close",
)
"""The contract's actions, those that an agent may ask for."""


def allowed(ticket: Ticket) -> tuple[str, ...]:
    """The contract's actions that the ticket's status allows."""
    found = [name for name in BY_PEOPLE if ticket.status in TRANSITIONS[name].sources]
    if ticket.status == "in_review" and "assign" not in found:
        found.insert(0, "assign")
    return tuple(found)


def decide(
    ticket: Ticket | None, command: c.Command, playbook: Playbook, now: datetime
) -> tuple[e.Event, ...]:
    """The events that follow from a command; none where it changes nothing.

    Args:
        ticket: the newest version, None only for `Receive`.
        now: the moment, aware.

    Raises:
        ActionNotAllowed: the ticket's status does not allow it; the error names what it does.
        AlreadyAnswered: the survey has its answer.
        InvalidInput: the command's content does not fit the playbook.
    """
    if isinstance(command, c.Receive):
        events: list[e.Event] = [command.request]
        after = apply(None, _commit(playbook.desk, command.number, 1, now, events))
        return _with_timers(None, after, events, playbook, now)
    if ticket is None:
        raise ValueError(f"{type(command).__name__} needs a ticket")
    parts = command.commands if isinstance(command, c.Together) else (command,)
    after, events = ticket, []
    for part in parts:
        more = _decided(after, part, playbook, now)
        if more:
            events.extend(more)
            after = apply(after, _commit(ticket.desk, ticket.number, ticket.version + 1, now, more))
    return _with_timers(ticket, after, events, playbook, now) if events else ()


def _decided(
    ticket: Ticket, command: c.Command, playbook: Playbook, now: datetime
) -> list[e.Event]:
    """What one command brings about, where the ticket's status allows it."""
    name, rule = _RULES[type(command)]
    if ticket.status not in TRANSITIONS[name].sources:
        if name == "survey" and ticket.score is not None:
            raise AlreadyAnswered("This survey has been answered already. Thank you.")
        label = playbook.statuses.get(ticket.status)
        raise ActionNotAllowed(
            f"{name} is not possible while the ticket is "
            f"{label.label['en'] if label else ticket.status}.",
            allowed(ticket),
        )
    return rule(ticket, command, playbook, now)


def _commit(desk: str, number: str, version: int, now: datetime, events: list[e.Event]) -> e.Commit:
    return e.Commit(
        desk=desk, number=number, version=version, at=now, actor="", events=tuple(events)
    )


def _with_timers(
    before: Ticket | None,
    after: Ticket,
    events: list[e.Event],
    playbook: Playbook,
    now: datetime,
) -> tuple[e.Event, ...]:
    changed = timers.follow(before, after, events, playbook, now)
    already = next((x for x in events if isinstance(x, e.TimersSet)), None)
    if already is not None:
        events = [x for x in events if x is not already]
        changed = {**already.timers, **changed}
    return (*events, e.TimersSet(timers=changed)) if changed else tuple(events)


def queue_rank(ticket: Ticket, playbook: Playbook) -> str:
    """The place of a ticket among those that wait, as text that sorts (A5: VIP first, B4, D7)."""
    parts = {
        "vip": "0" if ticket.vip else "1",
        "priority": f"{playbook.ranks.get(ticket.priority, 99):02}",
        "age": ticket.received_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    order = [*playbook.assignment.order, "age"]
    # The number decides between those of one second.
    return "#".join((*(parts[part] for part in dict.fromkeys(order)), ticket.number))


# What each command brings about. Statuses are checked before; these look at the content.


def _classify(
    ticket: Ticket, command: c.Classify, playbook: Playbook, now: datetime
) -> list[e.Event]:
    return [
        e.TicketClassified(
            type=command.type,
            tags=command.tags,
            priority=command.priority,
            mood=command.mood,
            confidence=command.confidence,
            rules=command.rules,
        )
    ]


def _ask_confirmation(
    ticket: Ticket, command: c.AskConfirmation, playbook: Playbook, now: datetime
) -> list[e.Event]:
    return [e.ConfirmationRequested(team=command.team, question=command.question)]


def _enqueue(
    ticket: Ticket, command: c.Enqueue, playbook: Playbook, now: datetime
) -> list[e.Event]:
    _known("team", command.team, playbook.teams)
    return [e.TicketQueued(team=command.team, queue=command.queue, reason=command.reason)]


def _assign(ticket: Ticket, command: c.Assign, playbook: Playbook, now: datetime) -> list[e.Event]:
    _known("team", command.team, playbook.teams)
    if ticket.status in IN_HAND and ticket.handler == command.handler:
        return []
    return [e.TicketAssigned(team=command.team, handler=command.handler, reason=command.reason)]


def _confirm_type(
    ticket: Ticket, command: c.ConfirmType, playbook: Playbook, now: datetime
) -> list[e.Event]:
    _known("type", command.type, playbook.types)
    priority = command.priority or ticket.priority
    _known("priority", priority, playbook.priorities)
    tags = ticket.tags if command.tags is None else command.tags
    return [e.TypeConfirmed(type=command.type, tags=tags, priority=priority)]


def _set_priority(
    ticket: Ticket, command: c.SetPriority, playbook: Playbook, now: datetime
) -> list[e.Event]:
    _known("priority", command.priority, playbook.priorities)
    if command.priority == ticket.priority:
        return []
    return [e.PriorityChanged(priority=command.priority, reason=command.reason)]


def _reply(ticket: Ticket, command: c.Reply, playbook: Playbook, now: datetime) -> list[e.Event]:
    return [e.ReplySent(text=command.text)]


def _request_information(
    ticket: Ticket, command: c.RequestInformation, playbook: Playbook, now: datetime
) -> list[e.Event]:
    return [e.InformationRequested(text=command.text)]


def _customer_message(
    ticket: Ticket, command: c.CustomerMessage, playbook: Playbook, now: datetime
) -> list[e.Event]:
    written = e.CustomerWrote(
        text=command.text,
        channel=command.channel,
        raw=command.raw,
        attachments=command.attachments,
    )
    if ticket.status == "awaiting_customer":
        return [written, e.InformationReceived()]
    ended = ticket.archived_at or ticket.resolved_at
    if ticket.status in _DONE and ended is not None and now - ended <= playbook.reopen_within:
        return [written, _reopened(ticket, "", playbook)]
    return [written]


def _note(ticket: Ticket, command: c.Note, playbook: Playbook, now: datetime) -> list[e.Event]:
    return [e.NoteAdded(text=command.text)]


def _resolve(
    ticket: Ticket, command: c.Resolve, playbook: Playbook, now: datetime
) -> list[e.Event]:
    limit = playbook.fields.summary_max
    if not 1 <= len(command.summary) <= limit:
        raise InvalidInput(
            "A ticket is resolved with a summary of what was done.",
            (FieldError("summary", f"write 1 to {limit} characters, not {len(command.summary)}"),),
        )
    return [e.TicketResolved(summary=command.summary, resolution=ticket.resolutions + 1)]


def _confirm(
    ticket: Ticket, command: c.Confirm, playbook: Playbook, now: datetime
) -> list[e.Event]:
    answered = e.ConfirmationGiven(solved=command.solved, reason=command.reason)
    if command.solved:
        return [answered]
    return [answered, _reopened(ticket, command.reason, playbook)]


def _reopened(ticket: Ticket, reason: str, playbook: Playbook) -> e.TicketReopened:
    return e.TicketReopened(reason=reason, team=ticket.team or playbook.routing[-1].team)


def _reopen(ticket: Ticket, command: c.Reopen, playbook: Playbook, now: datetime) -> list[e.Event]:
    return [_reopened(ticket, command.reason, playbook)]


def _answer_survey(
    ticket: Ticket, command: c.AnswerSurvey, playbook: Playbook, now: datetime
) -> list[e.Event]:
    low, high = playbook.survey.scores
    if not low <= command.score <= high:
        raise InvalidInput(
            "The score does not fit.", (FieldError("score", f"a number from {low} to {high}"),)
        )
    answered = e.SurveyAnswered(
        score=command.score, comment=command.comment, resolution=ticket.resolutions
    )
    review = playbook.survey.review
    if command.score < review.below:
        return [answered, e.ReviewRequested(team=review.team, score=command.score)]
    return [answered, e.TicketArchived()]


def _expire_survey(
    ticket: Ticket, command: c.ExpireSurvey, playbook: Playbook, now: datetime
) -> list[e.Event]:
    if command.resolution != ticket.resolutions:
        return []
    return [e.SurveyExpired(resolution=command.resolution), e.TicketArchived()]


def _assign_review(
    ticket: Ticket, command: c.AssignReview, playbook: Playbook, now: datetime
) -> list[e.Event]:
    if ticket.reviewer == command.reviewer:
        return []
    return [e.ReviewAssigned(reviewer=command.reviewer)]


def _record_callback(
    ticket: Ticket, command: c.RecordCallback, playbook: Playbook, now: datetime
) -> list[e.Event]:
    return [e.CallbackRecorded(cause=command.cause, note=command.note), e.TicketArchived()]


def _expire_review(
    ticket: Ticket, command: c.ExpireReview, playbook: Playbook, now: datetime
) -> list[e.Event]:
    if command.resolution != ticket.resolutions:
        return []
    return [e.ReviewExpired(), e.TicketArchived()]


def _close(ticket: Ticket, command: c.Close, playbook: Playbook, now: datetime) -> list[e.Event]:
    return [e.TicketClosed(reason=command.reason)]


def _class_customer(
    ticket: Ticket, command: c.ClassCustomer, playbook: Playbook, now: datetime
) -> list[e.Event]:
    if command.customer_class is not None:
        _known("class", command.customer_class, playbook.customer_classes)
    if command.customer_class == ticket.customer.customer_class:
        return []
    return [e.CustomerClassed(customer_class=command.customer_class)]


def _tick(ticket: Ticket, command: c.Tick, playbook: Playbook, now: datetime) -> list[e.Event]:
    rung, changed = timers.ring(ticket, playbook, now)
    events: list[e.Event] = list(rung)
    for ring in rung:
        rule = playbook.timers[ring.kind]
        effects = rule.on_breach if isinstance(ring, e.TimerBreached) else rule.on_warning
        if effects.raise_by:
            priority = playbook.shifted(ticket.priority, effects.raise_by)
            if priority != ticket.priority:
                events.append(e.PriorityChanged(priority=priority, reason=f"timer:{ring.kind}"))
        queue: Queue | None = "waiting" if effects.queue == "team" else effects.queue
        if queue and ticket.queue != queue and ticket.status in OPEN:
            team = ticket.team or playbook.routing[-1].team
            events.append(e.TicketQueued(team=team, queue=queue, reason=f"timer:{ring.kind}"))
    return [*events, e.TimersSet(timers=changed)] if changed else events


def _known(field: str, name: str, known: Any) -> None:
    if name not in known:
        raise InvalidInput(
            f"There is no {field} {name!r} on this desk.",
            (FieldError(field, f"one of: {', '.join(known)}"),),
        )


_RULES: dict[type, tuple[str, Callable[..., list[e.Event]]]] = {
    c.Classify: ("classify", _classify),
    c.AskConfirmation: ("ask-confirmation", _ask_confirmation),
    c.Enqueue: ("queue", _enqueue),
    c.Assign: ("assign", _assign),
    c.ConfirmType: ("confirm-type", _confirm_type),
    c.SetPriority: ("priority", _set_priority),
    c.Reply: ("reply", _reply),
    c.RequestInformation: ("request-info", _request_information),
    c.CustomerMessage: ("message", _customer_message),
    c.Note: ("note", _note),
    c.Resolve: ("resolve", _resolve),
    c.Confirm: ("confirm", _confirm),
    c.Reopen: ("reopen", _reopen),
    c.AnswerSurvey: ("survey", _answer_survey),
    c.ExpireSurvey: ("expire-survey", _expire_survey),
    c.AssignReview: ("assign-review", _assign_review),
    c.RecordCallback: ("callback", _record_callback),
    c.ExpireReview: ("expire-review", _expire_review),
    c.Close: ("close", _close),
    c.ClassCustomer: ("class-customer", _class_customer),
    c.Tick: ("tick", _tick),
}


def apply(ticket: Ticket | None, commit: e.Commit) -> Ticket:
    """The ticket after a commit. Applying every commit of its history in order gives it whole."""
    for event in commit.events:
        ticket = _opened(event, commit) if ticket is None else _applied(ticket, event, commit)
    if ticket is None:
        raise ValueError("a commit without events opens no ticket")
    return ticket.model_copy(update={"version": commit.version, "updated_at": commit.at})


def _opened(event: Any, commit: e.Commit) -> Ticket:
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
        received_at=commit.at,
        updated_at=commit.at,
    )


def _applied(ticket: Ticket, event: Any, commit: e.Commit) -> Ticket:
    effect = _EFFECTS.get(type(event))
    return ticket.model_copy(update=effect(ticket, event, commit)) if effect else ticket


def _timers_set(ticket: Ticket, event: e.TimersSet, commit: e.Commit) -> dict[str, Any]:
    merged = {**ticket.timers, **event.timers}
    update: dict[str, Any] = {"timers": merged}
    first = merged.get("first_response")
    if first is not None and first.due_at is not None:
        update["expected_response_by"] = first.due_at
    return update


def _assigned(ticket: Ticket, event: e.TicketAssigned, commit: e.Commit) -> dict[str, Any]:
    former = ticket.former_handlers
    if ticket.handler and ticket.handler != event.handler:
        former = (*former, ticket.handler)
    return {
        "status": "assigned",
        "queue": "agent",
        "team": event.team,
        "handler": event.handler,
        "assigned_at": commit.at,
        "former_handlers": former,
    }


def _released(ticket: Ticket) -> dict[str, Any]:
    """What changes when a ticket leaves its handler's hands for a queue."""
    former = ticket.former_handlers
    if ticket.handler and ticket.handler not in former:
        former = (*former, ticket.handler)
    return {"handler": None, "former_handlers": former}


def _reopening(ticket: Ticket, event: e.TicketReopened, commit: e.Commit) -> dict[str, Any]:
    return {
        **_released(ticket),
        "status": "queued",
        "queue": "waiting",
        "team": event.team,
        "reviewer": None,
        "summary": None,
        "score": None,
        "resolved_at": None,
        "archived_at": None,
        "level": ticket.level + 1,
    }


def _ended(status: str) -> Callable[[Ticket, Any, e.Commit], dict[str, Any]]:
    return lambda _ticket, _event, commit: {
        "status": status,
        "queue": "closed",
        "archived_at": commit.at,
    }


_EFFECTS: dict[type, Callable[[Ticket, Any, e.Commit], dict[str, Any]]] = {
    e.TicketClassified: lambda t, x, k: {
        "type": x.type,
        "tags": x.tags,
        "priority": x.priority,
        "mood": x.mood,
    },
    e.ConfirmationRequested: lambda t, x, k: {
        "status": "pending_confirmation",
        "queue": "waiting",
        "team": x.team,
    },
    e.TypeConfirmed: lambda t, x, k: {
        "status": "received",
        "queue": "new",
        "type": x.type,
        "tags": x.tags,
        "priority": x.priority,
    },
    e.TicketQueued: lambda t, x, k: {
        **_released(t),
        "status": "queued",
        "queue": x.queue,
        "team": x.team,
    },
    e.TicketAssigned: _assigned,
    e.PriorityChanged: lambda t, x, k: {"priority": x.priority},
    e.ReplySent: lambda t, x, k: {
        "status": "in_progress" if t.status == "assigned" else t.status,
        "first_response_at": t.first_response_at or k.at,
    },
    e.InformationRequested: lambda t, x, k: {
        "status": "awaiting_customer",
        "first_response_at": t.first_response_at or k.at,
    },
    e.InformationReceived: lambda t, x, k: {"status": "in_progress"},
    e.TicketResolved: lambda t, x, k: {
        "status": "resolved",
        "summary": x.summary,
        "resolved_at": k.at,
        "resolutions": x.resolution,
    },
    e.TicketReopened: _reopening,
    e.SurveyAnswered: lambda t, x, k: {"score": x.score},
    e.ReviewRequested: lambda t, x, k: {"status": "in_review", "queue": "qa"},
    e.ReviewAssigned: lambda t, x, k: {"reviewer": x.reviewer},
    e.TicketArchived: _ended("archived"),
    e.TicketClosed: _ended("closed"),
    e.CustomerClassed: lambda t, x, k: {
        "customer": t.customer.model_copy(update={"customer_class": x.customer_class})
    },
    e.TimersSet: _timers_set,
}
"""Event → what it changes on the ticket. Those that are missing here only add to the record."""
