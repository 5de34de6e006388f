"""What the documentation draws from the code is as the code has it now."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.core.domain.commands import ACTIONS
from functions.core.domain.events import EVENTS
from functions.core.domain.ticket import STATUSES
from infra.console.drawings import BY_PLAYBOOK, DOCS, DRAWN, redraw

PAGES = sorted(DOCS.glob("**/*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_a_page_is_not_stale(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert redraw(text) == text, "stale: run `python -m infra.console.drawings`"


@pytest.mark.parametrize("name", DRAWN)
def test_every_drawing_stands_somewhere(name: str) -> None:
    assert any(f"<!-- drawn: {name} -->" in page.read_text(encoding="utf-8") for page in PAGES)


def test_a_stale_drawing_is_found() -> None:
    text = "before\n<!-- drawn: events -->\nNoSuchEvent\n<!-- end -->\nafter\n"
    drawn = redraw(text)
    assert "`TicketReceived`" in drawn
    assert "NoSuchEvent" not in drawn
    assert drawn.startswith("before\n")
    assert drawn.endswith("after\n")
    assert redraw(drawn) == drawn


def test_every_action_and_event_is_drawn() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in (*ACTIONS, *EVENTS))


@pytest.mark.parametrize("arrow", BY_PLAYBOOK)
def test_an_arrow_of_a_playbook_joins_statuses(arrow: str) -> None:
    source, _, rest = arrow.partition(" --> ")
    target, _, reason = rest.partition(": ")
    assert {source, target} <= set(STATUSES)
    for action in reason.split("), "):
        assert action.split(" (")[0] in ACTIONS
