"""Clusters of digit groups, as phone and card numbers are written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from functions.core.text.masked_text import MaskedText
from functions.core.text.patterns import LETTER, LazyPattern

_PLUS_REVERSED = LazyPattern(r"[ (]?\++(?!\d)")
_CLUSTER = LazyPattern(r"\d+(?:[ .\-/()]{1,4}\d+)*")
GROUP = LazyPattern(r"\d+")


@dataclass(slots=True)
class Cluster:
    """Groups of digits separated by spaces and phone punctuation alone."""

    masked: MaskedText
    text: str
    groups: list[tuple[int, int]]
    compact: str
    """The digits of all groups."""
    offsets: list[int]
    """The offset of each group in `compact`, and the end of the last one."""
    boundaries: dict[int, int]
    """Offset in `compact` → the group that begins there."""
    first: int
    """The first readable group; a group after a star is the rest of a hidden number."""
    last: int
    """One past the last readable group."""
    edge: int = 0
    """The group after the last hidden number; groups before it are no neighbours."""

    def digits(self, i: int, j: int) -> str:
        return self.compact[self.offsets[i] : self.offsets[j]]

    def match(self, pattern: LazyPattern, i: int) -> re.Match[str] | None:
        return pattern.match(self.compact, self.offsets[i])

    def until(self, i: int, digits: int, groups: int = 18) -> int | None:
        """Return j such that groups i..j, at most `groups`, have this number of digits."""
        j = self.boundaries.get(self.offsets[i] + digits)
        return j if j is not None and j <= self.last and j - i <= groups else None

    def sizes(self, i: int, j: int) -> tuple[int, ...]:
        return tuple([self.size(k) for k in range(i, j)])

    def size(self, i: int) -> int:
        return self.offsets[i + 1] - self.offsets[i]

    def gap(self, i: int) -> str:
        """Return the text between group `i` and the next; "" if the number cannot continue."""
        if i < 0 or i + 1 >= len(self.groups) or i + 1 == self.edge:
            return ""
        return self.text[self.groups[i][1] : self.groups[i + 1][0]]

    def gaps(self, i: int, j: int) -> set[str]:
        """Return the distinct separators within groups i..j, without spaces and brackets."""
        return {self.gap(k).strip(" ()") for k in range(i, j - 1)}

    def start(self, i: int) -> int:
        return self.groups[i][0]

    def end(self, j: int) -> int:
        return self.groups[j - 1][1]

    def raw(self, i: int, j: int) -> str:
        return self.text[self.start(i) : self.end(j)]

    def windows(self, i: int, most: int) -> Iterator[tuple[int, int]]:
        """Yield j and the number of digits in groups i..j, up to `most` digits."""
        for j in range(i + 1, self.last + 1):
            total = self.offsets[j] - self.offsets[i]
            if total > most:
                return
            yield j, total

    def alone(self, i: int, j: int) -> bool:
        """Return whether neither neighbouring group continues the number."""
        inside = {self.gap(k) for k in range(i, j - 1)}
        for gap in (self.gap(i - 1), self.gap(j - 1)):
            if gap in inside or (gap and " " not in gap and not gap.startswith(("/", ")"))):
                return False
        return True

    def unglued(self, i: int, j: int) -> bool:
        """Return whether no letters touch groups i..j, except lowercase words and phone labels."""
        before = _WORD_REVERSED.match(self.text[max(0, self.start(i) - 24) : self.start(i)][::-1])
        if 0 < i == self.edge:  # the text before it is the last hidden number
            before = None
        word = before[1][::-1] if before else ""
        after = _LETTERS.match(self.text, self.end(j), self.end(j) + 24)
        if not _plain_word(word):
            return False
        return _plain_word(after[0] if after else "") or bool(
            _BUILDING.match(self.text, self.end(j))
        )

    def plus(self, i: int) -> re.Match[str] | None:
        """Match the plus sign before group `i`, reading backwards."""
        start = self.start(i)
        return _PLUS_REVERSED.match(self.text[max(0, start - 5) : start][::-1])

    def labelled(self, i: int) -> bool:
        """Return whether a word such as "电话" or "call" precedes group `i`."""
        start = self.start(i)
        return bool(_LABEL_BEFORE.search(self.text[max(0, start - 40) : start]))


_LETTERS = LazyPattern(rf"(?:{LETTER}|\d)+")
_WORD_REVERSED = LazyPattern(rf"[-_]?((?:{LETTER}|\d)+)")
_LABEL_WORDS = r"tel|telephone|phone|mobile|mob|cell|fax|call|dial|contact|whatsapp|ph|hp|m|t|f"
_GLUED_WORDS = rf"{_LABEL_WORDS}|v|vx|wx|wechat"
_LABEL_BEFORE = LazyPattern(
    rf"(?:电话|手机|致电|拨打|来电|回电|座机|热线|传真|固话|联系方式|联络方式|联系我|"
    rf"(?<![A-Za-z])(?:{_LABEL_WORDS})(?![A-Za-z]))"
    r"(?:号码|号|是|为|(?<![A-Za-z])(?:numbers?|no|is|me|us|at|on|or)(?![A-Za-z])|[ :.=#()+,\n])*$",
    re.IGNORECASE,
)
_GLUED_WORD = LazyPattern(_GLUED_WORDS, re.IGNORECASE)
# An address that follows at once: 13900001111A座.
_BUILDING = LazyPattern(r"[A-Z]{1,2}\d{0,3}[座栋幢区室单楼口门户号]")


def _plain_word(word: str) -> bool:
    if not word:
        return True
    return word.isalpha() and (word.islower() or bool(_GLUED_WORD.fullmatch(word)))


def clusters(masked: MaskedText, text: str) -> Iterator[Cluster]:
    """Yield the clusters of a text that are long enough for a personal number.

    `text` is the folded text, or that text joined.
    """
    for match in _CLUSTER.finditer(text):
        if match.end() - match.start() < 7:
            continue
        groups = [group.span() for group in GROUP.finditer(text, *match.span())]
        first = 1 if text[match.start() - 1 : match.start()] == "*" else 0
        last = len(groups) - (text[match.end() : match.end() + 1] == "*")
        if first < last:
            sizes = [end - start for start, end in groups]
            offsets = list(accumulate(sizes, initial=0))
            compact = "".join([text[start:end] for start, end in groups])
            boundaries = {offset: index for index, offset in enumerate(offsets)}
            yield Cluster(masked, text, groups, compact, offsets, boundaries, first, last)


@dataclass(frozen=True, slots=True)
class Recognised:
    """A personal number up to group `end` of a cluster, and its replacement."""

    end: int
    shown: str
    phone: bool = True
