"""Costs from facts: the query on DuckDB and the table, against a computation in plain Python."""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from functions.core.domain.playbook_reports import Reports
from functions.core.reports.columns import Fact
from functions.core.reports.cost_queries import CostsBy, cost_query
from functions.core.reports.costs import CostTable, cost_table, remainder
from functions.core.reports.prices import Price, PriceList, read_prices
from tests.reports.duck import Duck

pytestmark = pytest.mark.requirement("F8")
ZONE = ZoneInfo("Asia/Shanghai")
FIRST, LAST = date(2026, 11, 2), date(2026, 11, 4)
NINE = datetime(2026, 11, 2, 9, tzinfo=ZONE)
REPORTS = Reports(
    currency="CNY", usd_rate=Decimal(7), agent_rate=Decimal(60), part_prices={"滤芯": Decimal(30)}
)
LIST = PriceList(
    "us-east-1",
    {
        "ses.sent": (
            Price(Decimal("0.1"), since=date(2026, 1, 1)),
            Price(Decimal("0.2"), since=date(2026, 11, 3)),
        ),
        "s3.put": (Price(Decimal("0.01")),),
    },
)


def act(
    number: str,
    version: int,
    at: datetime,
    who: str = "",
    previous: datetime | None = None,
    **m: Any,
) -> Fact:
    return Fact(
        kind="ticket", number=number, version=version, written=1, happened=int(at.timestamp()),
        actor=who or "system", handling=int(bool(who)), channel="email",
        previous=int(previous.timestamp()) if previous else None, **m,
    )  # fmt: skip


@pytest.fixture
def duck(tmp_path: Path) -> Duck:
    return Duck(tmp_path, "standard", ZONE)


def table(duck: Duck, by: CostsBy = "desk", first: date = FIRST) -> CostTable:
    query = cost_query("standard", first, LAST, by, REPORTS.act_at_most, LIST.changes())
    return cost_table(duck.rows(query), REPORTS, LIST)


def minutes(found: CostTable) -> dict[str, Decimal]:
    return {line.key: line.minutes for line in found.lines}


def test_an_act_counts_since_the_agent_s_last_one_or_the_ticket_s_last_change(duck: Duck) -> None:
    """Whichever is less, ten minutes at most; two agents do not shorten each other's time."""
    after = [NINE + timedelta(minutes=minute) for minute in range(60)]
    duck.write(
        [
            act("A", 1, after[0]),
            act("A", 2, after[4], "mei", after[0]),  # 4: since the ticket came
            act("B", 1, after[1]),
            act("B", 2, after[6], "mei", after[1]),  # 2: since her act on A
            act("B", 3, after[7], "li", after[6]),  # 1: since her act
            act("C", 1, after[50], "mei"),  # 10: entered by hand, 44 minutes later
            act("C", 2, after[52], "", after[50]),
            act("C", 3, after[59], "li", after[52]),  # 7
        ]
    )
    assert minutes(table(duck, "ticket")) == {"A": 4, "B": 3, "C": 17}
    found = table(duck)
    assert {found.sum.minutes, found.sum.agent, found.sum.total} == {Decimal(24)}


def test_the_day_before_is_known_but_not_charged(duck: Duck) -> None:
    midnight = datetime(2026, 11, 3, tzinfo=ZONE)
    before, after = midnight - timedelta(minutes=2), midnight + timedelta(minutes=1)
    duck.write([act("A", 1, before, "mei"), act("B", 1, after, "mei")])
    assert table(duck, first=date(2026, 11, 3)).sum.minutes == 3
    assert minutes(table(duck, "day")) == {"2026-11-02": 10, "2026-11-03": 3}


def test_a_row_that_was_written_again_counts_once(duck: Duck) -> None:
    """The newest one; a chat and a ticket of the same number are two."""
    first = act("A", 1, NINE, usage=("s3.put~5",))
    duck.write([first, first, replace(first, written=3, usage=("s3.put~2",)), replace(first)])
    duck.write([replace(first, kind="chat", usage=("s3.put~1",), channel="web")])
    assert table(duck).sum.units == {"s3.put": 3}
    assert [(line.key, line.units) for line in table(duck, "ticket").lines] == [
        ("", {"s3.put": Decimal(1)}),
        ("A", {"s3.put": Decimal(2)}),
    ]
    assert [line.key for line in table(duck, "channel").lines] == ["email", "web"]


def test_units_are_charged_at_the_price_of_their_day(duck: Duck) -> None:
    day = timedelta(days=1)
    used = [("ses.sent~10", "s3.put~5e-01"), ("ses.sent~1",), ("ses.sent~1", "s3.gone~4")]
    duck.write([act("A", n + 1, NINE + n * day, usage=each) for n, each in enumerate(used)])
    duck.write([act("A", 9, NINE + 3 * day, usage=("ses.sent~1000",))])
    found = table(duck)
    (line,) = found.lines
    assert line.units == {"ses.sent": 12, "s3.put": Decimal("0.5"), "s3.gone": 4}
    assert line.usd == Decimal("1.405")
    assert line.total == Decimal("9.835")
    assert found.unpriced == ("s3.gone",)
    assert remainder(Decimal("2.5"), [found]) == Decimal("1.095")


def test_parts_and_compensation_are_added(duck: Duck) -> None:
    """A part without a price is counted and named."""
    duck.write(
        [
            act("A", 1, NINE, parts=("滤芯", "滤芯", "O-ring"), compensation="12.50"),
            act("A", 2, NINE, parts=("滤芯",)),
        ]
    )
    found = table(duck)
    assert found.sum.used == {"滤芯": 3, "O-ring": 1}
    assert (found.sum.parts, found.sum.compensation) == (Decimal(90), Decimal("12.5"))
    assert found.sum.total == Decimal("102.5")
    assert found.unpriced == ("O-ring",)


def test_a_period_without_facts_costs_nothing(duck: Duck) -> None:
    found = table(duck)
    assert not found.lines
    assert found.sum.total == 0


def test_a_region_of_its_own_says_so() -> None:
    assert cost_table((), REPORTS, read_prices("eu-central-1")).of_home
    assert not cost_table((), REPORTS, read_prices()).of_home


@dataclass
class Plain:
    """Costs computed by looping over the facts, one key at a time."""

    facts: Sequence[Fact]

    def newest(self) -> Iterable[Fact]:
        found: dict[tuple[str, str, int], Fact] = {}
        for fact in self.facts:
            name = (fact.kind, fact.number, fact.version)
            if name not in found or fact.written > found[name].written:
                found[name] = fact
        return sorted(found.values(), key=lambda f: (f.happened, f.number, f.version))

    def totals(self, by: CostsBy) -> dict[str, Decimal]:
        total: dict[str, Decimal] = defaultdict(Decimal)
        seen: dict[str, int] = {}
        for fact in self.newest():
            day = datetime.fromtimestamp(fact.happened, ZONE).date()
            spent = Decimal(0)
            if fact.handling:
                waits = [600]
                if fact.previous is not None:
                    waits.append(fact.happened - fact.previous)
                if fact.actor in seen:
                    waits.append(fact.happened - seen[fact.actor])
                seen[fact.actor] = fact.happened
                spent += Decimal(min(waits)) * 60 / 3600
            if not FIRST <= day <= LAST:
                continue
            for entry in fact.usage:
                name, quantity = entry.split("~")
                price = "0.01" if name == "s3.put" else "0.2" if day >= date(2026, 11, 3) else "0.1"
                spent += Decimal(quantity) * Decimal(price) * 7
            spent += 30 * sum(part == "滤芯" for part in fact.parts)
            spent += Decimal(fact.compensation or 0)
            key = {
                "desk": "standard", "channel": fact.channel, "ticket": fact.number,
                "day": day.isoformat(),
            }[by]  # fmt: skip
            if spent:
                total[key] += spent
        return total


@pytest.mark.parametrize("by", ["desk", "channel", "ticket", "day"])
@pytest.mark.parametrize("seed", range(3))
def test_the_query_agrees_with_a_loop_over_the_facts(duck: Duck, by: CostsBy, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same facts each time
    at = NINE - timedelta(days=2)
    facts: list[Fact] = []
    changed: dict[int, datetime] = {}
    for _ in range(600):
        at += timedelta(seconds=chance.choice([0, 5, 40, 300, 900, 2000]))
        ticket = chance.randrange(25)
        version = sum(fact.number == f"CS{ticket}" for fact in facts) + 1
        who = chance.choice(["", "mei", "li", "wang"])
        used = tuple(
            f"{name}~{chance.randrange(9000) / 1000}"
            for name in LIST.prices
            if chance.random() < 0.5
        )
        more: dict[str, Any] = {"usage": used}
        if chance.random() < 0.1:
            more |= {"parts": ("滤芯",) * chance.randrange(3), "compensation": "8.25"}
        fact = act(f"CS{ticket}", version, at, who, changed.get(ticket), **more)
        facts.append(replace(fact, channel=("email", "web", "phone")[ticket % 3]))
        changed[ticket] = at
    again = [replace(fact, written=2, usage=()) for fact in chance.sample(facts, 60)]
    duck.write(facts[:300])
    duck.write([*again, *facts[300:]])
    found = table(duck, by)
    expected = Plain([*facts, *again]).totals(by)
    assert {line.key: round(line.total, 9) for line in found.lines if line.total} == {
        key: round(total, 9) for key, total in expected.items()
    }
    assert round(found.sum.total, 9) == round(sum(expected.values()), 9)
