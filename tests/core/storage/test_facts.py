"""Facts in S3: by desk and local day, merged, and replaced after an erasure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import boto3
import pytest

from functions.core.domain.errors import TryAgain
from functions.core.domain.rules import Playbook
from functions.core.reports.columns import Fact
from functions.core.reports.facts import facts_of
from functions.core.storage.facts import FOLDER, FactStore, counted
from tests.core.reports.sample_life import Life
from tests.core.sample_desk import NOON

BUCKET = "deskbell-test-facts"
DAY = date(2026, 3, 10)
SOON = NOON + timedelta(minutes=10)


@pytest.fixture
def store(aws: None) -> Iterator[FactStore]:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    yield FactStore(s3, BUCKET)
    for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=item["Key"])
    s3.delete_bucket(Bucket=BUCKET)


def fact(number: str = "CS1", version: int = 1, written: int = 0, **changes: Any) -> Fact:
    at = int(NOON.timestamp())
    given: dict[str, Any] = {"happened": at, "handler": f"w{written}", **changes}
    return Fact("ticket", number, version, at + written, **given)


def names(store: FactStore) -> list[str]:
    listed = store.s3.list_objects_v2(Bucket=BUCKET, Prefix=FOLDER)
    return [item["Key"] for item in listed.get("Contents", [])]


def test_a_day_is_the_desk_s_own(store: FactStore, playbook: Playbook) -> None:
    """In Shanghai the day of 16:00 UTC is the next one."""
    life = Life(playbook).receive().wait(hours=12).assign()
    assert store.write(playbook, facts_of(life.history, playbook, SOON), SOON) == 2
    assert [f.version for f in store.read("testdesk", DAY)] == [1]
    assert [f.version for f in store.read("testdesk", date(2026, 3, 11))] == [2]
    assert list(store.days("testdesk")) == [DAY, date(2026, 3, 11)]
    assert list(store.days("testdesk", DAY)) == [date(2026, 3, 11)]
    assert store.read("other", DAY) == []
    assert all(name.startswith("facts/desk=testdesk/day=2026-03-1") for name in names(store))
    assert not any(":" in name for name in names(store))


@pytest.mark.requirement("B10")
def test_facts_expire_with_the_records(store: FactStore, playbook: Playbook) -> None:
    store.write(playbook, [fact()], NOON)
    tags = store.s3.get_object_tagging(Bucket=BUCKET, Key=names(store)[0])["TagSet"]
    assert tags == [{"Key": "retention-years", "Value": "5"}]


def test_of_facts_written_again_the_newest_counts(store: FactStore, playbook: Playbook) -> None:
    store.write(playbook, [fact(written=5), fact(version=2)], NOON)
    store.write(playbook, [fact(written=1)], NOON)
    assert [(f.version, f.handler) for f in store.read("testdesk", DAY)] == [(1, "w5"), (2, "w0")]


def test_what_was_used_is_kept_by_a_fact_that_does_not_know() -> None:
    (made,) = counted([fact(usage=("lambda~1",)), fact(written=1)])
    assert (made.handler, made.usage) == ("w1", ("lambda~1",))
    (made,) = counted([fact(usage=("lambda~1",)), fact(written=1, usage=("lambda~2",))])
    assert made.usage == ("lambda~2",)


def test_a_day_is_merged_into_one_object(store: FactStore, playbook: Playbook) -> None:
    for written in range(3):
        store.write(playbook, [fact(written=written), fact("CS2", written)], NOON)
    before = store.read("testdesk", DAY)
    assert store.compact(playbook, DAY, SOON)
    assert len(names(store)) == 1
    assert store.read("testdesk", DAY) == before
    assert not store.compact(playbook, DAY, SOON)


def test_what_is_erased_while_a_day_is_merged_stays_erased(
    store: FactStore, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(playbook, [fact(product="KFR-35")], NOON)
    store.write(playbook, [fact("CS2")], NOON)
    put = FactStore._put

    def erased_meanwhile(self: FactStore, *arguments: Any) -> str:
        name = put(self, *arguments)
        monkeypatch.setattr(FactStore, "_put", put)
        store.replace(playbook, "CS1", [fact(written=9)], SOON)
        return name

    monkeypatch.setattr(FactStore, "_put", erased_meanwhile)
    store.compact(playbook, DAY, SOON)
    assert [f.product for f in store.read("testdesk", DAY)] == ["", ""]
    assert not any("KFR" in f.product for name in names(store) for f in store._facts(name))


@pytest.mark.requirement("B10")
def test_the_facts_of_a_ticket_are_replaced(store: FactStore, playbook: Playbook) -> None:
    old = [fact(version=v, product="KFR-35", usage=(f"lambda~{v}",)) for v in (1, 2)]
    old[1] = replace(old[1], happened=old[1].happened + 86400)
    store.write(playbook, [*old, fact("CS2", product="KFR-35")], NOON)
    new = [replace(f, product="", usage=(), written=f.written + 9) for f in old]
    store.replace(playbook, "CS1", new, SOON)
    stored = [f for name in names(store) for f in store._facts(name)]
    assert {(f.number, f.version, f.product, f.usage) for f in stored} == {
        ("CS1", 1, "", ("lambda~1",)), ("CS1", 2, "", ("lambda~2",)), ("CS2", 1, "KFR-35", ()),
    }  # fmt: skip
    store.replace(playbook, "CS1", new, SOON)
    assert len(store.read("testdesk", DAY)) == 2


def test_the_size_of_a_period(store: FactStore, playbook: Playbook) -> None:
    for later in range(3):
        at = fact().happened + later * 86400
        store.write(playbook, [replace(fact(), happened=at)], NOON)
    days = [DAY + timedelta(days=days) for days in range(3)]
    one, two, three = (store.size("testdesk", day, day) for day in days)
    assert min(one, two, three) > 0
    assert store.size("testdesk", DAY, days[1]) == one + two
    assert store.size("testdesk", days[1], date(2026, 4, 1)) == two + three


def test_an_object_that_is_gone_is_tried_again(store: FactStore) -> None:
    with pytest.raises(TryAgain):
        store._facts("facts/desk=testdesk/day=2026-03-10/gone.tsv.gz")
