"""The differences between two versions of an article."""

from typing import Any

import pytest

from functions.core.domain.knowledge import Article
from functions.core.knowledge.differences import differences

pytestmark = pytest.mark.requirement("H6")
BASE: dict[str, Any] = {
    "title": {"en": "Refund"},
    "asked": {"en": tuple("abcdef")},
    "solution": {"en": "One.\nTwo.\nThree.\nFour."},
}


def changed(**after: Any) -> dict[str, list[tuple[str, str]]]:
    found = differences(Article(**BASE), Article.model_validate({**BASE, **after}))
    return {change.part: [(line.kind, line.text) for line in change.lines] for change in found}


def test_a_first_version_and_the_same_one_have_none() -> None:
    assert differences(None, Article(**BASE)) == []
    assert changed() == {}


def test_only_the_lines_around_a_change_are_there() -> None:
    assert changed(solution={"en": "One.\nTwo.\nThree!\nFour."}) == {
        "solution.en": [
            ("kept", "Two."), ("removed", "Three."), ("added", "Three!"), ("kept", "Four."),
        ],
    }  # fmt: skip
    assert changed(asked={"en": (*"abcdef", "g")}) == {
        "asked.en": [("kept", "f"), ("added", "g")],
    }


def test_each_part_is_told() -> None:
    found = changed(
        title={"zh-CN": "退款"},
        type="fault",
        needs={"points": "looked_up"},
        valid={"until": "2026-12-31"},
        state="draft",
    )
    assert found == {
        "title.zh-CN": [("added", "退款")],
        "title.en": [("removed", "Refund")],
        "needs": [("added", "points: looked_up")],
        "type": [("added", "fault")],
        "state": [("removed", "published"), ("added", "draft")],
        "valid.until": [("added", "2026-12-31")],
    }
