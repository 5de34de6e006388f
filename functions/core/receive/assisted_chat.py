"""The assistant on a provider's channel: it answers before a ticket is opened (C1, C3–C6).

A person has one chat on a channel. A message after a day of silence, or after the ticket that the
chat became has ended, begins it anew. Options and ratings are choices that the person taps where
the channel has them, and numbers that the person writes elsewhere.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.core.assistant.handing_over import HandOver
from functions.core.assistant.turns import DeskChats, Taken, as_message
from functions.core.channels.base import Choice, IncomingMessage
from functions.core.domain.chat import MAX_TEXT, Chat
from functions.core.domain.customers import Identity
from functions.core.domain.errors import Conflict
from functions.core.storage.chats import chat_of
from functions.core.text.words import nearest_locale, written_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.core.domain.rules import Locale

PUSHING = timedelta(seconds=20)
"""The time in which an answer may still be on its way to the provider."""

_READABLE = frozenset({"text", "menu"})


@dataclass(frozen=True)
class ChannelAnswer:
    """The answer to a person's message, with the choices under it; `chat` is the chat after it."""

    chat: Chat
    text: str
    choices: tuple[Choice, ...]
    repeated: bool

    def may_be_on_its_way(self, now: datetime) -> bool:
        """Return whether another attempt may be sending it at this moment."""
        return self.repeated and now - self.chat.changed_at < PUSHING


@dataclass(frozen=True)
class AssistedChat:
    """One person's chat on a channel, whose messages show at most `max_choices`."""

    chats: DeskChats
    channel: str
    writer: Identity
    max_choices: int = 0

    def answer(
        self,
        message: IncomingMessage,
        key: str,
        customer: Callable[[Chat], HandOver],
        *,
        push: bool,
    ) -> ChannelAnswer:
        """Take a message, once for its key.

        Args:
            customer: says who the ticket is for, if the chat is handed over.
            push: the answer is sent by a call to the provider; `pushed` notes it.
        """
        taken = self.chats.take(
            lambda: self._load(message),
            lambda chat: self._turn(chat, message),
            customer,
            key,
            push=push,
        )
        text, choices = self._words(taken)
        return ChannelAnswer(taken.chat, text, choices, taken.repeated)

    def pushed(self, chat: Chat, key: str) -> None:
        """Note that the answer to a message was sent."""
        with suppress(Conflict):  # the next message has come; a repetition of this one will not
            self.chats.storage.chats.put(chat.changed(unsent=chat.unsent - {key}))

    def _load(self, message: IncomingMessage) -> Chat:
        """Return the person's chat, or a new one in its place."""
        now, desk = self.chats.codes.now, self.chats.playbook.desk
        chat = chat_of(self.writer.hash)
        found = self.chats.storage.chats.get(desk, chat)
        if found is not None and found.number is None and not found.is_silent(now):
            return found
        return Chat(
            desk=desk,
            id=chat,
            token="",
            locale=self._locale(message),
            channel=self.channel,
            started_at=now,
            changed_at=now,
            version=found.version if found else 0,
        )

    def _turn(self, chat: Chat, message: IncomingMessage) -> Chat:
        fresh = not chat.messages
        if fresh or message.kind == "subscribed":
            storage, desk = self.chats.storage, chat.desk
            known = storage.customers.of(desk, self.writer.hash) is not None
            chat = self.chats.dialogue.welcomed(chat, known=known)
        text = message.text.strip()
        if message.kind == "subscribed":
            return chat
        tapped = self.chats.tapping(message.choice) if message.choice else None
        if tapped is not None:
            return tapped(chat)
        if fresh and self.chats.greets(text):
            return chat  # welcomed just now
        readable = message.kind in _READABLE or (message.kind == "voice" and bool(text))
        if readable and text and len(text) <= MAX_TEXT:
            return self.chats.writing(text)(chat)
        shown = message.display_text(chat.locale)[:MAX_TEXT]
        return self.chats.asking_for_person("unreadable", shown)(chat)

    def _locale(self, message: IncomingMessage) -> Locale:
        own = self.chats.playbook.locale
        return written_in(message.text) or nearest_locale(message.language) or own

    def _words(self, taken: Taken) -> tuple[str, tuple[Choice, ...]]:
        """Return what was said; the ticket's own acknowledgement takes the hand-over's place."""
        said = tuple(each for each in taken.new if each.kind != "handover")
        handed_over = taken.chat.number is not None
        return as_message(said, taken.chat.locale, self.max_choices, handed_over=handed_over)
