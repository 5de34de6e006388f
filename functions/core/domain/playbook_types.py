"""The value types of a playbook's keys: durations, texts in both languages, names, amounts.

Each accepts the forms that `docs/playbooks.md` describes under "How things are written", and its
errors say what was expected.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
)
from pydantic_core import PydanticCustomError

from functions.core.domain.privacy import COUNTED, FREE_TEXT, TERM, Holds

Locale = Literal["zh-CN", "en"]
LOCALES: tuple[Locale, ...] = ("zh-CN", "en")

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(\d+)\s*([smhdw])")


def parse_duration(value: object) -> timedelta:
    """Read `"90s"`, `"30m"`, `"2h"`, `"1h30m"` or `"3d"`. A day is 24 hours."""
    if isinstance(value, timedelta):
        return value
    text = str(value).strip()
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text).strip():
        raise PydanticCustomError(
            "duration", "expected a duration such as 30m, 2h or 3d, got '{text}'", {"text": text}
        )
    return sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in parts), timedelta())


def format_duration(duration: timedelta) -> str:
    """Write a duration as `parse_duration` reads it: `"1d16h"`. Fractions of a second are lost."""
    seconds, parts = int(duration.total_seconds()), []
    for unit in ("d", "h", "m", "s"):
        size = int(timedelta(**{_UNITS[unit]: 1}).total_seconds())
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


Duration = Annotated[
    timedelta, BeforeValidator(parse_duration), PlainSerializer(format_duration, when_used="json")
]


def longer_than_zero(duration: timedelta) -> timedelta:
    if duration <= timedelta():
        raise PydanticCustomError("duration", "expected a duration longer than zero")
    return duration


Wait = Annotated[Duration, AfterValidator(longer_than_zero)]
"""A duration longer than zero."""


def _in_both_locales(value: object) -> object:
    if isinstance(value, str) or not isinstance(value, Mapping):
        raise PydanticCustomError(
            "text", "expected a text in each language ({locales}), got '{value}'",
            {"locales": ", ".join(LOCALES), "value": str(value)[:60]},
        )  # fmt: skip
    missing = [locale for locale in LOCALES if not value.get(locale)]
    if missing:
        raise PydanticCustomError(
            "text", "the text in {missing} is missing", {"missing": ", ".join(missing)}
        )
    return value


Text = Annotated[dict[Locale, str], BeforeValidator(_in_both_locales)]


def _same_in_both(value: object) -> object:
    return dict.fromkeys(LOCALES, value) if isinstance(value, str) and value else value


Signature = Annotated[Text, BeforeValidator(_same_in_both)]
"""A text in each language, or one for both."""


def _with_labels(value: object) -> object:
    """Return choices without labels for a list of names."""
    return dict.fromkeys(value) if isinstance(value, list | tuple) else value


Choices = Annotated[dict[str, Text | None], BeforeValidator(_with_labels)]
"""Choices with their labels, or a list of choices that have none."""


def as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
"""One name or a list of names."""


def _not_blank(word: str) -> str:
    # Every text contains an empty word.
    if not word.strip():
        raise PydanticCustomError("word", "expected a word, got an empty text")
    return word


Word = Annotated[str, AfterValidator(_not_blank)]
Words = Annotated[tuple[Word, ...], BeforeValidator(as_tuple)]
"""One keyword or a list of keywords, looked for in the customer's text."""

MAIL_ADDRESS = r"[^@\s]+@[^@\s]+"

PUBLIC_URL = r"https://([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9](/[A-Za-z0-9_-]+)?"


def is_public_url(value: str) -> bool:
    """Tell whether links can begin with this URL: a name, and at most one part of a path."""
    return re.fullmatch(PUBLIC_URL, value) is not None


def _public_url(value: str) -> str:
    if not is_public_url(value):
        raise PydanticCustomError(
            "public_url",
            "expected a URL such as https://help.example.com or https://example.com/help, "
            "got '{value}'",
            {"value": value[:80]},
        )
    return value


PublicUrl = Annotated[str, AfterValidator(_public_url)]
"""The URL under which customers reach a desk, without a slash at its end."""

SLUG = r"^[a-z][a-z0-9-]{0,39}$"
Slug = Annotated[str, Field(pattern=SLUG)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Amount = Annotated[Decimal, PlainSerializer(float, when_used="json")]
"""A sum of money; a number in JSON."""

StepFieldKind = Literal["text", "time", "date", "number", "choice", "list"]

STEP_FIELD_HOLDS: dict[StepFieldKind, Holds] = {
    "text": FREE_TEXT,
    "time": TERM,
    "date": FREE_TEXT,  # stored ones were not checked before
    "number": COUNTED,
    "choice": TERM,
    "list": COUNTED,
}
"""Kind of a step's field → the mark of its text (`privacy`); times and choices have a form."""


AskedField = Literal[
    "product.name", "product.model", "product.serial", "product.purchased_on",
    "proof_of_purchase", "order", "since", "environment", "attempted",
]  # fmt: skip
"""The fields of a request beside its description that a customer can fill in."""


class Section(BaseModel):
    """The base of all parts of a playbook: immutable, and unknown keys are errors."""

    # Building the schema at first use, for all parts together, keeps cold starts short.
    model_config = ConfigDict(
        defer_build=True, extra="forbid", frozen=True, hide_input_in_errors=False
    )
