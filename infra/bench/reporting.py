"""Measure a desk's reports of a month: time, memory, and what AWS charges for them (F8).

The function's own code writes them over a month of facts in DuckDB, in a process of its own, so
that its memory is the function's. What a run takes for what has changed is counted on a deployment.
"""

from __future__ import annotations

import csv
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from functions.core.platform import clock
from functions.core.reports.jumps import DAYS_BEFORE
from functions.core.reports.periods import Period
from functions.core.storage.reports import StoredReports
from functions.reports.reporting import WRITTEN_AFTER, Reporting
from infra.bench import costs
from infra.bench.emulator import DESK
from infra.bench.reports import DAYS, FIRST, RUNS_A_DAY, MonthOfFacts, facts_view, query_usage
from infra.bench.ticket_life import VirtualClock, lives
from infra.bench.usage import memory, warm_gb_seconds
from infra.simulator.simulator import Invocation, Simulator

STEPS_OF_A_LIFE = 4
"""The runs in which a ticket has changed: received, answered, resolved, rated."""
PAGE = 1000
"""The rows of a page of Athena's results."""
_DAYS_READ = re.compile(r"day BETWEEN '(\S+)' AND '(\S+)'")


@dataclass
class Written:
    """The time, memory and calls of a report; `days`: how many days each query reads."""

    cpu_seconds: float = 0
    peak_mb: float = 0
    days: list[int] = field(default_factory=list)
    pages: int = 0
    objects: Counter[str] = field(default_factory=Counter)
    adds_up: bool = True

    def usage(self, of_month: MonthOfFacts) -> dict[str, Decimal]:
        """Return what AWS charges for them; a day has as many bytes as the month's on average."""
        a_day, megabytes = of_month.stored_bytes // DAYS, memory()["reports"]
        waits = (
            len(self.days) * costs.ASSUMPTIONS["athena.query_ms"]
            + self.pages * costs.ASSUMPTIONS["athena.page_ms"]
            + self.objects.total() * costs.ASSUMPTIONS["lambda.call_ms"]
        ) / 1000
        computed = Decimal(str(self.cpu_seconds)) * costs.ASSUMPTIONS["lambda.mb_of_a_vcpu"]
        return costs.plus(
            *(query_usage(days * a_day) for days in self.days),
            {
                # Athena stores the rows of each query and their columns.
                "s3.put": Decimal(self.objects["put"] + 2 * len(self.days)),
                "s3.get": Decimal(self.objects["get"]),
                "lambda.gb_second": (computed + waits * megabytes) / 1024,
            },
        )


MONTH = {
    Period.of("daily", FIRST + timedelta(days=DAYS - 1)): Decimal(DAYS),
    Period.of("weekly", FIRST + timedelta(days=DAYS - 8)): Decimal(DAYS) / 7,
    Period.of("monthly", FIRST): Decimal(1),
}
"""The reports that are written, each of them standing for so many in a month of runs."""


BASELINE = Written(days=[DAYS_BEFORE + 1], pages=1)
"""The board's daily question: what is usual."""


def write_report(desk: Path, facts: Path, period: Period) -> Written:
    """Write a report in a process of its own; `desk` is a playbook, `facts` a folder of facts.

    The report before it is written first, as it is in a month of runs, and not counted.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as writer:
        return writer.submit(_write, desk, facts, period).result()


def _write(desk: Path, facts: Path, period: Period) -> Written:
    from functions.core.playbook import load

    playbook, written = load(desk), Written()
    bucket: Any = _Bucket(facts / "objects", written.objects)
    stored = StoredReports(bucket, "mail", playbook.retention.years)
    nobody: Any = SimpleNamespace(
        roster=SimpleNamespace(list=lambda _desk: ()),
        proposals=SimpleNamespace(get=lambda *_: None),
    )
    day_before = Period.of("daily", period.first - timedelta(days=1))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as engine:
        athena = _Engine(engine, facts, written)
        for each in (day_before, period):
            written.days.clear()
            written.objects.clear()
            written.pages, began = 0, time.process_time()
            now = each.end(playbook.zone) + WRITTEN_AFTER
            report = Reporting(nobody, stored, athena, playbook, playbook.desk, now).write(each)
    written.adds_up = report["adds_up"]
    written.cpu_seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    written.peak_mb = peak / 1024 / (1024 if sys.platform == "darwin" else 1)
    return written


@dataclass(frozen=True)
class _Engine:
    """DuckDB in another process, whose rows are read as they come, like Athena's."""

    process: ProcessPoolExecutor
    facts: Path
    written: Written

    def rows(self, sql: str) -> Iterator[dict[str, str]]:
        ((first, last),) = _DAYS_READ.findall(sql)
        read = date.fromisoformat(last) - date.fromisoformat(first)
        self.written.days.append(read.days + 1)
        result = self.facts / "result.csv"
        self.process.submit(_answer, self.facts, sql, result).result()
        rows = 0
        with result.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                rows += 1
                yield row
        self.written.pages += rows // PAGE + 1


def _answer(facts: Path, sql: str, result: Path) -> None:
    connection = facts_view(facts, kept=True)
    connection.execute(f"COPY ({sql}) TO '{result}' (FORMAT csv, HEADER)")


@dataclass(frozen=True)
class _Bucket:
    """The calls of S3 that stored reports make, on a folder, counted."""

    folder: Path
    calls: Counter[str]

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: str) -> None:  # noqa: N803
        self.calls["put"] += 1
        file = self.folder / Key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(Body)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, BytesIO]:  # noqa: N803
        from botocore.exceptions import ClientError

        self.calls["get"] += 1
        try:
            return {"Body": BytesIO((self.folder / Key).read_bytes())}
        except FileNotFoundError as error:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject") from error


@dataclass(frozen=True)
class RunUsage:
    """The usage of a run of the function by itself, and for each ticket that changed since."""

    fixed: dict[str, Decimal]
    ticket: dict[str, Decimal]

    def month(self, tickets_a_day: int) -> dict[str, Decimal]:
        changed = Decimal(tickets_a_day * DAYS * STEPS_OF_A_LIFE)
        return costs.plus(
            costs.times(self.fixed, RUNS_A_DAY * DAYS), costs.times(self.ticket, changed)
        )


def run_usage(simulator: Simulator) -> RunUsage:
    """Compare a run after the lives of some tickets with one after twice as many."""
    ahead, used = VirtualClock(), []
    with ahead.running():
        for times in (1, 1, 2):
            tickets = 0
            for _ in range(times):
                tickets += len(lives(simulator)) + 2  # two for warm-up
                ahead.forward(timedelta(hours=1))
            used.append((tickets, _run(simulator)))
    _, (few, of_few), (many, of_many) = used  # the first one writes reports, and asks what is usual
    more = costs.plus(of_many, costs.times(of_few, -1))
    ticket = costs.times(more, Decimal(1) / (many - few))
    return RunUsage(costs.plus(of_few, costs.times(ticket, -few)), ticket)


def _run(simulator: Simulator) -> dict[str, Decimal]:
    """Return what a run in a warm container takes; it waits for each of its calls."""
    calls, began = len(simulator.calls), time.process_time()
    simulator.expire_playbooks()
    simulator.invoke("reports", {"time": clock.now().isoformat(), "desk": DESK})
    computed = Invocation("reports", time.process_time() - began)
    made = simulator.calls[calls:]
    return costs.plus(
        costs.usage_of_calls(made),
        {
            "lambda.request": Decimal(1),
            "lambda.gb_second": warm_gb_seconds([computed], made, memory()),
        },
    )
