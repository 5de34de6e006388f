"""Enter in the journal what a commit says."""

from datetime import datetime
from typing import Any

from functions.core.domain.journal import entry_of
from functions.core.storage.database import Storage
from functions.core.storage.items import read_commit


def enter(record: Any, storage: Storage, now: datetime) -> None:
    """Enter a record of the table's stream; a repeated one is entered again, which changes nothing.

    Raises:
        DeadLetter: this code cannot read the record.
    """
    image = record["dynamodb"].get("NewImage", {})
    if not image.get("sk", {}).get("S", "").startswith("EVENT#"):
        return  # a delivery to send again
    commit = read_commit(image)
    entry = entry_of(commit)
    if entry is not None:
        storage.journal.write(commit.desk, entry, now)
