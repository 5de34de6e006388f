"""The calls about proposals: what a desk could add to its articles and rules, and the decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, StrictBool

from functions.core.domain.errors import Phrase
from functions.core.platform.web import HttpResponse, Request, locale_of
from functions.core.services.proposals import decide, undecided
from functions.core.services.rights import WRITES_ARTICLES, require
from functions.core.text.shapes import local_time
from functions.core.text.words import label
from functions.workbench.calls import signed_in

if TYPE_CHECKING:
    from functions.core.domain.proposals import ArticleProposal, ProposalDecision, RuleProposal
    from functions.core.domain.rules import Locale, Playbook
    from functions.core.storage.database import Storage
    from functions.workbench.shapes import (
        ArticleProposalView,
        DecisionView,
        ProposalsView,
        RuleProposalView,
    )


class NewDecision(BaseModel):
    """A decision about a proposal. `article` is the article to add to, or the id of a new one."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)

    accepted: StrictBool
    article: str | None = None


def list_proposals(request: Request, storage: Storage, desk: str) -> HttpResponse:
    """Show what nobody has decided about, and the decisions with their effect, newest first."""
    principal, playbook = signed_in(request, storage, desk)
    require(principal, WRITES_ARTICLES, Phrase("decide about proposals"))
    found, locale = undecided(storage, desk), locale_of(request, playbook.locale)
    decisions = sorted(found.decisions, key=lambda decision: decision.at, reverse=True)
    shown: ProposalsView = {
        "articles": [_article(one, playbook, locale) for one in found.articles],
        "rules": [_rule(one, playbook, locale) for one in found.rules],
        "decisions": [_decision(one, playbook) for one in decisions],
        "made": {
            source: {
                "at": local_time(made.made_at, playbook.zone),
                "since": local_time(made.since, playbook.zone),
                "seen": made.seen,
            }
            for source, made in found.made.items()
        },
    }
    return HttpResponse(shown)


def decide_proposal(request: Request, storage: Storage, desk: str, proposal: str) -> HttpResponse:
    """Accept or dismiss a proposal.

    Raises:
        NotFound: there is no such proposal any more.
        ActionNotAllowed: somebody has decided about it.
    """
    principal, playbook = signed_in(request, storage, desk)
    require(principal, WRITES_ARTICLES, Phrase("decide about proposals"))
    body = request.read(NewDecision)
    decision = decide(
        storage,
        desk,
        proposal,
        accepted=body.accepted,
        article=body.article,
        by=principal.username,
        now=request.now,
    )
    return HttpResponse(_decision(decision, playbook))


def _article(one: ArticleProposal, playbook: Playbook, locale: Locale) -> ArticleProposalView:
    return {
        "id": one.id,
        "source": one.source,
        "title": one.title,
        "article": one.article,
        "count": one.count,
        "share": one.share,
        "questions": [{"id": asked.id, "text": asked.text} for asked in one.questions],
        "poor": one.poor,
        "types": {label(playbook.types, kind, locale): n for kind, n in one.types.items()},
    }


def _rule(one: RuleProposal, playbook: Playbook, locale: Locale) -> RuleProposalView:
    terms = playbook.types if one.field == "type" else playbook.tags
    return {
        "id": one.id,
        "field": one.field,
        "was": label(terms, one.was, locale) if one.was else None,
        "value": label(terms, one.value, locale),
        "words": list(one.words),
        "corrected": one.corrected,
        "changes": one.changes,
        "right": one.right,
        "numbers": list(one.numbers),
        "rule": one.document,
    }


def _decision(one: ProposalDecision, playbook: Playbook) -> DecisionView:
    return {
        "id": one.id,
        "source": one.source,
        "accepted": one.accepted,
        "by": one.by,
        "at": local_time(one.at, playbook.zone),
        "count": one.count,
        "article": one.article,
        "phrasings": one.phrasings,
        "before": one.before,
        "after": one.after,
        "helped": one.helped,
    }
