"""What facts say about a ticket."""

from __future__ import annotations

from functions.core.domain.rules import Playbook


def is_good(score: int, playbook: Playbook) -> bool:
    """Return whether a score means satisfied: 4–5 of 5, or the better half of the desk's words."""
    words = sorted((word.score for word in playbook.survey.words.values()), reverse=True)
    if words:
        return score in words[: max(len(words) // 2, 1)]
    low, high = playbook.survey.scores
    return 2 * score > low + high
