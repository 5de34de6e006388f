"""A ticket's history as facts: one for each commit, with what it measured (decision 38).

Facts are made where the desk's calendar is at hand, so reports only count and sort. A history
always gives the same facts, except for `written`. No fact holds free text or personal data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from functions.core.domain import events as e
from functions.core.domain.journal import ChatEnd, JournalEntry
from functions.core.domain.lifecycle import after_each, apply
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import OPEN, Slip, Status, Ticket
from functions.core.reports.columns import Fact, value_of
from functions.core.text.masking import mask

Usage = Mapping[str, float]
"""Name of a price (`prices.json`) → what was used of it."""

COUNTED_WITHIN = timedelta(days=60)
"""A target that was met long before it was due counts in the period that is so far away."""

_SECOND = timedelta(seconds=1)
_PAUSED: tuple[Status, ...] = ("awaiting_customer", "awaiting_department")
"""The statuses that pause work if the timer `resolution` names none."""
_ENDED = frozenset({"met", "breached", "cancelled"})
_CODE = re.compile(r"(?=[^ ]*[A-Z])(?=[^ ]*[0-9])[A-Z0-9./-]{2,20}")
_SEPARATORS = re.compile(r"[、,，;；|\n]")
_OF_THE_RESOLVER = (
    e.SurveyAnswered, e.SurveyExpired, e.TicketArchived, e.TicketReopened, e.ConfirmationGiven,
)  # fmt: skip


def facts_of(
    history: Sequence[e.Commit],
    playbook: Playbook,
    written: datetime,
    usages: Mapping[int, Usage] | None = None,
) -> list[Fact]:
    """Return a fact for each commit of a ticket.

    Args:
        history: all commits of the ticket, oldest first.
        written: when the facts are written.
        usages: version → what the commit used, as far as it is known.
    """
    replay, usages = _TicketMeasures(playbook), usages or {}
    return [replay.fact(commit, written, usages.get(commit.version, {})) for commit in history]


def presence_fact(entry: JournalEntry, written: datetime) -> Fact:
    """Return the fact that an agent came or went."""
    at = _seconds_of(entry.at)
    return Fact("presence", entry.number, at, _seconds_of(written), at, actor=entry.number,
                presence=int(bool(entry.presence)), usage=_usage(entry.usage))  # fmt: skip


def chat_fact(entry: JournalEntry, end: ChatEnd, written: datetime) -> Fact:
    """Return the fact that a chat ended without a ticket."""
    return Fact("chat", entry.number, 1, _seconds_of(written), _seconds_of(entry.at),
                channel=end.channel, groups=(f"channel={end.channel}",), outcome=end.outcome,
                usage=_usage(entry.usage))  # fmt: skip


def is_open(ticket: Ticket | None) -> bool:
    """Return whether a ticket is in the backlog; one that awaits a yes is resolved already."""
    return ticket is not None and ticket.status in OPEN and ticket.status != "awaiting_confirmation"


@dataclass
class _TicketMeasures:
    """A ticket's history up to some commit, and what later measures need of it.

    `idle` is the time in which nobody had to work on the ticket; `asked` holds the departments'
    open slips with the time of the question and its deadline.
    """

    playbook: Playbook
    ticket: Ticket | None = None
    began: datetime | None = None
    from_chat: bool = False
    line: str = ""
    model: str = ""
    imported: int = 0
    replies: int = 0
    resolutions: int = 0
    again: bool = False
    visits: int = 0
    resolver: str = ""
    idle: timedelta = timedelta()
    idle_business: timedelta = timedelta()
    asked: dict[Slip, tuple[datetime, datetime | None]] = field(default_factory=dict)

    def fact(self, commit: e.Commit, written: datetime, usage: Usage) -> Fact:
        before = self.ticket
        flow = tuple(_flows(before, commit))
        after = self.ticket = apply(before, commit)
        self._note(before, commit)
        person = commit.actor not in e.MACHINES
        product, groups = self._groups(after)
        return Fact(
            "ticket", after.number, commit.version, _seconds_of(written), _seconds_of(commit.at),
            received=_seconds_of(after.received_at),
            actor=commit.actor,
            events=tuple(event.event for event in commit.events),
            status=after.status,
            status_before=before.status if before else "",
            type=after.type,
            priority=after.priority,
            team=value_of(after.team or ""),
            handler=after.handler or "",
            channel=after.channel,
            product=product,
            customer_class=after.customer.customer_class or "",
            locale=after.locale,
            mood=after.mood or "",
            tags=tuple(map(value_of, after.tags)),
            groups=groups,
            is_open=int(is_open(after)),
            flow=flow,
            merged_into=after.merged.into if after.merged else "",
            targets=tuple(self._targets(before, after, commit.at)),
            running=sum(self._is_target(kind) and timer.state in {"running", "paused"}
                        for kind, timer in after.timers.items()),
            handling=int(person and commit.version > self.imported),
            previous=_seconds_of(before.updated_at) if before else None,
            outcome="handed_over" if before is None and self.from_chat else "",
            excluded="merged" if after.merged else "imported" if after.imported else "",
            usage=_usage(usage),
            **self._response(before, after, commit),
            **self._resolution(after, commit),
            **self._survey(commit),
            **self._steps(before, commit),
        )  # fmt: skip

    def _note(self, before: Ticket | None, commit: e.Commit) -> None:
        """Take note of what a commit means for the measures of this one and later ones."""
        if before is not None and (not is_open(before) or before.waiting_status in self._pauses):
            self.idle += commit.at - before.updated_at
            self.idle_business += self.playbook.hours.between(before.updated_at, commit.at)
        replied = commit.actor not in e.MACHINES and _is_public_reply(commit)
        self.replies += replied
        for event in commit.events:
            if isinstance(event, e.TicketReceived):
                self._begin(event, commit.at)
            elif isinstance(event, e.TicketImported):
                self.imported = event.commits
            elif isinstance(event, e.TicketClassified | e.FollowUpClassified):
                self.line = next(filter(None, map(self._lines.get, event.rules)), self.line)
            elif isinstance(event, e.TicketReopened | e.SecondHandlingStarted):
                self.again = True
            elif isinstance(event, e.StepTaken):
                self.visits += event.step in self.playbook.reports.visits
            elif isinstance(event, e.TicketResolved):
                self.resolutions += 1
                handler = before.handler if before else None
                self.resolver = (handler or "") if commit.actor in e.MACHINES else commit.actor

    def _begin(self, event: e.TicketReceived, at: datetime) -> None:
        lines = event.chat.conversation if event.chat else ()
        self.began = next((line.at for line in lines if line.writer == "customer"), at)
        self.from_chat = event.chat is not None
        model = (event.product.model or "").strip().upper() if event.product else ""
        self.model = model if _CODE.fullmatch(model) and mask(model) == model else ""

    @cached_property
    def _pauses(self) -> tuple[str, ...]:
        rule = self.playbook.timers.get("resolution")
        return (rule.pause_in if rule else ()) or _PAUSED

    @cached_property
    def _lines(self) -> dict[str, str]:
        """The product lines by the rules that name them."""
        rules = {rule.id: rule.then.product for rule in self.playbook.rules}
        rules |= {f"step:{name}": step.then.product for name, step in self.playbook.steps.items()}
        return {name: value_of(line) for name, line in rules.items() if line}

    def _groups(self, ticket: Ticket) -> tuple[str, tuple[str, ...]]:
        """Return the product and the values by which reports divide figures."""
        product = self.line or self.model
        named = (
            ("type", ticket.type),
            *(("tag", tag) for tag in ticket.tags),
            ("team", ticket.team),
            ("agent", ticket.handler),
            ("channel", ticket.channel),
            ("priority", ticket.priority),
            ("product", product),
            ("model", self.model),
        )
        return product, tuple(f"{name}={value_of(value)}" for name, value in named if value)

    def _is_target(self, kind: str) -> bool:
        """Return whether a timer is a promise; an appointment comes by itself (E6)."""
        rule = self.playbook.timers.get(kind)
        return rule is None or not rule.appointment

    def _targets(self, before: Ticket | None, after: Ticket, at: datetime) -> Iterator[str]:
        former = before.timers if before else {}
        for kind, timer in sorted(after.timers.items()):
            earlier = former.get(kind)
            if timer.state not in _ENDED or (earlier and earlier.state in _ENDED):
                continue
            if not self._is_target(kind):
                continue
            due = timer.due_at or at
            counted = {"met": min(due, at + COUNTED_WITHIN), "breached": due}.get(timer.state, at)
            yield f"{kind}~{timer.state}~{_seconds_of(counted)}"

    def _response(self, before: Ticket | None, after: Ticket, commit: e.Commit) -> dict[str, Any]:
        answered = before is not None and before.first_response_at is not None
        if answered or after.first_response_at is None or commit.actor in e.MACHINES:
            return {}
        found: dict[str, Any] = self._lasted(
            "first_response", self.began or after.received_at, commit.at
        )
        if self.from_chat:
            found |= self._lasted("after_handover", after.received_at, commit.at)
        return found

    def _resolution(self, after: Ticket, commit: e.Commit) -> dict[str, Any]:
        event = next(iter(commit.of(e.TicketResolved)), None)
        if event is None:
            if commit.of(*_OF_THE_RESOLVER):
                return {"agent": self.resolver}
            replied = commit.actor not in e.MACHINES and _is_public_reply(commit)
            return {"agent": commit.actor} if replied else {}
        full = self._lasted("resolution_full", after.received_at, commit.at)
        handlers = {*after.former_handlers, after.handler} - {None}
        first_time = not self.again
        return {
            **full,
            **(self._lasted("resolution_first", after.received_at, commit.at)
               if self.resolutions == 1 else {}),
            "work": full["resolution_full"] - self.idle // _SECOND,
            "work_business": full["resolution_full_business"] - self.idle_business // _SECOND,
            "resolution": event.resolution,
            "agent": self.resolver,
            "one_touch": int(first_time and self.replies <= 1 and len(handlers) <= 1),
            "first_time_fix": int(first_time and self.visits <= 1),
        }  # fmt: skip

    def _lasted(self, name: str, start: datetime, end: datetime) -> dict[str, int]:
        """Return a duration on the clock and in the desk's opening hours."""
        business = self.playbook.hours.between(start, end)
        return {name: (end - start) // _SECOND, f"{name}_business": business // _SECOND}

    def _survey(self, commit: e.Commit) -> dict[str, Any]:
        if commit.of(e.SurveyExpired):
            return {"survey_expired": 1}
        answer = next(iter(commit.of(e.SurveyAnswered)), None)
        if answer is None:
            return {}
        return {"score": answer.score, "good": int(is_good(answer.score, self.playbook))}

    def _steps(self, before: Ticket | None, commit: e.Commit) -> dict[str, Any]:
        """Return what a commit's steps wrote down, and the departments' answers in it."""
        steps = commit.of(e.StepTaken)
        if not steps:
            return {}
        answers = [
            self._answer(slip, before, commit.at)
            for step in steps
            for slip in step.answers
            if slip in self.asked
        ]
        for step in steps:
            if step.asks is not None:
                self.asked[step.asks] = commit.at, self._due(step.asks, self.ticket)
        reports = self.playbook.reports
        money = [
            amount
            for step in steps
            for name in reports.compensation
            if (amount := _decimal(step.fields.get(name, ""))) is not None
        ]
        return {
            "collaborations": tuple(answers),
            "parts": tuple(part for step in steps for part in self._parts(step)),
            "compensation": str(sum(money, Decimal(0))) if money else "",
        }

    def _answer(self, slip: Slip, before: Ticket | None, at: datetime) -> str:
        asked, due = self.asked.pop(slip)
        if not any(other.step == slip.step for other in self.asked):
            due = self._due(slip, before) or due  # as it was moved since, for a pause
        in_time = "" if due is None else str(int(at <= due))
        business = self.playbook.hours.between(asked, at) // _SECOND
        return f"{value_of(slip.team)}~{(at - asked) // _SECOND}~{business}~{in_time}"

    def _due(self, slip: Slip, ticket: Ticket | None) -> datetime | None:
        """Return the deadline of a timer that begins with the slip's step, if there is one."""
        started = f"step:{slip.step}"
        for kind, rule in self.playbook.timers.items():
            timer = ticket.timers.get(kind) if ticket and started in rule.start else None
            if timer is not None and timer.state != "cancelled":
                return timer.due_at
        return None

    def _parts(self, step: e.StepTaken) -> Iterator[str]:
        for name in self.playbook.reports.parts:
            parts = _SEPARATORS.split(step.fields.get(name, ""))
            yield from filter(None, map(value_of, parts))


def is_good(score: int, playbook: Playbook) -> bool:
    """Return whether a score means satisfied: 4–5 of 5, or the better half of the desk's words."""
    words = sorted((word.score for word in playbook.survey.words.values()), reverse=True)
    if words:
        return score in words[: max(len(words) // 2, 1)]
    low, high = playbook.survey.scores
    return 2 * score > low + high


def _flows(before: Ticket | None, commit: e.Commit) -> Iterator[str]:
    """Yield how a commit changed whether the ticket is open, event by event."""
    was, status = is_open(before), before.status if before else ""
    if before is None:
        was = True
        yield "received"
    for ticket in after_each(before, commit):
        now = is_open(ticket)
        if now and not was:
            yield "unmerged" if status == "merged" else "reopened"
        elif was and not now:
            yield {"merged": "merged", "closed": "closed"}.get(ticket.status, "resolved")
        was, status = now, ticket.status


def _is_public_reply(commit: e.Commit) -> bool:
    """Return whether a commit is a public reply; what waits for a call is passed on by the call."""
    waits = bool(commit.of(e.CallRequested))
    return any(
        (isinstance(event, e.ReplySent | e.InformationRequested) and not waits)
        or (isinstance(event, e.CallRecorded) and event.reached)
        or (isinstance(event, e.StepTaken) and event.responds)
        for event in commit.events
    )


def _usage(usage: Usage) -> tuple[str, ...]:
    return tuple(f"{name}~{quantity:.9g}" for name, quantity in sorted(usage.items()) if quantity)


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None


def _seconds_of(at: datetime) -> int:
    return int(at.timestamp())
