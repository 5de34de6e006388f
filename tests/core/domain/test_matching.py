"""Matching keywords, terms and conditions."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from functions.core.domain.matching import Facts, find_term, fold, holds, mentions, places
from functions.core.domain.rules import Condition, Playbook
from tests.growth import grows_with_length


@pytest.mark.requirement("A2")
@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("我的账号无法登录了", "无法登录"), ("ＡＰＰ 闪退", "app"),
        ("Can’t  log\nin", "can't log in"), ("PAYMENT FAILED!", "payment failed"),
        ("打开app闪退", "app"), ("拨打12315投诉", "12315"),
    ],
)  # fmt: skip
def test_a_word_matches_in_any_width_case_spacing_and_apostrophe(text: str, word: str) -> None:
    assert mentions(fold(text), (word,)) == word


@pytest.mark.parametrize(
    ("text", "word"),
    [("i am happy", "app"), ("discounted", "discount"), ("订单123151", "12315"), ("", "app")],
)
def test_a_latin_word_matches_whole_words_only(text: str, word: str) -> None:
    assert mentions(fold(text), (word,)) is None


def test_a_whole_word_is_found_after_a_part_of_another() -> None:
    assert list(places("happy app", "app")) == [(6, 9)]


@given(st.text())
def test_folded_text_has_single_inner_spaces_only(text: str) -> None:
    folded = fold(text)
    assert "  " not in folded
    assert folded == folded.strip()


@given(st.text(), st.text())
def test_searching_never_raises_and_yields_true_occurrences(text: str, word: str) -> None:
    folded = fold(text)
    for start, end in places(folded, word):
        assert folded[start:end] == fold(word)


@pytest.mark.requirement("A1")
@pytest.mark.parametrize("name", ["high", "HIGH", "  high ", "高"])
def test_a_term_is_found_by_key_or_label(playbook: Playbook, name: str) -> None:
    assert find_term(name, playbook.priorities) == "high"


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


@pytest.mark.requirement("A5", "D5")
@pytest.mark.parametrize(
    "condition",
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
def test_a_condition_holds_if_every_key_matches(condition: dict[str, Any]) -> None:
    assert holds(Condition(**condition), FACTS)


@pytest.mark.parametrize(
    "condition",
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
def test_a_condition_fails_if_any_key_differs(condition: dict[str, Any]) -> None:
    assert not holds(Condition(**condition), FACTS)


@pytest.mark.parametrize(
    "condition", [{"product": "kettle"}, {"amount_over": 1}, {"customer_class": "vip"}]
)
def test_an_unknown_value_matches_no_condition(condition: dict[str, Any]) -> None:
    assert not holds(Condition(**condition), Facts())


@pytest.mark.requirement("D7", "D12")
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
def test_conditions_on_queue_and_score(
    condition: dict[str, Any], facts: dict[str, Any], held: bool
) -> None:
    assert holds(Condition.model_validate(condition), Facts(**facts)) is held


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("支付\u200b失败了", "支付失败"), ("支\u2060付\ufeff失\u00ad败", "支付失败"),
        ("我的支付失\n败了", "支付失败"), ("支付 \r\n  失败", "支付失败"),
        ("支\u200b\n付失败", "支付失败"), ("返金\nできない", "返金できない"),
        ("re\u200dfund", "refund"), ("my pay-\nment failed", "payment"),
        ("my pay\u00ad\nment failed", "payment"), ("退\ufe0f款", "退款"),
    ],
)  # fmt: skip
def test_a_word_matches_over_invisible_characters_and_line_breaks(text: str, word: str) -> None:
    assert mentions(fold(text), (word,)) == word


@pytest.mark.parametrize(
    ("text", "word"),
    [("请退\n\n款式不对", "退款"), ("请退。\n款式不对", "退款"), ("pay -\nment", "payment"),
     ("re fund", "refund")],
)  # fmt: skip
def test_a_word_does_not_match_over_paragraphs(text: str, word: str) -> None:
    assert mentions(fold(text), (word,)) is None


def test_folding_time_is_linear() -> None:
    for unit in ("支 ", "支\n", "支\u3000", "a-\n", "\u00ad ", "\u200b"):
        assert grows_with_length(fold, unit * 60_000), unit
