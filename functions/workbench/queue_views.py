"""The views of a desk's queues: which there are for whom, and which tickets one shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from functions.core.domain.saved_views import filters_of
from functions.core.domain.timers import due_next
from functions.core.text.terms import folded
from functions.workbench.queues import QUEUES

if TYPE_CHECKING:
    from functions.core.domain.roster import Role
    from functions.core.domain.rules import Playbook
    from functions.core.domain.ticket import Ticket

OVERDUE = "overdue"

_WIDE: frozenset[Role] = frozenset({"supervisor", "admin"})


@dataclass(frozen=True)
class View:
    """A queue, and what of it is shown.

    Attributes:
        due: `overdue` shows only what is past its deadline.
        words: words in the title, the number or the masked customer.
    """

    queue: str
    status: str = ""
    type: str = ""
    priority: str = ""
    tag: str = ""
    due: str = ""
    words: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str], roles: frozenset[Role]) -> View:
        """Read the view in an address; without a queue, the first that the roles may see."""
        filters = filters_of(given)
        return cls(**{"queue": first_queue(roles), **filters})

    @property
    def filters(self) -> dict[str, str]:
        """The parameters of the view's address."""
        return {name: value for name, value in vars(self).items() if value}

    @property
    def narrows(self) -> bool:
        """Return whether the view shows less than its queue."""
        return len(self.filters) > 1

    def admits(self, ticket: Ticket, playbook: Playbook, now: datetime) -> bool:
        """Return whether the view shows a ticket of its queue; the list itself checks `status`."""
        if self.due == OVERDUE:
            due = due_next(ticket, playbook)
            if due is None or due[1] > now:
                return False
        return (
            self.type in ("", ticket.type)
            and self.priority in ("", ticket.priority)
            and (not self.tag or self.tag in ticket.tags)
            and self._has_words(ticket)
        )

    def _has_words(self, ticket: Ticket) -> bool:
        customer = ticket.customer
        texts = (ticket.number, ticket.title, ticket.product, ticket.order, customer.name)
        text = folded(" ".join(filter(None, (*texts, customer.contact))))
        return all(word in text for word in folded(self.words).split())


def first_queue(roles: frozenset[Role]) -> str:
    return next((name for name, allowed in QUEUES.items() if allowed & roles), "mine")


def built_in(roles: frozenset[Role]) -> dict[str, View]:
    """Return the views that everybody with these roles has, by the key of their text."""
    wide = "all" if roles & _WIDE else "team"
    views = {
        "mine": View("mine"),
        "team": View("team"),
        "unassigned": View("unassigned"),
        "unclear": View(wide, status="pending_confirmation"),
        "customers": View("mine", status="awaiting_customer"),
        "overdue": View(wide, due=OVERDUE),
        "tasks": View("tasks"),
        "supervisor": View("supervisor"),
        "qa": View("qa"),
        "all": View("all"),
    }
    return {name: view for name, view in views.items() if QUEUES[view.queue] & roles}
