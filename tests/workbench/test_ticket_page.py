"""The page of a ticket: what it shows, what it reads, and the forms of its actions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import pytest

from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import Ticket
from functions.core.pages.security import form_token
from functions.core.platform import aws
from functions.core.platform.web import HttpResponse
from functions.core.services.rights import caller, principal_of
from functions.core.storage.database import Storage
from functions.workbench.pages import routing
from functions.workbench.pages.page import PURPOSE, WorkbenchPage
from tests.core.sample_desk import file_ticket
from tests.workbench.conftest import NUMBER, Agent, SignedIn

pytestmark = pytest.mark.requirement("H3")

SECRET = b"session"


@dataclass
class Browser:
    """A browser whose person has signed in."""

    agent: Agent
    storage: Storage
    playbook: Playbook
    script: bool = False
    locale: Locale = "zh-CN"

    def get(self, path: str = f"tickets/{NUMBER}", **query: str) -> str:
        return str(self.answer("GET", path, query).body)

    def post(self, path: str = f"tickets/{NUMBER}", **fields: Any) -> HttpResponse:
        fields.setdefault("form", form_token(SECRET, PURPOSE))
        return self.answer("POST", path, {}, urlencode(fields, doseq=True).encode())

    def answer(
        self, method: str, path: str, query: dict[str, str], body: bytes = b""
    ) -> HttpResponse:
        request = self.agent.request(method, **query)
        headers = {"hx-request": "true"} if self.script else {}
        request = replace(request, body=body, headers=headers)
        principal = principal_of(
            self.storage, caller(request.claims), self.playbook.desk, request.now
        )
        page = WorkbenchPage(
            request, self.storage, principal, self.playbook, self.locale, SECRET, ""
        )
        return routing.find(method, path).answer(page)


@pytest.fixture(autouse=True)
def _no_uploads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "upload_origin", lambda deployment: "https://files.example.com")


@pytest.fixture
def ticket(storage: Storage, playbook: Playbook) -> Ticket:
    return file_ticket(storage, playbook, NUMBER)


@pytest.fixture
def browser(signed_in: SignedIn, storage: Storage, playbook: Playbook, ticket: Ticket) -> Browser:
    return Browser(signed_in("agent-1"), storage, playbook)


def test_smoke(browser: Browser) -> None:
    print(browser.get())
