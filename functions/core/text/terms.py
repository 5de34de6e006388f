"""The terms by which texts are compared and found, alike for Chinese and languages with spaces.

Chinese has no spaces, and a segmenter would cost more than it gains, so every run of Han characters
gives all its parts of one to three characters. Other words are kept whole, by their beginnings and
by their inner parts, so that `refunds` and `refunded` have most terms in common.
"""

import re
import unicodedata
from collections.abc import Iterator

HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
RUN = re.compile(rf"([{HAN}]+)|[^\W_{HAN}]+")
"""A run of Han characters, in its group, or a word."""
HAN_LONGEST = 3
"""The most Han characters in a term."""
SHORTEST_PREFIX, LONGEST_PREFIX = 2, 6
"""The lengths of the beginnings of words, written `re*` … `refund*`."""
PART = 4
"""The length of inner parts of words, written `~fund`."""


def folded(text: str) -> str:
    """Return a text in one form for full and half width, upper and lower case."""
    return unicodedata.normalize("NFKC", text).casefold()


def has_han(text: str) -> bool:
    return any(match[1] for match in RUN.finditer(text))


def terms(text: str) -> Iterator[str]:
    """Yield the terms of a text, each as often as it occurs."""
    for match in RUN.finditer(folded(text)):
        yield from (_han if match[1] else _word)(match[0])


def _han(run: str) -> Iterator[str]:
    for length in range(1, min(HAN_LONGEST, len(run)) + 1):
        for start in range(len(run) - length + 1):
            yield run[start : start + length]


def _word(word: str) -> Iterator[str]:
    yield word
    for length in range(SHORTEST_PREFIX, min(LONGEST_PREFIX, len(word) - 1) + 1):
        yield f"{word[:length]}*"
    for start in range(1, len(word) - PART + 1):
        yield f"~{word[start : start + PART]}"


def compared(text: str) -> str:
    """Return a text without what makes no difference: width, case, spaces, punctuation."""
    return re.sub(r"[\W_]+", "", folded(text)) or text
