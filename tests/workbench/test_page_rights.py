"""Rights to open pages of the workbench and to send their forms: every role, every route."""

import re
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest

from functions.core.domain.errors import Forbidden
from functions.core.domain.roster import Role
from functions.core.storage.database import Storage
from functions.workbench.pages import routing
from functions.workbench.pages.navigation import NAVIGATION
from tests.core.sample_desk import agent as entry
from tests.workbench.conftest import Agent
from tests.workbench.pages import Browser

pytestmark = pytest.mark.requirement("H4", "H5", "H6", "H7")

ROLES: tuple[Role, ...] = get_args(Role)
MATRIX = {
    "board": "agent supervisor qa admin",
    "reports": "supervisor qa finance admin",
    "knowledge": "agent supervisor qa admin",
    "costs": "finance admin",
    "quarantine": "supervisor admin",
    "roster": "supervisor admin",
    "playbook": "supervisor admin",
    "channels": "supervisor admin",
    "webhooks": "admin",
    "audit": "admin",
    "erasure": "admin",
}
"""Page → the roles that may open it (H4–H7): all others are refused, whatever they send."""


def signed_in(storage: Storage, role: Role) -> Browser:
    """Sign somebody in who has one role."""
    storage.roster.put(entry(f"{role}-x", role=role, team="general"))
    return Browser(Agent(storage, f"{role}-x", f"testdesk:{role}"))


def routes(page: str) -> list[tuple[str, str]]:
    """Return the method and address of each route of a page, with something in its gaps."""
    module = import_module(f"functions.workbench.pages.{page}")
    found = {
        (route.method, re.sub(r"\{\w+\+?\}", "x", route.pattern))
        for function in vars(module).values()
        if getattr(function, "__module__", None) == module.__name__
        for route in getattr(function, "routes", ())
    }
    return sorted(found)


def is_refused(browser: Browser, page: str, method: str, pattern: str) -> bool:
    """Return whether a role is refused; what else fails, such as invented ids, is not a refusal."""
    address = f"{page}/{pattern}".rstrip("/")
    try:
        browser.get(address) if method == "GET" else browser.post(address)
    except Forbidden as refused:
        return "open this page" in refused.detail
    except Exception:  # reached the page
        return False
    return False


def test_every_page_of_the_bar_is_in_the_matrix_and_there_is_one() -> None:
    assert MATRIX.keys() == NAVIGATION.keys()
    assert all(routing.exists(page) for page in NAVIGATION)


def test_finance_opens_nothing_that_shows_tickets(storage: Storage) -> None:
    """Beside the pages of the bar, such as several tickets at once, which shows their titles."""
    finance, opened = signed_in(storage, "finance"), set[str]()
    modules = {path.stem for path in Path(routing.__file__).parent.glob("[a-z]*.py")}
    for page in sorted(modules - MATRIX.keys()):
        if any(not is_refused(finance, page, *route) for route in routes(page)):
            opened.add(page)
    assert opened == {"authenticator", "me", "queues"}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("page", MATRIX)
def test_a_role_opens_what_it_may_and_nothing_else(storage: Storage, page: str, role: Role) -> None:
    browser, allowed = signed_in(storage, role), role in MATRIX[page].split()
    found = routes(page)
    assert ("GET", "") in found
    for method, pattern in found:
        assert is_refused(browser, page, method, pattern) != allowed, (method, pattern)


@pytest.mark.parametrize("role", ROLES)
def test_the_bar_leads_to_what_a_role_may_open(storage: Storage, role: Role) -> None:
    browser = signed_in(storage, role)
    html = str(browser.get("costs" if role == "finance" else "search").body)
    linked = {page for page in MATRIX if f'/workbench/testdesk/{page}"' in html}
    assert linked == {page for page, roles in MATRIX.items() if role in roles.split()}
