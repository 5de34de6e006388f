"""`deskbell model …`: what the desks' language models were used for, and what it cost."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from infra.console.terminal import DATA, Data, Stage, connect, report, table

app = typer.Typer(help="The desks' language models.", no_args_is_help=True)


@app.callback()
def model() -> None:
    """The desks' language models."""


@app.command()
def uses(
    desk: str,
    days: Annotated[int, typer.Option(min=1, max=400, help="How many days, up to today.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """List each use of a desk's language model by day, with tokens and cost, and each day's sum."""
    from infra.deploy.desks import storage_of

    storage, now = storage_of(connect(stage, data)), datetime.now(UTC)
    zone = storage.playbooks.get(desk, now).zone
    rows = []
    for ago in reversed(range(days)):
        day = (now.astimezone(zone).date() - timedelta(days=ago)).isoformat()
        found = list(storage.model_uses.of_day(desk, day))
        for use in found:
            line = use.logged() | {"at": use.at.astimezone(zone).isoformat(timespec="seconds")}
            if as_json:
                typer.echo(json.dumps(line, ensure_ascii=False))
            rows.append(tuple(str(line[name]) for name in _COLUMNS))
        if found:
            cost = str(storage.model_uses.spent(desk, day))
            rows.append((day, "sum", *[""] * (len(_COLUMNS) - 3), cost))
    if not as_json and rows:
        table(_COLUMNS, rows)
    elif not as_json:
        report(f"desk {desk}: no uses in {days} days")


_COLUMNS = (
    "at", "task", "about", "by", "model", "outcome", "seconds", "input_tokens", "output_tokens",
    "cost",
)  # fmt: skip
