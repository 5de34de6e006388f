"""Suggestions: types, tags and products that stand out, in words (B11). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from functions.core.domain.playbook_types import Locale
from functions.core.domain.rules import Playbook
from functions.core.reports.assembling import ALL, Statistics
from functions.core.reports.jumps import stands_out
from functions.core.reports.labels import label_of
from functions.core.reports.report import ReportView, SuggestionOfReport
from functions.core.text.words import say

_DIMENSIONS = ("type", "tag", "product")


def suggestions_of(
    found: Statistics, before: Sequence[ReportView], playbook: Playbook, locale: Locale
) -> list[SuggestionOfReport]:
    """Return a sentence for each type, tag and product that stands out, the largest first.

    Args:
        before: earlier reports of the kind, by which a share is usual. Without any, only what the
            playbook has a suggestion for can stand out.
    """
    usual = _usual_shares(before)
    return sorted(_found(found, usual, playbook, locale), key=lambda each: -each["share"])


def _found(
    found: Statistics, usual: dict[str, float] | None, playbook: Playbook, locale: Locale
) -> Iterator[SuggestionOfReport]:
    total = found[("volume", ALL)].n if ("volume", ALL) in found else 0
    for (figure, group), each in sorted(found.items()):
        dimension, _, value = group.partition("=")
        if figure != "volume" or dimension not in _DIMENSIONS:
            continue
        before = None if usual is None else usual.get(group, 0.0)
        suggestion = playbook.reports.suggestions.get(value)
        if not stands_out(each.n, total, before or 0.0) or (before is None and suggestion is None):
            continue
        label, share = label_of(dimension, value, playbook, locale), each.n / total
        words = {
            "label": label,
            "share": _percent(share),
            "usual": _percent(before or 0.0),
            "suggestion": suggestion[locale] if suggestion else "",
        }
        yield {
            "group": group,
            "label": label,
            "n": each.n,
            "share": share,
            "usual": before,
            "suggestion": suggestion[locale] if suggestion else None,
            "text": say(
                "report.suggestion" if suggestion else "report.stands_out", locale, **words
            ),
        }


def _usual_shares(before: Sequence[ReportView]) -> dict[str, float] | None:
    """Return the share of each group in earlier reports; None if they have no tickets."""
    total = sum(report["figures"]["volume"]["n"] for report in before)
    if not total:
        return None
    counts: Counter[str] = Counter()
    for report in before:
        for table in report["tables"]:
            for row in table["rows"]:
                counts[f"{table['dimension']}={row['value']}"] += row["volume"]["n"]
    return {group: n / total for group, n in counts.items()}


def _percent(share: float) -> str:
    """Write a share in whole percent, small ones with a decimal place."""
    return f"{share * 100:.1f}%" if 0 < share < 0.1 else f"{share * 100:.0f}%"
