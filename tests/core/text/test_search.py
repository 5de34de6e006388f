"""Search finds words by their beginnings, Han and digits anywhere, the newest first."""

from collections.abc import Sequence

import pytest
from hypothesis import given, strategies as st

from functions.core.text.search import (
    MAX_TEXT,
    Segment,
    TicketText,
    searchable,
    shown,
    snippet,
    wanted,
)

pytestmark = pytest.mark.requirement("H3")


def hashed(digits: str) -> str:
    return f"hash{digits}"


def text(number: str, *said: str, at: int = 1, contact: str = "****8000") -> TicketText:
    return TicketText(number, at, at, searchable(number, contact, said, hashed))


def found(query: str, *texts: TicketText, after: int | None = None) -> list[str]:
    segment = Segment(texts)
    position = None if after is None else segment.position(after)
    return [segment.numbers[n] for n in segment.find(wanted(query, hashed), position)]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("退", "我要退款"),
        ("ＲＥＦＵＮＤ", "the refunds"),
        ("refund", "我要refund"),
        ("退款 app", "App里申请退款"),
        ("APP退款", "退款在 app 里"),
        ("sf-7788", "单号：SF-778899"),
        ("7788", "单号 SF1778899"),
        ("a@example.com", "A@Example.com 的订单"),
        ("8000", "没有号码"),
        ("cs1", "号码"),
        ("", "什么都行"),
    ],
)
def test_a_query_finds(query: str, said: str) -> None:
    assert found(query, text("CS1", said)) == ["CS1"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("fund", "the refund"),
        ("款退", "退款"),
        ("退款 物流", "退款"),
        ("sf-7788", "SF 1-7788"),
        ("8001", "没有号码"),
        ("hash8000", "没有号码"),
        ("a", "我的"),
    ],
)
def test_a_query_does_not_find(query: str, said: str) -> None:
    assert found(query, text("CS1", said)) == []


def test_a_hidden_or_written_ending_has_no_hash() -> None:
    assert found("8000", text("CS1", contact="a***@example.com"), text("CS2", contact="")) == []


@pytest.mark.parametrize("query", ["", " ！? …", "***"])
def test_nothing_is_wanted_without_letters_and_digits(query: str) -> None:
    assert not wanted(query, hashed)


def test_the_newest_come_first_and_a_page_goes_on() -> None:
    texts = [text(f"N{n}", "退款", at=n // 2) for n in range(6)]
    assert found("退款", *texts) == ["N4", "N5", "N2", "N3", "N0", "N1"]
    # Lines are stored in the other order: 4 is N5.
    assert found("退款", *texts, after=4) == ["N2", "N3", "N0", "N1"]


_PARTS = ("退", "款", "退款", "app", "fund", "re", "12", "7")


@given(
    st.lists(st.lists(st.sampled_from(_PARTS), min_size=1, max_size=5), min_size=1, max_size=9),
    st.lists(st.sampled_from(_PARTS), min_size=1, max_size=3),
)
def test_a_scan_finds_what_a_look_at_each_text_finds(
    said: Sequence[Sequence[str]], query: Sequence[str]
) -> None:
    texts = [text(f"N{n}", " ".join(parts), at=n) for n, parts in enumerate(said)]
    asked = wanted(" ".join(query), hashed)
    expected = [
        each.number for each in reversed(texts) if all(parts[0] in each.text for parts in asked)
    ]
    assert found(" ".join(query), *texts) == expected


@given(st.lists(st.text(st.characters(codec="utf-8"))))
def test_a_stored_segment_reads_the_same(said: list[str]) -> None:
    segment = Segment(text(f"号{n}", each, at=n) for n, each in enumerate(said))
    read = Segment.from_bytes(segment.to_bytes())
    assert list(read) == list(segment)
    assert [*read.find(())] == [*segment.find(())]


def test_what_is_shown_is_the_text_around_what_was_found() -> None:
    long = text("CS1", "前" * 100, "Refund，退款", "后" * 100)
    part = snippet(long.text, wanted("refund", hashed))
    assert part is not None
    assert "前 refund,退款 后" in part
    assert len(part) == 80
    assert snippet(long.text, wanted("8000", hashed)) is None
    assert len(shown(text("CS1", "x" * 2 * MAX_TEXT).text)) == MAX_TEXT
