"""`deskbell up`: run the whole system on this machine until Ctrl-C."""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.deploy.desks import ensure_desks, storage_of, versions
from infra.deploy.functions import Report
from infra.deploy.knowledge import SHIPPED, ensure_knowledge, prepare
from infra.deploy.local_stage import STAGE, Ports, aws_environment
from infra.deploy.stage_secrets import read_secret, webhook_secret_name
from infra.deploy.steps import INFRA, ROOT, DeployedStage, Variant, deploy
from infra.deploy.trail import OperatorTrail
from infra.local.emulator import SAVE_PATH

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_FREE_SECONDS = 6.0
_LOOK_SECONDS = 0.5
_MOST_RESTARTS = 5  # within a minute
# Failures must show within seconds here; production allows a quarter of an hour.
FOUNDATION = {
    "Stage": STAGE,
    "Protection": "off",
    "MailVisibilitySeconds": "10",
    "MailMaxReceives": "3",
    "LocalWebhooks": "on",
}


class UpError(RuntimeError):
    """The local system cannot start; the message says why."""


def up(data: Path, ports: Ports, report: Report, *, fresh: bool, prepared: bool = True) -> None:
    """Start everything, write `<data>/local.json` and serve until SIGINT or SIGTERM.

    Args:
        prepared: build the indexes of the shipped knowledge bases at once, not with their first
            chat.
    """
    started = time.monotonic()
    # Until the system serves, SIGTERM has the same effect as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # It holds passwords and secrets.
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o700)
    with _exclusive(data):
        # Programs wait for this file to appear and must not find the previous one.
        (data / "local.json").unlink(missing_ok=True)
        for name, port in (
            ("PORT", ports.http),
            ("AWS_PORT", ports.aws),
            ("SMTP_PORT", ports.smtp),
        ):
            _wait_until_free(name, port)
        if fresh:
            for leftover in ("aws", "deployed.json", "chalice.json", "passwords.json"):
                path = data / leftover
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        os.environ.update(aws_environment(ports))
        with _emulator(data, ports, report) as emulator:
            deployed = _deploy_what_changed(data, ports, report)
            for path in SHIPPED.glob("*.yaml") if prepared else ():
                prepare(STAGE, path.stem)
            asyncio.run(_serve(data, ports, deployed, emulator, report, started))


@contextlib.contextmanager
def _exclusive(data: Path) -> Iterator[None]:
    """Lock the data folder until this process ends."""
    began = time.monotonic()
    with (data / "up.lock").open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # A system that is stopping has deleted this file and may need longer.
                serves = (data / "local.json").exists()
                if time.monotonic() - began > (_FREE_SECONDS if serves else _STOP_SECONDS):
                    raise UpError(
                        f"another system runs in {data}: stop it, or use another folder with --data"
                    ) from None
                time.sleep(0.2)
        yield


def _wait_until_free(name: str, port: int) -> None:
    # A killed system needs a moment to save and release its ports.
    deadline = time.monotonic() + _FREE_SECONDS
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                if time.monotonic() > deadline:
                    raise UpError(
                        f"port {port} is in use: stop the program that uses it, or set {name}"
                    ) from None
                time.sleep(0.2)
            else:
                return


class _Emulator:
    """The AWS emulator as a process of its own, which is started again if it dies."""

    def __init__(self, data: Path, ports: Ports, report: Report) -> None:
        self._data = data
        self._ports = ports
        self._report = report
        self._restarts: list[float] = []
        # As it is now: a deployment in this process adds to it what functions must not see.
        self._environment = dict(os.environ)
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        log = self._data / "emulator.log"
        with log.open("ab") as output:
            # The emulator stops when this pipe closes, however this process ends.
            process = subprocess.Popen(  # noqa: S603 - our own module
                [
                    sys.executable,
                    "-m",
                    "infra.local.emulator",
                    "--port",
                    str(self._ports.aws),
                    "--state",
                    str(self._data / "aws"),
                ],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        _wait_for_emulator(process, self._ports, log)
        return process

    async def keep_running(self) -> None:
        """Start the emulator again whenever it dies; it keeps all that it had acknowledged."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            code = self._process.poll()
            if code is None:
                continue
            now = time.monotonic()
            self._restarts = [at for at in self._restarts if now - at < 60.0]
            if len(self._restarts) >= _MOST_RESTARTS:
                raise UpError(f"the emulator keeps dying: see {self._data / 'emulator.log'}")
            self._restarts.append(now)
            self._report(f"the AWS emulator ended with code {code}; starting it again")
            self._process = await asyncio.to_thread(self._start)

    def stop(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()


@contextlib.contextmanager
def _emulator(data: Path, ports: Ports, report: Report) -> Iterator[_Emulator]:
    report("starting the AWS emulator")
    emulator = _Emulator(data, ports, report)
    try:
        yield emulator
    finally:
        emulator.stop()


def _wait_for_emulator(process: subprocess.Popen[bytes], ports: Ports, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    url = f"http://127.0.0.1:{ports.aws}/_ministack/health"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise UpError(f"the emulator stopped with code {process.returncode}: see {log}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise UpError(f"the emulator did not answer within {_START_SECONDS:.0f} s: see {log}")


def _deploy_what_changed(data: Path, ports: Ports, report: Report) -> DeployedStage:
    """Run the deployment steps unless none of their inputs changed since the last run."""
    record = data / "deployed.json"
    inputs = _fingerprint(ports)
    previous = json.loads(record.read_text("utf-8")) if record.exists() else {}
    if previous.get("inputs") == inputs:
        report("nothing changed since the last deployment")
        ensure_desks(OperatorTrail.of(STAGE), datetime.now(UTC))
        ensure_knowledge(OperatorTrail.of(STAGE), datetime.now(UTC))
        return DeployedStage(STAGE, previous["api_id"], previous["api_url"], previous["foundation"])
    with _chalice_record(data):
        deployed = deploy(STAGE, report, local_variant(ports))
    _save(ports)
    record.write_text(
        json.dumps(
            {
                "inputs": inputs,
                "api_id": deployed.api_id,
                "api_url": deployed.api_url,
                "foundation": dict(deployed.foundation),
            },
            indent=2,
        ),
        "utf-8",
    )
    return deployed


@contextlib.contextmanager
def _chalice_record(data: Path) -> Iterator[None]:
    """Lock deployments of this tree, and give Chalice the record of this system's resources.

    Chalice keeps its record and its package inside the tree, which other local systems (a test's)
    share.
    """
    record = ROOT / ".chalice" / "deployed" / f"{STAGE}.json"
    saved = data / "chalice.json"
    record.parent.mkdir(exist_ok=True)
    with (record.parent / f"{STAGE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        record.unlink(missing_ok=True)
        if saved.exists():
            shutil.copyfile(saved, record)
        yield
        shutil.copyfile(record, saved)


def local_variant(ports: Ports) -> Variant:
    """The settings in which the local deployment differs from production's."""
    from infra.local.chalice_client import LocalClient

    return Variant(
        foundation=FOUNDATION,
        api_url=f"http://127.0.0.1:{ports.http}",
        client_factory=LocalClient,
        limits=False,
        engine=False,
    )


def _fingerprint(ports: Ports) -> str:
    """Hash the names and contents of all files that a deployment reads."""
    digest = hashlib.sha256(f"{ports} {FOUNDATION}".encode())
    files = [ROOT / "app.py", ROOT / "requirements.txt", ROOT / ".chalice" / "config.json"]
    files += (INFRA / "deploy").glob("*.py")
    files += [INFRA / "local" / "chalice_client.py", *(INFRA / "templates").glob("*.yaml")]
    files += INFRA.rglob("*.json")
    files += [path for path in (ROOT / "functions").rglob("*") if "__pycache__" not in path.parts]
    for path in sorted(files):
        if path.is_file():
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _save(ports: Ports) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{ports.aws}{SAVE_PATH}", method="POST")
    with urllib.request.urlopen(request, timeout=60):  # noqa: S310 - this machine
        return


async def _serve(
    data: Path,
    ports: Ports,
    deployed: DeployedStage,
    emulator: _Emulator,
    report: Report,
    started: float,
) -> None:
    import boto3

    from infra.local import mailbox, people, providers, proxy, sample_source

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    _verify_senders()
    agents = people.ensure_people(STAGE, data / "passwords.json")
    channels = {
        desk: providers.ensure_channels(STAGE, ports.http, desk) for desk in providers.DESKS
    }
    sample_source.ensure_source(STAGE, ports.http, datetime.now(UTC))
    _save(ports)
    listener = mailbox.listen(
        mailbox.Mailbox(
            boto3.client("s3"),
            boto3.client("sns"),
            deployed.foundation["MailBucketName"],
            deployed.foundation["MailTopicArn"],
        ),
        ports.smtp,
    )
    front = await proxy.serve(
        ports.http, f"http://127.0.0.1:{ports.aws}/_aws/execute-api/{deployed.api_id}/api"
    )
    try:
        _describe(data, ports, agents, channels)
        for line in examples(ports):
            report(line)
        report(f"ready in {time.monotonic() - started:.1f} s; Ctrl-C ends it")
        keeper = asyncio.create_task(emulator.keep_running())
        await asyncio.wait(
            (asyncio.create_task(stop.wait()), keeper), return_when=asyncio.FIRST_COMPLETED
        )
        if keeper.done():
            keeper.result()
        keeper.cancel()
    finally:
        report("stopping")
        (data / "local.json").unlink(missing_ok=True)
        await front.cleanup()
        await asyncio.to_thread(listener.stop)


def _verify_senders() -> None:
    """Verify the desks' addresses in SES, as an operator does once by hand."""
    import boto3

    ses = boto3.client("sesv2")
    storage = storage_of(STAGE)
    for desk, _version in versions(STAGE):
        address = storage.playbooks.get(desk, datetime.now(UTC)).mail.address
        with contextlib.suppress(ses.exceptions.AlreadyExistsException):
            ses.create_email_identity(EmailIdentity=address)


def _describe(
    data: Path, ports: Ports, agents: list[dict[str, str]], channels: dict[str, dict[str, Any]]
) -> None:

    storage = storage_of(STAGE)
    now = datetime.now(UTC)
    desks = [desk for desk, _version in versions(STAGE)]
    described = {
        "api": f"http://127.0.0.1:{ports.http}",
        "smtp": f"127.0.0.1:{ports.smtp}",
        "aws_endpoint": f"http://127.0.0.1:{ports.aws}",
        "stage": STAGE,
        "mailboxes": {desk: storage.playbooks.get(desk, now).mail.address for desk in desks},
        "webhook_secrets": {desk: read_secret(webhook_secret_name(STAGE, desk)) for desk in desks},
        "channel_secrets": channels,
        "agents": agents,
    }
    target = data / "local.json"
    draft = target.with_suffix(".tmp")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(described, indent=2, ensure_ascii=False), "utf-8")
    draft.replace(target)


def examples(ports: Ports) -> list[str]:
    """The example commands: create a ticket by HTTP, one by mail, and show its status."""
    api = f"http://127.0.0.1:{ports.http}"
    body = '{"contact":"13800138000","description":"无法登录"}'
    return [
        f"curl -s {api}/desks/standard/tickets -H 'Content-Type: application/json' -d '{body}'",
        "printf 'From: customer@example.com\\nTo: support@standard.local\\nSubject: 支付失败\\n\\n"
        "支付失败，请协助处理\\n' | curl -s --url smtp://127.0.0.1:"
        f"{ports.smtp} --mail-from customer@example.com --mail-rcpt support@standard.local -T -",
        f"curl -s '{api}/desks/standard/tickets/<number>?contact=8000'",
    ]
