"""Reports as a workbook (XLSX): a sheet per table with charts and the figures' definitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from io import BytesIO
from typing import Any

from functions.core.domain.rules import Locale
from functions.core.reports.figures import FIGURES
from functions.core.reports.labels import (
    figure_definition,
    figure_label,
    is_duration,
    is_share,
    measure_label,
    measures,
    word,
)
from functions.core.reports.report import ReportView, TableView

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_DAY = 86400
_COLUMNS = (
    ("volume", "n"),
    ("first_response", "n"),
    ("first_response", "median"),
    ("first_response", "p90"),
    ("first_response", "business.median"),
    ("resolution_full", "n"),
    ("resolution_full", "median"),
    ("resolution_full", "business.median"),
    ("work_time", "median"),
    ("reopened", "share"),
    ("one_touch", "share"),
    ("first_time_fix", "share"),
    ("sla", "share"),
    ("csat", "n"),
    ("csat", "share"),
    ("csat", "answer_rate"),
    ("backlog", "n"),
)
"""The columns of a table: figure and measure. JSON and CSV have all measures."""
_LONGEST = 32_767
"""The most characters of a cell (Excel, "Specifications and limits")."""
_OF_AGENTS = ("handled", "handling", "signed_in", "occupancy")
_PLAIN = frozenset({"volume", "backlog", *_OF_AGENTS})
"""The figures of which there is one number only."""
_CHARTS = (("volume", "n"), ("first_response", "median"), ("csat", "share"))
_MOST_BARS = 20
"""The most values in a chart; the table has all."""


def workbook(report: ReportView, locale: Locale) -> bytes:
    """Return a report as a workbook. The same report gives the same bytes."""
    from xlsxwriter import Workbook

    written = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(written, options) as book:
        made = datetime.fromisoformat(report["generated_at"]).replace(tzinfo=None)
        title = f"{word(report['kind'], locale)} {report['period']}"
        book.set_properties({"title": title, "subject": report["desk"], "created": made})
        sheets = _Sheets(book, locale)
        sheets.overview(report, title)
        for table in report["tables"]:
            sheets.table(table)
        sheets.rows(
            "top_problems",
            ("label", "n", "share"),
            [(each["label"], each["n"], each["share"]) for each in report["top_problems"]],
        )
        sheets.rows(
            "corrections",
            ("period", "figure", "group", "from", "to", "tickets"),
            [
                (each["period"], figure_label(each["figure"], locale), each["group"] or "",
                 each["from"], each["to"], " ".join(each["tickets"]))
                for each in report["corrections"]
            ],
        )  # fmt: skip
        sheets.rows(
            "jumps",
            ("label", "count", "expected", "tickets"),
            [
                (each["label"], each["count"], each["expected"], " ".join(each["tickets"]))
                for each in report["jumps"]
            ],
        )
        sheets.rows(
            "questions",
            ("label", "n", "share"),
            [
                (each["phrasings"][0]["text"], each["n"], each["share"])
                for each in report["questions"]
            ],
        )
    return written.getvalue()


class _Sheets:
    """Writes the sheets of a workbook, in the form that each cell needs."""

    def __init__(self, book: Any, locale: Locale) -> None:
        self.book = book
        self.locale = locale
        self.head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.quiet = book.add_format({"font_color": "#6b7280"})
        self.time = book.add_format({"num_format": "[h]:mm:ss"})
        self.share = book.add_format({"num_format": "0.0%"})

    def overview(self, report: ReportView, title: str) -> None:
        """Write every measure of every figure, what stands out, and the definitions."""
        sheet = self._sheet("overview")
        sheet.set_column(0, 1, 30)
        sheet.set_column(2, 2, 16)
        sheet.write_string(0, 0, title, self.title)
        sheet.write_string(1, 0, f"{report['from']} – {report['to']} ({report['timezone']})")
        at = 2
        for text in (*report["problems"], *(each["text"] for each in report["suggestions"])):
            sheet.write_string(at, 0, text)
            at += 1
        self._head(
            sheet, at + 1, [word(name, self.locale) for name in ("figure", "measure", "value")]
        )
        at += 2
        figures: Mapping[str, Any] = report["figures"]
        for name, figure in figures.items():
            for path, number in measures(figure):
                sheet.write_string(at, 0, figure_label(name, self.locale))
                sheet.write_string(at, 1, measure_label(path, self.locale))
                self._number(sheet, at, 2, name, path, number)
                at += 1
        self._definitions(sheet, at + 1, figures)

    def table(self, table: TableView) -> None:
        """Write a table, below it the definitions, beside it the charts."""
        rows: Sequence[Mapping[str, Any]] = table["rows"]
        values = [{name: dict(measures(figure)) for name, figure in row.items()} for row in rows]
        columns = [
            (figure, path)
            for figure, path in (*_COLUMNS, *((name, "n") for name in _OF_AGENTS))
            if any(path in value.get(figure, {}) for value in values)
        ]
        sheet = self._sheet(table["dimension"])
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, len(columns), 13)
        sheet.freeze_panes(1, 1)
        named = [
            figure_label(figure, self.locale)
            + ("" if figure in _PLAIN else f" {measure_label(path, self.locale)}")
            for figure, path in columns
        ]
        self._head(sheet, 0, [word(table["dimension"], self.locale), *named])
        for at, (row, value) in enumerate(zip(rows, values, strict=True), 1):
            sheet.write_string(at, 0, row["label"])
            for column, (figure, path) in enumerate(columns, 1):
                self._number(sheet, at, column, figure, path, value.get(figure, {}).get(path))
        shown = list(dict.fromkeys(figure for figure, _ in columns))
        end = self._definitions(sheet, len(rows) + 2, shown)
        drawn = [column for column in _CHARTS if column in columns and rows]
        for n, charted in enumerate(drawn):
            self._chart(sheet, columns.index(charted) + 1, min(len(rows), _MOST_BARS), end + 1, n)

    def _chart(self, sheet: Any, column: int, bars: int, at: int, n: int) -> None:
        """Draw a column of a table as bars, the n-th chart in the row `at`."""
        chart = self.book.add_chart({"type": "column"})
        name = sheet.get_name()
        chart.add_series({
            "name": [name, 0, column],
            "categories": [name, 1, 0, bars, 0],
            "values": [name, 1, column, bars, column],
        })  # fmt: skip
        chart.set_legend({"none": True})
        chart.set_y_axis({"min": 0})
        sheet.insert_chart(at, 5 * n, chart)

    def rows(self, name: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Write a sheet of plain rows, if there are any."""
        if not rows:
            return
        sheet = self._sheet(name)
        sheet.set_column(0, 0, 40)
        self._head(sheet, 0, [word(each, self.locale) for each in head])
        for at, row in enumerate(rows, 1):
            for column, (path, cell) in enumerate(zip(head, row, strict=True)):
                self._number(sheet, at, column, "", path, cell)

    def _sheet(self, name: str) -> Any:
        return self.book.add_worksheet(word(name, self.locale))

    def _head(self, sheet: Any, at: int, names: Iterable[str]) -> None:
        for column, name in enumerate(names):
            sheet.write_string(at, column, name, self.head)

    def _number(
        self, sheet: Any, at: int, column: int, figure: str, path: str, number: Any
    ) -> None:
        if number is None:
            return
        if isinstance(number, str):
            money = _decimal(number) if figure == "cost" else None
            if money is None:
                sheet.write_string(at, column, number[:_LONGEST])
            else:
                sheet.write_number(at, column, money)
        elif is_duration(figure, path) or figure in {"handling", "signed_in"}:
            sheet.write_number(at, column, number / _DAY, self.time)
        elif is_share(path) or figure == "occupancy":
            sheet.write_number(at, column, number, self.share)
        else:
            sheet.write_number(at, column, number)

    def _definitions(self, sheet: Any, at: int, figures: Iterable[str]) -> int:
        """Write the definitions; return the row after them."""
        for name in figures:
            if name in FIGURES:
                text = figure_definition(name, self.locale)
                between = "：" if self.locale == "zh-CN" else ": "
                sheet.write_string(
                    at, 0, f"{figure_label(name, self.locale)}{between}{text}", self.quiet
                )
                at += 1
        return at


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
