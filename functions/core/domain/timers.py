"""Deadlines: how timers start, stop, pause, warn and breach (G2, F3).

Pure rules over a playbook's `timers`. A timer runs on one of two clocks: `always` (every second
counts) or `business` (the desk's opening hours). Pausing keeps what is left in that clock's own
time, so a pause over a lunch break or a holiday costs and gives nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from functions.core.domain.events import Event, StepTaken, TimerBreached, TimerWarned
from functions.core.domain.matching import Facts, holds
from functions.core.domain.rules import Playbook, TimerRule
from functions.core.domain.ticket import Ticket, Timer, TimerState

_ENDED = frozenset({"archived", "closed", "merged"})
_LIVE = frozenset({"running", "paused"})


def follow(
    before: Ticket | None,
    after: Ticket,
    events: Iterable[Event],
    playbook: Playbook,
    now: datetime,
) -> dict[str, Timer]:
    """The timers that `events` start, stop, pause or resume; those that stay are left out.

    Args:
        before: the ticket before the events, None where they open it.
        after: the ticket after them, its timers still untouched.
    """
    events = tuple(events)
    happened: set[str] = {event.event for event in events}
    happened |= {f"step:{event.step}" for event in events if isinstance(event, StepTaken)}
    changed: dict[str, Timer] = {}
    for kind, rule in playbook.timers.items():
        timer = after.timers.get(kind)
        new = timer
        if new is not None and happened & set(rule.stop):
            new = stopped(new, now)
        if happened & set(rule.start) and holds(rule.when, Facts.of(after)):
            new = started(rule, after, playbook, now)
        if new is None:
            continue
        if after.status in _ENDED:
            new = cancelled(new)
        elif new.state == "running" and after.status in rule.pause_in:
            new = paused(new, rule, playbook, now)
        elif new.state == "paused" and after.status not in rule.pause_in:
            new = resumed(new, rule, playbook, now)
        if before is not None and before.priority != after.priority and new is timer:
            new = reallowed(new, rule, after.priority, playbook, now)
        if new != timer:
            changed[kind] = new
    return changed


def started(rule: TimerRule, ticket: Ticket, playbook: Playbook, now: datetime) -> Timer:
    """A timer that begins to run: to the moment that a step has named, else for its allowance."""
    until = moment_in(ticket.facts.get(rule.until)) if rule.until else None
    if until is not None and until > now:
        allowed = _between(rule, playbook, now, until)
    else:
        allowed = rule.allowance(ticket.priority)
    return _running(
        Timer(state="running", started_at=now, allowed=allowed), allowed, rule, playbook, now
    )


def moment_in(written: str | None) -> datetime | None:
    """The moment that a field of kind `time` holds, if it does."""
    try:
        found = datetime.fromisoformat(written) if written else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def stopped(timer: Timer, now: datetime) -> Timer:
    """A timer whose purpose is fulfilled: met, or breached where that came after the deadline."""
    late = timer.due_at is not None and now > timer.due_at
    return _ended(timer, "breached" if late else "met")


def cancelled(timer: Timer) -> Timer:
    """A timer that no longer matters, since the ticket has ended."""
    return _ended(timer, "cancelled")


def _ended(timer: Timer, state: TimerState) -> Timer:
    """A timer that will not ring again, with no more than what it is remembered by."""
    kept = state if timer.state in _LIVE else timer.state
    return Timer(state=kept, due_at=timer.due_at, warned=timer.warned, breaches=timer.breaches)


def paused(timer: Timer, rule: TimerRule, playbook: Playbook, now: datetime) -> Timer:
    """A timer that stands still, with what is left of it; an overdue one runs on to its breach."""
    if _overdue(timer, now):
        return timer
    left = _left(timer, rule, playbook, now)
    return timer.model_copy(
        update={"state": "paused", "due_at": None, "wakes_at": None, "left": left}
    )


def resumed(timer: Timer, rule: TimerRule, playbook: Playbook, now: datetime) -> Timer:
    """A timer that runs on with what was left."""
    return _running(timer, timer.left or timedelta(), rule, playbook, now)


def reallowed(
    timer: Timer, rule: TimerRule, priority: str, playbook: Playbook, now: datetime
) -> Timer:
    """A timer under another priority's allowance; the time already spent stays spent.

    One whose deadline has passed is late whatever comes after, though no sweep has seen it yet.
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


def taken_up(
    timers: Mapping[str, Timer], since: datetime, playbook: Playbook, now: datetime
) -> dict[str, Timer]:
    """Those of a ticket's timers that need a new deadline when it goes on after a merge.

    A deadline that is still ahead is kept, as it was promised. One that passed meanwhile gets what
    was left when the ticket was merged: nobody could have met it. An appointment is never moved.

    Args:
        timers: as they were when the ticket was merged.
        since: when that was.
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


def ring(
    ticket: Ticket, playbook: Playbook, now: datetime
) -> tuple[list[TimerWarned | TimerBreached], dict[str, Timer]]:
    """What is due at `now`: the warnings and breaches, and the timers after them.

    A sweep that comes late emits one warning, not all that it missed, and a breach rather than the
    warnings before it.
    """
    events: list[TimerWarned | TimerBreached] = []
    changed: dict[str, Timer] = {}
    for kind, timer in sorted(ticket.timers.items()):
        rule = playbook.timers.get(kind)
        if timer.wakes_at is None or timer.wakes_at > now or timer.due_at is None:
            continue
        if rule is None:  # the playbook has dropped this kind since
            changed[kind] = cancelled(timer)
        elif timer.due_at <= now:
            count = timer.breaches + 1
            every = rule.on_breach.repeat_every
            again = None if every is None else _next(timer.due_at, every, now)
            events.append(TimerBreached(kind=kind, due_at=timer.due_at, count=count))
            changed[kind] = timer.model_copy(
                update={"breaches": count, "wakes_at": again, **_after_ringing(rule, again)}
            )
        else:
            left = _between(rule, playbook, now, timer.due_at)
            spent = timer.allowed - left
            passed = [s for s in sorted(rule.warn_at) if s * timer.allowed <= spent]
            warned = len(passed)
            if warned > timer.warned:  # else the playbook has moved its warnings since
                events.append(TimerWarned(kind=kind, share=passed[-1], due_at=timer.due_at))
            changed[kind] = timer.model_copy(
                update={
                    "warned": warned,
                    "wakes_at": _wakes(timer, warned, left, rule, playbook, now),
                }
            )
    return events, changed


def _after_ringing(rule: TimerRule, again: datetime | None) -> dict[str, object]:
    """What a timer is after its deadline: breached, or an appointment kept or running on."""
    if not rule.appointment:
        return {"state": "breached"}
    return {"state": "met"} if again is None else {"state": "running", "due_at": again}


def _overdue(timer: Timer, now: datetime) -> bool:
    return timer.due_at is not None and timer.due_at <= now


def _left(timer: Timer, rule: TimerRule, playbook: Playbook, now: datetime) -> timedelta:
    """What is left until the deadline, in the time of the timer's clock."""
    return timedelta() if timer.due_at is None else _between(rule, playbook, now, timer.due_at)


def _running(
    timer: Timer, left: timedelta, rule: TimerRule, playbook: Playbook, now: datetime
) -> Timer:
    due = _add(rule, playbook, now, left)
    new = timer.model_copy(update={"state": "running", "due_at": due, "left": None})
    return new.model_copy(update={"wakes_at": _wakes(new, new.warned, left, rule, playbook, now)})


def _wakes(
    timer: Timer,
    warned: int,
    left: timedelta,
    rule: TimerRule,
    playbook: Playbook,
    now: datetime,
) -> datetime | None:
    """The next warning that is still ahead, else the deadline."""
    spent = timer.allowed - left
    for share in sorted(rule.warn_at)[warned:]:
        ahead = share * timer.allowed - spent
        if ahead > timedelta():
            return _add(rule, playbook, now, ahead)
    return timer.due_at


def _next(due: datetime, every: timedelta, now: datetime) -> datetime:
    """The first of due + every, due + 2 × every … that lies after `now`."""
    return due + ((now - due) // every + 1) * every


def _add(rule: TimerRule, playbook: Playbook, start: datetime, time: timedelta) -> datetime:
    return start + time if rule.clock == "always" else playbook.hours.add(start, time)


def _between(rule: TimerRule, playbook: Playbook, start: datetime, end: datetime) -> timedelta:
    return end - start if rule.clock == "always" else playbook.hours.between(start, end)
