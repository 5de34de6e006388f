"""Serialised events."""

import pytest

from functions.core.domain.events import TimersSet
from functions.core.domain.rules import Playbook
from functions.core.storage.database import Storage
from functions.core.storage.event_codec import dump_events
from functions.core.storage.items import read_commit
from tests.core.sample_desk import NOON, file_ticket


@pytest.mark.requirement("G7")
def test_a_timer_s_start_is_omitted_if_it_is_the_commit_s_time(
    storage: Storage, playbook: Playbook
) -> None:
    """Reading restores it."""
    filed = file_ticket(storage, playbook, "CS1")
    [commit] = storage.tickets.history("testdesk", "CS1")
    [told] = commit.of(TimersSet)
    assert told.timers == filed.timers
    assert {timer.started_at for timer in told.timers.values()} == {NOON}
    item = storage.tickets.items("testdesk", "CS1")[0]
    assert "started_at" not in item["body"]["S"]
    item["body"]["S"] = dump_events(commit.events)  # as it was written before
    assert read_commit(item) == commit
