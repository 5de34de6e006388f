"""Chats in the table: replaced as a whole, by one writer at a time."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.core.domain.chat import Chat
from functions.core.domain.errors import Conflict
from functions.core.storage.chats import KEPT_FOR
from functions.core.storage.database import Storage

NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)
CHAT = Chat(desk="standard", id="c1", token="digest", locale="en", started_at=NOW, changed_at=NOW)


@pytest.mark.requirement("G1")
def test_of_two_writers_one_has_to_decide_again(storage: Storage) -> None:
    chats = storage.chats
    first = chats.put(CHAT.said("assistant", "Hello", NOW))
    with pytest.raises(Conflict):
        chats.put(CHAT)
    second = chats.put(first.said("customer", "Hi", NOW))
    with pytest.raises(Conflict):
        chats.put(first.said("customer", "Too late", NOW))
    assert chats.get("standard", "c1") == second
    assert [message.text for message in second.after("1")] == ["Hi"]


def test_a_chat_expires_after_its_last_message(storage: Storage) -> None:
    later = NOW + timedelta(hours=1)
    storage.chats.put(CHAT.said("customer", "Hi", later))
    item = storage.table.get("CHAT#standard#c1", "CHAT")
    assert item is not None
    assert int(item["expires_at"]["N"]) == int((later + KEPT_FOR).timestamp())
    storage.chats.delete("standard", "c1")
    assert storage.chats.get("standard", "c1") is None
