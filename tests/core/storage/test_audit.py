"""The audit: entries by month, kept for ten years, never overwritten."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from functions.core.domain.audit import AuditEntry
from functions.core.storage.database import Storage
from tests.core.sample_desk import TABLE

pytestmark = pytest.mark.requirement("G4")
NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def entry(at: datetime, desk: str = "testdesk") -> AuditEntry:
    return AuditEntry(at=at, actor="console:a", act="person.change", desk=desk, target="agent-1")


def test_an_entry_reads_as_it_was_written(storage: Storage) -> None:
    whole = AuditEntry(
        at=NEW_YEAR.replace(microsecond=5),
        actor="console:arn:aws:iam::1:user/李",
        act="person.change",
        desk="testdesk",
        target="agent-1",
        before={"role": "agent", "skills": ["a"], "level": 0},
        after={"role": "qa", "skills": [], "level": 1},
    )
    storage.audit.record(whole)
    assert list(storage.audit.list(NEW_YEAR, NEW_YEAR + SECOND)) == [whole]


def test_a_span_may_cross_months_and_years(storage: Storage) -> None:
    moments = [NEW_YEAR - timedelta(days=40), NEW_YEAR - SECOND, NEW_YEAR, NEW_YEAR + SECOND]
    for moment in reversed(moments):
        storage.audit.record(entry(moment))
    listed = storage.audit.list(NEW_YEAR - timedelta(days=60), NEW_YEAR + timedelta(days=60))
    assert [each.at for each in listed] == moments


def test_the_first_time_is_included_and_the_last_is_not(storage: Storage) -> None:
    """In any time zone."""
    for moment in (NEW_YEAR - SECOND, NEW_YEAR, NEW_YEAR + SECOND):
        storage.audit.record(entry(moment))
    since = NEW_YEAR.astimezone(ZoneInfo("America/New_York"))
    assert [each.at for each in storage.audit.list(since, since + SECOND)] == [NEW_YEAR]


def test_acts_of_one_moment_are_all_kept(storage: Storage) -> None:
    for _ in range(3):
        storage.audit.record(entry(NEW_YEAR))
    assert len(list(storage.audit.list(NEW_YEAR, NEW_YEAR + SECOND))) == 3


def test_a_desk_s_acts_are_listed_alone(storage: Storage) -> None:
    for desk in ("testdesk", "other"):
        storage.audit.record(entry(NEW_YEAR, desk))
    (found,) = storage.audit.list(NEW_YEAR, NEW_YEAR + SECOND, "other")
    assert found.desk == "other"


def test_an_entry_outlives_the_longest_archive(storage: Storage) -> None:
    storage.audit.record(entry(NEW_YEAR))
    (item,) = storage.table.client.scan(TableName=TABLE)["Items"]
    expires = datetime.fromtimestamp(int(item["expires_at"]["N"]), UTC)
    assert expires >= NEW_YEAR.replace(year=NEW_YEAR.year + 10)
