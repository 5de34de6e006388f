"""Show every message of a playbook as people read it: `deskbell playbook preview DESK --sample`.

Several sample tickets live through what a desk meets; what `notify` would send about them is
rendered in each language. A message that reads as it did before is only named.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

from pydantic import BaseModel

from functions.core.domain import commands as c, events as e
from functions.core.domain.recipients import CUSTOMERS
from functions.core.domain.rules import LOCALES, Locale, Playbook
from functions.core.services.composing import Notification
from functions.core.services.preparing import Preparation, PreparedMessage, TicketOpening
from functions.core.services.previewing import SAMPLE, told_by
from functions.core.services.suggesting import suggest
from functions.core.text import sample_texts as samples
from functions.core.text.sms_parts import sms_parts
from infra.console.sample_life import SampleLife, SampleNotification

URL = "https://help.example"
HOUR, DAYS = timedelta(hours=1), timedelta(days=4)

Lives = Iterator[tuple[str, SampleLife]]


def lives(playbook: Playbook) -> Lives:
    """Yield the sample tickets of a desk, each with its story, the ordinary one first."""
    stories = _Stories(playbook, datetime(2026, 3, 10, 10, 0, tzinfo=playbook.zone))
    yield from stories.ordinary()
    yield from stories.requests()
    yield from stories.endings()
    yield from stories.changes()


class _Stories:
    def __init__(self, playbook: Playbook, start: datetime) -> None:
        self.playbook, self.start = playbook, start
        self.request = next(filter(self._is_ordinary, samples.REQUESTS), samples.REQUESTS[0])[0]

    def _is_ordinary(self, request: tuple[str, str]) -> bool:
        """Return whether the desk's rules know a request and send it to an agent."""
        life = SampleLife(self.playbook, self.start)
        life.receive(request[0])
        return life.ticket.handler is not None and bool(life.ticket.tags)

    def assigned(self, text: str = "", **given: Any) -> SampleLife:
        life = SampleLife(self.playbook, self.start)
        life.receive(text or self.request, **given)
        life.assign()
        life.wait(HOUR / 3)
        return life

    def resolved(self) -> SampleLife:
        life = self.assigned()
        life.do(c.Reply(samples.REPLY[0]))
        life.wait(HOUR)
        life.resolve()
        life.wait(HOUR / 6)
        return life

    def ordinary(self) -> Lives:
        life = self.assigned()
        life.do(c.Reply(samples.REPLY[0]))
        life.wait(HOUR)
        life.do(c.RequestInformation(samples.QUESTION[0]))
        life.wait(26 * HOUR)
        life.do(c.CustomerMessage(samples.ANSWER[0], "web"), "customer")
        life.wait(HOUR)
        life.resolve()
        _satisfied(life)
        yield "From request to survey", life
        life = self.assigned()
        for number, (name, step) in enumerate(self.playbook.steps.items()):
            if number == 1:
                life.do(c.Reply(samples.REPLY[0]))
            if step.resolves is None and life.step(name):
                life.wait(HOUR / 4)
        life.resolve()
        _satisfied(life)
        yield "With the desk's own steps", life
        for name, step in self.playbook.steps.items():
            if step.approval is not None:
                life = self.assigned()
                life.do(c.Reply(samples.REPLY[0]))
                life.step(name, approved=False)
                yield f"The step {name} is not approved", life
        for name, step in self.playbook.steps.items():
            life = self.assigned()
            if "assigned" not in step.source:
                life.do(c.Reply(samples.REPLY[0]))
            if life.step(name):
                life.wait(DAYS)
            yield f"After the step {name}, nobody goes on", life

    def requests(self) -> Lives:
        for text, _ in samples.REQUESTS:
            life = self.assigned(text)
            life.wait(3 * HOUR)
            yield f"Request: {text}", life
        for name, kind in self.playbook.types.items():
            given: dict[str, Any] = {"type": name, "type_given": True}
            yield (
                f"Entered by an agent: {name}",
                self.assigned(**given, entered_by="agent", channel="phone"),
            )
            if not kind.agents_only:
                yield f"Type chosen: {name}", self.assigned(**given)
                life = SampleLife(self.playbook, self.start, online=False)
                life.receive(self.request, **given)
                yield f"Type chosen: {name}, agents offline", life
        for name in self.playbook.customer_classes:
            customer = SAMPLE.model_copy(update={"customer_class": name})
            yield f"Customer of class {name}", self.assigned(customer=customer)
        for online in (True, False):
            life = SampleLife(self.playbook, self.start, online=online)
            life.receive(self.request)
            life.wait(DAYS)
            yield f"Nobody answers, agents {'online' if online else 'offline'}", life
        life = self.assigned()
        life.do(c.SetPriority(next(iter(self.playbook.priorities))))
        life.wait(DAYS)
        yield "An agent raises the priority", life

    def endings(self) -> Lives:
        life = self.resolved()
        life.do(c.CustomerMessage(samples.UNSOLVED[0], "web"), "customer")
        life.wait(2 * DAYS)
        yield "The customer writes that it is not solved", life
        life = self.resolved()
        life.do(c.Confirm(False, samples.UNSOLVED[0]), "customer")
        life.wait(2 * DAYS)
        yield "The customer does not confirm", life
        life = self.resolved()
        life.do(c.Confirm(True), "customer")
        life.wait(HOUR * 2)
        yield "The customer confirms, and nobody calls", life
        for wait in (HOUR, 2 * DAYS):
            life = self.resolved()
            life.do(c.AnswerSurvey(self.playbook.survey.scores[0], samples.CAUSE[0]), "customer")
            life.do(c.Confirm(True), "customer")
            life.wait(wait)
            life.do(c.AssignReview("reviewer"), "supervisor")
            life.wait(DAYS)
            yield "A poor score", life
        life = self.resolved()
        life.wait(self.playbook.survey.wait)
        life.do(c.ExpireSurvey(1), "system")
        yield "No answer to the survey", life
        life = self.resolved()
        life.do(c.Confirm(False), "customer")
        yield "Not solved, says the customer, without a word more", life

    def changes(self) -> Lives:
        life = self.assigned()
        first = life.number
        life.receive(self.request)
        life.do(c.Merge(first), "agent")
        yield "Merged", life
        life = self.assigned()
        mail = SAMPLE.model_copy(update={"contact": "****e.com", "kind": "email", "hash": "m"})
        life.do(c.CorrectContact(mail, b""))
        life.do(c.MailReturned("bounce 5.1.1", permanent=True), "system")
        yield "Another contact, whose mail comes back", life
        life = self.assigned()
        life.do(c.RequestLink(), "customer")
        yield "The customer has lost the link", life
        for text, _ in samples.LATER:
            life = self.assigned()
            life.do(c.CustomerMessage(text, "web"), "customer")
            yield f"Later the customer writes: {text}", life
        life = self.assigned()
        life.do(c.Enqueue(life.ticket.team or "", "supervisor"), "supervisor")
        yield "Handed to the supervisors", life
        life = self.assigned()
        life.do(c.Close(samples.CLOSED[0]), "supervisor")
        yield "Closed", life
        life = self.assigned(customer=SAMPLE.model_copy(update={"preferred": "phone"}))
        life.do(c.Reply(samples.REPLY[0]))
        yield "A customer who prefers calls", life


def preview(playbook: Playbook, locales: Iterable[Locale] = LOCALES) -> Iterator[str]:
    """Yield the lines of a preview; those of a message only where it reads like none before."""
    locales, varying = tuple(locales), _varying(playbook)
    known, named = set[tuple[str, str]](), ""
    for title, shown, life in _notifications(playbook):
        text = _prepared(shown, life, "zh-CN").rendered.text
        form = shown.notification.message, varying.sub("", text)
        if form not in known:
            known.add(form)
            yield from () if title == named else ("", f"# {title}")
            named = title
            yield from _entry(shown, life, locales)


def longest_text_messages(playbook: Playbook) -> dict[tuple[str, Locale], str]:
    longest: dict[tuple[str, Locale], str] = {}
    for _, shown, life in _notifications(playbook):
        if shown.notification.recipient in CUSTOMERS:
            for locale in LOCALES:
                key, text = (
                    (shown.notification.message, locale),
                    _prepared(shown, life, locale).rendered.sms,
                )
                longest[key] = max(longest.get(key, ""), text, key=lambda x: (sms_parts(x), len(x)))
    return longest


def _notifications(playbook: Playbook) -> Iterator[tuple[str, SampleNotification, SampleLife]]:
    """Yield all that the sample tickets send, and then the messages that none of them needed."""
    missing = dict.fromkeys(sorted(playbook.messages))
    for title, life in lives(playbook):
        for shown in life.shown:
            missing.pop(shown.notification.message, None)
            yield title, shown, life
    ticket = life.ticket
    last = life.tickets.commits[life.number][-1]
    for name in missing:
        to = next((each.recipient for each in told_by(playbook, name)), "customer")
        other = Notification(last.events[0], to, name)
        yield "Other messages", SampleNotification(life.now, other, last, ticket), life


def _entry(shown: SampleNotification, life: SampleLife, locales: Iterable[Locale]) -> Iterator[str]:
    at = _offset(shown.at - life.ticket.received_at)
    notification = shown.notification
    cause = " ".join(filter(None, (notification.event.event, notification.timer_or_step)))
    yield ""
    yield f"## {notification.message} → {notification.recipient} ({cause}) {at}"
    for locale in locales:
        message = _prepared(shown, life, locale)
        rendered = message.rendered
        yield from ("", f"[{locale}] {rendered.subject}", *rendered.text.splitlines())
        if notification.recipient in CUSTOMERS and message.channel != "phone":
            yield f"[{locale}, {measured(rendered.sms)}] {rendered.sms}"


def measured(sms: str) -> str:
    parts = sms_parts(sms)
    return f"SMS: {len(sms)} characters, {parts} part{'s' if parts > 1 else ''}"


def suggestions(playbook: Playbook, locales: Iterable[Locale] = LOCALES) -> Iterator[str]:
    """Yield the lines of the replies that agents are offered for the sample requests (A9, E4)."""
    locales, known, varying = tuple(locales), set[str](), _varying(playbook)
    for title, life in lives(playbook):
        opening = life.tickets.commits[life.number][0].of(e.TicketReceived)[0].description
        text = suggest(life.ticket, playbook, opening, "zh-CN", life.now).text
        form = varying.sub("", text)
        if text and form not in known:
            known.add(form)
            yield from ("", f"## Suggested reply ({title})")
            for locale in locales:
                described = _in_language(opening, playbook) if locale == "en" else opening
                ticket = _in_language(life.ticket, playbook) if locale == "en" else life.ticket
                reply = suggest(ticket, playbook, described, locale, life.now)
                yield from ("", f"[{locale}]", *reply.text.splitlines())


def _prepared(shown: SampleNotification, life: SampleLife, locale: Locale) -> PreparedMessage:
    """Prepare a message in a language: the customer's, and the desk's for staff."""
    notification, commit, ticket = shown.notification, shown.commit, shown.ticket
    playbook = life.playbook.model_copy(update={"locale": locale})
    if locale != "zh-CN":
        event = _in_language(notification.event, playbook)
        notification = replace(notification, event=event)
        commit, ticket = _in_language(commit, playbook), _in_language(ticket, playbook)
    opening = TicketOpening(cast(Any, life.storage), ticket.desk, ticket.number)
    if locale != "zh-CN":
        opening = cast(Any, SimpleNamespace(description=samples.ENGLISH[opening.description]))
    preparation = Preparation(
        URL, bytes(32), playbook, opening, partial(life.storage.roster.get, playbook.desk)
    )
    ticket = ticket.model_copy(update={"locale": locale})
    return preparation.prepare(notification, commit, ticket)


def _in_language(value: Any, playbook: Playbook) -> Any:
    """Replace the Chinese sample texts and questions within a value by their translations."""
    if isinstance(value, BaseModel):
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        return value.model_copy(update=_in_language(fields, playbook))
    if isinstance(value, dict):
        return {key: _in_language(held, playbook) for key, held in value.items()}
    if isinstance(value, tuple):
        return tuple(_in_language(held, playbook) for held in value)
    return _english(playbook).get(value, value) if isinstance(value, str) else value


def _english(playbook: Playbook) -> Mapping[str, str]:
    vague = (*(tag.vague for tag in playbook.tags.values()), playbook.unclear)
    asked = [text for rule in vague if rule for text in (rule.question, rule.again) if text]
    labels = [field.label for step in playbook.steps.values() for field in step.fields.values()]
    return samples.ENGLISH | {text["zh-CN"]: text["en"] for text in (*asked, *labels)}


def _satisfied(life: SampleLife) -> None:
    life.wait(HOUR / 6)
    life.do(c.Confirm(True), "customer")
    life.do(c.AnswerSurvey(life.playbook.survey.scores[1]), "customer")
    life.wait(HOUR / 2)
    life.do(c.RecordCallback(samples.CAUSE[0]))


def _varying(playbook: Playbook) -> re.Pattern[str]:
    """Match what differs between two tickets that get the same wording."""
    terms = (playbook.types, playbook.tags, playbook.priorities, playbook.teams, playbook.statuses)
    labels = {term.label["zh-CN"] for section in terms for term in section.values()}
    promises = {p.promise["zh-CN"] for p in playbook.priorities.values() if p.promise}
    words = sorted((*labels, *promises, *samples.ENGLISH), key=len, reverse=True)
    return re.compile("|".join((*map(re.escape, words), r"agent-\d-\d", r"key=\S+", r"\d")))


def _offset(passed: timedelta) -> str:
    hours, minutes = divmod(int(passed.total_seconds()) // 60, 60)
    return f"+{hours}:{minutes:02}"
