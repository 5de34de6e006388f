"""Select notifications and render their messages from a commit, the ticket and its playbook. Pure.

A message describes its event: the event's values (team, priority, summary, …) override those of
the ticket, which may have changed since.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from functions.core.domain.errors import DeadLetter
from functions.core.domain.events import (
    EVENTS,
    Commit,
    ContactBounced,
    ContactCorrected,
    Event,
    StepTaken,
    TicketMerged,
    TicketReceived,
    TimerBreached,
    TimersSet,
    TimerWarned,
)
from functions.core.domain.matching import Facts, holds
from functions.core.domain.recipients import (
    CUSTOMERS,
    FORMER_CONTACT,
    TEAM_IN,
    TEAM_NAMED,
    Recipient,
)
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import TIMER_KINDS, Ticket, Timer
from functions.core.text.templating import fill, format_time, ticket_variables, with_fields
from functions.core.text.words import label


@dataclass(frozen=True)
class Notification:
    """One recipient to notify of one event with one message of the playbook.

    `timer_or_step` is the timer's kind or the step's name if the event belongs to one.
    """

    event: Event
    recipient: Recipient
    message: str
    timer_or_step: str = ""


@dataclass(frozen=True)
class RenderedMessage:
    """A message with its variables filled in. `subject` is one line and carries the number."""

    locale: Locale
    subject: str
    text: str
    sms: str


def notifications_for(
    commit: Commit, ticket: Ticket, playbook: Playbook
) -> tuple[Notification, ...]:
    """Return the notifications that the events of a commit call for.

    For each event and recipient the first entry of the playbook's `notifications` whose condition
    holds counts; `on: step:<name>` matches one of the desk's own steps. Warnings and breaches of a
    timer add the notifications of that timer's rule.
    """
    notifications: list[Notification] = []
    for event in commit.events:
        if isinstance(event, ContactBounced) and not event.permanent:
            continue  # the mail may still arrive; the ticket shows the bounce
        excluded = _excluded_recipients(event)
        facts = Facts.of(ticket_at_event(event, ticket, commit), _event_text(event))
        for rule in playbook.notifications:
            if rule.on not in triggers(event) or rule.to in excluded:
                continue
            if not _may_send(rule.message, ticket, playbook):
                continue
            if holds(rule.when, facts):
                excluded.add(rule.to)
                notifications.append(
                    Notification(event, rule.to, rule.message, timer_or_step(event))
                )
        notifications.extend(
            notification
            for notification in _timer_notifications(event, playbook)
            if _may_send(notification.message, ticket, playbook)
        )
    # A rule and a timer may ask for the same notification; the first one counts.
    unique = {(n.recipient, n.message, n.timer_or_step): n for n in reversed(notifications)}
    return tuple(unique.values())[::-1]


def _excluded_recipients(event: Event) -> set[str]:
    """Return the recipients that an event does not concern, whatever the playbook says.

    The customer is not told of a merge with a ticket that may be another customer's. A former
    contact is told only that it was replaced, and only if messages reached it.
    """
    if isinstance(event, TicketMerged) and not event.same_customer:
        return {"customer", FORMER_CONTACT}
    if not isinstance(event, ContactCorrected):
        return {FORMER_CONTACT}
    former, customer = event.former, event.customer
    if former is None or customer is None:
        return set(CUSTOMERS)
    reached = former.undeliverable is None and former.hash != customer.hash
    return set() if reached else {FORMER_CONTACT}


def _may_send(message: str, ticket: Ticket, playbook: Playbook) -> bool:
    """Return whether a message may be about this ticket, whose request a stranger may have made."""
    known = playbook.messages.get(message)
    return known is None or not known.agents_only or ticket.entered_by is not None


def written_by_agent(event: str) -> bool:
    """Return whether an agent wrote the text of an event: its mail is not automatic (RFC 3834)."""
    return event in EVENTS and EVENTS[event].direction == "out"


def triggers(event: Event) -> tuple[str, ...]:
    """Return the names under which a playbook's `on` and `start` may refer to an event."""
    if isinstance(event, StepTaken):
        return (event.event, f"step:{event.step}")
    return (event.event,)


def timer_or_step(event: Event) -> str:
    """Return the timer kind or step name that sets an event apart from others of its type."""
    name: str = getattr(event, "kind", "") or getattr(event, "step", "")
    return name


def _timer_notifications(event: Event, playbook: Playbook) -> Iterator[Notification]:
    if not isinstance(event, TimerWarned | TimerBreached) or event.kind not in playbook.timers:
        return
    rule = playbook.timers[event.kind]
    effects = rule.on_warning if isinstance(event, TimerWarned) else rule.on_breach
    for tell in effects.tell:
        yield Notification(event, tell.to, tell.message, event.kind)


_VALUES = (
    "type", "priority", "tags", "team", "handler", "handler_name", "summary", "score", "queue",
)  # fmt: skip
"""The fields of a ticket that an event of the same field name sets."""


def ticket_at_event(event: Event, ticket: Ticket, commit: Commit) -> Ticket:
    """Return the ticket with the values of the event and its commit."""
    values = {
        field: getattr(event, field) for field in _VALUES if getattr(event, field, None) is not None
    }
    if isinstance(event, TicketReceived):
        # Only the router's classification sets these, and it may or may not have run by now. A
        # repeated record has to select the same message either way.
        values |= {"mood": None, "tags": ()}
    for timers_set in commit.of(TimersSet):
        values["timers"] = {**ticket.timers, **timers_set.timers}
        first: Timer | None = timers_set.timers.get("first_response")
        if first is not None and first.due_at is not None:
            values["expected_response_by"] = first.due_at
    return ticket.model_copy(update=values)


def recipient_team(notification: Notification, ticket: Ticket, playbook: Playbook) -> str | None:
    """Return the team whose mailbox gets a notification for staff."""
    recipient, event = notification.recipient, notification.event
    if recipient.startswith(TEAM_NAMED):
        return recipient.removeprefix(TEAM_NAMED)
    if recipient.startswith(TEAM_IN):
        fields = {**ticket.facts, **getattr(event, "fields", {})}
        return fields.get(recipient.removeprefix(TEAM_IN))
    if recipient in {"supervisor", "qa"}:
        return playbook.team_of_role(recipient)
    team: str | None = getattr(event, "team", None) or ticket.team
    return team


def uses_description(playbook: Playbook, message: str) -> bool:
    """Return whether a message repeats the request, which the ticket's first event holds."""
    template = playbook.messages.get(message)
    parts = (template.subject, template.text, template.sms or {}) if template else ()
    return any("description" in text for part in parts for text in part.values())


def compose(
    notification: Notification,
    commit: Commit,
    ticket: Ticket,
    playbook: Playbook,
    *,
    status_url: str,
    description: str = "",
) -> RenderedMessage:
    """Render a notification's message, in the customer's language or, for staff, in the desk's.

    Args:
        status_url: the customer's secret link; only the customer's message may contain it.
        description: the request, if the message repeats it.

    Raises:
        DeadLetter: the playbook no longer has the message, or the message cannot be filled in.
    """
    message = playbook.messages.get(notification.message)
    if message is None:
        raise DeadLetter(f"the playbook of {playbook.desk} has no message {notification.message!r}")
    for_customer = notification.recipient == "customer"
    outside = notification.recipient in CUSTOMERS
    locale = ticket.locale if outside else playbook.locale
    values = variables(
        notification.event,
        ticket_at_event(notification.event, ticket, commit),
        playbook,
        locale,
        for_customer=outside,
        status_url=status_url if for_customer else "",
        description=description,
    )
    text = _fill(message.text[locale], values)
    subject = " ".join(_fill(message.subject[locale], values).split())
    if f"[{ticket.number}]" not in subject:
        subject = f"[{ticket.number}] {subject}"
    sms = _fill(message.sms[locale], values) if message.sms else text
    return RenderedMessage(
        locale=locale, subject=subject, text=text.strip() + "\n", sms=sms.strip()
    )


def variables(
    event: Event,
    ticket: Ticket,
    playbook: Playbook,
    locale: Locale,
    *,
    for_customer: bool,
    status_url: str,
    description: str,
) -> dict[str, str]:
    """Return the template variables of a message; unknown ones are empty."""
    kind = getattr(event, "kind", "")
    step = getattr(event, "step", "")
    ticket_values = ticket_variables(ticket, playbook, locale, for_customer=for_customer)
    common = {
        **ticket_values,
        "due_at": format_time(_deadline(event, ticket, playbook), playbook),
        "status_url": status_url,
        "text": getattr(event, "text", None) or "",
        "question": getattr(event, "question", ""),
        "solution": ticket_values["summary"],
        "reason": getattr(event, "reason", "") or getattr(event, "cause", ""),
        "timer": TIMER_KINDS[kind][locale] if kind in TIMER_KINDS else kind,
        "description": getattr(event, "description", "") or description,
        "other": getattr(event, "other", ""),
        "step": label(playbook.steps, step, locale),
    }
    facts = {**ticket.facts, **getattr(event, "fields", {})}
    return with_fields(common, facts, playbook, locale, for_customer=for_customer, step=step)


def _deadline(event: Event, ticket: Ticket, playbook: Playbook) -> datetime | None:
    """Return the event's own deadline, or that of the timer that it starts."""
    due_at: datetime | None = getattr(event, "due_at", None)
    if due_at is not None:
        return due_at
    for kind, rule in playbook.timers.items():
        if kind in ticket.timers and set(triggers(event)) & set(rule.start):
            return ticket.timers[kind].due_at
    return None


def _event_text(event: Event) -> str:
    return getattr(event, "text", None) or getattr(event, "description", None) or ""


def _fill(source: str, values: dict[str, str]) -> str:
    from jinja2 import TemplateError

    try:
        return fill(source, values)
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise DeadLetter(
            f"a message cannot be filled in: {type(error).__name__}: {error}"
        ) from error
