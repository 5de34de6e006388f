"""Playbooks: versions, the cache that events refresh, and mailboxes."""

from datetime import timedelta

import pytest

from functions.core.domain.errors import Conflict, NotFound, PlaybookError
from functions.core.domain.rules import Playbook
from functions.core.storage.database import Storage
from functions.core.storage.playbooks import MAX_MISSING, PLAYBOOK_TTL
from tests.core.sample_desk import NOON, file_ticket


def test_a_new_version_is_seen_within_a_minute(storage: Storage, playbook: Playbook) -> None:
    assert storage.playbooks.put(playbook, NOON) == 1
    assert storage.playbooks.get("testdesk", NOON) == playbook
    changed = playbook.model_copy(update={"default_priority": "low"})
    assert storage.playbooks.put(changed, NOON) == 2
    assert storage.playbooks.get("testdesk", NOON + timedelta(seconds=29)) == playbook
    assert storage.playbooks.get("testdesk", NOON + timedelta(seconds=30)) == changed
    assert storage.playbooks.version("testdesk") == 2


def test_an_unchanged_playbook_is_not_read_again(storage: Storage, playbook: Playbook) -> None:
    storage.playbooks.put(playbook, NOON)
    first = storage.playbooks.get("testdesk", NOON)
    assert storage.playbooks.get("testdesk", NOON + timedelta(minutes=5)) is first


@pytest.mark.requirement("F3")
def test_a_read_at_a_later_time_does_not_extend_the_cache(
    storage: Storage, playbook: Playbook
) -> None:
    """A sweep may be invoked with a later time than now."""
    storage.playbooks.put(playbook, NOON)
    storage.playbooks.get("testdesk", NOON + timedelta(days=30))
    changed = playbook.model_copy(update={"default_priority": "low"})
    storage.playbooks.put(changed, NOON)
    assert storage.playbooks.get("testdesk", NOON) == changed


@pytest.mark.requirement("G7")
def test_an_event_extends_the_cached_playbook_of_its_version(
    storage: Storage, playbook: Playbook
) -> None:
    """There is no second read within the cache time of the first one."""
    other = Storage.on(storage.table.client, storage.table.name)
    storage.playbooks.put(playbook, NOON)
    first = other.playbooks.get("testdesk", NOON)
    later = NOON + timedelta(minutes=5)
    storage.playbooks.get("testdesk", later)
    file_ticket(storage, playbook, "CS1", later)
    storage.playbooks.put(playbook.model_copy(update={"default_priority": "low"}), later)
    [event] = [i for i in storage.tickets.items("testdesk", "CS1") if "playbook" in i]
    assert event["sk"]["S"].startswith("EVENT#")
    heard = later + timedelta(seconds=20)
    other.playbooks.refresh(event, heard)
    assert other.playbooks.get("testdesk", heard) is first
    over = later + timedelta(seconds=30)
    other.playbooks.refresh(event, over)
    assert other.playbooks.get("testdesk", over).default_priority == "low"


def test_an_event_of_a_newer_playbook_version_refreshes_the_cache(
    storage: Storage, playbook: Playbook
) -> None:
    other = Storage.on(storage.table.client, storage.table.name)
    storage.playbooks.put(playbook, NOON)
    other.playbooks.get("testdesk", NOON)
    storage.playbooks.put(playbook.model_copy(update={"default_priority": "low"}), NOON)
    storage.playbooks.get("testdesk", NOON)
    file_ticket(storage, playbook, "CS1")
    [event] = [i for i in storage.tickets.items("testdesk", "CS1") if "playbook" in i]
    for ignored in ({**event, "playbook": {"S": "0 1"}}, {"pk": event["pk"]}):
        other.playbooks.refresh(ignored, NOON)
        assert other.playbooks.get("testdesk", NOON).default_priority == "medium"
    other.playbooks.refresh(event, NOON)
    assert other.playbooks.get("testdesk", NOON).default_priority == "low"
    Storage.on(storage.table.client, storage.table.name).playbooks.refresh(event, NOON)


@pytest.mark.requirement("F3")
def test_an_event_from_the_future_does_not_refresh_the_cache(
    storage: Storage, playbook: Playbook
) -> None:
    """A sweep may be invoked with a later time."""
    other = Storage.on(storage.table.client, storage.table.name)
    storage.playbooks.put(playbook, NOON)
    other.playbooks.get("testdesk", NOON)
    storage.playbooks.get("testdesk", NOON + timedelta(seconds=50))
    file_ticket(storage, playbook, "CS1")
    storage.playbooks.put(playbook.model_copy(update={"default_priority": "low"}), NOON)
    [event] = [i for i in storage.tickets.items("testdesk", "CS1") if "playbook" in i]
    other.playbooks.refresh(event, NOON + timedelta(seconds=40))
    found = other.playbooks.get("testdesk", NOON + timedelta(seconds=60))
    assert found.default_priority == "low"


@pytest.mark.requirement("F1")
def test_two_desks_cannot_share_a_mailbox(storage: Storage, playbook: Playbook) -> None:
    """`+anything` behind the name is the same mailbox."""
    storage.playbooks.put(playbook, NOON)
    storage.playbooks.put(playbook, NOON)
    other = playbook.model_copy(update={"desk": "second"})
    with pytest.raises(PlaybookError, match=r"mail\.address"):
        storage.playbooks.put(other, NOON)
    assert storage.playbooks.version("second") is None
    assert storage.playbooks.desk_of_mailbox("Support+CS1@testdesk.local") == "testdesk"
    assert storage.playbooks.desk_of_mailbox("support@elsewhere.local") is None


def test_a_version_is_stored_once(
    storage: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.playbooks.put(playbook, NOON)
    monkeypatch.setattr(storage.playbooks, "version", lambda desk: None)
    with pytest.raises(Conflict):
        storage.playbooks.put(playbook, NOON)


def test_an_unknown_desk_or_version_is_not_found(storage: Storage) -> None:
    with pytest.raises(NotFound):
        storage.playbooks.get("nowhere", NOON)
    with pytest.raises(NotFound):
        storage.playbooks.document("nowhere", 1)


@pytest.mark.requirement("F3")
def test_a_new_desk_is_seen_within_a_minute(storage: Storage, playbook: Playbook) -> None:
    """A container that stored it sees it at once, another one after `PLAYBOOK_TTL`."""
    other = Storage.on(storage.table.client, storage.table.name)
    for each in (storage, other):
        with pytest.raises(NotFound):
            each.playbooks.get("testdesk", NOON)
    storage.playbooks.put(playbook, NOON)
    assert storage.playbooks.get("testdesk", NOON) == playbook
    with pytest.raises(NotFound):
        other.playbooks.get("testdesk", NOON + timedelta(seconds=29))
    assert other.playbooks.get("testdesk", NOON + PLAYBOOK_TTL) == playbook


@pytest.mark.requirement("G1")
def test_invented_desks_do_not_fill_the_memory(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.playbooks, "version", lambda desk: None)
    for serial in range(MAX_MISSING + 10):
        with pytest.raises(NotFound):
            storage.playbooks.get(f"invented-{serial}", NOON)
    assert len(storage.playbooks.missing) <= MAX_MISSING
