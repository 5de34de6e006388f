"""Readings of a customer's words beside a question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from functions.core.assistant.reading import (
    choice_in,
    code_in,
    contact_in,
    lacks_it,
    number_in,
    score_in,
    takes_leave,
)
from functions.core.text.contacts import Contact

READINGS: dict[Callable[[str], Any], dict[str, Any]] = {
    score_in: {
        "5": 5, "5分": 5, "五分。": 5, "４ stars": 4, "0": None, "6": None, "5元": None,
    },
    choice_in: {
        "1": 1, "第一个": 1, "选2": 2, "3)": 3, "0": 0, "option 2": 2, "12": None,
    },
    number_in: {
        "订单号是20261130003，谢谢": "20261130003", "AB-1234": "AB-1234",
        "20261130003或20261130004": None, "我没有订单号": None,
    },
    code_in: {
        "204857": "204857", "204 857": "204857", "验证码是204857。": "204857",
        "the code is 204-857": "204857", "2048571": None, "204857 and 1": None,
        "订单20261130001的验证码没收到": None,
    },
    contact_in: {
        "13800138000": Contact("phone", "+8613800138000"),
        "我的手机号是 138 0013 8000": Contact("phone", "+8613800138000"),
        "我的邮箱是li@example.com": Contact("email", "li@example.com"),
        "My email is Li@Example.com.": Contact("email", "Li@example.com"),
        "请给li@example.com发发票": None, "20261130001": None, "李": None,
    },
    lacks_it: {
        "我没带订单号": True, "没有呀": True, "I forgot it": True, "I don't have one": True,
        "20261130001": False, "where is my refund": False,
    },
    takes_leave: {
        "再见！": True, "Bye.": True, "不用了": True, "no thanks": True,
        "bye, where is my refund": False,
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("read", "words"),
    [(read, words) for read, examples in READINGS.items() for words in examples],
)
def test_words_are_read_as_people_mean_them(read: Callable[[str], Any], words: str) -> None:
    assert read(words) == READINGS[read][words]
