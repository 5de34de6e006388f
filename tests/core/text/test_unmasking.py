"""Originals of masked texts: collecting, sealing and restoring the hidden parts."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from functions.core.text.masking import mask
from functions.core.text.unmasking import MessageMasker, Original, original, restored

pytestmark = pytest.mark.requirement("G4")
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
def test_a_masked_text_is_restored(text: str) -> None:
    masker = MessageMasker()
    masked = masker.mask("text", text)
    assert masked == mask(text)
    document = masker.document()
    assert (document is None) == (masked == text)
    if document is not None:
        assert restored(document, {"text": masked}) == {"text": text}


@given(text=WORDS, most=st.integers(1, 60))
def test_a_truncated_text_is_restored_up_to_its_end(text: str, most: int) -> None:
    masker = MessageMasker()
    shown = masker.mask("text", text)[:most]
    document = masker.document()
    for words in restored(document, {"text": shown}).values() if document else ():
        assert text.startswith(words) or words.startswith(text)


@pytest.mark.requirement("G7")
def test_only_the_difference_is_kept() -> None:
    masker = MessageMasker()
    masker.mask("text", "很长的描述" * 400 + "13800138000" + "很长的描述" * 400)
    document = masker.document()
    assert document is not None
    assert len(document) < 80


def test_an_original_is_sealed_once_per_ticket() -> None:
    sealed = []

    def seal(desk: str, number: str, words: bytes) -> tuple[bytes, ...]:
        sealed.append(number)
        return (number.encode(),)

    masker = MessageMasker()
    assert original(masker, seal) is None
    masker.mask("text", "13800138000")
    hidden = original(masker, seal)
    assert isinstance(hidden, Original)
    for number in ("CS1", "CS1", "CS2"):
        assert hidden.sealed_for("desk", number) == (number.encode(),)
    assert sealed == ["CS1", "CS2"]


@pytest.mark.parametrize("document", [b"", b"x", b"x\x9c\xab\x56\x02\x00\x00\xbf\x00\x9d"])
def test_another_document_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match="not an original"):
        restored(document, {"text": "x"})
