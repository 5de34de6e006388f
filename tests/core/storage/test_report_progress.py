"""The progress of a desk's reports: one of two runs at once stores it."""

from datetime import date

from functions.core.storage.database import Storage
from functions.core.storage.journal import KEPT_FOR
from tests.core.sample_desk import NOON


def test_a_desk_begins_with_what_the_feeds_have(storage: Storage) -> None:
    progress = storage.report_progress.get("d", NOON)
    assert (progress.facts_through, progress.compacted) == (NOON - KEPT_FOR, None)


def test_of_two_runs_at_once_the_second_stores_nothing(storage: Storage) -> None:
    store = storage.report_progress
    for _ in range(2):  # the first time and later
        read = store.get("d", NOON)
        first = store.put("d", read.changed(facts_through=NOON, compacted=date(2026, 3, 9)))
        assert first is not None
        assert store.put("d", read) is None
        assert store.get("d", NOON) == first
