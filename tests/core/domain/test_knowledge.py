"""Readers of an article, by audience, state and day."""

from datetime import UTC, datetime
from typing import Any

import pytest

from functions.core.domain.knowledge import Article, Audience, in_locale
from tests.core.sample_desk import NOON, SHANGHAI, both

pytestmark = pytest.mark.requirement("A9")


def article(**changes: Any) -> Article:
    return Article.model_validate({"title": both("题"), "solution": both("答"), **changes})


@pytest.mark.parametrize(
    ("changes", "by", "readable"),
    [
        ({}, "customer", True),
        ({}, "agent", True),
        ({"audience": "agent"}, "customer", False),
        ({"audience": "agent"}, "agent", True),
        ({"state": "draft"}, "agent", False),
        ({"valid": {"from": "2026-03-10"}}, "customer", True),
        ({"valid": {"from": "2026-03-11"}}, "customer", False),
        ({"valid": {"until": "2026-03-10"}}, "customer", True),
        ({"valid": {"until": "2026-03-09"}}, "agent", False),
    ],
)
def test_an_article_is_read_by_its_audience_while_it_is_valid(
    changes: Any, by: Audience, readable: bool
) -> None:
    assert article(**changes).may_be_read(by, NOON, SHANGHAI) is readable


def test_days_are_those_of_the_desk() -> None:
    """At 17:00 UTC the next day has begun in Shanghai."""
    evening = datetime(2026, 3, 10, 17, tzinfo=UTC)
    assert article(valid={"from": "2026-03-11"}).may_be_read("customer", evening, SHANGHAI)


def test_a_text_is_in_a_language_or_in_the_one_that_it_has() -> None:
    assert in_locale({"zh-CN": "题", "en": "T"}, "en") == "T"
    assert in_locale({"zh-CN": "题"}, "en") == "题"
