"""A DynamoDB client in memory, fast enough for tens of thousands of tickets.

It evaluates the expressions that the storage entities use, with DynamoDB's rules: a transaction
writes everything or nothing, a condition is checked against the item as it is. What it does not
know raises `NotImplementedError`; other wrong requests are not noticed.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, Any]
Names = Mapping[str, str]
Condition = Callable[[Item, Names, Item], bool]
_Entry = tuple[str, str, str]

INDEXES = ("queue", "contact", "due")
_NO_NAMES: Names = {}


class MemoryClient:
    """One table; `written` collects the items written, oldest first, as its stream would."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Item]] = {}
        self.sort_keys: dict[str, list[str]] = {}
        self.indexes: dict[str, dict[str, list[_Entry]]] = {name: {} for name in INDEXES}
        self.written: list[Item] = []

    # Reads

    def get_item(self, *, Key: Item, **_: Any) -> Any:  # noqa: N803 - boto3's names
        item = self._find(Key)
        return {} if item is None else {"Item": item}

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> Any:  # noqa: N803
        found = {
            table: [item for key in asked["Keys"] if (item := self._find(key)) is not None]
            for table, asked in RequestItems.items()
        }
        return {"Responses": found}

    def query(
        self,
        *,
        KeyConditionExpression: str,  # noqa: N803
        ExpressionAttributeValues: Item,  # noqa: N803
        IndexName: str = "",  # noqa: N803
        ScanIndexForward: bool = True,  # noqa: N803
        Limit: int | None = None,  # noqa: N803
        ExclusiveStartKey: Item | None = None,  # noqa: N803
        TableName: str = "",  # noqa: N803
        ConsistentRead: bool = False,  # noqa: N803
    ) -> Any:
        pk_of, low, high = _key_range(KeyConditionExpression)
        values = {
            name: next(iter(value.values())) for name, value in ExpressionAttributeValues.items()
        }
        partition = values[pk_of]
        first, last = low(values), high(values)
        if IndexName:
            entries = self.indexes[IndexName].get(partition, [])
            low_entry, high_entry = (first, "", ""), (last, _LAST, _LAST)
            found = entries[bisect_left(entries, low_entry) : bisect_right(entries, high_entry)]
        else:
            keys = self.sort_keys.get(partition, [])
            selected = keys[bisect_left(keys, first) : bisect_right(keys, last)]
            found = [(sk, partition, sk) for sk in selected]
        if not ScanIndexForward:
            found.reverse()
        if ExclusiveStartKey is not None:
            found = _after(found, ExclusiveStartKey, IndexName, ScanIndexForward)
        page = found if Limit is None else found[:Limit]
        answer: Item = {"Items": [self.items[pk][sk] for _, pk, sk in page]}
        if Limit is not None and len(page) == Limit:
            answer["LastEvaluatedKey"] = _start_key(page[-1], IndexName, partition)
        return answer

    def first_due(self) -> str | None:
        """The earliest position in the `due` index, None if it is empty."""
        shards = self.indexes["due"].values()
        return min((entries[0][0] for entries in shards if entries), default=None)

    # Writes

    def put_item(self, **request: Any) -> Any:
        return self._one("PutItem", {"Put": request})

    def update_item(self, *, ReturnValues: str = "NONE", **request: Any) -> Any:  # noqa: N803
        return self._one("UpdateItem", {"Update": request})

    def delete_item(self, **request: Any) -> Any:
        return self._one("DeleteItem", {"Delete": request})

    def transact_write_items(self, *, TransactItems: list[Any]) -> Any:  # noqa: N803
        holds = [self._holds(write) for write in TransactItems]
        if not all(holds):
            reasons = [{"Code": "None" if held else "ConditionalCheckFailed"} for held in holds]
            error = {"Code": "TransactionCanceledException", "Message": ""}
            response: Any = {"Error": error, "CancellationReasons": reasons}
            raise ClientError(response, "TransactWriteItems")
        for write in TransactItems:
            self._write(write)
        return {}

    def _one(self, operation: str, write: Item) -> Any:
        if not self._holds(write):
            error: Any = {"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}
            raise ClientError(error, operation)
        return {"Attributes": self._write(write)}

    def _holds(self, write: Item) -> bool:
        ((kind, request),) = write.items()
        condition = request.get("ConditionExpression")
        if condition is None:
            return True
        item = self._find(request["Item"] if kind == "Put" else request["Key"]) or {}
        names = request.get("ExpressionAttributeNames", _NO_NAMES)
        return _condition(condition)(item, names, request.get("ExpressionAttributeValues", {}))

    def _write(self, write: Item) -> Item:
        ((kind, request),) = write.items()
        key = request["Item"] if kind == "Put" else request["Key"]
        pk, sk = key["pk"]["S"], key["sk"]["S"]
        former = self._find(key)
        if kind == "Delete":
            if former is not None:
                self._list(former, listed=False)
                del self.items[pk][sk]
                self.sort_keys[pk].remove(sk)
            return {}
        item = request["Item"] if kind == "Put" else _updated({**(former or key)}, request)
        if former is None:
            insort(self.sort_keys.setdefault(pk, []), sk)
        else:
            self._list(former, listed=False)
        self.items.setdefault(pk, {})[sk] = item
        self._list(item, listed=True)
        self.written.append(item)
        return item

    def _find(self, key: Item) -> Item | None:
        return self.items.get(key["pk"]["S"], {}).get(key["sk"]["S"])

    def _list(self, item: Item, *, listed: bool) -> None:
        """List an item in the indexes, or take it out of them."""
        for name in INDEXES:
            if f"{name}_sk" not in item:
                continue
            entries = self.indexes[name].setdefault(item[f"{name}_pk"]["S"], [])
            entry = item[f"{name}_sk"]["S"], item["pk"]["S"], item["sk"]["S"]
            if listed:
                insort(entries, entry)
            else:
                del entries[bisect_left(entries, entry)]


# Expressions

_LAST = "\U0010ffff"
_Text = Callable[[Item], str]


@lru_cache
def _key_range(expression: str) -> tuple[str, _Text, _Text]:
    """The value that names a partition, and the range of sort keys, of a key condition."""
    first, _, rest = expression.partition(" AND ")
    partition = first.partition(" = ")[2]
    if not rest:
        return partition, lambda _: "", lambda _: _LAST
    if begins := re.fullmatch(r"begins_with\(\w+, (:\w+)\)", rest):
        name = begins[1]
        return partition, lambda values: values[name], lambda values: values[name] + _LAST
    if between := re.fullmatch(r"\w+ BETWEEN (:\w+) AND (:\w+)", rest):
        low, high = between.groups()
        return partition, lambda values: values[low], lambda values: values[high]
    if compared := re.fullmatch(r"\w+ (<=|>|>=) (:\w+)", rest):
        sign, bound = compared.groups()
        if sign == "<=":
            return partition, lambda _: "", lambda values: values[bound]
        after = "" if sign == ">=" else "\0"
        return partition, lambda values: values[bound] + after, lambda _: _LAST
    raise NotImplementedError(expression)


def _after(found: list[_Entry], start: Item, index: str, forward: bool) -> list[_Entry]:
    sk = start[f"{index}_sk"]["S"] if index else start["sk"]["S"]
    entry = sk, start["pk"]["S"], start["sk"]["S"]
    return [each for each in found if (each > entry if forward else each < entry)]


def _start_key(entry: _Entry, index: str, partition: str) -> Item:
    position, pk, sk = entry
    key = {"pk": {"S": pk}, "sk": {"S": sk}}
    if index:
        key |= {f"{index}_pk": {"S": partition}, f"{index}_sk": {"S": position}}
    return key


@lru_cache
def _condition(expression: str) -> Condition:
    """Compile a condition: comparisons and functions, joined by AND, OR and brackets."""
    tokens = re.findall(r"attribute_(?:not_)?exists\([#\w]+\)|[#:\w]+|[()]|<=|>=|[=<>]", expression)
    if "".join(tokens) != expression.replace(" ", ""):
        raise NotImplementedError(expression)
    condition, rest = _either(tokens)
    if rest:
        raise NotImplementedError(expression)
    return condition


def _either(tokens: list[str]) -> tuple[Condition, list[str]]:
    conditions, tokens = _joined(tokens, "OR", _both)
    return lambda *asked: any(holds(*asked) for holds in conditions), tokens


def _both(tokens: list[str]) -> tuple[Condition, list[str]]:
    conditions, tokens = _joined(tokens, "AND", _single)
    return lambda *asked: all(holds(*asked) for holds in conditions), tokens


def _joined(
    tokens: list[str], word: str, part: Callable[[list[str]], tuple[Condition, list[str]]]
) -> tuple[list[Condition], list[str]]:
    condition, tokens = part(tokens)
    conditions = [condition]
    while tokens and tokens[0] == word:
        condition, tokens = part(tokens[1:])
        conditions.append(condition)
    return conditions, tokens


def _single(tokens: list[str]) -> tuple[Condition, list[str]]:
    if tokens[0] == "(":
        condition, rest = _either(tokens[1:])
        return condition, rest[1:]
    if function := re.fullmatch(r"attribute_(not_)?exists\((.+)\)", tokens[0]):
        wanted, name = function[1] is None, function[2]
        return lambda item, names, _: (names.get(name, name) in item) is wanted, tokens[1:]
    left, sign, right, *rest = tokens
    compare = _COMPARISONS[sign]
    return lambda item, names, values: compare(
        _comparable(_operand(left, item, names, values)),
        _comparable(_operand(right, item, names, values)),
    ), rest


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a is not None and b is not None and a < b,
    "<=": lambda a, b: a is not None and b is not None and a <= b,
    ">": lambda a, b: a is not None and b is not None and a > b,
    ">=": lambda a, b: a is not None and b is not None and a >= b,
}


def _operand(name: str, item: Item, names: Names, values: Item) -> Item | None:
    return values[name] if name.startswith(":") else item.get(names.get(name, name))


def _comparable(value: Item | None) -> Any:
    if value is None:
        return None
    ((kind, held),) = value.items()
    return float(held) if kind == "N" else held


_CLAUSES = re.compile(r"\b(SET|REMOVE|ADD)\b")
_ASSIGNMENT = re.compile(r"([#\w]+) = (?:if_not_exists\(([#\w]+), (:\w+)\)|(:\w+))(?: \+ (:\w+))?")


@lru_cache
def _update(expression: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The clauses of an update: its word and its parts."""
    _, *words = _CLAUSES.split(expression)
    clauses = zip(words[::2], words[1::2], strict=True)
    return tuple(
        (word, tuple(re.split(r",\s*(?![^()]*\))", parts.strip()))) for word, parts in clauses
    )


@lru_cache
def _assignment(part: str) -> tuple[Any, ...]:
    found = _ASSIGNMENT.fullmatch(part)
    if found is None:
        raise NotImplementedError(part)
    return found.groups()


def _updated(item: Item, request: Item) -> Item:
    names = request.get("ExpressionAttributeNames", _NO_NAMES)
    values = request.get("ExpressionAttributeValues", {})
    for word, parts in _update(request["UpdateExpression"]):
        for part in parts:
            if word == "REMOVE":
                item.pop(names.get(part, part), None)
            elif word == "ADD":
                name, _, value = part.partition(" ")
                _add(item, names.get(name, name), values[value])
            else:
                _assign(item, part, names, values)
    return item


def _assign(item: Item, part: str, names: Names, values: Item) -> None:
    name, tested, default, given, more = _assignment(part)
    stored = item.get(names.get(tested, tested)) if tested is not None else None
    value: Item = stored or values[default if tested is not None else given]
    if more is not None:
        value = {"N": str(int(value["N"]) + int(values[more]["N"]))}
    item[names.get(name, name)] = value


def _add(item: Item, name: str, value: Item) -> None:
    if "N" in value:
        item[name] = {"N": str(int(item.get(name, {"N": "0"})["N"]) + int(value["N"]))}
    elif "SS" in value:
        former: Iterable[str] = item.get(name, {"SS": ()})["SS"]
        item[name] = {"SS": sorted({*former, *value["SS"]})}
    else:
        raise NotImplementedError(f"ADD {value}")
