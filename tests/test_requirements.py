"""Every requirement of the catalogue that is built is named by a test that proves it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LATER = {"B11", "D15", "D16", "E8"}
"""The reports; what they will count is recorded already."""
IDS = [
    f"{letter}{number}"
    for letter, last in (("A", 16), ("B", 13), ("D", 17), ("E", 11), ("F", 10), ("G", 8))
    for number in range(1, last + 1)
    if f"{letter}{number}" not in LATER
]
_NAMED = re.compile(r"\b([A-G])(\d{1,2})(?:\s*[–-]\s*\1?(\d{1,2}))?\b")


@cache
def named() -> frozenset[str]:
    """The ids that tests name, each in its own words; a range names all that it spans."""
    found = set()
    for path in TESTS.rglob("test_*.py"):
        for test in _tests(path.read_text("utf-8")):
            for letter, first, last in _NAMED.findall(test):
                found |= {f"{letter}{n}" for n in range(int(first), int(last or first) + 1)}
    return frozenset(found)


def _tests(source: str) -> Iterator[str]:
    """Each test of a file as it is written: its cases, its docstring, its steps."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            begins = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            yield "\n".join(lines[begins - 1 : node.end_lineno])


@pytest.mark.parametrize("requirement", IDS)
def test_a_test_names_it(requirement: str) -> None:
    assert requirement in named()


def test_the_top_level_is_as_required() -> None:
    """F10"""
    root = TESTS.parent
    for name in ("intake", "router", "sla_timer", "notify", "survey"):
        assert (root / "functions" / name / "handler.py").is_file()
    assert (root / "infra").is_dir()
    assert (root / "pyproject.toml").is_file()


def test_the_required_packages_are_used() -> None:
    """F9"""
    root = TESTS.parent
    text = (root / "pyproject.toml").read_text("utf-8")
    for package in ("aws-lambda-powertools", "boto3", "pydantic", "chalice", "jinja2"):
        assert f'"{package}"' in text
    assert "moto" in text
    assert "pytest" in text
