"""Acts on what a desk did not process: list, show, replay, discard (H4).

A desk sees its own entries. Those of no desk, such as a mail to an unknown mailbox, are for the
administrators of the whole stage.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from functions.administration.acts import Administration, act
from functions.administration.entries import NO_DESK, QuarantineEntry, printable
from functions.administration.unprocessed import NOT_FOUND, Quarantine, require_reason
from functions.core.domain.errors import NotFound
from functions.core.services.rights import ANY_DESK
from functions.core.text.masking import mask

PAGE = 25
"""Objects of the mail bucket on a page; each is read, for its sender and subject."""

MAX_REASON = 200


@act("supervisor", "admin")
def entries(
    administration: Administration, after: str = "", discarded: bool = False
) -> dict[str, Any]:
    """List what waits, or was discarded: a page, masked, and where the next one begins."""
    found, following = _quarantine(administration).page(
        _desks(administration), after, PAGE, discarded=discarded
    )
    return {"entries": [_masked(entry) for entry in found], "next": following}


@act("supervisor", "admin")
def entry(administration: Administration, entry_id: str) -> dict[str, Any]:
    """Return one entry, masked."""
    with _opened(administration, entry_id) as (_, found):
        return _masked(found)


@act("supervisor", "admin")
def show(administration: Administration, entry_id: str) -> dict[str, Any]:
    """Return one entry with its whole text, on record."""
    with _opened(administration, entry_id) as (quarantine, found):
        administration.trail.record("quarantine.show", found.desk, found.id, after={"saved": False})
        return {**_masked(found), "text": quarantine.text(found)}


@act("supervisor", "admin")
def replay(
    administration: Administration,
    entry_id: str,
    even_infected: bool = False,
) -> None:
    """Process an entry again; a mail to an unknown mailbox goes to the person's desk."""
    with _opened(administration, entry_id) as (quarantine, found):
        how = {"even_infected": even_infected}
        administration.trail.record("quarantine.replay", found.desk, found.id, after=how)
        desk = administration.desk if found.desk == NO_DESK else None
        quarantine.replay(found, desk, even_infected=even_infected)


@act("supervisor", "admin")
def discard(administration: Administration, entry_id: str, reason: str) -> None:
    """Discard an entry; the reason is kept with it, masked."""
    require_reason(reason)
    with _opened(administration, entry_id) as (quarantine, found):
        administration.trail.record("quarantine.discard", found.desk, found.id)
        username, now = administration.principal.username, administration.now
        quarantine.discard(found, mask(reason.strip()[:MAX_REASON]), username, now)


def _quarantine(administration: Administration) -> Quarantine:
    return Quarantine(administration.deployment, administration.storage)


def _desks(administration: Administration) -> list[str]:
    """The desks whose entries the person may see: the own one, and "none" for the whole stage's."""
    agent = administration.principal.agent
    whole = agent.desk == ANY_DESK and "admin" in agent.roles
    return [administration.desk, *([NO_DESK] if whole else [])]


@contextmanager
def _opened(
    administration: Administration, entry_id: str
) -> Iterator[tuple[Quarantine, QuarantineEntry]]:
    """Open one entry.

    Raises:
        NotFound: there is none, or it is another desk's.
    """
    quarantine = _quarantine(administration)
    with quarantine.opened_entry(entry_id) as found:
        if found.desk not in _desks(administration):
            raise NotFound(NOT_FOUND)
        yield quarantine, found


def _masked(entry: QuarantineEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "function": entry.function,
        "desk": entry.desk,
        "at": entry.at.isoformat(),
        "cause": printable(mask(entry.cause)),
        "number": printable(entry.number),
        "sender": entry.sender,
        "title": entry.title,
        "infected": entry.infected,
        "discarded": printable(mask(entry.discarded)),
    }
