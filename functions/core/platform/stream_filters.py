"""The table's stream as Lambda's event-source mappings deliver it: filters and record format."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

FILTERS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "router": (
        {
            "dynamodb": {
                "Keys": {"sk": {"S": [{"prefix": "EVENT#"}]}},
                "NewImage": {"readers": {"S": ["both"]}},
            }
        },
        {
            "dynamodb": {
                "Keys": {"sk": {"S": [{"prefix": "AGENT#"}]}},
                "NewImage": {"change": {"S": ["online", "released"]}},
            }
        },
        {
            "eventName": ["INSERT"],
            "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "AUDIT#"}]}}},
        },
    ),
    "notify": (
        {
            "dynamodb": {
                "Keys": {"sk": {"S": [{"prefix": "EVENT#"}]}},
                "NewImage": {"readers": {"S": ["notify", "both"]}},
            }
        },
        {
            "dynamodb": {
                "Keys": {"sk": {"S": [{"prefix": "DELIVERY#"}]}},
                "NewImage": {"state": {"S": ["due"]}},
            }
        },
    ),
}
"""The filter patterns of each function that reads the stream, as in `infra/templates/wiring.yaml`;
a function that reads records again has no template. A test compares the two."""


def matches_filters(record: Mapping[str, Any], function: str) -> bool:
    """Return whether a record matches a function's filters."""
    return any(_matches(pattern, record) for pattern in FILTERS.get(function, ()))


def _matches(pattern: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    """Match as Lambda does, as far as the template needs: nested keys, equality, prefixes."""
    return all(
        key in value
        and (
            _matches(expected, value[key])
            if isinstance(expected, Mapping)
            else any(_equals(rule, value[key]) for rule in expected)
        )
        for key, expected in pattern.items()
    )


def _equals(rule: Any, value: Any) -> bool:
    return value.startswith(rule["prefix"]) if isinstance(rule, Mapping) else bool(value == rule)


def lambda_record(value: Any) -> Any:
    """Convert a record of the streams API to Lambda's format: bytes as base64, times as seconds."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, Mapping):
        return {name: lambda_record(inner) for name, inner in value.items()}
    if isinstance(value, list | set | tuple):
        return [lambda_record(inner) for inner in value]
    return value
