"""The budget of a desk: a running sum that agrees with the table of costs."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from functions.core.reports.columns import Fact
from functions.core.reports.cost_queries import cost_query
from functions.core.reports.costs import cost_table
from functions.core.reports.prices import read_prices
from functions.core.reports.spending import Spending
from functions.reports import budget
from functions.reports.budget import watch_budget
from tests.core.sample_desk import DESK
from tests.reports.duck import Duck

pytestmark = pytest.mark.requirement("F8")
PRICES = read_prices()
RUN = timedelta(minutes=10)


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    reports = {
        "currency": "CNY", "usd_rate": 7, "agent_rate": 60, "budget": 50,
        "part_prices": {"滤芯": 30},
    }  # fmt: skip
    return load({**DESK, "reports": reports})


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """The alarms: condition, month and what was spent."""
    raised: list[tuple[str, str, str]] = []

    def note(condition: str, desk: str, **about: Any) -> None:
        assert (desk, about["budget"], about["currency"]) == ("testdesk", "50", "CNY")
        raised.append((condition, about["month"], about["spent"]))

    monkeypatch.setattr(budget, "raise_alarm", note)
    return raised


@pytest.fixture(autouse=True)
def metric(monkeypatch: pytest.MonkeyPatch) -> list[Decimal]:
    """The values of the metric `Spent`, in USD."""
    values: list[Decimal] = []
    monkeypatch.setattr(budget, "record_spending", lambda _desk, usd: values.append(usd))
    return values


def local(playbook: Playbook, month: int, day: int, hour: int = 9) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=playbook.zone)


def fact(at: datetime, version: int, **more: Any) -> Fact:
    return Fact("ticket", "CS1", version, 1, int(at.timestamp()), **more)


def test_the_alarm_sounds_once_a_month(
    playbook: Playbook, told: list[Any], metric: list[Decimal]
) -> None:
    at = local(playbook, 3, 10)
    spending = watch_budget(None, [], playbook, PRICES, at)
    bought = [fact(at + n * RUN, n + 1, parts=("滤芯",)) for n in range(4)]
    for n in range(4):
        spending = watch_budget(spending, bought, playbook, PRICES, at + n * RUN)
    assert told == [("over_budget", "2026-03", "60.00")]
    assert spending.spent == 90
    april = local(playbook, 4, 1, 0)
    last = fact(april - RUN / 2, 9, parts=("滤芯", "滤芯"))
    spending = watch_budget(spending, [last], playbook, PRICES, april + RUN)
    assert spending.month == "2026-04"
    assert spending.spent == 0
    many = fact(april + RUN, 10, parts=("滤芯", "滤芯"))
    watch_budget(spending, [many], playbook, PRICES, april + 2 * RUN)
    assert told[1:] == [("over_budget", "2026-04", "60.00")]
    assert not metric


def test_a_fact_counts_once_however_often_it_is_read(
    playbook: Playbook, metric: list[Decimal]
) -> None:
    """Those that happened after `through` count in a later run."""
    at = local(playbook, 3, 10)
    mails = [fact(at + n * RUN, n + 1, usage=("ses.sent~1000",)) for n in range(3)]
    spending = Spending(through=at)
    for through in (at, at + RUN, at + RUN, at + 3 * RUN):
        facts = [*mails, *mails, replace(mails[0], kind="chat", version=7)]
        spending = watch_budget(spending, facts, playbook, PRICES, through)
    assert metric == [Decimal("0.2"), Decimal("0.2")]
    assert spending.usd == Decimal("0.4")


def test_a_desk_without_a_budget_is_told_nothing(playbook: Playbook, told: list[Any]) -> None:
    reports = playbook.reports.model_copy(update={"budget": None})
    at = local(playbook, 3, 10)
    gift = fact(at, 1, compensation="99999")
    desk = playbook.model_copy(update={"reports": reports})
    assert watch_budget(Spending(through=at), [gift], desk, PRICES, at + RUN).spent == 99999
    assert not told


def _month(playbook: Playbook, chance: random.Random) -> Iterator[Fact]:
    at, version = local(playbook, 3, 1), 0
    previous: int | None = None
    while at < local(playbook, 3, 9):
        version += 1
        who = chance.choice(["", "mei", "li"])
        yield fact(
            at, version, actor=who or "system", handling=int(bool(who)), previous=previous,
            usage=(f"ses.sent~{chance.randrange(5)}",),
            parts=("滤芯",) if chance.random() < 0.1 else (),
            compensation="1.50" if chance.random() < 0.1 else "",
        )  # fmt: skip
        previous = int(at.timestamp())
        at += timedelta(seconds=chance.choice([30, 200, 550, 700, 5000]))


@pytest.mark.slow
def test_the_running_sum_agrees_with_the_table_of_costs(
    playbook: Playbook, told: list[Any], tmp_path: Path
) -> None:
    facts = list(_month(playbook, random.Random(7)))  # noqa: S311 - the same facts each time
    spending = Spending.model_validate_json(
        Spending(through=local(playbook, 3, 1)).model_dump_json()
    )
    through = local(playbook, 3, 1)
    while through < local(playbook, 3, 9):
        through += RUN
        arrived = [each for each in facts if each.happened < (through + RUN).timestamp()]
        spending = watch_budget(spending, arrived, playbook, PRICES, through)
        spending = Spending.model_validate_json(spending.model_dump_json())
    duck = Duck(tmp_path, "testdesk", playbook.zone)
    duck.write(facts)
    days = date(2026, 3, 1), date(2026, 3, 31)
    query = cost_query("testdesk", *days, "desk", playbook.reports.act_at_most)
    table = cost_table(duck.rows(query), playbook.reports, PRICES)
    assert round(spending.spent, 9) == round(table.sum.total, 9)
    assert round(spending.usd, 9) == round(table.sum.usd, 9)
    assert len(told) == 1
