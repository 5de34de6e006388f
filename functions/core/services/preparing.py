"""Prepare the message of a notification: text, channel and the delivery that records it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from uuid import uuid4

from functions.core.domain.delivery import Delivery
from functions.core.domain.erasure import without_person
from functions.core.domain.errors import DeadLetter
from functions.core.domain.events import (
    MACHINES,
    CallRequested,
    ChatHandedOver,
    Commit,
    ContactCorrected,
    CustomerWrote,
    TicketReceived,
)
from functions.core.domain.privacy import free_texts, rewritten
from functions.core.domain.recipients import CUSTOMERS, FORMER_CONTACT, PERSONS
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.composing import (
    Notification,
    RenderedMessage,
    compose,
    recipient_team,
    timer_or_step,
    uses_description,
)
from functions.core.services.links import short_link, ticket_link
from functions.core.storage.database import Storage
from functions.core.text.masking import mask, mask_but
from functions.core.text.sms_parts import sms_parts
from functions.core.text.unmasking import restored
from functions.core.text.words import say

EVENT_GONE = "the event that asked for it is gone"

Channel = Literal["sms", "email", "phone", "message", "none"]


@dataclass(frozen=True)
class PreparedMessage:
    """A notification with its rendered message.

    Attributes:
        person: the one person whom the notification is for, if the roster has them.
        link: the customer's secret link, as the message contains it.
        short_link: its short form, as a text message contains it.
        blocked: the reason why the message must not be sent, None if it may.
        outgoing: the sealed pieces of what an agent wrote; `rendered` has it masked.
    """

    notification: Notification
    commit: Commit
    ticket: Ticket
    playbook: Playbook
    rendered: RenderedMessage
    link: str
    short_link: str
    opening: TicketOpening
    person: Agent | None = None
    blocked: str | None = None
    outgoing: tuple[bytes, ...] = ()
    description: str = ""

    @property
    def chat(self) -> ChatHandedOver | None:
        """The chat that became the ticket."""
        received = next(iter(self.commit.of(TicketReceived)), None)
        return received.chat if received else self.opening.chat

    def as_written(self, documents: bytes) -> PreparedMessage:
        """Render the message with what an agent wrote, unmasked, for its delivery (G10).

        Args:
            documents: the unsealed documents of `outgoing`.

        Raises:
            DeadLetter: the message cannot be filled in.
        """
        event = self.notification.event
        texts = restored(documents, free_texts(event))
        notification = replace(
            self.notification, event=rewritten(event, lambda path, text: texts.get(path, text))
        )
        rendered = compose(
            notification,
            self.commit,
            self.ticket,
            self.playbook,
            status_url=self.link,
            short_url=self.short_link,
            description=self.description,
        )
        return replace(self, notification=notification, rendered=rendered)

    @property
    def short_code(self) -> str:
        """The secret part of the short link."""
        return self.short_link.rpartition("/")[2]

    @property
    def mailbox(self) -> str | None:
        """The person's own address, else the mailbox of the recipient's team."""
        if self.person is not None and self.person.email:
            return self.person.email
        return self.playbook.teams[self.team].mailbox if self.team in self.playbook.teams else None

    @property
    def address(self) -> str:
        """The mailbox of a message to staff; one of several messages to a customer."""
        sent = self.notification
        return (
            f"{sent.recipient}#{sent.message}"
            if sent.recipient in CUSTOMERS
            else self.mailbox or ""
        )

    @property
    def team(self) -> str | None:
        if self.person is not None and self.notification.recipient == "reviewer":
            return self.person.team
        return recipient_team(self.notification, self.ticket, self.playbook)

    @property
    def recipient_name(self) -> str:
        """The person or team that the message goes to, as colleagues read it."""
        if self.person is not None and self.person.email:
            return self.person.name
        teams = self.playbook.teams
        return teams[self.team].label[self.playbook.locale] if self.team in teams else ""

    @property
    def channel(self) -> Channel:
        """The channel of the message (B8).

        A customer is reached by the kind of the contact; one who wrote on a chat channel gets the
        answer there. What the commit says is a call to be made, for a customer who prefers that.
        """
        if self.notification.recipient not in CUSTOMERS:
            return "email" if self.mailbox else "none"
        if _is_spoken(self.notification, self.commit):
            return "phone"
        return "sms" if self.ticket.customer.kind == "phone" else self.ticket.customer.kind

    def with_text(self, delivery: Delivery) -> Delivery:
        """Return the delivery with the message's text, masked and without the customer's secret."""
        rendered = self.rendered
        forms = {"sms": rendered.sms, "message": rendered.brief}
        short, text = delivery.channel in forms, forms.get(delivery.channel, rendered.text)
        shown, page = text, self.link.partition("?")[0]
        for secret in (self.link, self.short_link):
            shown = shown.replace(secret, page)
        if self.short_code:  # a registered text may begin its link otherwise
            shown = shown.replace(self.short_code, "…")
        public = self.playbook.public_contacts
        subject = "" if short else mask_but(self.rendered.subject, public)
        parts = sms_parts(text) if delivery.channel == "sms" else 0
        shown = mask_but(shown, public)
        return delivery.model_copy(update={"subject": subject, "text": shown, "parts": parts})


class TicketOpening:
    """A ticket's first event item, read on first use and once for all recipients.

    Args:
        sealed: the customer's contact, if the stream record carries it.
    """

    def __init__(
        self, storage: Storage, desk: str, number: str, sealed: bytes | None = None
    ) -> None:
        self._storage = storage
        self._read = lru_cache(maxsize=1)(lambda: storage.tickets.first_commit(desk, number))
        self._sealed = sealed

    def sealed_contact(self, ticket: Ticket) -> bytes | None:
        """Return the newest sealed contact: from the opening or from a later correction."""
        if ticket.sealed_in == 1:
            return self._sealed or self._read().sealed
        return self._storage.tickets.sealed_contact(ticket.desk, ticket.number, ticket.sealed_in)

    @property
    def description(self) -> str:
        return self._received.description if self._received else ""

    @property
    def chat(self) -> ChatHandedOver | None:
        """The chat that became the ticket."""
        return self._received.chat if self._received else None

    @property
    def _received(self) -> TicketReceived | None:
        commit = self._read().commit
        return next(iter(commit.of(TicketReceived)), None) if commit else None


@dataclass(frozen=True)
class Preparation:
    """The dependencies of preparing messages for one ticket."""

    public_url: str
    root: bytes
    playbook: Playbook
    opening: TicketOpening
    agent: Callable[[str], Agent | None]
    outgoing: tuple[bytes, ...] = ()

    def prepare(
        self, notification: Notification, commit: Commit, ticket: Ticket
    ) -> PreparedMessage:
        """Render the message of a notification.

        Raises:
            DeadLetter: the playbook no longer has the message, or it cannot be filled in.
            TryAgain: the request that the message repeats cannot be read now.
        """
        playbook, description = self.playbook, ""
        ticket = _as_recipient_knows_it(notification, ticket)
        if ticket.erased:  # the stored event may not be blanked yet (B10)
            blanked = without_person(
                commit.model_copy(update={"events": (notification.event,)}), playbook, mask
            )
            notification = replace(notification, event=blanked.events[0])
        elif commit.version > 1 and uses_description(playbook, notification.message):
            wrote = commit.of(CustomerWrote)  # what the event is about, else the request
            description = wrote[-1].text if wrote else self.opening.description
        link = ticket_link(playbook, self.public_url, self.root, "customer", ticket)
        short = short_link(playbook, self.public_url, self.root, ticket)
        rendered = compose(
            notification,
            commit,
            ticket,
            playbook,
            status_url=link,
            short_url=short,
            description=description,
            spoken=_is_spoken(notification, commit),
        )
        person = self._person(notification, ticket)
        if person is not None and not person.email:  # colleagues read it, too
            heading = say("message.for_person", rendered.locale, name=person.name)
            rendered = replace(rendered, text=heading + rendered.text)
        return PreparedMessage(
            notification,
            commit,
            ticket,
            playbook,
            rendered,
            link,
            short,
            self.opening,
            person,
            outgoing=() if ticket.erased else self.outgoing,
            description=description,
        )

    def _person(self, notification: Notification, ticket: Ticket) -> Agent | None:
        if notification.recipient not in PERSONS:
            return None
        event, role = notification.event, notification.recipient
        username: str | None = getattr(event, role, None) or getattr(ticket, role)
        agent = self.agent(username) if username else None
        return agent if agent is not None and agent.active else None


def _is_spoken(notification: Notification, commit: Commit) -> bool:
    """Return whether somebody tells the customer by phone (B8)."""
    return notification.recipient == "customer" and bool(commit.of(CallRequested))


def _as_recipient_knows_it(notification: Notification, ticket: Ticket) -> Ticket:
    """Return the ticket under the contact that the notification goes to."""
    event = notification.event
    if notification.recipient != FORMER_CONTACT or not isinstance(event, ContactCorrected):
        return ticket
    customer = event.former or ticket.customer
    if ticket.erased:
        customer = customer.without_person(ticket.number)
    return ticket.changed(customer=customer, sealed_in=event.former_sealed_in)


def restored_notification(delivery: Delivery, commit: Commit) -> Notification:
    """Return the notification that a stored delivery was made for.

    Raises:
        DeadLetter: its event is gone.
    """
    for event in commit.events:
        if event.event == delivery.event and timer_or_step(event) == delivery.about:
            recipient: Any = delivery.recipient
            return Notification(event, recipient, delivery.message, delivery.about)
    raise DeadLetter(EVENT_GONE)


def draft_delivery(message: PreparedMessage, now: datetime) -> Delivery:
    """Return the delivery of a message, claimed by this run; the outcome adds its text."""
    notification, ticket = message.notification, message.ticket
    channel, preferred = message.channel, ""
    if notification.recipient in CUSTOMERS:
        to = ticket.customer.contact
        if ticket.customer.preferred != channel:
            preferred = ticket.customer.preferred or ""
    else:
        to = message.recipient_name
    return Delivery(
        desk=ticket.desk,
        number=ticket.number,
        version=message.commit.version,
        event=notification.event.event,
        message=notification.message,
        recipient=notification.recipient,
        about=notification.timer_or_step,
        channel=channel,
        preferred=preferred,
        by_hand=message.commit.actor not in MACHINES,
        to=to,
        claimed_at=now,
        at=now,
        claim=uuid4().hex,
    )
