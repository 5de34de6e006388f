"""Send a prepared message through its provider: mail, SMS or chat channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from functions.core.deliver.email import deliverable
from functions.core.deliver.failures import Permanent, Withheld
from functions.core.domain.chat import CHAT
from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import DeadLetter
from functions.core.domain.recipients import CUSTOMERS, FORMER_CONTACT
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.composing import (
    RenderedMessage,
    plain_acknowledgement,
    written_by_agent,
)
from functions.core.services.preparing import PreparedMessage
from functions.core.text import reply_box, tokens
from functions.core.text.sms_numbers import SMS_WITHHELD, sms_obstacle
from functions.notify.contact import OpenedContact
from functions.notify.limits import CAPPED
from functions.notify.mail import Envelope, Thread, build

if TYPE_CHECKING:
    from functions.core.channels.base import OutgoingMessage
    from functions.core.deliver.sms import TextMessage

LOCAL_PART_LIMIT = 64
"""The maximum characters before the `@` of an address (RFC 5321, 4.5.3.1.1)."""


class SendMail(Protocol):
    def __call__(self, sender: str, to: str, raw: bytes) -> str: ...


class SendSms(Protocol):
    def __call__(self, playbook: Playbook, message: TextMessage) -> str: ...


class AdmitsSms(Protocol):
    def __call__(self, desk: str, limit: int, local: datetime) -> bool: ...


class KeepLink(Protocol):
    def __call__(self, code: str, ticket: Ticket, now: datetime) -> None: ...


class KeepReply(Protocol):
    def __call__(
        self, desk: str, chat: str, version: int, message: str, sealed: str, now: datetime
    ) -> None: ...


class SendChat(Protocol):
    def __call__(
        self,
        delivery: Delivery,
        contact_hash: str,
        channel: str,
        message: OutgoingMessage,
        now: datetime,
    ) -> str: ...


@dataclass(frozen=True)
class Sender:
    """The providers, and the root key that message ids and reply addresses derive from.

    `open_contact(desk, number, sealed)` decrypts a contact, `open_outgoing(desk, number, pieces)`
    what an agent wrote to the customer. `send_mail`, `send_sms` and `send_chat`
    return the provider's id of the message or raise a `SendFailure`. `admits_sms` counts a text
    message and says whether it is within the desk's limit of that local day. `keep_link` stores the
    short link that a text message contains, `keep_reply` a message for the chat.
    """

    root: bytes
    open_contact: Callable[[str, str, bytes | None], OpenedContact]
    open_outgoing: Callable[[str, str, tuple[bytes, ...]], bytes]
    send_mail: SendMail
    send_sms: SendSms
    send_chat: SendChat
    admits_sms: AdmitsSms
    keep_link: KeepLink
    keep_reply: KeepReply

    def send(
        self,
        delivery: Delivery,
        message: PreparedMessage,
        now: datetime,
        other: OpenedContact | None = None,
    ) -> str:
        """Send a message and return the provider's id of it.

        Args:
            other: the contact that gets it in place of the ticket's.

        Raises:
            OutsideWindow: the chat channel would refuse it now.
            SendFailure: the message is not known to have gone out.
            TryAgain: the contact cannot be read now; nothing was sent.
        """
        if delivery.recipient not in CUSTOMERS:
            return self._mail_to_staff(delivery, message, now)
        contact = other or self._contact(message)
        message = self._as_written(message)
        self._show_in_chat(delivery, message, now)
        if contact.kind == "phone":
            return self._text(contact.contact, delivery, message, now)
        if contact.kind == "message":
            return self._chat(contact, delivery, message, now)
        return self._mail_to_customer(contact, delivery, message, now)

    def _contact(self, message: PreparedMessage) -> OpenedContact:
        """Decrypt the contact of the message's ticket."""
        ticket = message.ticket
        sealed = message.opening.sealed_contact(ticket)
        return self.open_contact(ticket.desk, ticket.number, sealed)

    def _as_written(self, message: PreparedMessage) -> PreparedMessage:
        """Return the message with what an agent wrote to the customer, unmasked (G10).

        Raises:
            SendFailure: it cannot be opened now, or not at all.
        """
        if not message.outgoing or message.notification.recipient == FORMER_CONTACT:
            return message
        ticket = message.ticket
        documents = self.open_outgoing(ticket.desk, ticket.number, message.outgoing)
        try:
            return message.as_written(documents)
        except (ValueError, DeadLetter):
            raise Permanent("what the agent wrote cannot be restored") from None

    def _show_in_chat(self, delivery: Delivery, message: PreparedMessage, now: datetime) -> None:
        """Keep a message, sealed, for the chat that became the ticket, if there is one.

        The chat itself tells the number, and shows what an agent wrote without personal data.
        """
        chat = message.chat
        if chat is None or not chat.public_key or delivery.recipient == FORMER_CONTACT:
            return
        event, name = message.notification.event, message.notification.message
        spoken = event.customer_visibility == "message" and event.direction == "out"
        if (spoken and not message.outgoing) or name == plain_acknowledgement(message.playbook):
            return
        text = event.words if spoken else message.rendered.text.strip()
        sealed = reply_box.seal(chat.public_key, text)
        version, name = message.commit.version, "" if spoken else name
        self.keep_reply(delivery.desk, chat.id, version, name, sealed, now)

    def _text(
        self, number: str, delivery: Delivery, message: PreparedMessage, now: datetime
    ) -> str:
        """Send a text message, if the number may get one and the desk's day allows it.

        Raises:
            Withheld: the desk sends none to such a number.
            Permanent: a limit is reached. A number that could never get one is told first.
        """
        playbook = message.playbook
        obstacle = sms_obstacle(number, playbook.sms_countries)
        if obstacle is not None:
            raise Withheld(SMS_WITHHELD[obstacle])
        if message.blocked is not None:
            raise Permanent(message.blocked)
        limit = playbook.sms.daily
        if not self.admits_sms(playbook.desk, limit, now.astimezone(playbook.zone)):
            raise Permanent(f"{CAPPED}{limit} text messages of this desk today")
        if message.short_code in message.rendered.sms:
            self.keep_link(message.short_code, message.ticket, now)
        rendered = message.rendered
        from functions.core.deliver.sms import TextMessage

        text = TextMessage(number, rendered.sms, rendered.registered, _key(delivery))
        return self.send_sms(playbook, text)

    def _chat(
        self, contact: OpenedContact, delivery: Delivery, message: PreparedMessage, now: datetime
    ) -> str:
        """Send on the chat channel that the request came from."""
        channel, _, user = contact.contact.partition(":")
        if channel == CHAT:
            return ""  # a chat with the assistant has it by now
        from functions.core.channels.base import OutgoingMessage

        outgoing = OutgoingMessage(
            user, message.rendered.brief, thread=contact.message_id, key=_key(delivery)
        )
        return self.send_chat(delivery, message.ticket.customer.hash, channel, outgoing, now)

    def _mail_to_customer(
        self, contact: OpenedContact, delivery: Delivery, message: PreparedMessage, now: datetime
    ) -> str:
        desk, number, domain = delivery.desk, delivery.number, _domain(message)
        own_id = tokens.message_id(self.root, desk, number, delivery.version, domain)
        if delivery.recipient == FORMER_CONTACT:
            # The new contact gets the keyed id of this version.
            own_id = _unkeyed_id(delivery, message)
        thread = Thread(
            own_id=own_id,
            ticket_id=tokens.message_id(self.root, desk, number, 1, domain),
            answers=contact.message_id.strip().strip("<>"),
        )
        return self._mail(
            deliverable(contact.contact),
            thread,
            message.rendered,
            message,
            now,
            automatic=not written_by_agent(delivery.event),
            reply_to=self._reply_address(message),
        )

    def _mail_to_staff(self, delivery: Delivery, message: PreparedMessage, now: datetime) -> str:
        # With a keyed id, a colleague's reply would pass for the customer's.
        thread = Thread(_unkeyed_id(delivery, message))
        to = deliverable(message.mailbox or "")
        return self._mail(to, thread, message.rendered, message, now)

    def _mail(
        self,
        to: str,
        thread: Thread,
        rendered: RenderedMessage,
        message: PreparedMessage,
        now: datetime,
        *,
        automatic: bool = True,
        reply_to: str = "",
    ) -> str:
        mail = message.playbook.mail
        envelope = Envelope(
            sender=mail.sender[rendered.locale],
            address=mail.address,
            reply_to=reply_to or mail.address,
            to=to,
            at=now,
            thread=thread,
            automatic=automatic,
        )
        raw = build(envelope, rendered, message.ticket.number, message.link)
        return self.send_mail(mail.address, to, raw)

    def _reply_address(self, message: PreparedMessage) -> str:
        """Return the desk's mailbox with a token by which a reply finds its ticket."""
        address, ticket = message.playbook.mail.address, message.ticket
        mailbox, _, domain = address.rpartition("@")
        token = tokens.reply_token(self.root, ticket.desk, ticket.number, ticket.link_generation)
        local_part = f"{mailbox}+{token}"
        fits = token and len(local_part) <= LOCAL_PART_LIMIT
        return f"{local_part}@{domain}" if fits else address


def _unique(delivery: Delivery) -> bytes:
    return f"{delivery.desk}#{delivery.number}#{delivery.id}".encode()


def _key(delivery: Delivery) -> str:
    """Return the key of a delivery's attempts, by which some providers deduplicate."""
    return str(UUID(bytes=sha256(_unique(delivery)).digest()[:16], version=4))


def _unkeyed_id(delivery: Delivery, message: PreparedMessage) -> str:
    return f"{sha256(_unique(delivery)).hexdigest()[:32]}@{_domain(message)}"


def _domain(message: PreparedMessage) -> str:
    return message.playbook.mail.address.rpartition("@")[2]
