"""Rehearse a changed playbook on the tickets of the past (G15).

A ticket's history is replayed under the current and under the changed playbook alike, so each
difference comes from the change. What people did, and when, stays; what the rules made of it is
decided again: classification, destination, promises, warnings, breaches and escalations. Moods that
examples told stay as they were recorded. Pure.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo

from functions.core.domain import commands as c, events as e, timers
from functions.core.domain.classification import (
    BY_EXAMPLES,
    Classification,
    classify_request,
    destination,
    request_text,
    routing_facts,
)
from functions.core.domain.commands.steps import reclassified
from functions.core.domain.follow_ups import evaluated, of_mood
from functions.core.domain.lifecycle import apply, decide, with_timers
from functions.core.domain.playbook_assistant import UPSET
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import OPEN, Ticket, Timer

_COVER = ("product", "language")
_LATER = {"later tags": "tags", "later priority": "priority"}
"""The effects of later messages, each with the difference that replaces it if there is one."""


@dataclass(frozen=True)
class RulesOutcome:
    """A ticket as a playbook treats it.

    `values`: what is compared, as text. `kept` and `missed` count the deadlines of each timer kind
    that were met and breached; appointments are not promises.
    """

    values: Mapping[str, str]
    kept: Counter[str]
    missed: Counter[str]


@dataclass(frozen=True)
class Difference:
    """One thing that a changed playbook does differently; an empty text is nothing."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Rehearsed:
    """A ticket under both playbooks, or the reason why it could not be compared."""

    number: str
    received_at: datetime | None
    differences: tuple[Difference, ...] = ()
    before: RulesOutcome | None = None
    after: RulesOutcome | None = None
    reason: str = ""


@dataclass
class RehearsalSummary:
    """The counts of a rehearsal: tickets, differences of each kind, deadlines by timer kind."""

    compared: int = 0
    differing: int = 0
    differences: Counter[str] = field(default_factory=Counter)
    not_compared: Counter[str] = field(default_factory=Counter)
    kept: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    missed: tuple[Counter[str], Counter[str]] = field(
        default_factory=lambda: (Counter(), Counter())
    )

    def add(self, rehearsed: Rehearsed) -> None:
        if rehearsed.before is None or rehearsed.after is None:
            self.not_compared[rehearsed.reason] += 1
            return
        self.compared += 1
        self.differing += bool(rehearsed.differences)
        self.differences.update(difference.what for difference in rehearsed.differences)
        for index, outcome in enumerate((rehearsed.before, rehearsed.after)):
            self.kept[index].update(outcome.kept)
            self.missed[index].update(outcome.missed)

    def promises(self) -> dict[str, tuple[tuple[int, int], tuple[int, int]]]:
        """Return of each timer kind how many deadlines were kept, of how many: before, after."""
        kinds = sorted({*self.kept[0], *self.kept[1], *self.missed[0], *self.missed[1]})

        def of(index: int, kind: str) -> tuple[int, int]:
            kept = self.kept[index][kind]
            return kept, kept + self.missed[index][kind]

        return {kind: (of(0, kind), of(1, kind)) for kind in kinds}


def rehearsed(
    number: str, history: Sequence[e.Commit], current: Playbook, changed: Playbook, now: datetime
) -> Rehearsed:
    """Compare what two playbooks make of a ticket until `now`."""
    if not history or not history[0].of(e.TicketReceived):
        return Rehearsed(number, None, reason="incomplete")
    received_at = history[0].at
    if any(commit.of(e.PersonErased) for commit in history):
        return Rehearsed(number, received_at, reason="erased")
    before, after = (
        outcome(history, playbook, now, current.zone) for playbook in (current, changed)
    )
    differences = tuple(
        Difference(what, old, new)
        for what in dict.fromkeys((*before.values, *after.values))
        if (old := before.values.get(what, "")) != (new := after.values.get(what, ""))
        and not _differ(before, after, _LATER.get(what))
    )
    return Rehearsed(number, received_at, differences, before, after)


def _differ(before: RulesOutcome, after: RulesOutcome, what: str | None) -> bool:
    return what is not None and before.values[what] != after.values[what]


def outcome(
    history: Sequence[e.Commit], playbook: Playbook, now: datetime, zone: tzinfo
) -> RulesOutcome:
    """Replay a ticket's history, which begins with its request, under a playbook until `now`."""
    return _Replay(history[0], playbook, zone).outcome(history[1:], now)


class _Replay:
    """A ticket's life under one playbook."""

    def __init__(self, first: e.Commit, playbook: Playbook, zone: tzinfo) -> None:
        self.playbook = playbook
        self.zone = zone
        self.request = first.of(e.TicketReceived)[0]
        self.said = [request_text(self.request)]
        self.heard = ""
        self.kept: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.fired: dict[str, list[str]] = {}
        self.resolution_by: datetime | None = None
        self.found = self._classified(self.said[0])
        events = (self.request, e.TicketClassified(**vars(self.found)))
        self.ticket = self._applied(None, first, events)
        self._note_timers({})
        self.values = self._at_receipt()

    def outcome(self, commits: Sequence[e.Commit], now: datetime) -> RulesOutcome:
        for commit in commits:
            self._sweep(commit.at)
            events = self._events(commit)
            if events:
                before = self.ticket
                self.ticket = self._applied(before, commit, events)
                self._note_timers(before.timers)
        self._sweep(now, repeats=False)  # which would change nothing but their count
        ticket, values = self.ticket, self.values
        values["expected resolution by"] = self._local(self.resolution_by)
        values["later tags"] = ", ".join(ticket.tags)
        values["later priority"] = ticket.priority
        values.update({what: ", ".join(times) for what, times in self.fired.items()})
        return RulesOutcome(values, self.kept, self.missed)

    def _at_receipt(self) -> dict[str, str]:
        ticket, found = self.ticket, self.found
        target = destination(routing_facts(ticket, self.said[0]), self.playbook)
        needs = target.needs
        asks = found.asks.ask if found.asks and target.queue != "supervisor" else ""
        return {
            "type": ticket.type,
            "tags": ", ".join(ticket.tags),
            "priority": ticket.priority,
            "asks first": asks,
            "team": target.team,
            "queue": target.queue,
            "needs": ", ".join([*needs.skills, *(n for n in _COVER if getattr(needs, n))]),
            "expected response by": self._local(ticket.expected_response_by),
        }

    def _local(self, at: datetime | None) -> str:
        return at.astimezone(self.zone).isoformat(timespec="minutes") if at else ""

    def _classified(self, text: str, mood: str | None = None) -> Classification:
        request = self.request
        return classify_request(
            request, self.playbook, request.customer.customer_class, text, mood=mood
        )

    def _applied(
        self, before: Ticket | None, commit: e.Commit, events: Sequence[e.Event]
    ) -> Ticket:
        """Return the ticket after events, and after their effect on its timers."""
        after = apply(before, commit.model_copy(update={"events": tuple(events)}))
        decided = with_timers(before, after, events, self.playbook, commit.at)
        changed = tuple(event for event in decided if isinstance(event, e.TimersSet))
        return apply(after, commit.model_copy(update={"events": changed}))

    def _sweep(self, until: datetime, *, repeats: bool = True) -> None:
        """Fire what is due before `until`, at its time; perhaps without mere repetitions."""
        while True:
            live = [t for t in self.ticket.timers.values() if repeats or not t.breaches]
            due = min((t.wakes_at for t in live if t.wakes_at), default=until)
            events = decide(self.ticket, c.Tick(), self.playbook, due) if due < until else ()
            if not events:
                return
            before = self.ticket
            commit = e.Commit(
                desk=before.desk, number=before.number, version=before.version, at=due,
                actor="system", events=events,
            )  # fmt: skip
            self.ticket = apply(before, commit)
            self._note_fired(commit)
            self._note_timers(before.timers)

    def _note_fired(self, commit: e.Commit) -> None:
        for warning in commit.of(e.TimerWarned):
            what = f"warning {warning.kind} {warning.share:.0%}"
            self.fired.setdefault(what, []).append(self._local(commit.at))
        for breach in commit.of(e.TimerBreached):
            if breach.count == 1 and not self.playbook.timers[breach.kind].appointment:
                self.missed[breach.kind] += 1
                what = f"breach {breach.kind}"
                self.fired.setdefault(what, []).append(self._local(breach.due_at))

    def _note_timers(self, before: Mapping[str, Timer]) -> None:
        """Note the deadlines that were kept, and the first time of resolution promised."""
        self.resolution_by = self.resolution_by or self.ticket.expected_resolution_by
        for kind, timer in self.ticket.timers.items():
            old = before.get(kind)
            if old is None or old.state not in {"running", "paused"}:
                continue
            again = timer.state == "running" and timer.started_at != old.started_at
            if (again or timer.state == "met") and not self.playbook.timers[kind].appointment:
                self.kept[kind] += 1

    def _events(self, commit: e.Commit) -> list[e.Event]:
        """Return the events of a commit, with what rules decided replaced by what they decide."""
        if commit.of(e.TimerWarned, e.TimerBreached):
            return []  # the sweep, which comes by this playbook's timers
        wrote = commit.of(e.CustomerWrote)
        derived = self._derived(commit, wrote)
        events = [self._known(event) for event in commit.events if event not in derived]
        for message in wrote:
            events += self._heard(message, commit)
        for taken in commit.of(e.StepTaken):
            if step := self.playbook.steps.get(taken.step):
                events += reclassified(self.ticket, taken.step, step.then, self.playbook)
        for event in derived:
            if isinstance(event, e.TicketClassified) and commit.actor in e.MACHINES:
                events += self._routed_again(event)
            elif isinstance(event, e.FollowUpClassified) and not wrote:
                events += of_mood(self.ticket, self.heard, self.playbook, event.mood or UPSET)
        merged = self.ticket.merged
        if commit.of(e.TicketUnmerged) and merged is not None:
            restored = timers.resumed_after_merge(
                merged.timers, merged.at, self.playbook, commit.at
            )
            events += [e.TimersSet(timers=restored)] if restored else []
        return events

    def _derived(self, commit: e.Commit, wrote: Sequence[e.CustomerWrote]) -> list[e.Event]:
        """Return the events that rules decided, not people."""
        by_rules = bool(wrote) or commit.actor in e.MACHINES
        return [
            event
            for event in commit.events
            if isinstance(event, e.TimersSet | e.FollowUpClassified)
            or (isinstance(event, e.PriorityChanged) and by_rules)
            or (isinstance(event, e.TicketClassified) and self._is_by_rules(event, commit))
        ]

    def _is_by_rules(self, event: e.TicketClassified, commit: e.Commit) -> bool:
        steps = {f"step:{taken.step}" for taken in commit.of(e.StepTaken)}
        if steps & set(event.rules):
            return any(taken.step in self.playbook.steps for taken in commit.of(e.StepTaken))
        return commit.actor in e.MACHINES

    def _known(self, event: e.Event) -> e.Event:
        """Return an event with the ticket's priority instead of one that the playbook lacks."""
        if getattr(event, "priority", None) in (None, *self.playbook.priorities):
            return event
        return event.model_copy(update={"priority": self.ticket.priority})

    def _heard(self, message: e.CustomerWrote, commit: e.Commit) -> Sequence[e.Event]:
        self.said.append(message.text)
        self.heard = self.heard if message.stranger else message.text
        heeded = self.ticket.status in OPEN or commit.of(e.TicketReopened)
        if message.stranger or not heeded:
            return ()
        return evaluated(self.ticket, message.text, self.playbook)

    def _routed_again(self, recorded: e.TicketClassified) -> Sequence[e.Event]:
        """Classify a request once more where the router did: its mood became known by examples, or
        a vague one was clarified. Its priority only rises."""
        if BY_EXAMPLES in recorded.rules:
            found = self._classified(self.said[0], UPSET)
        elif self.found.vague:
            found = self._classified("\n".join(self.said))
        else:
            return ()
        ranks, ticket = self.playbook.ranks, self.ticket
        found = replace(
            found,
            priority=min(found.priority, ticket.priority, key=lambda name: ranks.get(name, 99)),
            mood=found.mood or ticket.mood,
        )
        return [e.TicketClassified(**vars(found))]
