"""Conditions and keywords: what counts as said."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from functions.core.domain.matching import Facts, find_term, fold, holds, mentions, places
from functions.core.domain.rules import Condition, Playbook


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("我的账号无法登录了", "无法登录"),
        ("ＡＰＰ 闪退", "app"),
        ("Can’t  log\nin", "can't log in"),
        ("PAYMENT FAILED!", "payment failed"),
        ("打开app闪退", "app"),
        ("拨打12315投诉", "12315"),
    ],
)
def test_a_word_is_found_whatever_its_width_case_spacing_and_apostrophe(
    text: str, word: str
) -> None:
    """A2."""
    assert mentions(fold(text), (word,)) == word


@pytest.mark.parametrize(
    ("text", "word"),
    [("i am happy", "app"), ("discounted", "discount"), ("订单123151", "12315"), ("", "app")],
)
def test_a_latin_word_has_to_stand_alone(text: str, word: str) -> None:
    assert mentions(fold(text), (word,)) is None


def test_a_word_is_found_after_a_place_where_it_does_not_stand_alone() -> None:
    assert list(places("happy app", "app")) == [(6, 9)]


@given(st.text())
def test_folding_twice_is_folding_once_for_what_people_write(text: str) -> None:
    folded = fold(text)
    assert "  " not in folded
    assert folded == folded.strip()


@given(st.text(), st.text())
def test_searching_never_raises_and_gives_true_places(text: str, word: str) -> None:
    folded = fold(text)
    for start, end in places(folded, word):
        assert folded[start:end] == fold(word)


@pytest.mark.parametrize("given_", ["high", "HIGH", "  high ", "高"])
def test_a_term_is_known_by_key_and_by_label(playbook: Playbook, given_: str) -> None:
    """A1: callers write the urgency as they know it."""
    assert find_term(given_, playbook.priorities) == "high"


def test_an_unknown_term_is_none(playbook: Playbook) -> None:
    assert find_term("soon", playbook.priorities) is None


FACTS = Facts(
    text="支付失败 order",
    type="fault",
    tags=("login", "payment"),
    priority="high",
    customer_class="vip",
    channel="web",
    mood="upset",
    product="Kettle X1",
    amount=Decimal(100),
)


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"mentions": "支付失败"},
        {"mentions": ["退款", "order"]},
        {"type": ["inquiry", "fault"]},
        {"tags": "payment"},
        {"priority": "high", "customer_class": "vip", "channel": "web", "mood": "upset"},
        {"product": "kettle"},
        {"amount_over": 99.9},
    ],
)
def test_a_condition_holds_where_all_that_it_names_is_so(wanted: dict[str, Any]) -> None:
    """A5, D5."""
    assert holds(Condition(**wanted), FACTS)


@pytest.mark.parametrize(
    "wanted",
    [
        {"mentions": "退款"},
        {"type": "inquiry"},
        {"tags": "refund"},
        {"priority": "low"},
        {"customer_class": "plain"},
        {"channel": "email"},
        {"mood": "calm"},
        {"product": "toaster"},
        {"amount_over": 100},
        {"type": "fault", "tags": "refund"},
    ],
)
def test_a_condition_fails_where_anything_that_it_names_is_not_so(wanted: dict[str, Any]) -> None:
    assert not holds(Condition(**wanted), FACTS)


@pytest.mark.parametrize(
    "wanted", [{"product": "kettle"}, {"amount_over": 1}, {"customer_class": "vip"}]
)
def test_what_is_not_known_fits_no_condition(wanted: dict[str, Any]) -> None:
    assert not holds(Condition(**wanted), Facts())


@pytest.mark.parametrize(
    ("condition", "facts", "held"),
    [
        ({"queue": "supervisor"}, {"queue": "supervisor"}, True),
        ({"queue": "supervisor"}, {"queue": "waiting"}, False),
        ({"queue": ["waiting", "qa"]}, {"queue": "qa"}, True),
        ({"score_below": 2}, {"score": 1}, True),
        ({"score_below": 2}, {"score": 2}, False),
        ({"score_below": 2}, {}, False),
    ],
)
def test_where_a_ticket_waits_and_what_the_customer_said_of_it(
    condition: dict[str, Any], facts: dict[str, Any], held: bool
) -> None:
    """D7, D12."""
    assert holds(Condition.model_validate(condition), Facts(**facts)) is held
