"""Who gets a ticket (A5, B5, D7, E7): a member of the team who is suitable, present and free."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from functions.core.domain.matching import fold, mentions
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Needs, Playbook

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Wanted:
    """What a ticket asks of whoever gets it (B5, D7, E7).

    `level` is the least seniority; `excluded` have had it before and are not to have it again.
    """

    team: str
    needs: Needs = field(default_factory=Needs)
    product: str | None = None
    language: str | None = None
    level: int = 0
    excluded: tuple[str, ...] = ()


def suits(agent: Agent, wanted: Wanted) -> bool:
    """Whether an agent could take the ticket at all, free or not."""
    needs = wanted.needs
    if agent.team != wanted.team or agent.username in wanted.excluded:
        return False
    if agent.level < wanted.level or not set(needs.skills) <= set(agent.skills):
        return False
    if needs.language and agent.languages and wanted.language not in agent.languages:
        return False
    if not needs.product or not agent.products or not wanted.product:
        return True
    return mentions(fold(wanted.product), agent.products) is not None


def candidates(
    agents: Iterable[Agent],
    wanted: Wanted,
    playbook: Playbook,
    now: datetime,
) -> list[Agent]:
    """Those who could take a ticket now, the best choice first.

    Whoever has room is equal; the one longest without a new ticket comes first, so that the work
    goes round; of those who got theirs in one batch, the one with the least in hand. A desk may
    prefer the one with the least in hand throughout.
    """
    zone = str(playbook.zone)
    free = [
        agent
        for agent in agents
        if agent.has_capacity and suits(agent, wanted) and agent.on_shift(now, zone)
    ]
    by_load = playbook.assignment.prefer == "least_loaded"
    return sorted(
        free,
        key=lambda a: (a.load if by_load else 0, a.assigned_at or _NEVER, a.load, a.username),
    )
