"""How long the handlers take to import: what a cold start adds to Python and boto3."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from infra.deploy import ROOT

ROOMS = ("intake", "router", "sla_timer", "notify", "survey", "portal", "workbench")
HANDLERS = (*(f"functions.{room}.handler" for room in ROOMS), "app")
BASE = "boto3, chalice"
ROUNDS = 7


def ratios(modules: Sequence[str] = HANDLERS, rounds: int = ROUNDS) -> dict[str, float]:
    """Each module's time to import as a multiple of `import boto3, chalice`, whole processes.

    The median over `rounds` rounds of each; a round runs every one once, so that whatever else the
    machine does falls on all of them alike.
    """
    names = (BASE, *modules)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        _seconds(name)  # writes what Python compiles
    for _ in range(rounds):
        for name in names:
            taken[name].append(_seconds(name))
    base = statistics.median(taken[BASE])
    return {name: statistics.median(taken[name]) / base for name in modules}


def _seconds(module: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], cwd=ROOT, check=True)  # noqa: S603 - our own modules
    return time.perf_counter() - began
