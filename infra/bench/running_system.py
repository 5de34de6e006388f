"""The local system that the bench measures: a running one, or one that it starts."""

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

import boto3

from deskbell.client import Deskbell, NoAnswer
from infra.deploy.local_stage import Ports, aws_environment
from infra.deploy.steps import ROOT

START_SECONDS = 240.0
_TREE = ("app.py", "requirements.txt", ".chalice/config.json")
_FOLDERS = ("functions", "infra", "playbooks", "vendor")


class LocalSystemError(RuntimeError):
    """The local system did not start, or gave a wrong or no response."""


@contextmanager
def described(local: Path | None = None) -> Iterator[dict[str, Any]]:
    """Read `local.json` of a running system, or of a new one that ends with the context."""
    with ExitStack() as exits:
        try:
            path = local or exits.enter_context(_started())
            description: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except OSError as error:
            raise LocalSystemError(str(error)) from error
        yield description


@contextmanager
def _started() -> Iterator[Path]:
    """Start a system on free ports from a copy of the tree; yield the path of `local.json`."""
    with tempfile.TemporaryDirectory(prefix="deskbell-bench-") as folder:
        tree = Path(folder) / "tree"
        (tree / ".chalice").mkdir(parents=True)
        for name in _TREE:
            shutil.copy(ROOT / name, tree / name)
        for name in _FOLDERS:
            leave = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, tree / name, symlinks=True, ignore=leave)
        data = Path(folder) / "data"
        log = Path(folder) / "up.log"
        http, aws, smtp = free_ports(3)
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


def free_ports(count: int) -> list[int]:
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
    raise LocalSystemError(f"deskbell up: {log.read_text('utf-8', 'replace')[-400:].strip()}")


def aws_client(described: Mapping[str, Any], service: str) -> Any:
    """Return a client of the system's emulator."""
    endpoint = described["aws_endpoint"]
    environment = aws_environment(Ports(aws=int(endpoint.rpartition(":")[2])))
    return boto3.client(
        service,  # type: ignore[call-overload]  # the name is the caller's choice
        endpoint_url=endpoint,
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def sent_mails(endpoint: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{endpoint}/_ministack/ses/messages", timeout=60) as answer:  # noqa: S310 - this machine
        accounts = json.load(answer)["messages"]
    return [mail for sent in accounts.values() for mail in sent]


def call(url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
    """Call the API and return the JSON of its response."""
    try:
        response = Deskbell("").request(
            "GET" if body is None else "POST", url, body, headers=headers
        )
    except NoAnswer as error:
        raise LocalSystemError(str(error)) from error
    if response.status >= 400:
        raise LocalSystemError(f"{url}: {response.status} {response.text}")
    return response.json
