"""Errors of a playbook in its own terms, each with its line and key."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from functions.core.domain.rules import Playbook, Section

Location = tuple[str | int, ...]
"""A location in a playbook: keys and, in lists, indices from 0."""

Problem = tuple[Location, str]
"""A location, and what is wrong there and how to right it."""

Lines = Mapping[Location, int]
"""Location → line of the file, from 1."""

_EXPECTED = {
    "dict_type": "expected keys with values",
    "date_parsing": "expected a day such as 2026-01-31",
    "date_from_datetime_parsing": "expected a day such as 2026-01-31",
    "string_too_short": "expected a text",
    "model_type": "expected keys with values",
    "tuple_type": "expected a list",
    "string_type": "expected a text",
    "int_parsing": "expected a whole number",
    "int_type": "expected a whole number",
    "float_parsing": "expected a number",
}
_EXPECTED_OF_PATTERN = {
    "desk": "expected 2 to 31 lowercase letters, digits and hyphens, starting with a letter",
    "id": "expected lowercase letters, digits and hyphens",
    "address": "expected a mail address",
}


def report(problems: list[Problem], lines: Lines, file: str) -> str:
    """Write problems one per line, each with the file, line and key as far as they are known."""
    return "\n".join(
        dict.fromkeys(f"{_position(at, lines, file)}: {problem}" for at, problem in problems)
    )


def _position(location: Location, lines: Lines, file: str) -> str:
    key = ".".join(map(str, location)) or "playbook"
    known = location
    while known and known not in lines:
        known = known[:-1]
    if not file:
        return key
    return f"{file}:{lines[known]}: {key}" if known in lines else f"{file}: {key}"


def schema_problems(error: ValidationError, root: type[Section] = Playbook) -> list[Problem]:
    problems = []
    for details in error.errors():
        # pydantic appends the branch of a union to the location; no key of a playbook looks so.
        location = tuple(
            part
            for part in details["loc"]
            if not (isinstance(part, str) and ("[" in part or part == "function-before"))
        )
        problems.append((location, _explained(details, location, root)))
    return problems


def _explained(details: ErrorDetails, location: Location, root: type[Section]) -> str:
    kind, value = details["type"], details["input"]
    if kind == "missing":
        return "this key is missing"
    if kind == "extra_forbidden":
        return f"unknown key, expected one of {', '.join(_keys_at(location[:-1], root))}"
    if kind == "string_pattern_mismatch":
        separator = "underscores" if "_" in details["ctx"]["pattern"] else "hyphens"
        name = f"expected a name of lowercase letters, digits and {separator}, "
        name += "starting with a letter"
        return f"{_EXPECTED_OF_PATTERN.get(str(location[-1]), name)}, got '{value}'"
    expected = _EXPECTED.get(kind, details["msg"].replace("Input should be", "expected"))
    if "got " in expected or isinstance(value, (dict, list, tuple, type(None))):
        return expected
    return f"{expected}, got '{value}'"


def _keys_at(location: Location, section: type[Section]) -> tuple[str, ...]:
    is_entry = False
    for key in location:
        if is_entry:
            is_entry = False
            continue
        annotation = section.model_fields[str(key)].annotation
        is_entry = get_origin(annotation) in (dict, tuple)
        section = next(_sections(annotation), section)
    return tuple(field.alias or name for name, field in section.model_fields.items())


def _sections(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for argument in get_args(annotation):
        yield from _sections(argument)
