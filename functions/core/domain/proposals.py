"""Proposals: what a desk could add to its knowledge base and its rules, by what customers write.

They are made at night, from the questions that the assistant could not answer well and from the
desk's tickets. A person decides; nothing is added without one (C12, E8).
"""

from datetime import datetime
from typing import Any, Literal, Self

from functions.core.domain.privacy import FreeText, TermName
from functions.core.domain.ticket import Value

Source = Literal["chats", "tickets", "rules"]
"""The origin of proposals: questions of chats, requests, or corrected classifications."""

CorrectedField = Literal["type", "tags"]
"""The parts of a classification that agents correct."""

SHOWN = 16
"""The most questions of a proposal that are shown, and the phrasings that it brings."""

UNDECIDED = 30
"""The most proposals of a kind that a desk has at a time, the most frequent first."""


class AskedQuestion(Value):
    """A question of a customer, with the chat and message, or the ticket, that it comes from."""

    id: TermName
    text: FreeText


class ArticleProposal(Value):
    """Questions of like meaning: a new article, or more phrasings for one that exists.

    `article` is the one that most of the questions come nearest to, None if they are about
    something new. `questions` begin with the one that is most like the others. `members` are the
    ids of all `count` questions, `poor` those whose answer was rated poor, by article; `types` the
    types of the tickets among them.
    """

    id: TermName
    source: Source
    article: TermName | None = None
    count: int
    share: float
    questions: tuple[AskedQuestion, ...]
    members: tuple[TermName, ...]
    poor: dict[TermName, int] = {}
    types: dict[TermName, int] = {}

    @property
    def title(self) -> str:
        return self.questions[0].text


class RuleProposal(Value):
    """Words by which the desk could classify what agents keep correcting.

    Agents changed the type from `was` to `value`, or added the tag `value`, on `corrected` tickets.
    A rule with these `words` would have changed `changes` of last month's requests: `right` of them
    are among the corrected ones, `numbers` names the newest others.
    """

    id: TermName
    field: CorrectedField = "type"
    was: TermName = ""
    value: TermName
    words: tuple[FreeText, ...]
    corrected: int
    changes: int = 0
    right: int = 0
    numbers: tuple[TermName, ...] = ()

    @property
    def document(self) -> dict[str, Any]:
        """The rule as a playbook writes it."""
        then = {"type": self.value} if self.field == "type" else {"add_tags": [self.value]}
        when = {"mentions": list(self.words)}
        return {"id": f"proposed-{self.id}", "when": when, "then": then}


class Proposals(Value):
    """The proposals to a desk that were made at one time, from one source."""

    made_at: datetime
    since: datetime
    seen: int
    """The questions, or requests, that were looked at."""
    articles: tuple[ArticleProposal, ...] = ()
    rules: tuple[RuleProposal, ...] = ()

    def without(self, ids: frozenset[str]) -> Self:
        """Return the proposals without questions from these chats or tickets."""
        kept = []
        for proposal in self.articles:
            questions = tuple(one for one in proposal.questions if not _is_from(one.id, ids))
            members = tuple(one for one in proposal.members if not _is_from(one, ids))
            if questions and members != proposal.members:
                update = {"questions": questions, "members": members, "count": len(members)}
                proposal = proposal.model_copy(update=update)
            if questions:
                kept.append(proposal)
        return self.model_copy(update={"articles": tuple(kept)})


class ProposalDecision(Value):
    """The decision about a proposal: who took it, what it brought, and what it changed.

    `article` is the one that was created or given `phrasings` more. `before` is the share of
    questions that ended without a person in the fortnight before, `after` the share in the
    fortnight since; `helped` the share of the proposal's own questions that are answered or offered
    now. None where there was nothing to count.
    """

    id: TermName
    source: Source
    accepted: bool
    by: TermName
    at: datetime
    count: int
    members: tuple[TermName, ...]
    article: TermName | None = None
    phrasings: int = 0
    before: float | None = None
    after: float | None = None
    helped: float | None = None


def _is_from(id_: str, origins: frozenset[str]) -> bool:
    return id_.partition("#")[0] in origins
