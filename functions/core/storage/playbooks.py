"""Playbooks: each desk's versions, a cache of the current ones, and the desks' mailboxes."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from functions.core.domain.errors import (
    Conflict,
    NotFound,
    Phrase,
    PlaybookError,
    StalePlaybook,
)
from functions.core.domain.rules import DESK_NAME, Locale, Playbook
from functions.core.storage.items import ticket_of_key
from functions.core.storage.table import (
    REFUSED,
    Item,
    Table,
    Write,
    between,
    key,
    parse_stamp,
    stamp,
)

PLAYBOOK_TTL = timedelta(seconds=30)
"""The time for which a playbook is used after it was read; a new one takes effect within 60 s."""

MAX_MISSING = 1_000
"""The most unknown desks that are remembered, so that invented names cannot fill the memory."""

_STALE = "Somebody has applied another playbook meanwhile. Check yours against it again."

_LONG_AGO = datetime.fromtimestamp(0, UTC)


class CachedPlaybook(NamedTuple):
    """A desk's playbook and the time at which it was read."""

    read_at: datetime
    version: int
    playbook: Playbook


class StoredVersion(NamedTuple):
    """A version that was stored, when and by whom; "" where that is only in the audit."""

    number: int
    at: datetime
    by: str


PlaybookCache = dict[str, CachedPlaybook]
"""Desk → its playbook."""


@dataclass
class Playbooks:
    """The playbooks of all desks.

    - `cache` keeps the current ones between calls;
    - `missing` keeps the names of desks that do not exist, with the time of the read. Calls for
      invented desks are open to anybody and must cost nothing.
    """

    table: Table
    cache: PlaybookCache = field(default_factory=dict)
    missing: dict[str, datetime] = field(default_factory=dict)

    def get(self, desk: str, now: datetime) -> Playbook:
        """The desk's current playbook, at most `PLAYBOOK_TTL` old.

        Raises:
            NotFound: there is no such desk.
        """
        return self.get_numbered(desk, now)[1]

    def get_numbered(self, desk: str, now: datetime) -> tuple[int, Playbook]:
        """The number of the desk's current version, and the playbook as `get` returns it."""
        cached = self.cache.get(desk)
        # A sweep may run for a later time; such a read is not fresh until then.
        if cached is not None and abs(now - cached.read_at) < PLAYBOOK_TTL:
            return cached.version, cached.playbook
        if self._is_missing(desk, now):
            raise NotFound("There is no such desk.")
        version = self.version(desk)
        if version is None:
            if len(self.missing) >= MAX_MISSING:
                self.missing.clear()
            self.missing[desk] = now
            raise NotFound("There is no such desk.")
        if cached is not None and cached.version == version:
            playbook = cached.playbook
        else:
            playbook = Playbook.stored(self.document(desk, version))
        self.cache[desk] = CachedPlaybook(now, version, playbook)
        return version, playbook

    def known_locale(self, desk: str) -> Locale | None:
        """The language of a desk whose playbook was read before, without reading it."""
        cached = self.cache.get(desk)
        return cached.playbook.locale if cached else None

    def _is_missing(self, desk: str, now: datetime) -> bool:
        """Return whether a desk cannot exist by its name, or did not exist a moment ago."""
        read_at = self.missing.get(desk, _LONG_AGO)
        return not re.fullmatch(DESK_NAME, desk) or abs(now - read_at) < PLAYBOOK_TTL

    def refresh(self, event_item: Item, now: datetime) -> int | None:
        """Refresh the cache from an event item, which says which version its writer read and when.

        A function that the event wakes then need not read the playbook again. The version is used
        for `PLAYBOOK_TTL` from the writer's read, so a change takes effect no later.

        Returns:
            The version that the writer read, None if the item does not say.
        """
        if "playbook" not in event_item:
            return None
        desk, _ = ticket_of_key(event_item["pk"]["S"])
        written, _, seconds = event_item["playbook"]["S"].partition(" ")
        version, read_at = int(written), datetime.fromtimestamp(int(seconds), UTC)
        cached = self.cache.get(desk)
        if cached is None:
            return version
        if version > cached.version:
            self.cache[desk] = cached._replace(read_at=_LONG_AGO)
        elif version == cached.version and cached.read_at < read_at <= now:
            self.cache[desk] = cached._replace(read_at=read_at)
        return version

    def event_attributes(self, desk: str) -> Item:
        cached = self.cache.get(desk)
        if cached is None:
            return {}
        return {"playbook": {"S": f"{cached.version} {int(cached.read_at.timestamp())}"}}

    def version(self, desk: str) -> int | None:
        item = self.table.get(f"DESK#{desk}", "DESK")
        return int(item["playbook"]["N"]) if item else None

    def document(self, desk: str, version: int) -> str:
        """One version of a desk's playbook, as JSON.

        Raises:
            NotFound: there is no such version.
        """
        item = self.table.get(f"DESK#{desk}", _version_sort_key(version))
        if item is None:
            raise NotFound(
                Phrase("Desk {desk} has no playbook {version}.", desk=desk, version=version)
            )
        document: str = item["body"]["S"]
        return document

    def versions(self, desk: str, newest: int, limit: int) -> list[StoredVersion]:
        """The versions of a desk's playbook, the newest first; one small item is read of each.

        Args:
            newest: the version that the list begins with.
        """
        numbers = range(newest, max(newest - limit, 0), -1)
        if not numbers:
            return []
        pk = f"DESK#{desk}"
        query = between(pk, _applied_sort_key(numbers[-1]), _applied_sort_key(numbers[0]))
        applied = {int(item["sk"]["S"][-6:]): item for item in self.table.query(**query)}
        found = []
        for number in numbers:
            # Former code stored the version alone.
            item = applied.get(number) or self.table.get(pk, _version_sort_key(number))
            if item is not None:
                by = item["by"]["S"] if "by" in item else ""
                found.append(StoredVersion(number, parse_stamp(item["at"]["S"]), by))
        return found

    def put(
        self,
        playbook: Playbook,
        now: datetime,
        audit: Callable[[int], Write] | None = None,
        *,
        by: str = "",
        replaces: int | None = None,
    ) -> int:
        """Store a checked playbook as the desk's next version and make it current.

        Args:
            audit: gives the entry of the audit for the new version, which is written with it.
            by: whoever applies it.
            replaces: the version that it was compared with.

        Raises:
            PlaybookError: its mailbox belongs to another desk.
            StalePlaybook: another version than `replaces` is current.
            Conflict: another playbook was stored as this version at the same time.
        """
        desk = playbook.desk
        current = self.version(desk) or 0
        if replaces not in (None, current):
            raise StalePlaybook(_STALE)
        version = current + 1
        self.missing.pop(desk, None)
        writes = self._writes(playbook, version, now, by)
        failures = self.table.transact([*writes, audit(version)] if audit else writes)
        if failures.get("mailbox") == REFUSED:
            raise PlaybookError(f"mail.address: {playbook.mail.address} is another desk's mailbox")
        if failures and replaces is not None:
            raise StalePlaybook(_STALE)
        if failures:
            raise Conflict(f"version {version} of {desk}'s playbook was not stored: {failures}")
        return version

    def _writes(self, playbook: Playbook, version: int, now: datetime, by: str) -> list[Write]:
        desk = playbook.desk
        body = {
            **key(f"DESK#{desk}", _version_sort_key(version)),
            "at": {"S": stamp(now)},
            "body": {"S": playbook.model_dump_json(exclude_defaults=True)},
        }
        current = {
            **key(f"DESK#{desk}", "DESK"),
            "playbook": {"N": str(version)},
            "at": {"S": stamp(now)},
        }
        applied = {
            **key(f"DESK#{desk}", _applied_sort_key(version)),
            "at": {"S": stamp(now)},
            "by": {"S": by},
        }
        mailbox = {
            **key(f"MAILBOX#{playbook.mail.address.lower()}", "MAILBOX"),
            "desk": {"S": desk},
        }
        name = self.table.name
        new = "attribute_not_exists(pk)"
        return [
            ("version", {"Put": {"TableName": name, "Item": body, "ConditionExpression": new}}),
            ("desk", {"Put": {"TableName": name, "Item": current}}),
            ("applied", {"Put": {"TableName": name, "Item": applied}}),
            (
                "mailbox",
                {
                    "Put": {
                        "TableName": name,
                        "Item": mailbox,
                        "ConditionExpression": f"{new} OR desk = :desk",
                        "ExpressionAttributeValues": {":desk": {"S": desk}},
                    }
                },
            ),
        ]

    def desk_of_mailbox(self, address: str) -> str | None:
        """The desk that a mail address belongs to; `support+anything@…` is `support@…`."""
        local, _, domain = address.lower().rpartition("@")
        item = self.table.get(f"MAILBOX#{local.split('+')[0]}@{domain}", "MAILBOX")
        desk: str | None = item["desk"]["S"] if item else None
        return desk


def _version_sort_key(version: int) -> str:
    return f"PLAYBOOK#{version:06}"


def _applied_sort_key(version: int) -> str:
    return f"APPLIED#{version:06}"
