"""Verify a customer's contact by a code that is sent to it (C2).

A code has 6 digits, is valid for 10 minutes, and 5 wrong ones end it. What was verified belongs to
one customer with what the chat has proven before: other contacts, or the writer of a signed
channel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest, digest as hmac_digest
from secrets import randbelow
from typing import Protocol

from functions.core.assistant.reading import code_in, contact_in
from functions.core.domain.chat import Chat, PendingVerification, VerificationState
from functions.core.domain.customers import Identity
from functions.core.domain.errors import FieldError, InvalidInput, TooManyAttempts
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import OPEN, Ticket
from functions.core.services.contacts import contact_digest, sms_problem
from functions.core.services.customers import contact_identity, join_customer
from functions.core.storage.counters import Period
from functions.core.storage.database import Storage
from functions.core.text.contacts import Contact
from functions.core.text.tokens import derive
from functions.core.text.words import customer_status, say

VALID_FOR = timedelta(minutes=10)
ATTEMPTS = 5
CODES_PER_CONTACT = 5
"""Codes that a contact gets in an hour, whoever asks for them, and that a chat may ask for."""
SHOWN = 3
"""Open requests that a verified customer is told."""


class SendCode(Protocol):
    def __call__(self, contact: Contact, code: str, locale: Locale) -> None: ...


@dataclass(frozen=True)
class Codes:
    """Sends codes and checks them, for the chats of a desk at one moment.

    `send` sends a text to a contact or raises `InvalidInput`; `seal` encrypts a text with the
    chat's token, `seal_contact` a verified contact. `writer` is the person whom the channel proves.
    A code is sent once, however often a turn is taken.
    """

    storage: Storage
    playbook: Playbook
    root_key: bytes
    send: SendCode
    now: datetime
    seal: Callable[[str], str] = lambda text: ""
    seal_contact: Callable[[Chat, Contact], str] = lambda chat, contact: ""
    writer: Identity | None = None
    _sent: dict[str, str] = field(default_factory=dict)

    def accept(self, chat: Chat, written: str) -> Chat | None:
        """Verify the contact if a message is the code; None for another."""
        pending, code = chat.verification, code_in(written)
        waiting = pending is not None and pending.state in ("sent", "wrong")
        if pending is None or code is None or not waiting or self.now > pending.expires_at:
            return None
        right = compare_digest(self._digest(chat, code), pending.code)
        return self._verified(chat, pending) if right else None

    def read(self, chat: Chat, written: str) -> Chat | None:
        """Go on with a message that is nothing but a contact or a code; None for another."""
        pending, code = chat.verification, code_in(written)
        if pending is not None and pending.state != "verified" and code is not None:
            if pending.state in ("sent", "wrong"):
                return self.check(chat, code)
            return self._ended(chat, pending, pending.state)
        contact = contact_in(written)
        if contact is None:
            return None
        try:
            return self.start(chat, contact)
        except TooManyAttempts:
            return chat.said("system", say("verify.limit", chat.locale), self.now)
        except InvalidInput:
            return chat.said("system", say("verify.unreachable", chat.locale), self.now)

    def start(self, chat: Chat, contact: Contact) -> Chat:
        """Send a code to a contact.

        Raises:
            InvalidInput: nothing can be sent there.
            TooManyAttempts: the contact or the desk got too many codes.
        """
        if chat.codes >= CODES_PER_CONTACT:
            raise TooManyAttempts("Too many codes were sent. Try again in an hour.")
        code = self._code(contact, chat.locale)
        pending = PendingVerification(
            identity=contact_identity(contact, self.playbook.desk, self.root_key),
            code=self._digest(chat, code),
            expires_at=self.now + VALID_FOR,
            sealed=self.seal_contact(chat, contact),
        )
        text = say("verify.sent", chat.locale, contact=pending.identity.shown)
        chat = chat.changed(verification=pending, codes=chat.codes + 1)
        return chat.said("system", text, self.now)

    def check(self, chat: Chat, code: str) -> Chat:
        """Compare a code; the chat's verification says what came of it.

        Raises:
            InvalidInput: no code is waiting.
        """
        pending = chat.verification
        if pending is None or pending.state not in ("sent", "wrong"):
            wrong = FieldError("code", "no code is waiting; ask for a new one")
            raise InvalidInput("Some fields are invalid.", (wrong,))
        if self.now > pending.expires_at:
            return self._ended(chat, pending, "expired")
        if not compare_digest(self._digest(chat, code), pending.code):
            count = pending.wrong + 1
            state: VerificationState = "refused" if count >= ATTEMPTS else "wrong"
            return self._ended(chat, pending, state, wrong=count)
        return self._verified(chat, pending)

    def _verified(self, chat: Chat, pending: PendingVerification) -> Chat:
        """Join the contact to what was proven before, and tell the customer's open requests."""
        proven = pending.identity
        others = [each for each in chat.verified if each.hash != proven.hash]
        writer = [self.writer] if self.writer else []
        identities = (proven, *others, *writer)
        join_customer(self.storage, self.playbook.desk, identities, "code", self.now)
        chat = chat.changed(verified=(*others, proven), sealed=pending.sealed or chat.sealed)
        tickets = self._open_tickets(proven)
        chat = self._ended(chat, pending, "verified")
        if not tickets:
            return chat
        numbers = "\n".join(
            f"{each.number}: {customer_status(each.status, self.playbook, chat.locale)}"
            for each in tickets
        )
        text = say("verify.requests", chat.locale, numbers=numbers)
        return chat.said("system", text, self.now)

    def _open_tickets(self, identity: Identity) -> list[Ticket]:
        """Return the newest open requests of a customer, by all contacts of theirs."""
        desk = self.playbook.desk
        record = self.storage.customers.of(desk, identity.hash, consistent=True)
        numbers = [
            number
            for contact in (record.contacts if record else (identity.hash,))
            for number in self.storage.contacts.tickets(desk, contact, SHOWN * 2)
        ]
        found = self.storage.tickets.load_many(desk, list(dict.fromkeys(numbers)))
        newest = sorted(found, key=lambda ticket: ticket.received_at, reverse=True)
        return [each for each in newest if each.status in OPEN][:SHOWN]

    def _ended(
        self,
        chat: Chat,
        pending: PendingVerification,
        state: VerificationState,
        *,
        wrong: int = 0,
    ) -> Chat:
        pending = pending.model_copy(update={"state": state, "wrong": wrong})
        left = str(ATTEMPTS - wrong)
        text = say(f"verify.{state}", chat.locale, contact=pending.identity.shown, left=left)
        return chat.changed(verification=pending).said("system", text, self.now)

    def _code(self, contact: Contact, locale: Locale) -> str:
        """Return the code that was sent to a contact, and send it the first time."""
        if contact.address not in self._sent:
            self._require_admitted(contact)
            code = f"{randbelow(10**6):06}"
            self.send(contact, code, locale)
            self._sent[contact.address] = code
        return self._sent[contact.address]

    def _require_admitted(self, contact: Contact) -> None:
        playbook, local = self.playbook, self.now.astimezone(self.playbook.zone)
        if contact.kind == "phone" and sms_problem(contact, None, playbook):
            wrong = FieldError("contact", "no text message can be sent to this number")
            raise InvalidInput("Some fields are invalid.", (wrong,))
        digest = contact_digest(contact, playbook.desk, self.root_key)
        limits: list[tuple[str, int, Period]] = [(f"codes#{digest}", CODES_PER_CONTACT, "hour")]
        if contact.kind == "phone":
            limits.append(("sms", playbook.sms.daily, "day"))
        for name, limit, per in limits:
            admits = self.storage.counters.admits
            if not admits(playbook.desk, name, limit, per, local):
                raise TooManyAttempts("Too many codes were sent. Try again in an hour.")

    def _digest(self, chat: Chat, code: str) -> str:
        text = f"{chat.desk}#{chat.id}#{code}".encode()
        return hmac_digest(derive(self.root_key, "code"), text, "sha256").hex()
