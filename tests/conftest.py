"""Shared by all tests: a fast AWS in memory, the selection of tests that coverage traces, and the
running system of the tests that need one."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import nullcontext
from pathlib import Path
from pkgutil import walk_packages
from typing import TYPE_CHECKING

import pytest

import functions

if TYPE_CHECKING:
    from tests.e2e.running_system import System
    from tests.systems import Systems

TESTS = Path(__file__).parent
UNTRACED = {"desks", "docs", "e2e", "infra", "inprocess", "pages", "test_concurrency.py"}
"""Folders and files whose code paths other tests cover too. Tracing would double their time, so
coverage is measured without them."""
TRACED = {f"inprocess/test_{each}.py" for each in ("assistant", "chat", "originals")}
"""Files in these folders that alone take the code paths of a function."""
CASES = 2
"""Traced cases per parametrized test; further cases and hypothesis examples take the same paths."""
PATIENT = 10
"""The niceness of workers, lower in priority than the system that e2e tests wait for."""
LONG = 60
"""Longer strings are not used as test ids."""
_Trace = Generator[None, object, object]
_traced: set[str] = set()


def _distributes(config: pytest.Config) -> bool:
    """Return whether the tests run in workers of this process, which needs nothing then."""
    return bool(config.getoption("numprocesses", None))


def pytest_configure(config: pytest.Config) -> None:
    if _distributes(config):
        return
    from hypothesis import HealthCheck, settings

    from tests import moto_internals

    moto_internals.install(pytest.MonkeyPatch())
    # The duration of an example depends on other load on the machine.
    settings.register_profile(
        "patient", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("patient")


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> _Trace:
    """Import the product traced and the tests untraced."""
    if _distributes(session.config):
        return (yield)
    from tests import moto_internals

    for module in walk_packages(functions.__path__, "functions."):
        importlib.import_module(module.name)
    with moto_internals.untraced():
        _share_rewritten_assertions(session.config)
        return (yield)


def _share_rewritten_assertions(config: pytest.Config) -> None:
    """Let each xdist worker import different test files first, so that pytest's rewritten modules
    are cached once instead of by every worker."""
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
        path = item.path.relative_to(TESTS)
        function = getattr(item, "obj", None)
        traced = UNTRACED.isdisjoint(path.parts) or path.as_posix() in TRACED
        if traced and not hasattr(function, "hypothesis"):
            cases[item.nodeid.partition("[")[0]] += 1
            if cases[item.nodeid.partition("[")[0]] <= CASES:
                _traced.add(item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> _Trace:
    if "PYTEST_XDIST_WORKER" in os.environ and item.get_closest_marker("stack") is None:
        # Tests of the whole system mostly wait; when they do not, they have priority.
        os.setpriority(os.PRIO_PROCESS, 0, PATIENT)
    from tests import moto_internals

    with nullcontext() if item.nodeid in _traced else moto_internals.untraced():
        return (yield)


def pytest_collection_finish() -> None:
    """Exclude imported objects from garbage collection, which took a quarter of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Use the argument's name as the id of a long string; pytest numbers equal ids."""
    return argname if isinstance(val, str | bytes) and len(val) > LONG else None


@pytest.fixture(scope="session")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    from tests.systems import Systems

    started = Systems(tmp_path_factory.mktemp)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def system(request: pytest.FixtureRequest, systems: Systems) -> System:
    """Run `deskbell up` on free ports in an empty folder, for all files of a group.

    `DESKBELL_SYSTEM` names the data folder of one that runs already, for who writes such tests.
    """
    from tests.e2e.running_system import System
    from tests.systems import group_of

    if already := os.environ.get("DESKBELL_SYSTEM"):
        return System(Path(already))
    return systems.of(group_of(request.path))
