"""Carry out `deskbell import` from another help desk's export."""

import re
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TextIO, TypeVar

from botocore.exceptions import ClientError

from functions.core.domain.errors import Conflict, DeskbellError
from functions.core.domain.imports import PastTicket
from functions.core.domain.record import archive_key
from functions.core.domain.rules import Playbook
from functions.core.services.archiving import ArchiveBuckets, write_document
from functions.core.services.importing import BegunImport, Imported, TicketImporter
from infra.console.mapping import Misfit, Translator
from infra.console.parallel import WINDOW, in_order
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
    problems: Counter[str] = field(default_factory=Counter)

    def problem(self, where: str, reference: str, cause: str) -> None:
        line = f"{where}, ticket {reference}: {cause}" if reference else f"{where}: {cause}"
        if self.out is not None:
            self.out.write(f"{line}\n")
        if self.shown is not None and self.problems.total() < SHOWN:
            self.shown(line)
        self.problems[_NUMBERS.sub("…", cause)] += 1

    def reject(self, where: str, reference: str, cause: str) -> None:
        self.bad += 1
        self.problem(where, reference, cause)

    def add(self, done: Imported) -> None:
        self.imported += bool(done.written)
        self.known += not done.written

    @contextmanager
    def noting(self, where: str, reference: str) -> Iterator[None]:
        """Note what keeps a ticket out, and go on; what the stage refuses is raised."""
        try:
            yield
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise
            self.reject(where, reference, f"too large: {error}")
        except Conflict as error:
            self.reject(where, reference, str(error))
        except (DeskbellError, ValueError) as error:
            self.reject(where, reference, f"{type(error).__name__}: {error}")

    def lines(self) -> Iterator[str]:
        yield (
            f"{self.read:,} tickets read: {self.imported:,} imported, {self.known:,} were there, "
            f"{self.skipped:,} skipped by the mapping, {self.bad:,} not imported"
        )
        for cause, count in self.problems.most_common():
            yield f"{count:,} × {cause}"


def progress(items: Iterable[T], what: str, out: TextIO | None = None) -> Iterator[T]:
    """Yield the items, and say once a second how many there were."""
    said = time.monotonic()
    for count, item in enumerate(items, 1):
        yield item
        if time.monotonic() - said >= 1:
            said = time.monotonic()
            (out or sys.stderr).write(f"{count:,} {what}\n")


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
        tickets = self._translated(read(source, path), tally)
        if self.importer is None:
            for _, past in tickets:
                tally.imported += 1
                yield past.reference
            return
        write = partial(self._written, self.importer, now)
        for (where, begun), done in in_order(write, self._begun(self.importer, tickets, tally)):
            with tally.noting(where, begun.past.reference):
                tally.add(done.result())
                yield begun.number

    def _translated(
        self, tickets: Iterable[Read], tally: Tally
    ) -> Iterator[tuple[str, PastTicket]]:
        """Yield place and content of the tickets that the mapping lets in."""
        for where, ticket, problem in tickets:
            tally.read += 1
            if ticket is None:
                tally.reject(where, "", problem)
                continue
            notes: list[str] = []
            reference = ticket.reference[:60]
            try:
                past = self.translator.translate(ticket, notes)
            except Misfit as error:
                tally.reject(where, reference, str(error))
                continue
            for note in notes:
                tally.problem(where, reference, note)
            if past is None:
                tally.skipped += 1
            else:
                yield where, past

    def _begun(
        self, importer: TicketImporter, tickets: Iterable[tuple[str, PastTicket]], tally: Tally
    ) -> Iterator[tuple[str, BegunImport] | None]:
        """Yield the tickets with their numbers, which are drawn in the order of the file."""
        recent: deque[str] = deque(maxlen=WINDOW)
        for where, past in tickets:
            if past.key in recent:
                yield None  # a file may have a ticket twice: the first one is written before
            recent.append(past.key)
            with tally.noting(where, past.reference):
                yield where, importer.begin(self.playbook, past)

    def _written(
        self,
        importer: TicketImporter,
        now: Callable[[], datetime],
        ticket: tuple[str, BegunImport],
    ) -> Imported:
        """Write a ticket, and the archive's document of one that has ended."""
        begun, at = ticket[1], now()
        written = importer.add(self.playbook, begun, at)
        if not begun.past.goes_on and self.buckets is not None:
            archive(self.buckets, importer, self.playbook, written, at)
        return written


def archive(
    buckets: ArchiveBuckets,
    importer: TicketImporter,
    playbook: Playbook,
    written: Imported,
    now: datetime,
) -> None:
    """Write a ticket's document to the archive, unless an earlier run has."""
    if not written.written:
        try:
            buckets.s3.head_object(
                Bucket=buckets.archive, Key=archive_key(written.ticket, playbook.hours.timezone)
            )
        except ClientError:
            pass
        else:
            return
    version, _ = importer.storage.playbooks.get_numbered(playbook.desk, now)
    write_document(importer.storage, buckets, written.ticket, playbook, version)
