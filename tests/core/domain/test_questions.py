"""The outcome of a question decides what is proposed, and the share without a person."""

from __future__ import annotations

import pytest

from functions.core.domain.chat import Chat
from functions.core.domain.questions import outcomes, question_of
from tests.core.sample_desk import NOON

POOR = 3
BEGUN = Chat(desk="d", id="c", token="", locale="zh-CN", started_at=NOON, changed_at=NOON).said(
    "assistant", "您好", NOON
)
ASKED = BEGUN.said("customer", "退款到哪了", NOON)
ANSWERED = ASKED.said("assistant", "三天内", NOON, kind="answer", article="refund")
CHOSEN = ASKED.said("customer", "退款", NOON, kind="offer")


@pytest.mark.requirement("C12")
@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (BEGUN, ANSWERED, ("answered", "refund")),
        (ASKED, CHOSEN.said("assistant", "x", NOON, kind="answer", article="r"), ("picked", "r")),
        (BEGUN, ASKED.changed(misses=1), ("missed", None)),
        (ASKED, CHOSEN.changed(misses=1), ("none", None)),
        (ANSWERED.changed(answered="refund"), ANSWERED.changed(scores=(2,)), ("poor", "refund")),
        (ANSWERED, ANSWERED.changed(scores=(5,)), None),
        (BEGUN, ASKED, None),
        (BEGUN, ANSWERED.changed(reason="article"), None),
        (BEGUN, BEGUN.said("customer", "12", NOON).changed(misses=1), None),
    ],
)
def test_a_turn_brings_a_question_to_its_outcome(
    before: Chat, after: Chat, expected: tuple[str, str | None] | None
) -> None:
    found = question_of(before, after, POOR)
    if expected is None:
        assert found is None
        return
    assert found is not None
    assert found.question is not None
    assert (found.question.outcome, found.question.article) == expected
    assert (found.texts, found.number, found.version) == (("退款到哪了",), "c", 2)


def test_the_last_outcome_of_a_question_counts() -> None:
    turns = (
        (BEGUN, ANSWERED),
        (BEGUN, ASKED.changed(misses=1, id="other")),
        (ANSWERED, ANSWERED.changed(scores=(1,))),
    )
    answered, missed, poor = filter(None, (question_of(*turn, POOR) for turn in turns))
    assert outcomes([answered, missed]).served == 0.5
    assert outcomes([answered, poor, missed]).served == 0
    assert outcomes([answered, poor, missed]).counts["poor"] == 1
    assert outcomes([]).served is None
