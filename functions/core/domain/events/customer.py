"""The customer: class, contact, legal hold, erasure."""

from functions.core.domain.events.base import Commit, Event
from functions.core.domain.privacy import FreeText, TermName
from functions.core.domain.ticket import Customer, Ticket, TicketChanges


class CustomerClassed(
    Event,
    label=("客户等级已调整", "Customer class changed"),
    webhook="customer.class_set",
):
    """A supervisor set the customer's class (VIP)."""

    customer_class: TermName | None

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        update = {"customer_class": self.customer_class, "class_once_proven": None}
        return {"customer": ticket.customer.model_copy(update=update)}


class ContactBounced(Event, label=("邮件无法送达", "Mail bounced"), webhook="contact.bounced"):
    """Mail to the customer bounced, or the customer reported it as spam.

    `permanent`: no mail is sent there until somebody corrects the contact. `cause` is `bounce` or
    `complaint` with its details: a status code (RFC 3463) or a feedback type (RFC 5965).
    """

    permanent: bool
    cause: FreeText

    def marks(self, customer: Customer) -> bool:
        """Return whether mail stops; a bad address replaces a complaint, not the reverse."""
        blocked = customer.undeliverable is not None and not customer.complained
        return self.permanent and not blocked and customer.undeliverable != self.cause

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        if not self.marks(ticket.customer):
            return {}
        return {"customer": ticket.customer.model_copy(update={"undeliverable": self.cause})}


class ContactProven(
    Event,
    label=("联系方式已核实", "Contact proven"),
    webhook="contact.proven",
):
    """The writer has shown that the ticket's contact is theirs (contract, *Links*)."""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        known = ticket.customer.class_once_proven
        if known is None:
            return {"contact_proven": True}
        update = {"customer_class": known, "class_once_proven": None}
        return {"contact_proven": True, "customer": ticket.customer.model_copy(update=update)}


class LinkRequested(
    Event,
    label=("客户要求重发链接", "The customer asked for the link again"),
    webhook="link.requested",
):
    """Somebody who named number and contact asked for the customer link; it goes to the contact."""


class ContactCorrected(
    Event, label=("联系方式已更正", "Contact corrected"), webhook="contact.corrected"
):
    """An agent corrected the customer's contact, or said that the former one works again.

    A new contact sets `customer`, and the commit holds the sealed contact. `former` is the customer
    under the contact before, and `former_sealed_in` the version whose commit holds it sealed.
    """

    customer: Customer | None = None
    former: Customer | None = None
    former_sealed_in: int = 1

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        if self.customer is not None:
            return {
                "customer": self.customer,
                "sealed_in": commit.version,
                "contact_proven": False,
            }
        return {"customer": ticket.customer.model_copy(update={"undeliverable": None})}


class HoldSet(
    Event,
    label=("保存期限已调整", "Legal hold changed"),
    webhook="legal_hold.changed",
):
    """A legal hold was set or released (B10)."""

    held: bool
    reason: FreeText = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"held": self.held}


class PersonErased(
    Event, label=("客户信息已删除", "Personal data erased"), webhook="customer.erased"
):
    """The customer's personal data was erased; the figures stay (B10)."""

    # Written by an operator about the erasure, masked, and kept as its record.
    reason: TermName = ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return ticket.person_erased()
