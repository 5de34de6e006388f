"""Contacts: parsing, masking and hashing them."""

import base64
import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from functions.core.text.contacts import (
    Contact,
    ContactError,
    contact_hash,
    mask_contact,
    mask_name,
    normalise_contact,
)

pytestmark = pytest.mark.requirement("A1", "A15", "A16", "B2", "D17", "G4")


@pytest.mark.requirement("A1")
@pytest.mark.parametrize(
    "raw",
    [
        "13800138000",
        "138 0013 8000",
        " +86 138-0013-8000 ",
        "０１３８００１３８０００"[1:],
        "＋８６　１３８００１３８０００",
        "0086 13800138000",
        "86 13800138000",
        "(+86)13800138000",
    ],
)
def test_every_spelling_of_a_mainland_mobile_gives_one_address(raw: str) -> None:
    assert normalise_contact(raw) == Contact("phone", "+8613800138000")


@pytest.mark.requirement("A1")
@pytest.mark.parametrize(
    ("raw", "region", "address"),
    [
        ("010-61234567", "CN", "+861061234567"), ("(415) 555-0132", "US", "+14155550132"),
        ("+1 415 555 0132", "CN", "+14155550132"), ("+44 20 7946 0958", "CN", "+442079460958"),
        ("020 7946 0958", "GB", "+442079460958"), ("+86 13800138000", "US", "+8613800138000"),
        ("090-1234-5678", "JP", "+819012345678"),
    ],
)  # fmt: skip
def test_a_phone_becomes_e164(raw: str, region: str, address: str) -> None:
    contact = normalise_contact(raw, region)
    assert (contact.kind, contact.address) == ("phone", address)
    assert mask_contact(contact.address, "last_four")[-4:] == address[-4:]


@pytest.mark.requirement("A1")
@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ("User.Name@Example.COM", "User.Name@example.com"),
        ("ｕｓｅｒ＠example.com", "user@example.com"),
        (" user+tag@mail.example.co.uk ", "user+tag@mail.example.co.uk"),
        ("user@xn--80ak6aa92e.com", "user@xn--80ak6aa92e.com"),
        ("12345@qq.com", "12345@qq.com"),
    ],
)
def test_an_email_domain_is_lowercased(raw: str, address: str) -> None:
    assert normalise_contact(raw) == Contact("email", address)


@pytest.mark.requirement("A1")
@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "empty"),
        (" \u3000", "empty"),
        (None, "empty"),
        (13800138000, "empty"),
        ("hello", "not_phone_or_email"),
        ("微信号 abc", "not_phone_or_email"),
        ("12345", "invalid_phone"),
        ("+999 123", "invalid_phone"),
        ("12800138000", "invalid_phone"),
        ("1380013800", "invalid_phone"),
        ("----", "invalid_phone"),
        ("a@", "invalid_email"),
        ("@example.com", "invalid_email"),
        ("a@example", "invalid_email"),
        ("a..b@example.com", "invalid_email"),
        (".a@example.com", "invalid_email"),
        ("a b@example.com", "invalid_email"),
        ("a@b@example.com", "invalid_email"),
        ("a@-example.com", "invalid_email"),
        ("a@example.com\nBcc: b@example.com", "invalid_email"),
        ("a@" + "b" * 63 + ".com" * 80, "invalid_email"),
    ],
)
def test_any_other_text_is_refused_with_a_reason(raw: Any, reason: str) -> None:
    with pytest.raises(ContactError) as refused:
        normalise_contact(raw)
    assert refused.value.reason == reason
    assert isinstance(refused.value, ValueError)
    assert str(refused.value).endswith(".")


@pytest.mark.requirement("A1")
@settings(max_examples=100)
@given(st.text(), st.sampled_from(["CN", "US", "DE", "ZZ", ""]))
def test_any_text_is_parsed_or_refused(raw: str, region: str) -> None:
    try:
        contact = normalise_contact(raw, region)
    except ContactError:
        return
    assert normalise_contact(contact.address, region).address == contact.address


@pytest.mark.requirement("A15")
@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        ("13800138000", "*******8000"), ("+8613800138000", "*******8000"),
        ("user@example.com", "************.com"), ("1234", "****"), ("12", "**"), ("", ""),
        (None, ""),
    ],
)  # fmt: skip
def test_last_four_shows_only_the_last_four_characters(contact: str | None, shown: str) -> None:
    assert mask_contact(contact, "last_four") == shown


@pytest.mark.requirement("D17", "B2")
@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        ("13800138000", "138****8000"), ("+86 138-0013-8000", "138****8000"),
        ("+442079460958", "4420****0958"), ("01061234567", "010****4567"), ("12345", "****5"),
        ("123", "***"), ("zhangsan@example.com", "z***n@example.com"),
        ("bob@example.com", "b***@example.com"), ("a@example.com", "***@example.com"), ("", ""),
        (None, ""),
    ],
)  # fmt: skip
def test_middle_four_hides_the_middle(contact: str | None, shown: str) -> None:
    assert mask_contact(contact, "middle_four") == shown


@pytest.mark.requirement("A15")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王小明", "*先生/女士"), ("王先生", "*先生"), ("李女士", "*女士"), ("陈小姐", "*小姐"),
        ("*先生/女士", "*先生/女士"), ("Mr. Example", "*Mr"), ("Example, Ms.", "*Ms"),
        ("Mrs Example", "*Mrs"), ("An Example", "*先生/女士"), ("", ""), (None, ""),
    ],
)  # fmt: skip
def test_salutation_shows_only_the_title(name: str | None, shown: str) -> None:
    assert mask_name(name, "salutation") == shown
    assert mask_name(shown, "salutation") == shown


@pytest.mark.requirement("B2")
@pytest.mark.parametrize(
    ("name", "shown"),
    [("王小明", "王**"), ("王", "王**"), ("Example", "E***"), (" ", ""), (None, "")],
)
def test_initial_shows_only_the_first_character(name: str | None, shown: str) -> None:
    assert mask_name(name, "initial") == shown


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(ValueError, match="style of contact"):
        mask_contact("13800138000", "whole")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="style of name"):
        mask_name("王小明", "whole")  # type: ignore[arg-type]


@pytest.mark.requirement("G4")
def test_a_contact_hash_depends_on_contact_desk_and_key() -> None:
    phone = normalise_contact("138 0013 8000")
    name = contact_hash(phone, "standard", b"key")
    digest = hmac.digest(b"key", b"standard\0phone\0+8613800138000", hashlib.sha256)
    assert name == base64.urlsafe_b64encode(digest).decode()[:22]
    assert name == contact_hash(normalise_contact("+8613800138000"), "standard", b"key")
    assert (
        len({name, contact_hash(phone, "rapid", b"key"), contact_hash(phone, "standard", b"k")})
        == 3
    )
    upper, lower = normalise_contact("A@example.com"), normalise_contact("a@EXAMPLE.com")
    assert contact_hash(upper, "standard", b"key") == contact_hash(lower, "standard", b"key")
    with pytest.raises(ValueError, match="key"):
        contact_hash(phone, "standard", b"")
