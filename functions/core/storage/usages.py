"""Return the usage of a commit as an attribute of its item."""

from collections.abc import Mapping

from functions.core.storage.table import Item

_USAGE_CODES = {
    "apigateway.request": "A",
    "dynamodb.read_unit": "R",
    "dynamodb.write_unit": "W",
    "kms.request": "K",
    "lambda.gb_second": "G",
    "lambda.request": "L",
}
"""The usual prices are stored short, so that most commits stay below 1 KB."""
_USAGE_NAMES = {code: price for price, code in _USAGE_CODES.items()}


def usage_attribute(usage: Mapping[str, float]) -> Item:
    """The attribute of a commit with what was used for it, by price name; none for nothing."""
    quantities = rounded(usage).items()
    pairs = (f"{_USAGE_CODES.get(price, price)}:{quantity}" for price, quantity in quantities)
    return {"usage": {"S": " ".join(pairs)}} if usage else {}


def usage_of(item: Item) -> dict[str, float]:
    """Read the usage of a commit from its item or its image in the stream."""
    pairs = (pair.split(":") for pair in item.get("usage", {"S": ""})["S"].split())
    return {_USAGE_NAMES.get(code, code): float(quantity) for code, quantity in pairs}


def rounded(usage: Mapping[str, float]) -> dict[str, float]:
    """Quantities to a millionth, whole ones without a point."""
    return {
        price: int(quantity) if quantity == int(quantity) else round(quantity, 6)
        for price, quantity in usage.items()
    }
