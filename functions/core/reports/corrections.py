"""Corrections: what has changed since in a period whose report has been written. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from functions.core.reports.behind import Behind
from functions.core.reports.figures import FIGURES
from functions.core.reports.report import CorrectionView

CORRECTED = tuple(
    name
    for name, figure in FIGURES.items()
    if figure.measure in {"count", "duration", "share", "sla", "csat"}
)
"""The figures that are corrected, beside the backlog."""


class Counted(NamedTuple):
    """The share of a row in its figure: 1, seconds, or 1 for a hit; None if it does not count."""

    amount: float | None
    type: str = ""

    @classmethod
    def of(cls, figure: str, row: Behind) -> Counted:
        amount = {"count": 1, "duration": row.value}.get(FIGURES[figure].measure, row.hit)
        return cls(None if row.reason else amount, row.type)


class FigureChange(NamedTuple):
    """A figure's rows, by key, that are not what they were."""

    corrections: list[CorrectionView]
    changed: dict[str, Counted]


def change_of(
    period: str,
    figure: str,
    reported: Iterable[Behind],
    since: Mapping[str, Counted],
    now: Mapping[str, Behind],
) -> FigureChange:
    """Compare the rows behind a figure with what some of them are now.

    Args:
        reported: all rows, as they were when the report was written.
        since: by key, what reports have corrected before.
        now: by key, what the rows of tickets that changed are now.
    """
    before = {row.key(figure): Counted.of(figure, row) for row in reported} | dict(since)
    changed = {
        key: counted
        for key, row in now.items()
        if (counted := Counted.of(figure, row)) != before.get(key, _ABSENT)
        and (counted.amount is not None or before.get(key, _ABSENT).amount is not None)
    }
    if not changed:
        return FigureChange([], {})
    after = before | changed
    numbers = {key: now[key].number for key in changed}
    corrections = []
    old, new = _number(figure, before), _number(figure, after)
    if old != new:
        moved = {k for k, v in changed.items() if v.amount != before.get(k, _ABSENT).amount}
        corrections.append(_correction(period, figure, None, old, new, numbers, moved))
    elif figure == "volume":
        corrections += _by_type(period, before, after, numbers)
    return FigureChange(corrections, changed)


_ABSENT = Counted(None)


def _by_type(
    period: str,
    before: Mapping[str, Counted],
    after: Mapping[str, Counted],
    numbers: dict[str, str],
) -> Iterator[CorrectionView]:
    """Yield a correction for each type whose volume has changed though the whole has not."""
    old, new = _types(before), _types(after)
    for kind in sorted(old.keys() | new.keys()):
        if old[kind] != new[kind]:
            moved = {k for k in numbers if kind in (before.get(k, _ABSENT).type, after[k].type)}
            yield _correction(
                period, "volume", f"type={kind}", old[kind], new[kind], numbers, moved
            )


def _types(rows: Mapping[str, Counted]) -> Counter[str]:
    return Counter(row.type for row in rows.values() if row.amount is not None)


def _number(figure: str, rows: Mapping[str, Counted]) -> float | None:
    amounts = [row.amount for row in rows.values() if row.amount is not None]
    if FIGURES[figure].measure == "duration":
        return sum(amounts) / len(amounts) if amounts else None
    return sum(amounts)


def _correction(
    period: str,
    figure: str,
    group: str | None,
    old: float | None,
    new: float | None,
    numbers: Mapping[str, str],
    moved: Iterable[str],
) -> CorrectionView:
    return {
        "period": period,
        "figure": figure,
        "group": group,
        "from": old,
        "to": new,
        "tickets": sorted({numbers[key] for key in moved}),
    }
