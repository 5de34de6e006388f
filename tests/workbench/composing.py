"""Requests of the composer's script, as `page` answers them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from functions.core.domain.rules import Playbook
from functions.core.pages.security import form_token
from functions.core.platform.web import HttpResponse
from functions.core.services.rights import Principal
from functions.core.storage.database import Storage
from functions.workbench.pages import routing
from functions.workbench.pages.page import PURPOSE, WorkbenchPage
from tests.core.sample_desk import NOON
from tests.workbench.conftest import NUMBER, SignedIn

SECRET = b"a session"


@dataclass
class Window:
    """A window of an agent with the composer of a ticket; time passes as it is told."""

    storage: Storage
    playbook: Playbook
    signed_in: SignedIn
    username: str = "agent-1"
    seconds: float = 0

    def page(self, method: str = "GET", fields: Any = (), **query: str) -> WorkbenchPage:
        from datetime import timedelta

        agent = self.signed_in(self.username)
        headers = {
            "sec-fetch-site": "same-origin",
            "hx-request": "true",
            "x-form": form_token(SECRET, PURPOSE),
        }
        request = replace(
            agent.request(method, **query),
            body=urlencode(fields, doseq=True).encode(),
            headers=headers,
            now=NOON + timedelta(seconds=self.seconds),
        )
        person = self.storage.roster.get("testdesk", self.username)
        assert person is not None
        principal = Principal(self.username, "testdesk", person)
        return WorkbenchPage(request, self.storage, principal, self.playbook, "zh-CN", SECRET, "")

    def get(self, path: str, **query: str) -> HttpResponse:
        return routing.find("GET", path).answer(self.page(**query))

    def post(self, path: str, **fields: Any) -> HttpResponse:
        return routing.find("POST", path).answer(self.page("POST", fields))

    def drafts(self, path: str = "", status: int = 200, number: str = NUMBER, **fields: Any) -> Any:
        """Send what the script sends, and return the answer."""
        answer = self.post(f"drafts/{number}{path}", **fields)
        assert answer.status == status, answer.body
        return answer.body

    def composer(self, number: str = NUMBER) -> str:
        """Return the composer as the page of the ticket has it."""
        shown = self.signed_in(self.username).show(number)
        page = self.page()
        html: str = page.render("composer.html", ticket=shown).body
        return html
