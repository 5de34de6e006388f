"""The figures of reports: each is declared once, in words and in SQL (`docs/reports.md`).

The SQL is read over the CTE `changes` of `functions/reports/queries.py`: a row for each change of a
ticket, with what became of the ticket before the end of the period. Athena and DuckDB both read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from functions.core.reports.report import Dimension

DEFINITIONS = 1
"""The version of the definitions; it changes when one of them does."""

REOPENED_WITHIN = timedelta(days=7)

Measure = Literal["count", "duration", "share", "sla", "csat", "backlog", "collaboration", "list",
                  "cost"]  # fmt: skip
"""The kind of a figure's values; the shapes are in `report.py`."""


@dataclass(frozen=True)
class Figure:
    """A figure: its words, and the rows behind it.

    - `rows`: the rows of `changes` that it is about, empty if no row is (backlog and cost);
    - `value`, `business`: of a row, in seconds, or a score;
    - `hit`: 1 if the row counts for the share;
    - `left_out`: why a row does not count, empty if it does;
    - `items`: the list column each entry of which is a row of its own, as `item`;
    - `part`: by which these are shown apart;
    - `at`: the Unix time by which a row belongs to a period, if not when it happened.
    """

    measure: Measure
    rows: str = ""
    value: str = "NULL"
    business: str = "NULL"
    hit: str = "NULL"
    left_out: str = "excluded"
    items: str = ""
    part: str = "''"
    at: str = ""

    @property
    def seconds(self) -> bool:
        """Return whether the values are durations."""
        return self.measure in {"duration", "collaboration"}

    @property
    def keyed_by_ticket(self) -> bool:
        """Return whether a ticket is behind the figure at most once in a period."""
        return self.measure in {"count", "duration", "share"}


_LAST_RESOLUTION = "resolution IS NOT NULL AND from_last = 1"

FIGURES: dict[str, Figure] = {
    "volume": Figure(
        "count",
        rows="is_received = 1",
        left_out="CASE WHEN last_target <> '' THEN 'merged' ELSE last_excluded END",
    ),
    "first_response": Figure(
        "duration",
        rows="first_response IS NOT NULL",
        value="first_response",
        business="first_response_business",
    ),
    "first_response_after_handover": Figure(
        "duration",
        rows="after_handover IS NOT NULL",
        value="after_handover",
        business="after_handover_business",
    ),
    "resolution_first": Figure(
        "duration",
        rows="resolution_first IS NOT NULL",
        value="resolution_first",
        business="resolution_first_business",
    ),
    "resolution_full": Figure(
        "duration",
        rows=_LAST_RESOLUTION,
        value="resolution_full",
        business="resolution_full_business",
    ),
    "work_time": Figure(
        "duration",
        rows=_LAST_RESOLUTION + " AND work IS NOT NULL",
        value="work",
        business="work_business",
    ),
    "reopened": Figure(
        "share",
        rows=_LAST_RESOLUTION,
        hit="reopened_soon",
    ),
    "one_touch": Figure(
        "share",
        rows=_LAST_RESOLUTION,
        hit="CASE WHEN reopened_at IS NULL THEN coalesce(one_touch, 0) ELSE 0 END",
    ),
    "first_time_fix": Figure(
        "share",
        rows=_LAST_RESOLUTION,
        hit="CASE WHEN reopened_at IS NULL THEN coalesce(first_time_fix, 0) ELSE 0 END",
    ),
    "sla": Figure(
        "sla",
        rows="targets <> ''",
        hit="CASE WHEN split_part(item, '~', 2) = 'met' THEN 1 ELSE 0 END",
        left_out="CASE WHEN split_part(item, '~', 2) = 'cancelled' THEN 'cancelled' "
        "ELSE excluded END",
        items="targets",
        part="split_part(item, '~', 1)",
        at="TRY_CAST(split_part(item, '~', 3) AS bigint)",
    ),
    "csat": Figure(
        "csat",
        rows="score IS NOT NULL OR survey_expired = 1",
        value="score",
        hit="good",
        left_out="CASE WHEN score IS NULL THEN 'unanswered' ELSE excluded END",
    ),
    "backlog": Figure(
        "backlog",
    ),
    "collaboration": Figure(
        "collaboration",
        rows="collaborations <> ''",
        value="TRY_CAST(split_part(item, '~', 2) AS bigint)",
        business="TRY_CAST(split_part(item, '~', 3) AS bigint)",
        hit="TRY_CAST(split_part(item, '~', 4) AS bigint)",
        items="collaborations",
        part="split_part(item, '~', 1)",
    ),
    "assistant": Figure(
        "list",
        rows="outcome <> ''",
        items="outcome",
        part="item",
    ),
    "parts": Figure(
        "list",
        rows="parts <> ''",
        items="parts",
        part="item",
    ),
    "cost": Figure(
        "cost",
    ),
}
"""The figures by their names in the API, in the order of reports."""

BEHIND = {name: figure for name, figure in FIGURES.items() if figure.rows}
"""The figures that rows of facts are behind."""

DIMENSIONS: tuple[Dimension, ...] = (
    "type",
    "tag",
    "team",
    "agent",
    "channel",
    "priority",
    "product",
)
"""The values by which tables divide the figures."""

SINGLE = ("type", "channel", "priority")
"""Dimensions of which each ticket has exactly one value."""
