"""The running system holds its own description against a fuzzer."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.docs.openapi import FILE
from tests.e2e.running_system import ROOT, System

pytestmark = pytest.mark.requirement("G14")
RUNS = (
    ("--phases", "examples,coverage,fuzzing"),
    # With a sign-in at hand, schemathesis begins no chain with a request for a desk.
    ("--phases", "stateful", "--exclude-operation-id", "open_session", "-n", "10"),
    ("--phases", "stateful", "--include-operation-id-regex", "session"),
)
FOLLOWED = 48
"""Links that have to be followed, of the 57 described: which ones are, chance decides."""

CONFIGURATION = """
continue-on-failure = true
[parameters]
desk = "standard"
[auth.openapi.token]
bearer = "{token}"
[auth.openapi.chat]
bearer = "of a chat"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "422", "429"]
[generation]
deterministic = true
no-shrink = true
max-examples = 4
[phases.coverage]
unexpected-methods = []
[phases.stateful]
inference.algorithms = []
max-steps = 60  # a call follows a link twice in a chain at most, so long chains follow many
[cache]
enabled = false
"""


def test_every_call_is_as_described_whatever_is_sent(system: System, tmp_path: Path) -> None:
    """All checks of schemathesis but for methods that no route has: API Gateway answers those.

    It is the last on its system, since it files thousands of requests and ends what others need.
    """
    served = system.http("GET", "/openapi.json")
    assert served.json == json.loads(FILE.read_text("utf-8"))
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION.format(token=system.sign_in()), "utf-8")
    followed = 0
    for run in RUNS:
        ended = subprocess.run(
            [
                *(Path(sys.executable).with_name("schemathesis"), "--config-file"),
                *(configuration, "run", FILE, "--url", system.local["api"], *run),
                *("--checks", "all", "--exclude-checks", "unsupported_method"),
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "DESKBELL_LOCAL": str(system.data / "local.json"),
                "SCHEMATHESIS_HOOKS": "tests.e2e.fuzz_hooks",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=1200,
        )
        assert ended.returncode == 0, ended.stdout[-20_000:]
        followed += sum(map(int, re.findall(r"API Links: +(\d+) covered", ended.stdout)))
    assert followed >= FOLLOWED
