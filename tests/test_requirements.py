"""Every requirement of the catalogue that is implemented has a test that proves it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

# One worker reads the sources for all of them.
pytestmark = pytest.mark.xdist_group("sources")
TESTS = Path(__file__).parent
CATALOGUE = {
    f"{letter}{number}"
    for letter, last in {
        "A": 16,
        "B": 13,
        "C": 12,
        "D": 17,
        "E": 11,
        "F": 10,
        "G": 16,
        "H": 8,
    }.items()
    for number in range(1, last + 1)
}
LATER = {
    "G10", "G11", "G12", "G13",
}  # fmt: skip
"""Requirements that are not implemented yet."""


@cache
def proven() -> frozenset[str]:
    """Return the requirement ids in the markers of all tests."""
    ids: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        ids.update(_marked(path.read_text("utf-8")))
    return frozenset(ids)


def _marked(source: str) -> Iterator[str]:
    """Yield the arguments of every `@pytest.mark.requirement`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.requirement":
            yield from (ast.literal_eval(argument) for argument in node.args)


@pytest.mark.parametrize("requirement", sorted(CATALOGUE - LATER))
def test_a_test_proves_the_requirement(requirement: str) -> None:
    assert requirement in proven()


def test_markers_name_requirements_of_the_catalogue() -> None:
    for path in TESTS.rglob("test_*.py"):
        unknown = set(_marked(path.read_text("utf-8"))) - CATALOGUE
        assert not unknown, f"{path.name}: {unknown}"


@pytest.mark.requirement("F10")
def test_the_top_level_has_the_required_folders() -> None:
    root = TESTS.parent
    for name in ("intake", "router", "sla_timer", "notify", "survey"):
        assert (root / "functions" / name / "handler.py").is_file()
    assert (root / "infra").is_dir()
    assert (root / "pyproject.toml").is_file()


@pytest.mark.requirement("F9")
def test_the_required_packages_are_used() -> None:
    root = TESTS.parent
    text = (root / "pyproject.toml").read_text("utf-8")
    for package in ("aws-lambda-powertools", "boto3", "pydantic", "chalice", "jinja2"):
        assert f'"{package}"' in text
    assert "moto" in text
    assert "pytest" in text
