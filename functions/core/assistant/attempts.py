"""A question on trial: how a desk's assistant would answer it now, for those who write articles.

It takes the turn that a customer's first message takes, but nothing is stored, no code is sent and
no other system is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Literal, NoReturn

from functions.core.assistant.dialogue import Articles, Reading
from functions.core.assistant.engine import Engine
from functions.core.assistant.turns import DeskChats
from functions.core.assistant.verification import Codes
from functions.core.domain.chat import Chat
from functions.core.domain.playbook_assistant import Assistant
from functions.core.domain.rules import Locale, Playbook
from functions.core.text.masking import mask
from functions.core.text.words import say, written_in

if TYPE_CHECKING:
    from functions.core.storage.database import Storage
    from functions.core.text.contacts import Contact

TurnEnding = Literal["answer", "ask", "offer", "person", "other"]
"""The end of the turn: an answer, a question for a value that it needs, an offer, a hand-over, or
other words, such as a greeting or that nothing was understood."""


@dataclass(frozen=True)
class Attempt:
    """The assistant's turn; `reading` is the engine's, None if it did not read the question."""

    chat: Chat
    reading: Reading | None

    @property
    def ending(self) -> TurnEnding:
        chat = self.chat
        if chat.reason is not None:
            return "person"
        if chat.question is not None:
            return "ask"
        if chat.answered is not None:
            return "answer"
        return "offer" if chat.offered else "other"


@dataclass(frozen=True)
class _UnsentCodes(Codes):
    def start(self, chat: Chat, contact: Contact) -> Chat:
        text = say("verify.sent", chat.locale, contact=mask(contact.address))
        return chat.said("system", text, self.now)


def attempt(
    question: str,
    storage: Storage,
    playbook: Playbook,
    assistant: Assistant,
    articles: Articles,
    engine: Engine,
    now: datetime,
    locale: Locale,
) -> Attempt:
    """Answer a question as the first one of a chat.

    Args:
        articles: those that customers may read now.
        locale: the language of the chat, unless the question is in the other one.
    """
    readings: list[Reading] = []

    def read(text: str) -> Reading:
        readings.append(engine(text))
        return readings[-1]

    chats = DeskChats(
        storage=storage,
        playbook=playbook,
        assistant=assistant,
        articles=articles,
        engine=read,
        look_up=partial(_named, assistant),
        creator=_never,
        codes=_UnsentCodes(storage, playbook, b"", _never, now),
        summarise=_never,
    )
    locale = written_in(question) or locale
    chat = Chat(desk=playbook.desk, id="", token="", locale=locale, started_at=now, changed_at=now)
    return Attempt(chats.writing(question)(chat), readings[0] if readings else None)


def _named(
    assistant: Assistant, variables: Collection[str], known: Mapping[str, str], locale: Locale
) -> Mapping[str, str]:
    """Return the name of each variable in the place of its value."""
    return {name: sample(assistant, name, locale) for name in variables}


def sample(assistant: Assistant | None, variable: str, locale: Locale) -> str:
    """Return what stands for a value that only a customer's case has: its name, in brackets."""
    names = assistant.variables.get(variable) if assistant else None
    name = names[locale] if names else variable.replace("_", " ")
    return f"〔{name}〕" if locale == "zh-CN" else f"[{name}]"


def _never(*_: object, **__: object) -> NoReturn:
    raise AssertionError("an attempt leaves nothing behind")
