"""Suitable agents and their order."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from functions.core.domain.rules import Needs, Playbook
from functions.core.playbook import load
from functions.router.agent_selection import FEW, Requirements, candidates, spread, suits
from tests.core.sample_desk import DESK, NOON, agent

pytestmark = pytest.mark.requirement("A5", "B5", "D7", "B9")
TEAM = "technical"


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    return load(DESK)


def selected(playbook: Playbook, *agents: Any, **required: Any) -> list[str]:
    selection = candidates(agents, Requirements(TEAM, **required), playbook, NOON)
    return [candidate.username for candidate in selection]


@pytest.mark.requirement("D7")
def test_only_agents_on_shift_with_capacity_are_candidates(playbook: Playbook) -> None:
    usernames = selected(
        playbook,
        agent("free", load=1, capacity=2),
        agent("full", load=2, capacity=2),
        agent("away", load=0, online=False),
        agent("left", active=False),
        agent("administration", role="admin"),
        agent("other", team="general"),
        agent("off", shift={"tue": [["18:00", "24:00"]]}),
        agent("on", shift={"tue": [["09:00", "18:00"]]}),
    )
    assert sorted(usernames) == ["free", "on"]


@pytest.mark.requirement("B9", "E7")
def test_a_former_handler_does_not_get_a_second_handling(playbook: Playbook) -> None:
    """It requires another agent of at least the given level."""
    agents = [agent("first", level=2), agent("junior", level=0), agent("senior", level=1)]
    assert selected(playbook, *agents, excluded=("first",), level=1) == ["senior"]


@pytest.mark.requirement("B5")
def test_an_agent_needs_all_skills_and_the_language(playbook: Playbook) -> None:
    """An agent without languages speaks all of them."""
    needs = Needs(skills=("a", "b"), language=True)
    required = Requirements(TEAM, needs=needs, language="en")
    assert suits(agent("x", skills=("a", "b", "c"), languages=("en",)), required)
    assert suits(agent("x", skills=("a", "b")), required)
    assert not suits(agent("x", skills=("a",)), required)
    assert not suits(agent("x", skills=("a", "b"), languages=("zh-CN",)), required)


@pytest.mark.requirement("A5")
def test_the_agent_longest_without_a_ticket_comes_first(playbook: Playbook) -> None:
    """Then the one with the smallest load."""
    later = NOON + timedelta(minutes=1)
    agents = [
        agent("b", load=0, assigned_at=later, capacity=9),
        agent("d", load=3, assigned_at=NOON, capacity=9),
        agent("c", load=2, assigned_at=NOON, capacity=9),
        agent("a", load=5, capacity=9),
    ]
    assert selected(playbook, *agents) == ["a", "c", "d", "b"]
    assignment = playbook.assignment.model_copy(update={"prefer": "least_loaded"})
    by_load = playbook.model_copy(update={"assignment": assignment})
    assert selected(by_load, *agents) == ["b", "c", "d", "a"]


@pytest.mark.requirement("E11")
def test_concurrent_routers_choose_different_agents_among_equals(playbook: Playbook) -> None:
    """All of them see the same roster; only the ticket's number tells them apart."""
    moment = timedelta(microseconds=1)
    agents = [agent(f"agent-{n}", assigned_at=NOON + n * moment) for n in range(10)]
    first = Counter(
        candidates(agents, Requirements(TEAM), playbook, NOON, f"CS{serial:04}")[0].username
        for serial in range(500)
    )
    assert len(first) == 10
    assert max(first.values()) < 100
    again = [candidates(agents, Requirements(TEAM), playbook, NOON, "CS0001") for _ in range(2)]
    assert again[0] == again[1]


@pytest.mark.requirement("E11")
def test_who_lost_the_best_agent_tries_the_next_in_an_order_of_its_own() -> None:
    """Among the next best; the others follow in order."""
    ranked = [agent(f"agent-{n:02}") for n in range(FEW + 4)]
    orders = [spread(ranked, f"CS{serial}") for serial in range(50)]
    assert len({order[0].username for order in orders}) == FEW
    for order in orders:
        assert sorted(order[:FEW], key=lambda a: a.username) == ranked[:FEW]
        assert order[FEW:] == ranked[FEW:]
