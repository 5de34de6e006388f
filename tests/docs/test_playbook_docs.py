"""docs/playbooks.md explains every key of a playbook, and none that there is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest

from functions.core.playbook import (
    STATUSES,
    STATUSES_NEEDED,
    TEMPLATE_VARIABLES,
    TIMER_KINDS,
    Condition,
    Part,
    Playbook,
    TimerEffects,
)

TEXT = (Path(__file__).parents[2] / "docs" / "playbooks.md").read_text(encoding="utf-8")
ONCE: dict[type[Part], str] = {Condition: "when", TimerEffects: "on_breach"}
"""Parts that stand in many places and are explained once, under this name."""
CALENDAR = {f"calendar.{key}" for key in ("timezone", "hours", "holidays", "workdays")}


def _keys(part: type[Part], at: str) -> Iterator[str]:
    for name, field in part.model_fields.items():
        path = f"{at}.{name}" if at else name
        yield path
        for inner, step in _parts(field.annotation, ""):
            if inner not in ONCE:
                yield from _keys(inner, path + step)


def _parts(annotation: Any, step: str) -> Iterator[tuple[type[Part], str]]:
    """The parts in an annotation, and how one comes to them: `.*` by a name, `[]` in a list."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation, step
    steps: dict[Any, str] = {dict: ".*", tuple: "[]"}
    step = steps.get(get_origin(annotation), step)
    for argument in get_args(annotation):
        yield from _parts(argument, step)


KEYS = {
    *_keys(Playbook, ""),
    *CALENDAR,
    *(key for part, name in ONCE.items() for key in _keys(part, name)),
}
EXPLAINED = re.findall(r"^\| `([^`]+)` \| \S", TEXT, re.MULTILINE)


def test_the_walk_finds_the_deepest_keys() -> None:
    assert {
        "tags.*.vague.question",
        "rules[].then.add_tags",
        "survey.review.within",
        "on_breach.tell[].to",
        "when.amount_over",
    } <= KEYS


@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_key_is_explained(key: str) -> None:
    assert key in EXPLAINED, f"docs/playbooks.md has no row for `{key}`"


def test_no_key_is_explained_that_there_is_not() -> None:
    single = {variable for variable in TEMPLATE_VARIABLES if f"| `{variable}` |" in TEXT}
    assert set(EXPLAINED) - KEYS - single == set()


def test_no_key_is_explained_twice() -> None:
    # `desk` is a key and a variable.
    doubled = {key for key in EXPLAINED if EXPLAINED.count(key) > 1}
    assert doubled <= KEYS & TEMPLATE_VARIABLES


@pytest.mark.parametrize("variable", sorted(TEMPLATE_VARIABLES))
def test_a_variable_is_explained(variable: str) -> None:
    variables = TEXT[TEXT.index("### Variables") :]
    assert re.search(rf"^\| [^|]*`{variable}`[^|]* \| \S", variables, re.MULTILINE)


@pytest.mark.parametrize("name", sorted({*STATUSES, *STATUSES_NEEDED, *TIMER_KINDS}))
def test_a_status_and_a_timer_kind_is_named(name: str) -> None:
    assert f"`{name}`" in TEXT
