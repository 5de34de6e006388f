"""A9, E4: what an agent is offered as an answer, from the playbook's templates and articles."""

from __future__ import annotations

from dataclasses import dataclass

from functions.core.domain.matching import Facts, holds
from functions.core.domain.rules import Locale, Playbook, ReplyTemplate
from functions.core.domain.ticket import Ticket
from functions.core.text.templating import fill, ticket_variables, with_fields


@dataclass(frozen=True)
class Suggestion:
    """A draft for the agent to edit and send.

    `text` is empty where no template fits; `article` is the title of the article whose solution
    stands in it, None where there is none.
    """

    text: str
    article: str | None = None


def suggest(ticket: Ticket, playbook: Playbook, description: str, locale: Locale) -> Suggestion:
    """The first template that fits the ticket, filled in; what is not known yet stays empty.

    Args:
        description: what the customer wrote, masked; conditions may ask for words in it.
        locale: the language of the draft, as a rule the ticket's.
    """
    facts = Facts.of(ticket, description)
    template = next((t for t in playbook.templates if holds(t.when, facts)), None)
    if template is None:
        return Suggestion("")
    values = _values(ticket, playbook, description, locale)
    article = playbook.articles[template.article] if template.article else None
    if article is not None:
        values["solution"] = fill(article.solution[locale], values)
    return Suggestion(
        text=_parts(template, ticket.mood, values, locale),
        article=article.title[locale] if article else None,
    )


def _parts(
    template: ReplyTemplate, mood: str | None, values: dict[str, str], locale: Locale
) -> str:
    """The parts that have something to say, each a paragraph, in the words for the mood (E9)."""
    parts = {**template.parts, **template.moods.get(mood or "", {})}
    filled = (fill(part[locale], values).strip() for part in parts.values())
    return "\n\n".join(part for part in filled if part)


def _values(ticket: Ticket, playbook: Playbook, description: str, locale: Locale) -> dict[str, str]:
    """What a template may fill in (`playbook.checks.template_variables`), as far as it is known."""
    own = ticket_variables(ticket, playbook, locale)
    vague = (known.vague for tag in ticket.tags if (known := playbook.tags.get(tag)))
    common = {
        **own,
        "tag": own["tag"] or own["type"],
        "question": next((v.question[locale] for v in vague if v), ""),
        "description": description,
    }
    return with_fields(common, ticket.facts, playbook)
