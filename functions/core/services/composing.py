"""Who is told what, in which words: pure rules over a commit, the ticket and its playbook.

A message says what its event said: what the event itself carries (team, priority, summary, …)
counts more than the ticket, which may have moved on since.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.core.domain.errors import DeadLetter
from functions.core.domain.events import Commit, ContactBounced, TimersSet
from functions.core.domain.matching import Facts, holds
from functions.core.domain.rules import TEAM_IN, TEAM_NAMED, Locale, Playbook, Recipient
from functions.core.domain.ticket import Ticket, Timer
from functions.core.text.templating import fill, format_time, ticket_variables, with_fields
from functions.core.text.words import TIMERS, label

BY_AGENT = frozenset({"ReplySent", "InformationRequested"})
"""Events whose words a person wrote: their mail is no automatic one (RFC 3834)."""


@dataclass(frozen=True)
class Notice:
    """One recipient is to be told of one event by one message of the playbook.

    `about` is the timer's kind or the step's name where the event is a timer's or a step's.
    """

    event: Any
    recipient: Recipient
    message: str
    about: str = ""


@dataclass(frozen=True)
class Words:
    """A message with everything filled in. `subject` is one line and carries the number."""

    locale: Locale
    subject: str
    text: str
    sms: str


def notices(commit: Commit, ticket: Ticket, playbook: Playbook) -> tuple[Notice, ...]:
    """Whom the events of a commit concern, and with which message.

    For each event and recipient it is the first of `notifications` whose condition holds; a step
    of the desk's own is meant by `step:<name>` too. A timer's warnings and breaches add what the
    timer's rule says.
    """
    found = []
    for event in commit.events:
        if isinstance(event, ContactBounced) and not event.permanent:
            continue  # it may arrive yet; the ticket shows it
        told = _not_told(event)
        facts = Facts.of(as_of(event, ticket, commit), _said(event))
        for rule in playbook.notifications:
            if rule.on not in happenings(event) or rule.to in told or not holds(rule.when, facts):
                continue
            told.add(rule.to)
            found.append(Notice(event, rule.to, rule.message, about(event)))
        found.extend(_of_timer(event, playbook))
    # A rule and a timer may ask for the same; one delivery is enough.
    return tuple({(n.recipient, n.message, n.about): n for n in reversed(found)}.values())[::-1]


def _not_told(event: Any) -> set[str]:
    """Whom an event is kept from: under the other number may be somebody else's request."""
    foreign = event.event == "TicketMerged" and not event.same_customer
    return {"customer"} if foreign else set()


def happenings(event: Any) -> tuple[str, ...]:
    """What a playbook may call an event: its type, and a step of the desk's own by its name."""
    if event.event == "StepTaken":
        return (event.event, f"step:{event.step}")
    return (event.event,)


def about(event: Any) -> str:
    """What tells an event from another of its type in the same commit: a timer's kind, a step."""
    found: str = getattr(event, "kind", "") or getattr(event, "step", "")
    return found


def _of_timer(event: Any, playbook: Playbook) -> Iterator[Notice]:
    if event.event not in {"TimerWarned", "TimerBreached"} or event.kind not in playbook.timers:
        return
    rule = playbook.timers[event.kind]
    effects = rule.on_warning if event.event == "TimerWarned" else rule.on_breach
    for tell in effects.tell:
        yield Notice(event, tell.to, tell.message, event.kind)


def as_of(event: Any, ticket: Ticket, commit: Commit) -> Ticket:
    """The ticket with what the event and its commit themselves say about it."""
    own = {
        field: getattr(event, field)
        for field in ("type", "priority", "tags", "team", "handler", "summary", "score", "queue")
        if getattr(event, field, None) is not None
    }
    if event.event == "TicketReceived":
        # Only the router's reading of the words gives these. Were they taken from a ticket that it
        # may or may not have read by now, a repeated record could find another message to send.
        own |= {"mood": None, "tags": ()}
    for timers_set in commit.of(TimersSet):
        own["timers"] = {**ticket.timers, **timers_set.timers}
        first: Timer | None = timers_set.timers.get("first_response")
        if first is not None and first.due_at is not None:
            own["expected_response_by"] = first.due_at
    return ticket.model_copy(update=own)


def team_of(notice: Notice, ticket: Ticket, playbook: Playbook) -> str | None:
    """The team whose mailbox a message for staff goes to."""
    if notice.recipient.startswith(TEAM_NAMED):
        return notice.recipient.removeprefix(TEAM_NAMED)
    if notice.recipient.startswith(TEAM_IN):
        written = {**ticket.facts, **getattr(notice.event, "fields", {})}
        return written.get(notice.recipient.removeprefix(TEAM_IN))
    if notice.recipient in {"supervisor", "qa"}:
        return playbook.team_of_role(notice.recipient)
    team: str | None = getattr(notice.event, "team", None) or ticket.team
    return team


def uses_description(playbook: Playbook, message: str) -> bool:
    """Whether a message repeats the request, which stands in the ticket's first event."""
    found = playbook.messages.get(message)
    written = (found.subject, found.text, found.sms or {}) if found else ()
    return any("description" in text for part in written for text in part.values())


def compose(
    notice: Notice,
    commit: Commit,
    ticket: Ticket,
    playbook: Playbook,
    *,
    status_url: str,
    description: str = "",
) -> Words:
    """The words of a notice: the customer's language for the customer, the desk's for staff.

    Args:
        status_url: the customer's secret link; it is filled in for the customer alone.
        description: the request, where the message repeats it.

    Raises:
        DeadLetter: the playbook no longer has the message, or the message cannot be filled in.
    """
    message = playbook.messages.get(notice.message)
    if message is None:
        raise DeadLetter(f"the playbook of {playbook.desk} has no message {notice.message!r}")
    for_customer = notice.recipient == "customer"
    locale = ticket.locale if for_customer else playbook.locale
    values = variables(
        notice.event,
        as_of(notice.event, ticket, commit),
        playbook,
        locale,
        status_url=status_url if for_customer else "",
        description=description,
    )
    text = _fill(message.text[locale], values)
    subject = " ".join(_fill(message.subject[locale], values).split())
    if f"[{ticket.number}]" not in subject:
        subject = f"[{ticket.number}] {subject}"
    sms = _fill(message.sms[locale], values) if message.sms else text
    return Words(locale=locale, subject=subject, text=text.strip() + "\n", sms=sms.strip())


def variables(
    event: Any,
    ticket: Ticket,
    playbook: Playbook,
    locale: Locale,
    *,
    status_url: str,
    description: str,
) -> dict[str, str]:
    """What a message may fill in (`playbook.checks.template_variables`); unknown is empty."""
    kind = getattr(event, "kind", "")
    step = getattr(event, "step", "")
    own = ticket_variables(ticket, playbook, locale)
    common = {
        **own,
        "due_at": format_time(_due(event, ticket, playbook), playbook),
        "status_url": status_url,
        "text": getattr(event, "text", None) or "",
        "question": getattr(event, "question", ""),
        "solution": own["summary"],
        "reason": getattr(event, "reason", "") or getattr(event, "cause", ""),
        "timer": TIMERS[kind][locale] if kind in TIMERS else kind,
        "description": getattr(event, "description", "") or description,
        "other": getattr(event, "other", ""),
        "step": label(playbook.steps, step, locale),
    }
    return with_fields(common, {**ticket.facts, **getattr(event, "fields", {})}, playbook, step)


def _due(event: Any, ticket: Ticket, playbook: Playbook) -> datetime | None:
    """The deadline that an event is about: its own, or that of the timer that it starts."""
    own: datetime | None = getattr(event, "due_at", None)
    if own is not None:
        return own
    for kind, rule in playbook.timers.items():
        if kind in ticket.timers and set(happenings(event)) & set(rule.start):
            return ticket.timers[kind].due_at
    return None


def _said(event: Any) -> str:
    return getattr(event, "text", None) or getattr(event, "description", None) or ""


def _fill(source: str, values: dict[str, str]) -> str:
    from jinja2 import TemplateError

    try:
        return fill(source, values)
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise DeadLetter(
            f"a message cannot be filled in: {type(error).__name__}: {error}"
        ) from error
