"""How long a customer waits on the local stack: from the request to assigned, to acknowledged.

Everything is real but the cloud: HTTP, the functions from their package, the stream, the mail.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from infra.deploy import ROOT

START_SECONDS = 240.0
WAIT_SECONDS = 60.0
DESCRIPTIONS = ("无法登录，一直提示密码错误", "物流查询，三天没有更新", "想了解会员的权益")
_TREE = ("app.py", "requirements.txt", ".chalice/config.json")
_FOLDERS = ("functions", "infra", "playbooks", "vendor")


class StackError(RuntimeError):
    """The local stack does not start or does not answer; the message tells what it said last."""


@dataclass(frozen=True)
class Waiting:
    """Medians in seconds over `tickets` requests, one after the other."""

    tickets: int
    answered: float
    assigned: float
    acknowledged: float


def measure(local: Path | None = None, tickets: int = 10) -> Waiting:
    """Wait for so many tickets on the stack that `local` (a `local.json`) describes, or a new one.

    Raises:
        StackError: there is none.
    """
    with ExitStack() as stack:
        found = local or stack.enter_context(_stack())
        described = json.loads(found.read_text("utf-8"))
        _one(described, 0)  # the first call of each function is not what is measured
        taken = [_one(described, serial) for serial in range(1, tickets + 1)]
    answered, assigned, acknowledged = (median(each[index] for each in taken) for index in range(3))
    return Waiting(tickets, answered, assigned, acknowledged)


@contextmanager
def _stack() -> Iterator[Path]:
    """A stack of its own on free ports, from a copy of the tree; the path of its `local.json`."""
    with tempfile.TemporaryDirectory(prefix="deskbell-waiting-") as folder:
        tree = Path(folder) / "tree"
        (tree / ".chalice").mkdir(parents=True)
        for name in _TREE:
            shutil.copy(ROOT / name, tree / name)
        for name in _FOLDERS:
            leave = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, tree / name, symlinks=True, ignore=leave)
        data = Path(folder) / "data"
        log = Path(folder) / "up.log"
        http, aws, smtp = _free_ports(3)
        arguments = ["up", "--port", http, "--aws-port", aws, "--smtp-port", smtp]
        with log.open("wb") as out:
            process = subprocess.Popen(  # noqa: S603 - our own console
                [
                    sys.executable,
                    "-c",
                    "from infra.console import main; main()",
                    *map(str, arguments),
                    "--data",
                    str(data),
                ],
                cwd=tree,
                # The emulator leaves unpacked functions behind; they go with the folder.
                env={**os.environ, "PYTHONPATH": str(tree), "TMPDIR": folder},
                stdout=out,
                stderr=out,
            )
        try:
            yield _ready(process, data / "local.json", log)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _ready(process: subprocess.Popen[bytes], described: Path, log: Path) -> Path:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if described.exists():
            return described
        time.sleep(0.2)
    raise StackError(f"deskbell up: {log.read_text('utf-8', 'replace')[-400:].strip()}")


def _one(described: dict[str, Any], serial: int) -> tuple[float, float, float]:
    """Seconds until the request is answered, assigned and acknowledged."""
    api = described["api"]
    contact = f"waiting-{serial}-{time.time_ns()}@example.com"
    body = {"contact": contact, "description": DESCRIPTIONS[serial % len(DESCRIPTIONS)]}
    began = time.perf_counter()
    filed = _json(f"{api}/desks/standard/tickets", body)
    answered = time.perf_counter() - began
    assigned = acknowledged = 0.0
    while not (assigned and acknowledged):
        if time.perf_counter() - began > WAIT_SECONDS:
            raise StackError(f"{filed['number']} waits for more than {WAIT_SECONDS:.0f} s")
        if not acknowledged and _mailed(described["aws_endpoint"], contact):
            acknowledged = time.perf_counter() - began
        if not assigned and _json(filed["status_url"])["status"] == "assigned":
            assigned = time.perf_counter() - began
    return answered, assigned, acknowledged


def _mailed(endpoint: str, contact: str) -> bool:
    with urllib.request.urlopen(f"{endpoint}/_ministack/ses/messages", timeout=30) as answer:  # noqa: S310 - this machine
        return contact.encode() in answer.read()


def _json(url: str, body: Any = None) -> Any:
    request = urllib.request.Request(  # noqa: S310 - this machine
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Accept": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)
    except OSError as error:
        raise StackError(f"{url}: {error}") from error
