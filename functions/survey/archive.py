"""The archive: one JSON document a ticket, kept with its files for as long as the desk says (A13,
B10, G6)."""

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
from functions.core.storage.files import FILES, OPAQUE_TYPE
from functions.core.storage.store import Store
from functions.core.text.masking import mask
from functions.survey.tasks import Run

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HOLD = "hold"
"""The tag, `true` or `false`, that keeps a document beyond its years."""

log = logger("survey")


@dataclass(frozen=True)
class Shelves:
    """Where documents are kept, and where their tickets' files are."""

    s3: S3Client
    archive: str
    mail: str


def archive(store: Store, shelves: Shelves, run: Run, now: datetime) -> str | None:
    """Write the ticket's document and return its key; None where the ticket was reopened.

    A repeat writes the same bytes to the same place.

    Raises:
        TryAgain: what was read of the ticket is not whole yet.
    """
    ticket = store.load(run.desk, run.number)
    if after_review(ticket, run.resolution) == REOPENED:
        return None
    version, playbook = store.numbered_playbook(run.desk, now)
    return keep(store, shelves, ticket, playbook, version)


def keep(
    store: Store,
    shelves: Shelves,
    ticket: Ticket,
    playbook: Playbook,
    version: int | None = None,
) -> str:
    """Write a ticket's document as it stands and return its key (B10).

    Two tags decide how long it is kept, since the buckets' lifecycle rules go by them: for how many
    years, and whether it is held beyond those. The ticket's files get the same ones, and their time
    begins anew with the document's. Of a customer who is forgotten it says nothing.

    Args:
        version: the playbook's number where the caller knows it.

    Raises:
        TryAgain: what was read is not whole yet, or was held or erased meanwhile.
    """
    desk, number = ticket.desk, ticket.number
    family = [ticket, *merged_tickets(store, ticket)]
    own, *merged = (_part(store, part, family, playbook) for part in family)
    held = any(part.held for part in family)
    version, pattern = version or store.playbook_version(desk), playbook.records.pattern
    found = record(ticket, own.history, own.deliveries, version, pattern, merged)
    key = archive_key(ticket, playbook.hours.timezone)
    tags = f"retention-years={playbook.retention.years}&{HOLD}={str(held).lower()}"
    written = shelves.s3.put_object(
        Bucket=shelves.archive,
        Key=key,
        Body=document(found),
        ContentType="application/json",
        Tagging=tags,
    )
    for file in sorted({file for part in (own, *merged) for file in kept_files(part.history)}):
        _keep_file(shelves, file, tags)
    # Whoever holds or erases a ticket commits that first and looks for the document afterwards; in
    # either order one sees the other.
    newest = [store.load(desk, part.number) for part in family]
    erased = [new.erased and not part.erased for new, part in zip(newest, family, strict=True)]
    if any(erased) and "VersionId" in written:
        shelves.s3.delete_object(Bucket=shelves.archive, Key=key, VersionId=written["VersionId"])
    if any(erased) or any(part.held for part in newest) != held:
        raise TryAgain(f"{number} was held or erased meanwhile")
    log.info("ticket.archived", extra={"number": number, "key": key})
    return key


def kept_files(history: Iterable[Commit]) -> set[str]:
    """The keys of the files that commits name, without the mails that some came in."""
    return {key for commit in history for key in files_of(commit) if key.startswith(FILES)}


def _keep_file(shelves: Shelves, key: str, tags: str) -> None:
    """Write a file over itself, with its tags: S3 counts its years from there."""
    from botocore.exceptions import ClientError

    try:
        shelves.s3.copy_object(
            Bucket=shelves.mail,
            Key=key,
            CopySource={"Bucket": shelves.mail, "Key": key},
            ContentType=OPAQUE_TYPE,
            MetadataDirective="REPLACE",
            Tagging=tags,
            TaggingDirective="REPLACE",
        )
    except ClientError as error:
        # One that an erasure has taken meanwhile is not brought back.
        if error.response["Error"]["Code"] not in {"NoSuchKey", "404"}:
            raise


def _part(
    store: Store, ticket: Ticket, family: Sequence[Ticket], playbook: Playbook
) -> TicketRecord:
    """All of one ticket, without what tells who a customer was that is forgotten."""
    commits = store.history(ticket.desk, ticket.number, ticket.version)
    deliveries = store.deliveries(ticket.desk, ticket.number)
    if [commit.version for commit in commits] != list(range(1, ticket.version + 1)):
        raise TryAgain(f"{len(commits)} commits of {ticket.number} read, not {ticket.version}")
    if ticket.erased:
        deliveries = [without_words(delivery) for delivery in deliveries]
    gone = {part.number for part in family if part.erased}
    commits = [
        without_person(commit, playbook, mask, None if ticket.erased else gone)
        for commit in commits
    ]
    return TicketRecord(ticket, commits, deliveries)
