"""Show a playbook's messages as people would read them, filled with one ticket's data.

A message takes the newest commit of the ticket that it is about; one that the ticket has not come
to takes an event with sample values. Nothing is stored or sent, and the links open nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.domain import events as e
from functions.core.domain.classification import (
    classify_request,
    destination,
    request_text,
    routing_facts,
)
from functions.core.domain.errors import DeadLetter
from functions.core.domain.lifecycle import apply, with_timers
from functions.core.domain.recipients import FORMER_CONTACT
from functions.core.domain.rules import Locale, Playbook, StepField
from functions.core.domain.ticket import Customer, Ticket
from functions.core.services.composing import Notification
from functions.core.services.preparing import Preparation, PreparedMessage, TicketOpening
from functions.core.text import sample_texts as samples

if TYPE_CHECKING:
    from functions.core.domain.roster import Agent

SAMPLE = Customer(name="*先生/女士", contact="****5678", kind="phone", hash="h")
"""The customer of the sample tickets."""


class Told(NamedTuple):
    """A rule that sends a message: on which event, to whom, and of which timer's kind."""

    on: str
    recipient: Any
    kind: str = ""


class TicketLife(NamedTuple):
    """A ticket and its commits, oldest first."""

    ticket: Ticket
    history: Sequence[e.Commit]


@dataclass(frozen=True)
class MessagePreview:
    """A message in one language; `happened`: the ticket has had the event that it is about.

    `prepared` is None if the message cannot be filled in.
    """

    name: str
    event: e.Event
    recipient: str
    happened: bool
    prepared: PreparedMessage | None


class _KnownOpening(TicketOpening):
    """The opening of a ticket whose history was read."""

    def __init__(self, received: e.TicketReceived | None) -> None:
        self._known = received

    @property
    def _received(self) -> e.TicketReceived | None:
        return self._known


def told_by(playbook: Playbook, message: str) -> Iterator[Told]:
    """Yield the rules that send a message."""
    for rule in playbook.notifications:
        if rule.message == message:
            yield Told(rule.on, rule.to)
    for kind, timer in playbook.timers.items():
        for on, effects in (("TimerWarned", timer.on_warning), ("TimerBreached", timer.on_breach)):
            for tell in effects.tell:
                if tell.message == message:
                    yield Told(on, tell.to, kind)


def previews(
    playbook: Playbook,
    life: TicketLife,
    locale: Locale,
    public_url: str,
    agent: Callable[[str], Agent | None],
) -> Iterator[MessagePreview]:
    """Yield each message of a playbook in a language, in the playbook's order."""
    in_language = playbook.model_copy(update={"locale": locale})
    ticket = life.ticket.model_copy(update={"locale": locale})
    received = next(iter(life.history[0].of(e.TicketReceived)), None) if life.history else None
    # The key of no stage: whoever copies a link from a preview can open nothing.
    preparation = Preparation(public_url, bytes(32), in_language, _KnownOpening(received), agent)
    for name in playbook.messages:
        told = list(told_by(playbook, name)) or [Told("TicketReceived", "customer")]
        found = _happened(told, life.history)
        rule, event, commit = found or _sampled(
            told[0], in_language, TicketLife(ticket, life.history)
        )
        about = rule.kind or getattr(event, "step", "")
        try:
            prepared = preparation.prepare(
                Notification(event, rule.recipient, name, about), commit, ticket
            )
        except DeadLetter:
            prepared = None
        yield MessagePreview(name, event, rule.recipient, found is not None, prepared)


def _happened(
    told: Sequence[Told], history: Sequence[e.Commit]
) -> tuple[Told, e.Event, e.Commit] | None:
    """Return the newest event that a rule tells of."""
    for commit in reversed(history):
        for event in commit.events:
            for rule in told:
                kind = getattr(event, "kind", "")
                if rule.on in event.triggers and rule.kind in ("", kind):
                    return rule, event, commit
    return None


def _sampled(rule: Told, playbook: Playbook, life: TicketLife) -> tuple[Told, e.Event, e.Commit]:
    """Return an event of the kind that a rule tells of, with sample values."""
    ticket, at = life.ticket, life.history[-1].at if life.history else life.ticket.received_at
    step = rule.on.removeprefix("step:") if rule.on.startswith("step:") else ""
    kind = e.EVENTS["StepTaken" if step else rule.on]
    values = _values(playbook, ticket, at)
    if known := playbook.steps.get(step or next(iter(playbook.steps), "")):
        local = at.astimezone(playbook.zone)
        values["fields"] = sample_fields(known.fields, local, playbook.locale)
    values |= {"step": step or next(iter(playbook.steps), ""), "kind": rule.kind}
    if rule.recipient == FORMER_CONTACT:
        values |= {"customer": ticket.customer, "former": ticket.customer}
    if kind is e.InformationRequested:
        values["text"] = values["question"]
    given = {name: values[name] for name in kind.model_fields if name in values}
    event = kind.model_construct(**given)
    commit = e.Commit.model_construct(
        desk=ticket.desk,
        number=ticket.number,
        version=ticket.version + 1,
        at=at,
        actor="system",
        events=(event,),
    )
    return rule, event, commit


def _values(playbook: Playbook, ticket: Ticket, at: datetime) -> dict[str, Any]:
    """Return sample values of events' fields; those of the ticket stay its own."""

    def say(pair: tuple[str, str]) -> str:
        return pair[0 if playbook.locale == "zh-CN" else 1]

    return {
        "cause": say(samples.CAUSE),
        "channel": "web",
        "comment": say(samples.CAUSE),
        "count": 1,
        "description": say(samples.REQUESTS[0]),
        "due_at": at + timedelta(hours=4),
        "other": playbook.number.write(at.astimezone(playbook.zone), 2),
        "priority": ticket.priority,
        "question": say(samples.QUESTION),
        "reason": say(samples.REFUSED),
        "score": playbook.survey.scores[0],
        "share": 0.8,
        "summary": ticket.summary or say(samples.SUMMARY),
        "tags": ticket.tags,
        "team": ticket.team or playbook.routing[-1].team,
        "text": say(samples.REPLY),
        "type": ticket.type,
    }


def sample_fields(
    fields: Mapping[str, StepField], local: datetime, locale: Locale
) -> dict[str, str]:
    """Return sample values of a step's fields, at a time in the desk's zone."""
    times = [key for key, field in fields.items() if field.kind == "time"]
    first = local + timedelta(hours=4)

    def value(key: str, field: StepField) -> str:
        if field.kind == "choice":
            choice: str = next(iter(field.choices))
            return choice
        if field.kind == "time":
            return (first + timedelta(days=times.index(key))).isoformat(timespec="minutes")
        if field.kind == "date":
            return local.date().isoformat()
        if key in samples.FIELDS:
            return samples.FIELDS[key][0 if locale == "zh-CN" else 1]
        return "1" if field.kind == "number" else field.label[locale]

    return {key: value(key, field) for key, field in fields.items()}


def sample_life(playbook: Playbook, locale: Locale, now: datetime) -> TicketLife:
    """Return a ticket that a sample customer has just filed, and that is in hand."""
    request = samples.REQUESTS[0][0 if locale == "zh-CN" else 1]
    received = e.TicketReceived(
        customer=SAMPLE,
        channel="web",
        locale=locale,
        type=playbook.default_type,
        priority=playbook.default_priority,
        description=request,
        contact_proven=True,
    )
    number = playbook.number.write(now.astimezone(playbook.zone), 1)
    found = classify_request(received, playbook, None)
    events: tuple[e.Event, ...] = (received, e.TicketClassified(**vars(found)))
    commit = e.Commit(
        desk=playbook.desk, number=number, version=1, at=now, actor="customer", events=events
    )
    events = with_timers(None, apply(None, commit), events, playbook, now)
    commit = commit.model_copy(update={"events": events})
    ticket = apply(None, commit)
    target = destination(routing_facts(ticket, request_text(received)), playbook)
    return TicketLife(ticket.changed(team=target.team), (commit,))
