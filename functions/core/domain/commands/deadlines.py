"""The sweep's command."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.core.domain import events as e, timers
from functions.core.domain.commands.base import ANY_STATUS, TicketCommand
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import OPEN, Queue, Ticket


@dataclass(frozen=True)
class Tick(
    TicketCommand,
    name="tick",
    sources=ANY_STATUS,
    by="sla_timer",
    meaning="a deadline is near or past",
):
    """Warn, breach and escalate the timers that are due at `now` (G2)."""

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        due, changed = timers.fire(ticket, playbook, now)
        events: list[e.Event] = list(due)
        for event in due:
            rule = playbook.timers[event.kind]
            effects = rule.on_breach if isinstance(event, e.TimerBreached) else rule.on_warning
            reason = f"timer:{event.kind}"
            if effects.raise_by:
                priority = playbook.shifted(ticket.priority, effects.raise_by)
                if priority != ticket.priority:
                    raised = e.PriorityChanged(priority=priority, reason=reason, again=False)
                    events.append(raised)
            queue: Queue | None = "waiting" if effects.queue == "team" else effects.queue
            if queue and ticket.queue != queue and ticket.status in OPEN:
                team = effects.team or playbook.team_or_last(ticket.team)
                events.append(e.TicketQueued(team=team, queue=queue, reason=reason))
        return [*events, e.TimersSet(timers=changed)] if changed else events
