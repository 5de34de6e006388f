"""The archive: one JSON document a ticket, kept for as long as the desk says (A13, B10, G6)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from functions.core.closing import REOPENED, after_review
from functions.core.errors import TryAgain
from functions.core.logs import logger
from functions.core.record import archive_key, document, record
from functions.core.store import Store
from functions.survey.steps import Run

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logger("survey")


def archive(store: Store, s3: S3Client, bucket: str, run: Run, now: datetime) -> str | None:
    """Write the ticket's document and return its key; None where the ticket was reopened.

    A repeat writes the same bytes to the same place.

    Raises:
        TryAgain: what was read of the ticket is not whole yet.
    """
    ticket = store.load(run.desk, run.number)
    if after_review(ticket, run.resolution) == REOPENED:
        return None
    commits = store.history(run.desk, run.number)
    if [commit.version for commit in commits] != list(range(1, ticket.version + 1)):
        raise TryAgain(f"{len(commits)} commits of {run.number} read, not {ticket.version}")
    playbook = store.playbook(run.desk, now)
    found = record(
        ticket,
        commits,
        store.deliveries(run.desk, run.number),
        store.playbook_version(run.desk),
    )
    key = archive_key(ticket, playbook.hours.timezone)
    s3.put_object(
        Bucket=bucket,
        Key=key,
        Body=document(found),
        ContentType="application/json",
        Tagging=f"retention-years={playbook.retention.years}",
    )
    log.info("ticket.archived", extra={"number": run.number, "key": key})
    return key
