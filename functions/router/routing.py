"""Carry out routing decisions, each once, even if the stream repeats a record (F2)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce

from functions.core.domain import commands as c, events as e
from functions.core.domain.classification import (
    Classification,
    classify_request,
    destination,
    request_text,
    routing_facts,
)
from functions.core.domain.errors import ActionNotAllowed, AgentAtCapacity, AgentContended
from functions.core.domain.lifecycle import apply
from functions.core.domain.matching import Facts
from functions.core.domain.playbook_assistant import UPSET
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Destination, Playbook
from functions.core.domain.ticket import OPEN, Ticket
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.storage.roster import ROUTING_TTL
from functions.router.agent_selection import Requirements, candidates, spread, suits

ACTOR = "system"
_ROUTING, _NOBODY_SUITABLE = "routing", "nobody suitable"
_QUEUEING = (e.TicketQueued, e.TicketReopened, e.TicketUnmerged)
"""The events that put a ticket into a queue."""

PAGE_SIZE = 20
"""The most waiting tickets read at once when an agent becomes free."""

MOST_READ = 5 * PAGE_SIZE
"""The most waiting tickets read for one agent, if those who are free suit none of them."""

_read_up_to: dict[tuple[str, str], str] = {}
"""Desk and team → the place at which this container stopped reading a queue whose first tickets
suit nobody who is free."""


def _by_rules_alone(_text: str) -> bool:
    return False


@dataclass(frozen=True)
class Router:
    """The dependencies of the router for one record.

    `is_upset` tells by examples whether the writer of a text is upset; most desks have none.
    """

    storage: Storage
    playbook: Playbook
    now: datetime
    is_upset: Callable[[str], bool] = _by_rules_alone

    def route_new(self, ticket: Ticket, first: e.Commit) -> None:
        """Route a new ticket by the classification of its first commit.

        A ticket whose status is no longer `received` was routed before; nothing happens. One that
        an earlier version created is classified in the change that routes it, and so is one whose
        customer is upset by examples, since then other rules may apply (B13, E9).
        """
        if ticket.status != "received":
            return
        request = first.of(e.TicketReceived)[0]
        text, customer_class = request_text(request), ticket.customer.customer_class
        found = classify_request(request, self.playbook, customer_class)
        if ticket.mood is None and found.mood is None and self.is_upset(text):
            self._classify_and_route(ticket, text, self._as_upset(ticket, request, found))
        elif first.of(e.TicketClassified):
            self._route_classified(ticket, text, found, ())
        else:
            self._classify_and_route(ticket, text, found)

    def _as_upset(
        self, ticket: Ticket, request: e.TicketReceived, calm: Classification
    ) -> Classification:
        """Classify a request again, with the mood; a priority set meanwhile is not lowered."""
        found = classify_request(request, self.playbook, ticket.customer.customer_class, mood=UPSET)
        ranks = self.playbook.ranks
        raises = ranks[found.priority] < min(ranks[calm.priority], ranks.get(ticket.priority, 99))
        return replace(
            found,
            priority=found.priority if raises else ticket.priority,
            rules=tuple(rule for rule in found.rules if rule not in calm.rules),
        )

    def hear_mood(self, ticket: Ticket, text: str) -> Ticket:
        """Record that the writer of a later message is upset, unless that is known (B13, E9)."""
        if ticket.mood is not None or ticket.status not in OPEN or not self.is_upset(text):
            return ticket
        return self._change(ticket, c.CommandGroup((c.RecogniseMood(text),)))

    def reconsider_after_customer_message(self, ticket: Ticket) -> None:
        """Classify a vague request again with what its customer has added (E2)."""
        if ticket.status != "pending_confirmation" or ticket.asked == 0:
            return
        request, text = _customer_text(self.storage.tickets.history(ticket.desk, ticket.number))
        if request is None:
            return
        found = classify_request(request, self.playbook, ticket.customer.customer_class, text)
        ranks = self.playbook.ranks
        priority = min(found.priority, ticket.priority, key=lambda name: ranks.get(name, 99))
        raised = replace(found, priority=priority, mood=found.mood or ticket.mood)
        self._classify_and_route(ticket, text, raised)

    def route_on(self, ticket: Ticket) -> None:
        """Route a ticket whose type was confirmed or that was reopened (A6, A13, D13, E7)."""
        if ticket.status not in {"received", "queued"} or ticket.queue == "supervisor":
            return
        if ticket.reopen_to == "handler" and self._assign_former_handler(ticket):
            return
        if ticket.status == "queued" and ticket.team in self.playbook.teams:
            self._route(ticket, self._current_destination(ticket), ())
        else:
            _, text = _customer_text(self.storage.tickets.history(ticket.desk, ticket.number))
            self._route(ticket, destination(routing_facts(ticket, text), self.playbook), ())

    def route_without_team(self, ticket: Ticket) -> None:
        """Route a waiting ticket whose team the playbook no longer has, by its rules."""
        if ticket.in_hand_of is None and ticket.team not in self.playbook.teams:
            _, text = _customer_text(self.storage.tickets.history(ticket.desk, ticket.number))
            self._route(ticket, destination(routing_facts(ticket, text), self.playbook), ())

    def route_after_unmerge(self, ticket: Ticket) -> None:
        """Route an unmerged ticket that had no handler when it was merged."""
        history = self.storage.tickets.history(ticket.desk, ticket.number, ticket.version)
        confirmed = any(commit.of(e.TypeConfirmed) for commit in history)
        if ticket.status == "received" and not confirmed:
            self.route_new(ticket, history[0])
        else:
            self.route_on(ticket)

    def retry_waiting(self, ticket: Ticket) -> None:
        """Assign a waiting ticket if an agent became free while it was queued."""
        if not self._assign_waiting(ticket) and _is_waiting(ticket):
            self._report(ticket, ticket.team or "")

    def reroute_after_priority_change(self, ticket: Ticket, version: int) -> None:
        """Re-route an unassigned ticket after a priority change (A7, E3).

        The change itself has updated the queue position and the deadlines. The ticket stays where
        it is if the rules give the same destination as before, or if a person, a deadline or the
        lack of a suitable agent brought it to the supervisors.

        Args:
            version: the version that changed the priority. If it also queued or assigned the
                ticket, that decision is kept.
        """
        if ticket.status != "queued":
            return
        history = self.storage.tickets.history(ticket.desk, ticket.number, version)
        changed = next(commit for commit in history if commit.version == version)
        if changed.of(e.TicketQueued, e.TicketAssigned):
            return
        before = reduce(apply, history[: history.index(changed)], None)
        facts = routing_facts(ticket, _customer_text(history)[1])
        old_facts = replace(facts, priority=before.priority if before else None)
        old = destination(old_facts, self.playbook)
        new = destination(facts, self.playbook)
        if ticket.queue == "supervisor":
            moves = old.queue == "supervisor" != new.queue
        else:
            moves = old != new
        if moves:
            self._route(ticket, new, ())

    def reroute_after_reclassification(self, ticket: Ticket) -> bool:
        """Re-route an unassigned ticket after a step has reclassified it (A5, E6).

        The destination for the ticket as it was when it was queued is compared with the one for the
        ticket as it is, so it is re-routed once, however often and in whatever order its records
        come. It stays where it is if the destinations are the same, or if a person or a deadline
        brought it to the supervisors. An assigned ticket keeps its handler.

        Returns:
            Whether the rules give another destination.
        """
        if ticket.status != "queued":
            return False
        history = self.storage.tickets.history(ticket.desk, ticket.number, ticket.version)
        queued = max(index for index, commit in enumerate(history) if commit.of(*_QUEUEING))
        since = (e.waking_router(commit.events) for commit in history[queued + 1 :])
        if not any(isinstance(event, e.TicketClassified) for events in since for event in events):
            return False
        if ticket.queue == "supervisor" and not _queued_by_rules(history[queued]):
            return False
        _, text = _customer_text(history)
        before = reduce(apply, history[1 : queued + 1], apply(None, history[0]))
        new = destination(routing_facts(ticket, text), self.playbook)
        if new == destination(routing_facts(before, text), self.playbook):
            return False
        self._route(ticket, new, ())
        return True

    def assign_waiting(self, team: str, freed: int) -> None:
        """Assign the tickets that wait for a team, in order, to agents who have capacity.

        A ticket that no free agent is suitable for does not hold up the next one.

        Args:
            freed: how many tickets the agent who became free can take. So many are read first, and
                more only if somebody is still free: `MOST_READ` at most, after which the next call
                goes on.
        """
        partition = f"{self.playbook.desk}#waiting#{team}"
        place = (self.storage.table.name, partition)
        cursor, limit, count = None, min(freed, PAGE_SIZE), 0
        while limit > 0 and count < MOST_READ:
            tickets, cursor = self.storage.tickets.queue_page([partition], cursor, limit)
            for ticket in tickets:
                self._assign_waiting(ticket)
                if not self._is_anybody_free(team):
                    return
            if cursor is None:
                _read_up_to.pop(place, None)
                return
            if count == 0:
                cursor = _read_up_to.get(place, cursor)
            count, limit = count + limit, PAGE_SIZE
        if cursor is not None:
            _read_up_to[place] = cursor

    def _is_anybody_free(self, team: str) -> bool:
        agents = self.storage.roster.recent(self.playbook.desk, self.now, timedelta())
        return bool(candidates(agents, Requirements(team), self.playbook, self.now))

    def _assign_waiting(self, ticket: Ticket) -> bool:
        """Assign a waiting ticket; False if nobody can take it now."""
        target = self._current_destination(ticket)
        if _is_waiting(ticket) and target.queue != "collect" and not self._routed_elsewhere(ticket):
            return self._assign(ticket, target, ())
        return True

    def _report(self, ticket: Ticket, team: str) -> None:
        """Tell the supervisors if nobody of the team that a ticket waits for is online."""
        report = self._nobody_online(team)
        if report and not ticket.nobody_online:
            self._change(ticket, c.CommandGroup(report))

    def _nobody_online(self, team: str) -> tuple[c.TicketCommand, ...]:
        agents = self.storage.roster.recent(self.playbook.desk, self.now)
        online = any(a.team == team and a.assignable and a.online for a in agents)
        return () if online else (c.ReportNobodyOnline(team),)

    def _classify_and_route(self, ticket: Ticket, text: str, found: Classification) -> None:
        """Record a classification and route the ticket by it, in one change if possible."""
        classified = ticket.changed(
            type=found.type,
            tags=found.tags,
            priority=found.priority,
            mood=found.mood,
            product=found.product or ticket.product,
        )
        self._route_classified(classified, text, found, (c.Classify.by(found),), seen=ticket)

    def _route_classified(
        self,
        ticket: Ticket,
        text: str,
        found: Classification,
        first: tuple[c.TicketCommand, ...],
        *,
        seen: Ticket | None = None,
    ) -> None:
        target = destination(routing_facts(ticket, text), self.playbook)
        question = self._question(ticket, found, target)
        if question is not None:
            self._change(seen or ticket, c.CommandGroup((*first, question)))
        else:
            self._route(seen or ticket, target, first)

    def _question(
        self, ticket: Ticket, classification: Classification, target: Destination
    ) -> c.AskCustomer | c.AskConfirmation | None:
        vague = classification.asks
        if vague is None or target.queue == "supervisor":
            return None
        if vague.ask == "customer" and ticket.asked < vague.times:
            texts = vague.again if ticket.asked and vague.again else vague.question
            return c.AskCustomer(texts[ticket.locale])
        question = vague.question[self.playbook.locale]
        supervisors = self.playbook.team_of_role("supervisor")
        if vague.ask == "agent" or supervisors is None:
            return c.AskConfirmation(target.team, question)
        return c.AskConfirmation(supervisors, question, queue="supervisor")

    def _current_destination(self, ticket: Ticket) -> Destination:
        """Return the destination that a ticket waits in, with its requirements of the handler."""
        target = destination(self._facts_of_waiting(ticket), self.playbook)
        if target.team == ticket.team and target.queue != "supervisor":
            return target
        return Destination(team=ticket.team if ticket.team in self.playbook.teams else target.team)

    def _routed_elsewhere(self, ticket: Ticket) -> bool:
        """Re-route a ticket that waits for the wrong team because a step's record is still to come.

        Returns:
            Whether the rules give another destination.
        """
        target = destination(self._facts_of_waiting(ticket), self.playbook)
        if target.team == ticket.team and target.queue != "supervisor":
            return False
        return self.reroute_after_reclassification(ticket)

    def _facts_of_waiting(self, ticket: Ticket) -> Facts:
        """Return the facts of a waiting ticket; its text is read only if the desk routes by it."""
        conditions = (entry.when for entry in self.playbook.routing)
        if not any(when.mentions or when.amount_over is not None for when in conditions):
            return Facts.of(ticket)
        history = self.storage.tickets.history(ticket.desk, ticket.number, ticket.version)
        return routing_facts(ticket, _customer_text(history)[1])

    def _route(
        self, ticket: Ticket, target: Destination, first: tuple[c.TicketCommand, ...]
    ) -> None:
        if target.queue == "supervisor":
            self._to_supervisors(ticket, target, first, _ROUTING)
        elif target.queue == "collect":
            if not (_is_waiting(ticket) and ticket.team == target.team):
                queue = c.Enqueue(team=target.team, queue="waiting", reason="collected")
                self._change(ticket, c.CommandGroup((*first, queue)))
        elif self._assign(ticket, target, first):
            return
        elif target.otherwise == "supervisor" or not self._has_suitable(ticket, target, first):
            self._to_supervisors(ticket, target, first, _NOBODY_SUITABLE)
        elif not (_is_waiting(ticket) and ticket.team == target.team):
            queue = c.Enqueue(team=target.team, queue="waiting", reason="nobody free")
            report = self._nobody_online(target.team)
            self._change(ticket, c.CommandGroup((*first, queue, *report)))
        else:
            self._report(ticket, target.team)

    def _to_supervisors(
        self, ticket: Ticket, target: Destination, first: tuple[c.TicketCommand, ...], reason: str
    ) -> None:
        with_supervisors = ticket.status == "queued" and ticket.queue == "supervisor"
        if with_supervisors and ticket.team == target.team and not first:
            return
        queue = c.Enqueue(team=target.team, queue="supervisor", reason=reason)
        self._change(ticket, c.CommandGroup((*first, queue)))

    def _assign(
        self, ticket: Ticket, target: Destination, first: tuple[c.TicketCommand, ...]
    ) -> bool:
        """Assign a ticket to the best available member of a team; False if nobody has capacity.

        By the roster that is at hand, and if that has nobody by one that is read now: else an agent
        who has become free meanwhile could miss a ticket that begins to wait.
        """
        required = requirements(ticket, target, first)
        for age in (ROUTING_TTL, timedelta()):
            agents = self.storage.roster.recent(self.playbook.desk, self.now, age)
            ready = candidates(agents, required, self.playbook, self.now, ticket.number)
            contended: list[Agent] = []
            while ready:
                agent = ready.pop(0)
                try:
                    self._claim(ticket, target, first, agent, choosing=True)
                except AgentContended:
                    contended.append(agent)
                    ready = spread(ready, ticket.number)
                    continue
                except AgentAtCapacity:
                    continue
                return True
            for agent in contended:
                try:
                    self._claim(ticket, target, first, agent, choosing=False)
                except AgentAtCapacity:
                    continue
                return True
        return False

    def _claim(
        self,
        ticket: Ticket,
        target: Destination,
        first: tuple[c.TicketCommand, ...],
        agent: Agent,
        *,
        choosing: bool,
    ) -> None:
        assign = c.Assign(
            target.team, agent.username, reason="routing", handler_name=agent.display_name
        )
        roster = self.storage.roster
        try:
            self._change(ticket, c.CommandGroup((*first, assign)), choosing=choosing)
        except AgentContended:
            roster.note_contended(agent.desk, agent.username, self.now)
            raise
        except AgentAtCapacity:
            roster.note_full(agent.desk, agent.username)
            raise

    def _has_suitable(
        self, ticket: Ticket, target: Destination, first: tuple[c.TicketCommand, ...]
    ) -> bool:
        """Return whether the roster has a suitable agent, free or not.

        A roster without any member of the team is still being set up; the ticket waits.
        """
        required = requirements(ticket, target, first)
        agents = self.storage.roster.recent(self.playbook.desk, self.now, timedelta())
        members = [agent for agent in agents if agent.team == target.team]
        return not members or any(suits(agent, required) for agent in members)

    def _assign_former_handler(self, ticket: Ticket) -> bool:
        """Return a ticket to its former handler if online, even without free capacity (D13)."""
        former = ticket.former_handlers[-1] if ticket.former_handlers else None
        agent: Agent | None = self.storage.roster.get(ticket.desk, former) if former else None
        if agent is None or not (agent.assignable and agent.online):
            return False
        assign = c.Assign(
            agent.team,
            agent.username,
            reason="reopened",
            by_person=True,
            handler_name=agent.display_name,
        )
        self._change(ticket, c.CommandGroup((assign,)))
        return True

    def _change(self, ticket: Ticket, command: c.CommandGroup, *, choosing: bool = False) -> Ticket:
        """Change the ticket if it is still the version that the decision was made on; return it.

        Raises:
            Conflict: it is not; the stream's retry decides again.
            AgentContended: others are claiming the new handler; only if `choosing`.
        """
        try:
            return change(
                self.storage,
                ticket.desk,
                ticket.number,
                command,
                self.playbook,
                self.now,
                actor=ACTOR,
                seen=ticket,
                choosing=choosing,
            )
        except ActionNotAllowed:
            # Somebody has taken, resolved or closed it since; it needs no routing.
            return ticket


def requirements(
    ticket: Ticket, target: Destination, first: tuple[c.TicketCommand, ...] = ()
) -> Requirements:
    """Return a ticket's requirements of its agent.

    A second handling requires a more senior agent and excludes former handlers (B9, E7).

    Args:
        first: the commands of the same change; a classification may name the product line.
    """
    products = (command.product for command in first if isinstance(command, c.Classify))
    second_handling = ticket.reopen_to == "senior"
    return Requirements(
        team=target.team,
        needs=target.needs,
        product=next(products, None) or ticket.product,
        language=ticket.locale,
        level=ticket.level if second_handling else 0,
        excluded=ticket.former_handlers if second_handling else (),
    )


def _customer_text(history: Sequence[e.Commit]) -> tuple[e.TicketReceived | None, str]:
    """Return the request, and the text of all that the customer has written so far."""
    request: e.TicketReceived | None = None
    texts: list[str] = []
    for commit in history:
        for event in commit.events:
            if isinstance(event, e.TicketReceived):
                request = event
                texts.append(request_text(event))
            elif isinstance(event, e.CustomerWrote):
                texts.append(event.text)
    return request, "\n".join(texts)


def _is_waiting(ticket: Ticket) -> bool:
    return ticket.status == "queued" and ticket.queue == "waiting" and ticket.team is not None


def _queued_by_rules(commit: e.Commit) -> bool:
    """Return whether the desk's routing brought a ticket to the supervisors."""
    reasons = {event.reason for event in commit.of(e.TicketQueued)}
    return commit.actor == ACTOR and bool(reasons & {_ROUTING, _NOBODY_SUITABLE})
