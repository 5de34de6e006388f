"""`deskbell reports …`: reports, and the facts that they count."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from infra.console.terminal import DATA, Data, Stage, connect, report, table, timestamp

if TYPE_CHECKING:
    from functions.core.reports.report import BehindView

app = typer.Typer(help="Reports, and the facts that they count.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.callback()
def reports() -> None:
    """Show reports, and maintain the facts that they count."""


@app.command()
def rebuild(desk: str, stage: Stage = "", data: Data = DATA) -> None:
    """Make a desk's facts again from the table: after an upgrade, a restore or a new time zone."""
    from infra.console import reports as rebuilding

    made = rebuilding.rebuild(connect(stage, data), desk)
    report(f"{desk}: {made} facts")


@app.command()
def run(
    at: Annotated[str, typer.Option("--at", help="A time with offset that is taken for now.")] = "",
    desk: Annotated[str, typer.Option(help="Only this desk.")] = "",
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Complete the facts and write the ended reports that are missing, without waiting for the
    schedule."""
    from infra.console.smoke_stage import StageUnderTest

    time = timestamp("--at", at) if at else datetime.now(UTC)
    event = {"time": time.isoformat()} | ({"desk": desk} if desk else {})
    StageUnderTest.of(connect(stage, data)).invoke("reports", event)
    report("done")


@app.command()
def show(
    desk: str,
    kind: Annotated[str, typer.Argument(help="daily, weekly or monthly")],
    period: Annotated[str, typer.Argument(help="2026-11-28, 2026-W48 or 2026-11")],
    tickets: Annotated[str, typer.Option(help="The rows behind this figure.")] = "",
    as_json: AsJson = False,
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Print a report, or the rows behind one of its figures."""
    from infra.console import reports as showing

    found = connect(stage, data)
    if tickets:
        rows = showing.behind(found, desk, kind, period, tickets)
        if as_json:
            for row in rows:
                typer.echo(json.dumps(row, ensure_ascii=False))
        else:
            table(_COLUMNS, [_cells(row) for row in rows])
        return
    written = showing.get(found, desk, kind, period)
    if as_json:
        typer.echo(json.dumps(written, ensure_ascii=False))
        return
    table(("figure", "part", "value"), showing.lines(written))
    for line in (*written["problems"], *(each["text"] for each in written["suggestions"])):
        report(line)


_COLUMNS = ("number", "version", "value", "business", "hit", "item", "agent", "groups", "reason")


def _cells(row: BehindView) -> tuple[str, ...]:
    """Return a row behind a figure as people read it; one with a reason does not count."""
    numbers = (row["version"], row["value"], row["business"], row["hit"])
    written = ("" if number is None else f"{number:.10g}" for number in numbers)
    return (
        row["number"], *written, row["item"], row["agent"], " ".join(row["groups"]), row["reason"],
    )  # fmt: skip


@app.command()
def compare(
    desk: str,
    day: Annotated[str, typer.Argument(help="The first day after the change: 2026-11-28")],
    days: Annotated[int, typer.Option(min=1, max=366, help="Days before and after.")] = 30,
    as_json: AsJson = False,
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Compare the figures of as many days before and after a date."""
    from infra.console import reports as comparing

    found = comparing.compare(connect(stage, data), desk, comparing.day_of(day), days)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    table(("figure", "before", "after", "change", "n before", "n after"), comparing.changes(found))
