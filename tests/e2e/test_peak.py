"""The bench's burst, small: what it reads of the table and of the mails is there to be read."""

from __future__ import annotations

import pytest

from infra.bench.burst import measure
from tests.e2e.running_system import System


@pytest.mark.requirement("E11", "G1")
def test_a_burst_is_numbered_routed_and_acknowledged_once(system: System) -> None:
    """Every tenth request sent twice; nothing lost, nothing doubled."""
    (found,) = measure(system.local, (12,))
    assert found.requests == 12
    assert found.answered > 0
    assert found.settled > 0
