"""`deskbell costs`: what the desks' work has cost, and what a bill has beyond it."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from functions.core.reports.cost_queries import CostsBy
from infra.console.errors import UsageError
from infra.console.terminal import DATA, Data, Stage, connect, report, table

if TYPE_CHECKING:
    from functions.core.reports.costs import CostTable


def costs(
    first: Annotated[str, typer.Option("--from", help="First day; default: of the month.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last day, inclusive; default: today.")] = "",
    by: Annotated[str, typer.Option(help="desk, channel, ticket or day.")] = "desk",
    desk: Annotated[list[str] | None, typer.Option(help="Only this desk; default: all.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write a CSV file.")] = None,
    xlsx: Annotated[Path | None, typer.Option(help="Write a workbook.")] = None,
    bill: Annotated[
        Path | None, typer.Option(help="AWS's bill of these days: Cost Explorer's JSON or a CUR.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Print what the desks' work has cost: AWS at list price, agents' time, parts, compensation.

    With a bill, a last line has what it charges beyond the desks' units.
    """
    from functions.core.platform.athena import Athena
    from functions.core.reports.cost_files import cost_csv, cost_rows, cost_workbook
    from functions.core.reports.costs import costs_of, remainder
    from functions.workbench.costs import costs_view
    from infra.deploy.desks import storage_of, versions
    from infra.deploy.stacks import deployment_of

    if by not in get_args(CostsBy):
        raise UsageError(f"--by: one of {', '.join(get_args(CostsBy))}")
    kind: CostsBy = by  # type: ignore[assignment]  # one of them
    stage = connect(stage, data)
    storage, deployment, now = storage_of(stage), deployment_of(stage), datetime.now(UTC)
    names = desk or sorted(name for name, _ in versions(stage))
    playbooks = [storage.playbooks.get(name, now) for name in names]
    today = max((now.astimezone(each.zone).date() for each in playbooks), default=now.date())
    end = _day("--to", last) or today
    start = _day("--from", first) or end.replace(day=1)
    if start > end:
        raise UsageError("--from is later than --to")
    billed = _billed(bill, start, end) if bill else None
    query = Athena(deployment).rows
    tables = {
        each.desk: costs_of(each, start, end, kind, deployment.region, query) for each in playbooks
    }
    if csv:
        csv.write_text(cost_csv(tables, kind, "en", billed), "utf-8", newline="")
    if xlsx:
        xlsx.write_bytes(cost_workbook(tables, kind, "en", billed))
    if as_json:
        left = None if billed is None else float(remainder(billed, tables.values()))
        views = [costs_view(name, start, end, kind, found) for name, found in tables.items()]
        typer.echo(json.dumps({"desks": views, "remainder": left}, ensure_ascii=False))
        return
    # The units, one column each, are in the files.
    heads, *rows = cost_rows(tables, kind, "en", billed)
    width = 8 if kind == "desk" else 9
    table(
        [str(head) for head in heads[:width]],
        [[_cell(each) for each in row[:width]] for row in rows],
    )
    _notes(tables)


def _notes(tables: dict[str, CostTable]) -> None:
    """Say what the amounts leave out."""
    for desk, found in tables.items():
        if found.unpriced:
            report(f"desk {desk}: no price, so not counted: {', '.join(found.unpriced)}")
    regions = {found.region for found in tables.values() if found.of_home}
    for region in sorted(regions):
        report(f"no prices of {region}: those of us-east-1 were taken")


def _cell(cell: object) -> str:
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)


def _day(option: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UsageError(f"{option}: use a date such as 2026-03-10") from error


def _billed(path: Path, first: date, last: date) -> Decimal:
    from functions.core.reports.bills import BillError, read_bill

    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8", newline="") as lines:
            return read_bill(lines, first, last)
    except (BillError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{path}: {error}") from error
