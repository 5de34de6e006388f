"""The generated parts of the documentation match the code."""

from pathlib import Path

import pytest

from functions.core.domain.commands import ACTIONS
from functions.core.domain.events import EVENTS
from functions.core.domain.ticket import STATUSES
from infra.docs.generated import BY_PLAYBOOK, DOCS, GENERATED, regenerate

PAGES = sorted(DOCS.glob("**/*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_the_generated_parts_of_a_page_are_up_to_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert regenerate(text) == text, "run `python -m infra.docs.generated`"


@pytest.mark.parametrize("name", GENERATED)
def test_every_generated_part_is_on_a_page(name: str) -> None:
    assert any(f"<!-- drawn: {name} -->" in page.read_text(encoding="utf-8") for page in PAGES)


def test_an_outdated_part_is_replaced() -> None:
    text = "before\n<!-- drawn: events -->\nNoSuchEvent\n<!-- end -->\nafter\n"
    page = regenerate(text)
    assert "`TicketReceived`" in page
    assert "NoSuchEvent" not in page
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    assert regenerate(page) == page


def test_every_action_and_event_is_drawn() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in (*ACTIONS, *EVENTS))


@pytest.mark.parametrize("arrow", BY_PLAYBOOK)
def test_a_transition_of_a_playbook_connects_statuses(arrow: str) -> None:
    source, _, rest = arrow.partition(" --> ")
    target, _, reason = rest.partition(": ")
    assert {source, target} <= set(STATUSES)
    for action in reason.split("), "):
        assert action.split(" (")[0] in ACTIONS
