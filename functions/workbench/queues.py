"""The queues that agents work from (A5, A7): mine, my team's, unassigned, and others."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from functions.core.domain.errors import FieldError, Forbidden, InvalidInput, Phrase
from functions.core.domain.roster import Role
from functions.core.domain.rules import Playbook
from functions.core.domain.tasks import assignees, has_task
from functions.core.domain.ticket import STATUSES, Ticket
from functions.core.services.rights import Principal, require
from functions.core.storage.database import Storage
from functions.core.storage.items import open_partitions, task_queue_key

QUEUES: Mapping[str, frozenset[Role]] = {
    "mine": frozenset({"agent", "supervisor", "qa", "admin"}),
    "team": frozenset({"agent", "supervisor", "admin"}),
    "unassigned": frozenset({"agent", "supervisor", "admin"}),
    "supervisor": frozenset({"supervisor", "admin"}),
    "qa": frozenset({"qa", "supervisor", "admin"}),
    "tasks": frozenset({"agent", "supervisor", "qa", "admin"}),
    "all": frozenset({"qa", "supervisor", "admin"}),
}
"""Queue → the roles that may ask for it."""

Admits = Callable[[Ticket], bool]
"""Returns whether a list shows a ticket."""

ENDED = frozenset({"archived", "closed", "merged"})

PAGE = 50
"""Tickets per page."""

_MONTHS = 37
"""This month and the three years before it, the minimum retention of archives (B10)."""

_MAX_READS = 20
"""The most pages of the index that one call reads to find a rare status."""


def list_tickets(
    storage: Storage,
    playbook: Playbook,
    principal: Principal,
    query: Mapping[str, str],
    now: datetime,
    admits: Admits | None = None,
    open_only: bool = False,
) -> tuple[list[Ticket], str | None]:
    """Return one page of a queue in order, and the cursor of the next page, None after the last.

    Args:
        query: `queue` (default `mine`), `status`, `cursor`.
        admits: leaves out further tickets, as a page's filters do.
        open_only: leave out what has ended, which is most of the queue `all`.

    Raises:
        InvalidInput: there is no such queue or status, or the cursor belongs to another list.
        Forbidden: the caller's roles may not see this queue.
    """
    queue, status = query.get("queue", "mine"), query.get("status") or None
    require_known("queue", queue, tuple(QUEUES))
    if status is not None:
        require_known("status", status, STATUSES)
    require(principal, QUEUES[queue], Phrase("see the queue {queue}", queue=queue))
    partitions = partitions_of(queue, status, principal, storage, playbook, now, open_only)

    def wanted(ticket: Ticket) -> bool:
        admitted = admits is None or admits(ticket)
        return admitted and (status is None or ticket.status == status)

    tickets, cursor = page_of(storage, partitions, wanted, query.get("cursor") or None)
    if queue == "tasks":  # the team's call-backs about one's own work are for the others
        tickets = [ticket for ticket in tickets if has_task(principal.agent, ticket)]
    return tickets, cursor


def partitions_of(
    queue: str,
    status: str | None,
    principal: Principal,
    storage: Storage,
    playbook: Playbook,
    now: datetime,
    open_only: bool = False,
) -> list[str]:
    """The partitions of the `queue` index that a queue consists of (`items.queue_key`).

    Raises:
        Forbidden: the caller is on no team.
    """
    desk = principal.desk
    if queue == "mine":
        # A call-back is the reviewer's, though QA sees it too.
        own = f"agent:{principal.username}"
        return [f"{desk}#agent#{principal.username}", task_queue_key(desk, own)]
    if queue == "tasks":
        return [task_queue_key(desk, assignee) for assignee in assignees(principal.agent)]
    if queue in {"supervisor", "qa"}:
        return [f"{desk}#{queue}"]
    waiting = [f"{desk}#waiting#{team}" for team in playbook.teams]
    if queue == "unassigned":
        return [f"{desk}#new", *waiting]
    if queue == "team":
        if principal.team is None:
            raise Forbidden("You are on no team of this desk's roster.")
        members = (a.username for a in storage.roster.list(desk) if a.team == principal.team)
        return [f"{desk}#waiting#{principal.team}", *(f"{desk}#agent#{name}" for name in members)]
    closed = [f"{desk}#closed#{month}" for month in _months(now)]
    if status in ENDED:
        return closed
    handlers = [agent.username for agent in storage.roster.list(desk)]
    current = open_partitions(desk, playbook.teams, handlers)
    return current if status or open_only else [*current, *closed]


def page_of(
    storage: Storage, partitions: Sequence[str], wanted: Admits, cursor: str | None
) -> tuple[list[Ticket], str | None]:
    """Return a page of the wanted tickets of partitions, and the cursor of the next page.

    Raises:
        InvalidInput: the cursor belongs to another list.
    """
    from botocore.exceptions import ClientError, ParamValidationError

    page: list[Ticket] = []
    for _ in range(_MAX_READS):
        try:
            # Reading no more than the page can take means that no ticket is read and dropped.
            tickets, cursor = storage.tickets.queue_page(partitions, cursor, PAGE - len(page))
        except (ValueError, ParamValidationError) as error:
            raise not_a_cursor() from error
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise
            raise not_a_cursor() from error
        page.extend(filter(wanted, tickets))
        if cursor is None or len(page) >= PAGE:
            break
    return page, cursor


def _months(now: datetime) -> list[str]:
    """Return the UTC months, `YYYY-MM`, newest first, under which ended tickets are listed."""
    newest = now.year * 12 + now.month - 1
    return [f"{n // 12:04}-{n % 12 + 1:02}" for n in range(newest, newest - _MONTHS, -1)]


def require_known(field: str, name: str, known: Sequence[str]) -> None:
    """Require that a parameter names something that there is."""
    if name not in known:
        raise InvalidInput(
            Phrase("There is no {field} '{name}'.", field=field, name=name),
            (FieldError(field, Phrase("one of: {names}", names=known)),),
        )


def not_a_cursor() -> InvalidInput:
    """Return the refusal of a cursor that is not of this list."""
    return InvalidInput(
        "The cursor does not belong to this list.",
        (FieldError("cursor", "send the cursor of the page before, or none"),),
    )
