"""docs/http.md explains every queue and error status of the API; the rest is generated."""

import re
from pathlib import Path

import pytest

from functions.core.domain import errors
from functions.workbench.queues import QUEUES

pytestmark = pytest.mark.requirement("A1", "F5", "F6")
PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
ERROR_STATUSES = sorted(
    {error.status for error in vars(errors).values() if hasattr(error, "status")} | {415, 503}
)


def table_row(first_cell: str) -> str:
    """Return the row of a table with this first cell."""
    match = re.search(rf"^\| {re.escape(first_cell)} \|.*$", PAGE, re.MULTILINE)
    assert match, f"docs/http.md has no row for {first_cell}"
    return match[0]


@pytest.mark.requirement("A5", "A7")
@pytest.mark.parametrize("queue", QUEUES)
def test_the_page_names_a_queue(queue: str) -> None:
    assert f"`{queue}`" in PAGE


@pytest.mark.parametrize("status", ERROR_STATUSES)
def test_the_page_explains_an_error_status(status: int) -> None:
    table_row(str(status))
