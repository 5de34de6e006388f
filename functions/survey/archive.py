"""Archive a ticket as one JSON document; its files are kept for the same period (A13, B10, G6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from functions.core.domain.closing import REOPENED, after_review
from functions.core.domain.erasure import files_of, without_person, without_words
from functions.core.domain.errors import TryAgain
from functions.core.domain.events import Commit
from functions.core.domain.record import TicketRecord, archive_key, document, record
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform.logging import logger
from functions.core.services.merging import merged_tickets
from functions.core.storage.database import Storage
from functions.core.storage.files import FILES, OPAQUE_TYPE
from functions.core.text.masking import mask
from functions.survey.tasks import Task

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HOLD_TAG = "hold"
"""The tag, `true` or `false`, that keeps a document beyond its retention period."""

log = logger("survey")


@dataclass(frozen=True)
class ArchiveBuckets:
    """The bucket of the documents and that of the tickets' files."""

    s3: S3Client
    archive: str
    mail: str


def archive(storage: Storage, buckets: ArchiveBuckets, task: Task, now: datetime) -> str | None:
    """Write the ticket's document and return its key; None if the ticket was reopened.

    A repetition writes the same bytes under the same key.

    Raises:
        TryAgain: not all of the ticket can be read yet.
    """
    ticket = storage.tickets.load(task.desk, task.number)
    if after_review(ticket, task.resolution) == REOPENED:
        return None
    version, playbook = storage.playbooks.get_numbered(task.desk, now)
    return write_document(storage, buckets, ticket, playbook, version)


def write_document(
    storage: Storage,
    buckets: ArchiveBuckets,
    ticket: Ticket,
    playbook: Playbook,
    version: int | None = None,
) -> str:
    """Write a ticket's document in its present state and return its key (B10).

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
    own, *merged = (_ticket_record(storage, member, family, playbook) for member in family)
    held = any(member.held for member in family)
    version, pattern = version or storage.playbooks.version(desk), playbook.records.pattern
    archived = record(ticket, own.history, own.deliveries, version, pattern, merged)
    key = archive_key(ticket, playbook.hours.timezone)
    tags = f"retention-years={playbook.retention.years}&{HOLD_TAG}={str(held).lower()}"
    response = buckets.s3.put_object(
        Bucket=buckets.archive,
        Key=key,
        Body=document(archived),
        ContentType="application/json",
        Tagging=tags,
    )
    files = {file for member in (own, *merged) for file in files_to_keep(member.history)}
    for file in sorted(files):
        _renew_file(buckets, file, tags)
    # A hold or an erasure commits first and looks for the document afterwards; in either order one
    # sees the other.
    newest = [storage.tickets.load(desk, member.number) for member in family]
    erased = any(
        new.erased and not member.erased for new, member in zip(newest, family, strict=True)
    )
    if erased and "VersionId" in response:
        buckets.s3.delete_object(Bucket=buckets.archive, Key=key, VersionId=response["VersionId"])
    if erased or any(member.held for member in newest) != held:
        raise TryAgain(f"{number} was held or erased meanwhile")
    log.info("ticket.archived", extra={"number": number, "key": key})
    return key


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


def _ticket_record(
    storage: Storage, ticket: Ticket, family: Sequence[Ticket], playbook: Playbook
) -> TicketRecord:
    """Read all of one ticket, without the data of erased customers."""
    commits = storage.tickets.history(ticket.desk, ticket.number, ticket.version)
    deliveries = storage.deliveries.list(ticket.desk, ticket.number)
    if [commit.version for commit in commits] != list(range(1, ticket.version + 1)):
        raise TryAgain(f"{len(commits)} commits of {ticket.number} read, not {ticket.version}")
    if ticket.erased:
        deliveries = [without_words(delivery) for delivery in deliveries]
    erased = {member.number for member in family if member.erased}
    commits = [
        without_person(commit, playbook, mask, None if ticket.erased else erased)
        for commit in commits
    ]
    return TicketRecord(ticket, commits, deliveries)
