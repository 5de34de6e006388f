"""A long ticket opens in pages of entries, each as fast and as small as a short ticket."""

import json

import pytest

from functions.core.domain.errors import InvalidInput
from functions.core.domain.ticket import Ticket
from functions.core.storage.database import Storage
from functions.workbench.calls import PAGE
from tests.workbench.conftest import LONG, NUMBER, SignedIn

pytestmark = pytest.mark.requirement("A14", "B7", "G2")


@pytest.mark.slow
def test_a_ticket_of_two_thousand_entries_opens_like_one_of_twenty(
    long_ticket: Storage, signed_in: SignedIn
) -> None:
    agent = signed_in("agent-1")
    shown = agent.show()
    assert len(json.dumps(shown, default=str, ensure_ascii=False).encode()) < 1_000_000
    assert [entry["version"] for entry in shown["timeline"]] == [*range(LONG - PAGE + 1, LONG + 1)]
    assert len(shown["messages"]) == PAGE
    assert shown["records"][-1]["number"] == f"{NUMBER}-{LONG - 1:03}"
    assert shown["description"] == "无法登录"
    assert shown["rules"] == ["r1"]
    assert shown["before"] == LONG - PAGE + 1

    earlier = agent.show(before=str(shown["before"]))
    assert earlier["timeline"][-1]["version"] == LONG - PAGE
    assert earlier["records"][-1]["number"] == f"{NUMBER}-{LONG - 1 - PAGE:03}"
    first = agent.show(before="5")
    assert [entry["version"] for entry in first["timeline"]] == [1, 1, 2, 3, 4]
    assert first["before"] is None
    assert [m["text"][:6] for m in first["messages"]] == ["无法登录", "3 很很很很", "4 很很很很"]


@pytest.mark.parametrize("before", ["", "x", "-1", "1.5", "9999999", "²"])
def test_an_invalid_page_is_refused(ticket: Ticket, signed_in: SignedIn, before: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        signed_in("agent-1").show(before=before)
    assert [error.field for error in refused.value.errors] == ["before"]


def test_before_the_first_entry_is_nothing(ticket: Ticket, signed_in: SignedIn) -> None:
    shown = signed_in("agent-1").show(before="1")
    assert (shown["timeline"], shown["messages"], shown["before"]) == ([], [], None)
    assert shown["description"] == "无法登录"
