"""Carry out `deskbell import` from another help desk's export."""

import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO, TypeVar

from botocore.exceptions import ClientError

from functions.core.domain.errors import Conflict, DeskbellError
from functions.core.domain.imports import PastTicket
from functions.core.domain.record import archive_key
from functions.core.domain.rules import Playbook
from functions.core.services.archiving import ArchiveBuckets, write_document
from functions.core.services.importing import Imported, TicketImporter
from infra.console.mapping import Misfit, Translator
from infra.console.sources import Read, Source, read

T = TypeVar("T")
SHOWN = 20
"""The problems that are shown; the report's file has all of them."""
_NUMBERS = re.compile(r"[\d,]{2,}|'[^']*'")


@dataclass
class Tally:
    """The outcome of a file's tickets; the problems are counted by kind and written out."""

    out: TextIO | None = None
    shown: Callable[[str], None] | None = None
    read: int = 0
    imported: int = 0
    known: int = 0
    skipped: int = 0
    bad: int = 0
    commits: int = 0
    problems: Counter[str] = field(default_factory=Counter)

    def problem(self, where: str, reference: str, cause: str) -> None:
        line = f"{where}, ticket {reference}: {cause}" if reference else f"{where}: {cause}"
        if self.out is not None:
            self.out.write(f"{line}\n")
        if self.shown is not None and self.problems.total() < SHOWN:
            self.shown(line)
        self.problems[_NUMBERS.sub("…", cause)] += 1

    def lines(self) -> Iterator[str]:
        yield (
            f"{self.read:,} tickets read: {self.imported:,} imported, {self.known:,} were there, "
            f"{self.skipped:,} skipped by the mapping, {self.bad:,} not imported"
        )
        for cause, count in self.problems.most_common():
            yield f"{count:,} × {cause}"


def progress(items: Iterable[T], what: str, out: Any = sys.stderr) -> Iterator[T]:
    """Yield the items, and say once a second how many there were."""
    said = time.monotonic()
    for count, item in enumerate(items, 1):
        yield item
        if time.monotonic() - said >= 1:
            said = time.monotonic()
            out.write(f"{count:,} {what}\n")


@dataclass(frozen=True)
class ImportRun:
    """One run over a file; without an importer nothing is written."""

    playbook: Playbook
    translator: Translator
    importer: TicketImporter | None = None
    buckets: ArchiveBuckets | None = None

    def run(
        self, source: Source, path: Path, tally: Tally, now: Callable[[], datetime]
    ) -> Iterator[str]:
        """Import a file; yield the numbers of the tickets that were written or were there."""
        for found in read(source, path):
            tally.read += 1
            past = self._translated(found, tally)
            if past is None:
                continue
            if self.importer is None:
                tally.imported += 1
                yield past.reference
                continue
            try:
                written = self._written(self.importer, past, now())
            except Conflict as error:
                self._bad(tally, found.where, past.reference, str(error))
                continue
            except ClientError as error:
                if error.response["Error"]["Code"] != "ValidationException":
                    raise  # of the stage, and not of this ticket
                self._bad(tally, found.where, past.reference, f"too large: {error}")
                continue
            except (DeskbellError, ValueError) as error:
                self._bad(tally, found.where, past.reference, f"{type(error).__name__}: {error}")
                continue
            tally.commits += written.written
            if written.written:
                tally.imported += 1
            else:
                tally.known += 1
            yield written.number

    def _bad(self, tally: Tally, where: str, reference: str, cause: str) -> None:
        tally.bad += 1
        tally.problem(where, reference, cause)

    def _translated(self, found: Read, tally: Tally) -> PastTicket | None:
        if found.ticket is None:
            self._bad(tally, found.where, "", found.problem)
            return None
        notes: list[str] = []
        reference = found.ticket.reference[:60]
        try:
            past = self.translator.translate(found.ticket, notes)
        except Misfit as error:
            self._bad(tally, found.where, reference, str(error))
            return None
        if past is None:
            tally.skipped += 1
        for note in notes:
            tally.problem(found.where, reference, note)
        return past

    def _written(self, importer: TicketImporter, past: PastTicket, now: datetime) -> Imported:
        """Write a ticket, and the archive's document of one that has ended."""
        written = importer.add(self.playbook, past, now)
        if past.outcome in ("solved", "closed") and self.buckets is not None:
            archive(self.buckets, importer, self.playbook, written)
        return written


def archive(
    buckets: ArchiveBuckets, importer: TicketImporter, playbook: Playbook, written: Imported
) -> None:
    """Write a ticket's document to the archive, unless an earlier run has."""
    ticket = importer.storage.tickets.load(playbook.desk, written.number)
    if not written.written:
        try:
            buckets.s3.head_object(
                Bucket=buckets.archive, Key=archive_key(ticket, playbook.hours.timezone)
            )
        except ClientError:
            pass
        else:
            return
    write_document(importer.storage, buckets, ticket, playbook)
