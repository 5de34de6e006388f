"""Several tickets at once: a preview that changes nothing, then each with its result."""

import re
from typing import Any

import pytest

from functions.core.domain import commands as c, events as e
from functions.core.domain.errors import InvalidInput, TryAgain
from functions.core.domain.rules import Playbook
from functions.core.platform.web import HttpResponse
from functions.core.services import agent_actions
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from tests.core.sample_desk import NOON, file_ticket
from tests.workbench.conftest import SignedIn
from tests.workbench.pages import Browser, texts

pytestmark = pytest.mark.requirement("H3")
NUMBERS = ["CS1", "CS2", "CS3"]


@pytest.fixture
def desk(storage: Storage, playbook: Playbook) -> Storage:
    """CS1 and CS2 are agent-1's, CS3 agent-2's."""
    for number, name in zip(NUMBERS, ("agent-1", "agent-1", "agent-2"), strict=True):
        file_ticket(storage, playbook, number, description="网络很慢")
        command = c.Assign("technical", name, by_person=True)
        change(storage, "testdesk", number, command, playbook, NOON, actor="supervisor-1")
    return storage


@pytest.fixture
def browser(signed_in: SignedIn) -> Browser:
    return Browser(signed_in("agent-1"))


def outcomes(page: HttpResponse) -> dict[str, str]:
    return dict(re.findall(r'<li data-ticket="([^"]+)" data-outcome="([^"]+)">', page.body))


def carry_out(browser: Browser, preview: HttpResponse, **changed: str) -> HttpResponse:
    """Send the form of a preview."""
    (form,) = re.findall(r'<form[^>]* action="[^"]*/bulk/run".*?</form>', preview.body, re.DOTALL)
    fields: dict[str, Any] = {}
    for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form):
        fields.setdefault(name, []).append(value)
    del fields["form_token"]
    return browser.post("bulk/run", fields | changed)


def test_the_preview_says_who_refuses_and_why_and_changes_nothing(
    desk: Storage, browser: Browser
) -> None:
    page = browser.post("bulk/preview", action="reply", text="已处理", ticket=[*NUMBERS, "CS9"])
    assert outcomes(page) == {
        "CS1": "ready", "CS2": "ready", "CS3": "refused", "CS9": "missing",
    }  # fmt: skip
    assert "2 张可以执行" in texts(page)
    assert "2 张会被拒绝" in texts(page)
    assert "它未分配给您" in texts(page)
    assert [desk.tickets.load("testdesk", number).version for number in NUMBERS] == [2, 2, 2]


def test_each_ticket_says_what_came_of_it_and_nothing_is_done_twice(
    desk: Storage, browser: Browser
) -> None:
    preview = browser.post("bulk/preview", action="note", text="已核实", ticket=NUMBERS[:2])
    for _ in range(2):
        page = carry_out(browser, preview)
        assert outcomes(page) == {"CS1": "done", "CS2": "done"}
    for number in NUMBERS[:2]:
        history = desk.tickets.history("testdesk", number)
        assert len([n for commit in history for n in commit.of(e.NoteAdded)]) == 1


def test_a_ticket_that_has_moved_on_refuses(
    desk: Storage, playbook: Playbook, browser: Browser
) -> None:
    preview = browser.post("bulk/preview", action="priority", priority="high", ticket=NUMBERS[:2])
    change(desk, "testdesk", "CS2", c.Note("新情况"), playbook, NOON, actor="agent-1")
    page = carry_out(browser, preview)
    assert outcomes(page) == {"CS1": "done", "CS2": "refused"}
    assert desk.tickets.load("testdesk", "CS2").priority == "medium"


def test_a_failure_hides_no_other_result(
    desk: Storage, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = browser.post("bulk/preview", action="note", text="已核实", ticket=NUMBERS[:2])
    act = agent_actions.act

    def busy(context: object, number: str, *rest: object) -> object:
        if number == "CS1":
            raise TryAgain("busy")
        return act(context, number, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(agent_actions, "act", busy)
    page = carry_out(browser, preview)
    assert outcomes(page) == {"CS1": "busy", "CS2": "done"}
    monkeypatch.undo()
    assert "重试未完成的 1 张" in texts(page)
    assert outcomes(carry_out(browser, page)) == {"CS1": "done"}


@pytest.mark.parametrize(
    ("action", "fields", "attribute", "value"),
    [
        ("assign", {"recipient": "agent:agent-2"}, "handler", "agent-2"),
        ("assign", {"recipient": "team:general"}, "team", "general"),
        ("assign", {"recipient": "queue:supervisor"}, "queue", "supervisor"),
        ("tag", {"tag": "login"}, "tags", ("login",)),
        ("close", {"reason": "重复", "silent": "1"}, "status", "closed"),
    ],
)
def test_a_supervisor_does_each(
    desk: Storage,
    signed_in: SignedIn,
    action: str,
    fields: dict[str, Any],
    attribute: str,
    value: object,
) -> None:
    browser = Browser(signed_in("supervisor-1"))
    preview = browser.post("bulk/preview", fields, action=action, ticket="CS1")
    assert outcomes(preview) == {"CS1": "ready"}
    assert outcomes(carry_out(browser, preview)) == {"CS1": "done"}
    assert getattr(desk.tickets.load("testdesk", "CS1"), attribute) == value


def test_the_form_keeps_what_was_typed_and_says_what_is_missing(
    desk: Storage, browser: Browser
) -> None:
    page = browser.post("bulk", bulk="assign", ticket=NUMBERS)
    assert "处理 3 张工单" in texts(page)
    assert 'value="agent:agent-2"' in page.body
    missing = browser.post("bulk/preview", action="close", reason="", ticket=NUMBERS)
    assert (missing.status, "此项必填" in texts(missing)) == (400, True)
    back = browser.post("bulk/preview", action="note", text="核实中", change="1", ticket=NUMBERS)
    assert ">核实中</textarea>" in back.body
    assert "先在队列里选择" in texts(browser.get("bulk"))


def test_what_is_so_already_is_left_out(desk: Storage, signed_in: SignedIn) -> None:
    browser = Browser(signed_in("supervisor-1"))
    preview = browser.post("bulk/preview", action="tag", tag="login", ticket="CS1")
    carry_out(browser, preview)
    again = browser.post("bulk/preview", action="tag", tag="login", ticket=["CS1", "CS2"])
    assert outcomes(again) == {"CS1": "unchanged", "CS2": "ready"}
    assert "同时确认类型：咨询" in texts(again)


def test_at_most_fifty_tickets(desk: Storage, browser: Browser) -> None:
    with pytest.raises(InvalidInput):
        browser.post("bulk", bulk="note", ticket=[f"CS{n}" for n in range(51)])
