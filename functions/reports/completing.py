"""Complete the facts of a desk from what arrived in its feeds.

`notify` writes an entry for every commit: into the journal if it says something, else into the feed
of changes. So no table is scanned, and a ticket's history is read once for each run in which it
changed. An entry that is read twice makes the same facts again, of which the newest count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from functions.core.domain import events as e
from functions.core.domain.rules import Playbook
from functions.core.platform.logging import logger
from functions.core.reports.columns import Fact
from functions.core.reports.facts import Usage, chat_fact, facts_of, presence_fact
from functions.core.storage.database import Storage
from functions.core.storage.facts import FactStore
from functions.core.storage.journal import SETTLED_AFTER, Arrived
from functions.core.storage.report_progress import Progress

AT_ONCE = 1000
"""The entries after which the progress is stored."""
MOVES_EVERY = timedelta(days=1)
"""The interval at which the progress of a desk without news moves on, since each run queries every
day after it."""

log = logger("reports")

Changed = dict[str, list[Fact]]
"""Number of a ticket that changed → all of its facts."""


class Superseded(Exception):
    """Another run is completing the facts of the desk, and does everything that follows."""


class Completed(NamedTuple):
    """The result of a part of a run: the feeds were read from `since` up to `through`."""

    since: datetime
    through: datetime
    changed: Changed


@dataclass(frozen=True)
class FactCompleter:
    """Completes the facts of one desk; `now` is the real time, at which the facts are written."""

    storage: Storage
    facts: FactStore
    playbook: Playbook
    now: datetime

    def complete(self, time: datetime) -> Iterator[Completed]:
        """Put what arrived into the facts, and yield the tickets that changed, some at a time.

        What is older than `time` and `SETTLED_AFTER` is not read again.

        Raises:
            Superseded: of two runs at once, one ends early; their facts are the same.
        """
        desk, progress = self.playbook.desk, self._progress()
        since = progress.facts_through
        settled = max(min(time, self.now) - SETTLED_AFTER, since)
        arrived = merge(*self._feeds(since), key=attrgetter("at"))
        while entries := list(islice(arrived, AT_ONCE)):
            facts, changed, erased = self._made(entries, progress.began)
            objects = self.facts.write(self.playbook, facts, self.now)
            for number in erased:  # a run that overtook the erasure may have written old ones
                self.facts.replace(self.playbook, number, changed[number], self.now)
            log.info("facts.written", extra={"desk": desk, "facts": len(facts), "objects": objects})
            through = min(entries[-1].at, settled) if len(entries) == AT_ONCE else settled
            if self._stored(progress, facts_through=through) is None:
                raise Superseded
            yield Completed(progress.facts_through, through, changed)
            progress = self._progress()  # which has the month's costs by now
            if progress.facts_through != through:
                raise Superseded
        if settled - progress.facts_through >= MOVES_EVERY:
            self._stored(progress, facts_through=settled)

    def compact(self) -> None:
        """Merge the facts of each local day that has ended, once."""
        progress = self._progress()
        today = self.now.astimezone(self.playbook.zone).date()
        yesterday = today - timedelta(days=1)
        if progress.compacted == yesterday:
            return
        for day in list(self.facts.days(self.playbook.desk, progress.compacted or date.min)):
            if day < today:
                self.facts.compact(self.playbook, day, self.now)
        self._stored(progress, compacted=yesterday)

    def _progress(self) -> Progress:
        return self.storage.report_progress.get(self.playbook.desk, self.now)

    def _stored(self, progress: Progress, **changes: object) -> Progress | None:
        return self.storage.report_progress.put(self.playbook.desk, progress.changed(**changes))

    def _feeds(self, since: datetime) -> Iterator[Iterator[Arrived]]:
        storage = self.storage
        for feed in (storage.journal, storage.changes, storage.presence, storage.chat_ends):
            yield feed.entries(self.playbook.desk, since, self.now)

    def _made(
        self, entries: Sequence[Arrived], began: datetime | None
    ) -> tuple[list[Fact], Changed, list[str]]:
        """Return the facts of what arrived, all facts of each ticket that changed, and the numbers
        of those whose person was erased.

        Of a ticket that changed before the first run, all are new: until then, commits without
        words may have been in no feed.
        """
        facts: list[Fact] = []
        whole: set[str] = set()
        versions: dict[str, dict[int, Usage]] = defaultdict(dict)
        for at, entry in entries:
            if began is not None and at < began:
                whole.add(entry.number)
            if entry.presence is not None:
                facts.append(presence_fact(entry, self.now))
            elif entry.chat_end is not None:
                facts.append(chat_fact(entry, entry.chat_end, self.now))
            else:
                versions[entry.number][entry.version] = entry.usage
        changed: Changed = {}
        erasures: list[str] = []
        for number, usages in versions.items():
            history = self.storage.tickets.history(self.playbook.desk, number, max(usages))
            changed[number] = facts_of(history, self.playbook, self.now, usages)
            # An erasure changes the ticket's earlier commits too.
            if any(c.version in usages and c.of(e.PersonErased) for c in history):
                erasures.append(number)
                whole.add(number)
            every = number in whole
            facts += (fact for fact in changed[number] if every or fact.version in usages)
        return facts, changed, erasures
