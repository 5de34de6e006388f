"""`deskbell audit …`: who did what to the desks."""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from infra.console.terminal import DATA, Data, Stage, connect, table, timestamp

app = typer.Typer(help="The record of administrative acts.", no_args_is_help=True)
_DEFAULT_SPAN = timedelta(days=30)


@app.command("list")
def list_(
    stage: Stage = "",
    desk: Annotated[str, typer.Option(help="Only this desk's; - for the whole stage's.")] = "",
    since: Annotated[str, typer.Option(help="First time, inclusive; default: 30 days ago.")] = "",
    until: Annotated[str, typer.Option(help="Last time, exclusive; default: now.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    data: Data = DATA,
) -> None:
    """List administrative acts, oldest first: when, who, what, before and after."""
    from infra.deploy.desks import storage_of

    end = timestamp("--until", until) if until else datetime.now(UTC) + timedelta(seconds=1)
    start = timestamp("--since", since) if since else end - _DEFAULT_SPAN
    entries = storage_of(connect(stage, data)).audit.list(start, end, desk)
    if as_json:
        for entry in entries:
            typer.echo(entry.model_dump_json())
        return
    rows = [
        (
            entry.at.isoformat(timespec="seconds"),
            entry.actor,
            entry.act,
            entry.desk,
            entry.target,
            _text(entry.before),
            _text(entry.after),
        )
        for entry in entries
    ]
    table(("at", "who", "act", "desk", "target", "before", "after"), rows)


def _text(fields: dict[str, object]) -> str:
    return json.dumps(fields, ensure_ascii=False) if fields else ""
