"""Measure the import time of the handlers, compared with boto3 and Chalice."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence

from infra.deploy.steps import ROOT

FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))
HANDLERS = (*(f"functions.{name}.handler" for name in FUNCTIONS), "app")
BASE = "boto3, chalice"
ROUNDS = 12


def ratios(modules: Sequence[str] = HANDLERS, rounds: int = ROUNDS) -> dict[str, float]:
    """The import time of each module, in whole processes, as a multiple of `import boto3, chalice`.

    Uses the fastest of several rounds, because other load only adds time; each round imports every
    module once, so that load affects all of them alike. Bytecode exists for all of them.
    """
    names = (BASE, *modules)
    taken: dict[str, list[float]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(prefix="deskbell-bytecode-") as bytecode:
        environment = _as_lambda(bytecode)
        for name in names:
            _seconds(name, environment)  # writes the bytecode
        for _ in range(rounds):
            for name in names:
                taken[name].append(_seconds(name, environment))
    base = min(taken[BASE])
    return {name: min(taken[name]) / base for name in modules}


def _as_lambda(bytecode: str) -> dict[str, str]:
    """The environment of a function's process, in which `app` imports only what the API needs."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {
        **inherited,
        "AWS_LAMBDA_FUNCTION_NAME": "deskbell-bench",
        "PYTHONPYCACHEPREFIX": bytecode,
    }


def _seconds(module: str, environment: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(  # noqa: S603 - our own modules
        [sys.executable, "-c", f"import {module}"], cwd=ROOT, env=environment, check=True
    )
    return time.perf_counter() - began
