"""The columns of a fact, and its line in S3 (decision 38).

A fact is one change of a ticket, an agent who came or went, or a chat that ended. It holds terms,
numbers, times and usernames: no free text and nothing personal. Facts are stored as tab-separated
lines that Athena reads by the columns of the table `facts` (`infra/templates/foundation.yaml`), so
columns are only ever added, at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

SCHEMA_VERSION = 1

Kind = Literal["ticket", "presence", "chat"]


@dataclass(frozen=True)
class Fact:
    """One line. Times are Unix seconds and durations seconds; None and empty are both empty.

    - `written`: of the lines of the same `kind`, `number` and `version` the newest counts;
    - `actor`: `customer`, `system` or a username; `agent`: to whom the measures belong;
    - `status` to `tags`: the ticket after the change; `is_open`: it is in the backlog;
    - `groups`: the values by which reports divide figures, such as `team=Support`;
    - `flow`: `received`, `reopened`, `unmerged`, `resolved`, `closed`, `merged`;
    - `…_business`: the same in the desk's opening hours;
    - `targets`: `kind~state~time` of each timer that ended, by the time at which it counts;
    - `collaborations`: `team~seconds~business~in time` of each answer of a department;
    - `handling`: a person of the desk made the change; `previous`: time of the change before;
    - `presence`: whether the agent came; `outcome`: how the assistant's chat ended;
    - `usage`: `price~quantity` of what the change used (`prices.json`).
    """

    kind: Kind
    number: str
    version: int
    written: int
    happened: int
    schema_version: int = SCHEMA_VERSION
    received: int | None = None
    actor: str = ""
    events: tuple[str, ...] = ()
    status: str = ""
    status_before: str = ""
    type: str = ""
    priority: str = ""
    team: str = ""
    handler: str = ""
    channel: str = ""
    product: str = ""
    customer_class: str = ""
    locale: str = ""
    mood: str = ""
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    is_open: int = 0
    flow: tuple[str, ...] = ()
    merged_into: str = ""
    resolution: int | None = None
    agent: str = ""
    first_response: int | None = None
    first_response_business: int | None = None
    after_handover: int | None = None
    after_handover_business: int | None = None
    resolution_first: int | None = None
    resolution_first_business: int | None = None
    resolution_full: int | None = None
    resolution_full_business: int | None = None
    work: int | None = None
    work_business: int | None = None
    one_touch: int | None = None
    first_time_fix: int | None = None
    score: int | None = None
    good: int | None = None
    survey_expired: int | None = None
    targets: tuple[str, ...] = ()
    running: int = 0
    collaborations: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    compensation: str = ""
    handling: int = 0
    previous: int | None = None
    presence: int | None = None
    outcome: str = ""
    excluded: str = ""
    usage: tuple[str, ...] = ()

    def line(self) -> str:
        """Return the tab-separated line of the fact."""
        return "\t".join(_written(getattr(self, name)) for name, _ in COLUMNS)


def _columns() -> tuple[tuple[str, str], ...]:
    numbers = {"int", "int | None"}
    named = {field.name: str(field.type) for field in fields(Fact)}
    order = ("schema_version", *(name for name in named if name != "schema_version"))
    return tuple((name, "bigint" if named[name] in numbers else "string") for name in order)


COLUMNS = _columns()
"""Each column and its type in Athena."""

_LISTS = frozenset(
    field.name for field in fields(Fact) if str(field.type).startswith("tuple")
)  # fmt: skip
_INTEGERS = frozenset(name for name, kind in COLUMNS if kind == "bigint")


def fact_of_line(line: str) -> Fact:
    """Read the line of a fact; columns that an older line does not have are empty.

    Raises:
        ValueError: it is not a line of a fact.
    """
    values: dict[str, object] = {}
    for (name, _), text in zip(COLUMNS, line.rstrip("\n").split("\t"), strict=False):
        if not text:
            continue
        if name in _INTEGERS:
            values[name] = int(text)
        else:
            values[name] = tuple(text.split("|")) if name in _LISTS else text
    try:
        return Fact(**values)  # type: ignore[arg-type]  # by name, as written
    except TypeError as error:
        raise ValueError(f"not a fact: {line[:80]!r}") from error


def value_of(text: str) -> str:
    """Return a text as a value of a list or column: without the characters that divide them."""
    return " ".join(text.replace("|", " ").replace("~", " ").split())


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "|".join(str(part) for part in value)
    return str(value)
