"""Keyed proofs: what Deskbell handed out itself, and nothing that anybody else made."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from functions.core.text.tokens import (
    derive,
    message_id,
    numbers_of_token,
    reply_token,
    same,
    status_key,
    ticket_of_message_id,
)

ROOT = bytes(range(32))
MADE = message_id(ROOT, "standard", "CS20260310001", 3, "mail.example.com")


def test_the_key_of_a_status_link() -> None:
    """F6: 128 bits, of letters that a link carries as they are."""
    key = status_key(ROOT, "standard", "CS1")
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", key)
    assert key == status_key(ROOT, "standard", "CS1")
    others = {
        status_key(ROOT, "standard", "CS2"),
        status_key(ROOT, "rapid", "CS1"),
        status_key(bytes(32), "standard", "CS1"),
        status_key(ROOT, "standardC", "S1"),
    }
    assert key not in others
    assert len(others) == 4


def test_each_purpose_has_a_key_of_its_own() -> None:
    assert derive(ROOT, "status") != derive(ROOT, "message-id")
    assert len(derive(ROOT, "status")) == 32


@pytest.mark.parametrize("form", ["{}", "<{}>", " <{}>\n"])
def test_a_message_id_names_its_ticket(form: str) -> None:
    """G1: how an answer finds its ticket."""
    assert ticket_of_message_id(ROOT, form.format(MADE)) == ("standard", "CS20260310001")


@pytest.mark.parametrize(
    "forged",
    [
        MADE.replace("CS20260310001", "CS20260310002"),
        MADE.replace("standard", "rapid"),
        MADE.replace(".3.", ".4."),
        message_id(bytes(32), "standard", "CS20260310001", 3, "mail.example.com"),
        "standard.CS20260310001.3.@mail.example.com",
        "standard.CS20260310001.3@mail.example.com",
        "a.b.c.d.e@mail.example.com",
        "",
        "@",
        "<>",
        "a.b.c.\udcff@mail.example.com",
        "\udcff.b.c.d@mail.example.com",
    ],
)
def test_one_that_was_made_up_names_none(forged: str) -> None:
    """F1: a stranger who quotes a number does not get in."""
    assert ticket_of_message_id(ROOT, forged) is None


@given(st.text())
def test_any_text_is_borne(text: str) -> None:
    assert ticket_of_message_id(ROOT, text) is None
    assert same(text, text)


@given(st.text(), st.text())
def test_same_is_equality(one: str, other: str) -> None:
    assert same(one, other) == (one == other)


@pytest.mark.parametrize("number", ["CS20260310001", "202603-7", "a1b2"])
def test_an_answers_address_proves_its_ticket(number: str) -> None:
    """Whatever case it comes back in; of this desk and this deployment alone."""
    token = reply_token(ROOT, "standard", number)
    assert number in numbers_of_token(ROOT, "standard", token)
    assert reply_token(ROOT, "standard", f"{number}aB") == ""
    assert numbers_of_token(ROOT, "standard", token.upper())[0] == number.upper()
    assert numbers_of_token(ROOT, "other", token) == ()
    assert numbers_of_token(bytes(32), "standard", token) == ()


@pytest.mark.parametrize("token", ["", ".", "orders", "cs20260310001", "cs20260310001.", "é.é"])
def test_another_label_proves_nothing(token: str) -> None:
    assert numbers_of_token(ROOT, "standard", token) == ()


def test_a_token_of_another_number_proves_nothing() -> None:
    token = reply_token(ROOT, "standard", "CS1").replace("cs1", "cs2")
    assert numbers_of_token(ROOT, "standard", token) == ()
