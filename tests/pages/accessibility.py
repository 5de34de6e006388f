"""What axe-core finds on a page (WCAG 2.2 AA and its best practices), as a list to read."""

from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
_RUN = """(rules) => axe.run(document, {
    runOnly: {type: "tag", values: rules}, resultTypes: ["violations"],
})"""


@cache
def _source() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


def findings(page: Page) -> list[str]:
    """Return what axe finds, an element a line."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_source())
    found: Any = page.evaluate(_RUN, RULES)
    return [
        f"{rule['id']} ({rule['impact']}): {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def assert_accessible(page: Page, what: str = "") -> None:
    found = findings(page)
    assert not found, f"{what or page.url}:\n" + "\n".join(found)
