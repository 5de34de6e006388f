"""The newest messages that left a desk, from the feeds of its commits: nothing is counted twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from functions.core.domain.delivery import Delivery
    from functions.core.storage.database import Storage

DAY = timedelta(days=1)
MOST = 200
"""Commits whose deliveries are read: one query for each ticket of them."""


class Recent(NamedTuple):
    """Deliveries, newest first; `since` is the first moment that they tell of."""

    deliveries: list[Delivery]
    since: datetime


def recent_deliveries(storage: Storage, desk: str, now: datetime) -> Recent:
    """Return the deliveries of the newest commits of a day."""
    start = now - DAY
    arrived = storage.journal.newest(desk, start, now, MOST)
    arrived += storage.changes.newest(desk, start, now, MOST)
    arrived.sort(reverse=True)
    if len(arrived) >= MOST:  # each feed may have more
        arrived = arrived[:MOST]
        start = arrived[-1][0]
    versions: dict[str, set[int]] = {}
    for _, number, version in arrived:
        versions.setdefault(number, set()).add(version)
    found = [
        delivery
        for number, of in versions.items()
        for delivery in storage.deliveries.of_commits(desk, number, min(of), max(of))
        if delivery.version in of
    ]
    return Recent(sorted(found, key=lambda each: each.at, reverse=True), start)
