"""The agents of the local system."""

import pytest

from functions.core.playbook import load
from infra.deploy.desks import shipped
from infra.deploy.steps import ROOT
from infra.local.people import people_of


@pytest.mark.requirement("G8")
def test_a_local_desk_has_the_contract_s_agents() -> None:
    """Two agents a team, a supervisor, a QA member, finance and administration."""
    for desk in shipped():
        playbook = load(ROOT / "playbooks" / f"{desk}.yaml")
        people = list(people_of(playbook))
        assert len({person.username for person in people}) == len(people)
        roles = [person.role for person in people]
        assert {"supervisor", "qa", "finance", "admin"} <= set(roles)
        for team, rules in playbook.teams.items():
            members = [person for person in people if person.team == team]
            assert len(members) >= (2 if rules.role == "agent" else 1)


@pytest.mark.requirement("D7", "E7")
def test_local_engineers_cover_different_product_lines() -> None:
    """Every line has an engineer and a senior, so a second handling finds somebody."""
    playbook = load(ROOT / "playbooks" / "aftersales.yaml")
    first, senior, third = (p for p in people_of(playbook) if p.team == "维修工程师组")
    lines = {rule.then.product for rule in playbook.rules if rule.then.product}
    assert set(first.products) | set(third.products) == lines
    assert not set(first.products) & set(third.products)
    assert (senior.products, senior.level) == ((), 1)
