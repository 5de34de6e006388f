"""What all tests share: AWS in memory at its quickest, and what coverage watches."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections import Counter
from collections.abc import Generator
from contextlib import nullcontext
from pathlib import Path
from pkgutil import walk_packages

import pytest
from hypothesis import HealthCheck, settings

import functions
from tests import fast_moto

fast_moto.install(pytest.MonkeyPatch())
# How long an example takes on a busy machine says nothing of it.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

TESTS = Path(__file__).parent
UNTRACED = {
    "desks", "docs", "infra", "e2e", "test_account.py", "test_aftersales.py", "test_circles.py",
    "test_crowd.py", "test_omnichannel.py", "test_rapid.py",
}  # fmt: skip
"""Folders and files that walk once more where others go. To watch which branches they take would
double their time, so what is measured as covered is covered without them."""
CASES = 2
"""Cases of one test that are watched; the others, and hypothesis's many, go the same ways."""
PATIENT = 10
"""The niceness of a worker that computes, beside those that wait for a whole system."""
LONG = 60
"""Characters above which a text is no name for a test."""
_Trace = Generator[None, object, object]
_watched: set[str] = set()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> _Trace:
    """The product is imported under the eyes of coverage, its tests need not be."""
    for module in walk_packages(functions.__path__, "functions."):
        importlib.import_module(module.name)
    with fast_moto.untraced():
        _prepare_together(session.config)
        return (yield)


def _prepare_together(config: pytest.Config) -> None:
    """Each worker of several begins with other files: what pytest makes of their assertions is kept
    beside them, so that it is made once and not by every worker."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers == 1:
        return
    sys.dont_write_bytecode = False
    asked = [Path(each.partition("::")[0]).resolve() for each in config.args]
    files = [
        path
        for path in sorted(TESTS.rglob("test_*.py"))
        if any(path.is_relative_to(each) for each in asked)
    ]
    mine = len(files) * int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")) // workers
    for path in files[mine:] + files[:mine]:
        importlib.import_module(".".join(path.relative_to(TESTS.parent).with_suffix("").parts))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    cases: Counter[str] = Counter()
    for item in items:
        parts = item.path.relative_to(TESTS).parts
        function = getattr(item, "obj", None)
        if UNTRACED.isdisjoint(parts) and not hasattr(function, "hypothesis"):
            cases[item.nodeid.partition("[")[0]] += 1
            if cases[item.nodeid.partition("[")[0]] <= CASES:
                _watched.add(item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> _Trace:
    if "PYTEST_XDIST_WORKER" in os.environ and item.get_closest_marker("stack") is None:
        # A test of the whole system waits most of its time; while it does not, it goes first.
        os.setpriority(os.PRIO_PROCESS, 0, PATIENT)
    with nullcontext() if item.nodeid in _watched else fast_moto.untraced():
        return (yield)


def pytest_collection_finish() -> None:
    """What was imported stays: looking through all of it for garbage took a quarter of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A long text is called by its argument, and pytest numbers what is called the same."""
    return argname if isinstance(val, str | bytes) and len(val) > LONG else None
