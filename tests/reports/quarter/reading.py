"""The measures of tickets' histories, read for the second computation of the figures (`oracle`).

What a ticket was after each commit is read from its events here again, without `apply`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

from functions.core.domain import events as e
from functions.core.domain.rules import Playbook
from functions.core.text.masking import mask

_WAITS_FOR_AGENT = {"received", "pending_confirmation", "queued"}
_IN_HAND = {"assigned", "in_progress", "awaiting_customer", "awaiting_department"}
_OPEN = _WAITS_FOR_AGENT | _IN_HAND  # the backlog leaves out what the customer has to confirm
_MACHINES = {"customer", "system"}
_ENDED_TIMERS = {"met", "breached", "cancelled"}
_LATEST_TARGET = timedelta(days=60)

Row = dict[str, Any]


@dataclass(frozen=True)
class State:
    """A ticket after a commit."""

    at: datetime
    status: str
    type: str
    priority: str
    team: str | None
    handler: str | None
    tags: tuple[str, ...]
    product: str
    merged_into: str | None
    running: int

    @property
    def is_open(self) -> bool:
        return self.status in _OPEN


@dataclass(frozen=True)
class Measure:
    """A measure of a commit, and whose work it was; `agent` is empty for nobody's."""

    at: datetime
    agent: str
    wall: float = 0
    business: float = 0
    name: str = ""
    counted: datetime | None = None
    good: bool | None = None


@dataclass(frozen=True)
class Resolution:
    """A `TicketResolved`: the durations to it, and what had happened before."""

    at: datetime
    agent: str
    full: tuple[float, float]
    work: tuple[float, float]
    is_first: bool
    one_touch: bool
    first_time_fix: bool


@dataclass(frozen=True)
class Act:
    """A commit that a member of the desk made; `since` is the ticket's commit before."""

    at: datetime
    number: str
    version: int
    agent: str
    since: datetime | None


@dataclass
class Life:
    """A ticket's states and measures, oldest first."""

    number: str
    received: datetime
    channel: str
    states: list[State] = field(default_factory=list)
    flows: list[tuple[datetime, str]] = field(default_factory=list)
    responses: list[Measure] = field(default_factory=list)
    handover_responses: list[Measure] = field(default_factory=list)
    resolutions: list[Resolution] = field(default_factory=list)
    scores: list[Measure] = field(default_factory=list)
    expired_surveys: list[Measure] = field(default_factory=list)
    targets: list[Measure] = field(default_factory=list)
    answers: list[Measure] = field(default_factory=list)
    parts: list[tuple[datetime, str]] = field(default_factory=list)
    compensations: list[tuple[datetime, Decimal]] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    handed_over: bool = False

    def before(self, end: datetime) -> State | None:
        """The ticket as it was at an instant; None if it had not come."""
        found = bisect_left(self.states, end, key=attrgetter("at"))
        return self.states[found - 1] if found else None

    def reopened_at(self) -> list[datetime]:
        return [at for at, flow in self.flows if flow == "reopened"]


def read(history: Sequence[e.Commit], playbook: Playbook) -> Life:
    """Read a ticket's history, oldest commit first."""
    return _Reading(history, playbook).life


class _Reading:
    """Reads one ticket's history."""

    def __init__(self, history: Sequence[e.Commit], playbook: Playbook) -> None:
        self.playbook = playbook
        first: Any = history[0].events[0]
        self.life = Life(history[0].number, history[0].at, first.channel)
        self.status = "received"
        self.team: str | None = None
        self.handler: str | None = None
        self.type, self.priority = first.type, first.priority
        self.tags: tuple[str, ...] = ()
        self.line = ""
        self.model = _model_code(first.product.model if first.product else None)
        self.merged: tuple[str, dict[str, Any]] | None = None
        self.timers: dict[str, Any] = {}
        self.awaits_answer = False
        self.asked: dict[tuple[str, str], tuple[datetime, datetime | None]] = {}
        self.pending_status: str | None = None
        self.replied = self.visits = 0
        self.responded = False
        self.reopenings = 0
        self.handlers: set[str] = set()
        self.second_handling = False
        self.resolver = ""
        rules = {rule.id: rule.then.product for rule in playbook.rules}
        rules |= {f"step:{name}": step.then.product for name, step in playbook.steps.items()}
        self.lines = {name: line for name, line in rules.items() if line}
        chat = first.chat
        self.life.handed_over = chat is not None
        lines = [line.at for line in chat.conversation if line.writer == "customer"] if chat else []
        self.asked_first = min(lines, default=self.life.received)
        rule = playbook.timers.get("resolution")
        pauses = set(rule.pause_in) if rule is not None else set()
        self.pauses = pauses or {"awaiting_customer", "awaiting_department"}
        self.paused: list[tuple[datetime, datetime]] = []
        previous: datetime | None = None
        for commit in history:
            self._read(commit, previous)
            previous = commit.at

    def _read(self, commit: e.Commit, previous: datetime | None) -> None:
        life, was_open, was_waiting = self.life, self.is_open, self._is_pause()
        self.by_person = commit.actor not in _MACHINES
        self.calls = any(isinstance(event, e.CallRequested) for event in commit.events)
        self.told = False
        before = dict(self.timers)
        unmerged = any(isinstance(event, e.TicketUnmerged) for event in commit.events)
        if previous is not None and was_waiting:
            self.paused.append((previous, commit.at))
        for event in commit.events:
            getattr(self, f"_{type(event).__name__}", self._nothing)(event, commit)
        self.replied += self.told and self.by_person
        for event in commit.events:
            if isinstance(event, e.TicketResolved):
                self._measure_resolution(commit)
            if isinstance(event, e.StepTaken):
                self._measure_answers(event, before, commit.at)
        self._targets(before, commit)
        if previous is None:
            life.flows.append((commit.at, "received"))
        if self.is_open != (was_open if previous is not None else True):
            life.flows.append((commit.at, self._flow(unmerged=unmerged)))
        if self.by_person:
            act = Act(commit.at, life.number, commit.version, commit.actor, previous)
            life.acts.append(act)
        life.states.append(self._state(commit.at))

    @property
    def is_open(self) -> bool:
        return self.status in _OPEN

    def _flow(self, *, unmerged: bool) -> str:
        if self.is_open:
            return "unmerged" if unmerged else "reopened"
        return {"merged": "merged", "closed": "closed"}.get(self.status, "resolved")

    def _state(self, at: datetime) -> State:
        running = sum(
            timer.state in {"running", "paused"} and self._is_promise(kind)
            for kind, timer in self.timers.items()
        )
        return State(
            at,
            self.status,
            self.type,
            self.priority,
            self.team,
            self.handler,
            tuple(self.tags),
            self.line or self.model,
            self.merged[0] if self.merged else None,
            running,
        )

    def _is_pause(self) -> bool:
        """Return whether nobody works on it from now on: a named pause, or it has ended."""
        waits = self.awaits_answer and self.status == "queued"
        waits = waits and "awaiting_customer" in self.pauses
        return not self.is_open or self.status in self.pauses or waits

    def _is_promise(self, kind: str) -> bool:
        """Return whether a timer is a target; an appointment comes by itself."""
        rule = self.playbook.timers.get(kind)
        return rule is None or not rule.appointment

    def _line_by(self, rules: Iterable[str]) -> None:
        self.line = next((self.lines[rule] for rule in rules if rule in self.lines), self.line)

    # Events that change the ticket

    def _nothing(self, event: Any, commit: e.Commit) -> None:
        """Other events change nothing that reports count."""

    def _release(self) -> None:
        self.handler = None

    def _TicketClassified(self, event: e.TicketClassified, commit: e.Commit) -> None:  # noqa: N802
        self.type, self.tags, self.priority = event.type, event.tags, event.priority
        self._line_by(event.rules)

    def _FollowUpClassified(self, event: e.FollowUpClassified, _: Any) -> None:  # noqa: N802
        self.tags = (*self.tags, *event.tags)
        self._line_by(event.rules)

    def _TypeConfirmed(self, event: e.TypeConfirmed, _: Any) -> None:  # noqa: N802
        self.status = "received"
        self.type, self.tags, self.priority = event.type, event.tags, event.priority

    def _PriorityChanged(self, event: e.PriorityChanged, _: Any) -> None:  # noqa: N802
        self.priority = event.priority

    def _ConfirmationRequested(self, event: e.ConfirmationRequested, _: Any) -> None:  # noqa: N802
        self.status, self.team = "pending_confirmation", event.team

    def _CustomerAsked(self, *_: Any) -> None:  # noqa: N802
        self.status = "pending_confirmation"

    def _TicketQueued(self, event: e.TicketQueued, _: Any) -> None:  # noqa: N802
        waits = self.status == "awaiting_customer" or (
            self.awaits_answer and self.status == "queued"
        )
        self._release()
        self.status, self.team, self.awaits_answer = "queued", event.team, waits

    def _TicketAssigned(self, event: e.TicketAssigned, _: Any) -> None:  # noqa: N802
        self.status, self.team, self.handler = event.status, event.team, event.handler
        self.awaits_answer = False
        self.handlers.add(event.handler)

    def _ReplySent(self, event: e.ReplySent, commit: e.Commit) -> None:  # noqa: N802
        if self.status == "assigned":
            self.status = "in_progress"
        self._reply(commit, waits_for_call=self.calls)

    def _InformationRequested(self, event: Any, commit: e.Commit) -> None:  # noqa: N802
        self.status = "awaiting_customer"
        self._reply(commit, waits_for_call=self.calls)

    def _InformationReceived(self, *_: Any) -> None:  # noqa: N802
        if self.status == "awaiting_customer":
            self.status = "in_progress"
        self.awaits_answer = False

    def _CallRecorded(self, event: e.CallRecorded, commit: e.Commit) -> None:  # noqa: N802
        if event.reached:
            self._reply(commit, waits_for_call=False)

    def _StepTaken(self, event: e.StepTaken, commit: e.Commit) -> None:  # noqa: N802
        self.status = event.to or self.status
        if event.responds:
            self._reply(commit, waits_for_call=False)
        self.visits += event.step in self.playbook.reports.visits
        for name, value in event.fields.items():
            if name in self.playbook.reports.parts and value:
                self.life.parts += [(commit.at, part) for part in value.split("、")]
            if name in self.playbook.reports.compensation and value:
                self.life.compensations.append((commit.at, Decimal(value)))

    def _ApprovalRequested(self, *_: Any) -> None:  # noqa: N802
        self.pending_status = self.pending_status or self.status
        self.status = "awaiting_department"

    def _ApprovalGiven(self, *_: Any) -> None:  # noqa: N802
        if self.status == "awaiting_department" and self.pending_status:
            self.status = self.pending_status
        self.pending_status = None

    def _TicketResolved(self, event: e.TicketResolved, commit: e.Commit) -> None:  # noqa: N802
        self.status = "awaiting_confirmation" if event.confirm else "resolved"
        self.pending_status, self.resolver = None, commit.actor

    def _ConfirmationGiven(self, event: e.ConfirmationGiven, _: Any) -> None:  # noqa: N802
        if event.solved and self.status == "awaiting_confirmation":
            self.status = "resolved"

    def _CallbackRequested(self, event: e.CallbackRequested, _: Any) -> None:  # noqa: N802
        self.status, self.team = "in_review", event.team

    def _ReviewRequested(self, *_: Any) -> None:  # noqa: N802
        self.status = "in_review"

    def _TicketReopened(self, event: e.TicketReopened, _: Any) -> None:  # noqa: N802
        self._release()
        self.status, self.team, self.pending_status = "queued", event.team, None
        self.reopenings += 1

    def _SecondHandlingStarted(self, *_: Any) -> None:  # noqa: N802
        self.second_handling = True

    def _TicketArchived(self, event: e.TicketArchived, _: Any) -> None:  # noqa: N802
        self.status, self.team, self.pending_status = "archived", event.team or self.team, None

    def _TicketClosed(self, *_: Any) -> None:  # noqa: N802
        self.status, self.pending_status = "closed", None

    def _TicketMerged(self, event: e.TicketMerged, _: Any) -> None:  # noqa: N802
        live = {
            kind: timer
            for kind, timer in self.timers.items()
            if timer.wakes_at is not None or timer.state == "paused"
        }
        self.status, self.merged = "merged", (event.other, live)

    def _TicketUnmerged(self, event: e.TicketUnmerged, _: Any) -> None:  # noqa: N802
        if event.status == "queued":
            self._release()
        if self.merged is not None:
            self.timers |= self.merged[1]
        self.status, self.merged = event.status, None

    def _TimersSet(self, event: e.TimersSet, _: Any) -> None:  # noqa: N802
        self.timers |= event.timers

    # Measures

    def _elapsed(self, since: datetime, until: datetime) -> tuple[float, float]:
        business = self.playbook.hours.between(since, until)
        return (until - since).total_seconds(), business.total_seconds()

    def _reply(self, commit: e.Commit, *, waits_for_call: bool) -> None:
        """An answer of a person to the customer; one that waits for a call is none yet."""
        if waits_for_call:
            return
        self.told = True
        if self.responded:
            return
        self.responded = True
        if not self.by_person:
            return
        wall, business = self._elapsed(self.asked_first, commit.at)
        self.life.responses.append(Measure(commit.at, commit.actor, wall, business))
        if self.life.handed_over:
            wall, business = self._elapsed(self.life.received, commit.at)
            self.life.handover_responses.append(Measure(commit.at, commit.actor, wall, business))

    def _measure_resolution(self, commit: e.Commit) -> None:
        wall, business = self._elapsed(self.life.received, commit.at)
        pauses = [self._elapsed(since, until) for since, until in self.paused]
        work = wall - sum(each[0] for each in pauses), business - sum(each[1] for each in pauses)
        fixed = not self.reopenings and not self.second_handling and self.visits <= 1
        resolution = Resolution(
            at=commit.at,
            agent=commit.actor,
            full=(wall, business),
            work=work,
            is_first=not self.life.resolutions,
            one_touch=self.replied <= 1 and not self.reopenings and len(self.handlers) <= 1,
            first_time_fix=fixed,
        )
        self.life.resolutions.append(resolution)

    def _SurveyAnswered(self, event: e.SurveyAnswered, commit: e.Commit) -> None:  # noqa: N802
        low, high = self.playbook.survey.scores
        good = event.score > (low + high) / 2
        self.life.scores.append(Measure(commit.at, self.resolver, event.score, good=good))

    def _SurveyExpired(self, _: Any, commit: e.Commit) -> None:  # noqa: N802
        self.life.expired_surveys.append(Measure(commit.at, self.resolver))

    def _measure_answers(self, step: e.StepTaken, before: dict[str, Any], at: datetime) -> None:
        """The departments' answers in a step; in time if not after the deadline of the question.

        The deadline is as it was set with the question, or as it is now if no other question of the
        same kind is open, since a pause may have moved it.
        """
        for slip in step.answers:
            asked, due = self.asked.pop((slip.step, slip.team), (None, None))
            if asked is None:
                continue
            if all(other != slip.step for other, _ in self.asked):
                due = self._deadline(slip.step, before) or due
            wall, business = self._elapsed(asked, at)
            in_time = None if due is None else at <= due
            self.life.answers.append(Measure(at, "", wall, business, slip.team, good=in_time))
        if step.asks is not None:
            due = self._deadline(step.asks.step, self.timers)
            self.asked[step.asks.step, step.asks.team] = at, due

    def _deadline(self, step: str, timers: dict[str, Any]) -> datetime | None:
        """The deadline of the timer that a step starts."""
        for kind, rule in self.playbook.timers.items():
            timer = timers.get(kind)
            if timer is None or f"step:{step}" not in rule.start or timer.state == "cancelled":
                continue
            due: datetime | None = timer.due_at
            return due
        return None

    def _owner(self, commit: e.Commit) -> str:
        """The person whose work a commit is: who resolved, else who told the customer something."""
        if any(isinstance(event, _OF_WHO_RESOLVED) for event in commit.events):
            return self.resolver
        return commit.actor if self.told and self.by_person else ""

    def _targets(self, before: dict[str, Any], commit: e.Commit) -> None:
        """The targets that this commit ended, and the times by which they count."""
        for kind, timer in self.timers.items():
            former = before.get(kind)
            was_live = former is None or former.state not in _ENDED_TIMERS
            if timer.state not in _ENDED_TIMERS or not was_live or not self._is_promise(kind):
                continue
            counted = commit.at
            if timer.state == "breached":
                counted = timer.due_at or commit.at
            elif timer.state == "met" and timer.due_at is not None:
                counted = min(timer.due_at, commit.at + _LATEST_TARGET)
            owner, name = self._owner(commit), f"{kind}~{timer.state}"
            target = Measure(commit.at, owner, name=name, counted=counted)
            self.life.targets.append(target)


_OF_WHO_RESOLVED = (
    e.TicketResolved,
    e.SurveyAnswered,
    e.SurveyExpired,
    e.TicketArchived,
    e.TicketReopened,
    e.ConfirmationGiven,
)

_MODEL = re.compile(r"(?=.*[A-Z])(?=.*[0-9])[A-Z0-9./-]{2,20}")


def _model_code(model: str | None) -> str:
    code = (model or "").strip().upper()
    return code if _MODEL.fullmatch(code) and mask(code) == code else ""
