"""The budget of a desk's language model, and its summaries of tickets."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.core.domain.model_use import ModelUse
from functions.core.domain.playbook_model import TokenPrice
from functions.core.storage.database import Storage
from functions.core.storage.model_summaries import ModelSummary
from tests.core.sample_desk import NOON, received

DAY = "2026-03-10"
BUDGET = Decimal("0.05")


def use(name: str, cost: str = "0.02") -> ModelUse:
    return ModelUse("testdesk", DAY, NOON, name, "draft", "CS1", "agent-1", "small", Decimal(cost))


def test_uses_at_the_same_time_stay_within_the_budget(storage: Storage) -> None:
    uses = [use(str(number)) for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        taken = list(pool.map(lambda one: storage.model_uses.reserve(one, BUDGET), uses))
    assert sum(taken) == 2
    assert storage.model_uses.spent("testdesk", DAY) == Decimal("0.04")
    assert len(list(storage.model_uses.of_day("testdesk", DAY))) == 2
    assert not storage.model_uses.reserve(use("large", "0.06"), BUDGET)


def test_a_use_that_ended_gives_back_what_it_did_not_cost(storage: Storage) -> None:
    """Once; one that was cut off stays on record with the most that it can have cost."""
    uses, first, second = storage.model_uses, use("1"), use("2")
    assert uses.reserve(first, BUDGET)
    assert uses.reserve(second, BUDGET)
    ended = first.ended("answered", Decimal("0.001"), 1.23456, 90, 10)
    for _ in range(2):
        uses.settle(first, ended)
    assert uses.spent("testdesk", DAY) == Decimal("0.021")
    assert list(uses.of_day("testdesk", DAY)) == [ended, second]
    assert uses.reserve(use("3"), BUDGET)
    assert list(uses.of_day("testdesk", "2026-03-11")) == []


def test_a_price_is_rounded_up() -> None:
    price = TokenPrice(input=Decimal("0.15"), output=Decimal("0.6"))
    assert price.cost(1, 0) == Decimal("0.000001")
    assert price.cost(1_000_000, 500_000) == Decimal("0.45")


@pytest.mark.requirement("B10")
def test_no_summary_that_was_begun_before_an_erasure_is_kept(
    storage: Storage, playbook: Any
) -> None:
    ticket = replace_version(received(playbook), 3)
    summaries, desk, number = storage.model_summaries, ticket.desk, ticket.number
    third = ModelSummary("三", 3, NOON, "small")
    summaries.keep(desk, number, third)
    summaries.keep(desk, number, replace(third, text="二", version=2))
    assert summaries.get(desk, number) == third
    summaries.erase(ticket, NOON + timedelta(hours=1))
    summaries.keep(desk, number, third)
    assert summaries.get(desk, number) is None
    later = replace(third, version=4)
    summaries.keep(desk, number, later)
    assert summaries.get(desk, number) == later


def replace_version(ticket: Any, version: int) -> Any:
    return ticket.model_copy(update={"version": version})
