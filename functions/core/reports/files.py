"""Reports as CSV: UTF-8 with a byte order mark, and no cell that a spreadsheet takes for a formula.

A spreadsheet runs what begins like a formula (OWASP, "CSV Injection"); such a text gets an
apostrophe in front. Numbers are written as they are, durations in seconds.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO

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
