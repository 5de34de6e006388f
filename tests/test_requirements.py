"""Every requirement of the catalogue that is implemented has a test that proves it."""

import re
from pathlib import Path

import pytest

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


def test_tests_prove_every_requirement_of_the_catalogue_and_name_no_other() -> None:
    proven: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        for ids in re.findall(r"pytest\.mark\.requirement\(([^)]+)\)", path.read_text("utf-8")):
            proven.update(re.findall(r'"([^"]+)"', ids))
    assert CATALOGUE - LATER - proven == set()
    assert proven - CATALOGUE == set()


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
