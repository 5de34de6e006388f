"""The customer: class, contact, legal hold, erasure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from functions.core.domain import events as e
from functions.core.domain.commands.base import (
    ANY_STATUS,
    LEADERS,
    AgentAction,
    Body,
    Name,
    TicketCommand,
    require_known,
)
from functions.core.domain.errors import ActionNotAllowed
from functions.core.domain.privacy import PERSONAL, FreeText, TermName
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import DONE, OPEN, Customer, Ticket


class SetCustomerClassBody(Body):
    customer_class: Name | None


@dataclass(frozen=True)
class SetCustomerClass(
    TicketCommand,
    name="set-customer-class",
    sources=OPEN | DONE,
    by="supervisor",
    meaning="sets the customer's class, such as VIP",
    agents=AgentAction(
        label=("设置客户等级", "Set customer class"),
        rights=LEADERS,
        body=SetCustomerClassBody,
        listed=False,
    ),
):
    """Set the customer's class (A5)."""

    customer_class: TermName | None

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        if self.customer_class is not None:
            require_known("customer_class", self.customer_class, playbook.customer_classes)
        if self.customer_class == ticket.customer.customer_class:
            return []
        return [e.CustomerClassed(customer_class=self.customer_class)]


@dataclass(frozen=True)
class MailReturned(
    TicketCommand,
    name="returned",
    sources=ANY_STATUS,
    by="intake",
    meaning="mail to the customer bounced",
):
    """Record a bounce or complaint about mail to the customer.

    `elsewhere`: the mail belonged to another ticket, so only a change of the mark is news here.
    """

    cause: FreeText
    permanent: bool
    elsewhere: bool = False

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        bounced = e.ContactBounced(cause=self.cause, permanent=self.permanent)
        if self.elsewhere and not bounced.marks(ticket.customer):
            return []
        return [bounced]


@dataclass(frozen=True)
class ProveContact(
    TicketCommand,
    name="prove-contact",
    sources=ANY_STATUS,
    by="customer",
    meaning="the customer used a link or an address that only the contact was sent",
):
    """Record that whoever writes holds the ticket's contact (contract, *Links*)."""

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        return [] if ticket.contact_proven else [e.ContactProven()]


@dataclass(frozen=True)
class RequestLink(
    TicketCommand,
    name="request-link",
    sources=ANY_STATUS,
    by="customer",
    meaning="somebody who named number and contact asked for the link again",
):
    """Send the customer link to the ticket's contact once more (contract, *Links*)."""

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        return [] if ticket.erased else [e.LinkRequested()]


class CorrectContactBody(Body):
    """A new contact; without one the former contact works again."""

    contact: Annotated[str, Field(min_length=1, max_length=320), PERSONAL] | None = None


@dataclass(frozen=True)
class CorrectContact(
    TicketCommand,
    name="correct-contact",
    sources=ANY_STATUS,
    by="agent",
    meaning="a new contact, or the former one works again",
    agents=AgentAction(
        label=("更正联系方式", "Correct contact"),
        rights={"agent": "team", "qa": "review", **LEADERS},
        body=CorrectContactBody,
        listed=False,
    ),
):
    """Set a new contact, masked and sealed; without one, mark the former one as deliverable."""

    customer: Customer | None = None
    sealed: bytes | None = None

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        if ticket.erased:
            raise ActionNotAllowed("The customer's personal data was erased.")
        if self.customer is None and ticket.customer.undeliverable is None:
            return []
        if self.customer is None:
            return [e.ContactCorrected()]
        corrected = e.ContactCorrected(
            customer=self.customer, former=ticket.customer, former_sealed_in=ticket.sealed_in
        )
        return [corrected]


@dataclass(frozen=True)
class Hold(
    TicketCommand,
    name="hold",
    sources=ANY_STATUS,
    by="admin",
    meaning="sets or releases a legal hold on the record",
):
    """Set or release a legal hold (B10)."""

    held: bool
    reason: FreeText = ""

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        if ticket.held == self.held:
            return []
        return [e.HoldSet(held=self.held, reason=self.reason)]


@dataclass(frozen=True)
class ErasePerson(
    TicketCommand,
    name="erase",
    sources=ANY_STATUS,
    by="admin",
    meaning="erases who the customer was",
):
    """Erase the customer's personal data (B10)."""

    reason: FreeText = ""

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        # A second erasure removes what was recorded since the first.
        if ticket.erased and ticket == ticket.changed(**ticket.person_erased()):
            return []
        if ticket.held:
            raise ActionNotAllowed("The ticket is under a legal hold; release it first.")
        return [e.PersonErased(reason=self.reason)]
