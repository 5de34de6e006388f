"""The groups of the tests that share a running system, started as `make up` starts it."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
EVERY_CHANGE = {"test_desk_journeys.py", "test_full_journey.py"}
"""The files that `make test` runs, a walk through each desk but for tests marked `slow`."""

STARTED_AND_STOPPED = {"test_description.py", "test_up.py", "test_restore.py"}
"""What ends and breaks its system: about half of all the time that this folder takes."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Group these tests, which share a system, into two xdist groups."""
    if HERE in item.path.parents:
        half = "stack-up" if item.path.name in STARTED_AND_STOPPED else "stack"
        item.add_marker(pytest.mark.stack)
        if item.path.name not in EVERY_CHANGE:
            item.add_marker(pytest.mark.slow)
        item.add_marker(pytest.mark.xdist_group(half))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to run them spread over all workers, where each would find leftovers of others."""
    if session.config.getoption("loadgroup", False):
        there = [item.nodeid for item in session.items if HERE in item.path.parents]
        assert all(name.endswith(("@stack", "@stack-up")) for name in there), (
            "pytest and pytest-xdist do not fit each other: groups are not kept together"
        )
