"""Helpers of the commands: the options for a stage, and output."""

import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console

from infra.console.errors import UsageError
from infra.deploy import local_stage

Stage = Annotated[
    str,
    typer.Option(
        envvar="DESKBELL_STAGE", help="The stage; by default the local system of the data folder."
    ),
]
Data = Annotated[Path, typer.Option(envvar="DESKBELL_DATA", help="The local system's folder.")]
T = TypeVar("T")
DATA = Path(".deskbell")
_TO_THE_END = "\x1b[K"
"""Clears the line of a terminal from the cursor on."""

_console = Console(highlight=False, soft_wrap=True, markup=False)


def report(line: str) -> None:
    _console.print(line)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on a terminal, and tab-separated lines anywhere else."""
    if not _console.is_terminal:
        for row in rows:
            typer.echo("\t".join(" ".join(cell.split()) for cell in row))
        return
    from rich.table import Table

    grid = Table(*heads, box=None, pad_edge=False)
    for row in rows:
        grid.add_row(*row)
    Console(highlight=False, markup=False).print(grid)


def connect(stage: str, data: Path) -> str:
    """Point boto3 at the stage, or at the local system, and return the stage's name."""
    if stage not in ("", local_stage.STAGE):
        return stage
    if local_stage.connect(data):
        return local_stage.STAGE
    raise UsageError(f"no local system runs in {data}: start it with `make up`, or add --stage")


def counted(what: str, items: Iterable[T]) -> Iterator[T]:
    """Yield the items, and show on a terminal how many there were so far.

    What is printed meanwhile overwrites the count; rich's own would take over standard output.
    """
    shown = sys.stderr.isatty()
    for count, item in enumerate(items, 1):
        if shown:
            sys.stderr.write(f"{count:,} {what} …\r")
        yield item
    if shown:
        sys.stderr.write(_TO_THE_END)


@contextmanager
def only_warnings() -> Iterator[None]:
    """Silence the log lines that the product's code writes for CloudWatch."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


def timestamp(option: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError(f"{option}: use a timestamp with offset: 2026-03-10T09:00:00+08:00")
    return moment
