"""Viewers of a ticket are known to colleagues for two minutes."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.core.storage.database import Storage
from functions.core.storage.viewers import SEEN_FOR, Attention, Viewer, leave, report, viewers

pytestmark = pytest.mark.requirement("H3")
NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)


def seen(storage: Storage, username: str, number: str, attention: Attention = "viewing") -> None:
    report(storage, "standard", Viewer(username, f"客服-{username}", number, attention, NOW))


def test_colleagues_see_who_reads_and_who_writes(storage: Storage) -> None:
    assert viewers(storage, "standard", NOW) == {}
    seen(storage, "li", "CS1")
    seen(storage, "zhang", "CS1", "typing")
    seen(storage, "wang", "CS2")
    assert viewers(storage, "standard", NOW) == {
        "CS1": [("客服-li", "viewing"), ("客服-zhang", "typing")],
        "CS2": [("客服-wang", "viewing")],
    }
    assert viewers(storage, "standard", NOW, but="zhang")["CS1"] == [("客服-li", "viewing")]
    assert viewers(storage, "other", NOW) == {}


def test_a_person_is_on_one_ticket_at_a_time(storage: Storage) -> None:
    seen(storage, "li", "CS1", "typing")
    seen(storage, "li", "CS2")
    leave(storage, "standard", "li", "CS1")
    assert viewers(storage, "standard", NOW) == {"CS2": [("客服-li", "viewing")]}
    leave(storage, "standard", "li", "CS2")
    leave(storage, "standard", "li", "CS2")
    assert viewers(storage, "standard", NOW) == {}


def test_whoever_does_not_report_any_more_is_gone(storage: Storage) -> None:
    seen(storage, "li", "CS1")
    assert viewers(storage, "standard", NOW + SEEN_FOR - timedelta(seconds=1))
    assert viewers(storage, "standard", NOW + SEEN_FOR) == {}
    item = storage.table.get("VIEWERS#standard", "VIEWERS")
    assert item is not None
    assert int(item["expires_at"]["N"]) == int((NOW + SEEN_FOR).timestamp())
