"""The price list: by region and day, from the file that ships."""

import json
from datetime import date
from decimal import Decimal
from importlib.resources import files

import pytest

from functions.core.domain.playbook_model import TokenPrice
from functions.core.reports import prices
from functions.core.reports.prices import Price, PriceList, cost_of, plus, read_prices, times

pytestmark = pytest.mark.requirement("F8", "G7")
LIST = PriceList(
    "us-east-1",
    {
        "s3.put": (
            Price(Decimal("0.50"), Decimal(1000), date(2026, 1, 1)),
            Price(Decimal("0.25"), Decimal(1000), date(2026, 11, 15)),
        ),
        "sns.sms": (Price(Decimal("0.03")),),
        "sns.sms.US": (Price(Decimal("0.01")),),
    },
)


SELLERS = ("https://aws.amazon.com/", "https://www.aliyun.com/", "https://cloud.tencent.com/")


def test_each_price_has_values_with_day_source_and_date() -> None:
    """An unverified price says so; the values of a region are in the order of their days."""
    document = json.loads(files("functions.core.reports").joinpath("prices.json").read_text())
    assert document["currency"] == "USD"
    for name, entry in document["prices"].items():
        assert set(entry) == {"per", "unit", "free_per_month", "source", "regions"}, name
        assert Decimal(entry["per"]) > 0
        assert Decimal(entry["free_per_month"]) >= 0
        assert entry["unit"]
        assert entry["source"].startswith(SELLERS)
        assert prices.HOME in entry["regions"]
        for values in entry["regions"].values():
            days = [date.fromisoformat(value["since"]) for value in values]
            assert days == sorted(set(days)), name
            for value in values:
                assert set(value) == {"since", "value", "date", "seen", "status"}, name
                assert Decimal(value["value"]) >= 0
                assert date.fromisoformat(value["date"])
                assert value["status"] == ("verified" if value["seen"] else "unverified")


def test_prices_are_read_as_exact_decimals() -> None:
    assert cost_of({"ses.sent": Decimal(3)}, read_prices()) == Decimal("0.0003")
    assert cost_of({"dynamodb.write_unit": Decimal(45_000)}, read_prices()) == Decimal("0.028125")
    assert cost_of({"athena.scanned": Decimal(1024)}, read_prices()) == Decimal(5)


def test_a_region_without_prices_is_priced_as_us_east_1_and_says_so() -> None:
    assert read_prices().of_home == frozenset()
    elsewhere = read_prices("eu-central-1")
    assert elsewhere.of_home == elsewhere.prices.keys()
    assert elsewhere.price("ses.sent") == read_prices().price("ses.sent")


def test_a_day_is_charged_at_its_own_price() -> None:
    used = {"s3.put": Decimal(1000)}
    days = (date(2025, 12, 31), date(2026, 11, 14), date(2026, 11, 15), date(2027, 1, 1))
    found = [cost_of(used, LIST, day) for day in days]
    assert found == [Decimal("0.50"), Decimal("0.50"), Decimal("0.25"), Decimal("0.25")]
    assert LIST.changes() == {date(2026, 11, 15)}


def test_a_country_without_a_price_has_the_general_one() -> None:
    used = {"sns.sms.US": Decimal(1), "sns.sms.DE": Decimal(1), "sns.sms": Decimal(1)}
    assert cost_of(used, LIST) == Decimal("0.07")


def test_a_usage_without_a_price_is_noticed() -> None:
    for name in ("sms", "s3.gone", "sns.sms.", "s3"):
        with pytest.raises(KeyError, match=name):
            cost_of({name: Decimal(1)}, LIST)


def test_the_desk_s_model_has_the_playbook_s_price() -> None:
    listed = LIST.with_model(TokenPrice(input=Decimal(2), output=Decimal(8)))
    used = {prices.INPUT_TOKEN: Decimal(500_000), prices.OUTPUT_TOKEN: Decimal(250_000)}
    assert cost_of(used, listed) == 3
    assert LIST.with_model(None) is LIST


def test_usages_are_read_added_and_multiplied() -> None:
    one = prices.read_usage(("a~1", "b~0.5"))
    assert plus(one, {"b": Decimal(2)}) == {"a": Decimal(1), "b": Decimal("2.5")}
    assert prices.read_usage(("a~1", "a~2")) == {"a": Decimal(3)}
    assert times(one, 1000) == {"a": Decimal(1000), "b": Decimal(500)}
    assert plus() == {}
