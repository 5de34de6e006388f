"""Who could take a ticket, and who comes first (A5, B5, D7, B9)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from functions.core.domain.rules import Needs, Playbook, load
from functions.router.agent_selection import Requirements, candidates, suits
from tests.core.sample_desk import DESK, NOON, agent

TEAM = "technical"


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    return load(DESK)


def selected(playbook: Playbook, *agents: Any, **required: Any) -> list[str]:
    selection = candidates(agents, Requirements(TEAM, **required), playbook, NOON)
    return [candidate.username for candidate in selection]


@pytest.mark.requirement("D7")
def test_only_who_is_present_and_has_a_place_free(playbook: Playbook) -> None:
    """Offline, full and on another team are none; one place is enough."""
    usernames = selected(
        playbook,
        agent("free", load=1, capacity=2),
        agent("full", load=2, capacity=2),
        agent("away", load=0, online=False),
        agent("other", team="general"),
        agent("off", shift={"tue": [["18:00", "24:00"]]}),
        agent("on", shift={"tue": [["09:00", "18:00"]]}),
    )
    assert sorted(usernames) == ["free", "on"]


@pytest.mark.requirement("B9", "E7")
def test_who_has_had_it_is_not_given_it_again(playbook: Playbook) -> None:
    """A second handling is somebody else's, and of the level at least that it asks for."""
    agents = [agent("first", level=2), agent("junior", level=0), agent("senior", level=1)]
    assert selected(playbook, *agents, excluded=("first",), level=1) == ["senior"]


@pytest.mark.requirement("B5")
def test_all_the_skills_that_are_needed_and_a_language_that_is_named(playbook: Playbook) -> None:
    """One of two skills is not enough; who names no language speaks with everybody."""
    needs = Needs(skills=("a", "b"), language=True)
    required = Requirements(TEAM, needs=needs, language="en")
    assert suits(agent("x", skills=("a", "b", "c"), languages=("en",)), required)
    assert suits(agent("x", skills=("a", "b")), required)
    assert not suits(agent("x", skills=("a",)), required)
    assert not suits(agent("x", skills=("a", "b"), languages=("zh-CN",)), required)


@pytest.mark.requirement("A5")
def test_the_one_longest_without_a_ticket_comes_first(playbook: Playbook) -> None:
    """So that the work goes round; among equals the one with less in hand, then by name."""
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
