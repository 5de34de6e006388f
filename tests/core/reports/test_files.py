"""Reports as files: what a spreadsheet reads, and what it must not run."""

import csv
import re
import zipfile
from io import BytesIO, StringIO
from xml.etree import ElementTree

import pytest
from hypothesis import given, strategies as st

from functions.core.domain.rules import Locale
from functions.core.reports.figures import FIGURES
from functions.core.reports.files import csv_text, report_csv, tickets_csv
from functions.core.reports.labels import figure_definition, figure_label
from functions.core.reports.report import BehindView
from functions.core.reports.workbook import workbook
from tests.core.reports.sample_report import sample_report

pytestmark = pytest.mark.requirement("D15")
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1")
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def read(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff"), "the mark by which spreadsheets know UTF-8"
    return list(csv.reader(StringIO(text[1:], newline="")))


@given(st.text())
def test_no_cell_begins_like_a_formula(text: str) -> None:
    """A text that did is kept whole behind an apostrophe; any other stays as it is."""
    written = csv_text([[text, -1.5]])[1:]
    ((cell, number),) = csv.reader(StringIO(written, newline=""))
    assert number == "-1.5"
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))
    assert cell.removeprefix("'") == text.removeprefix("'")


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_in_a_report_is_text(formula: str) -> None:
    report = sample_report()
    report["tables"][1]["rows"][0]["label"] = formula
    cells = [cell for line in read(report_csv(report, "zh-CN")) for cell in line]
    assert f"'{formula}" in cells
    assert formula not in cells


@pytest.mark.parametrize(
    ("locale", "line"),
    [
        ("zh-CN", ["figures", "", "", "首次响应时间", "营业时间，中位数", "540"]),
        ("en", ["figures", "", "", "First response", "Opening hours, Median", "540"]),
    ],
)
def test_a_csv_has_one_number_a_line_and_the_definitions_below(
    locale: Locale, line: list[str]
) -> None:
    lines = read(report_csv(sample_report(), locale))
    assert line in lines
    below = lines[lines.index([]) + 1 :]
    assert below == [
        [figure_label(name, locale), figure_definition(name, locale)] for name in FIGURES
    ]
    assert ["type", "fault", "报障", figure_label("volume", locale)] in [one[:4] for one in lines]
    assert ["corrections", "2026-W09", ""] in [one[:3] for one in lines]


def test_the_tickets_behind_a_figure_as_csv() -> None:
    row: BehindView = {
        "number": "CS1", "version": 3, "value": 720, "business": None, "hit": 1, "item": "a",
        "agent": "=cmd()", "groups": ["type=fault", "tag=login"], "counted": False,
        "reason": "merged CS2",
    }  # fmt: skip
    head, line = read(tickets_csv([row], "en"))
    assert head[0] == "Number"
    assert line == [
        "CS1", "3", "720", "", "1", "a", "'=cmd()", "type=fault tag=login", "0", "merged CS2"
    ]  # fmt: skip


def opened(body: bytes) -> tuple[dict[str, dict[str, str]], zipfile.ZipFile]:
    """Return sheet → cell → its value, texts in full."""
    file = zipfile.ZipFile(BytesIO(body))

    def part(name: str) -> ElementTree.Element:
        return ElementTree.fromstring(file.read(name))  # noqa: S314 - our own file

    book, strings = part("xl/workbook.xml"), part("xl/sharedStrings.xml")
    texts = ["".join(each.itertext()) for each in strings.iter(f"{_MAIN}si")]
    sheets: dict[str, dict[str, str]] = {}
    for n, sheet in enumerate(book.iter(f"{_MAIN}sheet"), 1):
        found = part(f"xl/worksheets/sheet{n}.xml")
        cells = sheets.setdefault(str(sheet.get("name")), {})
        for cell in found.iter(f"{_MAIN}c"):
            assert cell.find(f"{_MAIN}f") is None, "no formulas"
            value = cell.findtext(f"{_MAIN}v") or ""
            cells[str(cell.get("r"))] = texts[int(value)] if cell.get("t") == "s" else value
    return sheets, file


def test_a_workbook_has_a_sheet_a_table_with_charts_and_definitions() -> None:
    sheets, file = opened(workbook(sample_report(), "zh-CN"))
    assert list(sheets) == [
        "概览", "类型", "型号", "坐席", "标签", "主要问题", "更正", "异常增长", "常见问题",
    ]  # fmt: skip
    kinds = sheets["类型"]
    assert [kinds[cell] for cell in ("A1", "B1", "A2", "B2", "A3", "B3")] == [
        "类型", "受理量", "报障", "30", "咨询", "10",
    ]  # fmt: skip
    for name in ("概览", "类型"):
        definition = f"受理量：{figure_definition('volume', 'zh-CN')}"
        assert definition in sheets[name].values()
    charts = [name for name in file.namelist() if re.fullmatch(r"xl/charts/chart\d+\.xml", name)]
    assert len(charts) == 9, "volume, first response and satisfaction on each sheet with rows"
    first = file.read(charts[0]).decode()
    assert "类型'!$B$2:$B$3" in first or "类型!$B$2:$B$3" in first
    assert sheets["型号"]["A2"] == "=1+1"


def test_durations_and_shares_are_numbers_that_a_spreadsheet_formats() -> None:
    sheets, file = opened(workbook(sample_report(), "en"))
    kinds = sheets["Type"]
    heads = {text: cell.rstrip("1") for cell, text in kinds.items() if cell.endswith("1")}
    assert float(kinds[f"{heads['First response Median']}2"]) == pytest.approx(720 / 86_400)
    assert kinds[f"{heads['Satisfaction Share']}2"] == "0.85"
    styles = file.read("xl/styles.xml").decode()
    assert "[h]:mm:ss" in styles
    assert "0.0%" in styles
    agents = sheets["Agent"]
    heads = {text: cell.rstrip("1") for cell, text in agents.items() if cell.endswith("1")}
    assert float(agents[f"{heads['Signed in']}2"]) == pytest.approx(4 / 24)
    assert agents[f"{heads['Occupancy']}2"] == "0.5"


def test_the_same_report_gives_the_same_bytes_in_both_languages() -> None:
    for locale in ("zh-CN", "en"):
        assert workbook(sample_report(), locale) == workbook(sample_report(), locale)


def test_an_empty_period_has_no_numbers() -> None:
    report = sample_report(tables=[], top_problems=[], corrections=[], jumps=[], questions=[])
    report["figures"]["cost"] = None
    sheets, _ = opened(workbook(report, "en"))
    assert list(sheets) == ["Overview"]
    assert any(line[:2] == ["figures", ""] for line in read(report_csv(report, "en")))
