"""Barriers of a page: axe-core's findings (WCAG 2.2 AA and its best practices) in both themes,
overflow at 400 %, targets too small for a thumb, edges that vanish with forced colours, what the
keyboard does not reach.
"""

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

from tests.pages.browsing import PHONE, ZOOMED

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
OF_COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules whose result depends on the theme."""

_RUN = """(only) => axe.run(document, {runOnly: only, resultTypes: ["violations"]})"""
_AT_REST = """() => Promise.allSettled(document.getAnimations().map((each) => each.finished))"""
_TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const scrolls = (element) => element && (["auto", "scroll", "hidden", "clip"].includes(
    getComputedStyle(element).overflowX) || scrolls(element.parentElement));
  return [...document.body.querySelectorAll("*")]
    .filter((each) => each.getBoundingClientRect().right > width + 1)
    .filter((each) => !scrolls(each.parentElement))
    .map((each) => each.outerHTML.slice(0, 100));
}"""
_TOO_LOW = """() => [...document.querySelectorAll("button:not(.link), .button, [role=button]")]
  .filter((each) => each.checkVisibility({visibilityProperty: true, opacityProperty: true}))
  .filter((each) => { const { width, height } = each.getBoundingClientRect();
    return width > 1 && height < 43.5; })
  .map((each) => `${each.getBoundingClientRect().height}: ${each.outerHTML.slice(0, 120)}`)"""
_WITHOUT_EDGE = """() => [...document.querySelectorAll("button, .button, .badge")]
  .filter((each) => each.checkVisibility() && each.getBoundingClientRect().width > 1)
  .filter((each) => {
    const style = getComputedStyle(each);
    return parseFloat(style.borderTopWidth) === 0 || style.borderTopStyle === "none";
  })
  .filter((each) => each.matches("button:not(.bare, .link, .quiet)"))
  .map((each) => each.outerHTML.slice(0, 100))"""

_OUT_OF_REACH = """() => [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
  .filter((each) => each.checkVisibility({visibilityProperty: true}) && !each.disabled)
  .filter((each) => each.tabIndex >= 0 && !each.closest(".unseen"))
  .filter((each) => {
    each.focus();
    const style = getComputedStyle(each);
    return document.activeElement !== each || !each.matches(":focus-visible")
      || style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2;
  })
  .map((each) => each.outerHTML.slice(0, 120))"""


@cache
def _source() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


def findings(page: Page, kind: str = "tag", values: list[str] = RULES) -> list[str]:
    """Return what axe finds, an element a line."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_source())
    found: Any = page.evaluate(_RUN, {"type": kind, "values": values})
    return [
        f"{rule['id']}: {node['target']} {' '.join(node['failureSummary'].split())}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def too_wide(page: Page) -> list[str]:
    """Return what is wider than a window of 320 pixels, which is 1280 at 400 %."""
    size = page.viewport_size
    page.set_viewport_size(ZOOMED)
    found: list[str] = page.evaluate(_TOO_WIDE)
    if size:
        page.set_viewport_size(size)
    return found


def too_low(page: Page) -> list[str]:
    """Return the buttons that are less than 44 pixels high on a phone."""
    size = page.viewport_size
    page.set_viewport_size(PHONE)
    found: list[str] = page.evaluate(_TOO_LOW)
    if size:
        page.set_viewport_size(size)
    return found


def without_edge(page: Page) -> list[str]:
    """Return the buttons that nothing but their colour marks, which forced colours take away."""
    page.emulate_media(forced_colors="active")
    found: list[str] = page.evaluate(_WITHOUT_EDGE)
    page.emulate_media(forced_colors="none")
    return found


def out_of_reach(page: Page) -> list[str]:
    """Return what the keyboard does not reach, or does not show that it has reached."""
    page.keyboard.press("Tab")  # what scripts focus shows it if the keyboard was used last
    found: list[str] = page.evaluate(_OUT_OF_REACH)
    return found


@dataclass
class Barriers:
    """The findings of several pages."""

    found: list[str] = field(default_factory=list)

    def check(self, page: Page, what: str) -> None:
        """Check a page in its present state: both themes, 400 %, phone, forced colours."""
        page.evaluate(_AT_REST)
        page.emulate_media(color_scheme="light")
        self._note(what, findings(page))
        page.emulate_media(color_scheme="dark")
        self._note(f"{what}, dark", findings(page, "rule", OF_COLOURS))
        page.emulate_media(color_scheme="light")
        self._note(f"{what}, 400 %", too_wide(page))
        self._note(f"{what}, phone", too_low(page))
        self._note(f"{what}, forced colours", without_edge(page))

    def check_all(self, page: Page, what: str) -> None:
        """Check a page as `check` does, and that the keyboard reaches all of it."""
        self.check(page, what)
        self._note(f"{what}, keyboard", out_of_reach(page))

    def _note(self, what: str, found: list[str]) -> None:
        self.found += [f"{what}: {each}" for each in found]

    def assert_none(self) -> None:
        assert not self.found, "\n" + "\n".join(self.found)
