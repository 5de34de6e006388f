"""One form for the many ways of writing a number or an address.

`fold` makes of full-width, circled and Chinese numerals, key caps, entities, invisible characters
and spelled-out addresses what they stand for: `一三九`, `１③９`, `1\u200b3&#57;` become `139`.
Recognisers read the folded text alone; `Folded.span` leads from it back to the text.
"""

import re
import unicodedata
from dataclasses import dataclass, field

from functions.core.text.patterns import LazyPattern

INVISIBLE = "\u200b"
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"
_CIRCLED = 0xE000
"""The first of ten characters (private use) for digits that are no decimals, as ① and ²."""


class _Fold(dict[int, int]):
    """A translation table of full-width forms, other scripts' digits, dashes and spaces to ASCII.

    Each character becomes one character. Invisible ones become `INVISIBLE`, and ① keeps its value.
    """

    _KEPT = 4096

    def __missing__(self, code: int) -> int:
        folded = self._fold(code)
        if len(self) < self._KEPT:
            self[code] = folded
        return folded

    @staticmethod
    def _fold(code: int) -> int:
        char = chr(code)
        digit = unicodedata.decimal(char, None)
        if digit is not None:
            return ord("0") + digit
        circled = unicodedata.digit(char, None)
        if circled is not None:
            return _CIRCLED + circled
        category = unicodedata.category(char)
        if category == "Cf" or char in _BLANK_LETTERS:
            return ord(INVISIBLE)
        if 0xFF01 <= code <= 0xFF5E:
            return code - 0xFEE0
        if category == "Pd" or char == "\u2212":
            return ord("-")
        if category == "Zs" or char in "\t\r":
            return ord(" ")
        if char in "\u00b7\u2022\u2027\u30fb":
            return ord(".")
        return code


FOLDED = _Fold()


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text; if characters were joined, where each comes from in the original."""

    text: str
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def span(self, start: int, end: int) -> tuple[int, int]:
        if not self.starts or start == end:
            return start, end
        return self.starts[start], self.ends[end - 1]


# A digit under a key cap or a stroke, an entity, a line break, invisible characters, "at", "dot".
_JOINED = LazyPattern(
    r"\d[\u0300-\u036f\u20d0-\u20f0\ufe00-\ufe0f]+"
    r"|&(?:amp;)?(?:#\d{2,7}|#[xX][0-9A-Fa-f]{2,6}|[A-Za-z]{2,8});"
    r"|<[Bb][Rr] ?/?>"
    rf"|{INVISIBLE}+"
    r"|(?<=\w) {0,2}(?:[\[({] ?(?:at|AT|@) ?[\])}]) {0,2}(?=\w)"
    r"|(?<=\w) {0,2}(?:[\[({] ?(?:dot|DOT|\.) ?[\])}]) {0,2}(?=\w)"
    r"|(?<=[A-Za-z0-9_])(?: {1,2}@ {0,2}|@ {1,2})(?=[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.[A-Za-z]{2})"
    r"|(?<=\w) (?:at|AT) (?=[\w-]{1,63}(?: (?:dot|DOT) [\w-]{1,63}){0,3} (?:dot|DOT) "
    r"(?:com|net|org|edu|gov|info|cn|hk|tw|uk|de|io|co|me|cc)(?![\w-]))"
    r"|(?<=\w) (?:dot|DOT) (?=[A-Za-z])",
)
_NAME_IN_TEXT = LazyPattern(r"[\w.+-]*[\d._]\w*$")


def fold(text: str) -> Folded:
    flat = text.translate(FOLDED)
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for match in _JOINED.finditer(flat):
        start, end = match.span()
        joined = _joined(match)
        parts += (flat[done:start], joined)
        starts += range(done, start)
        ends += range(done + 1, start + 1)
        if joined:
            starts.append(start)
            ends.append(end)
        done = end
    if not parts:
        return Folded(_with_digits(flat))
    starts += range(done, len(flat))
    ends += range(done + 1, len(flat) + 1)
    return Folded(_with_digits("".join((*parts, flat[done:]))), starts, ends)


def _joined(match: re.Match[str]) -> str:
    """Return the one character, or none, that a sequence stands for."""
    written, text = match[0], match.string
    if written[0].isdigit():
        return written[0]
    if written[0] == INVISIBLE:
        return _between(
            text[max(0, match.start() - 7) : match.start()], text[match.end() : match.end() + 7]
        )
    if written[0] == "&":
        from html import unescape

        char = unescape(unescape(written)).translate(FOLDED)
        return "" if char == INVISIBLE else char if len(char) == 1 else "&"
    if written[0] == "<":
        return "\n"
    if "." in written or "dot" in written.lower():
        return "."
    if written[0] == " " and written[-1] == "@":
        # "hello @example.com" names a company, "zhang.san @example.com" an address.
        name = _NAME_IN_TEXT.search(text[max(0, match.start() - 64) : match.start()])
        return "@" if name else " "
    return "@"


def _between(before: str, after: str) -> str:
    """Return what invisible characters between two texts count as: nothing, or a space."""
    left, right = before[-1:], after[:1]
    if left.isdigit() and right.isdigit():
        return " " if len(before) == len(after) == 7 and (before + after).isdigit() else ""
    within = (left.isalpha() and right.isalpha()) or left in set("@._-") or right in set("@._-")
    return "" if within else " "


# Numerals other than decimal digits. A single one numbers a list ("\u2460", "一、") unless digits
# surround it.
_CHINESE = "〇零○洞一幺壹二两贰貳三叁參四肆五伍六陆陸七柒拐八捌九玖勾"
_VALUES = "00001112222333445566677788999"
_NUMERAL = rf"[{_CHINESE}{chr(_CIRCLED)}-{chr(_CIRCLED + 9)}]"
_NUMERALS = LazyPattern(
    rf"{_NUMERAL}(?:[ .,、-]{{0,2}}{_NUMERAL}){{2,}}"
    rf"|(?<=\d)(?<!\d{{7}}){_NUMERAL}+(?=\d)|(?<=\d){_NUMERAL}+(?=\d)(?!\d{{7}})"
)
_LIST_MARK = LazyPattern(rf"[{chr(_CIRCLED)}-{chr(_CIRCLED + 9)}]")
_DIGITS = str.maketrans(_CHINESE, _VALUES) | {_CIRCLED + n: ord("0") + n for n in range(10)}


def _with_digits(text: str) -> str:
    if text.isascii():
        return text
    return _LIST_MARK.sub(" ", _NUMERALS.sub(lambda run: run[0].translate(_DIGITS), text))
