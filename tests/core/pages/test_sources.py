"""Templates, styles and scripts contain nothing that would need a weaker policy (H8)."""

import re
from pathlib import Path

import pytest

from functions.core.pages.assets import FOLDER

pytestmark = pytest.mark.requirement("H8")

ROOT = Path(__file__).parents[3]

TEMPLATES = sorted(ROOT.glob("functions/*/templates/*.html")) + sorted(
    ROOT.glob("functions/core/pages/templates/*.html")
)
PAGES = [path for path in TEMPLATES if path.parent.parent.name != "notify"]
"""Without those of mails, which have their style inline because mail programs take no other."""
SCRIPTS = sorted(path for path in FOLDER.glob("*.js") if path.name != "htmx.js")
STYLES = sorted(FOLDER.glob("*.css"))

IN_TEMPLATES = {
    "an inline script": r"<script(?![^>]*\bsrc=)",
    "an inline style": r"<style\b|\sstyle\s*=",
    "an inline handler": r"\son[a-z]+\s*=\s*[\"']",
    "code of htmx": r"hx-on|hx-vars|['\"=\s]js:|javascript:",
    "a filter of htmx": r"hx-trigger\s*=\s*\"[^\"]*\[",
    "a field that hides its form's own property from htmx": r"\sname=\"form\"",
    "text that is not escaped": r"\|\s*safe\b|autoescape\s+false|Markup",
    "another site": r"(?:src|href|action|hx-get|hx-post)\s*=\s*[\"']?(?:https?:)?//",
}
IN_SCRIPTS = {
    "HTML made of text": r"innerHTML\s*\+?=|outerHTML\s*\+?=|insertAdjacentHTML|document\.write",
    "code made of text": r"\beval\(|new Function\(|set(?:Timeout|Interval)\(\s*[\"'`]",
    "another site": r"[\"'`](?:https?:)?//",
}
IN_STYLES = {"another site": r"url\(|@import"}


def _found(path: Path, forbidden: dict[str, str]) -> list[str]:
    text = path.read_text("utf-8")
    return [what for what, pattern in forbidden.items() if re.search(pattern, text)]


def test_templates_have_markup_only_scripts_make_none_and_styles_load_nothing() -> None:
    for paths, forbidden in ((PAGES, IN_TEMPLATES), (SCRIPTS, IN_SCRIPTS), (STYLES, IN_STYLES)):
        assert paths
        for path in paths:
            assert not _found(path, forbidden), path.name


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<script>x</script>", "an inline script"),
        ('<p style="color:red">', "an inline style"),
        ('<a onclick="x()">', "an inline handler"),
        ('<a hx-on:click="x()">', "code of htmx"),
        ("<a hx-vals='js:{}'>", "code of htmx"),
        ('<a hx-trigger="click[ctrlKey]">', "a filter of htmx"),
        ("{{ text|safe }}", "text that is not escaped"),
        ('<img src="//other.example/x">', "another site"),
    ],
)
def test_each_of_them_is_found(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(text, "utf-8")
    assert what in _found(path, IN_TEMPLATES)
