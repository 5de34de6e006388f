"""The differences between two versions of an article, as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from functions.core.domain.knowledge import Article
from functions.core.domain.playbook_types import LOCALES

PLAIN = ("type", "then", "audience", "state")
"""The parts of an article that are a word each."""


class ChangedLine(NamedTuple):
    """A line that is only in the former text, only in the later one, or in both."""

    kind: Literal["removed", "added", "kept"]
    text: str


@dataclass(frozen=True)
class ArticleChange:
    """The difference in one part of an article: `title.en`, `asked.zh-CN`, `valid.until`."""

    part: str
    lines: tuple[ChangedLine, ...]


def differences(before: Article | None, after: Article) -> list[ArticleChange]:
    """Return what has changed, part by part; nothing for a first version."""
    if before is None:
        return []
    former, later = _parts(before), _parts(after)
    names = dict.fromkeys((*former, *later))
    return [
        ArticleChange(name, tuple(_lines(former.get(name, ()), later.get(name, ()))))
        for name in names
        if former.get(name, ()) != later.get(name, ())
    ]


def _parts(article: Article) -> Mapping[str, tuple[str, ...]]:
    """Return the lines of each part that the article has, in the order of the editor."""
    found: dict[str, tuple[str, ...]] = {}
    for locale in LOCALES:
        found[f"title.{locale}"] = (article.title.get(locale, ""),)
        found[f"asked.{locale}"] = article.asked.get(locale, ())
        found[f"solution.{locale}"] = tuple(article.solution.get(locale, "").splitlines())
    found["needs"] = tuple(f"{name}: {origin}" for name, origin in sorted(article.needs.items()))
    for name in PLAIN:
        found[name] = (getattr(article, name) or "",)
    for name, day in (("from", article.valid.since), ("until", article.valid.until)):
        found[f"valid.{name}"] = (day.isoformat() if day else "",)
    return {name: tuple(line for line in lines if line) for name, lines in found.items()}


def _lines(before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[ChangedLine]:
    """Yield the lines around which something has changed; others that stay are left out."""
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    for group in matcher.get_grouped_opcodes(1):
        for kind, first, last, start, end in group:
            if kind == "equal":
                yield from (ChangedLine("kept", line) for line in before[first:last])
            else:
                yield from (ChangedLine("removed", line) for line in before[first:last])
                yield from (ChangedLine("added", line) for line in after[start:end])
