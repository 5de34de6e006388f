"""Keyed tokens: Deskbell accepts its own and no others."""

import re

import pytest
from hypothesis import given, strategies as st

from functions.core.text.tokens import (
    derive,
    last_four_hash,
    link_key,
    message_id,
    numbers_in_reply_token,
    reply_token,
    same,
    ticket_of_message_id,
)

ROOT = bytes(range(32))
MESSAGE_ID = message_id(ROOT, "standard", "CS20260310001", 3, "mail.example.com")


def test_the_hash_of_last_digits_is_each_desk_s_own() -> None:
    hashes = {last_four_hash(ROOT, desk, "8000") for desk in ("standard", "rapid")}
    assert len(hashes) == 2


@pytest.mark.requirement("F6")
def test_a_link_s_key_is_unique_per_deployment_kind_desk_ticket_and_generation() -> None:
    key = link_key(ROOT, "customer", "standard", "CS1", 1)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", key)
    assert key == link_key(ROOT, "customer", "standard", "CS1", 1)
    others = {
        link_key(ROOT, "submitter", "standard", "CS1", 1),
        link_key(ROOT, "customer", "standard", "CS1", 2),
        link_key(ROOT, "customer", "standard", "CS2", 1),
        link_key(ROOT, "customer", "rapid", "CS1", 1),
        link_key(bytes(32), "customer", "standard", "CS1", 1),
        link_key(ROOT, "customer", "standardC", "S1", 1),
    }
    assert key not in others
    assert len(others) == 6


def test_each_purpose_has_a_separate_key() -> None:
    assert derive(ROOT, "status") != derive(ROOT, "message-id")
    assert len(derive(ROOT, "status")) == 32


@pytest.mark.requirement("G1")
@pytest.mark.parametrize("form", ["{}", "<{}>", " <{}>\n"])
def test_a_message_id_leads_to_its_ticket(form: str) -> None:
    assert ticket_of_message_id(ROOT, form.format(MESSAGE_ID)) == ("standard", "CS20260310001")


@pytest.mark.requirement("F1")
@pytest.mark.parametrize(
    "forged",
    [
        MESSAGE_ID.replace("CS20260310001", "CS20260310002"),
        MESSAGE_ID.replace("standard", "rapid"),
        MESSAGE_ID.replace(".3.", ".4."),
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
def test_a_forged_message_id_is_refused(forged: str) -> None:
    assert ticket_of_message_id(ROOT, forged) is None


@given(st.text())
def test_no_text_raises(text: str) -> None:
    assert ticket_of_message_id(ROOT, text) is None
    assert same(text, text)


@given(st.text(), st.text())
def test_same_is_equality(one: str, other: str) -> None:
    assert same(one, other) == (one == other)


@pytest.mark.parametrize("number", ["CS20260310001", "202603-7", "a1b2"])
def test_a_reply_token_names_its_ticket_in_any_case(number: str) -> None:
    token = reply_token(ROOT, "standard", number, 1)
    assert number in numbers_in_reply_token(token)
    assert numbers_in_reply_token(token.upper())[0] == number.upper()
    assert reply_token(ROOT, "standard", f"{number}aB", 1) == ""


def test_reply_tokens_differ_by_deployment_desk_number_and_generation() -> None:
    tokens = [
        reply_token(ROOT, "standard", "CS1", 1),
        reply_token(ROOT, "standard", "CS1", 2),
        reply_token(ROOT, "standard", "CS1", 3),
        reply_token(ROOT, "standard", "CS2", 1),
        reply_token(ROOT, "other", "CS1", 1),
        reply_token(bytes(32), "standard", "CS1", 1),
    ]
    assert len({token.partition(".")[2] for token in tokens}) == len(tokens)


@pytest.mark.parametrize(
    "token", ["", ".", "orders", "cs20260310001", "cs20260310001.", "é.é", f"{'a' * 99}.b"]
)
def test_another_address_label_names_no_ticket(token: str) -> None:
    assert numbers_in_reply_token(token) == ()
