"""Decide about proposals: what a person accepts becomes an article or more phrasings (C12)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions.core.domain.errors import (
    ActionNotAllowed,
    FieldError,
    InvalidInput,
    NotFound,
    StaleArticle,
)
from functions.core.domain.knowledge import MAX_PHRASINGS, Article, ArticleVersion
from functions.core.domain.playbook_types import SLUG, Locale
from functions.core.domain.proposals import (
    ArticleProposal,
    ProposalDecision,
    Proposals,
    RuleProposal,
    Source,
)
from functions.core.domain.questions import outcomes
from functions.core.services.command_service import TRIES
from functions.core.storage.database import Storage
from functions.core.text.terms import compared, has_han
from functions.core.text.words import say

if TYPE_CHECKING:
    from functions.core.storage.table import Write

BEFORE = timedelta(days=14)
"""The time before a decision with which the time after it is compared."""

_BRACES = str.maketrans("{}", "()")


@dataclass(frozen=True)
class Undecided:
    """A desk's proposals that nobody has decided about, by source."""

    made: Mapping[Source, Proposals]
    decisions: Sequence[ProposalDecision]

    @property
    def articles(self) -> list[ArticleProposal]:
        return [one for found in self.made.values() for one in found.articles if self._open(one)]

    @property
    def rules(self) -> list[RuleProposal]:
        return [one for found in self.made.values() for one in found.rules if self._open(one)]

    def _open(self, proposal: ArticleProposal | RuleProposal) -> bool:
        return all(proposal.id != decision.id for decision in self.decisions)


def undecided(storage: Storage, desk: str) -> Undecided:
    sources: tuple[Source, ...] = ("chats", "tickets", "rules")
    found = ((source, storage.proposals.get(desk, source)) for source in sources)
    made = {source: proposals for source, proposals in found if proposals is not None}
    return Undecided(made, list(storage.proposals.decisions(desk)))


def decide(
    storage: Storage,
    desk: str,
    proposal: str,
    *,
    accepted: bool,
    article: str | None = None,
    by: str,
    now: datetime,
    audit: Callable[[str, int], Write] | None = None,
) -> ProposalDecision:
    """Accept or dismiss a proposal, once.

    An accepted one adds its questions to `article`, or to the article that it names, as phrasings.
    If there is none, it becomes a draft, which somebody has to complete and publish. Questions in
    which something is masked are left out. A rule is only noted as accepted: it is the playbook
    that has to change.

    Args:
        article: the id of an article, which may be new.
        audit: returns the entry of the audit for an article and its version.

    Raises:
        NotFound: there is no such proposal any more.
        ActionNotAllowed: somebody has decided about it.
        InvalidInput: `article` is no id, or the decision adds to no article.
        StaleArticle: others changed the article all the time; the decision stands without it.
    """
    found = undecided(storage, desk)
    if any(decision.id == proposal for decision in found.decisions):
        raise _decided()
    articles = {each.id: each for each in found.articles}
    rules = {each.id: each for each in found.rules}
    if proposal not in {*articles, *rules}:
        raise NotFound("There is no such proposal. New ones are made every night.")
    one = articles.get(proposal)
    if article is not None and not (accepted and one):
        raise _wrong("only for questions that are accepted")
    if article is not None and not re.fullmatch(SLUG, article):
        raise _wrong("lowercase letters, digits and hyphens, 40 at most")
    name = (article or one.article or f"proposal-{one.id}") if accepted and one else None
    questions = (entry for _, entry in storage.questions.entries(desk, now - BEFORE, now))
    decision = ProposalDecision(
        id=proposal,
        source=one.source if one else "rules",
        accepted=accepted,
        by=by,
        at=now,
        count=one.count if one else rules[proposal].corrected,
        members=one.members if one else (),
        article=name,
        before=outcomes(questions).served,
    )
    if not storage.proposals.decide(desk, decision):  # first: of two at once, one adds something
        raise _decided()
    if name is None or one is None:
        return decision
    phrasings = _added(storage, desk, one, name, by, now, audit)
    decision = decision.model_copy(update={"phrasings": phrasings})
    storage.proposals.update(desk, decision)
    return decision


def _wrong(message: str) -> InvalidInput:
    return InvalidInput("Some fields are invalid.", (FieldError("article", message),))


def _added(storage: Storage, desk: str, *given: Any) -> int:
    """Add a proposal's questions to an article, again if somebody changes it meanwhile."""
    for _ in range(TRIES - 1):
        with suppress(StaleArticle):
            return _add(storage, desk, *given)
    return _add(storage, desk, *given)


def _decided() -> ActionNotAllowed:
    return ActionNotAllowed("Somebody has decided about this proposal.")


def _add(
    storage: Storage,
    desk: str,
    proposal: ArticleProposal,
    name: str,
    by: str,
    now: datetime,
    audit: Callable[[str, int], Write] | None,
) -> int:
    """Add a proposal's questions to an article; return how many it did not have."""
    current = storage.knowledge.article(desk, name)
    before = current.article if current else _draft(proposal)
    asked: dict[Locale, tuple[str, ...]] = dict(before.asked)
    known = {compared(line) for lines in asked.values() for line in lines}
    added = 0
    for question in proposal.questions:
        locale: Locale = "zh-CN" if has_han(question.text) else "en"
        lines = asked.get(locale, ())
        if "*" in question.text:
            continue  # about one customer; it would outlive an erasure
        if compared(question.text) not in known and len(lines) < MAX_PHRASINGS:
            asked[locale] = (*lines, question.text.strip())
            added += 1
    if added:
        version = (current.version if current else 0) + 1
        new = ArticleVersion(version, by, now, before.model_copy(update={"asked": asked}))
        storage.knowledge.put(desk, name, new, audit(name, version) if audit else None)
    return added


def _draft(proposal: ArticleProposal) -> Article:
    """Return a new article as far as a proposal knows it: questions of tickets are for agents."""
    locale: Locale = "zh-CN" if has_han(proposal.title) else "en"
    return Article(
        title={locale: proposal.title.translate(_BRACES)},
        solution={locale: say("proposal.solution", locale)},
        audience="customer" if proposal.source == "chats" else "agent",
        state="draft",
    )
