"""The generated parts of the documentation match the code."""

from functions.core.domain.commands import ACTIONS
from functions.core.domain.events import EVENTS
from functions.core.domain.ticket import STATUSES
from infra.docs.generated import BY_PLAYBOOK, DOCS, GENERATED, regenerate

PAGES = {path: path.read_text("utf-8") for path in DOCS.glob("**/*.md")}


def test_the_generated_parts_of_every_page_are_up_to_date() -> None:
    for page, text in PAGES.items():
        assert regenerate(text) == text, f"{page}: run `python -m infra.docs.generated`"


def test_every_generated_part_is_on_a_page() -> None:
    drawn = "".join(PAGES.values())
    assert [name for name in GENERATED if f"<!-- drawn: {name} -->" not in drawn] == []


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


def test_each_transition_of_a_playbook_connects_statuses() -> None:
    for arrow in BY_PLAYBOOK:
        source, _, rest = arrow.partition(" --> ")
        target, _, reason = rest.partition(": ")
        assert {source, target} <= set(STATUSES)
        assert {action.split(" (")[0] for action in reason.split("), ")} <= set(ACTIONS)
