"""Timers: starting, stopping, pausing, warning and breaching deadlines (G2, F3).

Pure rules over a playbook's `timers`. A timer runs on one of two clocks: `always` (every second
counts) or `business` (the desk's opening hours). Pausing keeps the remaining time of that clock, so
a pause over a lunch break or a holiday changes nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from functions.core.domain.events import (
    CallRecorded,
    CallRequested,
    Event,
    TimerBreached,
    TimerWarned,
)
from functions.core.domain.matching import Facts, holds
from functions.core.domain.rules import Condition, Playbook, TimerRule
from functions.core.domain.ticket import Ticket, Timer, TimerState

_ENDED = frozenset({"archived", "closed", "merged"})
_LIVE = frozenset({"running", "paused"})


def updated_timers(
    before: Ticket | None, after: Ticket, events: Iterable[Event], playbook: Playbook, now: datetime
) -> dict[str, Timer]:
    """Return the timers that events start, stop, pause, resume or reallow.

    Args:
        before: the ticket before the events, None for a new ticket.
        after: the ticket after the events, with its timers unchanged.
    """
    events = tuple(events)
    caused = {trigger for event in events for trigger in event.triggers}
    changed: dict[str, Timer] = {}
    for kind, rule in playbook.timers.items():
        triggers = _heard(caused, events) if kind == "first_response" else caused
        stored = after.timers.get(kind)
        timer = None if stored is None else settled(stored, rule, playbook)
        new = timer
        if new is not None and triggers & set(rule.stop):
            new = stopped(new, now)
        if triggers & set(rule.cancel):
            new = cancelled(new) if new is not None else None
        elif triggers & set(rule.start) and holds(rule.when, Facts.of(after)):
            new = started(rule, after, playbook, now)
        if new is None:
            continue
        if after.status in _ENDED:
            new = cancelled(new)
        elif new.state == "running" and after.waiting_status in rule.pause_in:
            new = paused(new, rule, playbook, now)
        elif new.state == "paused" and after.waiting_status not in rule.pause_in:
            new = resumed(new, rule, playbook, now)
        if before is not None and before.priority != after.priority and new is timer:
            new = reallowed(new, rule, after.priority, playbook, now)
        if new != stored:
            changed[kind] = new
    return changed


_TOLD = {"ReplySent", "InformationRequested"}


def _heard(triggers: set[str], events: Iterable[Event]) -> set[str]:
    """The triggers as the customer hears of them: an answer that waits for a call counts when the
    call is made (B8)."""
    if any(isinstance(event, CallRequested) for event in events):
        triggers = triggers - _TOLD
    if any(isinstance(event, CallRecorded) and event.reached for event in events):
        triggers = triggers | _TOLD
    return triggers


def started(rule: TimerRule, ticket: Ticket, playbook: Playbook, now: datetime) -> Timer:
    """Start a timer: until the time in a step's field, or for its allowance."""
    until = parse_field_time(ticket.facts.get(rule.until)) if rule.until else None
    if until is not None and until > now:
        allowed = _between(rule, playbook, now, until)
    else:
        allowed = rule.allowance(ticket.priority)
    return _running(
        Timer(state="running", started_at=now, allowed=allowed), allowed, rule, playbook, now
    )


def due_if_received(
    priority: str, type_name: str, playbook: Playbook, now: datetime
) -> datetime | None:
    """Return when a request that came in now would have its first response at the latest (H1).

    None if no timer says so, or if that depends on more than the type.
    """
    rule = playbook.timers.get("first_response")
    if rule is None or "TicketReceived" not in rule.start:
        return None
    if rule.when not in (Condition(), Condition(type=rule.when.type)):
        return None
    if rule.when.type and type_name not in rule.when.type:
        return None
    return _add(rule, playbook, now, rule.allowance(priority))


def parse_field_time(value: str | None) -> datetime | None:
    """Parse the value of a field of kind `time`; None unless it is an aware ISO 8601 time."""
    try:
        at = datetime.fromisoformat(value) if value else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None


def stopped(timer: Timer, now: datetime) -> Timer:
    """End a timer as met, or as breached if its deadline has passed."""
    late = timer.due_at is not None and now > timer.due_at
    return _ended(timer, "breached" if late else "met")


def cancelled(timer: Timer) -> Timer:
    """Cancel a timer: what it waited for is not wanted any more."""
    return _ended(timer, "cancelled")


def _ended(timer: Timer, state: TimerState) -> Timer:
    """Return a timer that never fires again, reduced to the fields that ended timers keep."""
    state = state if timer.state in _LIVE else timer.state
    return Timer(state=state, due_at=timer.due_at, warned=timer.warned, breaches=timer.breaches)


def paused(timer: Timer, rule: TimerRule, playbook: Playbook, now: datetime) -> Timer:
    """Pause a timer and keep its remaining time. An overdue timer runs on to its breach."""
    if _overdue(timer, now):
        return timer
    left = _left(timer, rule, playbook, now)
    return timer.model_copy(
        update={
            "state": "paused",
            "due_at": None,
            "wakes_at": None,
            "left": left,
            "counted_at": None,
        }
    )


def resumed(timer: Timer, rule: TimerRule, playbook: Playbook, now: datetime) -> Timer:
    return _running(timer, timer.left or timedelta(), rule, playbook, now)


def settled(timer: Timer, rule: TimerRule, playbook: Playbook) -> Timer:
    """Recalculate a provisional deadline once the calendar of its year is published.

    Until then it stays. The sweep looks at the latest when that year begins, and every change of
    the ticket does too.
    """
    if timer.state != "running" or timer.counted_at is None or timer.due_at is None:
        return timer
    if playbook.hours.is_provisional(timer.due_at):
        return timer
    return _running(timer, timer.left or timedelta(), rule, playbook, timer.counted_at)


def reallowed(
    timer: Timer, rule: TimerRule, priority: str, playbook: Playbook, now: datetime
) -> Timer:
    """Apply the allowance of another priority; the time already spent stays spent.

    A timer whose deadline has passed is not changed, even before a sweep has seen it.
    """
    allowed = rule.allowance(priority)
    if timer.state not in _LIVE or allowed == timer.allowed or _overdue(timer, now):
        return timer
    left = timer.left if timer.state == "paused" else _left(timer, rule, playbook, now)
    left = max((left or timedelta()) + allowed - timer.allowed, timedelta())
    new = timer.model_copy(update={"allowed": allowed, "warned": 0})
    if timer.state == "paused":
        return new.model_copy(update={"left": left})
    return _running(new, left, rule, playbook, now)


def resumed_after_merge(
    timers: Mapping[str, Timer], since: datetime, playbook: Playbook, now: datetime
) -> dict[str, Timer]:
    """Return the timers that get a new deadline when a merge is undone.

    A deadline in the future is kept, as promised. A deadline that passed during the merge, when
    nobody could meet it, gets the time that remained at the merge. Appointments never move.

    Args:
        timers: the ticket's timers at the merge.
        since: the time of the merge.
    """
    changed = {}
    for kind, timer in timers.items():
        rule = playbook.timers.get(kind)
        if rule is None or rule.appointment or timer.state != "running" or timer.due_at is None:
            continue
        if since < timer.due_at <= now:
            left = _between(rule, playbook, since, timer.due_at)
            changed[kind] = _running(timer, left, rule, playbook, now)
    return changed


def due_next(ticket: Ticket, playbook: Playbook) -> tuple[str, datetime] | None:
    """Return the kind and the deadline of what is due first; None if nothing is, or all is paused.

    What is overdue stays due until it has happened.
    """
    due = []
    for kind, stored in ticket.timers.items():
        rule = playbook.timers.get(kind)
        timer = settled(stored, rule, playbook) if rule else stored
        if timer.awaits and timer.due_at is not None:
            due.append((timer.due_at, kind))
    if not due:
        return None
    at, kind = min(due)
    return kind, at


def fire(
    ticket: Ticket, playbook: Playbook, now: datetime
) -> tuple[list[TimerWarned | TimerBreached], dict[str, Timer]]:
    """Return the warnings and breaches that are due, and the timers after them.

    A late sweep emits only the last of several missed warnings, and only the breach if that is due
    too.
    """
    events: list[TimerWarned | TimerBreached] = []
    changed: dict[str, Timer] = {}
    for kind, timer in sorted(ticket.timers.items()):
        rule = playbook.timers.get(kind)
        due_at = timer.due_at
        if timer.wakes_at is None or timer.wakes_at > now or due_at is None:
            continue
        if rule is not None:
            timer = settled(timer, rule, playbook)
            due_at = timer.due_at or due_at
            if timer.wakes_at is not None and timer.wakes_at > now:
                changed[kind] = timer
                continue
        if rule is None:  # the playbook no longer has this kind
            changed[kind] = cancelled(timer)
        elif due_at <= now:
            count = timer.breaches + 1
            every = rule.on_breach.repeat_every
            again = None if every is None else _next(due_at, every, rule, playbook, now)
            events.append(TimerBreached(kind=kind, due_at=due_at, count=count))
            changed[kind] = timer.model_copy(
                update={"breaches": count, "wakes_at": again, **_after_deadline(rule, again)}
            )
        else:
            left = _between(rule, playbook, now, due_at)
            spent = timer.allowed - left
            passed = [s for s in sorted(rule.warn_at) if s * timer.allowed <= spent]
            warned = len(passed)
            if warned > timer.warned:  # else the playbook has changed `warn_at`
                events.append(TimerWarned(kind=kind, share=passed[-1], due_at=due_at))
            changed[kind] = timer.model_copy(
                update={
                    "warned": warned,
                    "wakes_at": _wakes(timer, warned, left, rule, playbook, now),
                }
            )
    return events, changed


def _after_deadline(rule: TimerRule, again: datetime | None) -> dict[str, object]:
    if not rule.appointment:
        return {"state": "breached"}
    return {"state": "met"} if again is None else {"state": "running", "due_at": again}


def _overdue(timer: Timer, now: datetime) -> bool:
    return timer.due_at is not None and timer.due_at <= now


def _left(timer: Timer, rule: TimerRule, playbook: Playbook, now: datetime) -> timedelta:
    """Return the time until the deadline, on the timer's clock."""
    return timedelta() if timer.due_at is None else _between(rule, playbook, now, timer.due_at)


def _running(
    timer: Timer, left: timedelta, rule: TimerRule, playbook: Playbook, now: datetime
) -> Timer:
    due = _add(rule, playbook, now, left)
    counted: dict[str, object] = {"left": None, "counted_at": None}
    if rule.clock == "business" and playbook.hours.is_provisional(due):
        counted = {"left": left, "counted_at": now}
    new = timer.model_copy(update={"state": "running", "due_at": due, **counted})
    return new.model_copy(update={"wakes_at": _wakes(new, new.warned, left, rule, playbook, now)})


def _wakes(
    timer: Timer, warned: int, left: timedelta, rule: TimerRule, playbook: Playbook, now: datetime
) -> datetime | None:
    """Return the time of the next warning, or the deadline after the last one.

    A provisional deadline is looked at when its year begins, if nothing comes before.
    """
    spent = timer.allowed - left
    wakes = timer.due_at
    for share in sorted(rule.warn_at)[warned:]:
        ahead = share * timer.allowed - spent
        if ahead > timedelta():
            wakes = _add(rule, playbook, now, ahead)
            break
    if timer.counted_at is not None and timer.due_at is not None and wakes is not None:
        begins = playbook.hours.year_start(timer.due_at)
        return min(wakes, begins) if begins > now else wakes
    return wakes


def _next(
    due: datetime, every: timedelta, rule: TimerRule, playbook: Playbook, now: datetime
) -> datetime:
    """Return the first of due + every, due + 2 × every … after `now`, on the timer's clock."""
    passed = _between(rule, playbook, due, now) // every
    return _add(rule, playbook, due, (passed + 1) * every)


def _add(rule: TimerRule, playbook: Playbook, start: datetime, time: timedelta) -> datetime:
    return start + time if rule.clock == "always" else playbook.hours.add(start, time)


def _between(rule: TimerRule, playbook: Playbook, start: datetime, end: datetime) -> timedelta:
    return end - start if rule.clock == "always" else playbook.hours.between(start, end)
