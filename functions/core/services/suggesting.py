"""Suggest a reply to an agent from the playbook's templates and the knowledge base (A9, E4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from functions.core.domain.matching import Facts, holds
from functions.core.domain.rules import Locale, Playbook, ReplyTemplate
from functions.core.domain.ticket import Ticket
from functions.core.text.templating import fill, promise_variables, ticket_variables, with_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from functions.core.domain.knowledge import Article, KnowledgeBase

TO_FILL_IN: dict[Locale, str] = {"zh-CN": "【请填写：{name}】", "en": "[fill in: {name}]"}
"""The placeholder of a variable that an article needs and that is not known yet. A reply
that still has it is refused."""


@dataclass(frozen=True)
class Suggestion:
    """A draft for the agent to edit and send.

    `text` is empty if neither a template nor an article fits; `article` is the title of the article
    whose solution the text contains, if any.
    """

    text: str
    article: str | None = None


def suggest(
    ticket: Ticket,
    playbook: Playbook,
    description: str,
    locale: Locale,
    now: datetime,
    knowledge: KnowledgeBase | None = None,
) -> Suggestion:
    """Fill in the first template that fits the ticket; unknown variables stay empty.

    If none fits, the article of the knowledge base that the request is about is the draft.

    Args:
        description: the customer's masked text; conditions may ask for words in it.
        locale: the language of the draft, usually the ticket's.
        now: the time; the draft promises none that has passed.
        knowledge: the desk's knowledge base. An article that it has in this language takes the
            place of the playbook's.
    """
    facts = Facts.of(ticket, description)
    template = next((t for t in playbook.templates if holds(t.when, facts)), None)
    values = _variables(ticket, playbook, description, locale, now)
    known = current_articles(knowledge, playbook, locale, now) if knowledge else {}
    if template is None:
        return _of_article(knowledge, known, description, values, locale)
    return _of_template(template, playbook, known, ticket.mood, values, locale)


def filled_templates(
    ticket: Ticket,
    playbook: Playbook,
    description: str,
    locale: Locale,
    now: datetime,
    known: Mapping[str, Article],
) -> Iterator[Suggestion]:
    """Yield the playbook's templates, filled in for a ticket whether they fit it or not.

    Args:
        known: the articles of the knowledge base (`current_articles`).
    """
    values = _variables(ticket, playbook, description, locale, now)
    for template in playbook.templates:
        yield _of_template(template, playbook, known, ticket.mood, dict(values), locale)


def filled_articles(
    ticket: Ticket, playbook: Playbook, description: str, locale: Locale, now: datetime
) -> Iterator[tuple[str, str]]:
    """Yield the titles and solutions of the playbook's own articles, filled in for a ticket."""
    values = _variables(ticket, playbook, description, locale, now)
    for article in playbook.articles.values():
        yield article.title[locale], fill(article.solution[locale], values)


def _of_template(
    template: ReplyTemplate,
    playbook: Playbook,
    known: Mapping[str, Article],
    mood: str | None,
    values: dict[str, str],
    locale: Locale,
) -> Suggestion:
    title = None
    if own := known.get(template.article or ""):
        title, values["solution"] = own.title[locale], _solution(own, values, locale)
    elif template.article:
        article = playbook.articles[template.article]
        title, values["solution"] = article.title[locale], fill(article.solution[locale], values)
    return Suggestion(_paragraphs(template, mood, values, locale), title)


def current_articles(
    knowledge: KnowledgeBase, playbook: Playbook, locale: Locale, now: datetime
) -> dict[str, Article]:
    """Return the articles that a customer may read now, in a language, by id."""
    return {
        name: found.article
        for name, found in knowledge.articles.items()
        if found.article.may_be_read("customer", now, playbook.zone)
        and locale in found.article.title
        and locale in found.article.solution
    }


def _of_article(
    knowledge: KnowledgeBase | None,
    known: Mapping[str, Article],
    description: str,
    values: Mapping[str, str],
    locale: Locale,
) -> Suggestion:
    if not (knowledge and known and description):
        return Suggestion("")
    from functions.core.services.article_search import best_match

    article = known.get(best_match(knowledge, description) or "")
    if article is None:
        return Suggestion("")
    return Suggestion(_solution(article, values, locale), article.title[locale])


def solution_of(
    article: Article,
    ticket: Ticket,
    playbook: Playbook,
    description: str,
    locale: Locale,
    now: datetime,
) -> str:
    """Fill in an article's solution for a ticket."""
    return _solution(article, _variables(ticket, playbook, description, locale, now), locale)


def _solution(article: Article, values: Mapping[str, str], locale: Locale) -> str:
    """Fill in an article's solution, with a placeholder for what it needs and nobody knows yet."""
    unknown = {
        name: TO_FILL_IN[locale].format(name=name) for name in article.needs if not values.get(name)
    }
    return fill(article.solution[locale], {**values, **unknown})


def _paragraphs(
    template: ReplyTemplate, mood: str | None, values: dict[str, str], locale: Locale
) -> str:
    """Join the non-empty parts as paragraphs, in the wording for the customer's mood (E9)."""
    parts = {**template.parts, **template.moods.get(mood or "", {})}
    filled = (fill(part[locale], values).strip() for part in parts.values())
    return "\n\n".join(part for part in filled if part)


def _variables(
    ticket: Ticket, playbook: Playbook, description: str, locale: Locale, now: datetime
) -> dict[str, str]:
    ticket_values = ticket_variables(ticket, playbook, locale, for_customer=True)
    vague = (rule.vague for tag in ticket.tags if (rule := playbook.tags.get(tag)))
    common = {
        **ticket_values,
        **promise_variables(ticket, playbook, locale, now),
        "question": next((v.question[locale] for v in vague if v), ""),
        "description": description,
    }
    return with_fields(common, ticket.facts, playbook, locale, for_customer=True)
