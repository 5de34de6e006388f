"""A text while it is masked."""

import re

from functions.core.text.folding import fold
from functions.core.text.patterns import BLANK, LazyPattern

_LOOKUPS = 400
"""The most look-ups of numbering plans for one text; beyond it, every possible phone number is
hidden."""


class MaskedText:
    """A text, its folded form, and the replacements to make in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._origin = fold(text)
        self.folded = self._origin.text
        self.lookups = _LOOKUPS
        self._hidden: list[tuple[int, int, str]] = []
        self._pending: list[tuple[int, int, str]] = []

    def has_digits(self) -> bool:
        return bool(_DIGIT.search(self.folded))

    def hide(self, start: int, end: int, replacement: str) -> None:
        """Note a replacement in the folded text; later recognisers see it after :meth:`settle`."""
        self._pending.append((start, end, replacement))

    def settle(self) -> None:
        """Put stars into the folded text in place of the noted replacements."""
        if not self._pending:
            return
        self.folded = _overwritten(self.folded, self._pending, "*")
        self._hidden += self._pending
        self._pending = []

    def blank(self, pattern: LazyPattern) -> None:
        """Blank the matches of a pattern in the folded text, so that no recogniser reads them."""
        self.folded = pattern.sub(_blanks, self.folded)

    def blank_spans(self, spans: list[tuple[int, int, str]]) -> None:
        """Blank spans of the folded text, so that no recogniser reads them."""
        self.folded = _overwritten(self.folded, spans, BLANK)

    def joined(self) -> str | None:
        """Return the folded text with separators such as `,_:` as hyphens, line breaks as spaces.

        None if none of them is between digits.
        """
        joined = _JOINT.sub(_spaced, self.folded)
        return joined if joined != self.folded else None

    def result(self) -> str:
        parts: list[str] = []
        done = 0
        for folded_start, folded_end, replacement in sorted(self._hidden + self._pending):
            start, end = self._origin.span(folded_start, folded_end)
            parts += (self.text[done:start], replacement)
            done = end
        parts.append(self.text[done:])
        return "".join(parts)


# A line break or a separator that a number may continue after, but within a cluster never has.
_JOINT = LazyPattern(
    r"(?<=\d)(?:[ .()/-]{0,2}[,_:;=~|、][ .,_:;=~|、()/-]{0,2}|[ .()/-]{0,2}\n[ >]{0,3})(?=\d)"
)
_DIGIT = LazyPattern(r"\d")


def _spaced(match: re.Match[str]) -> str:
    return (" " if "\n" in match[0] else "-").ljust(len(match[0]))


def _overwritten(text: str, spans: list[tuple[int, int, str]], filler: str) -> str:
    parts: list[str] = []
    done = 0
    for start, end, _ in spans:
        parts += (text[done:start], filler * (end - start))
        done = end
    parts.append(text[done:])
    return "".join(parts)


def _blanks(match: re.Match[str]) -> str:
    return BLANK * len(match[0])
