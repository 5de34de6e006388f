"""Select the agent for a ticket: a suitable team member who is on shift and has capacity (A5, B5,
D7, E7). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from functions.core.domain.matching import fold, mentions
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Needs, Playbook

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Requirements:
    """A ticket's requirements of its agent (B5, D7, E7).

    `level` is the minimum seniority; `excluded` are former handlers who must not get it again.
    """

    team: str
    needs: Needs = field(default_factory=Needs)
    product: str | None = None
    language: str | None = None
    level: int = 0
    excluded: tuple[str, ...] = ()


def suits(agent: Agent, required: Requirements) -> bool:
    """Return whether an agent is suitable for a ticket, with capacity or without."""
    needs = required.needs
    if not agent.assignable:
        return False
    if agent.team != required.team or agent.username in required.excluded:
        return False
    if agent.level < required.level or not set(needs.skills) <= set(agent.skills):
        return False
    if needs.language and agent.languages and required.language not in agent.languages:
        return False
    if not needs.product or not agent.products or not required.product:
        return True
    return mentions(fold(required.product), agent.products) is not None


def candidates(
    agents: Iterable[Agent], required: Requirements, playbook: Playbook, now: datetime
) -> list[Agent]:
    """Return the agents who can take a ticket now, the best choice first.

    The agent who has gone longest without a new ticket comes first (round robin), then the one with
    the smallest load. A desk may prefer the smallest load throughout.
    """
    zone = str(playbook.zone)
    available = [
        agent
        for agent in agents
        if agent.has_capacity and suits(agent, required) and agent.on_shift(now, zone)
    ]
    by_load = playbook.assignment.prefer == "least_loaded"
    return sorted(
        available,
        key=lambda a: (a.load if by_load else 0, a.assigned_at or _NEVER, a.load, a.username),
    )
