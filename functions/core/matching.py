"""Whether a playbook's condition holds for a request or a ticket."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from functions.core.playbook import Condition
from functions.core.ticket import Ticket


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
    amount: float | None = None

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
            product=product,
        )


def fold(text: str) -> str:
    """Text as keywords are compared: width, case and runs of white space do not count."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def mentions(text: str, words: tuple[str, ...]) -> str | None:
    """The first of `words` that stands in the folded `text`.

    A word in Latin letters has to stand alone ("app" is not in "happy"); Chinese is written
    without spaces, so there a word may stand anywhere.
    """
    for word in words:
        folded = fold(word)
        start = text.find(folded)
        while start >= 0:
            if not (_joins(text, start - 1, start) or _joins(text, start + len(folded) - 1)):
                return word
            start = text.find(folded, start + 1)
    return None


def _joins(text: str, left: int, right: int | None = None) -> bool:
    """Whether the characters at `left` and after it are letters of one Latin word."""
    right = left + 1 if right is None else right
    if left < 0 or right >= len(text):
        return False
    return all(c.isascii() and c.isalnum() for c in (text[left], text[right]))


def holds(condition: Condition, facts: Facts) -> bool:
    """Whether all that the condition names is so."""
    one_of = (
        (condition.type, facts.type),
        (condition.priority, facts.priority),
        (condition.customer_class, facts.customer_class),
        (condition.channel, facts.channel),
        (condition.mood, facts.mood),
    )
    if any(wanted and given not in wanted for wanted, given in one_of):
        return False
    if condition.tags and not set(condition.tags) & set(facts.tags):
        return False
    if condition.mentions and mentions(facts.text, condition.mentions) is None:
        return False
    if condition.product and mentions(fold(facts.product or ""), condition.product) is None:
        return False
    over = condition.amount_over
    return over is None or (facts.amount is not None and facts.amount > over)
