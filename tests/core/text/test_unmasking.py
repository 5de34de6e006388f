"""What masking hides can be put back, and nothing is kept where nothing was hidden (G4)."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from functions.core.text.masking import mask
from functions.core.text.unmasking import Hiding, Original, original, restored

WORDS = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(
            [
                "13800138000",
                "a.b@example.com",
                "11010519491231002X",
                "6222021234567890123",
                "，",
                " ",
            ]
        ),
    ),
    max_size=8,
).map("".join)


@given(text=WORDS)
def test_what_was_written_comes_back(text: str) -> None:
    hiding = Hiding()
    masked = hiding.mask("text", text)
    assert masked == mask(text)
    document = hiding.document()
    assert (document is None) == (masked == text)
    if document is not None:
        assert restored(document, {"text": masked}) == {"text": text}


@given(text=WORDS, most=st.integers(1, 60))
def test_a_text_that_was_cut_is_put_back_as_far_as_it_goes(text: str, most: int) -> None:
    hiding = Hiding()
    shown = hiding.mask("text", text)[:most]
    document = hiding.document()
    for words in restored(document, {"text": shown}).values() if document else ():
        assert text.startswith(words) or words.startswith(text)


def test_only_what_differs_is_kept() -> None:
    """G7: a phone number in a long text is a few bytes, not the text."""
    hiding = Hiding()
    hiding.mask("text", "很长的描述" * 400 + "13800138000" + "很长的描述" * 400)
    document = hiding.document()
    assert document is not None
    assert len(document) < 80


def test_it_is_sealed_once_for_a_ticket() -> None:
    sealed = []

    def seal(desk: str, number: str, words: bytes) -> tuple[bytes, ...]:
        sealed.append(number)
        return (number.encode(),)

    hiding = Hiding()
    assert original(hiding, seal) is None
    hiding.mask("text", "13800138000")
    found = original(hiding, seal)
    assert isinstance(found, Original)
    for number in ("CS1", "CS1", "CS2"):
        assert found.sealed_for("desk", number) == (number.encode(),)
    assert sealed == ["CS1", "CS2"]


@pytest.mark.parametrize("document", [b"", b"x", b"x\x9c\xab\x56\x02\x00\x00\xbf\x00\x9d"])
def test_what_is_no_original_is_said(document: bytes) -> None:
    with pytest.raises(ValueError, match="no original"):
        restored(document, {"text": "x"})
