"""The terms by which texts are found."""

from hypothesis import given, strategies as st

from functions.core.text.terms import has_han, terms


def test_chinese_gives_parts_of_one_to_three_characters() -> None:
    assert list(terms("退款呢")) == ["退", "款", "呢", "退款", "款呢", "退款呢"]


def test_a_word_gives_its_beginnings_and_inner_parts() -> None:
    assert list(terms("Refund")) == ["refund", "re*", "ref*", "refu*", "refun*", "~efun", "~fund"]
    assert list(terms("a b")) == ["a", "b"]


def test_full_and_half_width_are_alike() -> None:
    assert list(terms("ＡＰＰ　１２")) == list(terms("app 12"))


def test_languages_are_told_apart_where_they_touch() -> None:
    assert list(terms("用app付")) == ["用", "app", "ap*", "付"]
    assert has_han("用app")
    assert not has_han("app，")


@given(st.text())
def test_any_text_has_terms_without_spaces(text: str) -> None:
    assert all(term and not term.isspace() for term in terms(text))
