"""`deskbell reports …`: the facts that reports count."""

import typer

from infra.console.terminal import DATA, Data, Stage, connect, report

app = typer.Typer(help="The facts that reports count.", no_args_is_help=True)


@app.callback()
def reports() -> None:
    """Maintain the facts that reports count."""


@app.command()
def rebuild(desk: str, stage: Stage = "", data: Data = DATA) -> None:
    """Make a desk's facts again from the table: after an upgrade, a restore or a new time zone."""
    from infra.console import reports as rebuilding

    made = rebuilding.rebuild(connect(stage, data), desk)
    report(f"{desk}: {made} facts")
