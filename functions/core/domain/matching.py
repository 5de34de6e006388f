"""Whether a playbook's condition holds for a request or a ticket."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from functions.core.domain.rules import Condition, Term
from functions.core.domain.ticket import Ticket


@dataclass(frozen=True)
class Facts:
    """What conditions may ask about. `text` is folded (see `fold`)."""

    text: str = ""
    type: str | None = None
    tags: tuple[str, ...] = ()
    priority: str | None = None
    customer_class: str | None = None
    channel: str | None = None
    mood: str | None = None
    product: str | None = None
    queue: str | None = None
    amount: Decimal | None = None
    score: int | None = None

    @classmethod
    def of(cls, ticket: Ticket, text: str = "", product: str | None = None) -> Facts:
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


def fold(text: str) -> str:
    """Text as keywords are compared: width, case, white space and kinds of apostrophe are equal."""
    plain = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES))
    return " ".join(plain.casefold().split())


_folded = lru_cache(maxsize=8192)(fold)


def mentions(text: str, words: tuple[str, ...]) -> str | None:
    """The first of `words` that stands in the folded `text`.

    A word in Latin letters has to stand alone ("app" is not in "happy"); Chinese is written
    without spaces, so there a word may stand anywhere.
    """
    return next((word for word in words for _ in places(text, word)), None)


def places(text: str, word: str) -> Iterator[tuple[int, int]]:
    """Where `word` stands in the folded `text`: start and end of each place, from the left."""
    folded = _folded(word)
    start = text.find(folded) if folded else -1
    while start >= 0:
        end = start + len(folded)
        if not (_joins(text, start - 1) or _joins(text, end - 1)):
            yield start, end
        start = text.find(folded, start + 1)


def find_term(given: str, terms: Mapping[str, Term]) -> str | None:
    """The key of the term that `given` names: by its key, or by its label in any language."""
    wanted = fold(given)
    for key, term in terms.items():
        if wanted in (fold(key), *map(fold, term.label.values())):
            return key
    return None


def _joins(text: str, left: int) -> bool:
    """Whether the characters at `left` and after it are letters of one Latin word."""
    if left < 0 or left + 1 >= len(text):
        return False
    return all(c.isascii() and c.isalnum() for c in text[left : left + 2])


def holds(condition: Condition, facts: Facts) -> bool:
    """Whether all that the condition names is so."""
    one_of = (
        (condition.type, facts.type),
        (condition.priority, facts.priority),
        (condition.customer_class, facts.customer_class),
        (condition.channel, facts.channel),
        (condition.mood, facts.mood),
        (condition.queue, facts.queue),
    )
    if any(wanted and given not in wanted for wanted, given in one_of):
        return False
    if condition.tags and not set(condition.tags) & set(facts.tags):
        return False
    if condition.mentions and mentions(facts.text, condition.mentions) is None:
        return False
    if condition.product and mentions(fold(facts.product or ""), condition.product) is None:
        return False
    over, below = condition.amount_over, condition.score_below
    if over is not None and (facts.amount is None or facts.amount <= over):
        return False
    return below is None or (facts.score is not None and facts.score < below)
