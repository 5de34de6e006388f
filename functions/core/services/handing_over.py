"""Let an agent's tickets wait for somebody else, at the end of a shift or when the agent leaves."""

from collections.abc import Collection
from datetime import datetime

from functions.core.domain import commands as c
from functions.core.domain.errors import Conflict
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import IN_HAND, Status, Ticket
from functions.core.services.command_service import change
from functions.core.storage.database import Storage

BEING_WORKED_ON: frozenset[Status] = frozenset({"assigned", "in_progress"})
"""The states of tickets that change hands when a shift ends; one that waits for its customer or a
department keeps its handler, who has asked."""

LEFT_BEHIND = IN_HAND - {"awaiting_confirmation"}
"""The states of tickets that a leaver hands over: where a customer confirms, nobody is needed."""

_PASSES = 5
"""Lists of the agent's tickets: one that changes meanwhile comes again."""


def end_shift(
    storage: Storage, playbook: Playbook, username: str, actor: str, now: datetime
) -> None:
    """Hand over what an agent works on as the playbook says (`assignment.end_of_shift`)."""
    to = playbook.assignment.end_of_shift
    if to != "keep":
        hand_over(
            storage,
            playbook,
            username,
            BEING_WORKED_ON,
            actor=actor,
            reason="shift ended",
            to_supervisors=to == "supervisor",
            now=now,
        )


def hand_over(
    storage: Storage,
    playbook: Playbook,
    username: str,
    statuses: Collection[Status],
    *,
    actor: str,
    reason: str,
    now: datetime,
    to_supervisors: bool = False,
) -> dict[str, bool]:
    """Let tickets wait for their team, or for the supervisors if nobody of it is on the roster.

    Returns:
        The number of each ticket, and whether it waits for its team.
    """
    desk = playbook.desk
    moved: dict[str, bool] = {}
    for _ in range(_PASSES):
        held = [
            ticket
            for ticket in tickets_of(storage, f"{desk}#agent#{username}")
            if ticket.in_hand_of == username and ticket.status in statuses
        ]
        if not held:
            break
        staffed = {agent.team for agent in storage.roster.list(desk) if agent.assignable}
        for ticket in held:
            team = playbook.team_or_last(ticket.team)
            waits = team in staffed and not to_supervisors
            queue = c.Enqueue(team, "waiting" if waits else "supervisor", reason=reason)
            try:
                change(storage, desk, ticket.number, queue, playbook, now, actor=actor, seen=ticket)
            except Conflict:
                continue
            moved[ticket.number] = waits
    return moved


def tickets_of(storage: Storage, partition: str) -> list[Ticket]:
    found: list[Ticket] = []
    cursor: str | None = None
    while True:
        page, cursor = storage.tickets.queue_page([partition], cursor)
        found += page
        if cursor is None:
            return found
