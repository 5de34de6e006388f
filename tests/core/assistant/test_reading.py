"""What a customer's words say beside a question."""

from __future__ import annotations

import pytest

from functions.core.assistant.reading import (
    choice_in,
    code_in,
    contact_in,
    number_in,
    score_in,
)


@pytest.mark.parametrize(
    ("words", "score"),
    [("5", 5), ("5分", 5), ("五分。", 5), ("４ stars", 4), ("0", None), ("6", None), ("5元", None)],
)
def test_a_rating_is_a_number_and_nothing_else(words: str, score: int | None) -> None:
    assert score_in(words) == score


@pytest.mark.parametrize(
    ("words", "choice"),
    [("1", 1), ("第一个", 1), ("选2", 2), ("3)", 3), ("0", 0), ("option 2", 2), ("12", None)],
)
def test_a_choice_is_a_number_and_nothing_else(words: str, choice: int | None) -> None:
    assert choice_in(words) == choice


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("订单号是20261130003，谢谢", "20261130003"),
        ("AB-1234", "AB-1234"),
        ("20261130003或20261130004", None),
        ("我没有订单号", None),
    ],
)
def test_one_number_is_meant(words: str, number: str | None) -> None:
    assert number_in(words) == number


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("204857", "204857"),
        ("204 857", "204857"),
        ("验证码是204857。", "204857"),
        ("the code is 204-857", "204857"),
        ("2048571", None),
        ("204857 and 1", None),
        ("订单20261130001的验证码没收到", None),
    ],
)
def test_a_code_has_six_digits(words: str, code: str | None) -> None:
    assert code_in(words) == code


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("13800138000", "+8613800138000"),
        ("我的手机号是 138 0013 8000", "+8613800138000"),
        ("我的邮箱是li@example.com", "li@example.com"),
        ("My email is Li@Example.com.", "Li@example.com"),
        ("请给li@example.com发发票", None),
        ("20261130001", None),
        ("李", None),
    ],
)
def test_a_contact_is_alone_in_its_message(words: str, address: str | None) -> None:
    found = contact_in(words)
    assert (found and found.address) == address
