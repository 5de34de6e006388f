"""Carry the routing decisions out, once each, whatever the stream repeats (F2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce

from functions.core.domain import commands as c, events as e
from functions.core.domain.errors import ActionNotAllowed, NoPlaceLeft
from functions.core.domain.lifecycle import apply
from functions.core.domain.matching import Facts
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Destination, Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.command_service import change
from functions.core.storage.store import Store
from functions.router.agent_selection import Wanted, candidates, suits
from functions.router.amounts import amount_in
from functions.router.classify import Classification, classify, destination

ACTOR = "system"
_ROUTING, _NOBODY = "routing", "nobody suitable"
_PUTS = (e.TicketQueued, e.TicketReopened, e.TicketUnmerged)
"""The events that put a ticket into a queue."""

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
        if ticket.status == "received":
            self._classified(ticket, event, _words(event))

    def told(self, ticket: Ticket) -> None:
        """Look again at a vague request whose customer has said more (E2)."""
        if ticket.status != "pending_confirmation" or ticket.asked == 0:
            return
        first, said = _said(self.store.history(ticket.desk, ticket.number))
        if first is not None:
            self._classified(ticket, first, said)

    def placed(self, ticket: Ticket) -> None:
        """Send a ticket on whose type was confirmed or that was reopened (A6, A13, D13, E7)."""
        if ticket.status not in {"received", "queued"} or ticket.queue == "supervisor":
            return
        if ticket.reopen_to == "handler" and self._give_back(ticket):
            return
        if ticket.status == "queued" and ticket.team:
            self._send(ticket, self._place_of(ticket), ())
        else:
            _, said = _said(self.store.history(ticket.desk, ticket.number))
            self._send(ticket, destination(_facts(ticket, said), self.playbook), ())

    def taken_up(self, ticket: Ticket) -> None:
        """Send a ticket on that was merged before it had a handler."""
        history = self.store.history(ticket.desk, ticket.number, ticket.version)
        known = any(commit.of(e.TicketClassified, e.TypeConfirmed) for commit in history)
        if ticket.status == "received" and not known:
            self.received(ticket, history[0].of(e.TicketReceived)[0])
        else:
            self.placed(ticket)

    def waiting(self, ticket: Ticket) -> None:
        """Look once more for somebody free: one may have come while the ticket was queued."""
        place = self._place_of(ticket)
        if _is_waiting(ticket) and place.queue != "collect" and not self._moved_on(ticket):
            self._assign(ticket, place, ())

    def reprioritised(self, ticket: Ticket, version: int) -> None:
        """Send a ticket that nobody has yet where its new priority leads (A7, E3).

        Its place in the queue and its deadlines have changed with the priority itself. Where the
        rules lead to the same place as before, it stays where it is, as it does where a person, a
        deadline or the want of anybody suitable has brought it to the supervisors.

        Args:
            version: the change of the priority; what that change itself says of the queue holds.
        """
        if ticket.status != "queued":
            return
        history = self.store.history(ticket.desk, ticket.number, version)
        changed = next(commit for commit in history if commit.version == version)
        if changed.of(e.TicketQueued, e.TicketAssigned):
            return
        before = reduce(apply, history[: history.index(changed)], None)
        now = _facts(ticket, _said(history)[1])
        old = destination(replace(now, priority=before.priority if before else None), self.playbook)
        new = destination(now, self.playbook)
        if ticket.queue == "supervisor":
            moves = old.queue == "supervisor" != new.queue
        else:
            moves = old != new
        if moves:
            self._send(ticket, new, ())

    def reclassified(self, ticket: Ticket) -> bool:
        """Send a ticket that nobody has yet where what a step has made of it leads (A5, E6).

        What it was when it was put where it waits is compared with what it is now, so that it is
        sent once, however often and in whatever order its records come. Where the rules lead to
        the same place as before, it stays, as it does where a person or a deadline has brought it
        to the supervisors. Who has it in hand keeps it.

        Returns:
            Whether the rules lead elsewhere.
        """
        if ticket.status != "queued":
            return False
        history = self.store.history(ticket.desk, ticket.number, ticket.version)
        last = max(index for index, commit in enumerate(history) if commit.of(*_PUTS))
        since = (e.waking_router(commit.events) for commit in history[last + 1 :])
        if not any(isinstance(event, e.TicketClassified) for events in since for event in events):
            return False
        if ticket.queue == "supervisor" and not _put_by_rules(history[last]):
            return False
        _, said = _said(history)
        before = _facts(reduce(apply, history[1 : last + 1], apply(None, history[0])), said)
        new = destination(_facts(ticket, said), self.playbook)
        if new == destination(before, self.playbook):
            return False
        self._send(ticket, new, ())
        return True

    def drain(self, team: str) -> None:
        """Give the tickets that wait for a team, in their order, to those who have room.

        A ticket that nobody free is suited for does not keep the next one waiting.
        """
        for ticket in self._waiting_for(team):
            place = self._place_of(ticket)
            if not _is_waiting(ticket) or place.queue == "collect" or self._moved_on(ticket):
                continue
            if not self._assign(ticket, place, ()):
                roster = self.store.agents(self.playbook.desk)
                if not candidates(roster, Wanted(team), self.playbook, self.now):
                    return

    def _classified(self, ticket: Ticket, event: e.TicketReceived, text: str) -> None:
        found = classify(
            text,
            self.playbook,
            type_given=event.type if event.type_given else None,
            urgency=ticket.urgency,
            customer_class=ticket.customer.customer_class,
            channel=ticket.channel,
            product=ticket.product,
            amount=amount_in(text),
        )
        known = c.Classify(
            type=found.type,
            tags=found.tags,
            priority=found.priority,
            mood=found.mood,
            confidence=found.confidence,
            rules=found.rules,
            product=found.product,
        )
        facts = Facts(
            text=text,
            type=found.type,
            tags=found.tags,
            priority=found.priority,
            customer_class=ticket.customer.customer_class,
            channel=ticket.channel,
            mood=found.mood,
            product=found.product,
            amount=amount_in(text),
        )
        place = destination(facts, self.playbook)
        asked = self._question(ticket, found, place)
        if asked is not None:
            self._change(ticket, c.Together((known, asked)))
        else:
            self._send(ticket, place, (known,))

    def _question(
        self, ticket: Ticket, found: Classification, place: Destination
    ) -> c.AskCustomer | c.AskConfirmation | None:
        """Who is asked what a vague request is about: the customer, an agent, the supervisors."""
        vague = found.asks
        if vague is None or place.queue == "supervisor":
            return None
        if vague.ask == "customer" and ticket.asked < vague.times:
            words = vague.again if ticket.asked and vague.again else vague.question
            return c.AskCustomer(words[ticket.locale])
        question = vague.question[self.playbook.locale]
        leaders = self.playbook.team_of_role("supervisor")
        if vague.ask == "agent" or leaders is None:
            return c.AskConfirmation(place.team, question)
        return c.AskConfirmation(leaders, question, queue="supervisor")

    def _waiting_for(self, team: str) -> Iterator[Ticket]:
        cursor = None
        while True:
            partition = f"{self.playbook.desk}#waiting#{team}"
            tickets, cursor = self.store.queue([partition], cursor, PAGE)
            yield from tickets
            if cursor is None:
                return

    def _place_of(self, ticket: Ticket) -> Destination:
        """Where a ticket waits, with what its handler needs to have."""
        place = destination(self._known(ticket), self.playbook)
        if place.team == ticket.team and place.queue != "supervisor":
            return place
        return Destination(team=ticket.team or place.team)

    def _moved_on(self, ticket: Ticket) -> bool:
        """Whether a ticket waits for the wrong team, since a step's record is still on its way."""
        place = destination(self._known(ticket), self.playbook)
        if place.team == ticket.team and place.queue != "supervisor":
            return False
        return self.reclassified(ticket)

    def _known(self, ticket: Ticket) -> Facts:
        """What conditions may ask about a ticket that waits. Its customer's words are read where
        the desk routes by them; most desks route by what the words were found to be about."""
        asked = (place.when for place in self.playbook.routing)
        if not any(when.mentions or when.amount_over is not None for when in asked):
            return Facts.of(ticket)
        history = self.store.history(ticket.desk, ticket.number, ticket.version)
        return _facts(ticket, _said(history)[1])

    def _send(self, ticket: Ticket, place: Destination, first: tuple[c.TicketCommand, ...]) -> None:
        if place.queue == "supervisor":
            self._to_supervisors(ticket, place, first, _ROUTING)
        elif place.queue == "collect":
            if not (_is_waiting(ticket) and ticket.team == place.team):
                queue = c.Enqueue(team=place.team, queue="waiting", reason="collected")
                self._change(ticket, c.Together((*first, queue)))
        elif self._assign(ticket, place, first):
            return
        elif place.otherwise == "supervisor" or not self._anybody(ticket, place, first):
            self._to_supervisors(ticket, place, first, _NOBODY)
        elif not (_is_waiting(ticket) and ticket.team == place.team):
            queue = c.Enqueue(team=place.team, queue="waiting", reason="nobody free")
            self._change(ticket, c.Together((*first, queue)))

    def _to_supervisors(
        self, ticket: Ticket, place: Destination, first: tuple[c.TicketCommand, ...], reason: str
    ) -> None:
        there = ticket.status == "queued" and ticket.queue == "supervisor"
        if there and ticket.team == place.team and not first:
            return
        queue = c.Enqueue(team=place.team, queue="supervisor", reason=reason)
        self._change(ticket, c.Together((*first, queue)))

    def _assign(
        self, ticket: Ticket, place: Destination, first: tuple[c.TicketCommand, ...]
    ) -> bool:
        """Give a ticket to the best free member of a team; False where nobody has room."""
        roster = self.store.agents(self.playbook.desk)
        for agent in candidates(roster, wanted(ticket, place, first), self.playbook, self.now):
            assign = c.Assign(team=place.team, handler=agent.username, reason="routing")
            try:
                self._change(ticket, c.Together((*first, assign)))
            except NoPlaceLeft:
                continue
            return True
        return False

    def _anybody(
        self, ticket: Ticket, place: Destination, first: tuple[c.TicketCommand, ...]
    ) -> bool:
        """Whether the roster has somebody for the ticket at all, even if nobody is free now.

        A roster without anyone of the team is still being set up: the ticket waits.
        """
        asked = wanted(ticket, place, first)
        members = [a for a in self.store.agents(self.playbook.desk) if a.team == place.team]
        return not members or any(suits(agent, asked) for agent in members)

    def _give_back(self, ticket: Ticket) -> bool:
        """D13: back to the engineer who had it, if present; there need not be a place free."""
        last = ticket.former_handlers[-1] if ticket.former_handlers else None
        agent: Agent | None = self.store.agent(ticket.desk, last) if last else None
        if agent is None or not agent.online:
            return False
        back = c.Assign(team=agent.team, handler=agent.username, reason="reopened", by_person=True)
        self._change(ticket, c.Together((back,)))
        return True

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


def wanted(ticket: Ticket, place: Destination, first: tuple[c.TicketCommand, ...] = ()) -> Wanted:
    """What a ticket asks of its handler. A second handling asks for somebody more senior, and for
    nobody who has had it before (B9, E7).

    Args:
        first: what is to happen to the ticket in the same change; it may name the product's line.
    """
    lines = (command.product for command in first if isinstance(command, c.Classify))
    again = ticket.reopen_to == "senior"
    return Wanted(
        team=place.team,
        needs=place.needs,
        product=next(lines, None) or ticket.product,
        language=ticket.locale,
        level=ticket.level if again else 0,
        excluded=ticket.former_handlers if again else (),
    )


def _said(history: Sequence[e.Commit]) -> tuple[e.TicketReceived | None, str]:
    """The request, and everything that the customer has written so far."""
    first: e.TicketReceived | None = None
    texts: list[str] = []
    for commit in history:
        for event in commit.events:
            if isinstance(event, e.TicketReceived):
                first = event
                texts.append(_words(event))
            elif isinstance(event, e.CustomerWrote):
                texts.append(event.text)
    return first, "\n".join(texts)


def _facts(ticket: Ticket, said: str) -> Facts:
    """What conditions may ask about a ticket and the words of its customer."""
    return replace(Facts.of(ticket, said), amount=amount_in(said))


def _words(event: e.TicketReceived) -> str:
    return "\n".join(filter(None, (event.subject, event.text or event.description)))


def _is_waiting(ticket: Ticket) -> bool:
    return ticket.status == "queued" and ticket.queue == "waiting" and ticket.team is not None


def _put_by_rules(commit: e.Commit) -> bool:
    """Whether the desk's routing has brought a ticket to the supervisors."""
    reasons = {event.reason for event in commit.of(e.TicketQueued)}
    return commit.actor == ACTOR and bool(reasons & {_ROUTING, _NOBODY})
