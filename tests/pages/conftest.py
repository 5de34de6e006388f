"""The browser, windows of different people, and the system that `tests/e2e` runs too."""

import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, expect, sync_playwright

from tests.pages import chromium
from tests.pages.browsing import PATIENCE, Browsing, browsing
from tests.pages.pictures import PICTURES
from tests.systems import group_of

HERE = Path(__file__).parent
_FAILED = pytest.StashKey[bool]()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Group the tests that share a system."""
    if HERE in item.path.parents and "system" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.stack)
        item.add_marker(pytest.mark.xdist_group(group_of(item.path)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of the browser; without one the tests fail in CI and are skipped elsewhere."""
    try:
        return chromium.ensure()
    except chromium.MissingChromium as missing:
        if chromium.must_run(os.environ):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """A browser for each module: Playwright's event loop would be in the way of other tests."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium_path, args=chromium.ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def windows(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Browsing]:
    """The windows that a test opens; no script may fail in them, and no policy be violated."""
    with browsing(browser) as opened:
        yield opened
        if request.node.stash.get(_FAILED, False):
            _keep(opened, request.node.name)
        assert opened.faults == []


def _keep(opened: Browsing, name: str) -> None:
    """Keep pictures of the windows of a failed test."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for count, window in enumerate(opened.windows):
        stem = f"failed-{re.sub(r'[^a-z0-9]+', '-', name.lower())[:80]}-{count}"
        try:
            window.page.screenshot(path=PICTURES / f"{stem}.png", timeout=5000)
            (PICTURES / f"{stem}.html").write_text(window.page.content(), "utf-8")
        except Error:  # it is closed, or shows no page
            continue
