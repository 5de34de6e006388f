"""Ask a desk's language model for a person, within the desk's budget, and record the use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

from functions.core.domain.errors import NotFound
from functions.core.domain.events import CustomerWrote, TicketReceived
from functions.core.domain.model_use import ModelRequest, ModelResult, ModelUse, UsedArticle
from functions.core.platform.logging import logger
from functions.core.services.article_search import search
from functions.core.services.suggesting import current_articles, solution_of
from functions.core.storage.model_summaries import ModelSummary
from functions.core.text.masking import mask_but
from functions.language_model import prompts
from functions.language_model.adapters import Model, ModelFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.domain.events import Commit
    from functions.core.domain.knowledge import KnowledgeBase
    from functions.core.domain.model_use import Outcome, Reason
    from functions.core.domain.playbook_model import LanguageModel
    from functions.core.domain.rules import Playbook
    from functions.core.domain.ticket import Ticket
    from functions.core.storage.database import Storage

log = logger("language_model")

MAX_COMMITS = 60
"""The newest commits of a ticket that are read, beside its first."""

MAX_ARTICLES = 3
"""The articles that a draft is grounded in."""

ABOUT = 0.1
"""The least score of an article that a draft is grounded in. It is lower than that of an article
which is the draft by itself: the model reads the articles and says if none of them answers."""

Connect = Callable[["LanguageModel"], Model]
"""Returns the adapter of a desk's model. Raises `ModelFailure`: its key is missing."""


@dataclass(frozen=True)
class Asking:
    """One request of a person. `clock` returns seconds, to measure how long the model takes."""

    request: ModelRequest
    storage: Storage
    connect: Connect
    now: datetime
    clock: Callable[[], float]

    def result(self) -> ModelResult:
        """Return what the model wrote, or why there is nothing.

        Raises:
            NotFound: there is no such ticket or article.
        """
        playbook = self.storage.playbooks.get(self.request.desk, self.now)
        model = playbook.language_model
        if model is None or self.request.task not in model.uses:
            return ModelResult(refused="off")
        write = {"draft": self._draft, "summary": self._summary, "phrasings": self._phrasings}
        return write[self.request.task](playbook, model)

    def _draft(self, playbook: Playbook, model: LanguageModel) -> ModelResult:
        ticket, commits = self._ticket()
        articles = self._articles(playbook, ticket, commits)
        if not articles:
            return ModelResult(refused="no_article")
        prompt = prompts.draft_prompt(articles, commits, ticket.locale, _mask(playbook))
        found = self._ask(playbook, model, prompt)
        named = tuple(UsedArticle(id=name, title=title) for name, (title, _) in articles.items())
        return found.model_copy(update={"articles": named})

    def _summary(self, playbook: Playbook, model: LanguageModel) -> ModelResult:
        """A summary is paid for once for each version of the ticket."""
        desk, number = self.request.desk, self.request.about
        ticket, commits = self._ticket()
        kept = self.storage.model_summaries.get(desk, number)
        if kept is not None and kept.version == ticket.version:
            return ModelResult(text=kept.text, model=kept.model)
        prompt = prompts.summary_prompt(commits, ticket.locale, playbook.zone, _mask(playbook))
        found = self._ask(playbook, model, prompt)
        if found.refused is None:
            summary = ModelSummary(found.text, ticket.version, self.now, model.model)
            self.storage.model_summaries.keep(desk, number, summary)
        return found

    def _phrasings(self, playbook: Playbook, model: LanguageModel) -> ModelResult:
        found = self.storage.knowledge.article(self.request.desk, self.request.about)
        if found is None:
            raise NotFound("There is no such article.")
        prompt = prompts.phrasings_prompt(found.article, self.request.locale, _mask(playbook))
        return self._ask(playbook, model, prompt)

    def _ticket(self) -> tuple[Ticket, list[Commit]]:
        desk, number = self.request.desk, self.request.about
        tickets = self.storage.tickets
        ticket = tickets.load(desk, number)
        commits = tickets.history_page(desk, number, ticket.version, MAX_COMMITS)
        first = tickets.commit_at(desk, number, 1) if commits[0].version > 1 else None
        return ticket, [*([first] if first else []), *commits]

    def _articles(
        self, playbook: Playbook, ticket: Ticket, commits: Sequence[Commit]
    ) -> dict[str, tuple[str, str]]:
        """Return title and solution of the articles that were named, else of those that fit.

        Raises:
            NotFound: customers may not read an article that was named.
        """
        base = self.storage.knowledge.get(self.request.desk, self.now)
        known = current_articles(base, playbook, ticket.locale, self.now)
        if not known.keys() >= set(self.request.articles):
            raise NotFound("There is no such article.")
        asked = _asked(commits)
        names = self.request.articles or _fitting(base, known, asked)
        return {
            name: (
                known[name].title[ticket.locale],
                solution_of(known[name], ticket, playbook, asked[0], ticket.locale, self.now),
            )
            for name in names[:MAX_ARTICLES]
        }

    def _ask(self, playbook: Playbook, model: LanguageModel, prompt: prompts.Prompt) -> ModelResult:
        local = self.now.astimezone(playbook.zone)
        use = ModelUse(
            desk=self.request.desk,
            day=local.date().isoformat(),
            at=self.now,
            id=uuid4().hex[:8],
            task=self.request.task,
            about=self.request.about,
            by=self.request.by,
            model=model.model,
            cost=model.price.cost(prompt.most_input_tokens, prompt.max_tokens),
        )
        if not self.storage.model_uses.reserve(use, model.budget):
            log.warning("model.budget_spent", extra={"desk": use.desk, "about": use.about})
            midnight = datetime.combine(local.date() + timedelta(days=1), time(), playbook.zone)
            return ModelResult(refused="budget", renews_at=midnight)
        ended, text = self._completed(model, prompt, use)
        self.storage.model_uses.settle(use, ended)
        log.info("model.used", extra=ended.logged())
        refused: Reason | None = None
        if ended.outcome != "answered":
            refused = "no_answer" if ended.outcome == "no_answer" else "failed"
        return ModelResult(
            text=mask_but(text, playbook.public_contacts) if refused is None else "",
            model=model.model,
            input_tokens=ended.input_tokens,
            output_tokens=ended.output_tokens,
            cost=ended.cost,
            refused=refused,
        )

    def _completed(
        self, model: LanguageModel, prompt: prompts.Prompt, use: ModelUse
    ) -> tuple[ModelUse, str]:
        """Return the use as it ended, and the text."""
        began = self.clock()
        try:
            found = self.connect(model).complete(prompt.system, prompt.document, prompt.max_tokens)
        except ModelFailure as failure:
            about = {"desk": use.desk, "outcome": failure.outcome, "cause": str(failure)}
            log.warning("model.failed", extra=about)
            cost = use.cost if failure.charged else Decimal(0)
            return use.ended(failure.outcome, cost, self.clock() - began), ""
        seconds = self.clock() - began
        tokens = found.tokens or (0, 0)
        cost = model.price.cost(*tokens) if found.tokens else use.cost
        if not found.text:
            return use.ended("failed", cost, seconds, *tokens), ""
        says_no = use.task == "draft" and prompts.NO_ANSWER in found.text
        outcome: Outcome = "no_answer" if says_no else "answered"
        return use.ended(outcome, cost, seconds, *tokens), found.text


def _mask(playbook: Playbook) -> prompts.Mask:
    return lambda text: mask_but(text, playbook.public_contacts)


def _asked(commits: Sequence[Commit]) -> list[str]:
    """Return the request and the customer's newest message."""
    (received,) = commits[0].of(TicketReceived)
    wrote = [event for commit in commits for event in commit.of(CustomerWrote)]
    newest = [event.text for event in wrote if not event.stranger]
    return [received.description, *newest[-1:]]


def _fitting(
    base: KnowledgeBase, known: Mapping[str, object], asked: Sequence[str]
) -> tuple[str, ...]:
    """Return the articles that fit one of the texts, best first."""
    scores: dict[str, float] = {}
    for text in asked:
        for name, score in search(base, text):
            if name in known and score >= ABOUT:
                scores[name] = max(score, scores.get(name, 0))
    return tuple(sorted(scores, key=lambda name: (-scores[name], name)))
