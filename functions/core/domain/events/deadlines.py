"""Warnings and breaches of deadlines."""

from datetime import datetime

from functions.core.domain.events.base import Commit, Event
from functions.core.domain.privacy import TermName
from functions.core.domain.ticket import Ticket, TicketChanges, Timer


class TimerWarned(Event, label=("时限即将到期", "Deadline near"), webhook="timer.warning_reached"):
    """A deadline is near: `share` of its time has passed."""

    kind: TermName
    share: float
    due_at: datetime


class TimerBreached(Event, label=("已超过时限", "Deadline passed"), webhook="timer.breached"):
    """A deadline passed; `count` is 1 at the deadline and rises with each repetition."""

    kind: TermName
    due_at: datetime
    count: int = 1


class TimersSet(Event, label=("计时更新", "Timers updated"), webhook=None):
    """The effect of this commit's events on the ticket's timers."""

    timers: dict[str, Timer]

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        timers = {**ticket.timers, **self.timers}
        first = timers.get("first_response")
        if first is None or first.due_at is None:
            return {"timers": timers}
        return {"timers": timers, "expected_response_by": first.due_at}
