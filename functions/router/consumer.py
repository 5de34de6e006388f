"""One record of the stream: a commit of a ticket, or an agent who has become free."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from functions.core.domain import events as e
from functions.core.domain.closing import TaskKind
from functions.core.domain.errors import Conflict, DeadLetter, NotFound
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws
from functions.core.platform.settings import Deployment
from functions.core.storage.store import Store, read_commit
from functions.router import closing_workflow
from functions.router.routing import Router

FREED = ("online", "released")
"""The changes of an agent that give waiting tickets a chance."""


def process(record: Any, deployment: Deployment, store: Store, now: datetime) -> None:
    """Act on one record.

    Raises:
        DeadLetter: it is not a record that this code can read.
        TryAgain: somebody else changed the ticket at the same time.
    """
    image = record["dynamodb"].get("NewImage", {})
    sort_key = image.get("sk", {}).get("S", "")
    if sort_key.startswith("AGENT#"):
        _freed(image, store, now)
    elif sort_key.startswith("EVENT#"):
        _committed(image, deployment, store, now)


def _freed(image: Any, store: Store, now: datetime) -> None:
    desk = image["pk"]["S"].removeprefix("DESK#")
    if image.get("change", {}).get("S") in FREED and "team" in image:
        Router(store, store.playbook(desk, now), now).assign_waiting(image["team"]["S"])


def _committed(image: Any, deployment: Deployment, store: Store, now: datetime) -> None:
    commit = read_commit(image)
    store.hear(image, now)
    for event in commit.of(*e.for_router(commit.events)):
        try:
            ticket = store.load_since(commit.desk, commit.number, commit.version)
            router = Router(store, store.playbook(commit.desk, now), now)
            try:
                _act(ticket, commit, event, router, deployment)
            except Conflict:
                # What was read may have been old: once more on the newest, before the stream does.
                newest = store.load(commit.desk, commit.number)
                _act(newest, commit, event, router, deployment)
        except NotFound as error:
            raise DeadLetter(f"{commit.desk}/{commit.number}: {error}") from error


def _act(
    ticket: Ticket, commit: e.Commit, event: Any, router: Router, deployment: Deployment
) -> None:
    if isinstance(event, e.PriorityChanged):
        router.reroute_after_priority_change(ticket, commit.version)
    else:
        _ACTIONS[event.event](ticket, event, router, deployment)


def _start(
    ticket: Ticket, router: Router, deployment: Deployment, resolution: int, run: str = ""
) -> None:
    client = aws.client("stepfunctions")
    closing_workflow.start(
        client, deployment.state_machine, ticket, resolution, router.playbook, run
    )


def _wake(ticket: Ticket, router: Router, *kinds: TaskKind) -> None:
    for kind in kinds:
        closing_workflow.wake(aws.client("stepfunctions"), router.store, ticket, kind)


def _resolved(
    ticket: Ticket, event: e.TicketResolved, router: Router, deployment: Deployment
) -> None:
    _start(ticket, router, deployment, event.resolution)


def _closed(ticket: Ticket, event: e.TicketClosed, router: Router, deployment: Deployment) -> None:
    """B10: a ticket that ends without a solution is kept like any other; nobody is asked."""
    _start(ticket, router, deployment, ticket.resolutions, f"closed-{ticket.version}")


def _answered(ticket: Ticket, event: Any, router: Router, deployment: Deployment) -> None:
    _wake(ticket, router, "survey")


def _called_back(ticket: Ticket, event: Any, router: Router, deployment: Deployment) -> None:
    _wake(ticket, router, "review")


def _reopened(ticket: Ticket, event: Any, router: Router, deployment: Deployment) -> None:
    _wake(ticket, router, "survey", "review")
    router.route_on(ticket)


def _merged(ticket: Ticket, event: e.TicketMerged, router: Router, deployment: Deployment) -> None:
    """Nobody is asked any more on a ticket that goes on under another number."""
    _wake(ticket, router, "survey", "review")


def _unmerged(
    ticket: Ticket, event: e.TicketUnmerged, router: Router, deployment: Deployment
) -> None:
    """It goes on from where it was: it is routed, or asks for its customer's answer once more."""
    router.route_after_unmerge(ticket)
    if event.status in _CLOSING:
        _close_again(ticket, event, router, deployment)


def _kept_again(ticket: Ticket, event: Any, router: Router, deployment: Deployment) -> None:
    """A ticket whose document is in the archive carries another one, or no longer."""
    if ticket.status in {"archived", "closed"}:
        _close_again(ticket, event, router, deployment)


def _close_again(ticket: Ticket, event: Any, router: Router, deployment: Deployment) -> None:
    _start(ticket, router, deployment, ticket.resolutions, f"{event.event}-{ticket.version}")


_CLOSING = frozenset({"awaiting_confirmation", "resolved", "in_review", "archived", "closed"})
"""Statuses in which a closing workflow runs, or has written the ticket's document."""

_ACTIONS: dict[str, Callable[[Ticket, Any, Router, Deployment], object]] = {
    "TicketReceived": lambda ticket, event, router, deployment: router.route_new(ticket, event),
    "TypeConfirmed": lambda ticket, event, router, deployment: router.route_on(ticket),
    "TicketQueued": lambda ticket, event, router, deployment: router.retry_waiting(ticket),
    "TicketReopened": _reopened,
    "TicketResolved": _resolved,
    "TicketClosed": _closed,
    "SurveyAnswered": _answered,
    "ConfirmationGiven": _answered,
    "CustomerWrote": lambda ticket, event, router, deployment: (
        router.reconsider_after_customer_message(ticket)
    ),
    "TicketClassified": lambda ticket, event, router, deployment: (
        router.reroute_after_reclassification(ticket)
    ),
    "CallbackRecorded": _called_back,
    "TicketMerged": _merged,
    "TicketUnmerged": _unmerged,
    "MergeReceived": _kept_again,
    "MergeUndone": _kept_again,
}
