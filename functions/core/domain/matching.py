"""Matching a playbook's conditions, keywords and terms against requests and tickets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache

from functions.core.domain.rules import Condition, Term
from functions.core.domain.ticket import Ticket


@dataclass(frozen=True)
class Facts:
    """The values that conditions compare. `text` is folded (see `fold`)."""

    text: str = ""
    type: str | None = None
    tags: tuple[str, ...] = ()
    priority: str | None = None
    customer_class: str | None = None
    channel: str | None = None
    mood: str | None = None
    product: str | None = None
    queue: str | None = None
    approved: bool | None = None
    amount: Decimal | None = None
    score: int | None = None

    @classmethod
    def of(cls, ticket: Ticket, text: str = "", product: str | None = None) -> Facts:
        """Take the facts from a ticket and a text, which is folded here."""
        return cls(
            text=fold(text),
            type=ticket.type,
            tags=ticket.tags,
            priority=ticket.priority,
            customer_class=ticket.customer.customer_class,
            channel=ticket.channel,
            mood=ticket.mood,
            product=product or ticket.product,
            queue=ticket.queue,
            score=ticket.score,
        )


_APOSTROPHES = str.maketrans("‘’ʼ`´", "'''''")


_INVISIBLE = (
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e01ef]"
)
_HAN_OR_KANA = "\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WRAP = (
    rf"(?<=[{_HAN_OR_KANA}])[ \t\u3000]*\r?\n[ \t\u3000]*(?=[{_HAN_OR_KANA}])"
    r"|(?<=[^\W\d_])[-\u2010]\r?\n[ \t]*(?=[^\W\d_])"
)
"""A line break inside a word: Chinese is wrapped anywhere, other words at a hyphen."""


@cache
def _left_out() -> tuple[re.Pattern[str], ...]:
    """Compile on first use, which takes as long as importing ten modules."""
    return tuple(map(re.compile, (r"\u00ad[ \t]*\r?\n[ \t]*", _INVISIBLE, _WRAP)))


def fold(text: str) -> str:
    """Normalise width, case, white space and apostrophes, as keywords are compared.

    Invisible characters and hard wraps inside words are removed.
    """
    for pattern in _left_out():
        text = pattern.sub("", text)
    plain = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES))
    return " ".join(plain.casefold().split())


_folded = lru_cache(maxsize=8192)(fold)


def mentions(text: str, words: tuple[str, ...]) -> str | None:
    """Return the first of `words` that occurs in the folded `text`.

    Latin words match whole words only ("app" does not match "happy"). Chinese has no spaces, so
    Chinese words match anywhere.
    """
    return next((word for word in words for _ in places(text, word)), None)


def places(text: str, word: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each occurrence of `word` in the folded `text`."""
    folded = _folded(word)
    start = text.find(folded) if folded else -1
    while start >= 0:
        end = start + len(folded)
        if not (_joins(text, start - 1) or _joins(text, end - 1)):
            yield start, end
        start = text.find(folded, start + 1)


def find_term(name: str, terms: Mapping[str, Term]) -> str | None:
    """Return the key of the term with this key, or with this label in any language."""
    wanted = fold(name)
    for key, term in terms.items():
        if wanted in (fold(key), *map(fold, term.label.values())):
            return key
    return None


def _joins(text: str, left: int) -> bool:
    """Return whether the characters at `left` and `left + 1` belong to one Latin word."""
    if left < 0 or left + 1 >= len(text):
        return False
    return all(c.isascii() and c.isalnum() for c in text[left : left + 2])


def holds(condition: Condition, facts: Facts) -> bool:
    one_of = (
        (condition.type, facts.type),
        (condition.priority, facts.priority),
        (condition.customer_class, facts.customer_class),
        (condition.channel, facts.channel),
        (condition.mood, facts.mood),
        (condition.queue, facts.queue),
    )
    if any(expected and value not in expected for expected, value in one_of):
        return False
    if condition.tags and not set(condition.tags) & set(facts.tags):
        return False
    if condition.mentions and mentions(facts.text, condition.mentions) is None:
        return False
    if condition.product and mentions(fold(facts.product or ""), condition.product) is None:
        return False
    if condition.approved is not None and facts.approved is not condition.approved:
        return False
    over, below = condition.amount_over, condition.score_below
    if over is not None and (facts.amount is None or facts.amount <= over):
        return False
    return below is None or (facts.score is not None and facts.score < below)
