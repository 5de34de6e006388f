"""Checks of articles: errors, and findings that would make them work better."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from functions.core.domain.commands.base import one_of
from functions.core.domain.errors import FieldError, Phrase
from functions.core.domain.knowledge import ENOUGH_PHRASINGS, Article
from functions.core.domain.playbook_types import LOCALES
from functions.core.text.templating import TEMPLATE_VARIABLES, faults, template_variables
from functions.core.text.terms import compared

if TYPE_CHECKING:
    from functions.core.domain.rules import Playbook


def errors(article: Article, playbook: Playbook | None = None) -> Iterator[FieldError]:
    """Find texts that cannot be filled in, and what the desk does not have, if it is known."""
    of_ticket = template_variables(playbook) if playbook else None
    known = {*(of_ticket or TEMPLATE_VARIABLES), *article.needs}
    for key, texts in (("title", article.title), ("solution", article.solution)):
        for locale, text in texts.items():
            unknown, failure = faults(text, known)
            if failure:
                yield FieldError(
                    f"{key}.{locale}", Phrase("cannot be filled in: {cause}", cause=failure)
                )
            for name in unknown:
                phrase = "there is no variable '{name}'; say in `needs` where it comes from"
                yield FieldError(f"{key}.{locale}", Phrase(phrase, name=name))
    for name, origin in article.needs.items():
        if origin == "ticket" and of_ticket is not None and name not in of_ticket:
            yield FieldError(f"needs.{name}", "the desk's tickets have no such variable")
    if playbook and article.type is not None and article.type not in playbook.types:
        yield one_of("type", dict.fromkeys(playbook.types))


def without_source(articles: Mapping[str, Article], sources: Collection[str]) -> Iterator[str]:
    """Find what no system of the desk knows: the assistant hands over instead of answering."""
    for name, article in articles.items():
        for variable, origin in article.needs.items():
            if origin == "looked_up" and variable not in sources:
                yield f"{name}: none of the desk's sources knows '{variable}'"


def findings(articles: Mapping[str, Article]) -> Iterator[str]:
    used: dict[str, list[str]] = defaultdict(list)
    for name, article in articles.items():
        for problem in (*_missing(article), *_thin(article)):
            yield f"{name}: {problem}"
        for phrasings in article.asked.values():
            for phrasing in phrasings:
                used[compared(phrasing)].append(name)
                if len(used[compared(phrasing)]) == 2:
                    used[""].append(phrasing)
    for phrasing in used.pop("", ()):
        names = Counter(used[compared(phrasing)])
        if len(names) == 1:
            yield f"{', '.join(names)}: '{phrasing}' is there twice"
        else:
            yield f"{', '.join(names)}: '{phrasing}' is asked in each of them; keep it in one"


def _missing(article: Article) -> Iterator[str]:
    texts: dict[str, Collection[str]] = {"title": article.title, "solution": article.solution}
    if article.audience == "customer":  # agents search in the solution too
        texts["phrasings"] = article.asked
    for locale in LOCALES:
        missing = [key for key, found in texts.items() if locale not in found]
        if missing:
            yield f"no {locale}: {', '.join(missing)}"


def _thin(article: Article) -> Iterator[str]:
    """Find languages in which the article is only offered, however well it fits."""
    for locale, phrasings in article.asked.items():
        if len(phrasings) < ENOUGH_PHRASINGS and article.audience == "customer":
            yield (
                f"thin in {locale}: {len(phrasings)} phrasings; it is only offered "
                f"with fewer than {ENOUGH_PHRASINGS}"
            )
