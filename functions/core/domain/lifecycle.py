"""The one way a ticket changes: `decide` what happens, `apply` it.

`decide(ticket, command, playbook, now)` says which events follow from a command, or refuses with
the actions that the ticket's status allows. `apply(ticket, commit)` says what the events make of
the ticket. Both are pure; `functions.core.services.command_service` puts them together with the
store.

`TRANSITIONS` is the one table of statuses; `docs/architecture.md` draws it from here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from functions.core.domain import commands as c
from functions.core.domain import events as e
from functions.core.domain import timers
from functions.core.domain.erasure import forgotten
from functions.core.domain.errors import (
    ActionNotAllowed,
    AlreadyAnswered,
    FieldError,
    Forgotten,
    InvalidInput,
)
from functions.core.domain.rules import Approval, Effect, Playbook, Step, StepField
from functions.core.domain.ticket import IN_HAND, OPEN, Customer, Merged, Pending, Queue, Ticket


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

EVERY = OPEN | _DONE | {"merged"}

TRANSITIONS: dict[str, Transition] = {
    "classify": Transition(_UNASSIGNED, None, "router", "type, tags and priority from the words"),
    "ask-confirmation": Transition(
        frozenset({"received", "pending_confirmation"}),
        "pending_confirmation",
        "router",
        "too vague to route",
    ),
    "confirm-type": Transition(
        frozenset({"pending_confirmation", "received"}), "received", "agent", "the type is known"
    ),
    "ask-customer": Transition(
        frozenset({"received", "pending_confirmation"}),
        "pending_confirmation",
        "router",
        "the customer is asked what a vague request is about",
    ),
    "queue": Transition(OPEN, "queued", "router, supervisor", "waits for an agent or supervisor"),
    "assign": Transition(OPEN, "assigned", "router, supervisor", "has a handler"),
    "take": Transition(OPEN, "assigned", "agent", "an agent takes it"),
    "priority": Transition(OPEN, None, "agent", "more or less urgent"),
    "reply": Transition(
        _WORKED_ON | {"awaiting_department"},
        "in_progress",
        "agent",
        "the customer gets an answer",
        keeps=frozenset({"awaiting_customer", "awaiting_department"}),
    ),
    "request-info": Transition(
        _WORKED_ON, "awaiting_customer", "agent", "the customer is asked for something"
    ),
    "message": Transition(
        OPEN | _DONE, None, "customer", "the customer writes; what waited for it goes on"
    ),
    "note": Transition(OPEN | _DONE, None, "agent", "an internal remark"),
    "resolve": Transition(
        _WORKED_ON,
        "resolved",
        "agent",
        "solved, with a summary; awaiting_confirmation first where the desk asks",
    ),
    "step": Transition(OPEN | _DONE, None, "by the playbook", "a step of the desk's own"),
    "approve": Transition(OPEN, None, "supervisor", "the step that waited may be taken"),
    "hold": Transition(EVERY, None, "admin", "the record is kept beyond its time"),
    "erase": Transition(EVERY, None, "admin", "who the customer was is forgotten"),
    "confirm": Transition(
        frozenset({"resolved", "awaiting_confirmation"}), None, "customer", "the problem is gone"
    ),
    "reopen": Transition(_DONE, "queued", "agent, customer", "not solved after all"),
    "survey": Transition(
        frozenset({"resolved", "awaiting_confirmation", "in_review"}),
        "archived",
        "customer",
        "a score; a poor one goes to in_review, or to a second handling",
        keeps=frozenset({"awaiting_confirmation", "in_review"}),
    ),
    "expire-survey": Transition(
        frozenset({"resolved", "awaiting_confirmation"}),
        "archived",
        "closing workflow",
        "nobody answered the survey",
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
    "merge": Transition(
        OPEN | _DONE, "merged", "agent", "the conversation goes on under another number"
    ),
    "take-in": Transition(
        OPEN | _DONE, None, "with merge", "another ticket's conversation goes on here"
    ),
    "unmerge": Transition(
        frozenset({"merged"}), None, "agent", "a merge is undone: back to where the ticket was"
    ),
    "give-back": Transition(
        EVERY, None, "with unmerge", "a ticket that was merged into this one goes its own way"
    ),
    "open-original": Transition(
        EVERY, None, "agent", "what was hidden of a message is opened to the one who asks"
    ),
    "class-customer": Transition(OPEN | _DONE, None, "supervisor", "says who is VIP"),
    "returned": Transition(EVERY, None, "intake", "mail to the customer came back"),
    "correct-contact": Transition(EVERY, None, "agent", "the contact anew, or it works again"),
    "link": Transition(EVERY, None, "intake", "the conversation goes on in another ticket"),
    "tick": Transition(EVERY, None, "sla_timer", "a deadline is near or past"),
}
"""Action → what it needs and where it leads."""


def allowed(ticket: Ticket) -> tuple[str, ...]:
    """The contract's actions that the ticket's status allows."""
    found = [name for name in c.BY_PEOPLE if ticket.status in TRANSITIONS[name].sources]
    if ticket.status == "in_review" and "assign" not in found:
        found.insert(0, "assign")
    return tuple(found)


def steps_allowed(ticket: Ticket, playbook: Playbook) -> tuple[str, ...]:
    """The desk's own steps that the ticket's status allows, and the answer to one that waits."""
    found = [name for name, step in playbook.steps.items() if ticket.status in step.source]
    waits = ticket.pending is not None and ticket.status in TRANSITIONS["approve"].sources
    return ("approve", *found) if waits else tuple(found)


@dataclass(frozen=True)
class Decided:
    """What a command makes of one ticket: the events, decided on this version of it. `sealed` is
    the customer's contact, encrypted, where it is another one now."""

    ticket: Ticket
    events: tuple[e.Event, ...]
    by_hand: bool = False
    sealed: bytes | None = None


def decide(
    ticket: Ticket | None, command: c.Command, playbook: Playbook, now: datetime
) -> tuple[e.Event, ...]:
    """The events that follow from a command; none where it changes nothing.

    Args:
        ticket: the newest version, None only for `Receive`.
        now: the moment, aware.

    Raises:
        ActionNotAllowed: the ticket's status does not allow it; the error names what it does.
        Forgotten: the customer writes or answers on a ticket whose customer was erased.
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
    if ticket.erased and TRANSITIONS[name].by == "customer":
        raise Forgotten  # whatever the status: nobody could answer it (B10)
    if ticket.status not in TRANSITIONS[name].sources:
        if name == "survey" and ticket.score is not None:
            raise _answered_already()
        raise not_allowed(name, ticket, playbook)
    return rule(ticket, command, playbook, now)


def not_allowed(action: str, ticket: Ticket, playbook: Playbook) -> ActionNotAllowed:
    """The refusal of an action that the ticket's status does not allow; it names those that are."""
    label = playbook.statuses.get(ticket.status)
    went = f" It goes on as {ticket.merged.into}." if ticket.merged else ""
    return ActionNotAllowed(
        f"{action} is not possible while the ticket is "
        f"{label.label['en'] if label else ticket.status}.{went}",
        (*allowed(ticket), *steps_allowed(ticket, playbook)),
    )


def _answered_already() -> AlreadyAnswered:
    return AlreadyAnswered("This survey has been answered already. Thank you.")


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
    changed = timers.updated_timers(before, after, events, playbook, now)
    already = next((x for x in events if isinstance(x, e.TimersSet)), None)
    if already is not None:
        events = [x for x in events if x is not already]
        changed = {**already.timers, **changed}
    return (*events, e.TimersSet(timers=changed)) if changed else tuple(events)


def queue_rank(ticket: Ticket, playbook: Playbook) -> str:
    """Return the sort key of a ticket among those that wait (A5, B4, D7)."""
    parts = {
        "vip": "0" if playbook.comes_first(ticket.customer.customer_class) else "1",
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
            product=command.product,
        )
    ]


def _ask_confirmation(
    ticket: Ticket, command: c.AskConfirmation, playbook: Playbook, now: datetime
) -> list[e.Event]:
    asked = e.ConfirmationRequested(
        team=command.team, question=command.question, queue=command.queue
    )
    return [asked]


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
    priority = command.priority or ticket.priority
    wrong = (
        *_unknown("type", (command.type,), playbook.types),
        *_unknown("tags", command.tags or (), playbook.tags),
        *_unknown("priority", (priority,), playbook.priorities),
    )
    if wrong:
        raise InvalidInput("Some fields do not fit; see errors.", wrong)
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
    return [e.ReplySent(text=command.text, attachments=command.attachments)]


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
        refused=command.refused,
        unproven=command.unproven,
        via=command.via,
        stranger=command.stranger,
        by_another=command.by_another,
    )
    if ticket.status == "awaiting_customer" and not command.stranger:
        return [written, e.InformationReceived()]
    ended = ticket.archived_at or ticket.resolved_at
    if ticket.status in _DONE and ended is not None and now - ended <= playbook.reopen_within:
        return [written, _reopened(ticket, "", playbook)]
    return [written]


def _note(ticket: Ticket, command: c.Note, playbook: Playbook, now: datetime) -> list[e.Event]:
    return [e.NoteAdded(text=command.text, attachments=command.attachments)]


def _resolve(
    ticket: Ticket, command: c.Resolve, playbook: Playbook, now: datetime
) -> list[e.Event]:
    limit = playbook.fields.summary_max
    if not 1 <= len(command.summary) <= limit:
        raise InvalidInput(
            "A ticket is resolved with a summary of what was done.",
            (FieldError("summary", f"write 1 to {limit} characters, not {len(command.summary)}"),),
        )
    resolution = ticket.resolutions + 1
    confirm = playbook.confirmation is not None
    return [e.TicketResolved(summary=command.summary, resolution=resolution, confirm=confirm)]


def _confirm(
    ticket: Ticket, command: c.Confirm, playbook: Playbook, now: datetime
) -> list[e.Event]:
    answered = e.ConfirmationGiven(solved=command.solved, reason=command.reason)
    asked = playbook.confirmation
    if not command.solved:
        to = asked.unsolved if asked else _after_poor_answer(playbook)
        again = _reopened(ticket, command.reason, playbook, to)
        if to == "senior":
            return [answered, e.SecondHandlingStarted(reason=command.reason), again]
        return [answered, again]
    if asked is not None and ticket.status == "awaiting_confirmation":
        if asked.solved == "callback" and asked.team:
            return [answered, e.CallbackRequested(team=asked.team)]
        if asked.solved == "archive":
            return [answered, e.TicketArchived()]
        if ticket.score is not None:  # the survey was answered first
            return [answered, *_after_score(ticket, ticket.score, "", playbook)]
    return [answered]


def _after_poor_answer(playbook: Playbook) -> Literal["team", "senior"]:
    """E7: where a poor score starts a second handling, an unsolved problem does too."""
    return "senior" if playbook.survey.review.then == "second_handling" else "team"


def _reopened(
    ticket: Ticket,
    reason: str,
    playbook: Playbook,
    to: Literal["handler", "team", "senior"] = "team",
) -> e.TicketReopened:
    team = ticket.team or playbook.routing[-1].team
    return e.TicketReopened(reason=reason, team=team, to=to)


def _ask_customer(
    ticket: Ticket, command: c.AskCustomer, playbook: Playbook, now: datetime
) -> list[e.Event]:
    return [e.CustomerAsked(question=command.question, count=ticket.asked + 1)]


def _take_step(
    ticket: Ticket, command: c.TakeStep, playbook: Playbook, now: datetime
) -> list[e.Event]:
    _known("action", command.step, playbook.steps)
    step = playbook.steps[command.step]
    if ticket.status not in step.source:
        raise not_allowed(command.step, ticket, playbook)
    fields = checked_fields(step, command.fields)
    if step.approval is not None and _exceeds(step.approval, fields):
        asked = e.ApprovalRequested(
            step=command.step, fields=fields, attachments=command.attachments, by=command.by
        )
        return [asked]
    taken = _taken(command.step, step, fields, command.attachments)
    return [
        taken,
        *_reclassified(ticket, command.step, step.then, playbook),
        *_solved_by(step, fields, ticket, playbook, now),
    ]


def _taken(
    name: str, step: Step, fields: dict[str, str], attachments: tuple[e.Attachment, ...] = ()
) -> e.StepTaken:
    return e.StepTaken(
        step=name,
        to=step.to,
        fields=fields,
        attachments=attachments,
        customer_sees=step.customer_sees,
        responds=step.responds,
    )


def _reclassified(ticket: Ticket, step: str, then: Effect, playbook: Playbook) -> list[e.Event]:
    """What a step makes of the ticket's classification; nothing where that stays as it is (E6)."""
    priority = ticket.priority
    if then.priority and playbook.ranks[then.priority] < playbook.ranks.get(priority, 99):
        priority = then.priority
    if then.raise_by != then.lower_by:
        priority = playbook.shifted(priority, then.raise_by - then.lower_by)
    after = e.TicketClassified(
        type=then.type or ticket.type,
        tags=tuple(dict.fromkeys((*ticket.tags, *then.add_tags))),
        priority=priority,
        mood=then.mood or ticket.mood,
        rules=(f"step:{step}",),
        product=then.product or ticket.product,
    )
    before = (ticket.type, ticket.tags, ticket.priority, ticket.mood, ticket.product)
    now = (after.type, after.tags, after.priority, after.mood, after.product)
    return [after] if now != before else []


def _solved_by(
    step: Step, fields: dict[str, str], ticket: Ticket, playbook: Playbook, now: datetime
) -> list[e.Event]:
    """D9: the resolution that a step brings with it, if it does."""
    summary = fields.get(step.resolves) if step.resolves else None
    return _resolve(ticket, c.Resolve(summary), playbook, now) if summary else []


def _exceeds(approval: Approval, fields: dict[str, str]) -> bool:
    """Whether a step is beyond an agent's authority."""
    if approval.field is None:
        return True
    return Decimal(fields.get(approval.field) or "0") > approval.over


def checked_fields(step: Step, given: Mapping[str, str]) -> dict[str, str]:
    """What was written down with a step, each field in its own form.

    Raises:
        InvalidInput: fields that are missing, unknown or of another form; every one is named.
    """
    wrong = [
        FieldError(name, "there is no such field") for name in given if name not in step.fields
    ]
    found: dict[str, str] = {}
    for name, field in step.fields.items():
        value = given.get(name, "").strip()
        if not value:
            if field.required:
                wrong.append(FieldError(name, "this field is required"))
            continue
        problem = _misfit(field, value)
        if problem:
            wrong.append(FieldError(name, problem))
        found[name] = value
    if wrong:
        raise InvalidInput("Some fields do not fit; see errors.", tuple(wrong))
    return found


def _misfit(field: StepField, value: str) -> str | None:
    """What is wrong with a field's value, None where nothing is."""
    if len(value) > field.max:
        return f"{field.max} characters at most, not {len(value)}"
    if field.kind == "time" and timers.parse_field_time(value) is None:
        return "a moment with its offset, such as 2026-03-10T14:00:00+08:00"
    if field.kind == "number" and not _NUMBER.fullmatch(value):
        return "a number, such as 120 or 99.50"
    if field.kind == "choice" and value not in field.choices:
        return f"one of: {', '.join(field.choices)}"
    return None


_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")


def _approve(
    ticket: Ticket, command: c.Approve, playbook: Playbook, now: datetime
) -> list[e.Event]:
    pending = ticket.pending
    if pending is None:
        raise not_allowed("approve", ticket, playbook)
    given = e.ApprovalGiven(step=pending.step, approved=command.approved, reason=command.reason)
    step = playbook.steps.get(pending.step)
    if not command.approved or step is None:
        return [given]
    taken = _taken(pending.step, step, pending.fields, pending.attachments)
    if _status_after_approval(ticket) not in step.source:
        # It has gone another way meanwhile: the step is on the record and leads nowhere.
        return [given, taken.model_copy(update={"to": None})]
    return [
        given,
        taken,
        *_reclassified(ticket, pending.step, step.then, playbook),
        *_solved_by(step, pending.fields, ticket, playbook, now),
    ]


def _status_after_approval(ticket: Ticket) -> str:
    """Back to where the step was asked for, unless the ticket has gone another way meanwhile."""
    if ticket.pending is None or ticket.status != "awaiting_department":
        return ticket.status
    return ticket.pending.status


def _hold(ticket: Ticket, command: c.Hold, playbook: Playbook, now: datetime) -> list[e.Event]:
    if ticket.held == command.held:
        return []
    return [e.HoldSet(held=command.held, reason=command.reason)]


def _erase(
    ticket: Ticket, command: c.ErasePerson, playbook: Playbook, now: datetime
) -> list[e.Event]:
    # What was written down since an earlier erasure is forgotten by another one.
    if ticket.erased and ticket == ticket.model_copy(update=forgotten(ticket)):
        return []
    if ticket.held:
        raise ActionNotAllowed("The ticket's record is held; release it first.")
    return [e.PersonErased(reason=command.reason)]


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
    if ticket.score is not None:
        raise _answered_already()
    answered = e.SurveyAnswered(
        score=command.score, comment=command.comment, resolution=ticket.resolutions
    )
    if ticket.status != "resolved":  # the customer's confirmation decides how it goes on
        return [answered]
    return [answered, *_after_score(ticket, command.score, command.comment, playbook)]


def _after_score(ticket: Ticket, score: int, comment: str, playbook: Playbook) -> list[e.Event]:
    """What a score leads to (A13, B9, E7)."""
    review = playbook.survey.review
    if score >= review.below:
        return [e.TicketArchived()]
    if review.then == "second_handling":
        again = _reopened(ticket, comment, playbook, "senior")
        return [e.SecondHandlingStarted(reason=comment), again]
    return [e.ReviewRequested(team=review.team, score=score)]


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


MOST_MERGED = 50
"""Tickets that may be merged into one: whoever looks at it reads them all."""


def _merge(ticket: Ticket, command: c.Merge, playbook: Playbook, now: datetime) -> list[e.Event]:
    if command.into == ticket.number:
        raise ActionNotAllowed("A ticket cannot be merged into itself.", allowed(ticket))
    merged = e.TicketMerged(
        other=command.into, same_customer=command.same_customer, reason=command.reason
    )
    return [merged]


def _take_in(ticket: Ticket, command: c.TakeIn, playbook: Playbook, now: datetime) -> list[e.Event]:
    if command.other_open and ticket.status not in OPEN:
        raise ActionNotAllowed(
            f"{ticket.number} has ended, and the other ticket is still open: reopen "
            f"{ticket.number} first, or merge the other way round.",
            allowed(ticket),
        )
    if len(ticket.carries) >= MOST_MERGED:
        raise ActionNotAllowed(f"{ticket.number} carries {MOST_MERGED} tickets, which is the most.")
    received = e.MergeReceived(
        other=command.other, same_customer=command.same_customer, reason=command.reason
    )
    return [received]


def _unmerge(
    ticket: Ticket, command: c.Unmerge, playbook: Playbook, now: datetime
) -> list[e.Event]:
    merged = ticket.merged
    if merged is None:
        raise not_allowed("unmerge", ticket, playbook)
    status, queue = merged.status, merged.queue
    if status in IN_HAND and not command.handler_stays:
        status, queue = "queued", "waiting"
    undone = e.TicketUnmerged(other=merged.into, status=status, queue=queue, reason=command.reason)
    later = timers.resumed_after_merge(merged.timers, merged.at, playbook, now)
    return [undone, e.TimersSet(timers=later)] if later else [undone]


def _give_back(
    ticket: Ticket, command: c.GiveBack, playbook: Playbook, now: datetime
) -> list[e.Event]:
    return [e.MergeUndone(other=command.other, reason=command.reason)]


def _open_original(
    ticket: Ticket, command: c.OpenOriginal, playbook: Playbook, now: datetime
) -> list[e.Event]:
    return [e.OriginalOpened(message=command.message, reason=command.reason)]


def _class_customer(
    ticket: Ticket, command: c.ClassCustomer, playbook: Playbook, now: datetime
) -> list[e.Event]:
    if command.customer_class is not None:
        _known("customer_class", command.customer_class, playbook.customer_classes)
    if command.customer_class == ticket.customer.customer_class:
        return []
    return [e.CustomerClassed(customer_class=command.customer_class)]


def _returned(
    ticket: Ticket, command: c.MailReturned, playbook: Playbook, now: datetime
) -> list[e.Event]:
    bounced = e.ContactBounced(cause=command.cause, permanent=command.permanent)
    if command.elsewhere and _marked(ticket, bounced) == ticket.customer:
        return []
    return [bounced]


def _marked(ticket: Ticket, bounced: e.ContactBounced) -> Customer:
    """The customer after a mail came back. An address that is no good is more than a complaint."""
    customer = ticket.customer
    if not bounced.permanent or (customer.undeliverable and not customer.complained):
        return customer
    return customer.model_copy(update={"undeliverable": bounced.cause})


def _correct_contact(
    ticket: Ticket, command: c.CorrectContact, playbook: Playbook, now: datetime
) -> list[e.Event]:
    if ticket.erased:
        raise ActionNotAllowed("Nobody knows any more who the customer was.")
    if command.customer is None and ticket.customer.undeliverable is None:
        return []
    return [e.ContactCorrected(customer=command.customer)]


def _corrected(ticket: Ticket, event: e.ContactCorrected, commit: e.Commit) -> dict[str, Any]:
    if event.customer is not None:
        return {"customer": event.customer, "sealed_in": commit.version}
    return {"customer": ticket.customer.model_copy(update={"undeliverable": None})}


def _link(ticket: Ticket, command: c.Link, playbook: Playbook, now: datetime) -> list[e.Event]:
    if command.number in (ticket.number, *ticket.related):
        return []
    return [e.TicketLinked(number=command.number)]


def _tick(ticket: Ticket, command: c.Tick, playbook: Playbook, now: datetime) -> list[e.Event]:
    rung, changed = timers.fire(ticket, playbook, now)
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
            team = effects.team or ticket.team or playbook.routing[-1].team
            events.append(e.TicketQueued(team=team, queue=queue, reason=f"timer:{ring.kind}"))
    return [*events, e.TimersSet(timers=changed)] if changed else events


def _known(field: str, name: str, known: Any) -> None:
    wrong = _unknown(field, (name,), known)
    if wrong:
        raise InvalidInput(f"There is no {field} {name!r} on this desk.", wrong)


def _unknown(field: str, names: tuple[str, ...], known: Any) -> tuple[FieldError, ...]:
    """The field, where it names what the desk does not have."""
    if all(name in known for name in names):
        return ()
    return (FieldError(field, f"one of: {', '.join(known)}"),)


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
    c.MailReturned: ("returned", _returned),
    c.CorrectContact: ("correct-contact", _correct_contact),
    c.Link: ("link", _link),
    c.Tick: ("tick", _tick),
    c.AskCustomer: ("ask-customer", _ask_customer),
    c.TakeStep: ("step", _take_step),
    c.Approve: ("approve", _approve),
    c.Hold: ("hold", _hold),
    c.ErasePerson: ("erase", _erase),
    c.Merge: ("merge", _merge),
    c.TakeIn: ("take-in", _take_in),
    c.Unmerge: ("unmerge", _unmerge),
    c.GiveBack: ("give-back", _give_back),
    c.OpenOriginal: ("open-original", _open_original),
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
        product=_product(event.product),
        order=event.order,
        related=(event.linked_to,) if event.linked_to else (),
        received_at=commit.at,
        updated_at=commit.at,
    )


def _product(product: e.Product | None) -> str | None:
    """What the product is called, for conditions and for those who cover its line (D7)."""
    named = (product.name, product.model) if product else ()
    return " ".join(filter(None, named)) or None


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
        "reopen_to": None,
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
        "level": ticket.level + (event.to == "senior"),
        "reopen_to": event.to,
        "pending": None,
    }


def _ended(status: str) -> Callable[[Ticket, Any, e.Commit], dict[str, Any]]:
    return lambda _ticket, _event, commit: {
        "status": status,
        "queue": "closed",
        "archived_at": commit.at,
        "pending": None,
    }


def _merged(ticket: Ticket, event: e.TicketMerged, commit: e.Commit) -> dict[str, Any]:
    live = {
        kind: timer
        for kind, timer in ticket.timers.items()
        if timer.wakes_at is not None or timer.state == "paused"
    }
    return {
        "status": "merged",
        "queue": "closed",
        "merged": Merged(
            into=event.other,
            by=commit.actor,
            at=commit.at,
            status=ticket.status,
            queue=ticket.queue,
            timers=live,
        ),
    }


def _unmerged(ticket: Ticket, event: e.TicketUnmerged, commit: e.Commit) -> dict[str, Any]:
    was = ticket.merged.timers if ticket.merged else {}
    gone = _released(ticket) if event.status == "queued" and ticket.handler else {}
    return {
        **gone,
        "status": event.status,
        "queue": event.queue,
        "timers": {**ticket.timers, **was},
        "merged": None,
    }


_EFFECTS: dict[type, Callable[[Ticket, Any, e.Commit], dict[str, Any]]] = {
    e.TicketClassified: lambda t, x, k: {
        "type": x.type,
        "tags": x.tags,
        "priority": x.priority,
        "mood": x.mood,
        "product": x.product or t.product,
    },
    e.ConfirmationRequested: lambda t, x, k: {
        "status": "pending_confirmation",
        "queue": x.queue,
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
        "status": "awaiting_confirmation" if x.confirm else "resolved",
        "summary": x.summary,
        "resolved_at": k.at,
        "resolutions": x.resolution,
        "pending": None,
    },
    e.TicketReopened: _reopening,
    e.SurveyAnswered: lambda t, x, k: {"score": x.score},
    e.ReviewRequested: lambda t, x, k: {"status": "in_review", "queue": "qa"},
    e.ReviewAssigned: lambda t, x, k: {"reviewer": x.reviewer},
    e.TicketArchived: _ended("archived"),
    e.TicketClosed: _ended("closed"),
    e.TicketMerged: _merged,
    e.TicketUnmerged: _unmerged,
    e.MergeReceived: lambda t, x, k: {"carries": (*t.carries, x.other)},
    e.MergeUndone: lambda t, x, k: {
        "carries": tuple(number for number in t.carries if number != x.other)
    },
    e.CustomerClassed: lambda t, x, k: {
        "customer": t.customer.model_copy(update={"customer_class": x.customer_class})
    },
    e.ContactBounced: lambda t, x, k: {"customer": _marked(t, x)},
    e.ContactCorrected: _corrected,
    e.TicketLinked: lambda t, x, k: {"related": (*t.related, x.number)},
    e.ConfirmationGiven: lambda t, x, k: (
        {"status": "resolved"} if x.solved and t.status == "awaiting_confirmation" else {}
    ),
    e.CustomerAsked: lambda t, x, k: {"status": "pending_confirmation", "asked": x.count},
    e.StepTaken: lambda t, x, k: {
        "status": x.to or t.status,
        "facts": {**t.facts, **x.fields},
        "first_response_at": t.first_response_at or (k.at if x.responds else None),
    },
    e.ApprovalRequested: lambda t, x, k: {
        "status": "awaiting_department",
        "pending": Pending(
            step=x.step,
            fields=x.fields,
            attachments=x.attachments,
            # Asked anew while it waits, it goes back to where it was before the first time.
            status=t.pending.status if t.pending else t.status,
            by=x.by,
        ),
    },
    e.ApprovalGiven: lambda t, x, k: {"status": _status_after_approval(t), "pending": None},
    e.CallbackRequested: lambda t, x, k: {
        "status": "in_review",
        "queue": "waiting",
        "team": x.team,
    },
    e.HoldSet: lambda t, x, k: {"held": x.held},
    e.PersonErased: lambda t, x, k: {"erased": True, **forgotten(t)},
    e.TimersSet: _timers_set,
}
"""Event → what it changes on the ticket. Those that are missing here only add to the record."""
