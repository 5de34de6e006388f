"""List, show, replay and discard dead letters, quarantined mail and failed workflows (G3).

Dead letters are in SQS, quarantined mail in the mail bucket, failed closing workflows in Step
Functions. A discarded entry is recorded under `discarded/` in the mail bucket with who discarded
it, when and why; a mail moves there whole.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import boto3

from infra.console import closing_workflows
from infra.console.dead_letters import DeadLetters
from infra.console.errors import UsageError
from infra.console.quarantine_entry import (
    UNREADABLE,
    Entry,
    ReplayError,
    printable,
    unreadable_cause,
)
from infra.console.quarantined_mail import DISCARDED, QUARANTINE, QuarantinedMail
from infra.deploy.desks import storage_of


class Quarantine:
    """Everything in a stage that was not processed."""

    def __init__(self, stage: str) -> None:
        account = boto3.client("sts").get_caller_identity()["Account"]
        region = boto3.session.Session().region_name
        self._prefix = f"deskbell-{stage}"
        storage = storage_of(stage)
        self._dead_letters = DeadLetters(self._prefix, storage)
        self._mail = QuarantinedMail(
            self._prefix, f"{self._prefix}-mail-{account}-{region}", storage
        )

    @contextmanager
    def opened(self) -> Iterator[list[Entry]]:
        """List every entry, oldest first; dead letters are hidden from others until the exit."""
        dead_letters: list[Entry] = []
        try:
            dead_letters.extend(self._dead_letters.entries())
            entries = [*dead_letters, *self._mail.entries(QUARANTINE), *self._workflows()]
            yield sorted(entries, key=lambda entry: entry.at)
        finally:
            for entry in dead_letters:
                self._dead_letters.unhide(entry)

    def discarded(self) -> list[Entry]:
        """List what was discarded, oldest first: whole mails, entries of everything else."""
        return sorted(self._mail.entries(DISCARDED), key=lambda entry: entry.at)

    def _workflows(self) -> Iterator[Entry]:
        """Failed closing workflows that were neither started again nor discarded."""
        discarded = {
            entry.keys["mail"]
            for entry in self._mail.entries(DISCARDED)
            if entry.function == "closing"
        }
        for run in closing_workflows.failed(self._prefix):
            if run.name not in discarded:
                yield _workflow_entry(run)

    def text(self, entry: Entry) -> str:
        """The whole entry as text that is safe for a terminal."""
        if entry.body is None:
            return printable(self._mail.text(entry.id, entry))
        parts = [json.dumps(entry.body, ensure_ascii=False, indent=2)]
        if entry.is_batch:
            parts += self._dead_letters.records(entry)
        elif entry.function == "mail" and entry.keys.get("mail"):
            parts.append(self._mail.text(entry.keys["mail"], entry))
        elif entry.is_delivery:
            parts.append(self._dead_letters.delivery(entry))
        return printable("\n\n".join(parts))

    def original(self, entry: Entry) -> bytes | None:
        return self._mail.original(entry.id if entry.body is None else entry.keys.get("mail", ""))

    def replay(self, entry: Entry, desk: str | None = None, *, even_infected: bool = False) -> str:
        """Replay an entry and return a line about the outcome.

        Args:
            desk: the desk to receive a mail that was sent to no desk's mailbox.
            even_infected: release a mail in which a virus was found, without its attachments.

        Raises:
            ReplayError: the entry stays in quarantine.
        """
        if entry.body is None and entry.function != "closing":
            return self._mail.release(entry, desk or entry.desk, even_infected=even_infected)
        if entry.function != "closing":
            return self._dead_letters.replay(entry)
        if entry.unreadable:
            raise ReplayError("its input cannot be read: discard it")
        if entry.body is None:
            raise ReplayError("a discarded closing workflow cannot be started again")
        name = closing_workflows.start_again(self._prefix, entry.id, entry.body)
        return f"the workflow runs again as {name}"

    def discard(self, entry: Entry, reason: str, actor: str, now: datetime) -> str:
        """Remove an entry from quarantine and record who did it, when and why.

        Raises:
            UsageError: the reason is empty, or the entry was discarded before.
        """
        if not reason.strip():
            raise UsageError("--reason is required: it is kept with the entry")
        if entry.discarded:
            raise UsageError(f"{entry.id} was discarded before")
        result = self._mail.discard(entry, reason, actor, now)
        if entry.receipt:
            self._dead_letters.delete(entry)
        return result


def _workflow_entry(run: closing_workflows.Failed) -> Entry:
    try:
        body, unreadable = json.loads(run.input), False
        desk, number = str(body["desk"]), str(body["number"])
        keys, cause = {"pk": f"TICKET#{desk}#{number}"}, run.cause
    except UNREADABLE as error:
        body, unreadable, desk, keys, cause = run.input, True, "-", {}, unreadable_cause(error)
    return Entry(
        id=run.name,
        function="closing",
        at=run.stopped_at,
        cause=cause,
        keys=keys,
        desk=desk,
        body=body,
        unreadable=unreadable,
    )
