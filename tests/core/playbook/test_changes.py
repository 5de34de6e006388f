"""The differences that applying a playbook shows."""

from typing import Any

import pytest

from functions.core.playbook import load
from functions.core.playbook.changes import by_section, differences, for_the_console
from tests.core.sample_desk import DESK, both


def lines(before: Any, after: Any) -> list[str]:
    return [str(change) for change in differences(before, after)]


@pytest.mark.requirement("A1")
def test_changes_are_shown_key_by_key() -> None:
    """New, removed and changed keys; in lists of words the words."""
    before = {"a": 1, "b": {"c": "x", "d": ["p", "q"]}, "gone": True, "rules": [{"t": 1}]}
    after = {"a": 2, "b": {"c": "x", "d": ["q", "r"]}, "new": "y", "rules": [{"t": 1}, {"t": 2}]}
    assert lines(before, after) == [
        "- gone: true", "~ a: 1 → 2", "- b.d: p", "+ b.d: r", "+ new: y", '+ rules[1]: {"t": 2}',
    ]  # fmt: skip


def test_a_changed_order_of_priorities_is_a_change() -> None:
    before, after = {"p": {"高": 1, "低": 2}}, {"p": {"低": 2, "高": 1}}
    assert lines(before, after) == ["~ p: order 高, 低 → 低, 高"]
    assert lines({"l": ["a", "b"]}, {"l": ["b", "a"]}) == ['~ l: order ["a", "b"] → ["b", "a"]']
    assert lines(before, before) == []


def test_long_texts_show_where_they_differ() -> None:
    before = {"t": "x" * 200 + "\nold" + "y" * 200}
    after = {"t": "x" * 200 + "\nnew" + "y" * 200}
    (line,) = lines(before, after)
    old, new = line.removeprefix("~ t: ").split(" → ")
    assert "⏎old" in old
    assert "⏎new" in new
    assert len(line) < 300


def test_changes_are_grouped_by_the_sections_of_a_playbook() -> None:
    before = {"a": {"x": 1, "y": 2}, "rules": [{"t": 1}]}
    after = {"rules": [{"t": 2}, {"t": 3}], "a": {"x": 2, "y": 3}}
    found = by_section(differences(before, after))
    assert {section: [change.key for change in changes] for section, changes in found.items()} == {
        "rules": ["rules[0].t", "rules[1]"],
        "a": ["a.x", "a.y"],
        "": [""],
    }


def test_what_a_playbook_alone_cannot_bring_is_for_the_console() -> None:
    """A new secret, not one that is given up, and another domain, however it is written."""
    source = {"url": "https://erp.example/{number}", "values": {"state": "a"}}
    assistant = {"welcome": both("您好"), "variables": {"number": both("号"), "state": both("态")}}
    plain, signed = (
        load({**DESK, "assistant": {**assistant, "sources": {"erp": source | secret}}})
        for secret in ({}, {"secret": "erp"})
    )
    assert [str(why) for why in for_the_console(plain, signed)] == [
        "assistant.sources: erp need a secret."
    ]
    assert for_the_console(signed, plain) == []
    mail = signed.mail.model_copy(update={"address": signed.mail.address.upper()})
    assert for_the_console(signed, signed.model_copy(update={"mail": mail})) == []
