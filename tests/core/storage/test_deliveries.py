"""Deliveries: each state is written on condition of the one before."""

from datetime import timedelta
from typing import Any

import pytest

from functions.core.storage.database import Storage
from functions.core.storage.items import FORMER_STATES, SHARDS, delivery_item, read_delivery
from tests.core.sample_desk import NOON, TABLE
from tests.core.storage.samples import delivery

pytestmark = pytest.mark.requirement("E11", "G3")
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, "000002#assigned#team:qa"),
        ({"about": "first_response"}, "000002#assigned#team:qa#first_response"),
        ({"lead": True, "covers": ("000002#told#customer",)}, "000002"),
        ({"at": NOON + timedelta(minutes=1), "text": "您好"}, "000002#assigned#team:qa"),
    ],
)
def test_a_delivery_is_read_back(storage: Storage, changes: Any, key: str) -> None:
    put = delivery(**changes)
    assert storage.deliveries.claim(put)
    assert not storage.deliveries.claim(put)
    assert storage.deliveries.list("testdesk", "CS1") == [put]
    assert storage.deliveries.get("testdesk", "CS1", f"DELIVERY#{key}") == put
    sent = put.model_copy(update={"state": "sent", "attempts": 1})
    assert storage.deliveries.move(sent, "claimed")
    [found] = storage.deliveries.list("testdesk", "CS1")
    assert found == sent.model_copy(update={"claim": ""})


def test_a_covered_delivery_is_written_with_its_outcome(storage: Storage) -> None:
    sent = delivery(state="sent", claim="")
    assert storage.deliveries.move(sent, None)
    assert not storage.deliveries.move(sent.model_copy(update={"state": "dead_lettered"}), None)
    assert storage.deliveries.list("testdesk", "CS1") == [sent]


def test_a_former_delivery_item_is_read(storage: Storage) -> None:
    old = delivery(state="sent")
    item = {
        "pk": {"S": "TICKET#testdesk#CS1"},
        "sk": {"S": f"DELIVERY#{old.id}"},
        "state": {"S": "sent"},
        "body": {"S": old.model_dump_json(exclude_defaults=True)},
    }
    assert read_delivery(item) == old


def test_a_delivery_to_retry_becomes_due_at_its_next_attempt(storage: Storage) -> None:
    claimed = delivery(claim="")
    assert storage.deliveries.claim(claimed)
    later = claimed.model_copy(update={"state": "retrying", "next_at": NOON + MINUTE})
    assert storage.deliveries.move(later, "claimed")
    assert not storage.deliveries.move(later, "claimed")
    due = [due for shard in range(SHARDS) for due in storage.tickets.due(shard, NOON + MINUTE)]
    assert [(item.ticket, item.sk) for item in due] == [
        (("testdesk", "CS1"), f"DELIVERY#{claimed.id}")
    ]
    assert storage.deliveries.get("testdesk", "CS1", f"DELIVERY#{claimed.id}") == later
    assert storage.deliveries.get("testdesk", "CS1", "DELIVERY#none") is None


@pytest.mark.parametrize("stored", ["dead_lettered", *FORMER_STATES.values()])
def test_a_dead_lettered_delivery_is_replayed_under_either_stored_name(
    storage: Storage, stored: str
) -> None:
    dead = delivery(state="dead_lettered", claim="")
    item = delivery_item(dead) | {"state": {"S": stored}}
    storage.table.client.put_item(TableName=TABLE, Item=item)
    assert storage.deliveries.list("testdesk", "CS1") == [dead]
    due = dead.model_copy(update={"state": "due"})
    assert not storage.deliveries.move(due, "retrying")
    assert storage.deliveries.move(due, "dead_lettered")
    assert storage.deliveries.list("testdesk", "CS1") == [due]


def test_the_newest_deliveries_come_first(storage: Storage) -> None:
    for version in (2, 3):
        assert storage.deliveries.claim(delivery(version=version))
    newest = storage.deliveries.newest_first("testdesk", "CS1")
    assert [found.version for found in newest] == [3, 2]
