"""The sweep closes chats that nobody went on with, and counts them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from functions.core.domain.chat import CLOSES_AFTER, Chat
from functions.core.storage.database import Storage
from functions.sla_timer.sweep import sweep

NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)
CHAT = Chat(desk="standard", id="c1", token="digest", locale="en", started_at=NOW, changed_at=NOW)


def swept(storage: Storage, at: datetime) -> Chat:
    sweep(storage, at, lambda: timedelta(minutes=1))
    found = storage.chats.get("standard", "c1")
    assert found is not None
    return found


@pytest.mark.parametrize(("confirmed", "outcome"), [(True, "confirmed"), (False, "silent")])
def test_a_chat_is_closed_a_day_after_its_last_message(
    storage: Storage, caplog: pytest.LogCaptureFixture, *, confirmed: bool, outcome: str
) -> None:
    first = storage.chats.put(CHAT.said("customer", "Hi", NOW).gone_on(NOW))
    later = NOW + timedelta(hours=5)
    storage.chats.put(
        first.said("customer", "And?", later).changed(confirmed=confirmed).gone_on(later)
    )
    assert swept(storage, NOW + CLOSES_AFTER).outcome is None, "five hours are left"
    assert swept(storage, later + CLOSES_AFTER - timedelta(seconds=1)).outcome is None
    closed = swept(storage, later + CLOSES_AFTER)
    assert closed.outcome == outcome
    assert [getattr(r, "outcome", None) for r in caplog.records if r.msg == "chat.closed"] == [
        outcome
    ]
    assert swept(storage, later + 2 * CLOSES_AFTER) == closed, "once"
    [(_, entry)] = storage.chat_ends.entries("standard", NOW, later + 2 * CLOSES_AFTER)
    assert (entry.number, entry.version, entry.at) == ("c1", 1, later + CLOSES_AFTER)
    assert entry.chat_end is not None
    assert (entry.chat_end.outcome, entry.chat_end.channel) == (outcome, CHAT.channel)


def test_a_chat_that_was_handed_over_is_not_looked_at(storage: Storage) -> None:
    storage.chats.put(CHAT.changed(number="CS1", reason="asked").gone_on(NOW))
    found = swept(storage, NOW + 2 * CLOSES_AFTER)
    assert (found.outcome, found.version) == ("handed_over", 1)
    assert not [*storage.chat_ends.entries("standard", NOW, NOW + 3 * CLOSES_AFTER)]


def test_a_closed_chat_can_go_on(storage: Storage) -> None:
    storage.chats.put(CHAT.gone_on(NOW))
    closed, later = swept(storage, NOW + CLOSES_AFTER), NOW + timedelta(days=3)
    storage.chats.put(closed.said("customer", "Still there?", later).gone_on(later))
    assert swept(storage, later + CLOSES_AFTER).outcome == "silent"
