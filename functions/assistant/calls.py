"""The HTTP calls of a chat (contract, section 6).

`functions.core.assistant` has the conversation.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from functions.core.assistant.handing_over import HandOver, opened, sealed
from functions.core.assistant.turns import DeskChats, Taken, Turn, require_same
from functions.core.assistant.verification import ATTEMPTS
from functions.core.domain.chat import CHAT, MAX_MESSAGES, MAX_TEXT, Chat, ChatMessage, Writer
from functions.core.domain.commands import CustomerMessage
from functions.core.domain.errors import (
    ActionNotAllowed,
    FieldError,
    InvalidInput,
    Phrase,
    TooManyAttempts,
    Unauthorised,
)
from functions.core.platform import aws
from functions.core.platform.web import VERSION, HttpResponse, Request, locale_of
from functions.core.services.command_service import change
from functions.core.services.links import ticket_link
from functions.core.storage.idempotency import Duplicate, IdempotencyRecord
from functions.core.text import reply_box
from functions.core.text.contacts import Contact, normalise_contact
from functions.core.text.masking import mask
from functions.core.text.shapes import local_time
from functions.core.text.tokens import source_hash, unlock
from functions.core.text.unmasking import MessageMasker, Original
from functions.core.text.words import nearest_locale, written_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from functions.assistant.shapes import ChatBegun, ChatMessageView, ChatTicket
    from functions.core.domain.events import Event


SEALED_WITHIN = timedelta(minutes=1)
"""The time in which an agent's reply is sealed for the chat; then it is shown masked."""


MESSAGES_PER_HOUR = 60
"""Messages to a ticket from its chat."""


class _ChatBody(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)


class NewChat(_ChatBody):
    """The body that begins a chat."""

    contact: Annotated[str, Field(max_length=320)] | None = None
    name: Annotated[str, Field(max_length=200)] | None = None
    customer_id: Annotated[str, Field(max_length=100)] | None = None
    locale: Annotated[str, Field(max_length=35)] | None = None
    channel: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,29}$")] | None = None
    privacy_version: Annotated[str, Field(max_length=40)] | None = None


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


class NewVerification(_ChatBody):
    """The body of a verification: the contact that gets a code, or the code that came."""

    contact: Annotated[str, Field(max_length=320)] | None = None
    code: Annotated[str, Field(max_length=20)] | None = None


@dataclass(frozen=True)
class ChatCalls:
    """One desk's chats during one request.

    `warm` starts the engine; `root_key` is the deployment's root key, `public_url` the address of
    the API.
    """

    chats: DeskChats
    warm: Callable[[], None]
    root_key: bytes
    public_url: Callable[[], str]
    request: Request

    def begin(self) -> HttpResponse:
        """Begin a chat: 201 with its id, its token and the welcome (C3).

        Raises:
            InvalidInput: the contact is none, or the privacy notice has another version by now.
            TooManyAttempts: the source or the desk began too many chats this hour.
        """
        body = self.request.read(NewChat)
        if body.contact:
            _contact(body.contact)
        self._require_current(body.privacy_version)
        self._require_admitted()
        from cryptography.fernet import Fernet

        token, playbook = Fernet.generate_key().decode(), self.chats.playbook
        chat = Chat(
            desk=playbook.desk,
            id=secrets.token_hex(12),
            token=_digest(token),
            locale=nearest_locale(body.locale) or locale_of(self.request, playbook.locale),
            channel=mask(body.channel or CHAT),
            started_at=self.request.now,
            changed_at=self.request.now,
            sealed=sealed(body.contact or "", body.name or "", token),
            public_key=reply_box.public_key(token),
            customer_id=body.customer_id or None,
            privacy_version=body.privacy_version or None,
        )
        welcomed = self.chats.dialogue.welcomed(chat, known=False)
        chat = self.chats.storage.chats.put(welcomed.gone_on(self.request.now))
        self.warm()
        answer: ChatBegun = {
            "chat": chat.id,
            "token": token,
            "messages": self._view(chat, chat.messages),
        }
        return HttpResponse(answer, status=201)

    def write(self, chat: str) -> HttpResponse:
        """Answer a customer's message; after the hand-over it goes to the ticket (C4–C6)."""
        written = self.request.read(NewWords).text
        answer = self.chats.writing(written)

        def turn(found: Chat) -> Chat:
            if found.number is None:
                return answer(found)
            self._write_to_ticket(found, found.number, written)
            return found

        return self._response(self._take(chat, turn, "messages"))

    def choose(self, chat: str) -> HttpResponse:
        """Take an option of the last offer, or `none` of them."""
        option = self.request.read(NewChoice).option
        return self._response(self._take(chat, self.chats.choosing(option), "choice"))

    def rate(self, chat: str) -> HttpResponse:
        """Take the rating of the last answer (C5)."""
        score = self.request.read(NewRating).score
        return self._response(self._take(chat, self.chats.rating(score), "rating"))

    def ask_for_person(self, chat: str) -> HttpResponse:
        """Hand over at the customer's wish (C5); a chat that was handed over stays so."""
        self.request.read(Nothing)
        return self._response(self._take(chat, self.chats.asking_for_person(), "handover"))

    def verify(self, chat: str) -> HttpResponse:
        """Send a code to a contact, or take the code that was sent (C2).

        Raises:
            ActionNotAllowed: a person has taken over.
            InvalidInput: there is no such contact, the code is wrong, or it has expired.
            TooManyAttempts: too many codes were sent, or too many were wrong.
        """
        body = self.request.read(NewVerification)
        if bool(body.contact) == bool(body.code):
            wrong = FieldError("contact", "give a contact, or the code that was sent to it")
            raise InvalidInput("Some fields are invalid.", (wrong,))
        contact = _contact(body.contact) if body.contact else None
        codes = self.chats.codes

        def turn(found: Chat) -> Chat:
            if found.number is not None:
                raise ActionNotAllowed("A person has taken over this chat; nothing to verify.")
            if contact is not None:
                return codes.start(found, contact)
            return codes.check(found, body.code or "")

        taken = self._take(chat, turn, "verification")
        if body.code:
            _require_verified(taken.chat)
        return self._response(taken)

    def read(self, chat: str) -> HttpResponse:
        """Return the messages after `after`, those of the ticket too once there is one."""
        found = self._load(chat)
        after = self.request.query.get("after", "")
        of_ticket = re.fullmatch(rf"t({VERSION})(?:\.\d)?", after)
        messages = [] if of_ticket else self._view(found, found.after(after))
        if found.number is not None:
            version = int(of_ticket[1]) if of_ticket else 0
            messages += self._from_ticket(found, found.number, version + 1)
        return HttpResponse({"messages": messages})

    def _take(self, chat: str, turn: Turn, call: str) -> Taken:
        key = self.request.key("Idempotency-Key")
        return self.chats.take(
            lambda: self._load(chat), turn, self._customer, key, digest=self._digest(call)
        )

    def _digest(self, call: str) -> str:
        """Return what a repetition of a call has in common with it."""
        return _digest(f"{call}\n{self.request.body.decode(errors='replace')}")[:16]

    def _customer(self, chat: Chat) -> HandOver:
        """Return the contact and name that the chat's token opens; a verified contact is proven."""
        token = bearer(self.request)
        given = opened(chat.sealed, token)
        contact = given.get("contact", "")
        sender = normalise_contact(contact) if chat.verified else None
        words = {each.id: unlock(each.sealed, token) for each in chat.messages if each.sealed}
        return HandOver(contact=contact, name=given.get("name", ""), sender=sender, words=words)

    def _response(self, taken: Taken) -> HttpResponse:
        return HttpResponse({"messages": self._view(taken.chat, taken.new)})

    def _view(self, chat: Chat, messages: Sequence[ChatMessage]) -> list[ChatMessageView]:
        """Return messages as the contract shows them; that of the hand-over with the ticket."""
        shown: list[ChatMessageView] = []
        for message in messages:
            view: ChatMessageView = {
                "id": message.id,
                "from": message.writer,
                "kind": message.kind,
                "text": message.text,
                "at": local_time(message.at, self.chats.playbook.zone),
            }
            if message.article:
                view["article"] = message.article
            if message.options:
                view["options"] = [{"id": each.id, "label": each.label} for each in message.options]
            if message.kind == "handover" and chat.number is not None:
                view["ticket"] = self._ticket(chat.desk, chat.number)
            shown.append(_in_language(view))
        return shown

    def _ticket(self, desk: str, number: str) -> ChatTicket:
        ticket = self.chats.storage.tickets.load(desk, number)
        playbook = self.chats.playbook
        link = ticket_link(playbook, self.public_url(), self.root_key, "customer", ticket)
        return {"number": number, "status_url": link}

    def _from_ticket(self, chat: Chat, number: str, first: int) -> Iterator[ChatMessageView]:
        """Return what was written about the ticket from a version on (C6, C10).

        The ticket has it masked. What an agent wrote is shown as written once it is sealed for the
        chat, which takes a moment; until then it waits with what follows it (G10).
        """
        storage, now, token = self.chats.storage, self.request.now, bearer(self.request)
        # The first commit is the chat itself.
        history = storage.tickets.history_from(chat.desk, number, max(first, 2), MAX_MESSAGES)
        kept = storage.chats.replies(chat.desk, chat.id, first) if history or first == 1 else {}
        times = {commit.version: commit.at for commit in history} | {1: chat.changed_at}
        for version, at in sorted(times.items()):
            said: list[tuple[Writer, str]] = []
            for event in (each for one in history if one.version == version for each in one.events):
                if event.customer_visibility != "message" or not event.words:
                    continue
                sealed = kept.get((version, ""))
                if event.direction != "out":
                    said.append(("customer", event.words))
                elif sealed is not None:
                    said.append(("agent", reply_box.unseal(token, sealed)))
                elif now - at < SEALED_WITHIN and self._masks(chat.desk, number, version, event):
                    return
                else:
                    said.append(("agent", event.words))
            notices = (sealed for (of, name), sealed in kept.items() if of == version and name)
            said += (("system", reply_box.unseal(token, sealed)) for sealed in notices)
            for place, (writer, text) in enumerate(said):
                yield _in_language(
                    {
                        "id": f"t{version}.{place}" if place else f"t{version}",
                        "from": writer,
                        "kind": "text",
                        "text": text,
                        "at": local_time(at, self.chats.playbook.zone),
                    }
                )

    def _masks(self, desk: str, number: str, version: int, event: Event) -> bool:
        """Return whether something of a reply is masked; its asterisks may be the agent's own."""
        if "*" not in event.words:
            return False
        found = self.chats.storage.tickets.original(desk, number, version)
        return found is not None and bool(found.pieces)

    def _write_to_ticket(self, chat: Chat, number: str, written: str) -> None:
        """Add a message to the chat's ticket, once; what is masked in it can be opened (G11)."""
        hiding = MessageMasker()
        playbook, now = self.chats.playbook, self.request.now
        local = now.astimezone(playbook.zone)
        counters = self.chats.storage.counters
        if not counters.admits(chat.desk, f"words#{chat.id}", MESSAGES_PER_HOUR, "hour", local):
            raise TooManyAttempts("Too many messages in an hour. Please try again later.")
        key, digest = self.request.key("Idempotency-Key"), self._digest("messages")
        idempotency = (
            IdempotencyRecord(chat.desk, CHAT, f"{chat.id}:{key}", body=digest, number=number)
            if key
            else None
        )
        text = hiding.mask("text", written, MAX_TEXT)
        command = CustomerMessage(text=text, channel=chat.channel)
        try:
            change(
                self.chats.storage,
                chat.desk,
                number,
                command,
                playbook,
                now,
                actor="customer",
                idempotency=idempotency,
                original=Original(hiding, self.chats.creator().seal_original),
            )
        except Duplicate as duplicate:
            require_same(duplicate.record.body if duplicate.record else digest, digest)

    def _load(self, chat: str) -> Chat:
        """Return the chat that the caller's token opens.

        Raises:
            Unauthorised: no token, or not that of this chat; the same for a chat that is missing.
        """
        playbook, storage = self.chats.playbook, self.chats.storage
        found = storage.chats.get(playbook.desk, chat)
        known = found.token if found is not None else _digest("")
        if not compare_digest(known, _digest(bearer(self.request))) or found is None:
            raise Unauthorised("There is no such chat, or the token is not its own.")
        return found

    def _require_current(self, version: str | None) -> None:
        """Require that the privacy notice that the customer saw is the desk's."""
        notice = self.chats.playbook.privacy
        if version and (notice is None or version != notice.version):
            wrong = FieldError("privacy_version", "the privacy notice has changed; reload the page")
            raise InvalidInput("Some fields are invalid.", (wrong,))

    def _require_admitted(self) -> None:
        assistant, playbook = self.chats.assistant, self.chats.playbook
        source, local = self.request.source, self.request.now.astimezone(playbook.zone)
        limits = [("", assistant.chats_per_desk)]
        if source:
            limits.insert(0, (source_hash(self.root_key, source), assistant.chats_per_source))
        counters = self.chats.storage.counters
        for name, limit in limits:
            counter = f"chats#{name}" if name else "chats"
            if not counters.admits(playbook.desk, counter, limit, "hour", local):
                raise TooManyAttempts("Too many chats were begun. Try again in an hour.")


def _in_language(view: ChatMessageView) -> ChatMessageView:
    """Add the language of a message's text, if the text shows it."""
    language = written_in(view["text"])
    if language is not None:
        view["lang"] = language
    return view


def chat_calls(request: Request, desk: str) -> ChatCalls:
    """Return the chats of a desk.

    Raises:
        NotFound: there is no such desk, or it has no assistant.
    """
    from functions.core.assistant.engine import warm
    from functions.core.assistant.wiring import desk_chats
    from functions.core.domain.errors import NotFound
    from functions.core.platform import container

    deployment = request.deployment
    playbook = container.storage(deployment).playbooks.get(desk, request.now)
    if playbook.assistant is None:
        raise NotFound("This desk has no chat.")

    return ChatCalls(
        chats=desk_chats(
            deployment, playbook, playbook.assistant, request.now, token=bearer(request)
        ),
        warm=lambda: warm(aws.client("lambda"), deployment, desk),
        root_key=aws.root_key(deployment),
        public_url=lambda: aws.public_url(deployment),
        request=request,
    )


def bearer(request: Request) -> str:
    """Return the token of a request, "" if it has none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.casefold() == "bearer" else ""


def _require_verified(chat: Chat) -> None:
    """Say why a code was not accepted."""
    pending = chat.verification
    if pending is None or pending.state == "verified":
        return
    if pending.state == "refused":
        raise TooManyAttempts("Too many wrong codes. Ask for a new one.")
    problem: str | Phrase = "the code has expired; ask for a new one"
    if pending.state == "wrong":
        left = str(ATTEMPTS - pending.wrong)
        problem = Phrase("wrong code; attempts left: {left}", left=left)
    raise InvalidInput("Some fields are invalid.", (FieldError("code", problem),))


def _contact(written: str) -> Contact:
    try:
        return normalise_contact(written)
    except ValueError as error:
        wrong = FieldError("contact", error.args[0])
        raise InvalidInput("Some fields are invalid.", (wrong,)) from error


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
