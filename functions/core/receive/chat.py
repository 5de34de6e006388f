"""Receive the messages of a chat channel, which a request or a pull brings.

A message joins its writer's open ticket or opens a new one. If the provider allows text in the HTTP
response, the acknowledgement is sent there. The transaction that creates the ticket stores it as
sent, so `notify` does not send it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

from functions.core.channels.base import (
    EVENTS,
    Adapter,
    Choice,
    IncomingMessage,
    OutgoingMessage,
    ProviderRequest,
    ProviderResponse,
    Secret,
    Unreadable,
    adapter,
)
from functions.core.deliver.failures import Passing, SendFailure, Unclear
from functions.core.deliver.message import send as send_message
from functions.core.domain.commands import Command, CustomerMessage, Note
from functions.core.domain.endings import read_ending
from functions.core.domain.errors import (
    ActionNotAllowed,
    Conflict,
    NotFound,
    TryAgain,
)
from functions.core.domain.events import Commit, TicketReceived
from functions.core.domain.fetching import MediaTask
from functions.core.domain.lifecycle import apply
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import OPEN, Ticket
from functions.core.platform import aws, container
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment
from functions.core.receive.acknowledging import Acknowledgement
from functions.core.receive.fetching import fetch_later
from functions.core.services.allowances import Allowances
from functions.core.services.command_service import TRIES, change
from functions.core.services.composing import (
    Notification,
    compose,
    notifications_for,
    plain_acknowledgement,
)
from functions.core.services.contacts import contact_digest
from functions.core.services.create_ticket import NewTicket, Source, TicketCreator, TicketRequest
from functions.core.services.delivery_reports import record_report
from functions.core.services.links import ticket_link
from functions.core.services.merging import merge_target
from functions.core.storage.contacts import Conversation, PriorRecords
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import Duplicate, IdempotencyRecord
from functions.core.storage.outages import is_outage
from functions.core.storage.raw_messages import RawMessages
from functions.core.text.contacts import Contact, ContactError, chat_contact
from functions.core.text.masking import mask
from functions.core.text.unmasking import MessageMasker, Original, Seal
from functions.core.text.words import nearest_locale

if TYPE_CHECKING:
    from functions.core.domain.chat import Chat
    from functions.core.domain.playbook_assistant import Assistant
    from functions.core.receive.assisted_chat import AssistedChat

MAX_TEXT = 4000
"""The maximum characters of a message on the ticket; the bucket keeps longer ones whole."""

CREATED = "filed"
JOINED = "joined"
"""The stored `body` of the idempotency record of a message that created or joined a ticket."""

PAGE = {"page": "pulled"}
"""The query of a request whose body is a page that was pulled."""

_QUERY_TO_READ = ("encrypt_type", *PAGE)
"""Query parameters that are needed to read a body; the others are its signature."""

log = logger("receive")


def connected_channel(
    deployment: Deployment, desk: str, channel: str, now: datetime
) -> tuple[Adapter, Secret] | None:
    """Return the adapter and the desk's secret of a channel, None if the desk does not use it."""
    chat_adapter = adapter(channel)
    if chat_adapter is None:
        return None
    secret = aws.channel_secret(deployment, desk, channel, now)
    return (chat_adapter, secret) if secret is not None else None


def chat_channel(
    chat_adapter: Adapter, secret: Secret, desk: str, deployment: Deployment, now: datetime
) -> ChatChannel:
    """Return what receives a desk's messages on a channel."""
    storage = container.storage(deployment)
    playbook = storage.playbooks.get(desk, now)

    def assisted(assistant: Assistant, sender: Contact) -> AssistedChat:
        from functions.core.assistant.wiring import desk_chats
        from functions.core.receive.assisted_chat import AssistedChat
        from functions.core.services.customers import contact_identity

        writer = contact_identity(sender, desk, aws.root_key(deployment))
        return AssistedChat(
            desk_chats(deployment, playbook, assistant, now, writer=writer),
            chat_adapter.name,
            writer,
            chat_adapter.max_choices,
        )

    return ChatChannel(
        adapter=chat_adapter,
        secret=secret,
        storage=storage,
        root_key=aws.root_key(deployment),
        seal_original=partial(aws.seal_original, deployment),
        creator=container.ticket_creator(deployment),
        bucket=RawMessages(aws.client("s3"), deployment.mail_bucket),
        playbook=playbook,
        now=now,
        assisted=partial(assisted, playbook.assistant) if playbook.assistant else None,
        push=lambda outgoing: send_message(deployment, desk, chat_adapter.name, outgoing),
        fetch=partial(fetch_later, deployment),
    )


@dataclass(frozen=True)
class ReceivedMessage:
    """A message with its writer, and what is stored about both."""

    message: IncomingMessage
    sender: Contact
    known: PriorRecords
    conversation: Conversation
    idempotency: IdempotencyRecord

    @property
    def creates(self) -> IdempotencyRecord:
        """The record of a message that creates a ticket."""
        return replace(self.idempotency, body=CREATED)


@dataclass(frozen=True)
class ChatChannel:
    """Receives the messages of one desk's chat channel."""

    adapter: Adapter
    secret: Secret
    storage: Storage
    root_key: bytes
    seal_original: Seal
    creator: TicketCreator
    bucket: RawMessages
    playbook: Playbook
    now: datetime
    assisted: Callable[[Contact], AssistedChat] | None
    push: Callable[[OutgoingMessage], str]
    fetch: Callable[[MediaTask], None]

    def receive(self, request: ProviderRequest) -> ProviderResponse:
        """Process the messages of a request whose signature is valid."""
        readable = True
        try:
            messages = self.adapter.read(request, self.secret)
        except Unreadable as error:
            self.quarantine(request.body, str(error), request.query)
            messages, readable = (), False
        replies = self._process_each(
            # The whole request can be read again, once the cause is found.
            messages,
            lambda _, cause: self.quarantine(request.body, cause, request.query),
        )
        if readable:
            self._record_reports(request)
        # The response can carry text only for a request with one message of one person.
        if len(messages) == 1:
            return self.adapter.answer(request, self.secret, messages[0], replies[0])
        return self.adapter.answer(request, self.secret)

    def _record_reports(self, request: ProviderRequest) -> None:
        """Record what a request reports about sent messages.

        Raises:
            TryAgain: the outcome of one is being recorded; the provider reports again.
        """
        desk, channel = self.playbook.desk, self.adapter.name
        for report in self.adapter.reports(request, self.secret):
            if record_report(self.storage, desk, channel, report, self.now):
                cause = mask(report.cause)
                self.storage.channel_healths.note_failure(desk, channel, cause)
                log.warning("chat.not_delivered", extra={**self._about, "cause": cause})

    def receive_page(self, request: ProviderRequest, since: datetime) -> None:
        """Process the messages of a page that was pulled, except those from before `since`.

        A message that cannot be processed is quarantined alone, since the page would come again and
        hold up the others.

        Raises:
            TryAgain: a service fails at the moment; the page has to be pulled again.
            Unreadable: the page does not follow the provider's documentation.
        """
        messages = []
        for message in self.adapter.read(request, self.secret):
            if message.at is not None and message.at < since:
                log.info("chat.before_connection", extra=self._about)
            else:
                messages.append(message)
        try:
            self._process_each(
                messages, lambda failed, cause: self.quarantine(failed.raw, cause, request.query)
            )
            self._record_reports(request)
        except TryAgain:
            raise
        except Exception as error:
            raise TryAgain(type(error).__name__) from error

    def _process_each(
        self,
        messages: Iterable[IncomingMessage],
        quarantine: Callable[[IncomingMessage, str], None],
    ) -> list[str]:
        """Process messages in order and return the texts for their writers.

        If one cannot be processed, those of others are. A failure that may pass is raised in the
        end: the messages come again, and what is done is not done again; until then the same
        person's later messages wait, to keep their order. A message that fails otherwise is
        quarantined, so that it does not hold up the others.
        """
        replies: list[str] = []
        passing: Exception | None = None
        waiting: set[str] = set()
        for message in messages:
            reply = ""
            try:
                if message.user not in waiting:
                    reply = self._process(message)
            except Exception as error:
                if isinstance(error, TryAgain) or is_outage(error):
                    passing = passing or error
                    waiting.add(message.user)
                else:
                    log.exception("chat.failed", extra=self._about)
                    quarantine(message, f"{type(error).__name__}: {mask(str(error))}")
            replies.append(reply)
        if replies:
            self.storage.channel_healths.note(**self._about, direction="in", now=self.now)
        if passing is not None:
            raise passing
        return replies

    @property
    def _about(self) -> dict[str, str]:
        return {"desk": self.playbook.desk, "channel": self.adapter.name}

    def _process(self, message: IncomingMessage) -> str:
        """Process one message, once (G1); return the text for its writer, "" for none."""
        try:
            sender = chat_contact(self.adapter.name, message.user)
        except ContactError:
            self.quarantine(message.raw, "nobody to answer")
            return ""
        digest = contact_digest(sender, self.playbook.desk, self.root_key)
        idempotency, former = self._idempotency(message)
        for attempt in range(TRIES):
            known, conversation = self.storage.contacts.conversation(idempotency, digest, former)
            repeated = known.idempotency or self._by_sender(known.former, digest)
            if repeated is not None:
                self._fetch_files(message, idempotency, repeated.number)
                return self._first_reply(repeated)
            try:
                ticket = self._open_ticket(conversation, message)
                if ticket is not None and self._join(message, ticket, idempotency, conversation):
                    self._fetch_files(message, idempotency, ticket.number)
                    return ""
                pushed = self.assisted is not None and not self.adapter.answers
                after = self._allowances.after(
                    conversation, self.adapter, message, self.now, answers=int(pushed)
                )
                received = ReceivedMessage(message, sender, known, after, idempotency)
                if self.assisted is not None and message.opens and message.kind != "unsubscribed":
                    return self._converse(self.assisted(sender), received)
                if message.kind in EVENTS or not message.opens:
                    log.info(
                        "chat.ignored", extra={"desk": self.playbook.desk, "kind": message.kind}
                    )
                    return ""
                return self._create(received)
            except Conflict:
                # A concurrent message has opened or ended a ticket.
                if attempt == TRIES - 1:
                    raise
        raise AssertionError("unreachable")

    def _idempotency(self, message: IncomingMessage) -> tuple[IdempotencyRecord, IdempotencyRecord]:
        """Return the record of a message and its sender, and the former one without the sender.

        Providers promise unique ids at most per person (WeChat: "MsgId"). A message without an id
        is identified by its whole content.
        """
        message_id = message.message_id or sha256(message.raw).hexdigest()
        former = IdempotencyRecord(self.playbook.desk, self.adapter.name, message_id)
        # The person's own id is stored nowhere in the clear (G4).
        by_sender = sha256(f"{message.user}\n{message_id}".encode()).hexdigest()
        return replace(former, id=by_sender), former

    def _by_sender(self, record: IdempotencyRecord | None, digest: str) -> IdempotencyRecord | None:
        """Return a record that was written without its sender, if its ticket is this sender's.

        Versions before 0.1 wrote such records; they expire after 400 days.
        """
        if record is None:
            return None
        try:
            ticket = self.storage.tickets.load(record.desk, record.number)
        except NotFound:
            return None
        return record if ticket.customer.hash == digest else None

    def _open_ticket(self, conversation: Conversation, message: IncomingMessage) -> Ticket | None:
        """Return the conversation's newest ticket, unless it has ended; for thanks even then."""
        if conversation.number is None:
            return None
        try:
            ticket = self.storage.tickets.load(conversation.desk, conversation.number)
        except NotFound:
            return None
        if ticket.customer.hash != conversation.contact_hash:
            return None  # its customer was erased
        target = merge_target(self.storage, ticket)
        if target.status in OPEN:
            return ticket
        text = message.display_text(self.playbook.locale)
        if read_ending(text, self.playbook).needs_no_answer:
            return ticket
        ended_at = target.resolved_at
        if target.status not in {"resolved", "in_review"} or ended_at is None:
            return None
        return ticket if self.now - ended_at <= self.playbook.reopen_within else None

    @property
    def _allowances(self) -> Allowances:
        return Allowances(self.storage.contacts, self.root_key)

    def _join(
        self,
        message: IncomingMessage,
        ticket: Ticket,
        idempotency: IdempotencyRecord,
        conversation: Conversation,
    ) -> bool:
        """Add a message to a ticket; False if the ticket has ended meanwhile."""
        allowed = self._allowances.after(conversation, self.adapter, message, self.now)
        hiding = MessageMasker()
        written = message.display_text(self.playbook.locale)
        text = hiding.mask("text", written, MAX_TEXT)
        command: Command
        if message.kind in EVENTS:
            command, actor = Note(text=text), "system"
        else:
            raw = self._keep_raw(message, written)
            command = CustomerMessage(text or "-", self.adapter.name, raw=raw)
            actor = "customer"
        try:
            change(
                self.storage,
                ticket.desk,
                ticket.number,
                command,
                self.playbook,
                self.now,
                actor=actor,
                loaded=ticket,
                idempotency=replace(idempotency, number=ticket.number, body=JOINED),
                original=Original(hiding, self.seal_original),
                allowed=allowed if allowed != conversation else None,
            )
        except ActionNotAllowed:
            return False
        except Duplicate:
            return True
        return True

    def _converse(self, chat: AssistedChat, received: ReceivedMessage) -> str:
        """Let the assistant answer; return what it says in the HTTP response.

        A ticket is made only if a person is needed. Its acknowledgement tells the number.
        """
        from functions.core.assistant.handing_over import HandOver

        message, acknowledgement = received.message, Acknowledgement(self, received.idempotency)
        answers, key = self.adapter.answers, received.idempotency.id

        def customer(found: Chat) -> HandOver:
            written = message.display_text(self.playbook.locale)
            wrote = [each.id for each in found.messages if each.writer == "customer"]
            return HandOver(
                words={wrote[-1]: written} if wrote else {},
                contact=received.sender.address,
                name=message.name[:200],
                sender=received.sender,
                message_id=message.thread or None,
                raw=self._keep_raw(message, written),
                idempotency=received.creates,
                known=received.known,
                conversation=received.conversation,
                acknowledge=acknowledgement.delivery if answers else None,
            )

        answer = chat.answer(message, key, customer, push=not answers)
        self._fetch_files(message, received.idempotency, answer.chat.number)
        if answers:
            text = "\n\n".join(filter(None, (answer.text, acknowledgement.text)))
            # The response holds one message only. If it comes again, the parts are on their way.
            fits = len(self.adapter.parts(text)) == 1
            return text if fits or not (answer.repeated or self._push(message, text, key)) else ""
        if key in answer.chat.unsent:
            if answer.may_be_on_its_way(self.now):
                raise TryAgain("the answer may still be on its way")
            self._push(message, answer.text, key, answer.choices)
            chat.pushed(answer.chat, key)
        return ""

    def _push(
        self, message: IncomingMessage, text: str, key: str, choices: tuple[Choice, ...] = ()
    ) -> bool:
        """Send the assistant's answer by a call to the provider; False if it takes none of it.

        Raises:
            TryAgain: it was not sent; the provider repeats the message.
        """
        if not text:
            return True
        until = message.session_until
        outgoing = OutgoingMessage(
            message.user,
            text,
            thread=message.thread,
            key=str(UUID(bytes=sha256(key.encode()).digest()[:16], version=4)),
            choices=choices,
            session=message.session if until is None or self.now < until else "",
        )
        desk, channel = self.playbook.desk, self.adapter.name
        try:
            self.push(outgoing)
            self.storage.channel_healths.note(desk, channel, "out", self.now)
        except Passing as failure:
            raise TryAgain(str(failure)) from failure
        except SendFailure as failure:
            self.storage.channel_healths.note_failure(desk, channel, str(failure))
            about = {"desk": desk, "channel": channel, "cause": str(failure)}
            log.warning("chat.answer_failed", extra=about)
            return isinstance(failure, Unclear)
        return True

    def _create(self, received: ReceivedMessage) -> str:
        """Create a ticket from a message; return its acknowledgement, "" for none."""
        message, hiding = received.message, MessageMasker()
        # A stored description has no surrounding space; the masker records positions in it.
        text = message.display_text(self.playbook.locale).strip()
        masked = hiding.mask("description", text, MAX_TEXT) or "-"
        hiding.mask("text", text, MAX_TEXT)
        limit = self.playbook.fields.description_max
        body = NewTicket(
            contact=received.sender.address,
            name=message.name[:200] or None,
            description=masked[:limit],
            locale=nearest_locale(message.language),
        )
        source = Source(
            channel=self.adapter.name,
            sender=received.sender,
            text=masked if len(masked) > limit else None,
            message_id=message.thread or None,
            raw=self._keep_raw(message, text),
            contact_proven=True,
            hiding=hiding,
        )
        acknowledgement = Acknowledgement(self, received.idempotency)
        request = TicketRequest(
            body,
            self.now,
            source=source,
            idempotency=received.creates,
            known=received.known,
            conversation=received.conversation,
            acknowledge=acknowledgement.delivery if self.adapter.answers else None,
        )
        ticket = self.creator.create(self.playbook, request)
        self._fetch_files(message, received.idempotency, ticket.number)
        if ticket.number == acknowledgement.number:
            return acknowledgement.text
        return self._first_reply(replace(received.creates, number=ticket.number))

    def _first_reply(self, recorded: IdempotencyRecord) -> str:
        """Return the text that answered a repeated message the first time."""
        if recorded.body != CREATED or not self.adapter.answers:
            return ""
        first = self.storage.tickets.commit_at(recorded.desk, recorded.number, 1)
        composed = self.compose_acknowledgement(first, apply(None, first)) if first else None
        return composed[1] if composed else ""

    def compose_acknowledgement(
        self, commit: Commit, ticket: Ticket
    ) -> tuple[Notification, str, str] | None:
        """Compose the customer's acknowledgement of a new ticket: notification, text, status link.

        A chat with the assistant has told when a person answers, and goes on so. None if the
        playbook has no acknowledgement.
        """
        for notification in notifications_for(commit, ticket, self.playbook):
            if notification.recipient == "customer":
                link = ticket_link(
                    self.playbook, self.creator.public_url, self.root_key, "customer", ticket
                )
                chat = next((e.chat for e in commit.of(TicketReceived)), None)
                if chat is not None and notification.message == plain_acknowledgement(
                    self.playbook
                ):
                    from functions.core.assistant.handing_over import promised

                    text = promised(ticket, self.playbook, ticket.locale, commit.at)
                    return notification, f"{text}\n{link}", link
                rendered = compose(notification, commit, ticket, self.playbook, status_url=link)
                return notification, rendered.brief, link
        return None

    def _fetch_files(
        self, message: IncomingMessage, idempotency: IdempotencyRecord, number: str | None
    ) -> None:
        """Let a message's files be fetched for its ticket, also once more for a repetition: each
        has a record of its own, which keeps it from being added twice.
        """
        if number and message.media and self.adapter.gives_files:
            self.fetch(
                MediaTask(
                    desk=self.playbook.desk,
                    channel=self.adapter.name,
                    number=number,
                    message=idempotency.id,
                    kind=message.kind,
                    media=message.media,
                    names=message.media_names,
                )
            )

    def _keep_raw(self, message: IncomingMessage, text: str) -> str | None:
        """Store the raw message if the ticket does not hold all of it; return its key."""
        if message.media or len(text) > MAX_TEXT:
            return self.bucket.put(message.raw)
        return None

    def quarantine(self, raw: bytes, cause: str, query: Mapping[str, str] | None = None) -> None:
        """Quarantine a request or message that cannot be processed (G3).

        The provider gets a success response: a repetition would change nothing, and some providers
        send nothing else until it succeeds.

        Args:
            query: the request's query, if `raw` is its whole body and may be read again later.
        """
        desk, channel = self.playbook.desk, self.adapter.name
        call: dict[str, Any] = {"desk": desk, "channel": channel}
        if query is not None:
            call["query"] = {name: query[name] for name in _QUERY_TO_READ if name in query}
        self.bucket.hold(raw, desk, f"{channel}: {cause}", call)
        log.warning("chat.quarantined", extra={"desk": desk, "channel": channel})
