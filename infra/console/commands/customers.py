"""`deskbell customer …`: what is stored about one customer."""

import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from infra.console.errors import UsageError
from infra.console.terminal import DATA, Data, Stage, connect, only_warnings, report

app = typer.Typer(help="Customers.", no_args_is_help=True)


@app.callback()
def customers() -> None:
    """Customers."""


@app.command()
def export(
    desk: str,
    who: Annotated[
        str,
        typer.Argument(help="A ticket's number, a phone number, an address, <channel>:<user id>."),
    ],
    file: Annotated[Path, typer.Argument(help="Written here; it must not exist.")],
    reason: Annotated[
        str,
        typer.Option(help="Why; opens masked originals too, each on its ticket's record."),
    ] = "",
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Write everything that is stored about one customer, for the customer, as JSON."""
    from functions.workbench.unseal_client import unseal
    from infra.console.customer_export import Exporting, export as exported, written
    from infra.console.retention import records_of
    from infra.deploy.stacks import deployment_of
    from infra.deploy.trail import OperatorTrail

    if file.exists():
        raise UsageError(f"{file} exists")
    trail = OperatorTrail.of(connect(stage, data))
    exporting = Exporting(
        records_of(trail.stage),
        trail,
        partial(unseal, deployment_of(trail.stage)),
        partial(datetime.now, UTC),
        reason.strip(),
    )
    with only_warnings():
        document = exported(exporting, desk, who)
    # Only whoever exports may read it: it holds personal data in the clear.
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(written(document))
    masked = "" if exporting.reason else "; texts are masked: --reason opens the originals"
    report(f"{file}: {len(document['tickets'])} tickets{masked}")
