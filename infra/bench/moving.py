"""Measure moving in: tickets written a second, and tickets read by a dry run, with its memory."""

import json
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from functions.core.services.importing import TicketImporter
from infra.bench.emulator import DEPLOYMENT, DESK
from infra.console import mapping as mappings
from infra.console.importing import ImportRun, Tally
from infra.console.moving import Move
from infra.console.sources import read

WRITTEN, READ = 1_000, 100_000
MEMORY_MB = 10.0
"""The memory that a dry run may hold, whatever the number of tickets."""
_BEGAN = datetime(2024, 1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class MoveSpeed:
    """Tickets and seconds of a run; `peak_mb` is what Python held at most, if it was measured."""

    tickets: int
    seconds: float
    peak_mb: float = 0

    @property
    def per_second(self) -> float:
        return self.tickets / self.seconds


def write_export(file: Path, count: int) -> None:
    """Write an export of Zendesk's form: three of four tickets are closed, each has six entries."""
    with file.open("w", encoding="utf-8") as out:
        out.writelines(f"{line}\n" for line in _lines(count))


def _lines(count: int) -> Iterator[str]:
    for n in range(count):
        received = _BEGAN + timedelta(minutes=n)
        customer = {"id": n % 997, "name": "示例客户", "email": f"c-{n % 997}@example.com"}
        comments = [
            {
                "id": 10 * n + k,
                "author_id": customer["id"] if k % 2 == 0 else 9_000_000,
                "body": f"第{k}条：订单 SF-{n} 的快递还没到，电话13800138000",
                "public": k != 3,
                "created_at": (received + timedelta(minutes=k)).isoformat(),
            }
            for k in range(6)
        ]
        yield json.dumps(
            {
                "id": n,
                "created_at": received.isoformat(),
                "status": "open" if n % 4 == 0 else "closed",
                "priority": ("low", "normal", "high")[n % 3],
                "subject": "快递",
                "requester": customer,
                "tags": ["parcel"],
                "comments": comments,
            },
            ensure_ascii=False,
        )


def _run_of(file: Path, move: Move, importer: TicketImporter | None) -> ImportRun:
    agents = {agent.username: agent for agent in move.storage.roster.list(DESK)}
    words = mappings.words_of(read("zendesk", file))
    mapped = mappings.guess(words, move.playbook, agents.values())
    translator = mappings.Translator("zendesk", mapped, move.playbook, agents)
    buckets = move.buckets() if importer else None
    return ImportRun(move.playbook, translator, importer, buckets)


def _moved(file: Path, run: ImportRun) -> MoveSpeed:
    began, tally = time.perf_counter(), Tally()
    with redirect_stderr(StringIO()):
        for _ in run.run("zendesk", file, tally, lambda: datetime.now(UTC)):
            pass
    if tally.bad:
        raise ValueError(f"{tally.bad} tickets were not imported: {tally.problems}")
    return MoveSpeed(tally.imported, time.perf_counter() - began)


def written(folder: Path, count: int = WRITTEN) -> MoveSpeed:
    """Import tickets into the deployment of the bench, without what search and reports read."""
    file = folder / "written.jsonl"
    write_export(file, count)
    move = Move.of(DEPLOYMENT.stage, DESK, datetime.now(UTC))
    return _moved(file, _run_of(file, move, move.importer()))


def dry_run(folder: Path, count: int = READ) -> MoveSpeed:
    """Read tickets without writing; the memory is measured in a run of its own, which is slower."""
    file = folder / "read.jsonl"
    write_export(file, count)
    run = _run_of(file, Move.of(DEPLOYMENT.stage, DESK, datetime.now(UTC)), None)
    moved = _moved(file, run)
    few = folder / "few.jsonl"
    write_export(few, count // 10)
    tracemalloc.start()
    _moved(few, run)
    peak = tracemalloc.get_traced_memory()[1] / 1024**2
    tracemalloc.stop()
    return MoveSpeed(moved.tickets, moved.seconds, peak)


def rows() -> Iterator[tuple[str, float, float | None, str, str]]:
    """Yield what, value, limit, unit and note of each measure."""
    with TemporaryDirectory() as folder:
        done, found = written(Path(folder)), dry_run(Path(folder))
    note = f"{done.tickets:,} tickets in {done.seconds:.0f} s"
    yield "tickets imported", round(done.per_second, 1), None, "/s", note
    note = f"{found.tickets:,} tickets in {found.seconds:.0f} s"
    yield "tickets read by a dry run", round(found.per_second), None, "/s", note
    yield "memory of a dry run", round(found.peak_mb, 1), MEMORY_MB, "MB", ""
