"""The rows of a list of tickets, in words: what has to be done next, and until when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from functions.core.text.due_words import Haste, due_words, haste

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.domain.roster import Agent
    from functions.core.domain.rules import Locale, Playbook
    from functions.workbench.shapes import ListedTicket, TaskView

_WAITING = frozenset(
    {
        "pending_confirmation",
        "awaiting_customer",
        "awaiting_department",
        "awaiting_confirmation",
        "resolved",
        "in_review",
    }
)
"""Statuses that say themselves what is waited for."""

_TO_DO = frozenset(
    {"acceptance", "review", "callback", "customer_update", "first_response", "confirm_type"}
)
"""Timers whose kind says what has to be done."""

_TASKS = frozenset({"callback", "call", "slip", "approval", "review"})

_ENDED = frozenset({"archived", "closed", "merged"})


@dataclass(frozen=True)
class QueueRow:
    """A row of a list.

    Attributes:
        next: the key of the text that says what is next; with `None` the status does.
        due: when that is due, ISO 8601; "" if nothing is.
        tone: `bad`, `warn` or "": the colour of the bar beside the priority's word.
        calls: the person has to call the customer, and may open the contact.
        found: the text around what a search found, in pieces, and whether each was looked for.
    """

    ticket: ListedTicket
    next: str | None
    due: str
    when: str
    haste: Haste
    tone: str
    calls: bool = False
    found: Sequence[tuple[str, bool]] = ()

    @property
    def title(self) -> str:
        return self.ticket["title"] or self.ticket["type_label"]

    @property
    def customer(self) -> str:
        """The masked name and contact, as short as they can be told from others."""
        shown = self.ticket["customer"]
        contact = re.sub(r"\*{4,}", "***", shown["contact"])
        # A name of which not even the salutation is known says nothing.
        name = "" if "/" in shown["name"] else shown["name"]
        return f"{name} {contact}".strip()


def rows_of(
    tickets: Sequence[ListedTicket],
    playbook: Playbook,
    now: datetime,
    locale: Locale,
    tasks_of: tuple[str, ...] = (),
) -> list[QueueRow]:
    """Return the rows in the order of what is due next.

    Args:
        tasks_of: assignees; a ticket with a task of theirs shows that.
    """
    rows = [_row(ticket, playbook, now, locale, tasks_of) for ticket in tickets]
    far = datetime.max.replace(tzinfo=playbook.zone)

    def order(row: QueueRow) -> tuple[datetime, str]:
        return (datetime.fromisoformat(row.due) if row.due else far, row.ticket["received_at"])

    return sorted(rows, key=order)


def search_rows(
    tickets: Sequence[ListedTicket], playbook: Playbook, now: datetime, locale: Locale
) -> list[QueueRow]:
    """Return the rows of a search, in its own order."""
    return [_row(ticket, playbook, now, locale, ()) for ticket in tickets]


def _row(
    ticket: ListedTicket,
    playbook: Playbook,
    now: datetime,
    locale: Locale,
    assignees: tuple[str, ...],
) -> QueueRow:
    task = _task(ticket, assignees)
    due_view = ticket["due_next"]
    due = task["due_at"] if task else due_view["at"] if due_view else None
    when, how = _when(due, now, playbook.zone, locale) if due else ("", "")
    calls = task is not None and "open-contact" in ticket["actions"]
    step = _task_text(task["kind"]) if task else _next_step(ticket)
    return QueueRow(ticket, step, due or "", when, how, _tone(ticket, playbook), calls)


def _when(due: str, now: datetime, zone: tzinfo, locale: Locale) -> tuple[str, Haste]:
    """Say when something is due, and how near that is."""
    at = datetime.fromisoformat(due)
    return due_words(at, now, zone, locale), haste(at, now)


def _task(ticket: ListedTicket, assignees: tuple[str, ...]) -> TaskView | None:
    """Return the first of these people's tasks on a ticket."""
    mine = [task for task in ticket["tasks"] if task["assignee"] in assignees]
    return min(mine, key=lambda task: task["due_at"] or "~", default=None)


def _task_text(kind: str) -> str:
    """Return the key of the text that asks for a task; a desk's timers may give others."""
    return f"task.{kind}" if kind in _TASKS else "task.other"


def _next_step(ticket: ListedTicket) -> str | None:
    status, due = ticket["status"], ticket["due_next"]
    if status in _ENDED:
        return None
    if status in _WAITING:
        return f"next.{status}"
    if due and due["kind"] in _TO_DO:
        return f"next.{due['kind']}"
    return "next.resolution" if ticket["first_response_at"] else "next.first_response"


def _tone(ticket: ListedTicket, playbook: Playbook) -> str:
    rank = playbook.ranks.get(ticket["priority"], 99)
    if len(playbook.ranks) < 2 or rank > 1:
        return ""
    return "bad" if rank == 0 else "warn"


def assignees_of(agent: Agent, queue: str) -> tuple[str, ...]:
    """Return whose tasks a queue's rows show: in `tasks` those of the person, else nobody's."""
    if queue != "tasks":
        return ()
    from functions.core.domain.tasks import assignees

    return assignees(agent)
