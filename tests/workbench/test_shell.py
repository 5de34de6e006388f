"""The frame of every page of the workbench: the bar, presence, the help, the values for scripts."""

import json
import re
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest

from functions.core.domain.errors import Forbidden, NotFound
from functions.core.domain.rules import Playbook
from functions.core.pages.security import form_token
from functions.core.platform.web import HttpResponse
from functions.core.services.rights import caller, principal_of
from functions.core.storage.database import Storage
from functions.core.text.workbench_texts import SCRIPT_TEXTS, TEXTS
from functions.workbench.pages import language, routing, shell
from functions.workbench.pages.page import PURPOSE, WorkbenchPage
from tests.workbench.conftest import SignedIn

pytestmark = pytest.mark.requirement("H3")

SECRET = b"session"
TOKEN = form_token(SECRET, PURPOSE)


class Person:
    """Somebody who has signed in, and reads and sends pages."""

    def __init__(self, storage: Storage, playbook: Playbook, signed_in: SignedIn, who: str) -> None:
        self.storage, self.playbook, self.agent = storage, playbook, signed_in(who)

    def page(self, method: str = "GET", script: bool = False, **fields: str) -> WorkbenchPage:
        headers = {"x-form": TOKEN} | ({"hx-request": "true"} if script else {})
        request = replace(
            self.agent.request(method), headers=headers, body=urlencode(fields).encode()
        )
        principal = principal_of(self.storage, caller(request.claims), "testdesk", request.now)
        return WorkbenchPage(request, self.storage, principal, self.playbook, "en", SECRET, "")

    def get(self, path: str = "") -> str:
        return str(routing.find("GET", path).answer(self.page()).body)

    def post(self, path: str, script: bool = False, **fields: str) -> HttpResponse:
        return routing.find("POST", path).answer(self.page("POST", script, **fields))


@pytest.fixture
def agent(storage: Storage, playbook: Playbook, signed_in: SignedIn) -> Person:
    return Person(storage, playbook, signed_in, "agent-1")


def _attribute(html: str, name: str) -> str:
    found = re.search(rf'<body[^>]* {name}="([^"]*)"', html)
    assert found
    return unescape(found[1])


def test_a_page_has_what_its_scripts_need(agent: Person) -> None:
    html = agent.get()
    assert _attribute(html, "data-form") == TOKEN
    assert _attribute(html, "data-person") == "agent-1"
    assert _attribute(html, "data-cursor").isdigit()
    texts = json.loads(_attribute(html, "data-texts"))
    assert texts.keys() == set(SCRIPT_TEXTS)
    assert texts["script.changes"] == "{count} new changes"
    for region in ("queue", "main", "context", "notices", "live", "changes"):
        assert f'id="{region}"' in html


def test_scripts_ask_only_for_texts_that_there_are() -> None:
    from functions.core.pages.assets import FOLDER

    for name in ("workbench", "palette", "alerts"):
        code = (FOLDER / f"{name}.js").read_text("utf-8")
        for key in re.findall(r"\bt\(\"([\w.]+)\"", code):
            assert f"script.{key}" in TEXTS, key


def test_the_bar_leads_only_where_somebody_may_go(
    agent: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "exists", lambda name: name in {"board", "costs", "new"})
    found = shell.Shell(agent.page())
    assert found.navigation == [("board", "g b")]
    assert 'href="/workbench/testdesk/new"' in agent.get()
    monkeypatch.setattr(routing, "exists", lambda name: False)
    html = agent.get()
    assert "/workbench/testdesk/new" not in html
    assert 'role="search"' not in html
    assert "key.g_s" not in [text for _, text in shell.Shell(agent.page()).keys]


def test_an_agent_comes_and_goes_from_the_bar(agent: Person) -> None:
    went = agent.post("me/presence", script=True, online="false")
    assert 'data-online="false"' in str(went.body)
    assert "<html" not in str(went.body)
    assert 'data-online="false"' in agent.get(), "read again at once, not from a cache"
    came = agent.post("me/presence", online="true")
    assert (came.status, came.headers["Location"]) == (303, "/workbench/testdesk")
    assert 'data-online="true"' in agent.get()


def test_who_takes_no_tickets_has_no_presence(
    storage: Storage, playbook: Playbook, signed_in: SignedIn
) -> None:
    finance = Person(storage, playbook, signed_in, "finance-1")
    assert shell.Shell(finance.page()).staff is None
    with pytest.raises(NotFound):
        finance.post("me/presence", online="true")


def test_a_form_of_another_session_is_refused(agent: Person) -> None:
    page = agent.page("POST", online="false")
    page = replace(page, secret=b"another")
    with pytest.raises(Forbidden):
        routing.find("POST", "me/presence").answer(page)


@pytest.mark.parametrize(
    ("cookie", "query", "language_of_page"),
    [
        (f"{language.COOKIE}=zh-CN", {}, "zh-CN"),
        (f"a=b; {language.COOKIE}=en", {}, "en"),
        (f"{language.COOKIE}=zh-CN", {"lang": "en"}, "fr"),
        (f"{language.COOKIE}=xx", {}, "fr"),
        ("", {}, "fr"),
        ("\x00;==", {}, "fr"),
    ],
)
def test_the_chosen_language_holds_unless_a_link_names_one(
    agent: Person, cookie: str, query: dict[str, str], language_of_page: str
) -> None:
    headers: dict[str, Any] = {"cookie": cookie, "accept-language": "fr"}
    request = replace(agent.agent.request("GET"), headers=headers, query=query)
    assert language.in_chosen(request).headers["accept-language"] == language_of_page


def test_a_page_is_found_by_the_module_of_its_name() -> None:
    assert routing.exists("queues")
    for method, path in (("GET", "nothing"), ("DELETE", "tickets/CS1"), ("GET", "../queues")):
        with pytest.raises(NotFound):
            routing.find(method, path)
