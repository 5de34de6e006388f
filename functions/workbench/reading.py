"""Read what the page of a ticket shows, in one query and one read of keys however long it is (H3).

The API's view of a ticket reads more: the customer's record and other tickets. The page asks for
those once it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from functions.core.domain.delivery import Delivery
from functions.core.domain.events import Commit
from functions.core.domain.recipients import CUSTOMERS
from functions.core.domain.record import TicketRecord
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.composing import possible_deliveries
from functions.core.storage.database import Storage
from functions.core.storage.items import read_commit
from functions.core.storage.model_summaries import ModelSummary
from functions.core.storage.table import BATCH_SIZE, Item
from functions.workbench.calls import OPENING, PAGE


@dataclass(frozen=True)
class TicketPage:
    """A page of a ticket's entries, and what is always shown beside it.

    Attributes:
        opening: the first commits, which contain the request and its classification.
        summary: what the desk's language model wrote about the ticket, if anybody asked it to.
    """

    record: TicketRecord
    opening: Sequence[Commit]
    summary: ModelSummary | None


def read_page(
    storage: Storage,
    playbook: Playbook,
    number: str,
    before: int | None = None,
    limit: int = PAGE,
) -> TicketPage:
    """Read the last entries of a ticket, or those before a version.

    Raises:
        NotFound: there is no such ticket.
    """
    desk, tickets = playbook.desk, storage.tickets
    if before is None:
        ticket, history = tickets.with_history(desk, number, limit)
    else:
        ticket = tickets.load(desk, number)
        history = tickets.history_page(desk, number, ticket.version, limit, before)
    known = {commit.version: commit for commit in history}
    first = [version for version in range(1, OPENING + 1) if version <= ticket.version]
    wanted = tickets.commit_keys(desk, number, [each for each in first if each not in known])
    ids = [each for commit in history for each in possible_deliveries(commit, playbook)]
    wanted += storage.deliveries.keys(desk, number, ids)
    if playbook.language_model:
        wanted.append(storage.model_summaries.key(desk, number))
    items = _read(storage, wanted)
    for item in items:
        if item["sk"]["S"].startswith("EVENT#"):
            commit = read_commit(item)
            known[commit.version] = commit
    deliveries = storage.deliveries.read(items)
    if further := _covered_beside(deliveries, ids):
        keys = storage.deliveries.keys(desk, number, further)
        deliveries = storage.deliveries.read([*items, *_read(storage, keys)])
    opening = [known[version] for version in first if version in known]
    summary = storage.model_summaries.read(items)
    return TicketPage(TicketRecord(ticket, history, deliveries), opening, summary)


def last_commits(storage: Storage, tickets: Iterable[Ticket], n: int) -> list[Commit]:
    """Read the last `n` commits of each of these tickets, the oldest of a ticket first."""
    keys = [
        key
        for ticket in tickets
        for key in storage.tickets.commit_keys(
            ticket.desk, ticket.number, range(max(1, ticket.version - n + 1), ticket.version + 1)
        )
    ]
    return sorted(map(read_commit, _read(storage, keys)), key=lambda commit: commit.version)


def commits_at(
    storage: Storage, desk: str, versions: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], Commit]:
    """Read commits by ticket and version; missing ones are left out."""
    keys = [
        key
        for number, version in dict.fromkeys(versions)
        for key in storage.tickets.commit_keys(desk, number, [version])
    ]
    return {(each.number, each.version): each for each in map(read_commit, _read(storage, keys))}


def _covered_beside(deliveries: Sequence[Delivery], ids: Sequence[str]) -> list[str]:
    """Return the deliveries to the customer that an earlier playbook asked for."""
    asked = set(ids)
    return [
        covered
        for lead in deliveries
        for covered in lead.covers
        if covered.split("#")[2] in CUSTOMERS and covered not in asked
    ]


def _read(storage: Storage, keys: Sequence[Item]) -> list[Item]:
    items: list[Item] = []
    for first in range(0, len(keys), BATCH_SIZE):
        page = keys[first : first + BATCH_SIZE]
        items += storage.table.batch_get(page, consistent=False)
    return items
