"""Training of the confidence curves."""

import random

import numpy as np
import pytest

from functions.answers.curve import curve
from infra.answers.public import Pool, draw, far_apart, halves
from infra.answers.train import curves, fit, shipped, without_doubtful
from tests.answers.sample_encoder import ASKED, embed

POOL: Pool = {
    **{f"l{n}": [f"word{n} thing{n} number {i}" for i in range(12)] for n in range(6)},
    None: ["weather", "music"],
}


def chance() -> random.Random:
    return random.Random(1)  # noqa: S311 - no secret


def test_questions_are_unseen_and_strangers_have_no_article() -> None:
    drawn = draw(POOL, chance(), articles=4, phrasings=(3,), questions=5, strangers=0.25)
    known = {text for asked in drawn.asked.values() for text in asked["en"]}
    assert len(drawn.asked) == 4
    assert all(len(asked["en"]) == 3 for asked in drawn.asked.values())
    assert not known & {question.text for question in drawn.questions}
    assert sum(question.article is None for question in drawn.questions) == 5
    of_others = {text for label in {*POOL} - {*drawn.asked} for text in POOL[label]}
    assert {one.text for one in drawn.questions if one.article is None} <= of_others


def test_what_is_learnt_from_is_not_measured_with() -> None:
    taught, unseen = halves(POOL)
    assert all(not {*taught[label]} & {*unseen[label]} for label in POOL)


def test_the_curve_fits_likelihoods() -> None:
    draws = np.random.default_rng(1)
    rows = draws.normal(size=(20_000, 2))
    right = (draws.random(20_000) < 1 / (1 + np.exp(-(2 * rows[:, 0] - 1)))).astype(float)
    weights, bias = fit(rows, right, np.ones(len(rows)))
    assert weights == pytest.approx([2, 0], abs=0.1)
    assert bias == pytest.approx(-1, abs=0.1)
    _, doubting = fit(rows, right, np.where(right, 1.0, 2.0))
    assert doubting == pytest.approx(-1 - np.log(2), abs=0.1)


def test_phrasings_that_are_to_differ_are_far_apart() -> None:
    texts = [
        "refund please",
        "a refund please",
        "change my address",
        "the refund please",
        "invoice",
    ]
    assert far_apart(texts, 3, embed)[0] == texts[0]
    assert {*far_apart(texts, 3, embed)} == {texts[0], "change my address", "invoice"}
    drawn = draw(POOL, chance(), articles=4, phrasings=(3,), questions=5, apart=embed)
    known = [text for asked in drawn.asked.values() for text in asked["en"]]
    assert len(known) == 12
    assert not {*known} & {question.text for question in drawn.questions}


def test_the_shipped_articles_are_asked_by_phrasings_that_are_left_out() -> None:
    for drawn in shipped(chance()):
        of = [text for asked in drawn.asked.values() for texts in asked.values() for text in texts]
        assert drawn.questions
        assert not {*of} & {question.text for question in drawn.questions}


def test_curves_have_the_features_of_the_shipped_ones() -> None:
    drawn = draw(POOL, chance(), articles=4, phrasings=(8,), questions=4, strangers=0.3)
    learnt = curves([drawn], [drawn], embed)
    assert {name: [*weights] for name, weights in learnt.items()} == {
        name: [*weights] for name, weights in curve().items()
    }


def test_a_text_whose_label_the_others_contradict_is_left_out() -> None:
    pool: Pool = {"refund": ASKED["refund"]["en"], "address": ASKED["address"]["en"]}
    mistaken = "change my address to a new delivery address"
    left = without_doubtful({**pool, "refund": [*pool["refund"], mistaken]}, embed)
    assert mistaken not in left["refund"]
    assert left["address"] == pool["address"]
