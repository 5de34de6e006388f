"""Browser windows of different people: language, theme, size, with and without script."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize

Scheme = Literal["light", "dark"]
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
ZOOMED: ViewportSize = {"width": 320, "height": 256}
"""A window of 1280 × 1024 at 400 % (WCAG 2.2, 1.4.10)."""

PATIENCE = 20_000
"""Milliseconds until an element must be there; two cores also run the system."""

REFUSED = re.compile(r"Content.Security.Policy|violates the following|Refused to", re.IGNORECASE)
"""Console messages of what the pages' policy refused."""


@dataclass
class Window:
    """A person's window, and the errors of its pages."""

    page: Page
    faults: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        if REFUSED.search(message.text):
            self.faults.append(message.text)


@dataclass
class Browsing:
    """The windows that a test has opened."""

    browser: Browser
    windows: list[Window] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def open(
        self,
        *,
        locale: str = "zh-CN",
        scheme: Scheme = "light",
        size: ViewportSize = DESKTOP,
        script: bool = True,
        forced_colors: bool = False,
        reduced_motion: bool = False,
    ) -> Page:
        """Open a window of its own person: no cookie is shared with another."""
        phone = size == PHONE
        context = self.browser.new_context(
            locale=locale,
            color_scheme=scheme,
            viewport=size,
            has_touch=phone,
            is_mobile=phone,
            java_script_enabled=script,
            forced_colors="active" if forced_colors else "none",
            reduced_motion="reduce" if reduced_motion else "no-preference",
        )
        self.contexts.append(context)
        return self.page_of(context)

    def page_of(self, context: BrowserContext) -> Page:
        """Open another window of the same person."""
        context.set_default_timeout(PATIENCE)
        window = Window(context.new_page())
        window.watch()
        self.windows.append(window)
        return window.page

    def close(self) -> None:
        for context in self.contexts:
            context.close()

    @property
    def faults(self) -> list[str]:
        """The errors of scripts, and what the pages' policy refused, in all windows."""
        return [fault for window in self.windows for fault in window.faults]


@contextmanager
def browsing(browser: Browser) -> Iterator[Browsing]:
    opened = Browsing(browser)
    try:
        yield opened
    finally:
        opened.close()
