"""Search over a desk's tickets: its segments, and what has arrived in the journal since."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import islice

from functions.core.domain.errors import FieldError, InvalidInput, Phrase, TryAgain
from functions.core.domain.journal import JournalRequest
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import STATUSES, Ticket
from functions.core.storage.database import Storage
from functions.core.storage.journal import SETTLED_AFTER
from functions.core.storage.manifests import Manifest, SegmentRef
from functions.core.storage.segments import Segments
from functions.core.text.search import (
    MAX_QUERY,
    Hashed,
    Position,
    Segment,
    TicketText,
    Wanted,
    microseconds,
    searchable,
    snippet,
    wanted,
)
from functions.core.text.tokens import last_four_hash
from functions.workbench.queues import not_a_cursor, require_known

PAGE = 20
"""Tickets per page."""
_CHUNKS = 5
"""The most pages of tickets that one call reads to find a rare status or tag."""
_WITHOUT_MANIFEST = timedelta(days=1)
"""The part of the journal that is searched while a desk has no manifest."""

Root = Callable[[], bytes]


@dataclass(frozen=True)
class TicketQuery:
    """The query of a search; `since` and `until` bound when a ticket was received."""

    wanted: Wanted
    status: str | None
    tag: str | None
    since: datetime | None
    until: datetime | None
    after: Position | None

    @classmethod
    def of(cls, given: Mapping[str, str], playbook: Playbook, hashed: Hashed) -> TicketQuery:
        """Read a query.

        Raises:
            InvalidInput: a parameter cannot be read, or `q` has nothing that can be found.
        """
        text, status = given.get("q", "").strip(), given.get("status") or None
        if "queue" in given:
            raise _invalid("queue", "A search goes over all queues: leave `queue` out.")
        if len(text) > MAX_QUERY:
            raise _invalid("q", Phrase("At most {limit} characters.", limit=MAX_QUERY))
        asked = wanted(text, hashed)
        if text and not asked:
            raise _invalid("q", "There are no letters, digits or characters to look for.")
        if status is not None:
            require_known("status", status, STATUSES)
        since = _midnight("from", given, playbook)
        until = _midnight("to", given, playbook)
        if since and until and since >= until:
            raise _invalid("to", "`from` is later than `to`.")
        tag, cursor = given.get("tag") or None, given.get("cursor") or None
        return cls(asked, status, tag, since, until, _read_cursor(cursor))

    def may_be(self, received_at: int) -> bool:
        """Return whether a ticket was received in time; 0 is not known."""
        since, until = self.since, self.until
        return not received_at or (
            (since is None or received_at >= microseconds(since))
            and (until is None or received_at < microseconds(until))
        )

    def admits(self, ticket: Ticket) -> bool:
        return (
            not ticket.erased
            and self.status in (None, ticket.status)
            and (self.tag is None or self.tag in ticket.tags)
            and self.may_be(microseconds(ticket.received_at))
        )


def search(
    storage: Storage,
    segments: Segments,
    playbook: Playbook,
    given: Mapping[str, str],
    now: datetime,
    root: Root,
) -> tuple[list[tuple[Ticket, str | None]], str | None]:
    """Return a page of tickets, each with the text around what was found, and the next cursor.

    The newest words come first. A page that reads many tickets of another status or tag may have
    few tickets or none and still a cursor.

    Raises:
        InvalidInput: the query cannot be read.
    """
    desk = playbook.desk

    def hashed(digits: str) -> str:
        return last_four_hash(root(), desk, digits)

    query = TicketQuery.of(given, playbook, hashed)
    page = partial(_page, storage, segments, desk, query, now, hashed)
    try:
        return page()
    except TryAgain:  # a segment was replaced after its manifest was read
        return page()


def _page(
    storage: Storage,
    segments: Segments,
    desk: str,
    query: TicketQuery,
    now: datetime,
    hashed: Hashed,
) -> tuple[list[tuple[Ticket, str | None]], str | None]:
    manifest = storage.manifests.get(desk, consistent=True) or Manifest(
        desk, now - _WITHOUT_MANIFEST
    )
    segments.forget_others(manifest)
    new = _arrived(storage, manifest, now, hashed)
    # Only those that are found hide what the segments have of the same tickets: of an old ticket
    # the journal has the last words alone.
    newest = Segment(new[line] for line in new.find(query.wanted))
    found = _newest_first(newest, manifest.segments, segments.get, query)
    page: list[tuple[Ticket, str | None]] = []
    last: Position | None = None
    for _ in range(_CHUNKS):
        texts = list(islice(found, PAGE))
        read = storage.tickets.load_many(desk, [text.number for text in texts])
        tickets = {ticket.number: ticket for ticket in read}
        for seen, text in enumerate(texts, 1):
            ticket, last = tickets.get(text.number), text.position
            if ticket is not None and query.admits(ticket):
                page.append((ticket, snippet(text.text, query.wanted)))
            if len(page) == PAGE:
                more = seen < len(texts) or next(found, None) is not None
                return page, _cursor(last) if more else None
        if len(texts) < PAGE:
            return page, None
    return page, _cursor(last) if last else None


def _arrived(storage: Storage, manifest: Manifest, now: datetime, hashed: Hashed) -> Segment:
    """Return what has arrived in the journal since the manifest's segments were written."""
    desk, texts = manifest.desk, dict[str, dict[str, None]]()
    newest: dict[str, datetime] = {}
    opened: dict[str, JournalRequest] = {}
    contacts: dict[str, str] = {}
    for _, entry in storage.journal.entries(desk, manifest.through, now + SETTLED_AFTER):
        number = entry.number
        texts.setdefault(number, {}).update(dict.fromkeys(entry.texts))
        newest[number] = max(newest.get(number, entry.at), entry.at)
        if entry.request:
            opened[number] = entry.request
            contacts.setdefault(number, entry.request.contact)
        if entry.contact:
            contacts[number] = entry.contact
    return Segment(
        TicketText(
            number,
            microseconds(newest[number]),
            microseconds(opened[number].received_at) if number in opened else 0,
            searchable(number, contacts.get(number, ""), said, hashed),
        )
        for number, said in texts.items()
    )


def _newest_first(
    newest: Segment,
    refs: Sequence[SegmentRef],
    load: Callable[[Sequence[SegmentRef]], list[Segment]],
    query: TicketQuery,
) -> Iterator[TicketText]:
    """Yield the texts that are found by the time of their last words, each ticket once.

    A segment is read when what it has may be the next, and each time twice as many at once: a
    common word is found in the first, and a rare one needs all.
    """
    opened: list[Segment] = []
    lines: list[Iterator[int]] = []
    heap: list[tuple[Position, int, int]] = []
    waiting = sorted(refs, key=lambda ref: ref.last)

    def push(n: int) -> None:
        line = next(lines[n], None)
        if line is not None:
            heappush(heap, (opened[n].position(line), n, line))

    def open_all(read: Sequence[Segment]) -> None:
        for segment in read:
            opened.append(segment)
            lines.append(segment.find(query.wanted, query.after))
            push(len(opened) - 1)

    open_all([newest])
    seen: set[str] = set()
    while heap or waiting:
        if waiting and (not heap or waiting[-1].last >= -heap[0][0][0]):
            batch = [waiting.pop() for _ in range(min(len(opened), len(waiting)))]
            open_all(load(batch))
            continue
        (at, number), n, line = heappop(heap)
        replaced = any(
            other.at[other.lines[number]] > -at for other in opened if number in other.lines
        )
        if not replaced and number not in seen and query.may_be(opened[n].received_at[line]):
            seen.add(number)
            yield opened[n][line]
        push(n)


def _midnight(name: str, given: Mapping[str, str], playbook: Playbook) -> datetime | None:
    """Return the midnight in the desk's zone before `from` or after `to`; None if not given."""
    text = given.get(name)
    if not text:
        return None
    try:
        # `fromisoformat` alone also takes weeks and dates without hyphens.
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=playbook.zone)
        return day + timedelta(days=1) if name == "to" else day
    except (ValueError, OverflowError) as error:
        raise _invalid(name, "A date such as 2026-03-10.") from error


def _cursor(position: Position) -> str:
    return urlsafe_b64encode(json.dumps(position).encode()).decode()


def _read_cursor(text: str | None) -> Position | None:
    if text is None:
        return None
    try:
        at, number = json.loads(urlsafe_b64decode(text.encode()))
    except (ValueError, TypeError) as error:
        raise not_a_cursor() from error
    if not isinstance(at, int) or not isinstance(number, str):
        raise not_a_cursor()
    return at, number


def _invalid(field: str, problem: str | Phrase) -> InvalidInput:
    return InvalidInput("Some fields are invalid.", (FieldError(field, problem),))
