"""Whoever calls the API finds every call, field, action and refusal on one page (A1, F5, F6)."""

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

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
BODIES: tuple[type[BaseModel], ...] = (
    *(NewTicket, NewProduct, NewMessage, NewAttachment, NewConfirmation, NewScore),
    *(Credentials, NewUpload, Presence),
)
CALLS = sorted({(method, path) for path, found in app.routes.items() for method in found})
REFUSALS = sorted(
    {found.status for found in vars(errors).values() if hasattr(found, "status")} | {415, 503}
)


def row(first: str) -> str:
    """The row of a table whose first cell is this."""
    found = re.search(rf"^\| {re.escape(first)} \|.*$", PAGE, re.MULTILINE)
    assert found, f"no row for {first}"
    return found[0]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_call_is_named(method: str, path: str) -> None:
    assert re.search(rf"`{method}(`, `POST)? {re.escape(path)}`", PAGE)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_every_field_of_a_body_is_named(body: type[BaseModel]) -> None:
    for name in body.model_fields:
        assert f"`{name}`" in PAGE


@pytest.mark.parametrize("action", agent_actions())
def test_an_action_is_named_with_its_fields(action: str) -> None:
    """A6–A13: those that may be left out stand in brackets."""
    model = agent_actions()[action].body
    written = row(f"`{action}`").split("|")[2]
    bracketed = " ".join(re.findall(r"\[([^\]]*)\]", written))
    for name, field in model.model_fields.items():
        if name == "version":
            continue
        assert f"`{name}`" in written
        if action != "assign":  # exactly one of three
            assert (f"`{name}`" in bracketed) is not field.is_required()


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_is_named(queue: str) -> None:
    """A5, A7"""
    assert f"`{queue}`" in PAGE


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_is_explained(status: int) -> None:
    row(str(status))
