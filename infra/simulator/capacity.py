"""What a DynamoDB call consumes, from what was asked and what was answered.

Read units are counted here by AWS's published rules (developer guide, "DynamoDB read and write
operations"): a unit is 4 KB read consistently, half of that eventually; each item of a `GetItem` or
`BatchGetItem` is rounded up by itself, a page of a `Query` as a whole; what is not there costs the
least there is. Write units are those that DynamoDB answers with (`ReturnConsumedCapacity`), since
only it knows which index entries moved; a refused write is counted by its own size.
"""

from __future__ import annotations

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


def used(operation: str, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Used:
    """What a call of the low-level client consumed; nothing for other services' operations."""
    if operation in READS:
        return _read(operation, asked, answer)
    if operation in WRITES:
        return _written(operation, asked, answer)
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


def _read(operation: str, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Used:
    if operation == "BatchGetItem":
        return _read_batch(asked, answer)
    rate = 1.0 if asked.get("ConsistentRead") else 0.5
    found = [answer["Item"]] if "Item" in answer else answer.get("Items", [])
    units = rate * _blocks(sum(item_bytes(item) for item in found), READ_BYTES)
    named = [_kind(item) for item in found] or [_kind(asked.get("Key", {})) + " (none)"]
    return Used(
        read=units,
        parts={str(asked.get("IndexName", "table")): units},
        items=_listed(named),
    )


def _read_batch(asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Used:
    units = 0.0
    named: list[str] = []
    for table, wanted in asked["RequestItems"].items():
        found = answer.get("Responses", {}).get(table, [])
        rate = 1.0 if wanted.get("ConsistentRead") else 0.5
        blocks = sum(_blocks(item_bytes(item), READ_BYTES) for item in found)
        units += rate * (blocks + len(wanted["Keys"]) - len(found))
        named += [_kind(key) for key in wanted["Keys"]]
    return Used(read=units, parts={"table": units}, items=_listed(named))


def _written(operation: str, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Used:
    writes = list(_writes(operation, asked))
    named = _listed(f"{_kind(item)} {item_bytes(item)} B" for item in writes)
    reported = answer.get("ConsumedCapacity") or []
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


def _writes(operation: str, asked: Mapping[str, Any]) -> Iterable[Item]:
    """The items of a write as far as the request names them: whole, or by their keys alone."""
    if operation == "TransactWriteItems":
        for write in asked["TransactItems"]:
            for action in write.values():
                yield action.get("Item") or action["Key"]
    elif operation == "BatchWriteItem":
        for requests in asked["RequestItems"].values():
            for request in requests:
                yield request.get("PutRequest", {}).get("Item") or request["DeleteRequest"]["Key"]
    else:
        yield asked.get("Item") or asked["Key"]


def _kind(item: Item) -> str:
    """The kind of an item, from its sort key: `TICKET`, `EVENT`, `AGENT` …"""
    kind = item.get("sk", {}).get("S", "?")
    return str(kind).partition("#")[0]


def _listed(names: Iterable[str]) -> str:
    counted: dict[str, int] = {}
    for name in names:
        counted[name] = counted.get(name, 0) + 1
    return ", ".join(name if n == 1 else f"{n} × {name}" for name, n in counted.items())
