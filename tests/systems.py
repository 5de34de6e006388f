"""The tests that share a running system, by file: xdist keeps each group in one worker."""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.running_system import System

TESTS = Path(__file__).parent
EVERY_CHANGE = {"test_desk_journeys.py", "test_full_journey.py", "test_walk.py"}
"""The files that `make test` runs, a walk through each desk but for tests marked `slow`."""

STARTED_AND_STOPPED = {"test_description.py", "test_up.py", "test_restore.py"}
"""Files that end and break their system: about half of all the time that `e2e` takes."""

LOOKED_AT = {"test_barriers.py", "test_calm.py", "test_phone.py"}
"""Files that look at every page: about half of the time that `pages` takes."""


def group_of(path: Path) -> str:
    """Return the xdist group of a file in `e2e` or `pages`."""
    if path.name in STARTED_AND_STOPPED:
        return "stack-up"
    if path.name in LOOKED_AT:
        return "stack-looks"
    pages = TESTS / "pages" in path.parents and path.name not in EVERY_CHANGE
    return "stack-pages" if pages else "stack"


@dataclass
class Systems:
    """The running system of a worker: one at a time, a fresh one for each group."""

    folder: Callable[[str], Path]
    group: str = ""
    running: System | None = None

    def of(self, group: str) -> System:
        """Return the system of a group, which is started with its first test."""
        if self.running is None or self.group != group:
            self.stop()
            self.running, self.group = System(self.folder(group)), group
            self.running.start()
            for desk in ("standard", "assisted"):
                self.running.free_capacity(desk)
        return self.running

    def stop(self) -> None:
        """End the system as an operator does; SIGTERM must end it cleanly."""
        if self.running is not None:
            ended, self.running = self.running, None
            assert ended.stop(signal.SIGTERM) == 0
