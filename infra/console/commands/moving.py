"""`deskbell import` and `deskbell export`: move a desk's tickets in and out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from typer.core import TyperGroup

from infra.console.errors import UsageError
from infra.console.terminal import DATA, Data, Stage, connect, only_warnings, report

if TYPE_CHECKING:
    from infra.console.sources import Source

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only read and report; write nothing.")]


class _DeskGroup(TyperGroup):
    """A group whose first argument, if it names no command, is the desk of `export desk`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands:
            args = ["desk", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_DeskGroup,
    help="A desk's tickets as JSON Lines: `deskbell export DESK FILE`.",
    no_args_is_help=True,
    context_settings={"ignore_unknown_options": True},
)


@app.command()
def desk(
    desk: Annotated[str, typer.Argument()],
    file: Annotated[Path, typer.Argument(dir_okay=False)],
    with_contacts: Annotated[
        bool, typer.Option("--with-contacts", help="With the customers' contacts, encrypted.")
    ] = False,
    public_key: Annotated[
        Path | None, typer.Option(help="The X25519 public key (PEM) that contacts are sealed to.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why contacts leave; kept in the audit.")] = "",
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Write all tickets of a desk, a line each, for `deskbell import --from deskbell`."""
    from infra.console import moving
    from infra.console.contact_box import ContactBox

    if with_contacts and not (public_key and reason):
        raise UsageError("--with-contacts needs --public-key FILE and --reason")
    box = ContactBox.sealing(public_key) if with_contacts and public_key else None
    with only_warnings():
        move = moving.Move.of(connect(stage, data), desk, datetime.now(UTC))
        count = moving.export(move, file, reason, box)
    report(f"{file}: {count:,} tickets, contacts {'sealed' if box else 'masked'}")


@app.command()
def decrypt(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    private_key: Annotated[Path, typer.Option(help="The X25519 private key (PEM).")],
    out: Annotated[Path, typer.Option(help="The file to write, readable by you alone.")],
) -> None:
    """Open the contacts of an export with the owner's private key; needs no stage."""
    from infra.console import moving

    report(f"{out}: {moving.decrypt(file, private_key, out):,} tickets, contacts open")


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
            report(f"{written}: the mapping; look at it, then import with --mapping {written}")
            if not dry_run:
                return
            mapping = written
        moving.bring_in(move, words, file, mapping, dry_run=dry_run)
