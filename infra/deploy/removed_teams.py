"""Tickets of teams that a playbook no longer has: listed, and routed by the new rules (F2)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.storage.database import Storage
from functions.router.routing import Router


@dataclass(frozen=True)
class Moved:
    """An open ticket of a removed team, and where it is now."""

    number: str
    team: str
    to: str
    handler: str | None

    def __str__(self) -> str:
        stays = f", stays with {self.handler}" if self.handler else ""
        return f"{self.number}: {self.team} → {self.to}{stays}"


def reroute(
    storage: Storage, playbook: Playbook, removed: Collection[str], now: datetime
) -> list[Moved]:
    """Route the waiting tickets of removed teams by the playbook's rules.

    A ticket in hand stays with its handler; where it goes next follows the new rules.
    """
    router = Router(storage, playbook, now)
    moved = []
    for ticket in _open_tickets(storage, playbook, removed):
        router.route_without_team(ticket)
        after = storage.tickets.load(ticket.desk, ticket.number)
        to = after.team or "" if after.team in playbook.teams else playbook.routing[-1].team
        moved.append(Moved(ticket.number, ticket.team or "", to, after.in_hand_of))
    return moved


def _open_tickets(
    storage: Storage, playbook: Playbook, removed: Collection[str]
) -> Iterator[Ticket]:
    desk = playbook.desk
    partitions = [
        *(f"{desk}#waiting#{team}" for team in removed),
        f"{desk}#supervisor",
        *(f"{desk}#agent#{agent.username}" for agent in storage.roster.list(desk)),
    ]
    cursor = None
    while True:
        tickets, cursor = storage.tickets.queue_page(partitions, cursor)
        yield from (ticket for ticket in tickets if ticket.team in removed)
        if cursor is None:
            return
