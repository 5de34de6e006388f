"""Enter each commit in a journal: in one what commits say, in the other those without words."""

from datetime import datetime, timedelta
from typing import Any

from functions.core.domain.events import Commit
from functions.core.domain.journal import JournalEntry, entry_of
from functions.core.platform import metering
from functions.core.storage.database import Storage
from functions.core.storage.items import read_commit
from functions.core.storage.usages import rounded, usage_of

LATE = timedelta(minutes=2)
"""The age of a commit from which its ticket may have been erased: an erasure waits as long for
messages that are being sent."""


def enter(record: Any, storage: Storage, now: datetime) -> None:
    """Enter a record of the table's stream; a repeated one is entered again.

    The entry says what was used before the commit, and by notify for it.

    Raises:
        DeadLetter: this code cannot read the record.
    """
    image = record["dynamodb"].get("NewImage", {})
    if not image.get("sk", {}).get("S", "").startswith("EVENT#"):
        return  # a delivery to send again
    commit = read_commit(image)
    feed, entry = storage.journal, entry_of(commit)
    if entry is None or (now - commit.at > LATE and _is_erased(commit, storage)):
        feed = storage.changes
        entry = JournalEntry(number=commit.number, version=commit.version, at=commit.at)
    usage = usage_of(image)
    for price, quantity in metering.take(commit.desk, commit.number).items():
        usage[price] = usage.get(price, 0) + quantity
    feed.write(commit.desk, entry.model_copy(update={"usage": rounded(usage)}), now)


def _is_erased(commit: Commit, storage: Storage) -> bool:
    """Return whether the ticket was erased while its record waited in the stream."""
    return storage.tickets.load(commit.desk, commit.number).erased
