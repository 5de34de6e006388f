"""Costs as a table for people: rows with headings, CSV, and a workbook (XLSX)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from io import BytesIO

from functions.core.domain.rules import Locale
from functions.core.reports.cost_queries import CostsBy
from functions.core.reports.costs import CostLine, CostTable, remainder
from functions.core.reports.files import csv_text
from functions.core.text.tables import read_table

AMOUNTS = ("usd", "minutes", "agent", "parts", "compensation", "total")
"""The amounts of a line, in the order of columns."""

Tables = Mapping[str, CostTable]
"""Desk → its costs."""


def amount(value: Decimal) -> Decimal:
    """Return an amount or a quantity to the millionth, without superfluous zeros."""
    return Decimal(f"{round(value, 6).normalize():f}")


def cost_rows(
    tables: Tables, by: CostsBy, locale: Locale, billed: Decimal | None = None
) -> list[list[object]]:
    """Return the headings, the lines and the sum of each desk, and the remainder of a bill.

    The columns after the currency are the units by price name, and the parts by name.
    """
    sums = [table.sum for table in tables.values()]
    units = sorted({name for total in sums for name in total.units})
    parts = sorted({name for total in sums for name in total.used})
    heads = ["desk", *([by] if by != "desk" else []), *AMOUNTS, "currency"]
    rows: list[list[object]] = [[*(cost_word(head, locale) for head in heads), *units, *parts]]
    for desk, table in tables.items():
        for line in table.lines if by != "desk" else ():
            key = line.key or cost_word("none", locale)
            rows.append([desk, key, *_cells(line, table, units, parts)])
        name = [desk] if by == "desk" else [desk, cost_word("sum", locale)]
        rows.append([*name, *_cells(table.sum, table, units, parts)])
    if billed is not None:
        name = [cost_word("remainder", locale), *([""] if by != "desk" else [])]
        rows.append([*name, amount(remainder(billed, tables.values()))])
    return rows


def _cells(
    line: CostLine, table: CostTable, units: Sequence[str], parts: Sequence[str]
) -> Iterator[object]:
    for name in AMOUNTS:
        yield amount(getattr(line, name))
    yield table.currency
    for found, names in ((line.units, units), (line.used, parts)):
        for name in names:
            yield amount(found[name]) if name in found else ""


def cost_csv(tables: Tables, by: CostsBy, locale: Locale, billed: Decimal | None = None) -> str:
    """Return costs as CSV."""
    return csv_text(cost_rows(tables, by, locale, billed))


def cost_workbook(
    tables: Tables, by: CostsBy, locale: Locale, billed: Decimal | None = None
) -> bytes:
    """Return costs as a workbook; the days of one desk with a chart."""
    from xlsxwriter import Workbook

    rows = cost_rows(tables, by, locale, billed)
    written = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(written, options) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True, "text_wrap": True})
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, Decimal):
                    sheet.write_number(at, column, float(cell))
                else:
                    sheet.write_string(at, column, str(cell), None if at else bold)
        sheet.freeze_panes(1, 2)
        sheet.set_column(0, len(rows[0]) - 1, 16)
        if by == "day" and len(tables) == 1:
            name, total = sheet.get_name(), rows[0].index(cost_word("total", locale))
            (days,) = (len(table.lines) for table in tables.values())
            chart = book.add_chart({"type": "column"})
            of_days = {"categories": [name, 1, 1, days, 1], "values": [name, 1, total, days, total]}
            chart.add_series({"name": [name, 0, total], **of_days})
            sheet.insert_chart(len(rows) + 1, 0, chart)
    return written.getvalue()


def cost_word(name: str, locale: Locale) -> str:
    """Return the heading of a column or line."""
    return read_table("costs")[name][locale]
