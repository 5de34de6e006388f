"""The outcome of a customer's question in a chat: the knowledge base is improved by it (C12)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

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


@dataclass(frozen=True)
class Outcomes:
    """The number of questions by outcome."""

    counts: Mapping[Outcome, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def served(self) -> float | None:
        """The share that ended without a person, None of no questions."""
        served = sum(count for outcome, count in self.counts.items() if outcome in SERVED)
        return round(served / self.total, 4) if self.total else None


def outcomes(questions: Iterable[JournalEntry]) -> Outcomes:
    """Count questions by outcome; of one that came to several, such as a poor rating, the last."""
    return _counted(last_outcomes(questions))


def by_article(questions: Iterable[JournalEntry]) -> dict[str, Outcomes]:
    """Count the questions that each article was the answer to, as `outcomes` does."""
    found: dict[str, list[JournalEntry]] = defaultdict(list)
    for entry in last_outcomes(questions):
        if entry.question and entry.question.article:
            found[entry.question.article].append(entry)
    return {article: _counted(entries) for article, entries in found.items()}


def last_outcomes(questions: Iterable[JournalEntry]) -> list[JournalEntry]:
    """Return each question once, with the last outcome that it came to."""
    last = {(entry.number, entry.version): entry for entry in questions if entry.question}
    return list(last.values())


def _counted(questions: Iterable[JournalEntry]) -> Outcomes:
    counts = Counter(entry.question.outcome for entry in questions if entry.question)
    return Outcomes({outcome: counts[outcome] for outcome in get_args(Outcome)})


def _outcome(
    before: Chat, after: Chat, new: tuple[ChatMessage, ...], poor: int
) -> tuple[Outcome | None, str | None]:
    chosen = any(one.writer == "customer" and one.kind == "offer" for one in new)
    answer = next((one for one in new if one.kind == "answer"), None)
    if answer is not None:
        if after.reason is not None:
            return None, None  # the article itself needs a person
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
