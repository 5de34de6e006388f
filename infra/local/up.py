"""``deskbell up``: the whole system on this machine, until Ctrl-C."""

from __future__ import annotations

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

from infra.deploy.desks import ensure_desks, store_of, versions
from infra.deploy.functions import Report
from infra.deploy.stage_secrets import webhook_secret_name
from infra.deploy.steps import INFRA, ROOT, DeployedStage, Variant, deploy
from infra.local.emulator import SAVE_PATH
from infra.local.system import STAGE, Ports, aws_environment

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_FREE_SECONDS = 6.0
# Faults have to show in seconds here, not in the quarter of an hour that production allows.
FOUNDATION = {
    "Stage": STAGE,
    "Protection": "off",
    "MailVisibilitySeconds": "10",
    "MailMaxReceives": "3",
    "LocalWebhooks": "on",
}


class UpError(RuntimeError):
    """The local system cannot start; the message tells what to do."""


def up(data: Path, ports: Ports, report: Report, *, fresh: bool) -> None:
    """Start everything, write ``<data>/local.json``, serve until SIGINT or SIGTERM."""
    began = time.monotonic()
    # Until the system serves, being told to end is as good as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    data.mkdir(parents=True, exist_ok=True)
    with _the_only_one(data):
        # Whoever waits for it to appear must not find the last one's.
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
        with _emulator(data, ports, report):
            deployed = _deploy_what_changed(data, ports, report)
            asyncio.run(_serve(data, ports, deployed, report, began))


@contextlib.contextmanager
def _the_only_one(data: Path) -> Iterator[None]:
    """Nobody else's while we run: a second system would take the first one's files from it.

    The lock goes with the process, however that ends.

    Raises:
        UpError: another one runs there, and does not end while we wait for it.
    """
    began = time.monotonic()
    with (data / "up.lock").open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # One that is being ended takes this file away, and then needs longer than a port.
                serves = (data / "local.json").exists()
                if time.monotonic() - began > (_FREE_SECONDS if serves else _STOP_SECONDS):
                    raise UpError(
                        f"a system runs in {data} already: stop it, or say another folder by --data"
                    ) from None
                time.sleep(0.2)
        yield


def _wait_until_free(name: str, port: int) -> None:
    # A system that was killed needs a moment to save and to let go of its ports.
    deadline = time.monotonic() + _FREE_SECONDS
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                if time.monotonic() > deadline:
                    raise UpError(
                        f"port {port} is taken: stop what listens there, or set {name}"
                    ) from None
                time.sleep(0.2)
            else:
                return


@contextlib.contextmanager
def _emulator(data: Path, ports: Ports, report: Report) -> Iterator[None]:
    report("starting the AWS emulator")
    with (data / "emulator.log").open("ab") as log:
        # The pipe is how it learns that we are gone, however we went.
        process = subprocess.Popen(  # noqa: S603 - our own module
            [
                sys.executable,
                "-m",
                "infra.local.emulator",
                "--port",
                str(ports.aws),
                "--state",
                str(data / "aws"),
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_for_emulator(process, ports, data / "emulator.log")
        yield
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


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
    """Run the three steps, or none of them where nothing they read has changed."""
    record = data / "deployed.json"
    inputs = _fingerprint(ports)
    known = json.loads(record.read_text("utf-8")) if record.exists() else {}
    if known.get("inputs") == inputs:
        report("nothing changed since the last deployment")
        ensure_desks(STAGE, datetime.now(UTC))
        return DeployedStage(STAGE, known["api_id"], known["api_url"], known["foundation"])
    with _alone(data):
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
def _alone(data: Path) -> Iterator[None]:
    """One deployment of this tree at a time, with the record of what *this* system consists of.

    Chalice keeps both its record and the package it builds inside the tree, where a second local
    system (a test's) would meet the first one's.
    """
    record = ROOT / ".chalice" / "deployed" / f"{STAGE}.json"
    kept = data / "chalice.json"
    record.parent.mkdir(exist_ok=True)
    with (record.parent / f"{STAGE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        record.unlink(missing_ok=True)
        if kept.exists():
            shutil.copyfile(kept, record)
        yield
        shutil.copyfile(record, kept)


def local_variant(ports: Ports) -> Variant:
    """All that differs from production in the three steps."""
    from infra.local.chalice_client import LocalClient

    return Variant(
        foundation=FOUNDATION,
        api_url=f"http://127.0.0.1:{ports.http}",
        client_factory=LocalClient,
    )


def _fingerprint(ports: Ports) -> str:
    """Hash of everything a deployment reads: names and contents."""
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
    with urllib.request.urlopen(request, timeout=60):  # noqa: S310 - the same
        return


async def _serve(
    data: Path, ports: Ports, deployed: DeployedStage, report: Report, began: float
) -> None:
    import boto3

    from infra.local import mailbox, people, providers, proxy

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    _verify_senders()
    agents = people.ensure_people(STAGE, data / "passwords.json")
    channels = providers.ensure_channels(STAGE, ports.http)
    _save(ports)
    box = mailbox.listen(
        mailbox.Mailbox(
            boto3.client("s3"),
            boto3.client("sns"),
            deployed.foundation["MailBucketName"],
            deployed.foundation["MailTopicArn"],
        ),
        ports.smtp,
    )
    door = await proxy.serve(
        ports.http, f"http://127.0.0.1:{ports.aws}/_aws/execute-api/{deployed.api_id}/api"
    )
    try:
        _describe(data, ports, agents, channels)
        for line in examples(ports):
            report(line)
        report(f"ready in {time.monotonic() - began:.1f} s; Ctrl-C ends it")
        await stop.wait()
    finally:
        report("stopping")
        (data / "local.json").unlink(missing_ok=True)
        await door.cleanup()
        await asyncio.to_thread(box.stop)


def _verify_senders() -> None:
    """What an operator does once by hand in SES: prove that the desks' addresses are theirs."""
    import boto3

    ses = boto3.client("sesv2")
    store = store_of(STAGE)
    for desk, _version in versions(STAGE):
        address = store.playbook(desk, datetime.now(UTC)).mail.address
        with contextlib.suppress(ses.exceptions.AlreadyExistsException):
            ses.create_email_identity(EmailIdentity=address)


def _describe(
    data: Path,
    ports: Ports,
    agents: list[dict[str, str]],
    channels: dict[str, dict[str, Any]],
) -> None:
    import boto3

    from infra.local import providers

    ssm = boto3.client("ssm")
    store = store_of(STAGE)
    now = datetime.now(UTC)
    desks = [desk for desk, _version in versions(STAGE)]
    described = {
        "api": f"http://127.0.0.1:{ports.http}",
        "smtp": f"127.0.0.1:{ports.smtp}",
        "aws_endpoint": f"http://127.0.0.1:{ports.aws}",
        "stage": STAGE,
        "mailboxes": {desk: store.playbook(desk, now).mail.address for desk in desks},
        "webhook_secrets": {
            desk: ssm.get_parameter(Name=webhook_secret_name(STAGE, desk), WithDecryption=True)[
                "Parameter"
            ]["Value"]
            for desk in desks
        },
        "channel_secrets": {providers.DESK: channels},
        "agents": agents,
    }
    target = data / "local.json"
    draft = target.with_suffix(".tmp")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(described, indent=2, ensure_ascii=False), "utf-8")
    draft.replace(target)


def examples(ports: Ports) -> list[str]:
    """The three lines of the contract: a ticket by HTTP, one by mail, and its status."""
    api = f"http://127.0.0.1:{ports.http}"
    body = '{"contact":"customer@example.com","description":"无法登录"}'
    return [
        f"curl -s {api}/desks/standard/tickets -H 'Content-Type: application/json' -d '{body}'",
        "printf 'From: customer@example.com\\nTo: support@standard.local\\nSubject: 支付失败\\n\\n"
        "支付失败，请协助处理\\n' | curl -s --url smtp://127.0.0.1:"
        f"{ports.smtp} --mail-from customer@example.com --mail-rcpt support@standard.local -T -",
        f"curl -s '{api}/desks/standard/tickets/<number>?contact=.com'",
    ]
