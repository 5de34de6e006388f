"""Counting the parts of text messages."""

import pytest

from functions.core.text.sms_parts import sms_parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),  # two septets each
        ("€" * 80 + "a", 2),
        ("a" * 152 + "€" + "a" * 8, 2),
        ("a" * 152 + "€" * 77, 3),  # an escape and its character stay together
        ("é" * 160, 1),
        ("中" * 70, 1),
        ("中" * 71, 2),
        ("中" * 134, 2),
        ("中" * 135, 3),
        ("a" * 70 + "’", 2),  # one typographic apostrophe makes it UCS-2
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 67, 3),  # 33 pairs in a part, no pair split
    ],
)
def test_the_parts_of_a_text_message_follow_its_alphabet(text: str, parts: int) -> None:
    assert sms_parts(text) == parts
