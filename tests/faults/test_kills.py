"""The running system is killed while requests arrive: none is lost, none answered twice."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running_system import System, descendants, wait_until

pytestmark = [
    pytest.mark.requirement("G1", "G3", "E11"),
    pytest.mark.slow,
    pytest.mark.stack,
    pytest.mark.xdist_group("kills"),
]
REQUESTS, KILLS = 80, 3


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    running = System(tmp_path / "data")
    running.data.mkdir()
    running.start()
    try:
        yield running
    finally:
        running.stop(signal.SIGINT)


def test_three_kills_lose_and_double_nothing(system: System) -> None:
    up = threading.Event()
    up.set()

    def file(count: int) -> Any:
        body = {"contact": f"kill{count}@example.com", "description": "无法登录"}
        for _ in range(300):
            up.wait()
            try:
                answer = system.http(
                    "POST",
                    "/desks/standard/tickets",
                    body,
                    headers={"Idempotency-Key": f"kill-{count}"},
                )
            except OSError:
                time.sleep(0.2)
                continue
            if answer.status == 201:
                return answer.json["number"]
            assert answer.status >= 429, answer.text
            time.sleep(0.2)
        raise AssertionError(f"request {count} was never answered")

    with ThreadPoolExecutor(4) as pool:
        filed = [pool.submit(file, count) for count in range(REQUESTS)]
        for _ in range(KILLS):
            time.sleep(1.5)
            up.clear()
            assert system.stop(signal.SIGKILL) == -signal.SIGKILL
            system.start()
            up.set()
        numbers = [each.result() for each in filed]
    assert len(set(numbers)) == REQUESTS

    def acknowledged() -> bool:
        mails = [len(_acknowledgements(system, count)) for count in range(REQUESTS)]
        assert max(mails) <= 1, "answered twice"
        return min(mails) == 1

    wait_until(acknowledged, "every request is acknowledged", 240)
    wait_until(lambda: system.command("verify").startswith("OK"), "verified", 60)


def test_a_dead_emulator_is_started_again(system: System) -> None:
    """`make up` goes on serving, with everything that was acknowledged before."""
    before = system.file("before@example.com", "无法登录")
    wait_until(lambda: system.sent("before@example.com"), "acknowledged")
    assert system.process is not None
    (emulator,) = [pid for pid in descendants(system.process.pid) if _is_emulator(pid)]
    os.kill(emulator, signal.SIGKILL)

    def served() -> Any:
        try:
            answer = system.http("GET", before["status_url"])
        except OSError:
            return None
        return answer.status == 200

    wait_until(served, "the system serves again", 60)
    after = system.file("after@example.com", "无法登录")
    assert after["number"] != before["number"]
    wait_until(lambda: system.sent("after@example.com"), "acknowledged")
    assert "starting it again" in system.output_since_start()
    assert system.command("verify").startswith("OK")


def _is_emulator(pid: int) -> bool:
    return b"infra.local.emulator" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _acknowledgements(system: System, count: int) -> list[Any]:
    sent = system.sent(f"kill{count}@example.com")
    return [mail for mail in sent if "请求已接收" in mail["Subject"]]
