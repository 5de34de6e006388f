"""The writes of a DynamoDB call as IAM authorizes them: action, partition key and attributes.

DynamoDB developer guide, "Using IAM policy conditions for fine-grained access control": the
condition keys `dynamodb:LeadingKeys` and `dynamodb:Attributes`. A transaction is authorized write
by write.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_NAME = re.compile(r"#?[A-Za-z_]\w*")
_VALUE = re.compile(r":\w+")
_WORDS = frozenset(
    "SET REMOVE ADD DELETE AND OR NOT IN BETWEEN if_not_exists attribute_exists "  # noqa: SIM905
    "attribute_not_exists begins_with list_append size contains".split()
)


@dataclass(frozen=True)
class Written:
    """One write. `key` is the partition key; `attributes` are those that it names or reads."""

    action: str
    key: str
    attributes: frozenset[str]


def written(operation: str, request: Mapping[str, Any]) -> tuple[Written, ...]:
    """List the writes of a call of the low-level client; none for reads and other services."""
    if operation == "TransactWriteItems":
        return tuple(
            _one(kind, write)
            for entry in request.get("TransactItems", ())
            for kind, write in entry.items()
        )
    kind = operation.removesuffix("Item")
    if kind in {"Put", "Update", "Delete"} and "TableName" in request:
        return (_one(kind, request),)
    return ()


def _one(kind: str, write: Mapping[str, Any]) -> Written:
    item: Mapping[str, Any] = write.get("Item") or write["Key"]
    attributes = frozenset((*item, *_named(write)))
    return Written(_ACTIONS[kind], item["pk"]["S"], attributes)


_ACTIONS = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}


def _named(write: Mapping[str, Any]) -> Iterator[str]:
    names: Mapping[str, str] = write.get("ExpressionAttributeNames", {})
    for expression in ("UpdateExpression", "ConditionExpression"):
        for name in _NAME.findall(_VALUE.sub("", write.get(expression, ""))):
            if name not in _WORDS:
                yield names.get(name, name)
