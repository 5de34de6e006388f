"""A browser's view of the workbench in tests: pages through their routes, without a server."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import unescape
from urllib.parse import parse_qsl, urlencode, urlsplit

from functions.core.domain.rules import Locale
from functions.core.pages.security import form_token
from functions.core.platform.web import HttpResponse
from functions.core.services.rights import caller, principal_of
from functions.core.storage.database import Storage
from functions.workbench.pages import routing
from functions.workbench.pages.page import PURPOSE, WorkbenchPage
from tests.workbench.conftest import Agent

SECRET = b"the secret of a session"


@dataclass
class Browser:
    """Somebody who signed in, and the language that the browser asks for."""

    agent: Agent
    locale: Locale = "zh-CN"

    @property
    def storage(self) -> Storage:
        return self.agent.storage

    def get(self, address: str = "", *, script: bool = False) -> HttpResponse:
        """Open an address below that of the desk."""
        return self._answer("GET", address, {}, script)

    def post(
        self,
        address: str,
        more: Mapping[str, str | list[str]] | None = None,
        *,
        script: bool = False,
        **fields: str | list[str],
    ) -> HttpResponse:
        """Send a form."""
        return self._answer("POST", address, {**fields, **(more or {})}, script)

    def _answer(
        self, method: str, address: str, fields: dict[str, str | list[str]], script: bool
    ) -> HttpResponse:
        split = urlsplit(address)
        form = {"form_token": form_token(SECRET, PURPOSE), **fields}
        request = replace(
            self.agent.request(method),
            query=dict(parse_qsl(split.query)),
            headers={"hx-request": "true"} if script else {},
            body=urlencode(form, doseq=True).encode() if method == "POST" else b"",
        )
        principal = principal_of(self.storage, caller(request.claims), "testdesk", request.now)
        playbook = self.storage.playbooks.get("testdesk", request.now)
        page = WorkbenchPage(request, self.storage, principal, playbook, self.locale, SECRET, "")
        return routing.find(method, split.path.strip("/")).answer(page)


def below(location: str) -> str:
    """Return the address below that of the desk that a page leads to."""
    return location.removeprefix("/workbench/testdesk").removeprefix("/")


def texts(response: HttpResponse) -> str:
    """Return what a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.body)).split())


def rows(response: HttpResponse) -> list[str]:
    """Return the numbers of a page's rows, in order."""
    return re.findall(r'<li class="row[^>]* data-ticket="([^"]+)"', response.body)
