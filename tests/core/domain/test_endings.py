"""Reading a message after a resolution."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from functions.core.domain.endings import read_ending
from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from tests.examples import examples
from tests.growth import grows_with_length

ENDINGS = [
    ("standard" if desk == "unseen" else desk, text, kind)
    for desk, table in examples(__file__).items()
    for kind, texts in table.items()
    for text in texts.split(" | ")
]
"""Desk, text, and the kind of ending."""


@cache
def playbook(desk: str) -> Playbook:
    return load(Path(__file__).parents[3] / "playbooks" / f"{desk}.yaml")


@pytest.mark.requirement("A13", "B9", "D13", "E7")
def test_every_ending_is_read() -> None:
    for desk, text, kind in ENDINGS:
        ending = read_ending(text, playbook(desk))
        found = ending.kind if ending.score is None else f"SCORE {ending.score}"
        assert found == kind, f"{desk}: {text}"


@pytest.mark.requirement("E7")
@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("1分", True), ("1分，谢谢", True), ("1分，没解决", False), ("没解决", True),
        ("没解决，页面还是空白", False), ("还是不行", True), ("未解决，还在漏水", False),
        ("又闪退了", False), ("Not solved, it crashed again", False),
    ],
)  # fmt: skip
def test_an_answer_without_a_reason_is_bare(text: str, *, bare: bool) -> None:
    assert read_ending(text, playbook("standard")).bare is bare


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    read_ending(text, playbook("rapid"))


def test_the_time_grows_no_faster_than_the_text() -> None:
    text = "谢谢，5分，已经解决了，但是12345 stars 还是 "
    assert grows_with_length(lambda long: read_ending(long, playbook("rapid")), text * 300)
