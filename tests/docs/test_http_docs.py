"""docs/http.md names every call, field, action and error status of the API."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from app import app
from functions.core.domain import errors
from functions.core.domain.commands import agent_actions
from functions.core.services.create_ticket import NewProduct, NewTicket
from functions.portal.files import NewAttachment
from functions.portal.submissions import NewConfirmation, NewMessage, NewScore
from functions.workbench.calls import NewUpload, Presence
from functions.workbench.queues import QUEUES
from functions.workbench.session import Credentials

pytestmark = pytest.mark.requirement("A1", "F5", "F6")
PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
BODIES: tuple[type[BaseModel], ...] = (
    *(NewTicket, NewProduct, NewMessage, NewAttachment, NewConfirmation, NewScore),
    *(Credentials, NewUpload, Presence),
)
CALLS = sorted({(method, path) for path, methods in app.routes.items() for method in methods})
ERROR_STATUSES = sorted(
    {error.status for error in vars(errors).values() if hasattr(error, "status")} | {415, 503}
)


def table_row(first_cell: str) -> str:
    """Return the row of a table with this first cell."""
    match = re.search(rf"^\| {re.escape(first_cell)} \|.*$", PAGE, re.MULTILINE)
    assert match, f"docs/http.md has no row for {first_cell}"
    return match[0]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_the_page_names_a_call(method: str, path: str) -> None:
    assert re.search(rf"`{method}(`, `POST)? {re.escape(path)}`", PAGE)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_the_page_names_every_field_of_a_body(body: type[BaseModel]) -> None:
    for name in body.model_fields:
        assert f"`{name}`" in PAGE


@pytest.mark.requirement("A6", "A7", "A8", "A9", "A10", "A11", "A12", "A13")
@pytest.mark.parametrize("action", agent_actions())
def test_the_page_lists_an_action_s_fields_with_optional_ones_in_brackets(action: str) -> None:
    model = agent_actions()[action].body
    fields = table_row(f"`{action}`").split("|")[2]
    optional = " ".join(re.findall(r"\[([^\]]*)\]", fields))
    for name, field in model.model_fields.items():
        if name == "version":
            continue
        assert f"`{name}`" in fields
        if action != "assign":  # exactly one of three
            assert (f"`{name}`" in optional) is not field.is_required()


@pytest.mark.requirement("A5", "A7")
@pytest.mark.parametrize("queue", QUEUES)
def test_the_page_names_a_queue(queue: str) -> None:
    assert f"`{queue}`" in PAGE


@pytest.mark.parametrize("status", ERROR_STATUSES)
def test_the_page_explains_an_error_status(status: int) -> None:
    table_row(str(status))
