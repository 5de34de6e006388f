"""Merging tickets, undoing a merge, and follow-up tickets."""

from functions.core.domain.events.base import Commit, Event
from functions.core.domain.privacy import FreeText, PersonalText, TermName
from functions.core.domain.ticket import Merged, Queue, Status, Ticket, TicketChanges


class TicketMerged(
    Event,
    label=("已并入其他工单", "Merged into another ticket"),
    webhook="ticket.merged",
    wakes_router=True,
    customer="status",
):
    """The ticket was merged into `other`, where its conversation goes on."""

    other: TermName
    same_customer: bool = True
    reason: FreeText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        live = {
            kind: timer
            for kind, timer in ticket.timers.items()
            if timer.wakes_at is not None or timer.state == "paused"
        }
        merged = Merged(
            into=self.other,
            by=commit.actor,
            at=commit.at,
            status=ticket.status,
            queue=ticket.queue,
            timers=live,
        )
        return {"status": "merged", "queue": "closed", "merged": merged}


class MergeReceived(
    Event,
    label=("已并入一张工单", "Another ticket was merged into this one"),
    webhook="ticket.merge_received",
    wakes_router=True,
):
    """The ticket `other` was merged into this one."""

    other: TermName
    same_customer: bool = True
    reason: FreeText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"carries": (*ticket.carries, self.other)}


class TicketUnmerged(
    Event,
    label=("已撤销合并", "Merge undone"),
    webhook="ticket.unmerged",
    wakes_router=True,
    customer="status",
):
    """The merge into `other` was undone; the ticket continues from `status`."""

    other: TermName
    status: Status
    queue: Queue
    reason: FreeText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        restored = ticket.merged.timers if ticket.merged else {}
        leaves_handler = self.status == "queued" and ticket.handler is not None
        return {
            **(ticket.released() if leaves_handler else TicketChanges()),
            "status": self.status,
            "queue": self.queue,
            "timers": {**ticket.timers, **restored},
            "merged": None,
        }


class MergeUndone(
    Event,
    label=("一张工单已移出", "A merged ticket was separated again"),
    webhook="ticket.merge_undone",
    wakes_router=True,
):
    """The ticket `other`, which had been merged into this one, was separated again."""

    other: TermName
    reason: FreeText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"carries": tuple(number for number in ticket.carries if number != self.other)}


class TicketLinked(
    Event,
    label=("已关联新工单", "Continued in another ticket"),
    webhook="ticket.linked",
):
    """The conversation continues in another ticket, because this one had ended."""

    number: PersonalText

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"related": (*ticket.related, self.number)}
