"""Suggest a reply to an agent from the playbook's templates and articles (A9, E4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from functions.core.domain.matching import Facts, holds
from functions.core.domain.rules import Locale, Playbook, ReplyTemplate
from functions.core.domain.ticket import Ticket
from functions.core.text.templating import fill, promise_variables, ticket_variables, with_fields


@dataclass(frozen=True)
class Suggestion:
    """A draft for the agent to edit and send.

    `text` is empty if no template fits; `article` is the title of the article whose solution the
    text contains, if any.
    """

    text: str
    article: str | None = None


def suggest(
    ticket: Ticket, playbook: Playbook, description: str, locale: Locale, now: datetime
) -> Suggestion:
    """Fill in the first template that fits the ticket; unknown variables stay empty.

    Args:
        description: the customer's masked text; conditions may ask for words in it.
        locale: the language of the draft, usually the ticket's.
        now: the time; the draft promises none that has passed.
    """
    facts = Facts.of(ticket, description)
    template = next((t for t in playbook.templates if holds(t.when, facts)), None)
    if template is None:
        return Suggestion("")
    values = _variables(ticket, playbook, description, locale, now)
    article = playbook.articles[template.article] if template.article else None
    if article is not None:
        values["solution"] = fill(article.solution[locale], values)
    return Suggestion(
        text=_paragraphs(template, ticket.mood, values, locale),
        article=article.title[locale] if article else None,
    )


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
    """Return the template variables that are known."""
    ticket_values = ticket_variables(ticket, playbook, locale, for_customer=True)
    vague = (rule.vague for tag in ticket.tags if (rule := playbook.tags.get(tag)))
    common = {
        **ticket_values,
        **promise_variables(ticket, playbook, locale, now),
        "question": next((v.question[locale] for v in vague if v), ""),
        "description": description,
    }
    return with_fields(common, ticket.facts, playbook, locale, for_customer=True)
