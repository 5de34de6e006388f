"""`make bench`: measure every budget, print a table and write `build/bench.json`.

Budgets are ratios and counts, so that results of different machines can be compared. Missed budgets
are shown, not failed. `--only imports,units` measures only these parts.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.core.storage.playbooks import PLAYBOOK_TTL
from infra.bench import costs

if TYPE_CHECKING:
    from infra.bench.sweep import Rate
    from infra.bench.ticket_life import Life
    from infra.simulator.simulator import Call, Simulator

OUT = Path(__file__).resolve().parents[2] / "build" / "bench.json"
IMPORT_RATIO = 1.6
PACKAGE_MB = 15.0
CREATION_CALLS = 3
WRITE_UNITS = 60
READ_UNITS = 30
TRANSITIONS = 12
LIVES_USD = Decimal("1.00")
CONVERSATIONS_USD = Decimal("0.20")
QUESTION_MS = 50
SEARCH_RATIO = 3
FACTS_USD = Decimal("0.10")
"""For the facts of 1,000 lives."""
REPORTS_USD = Decimal("0.05")
"""For a desk's reports of a month at 1,000 tickets a day."""
IDLE_USD = Decimal("1.10")
"""The key in KMS costs 1.00 USD; all else together may cost 0.10 net of free tiers."""
ADD_MS = 1.0
SWEEP_ITEM_MS = 3.33
"""300 items a second."""
SWEEP_SHARE = 0.33
"""At least three times as fast."""


@dataclass(frozen=True)
class Row:
    """One row of the table; without a `limit` the value is only shown."""

    part: str
    what: str
    value: float
    limit: float | None = None
    unit: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        return None if self.limit is None else self.value <= self.limit


@dataclass
class Report:
    """The results of a run: rows, details, and the parts that could not be measured and why."""

    rows: list[Row] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def add(self, part: str, what: str, value: float, *more: Any) -> None:
        self.rows.append(Row(part, what, value, *more))

    def document(self, at: datetime) -> dict[str, Any]:
        """The content of `build/bench.json`."""
        return {
            "at": at.isoformat(timespec="seconds"),
            "budgets": [{**asdict(row), "met": row.met} for row in self.rows],
            "missed": [row.what for row in self.rows if row.met is False],
            "skipped": self.skipped,
            "details": self.details,
        }


def imports(report: Report) -> None:
    from infra.bench.import_time import ratios

    for module, ratio in ratios().items():
        note = "× import boto3, chalice"
        report.add("imports", module, round(ratio, 3), IMPORT_RATIO, note)


def package(report: Report) -> None:
    from infra.bench.package_size import package_bytes

    size = package_bytes() / 1024**2
    report.add("package", "Lambda package, zipped", round(size, 2), PACKAGE_MB, "MB")


def collections(report: Report) -> None:
    from infra.bench.corpus import MISSING, everything, speed

    folder = os.environ.get("DESKBELL_CORPORA", "")
    if not Path(folder, "mail").is_dir():
        report.skipped["corpus"] = MISSING
        return
    for name, (right, count) in everything(folder).items():
        share = round(100 * right / max(1, count), 1)
        report.add("corpus", name, share, None, "%", f"{right} of {count} right")
    rates = speed(folder)
    if rates:
        ratio = round(rates["deskbell"] / rates["email"], 2)
        report.add("corpus", "mails parsed", round(rates["deskbell"]), None, "/s")
        report.add("corpus", "mails parsed, against email alone", ratio, None, "×")


def units(report: Report, simulator: Simulator) -> None:
    from infra.bench.ticket_life import calls_to_create_ticket, lives

    measured = lives(simulator)
    report.details["lives"] = [_described(life) for life in measured]
    for life in measured:
        # A new container reads the playbook once for all its tickets.
        writes, reads = (None, None) if "new" in life.name else (WRITE_UNITS, READ_UNITS)
        report.add("units", f"life by {life.name}", life.write_units, writes, "write units")
        report.add("units", f"life by {life.name}", life.read_units, reads, "read units")
    warm = f"playbook cached; otherwise one more call per container and {PLAYBOOK_TTL.seconds} s"
    # Last, because these tickets stay open.
    for what, key in (("web form", None), ("Idempotency-Key", "bench")):
        calls = calls_to_create_ticket(simulator, key)
        report.add("units", f"creating, {what}", calls, CREATION_CALLS, "DynamoDB calls", warm)
    most = max(life.transitions for life in measured)
    report.add("units", "closing workflow of a life", most, TRANSITIONS, "state transitions")


def _described(life: Life) -> dict[str, Any]:
    return {
        "name": life.name,
        "read_units": life.read_units,
        "write_units": life.write_units,
        "http_requests": life.requests,
        "transitions": life.transitions,
        "steps": [
            {
                "name": step.name,
                "read_units": step.read_units,
                "write_units": step.write_units,
                "calls": [described_call(call) for call in step.calls],
            }
            for step in life.steps
        ],
    }


def described_call(call: Call) -> dict[str, Any]:
    """A call as the report lists it, without empty fields and the request itself."""
    fields = asdict(call).items()
    return {name: value for name, value in fields if value and name != "request"}


def sweep(report: Report, simulator: Simulator) -> None:
    from infra.bench.sweep import DUE, sweeps

    backlog(report, simulator)
    results = sweeps(simulator)
    base = results[0]
    for swept in results:
        if swept.done != DUE:
            raise RuntimeError(f"a sweep over {swept.open} tickets processed {swept.done} of {DUE}")
        report.add(
            "sweep",
            f"{swept.open:,} open, {DUE} due",
            swept.read_units,
            base.read_units if swept is not base else None,
            "read units",
            f"{swept.calls} calls, {swept.write_units:g} write units",
        )
    report.details["sweep"] = [asdict(swept) for swept in results]


def backlog(report: Report, simulator: Simulator) -> Rate:
    from infra.bench.sweep import LATENCY, memory_of, rates

    before, after = rates(simulator)
    wait = f"with {LATENCY.total_seconds() * 1000:g} ms added to each call to the table"
    report.add("sweep", "one item after the other", round(before.per_second, 1), None, "/s", wait)
    what = f"{after.items:,} due, items"
    report.add("sweep", what, round(after.per_second, 1), None, "/s", wait)
    share = round(before.per_second / after.per_second, 2)
    report.add("sweep", "time of an item, against one after the other", share, SWEEP_SHARE, "×")
    of_stage = after.of_stage(memory_of("sla_timer"))
    note = f"{of_stage:,.0f} items/s by the model: {after.calls:.1f} calls, CPU of Lambda's share"
    each = round(1000 / of_stage, 2)
    report.add("sweep", "time of an item in a stage", each, SWEEP_ITEM_MS, "ms", note)
    report.details["backlog"] = [asdict(before), asdict(after)]
    return after


def scale(report: Report, simulator: Simulator) -> None:
    """Compute what each stage carries and which saturates first (docs/scale.md)."""
    from functions.core.platform import container
    from infra.bench.emulator import DESK
    from infra.bench.scale import ceilings
    from infra.bench.sweep import FILED, rates
    from infra.bench.ticket_life import lives

    form, _, mail, _ = lives(simulator)
    playbook = container.storage(simulator.deployment).playbooks.get(DESK, FILED)
    found = ceilings(form, mail, rates(simulator, due=400)[1], playbook.survey.wait)
    first = found[0].per_second
    for ceiling in found:
        value = float(f"{ceiling.per_second:.3g}")
        times = f"{ceiling.per_second / first:,.0f} × the first"
        report.add("scale", ceiling.stage, value, None, "/s", f"{ceiling.arithmetic}; {times}")
    report.details["scale"] = [asdict(ceiling) for ceiling in found]


def prices(report: Report, simulator: Simulator) -> None:
    from infra.bench.usage import idle_usage, life_usage

    listed = costs.read_prices()
    of_life, logged, counted = life_usage(simulator)
    thousand = costs.times(of_life, 1000)
    idle = idle_usage(simulator)
    for what, usage, limit, listed_limit in (
        ("1,000 lives by web form and mail", thousand, LIVES_USD, float(LIVES_USD)),
        ("idle month", idle, IDLE_USD, None),
    ):
        gross = costs.cost_of(usage, listed)
        net = costs.cost_of(usage, listed, free_tiers=True)
        report.add("costs", what, _usd(gross), listed_limit, "USD", "list prices alone")
        report.add("costs", what, _usd(net), float(limit), "USD", "less perpetual free tiers")
        report.details[f"cost: {what}"] = _billed(usage, listed)
    _memory(report, counted, listed)
    key = {"kms.key": idle["kms.key"]}
    report.add("costs", "of which the KMS key", _usd(costs.cost_of(key, listed)), None, "USD")
    report.details["log_bytes_of_a_life"] = logged
    report.details["unverified_prices"] = sorted(
        name for name in listed.prices if listed.price(name).status != "verified"
    )


def _billed(usage: costs.Usage, listed: costs.PriceList) -> list[dict[str, str]]:
    return [
        {
            "name": line.name,
            "quantity": f"{line.quantity.normalize():f}",
            "usd": f"{line.listed:.6f}",
            "usd_after_free_tier": f"{line.after_free:.6f}",
        }
        for line in costs.bill(usage, listed)
    ]


def _memory(report: Report, counted: Sequence[Life], listed: costs.PriceList) -> None:
    from infra.bench.usage import gb_seconds, memory

    configured = memory()
    choices = {f"{size} MB": dict.fromkeys(configured, size) for size in (256, 512, 1024)}
    for name, megabytes in {**choices, "as configured": configured}.items():
        seconds = [gb_seconds(list(life.invocations), life.calls, megabytes) for life in counted]
        used = {"lambda.gb_second": sum(seconds, Decimal(0)) / len(counted) * 1000}
        arm = costs.cost_of({"lambda.gb_second_arm": used["lambda.gb_second"]}, listed)
        start = costs.ASSUMPTIONS["lambda.cold_gb_seconds"] * 1024 / megabytes["api_handler"]
        note = f"{_usd(arm):g} on arm64; a cold start of the API computes for {start:.1f} s"
        what = f"of 1,000 lives, Lambda's time, {name}"
        report.add("costs", what, _usd(costs.cost_of(used, listed)), None, "USD", note)


def reports(report: Report, simulator: Simulator) -> None:
    from functions.core.playbook import load
    from infra.bench.reporting import BASELINE, MONTH, run_usage, write_report
    from infra.bench.reports import (
        DAYS,
        TICKETS_A_DAY,
        asked_costs,
        month_of_facts,
        query_usage,
        storage_usage,
    )
    from infra.deploy.desks import SHIPPED

    playbook, prices = SHIPPED / "standard.yaml", costs.read_prices()
    desk, run = load(playbook), run_usage(simulator)
    for tickets in TICKETS_A_DAY:
        what, usage = f"{tickets:,} tickets a day", run.month(tickets)
        thousand = Decimal(tickets * DAYS) / 1000
        with tempfile.TemporaryDirectory(prefix="deskbell-bench-") as folder:
            month = month_of_facts(desk, tickets, Path(folder), DAYS)
            asked = asked_costs(desk, Path(folder))
            periods = [each for each in MONTH if each.kind != "weekly" or tickets == 1000]
            written = {each: write_report(playbook, Path(folder), each) for each in periods}
        size = round(month.stored_bytes / 1024**2, 1)
        note = f"{month.lines:,} lines, {month.raw_bytes / 1024**2:,.0f} MB unpacked"
        report.add("reports", f"facts of a month, {what}", size, None, "MB", note)
        facts = costs.plus(usage, storage_usage(month))
        lives, limit = _usd(costs.cost_of(facts, prices) / thousand), float(FACTS_USD)
        note = "list prices; with the board"
        report.add("reports", f"facts of 1,000 lives, {what}", lives, limit, "USD", note)
        of_query = _usd(costs.cost_of(query_usage(month.stored_bytes), prices))
        note = f"on DuckDB {asked.seconds:.1f} s for {asked.days} days"
        report.add("reports", f"a query of a month, {what}", of_query, None, "USD", note)
        for period, took in written.items():
            note = f"{len(took.days)} queries, {took.pages:,} pages; at most {took.peak_mb:.0f} MB"
            seconds = round(took.cpu_seconds, 2)
            report.add("reports", f"a {period.kind} report, {what}", seconds, None, "s CPU", note)
        if len(written) == len(MONTH):
            used = costs.plus(
                *(costs.times(took.usage(month), MONTH[each]) for each, took in written.items()),
                costs.times(BASELINE.usage(month), DAYS),
            )
            usd = _usd(costs.cost_of(used, prices))
            report.add("reports", f"reports of a month, {what}", usd, float(REPORTS_USD), "USD")
        report.details[f"reports: {what}"] = asdict(month)


def abuse(report: Report, simulator: Simulator) -> None:
    from infra.bench.abuse import REQUESTS_A_SECOND, hours, measure

    listed = costs.read_prices()
    opened, quarantined = measure(simulator)
    what = f"an hour of {REQUESTS_A_SECOND} requests/s"
    for hour in hours():
        used = hour.usage(opened, quarantined)
        note = (
            f"{hour.name}: {hour.opened:,} tickets, {hour.quarantined:,} in quarantine, "
            f"{hour.throttled:,} refused"
        )
        messages = costs.cost_of({"sns.sms": used.pop("sns.sms")}, listed)
        report.add("abuse", what, _usd(costs.cost_of(used, listed)), None, "USD", note)
        sms = f"{hour.name}: {hour.messages:,} messages"
        report.add("abuse", f"{what}, SMS", _usd(messages), None, "USD", sms)
        report.details[f"abuse: {hour.name}"] = _billed(used, listed)


def conversations(report: Report, simulator: Simulator) -> None:
    from infra.bench.conversations import POLLS, measure

    listed = costs.read_prices()
    found = measure(simulator)
    thousand = costs.times(found.usage, 1000)
    usual = f"list prices alone; {POLLS} polls each, one in five handed over"
    for free, note in ((False, usual), (True, "less perpetual free tiers")):
        usd = _usd(costs.cost_of(thousand, listed, free_tiers=free))
        limit = float(CONVERSATIONS_USD)
        report.add("conversations", "1,000 conversations", usd, limit, "USD", note)
    what = "a question of 32 articles, median"
    report.add("conversations", what, round(found.milliseconds, 1), QUESTION_MS, "ms")


def search(report: Report, simulator: Simulator) -> None:
    """Compare searches with a request for a queue on the same storage."""
    from infra.bench.search import measure

    queue, found = measure(simulator)
    for each in found:
        what, times = f"{each.tickets:,} tickets, {each.kind}", each.times
        ratio = round(times.warm.milliseconds / queue.warm.milliseconds, 2)
        note = (
            f"{times.warm.milliseconds:.0f} ms; before it has read its segments "
            f"{times.first.milliseconds:.0f} ms, {times.first.gets} of {each.stored}"
        )
        report.add("search", what, ratio, SEARCH_RATIO, "× a queue", note)
        reads = round(times.first.read_units / queue.first.read_units, 2)
        units = f"{times.first.read_units:g} to {queue.first.read_units:g} of a page of a queue"
        report.add("search", f"{what}, read units", reads, SEARCH_RATIO, "× a queue", units)
        if times.started and queue.started:
            started = round(times.started / queue.started, 2)
            note = f"{times.started:.0f} ms to {queue.started:.0f} ms"
            report.add("search", f"{what}, new container", started, SEARCH_RATIO, "× a queue", note)
    report.details["search"] = [asdict(each) for each in found]


def pages(report: Report, simulator: Simulator) -> None:
    from infra.bench.pages import measure

    measured = measure(simulator)
    for figure in measured.figures():
        report.add("pages", *astuple(figure))
    report.skipped.update({f"pages, {name}": why for name, why in measured.missing.items()})
    report.details["pages"] = {
        name: {"bytes": len(page.html), "files": {n: len(f) for n, f in page.files.items()}}
        for name, page in measured.pages.items()
    }


def moving(report: Report, simulator: Simulator) -> None:
    from infra.bench.moving import rows

    for row in rows():
        report.add("moving", *row)


def _usd(amount: Decimal) -> float:
    return float(amount.quantize(Decimal("0.0001")))


def throughput(report: Report) -> None:
    from infra.bench.throughput import additions, rules

    rate = rules()
    added = additions()
    days = f"{added.business.total_seconds() / 3600:,.0f} h of {added.desk}'s business time"
    report.add("throughput", "rules evaluated", round(rate.per_second), None, "/s", rate.note)
    report.add("throughput", "calendar.add of ten years", round(added.per_second), None, "/s", days)
    milliseconds = round(added.milliseconds, 4)
    report.add("throughput", "calendar.add of ten years", milliseconds, ADD_MS, "ms")


def latency(report: Report, described: Mapping[str, Any]) -> None:
    """Measure the local system's latency, for comparison only: it runs without AWS."""
    from infra.bench.latency import measure

    times = measure(described)
    for what in ("answered", "assigned", "acknowledged"):
        seconds, note = round(getattr(times, what), 2), f"median of {times.tickets}"
        report.add("latency", f"from POST to {what}", seconds, None, "s", note)


def page_times(report: Report, described: Mapping[str, Any]) -> None:
    """Compare pages with a bare Chalice "hello" on the same system."""
    from infra.bench.page_times import QUEUE_RATIO, TICKET_RATIO, measure

    times = measure(described)
    queue = f"queue of {times.rows} rows"
    for what, took, limit in (
        (queue, times.queue, QUEUE_RATIO),
        ("ticket", times.ticket, TICKET_RATIO),
    ):
        note = f"{took:.0f} ms to {times.hello:.0f} ms"
        ratio = round(took / times.hello, 2)
        report.add("page_times", f"{what}, warm", ratio, limit, "× a bare hello", note)


def burst(report: Report, described: Mapping[str, Any]) -> None:
    from infra.bench.burst import measure

    bursts = measure(described)
    for result in bursts:
        what = f"{result.requests:,} at once, settled"
        note = f"all numbered, routed, acknowledged once; answered in {result.answered:.1f} s"
        report.add("burst", what, round(result.settled, 1), None, "s", note)
    few, many = bursts[0], bursts[-1]
    ratio = round(many.per_request / few.per_request, 2)
    note = f"× that of {few.requests:,}"
    report.add("burst", f"a request of {many.requests:,}", ratio, None, note)
    report.details["burst"] = [asdict(result) for result in bursts]


def load(report: Report, described: Mapping[str, Any]) -> None:
    from infra.bench.load import measure

    for figure in measure(described).figures():
        report.add("load", *figure)


def answers(report: Report) -> None:
    """Measure the engine on held-out public questions, its model and its cold start."""
    from infra.bench.answers import grouped, held_out, model_megabytes, start_seconds

    report.add("answers", "model, installed", round(model_megabytes(), 1), None, "MB")
    report.add("answers", "a new process's first question", round(start_seconds(), 2), None, "s")
    folder = Path(os.environ.get("DESKBELL_CORPORA", "")) / "language"
    for name, found in held_out(folder) if folder.is_dir() else ():
        for figure, value in asdict(found).items():
            if isinstance(value, float):
                report.add("answers", f"{name}: {figure}", round(value, 3))
    clusters = grouped(folder) if folder.is_dir() else None
    if clusters is not None:
        found_subjects, purity = clusters
        report.add("answers", "proposals: subjects found", found_subjects, None, "of 30")
        report.add("answers", "proposals: purity", round(purity, 3))


STANDALONE: dict[str, Callable[[Report], None]] = {
    "imports": imports, "package": package, "throughput": throughput, "corpus": collections,
    "answers": answers,
}  # fmt: skip
SIMULATED: dict[str, Callable[[Report, Simulator], None]] = {
    "units": units, "sweep": sweep, "costs": prices, "scale": scale, "abuse": abuse, "pages": pages,
    "conversations": conversations, "search": search, "reports": reports, "moving": moving,
}  # fmt: skip
ON_LOCAL_SYSTEM: dict[str, Callable[[Report, Mapping[str, Any]], None]] = {
    "latency": latency, "page_times": page_times, "load": load, "burst": burst,
}  # fmt: skip
PARTS = (*STANDALONE, *SIMULATED, *ON_LOCAL_SYSTEM)


def run(parts: Sequence[str], local: Path | None = None, dynamodb: str | None = None) -> Report:
    """Measure the given parts in the order of `PARTS`."""
    report = Report()
    for part in filter(parts.__contains__, (*STANDALONE, *SIMULATED)):
        _say(f"{part} …")
        if part in STANDALONE:
            STANDALONE[part](report)
        else:
            with _deployed(dynamodb) as simulator:
                SIMULATED[part](report, simulator)
    on_local_system(report, [part for part in ON_LOCAL_SYSTEM if part in parts], local)
    return report


def on_local_system(report: Report, parts: Sequence[str], local: Path | None) -> None:
    """Measure the parts that need the whole system; note those that cannot be measured."""
    from infra.bench.running_system import LocalSystemError, described

    left = list(parts)
    if not left:
        return
    try:
        with described(local) as description:
            while left:
                _say(f"{left[0]} …")
                ON_LOCAL_SYSTEM[left[0]](report, description)
                del left[0]
    except LocalSystemError as error:
        report.skipped.update(dict.fromkeys(left, str(error)))


@contextlib.contextmanager
def _deployed(dynamodb: str | None) -> Iterator[Simulator]:
    from infra.bench.emulator import deployment

    # The functions log to standard output, which is reserved for the table here.
    with contextlib.redirect_stdout(io.StringIO()), deployment(dynamodb) as simulator:
        yield simulator


def show(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Deskbell: budgets", title_justify="left")
    for name in ("part", "what", "measured", "limit", "unit", "", "note"):
        table.add_column(name, justify="right" if name in {"measured", "limit"} else "left")
    for row in report.rows:
        limit = "" if row.limit is None else f"≤ {row.limit:g}"
        mark = {None: "", True: "met", False: "MISSED"}[row.met]
        table.add_row(row.part, row.what, f"{row.value:g}", limit, row.unit, mark, row.note)
    width = None if sys.stdout.isatty() else 140
    console = Console(width=width)
    console.print(table)
    for part, why in report.skipped.items():
        console.print(f"{part}: not measured: {why}", markup=False)
    missed = [row for row in report.rows if row.met is False]
    judged = [row for row in report.rows if row.met is not None]
    console.print(f"{len(judged) - len(missed)} of {len(judged)} budgets met")


def show_calls(report: Report) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False, soft_wrap=True)
    for life in report.details.get("lives", []):
        console.print(f"{life['name']}: {life['read_units']:g} r, {life['write_units']:g} w")
        for step in life["steps"]:
            console.print(f"  {step['name']}: {step['read_units']:g} r, {step['write_units']:g} w")
            for call in step["calls"]:
                if call["service"] == "dynamodb":
                    parts = ", ".join(f"{name} {n:g}" for name, n in call["parts"].items())
                    names = f"{call['function']:<22}{call['operation']:<20}"
                    console.print(f"    {names}{parts:<40}{call.get('items', '')}")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write the results; return 0 even if budgets are missed."""
    parser = argparse.ArgumentParser(prog="python -m infra.bench.budgets", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="comma-separated parts")
    parser.add_argument("--out", type=Path, default=OUT, help="path of the JSON file")
    parser.add_argument(
        "--local",
        type=Path,
        default=os.environ.get("DESKBELL_LOCAL"),
        help="local.json of a running local system; by default one is started",
    )
    parser.add_argument("--dynamodb", help="URL of another DynamoDB for the table")
    parser.add_argument("--calls", action="store_true", help="list the calls of each life")
    options = parser.parse_args(arguments)
    parts = [part for part in options.only.split(",") if part]
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        parser.error(f"unknown parts: {', '.join(unknown)}; use {', '.join(PARTS)}")
    report = run(parts, options.local, options.dynamodb)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    document = report.document(datetime.now(UTC))
    options.out.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if options.calls:
        show_calls(report)
    show(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
