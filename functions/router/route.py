"""Carry the routing decisions out, once each, whatever the stream repeats (F2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from functions.core import commands as c
from functions.core import events as e
from functions.core.change import change
from functions.core.errors import ActionNotAllowed, NoPlaceLeft
from functions.core.matching import Facts
from functions.core.playbook import Destination, Playbook
from functions.core.store import Store
from functions.core.ticket import Ticket
from functions.router.choose import candidates
from functions.router.classify import classify, destination

ACTOR = "system"
PAGE = 20
"""Waiting tickets looked at in one go when somebody becomes free."""


@dataclass(frozen=True)
class Router:
    """The router's dependencies for one call."""

    store: Store
    playbook: Playbook
    now: datetime

    def received(self, ticket: Ticket, event: e.TicketReceived) -> None:
        """Classify a new ticket and send it on its way, in one change where that is possible.

        A ticket that is not `received` any more was routed before: nothing happens.
        """
        if ticket.status != "received":
            return
        found = classify(
            "\n".join(filter(None, (event.subject, event.text or event.description))),
            self.playbook,
            type_given=ticket.type if event.type_given else None,
            urgency=event.urgency,
            customer_class=ticket.customer.customer_class,
            channel=ticket.channel,
            product=event.product.name if event.product else None,
        )
        known = c.Classify(
            type=found.type,
            tags=found.tags,
            priority=found.priority,
            mood=found.mood,
            confidence=found.confidence,
            rules=found.rules,
        )
        facts = Facts(
            text=event.text or event.description,
            type=found.type,
            tags=found.tags,
            priority=found.priority,
            customer_class=ticket.customer.customer_class,
            channel=ticket.channel,
            mood=found.mood,
        )
        place = destination(facts, self.playbook)
        if found.vague and place.queue != "supervisor":
            question = found.question[self.playbook.locale] if found.question else ""
            self._change(ticket, c.Together((known, c.AskConfirmation(place.team, question))))
        else:
            self._send(ticket, place, (known,))

    def placed(self, ticket: Ticket) -> None:
        """Send a ticket on whose type was confirmed or that was reopened (A6)."""
        if ticket.status not in {"received", "queued"} or ticket.queue == "supervisor":
            return
        if ticket.status == "queued" and ticket.team:
            place = Destination(team=ticket.team)
        else:
            place = destination(Facts.of(ticket), self.playbook)
        self._send(ticket, place, ())

    def waiting(self, ticket: Ticket) -> None:
        """Look once more for somebody free: one may have come while the ticket was queued."""
        if ticket.status == "queued" and ticket.queue == "waiting" and ticket.team:
            self._assign(ticket, ticket.team, ())

    def drain(self, team: str) -> None:
        """Give the tickets that wait for a team, in their order, to those who have room."""
        for ticket in self._waiting_for(team):
            if ticket.status == "queued" and not self._assign(ticket, team, ()):
                return

    def _waiting_for(self, team: str) -> Iterator[Ticket]:
        cursor = None
        while True:
            partition = f"{self.playbook.desk}#waiting#{team}"
            tickets, cursor = self.store.queue([partition], cursor, PAGE)
            yield from tickets
            if cursor is None:
                return

    def _send(self, ticket: Ticket, place: Destination, first: tuple[c.Command, ...]) -> None:
        if place.queue == "supervisor":
            queue = c.Enqueue(team=place.team, queue="supervisor", reason="routing")
            self._change(ticket, c.Together((*first, queue)))
        elif not self._assign(ticket, place.team, first) and not _waits(ticket, place.team):
            queue = c.Enqueue(team=place.team, queue="waiting", reason="nobody free")
            self._change(ticket, c.Together((*first, queue)))

    def _assign(self, ticket: Ticket, team: str, first: tuple[c.Command, ...]) -> bool:
        """Give a ticket to the best free member of a team; False where nobody has room."""
        for agent in candidates(self.store.agents(self.playbook.desk), team):
            assign = c.Assign(team=team, handler=agent.username, reason="routing")
            try:
                self._change(ticket, c.Together((*first, assign)))
            except NoPlaceLeft:
                continue
            return True
        return False

    def _change(self, ticket: Ticket, command: c.Together) -> None:
        """Change the ticket if it still is as the decision saw it.

        Raises:
            Conflict: it is not; the stream's retry decides anew.
        """
        try:
            change(
                self.store,
                ticket.desk,
                ticket.number,
                command,
                self.playbook,
                self.now,
                actor=ACTOR,
                seen=ticket,
            )
        except ActionNotAllowed:
            # Somebody has taken, resolved or closed it in the meantime: no routing is needed.
            return


def _waits(ticket: Ticket, team: str) -> bool:
    return ticket.status == "queued" and ticket.queue == "waiting" and ticket.team == team
