"""What became of a customer's question in a chat: the knowledge base is improved by it (C12)."""

from __future__ import annotations

from collections.abc import Iterable

from functions.core.domain.chat import Chat, ChatMessage
from functions.core.domain.journal import JournalEntry, JournalQuestion, Outcome

SERVED: frozenset[Outcome] = frozenset({"answered", "picked"})
"""The outcomes of a question that ended without a person, unless its answer was rated poor."""


def question_of(before: Chat, after: Chat, poor: int) -> JournalEntry | None:
    """Return the question that a turn brought to an outcome, None if it was no such turn.

    Args:
        poor: the best rating that is poor.
    """
    new = after.messages[len(before.messages) :]
    outcome, article = _outcome(before, after, new, poor)
    question = next((one for one in reversed(after.messages) if _is_question(one)), None)
    if outcome is None or question is None:
        return None
    return JournalEntry(
        number=after.id,
        version=int(question.id),
        at=after.changed_at,
        texts=(question.text,),
        question=JournalQuestion(outcome=outcome, article=article),
    )


def share_served(questions: Iterable[JournalEntry]) -> float | None:
    """Return the share of questions that ended without a person, None of no questions."""
    outcomes = [entry.question.outcome in SERVED for entry in questions if entry.question]
    return round(sum(outcomes) / len(outcomes), 4) if outcomes else None


def _outcome(
    before: Chat, after: Chat, new: tuple[ChatMessage, ...], poor: int
) -> tuple[Outcome | None, str | None]:
    chosen = any(one.writer == "customer" and one.kind == "offer" for one in new)
    answer = next((one for one in new if one.kind == "answer"), None)
    if answer is not None:
        return ("picked" if chosen else "answered"), answer.article
    if after.misses > before.misses:
        return ("none" if chosen else "missed"), None
    if len(after.scores) > len(before.scores) and after.scores[-1] <= poor:
        return "poor", before.answered
    return None, None


def _is_question(message: ChatMessage) -> bool:
    """Return whether the customer asked something; a number answers what was asked."""
    asked = message.writer == "customer" and message.kind == "text"
    return asked and sum(map(str.isalpha, message.text)) > 1
