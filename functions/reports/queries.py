"""The SQL of reports. Athena and DuckDB read the same text, and each query scans the facts once.

A query names the desk and the days it reads (partitions), as Athena bills by what it scans.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from functions.core.reports.figures import BEHIND, REOPENED_WITHIN
from functions.core.reports.periods import Period

LOOK_BACK = timedelta(days=62)
"""The time before a period that can matter to it: a deadline counts up to 60 days later than it was
met."""
WITHIN = int(REOPENED_WITHIN.total_seconds())
"""The seconds within which a reopening counts for the resolution before it."""
BACKLOG_LOOK_BACK = timedelta(days=7)
"""The delay after which a late row is not put into a backlog any more."""
ONLINE_LOOK_BACK = timedelta(days=7)
"""The time before a period in which an agent may have come online who still is."""


@dataclass(frozen=True)
class TimeSpan:
    """A span of time by its name, `start` ≤ t < `end`."""

    name: str
    start: datetime
    end: datetime

    @classmethod
    def of(cls, period: Period, zone: ZoneInfo) -> TimeSpan:
        return cls(period.name, period.start(zone), period.end(zone))


@dataclass(frozen=True)
class Queries:
    """The queries about a desk, whose days are those of `zone`."""

    desk: str
    zone: ZoneInfo

    def statistics(self, spans: Sequence[TimeSpan]) -> str:
        """Ask for each figure by span and group (`all`, `team=…`, `item=…`).

        Columns: span, figure, grp; n (rows that count), hits, judged (rows that could be
        hits), left_out (rows that do not count); of the values and business values: mean, median
        and p90. The median is the mean of the two middle
        values, p90 the ceil(0.9 n)-th.
        """
        return f"""{self._measures(spans, min(span.start for span in spans))},
parted AS (
  SELECT span, figure, reason, hit,
    CASE WHEN grp LIKE 'by=%' THEN 'agent=' || substr(grp, 4) ELSE grp END AS grp,
    CASE WHEN reason = '' THEN measured END AS wall,
    CASE WHEN reason = '' THEN measured_business END AS business
  FROM measures
  CROSS JOIN UNNEST(split('all|' || last_groups || CASE WHEN agent <> '' THEN '|by=' || agent
    ELSE '' END || '|item=' || part, '|')) AS g(grp)
  WHERE span IS NOT NULL AND grp <> '' AND NOT (agent <> '' AND grp LIKE 'agent=%')
),
ranked AS (
  SELECT span, figure, grp, reason, hit, wall, business,
    row_number() OVER (PARTITION BY span, figure, grp ORDER BY wall) AS wall_rank,
    count(wall) OVER (PARTITION BY span, figure, grp) AS wall_count,
    row_number() OVER (PARTITION BY span, figure, grp ORDER BY business) AS business_rank,
    count(business) OVER (PARTITION BY span, figure, grp) AS business_count
  FROM parted
)
SELECT span, figure, grp,
  sum(CASE WHEN reason = '' THEN 1 ELSE 0 END) AS n,
  sum(CASE WHEN reason = '' THEN coalesce(hit, 0) ELSE 0 END) AS hits,
  count(CASE WHEN reason = '' THEN hit END) AS judged,
  sum(CASE WHEN reason = '' THEN 0 ELSE 1 END) AS left_out,
  {_statistics("wall")},
  {_statistics("business")}
FROM ranked GROUP BY span, figure, grp"""

    def details(self, span: TimeSpan, earlier: Sequence[TimeSpan], written_since: datetime) -> str:
        """Ask for the rows behind each figure, in the order of the figures' names and tickets.

        Those of earlier spans are included if their ticket changed in the span, or has rows that
        were written since.

        Args:
            earlier: spans within `LOOK_BACK` before the span.
        """
        begin = _seconds(span.start)
        return f"""{self._measures([span, *earlier], span.start)}
SELECT span, figure, number, version, item, agent, last_groups, measured, measured_business, hit,
  reason, last_target
FROM measures
WHERE span = {_text(span.name)} OR (span IS NOT NULL
  AND (touched >= {begin} OR rewritten >= {_seconds(written_since)}))
ORDER BY figure, number, version, item"""

    def states(self, span: TimeSpan, *, all_before: bool = False) -> str:
        """Ask for each ticket that changed in a span, or in the week before it.

        Columns: number, received, groups and running at the end; is_open at the end and
        was_open at the start (empty: no row before it); and how often each flow was in the span.

        Args:
            all_before: ask for all tickets, however long ago they changed.
        """
        begin = _seconds(span.start)
        since = None if all_before else span.start - BACKLOG_LOOK_BACK
        flows = ",\n  ".join(
            f"sum(CASE WHEN happened >= {begin} AND {_has('flow', flow)} THEN 1 ELSE 0 END)"
            f" AS {flow}_count"
            for flow in FLOWS
        )
        return f"""{self._lines(since, span.end)},
states AS (
  SELECT number, received, happened, flow, is_open, running, groupings,
    row_number() OVER (PARTITION BY number ORDER BY version DESC) AS from_last,
    row_number() OVER (PARTITION BY number, happened >= {begin} ORDER BY version DESC) AS from_part
  FROM lines WHERE newest = 1 AND kind = 'ticket'
)
SELECT number,
  max(CASE WHEN from_last = 1 THEN received END) AS received,
  max(CASE WHEN from_last = 1 THEN groupings END) AS groupings,
  max(CASE WHEN from_last = 1 THEN running END) AS running,
  max(CASE WHEN from_last = 1 THEN is_open END) AS is_open,
  max(CASE WHEN from_part = 1 AND happened < {begin} THEN is_open END) AS was_open,
  max(CASE WHEN from_part = 1 AND happened < {begin} THEN running END) AS was_running,
  {flows}
FROM states GROUP BY number"""

    def working_time(self, span: TimeSpan, act_at_most: timedelta) -> str:
        """Ask by agent for `handling`, `signed_in` (seconds) and `tickets` handled in a span.

        An act takes the time since the agent's act before, or since the ticket's change before if
        that is shorter, and at most `act_at_most`.
        """
        begin, end = _seconds(span.start), _seconds(span.end)
        return f"""{self._lines(span.start - ONLINE_LOOK_BACK, span.end)},
acts AS (
  SELECT kind, number, happened, coalesce(online, 0) AS online,
    CASE WHEN kind = 'presence' THEN number ELSE actor END AS person,
    {int(act_at_most.total_seconds())} AS most,
    happened - coalesce(previous, 0) AS since_change,
    happened - coalesce(lag(happened) OVER (PARTITION BY kind, CASE WHEN kind = 'presence'
      THEN number ELSE actor END ORDER BY happened, number, version), 0) AS since_act,
    lead(happened) OVER (PARTITION BY kind, CASE WHEN kind = 'presence'
      THEN number ELSE actor END ORDER BY happened, number, version) AS next_at
  FROM lines WHERE newest = 1 AND (kind = 'presence' OR handling = 1)
)
SELECT person,
  sum(CASE WHEN kind = 'ticket' AND happened >= {begin}
    THEN least(since_change, since_act, most) ELSE 0 END) AS handling,
  sum(CASE WHEN online = 1 THEN greatest(0, coalesce(next_at, {end}) - greatest(happened, {begin}))
    ELSE 0 END) AS signed_in,
  count(DISTINCT CASE WHEN kind = 'ticket' AND happened >= {begin} THEN number END) AS tickets
FROM acts GROUP BY person"""

    def counts_by_day(self, start: datetime, end: datetime) -> str:
        """Ask for the tickets received by local day and group, as jumps compare them.

        Columns: day, grp, n. Groups are types, tags and products, and the types and tags of a
        product: `product=KFR-35&tag=漏水`. Merged tickets are left out.
        """
        return f"""{self._changes(start, end, "CAST(day AS varchar)")}
SELECT span AS local_day, prefix || grp AS named, count(*) AS n
FROM changes
CROSS JOIN UNNEST(split(last_groups, '|')) AS g(grp)
CROSS JOIN UNNEST(split(CASE WHEN last_product = '' THEN ''
  ELSE '|product=' || last_product || '&' END, '|')) AS p(prefix)
WHERE is_received = 1 AND last_target = '' AND last_excluded = ''
  AND (grp LIKE 'type=%' OR grp LIKE 'tag=%' OR (grp LIKE 'product=%' AND prefix = ''))
GROUP BY span, prefix || grp"""

    def first_day(self, until: datetime) -> str:
        """Ask for the Unix time `first_at` of the desk's first fact."""
        return (
            f"SELECT min(happened) AS first_at FROM facts WHERE desk = {_text(self.desk)} "
            f"AND day BETWEEN '2020-01-01' AND '{self._day(until)}'"
        )

    def _day(self, at: datetime) -> str:
        return at.astimezone(self.zone).date().isoformat()

    def _lines(self, start: datetime | None, end: datetime, span: str = "''") -> str:
        """Write `lines`: the facts, of which those with `newest` > 1 are replaced by newer ones.

        Args:
            span: an expression that names a row's span.
        """
        texts = ", ".join(f"coalesce({name}, '') AS {name}" for name in _TEXTS)
        first = "2020-01-01" if start is None else self._day(start)
        return f"""WITH lines AS (
  SELECT kind, number, version, written, happened, received, resolution, first_response,
    first_response_business, after_handover, after_handover_business, resolution_first,
    resolution_first_business, resolution_full, resolution_full_business, work, work_business,
    one_touch, first_time_fix, score, good, survey_expired, handling, previous, is_open, running,
    presence AS online, coalesce(groups, '') AS groupings, {texts},
    {span} AS span,
    row_number() OVER (PARTITION BY kind, number, version ORDER BY written DESC) AS newest
  FROM facts
  WHERE desk = {_text(self.desk)} AND day BETWEEN '{first}' AND '{self._day(end)}'
    AND happened < {_seconds(end)}
)"""

    def _changes(self, start: datetime, end: datetime, span: str) -> str:
        """Write `changes`: the lines with what became of their ticket before the end.

        Args:
            span: an expression that names a row's span.
        """
        whole = (
            "OVER (PARTITION BY kind, number ORDER BY version "
            "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
        )
        return f"""{self._lines(start, end, span)},
marked AS (
  SELECT lines.*,
    CASE WHEN {_has("flow", "received")} THEN 1 ELSE 0 END AS is_received,
    last_value(groupings) {whole} AS last_groups,
    last_value(product) {whole} AS last_product,
    last_value(merged_into) {whole} AS last_target,
    last_value(excluded) {whole} AS last_excluded,
    max(happened) {whole} AS touched,
    max(written) {whole} AS rewritten,
    min(CASE WHEN {_has("flow", "reopened")} THEN happened END) OVER (PARTITION BY kind, number
      ORDER BY version ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS reopened_at,
    row_number() OVER (PARTITION BY kind, number, span, resolution IS NOT NULL
      ORDER BY version DESC) AS from_last
  FROM lines WHERE newest = 1 AND kind <> 'presence'
),
changes AS (
  SELECT marked.*,
    max(CASE WHEN resolution IS NOT NULL AND reopened_at - happened <= {WITHIN} THEN 1 ELSE 0 END)
      OVER (PARTITION BY kind, number, span) AS reopened_soon
  FROM marked
)"""

    def _measures(self, spans: Sequence[TimeSpan], start: datetime) -> str:
        """Write `measures`: a row for each row behind a figure, with the span in which it counts.

        A change can count in a later span, so `LOOK_BACK` before `start` is read.
        """
        end = max(span.end for span in spans)
        items = _by_figure(
            {name: figure.items for name, figure in BEHIND.items() if figure.items}, "'-'"
        )
        columns = {
            "counts_at": {name: figure.at for name, figure in BEHIND.items() if figure.at},
            "part": {name: figure.part for name, figure in BEHIND.items()},
            "measured": {name: figure.value for name, figure in BEHIND.items()},
            "measured_business": {name: figure.business for name, figure in BEHIND.items()},
            "hit": {name: figure.hit for name, figure in BEHIND.items()},
            "reason": {name: figure.left_out for name, figure in BEHIND.items()},
        }
        written = ",\n    ".join(
            f"{_by_figure(values)} AS {column}" for column, values in columns.items()
        )
        rows = " OR ".join(
            f"(figure = '{name}' AND ({figure.rows}))" for name, figure in BEHIND.items()
        )
        named = ", ".join(f"'{name}'" for name in BEHIND)
        return f"""{self._changes(start - LOOK_BACK, end, _span_at("happened", spans))},
behind AS (
  SELECT number, version, figure, item, agent, last_groups, last_target, touched, rewritten, span,
    {written}
  FROM changes
  CROSS JOIN UNNEST(ARRAY[{named}]) AS f(figure)
  CROSS JOIN UNNEST(split({items}, '|')) AS i(item)
  WHERE {rows}
),
measures AS (
  SELECT number, version, figure, item, agent, last_groups, last_target, touched, rewritten, part,
    measured, measured_business, hit, reason,
    CASE WHEN counts_at IS NULL THEN span ELSE {_span_at("counts_at", spans)} END AS span
  FROM behind
)"""


FLOWS = ("received", "reopened", "unmerged", "resolved", "closed", "merged")

_TEXTS = (
    "actor", "flow", "product", "agent", "merged_into", "excluded", "targets", "collaborations",
    "parts", "outcome",
)  # fmt: skip


def _statistics(column: str) -> str:
    """Write mean, median and p90 of a column of `ranked`. Positions are compared, not divided."""
    rank, count = f"{column}_rank", f"{column}_count"
    return (
        f"avg({column}) AS {column}_mean, "
        f"avg(CASE WHEN 2 * {rank} - {count} BETWEEN 0 AND 2 THEN {column} END)"
        f" AS {column}_median, "
        f"min(CASE WHEN 10 * {rank} >= 9 * {count} THEN {column} END) AS {column}_p90"
    )


def _by_figure(values: Mapping[str, str], other: str = "NULL") -> str:
    """Write the expression that has each figure's own value."""
    figures: dict[str, list[str]] = {}
    for name, value in values.items():
        figures.setdefault(value, []).append(name)
    branches = " ".join(
        f"WHEN figure IN ({', '.join(map(_text, names))}) THEN {value}"
        for value, names in figures.items()
        if value != other
    )
    return f"CASE {branches} ELSE {other} END"


def _span_at(at: str, spans: Sequence[TimeSpan]) -> str:
    """Write the expression that names the span in which a Unix time lies."""
    branches = " ".join(
        f"WHEN {at} >= {_seconds(span.start)} AND {at} < {_seconds(span.end)}"
        f" THEN {_text(span.name)}"
        for span in spans
    )
    return f"CASE {branches} END"


def _has(column: str, value: str) -> str:
    return f"strpos('|' || {column} || '|', '|{value}|') > 0"


def _text(value: str) -> str:
    quoted = value.replace("'", "''")
    return f"'{quoted}'"


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
