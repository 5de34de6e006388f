"""The price list and the arithmetic of costs."""

import json
from datetime import date
from decimal import Decimal

import pytest

from infra.bench import costs
from infra.simulator.simulator import Call

pytestmark = pytest.mark.requirement("F8", "G7")
LIST = costs.PriceList(
    region="us-east-1",
    prices={
        "dynamodb.write_unit": costs.Price(
            Decimal("0.50"), Decimal(1000), "unit", Decimal(0), "https://example.com", "", ""
        ),
        "dynamodb.read_unit": costs.Price(
            Decimal("0.25"), Decimal(1000), "unit", Decimal(400), "https://example.com", "", ""
        ),
        "kms.request": costs.Price(
            Decimal(3), Decimal(1), "request", Decimal(0), "https://example.com", "", ""
        ),
    },
    assumptions={"sqs.pollers": Decimal(5), "sqs.poll_seconds": Decimal(20)},
)


def test_each_price_has_value_unit_source_and_date() -> None:
    """An unverified price says so."""
    document = json.loads(costs.PRICES.read_text("utf-8"))
    assert document["region"] == "us-east-1"
    assert document["currency"] == "USD"
    for name, entry in document["prices"].items():
        assert set(entry) == {
            "value", "per", "unit", "free_per_month", "source", "seen", "date", "status",
        }, name  # fmt: skip
        assert Decimal(entry["value"]) >= 0
        assert Decimal(entry["per"]) > 0
        assert Decimal(entry["free_per_month"]) >= 0
        assert entry["unit"]
        assert entry["source"].startswith("https://aws.amazon.com/")
        assert date.fromisoformat(entry["date"])
        assert entry["status"] == ("verified" if entry["seen"] else "unverified")
    for name, entry in document["assumptions"].items():
        assert set(entry) == {"value", "unit", "why"}, name
        assert Decimal(entry["value"]) > 0


def test_prices_are_read_as_exact_decimals() -> None:
    prices = costs.read_prices().prices
    assert prices["ses.sent"].of(Decimal(3)) == Decimal("0.0003")
    assert prices["dynamodb.write_unit"].of(Decimal(45_000)) == Decimal("0.028125")


def test_a_usage_costs_what_its_units_cost() -> None:
    usage = {"dynamodb.write_unit": Decimal(3000), "dynamodb.read_unit": Decimal(1000)}
    assert costs.cost_of(usage, LIST) == Decimal("1.75")
    assert costs.cost_of(usage, LIST, free_tiers=True) == Decimal("1.65")
    assert [line.name for line in costs.bill(usage, LIST)] == [
        "dynamodb.write_unit",
        "dynamodb.read_unit",
    ]


def test_a_free_allowance_never_makes_a_cost_negative() -> None:
    usage = {"dynamodb.read_unit": Decimal(100)}
    assert costs.cost_of(usage, LIST, free_tiers=True) == 0


def test_a_usage_without_a_price_is_noticed() -> None:
    with pytest.raises(KeyError):
        costs.cost_of({"sms": Decimal(1)}, LIST)


def test_usages_are_added_and_multiplied() -> None:
    one = {"a": Decimal(1), "b": Decimal("0.5")}
    assert costs.plus(one, {"b": Decimal(2)}) == {"a": Decimal(1), "b": Decimal("2.5")}
    assert costs.times(one, 1000) == {"a": Decimal(1000), "b": Decimal(500)}
    assert costs.plus() == {}


def test_calls_are_converted_to_metered_units() -> None:
    """DynamoDB units and KMS requests; parameters cost nothing."""
    calls = [
        Call("notify", "dynamodb", "GetItem", read_units=0.5),
        Call("notify", "dynamodb", "PutItem", write_units=2.0),
        Call("notify", "kms", "Decrypt"),
        Call("notify", "ssm", "GetParameter"),
    ]
    used = costs.usage_of_calls(calls)
    assert used == {
        "dynamodb.read_unit": Decimal("0.5"),
        "dynamodb.write_unit": Decimal(2),
        "kms.request": Decimal(1),
    }
    assert costs.cost_of(used, LIST) == Decimal("3.001125")


def test_an_idle_queue_is_polled_fifteen_times_a_minute() -> None:
    assert costs.idle_polling(LIST) == {"sqs.request": Decimal(15 * 60 * 24 * 30)}


def test_a_bill_is_divided_to_the_cent() -> None:
    """The shares of desks or channels add up to the whole."""
    parts = costs.shares(Decimal("1.00"), {"standard": 1, "rapid": 1, "aftersales": 1})
    assert sum(parts.values()) == Decimal("1.00")
    assert sorted(parts.values()) == [Decimal("0.33"), Decimal("0.33"), Decimal("0.34")]
    assert costs.shares(Decimal("9.99"), {"email": 0, "sms": 7}) == {
        "email": Decimal(0),
        "sms": Decimal("9.99"),
    }
    with pytest.raises(ValueError, match="nothing"):
        costs.shares(Decimal(1), {"standard": 0})
