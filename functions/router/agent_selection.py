"""Select the agent for a ticket: a suitable team member who is on shift and has capacity (A5, B5,
D7, E7). Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zlib import crc32

from functions.core.domain.matching import fold, mentions
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Needs, Playbook

FEW = 8
"""The candidates among whom a router chooses that lost the best one to another."""

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
    agents: Iterable[Agent],
    required: Requirements,
    playbook: Playbook,
    now: datetime,
    number: str = "",
) -> list[Agent]:
    """Return the agents who can take a ticket now, the best choice first.

    The agent who has gone longest without a new ticket comes first (round robin), then the one with
    the smallest load. A desk may prefer the smallest load throughout. Among equals the ticket's
    number decides, so that concurrent routers choose different agents; whoever got the last ticket
    in the same second is equal, since a router's view of the roster is about as old.
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
        key=lambda a: (a.load if by_load else 0, _idle_since(a), a.load, _drawn(a, number)),
    )


def spread(ranked: Sequence[Agent], number: str) -> list[Agent]:
    """Return candidates with the first `FEW` in an order of the ticket's own.

    For a router that lost the best one to another: all who lost would try the next one together.
    """
    return [*sorted(ranked[:FEW], key=lambda a: _drawn(a, number)), *ranked[FEW:]]


def _idle_since(agent: Agent) -> datetime:
    return (agent.assigned_at or _NEVER).replace(microsecond=0)


def _drawn(agent: Agent, number: str) -> int:
    """Return an agent's place in the order that a ticket's number draws."""
    return crc32(f"{agent.username} {number}".encode())
