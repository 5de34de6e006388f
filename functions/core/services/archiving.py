"""Write a ticket's JSON document to the archive, a long one in parts (A13, B10, G6).

Its files are kept for the same period.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from functions.core.domain.erasure import files_of, without_person, without_words
from functions.core.domain.errors import TryAgain
from functions.core.domain.events import Commit
from functions.core.domain.record import (
    TicketRecord,
    archive_key,
    document,
    part_key,
    record,
    record_part,
)
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.merging import merged_tickets
from functions.core.storage.database import Storage
from functions.core.storage.files import FILES, OPAQUE_TYPE
from functions.core.text.masking import mask

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HOLD_TAG = "hold"
"""The tag, `true` or `false`, that keeps a document beyond its retention period."""

CHUNK = 200
"""The entries of a ticket in one document of the archive; at 4,000 characters each, 3 MB."""


@dataclass(frozen=True)
class ArchiveBuckets:
    """The bucket of the documents and that of the tickets' files."""

    s3: S3Client
    archive: str
    mail: str


def write_document(
    storage: Storage,
    buckets: ArchiveBuckets,
    ticket: Ticket,
    playbook: Playbook,
    version: int | None = None,
) -> list[str]:
    """Write a ticket's document in its present state; return its key and those of its parts (B10).

    A document holds `CHUNK` entries of each ticket; later ones go to further parts, so that a
    ticket of any length fits into the function's memory.

    The buckets' lifecycle rules go by two tags: the years of retention, and whether a legal hold
    keeps the document beyond them. The ticket's files get the same tags, and their period restarts
    with the document's. The document contains nothing about an erased customer.

    Args:
        version: the version of the playbook, if the caller knows it.

    Raises:
        TryAgain: not all of the ticket can be read yet, or it was held or erased meanwhile.
    """
    desk, number = ticket.desk, ticket.number
    family = [ticket, *merged_tickets(storage, ticket)]
    held = any(member.held for member in family)
    key = archive_key(ticket, playbook.hours.timezone)
    tags = f"retention-years={playbook.retention.years}&{HOLD_TAG}={str(held).lower()}"
    writing = _Writing(buckets, key, tags, playbook.records.pattern)
    firsts = [writing.rest(_chunks(storage, member, family, playbook)) for member in family]
    version = version or storage.playbooks.version(desk)
    parts = list(writing.written)
    archived = record(
        ticket,
        firsts[0].history,
        firsts[0].deliveries,
        version,
        playbook.records.pattern,
        firsts[1:],
        parts,
    )
    writing.put(key, archived)
    for file in sorted(writing.files):
        _renew_file(buckets, file, tags)
    # A hold or an erasure commits first and looks for the document afterwards; in either order one
    # sees the other.
    newest = [storage.tickets.load(desk, member.number) for member in family]
    erased = any(
        new.erased and not member.erased for new, member in zip(newest, family, strict=True)
    )
    if erased:
        writing.delete()
    if erased or any(member.held for member in newest) != held:
        raise TryAgain(f"{number} was held or erased meanwhile")
    return [key, *parts]


@dataclass
class _Writing:
    """The documents of one ticket as they are written.

    Attributes:
        written: the keys of the documents → their S3 versions.
        files: the keys of the files that the ticket's entries name.
    """

    buckets: ArchiveBuckets
    key: str
    tags: str
    pattern: str
    written: dict[str, str] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)

    def rest(self, chunks: Iterator[TicketRecord]) -> TicketRecord:
        """Write all chunks of a ticket but the first, which is returned for the main document."""
        first, count = next(chunks), 0
        for chunk in chain((first,), chunks):
            self.files |= files_to_keep(chunk.history)
            if chunk is not first:
                part = len(self.written) + 2
                self.put(part_key(self.key, part), record_part(chunk, part, self.pattern, count))
            count += sum(commit.record_entries for commit in chunk.history)
        return first

    def put(self, key: str, content: dict[str, Any]) -> None:
        response = self.buckets.s3.put_object(
            Bucket=self.buckets.archive,
            Key=key,
            Body=document(content),
            ContentType="application/json",
            Tagging=self.tags,
        )
        self.written[key] = response.get("VersionId", "")

    def delete(self) -> None:
        """Delete what was written, if the bucket keeps versions."""
        for key, version in self.written.items():
            if version:
                self.buckets.s3.delete_object(
                    Bucket=self.buckets.archive, Key=key, VersionId=version
                )


def files_to_keep(history: Iterable[Commit]) -> set[str]:
    """Return the keys of the files that commits name, without the original mails."""
    return {key for commit in history for key in files_of(commit) if key.startswith(FILES)}


def _renew_file(buckets: ArchiveBuckets, key: str, tags: str) -> None:
    """Copy a file onto itself with the tags, so that S3 restarts its retention period."""
    from botocore.exceptions import ClientError

    try:
        buckets.s3.copy_object(
            Bucket=buckets.mail,
            Key=key,
            CopySource={"Bucket": buckets.mail, "Key": key},
            ContentType=OPAQUE_TYPE,
            MetadataDirective="REPLACE",
            Tagging=tags,
            TaggingDirective="REPLACE",
        )
    except ClientError as error:
        # An erasure has deleted the file meanwhile.
        if error.response["Error"]["Code"] not in {"NoSuchKey", "404"}:
            raise


def _chunks(
    storage: Storage, ticket: Ticket, family: Sequence[Ticket], playbook: Playbook
) -> Iterator[TicketRecord]:
    desk, number = ticket.desk, ticket.number
    erased = {member.number for member in family if member.erased}
    for first in range(1, ticket.version + 1, CHUNK):
        last = min(first + CHUNK - 1, ticket.version)
        commits = storage.tickets.history_from(desk, number, first, last - first + 1)
        if [commit.version for commit in commits] != list(range(first, last + 1)):
            raise TryAgain(f"{len(commits)} commits of {number} read, not {first} to {last}")
        deliveries = storage.deliveries.of_commits(desk, number, first, last)
        if ticket.erased:
            deliveries = [without_words(delivery) for delivery in deliveries]
        yield TicketRecord(
            ticket,
            [
                without_person(commit, playbook, mask, None if ticket.erased else erased)
                for commit in commits
            ],
            deliveries,
        )
