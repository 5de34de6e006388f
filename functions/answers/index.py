"""The index of a knowledge base: its phrasings, prepared for the comparison with questions."""

from __future__ import annotations

import functools
import io
import json
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from functions.answers.encoder import MODEL
from functions.answers.lexical import Lexical
from functions.core.text.terms import compared, has_han

if TYPE_CHECKING:
    from functions.answers.vectors import Dense, Floats

Asked = Mapping[str, Mapping[str, Sequence[str]]]
"""Article → language (`zh-CN`, `en`) → the ways in which customers ask for it."""
VERSION = 3
"""The form in which indexes are stored; one of another version is built again."""
CANDIDATES = 20
"""The articles that are looked at closely, the best by the ridge layer."""
_NEAREST = 0.2
_LEXICAL = 0.1


class StaleIndex(ValueError):
    """The stored index has another form or another model: build it again from the articles."""


class Candidate(NamedTuple):
    """An article that a question may be about, with the three signals for it.

    `column` is the article's place in the index; the background has the last.
    """

    column: int
    layer: float
    nearest: float
    lexical: float

    @property
    def total(self) -> float:
        """The score by which candidates are ordered."""
        return self.layer + _NEAREST * self.nearest + _LEXICAL * self.lexical


class Signals(NamedTuple):
    """The best article's score, its lead over the background and over the next article, and the
    score of its nearest phrasings."""

    score: float
    lead: float
    margin: float
    nearest: float


class Usual(NamedTuple):
    """A signal's mean for phrasings that are left out and its spread, and for everyday topics."""

    own: float
    own_spread: float
    everyday: float
    everyday_spread: float


@dataclass(frozen=True)
class AnswerIndex:
    """Phrasings with the column of the article that each belongs to, and what follows from them.

    The phrasings of everyday topics, which no article answers, are the last ones.
    """

    articles: tuple[str, ...]
    phrasings: tuple[str, ...]
    owners: tuple[int, ...]
    counts: tuple[dict[str, int], ...]
    """Phrasings by language, one entry an article."""
    accuracy: tuple[float, ...] = ()
    """The share of each article's phrasings that find it when they are left out, smoothed."""
    precision: tuple[float, ...] = ()
    """The share of the phrasings that find an article, left out, and belong to it; smoothed."""
    found: tuple[int, ...] = ()
    """The column that each article's phrasing finds when it is left out; -1 for none."""
    usual: tuple[tuple[Usual, ...], ...] = ()
    """The usual signals, for questions in English and for those in Chinese."""
    dense: Dense | None = field(default=None, repr=False, compare=False)

    @functools.cached_property
    def lexical(self) -> Lexical:
        """The phrasings by their words."""
        return Lexical(self.phrasings, self.owners)

    @functools.cached_property
    def verbatim(self) -> dict[str, int]:
        """The articles by their phrasings, without those that two of them have."""
        found: dict[str, set[int]] = {}
        for phrasing, owner in zip(self.phrasings, self.owners, strict=True):
            found.setdefault(compared(phrasing), set()).add(owner)
        return {text: owners.pop() for text, owners in found.items() if len(owners) == 1}

    @property
    def vectors(self) -> dict[str, Floats]:
        """The vector of each phrasing, as the encoder returned it."""
        return dict(zip(self.phrasings, self.dense.vectors, strict=True)) if self.dense else {}

    @functools.cached_property
    def mean_accuracy(self) -> float:
        """The mean accuracy of the articles."""
        return sum(self.accuracy) / len(self.accuracy) if self.accuracy else 0.0

    @functools.cached_property
    def languages(self) -> Counter[str]:
        """The number of phrasings in each language."""
        return sum((Counter(count) for count in self.counts), Counter())

    def phrasings_of(self, column: int, text: str) -> int:
        """Count an article's phrasings in the language of a text.

        An English word is no sign of English where all phrasings are Chinese.
        """
        language = "zh-CN" if has_han(text) else "en"
        if not self.languages[language]:
            return sum(self.counts[column].values())
        return self.counts[column].get(language, 0)

    def best(self, candidates: Sequence[Candidate]) -> Candidate | None:
        """Return the best candidate that is an article, if there is any."""
        articles = (one for one in candidates if one.column < len(self.articles))
        return next(articles, None)

    def signals(self, candidates: Sequence[Candidate], best: Candidate) -> Signals:
        """Return what tells how far the best article stands out."""
        others = [one for one in candidates if one is not best]
        everyday = (one.total for one in others if one.column == len(self.articles))
        following = (one.total for one in others if one.column < len(self.articles))
        return Signals(
            best.total,
            best.total - max(everyday, default=0.0),
            best.total - max(following, default=0.0),
            best.nearest,
        )

    def candidates(self, text: str, vector: Floats | None) -> list[Candidate]:
        """Return the articles that a text may be about, best first, and the background."""
        lexical = self.lexical.scores(text)
        if vector is None or self.dense is None:
            return self._by_words(lexical)
        likeness = self.dense.likeness(vector, has_han(text))
        return self._by_meaning(self.dense, self.dense.scores(likeness), likeness, lexical)

    def without(self, phrasing: int, scores: Floats | None) -> list[Candidate]:
        """Return the candidates of one of the phrasings as if the index did not have it."""
        lexical = self.lexical.scores(self.phrasings[phrasing], without=phrasing)
        if scores is None or self.dense is None:
            return self._by_words(lexical)
        likeness = self.dense.phrasings @ self.dense.phrasings[phrasing]
        likeness[phrasing] = -1
        return self._by_meaning(self.dense, scores, likeness, lexical)

    def _by_words(self, lexical: Mapping[int, float]) -> list[Candidate]:
        found = (Candidate(column, 0.0, 0.0, score) for column, score in lexical.items())
        return sorted(found, key=lambda candidate: -candidate.total)[: CANDIDATES + 1]

    def _by_meaning(
        self, dense: Dense, scores: Floats, likeness: Floats, lexical: Mapping[int, float]
    ) -> list[Candidate]:
        background = len(self.articles)
        best = (-scores[:background]).argsort()[:CANDIDATES].tolist()
        columns = [*(column for column in best if any(self.counts[column].values())), background]
        found = (
            Candidate(
                column,
                float(scores[column]),
                dense.nearest(likeness, column),
                lexical.get(column, 0.0),
            )
            for column in columns
        )
        return sorted(found, key=lambda candidate: -candidate.total)

    def to_bytes(self) -> bytes:
        """Return the index as a file: the same bytes for the same articles."""
        fields = {name: getattr(self, name) for name in _STORED}
        members = {"index.json": json.dumps(fields, ensure_ascii=False).encode()}
        members["form.json"] = json.dumps({"version": VERSION, "model": MODEL}).encode()
        members |= self.dense.to_bytes() if self.dense else {}
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, stored: bytes) -> AnswerIndex:
        """Return the index that `to_bytes` has written.

        Raises:
            StaleIndex: another version of this code wrote it.
        """
        with zipfile.ZipFile(io.BytesIO(stored)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        if json.loads(members.pop("form.json")) != {"version": VERSION, "model": MODEL}:
            raise StaleIndex("the index was written in another form: build it again")
        fields = {
            name: tuple(value) for name, value in json.loads(members.pop("index.json")).items()
        }
        fields["usual"] = tuple(tuple(Usual(*one) for one in of) for of in fields["usual"])
        dense = None
        if members:
            from functions.answers.vectors import Dense

            chinese = [has_han(phrasing) for phrasing in fields["phrasings"]]
            dense = Dense.from_bytes(members, fields["owners"], chinese)
        return cls(**fields, dense=dense)


_STORED = ("articles", "phrasings", "owners", "counts", "accuracy", "precision", "found", "usual")
