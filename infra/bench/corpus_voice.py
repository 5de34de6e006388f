"""Score the readers of phone calls on public collections of call centres' reports.

`expected` of a sample: `message` is a call that a desk can act on, `transcript` counts its lines,
`complete` ends a transcript, `ignored` is a call that goes on, or nothing about one.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from functions.intake.call_forms import read_calls

Cases = Iterator[tuple[str, bool]]

ZONE = ZoneInfo("Asia/Shanghai")


def read_voice(folder: str, body: bytes) -> dict[str, Any]:
    """Return what a body is, as `expected` says it; `folder` is the collection, any of them."""
    read = read_calls(body, ZONE)
    told = [each for each in read.reports if each.event == "ended" or read.form == "connect_flow"]
    lines = sum(len(each.parts) for each in read.reports)
    result: dict[str, Any] = {"outcome": "ignored", "messages": len(told), "lines": lines}
    events = {each.event for each in read.reports}
    if told:
        result |= {"outcome": "message", "user": told[0].customer, "id": told[0].call_id}
    elif "transcribed" in events:
        result["outcome"] = "complete"
    elif "transcript" in events:
        result["outcome"] = "transcript"
    return result


def voice(path: Path) -> Cases:
    """Each sample of a folder with an index: outcome, counts, the caller and the call's id."""
    for line in (path / "index.jsonl").read_text("utf-8").splitlines():
        if line.strip():
            case = json.loads(line)
            for number, body in enumerate(_bodies(path / case["file"])):
                yield f"{case['file']} {number}", _is_right(path.name, body, case["expected"])


def _bodies(file: Path) -> list[bytes]:
    body = file.read_bytes()
    return body.splitlines() if file.suffix == ".jsonl" else [body]


def _is_right(folder: str, body: bytes, expected: dict[str, Any]) -> bool:
    read = read_voice(folder, body)
    wanted: dict[str, Any] = {
        name: expected[name] for name in ("outcome", "user") if name in expected
    }
    if expected["outcome"] == "message":
        wanted["messages"] = expected["messages"]
        wanted["id"] = _value(json.loads(body), expected.get("key", ""))
    if "lines" in expected:
        wanted["lines"] = expected["lines"]
    return all(value in (None, read.get(name)) for name, value in wanted.items())


def _value(content: Any, path: str) -> str | None:
    """Return the value at a path, or anywhere under its last name; None if there is none."""
    waiting, name = [content], path.rpartition(".")[2]
    while waiting:
        inside = waiting.pop(0)
        if isinstance(inside, dict):
            if inside.get(name):
                return str(inside[name])
            waiting += inside.values()
        elif isinstance(inside, list):
            waiting += inside
    return None
