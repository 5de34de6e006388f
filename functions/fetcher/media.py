"""Fetch the files of a message, and add each to its ticket under the rules for customers' files."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from functions.core.channels.base import MediaFile
from functions.core.deliver import media
from functions.core.deliver.failures import Passing, Permanent, Unclear
from functions.core.domain.commands import AddFiles
from functions.core.domain.errors import Forgotten, NotFound, TryAgain
from functions.core.domain.fetching import MediaTask
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import RefusedFile
from functions.core.platform import aws, clock, container
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment
from functions.core.receive.chat import connected_channel
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.storage.files import MEGABYTE, Files
from functions.core.storage.idempotency import Duplicate, IdempotencyRecord
from functions.core.text.file_types import safe_name
from functions.core.text.masking import mask
from functions.core.text.words import MESSAGE_LABELS

BUDGET = timedelta(seconds=80)
"""The time after which no further file of a message is begun; the next attempt goes on."""

FETCHED = "fetched"
"""The stored `body` of the idempotency record of a file."""

log = logger("fetcher")


def fetch(deployment: Deployment, task: MediaTask) -> None:
    """Fetch the files of a message and add each to its ticket, once.

    Raises:
        TryAgain: some files could not be fetched now; the others are on the ticket.
    """
    storage, now = container.storage(deployment), clock.now()
    playbook = storage.playbooks.get(task.desk, now)
    files = Files(aws.client("s3"), deployment.mail_bucket)
    connected = connected_channel(deployment, task.desk, task.channel, now)

    def get(source: str, limit: int) -> MediaFile:
        if connected is None:
            raise Permanent(f"the desk has no {task.channel} channel any more")
        return media.fetch(*connected, source, limit=limit)

    message = _MessageFiles(task, storage, files, playbook, now)
    started, left = time.monotonic(), []
    for index in range(len(task.media)):
        try:
            if time.monotonic() - started > BUDGET.total_seconds():
                raise Passing("no time left in this attempt")
            message.add(index, partial(get, task.media[index]))
        except (Passing, Unclear) as failure:
            left.append(str(failure))
        except (NotFound, Forgotten):
            log.info("media.ticket_gone", extra={"desk": task.desk, "number": task.number})
            return
    if left:
        raise TryAgain(f"{len(left)} of {len(task.media)} files: {left[0]}")


@dataclass(frozen=True)
class _MessageFiles:
    """Adds the files of one message to its ticket."""

    task: MediaTask
    storage: Storage
    files: Files
    playbook: Playbook
    now: datetime

    def add(self, index: int, get: Callable[[int], MediaFile]) -> None:
        """Add the message's file at an index to the ticket, unless it is there.

        Args:
            get: fetches the file, of at most so many bytes.

        Raises:
            Passing: the file cannot be fetched now.
            NotFound, Forgotten: there is no ticket any more, or no customer.
        """
        task = self.task
        # One message has one record, each of its files another.
        record = IdempotencyRecord(
            task.desk, task.channel, f"{task.message}:{index}", FETCHED, task.number
        )
        if self.storage.idempotency.get(record) is not None:
            return
        if self.storage.tickets.load(task.desk, task.number).erased:
            raise Forgotten
        with suppress(Duplicate):
            change(
                self.storage,
                task.desk,
                task.number,
                self._received(index, get),
                self.playbook,
                self.now,
                actor="customer",
                idempotency=record,
            )

    def _received(self, index: int, get: Callable[[int], MediaFile]) -> AddFiles:
        """Fetch a file and store it, or say why it is refused."""
        rules, told = self.playbook.files, self._told_name(index)
        if index >= rules.most:
            return self._refused(told, "count")
        try:
            found = get(rules.max_mb * MEGABYTE)
        except media.TooLong as failure:
            return self._refused(told, "size", size=failure.size)
        except media.NotTheProvider as failure:
            return self._refused(told, "address", cause=str(failure))
        except Permanent as failure:
            return self._refused(told, "unavailable", cause=str(failure))
        folder = f"{self.task.desk}/{self.task.number}"
        named = (told or found.name or self._kind, found.content)
        stored, refused = self.files.keep(folder, [named], rules)
        return AddFiles(self.task.channel, attachments=stored, refused=refused)

    def _refused(self, name: str, reason: str, *, size: int = 0, cause: str = "") -> AddFiles:
        log.warning("media.refused", extra={"desk": self.task.desk, "cause": cause or reason})
        file = RefusedFile(name=mask(safe_name(name)) or self._kind, size=size, reason=reason)
        return AddFiles(self.task.channel, refused=(file,), cause=cause)

    def _told_name(self, index: int) -> str:
        return self.task.names[index] if index < len(self.task.names) else ""

    @property
    def _kind(self) -> str:
        """The name of a file whose name nobody told."""
        labels = MESSAGE_LABELS.get(self.task.kind, MESSAGE_LABELS["file"])
        return labels[self.playbook.locale]
