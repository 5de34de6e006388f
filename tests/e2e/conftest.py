"""Tests of the running system, started as `make up` starts it."""

from pathlib import Path

import pytest

from tests.systems import EVERY_CHANGE, group_of

HERE = Path(__file__).parent


def pytest_itemcollected(item: pytest.Item) -> None:
    """Group the tests that share a system."""
    if HERE in item.path.parents:
        item.add_marker(pytest.mark.stack)
        if item.path.name not in EVERY_CHANGE:
            item.add_marker(pytest.mark.slow)
        item.add_marker(pytest.mark.xdist_group(group_of(item.path)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run last what leaves a system that nobody else can use."""
    items.sort(key=lambda item: item.path.name == "test_description.py")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to run them spread over all workers, where each would find leftovers of others."""
    if session.config.getoption("loadgroup", False):
        there = [item for item in session.items if HERE in item.path.parents]
        assert all(item.nodeid.endswith(f"@{group_of(item.path)}") for item in there), (
            "pytest and pytest-xdist do not fit each other: groups are not kept together"
        )
