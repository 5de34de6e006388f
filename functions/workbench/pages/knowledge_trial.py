"""A question on trial: what the assistant and the agents' search would find for it now."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from functions.core.domain.chat import MAX_TEXT
from functions.core.domain.errors import FieldError, InvalidInput, too_long
from functions.core.domain.knowledge import ENOUGH_PHRASINGS, in_locale
from functions.core.text.words import written_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.assistant.attempts import Attempt
    from functions.core.domain.knowledge import Article
    from functions.workbench.pages.page import WorkbenchPage

SHOWN = 5
"""The most articles that are shown of the agents' search."""


@dataclass(frozen=True)
class TrialMatch:
    """An article, its title, and the share of the question's words that it has, if asked for."""

    name: str
    title: str
    share: float | None = None


@dataclass(frozen=True)
class QuestionTrial:
    """The outcome of a trial.

    Attributes:
        attempt: the assistant's turn, None if the desk has no assistant.
        read: the articles that the engine named, most likely first.
        thin: the most likely one has too few phrasings to be answered with at once.
        found: the articles that agents find.
    """

    attempt: Attempt | None
    read: Sequence[TrialMatch]
    thin: int | None
    found: Sequence[TrialMatch]


def tried(page: WorkbenchPage, question: str) -> QuestionTrial:
    """Try a question.

    Raises:
        InvalidInput: it is longer than a customer's message may be.
    """
    from functions.core.services.article_search import search
    from functions.workbench.articles import may_read

    if len(question) > MAX_TEXT:
        wrong = FieldError("question", too_long(MAX_TEXT, len(question)))
        raise InvalidInput("Some fields are invalid.", (wrong,))
    playbook, now = page.playbook, page.request.now
    base = page.storage.knowledge.get(page.desk, now, fresh=True)
    known = {name: found.article for name, found in base.articles.items()}
    title = partial(_match, known, page)
    found = [
        title(name, share)
        for name, share in search(base, question)
        if may_read(page.principal, base.articles[name], playbook, page.request)
    ]
    attempt = _attempt(page, question, known)
    reading = attempt.reading if attempt else None
    read = [title(name) for name in reading.articles if name in known] if reading else []
    thin = None
    if reading and reading.kind == "offer" and read:
        asked = known[read[0].name].asked.get(written_in(question) or page.locale, ())
        thin = len(asked) if len(asked) < ENOUGH_PHRASINGS else None
    return QuestionTrial(attempt, read, thin, found[:SHOWN])


def _attempt(page: WorkbenchPage, question: str, known: dict[str, Article]) -> Attempt | None:
    """Ask the assistant of the desk; None if it has none."""
    from functions.core.assistant.attempts import attempt
    from functions.core.assistant.engine import ask
    from functions.core.platform import aws

    playbook, now = page.playbook, page.request.now
    if playbook.assistant is None:
        return None
    engine = partial(
        ask, aws.client("lambda"), page.request.deployment, page.desk, playbook.assistant
    )
    told = {
        name: article
        for name, article in known.items()
        if article.may_be_read("customer", now, playbook.zone)
    }
    return attempt(
        question, page.storage, playbook, playbook.assistant, told, engine, now, page.locale
    )


def _match(
    known: dict[str, Article], page: WorkbenchPage, name: str, share: float | None = None
) -> TrialMatch:
    return TrialMatch(name, in_locale(known[name].title, page.locale), share)
