"""The pages beside queues and tickets: who may open each, and the keys that lead there."""

from __future__ import annotations

from typing import NamedTuple

from functions.core.domain.roster import Role
from functions.core.services.rights import SEES_TICKETS

LEADERS: frozenset[Role] = frozenset({"supervisor", "admin"})
ADMINS: frozenset[Role] = frozenset({"admin"})


class Entry(NamedTuple):
    """The roles that may open a page and what is below its address, and its keys, "" for none."""

    roles: frozenset[Role]
    keys: str = ""


NAVIGATION: dict[str, Entry] = {
    "board": Entry(SEES_TICKETS, "g b"),
    "reports": Entry(frozenset({"supervisor", "qa", "admin", "finance"})),
    "knowledge": Entry(SEES_TICKETS),
    "costs": Entry(frozenset({"finance", "admin"})),
    "quarantine": Entry(LEADERS),
    "roster": Entry(LEADERS),
    "playbook": Entry(LEADERS),
    "channels": Entry(LEADERS),
    "webhooks": Entry(ADMINS),
    "audit": Entry(ADMINS),
    "erasure": Entry(ADMINS),
}
"""The name of a page, which is its address and its module → who may open it."""
