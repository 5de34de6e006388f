"""A customer's turns in a chat, on any channel: each changes the chat once, whatever is repeated.

A turn loads the chat, lets the dialogue go on, hands over where a person is needed, and stores the
chat on condition that nobody else has written meanwhile. Otherwise it does so again; the engine is
asked once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from functions.core.assistant.dialogue import Articles, Dialogue, LookUp
from functions.core.assistant.engine import Engine
from functions.core.assistant.handing_over import HandOver, hand_over
from functions.core.assistant.reading import (
    bare,
    choice_in,
    lacks_it,
    number_in,
    score_in,
    takes_leave,
)
from functions.core.assistant.verification import Codes
from functions.core.channels.base import Choice
from functions.core.domain.chat import (
    MAX_MESSAGES,
    NONE,
    AskedVariable,
    Chat,
    ChatMessage,
    Reason,
)
from functions.core.domain.classification import classify
from functions.core.domain.commands.base import one_of
from functions.core.domain.endings import read_ending
from functions.core.domain.errors import (
    ActionNotAllowed,
    Conflict,
    InvalidInput,
    KeyReused,
    TryAgain,
)
from functions.core.domain.matching import fold, mentions
from functions.core.domain.playbook_assistant import Assistant
from functions.core.domain.questions import question_of
from functions.core.domain.rules import Locale, Playbook
from functions.core.platform.logging import logger
from functions.core.services.command_service import TRIES
from functions.core.services.create_ticket import TicketCreator
from functions.core.storage.database import Storage
from functions.core.text.masking import mask
from functions.core.text.words import say, written_in

log = logger("assistant")

_LEAST_MENTIONED = 6
"""Characters from which a number in a question is that of an order or the like."""

Turn = Callable[[Chat], Chat]
"""Returns the chat as it goes on; the same chat if nothing changes. May be called several times."""


@dataclass(frozen=True)
class Taken:
    """A turn that was taken: the chat as it is stored, and what is new in it."""

    chat: Chat
    new: tuple[ChatMessage, ...]
    repeated: bool = False


@dataclass(frozen=True)
class DeskChats:
    """The chats of one desk at one moment.

    `codes` verifies contacts; `summarise` has a language model summarise the ticket of a chat, if
    the desk has one, while its agent comes to it.
    """

    storage: Storage
    playbook: Playbook
    assistant: Assistant
    articles: Articles
    engine: Engine
    look_up: LookUp
    creator: Callable[[], TicketCreator]
    codes: Codes
    summarise: Callable[[str], None]

    @cached_property
    def dialogue(self) -> Dialogue:
        return Dialogue(self.assistant, self.articles, self.look_up, self.codes.now)

    def take(
        self,
        load: Callable[[], Chat],
        turn: Turn,
        customer: Callable[[Chat], HandOver],
        key: str = "",
        *,
        digest: str = "",
        push: bool = False,
    ) -> Taken:
        """Take a turn, once for a key.

        Args:
            load: returns the chat as it is stored, or a new one.
            customer: says who a chat's ticket is for, if it is handed over now.
            key: identifies the request; a repetition gets what was said to the first one.
            digest: that of the request, which a repetition has, too.
            push: the answer is sent by a call of its own; until then the chat has it as `unsent`.
        """
        for _ in range(TRIES):
            found = load()
            if key and key in found.keys:
                known, first, last = found.keys[key]
                require_same(known, digest)
                return Taken(found, found.messages[first:last], repeated=True)
            before = len(found.messages)
            changed = turn(found)
            if changed is found:
                return Taken(found, ())
            # A number was looked up as it was written; neither chat nor ticket keeps it so (G4).
            masked = {name: mask(value) for name, value in changed.values.items()}
            changed = changed.changed(values=masked)
            if len(changed.messages) >= MAX_MESSAGES and changed.reason is None:
                changed = self.dialogue.to_person(changed, "misses")
            if changed.reason is not None and changed.number is None:
                changed = hand_over(
                    changed,
                    customer(changed),
                    self.playbook,
                    self.articles,
                    self.creator(),
                    self.codes.now,
                )
            changed = changed.gone_on(self.dialogue.now)
            if key:
                keys = {**changed.keys, key: (digest, before, len(changed.messages))}
                unsent = changed.unsent | {key} if push else changed.unsent
                changed = changed.changed(keys=keys, unsent=unsent)
            question = question_of(found, changed, self.assistant.poor)
            if question is not None:  # first: if the chat is not stored, this turn is taken again
                self.storage.questions.write(self.playbook.desk, question, self.dialogue.now)
            try:
                stored = self.storage.chats.put(changed)
            except Conflict:
                continue
            if stored.number is not None and found.number is None:
                self.summarise(stored.number)
            return Taken(stored, stored.messages[before:])
        raise TryAgain(f"a chat of {self.playbook.desk} changed {TRIES} times meanwhile")

    def writing(self, written: str) -> Turn:
        """Answer a customer's words (C4, C5).

        They may choose from an offer or rate an answer by its number, give a value that was asked
        for, or verify a contact.
        """

        def turn(chat: Chat) -> Chat:
            chosen = self._option(chat, written)
            if chosen is not None:
                return self.dialogue.chosen(chat, chosen)
            score = score_in(written)
            if chat.answered is not None and score is not None:
                return self.dialogue.rated(chat, score)
            answered, question = chat.answered, chat.question
            chat = self._heard(chat, written)
            verified = self.codes.accept(chat, written)
            if verified is not None:
                return verified
            reason = self._person_needed(chat, written)
            if reason:
                return self.dialogue.to_person(chat, reason)
            given = self._given(chat, question, written) if question else None
            if given is not None:
                return given
            chat = chat.changed(question=None)
            answer = self.codes.read(chat, written) or self._courtesy(chat, written, answered)
            if answer is not None:
                return answer
            return self._understood(chat, written, in_vain=question is not None)

        return turn

    def _heard(self, chat: Chat, written: str) -> Chat:
        """Return the chat with the customer's words, masked, and the number in them."""
        text, number = mask(written), number_in(written) or ""
        sealed = self.codes.seal(written) if text != written else ""
        chat = chat.said("customer", text, self.dialogue.now, sealed=sealed)
        mentioned = number if len(number) >= _LEAST_MENTIONED and mask(number) == number else ""
        locale = written_in(text) or chat.locale
        return chat.changed(offered=(), answered=None, mentioned=mentioned, locale=locale)

    def _given(self, chat: Chat, question: AskedVariable, written: str) -> Chat | None:
        """Go on with the value that was asked for; None if the words are none.

        What a system is asked by is a number; of two numbers nobody knows which is meant.
        """
        variable, article = question.variable, question.article
        if article not in self.articles:
            return None
        value = number_in(written)
        if value is None and variable in self.assistant.keys:
            if sum(map(str.isdigit, written)) >= _LEAST_MENTIONED:
                return self.dialogue.asking(chat, question)
            return self.dialogue.to_person(chat, "look_up") if lacks_it(written) else None
        value = value or written
        chat = chat.changed(values={**chat.values, variable: value}, question=None, mentioned="")
        return self.dialogue.answering(chat, article, tries=2 if question.again else 1)

    def _courtesy(self, chat: Chat, written: str, answered: str | None) -> Chat | None:
        """Answer a greeting, a farewell, thanks, or "that did not help"; None for other words."""
        if self.greets(written):
            return self.dialogue.welcomed(chat)
        if takes_leave(written):
            return chat.said("assistant", say("chat.goodbye", chat.locale), self.dialogue.now)
        ending = read_ending(written, self.playbook).kind
        if ending == "unsolved" and answered is not None:
            return self.dialogue.to_person(chat, "rating")
        if ending not in ("thanks", "solved"):
            return None
        thanks = say("chat.thanks", chat.locale)
        chat = chat.changed(confirmed=bool(chat.articles))
        return chat.said("assistant", thanks, self.dialogue.now)

    def _understood(self, chat: Chat, written: str, *, in_vain: bool) -> Chat:
        """Ask the engine what the words are about.

        Args:
            in_vain: a value was asked for, and these words are none: if they are no question
                either, only a person can help.
        """
        try:
            reading = self.engine(written)
        except TryAgain as error:
            log.warning("chat.engine_failed", extra={"cause": str(error)})
            return self.dialogue.to_person(chat, "engine")
        if reading.kind == "miss" and in_vain:
            return self.dialogue.to_person(chat, "look_up")
        return self.dialogue.understood(chat, reading)

    def greets(self, written: str) -> bool:
        """Return whether a message is a greeting and nothing else."""
        return bare(written) in self.assistant.greetings

    def choosing(self, option: str) -> Turn:
        """Take an option of the last offer, or `none` of them.

        Raises (the turn):
            ActionNotAllowed: nothing is offered.
            InvalidInput: there is no such option.
        """

        def turn(chat: Chat) -> Chat:
            if not chat.offered:
                raise ActionNotAllowed("Nothing is offered in this chat now.")
            if option not in (*chat.offered, NONE):
                names = dict.fromkeys((*chat.offered, NONE))
                raise InvalidInput("There is no such option.", (one_of("option", names),))
            if option != NONE and option not in self.articles:
                return self.dialogue.missed(chat.changed(offered=()))
            return self.dialogue.chosen(chat, option)

        return turn

    def rating(self, score: int) -> Turn:
        """Take the rating of the last answer (C5).

        Raises (the turn):
            ActionNotAllowed: there is no answer to rate.
        """

        def turn(chat: Chat) -> Chat:
            if chat.answered is None:
                raise ActionNotAllowed("There is no answer to rate in this chat now.")
            return self.dialogue.rated(chat, score)

        return turn

    def tapping(self, choice: str) -> Turn | None:
        """Take a choice that the customer tapped, however late; None for another's choice."""
        if choice == PERSON:
            return self.asking_for_person()
        score = choice.removeprefix(_RATING)
        if choice.startswith(_RATING) and score in tuple("12345"):
            return lambda chat: self._rated_late(chat, int(score))
        if choice == NONE or choice in self.articles:
            return lambda chat: self.dialogue.chosen(chat.changed(answered=None), choice)
        return None

    def _rated_late(self, chat: Chat, score: int) -> Chat:
        """Take a rating; one of an earlier answer counts only if it is poor, and a second not."""
        if chat.answered is not None or score <= self.assistant.poor:
            return self.dialogue.rated(chat, score)
        chat = chat.said("customer", str(score), self.dialogue.now, kind="rating")
        return chat.said("assistant", say("chat.rated", chat.locale), self.dialogue.now)

    def asking_for_person(self, reason: Reason = "asked", words: str = "") -> Turn:
        """Hand over (C5); a chat that was handed over stays so."""

        def turn(chat: Chat) -> Chat:
            if chat.number is not None:
                return chat
            if words:
                chat = chat.said("customer", mask(words), self.dialogue.now)
            return self.dialogue.to_person(chat, reason)

        return turn

    def _option(self, chat: Chat, written: str) -> str | None:
        """Return the option of the last offer that the customer wrote: its number or its title."""
        options = (NONE, *chat.offered) if chat.offered else ()
        choice = choice_in(written)
        if choice is not None and choice < len(options):
            found = options[choice]
            return found if found == NONE or found in self.articles else None
        labels = {
            self.dialogue.label(option, chat.locale): option
            for option in options
            if option == NONE or option in self.articles
        }
        return labels.get(written.strip())

    def _person_needed(self, chat: Chat, text: str) -> Reason | None:
        """Return why a message needs a person whatever the articles say (C5).

        The customer asks for one, a rule of the desk makes it urgent, or the desk answers such a
        request with comfort first.
        """
        alone = bare(text) in self.assistant.person_alone
        if alone or mentions(fold(text), self.assistant.person):
            return "asked"
        found = classify(text, self.playbook, channel=chat.channel)
        urgent = (
            self.playbook.ranks[found.priority]
            < self.playbook.ranks[self.playbook.default_priority]
        )
        return "rule" if urgent or found.mood else None


def require_same(known: str, digest: str) -> None:
    """Refuse an idempotency key that comes back with another request.

    Raises:
        KeyReused: the digests differ.
    """
    if known != digest:
        raise KeyReused(
            "This Idempotency-Key was used before with another body. "
            "Use a new key for a new request."
        )


PERSON = "ask:person"
"""The id of the choice to be put through to a person; no article's id has a colon."""

_RATING = "rate:"
"""The beginning of the ids of the ratings 1 to 5."""


def as_message(
    messages: tuple[ChatMessage, ...], locale: Locale, most: int, *, handed_over: bool = False
) -> tuple[str, tuple[Choice, ...]]:
    """Return what the desk said as one text, with at most `most` choices under it.

    The options or the ratings of the last message become choices, and a person can always be asked
    for. Options for which there is no room, or in an earlier message, are numbered lines.
    """
    said = [message for message in messages if message.writer != "customer"]
    choices = _choices(said[-1]) if said else ()
    choices = choices if len(choices) <= most else ()
    parts = [
        message.text if choices and message is said[-1] else _with_lines(message, locale)
        for message in said
    ]
    if said and not handed_over and len(choices) < most:
        choices = (*choices, Choice(PERSON, say("chat.person", locale)))
    return "\n\n".join(parts), choices


def _choices(message: ChatMessage) -> tuple[Choice, ...]:
    if message.kind == "rating":
        return tuple(Choice(f"{_RATING}{score}", str(score)) for score in range(1, 6))
    return tuple(Choice(option.id, option.label) for option in message.options)


def _with_lines(message: ChatMessage, locale: Locale) -> str:
    options = [
        f"{0 if option.id == NONE else number}. {option.label}"
        for number, option in enumerate(message.options, 1)
    ]
    hint = [say("chat.offer.hint", locale)] if options else []
    return "\n".join((message.text, *options, *hint))
