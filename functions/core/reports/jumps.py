"""Jumps: what came in far more often today than on this weekday before, and unusual shares.

A jump is at least `AT_LEAST` tickets and beyond the 99 % limit of a Poisson distribution with the
mean of the same weekday in the eight weeks before (D16). If those weeks vary more than a Poisson
distribution does, the limit is that of a negative binomial one with their variance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp, lgamma, log, log1p
from statistics import fmean, variance
from typing import NamedTuple

WEEKS = 8
"""The weeks before that a day is compared with."""
FEWEST_WEEKS = 4
"""The fewest weeks by which a day can be called unusual: a new desk has no jumps for a month."""
AT_LEAST = 5
DAYS_BEFORE = 7 * WEEKS
"""The days before today that a baseline needs."""
UNUSUAL_SHARE = 0.2
_CHANCE = 0.01


class DayCount(NamedTuple):
    """The tickets of a group that were received on a local day, merged ones left out."""

    day: date
    group: str
    n: int


@dataclass(frozen=True)
class Baseline:
    """By group, the counts of a day's weekday in each of the `weeks` before it; without those of 0.

    `weeks` are fewer than `WEEKS` if the desk began later.
    """

    day: date
    weeks: int
    counts: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, rows: Iterable[DayCount], day: date) -> Baseline:
        """Return a day's baseline from the counts of the `DAYS_BEFORE` days before it."""
        before = [day - timedelta(weeks=back) for back in range(1, WEEKS + 1)]
        found: defaultdict[str, dict[date, int]] = defaultdict(dict)
        first = day
        for row in rows:
            first = min(first, row.day)
            found[row.group][row.day] = row.n
        known = [other for other in before if other >= first]
        counts = {
            group: tuple(days[other] for other in known if other in days)
            for group, days in found.items()
        }
        return cls(day, len(known), {group: seen for group, seen in counts.items() if seen})

    def of_group(self, group: str) -> tuple[int, ...]:
        """Return the counts of each week, those of 0 included."""
        seen = self.counts.get(group, ())
        return (*seen, *(0,) * (self.weeks - len(seen)))


class FoundJump(NamedTuple):
    """A group of tickets that is a jump; `expected` is the mean of the weeks before."""

    group: str
    expected: float
    tickets: tuple[str, ...]


def groups_of(kind: str, tags: Iterable[str], product: str) -> Iterator[str]:
    """Yield the groups in which a ticket is counted: alone, and what a product is about."""
    about = [f"type={kind}", *(f"tag={tag}" for tag in tags)]
    yield from about
    if product:
        yield f"product={product}"
        yield from (f"product={product}&{other}" for other in about)


def jumps(today: Mapping[str, Sequence[str]], baseline: Baseline | None) -> list[FoundJump]:
    """Return the jumps among a day's groups of ticket numbers, the most unusual first.

    Of groups with the same tickets the narrowest is named: a product's complaints rather than the
    product; of two as narrow the more unusual one.
    """
    if baseline is None or baseline.weeks < FEWEST_WEEKS:
        return []
    found: dict[tuple[str, ...], tuple[int, float, FoundJump]] = {}
    for group, numbers in today.items():
        weeks = baseline.of_group(group)
        if is_jump(len(numbers), weeks):
            jump = FoundJump(group, fmean(weeks), tuple(numbers))
            named = -group.count("&"), chance(len(numbers), weeks), jump
            found[jump.tickets] = min(named, found.get(jump.tickets, named))
    return [jump for _, _, jump in sorted(found.values(), key=lambda each: each[1:])]


def is_jump(count: int, weeks: Sequence[int]) -> bool:
    """Return whether a count is beyond the 99 % limit of the weeks before."""
    return count >= AT_LEAST and chance(count, weeks) <= _CHANCE


def chance(count: int, weeks: Sequence[int]) -> float:
    """Return how probable so many or more are after such weeks.

    Fewer weeks than `WEEKS` are a poor estimate of their mean, which widens the distribution.
    """
    mean = fmean(weeks)
    if count <= mean or not mean:
        return float(count <= mean)
    spread = variance(weeks) if len(weeks) > 1 else 0.0
    if len(weeks) < WEEKS:
        spread = max(spread, mean) + mean / len(weeks)
    if spread <= mean:
        return _tail(count, mean - count * log(mean) + lgamma(count + 1), lambda k: mean / (k + 1))
    size, again = mean**2 / (spread - mean), 1 - mean / spread
    first = (
        lgamma(size)
        + lgamma(count + 1)
        - lgamma(count + size)
        - size * log(mean / spread)
        - count * log(again)
    )
    return _tail(count, first, lambda k: again * (k + size) / (k + 1))


def stands_out(count: int, total: int, usual_share: float) -> bool:
    """Return whether a type, tag or product is beyond 20 % of a week and above its usual share.

    Above: beyond the two-sided 99 % limit of a binomial distribution with the usual share (B11).
    """
    if count < AT_LEAST or count <= UNUSUAL_SHARE * total or count <= usual_share * total:
        return False
    if usual_share <= 0:
        return True
    first = (
        lgamma(count + 1)
        + lgamma(total - count + 1)
        - lgamma(total + 1)
        - count * log(usual_share)
        - (total - count) * log1p(-usual_share)
    )
    odds = usual_share / (1 - usual_share)
    return _tail(count, first, lambda k: odds * (total - k) / (k + 1)) <= _CHANCE / 2


def _tail(count: int, first: float, ratio: Callable[[int], float]) -> float:
    """Return the probability of `count` or more.

    Args:
        first: the negative logarithm of the probability of `count`, which is above the mean.
        ratio: k → the probability of k + 1 by that of k.
    """
    term = total = 1.0
    k = count
    while term > total * 1e-12:
        term *= ratio(k)
        total += term
        k += 1
    return total * exp(-first)
