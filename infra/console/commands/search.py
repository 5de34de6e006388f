"""`deskbell search …`: what agents search tickets by."""

import typer

from infra.console.terminal import DATA, Data, Stage, connect, report

app = typer.Typer(help="What agents search tickets by.", no_args_is_help=True)


@app.callback()
def search() -> None:
    """Maintain the texts that agents search."""


@app.command()
def rebuild(desk: str, stage: Stage = "", data: Data = DATA) -> None:
    """Make what search reads again from the table: for tickets older than 35 days, or a restore."""
    from infra.console import search as rebuilding

    found = rebuilding.rebuild(connect(stage, data), desk)
    report(f"{desk}: {found} tickets can be found")
