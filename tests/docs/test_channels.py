"""docs/channels.md: each way in with its drawing, each cause of quarantine with its answer (G3)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.core.channels.base import names
from functions.core.domain.rules import Checks
from functions.intake.mail.origin import Origin
from functions.intake.mail_policy import Verdicts, trusts_sender

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "channels.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
CAUSES = {
    word
    for row in re.findall(r"^\| (`[^|]+) \|", SECTIONS["Quarantine"], re.MULTILINE)
    for word in re.findall(r"`([^`]+)`", row)
}
WAYS = [
    "Web form and app",
    "Message by secret link",
    "Mail by SES",
    "Mail over HTTP",
    "Signed webhook",
    "Phone and counter",
]


@pytest.mark.parametrize("way", WAYS)
def test_a_way_in_has_its_drawing(way: str) -> None:
    assert "```mermaid\nsequenceDiagram\n" in SECTIONS[way]


def test_every_route_that_brings_requests_in_is_named() -> None:
    source = (ROOT / "functions" / "intake" / "handler.py").read_text("utf-8")
    for route in re.findall(r'@bp\.route\("[^"]*/([a-z]+|\{channel\})"', source):
        assert route.replace("{channel}", "<channel>") in TEXT


def _set_aside() -> Iterator[str]:
    """How each cause begins that intake gives a mail that it sets aside."""
    for path in sorted((ROOT / "functions" / "intake").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Quarantined":
                text = node.args[0]
                first = text.values[0] if isinstance(text, ast.JoinedStr) else text
                if isinstance(first, ast.Constant):
                    yield str(first.value).partition(":")[0]


def test_the_walk_finds_causes() -> None:
    assert {"loop", "limit", "repeated id", "nobody to answer"} <= set(_set_aside())


@pytest.mark.parametrize("cause", sorted(set(_set_aside())))
def test_a_cause_is_explained(cause: str) -> None:
    """G3: whoever lists the quarantine finds what to do."""
    assert cause in CAUSES


@pytest.mark.parametrize("check", sorted(Checks.model_fields))
def test_a_check_and_its_cause_have_one_name(check: str) -> None:
    failing = {
        "virus": Verdicts(virus="FAIL"),
        "spam": Verdicts(spam="FAIL"),
        "dmarc": Verdicts(dmarc="FAIL", dmarc_policy="reject"),
        "authentication": Verdicts(spf="FAIL"),
        "unproven": Verdicts(),
    }
    if check in failing:
        assert check in CAUSES
        assert trusts_sender(failing[check], Checks(**{check: "accept"})) in {True, False}


def test_origins_and_adapters_are_causes() -> None:
    origins = set(Origin.__args__) - {"human"}  # type: ignore[attr-defined]
    assert {*origins, *names(), "unknown recipient"} <= CAUSES
