"""The masked texts of many tickets, scanned as one: search finds tickets by them.

A text is folded (`terms.folded`) and each word's beginning is marked, so that `fund` finds `funds`
and not `refund`. What begins with a digit, and Han characters, are found anywhere.
"""

from __future__ import annotations

import re
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from functions.core.text.terms import HAN, RUN, folded

MAX_TEXT = 20_000
"""The characters of a ticket that can be found, its beginning."""
MAX_QUERY = 100
"""The characters of a query."""
SNIPPET = 80
"""The characters shown of a text around what was found."""
_BEFORE = 24
_START = "\x1f"
"""Stands before each word that begins with a letter."""
_HASH = "\x1e"
"""Stands before the keyed hash of the contact's last four digits."""
_WORD = rf"[^\W_{HAN}]+"
_WANTED = re.compile(rf"[{HAN}]+|{_WORD}(?:[-_./:@#+]{_WORD})*")
_LAST_FOUR = re.compile(r"\d{4}", re.ASCII)

Wanted = Sequence[tuple[str, ...]]
"""The parts that a ticket's text has to contain: of each, one of the alternatives."""
Hashed = Callable[[str], str]
"""Returns a desk's keyed hash of the last four digits of a contact (`tokens.last_four_hash`)."""
Position = tuple[int, str]
"""A ticket's place in results, newest first: the negative time of its last words, its number."""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(at: datetime) -> int:
    """Return a time as a segment has it: the microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


class TicketText(NamedTuple):
    """The text of a ticket, when its last words were said, and when it came in (microseconds)."""

    number: str
    at: int
    received_at: int
    text: str

    @property
    def position(self) -> Position:
        return -self.at, self.number


def searchable(number: str, contact: str, texts: Iterable[str], hashed: Hashed) -> str:
    """Return the text by which a ticket is found.

    Args:
        contact: masked; if its last four digits are shown, they are found by their keyed hash.
    """
    # Splitting also drops what marks words, hashes and the ends of texts.
    line = " ".join(" ".join((number, *texts)).split())[:MAX_TEXT]
    ending = contact[-4:]
    shown = _HASH + hashed(ending) if _LAST_FOUR.fullmatch(ending) else ""
    return _marked(" ".join(folded(line).split())) + shown


def wanted(query: str, hashed: Hashed) -> Wanted:
    """Return what a query asks for; nothing if it has neither letters nor digits.

    Words are separated by anything but `-_./:@#+`, which join the parts of a number or an address.
    """
    parts = dict.fromkeys(match[0] for match in _WANTED.finditer(folded(query)))
    return [
        (part, _HASH + hashed(part)) if _LAST_FOUR.fullmatch(part) else (_marked(part),)
        for part in parts
    ]


def _marked(text: str) -> str:
    return RUN.sub(lambda run: run[0] if run[1] or run[0][0].isdecimal() else _START + run[0], text)


def shown(text: str) -> str:
    """Return a text without what search adds to it."""
    return text.partition(_HASH)[0].replace(_START, "")


def snippet(text: str, wanted: Wanted) -> str | None:
    """Return the part of a text around the first of what was found; None if that is a hash."""
    text = text.partition(_HASH)[0]
    found = [at for each in wanted if (at := text.find(each[0])) >= 0]
    if not found:
        return None
    start, whole = len(shown(text[: min(found)])), shown(text)
    start = max(0, min(start - _BEFORE, len(whole) - SNIPPET))
    return whole[start : start + SNIPPET].strip()


class Segment:
    """The texts of many tickets, one line each, the oldest first; immutable."""

    def __init__(self, texts: Iterable[TicketText]) -> None:
        ordered = sorted(texts, key=lambda each: each.position, reverse=True)
        self.numbers = [each.number for each in ordered]
        self.at = array("q", (each.at for each in ordered))
        self.received_at = array("q", (each.received_at for each in ordered))
        self.text = "\n".join(each.text for each in ordered)
        lengths = (len(each.text) + 1 for each in ordered)
        self._starts = array("q", accumulate(lengths, initial=0))

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, line: int) -> TicketText:
        text = self.text[self._starts[line] : self._starts[line + 1] - 1]
        return TicketText(self.numbers[line], self.at[line], self.received_at[line], text)

    def __iter__(self) -> Iterator[TicketText]:
        return (self[line] for line in range(len(self)))

    @cached_property
    def lines(self) -> dict[str, int]:
        """Number → its line."""
        return {number: line for line, number in enumerate(self.numbers)}

    def position(self, line: int) -> Position:
        return -self.at[line], self.numbers[line]

    def find(self, wanted: Wanted, after: Position | None = None) -> Iterator[int]:
        """Yield the lines that contain all of `wanted`, the newest first.

        Each part is looked for backwards from the end of the line that the parts before it left, so
        that a scan takes as many steps as the rarest part occurs.
        """
        newest = len(self) - 1
        line = newest
        if after is not None:
            line -= bisect_right(range(len(self)), after, key=lambda n: self.position(newest - n))
        starts = self._starts
        found: dict[str, int] = {}
        while line >= 0:
            lowest = line
            for alternatives in wanted:
                end = starts[lowest + 1] - 1
                at = -1
                for part in alternatives:
                    # The last one before a later end is the last before this one too.
                    if part not in found or found[part] + len(part) > end:
                        found[part] = self.text.rfind(part, 0, end)
                    at = max(at, found[part])
                if at < starts[lowest]:
                    lowest = bisect_right(starts, at) - 1
                    if lowest < 0:
                        return
            if lowest == line:
                yield line
                lowest -= 1
            line = lowest

    def to_bytes(self) -> bytes:
        numbers = "\n".join(self.numbers).encode()
        head = array("q", [len(self), len(numbers)])
        parts = (head, self.at, self.received_at, self._starts[1:])
        return zlib.compress(b"".join([*map(bytes, parts), numbers, self.text.encode()]))

    @classmethod
    def from_bytes(cls, stored: bytes) -> Segment:
        """Read what `to_bytes` wrote, without a copy of the text."""
        read = memoryview(zlib.decompress(stored))
        size, numbers = read[:16].cast("q")
        columns = array("q", read[16 : 16 + 24 * size].cast("q"))
        text = 16 + 24 * size + numbers
        segment = cls(())
        segment.at, segment.received_at = columns[:size], columns[size : 2 * size]
        segment._starts.extend(columns[2 * size :])
        segment.numbers = str(read[text - numbers : text], "utf-8").split("\n") if size else []
        segment.text = str(read[text:], "utf-8")
        return segment
