"""Verify a customer's contact by a code that is sent to it (C2).

A code has 6 digits, is valid for 10 minutes, and 5 wrong ones end it. What was verified belongs to
one customer with what the chat has proven before: other contacts, or the writer of a signed
channel.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest, digest as hmac_digest
from secrets import randbelow
from typing import Literal, Protocol, cast

from functions.core.domain.chat import Chat, PendingVerification, VerificationState
from functions.core.domain.customers import Identity
from functions.core.domain.errors import FieldError, InvalidInput, TooManyAttempts
from functions.core.domain.matching import fold
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import OPEN, Ticket
from functions.core.services.contacts import contact_digest, sms_problem
from functions.core.services.customers import join_customer
from functions.core.storage.database import Storage
from functions.core.text.contacts import Contact, ContactError, mask_contact, normalise_contact
from functions.core.text.tokens import derive
from functions.core.text.words import say

VALID_FOR = timedelta(minutes=10)
ATTEMPTS = 5
CODES_PER_CONTACT = 5
"""Codes that a contact gets in an hour, whoever asks for them."""
SHOWN = 3
"""Open requests that a verified customer is told."""

_CODE = re.compile(r"\d{6}")


class SendCode(Protocol):
    def __call__(self, contact: Contact, text: str, locale: Locale) -> None: ...


@dataclass(frozen=True)
class Codes:
    """Sends codes and checks them, for the chats of a desk at one moment.

    `send` sends a text to a contact or raises `InvalidInput`; `seal` encrypts a verified contact
    with the chat's token. `writer` is the person whom the channel proves. A code is sent once,
    however often a turn is taken.
    """

    storage: Storage
    playbook: Playbook
    root_key: bytes
    send: SendCode
    now: datetime
    seal: Callable[[Chat, Contact], str] = lambda chat, contact: ""
    writer: Identity | None = None
    _sent: dict[str, str] = field(default_factory=dict)

    def read(self, chat: Chat, written: str) -> Chat | None:
        """Go on with a message that is nothing but a contact or the code; None for another."""
        pending = chat.verification
        code = fold(written).strip()
        if pending is not None and pending.state in ("sent", "wrong") and _CODE.fullmatch(code):
            return self.check(chat, code)
        try:
            contact = normalise_contact(written)
        except ContactError:
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
        code = self._code(contact, chat.locale)
        pending = PendingVerification(
            contact=self._shown(contact),
            kind=cast('Literal["phone", "email"]', contact.kind),
            hash=contact_digest(contact, self.playbook.desk, self.root_key),
            code=self._digest(chat, code),
            expires_at=self.now + VALID_FOR,
            sealed=self.seal(chat, contact),
        )
        text = say("verify.sent", chat.locale, contact=pending.contact)
        return chat.changed(verification=pending).said("system", text, self.now)

    def check(self, chat: Chat, code: str) -> Chat:
        """Compare a code; the chat's verification says what came of it.

        Raises:
            InvalidInput: no code is waiting.
        """
        pending = chat.verification
        if pending is None or pending.state not in ("sent", "wrong"):
            wrong = FieldError("code", "no code is waiting; ask for a new one")
            raise InvalidInput("Some fields are invalid; see errors.", (wrong,))
        if self.now > pending.expires_at:
            return self._ended(chat, pending, "expired")
        if not compare_digest(self._digest(chat, code), pending.code):
            count = pending.wrong + 1
            state: VerificationState = "refused" if count >= ATTEMPTS else "wrong"
            return self._ended(chat, pending, state, wrong=count)
        return self._verified(chat, pending)

    def _verified(self, chat: Chat, pending: PendingVerification) -> Chat:
        """Join the contact to what was proven before, and tell the customer's open requests."""
        proven = Identity(kind=pending.kind, hash=pending.hash, shown=pending.contact)
        others = [each for each in chat.verified if each.hash != proven.hash]
        writer = [self.writer] if self.writer else []
        join_customer(
            self.storage, self.playbook.desk, (proven, *others, *writer), "code", self.now
        )
        chat = chat.changed(verified=(*others, proven), sealed=pending.sealed or chat.sealed)
        tickets = self._open_tickets(proven)
        chat = self._ended(chat, pending, "verified")
        if not tickets:
            return chat
        numbers = "\n".join(
            f"{each.number}: {self.playbook.statuses[each.status].label[chat.locale]}"
            for each in tickets
        )
        text = say("verify.requests", chat.locale, numbers=numbers)
        return chat.said("system", text, self.now)

    def _open_tickets(self, identity: Identity) -> list[Ticket]:
        desk = self.playbook.desk
        numbers = self.storage.contacts.tickets(desk, identity.hash, SHOWN * 2)
        found = self.storage.tickets.load_many(desk, numbers)
        return [each for each in found if each.status in OPEN][:SHOWN]

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
        text = say(f"verify.{state}", chat.locale, contact=pending.contact, left=left)
        return chat.changed(verification=pending).said("system", text, self.now)

    def _code(self, contact: Contact, locale: Locale) -> str:
        """Return the code that was sent to a contact, and send it the first time."""
        if contact.address not in self._sent:
            self._require_admitted(contact)
            code = f"{randbelow(10**6):06}"
            self.send(contact, say("verify.message", locale, code=code), locale)
            self._sent[contact.address] = code
        return self._sent[contact.address]

    def _require_admitted(self, contact: Contact) -> None:
        playbook, local = self.playbook, self.now.astimezone(self.playbook.zone)
        if contact.kind == "phone" and sms_problem(contact, None, playbook):
            wrong = FieldError("contact", "no text message can be sent to this number")
            raise InvalidInput("Some fields are invalid; see errors.", (wrong,))
        digest = contact_digest(contact, playbook.desk, self.root_key)
        limits = [(f"codes#{digest}", CODES_PER_CONTACT, "hour")]
        if contact.kind == "phone":
            limits.append(("sms", playbook.sms.daily, "day"))
        for name, limit, per in limits:
            admits = self.storage.counters.admits
            if not admits(playbook.desk, name, limit, cast('Literal["hour", "day"]', per), local):
                raise TooManyAttempts("Too many codes were sent. Try again in an hour.")

    def _digest(self, chat: Chat, code: str) -> str:
        text = f"{chat.desk}#{chat.id}#{code}".encode()
        return hmac_digest(derive(self.root_key, "code"), text, "sha256").hex()

    def _shown(self, contact: Contact) -> str:
        return mask_contact(contact.address, self.playbook.fields.contact_style)
