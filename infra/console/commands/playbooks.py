"""`deskbell playbook …`: check, apply and list the desks' playbooks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import typer

from infra.console.terminal import DATA, Data, Stage, connect, report, table

app = typer.Typer(help="The desks' rules.", no_args_is_help=True)


@app.command()
def check(path: Path) -> None:
    """Print OK, or every problem with its line."""
    from functions.core.playbook import load

    load(path)
    report("OK")


@app.command()
def apply(path: Path, stage: Stage = "", data: Data = DATA) -> None:
    """Store a playbook as its desk's next version and print the changes; in force within 60 s."""
    from functions.core.playbook import load
    from infra.deploy import desks
    from infra.deploy.trail import Trail

    trail = Trail.of(connect(stage, data))
    applied = desks.apply(trail, load(path), datetime.now(UTC))
    for line in applied.changes:
        report(line)
    if applied.stored:
        report(f"desk {applied.desk}: playbook {applied.version} is in force within 60 s")
    else:
        report(f"desk {applied.desk}: no changes, playbook {applied.version} stays in force")


@app.command("list")
def list_(stage: Stage = "", data: Data = DATA) -> None:
    """List every desk with the version of its playbook."""
    from infra.deploy.desks import versions

    rows = [(desk, str(version)) for desk, version in versions(connect(stage, data))]
    table(("desk", "playbook"), rows)
