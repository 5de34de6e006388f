"""Prepare the message of a notification: text, channel and the delivery that records it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from uuid import uuid4

from functions.core.domain.delivery import Delivery
from functions.core.domain.erasure import without_person
from functions.core.domain.errors import DeadLetter
from functions.core.domain.events import MACHINES, Commit, ContactCorrected, TicketReceived
from functions.core.domain.privacy import free_texts, rewritten
from functions.core.domain.recipients import CUSTOMERS, FORMER_CONTACT
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
from functions.notify.base_dispatch import EVENT_GONE

Channel = Literal["sms", "email", "phone", "message", "none"]


@dataclass(frozen=True)
class PreparedMessage:
    """A notification with its rendered message.

    Attributes:
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
    blocked: str | None = None
    outgoing: tuple[bytes, ...] = ()
    description: str = ""

    def as_written(self, documents: bytes) -> RenderedMessage:
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
        return compose(
            notification,
            self.commit,
            self.ticket,
            self.playbook,
            status_url=self.link,
            short_url=self.short_link,
            description=self.description,
        )

    @property
    def mailbox(self) -> str | None:
        """The mailbox of the recipient's team."""
        return team_mailbox(self.notification, self.ticket, self.playbook)

    def with_text(self, delivery: Delivery) -> Delivery:
        """Return the delivery with the message's text, masked and without the customer's secret."""
        rendered = self.rendered
        forms = {"sms": rendered.sms, "message": rendered.brief}
        short, text = delivery.channel in forms, forms.get(delivery.channel, rendered.text)
        shown, page = text, self.link.partition("?")[0]
        for secret in (self.link, self.short_link):
            shown = shown.replace(secret, page)
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
        commit = self._read().commit
        received = commit.of(TicketReceived) if commit else ()
        return received[0].description if received else ""


@dataclass(frozen=True)
class Preparation:
    """The dependencies of preparing messages for one ticket."""

    public_url: str
    root: bytes
    playbook: Playbook
    opening: TicketOpening
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
            description = self.opening.description
        link = ticket_link(playbook, self.public_url, self.root, "customer", ticket)
        if channel_for(notification, ticket, playbook) == "phone":
            link = link.partition("?")[
                0
            ]  # a colleague reads the text; the secret is the customer's
        short = short_link(playbook, self.public_url, self.root, ticket)
        rendered = compose(
            notification,
            commit,
            ticket,
            playbook,
            status_url=link,
            short_url=short,
            description=description,
        )
        return PreparedMessage(
            notification,
            commit,
            ticket,
            playbook,
            rendered,
            link,
            short,
            self.opening,
            outgoing=() if ticket.erased else self.outgoing,
            description=description,
        )


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
    notification, ticket, playbook = message.notification, message.ticket, message.playbook
    channel, preferred = channel_for(notification, ticket, playbook), ""
    if notification.recipient in CUSTOMERS:
        to = ticket.customer.contact
        if ticket.customer.preferred != channel:
            preferred = ticket.customer.preferred or ""
    else:
        team = recipient_team(notification, ticket, playbook)
        to = playbook.teams[team].label[playbook.locale] if team in playbook.teams else ""
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


def channel_for(notification: Notification, ticket: Ticket, playbook: Playbook) -> Channel:
    """Return the channel of a notification (B8).

    Staff get mail in their team's mailbox. A customer is reached on the preferred channel if the
    contact allows it, else by the kind of the contact; one who wrote on a chat channel gets the
    answer there. The ticket's team calls a customer who prefers that; the acknowledgement goes out
    at once, before the ticket has a team (A4).
    """
    mailbox = team_mailbox(notification, ticket, playbook)
    if notification.recipient not in CUSTOMERS:
        return "email" if mailbox else "none"
    if ticket.customer.kind != "phone":
        return ticket.customer.kind
    prefers_call = ticket.customer.preferred == "phone"
    acknowledges = isinstance(notification.event, TicketReceived)
    return "phone" if prefers_call and mailbox and not acknowledges else "sms"


def team_mailbox(notification: Notification, ticket: Ticket, playbook: Playbook) -> str | None:
    """Return the mailbox of the team that a notification goes to, if it has one."""
    team = recipient_team(notification, ticket, playbook)
    return playbook.teams[team].mailbox if team in playbook.teams else None
