"""One whole system a session, started as `make up` starts it, for all tests of this folder."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.system import System

HERE = Path(__file__).parent


def pytest_itemcollected(item: pytest.Item) -> None:
    """They share the system, so they run in one worker."""
    if HERE in item.path.parents:
        item.add_marker(pytest.mark.stack)
        item.add_marker(pytest.mark.xdist_group("stack"))


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """`deskbell up` on free ports in an empty folder; ended by SIGTERM, which has to be clean."""
    running = System(tmp_path_factory.mktemp("deskbell"))
    running.start()
    running.give_room("standard")
    yield running
    assert running.stop(signal.SIGTERM) == 0
