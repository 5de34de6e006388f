"""docs/playbooks.md explains every key of a playbook and no others."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from functions.core.domain.recipients import RECIPIENTS, TEAM_IN, TEAM_NAMED
from functions.core.domain.rules import Condition, Effect, Playbook, Section, TimerEffects, Vague
from functions.core.domain.ticket import STATUSES, TIMER_KINDS
from functions.core.playbook import load
from functions.core.playbook.references import STATUSES_NEEDED
from functions.core.text.templating import TEMPLATE_VARIABLES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "playbooks.md").read_text(encoding="utf-8")
ONCE: dict[type[Section], str] = {
    Condition: "when",
    Effect: "then",
    TimerEffects: "on_breach",
    Vague: "vague",
}
"""Sections that occur in many places and are explained once, under this name."""
CALENDAR = {f"calendar.{key}" for key in ("timezone", "hours", "holidays", "workdays")}


def _keys(part: type[Section], at: str) -> Iterator[str]:
    for name, field in part.model_fields.items():
        path = f"{at}.{name}" if at else name
        yield path
        for inner, step in _parts(field.annotation, ""):
            if inner not in ONCE:
                yield from _keys(inner, path + step)


def _parts(annotation: Any, step: str) -> Iterator[tuple[type[Section], str]]:
    """Yield the sections in an annotation and the path to them: `.*` by a name, `[]` in a list."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
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


def test_nested_keys_are_collected() -> None:
    assert {
        "vague.question", "then.add_tags", "steps.*.fields.*.kind", "confirmation.solved",
        "survey.review.within", "on_breach.tell[].to", "when.amount_over",
    } <= KEYS  # fmt: skip


def test_every_key_is_explained_and_no_other() -> None:
    single = {variable for variable in TEMPLATE_VARIABLES if f"| `{variable}` |" in TEXT}
    assert KEYS - set(EXPLAINED) == set()
    assert set(EXPLAINED) - KEYS - single == set()


def test_no_key_is_explained_twice() -> None:
    # `desk` is a key and a variable.
    doubled = {key for key in EXPLAINED if EXPLAINED.count(key) > 1}
    assert doubled <= KEYS & TEMPLATE_VARIABLES


def test_every_variable_is_explained() -> None:
    variables = TEXT[TEXT.index("### Variables") :]
    for name in TEMPLATE_VARIABLES:
        assert re.search(rf"^\| [^|]*`{name}`[^|]* \| \S", variables, re.MULTILINE), name


def test_every_status_timer_kind_and_recipient_is_named() -> None:
    names = (*STATUSES, *STATUSES_NEEDED, *TIMER_KINDS, *RECIPIENTS)
    assert [name for name in names if f"`{name}`" not in TEXT] == []
    for prefix in (TEAM_NAMED, TEAM_IN):
        assert re.search(rf"`{prefix}\S+`", TEXT), prefix


def _choices() -> Iterator[tuple[str, str]]:
    """Yield every choice of a key, with the row that must explain it."""
    for key, annotation in _annotated(Playbook, ""):
        for word in _literals(annotation):
            yield key, word


def _annotated(part: type[Section], at: str) -> Iterator[tuple[str, Any]]:
    for name, field in part.model_fields.items():
        path = f"{at}.{name}" if at else name
        yield path, field.annotation
        for inner, step in _parts(field.annotation, ""):
            yield from _annotated(inner, ONCE.get(inner) or path + step)


def _literals(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from (word for word in get_args(annotation) if isinstance(word, str))
    elif get_origin(annotation) is not dict:  # the languages of a text are explained once
        for argument in get_args(annotation):
            yield from _literals(argument)


def test_every_choice_is_explained() -> None:
    for key, word in set(_choices()):
        (row,) = re.findall(rf"^\| `{re.escape(key)}` \|.*$", TEXT, re.MULTILINE)
        assert f"`{word}`" in row, f"docs/playbooks.md does not say what {key}: {word} does"


@pytest.mark.parametrize("desk", sorted(path.stem for path in (ROOT / "playbooks").glob("*.yaml")))
def test_a_shipped_playbook_is_named_and_valid(desk: str) -> None:
    assert f"`{desk}.yaml`" in TEXT
    assert load(ROOT / "playbooks" / f"{desk}.yaml").desk == desk
