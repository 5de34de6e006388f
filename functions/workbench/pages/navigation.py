"""The pages beside queues and tickets: who may open each, and the keys that lead there."""

from __future__ import annotations

from typing import NamedTuple

from functions.core.domain.roster import Role
from functions.core.services.rights import SEES_TICKETS

LEADERS: frozenset[Role] = frozenset({"supervisor", "admin"})
ADMINS: frozenset[Role] = frozenset({"admin"})


class PageEntry(NamedTuple):
    """The roles that may open a page and what is below its address, and its keys, "" for none."""

    roles: frozenset[Role]
    keys: str = ""


NAVIGATION: dict[str, PageEntry] = {
    "board": PageEntry(SEES_TICKETS, "g b"),
    "reports": PageEntry(frozenset({"supervisor", "qa", "admin", "finance"})),
    "knowledge": PageEntry(SEES_TICKETS),
    "costs": PageEntry(frozenset({"finance", "admin"})),
    "quarantine": PageEntry(LEADERS),
    "roster": PageEntry(LEADERS),
    "playbook": PageEntry(LEADERS),
    "channels": PageEntry(LEADERS),
    "webhooks": PageEntry(ADMINS),
    "audit": PageEntry(ADMINS),
    "erasure": PageEntry(ADMINS),
}
"""The name of a page, which is its address and its module → who may open it."""

EVERYBODY = frozenset({"authenticator", "me", "queues"})
"""The pages for whoever has signed in. All that are neither here nor above show tickets."""


def roles_of(page: str) -> frozenset[Role] | None:
    """Return the roles that may open a page; None if it is for everybody."""
    if page in EVERYBODY:
        return None
    entry = NAVIGATION.get(page)
    return entry.roles if entry else SEES_TICKETS
