"""Select notifications and render their messages from a commit, the ticket and its playbook. Pure.

A message describes its event: the event's values (team, priority, summary, …) override those of
the ticket, which may have changed since.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from functions.core.domain.delivery import delivery_identity
from functions.core.domain.errors import DeadLetter
from functions.core.domain.events import (
    EVENTS,
    Commit,
    ContactBounced,
    ContactCorrected,
    Event,
    FollowUpClassified,
    PriorityChanged,
    ReasonAsked,
    SecondHandlingStarted,
    TicketAssigned,
    TicketClassified,
    TicketClosed,
    TicketMerged,
    TicketReceived,
    TicketReopened,
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
from functions.core.domain.rules import Condition, Locale, Playbook
from functions.core.domain.ticket import TIMER_KINDS, Ticket, Timer
from functions.core.text.registered_texts import SHORT_CODE, FilledText, fill_registered
from functions.core.text.templating import (
    fill,
    format_time,
    promise_variables,
    ticket_variables,
    with_fields,
)
from functions.core.text.words import LIST_SEPARATOR, label, say


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
    """A message with its variables filled in. `subject` is one line and carries the number.

    `brief` is its short form for chats, `sms` the same as a text message: signed, with the short
    link. `registered` is what a provider that registers texts is sent instead; `sms` is then what
    it makes of that.
    """

    locale: Locale
    subject: str
    text: str
    brief: str = ""
    sms: str = ""
    registered: FilledText | None = None


def notifications_for(
    commit: Commit, ticket: Ticket, playbook: Playbook
) -> tuple[Notification, ...]:
    """Return the notifications that the events of a commit call for.

    For each event and recipient the first entry of the playbook's `notifications` whose condition
    holds counts; `on: step:<name>` matches one of the desk's own steps. Warnings and breaches of a
    timer add the notifications of that timer's rule; whoever a breach notifies is not told of its
    consequences (a queue, a priority) as well.
    """
    notifications: list[Notification] = []
    told_of_breach = {
        notification.recipient
        for event in commit.of(TimerBreached)
        for notification in _timer_notifications(event, playbook)
    }
    asks = bool(commit.of(ReasonAsked)) and any(
        (rule.on, rule.to) == ("ReasonAsked", "customer") for rule in playbook.notifications
    )
    for event in commit.events:
        if isinstance(event, ContactBounced) and not event.permanent:
            continue  # the mail may still arrive; the ticket shows the bounce
        excluded = _excluded_recipients(event) | told_of_breach
        if asks and isinstance(event, TicketReopened | SecondHandlingStarted):
            excluded.add("customer")  # the question says that handling goes on
        facts = Facts.of(ticket_at_event(event, ticket, commit), _event_text(event))
        facts = replace(facts, approved=getattr(event, "approved", None))
        for rule in playbook.notifications:
            if rule.on not in event.triggers or rule.to in excluded:
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


def possible_deliveries(commit: Commit, playbook: Playbook) -> list[str]:
    """Return the ids of the deliveries to the customer that a commit can have, without a read.

    The first is that of the lead delivery, whoever got it; `covers` of that one names what another
    version of the playbook has asked for.
    """
    ids = [f"{commit.version:06}"]
    for event in commit.events:
        about = timer_or_step(event)
        told = [
            (rule.message, rule.to) for rule in playbook.notifications if rule.on in event.triggers
        ]
        told += [(each.message, each.recipient) for each in _timer_notifications(event, playbook)]
        ids += [
            delivery_identity(commit.version, message, to, about)
            for message, to in told
            if to in CUSTOMERS
        ]
    return list(dict.fromkeys(ids))


def _excluded_recipients(event: Event) -> set[str]:
    """Return the recipients that an event does not concern, whatever the playbook says.

    The customer is not told of another handler in the same team, of the silent end of spam, nor of
    a merge with a ticket that may be another customer's. The supervisors are not told again of a
    priority that a person sets once more. A former contact is told only that it was
    replaced, and only if messages reached it.
    """
    if isinstance(event, PriorityChanged) and event.again:
        return {"supervisor", FORMER_CONTACT}
    if isinstance(event, TicketAssigned) and event.announced is False:
        return {"customer", FORMER_CONTACT}
    if isinstance(event, TicketMerged) and not event.same_customer:
        return {"customer", FORMER_CONTACT}
    if isinstance(event, TicketClosed) and event.silent:
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


def timer_or_step(event: Event) -> str:
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
        # The classification of the same commit, not a later one: a repeated record has to select
        # the same message. Tickets of earlier versions were classified after their first commit.
        values |= {"mood": None, "tags": ()}
        for found in commit.of(TicketClassified):
            values |= found.model_dump(include={"type", "priority", "mood", "tags"})
    if isinstance(event, FollowUpClassified):
        values["mood"] = event.mood
    for later in commit.of(FollowUpClassified):  # what is news comes first
        values["tags"] = tuple(dict.fromkeys((*later.tags, *ticket.tags)))
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
    if recipient == "reviewer" and ticket.queue == "qa":
        return playbook.survey.review.team
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
    short_url: str = "",
    description: str = "",
    spoken: bool = False,
) -> RenderedMessage:
    """Render a notification's message, in the customer's language or, for staff, in the desk's.

    Args:
        status_url: the customer's secret link; only the customer's message may contain it.
        short_url: its short form, for text messages.
        description: the request, if the message repeats it.
        spoken: a colleague tells the customer by phone, so sentences with the link are left out.

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
        told_at=commit.at if outside else None,
    )
    files = _files(notification.event) if for_customer else ()

    def rendered(source: str, link: str, paragraph: str) -> str:
        if spoken:  # most texts leave the link out themselves
            link = "" if "if status_url" in source else _LINK
        filled = _fill(source, {**values, "status_url": link}).strip()
        filled = _with_files(filled, files, locale, link, paragraph)
        return without_link(filled) if spoken else filled

    link = values["status_url"]
    text = rendered(message.text[locale], link, "\n\n")
    subject = " ".join(_fill(message.subject[locale], values).split())
    if f"[{ticket.number}]" not in subject:
        subject = f"[{ticket.number}] {subject}"
    short = (message.sms or message.text)[locale]
    brief = rendered(short, link, " ")
    if playbook.sms.registers:
        code = short_url.rpartition("/")[2] if link else ""
        filled = _registered(notification.message, {**values, SHORT_CODE: code}, playbook, locale)
        sms = filled.text if filled else ""
        return RenderedMessage(locale, subject, text + "\n", brief, sms, filled)
    sms = rendered(short, short_url if short_url and link else link, " ")
    sms = as_text_message(sms, ticket, playbook, locale)
    return RenderedMessage(locale, subject, text + "\n", brief, sms)


def as_text_message(text: str, ticket: Ticket, playbook: Playbook, locale: Locale) -> str:
    """Return a text message with the desk's signature, and how to opt out of what it initiated."""
    text = with_signature(text, playbook, locale)
    kind = playbook.types.get(ticket.type)
    initiated = ticket.entered_by is not None and kind is not None and kind.agents_only
    if not initiated or playbook.sms_opt_out is None:
        return text
    return f"{text}{' ' if text[-1:].isascii() else ''}{playbook.sms_opt_out[locale]}"


def _registered(
    message: str, values: dict[str, str], playbook: Playbook, locale: Locale
) -> FilledText | None:
    """Return the registered text that stands for a message, None if it has none."""
    registered = playbook.sms.registered_text(message, locale)
    return fill_registered(registered, playbook.sms, values) if registered else None


def plain_acknowledgement(playbook: Playbook) -> str | None:
    """Return the message that tells a customer of any request that it was received (A4)."""
    rules = (rule for rule in playbook.notifications if rule.on == "TicketReceived")
    plain = (rule for rule in rules if rule.to == "customer" and rule.when == Condition())
    return next((rule.message for rule in plain), None)


def with_signature(text: str, playbook: Playbook, locale: Locale) -> str:
    """Return a text message with the desk's signature, unless it begins so."""
    signature = playbook.sms_signature[locale] if playbook.sms_signature else ""
    if not signature or text.startswith(signature):
        return text
    return f"{signature}{' ' if signature.isascii() else ''}{text}"


def _files(event: Event) -> tuple[str, ...]:
    if event.direction != "out" and not getattr(event, "customer_sees", False):
        return ()
    return tuple(file.name for file in getattr(event, "attachments", ()))


def _with_files(
    text: str, files: tuple[str, ...], locale: Locale, link: str, paragraph: str = "\n\n"
) -> str:
    """Name the files below a text, with the link to the page that has them if the text has none."""
    if not files:
        return text
    names = LIST_SEPARATOR[locale].join(files)
    form = "message.files" if link in text else "message.files.linked"
    return f"{text.strip()}{paragraph}{say(form, locale, files=names, link=link)}"


_LINK = "\ufdd0"
"""Stands for the link while a spoken text is rendered: no text contains this noncharacter."""

_SENTENCE = re.compile(r"(?<=[。！？；\n])|(?<=[.!?;] )")


def without_link(text: str) -> str:
    """Return a text without the sentences that contain the link."""
    kept = (sentence for sentence in _SENTENCE.split(text) if _LINK not in sentence)
    return re.sub(r"\n{3,}", "\n\n", "".join(kept)).strip()


def variables(
    event: Event,
    ticket: Ticket,
    playbook: Playbook,
    locale: Locale,
    *,
    for_customer: bool,
    status_url: str,
    description: str,
    told_at: datetime | None = None,
) -> dict[str, str]:
    """Return the template variables of a message; unknown ones are empty.

    Args:
        told_at: the time at which a customer is told them. A customer is told no time that has
            passed, or at which the desk is closed.
    """
    kind = getattr(event, "kind", "")
    step = getattr(event, "step", "")
    ticket_values = ticket_variables(ticket, playbook, locale, for_customer=for_customer)
    due_at = _deadline(event, ticket, playbook)
    if told_at is not None:
        ticket_values |= promise_variables(ticket, playbook, locale, told_at)
        due_at = due_at if due_at and due_at > told_at else None
    common = {
        **ticket_values,
        "due_at": format_time(due_at, playbook, locale),
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
    # Of its own step a message tells this time's values, not those of an earlier time.
    own = dict.fromkeys(playbook.steps[step].fields, "") if step in playbook.steps else {}
    facts = {**ticket.facts, **own, **getattr(event, "fields", {})}
    return with_fields(common, facts, playbook, locale, for_customer=for_customer, step=step)


def _deadline(event: Event, ticket: Ticket, playbook: Playbook) -> datetime | None:
    """Return the event's own deadline, or that of the timer that it starts."""
    due_at: datetime | None = getattr(event, "due_at", None)
    if due_at is not None:
        return due_at
    for kind, rule in playbook.timers.items():
        if kind in ticket.timers and set(event.triggers) & set(rule.start):
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
