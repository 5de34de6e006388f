"""Compute the capacity units of a DynamoDB call from its request and response.

Read units follow AWS's published rules (developer guide, "DynamoDB read and write operations"): one
unit reads 4 KB consistently, half a unit eventually; the items of `GetItem` and `BatchGetItem` are
rounded up one by one, a page of a `Query` as a whole; a missing item costs the minimum. Write units
are those that DynamoDB reports (`ReturnConsumedCapacity`), because only DynamoDB knows which index
entries changed; a rejected write is counted by the size of its items.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

READS = frozenset({"GetItem", "BatchGetItem", "Query", "Scan"})
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"})
CHARGED = READS | WRITES

READ_BYTES = 4096
WRITE_BYTES = 1024

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Used:
    """Units of one call; `parts` by table and index, `items` the kinds and sizes of the items."""

    read: float = 0
    write: float = 0
    parts: Mapping[str, float] = field(default_factory=dict)
    items: str = ""


def used(operation: str, request: Mapping[str, Any], response: Mapping[str, Any]) -> Used:
    """The units of a call of the low-level client; zero for other services' operations."""
    if operation in READS:
        return _read(operation, request, response)
    if operation in WRITES:
        return _written(operation, request, response)
    return Used()


def item_bytes(item: Item) -> int:
    """The size of an item as DynamoDB counts it: names and values (developer guide, "Item sizes").

    A number takes a byte for two digits and one more, a list or map three bytes and one an element.
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, held),) = value.items()
    if kind == "S":
        return len(held.encode())
    if kind == "N":
        return _number_bytes(held)
    if kind == "B":
        return len(held)
    if kind in {"BOOL", "NULL"}:
        return 1
    if kind == "L":
        return 3 + sum(1 + _value_bytes(inner) for inner in held)
    if kind == "M":
        return 3 + len(held) + item_bytes(held)
    return sum(_value_bytes({kind[0]: inner}) for inner in held)


def _number_bytes(written: str) -> int:
    digits = written.lstrip("-").replace(".", "").strip("0")
    return ceil(len(digits) / 2) + 1 + written.startswith("-")


def _blocks(size: int, block: int) -> int:
    return max(1, ceil(size / block))


def _read(operation: str, request: Mapping[str, Any], response: Mapping[str, Any]) -> Used:
    if operation == "BatchGetItem":
        return _read_batch(request, response)
    rate = 1.0 if request.get("ConsistentRead") else 0.5
    items = [response["Item"]] if "Item" in response else response.get("Items", [])
    units = rate * _blocks(sum(item_bytes(item) for item in items), READ_BYTES)
    named = [_kind(item) for item in items] or [_kind(request.get("Key", {})) + " (none)"]
    return Used(
        read=units, parts={str(request.get("IndexName", "table")): units}, items=_listed(named)
    )


def _read_batch(request: Mapping[str, Any], response: Mapping[str, Any]) -> Used:
    units = 0.0
    named: list[str] = []
    for table, query in request["RequestItems"].items():
        items = response.get("Responses", {}).get(table, [])
        rate = 1.0 if query.get("ConsistentRead") else 0.5
        blocks = sum(_blocks(item_bytes(item), READ_BYTES) for item in items)
        units += rate * (blocks + len(query["Keys"]) - len(items))
        named += [_kind(key) for key in query["Keys"]]
    return Used(read=units, parts={"table": units}, items=_listed(named))


def _written(operation: str, request: Mapping[str, Any], response: Mapping[str, Any]) -> Used:
    writes = list(_writes(operation, request))
    named = _listed(f"{_kind(item)} {item_bytes(item)} B" for item in writes)
    reported = response.get("ConsumedCapacity") or []
    tables = reported if isinstance(reported, list) else [reported]
    if not tables:
        doubled = 2 if operation == "TransactWriteItems" else 1
        units = float(doubled * sum(_blocks(item_bytes(item), WRITE_BYTES) for item in writes))
        return Used(write=units, parts={"table": units}, items=named)
    parts: dict[str, float] = {}
    for table in tables:
        indexes = table.get("GlobalSecondaryIndexes", {})
        for name, index in indexes.items():
            parts[name] = parts.get(name, 0.0) + float(index["CapacityUnits"])
        total = float(table["CapacityUnits"])
        own = total - sum(float(index["CapacityUnits"]) for index in indexes.values())
        parts["table"] = parts.get("table", 0.0) + own
    return Used(write=sum(parts.values()), parts=parts, items=named)


def _writes(operation: str, request: Mapping[str, Any]) -> Iterable[Item]:
    """The items of a write request: whole, or only their keys."""
    if operation == "TransactWriteItems":
        for write in request["TransactItems"]:
            for action in write.values():
                yield action.get("Item") or action["Key"]
    elif operation == "BatchWriteItem":
        for requests in request["RequestItems"].values():
            for write in requests:
                yield write.get("PutRequest", {}).get("Item") or write["DeleteRequest"]["Key"]
    else:
        yield request.get("Item") or request["Key"]


def _kind(item: Item) -> str:
    kind = item.get("sk", {}).get("S", "?")
    return str(kind).partition("#")[0]


def _listed(names: Iterable[str]) -> str:
    counted: dict[str, int] = {}
    for name in names:
        counted[name] = counted.get(name, 0) + 1
    return ", ".join(name if n == 1 else f"{n} × {name}" for name, n in counted.items())
