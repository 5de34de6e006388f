"""How long the handlers take to import: what a cold start adds to Python and boto3."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence

from infra.deploy.steps import ROOT

ROOMS = sorted(found.parent.name for found in (ROOT / "functions").glob("*/handler.py"))
HANDLERS = (*(f"functions.{room}.handler" for room in ROOMS), "app")
BASE = "boto3, chalice"
ROUNDS = 12


def ratios(modules: Sequence[str] = HANDLERS, rounds: int = ROUNDS) -> dict[str, float]:
    """Each module's time to import as a multiple of `import boto3, chalice`, whole processes.

    The fastest of `rounds` rounds of each: whatever else the machine does only ever adds to the
    time. A round runs every one once, so that it falls on all of them alike. All of them come with
    bytecode, libraries and our own modules, whatever the environment says about writing it.
    """
    names = (BASE, *modules)
    taken: dict[str, list[float]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(prefix="deskbell-bytecode-") as bytecode:
        environment = _as_lambda(bytecode)
        for name in names:
            _seconds(name, environment)  # writes what Python compiles
        for _ in range(rounds):
            for name in names:
                taken[name].append(_seconds(name, environment))
    base = min(taken[BASE])
    return {name: min(taken[name]) / base for name in modules}


def _as_lambda(bytecode: str) -> dict[str, str]:
    """The variables of a function's process; `app` imports there what the API needs alone."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**given, "AWS_LAMBDA_FUNCTION_NAME": "deskbell-bench", "PYTHONPYCACHEPREFIX": bytecode}


def _seconds(module: str, environment: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(  # noqa: S603 - our own modules
        [sys.executable, "-c", f"import {module}"], cwd=ROOT, env=environment, check=True
    )
    return time.perf_counter() - began
