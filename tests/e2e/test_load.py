"""A quarter of an hour of a desk's day, played on the running system in seconds."""

import pytest

from infra.bench.load import LoadProfile, measure
from tests.e2e.running_system import System


@pytest.mark.requirement("G7", "G13")
def test_a_short_day_is_played_over_http(system: System) -> None:
    """All channels take requests, and an agent answers; no call fails."""
    played = measure(system.local, LoadProfile(speed=60, hours=0.5, tickets=320))
    assert not {act: dict(found) for act, found in played.errors.items() if found}
    assert {"file", "queue", "read", "reply"} <= played.times.keys()
    assert len(played.times["file"]) == 14
