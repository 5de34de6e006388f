"""Process a record of the table's stream: a commit of a ticket, an agent with free capacity, or an
administrative act, which goes to the log whoever recorded it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from functions.core.domain import events as e
from functions.core.domain.closing import TaskKind
from functions.core.domain.errors import Conflict, DeadLetter, NotFound
from functions.core.domain.ticket import Status, Ticket
from functions.core.platform import aws
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment
from functions.core.storage.audit import AUDIT, read_entry
from functions.core.storage.database import Storage
from functions.core.storage.items import read_agent, read_commit
from functions.router import closing_workflow
from functions.router.routing import Router

log = logger("router")

FREED = ("online", "released")
"""Changes of an agent after which waiting tickets may be assigned."""

_IN_WORKFLOW: frozenset[Status] = frozenset(
    {"awaiting_confirmation", "resolved", "in_review", "archived", "closed"}
)
"""Statuses in which a closing workflow runs or has archived the ticket."""


def process(record: Any, deployment: Deployment, storage: Storage, now: datetime) -> None:
    """Act on one record.

    Raises:
        DeadLetter: this code cannot read the record.
        TryAgain: somebody else changed the ticket at the same time.
    """
    image = record["dynamodb"].get("NewImage", {})
    sort_key = image.get("sk", {}).get("S", "")
    if image.get("pk", {}).get("S", "").startswith(AUDIT):
        entry = read_entry(image)
        log.info("audit.recorded", extra=entry.model_dump(mode="json"))
    elif sort_key.startswith("AGENT#"):
        _agent_changed(image, storage, now)
    elif sort_key.startswith("EVENT#"):
        _committed(image, deployment, storage, now)


def _agent_changed(image: Any, storage: Storage, now: datetime) -> None:
    desk, team = image["pk"]["S"].removeprefix("DESK#"), image.get("team", {}).get("S")
    if image.get("change", {}).get("S") not in FREED or not team:
        return
    agent, playbook = read_agent(desk, image), storage.playbooks.get(desk, now)
    if agent.has_capacity:
        Router(storage, playbook, now).assign_waiting(team, agent.capacity - agent.load)


def _committed(image: Any, deployment: Deployment, storage: Storage, now: datetime) -> None:
    commit = read_commit(image)
    storage.playbooks.refresh(image, now)
    router: Router | None = None
    for event in e.waking_router(commit.events):
        try:
            ticket = storage.tickets.load_since(commit.desk, commit.number, commit.version)
            router = router or _router(storage, commit.desk, deployment, now)
            try:
                _Reaction(ticket, commit, router, deployment).react(event)
            except Conflict:
                # The read may have been stale: retry on the newest version before the stream does.
                newest = storage.tickets.load(commit.desk, commit.number)
                _Reaction(newest, commit, router, deployment).react(event)
        except NotFound as error:
            raise DeadLetter(f"{commit.desk}/{commit.number}: {error}") from error


def _router(storage: Storage, desk: str, deployment: Deployment, now: datetime) -> Router:
    playbook = storage.playbooks.get(desk, now)
    if playbook.mood_by_examples is None:
        return Router(storage, playbook, now)
    from functions.router.mood import reader

    return Router(storage, playbook, now, reader(deployment, desk, playbook.mood_by_examples, now))


class _Reaction:
    def __init__(
        self, ticket: Ticket, commit: e.Commit, router: Router, deployment: Deployment
    ) -> None:
        self.ticket = ticket
        self.commit = commit
        self.router = router
        self.deployment = deployment

    def react(self, event: e.Event) -> None:
        _REACTIONS[type(event)](self, event)

    def received(self, event: e.TicketReceived) -> None:
        self.router.route_new(self.ticket, self.commit)

    def type_confirmed(self, event: e.TypeConfirmed) -> None:
        self.router.route_on(self.ticket)

    def queued(self, event: e.TicketQueued) -> None:
        self.router.retry_waiting(self.ticket)

    def priority_changed(self, event: e.PriorityChanged) -> None:
        self.router.reroute_after_priority_change(self.ticket, self.commit.version)

    def classified(self, event: e.TicketClassified) -> None:
        self.router.reroute_after_reclassification(self.ticket)

    def customer_wrote(self, event: e.CustomerWrote) -> None:
        ticket = self.ticket if event.stranger else self.router.hear_mood(self.ticket, event.text)
        self.router.reconsider_after_customer_message(ticket)

    def resolved(self, event: e.TicketResolved) -> None:
        self._start_workflow(event.resolution)

    def reopened(self, event: e.TicketReopened) -> None:
        self._wake_workflow("survey", "review")
        self.router.route_on(self.ticket)

    def answered(self, event: e.SurveyAnswered | e.ConfirmationGiven) -> None:
        self._wake_workflow("survey")

    def called_back(self, event: e.CallbackRecorded) -> None:
        self._wake_workflow("review")

    def closed(self, event: e.TicketClosed) -> None:
        """Archive a closed ticket like any other; nobody is surveyed (B10)."""
        self._start_workflow(self.ticket.resolutions, f"closed-{self.ticket.version}")

    def merged(self, event: e.TicketMerged) -> None:
        """End the survey and review of a ticket that goes on under another number."""
        self._wake_workflow("survey", "review")

    def unmerged(self, event: e.TicketUnmerged) -> None:
        """Route the restored ticket, or ask for its customer's answer again."""
        self.router.route_after_unmerge(self.ticket)
        if event.status in _IN_WORKFLOW:
            self._restart_workflow(event)

    def merge_changed(self, event: e.MergeReceived | e.MergeUndone) -> None:
        """Write an archived ticket's document again with the other ticket, or without it."""
        if self.ticket.status in {"archived", "closed"}:
            self._restart_workflow(event)

    def _restart_workflow(self, event: e.Event) -> None:
        self._start_workflow(self.ticket.resolutions, f"{event.event}-{self.ticket.version}")

    def _start_workflow(self, resolution: int, run: str = "") -> None:
        closing_workflow.start(
            aws.client("stepfunctions"),
            self.deployment.state_machine,
            self.ticket,
            resolution,
            self.router.playbook,
            run,
        )

    def _wake_workflow(self, *kinds: TaskKind) -> None:
        for kind in kinds:
            closing_workflow.wake(
                aws.client("stepfunctions"), self.router.storage, self.ticket, kind
            )


_REACTIONS: dict[type[e.Event], Callable[[_Reaction, Any], None]] = {
    e.TicketReceived: _Reaction.received,
    e.TypeConfirmed: _Reaction.type_confirmed,
    e.TicketQueued: _Reaction.queued,
    e.PriorityChanged: _Reaction.priority_changed,
    e.TicketClassified: _Reaction.classified,
    e.CustomerWrote: _Reaction.customer_wrote,
    e.TicketResolved: _Reaction.resolved,
    e.TicketReopened: _Reaction.reopened,
    e.SurveyAnswered: _Reaction.answered,
    e.ConfirmationGiven: _Reaction.answered,
    e.CallbackRecorded: _Reaction.called_back,
    e.TicketClosed: _Reaction.closed,
    e.TicketMerged: _Reaction.merged,
    e.TicketUnmerged: _Reaction.unmerged,
    e.MergeReceived: _Reaction.merge_changed,
    e.MergeUndone: _Reaction.merge_changed,
}
"""Event → reaction. A test compares the keys with the events that wake the router."""
