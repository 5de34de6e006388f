"""Archive a ticket at the end of its life (A13, B10, G6)."""

from __future__ import annotations

from datetime import datetime

from functions.core.domain.closing import REOPENED, after_review
from functions.core.platform.logging import logger
from functions.core.services.archiving import ArchiveBuckets, write_document
from functions.core.storage.database import Storage
from functions.survey.tasks import Task

log = logger("survey")


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
    key = write_document(storage, buckets, ticket, playbook, version)[0]
    log.info("ticket.archived", extra={"number": task.number, "key": key})
    return key
