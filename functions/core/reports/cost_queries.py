"""The query of what a desk's facts have used and cost (F8).

The text is the same for Athena and for DuckDB, which the tests and the local system run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

CostsBy = Literal["desk", "channel", "ticket", "day"]
"""The subject of a line of costs."""

_KEYS: dict[CostsBy, str] = {
    "desk": "desk",
    "channel": "coalesce(channel, '')",
    "ticket": "CASE WHEN kind = 'ticket' THEN number ELSE '' END",
    "day": "day",
}

AGENT, COMPENSATION, PART = "agent", "compensation", "part "
"""The names of an agent's seconds, of money given to customers, and, before its name, of a part;
any other name is that of a price."""


def cost_query(
    desk: str,
    first: date,
    last: date,
    by: CostsBy,
    act_at_most: timedelta,
    changes: Iterable[date] = (),
) -> str:
    """Return the SQL that adds up the facts of these local days, both included.

    Its rows are `cost_key`, `priced_on`, `name`, `quantity`: units by price name, and the names
    above. An act of a person of the desk counts for the time since the agent's act before, since
    the change before of the ticket, or `act_at_most`, whichever is the least. The day before
    `first` is read for the acts before.

    Athena reads a quantity such as `1e-06` as a double only; their sums are exact.

    Args:
        changes: the days on which a price changes. Rows are apart for each, as `priced_on` says.
    """
    most = int(act_at_most.total_seconds())
    return f"""\
WITH newest AS (
  SELECT *, row_number() OVER (PARTITION BY kind, number, version ORDER BY written DESC) AS nth
  FROM facts
  WHERE desk = '{desk}' AND day BETWEEN '{first - timedelta(days=1)}' AND '{last}'
), acts AS (
  SELECT
    day, usage, parts, compensation, {_KEYS[by]} AS cost_key,
    kind = 'ticket' AND handling = 1 AS is_act,
    happened - previous AS of_ticket,
    happened - lag(happened) OVER (
      PARTITION BY kind, handling, actor ORDER BY happened, number, version
    ) AS of_agent
  FROM newest
  WHERE nth = 1
), used AS (
  SELECT
    cost_key, {_priced_on(first, last, changes)} AS priced_on,
    coalesce(usage, '') || '|'
    || CASE WHEN is_act THEN '{AGENT}~' || CAST(
      least(coalesce(of_agent, {most}), coalesce(of_ticket, {most}), {most}) AS varchar
    ) ELSE '' END || '|'
    || CASE WHEN parts <> '' THEN '{PART}' || replace(parts, '|', '~1|{PART}') || '~1' ELSE '' END
    || CASE WHEN compensation <> '' THEN '|{COMPENSATION}~' || compensation ELSE '' END AS entries
  FROM acts
  WHERE day >= '{first}'
)
SELECT
  cost_key, priced_on, split_part(entry, '~', 1) AS name,
  CAST(sum(CAST(CAST(split_part(entry, '~', 2) AS double) AS decimal(38, 12))) AS varchar)
    AS quantity
FROM used CROSS JOIN UNNEST(split(entries, '|')) AS t(entry)
WHERE entry <> ''
GROUP BY cost_key, priced_on, split_part(entry, '~', 1)
ORDER BY cost_key, priced_on, name"""  # noqa: S608 - a desk's name is a slug, and dates are ours


Weights = Mapping[tuple[date, str], Decimal]
"""First day with the same prices and name (as in the rows of `cost_query`) → what one costs."""


def total_query(query: str, weights: Weights) -> str:
    """Return the SQL that gives each key of a `cost_query` its `total`, in one row."""
    branches = " ".join(
        f"WHEN priced_on = '{day}' AND name = {_text(name)} THEN {weight:f}e0"
        for (day, name), weight in weights.items()
        if weight
    )
    weight = f"CASE {branches} ELSE 0e0 END" if branches else "0e0"
    return f"""\
SELECT cost_key, sum(CAST(quantity AS double) * {weight}) AS total
FROM ({query}) AS used
WHERE cost_key <> ''
GROUP BY cost_key
ORDER BY cost_key"""  # noqa: S608 - names are quoted


def _text(value: str) -> str:
    quoted = value.replace("'", "''")
    return f"'{quoted}'"


def _priced_on(first: date, last: date, changes: Iterable[date]) -> str:
    """Return an expression of the first day with the same prices as a row's."""
    within = sorted((day for day in changes if first < day <= last), reverse=True)
    if not within:
        return f"'{first}'"
    later = " ".join(f"WHEN day >= '{day}' THEN '{day}'" for day in within)
    return f"CASE {later} ELSE '{first}' END"
