"""Reports as CSV: UTF-8 with a byte order mark, and no cell that a spreadsheet takes for a formula.

A spreadsheet runs what begins like a formula (OWASP, "CSV Injection"); such a text gets an
apostrophe in front. Numbers are written as they are, durations in seconds.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

from functions.core.domain.rules import Locale
from functions.core.reports.figures import FIGURES
from functions.core.reports.labels import (
    figure_definition,
    figure_label,
    measure_label,
    measures,
    word,
)
from functions.core.reports.report import BehindView, ReportView

_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Cells = Iterable[object]


def safe(cell: object) -> object:
    """Return a cell that no spreadsheet runs."""
    if isinstance(cell, str) and cell.startswith(_BEGINS_FORMULA):
        return f"'{cell}"
    return cell


def csv_text(rows: Iterable[Cells]) -> str:
    """Return rows as CSV (RFC 4180), with the mark by which spreadsheets know UTF-8."""
    written = StringIO()
    csv.writer(written).writerows([safe(cell) for cell in row] for row in rows)
    return f"\ufeff{written.getvalue()}"


def report_csv(report: ReportView, locale: Locale) -> str:
    """Return a report with one number a line, and below the definitions of the figures."""
    return csv_text(_report_rows(report, locale))


def _report_rows(report: ReportView, locale: Locale) -> Iterator[Cells]:
    head = ("table", "value", "label", "figure", "measure", "result")
    yield [word(name, locale) for name in head]
    figures: Mapping[str, Any] = report["figures"]
    yield from _numbers("figures", "", "", figures, locale)
    for table in report["tables"]:
        for row in table["rows"]:
            rest = {name: value for name, value in row.items() if name not in {"value", "label"}}
            yield from _numbers(table["dimension"], row["value"], row["label"], rest, locale)
    for correction in report["corrections"]:
        about = ("corrections", correction["period"], correction["group"] or "")
        for measure in ("from", "to"):
            named = figure_label(correction["figure"], locale)
            yield (*about, named, word(measure, locale), correction[measure])
    for problem in report["problems"]:
        yield ("problems", "", problem)
    yield ()
    for name in figures:
        if name in FIGURES:
            yield figure_label(name, locale), figure_definition(name, locale)


def _numbers(
    table: str, value: str, label: str, figures: Mapping[str, Any], locale: Locale
) -> Iterator[Cells]:
    for name, figure in figures.items():
        for path, number in measures(figure):
            named = figure_label(name, locale), measure_label(path, locale)
            yield (table, value, label, *named, "" if number is None else number)


def tickets_csv(rows: Sequence[BehindView], locale: Locale) -> str:
    """Return the tickets behind a figure, those that do not count with the reason."""
    names = (
        "number", "version", "value", "business", "hit", "item", "agent", "group", "counted",
        "reason",
    )  # fmt: skip
    lines = (
        (
            row["number"],
            row["version"],
            row["value"],
            row["business"],
            row["hit"],
            row["item"],
            row["agent"],
            " ".join(row["groups"]),
            int(row["counted"]),
            row["reason"],
        )
        for row in rows
    )
    return csv_text([[word(name, locale) for name in names], *lines])
