"""The bench's burst with few requests, judged by the table and the sent mails."""

import pytest

from infra.bench.burst import measure
from tests.e2e.running_system import System


@pytest.mark.requirement("E11", "G1")
def test_a_burst_is_numbered_routed_and_acknowledged_once(system: System) -> None:
    """Every tenth request is sent twice; nothing is lost or doubled."""
    (found,) = measure(system.local, (12,))
    assert found.requests == 12
    assert found.answered > 0
    assert found.settled > 0
