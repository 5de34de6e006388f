"""The table's stream as Lambda's event-source mappings deliver it: filters and record format."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from infra.deploy.stacks import load_template

_WIRING = Path(__file__).resolve().parents[1] / "templates" / "wiring.yaml"


def matches_filters(record: Mapping[str, Any], function: str) -> bool:
    """Return whether a record matches a function's filters in `infra/templates/wiring.yaml`."""
    return any(_matches(pattern, record) for pattern in _patterns().get(function, ()))


@cache
def _patterns() -> dict[str, list[Any]]:
    """The filter patterns of each function that reads the stream."""
    mappings = (
        resource["Properties"]
        for resource in load_template(_WIRING)["Resources"].values()
        if resource["Type"] == "AWS::Lambda::EventSourceMapping"
    )
    return {
        mapping["FunctionName"]["Fn::Sub"].removeprefix("deskbell-${Stage}-"): [
            json.loads(item["Pattern"]) for item in mapping["FilterCriteria"]["Filters"]
        ]
        for mapping in mappings
        if "FilterCriteria" in mapping
    }


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
