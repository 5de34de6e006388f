"""Tasks of people on a ticket beside handling it: call-backs, calls, slips, reviews,
approvals. Pure.

Each person finds these tickets in the queue `tasks`, until what they ask for is on record.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from functions.core.domain import events as e
from functions.core.domain.matching import Facts, holds
from functions.core.domain.recipients import TEAM_IN, TEAM_NAMED
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Playbook, Step
from functions.core.domain.ticket import OPEN, Slip, Ticket, TicketTask


def tasks_of(ticket: Ticket, playbook: Playbook) -> tuple[TicketTask, ...]:
    """The tasks of a ticket, at most one of a kind for each assignee."""
    tasks = {(task.assignee, task.kind): task for task in reversed([*_tasks(ticket, playbook)])}
    return tuple(tasks.values())[::-1]


def _tasks(ticket: Ticket, playbook: Playbook) -> Iterator[TicketTask]:
    if ticket.status == "merged":
        return
    if ticket.status == "in_review":
        due_at = _due_at(ticket, "callback", "review")
        yield TicketTask(kind="callback", assignee=_who_calls_back(ticket), due_at=due_at)
    if ticket.calls and not ticket.erased:
        due_at = _due_at(ticket, "first_response")
        yield TicketTask(kind="call", assignee=_who_calls(ticket), due_at=due_at)
    if ticket.status not in OPEN:
        return
    if ticket.pending is not None:
        yield TicketTask(kind="approval", assignee="role:supervisor")
    for slip in ticket.slips:
        due_at = _due_at(ticket, "collaboration")
        yield TicketTask(kind="slip", assignee=f"{TEAM_NAMED}{slip.team}", due_at=due_at)
    for kind, timer in ticket.timers.items():
        rule = playbook.timers.get(kind)
        if rule is not None and rule.task is not None and timer.awaits:
            yield TicketTask(kind=kind, assignee=rule.task, due_at=timer.due_at)


def assignees(agent: Agent) -> tuple[str, ...]:
    """The assignees whose tasks are this person's: the person, the team, and the roles."""
    roles = {"supervisor" if role == "admin" else role for role in agent.roles}
    return (
        f"agent:{agent.username}",
        f"{TEAM_NAMED}{agent.team}",
        *(f"role:{role}" for role in sorted(roles & {"supervisor", "qa"})),
    )


def _who_calls_back(ticket: Ticket) -> str:
    """The reviewer; until there is one, QA (A13) or the team that has to call (D13)."""
    if ticket.reviewer:
        return f"agent:{ticket.reviewer}"
    return "role:qa" if ticket.queue == "qa" or not ticket.team else f"{TEAM_NAMED}{ticket.team}"


def _who_calls(ticket: Ticket) -> str:
    if ticket.handler:
        return f"agent:{ticket.handler}"
    return f"{TEAM_NAMED}{ticket.team}" if ticket.team else "role:supervisor"


def _due_at(ticket: Ticket, *kinds: str) -> datetime | None:
    """The deadline of the first of these timers that still waits."""
    timers = (ticket.timers[kind] for kind in kinds if kind in ticket.timers)
    return next((timer.due_at for timer in timers if timer.awaits), None)


def may_call_back(username: str, ticket: Ticket) -> bool:
    """Return whether a person may call back about a ticket: nobody about their own work, unless a
    supervisor has insisted (A13, D13)."""
    return username == ticket.reviewer or not ticket.handled_by(username)


def has_to_call_back(agent: Agent, ticket: Ticket) -> bool:
    """Return whether the call-back of a ticket in review is this person's task (A13, D13)."""
    mine = ticket.status == "in_review" and _who_calls_back(ticket) in assignees(agent)
    return mine and may_call_back(agent.username, ticket)


def has_to_call(agent: Agent, ticket: Ticket) -> bool:
    """Return whether a call to the customer is this person's task (A13, B8, D13)."""
    passes_on = bool(ticket.calls) and _who_calls(ticket) in assignees(agent)
    return passes_on or has_to_call_back(agent, ticket)


def has_task(agent: Agent, ticket: Ticket) -> bool:
    return any(
        task.assignee in assignees(agent)
        and (task.kind != "callback" or may_call_back(agent.username, ticket))
        for task in ticket.tasks
    )


_BY_PEOPLE = (e.ReplySent, e.InformationRequested, e.StepTaken, e.TicketResolved, e.TicketClosed)
"""Events that a person of the desk causes. Automatic messages are not for a call: nobody is called
to hear that a ticket was assigned."""


def wants_call(ticket: Ticket, events: Iterable[e.Event], playbook: Playbook) -> bool:
    """Return whether the customer has to be called to hear of events of one commit (B8)."""
    if not ticket.customer.is_called or ticket.erased:
        return False
    return any(
        isinstance(event, _BY_PEOPLE)
        and not _is_call(event, playbook)
        and not getattr(event, "silent", False)
        and _is_told(event, ticket, playbook)
        for event in events
    )


def _is_call(event: e.Event, playbook: Playbook) -> bool:
    step = playbook.steps.get(getattr(event, "step", ""))
    return step is not None and step.calls


def _is_told(event: e.Event, ticket: Ticket, playbook: Playbook) -> bool:
    facts = Facts.of(ticket, event.words)
    return any(
        rule.to == "customer" and rule.on in event.triggers and holds(rule.when, facts)
        for rule in playbook.notifications
    )


def asked_team(recipient: str, fields: dict[str, str]) -> str:
    """The team that a step asks: the one named, or the one in a field."""
    if recipient.startswith(TEAM_IN):
        return fields.get(recipient.removeprefix(TEAM_IN), "")
    return recipient.removeprefix(TEAM_NAMED)


def open_slips(step: Step, ticket: Ticket, team: str | None = None) -> tuple[Slip, ...]:
    """The slips that a step would answer: those of `team` if it was asked, else all.

    A ticket of an earlier version, which waits without a slip, asks the step's `teams`.
    """
    slips = tuple(slip for slip in ticket.slips if slip.step in step.answers)
    if not ticket.slips and ticket.pending is None and ticket.status == "awaiting_department":
        slips = tuple(Slip(step=asked, team=name) for asked in step.answers for name in step.teams)
    return tuple(slip for slip in slips if slip.team == team) or slips
