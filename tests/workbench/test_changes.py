"""The poll of the workbench's script: recent changes, in a small answer of few reads."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.core.domain.errors import Forbidden, InvalidInput
from functions.core.domain.journal import JournalEntry
from functions.core.domain.rules import Playbook
from functions.core.services.rights import caller, principal_of
from functions.core.storage import viewers
from functions.core.storage.database import Storage
from functions.core.storage.table import Table
from functions.workbench.pages import changes
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.shell import Shell, cursor_of
from tests.core.sample_desk import NOON
from tests.workbench.conftest import SignedIn

pytestmark = pytest.mark.requirement("H3")

LATER = NOON + timedelta(minutes=1)


Poll = Callable[..., Any]


@pytest.fixture
def poll(storage: Storage, playbook: Playbook, signed_in: SignedIn) -> Poll:
    """Ask for changes."""

    def ask(since: datetime | str = NOON, now: datetime = LATER, who: str = "agent-1") -> Any:
        cursor = since if isinstance(since, str) else str(cursor_of(since))
        request = replace(signed_in(who).request("GET", since=cursor), now=now)
        principal = principal_of(storage, caller(request.claims), "testdesk", now)
        page = WorkbenchPage(request, storage, principal, playbook, "en", b"secret", "")
        return changes.changes(page).body

    return ask


def _wrote(storage: Storage, number: str, version: int, at: datetime, silent: bool = False) -> None:
    entry = JournalEntry(number=number, version=version, at=at)
    (storage.changes if silent else storage.journal).write("testdesk", entry, at)


def test_a_poll_names_each_changed_ticket_once_the_newest_first(
    storage: Storage, poll: Poll
) -> None:
    _wrote(storage, "CS1", 7, NOON + timedelta(seconds=20))
    _wrote(storage, "CS1", 8, NOON + timedelta(seconds=30), silent=True)
    _wrote(storage, "CS2", 1, NOON + timedelta(seconds=40))
    assert poll() == {
        "cursor": cursor_of(LATER),
        "tickets": [["CS2", 1], ["CS1", 8]],
        "more": False,
        "viewers": {},
        "online": True,
    }


def test_what_could_not_be_read_yet_is_read_by_the_next_poll(storage: Storage, poll: Poll) -> None:
    _wrote(storage, "CS1", 2, NOON - changes.OVERLAP / 2)
    _wrote(storage, "CS2", 2, NOON - changes.OVERLAP * 2)
    assert poll()["tickets"] == [["CS1", 2]]
    midnight = datetime.fromisoformat("2026-03-11T00:00:03+00:00")
    _wrote(storage, "CS3", 4, midnight - timedelta(seconds=5))
    assert poll(midnight, midnight + timedelta(seconds=15))["tickets"] == [["CS3", 4]]


def test_who_slept_is_told_that_there_is_more(storage: Storage, poll: Poll) -> None:
    _wrote(storage, "CS1", 2, NOON)
    morning = NOON + timedelta(days=3)
    _wrote(storage, "CS2", 2, morning)
    slept = poll(NOON, morning)
    assert (slept["tickets"], slept["more"]) == ([["CS2", 2]], True)
    for number in range(100, 100 + 3 * changes.MOST):
        _wrote(storage, f"CS{number}", 1, morning)
    assert poll(morning, morning)["more"]


def test_a_busy_desk_has_a_small_answer_too(storage: Storage, poll: Poll) -> None:
    for number in range(30):
        _wrote(storage, f"CS20260310{number:03}", 100 + number, LATER)
        viewer = viewers.Viewer(
            f"agent-{number}", "客服-张", f"CS20260310{number:03}", "typing", LATER
        )
        viewers.report(storage, "testdesk", viewer)
    answer = poll()
    size = len(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode())
    assert size <= changes.MAX_BYTES
    assert answer["more"]
    assert answer["tickets"]
    assert answer["viewers"]


def test_a_poll_is_one_get_and_two_queries(poll: Poll, monkeypatch: pytest.MonkeyPatch) -> None:
    poll()  # who calls is known then
    called: list[str] = []
    for name in ("get", "query_page", "batch_get"):
        call = getattr(Table, name)

        def counted(*arguments: Any, _call: Any = call, _name: str = name, **more: Any) -> Any:
            called.append(_name)
            return _call(*arguments, **more)

        monkeypatch.setattr(Table, name, counted)
    poll()
    assert sorted(called) == ["get", "query_page", "query_page"]


@pytest.mark.parametrize("since", ["", "x", "-1", "1.5", "²", "9" * 20])
def test_an_invented_cursor_is_refused(poll: Poll, since: str) -> None:
    with pytest.raises(InvalidInput):
        poll(since)


def test_who_sees_no_tickets_is_told_of_none(
    storage: Storage, playbook: Playbook, signed_in: SignedIn, poll: Poll
) -> None:
    with pytest.raises(Forbidden):
        poll(who="finance-1")
    request = signed_in("finance-1").request("GET")
    principal = principal_of(storage, caller(request.claims), "testdesk", NOON)
    page = WorkbenchPage(request, storage, principal, playbook, "en", b"secret", "")
    assert Shell(page).cursor == "", "its script does not ask"
