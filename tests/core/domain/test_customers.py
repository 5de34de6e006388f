"""Joining and separating identities: what a join brought leaves with it, and nothing else (C1)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from functions.core.domain.customers import (
    MAX_IDENTITIES,
    CustomerRecord,
    Identity,
    joined,
    separated,
)

NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)
pytestmark = pytest.mark.requirement("C1")


def identity(name: str) -> Identity:
    return Identity(kind="email", hash=name, shown=f"*{name}")


def record(customer: str, *names: str) -> CustomerRecord:
    return CustomerRecord(desk="d", id=customer, identities=tuple(map(identity, names)))


def hashes(customer: CustomerRecord) -> list[str]:
    return [each.hash for each in customer.identities]


def join(records: list[CustomerRecord], *names: str) -> CustomerRecord:
    found = joined(records, [identity(name) for name in names], "code", NOW)
    assert found is not None
    return found


def undo(customer: CustomerRecord, number: int) -> tuple[CustomerRecord, CustomerRecord]:
    return separated(customer, number, "new", by="zg-1", reason="another person", at=NOW)


def test_the_first_identity_is_what_the_others_are_joined_to() -> None:
    found = join([record("c")], "phone", "wechat")
    assert (hashes(found), found.joins[0].brought) == (["phone", "wechat"], ("wechat",))


def test_what_is_joined_already_is_not_joined_again() -> None:
    found = join([record("c")], "phone", "wechat")
    assert joined([found], [identity("wechat"), identity("phone")], "code", NOW) is None


def test_a_record_takes_another_in_and_gives_it_back() -> None:
    other = join([record("b")], "mail", "line")
    found = join([join([record("a")], "phone", "wechat"), other], "phone", "mail")
    assert hashes(found) == ["phone", "wechat", "mail", "line"]
    left, apart = undo(found, 2)
    assert (hashes(left), hashes(apart)) == (["phone", "wechat"], ["mail", "line"])
    assert [each.brought for each in apart.joins] == [("line",)], "its own join goes with it"
    assert (left.joins[-1].undone_by, left.joins[-1].reason) == ("zg-1", "another person")
    assert [each.undone_at for each in left.joins] == [None, NOW]


@pytest.mark.parametrize("number", [-1, 1, 7])
def test_there_is_only_what_was_joined_to_undo(number: int) -> None:
    with pytest.raises(IndexError):
        undo(join([record("c")], "phone", "wechat"), number)


def test_a_join_is_undone_once() -> None:
    left, _ = undo(join([record("c")], "phone", "wechat"), 0)
    with pytest.raises(IndexError):
        undo(left, 0)


def test_a_record_stays_small() -> None:
    full = record("c", *(str(n) for n in range(MAX_IDENTITIES)))
    assert joined([full], [identity("0"), identity("one more")], "code", NOW) is None


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=2, unique=True), max_size=6))
def test_undoing_the_last_join_gives_what_was_before(proofs: list[list[str]]) -> None:
    before = join([record("c")], "a", "b")
    for names in proofs:
        after = joined([before], [identity("a"), *map(identity, names)], "code", NOW)
        if after is None:
            continue
        left, apart = undo(after, len(after.joins) - 1)
        assert hashes(left) == hashes(before)
        assert sorted(hashes(left) + hashes(apart)) == sorted(hashes(after))
        before = after
