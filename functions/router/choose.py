"""Who gets a ticket (A5, D7): a member of the team who is free, the one with the least in hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from functions.core.roster import Agent

_NEVER = datetime.min.replace(tzinfo=UTC)


def candidates(agents: Iterable[Agent], team: str) -> list[Agent]:
    """The members of a team who have room, the best choice first.

    The least loaded comes first; among equals the one longest without a new ticket, so that the
    work goes round.
    """
    free = [agent for agent in agents if agent.team == team and agent.has_room]
    return sorted(free, key=lambda a: (a.load, a.assigned_at or _NEVER, a.username))
