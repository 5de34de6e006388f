"""The facts of a month, made up: their bytes, and what it costs to ask Athena about them (F8).

The facts are those of tickets that are received, routed, answered, resolved, rated and archived.
What they have used is what `make bench` measures of such a life.
"""

from __future__ import annotations

import gzip
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from functions.core.domain.rules import Playbook
from functions.core.reports.columns import COLUMNS, Fact
from functions.core.reports.costs import costs_of
from functions.core.reports.prices import HOME

TICKETS_A_DAY = (1_000, 10_000)
FIRST, DAYS, SAMPLED = date(2026, 11, 1), 30, 3
RUNS_A_DAY = 120
LEAST_SCANNED = 10 * 1024**2
"""The bytes that Athena charges for a query at least."""

_LIFE: tuple[tuple[str, str, int, Mapping[str, float]], ...] = (
    ("TicketReceived|TicketClassified", "received", 0, {"dynamodb.write_unit": 11, "s3.put": 1}),
    ("TicketQueued", "queued", 5, {"dynamodb.write_unit": 5, "ses.sent": 1}),
    ("TicketAssigned", "assigned", 8, {"dynamodb.write_unit": 6, "ses.sent": 1}),
    ("ReplySent", "in_progress", 1500, {"dynamodb.write_unit": 6, "ses.sent": 1}),
    ("TicketResolved", "resolved", 9000, {"dynamodb.write_unit": 6, "ses.sent": 1}),
    ("SurveyAnswered|TicketArchived", "archived", 40000, {"dynamodb.write_unit": 7}),
)
"""Events, status after them, seconds since the receipt, and what only this change used."""
_EVERY = {
    "dynamodb.read_unit": 4.5,
    "lambda.gb_second": 0.21,
    "lambda.request": 2,
    "kms.request": 1,
}
_NAMES = [name for name, _ in COLUMNS]
_NUMBER, _TARGETS = _NAMES.index("number"), _NAMES.index("targets")
_TIMES = [_NAMES.index(name) for name in ("written", "happened", "received", "previous")]
_ACTS = {"in_progress", "resolved"}


def facts_of_a_day(desk: Playbook, day: date, tickets: int) -> Iterator[Fact]:
    """Yield the facts of a day's tickets; each day has the same ones whenever it is asked for."""
    chance = random.Random(day.toordinal())  # noqa: S311 - not a secret
    opens = datetime.combine(day, datetime.min.time(), desk.zone).timestamp()
    types, teams, tags = list(desk.types), list(desk.teams), list(desk.tags) or ["none"]
    for serial in range(tickets):
        received = int(opens) + chance.randrange(40_000)
        kind, team, tag = chance.choice(types), chance.choice(teams), chance.choice(tags)
        agent, channel = f"agent-{chance.randrange(30)}", chance.choice(("web", "mail", "app"))
        previous: int | None = None
        for version, (events, status, later, used) in enumerate(_LIFE, 1):
            happened = received + (later and chance.randrange(later // 2 + 1, later + 2))
            quantities = {**_EVERY, **used}
            is_act = status in _ACTS
            groups = (
                f"type={kind}", f"tag={tag}", f"team={team}", f"agent={agent}",
                f"channel={channel}", "priority=normal",
            )  # fmt: skip
            yield Fact(
                kind="ticket", number=f"CS{day:%Y%m%d}{serial:05}", version=version,
                written=happened + 60, happened=happened, received=received,
                actor=agent if is_act else "system", events=tuple(events.split("|")),
                status=status, type=kind, priority="normal", team=team, handler=agent,
                channel=channel, customer_class="normal", locale="zh-CN", tags=(tag,),
                groups=groups, is_open=int(status not in {"resolved", "archived"}),
                flow=(status,) if status in {"received", "resolved"} else (),
                agent=agent if is_act else "", handling=int(is_act), previous=previous,
                first_response=_took("in_progress", status, happened - received),
                resolution=_took("resolved", status, 1),
                resolution_first=_took("resolved", status, happened - received),
                resolution_full=_took("resolved", status, happened - received),
                work=_took("resolved", status, happened - received),
                one_touch=_took("resolved", status, 1),
                targets=(f"{status}~met~{happened}",) if is_act else (),
                score=chance.randrange(1, 6) if status == "archived" else None,
                usage=tuple(
                    f"{name}~{quantity * chance.uniform(0.8, 1.2):.6g}"
                    for name, quantity in quantities.items()
                ),
            )  # fmt: skip
            previous = happened


def _took(only: str, status: str, value: int) -> int | None:
    return value if status == only else None


@dataclass(frozen=True)
class MonthOfFacts:
    """The facts of a month at one desk, from those of `SAMPLED` days."""

    tickets_a_day: int
    lines: int
    raw_bytes: int
    stored_bytes: int


@dataclass(frozen=True)
class CostsCall:
    """The query of costs over these days: its time on DuckDB, and the cost of AWS's units."""

    days: int
    seconds: float
    usd: Decimal


def month_of_facts(
    desk: Playbook, tickets_a_day: int, folder: Path, days: int = SAMPLED
) -> MonthOfFacts:
    """Write the facts of some days, one object each as after merging, and count them."""
    lines = raw = stored = 0
    sampled: list[list[str]] = []
    for ahead in range(days):
        day = FIRST + timedelta(days=ahead)
        if ahead < SAMPLED:
            texts = [fact.line() for fact in facts_of_a_day(desk, day, tickets_a_day)]
            sampled.append(texts)
        else:
            later = ahead // SAMPLED * SAMPLED
            texts = [_shifted(text, later) for text in sampled[ahead % SAMPLED]]
        body = "".join(f"{text}\n" for text in texts).encode()
        packed = gzip.compress(body, mtime=0)
        file = folder / f"desk={desk.desk}" / f"day={day}" / "facts.tsv.gz"
        file.parent.mkdir(parents=True)
        file.write_bytes(packed)
        lines, raw, stored = lines + len(texts), raw + len(body), stored + len(packed)
    each = DAYS // days
    return MonthOfFacts(tickets_a_day, lines * each, raw * each, stored * each)


def _shifted(line: str, days: int) -> str:
    """Return the line of another ticket, some days later."""
    values, later = line.split("\t"), days * 86_400
    values[_NUMBER] += f"-{days}"
    for column in _TIMES:
        if values[column]:
            values[column] = str(int(values[column]) + later)
    if values[_TARGETS]:
        target, _, at = values[_TARGETS].rpartition("~")
        values[_TARGETS] = f"{target}~{int(at) + later}"
    return "\t".join(values)


def asked_costs(desk: Playbook, folder: Path) -> CostsCall:
    """Ask for the costs of the days that were written."""
    began = time.perf_counter()
    last = FIRST + timedelta(days=SAMPLED - 1)
    table = costs_of(desk, FIRST, last, "channel", HOME, lambda sql: _asked(folder, sql))
    return CostsCall(SAMPLED, time.perf_counter() - began, table.sum.usd)


def query_usage(scanned: int, times: int = 1) -> dict[str, Decimal]:
    """Return the usage of a query that is asked several times: what it scans, 10 MB at least."""
    return {"athena.scanned": Decimal(max(scanned, LEAST_SCANNED) * times) / 1024**3}


def storage_usage(of_month: MonthOfFacts) -> dict[str, Decimal]:
    """Return what it takes to store a month's facts, for a month, and to merge each day's."""
    return {
        "s3.put": Decimal(3 * DAYS),  # two lists and one object for each day
        "s3.get": Decimal(RUNS_A_DAY * DAYS),
        "s3.storage": Decimal(of_month.stored_bytes) / 1024**3,
    }


def facts_view(folder: Path, *, kept: bool = False) -> duckdb.DuckDBPyConnection:
    """Return a database with the facts in a folder; those that are `kept` are read once."""
    if kept and (known := _kept.get(folder)) is not None:
        return known
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS)
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    connection.execute(
        f"CREATE {'TABLE' if kept else 'VIEW'} facts AS SELECT * FROM "  # noqa: S608 - our own files
        f"read_csv('{folder}/desk=*/*/*.tsv.gz', delim='\t', header=false, quote='', escape='', "
        f"columns={{{columns}}}, hive_partitioning=true, "
        "hive_types={'desk': VARCHAR, 'day': VARCHAR})"
    )
    if kept:
        _kept[folder] = connection
    return connection


_kept: dict[Path, duckdb.DuckDBPyConnection] = {}


def _asked(folder: Path, sql: str) -> Iterator[dict[str, str]]:
    with facts_view(folder) as connection:
        result = connection.execute(sql)
        names = [column[0] for column in result.description or ()]
        for row in result.fetchall():
            yield {name: str(value) for name, value in zip(names, row, strict=True)}
