"""The local stack that the bench measures on: one that runs, or one of its own."""

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
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from infra.deploy.steps import ROOT

START_SECONDS = 240.0
_TREE = ("app.py", "requirements.txt", ".chalice/config.json")
_FOLDERS = ("functions", "infra", "playbooks", "vendor")


class StackError(RuntimeError):
    """The local stack does not start or does not answer; the message tells what it said last."""


@contextmanager
def described(local: Path | None = None) -> Iterator[dict[str, Any]]:
    """What the `local.json` of a running stack says, or that of a new one, which ends with it.

    Raises:
        StackError: there is none.
    """
    with ExitStack() as kept:
        try:
            found = local or kept.enter_context(_stack())
            told: dict[str, Any] = json.loads(found.read_text("utf-8"))
        except OSError as error:
            raise StackError(str(error)) from error
        yield told


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
                    "from infra.console.main import main; main()",
                    *map(str, arguments),
                    "--data",
                    str(data),
                ],
                cwd=tree,
                env={**os.environ, "PYTHONPATH": str(tree)},
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


def sent_mails(endpoint: str) -> list[dict[str, Any]]:
    """Every mail that was sent, as the emulator lists them."""
    with urllib.request.urlopen(f"{endpoint}/_ministack/ses/messages", timeout=60) as answer:  # noqa: S310 - this machine
        accounts = json.load(answer)["messages"]
    return [mail for sent in accounts.values() for mail in sent]


def call(url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
    """The JSON that the API answers with.

    Raises:
        StackError: it answers with an error, or not at all.
    """
    request = urllib.request.Request(  # noqa: S310 - this machine
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Content-Type": "application/json",
            "Accept": "application/json",
            **(headers or {}),
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)
    except OSError as error:
        raise StackError(f"{url}: {error}") from error
