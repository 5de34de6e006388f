"""A text while it is masked."""

import re

from functions.core.text.patterns import BLANK, FOLDED, LazyPattern

_LOOKUPS = 400
"""The most look-ups of numbering plans for one text; beyond it, every possible phone number is
hidden."""


class MaskedText:
    """A text, its folded form, and the replacements to make in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = text.translate(FOLDED)
        self.lookups = _LOOKUPS
        self._hidden: list[tuple[int, int, str]] = []
        self._pending: list[tuple[int, int, str]] = []

    def has_digits(self) -> bool:
        """Return whether the folded text has digits."""
        return bool(_DIGIT.search(self.folded))

    def hide(self, start: int, end: int, replacement: str) -> None:
        """Note a replacement; later recognisers see it after :meth:`settle`."""
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

    def result(self) -> str:
        """Return the text with all replacements."""
        parts: list[str] = []
        done = 0
        for start, end, replacement in sorted(self._hidden + self._pending):
            parts += (self.text[done:start], replacement)
            done = end
        parts.append(self.text[done:])
        return "".join(parts)


_DIGIT = LazyPattern(r"\d")


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
