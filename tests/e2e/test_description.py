"""The running system holds its own description against a fuzzer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.docs.openapi import FILE
from tests.e2e.running_system import ROOT, System

pytestmark = pytest.mark.requirement("G14")
JUDGED = (
    *("create_ticket", "webhook", "enter_ticket", "list_tickets", "customer_message", "act"),
    *("customer_survey", "assign", "confirm_type", "correct_contact", "note", "reply", "merge"),
    *("request_info", "open_original", "open_contact", "priority", "resolve"),
    "set_customer_class",
)
"""Calls whose well-formed bodies the desk's playbook, or what is stored, may still refuse."""

CONFIGURATION = """
continue-on-failure = true
[parameters]
desk = "standard"
[auth.openapi.token]
bearer = "{token}"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "422", "429"]
[generation]
deterministic = true
no-shrink = true
max-examples = 8
[phases.coverage]
unexpected-methods = []
[phases.stateful.generation]
max-examples = 25
[cache]
enabled = false
[[operations]]
include-operation-id = {judged}
checks.positive_data_acceptance.expected-statuses = [
  "2xx", "3xx", "400", "401", "403", "404", "409", "422", "429",
]
"""


def test_every_call_is_as_described_whatever_is_sent(tmp_path: Path) -> None:
    """All checks of schemathesis but for methods that no route has: API Gateway answers those.

    It has a system of its own, since it files thousands of requests and ends what others need.
    """
    system = System(tmp_path)
    system.start()
    try:
        served = system.http("GET", "/openapi.json")
        assert served.json == json.loads(FILE.read_text("utf-8"))
        configuration = tmp_path / "schemathesis.toml"
        configuration.write_text(
            CONFIGURATION.format(token=system.sign_in(), judged=json.dumps(JUDGED)), "utf-8"
        )
        ended = subprocess.run(
            [
                *(Path(sys.executable).with_name("schemathesis"), "--config-file", configuration),
                *("run", FILE, "--url", system.local["api"]),
                *("--checks", "all", "--exclude-checks", "unsupported_method"),
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "DESKBELL_LOCAL": str(tmp_path / "local.json"),
                "SCHEMATHESIS_HOOKS": "tests.e2e.fuzz_hooks",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert ended.returncode == 0, ended.stdout[-20_000:]
    finally:
        system.stop(signal.SIGTERM)
