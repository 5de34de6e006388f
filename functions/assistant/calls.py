"""The HTTP calls of a chat (contract, section 6): each changes the chat once, whatever is repeated.

A call loads the chat, lets the dialogue go on, hands over where a person is needed, and stores the
chat on condition that nobody else has written meanwhile. Otherwise it does so again; the engine is
asked once.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from functions.core.assistant.dialogue import Articles, Dialogue, LookUp
from functions.core.assistant.engine import Engine
from functions.core.assistant.handing_over import hand_over, sealed
from functions.core.domain.chat import (
    CHAT,
    MAX_MESSAGES,
    MAX_TEXT,
    NONE,
    Chat,
    ChatMessage,
    Reason,
)
from functions.core.domain.classification import classify
from functions.core.domain.commands import CustomerMessage
from functions.core.domain.commands.base import one_of
from functions.core.domain.endings import read_ending
from functions.core.domain.errors import (
    ActionNotAllowed,
    Conflict,
    FieldError,
    InvalidInput,
    TooManyAttempts,
    TryAgain,
    Unauthorised,
)
from functions.core.domain.matching import fold, mentions
from functions.core.domain.playbook_assistant import Assistant
from functions.core.domain.rules import Locale, Playbook
from functions.core.platform.logging import logger
from functions.core.platform.web import VERSION, HttpResponse, Request, locale_of
from functions.core.services.command_service import TRIES, change
from functions.core.services.create_ticket import TicketCreator
from functions.core.services.links import ticket_link
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import Duplicate, IdempotencyRecord
from functions.core.text.contacts import normalise_contact
from functions.core.text.masking import mask
from functions.core.text.shapes import local_time
from functions.core.text.tokens import source_hash
from functions.core.text.words import nearest_locale, say, written_in

if TYPE_CHECKING:
    from functions.assistant.shapes import ChatBegun, ChatMessageView, ChatTicket

log = logger("assistant")


class _ChatBody(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)


class NewChat(_ChatBody):
    """The body that begins a chat."""

    contact: Annotated[str, Field(max_length=320)] | None = None
    name: Annotated[str, Field(max_length=200)] | None = None
    customer_id: Annotated[str, Field(max_length=100)] | None = None
    locale: Annotated[str, Field(max_length=35)] | None = None
    channel: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,29}$")] | None = None


class Nothing(_ChatBody):
    """The body of a call that needs no fields."""


class NewWords(_ChatBody):
    """The body of a customer's message in a chat."""

    text: str = Field(min_length=1, max_length=MAX_TEXT)


class NewChoice(_ChatBody):
    """The body of a choice: an option of the last offer."""

    option: str = Field(min_length=1, max_length=100)


class NewRating(_ChatBody):
    """The body of a rating of the last answer."""

    score: int = Field(ge=1, le=5)


@dataclass(frozen=True)
class ChatDesk:
    """One desk's chats during one request, with what the calls need.

    `warm` starts the engine, `look_up` asks the company's own systems. `root_key` is the
    deployment's root key and `public_url` the address of the API.
    """

    storage: Storage
    playbook: Playbook
    assistant: Assistant
    articles: Articles
    engine: Engine
    look_up: LookUp
    warm: Callable[[], None]
    creator: Callable[[], TicketCreator]
    root_key: bytes
    public_url: Callable[[], str]
    request: Request

    @cached_property
    def dialogue(self) -> Dialogue:
        return Dialogue(self.assistant, self.articles, self.look_up, self.request.now)

    def begin(self) -> HttpResponse:
        """Begin a chat: 201 with its id, its token and the welcome (C3).

        Raises:
            InvalidInput: the contact is none.
            TooManyAttempts: the source or the desk began too many chats this hour.
        """
        body = self.request.read(NewChat)
        if body.contact:
            try:
                normalise_contact(body.contact)
            except ValueError as error:
                wrong = FieldError("contact", error.args[0])
                raise InvalidInput("Some fields are invalid; see errors.", (wrong,)) from error
        self._require_admitted()
        from cryptography.fernet import Fernet

        token = Fernet.generate_key().decode()
        chat = Chat(
            desk=self.playbook.desk,
            id=secrets.token_hex(12),
            token=_digest(token),
            locale=nearest_locale(body.locale) or self._locale,
            channel=mask(body.channel or CHAT),
            started_at=self.request.now,
            changed_at=self.request.now,
            sealed=sealed(body.contact or "", body.name or "", token),
            customer_id=body.customer_id or None,
        )
        chat = self.storage.chats.put(self.dialogue.welcomed(chat), replacing=None)
        self.warm()
        answer: ChatBegun = {
            "chat": chat.id,
            "token": token,
            "messages": self._view(chat, chat.messages),
        }
        return HttpResponse(answer, status=201)

    def write(self, chat: str) -> HttpResponse:
        """Answer a customer's message; after the hand-over it goes to the ticket (C4–C6)."""
        words = self.request.read(NewWords)
        text = mask(words.text)
        reading = None

        def on(found: Chat) -> Chat:
            nonlocal reading
            if found.number is not None:
                self._write_to_ticket(found, found.number, text)
                return found
            found = found.said("customer", text, self.request.now)
            found = found.changed(
                offered=(), answered=None, locale=written_in(text) or found.locale
            )
            reason = self._person_needed(found, words.text)
            if reason:
                return self.dialogue.to_person(found, reason)
            if found.question is not None:
                values = {**found.values, found.question.variable: _value(text)}
                article = found.question.article
                found = found.changed(values=values, question=None)
                if article in self.articles:
                    return self.dialogue.answering(found, article)
            if read_ending(words.text, self.playbook).kind in ("thanks", "solved"):
                return found.said("assistant", say("chat.thanks", found.locale), self.request.now)
            if reading is None:
                try:
                    reading = self.engine(words.text)
                except TryAgain as error:
                    log.warning("chat.engine_failed", extra={"cause": str(error)})
                    return self.dialogue.to_person(found, "engine")
            return self.dialogue.understood(found, reading)

        return self._answered(chat, on)

    def choose(self, chat: str) -> HttpResponse:
        """Take an option of the last offer, or `none` of them.

        Raises:
            ActionNotAllowed: nothing is offered.
            InvalidInput: there is no such option.
        """
        option = self.request.read(NewChoice).option

        def on(found: Chat) -> Chat:
            if not found.offered:
                raise ActionNotAllowed("Nothing is offered in this chat now.")
            if option not in (*found.offered, NONE):
                names = dict.fromkeys((*found.offered, NONE))
                raise InvalidInput("There is no such option.", (one_of("option", names),))
            if option != NONE and option not in self.articles:
                return self.dialogue.missed(found.changed(offered=()))
            return self.dialogue.chosen(found, option)

        return self._answered(chat, on)

    def rate(self, chat: str) -> HttpResponse:
        """Take the rating of the last answer (C5).

        Raises:
            ActionNotAllowed: there is no answer to rate.
        """
        score = self.request.read(NewRating).score

        def on(found: Chat) -> Chat:
            if found.answered is None:
                raise ActionNotAllowed("There is no answer to rate in this chat now.")
            return self.dialogue.rated(found, score)

        return self._answered(chat, on)

    def ask_for_person(self, chat: str) -> HttpResponse:
        """Hand over at the customer's wish (C5); a chat that was handed over stays so."""
        self.request.read(Nothing)
        return self._answered(
            chat,
            lambda found: found if found.number else self.dialogue.to_person(found, "asked"),
        )

    def read(self, chat: str) -> HttpResponse:
        """Return the messages after `after`, those of the ticket too once there is one."""
        found, _ = self._load(chat)
        after = self.request.query.get("after", "")
        of_ticket = re.fullmatch(rf"t({VERSION})", after)
        messages = [] if of_ticket else self._view(found, found.after(after))
        if found.number is not None:
            version = int(of_ticket[1]) if of_ticket else 1
            messages += self._from_ticket(found.desk, found.number, version + 1)
        return HttpResponse({"messages": messages})

    def _answered(self, chat: str, on: Callable[[Chat], Chat]) -> HttpResponse:
        """Let a chat go on, once for an idempotency key, and return what is new."""
        key = self.request.key("Idempotency-Key")
        for _ in range(TRIES):
            found, token = self._load(chat)
            if key and key in found.keys:
                return self._response(found, found.keys[key])
            last = found.messages[-1].id
            changed = on(found)
            if changed is found:
                return self._response(found, last)
            if len(changed.messages) >= MAX_MESSAGES and changed.reason is None:
                changed = self.dialogue.to_person(changed, "misses")
            if changed.reason is not None and changed.number is None:
                now = self.request.now
                changed = hand_over(
                    changed, token, self.playbook, self.articles, self.creator(), now
                )
            if key:
                changed = changed.changed(keys={**changed.keys, key: last})
            try:
                stored = self.storage.chats.put(changed, replacing=found.version)
            except Conflict:
                continue
            return self._response(stored, last)
        raise TryAgain(f"the chat {chat} changed {TRIES} times meanwhile")

    def _response(self, chat: Chat, after: str) -> HttpResponse:
        return HttpResponse({"messages": self._view(chat, chat.after(after))})

    def _view(self, chat: Chat, messages: Sequence[ChatMessage]) -> list[ChatMessageView]:
        """Return messages as the contract shows them; that of the hand-over with the ticket."""
        shown: list[ChatMessageView] = []
        for message in messages:
            view: ChatMessageView = {
                "id": message.id,
                "from": message.writer,
                "kind": message.kind,
                "text": message.text,
                "at": local_time(message.at, self.playbook.zone),
            }
            if message.article:
                view["article"] = message.article
            if message.options:
                view["options"] = [{"id": each.id, "label": each.label} for each in message.options]
            if message.kind == "handover" and chat.number is not None:
                view["ticket"] = self._ticket(chat.desk, chat.number)
            shown.append(view)
        return shown

    def _ticket(self, desk: str, number: str) -> ChatTicket:
        ticket = self.storage.tickets.load(desk, number)
        link = ticket_link(self.playbook, self.public_url(), self.root_key, "customer", ticket)
        return {"number": number, "status_url": link}

    def _from_ticket(self, desk: str, number: str, first: int) -> list[ChatMessageView]:
        """Return what agents and the customer wrote on the ticket, from a version on."""
        return [
            {
                "id": f"t{commit.version}",
                "from": "agent" if event.direction == "out" else "customer",
                "kind": "text",
                "text": event.words,
                "at": local_time(commit.at, self.playbook.zone),
            }
            for commit in self.storage.tickets.history_from(desk, number, first, MAX_MESSAGES)
            for event in commit.events
            if event.customer_visibility == "message" and event.words
        ]

    def _write_to_ticket(self, chat: Chat, number: str, text: str) -> None:
        """Add a message to the chat's ticket, once."""
        key = self.request.key("Idempotency-Key")
        idempotency = (
            IdempotencyRecord(chat.desk, CHAT, f"{chat.id}:{key}", number=number) if key else None
        )
        command = CustomerMessage(text=text, channel=chat.channel)
        try:
            change(
                self.storage,
                chat.desk,
                number,
                command,
                self.playbook,
                self.request.now,
                actor="customer",
                idempotency=idempotency,
            )
        except Duplicate:
            return

    def _person_needed(self, chat: Chat, text: str) -> Reason | None:
        """Return why a message needs a person whatever the articles say (C5).

        The customer asks for one, a rule of the desk makes it urgent, or the desk answers such a
        request with comfort first.
        """
        if mentions(fold(text), self.assistant.person):
            return "asked"
        found = classify(text, self.playbook, channel=chat.channel)
        urgent = (
            self.playbook.ranks[found.priority]
            < self.playbook.ranks[self.playbook.default_priority]
        )
        return "rule" if urgent or found.mood else None

    def _load(self, chat: str) -> tuple[Chat, str]:
        """Return the chat that the caller's token opens.

        Raises:
            Unauthorised: no token, or not that of this chat; the same for a chat that is missing.
        """
        scheme, _, token = self.request.headers.get("authorization", "").partition(" ")
        found = self.storage.chats.get(self.playbook.desk, chat)
        known = found.token if found is not None else _digest("")
        proven = compare_digest(known, _digest(token.strip())) and scheme.casefold() == "bearer"
        if found is None or not proven:
            raise Unauthorised("There is no such chat, or the token is not its own.")
        return found, token.strip()

    def _require_admitted(self) -> None:
        source, local = self.request.source, self.request.now.astimezone(self.playbook.zone)
        limits = [("", self.assistant.chats_per_desk)]
        if source:
            limits.insert(0, (source_hash(self.root_key, source), self.assistant.chats_per_source))
        for name, limit in limits:
            counter = f"chats#{name}" if name else "chats"
            if not self.storage.counters.admits(self.playbook.desk, counter, limit, "hour", local):
                raise TooManyAttempts("Too many chats were begun. Try again in an hour.")

    @property
    def _locale(self) -> Locale:
        return locale_of(self.request, self.playbook.locale)


_NUMBER = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z-]*\d)[A-Za-z0-9-]{4,40}(?![A-Za-z0-9])")


def _value(text: str) -> str:
    """Return the number in a sentence ("订单号是20261130003，谢谢"), else all of it."""
    found = _NUMBER.findall(text)
    return found[0] if len(found) == 1 else text


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
