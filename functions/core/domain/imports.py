"""A ticket of another help desk, in this desk's own words, and the events that tell its past.

`history_of` is pure. The times are those of the other help desk; what an open ticket needs to go on
here happens at the time of the import, so its timers start then.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from functions.core.domain import events as e
from functions.core.domain.classification import destination, routing_facts
from functions.core.domain.lifecycle import apply, with_timers
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import Customer, Ticket

Outcome = Literal["open", "waiting", "solved", "closed"]
"""The outcome of an imported ticket: it is open, waits for its customer, was solved, or was closed
without a solution."""

OUTCOMES: tuple[Outcome, ...] = ("open", "waiting", "solved", "closed")
ACTOR = "system"
"""The actor of what nobody of the roster did."""


@dataclass(frozen=True)
class PastMessage:
    """A message or a note; `author` is the username of who wrote it, empty if nobody here did.

    `files` are lines that name attachments, which stay where they are.
    """

    at: datetime
    text: str
    by_customer: bool = False
    public: bool = True
    author: str = ""
    files: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        return "\n".join(filter(None, (self.text, *self.files)))


@dataclass(frozen=True)
class PastTicket:
    """A ticket of the help desk `source`, which calls it `reference`.

    `key` identifies it there for good. `contact` is unmasked, and so are the texts.
    """

    source: str
    key: str
    reference: str
    received_at: datetime
    contact: str
    description: str
    outcome: Outcome
    type: str
    priority: str
    channel: str
    subject: str = ""
    name: str = ""
    customer_id: str = ""
    order: str = ""
    locale: Locale | None = None
    tags: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    messages: tuple[PastMessage, ...] = ()
    agent: Agent | None = None
    ended_at: datetime | None = None
    score: int | None = None
    comment: str = ""
    rated_at: datetime | None = None

    @property
    def goes_on(self) -> bool:
        return self.outcome in ("open", "waiting")

    @property
    def commits(self) -> int:
        """The number of the ticket's commits once it is imported."""
        return 1 + len(later_of(self, "")) + self.goes_on


class PastCommit(NamedTuple):
    """The events of one moment, still unmasked, and who caused them."""

    at: datetime
    actor: str
    events: tuple[e.Event, ...]


def opening_of(past: PastTicket, customer: Customer, locale: Locale) -> PastCommit:
    """Return the first commit of an imported ticket; its description is not cut yet."""
    text = PastMessage(past.received_at, past.description, files=past.files).whole
    return PastCommit(
        past.received_at,
        "customer",
        (
            e.TicketReceived(
                customer=customer,
                channel=past.channel,
                locale=past.locale or locale,
                type=past.type,
                priority=past.priority,
                type_given=True,
                description=text,
                subject=past.subject or None,
                order=past.order or None,
            ),
            e.TicketImported(source=past.source, reference=past.reference, commits=past.commits),
            e.TicketClassified(type=past.type, tags=past.tags, priority=past.priority),
        ),
    )


def later_of(past: PastTicket, summary: str) -> list[PastCommit]:
    """Return what happened after the request, in order; nothing is earlier than the request.

    Args:
        summary: what a resolution says, of which the other help desk has no words.
    """
    found = [PastCommit(m.at, _author(m), (_event(m, past),)) for m in past.messages]
    last = max((commit.at for commit in found), default=past.received_at)
    ended = past.ended_at or last
    if past.agent is not None:
        mine = (m.at for m in past.messages if m.author == past.agent.username)
        at = min((*mine, ended), default=ended)
        found.append(PastCommit(at, ACTOR, (_assigned(past.agent),)))
    if past.outcome == "solved":
        by = past.agent.username if past.agent else ACTOR
        found.append(PastCommit(ended, by, (e.TicketResolved(summary=summary, resolution=1),)))
        last = max(last, ended)
        if past.score is not None:
            last = max(last, past.rated_at or ended)
            answer = e.SurveyAnswered(score=past.score, comment=past.comment, resolution=1)
            found.append(PastCommit(last, "customer", (answer,)))
        found.append(PastCommit(last, ACTOR, (e.TicketArchived(),)))
    elif past.outcome == "closed":
        closed = e.TicketClosed(reason=summary, silent=True)
        found.append(PastCommit(max(last, ended), ACTOR, (closed,)))
    # An assignment goes before what its agent did at that moment.
    order = sorted(found, key=lambda one: (one.at, not isinstance(one.events[0], e.TicketAssigned)))
    return [one._replace(at=max(one.at, past.received_at)) for one in order]


def _author(message: PastMessage) -> str:
    return "customer" if message.by_customer else message.author or ACTOR


def _event(message: PastMessage, past: PastTicket) -> e.Event:
    if not message.public:
        return e.NoteAdded(text=message.whole)
    if message.by_customer:
        return e.CustomerWrote(text=message.whole, channel=past.channel)
    return e.ReplySent(text=message.whole)


def _assigned(agent: Agent) -> e.TicketAssigned:
    return e.TicketAssigned(
        team=agent.team, handler=agent.username, handler_name=agent.display_name
    )


def going_on(
    past: PastTicket, opening: e.Commit, ticket: Ticket, playbook: Playbook, now: datetime
) -> tuple[e.Event, ...]:
    """Return the events by which an open ticket goes on here; none for one that has ended.

    It goes to its agent, or waits for the team that the playbook's routing names. Timers run as if
    the request had come in now and what happened since had happened at once; those that ended so
    never ran here.
    """
    if not past.goes_on:
        return ()
    if past.agent is not None:
        waits = past.outcome == "waiting"
        assigned = _assigned(past.agent).model_copy(
            update={"status": "awaiting_customer" if waits else "in_progress"}
        )
        place: e.Event = assigned
    else:
        request = opening.of(e.TicketReceived)[0]
        target = destination(routing_facts(ticket, request.words), playbook)
        place = e.TicketQueued(team=target.team, queue="waiting", reason="imported")
    after = apply(ticket, _at(ticket, now, (place,)))
    started = with_timers(None, after, (*opening.events, place), playbook, now)
    timers = next((event.timers for event in started if isinstance(event, e.TimersSet)), {})
    if ticket.first_response_at is not None:
        timers = {kind: timer for kind, timer in timers.items() if kind != "first_response"}
    return (place, e.TimersSet(timers=timers)) if timers else (place,)


def commits_of(
    ticket: Ticket | None, desk: str, number: str, past: Sequence[PastCommit]
) -> Iterator[tuple[Ticket | None, e.Commit, Ticket]]:
    """Yield each commit with the ticket before and after it."""
    first = ticket.version + 1 if ticket else 1
    for version, one in enumerate(past, first):
        commit = e.Commit(
            desk=desk,
            number=number,
            version=version,
            at=one.at,
            actor=one.actor,
            events=one.events,
        )
        after = apply(ticket, commit)
        yield ticket, commit, after
        ticket = after


def _at(ticket: Ticket, now: datetime, events: tuple[e.Event, ...]) -> e.Commit:
    return e.Commit(
        desk=ticket.desk,
        number=ticket.number,
        version=ticket.version + 1,
        at=now,
        actor=ACTOR,
        events=events,
    )
