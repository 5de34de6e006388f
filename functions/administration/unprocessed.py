"""Everything that was not processed: dead letters, quarantined mail and failed workflows (G3).

Dead letters are in SQS, quarantined mail in the mail bucket, failed closing workflows in Step
Functions. A discarded entry is recorded under `discarded/` in the mail bucket with who discarded
it, when and why; a mail moves there whole.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain

from functions.administration import closing_workflows
from functions.administration.dead_letters import DeadLetters
from functions.administration.entries import (
    CANNOT_BE_READ,
    NO_DESK,
    UNREADABLE,
    QuarantineEntry,
    printable,
    unreadable_cause,
)
from functions.administration.mail_bucket import (
    DISCARDED,
    ONLY_ENTRY,
    QUARANTINE,
    QuarantinedMail,
)
from functions.core.domain.errors import (
    ActionNotAllowed,
    FieldError,
    InvalidInput,
    NotFound,
    ReplayError,
)
from functions.core.platform.settings import Deployment
from functions.core.storage.database import Storage

PATIENCE = 20.0
"""Seconds for which a function that gets its record again may run: API Gateway ends a call after
29."""

MOST = 100
"""About the most dead letters of a function that a page reads."""


class Quarantine:
    """Everything in a stage that was not processed.

    Args:
        patience: the seconds for which a function that gets its record again may run.
    """

    def __init__(
        self, deployment: Deployment, storage: Storage, patience: float = PATIENCE
    ) -> None:
        self._deployment = deployment
        self._dead_letters = DeadLetters(deployment.prefix, storage, patience)
        self._mail = QuarantinedMail(deployment, storage)

    @contextmanager
    def opened(self) -> Iterator[list[QuarantineEntry]]:
        """List every entry, oldest first; dead letters are hidden from others until the exit."""
        with self._opened_letters(None) as letters:
            entries = [*letters, *self._mail.entries(QUARANTINE), *self._workflows()]
            yield sorted(entries, key=lambda entry: entry.at)

    @contextmanager
    def opened_entry(self, entry_id: str) -> Iterator[QuarantineEntry]:
        """Find one entry; a dead letter is hidden from others until the exit.

        Raises:
            NotFound: there is none, or somebody else has it open.
        """
        if entry_id.startswith((QUARANTINE, DISCARDED)):
            yield _found(self._mail.find(entry_id))
            return
        with self._opened_letters(MOST) as letters:
            waiting = chain(letters, self._workflows())
            yield _found(next((entry for entry in waiting if entry.id == entry_id), None))

    def page(
        self, desks: Sequence[str], after: str, limit: int, *, discarded: bool
    ) -> tuple[list[QuarantineEntry], str]:
        """Return the next entries of some desks, and where the page after them begins.

        Dead letters and workflows are on the first page, beside `limit` objects of the mail bucket.
        """
        folder = DISCARDED if discarded else QUARANTINE
        entries, following = self._mail.page([f"{folder}{desk}/" for desk in desks], after, limit)
        if not after and not discarded:
            with self._opened_letters(MOST) as letters:
                others = chain(letters, self._workflows())
                entries += [entry for entry in others if entry.desk in desks]
        return sorted(entries, key=lambda entry: entry.at, reverse=True), following

    def discarded(self) -> list[QuarantineEntry]:
        """List what was discarded, oldest first: whole mails, entries of everything else."""
        return sorted(self._mail.entries(DISCARDED), key=lambda entry: entry.at)

    @contextmanager
    def _opened_letters(self, at_most: int | None) -> Iterator[list[QuarantineEntry]]:
        letters: list[QuarantineEntry] = []
        try:
            letters.extend(self._dead_letters.entries(at_most))
            yield letters
        finally:
            for entry in letters:
                self._dead_letters.unhide(entry)

    def _workflows(self) -> Iterator[QuarantineEntry]:
        """Failed closing workflows that were neither started again nor discarded."""
        for run in closing_workflows.failed(self._deployment):
            entry = _workflow_entry(run)
            if not self._mail.has_discarded(entry):
                yield entry

    def text(self, entry: QuarantineEntry) -> str:
        """The whole entry as text that is safe for a terminal and a page."""
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

    def original(self, entry: QuarantineEntry) -> bytes | None:
        return self._mail.original(entry.id if entry.body is None else entry.keys.get("mail", ""))

    def replay(
        self, entry: QuarantineEntry, desk: str | None = None, *, even_infected: bool = False
    ) -> str:
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
            raise ReplayError(CANNOT_BE_READ)
        if entry.body is None:
            raise ReplayError(ONLY_ENTRY)
        name = closing_workflows.start_again(self._deployment, entry.id, entry.body)
        return f"the workflow runs again as {name}"

    def discard(self, entry: QuarantineEntry, reason: str, actor: str, now: datetime) -> str:
        """Remove an entry from quarantine and record who did it, when and why.

        Raises:
            InvalidInput: the reason is empty.
            ActionNotAllowed: the entry was discarded before.
        """
        require_reason(reason)
        if entry.discarded:
            raise ActionNotAllowed("It was discarded before.")
        result = self._mail.discard(entry, reason, actor, now)
        if entry.receipt:
            self._dead_letters.delete(entry)
        return result


def require_reason(reason: str) -> None:
    """Require a reason for discarding an entry.

    Raises:
        InvalidInput: it is empty.
    """
    if not reason.strip():
        error = FieldError("reason", "this field is required")
        raise InvalidInput("The reason is kept with the entry: give one.", (error,))


def _found(entry: QuarantineEntry | None) -> QuarantineEntry:
    if entry is None:
        raise NotFound(NOT_FOUND)
    return entry


NOT_FOUND = "It is not in quarantine any more, or somebody else has it open: try again in a minute."


def _workflow_entry(run: closing_workflows.Failed) -> QuarantineEntry:
    try:
        body, unreadable = json.loads(run.input), False
        desk, number = str(body["desk"]), str(body["number"])
        keys, cause = {"pk": f"TICKET#{desk}#{number}"}, run.cause
    except UNREADABLE as error:
        body, unreadable, desk, keys, cause = (
            run.input, True, NO_DESK, {}, unreadable_cause(error),
        )  # fmt: skip
    return QuarantineEntry(
        id=run.name,
        function="closing",
        at=run.stopped_at,
        cause=cause,
        keys=keys,
        desk=desk,
        body=body,
        unreadable=unreadable,
    )
