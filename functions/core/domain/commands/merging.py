"""Merging tickets, undoing a merge, and linking follow-up tickets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.core.domain import events as e, timers
from functions.core.domain.commands.base import (
    ANY_STATUS,
    LEADERS,
    AgentAction,
    Body,
    Name,
    Remark,
    TicketCommand,
    allowed,
    not_allowed,
)
from functions.core.domain.errors import ActionNotAllowed, Phrase
from functions.core.domain.privacy import FreeText, PersonalText, TermName
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import DONE, IN_HAND, OPEN, Ticket

MAX_MERGED = 50
"""The most tickets that can be merged into one, because opening it reads all of them."""


class MergeBody(Body):
    into: Name
    reason: Remark = ""


@dataclass(frozen=True)
class Merge(
    TicketCommand,
    name="merge",
    sources=OPEN | DONE,
    target="merged",
    by="agent",
    meaning="the conversation goes on under another number",
    agents=AgentAction(
        label=("合并工单", "Merge"), rights={"agent": "team", **LEADERS}, body=MergeBody
    ),
):
    """Merge the ticket into `into`, which gets `ReceiveMerged` in the same transaction."""

    into: TermName
    reason: FreeText = ""
    same_customer: bool = True

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        if self.into == ticket.number:
            raise ActionNotAllowed("A ticket cannot be merged into itself.", allowed(ticket))
        merged = e.TicketMerged(
            other=self.into, same_customer=self.same_customer, reason=self.reason
        )
        return [merged]


@dataclass(frozen=True)
class ReceiveMerged(
    TicketCommand,
    name="receive-merged",
    sources=OPEN | DONE,
    by="with merge",
    meaning="another ticket's conversation goes on here",
):
    """Receive the merged ticket `other`: the other half of `Merge`."""

    other: TermName
    other_open: bool
    same_customer: bool = True
    reason: FreeText = ""

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        if self.other_open and ticket.status not in OPEN:
            raise ActionNotAllowed(
                Phrase(
                    "{number} has ended, and the other ticket is still open: reopen {number} "
                    "first, or merge the other way round.",
                    number=ticket.number,
                ),
                allowed(ticket),
            )
        if len(ticket.carries) >= MAX_MERGED:
            raise ActionNotAllowed(
                Phrase(
                    "{count} tickets were merged into {number} already, the maximum.",
                    count=MAX_MERGED,
                    number=ticket.number,
                )
            )
        received = e.MergeReceived(
            other=self.other, same_customer=self.same_customer, reason=self.reason
        )
        return [received]


class UnmergeBody(Body):
    reason: Remark = ""


@dataclass(frozen=True)
class Unmerge(
    TicketCommand,
    name="unmerge",
    sources={"merged"},
    by="agent",
    meaning="undoes a merge: the ticket returns to where it was",
    agents=AgentAction(
        label=("撤销合并", "Undo merge"), rights={"agent": "merged", **LEADERS}, body=UnmergeBody
    ),
):
    """Undo the merge. `handler_stays`: the former handler is still on the roster."""

    reason: FreeText = ""
    handler_stays: bool = True

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        merged = ticket.merged
        if merged is None:
            raise not_allowed("unmerge", ticket, playbook)
        status, queue = merged.status, merged.queue
        if status in IN_HAND and not self.handler_stays:
            status, queue = "queued", "waiting"
        undone = e.TicketUnmerged(other=merged.into, status=status, queue=queue, reason=self.reason)
        restored = timers.resumed_after_merge(merged.timers, merged.at, playbook, now)
        return [undone, e.TimersSet(timers=restored)] if restored else [undone]


@dataclass(frozen=True)
class ReleaseMerged(
    TicketCommand,
    name="release-merged",
    sources=ANY_STATUS,
    by="with unmerge",
    meaning="a ticket that was merged into this one is separated again",
):
    """Release the ticket `other`: the other half of `Unmerge`."""

    other: TermName
    reason: FreeText = ""

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        return [e.MergeUndone(other=self.other, reason=self.reason)]


@dataclass(frozen=True)
class Link(
    TicketCommand,
    name="link",
    sources=ANY_STATUS,
    by="intake",
    meaning="the conversation goes on in another ticket",
):
    """Link the follow-up ticket in which the conversation goes on."""

    number: PersonalText

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        if self.number in (ticket.number, *ticket.related):
            return []
        return [e.TicketLinked(number=self.number)]
