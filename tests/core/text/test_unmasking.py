"""Originals of masked texts: collecting, sealing and restoring the hidden parts."""

import pytest
from hypothesis import given, strategies as st

from functions.core.text import unmasking
from functions.core.text.masking import mask
from functions.core.text.unmasking import MessageMasker, Original, restored

pytestmark = pytest.mark.requirement("G4")
WORDS = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(
            [
                "13800138000", "a.b@example.com", "11010519491231002X", "6222021234567890123",
                "，", " ",
            ]
        ),
    ),
    max_size=8,
).map("".join)  # fmt: skip


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


NUMBER = "13800138000"


@pytest.mark.slow
@given(before=st.integers(0, 3000), words=WORDS, limit=st.integers(1, 1200))
def test_a_text_is_cut_to_its_limit_after_it_is_masked(before: int, words: str, limit: int) -> None:
    text = "字" * before + words + NUMBER + "字" * 2000
    shown = MessageMasker().mask("text", text, limit)
    assert shown == mask(text)[:limit]


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["a.very.long.name.of.someone@mail.example.com，", f"{NUMBER}，"])
def test_no_half_number_is_shown_at_the_limit(unit: str) -> None:
    """Addresses become shorter, so characters beyond the limit come into view."""
    for shift in range(len(unit)):
        shown = MessageMasker().mask("text", "字" * shift + unit * 1000, 500)
        assert len(shown) <= 500
        assert NUMBER[:5] not in shown
        assert "someone" not in shown
        assert mask("字" * shift + unit * 1000).startswith(shown)


def test_only_what_can_be_shown_is_read() -> None:
    read: list[str] = []

    def read_and_mask(text: str, public: tuple[str, ...]) -> str:
        read.append(text)
        return mask(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unmasking, "mask_but", read_and_mask)
        MessageMasker().mask("text", f"{NUMBER} " * 50_000, 4000)
    assert len(read) == 1
    assert len(read[0]) < 5000


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

    assert Original(MessageMasker(), seal).sealed_for("desk", "CS1") == ()
    masker = MessageMasker()
    masker.mask("text", "13800138000")
    hidden = Original(masker, seal)
    for number in ("CS1", "CS1", "CS2"):
        assert hidden.sealed_for("desk", number) == (number.encode(),)
    assert sealed == ["CS1", "CS2"]


def test_documents_of_several_messages_are_restored_together() -> None:
    first, second = MessageMasker(), MessageMasker(("400-820-8820",))
    shown = {
        "fields.note": first.mask("fields.note", "请打 13800138000"),
        "reason": second.mask("reason", "转 13912345678，或 400-820-8820"),
    }
    assert shown["reason"].endswith("或 400-820-8820")
    documents = (first.document() or b"") + (second.document() or b"")
    assert restored(documents, shown) == {
        "fields.note": "请打 13800138000",
        "reason": "转 13912345678，或 400-820-8820",
    }


@pytest.mark.parametrize("document", [b"", b"x", b"x\x9c\xab\x56\x02\x00\x00\xbf\x00\x9d"])
def test_another_document_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match="not an original"):
        restored(document, {"text": "x"})
