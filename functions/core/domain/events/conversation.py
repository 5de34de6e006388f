"""Messages between customer and desk, and notes among colleagues."""

from datetime import datetime
from typing import Annotated

from functions.core.domain.events.base import Commit, Event
from functions.core.domain.privacy import PERSONAL, FreeText, PersonalText, TermName
from functions.core.domain.ticket import Attachment, RefusedFile, Ticket, TicketChanges


class ReplySent(
    Event,
    label=("已回复", "Answer sent"),
    webhook="reply.sent",
    customer="message",
    record="communication",
    says="text",
    direction="out",
):
    """An agent answered the customer; the first answer is the first response (A10)."""

    text: FreeText
    attachments: tuple[Attachment, ...] = ()

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {
            "status": "in_progress" if ticket.status == "assigned" else ticket.status,
            "first_response_at": _first_response_at(ticket, commit),
        }


class InformationRequested(
    Event,
    label=("请您补充信息", "Information requested"),
    webhook="information.requested",
    customer="message",
    record="communication",
    says="text",
    direction="out",
):
    """An agent asked the customer for information, and the ticket waits for it (A11)."""

    text: FreeText
    attachments: tuple[Attachment, ...] = ()

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {
            "status": "awaiting_customer",
            "first_response_at": _first_response_at(ticket, commit),
        }


class CallRequested(
    Event, label=("需电话告知客户", "Customer to be called"), webhook="call.requested"
):
    """The customer is called: somebody has to pass on by phone what this commit says (B8)."""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"calls": (*ticket.calls, commit.version)}


class CallRecorded(
    Event,
    label=("已致电", "Called"),
    webhook="call.recorded",
    customer="status",
    record="communication",
    says="outcome",
):
    """A member of the desk called the customer (B8).

    `calls` are the versions whose messages the customer was told; none if nobody was `reached`.
    """

    outcome: FreeText = ""
    reached: bool = True
    calls: tuple[int, ...] = ()

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        if not self.reached:
            return {}
        return {
            "calls": tuple(version for version in ticket.calls if version not in self.calls),
            "first_response_at": ticket.first_response_at or commit.at,
        }


def _first_response_at(ticket: Ticket, commit: Commit) -> datetime | None:
    """The first response with this commit; what waits for a call has reached nobody yet."""
    waits = any(isinstance(event, CallRequested) for event in commit.events)
    return ticket.first_response_at or (None if waits else commit.at)


class CustomerWrote(
    Event,
    label=("收到留言", "Message received"),
    webhook="customer.message_received",
    wakes_router=True,
    customer="message",
    record="communication",
    says="text",
    direction="in",
):
    """The customer added a message, on any channel.

    `via` is the merged ticket that the message was written to; `stranger`: the customer of that
    ticket is not the customer of this one. `by_another` is the masked address of a writer who is
    not the customer but holds the ticket's key, for instance from a forwarded mail. `by_submitter`:
    written by the submitter's link, so perhaps not by the contact. `refused` and `unproven` as in
    `TicketReceived`.
    """

    text: FreeText
    channel: TermName
    raw: PersonalText | None = None
    attachments: tuple[Attachment, ...] = ()
    refused: Annotated[tuple[RefusedFile, ...], PERSONAL] = ()
    unproven: bool = False
    via: TermName | None = None
    stranger: bool = False
    by_another: PersonalText | None = None
    by_submitter: bool = False


class FilesReceived(
    Event,
    label=("已收到文件", "Files received"),
    webhook="customer.files_received",
    customer="message",
    record="communication",
    direction="in",
):
    """A file of the customer's chat message was fetched from the provider, or cannot be.

    `cause` is the provider's for a file that it did not give. `refused`, `via` and `stranger` as in
    `CustomerWrote`.
    """

    channel: TermName
    attachments: tuple[Attachment, ...] = ()
    refused: Annotated[tuple[RefusedFile, ...], PERSONAL] = ()
    cause: FreeText = ""
    via: TermName | None = None
    stranger: bool = False


class InformationReceived(
    Event,
    label=("已收到补充信息", "Information received"),
    webhook="information.received",
    customer="status",
):
    """The information that the ticket waited for arrived (A11)."""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        waited = ticket.status == "awaiting_customer"
        return {"status": "in_progress" if waited else ticket.status, "awaits_answer": False}


class NoteAdded(
    Event,
    label=("内部备注", "Internal note"),
    webhook="note.added",
    record="step",
    says="text",
):
    """An agent or a function added an internal note. Customers never see it."""

    text: FreeText
    attachments: tuple[Attachment, ...] = ()


class OriginalOpened(Event, label=("已查看原文", "Original opened"), webhook="original.opened"):
    """An agent opened the original of a message; `message` is the message's version (G4)."""

    message: int
    reason: FreeText


class ContactOpened(Event, label=("已查看联系方式", "Contact opened"), webhook="contact.opened"):
    """An agent who has to call opened the customer's contact (G4)."""

    reason: FreeText
