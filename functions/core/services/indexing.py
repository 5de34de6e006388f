"""Write, merge and rewrite a desk's segments; every change is one put of its manifest.

A ticket's text is always made from its whole history as the table has it now. A later text replaces
an earlier one, so a repeated run changes nothing, and a record of the stream that comes after an
erasure brings nothing back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from functions.core.domain.errors import TryAgain
from functions.core.domain.journal import entry_of
from functions.core.storage.database import Storage
from functions.core.storage.journal import SETTLED_AFTER
from functions.core.storage.manifests import Manifest, SegmentRef, with_segments
from functions.core.storage.segments import Segments
from functions.core.text.search import Segment, TicketText, microseconds, searchable
from functions.core.text.tokens import last_four_hash

FULL = 2_000_000
"""The characters of a segment that is not merged any more."""
RATIO = 3
"""A segment is merged with one that is at most so many times as large."""
AT_ONCE = 500
"""The tickets read for one change of a manifest."""
MOVES_EVERY = timedelta(days=1)
"""The interval at which the manifest of a desk without news moves on, since a search queries each
day after it."""
LEFT_FOR = timedelta(hours=1)
"""The time for which a segment that was replaced stays, for searches that are under way."""
_TRIES = 5


@dataclass(frozen=True)
class SearchIndex:
    """The segments of all desks; `root` reads the deployment's root key."""

    storage: Storage
    segments: Segments
    root: Callable[[], bytes]

    def text_of(self, desk: str, number: str) -> TicketText | None:
        """Return the text of a ticket; None if there is none or its customer was erased."""
        ticket = self.storage.tickets.find(desk, number)
        if ticket is None or ticket.erased:
            return None
        history = self.storage.tickets.history(desk, number, ticket.version)
        entries = [entry for commit in history if (entry := entry_of(commit))]
        texts = dict.fromkeys(text for entry in entries for text in entry.texts)
        hashed = partial(last_four_hash, self.root(), desk)
        return TicketText(
            number,
            microseconds(max((entry.at for entry in entries), default=ticket.received_at)),
            microseconds(ticket.received_at),
            searchable(number, ticket.customer.contact, texts, hashed),
        )

    def add_new(self, desk: str, now: datetime) -> bool:
        """Put what arrived in the journal into the segments; return whether more is waiting.

        Of two runs at once the second changes nothing.
        """
        manifest = self.storage.manifests.get(desk, consistent=True)
        until = now - SETTLED_AFTER
        if manifest is None or until <= manifest.through:
            return False
        numbers: dict[str, None] = {}
        through = until
        for at, entry in self.storage.journal.entries(desk, manifest.through, until):
            numbers[entry.number] = None
            if len(numbers) == AT_ONCE:
                through = at
                break
        moved = until - manifest.through >= MOVES_EVERY
        if numbers:
            found = (self.text_of(desk, number) for number in numbers)
            gone, new = self._merged(manifest, [text for text in found if text], now)
        elif moved:
            gone, new = [], []
        else:
            return False
        cleans = moved or manifest.through.hour != through.hour
        # Listed before the manifest is put: whoever stored another before then fails to put his.
        stored = self.segments.names(desk, now - LEFT_FOR) if cleans else []
        after = with_segments(manifest, gone, new, through)
        if not self.storage.manifests.put(after):
            self.segments.delete([ref.key for ref in new])
            return False
        self.segments.delete(after.without(stored))
        return manifest.through < through < until

    def _merged(
        self, manifest: Manifest, texts: Sequence[TicketText], now: datetime
    ) -> tuple[list[SegmentRef], list[SegmentRef]]:
        """Store new texts, merged with small segments; return what they replace, and the new."""
        held = {text.number: text for text in texts}
        size = _size(held.values())
        gone: list[SegmentRef] = []
        for ref in sorted(manifest.segments, key=lambda ref: ref.size):
            if ref.size > RATIO * size or ref.size + size > FULL:
                break
            (segment,) = self.segments.get([ref])
            for text in segment:
                if text.number not in held or held[text.number].at < text.at:
                    held[text.number] = text
            size = _size(held.values())
            gone.append(ref)
        new = self._stored(manifest.desk, held.values(), now)
        if size > FULL // 2:  # now and then the others lose what the merged ones replace
            others = [ref for ref in manifest.segments if ref not in gone]
            for ref, rewritten in self._without(manifest.desk, others, held.keys(), now):
                gone.append(ref)
                new += rewritten
        return gone, new

    def _without(
        self, desk: str, refs: Iterable[SegmentRef], numbers: Collection[str], now: datetime
    ) -> Iterator[tuple[SegmentRef, list[SegmentRef]]]:
        """Store the segments that have any of these tickets again without them."""
        for ref in refs:
            (segment,) = self.segments.get([ref])
            if not segment.lines.keys().isdisjoint(numbers):
                left = [text for text in segment if text.number not in numbers]
                yield ref, self._stored(desk, left, now)

    def _stored(self, desk: str, texts: Iterable[TicketText], now: datetime) -> list[SegmentRef]:
        """Store texts in as many segments as they fill."""
        ordered = sorted(texts, key=lambda text: text.at)
        return [self.segments.put(desk, Segment(part), now) for part in parts(ordered)]

    def rewrite(self, desk: str, numbers: Collection[str], now: datetime) -> Manifest | None:
        """Make the texts of some tickets again and delete the former ones; return the manifest.

        The manifest gets a new version in any case, so that no run which has read the tickets
        before can add them after.

        Raises:
            TryAgain: others changed the manifest all the time.
        """
        for _ in range(_TRIES):
            manifest = self.storage.manifests.get(desk, consistent=True)
            if manifest is None:
                return None
            gone: list[SegmentRef] = []
            new: list[SegmentRef] = []
            for ref, rewritten in self._without(desk, manifest.segments, numbers, now):
                gone.append(ref)
                new += rewritten
            texts = [text for number in numbers if (text := self.text_of(desk, number))]
            new += self._stored(desk, texts, now)
            after = replace(
                with_segments(manifest, gone, new, manifest.through),
                rewritten=manifest.rewritten + 1,
            )
            if self.storage.manifests.put(after):
                return after
            self.segments.delete([ref.key for ref in new])
        raise TryAgain(f"the segments of {desk} change all the time: run it again in a minute")

    def rebuild(
        self, desk: str, found: Iterable[TicketText | None], clock: Callable[[], datetime]
    ) -> int:
        """Make all segments of a desk again from its tickets; return how many they have.

        Args:
            found: the texts of the desk's tickets (`text_of`), which are read by and by.
            clock: tells the time, since reading all tickets may take hours.

        Raises:
            TryAgain: a customer was erased meanwhile.
        """
        began, before = clock(), self.storage.manifests.get(desk, consistent=True)
        new = self._stored(desk, filter(None, found), clock())
        for _ in range(_TRIES):
            manifest = self.storage.manifests.get(desk, consistent=True)
            current = manifest or Manifest(desk, began)
            if before and current.rewritten != before.rewritten:
                break
            # The journal has what arrived while the tickets were read.
            after = replace(current, segments=tuple(new), through=began - SETTLED_AFTER)
            if self.storage.manifests.put(after):
                return sum(ref.tickets for ref in new)
        self.segments.delete([ref.key for ref in new])
        raise TryAgain(f"{desk}: a customer was erased meanwhile: run it again")


def _size(texts: Iterable[TicketText]) -> int:
    return sum(len(text.text) for text in texts)


def parts(texts: Iterable[TicketText]) -> Iterator[list[TicketText]]:
    """Divide texts into segments that are full, but for the last one."""
    part: list[TicketText] = []
    size = 0
    for text in texts:
        if part and size + len(text.text) > FULL:
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text.text)
    if part:
        yield part
