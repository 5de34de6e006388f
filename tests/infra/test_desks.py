"""The differences that applying a playbook shows, and the agents of the local system."""

import pytest

from functions.core.playbook import load
from infra.deploy.desks import differences, shipped
from infra.deploy.steps import ROOT
from infra.local.people import people_of


@pytest.mark.requirement("A1")
def test_changes_are_shown_key_by_key() -> None:
    """New, removed and changed keys; in lists of words the words."""
    before = {"a": 1, "b": {"c": "x", "d": ["p", "q"]}, "gone": True, "rules": [{"t": 1}]}
    after = {"a": 2, "b": {"c": "x", "d": ["q", "r"]}, "new": "y", "rules": [{"t": 1}, {"t": 2}]}
    assert list(differences(before, after)) == [
        "- gone: true", "~ a: 1 → 2", "- b.d: p", "+ b.d: r", "+ new: y", '+ rules[1]: {"t": 2}',
    ]  # fmt: skip


def test_a_changed_order_of_priorities_is_a_change() -> None:
    before, after = {"p": {"高": 1, "低": 2}}, {"p": {"低": 2, "高": 1}}
    assert list(differences(before, after)) == ["~ p: order 高, 低 → 低, 高"]
    assert list(differences({"l": ["a", "b"]}, {"l": ["b", "a"]})) == [
        '~ l: order ["a", "b"] → ["b", "a"]'
    ]
    assert list(differences(before, before)) == []


def test_long_texts_show_where_they_differ() -> None:
    before = {"t": "x" * 200 + "\nold" + "y" * 200}
    after = {"t": "x" * 200 + "\nnew" + "y" * 200}
    (line,) = differences(before, after)
    old, new = line.removeprefix("~ t: ").split(" → ")
    assert "⏎old" in old
    assert "⏎new" in new
    assert len(line) < 300


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
