"""Drafts in the table: sealed, replaced as a whole, listed for the sweep only while they wait."""

from datetime import timedelta

import pytest
from cryptography.fernet import InvalidToken

from functions.core.domain.drafts import Draft, Outgoing
from functions.core.domain.errors import Conflict
from functions.core.domain.ticket import Ticket
from functions.core.storage.database import Storage
from functions.core.storage.drafts import ENDED_KEPT_FOR, KEPT_FOR
from tests.core.sample_desk import NOON

pytestmark = pytest.mark.requirement("H3")
ROOT = bytes(range(32))
DRAFT = Draft(
    desk="testdesk", number="CS1", agent="li", text="打给 13800138000", other="备忘", saved_at=NOON
)


def test_nothing_in_the_table_is_readable(storage: Storage) -> None:
    storage.drafts.put(DRAFT, ROOT, NOON)
    item = storage.table.get("TICKET#testdesk#CS1", "DRAFT#li")
    assert item is not None
    assert set(item) == {"pk", "sk", "version", "edition", "sealed", "expires_at"}
    assert "13800138000" not in str(item)
    assert int(item["expires_at"]["N"]) == int((NOON + KEPT_FOR).timestamp())
    with pytest.raises(InvalidToken):
        storage.drafts.get("testdesk", "CS1", "li", bytes(32))
    storage.table.client.put_item(
        TableName=storage.table.name, Item={**item, "pk": {"S": "TICKET#testdesk#CS2"}}
    )
    with pytest.raises(InvalidToken):
        storage.drafts.get("testdesk", "CS2", "li", ROOT)


def test_of_two_writers_one_has_to_look_again(storage: Storage) -> None:
    first = storage.drafts.put(DRAFT, ROOT, NOON)
    with pytest.raises(Conflict):
        storage.drafts.put(DRAFT, ROOT, NOON)
    second = storage.drafts.put(first.changed(text="B"), ROOT, NOON)
    assert storage.drafts.get("testdesk", "CS1", "li", ROOT) == second
    assert storage.drafts.of("testdesk", ("CS1", "CS2"), "li", ROOT) == {"CS1": second}


def test_only_what_waits_to_be_sent_is_due(storage: Storage) -> None:
    send_at = NOON + timedelta(seconds=10)
    outgoing = Outgoing(id="x", action="reply", text="A", seen=1, send_at=send_at)
    draft = storage.drafts.put(DRAFT, ROOT, NOON)

    def due() -> list[str]:
        found = (storage.tickets.due(shard, send_at) for shard in range(4))
        return [each.sk for shard in found for each in shard]

    assert due() == []
    draft = storage.drafts.put(draft.sent(outgoing), ROOT, NOON)
    assert due() == ["DRAFT#li"]
    storage.drafts.put(draft.taken_back(), ROOT, NOON)
    assert due() == []


def test_an_ended_draft_has_no_content_and_expires(storage: Storage) -> None:
    """No function may delete items."""
    draft = storage.drafts.put(DRAFT, ROOT, NOON)
    ended = storage.drafts.put(draft.changed(text="", other=""), ROOT, NOON)
    item = storage.table.get("TICKET#testdesk#CS1", "DRAFT#li")
    assert item is not None
    assert set(item) == {"pk", "sk", "version", "edition", "expires_at"}
    assert int(item["expires_at"]["N"]) == int((NOON + ENDED_KEPT_FOR).timestamp())
    found = storage.drafts.get("testdesk", "CS1", "li", ROOT)
    assert found is not None
    assert (found.is_empty, found.version) == (True, ended.version)


def test_a_draft_disturbs_no_history(storage: Storage, ticket: Ticket) -> None:
    before = storage.tickets.history("testdesk", "CS1")
    storage.drafts.put(DRAFT, ROOT, NOON)
    assert storage.tickets.load("testdesk", "CS1").version == ticket.version
    assert storage.tickets.history("testdesk", "CS1") == before
    assert storage.tickets.history_page("testdesk", "CS1", ticket.version, 20) == before
    assert storage.deliveries.list("testdesk", "CS1") == []
