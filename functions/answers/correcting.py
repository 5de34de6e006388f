"""Proposals for rules: words that set apart the requests whose classification agents correct."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from functions.core.domain.classification import Classification, classify
from functions.core.domain.journal import JournalCorrection
from functions.core.domain.matching import fold, mentions
from functions.core.domain.proposals import UNDECIDED, CorrectedField, RuleProposal
from functions.core.domain.rules import Playbook, Rule
from functions.core.text.terms import RUN, folded, has_han

LEAST = 2
"""The fewest corrected requests that a word has to be in."""
_WORDS = 5
_SHORTEST, _LONGEST = 2, 6
"""The Han characters of a word."""
_LETTERS = 3
_PRECISION = 0.6
"""The least share of the requests that a word changes which agents have corrected so."""
_NAMED = 10
_TRIED = 200
"""The words that are tried, the most frequent first, on the newest `_COMPARED` requests."""
_COMPARED = 3000


class CorrectionKind(NamedTuple):
    """A kind of correction: agents change the type from `was`, or add a tag."""

    field: CorrectedField
    was: str
    value: str

    def holds(self, found: JournalCorrection | Classification) -> bool:
        """Return whether a classification has the value."""
        return self.value in ((found.type,) if self.field == "type" else found.tags)


@dataclass(frozen=True)
class ClassifiedRequest:
    """A request of the last month: its text, how it was classified when it came in, and how a
    person classified it later, if one did."""

    number: str
    text: str
    classified: JournalCorrection
    type_given: bool = False
    corrected: JournalCorrection | None = None

    @property
    def corrections(self) -> Iterator[CorrectionKind]:
        if self.corrected is None:
            return
        if self.corrected.type != self.classified.type:
            yield CorrectionKind("type", self.classified.type, self.corrected.type)
        for tag in self.corrected.tags:
            if tag not in self.classified.tags:
                yield CorrectionKind("tags", "", tag)


def propose_rules(
    requests: Sequence[ClassifiedRequest], playbook: Playbook
) -> tuple[RuleProposal, ...]:
    """Return a rule for each kind of correction that has words of its own, the most frequent first.

    Args:
        requests: those of the last month, oldest first.
    """
    kinds: dict[CorrectionKind, list[ClassifiedRequest]] = defaultdict(list)
    for one in requests:
        for kind in one.corrections:
            if kind.value in getattr(playbook, "types" if kind.field == "type" else "tags"):
                kinds[kind].append(one)
    ordered = sorted(kinds.items(), key=lambda kind: (-len(kind[1]), kind[0]))
    found = (_proposal(kind, of, requests, playbook) for kind, of in ordered)
    return tuple(filter(None, found))[:UNDECIDED]


def _proposal(
    kind: CorrectionKind,
    corrected: Sequence[ClassifiedRequest],
    requests: Sequence[ClassifiedRequest],
    playbook: Playbook,
) -> RuleProposal | None:
    words = _words(kind, corrected, requests)
    if not words:
        return None
    found = RuleProposal(
        id=hashlib.sha256(f"rule {' '.join(kind)}".encode()).hexdigest()[:12],
        field=kind.field,
        was=kind.was,
        value=kind.value,
        words=words,
        corrected=len(corrected),
    )
    changed = list(_changed(found, kind, requests, playbook))
    right = [one for one in changed if one in corrected]
    others = [one.number for one in reversed(changed) if one not in corrected]
    update = {"changes": len(changed), "right": len(right), "numbers": tuple(others[:_NAMED])}
    return found.model_copy(update=update)


def _words(
    kind: CorrectionKind,
    corrected: Sequence[ClassifiedRequest],
    requests: Sequence[ClassifiedRequest],
) -> tuple[str, ...]:
    """Choose words, each of which adds corrected requests, and few that were right before."""
    compared = {one.number: one for one in (*requests[-_COMPARED:], *corrected)}
    texts = {number: fold(one.text) for number, one in compared.items()}
    spread = Counter(word for one in corrected for word in set(_candidates(one.text)))
    tried = [word for word, count in spread.most_common(_TRIED) if count >= LEAST]
    holding = {
        word: [one for one in compared.values() if mentions(texts[one.number], (word,))]
        for word in tried
    }
    numbers = {one.number for one in corrected}
    chosen: list[str] = []
    while len(chosen) < _WORDS:
        scored = []
        for word, those in holding.items():
            affected = [one for one in those if not kind.holds(one.classified)]
            right = sum(one.number in numbers for one in affected)
            if right >= LEAST and right >= _PRECISION * len(affected):
                scored.append((right, -len(affected), len(word), word))
        if not scored:
            break
        *_, word = max(scored)
        chosen.append(word)
        gone = {one.number for one in holding[word]}
        holding = {
            other: [one for one in those if one.number not in gone]
            for other, those in holding.items()
        }
    return tuple(chosen)


def _candidates(text: str) -> Iterator[str]:
    for match in RUN.finditer(folded(text)):
        run = match[0]
        if not has_han(run):
            if len(run) >= _LETTERS and not run.isdigit():
                yield run
            continue
        for length in range(_SHORTEST, min(_LONGEST, len(run)) + 1):
            yield from (run[start : start + length] for start in range(len(run) - length + 1))


def _changed(
    proposal: RuleProposal,
    kind: CorrectionKind,
    requests: Sequence[ClassifiedRequest],
    playbook: Playbook,
) -> Iterator[ClassifiedRequest]:
    """Yield the requests that the playbook with the rule would have classified otherwise."""
    rule = Rule.model_validate(proposal.document)
    changed = playbook.model_copy(update={"rules": (*playbook.rules, rule)})
    for one in requests:
        if kind.holds(one.classified) or not mentions(fold(one.text), proposal.words):
            continue
        given = one.classified.type if one.type_given else None
        if kind.holds(classify(one.text, changed, type_given=given)):
            yield one
