"""A chat: what a customer and the assistant wrote until a person takes over (C3–C6).

A chat is no ticket. It becomes one when it is handed over, and the ticket then carries the whole
conversation. Texts are masked; the contact is readable with the chat's token only, which the
customer's device holds.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, Self

from functions.core.domain.customers import Identity
from functions.core.domain.playbook_types import Locale
from functions.core.domain.privacy import FreeText, PersonalText, TermName
from functions.core.domain.ticket import Value

Writer = Literal["customer", "assistant", "agent", "system"]
MessageKind = Literal["text", "answer", "offer", "rating", "handover"]
Reason = Literal[
    "asked", "misses", "rating", "rule", "article", "look_up", "engine", "unreadable"
]  # fmt: skip
"""The reason of a hand-over: the customer asked for a person or a rule did, too many misses, a
poor rating, an article that only a person can act on, a value that could not be looked up, an
engine that did not answer, or a message that no engine reads: a picture, or a very long one."""

VerificationState = Literal["sent", "verified", "wrong", "expired", "refused"]
"""The state of a verification; one with too many wrong codes is refused."""

Outcome = Literal["confirmed", "silent", "handed_over"]
"""The end of a chat: the customer said that the answer helped, said nothing more, or needed a
person."""

CLOSES_AFTER = timedelta(days=1)
"""The silence after which a chat is closed."""

CHAT = "chat"
"""The channel of a chat's ticket, and the first part of its contact if the customer gave none."""

NONE = "none"
"""The option of an offer by which the customer says that none of its articles fits."""

MAX_MESSAGES = 200
"""Messages of a chat; then it is handed over."""

MAX_TEXT = 1000
"""Characters of a customer's message."""


class Option(Value):
    """One choice of an offer: an article with its title, or `NONE`."""

    id: TermName
    label: FreeText


class ChatMessage(Value):
    """One message of a chat. `article` is the article that an answer comes from; `sealed` what was
    masked in the customer's words, encrypted with the chat's token."""

    id: TermName
    writer: Writer
    kind: MessageKind = "text"
    text: FreeText
    at: datetime
    article: TermName | None = None
    options: tuple[Option, ...] = ()
    sealed: PersonalText = ""

    @property
    def shown(self) -> str:
        """The message as agents read it: with what an offer offered."""
        return "\n".join((self.text, *(f"· {option.label}" for option in self.options)))


class AskedVariable(Value):
    """A variable of an article whose value the assistant asked for, maybe `again`."""

    article: TermName
    variable: TermName
    again: bool = False


class PendingVerification(Value):
    """A contact that the customer verifies by a code (C2).

    `sealed` takes the place of the chat's once the code was right. `code` is the keyed hash of the
    code, `wrong` the number of wrong ones.
    """

    identity: Identity
    code: PersonalText
    expires_at: datetime
    sealed: PersonalText = ""
    wrong: int = 0
    state: VerificationState = "sent"


class Chat(Value):
    """A chat, as it is stored.

    `version` is 0 before it is stored. `token` is the digest of the token that opens it, empty on a
    provider's channel; `public_key` follows from it and seals agents' replies; `sealed` are the
    customer's contact and name, encrypted with the token, and `verified` the contacts that the
    customer proved. `privacy_version` is that of the notice that the customer saw. `articles` are
    the intents seen in order, `values` the variables that were asked or looked up, `mentioned` a
    number in the last question, and `confirmed` says that the last answer helped. The sweep looks
    at `looks_at` whether the chat is over; `outcome` is how it ended. `keys` are the idempotency
    keys of the customer's calls, each with its digest and the numbers of messages before and after
    it; `unsent` those whose answer is not known to have reached the provider.
    """

    desk: TermName
    id: TermName
    token: PersonalText
    locale: Locale
    channel: TermName = "chat"
    started_at: datetime
    changed_at: datetime
    version: int = 0
    sealed: PersonalText = ""
    public_key: PersonalText = ""
    verification: PendingVerification | None = None
    verified: tuple[Identity, ...] = ()
    codes: int = 0
    customer_id: FreeText | None = None
    privacy_version: TermName | None = None
    messages: tuple[ChatMessage, ...] = ()
    misses: int = 0
    offered: tuple[TermName, ...] = ()
    answered: TermName | None = None
    question: AskedVariable | None = None
    articles: tuple[TermName, ...] = ()
    values: dict[TermName, FreeText] = {}
    mentioned: FreeText = ""
    scores: tuple[int, ...] = ()
    reason: Reason | None = None
    number: TermName | None = None
    confirmed: bool = False
    outcome: Outcome | None = None
    looks_at: datetime | None = None
    keys: dict[TermName, tuple[TermName, int, int]] = {}
    unsent: frozenset[TermName] = frozenset()

    def after(self, message: str) -> tuple[ChatMessage, ...]:
        """Return the messages after one of them; all of them if there is no such message."""
        ids = [each.id for each in self.messages]
        start = ids.index(message) + 1 if message in ids else 0
        return self.messages[start:]

    def said(self, writer: Writer, text: str, at: datetime, **more: object) -> Self:
        """Return the chat with one more message."""
        message = ChatMessage(
            id=str(len(self.messages) + 1), writer=writer, text=text, at=at, **more
        )
        return self.changed(messages=(*self.messages, message), changed_at=at)

    def changed(self, **fields: object) -> Self:
        return self.model_copy(update=fields)

    def is_silent(self, now: datetime) -> bool:
        """Return whether nothing was said for so long that the chat is closed."""
        return now - self.changed_at >= CLOSES_AFTER

    def gone_on(self, now: datetime) -> Self:
        """Return the chat after a turn: handed over, or open until silence closes it."""
        if self.number is not None:
            return self.changed(outcome="handed_over", looks_at=None)
        if self.outcome is None and self.looks_at is not None:
            return self  # the sweep looks once a day, not after each message
        return self.changed(outcome=None, looks_at=now + CLOSES_AFTER)

    def first_words(self, unmasked: Mapping[str, str]) -> str:
        """Return the customer's questions, which describe the ticket that the chat becomes.

        Args:
            unmasked: message id → what was written, of those that are masked.
        """
        return "\n".join(
            unmasked.get(message.id, message.text)
            for message in self.messages
            if message.writer == "customer" and message.kind == "text"
        )
