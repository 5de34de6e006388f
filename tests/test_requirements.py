"""Every requirement of the catalogue that is built is named by a test that proves it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
IDS = [
    *(f"A{n}" for n in range(1, 17)),
    *(f"F{n}" for n in range(1, 11)),
    *(f"G{n}" for n in range(1, 9)),
]
_NAMED = re.compile(r"\b([A-G])(\d{1,2})(?:\s*[–-]\s*\1?(\d{1,2}))?\b")


def named() -> set[str]:
    """The ids that tests name; a range names all that it spans."""
    found = set()
    for path in TESTS.rglob("test_*.py"):
        for letter, first, last in _NAMED.findall(path.read_text("utf-8")):
            found |= {f"{letter}{n}" for n in range(int(first), int(last or first) + 1)}
    return found


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
