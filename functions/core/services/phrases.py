"""Find what an agent could write: articles and reply templates that fit a few typed words (A9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from functions.core.domain.playbook_types import Locale
from functions.core.services.article_search import search
from functions.core.services.suggesting import (
    current_articles,
    filled_articles,
    filled_templates,
    solution_of,
)
from functions.core.text.terms import folded, terms

if TYPE_CHECKING:
    from functions.core.domain.knowledge import KnowledgeBase
    from functions.core.domain.rules import Playbook
    from functions.core.domain.ticket import Ticket

MOST = 6
"""The most phrases that are offered."""

LEAST = 0.2
"""The least share of the typed terms that a phrase has."""

MOST_OF_IT = 0.8
"""The share of the typed terms that a text of the playbook without the words themselves has."""


@dataclass(frozen=True)
class OfferedPhrase:
    """A text to insert, filled in for the ticket; `title` names it."""

    kind: Literal["article", "template"]
    title: str
    text: str


def phrases(
    ticket: Ticket,
    playbook: Playbook,
    knowledge: KnowledgeBase | None,
    description: str,
    typed: str,
    locale: Locale,
    now: datetime,
) -> list[OfferedPhrase]:
    """Return the phrases that fit what is typed, best first.

    Args:
        description: the customer's masked text.
        locale: the language in which the customer is answered.
    """
    wanted = set(terms(typed))
    if not wanted:
        return []
    known = current_articles(knowledge, playbook, locale, now) if knowledge else {}
    found = [
        (score, OfferedPhrase("article", article.title[locale], text))
        for name, score in (search(knowledge, typed) if knowledge else ())
        if score >= LEAST and (article := known.get(name))
        for text in (solution_of(article, ticket, playbook, description, locale, now),)
    ][:MOST]
    own = filled_articles(ticket, playbook, description, locale, now)
    offered: list[OfferedPhrase] = [OfferedPhrase("article", title, text) for title, text in own]
    templates = filled_templates(ticket, playbook, description, locale, now, known)
    offered += [
        OfferedPhrase(
            "template", suggestion.article or _first_line(suggestion.text), suggestion.text
        )
        for suggestion in templates
    ]
    had = {phrase.text for _, phrase in found}
    for phrase in offered:
        if not phrase.text or phrase.text in had:
            continue
        had.add(phrase.text)
        whole = f"{phrase.title}\n{phrase.text}"
        score = len(wanted & set(terms(whole))) / len(wanted)
        if folded(typed.strip()) in folded(whole) or score >= MOST_OF_IT:
            found.append((score, phrase))
    found.sort(key=lambda each: -each[0])
    return [phrase for _, phrase in found[:MOST]]


def _first_line(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= 40 else f"{line[:39]}…"
