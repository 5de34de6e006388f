"""`deskbell quarantine …`: dead letters, quarantined mail and failed closing workflows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.console.errors import UsageError
from infra.console.terminal import DATA, Data, Stage, connect, report, table

if TYPE_CHECKING:
    from functions.administration.entries import QuarantineEntry

app = typer.Typer(help="Dead letters and quarantined mail.", no_args_is_help=True)


@app.command("list")
def list_(
    stage: Stage = "",
    desk: Annotated[str, typer.Option(help="Only this desk's entries.")] = "",
    discarded: Annotated[bool, typer.Option("--discarded", help="Discarded entries.")] = False,
    data: Data = DATA,
) -> None:
    """List everything that was not processed, with its cause."""
    from functions.administration.entries import printable
    from infra.console.quarantine import quarantine_of

    quarantine = quarantine_of(connect(stage, data))
    with quarantine.opened() as waiting:
        rows = [
            (
                entry.id,
                entry.function,
                entry.desk,
                entry.at.isoformat(timespec="seconds"),
                printable(entry.subject),
                printable(entry.cause),
                *((printable(entry.discarded),) if discarded else ()),
            )
            for entry in (quarantine.discarded() if discarded else waiting)
            if desk in ("", entry.desk)
        ]
    heads = ("id", "function", "desk", "since", "subject", "cause")
    table((*heads, "discarded by") if discarded else heads, rows)


@app.command()
def show(
    id: str,  # noqa: A002 - its name on the command line
    save: Annotated[
        Path | None, typer.Option(help="Also write the original mail to this file.")
    ] = None,
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Print one entry as text: the record and its cause, or a mail and its source."""
    from infra.console.quarantine import quarantine_of
    from infra.deploy.trail import OperatorTrail

    trail = OperatorTrail.of(connect(stage, data))
    quarantine = quarantine_of(trail.stage)
    with quarantine.opened() as waiting:
        discarded = quarantine.discarded() if id.startswith("discarded/") else []
        entry = _find(id, (*waiting, *discarded))
        trail.record("quarantine.show", entry.desk, entry.id, after={"saved": save is not None})
        if save is not None:
            original = quarantine.original(entry)
            if original is None:
                raise UsageError(f"{id} has no mail to save")
            save.write_bytes(original)
        report(quarantine.text(entry))


@app.command()
def discard(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="One id or several.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the operator and the time.")],
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Remove entries from quarantine without processing them."""
    from infra.console.quarantine import quarantine_of
    from infra.deploy.trail import OperatorTrail

    trail = OperatorTrail.of(connect(stage, data))
    quarantine = quarantine_of(trail.stage)
    with quarantine.opened() as waiting:
        for entry in [_find(entry_id, waiting) for entry_id in dict.fromkeys(ids)]:
            trail.record("quarantine.discard", entry.desk, entry.id)
            result = quarantine.discard(entry, reason, trail.actor, datetime.now(UTC))
            report(f"{entry.id}: {result}")


@app.command()
def replay(
    id: Annotated[str, typer.Argument(help="One id; or use --all.")] = "",  # noqa: A002
    all_entries: Annotated[bool, typer.Option("--all", help="Every entry.")] = False,
    stage: Stage = "",
    desk: Annotated[
        str, typer.Option(help="With --all: only this desk's. For a mail to no desk: its desk.")
    ] = "",
    even_infected: Annotated[
        bool,
        typer.Option("--even-infected", help="Release a mail with a virus, without attachments."),
    ] = False,
    data: Data = DATA,
) -> None:
    """Process entries again; those that succeed leave quarantine."""
    from functions.core.domain.errors import ReplayError
    from infra.console.quarantine import quarantine_of
    from infra.deploy.trail import OperatorTrail

    if bool(id) == all_entries:
        raise UsageError("give one id, or --all")
    if even_infected and all_entries:
        raise UsageError("--even-infected needs one id")
    trail = OperatorTrail.of(connect(stage, data))
    quarantine = quarantine_of(trail.stage)
    failed = False
    with quarantine.opened() as waiting:
        if all_entries:
            chosen = [entry for entry in waiting if desk in ("", entry.desk)]
        else:
            discarded = id.startswith("discarded/")
            chosen = [_find(id, quarantine.discarded() if discarded else waiting)]
        for entry in chosen:
            how = {"even_infected": even_infected}
            trail.record("quarantine.replay", desk or entry.desk, entry.id, after=how)
            try:
                result = quarantine.replay(entry, desk or None, even_infected=even_infected)
                report(f"{entry.id}: {result}")
            except ReplayError as error:
                failed = True
                needed = entry.infected and not even_infected
                hint = " Add --even-infected." if needed else ""
                report(f"{entry.id}: not replayed: {error}{hint}")
    if failed:
        raise typer.Exit(1)


def _find(entry_id: str, entries: Iterable[QuarantineEntry]) -> QuarantineEntry:
    for entry in entries:
        if entry.id == entry_id:
            return entry
    raise UsageError(f"nothing in quarantine has the id {entry_id}")
