"""Jumps and unusual shares (D16, B11): exact limits, and how rarely ordinary days are flagged."""

from datetime import date, timedelta
from math import exp, factorial, log, sqrt
from random import Random

import pytest
from hypothesis import given, strategies as st

from functions.core.reports.jumps import (
    AT_LEAST,
    DAYS_BEFORE,
    FEWEST_WEEKS,
    Baseline,
    DayCount,
    chance,
    groups_of,
    is_jump,
    jumps,
    stands_out,
)

pytestmark = pytest.mark.requirement("D16")
TODAY = date(2026, 11, 30)
WEEKS = [TODAY - timedelta(weeks=back) for back in range(1, 9)]


def limit(mean: float) -> int:
    """Return the smallest count that a Poisson variable does not exceed in 99 of 100 cases."""
    total, count = exp(-mean), 0
    while total < 0.99:
        count += 1
        total += exp(-mean) * mean**count / factorial(count)
    return count


@pytest.mark.parametrize(("mean", "expected"), [(1, 4), (3, 8), (5, 11), (10, 18), (20, 31)])
def test_the_limit_is_that_of_a_poisson_distribution(mean: int, expected: int) -> None:
    """The expected limits are those of published tables."""
    weeks = [mean] * 8
    assert limit(mean) == expected
    assert not is_jump(expected, weeks)
    assert is_jump(max(expected + 1, AT_LEAST), weeks)


@given(st.integers(1, 40), st.integers(0, 100))
def test_beyond_the_limit_is_a_jump_and_up_to_it_is_none(mean: int, count: int) -> None:
    assert is_jump(count, [mean] * 8) == (count >= AT_LEAST and count > limit(mean))


def test_small_numbers_do_not_ring() -> None:
    assert not is_jump(4, [0] * 8)
    assert is_jump(5, [0] * 8)


@given(st.lists(st.integers(0, 200), min_size=4, max_size=8), st.integers(0, 500))
def test_more_tickets_are_never_more_probable(weeks: list[int], count: int) -> None:
    assert 0 <= chance(count + 1, weeks) <= chance(count, weeks) * (1 + 1e-9) <= 1 + 1e-6


def test_weeks_that_vary_widen_the_limit() -> None:
    """Ten on average each time: what is a jump after even weeks is none after uneven ones."""
    assert is_jump(20, [10] * 8)
    assert not is_jump(20, [2, 18, 3, 17, 1, 19, 4, 16])
    assert is_jump(60, [2, 18, 3, 17, 1, 19, 4, 16])


def test_fewer_weeks_widen_the_limit() -> None:
    assert is_jump(19, [10] * 8)
    assert not is_jump(19, [10] * FEWEST_WEEKS)
    assert is_jump(23, [10] * FEWEST_WEEKS)


def poisson(random: Random, mean: float) -> int:
    count, left = 0, mean
    while (left := left + log(1 - random.random())) > 0:
        count += 1
    return count


@pytest.mark.parametrize("weeks", [FEWEST_WEEKS, 6, 8])
@pytest.mark.parametrize("mean", [0.5, 2, 5, 12, 30])
def test_ordinary_days_are_flagged_in_one_of_a_hundred_cases_at_most(
    weeks: int, mean: float
) -> None:
    """The limit of three standard deviations is for the simulation itself."""
    random, days = Random(f"{weeks} {mean}"), 1500  # noqa: S311 - a simulation
    flagged = sum(
        is_jump(poisson(random, mean), [poisson(random, mean) for _ in range(weeks)])
        for _ in range(days)
    )
    assert flagged <= 0.01 * days + 3 * sqrt(0.01 * days)


def baseline(counts: dict[str, int], weeks: int = 8) -> Baseline:
    rows = [DayCount(day, group, n) for day in WEEKS[:weeks] for group, n in counts.items()]
    return Baseline.of(rows, TODAY)


def test_a_models_complaints_are_named_before_the_model() -> None:
    """型号 KFR-35: 12 complaints, expected 3."""
    today: dict[str, list[str]] = {}
    for n in range(12):
        for group in groups_of("complaint", ("leak",), "KFR-35"):
            today.setdefault(group, []).append(f"N{n}")
    for n in range(40):
        for group in groups_of("complaint", (), ""):
            today.setdefault(group, []).append(f"C{n}")
    usual = baseline({
        "type=complaint": 50, "tag=leak": 11, "product=KFR-35": 9,
        "product=KFR-35&type=complaint": 3, "product=KFR-35&tag=leak": 9,
    })  # fmt: skip
    (found,) = jumps(today, usual)
    assert (found.group, found.expected, len(found.tickets)) == (
        "product=KFR-35&type=complaint", 3, 12,
    )  # fmt: skip


def test_a_jump_of_a_group_that_is_new() -> None:
    (found,) = jumps({"tag=flood": ["A", "B", "C", "D", "E"]}, baseline({"tag=leak": 3}))
    assert (found.group, found.expected) == ("tag=flood", 0)


def test_a_new_desk_has_no_jumps() -> None:
    numbers = [f"N{n}" for n in range(50)]
    few = baseline({"tag=leak": 1}, FEWEST_WEEKS - 1)
    assert jumps({"tag=leak": numbers}, few) == jumps({"tag=leak": numbers}, None) == []
    assert jumps({"tag=leak": numbers}, baseline({"tag=leak": 1}, FEWEST_WEEKS))


def test_the_baseline_has_the_same_weekday_of_the_weeks_that_the_desk_existed() -> None:
    days = [TODAY - timedelta(days=back) for back in range(1, DAYS_BEFORE + 1)]
    rows = [DayCount(day, "tag=leak", 7 if day in WEEKS else 100) for day in days[:40]]
    found = Baseline.of([*rows, DayCount(WEEKS[0], "tag=rare", 2)], TODAY)
    assert found.weeks == 5
    assert found.of_group("tag=leak") == (7, 7, 7, 7, 7)
    assert sorted(found.of_group("tag=rare")) == [0, 0, 0, 0, 2]


@pytest.mark.requirement("B11")
@pytest.mark.parametrize(
    ("count", "total", "usual", "expected"),
    [
        (30, 100, 0.10, True),
        (20, 100, 0.05, False),  # not beyond 20 %
        (30, 100, 0.28, False),  # as usual
        (30, 100, 0.30, False),
        (4, 10, 0.01, False),  # too few
        (5, 10, 0.0, True),
        (300, 1000, 0.25, True),  # a small difference of many
        (10, 10, 1.0, False),
    ],
)
def test_a_share_stands_out(count: int, total: int, usual: float, expected: bool) -> None:
    assert stands_out(count, total, usual) is expected


@given(st.integers(5, 60), st.floats(0.05, 0.95))
def test_a_share_is_compared_with_the_binomial_limit(total: int, usual: float) -> None:
    for count in range(total + 1):
        probable = sum(
            factorial(total) / factorial(k) / factorial(total - k)
            * usual**k * (1 - usual) ** (total - k)
            for k in range(count, total + 1)
        )  # fmt: skip
        if abs(probable - 0.005) > 1e-9:
            beyond = count >= AT_LEAST and count > 0.2 * total and probable <= 0.005
            assert stands_out(count, total, usual) == beyond
