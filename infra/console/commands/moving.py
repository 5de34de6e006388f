"""`deskbell import` and `deskbell export`: move a desk's tickets in and out."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from infra.console.errors import UsageError
from infra.console.terminal import DATA, Data, Stage, connect, only_warnings, report

if TYPE_CHECKING:
    from infra.console.sources import Source

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only read and report; write nothing.")]


def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    desk: Annotated[str, typer.Option(help="The desk that gets the tickets.")],
    source: Annotated[
        str, typer.Option("--from", help="zendesk, zammad, freshdesk, csv or deskbell.")
    ],
    mapping: Annotated[
        Path | None,
        typer.Option(help="What their words are here; without it a first guess is written."),
    ] = None,
    dry_run: DryRun = False,
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Bring tickets of another help desk in; nobody is told, and a repetition adds nothing."""
    from infra.console import moving

    if source not in moving.SOURCES:
        raise UsageError(f"--from: use one of {', '.join(moving.SOURCES)}")
    with only_warnings():
        move = moving.Move.of(connect(stage, data), desk, datetime.now(UTC))
        if source == "deskbell":
            moving.restore(move, file, dry_run=dry_run)
            return
        words = cast("Source", source)
        if mapping is None:
            written = moving.first_guess(move, words, file)
            report(f"{written}: a first guess; look at it, then import with --mapping {written}")
            if not dry_run:
                return
            mapping = written
        moving.bring_in(move, words, file, mapping, dry_run=dry_run)
