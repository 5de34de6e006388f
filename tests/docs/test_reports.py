"""docs/reports.md defines every figure and has an example of each."""

import re
from pathlib import Path

from functions.core.reports.figures import DEFINITIONS, FIGURES

TEXT = (Path(__file__).parents[2] / "docs" / "reports.md").read_text("utf-8")


def test_every_figure_has_an_example() -> None:
    examples = TEXT.partition("An example of each")[2].partition("## Tables")[0]
    named = re.findall(r"^\| `(\w+)` \| \S.{10,}", examples, re.MULTILINE)
    assert named == list(FIGURES)


def test_the_page_has_the_definitions_that_reports_name() -> None:
    assert f"version {DEFINITIONS}" in TEXT
