"""The assistant's next words: pure, from the chat, the playbook and the engine's reading.

Each function returns the chat as it goes on. A chat whose `reason` is set has to be handed over;
`handing_over` does so before the chat is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from functions.core.domain.chat import NONE, AskedVariable, Chat, Option, Reason
from functions.core.domain.knowledge import Article, in_locale
from functions.core.domain.playbook_assistant import Assistant
from functions.core.domain.rules import Locale
from functions.core.text.masking import mask
from functions.core.text.templating import fill
from functions.core.text.words import say

Articles = Mapping[str, Article]
"""Article id → the article, those that customers may read now."""

LookUp = Callable[[Collection[str], Mapping[str, str], Locale], Mapping[str, str]]
"""Looks variables up with the values that are known; returns those that were found."""


def welcome(assistant: Assistant, locale: Locale, *, known: bool) -> str:
    """Return the first message of a chat; it invites a customer who is not known to verify."""
    text = assistant.welcome[locale]
    return text if known else f"{text}\n{say('verify.invitation', locale)}"


@dataclass(frozen=True)
class Reading:
    """The engine's reading of a question: the article to give at once, up to three to offer, or
    none. `articles` is in order of likelihood; `p` is the likelihood that the right one is there.
    """

    kind: Literal["answer", "offer", "miss"]
    articles: tuple[str, ...] = ()
    p: float = 0.0


@dataclass(frozen=True)
class Dialogue:
    """The rules of one desk's conversation at one moment."""

    assistant: Assistant
    articles: Articles
    look_up: LookUp
    now: datetime

    def welcomed(self, chat: Chat, *, known: bool = True) -> Chat:
        """Greet and ask what is needed (C3); invite a customer who is not known to verify (C2)."""
        text = welcome(self.assistant, chat.locale, known=known)
        return chat.said("assistant", text, self.now)

    def understood(self, chat: Chat, reading: Reading) -> Chat:
        """Answer a question, offer articles, or say that none was found (C4)."""
        known = tuple(each for each in reading.articles if each in self.articles)
        if reading.kind == "miss" or not known:
            if chat.mentioned and chat.articles and self._key(chat.articles[-1]):
                return self.answering(chat, chat.articles[-1])  # "and order 20261130005?"
            return self.missed(chat)
        if reading.kind == "answer":
            return self.answering(chat, known[0])
        options = [Option(id=each, label=self.label(each, chat.locale)) for each in (*known, NONE)]
        chat = chat.changed(offered=known)
        text = say("chat.offer", chat.locale)
        return chat.said("assistant", text, self.now, kind="offer", options=tuple(options))

    def chosen(self, chat: Chat, option: str) -> Chat:
        """Go on with an option of the last offer; `NONE` counts as a miss."""
        label = self.label(option, chat.locale)
        chat = chat.said("customer", label, self.now, kind="offer").changed(offered=())
        return self.missed(chat) if option == NONE else self.answering(chat, option)

    def missed(self, chat: Chat) -> Chat:
        """Count a question without an answer; too many in a row need a person (C5)."""
        chat = chat.changed(misses=chat.misses + 1)
        if chat.misses >= self.assistant.misses:
            return self.to_person(chat, "misses")
        return chat.said("assistant", say("chat.miss", chat.locale), self.now)

    def answering(self, chat: Chat, article: str, *, tries: int = 0) -> Chat:
        """Give an article's answer, or first ask for a value that it needs (C4).

        Values that other systems know are looked up for each answer, since they change. If one
        cannot be had with what the customer has just given, that may be mistyped and is asked once
        more. Otherwise the chat is handed over: nothing is invented.

        Args:
            tries: how often the customer was asked for the value that came in this message.
        """
        found = self.articles[article]
        seen = (*(each for each in chat.articles if each != article), article)
        chat = chat.changed(articles=seen)
        looked_up = [name for name, origin in found.needs.items() if origin == "looked_up"]
        kept = {name: value for name, value in chat.values.items() if name not in looked_up}
        key = self._key(article)
        if key and chat.mentioned:
            kept, tries = {**kept, key: chat.mentioned}, 1
        chat = chat.changed(values=kept, mentioned="")
        asked = self._asked(found)
        for variable in asked:
            if "*" in (chat.values.get(variable) or "*"):  # masked: it cannot be used again
                return self.asking(chat, AskedVariable(article=article, variable=variable))
        if looked_up:
            values = self.look_up(looked_up, chat.values, chat.locale)
            chat = chat.changed(values={**chat.values, **values})
        if not all(chat.values.get(variable) for variable in found.needs):
            if tries == 1 and looked_up:
                return self._recheck(chat, article, asked[0])
            return self.to_person(chat, "look_up")
        masked = {name: mask(value) for name, value in chat.values.items()}
        text = fill(in_locale(found.solution, chat.locale), masked)
        if found.then == "hand_over":
            chat = chat.said("assistant", text, self.now, kind="answer", article=article)
            return self.to_person(chat, "article")
        chat = chat.changed(misses=0, answered=article, confirmed=False)
        chat = chat.said("assistant", text, self.now, kind="answer", article=article)
        return chat.said("assistant", say("chat.rate", chat.locale), self.now, kind="rating")

    def asking(self, chat: Chat, question: AskedVariable) -> Chat:
        """Ask for a variable's value."""
        text = say("chat.ask", chat.locale, name=self.name_of(question.variable, chat.locale))
        return chat.changed(question=question).said("assistant", text, self.now)

    def _key(self, article: str) -> str | None:
        """Return the one variable by which an article's values are looked up."""
        found = self.articles.get(article)
        keys = [name for name in self._asked(found) if name in self.assistant.keys] if found else []
        return keys[0] if len(keys) == 1 else None

    def _recheck(self, chat: Chat, article: str, variable: str) -> Chat:
        """Ask once more for a value with which nothing was found."""
        given = {name: value for name, value in chat.values.items() if name != variable}
        question = AskedVariable(article=article, variable=variable, again=True)
        name, value = self.name_of(variable, chat.locale), mask(chat.values[variable])
        text = say("chat.ask_again", chat.locale, name=name, value=value)
        return chat.changed(values=given, question=question).said("assistant", text, self.now)

    def _asked(self, article: Article) -> list[str]:
        """Return what the customer is asked: for the answer, and to look up the rest of it."""
        asked: list[str] = []
        for name, origin in article.needs.items():
            source = self.assistant.source_of(name) if origin == "looked_up" else None
            if source is not None:
                asked += self.assistant.sources[source].keys
            elif origin == "asked":
                asked.append(name)
        return list(dict.fromkeys(asked))

    def label(self, option: str, locale: Locale) -> str:
        """Return what an option says: an article's title, or that none fits."""
        if option == NONE:
            return say("chat.none", locale)
        return in_locale(self.articles[option].title, locale)

    def name_of(self, variable: str, locale: Locale) -> str:
        """Return a variable's name for people."""
        known = self.assistant.variables.get(variable)
        return known[locale] if known else variable.replace("_", " ")

    def rated(self, chat: Chat, score: int) -> Chat:
        """Take the rating of the last answer; a poor one needs a person (C5)."""
        chat = chat.said("customer", str(score), self.now, kind="rating")
        chat = chat.changed(scores=(*chat.scores, score), answered=None)
        if score <= self.assistant.poor:
            return self.to_person(chat, "rating")
        chat = chat.changed(confirmed=True)
        return chat.said("assistant", say("chat.rated", chat.locale), self.now)

    def to_person(self, chat: Chat, reason: Reason) -> Chat:
        """Mark a chat to be handed over."""
        return chat.changed(reason=reason, offered=(), question=None, answered=None)
