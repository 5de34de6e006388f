"""A chat message's way to its ticket, by whatever adapter reads it. Imported with the first one.

Somebody who has a ticket that is not over writes on in it; otherwise a ticket is opened. Where the
provider lets the HTTP answer carry words, the acknowledgement goes out with it, and is on record in
the very transaction that files the ticket: the notify function finds it there and sends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from functions.core.channels.base import EVENTS, Adapter, Incoming, Secret, Unreadable, adapter
from functions.core.domain.commands import Command, CustomerMessage, Note
from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import (
    ActionNotAllowed,
    Conflict,
    DeadLetter,
    NotFound,
    Unauthorised,
)
from functions.core.domain.events import Commit
from functions.core.domain.lifecycle import apply
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import OPEN, Ticket
from functions.core.platform import aws
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment
from functions.core.platform.web import HttpResponse, Request
from functions.core.services.command_service import TRIES, change
from functions.core.services.composing import (
    Notification,
    RenderedMessage,
    compose,
    notifications_for,
)
from functions.core.services.create_ticket import (
    Filing,
    NewTicket,
    Tracking,
    file_ticket,
    status_url,
)
from functions.core.services.merging import survivor
from functions.core.storage.store import Conversation, Duplicate, IdempotencyRecord, Known
from functions.core.text.masking import Contact, ContactError, chat_contact, contact_hash, mask_but
from functions.core.text.tokens import derive
from functions.core.text.unmasking import Hiding, original
from functions.core.text.words import nearest_locale
from functions.intake.mail_store import Inbox
from functions.intake.signatures import verify

MAX_TEXT = 4000
"""Characters of a message that stand on the ticket; a longer one is kept whole in the bucket."""

FILED = "filed"
JOINED = "joined"

_READ_WITH = ("encrypt_type",)
"""What of a call's query says how its body is read. The rest is its signature."""

_DESK = re.compile(r"[a-z][a-z0-9-]{1,30}")
log = logger("intake")


@dataclass(frozen=True)
class Chat:
    """One desk's side of a chat channel."""

    channel: Adapter
    secret: Secret
    filing: Filing
    playbook: Playbook
    inbox: Inbox


def take_call(request: Request, desk: str, channel: str, filing: Filing) -> HttpResponse:
    """HttpResponse a provider's call: its check that we are there, or the messages that it brings.

    Raises:
        NotFound: there is no such channel, or the desk does not use it.
        Unauthorised: the signature does not hold.
    """
    found = adapter(channel)
    secret: Mapping[str, Any] | None = None
    if found is not None and _DESK.fullmatch(desk):
        secret = aws.channel_secret(request.deployment, desk, channel, request.now)
    if found is None or secret is None:
        raise NotFound("There is no such desk, or it does not use this channel.")
    scheme, parts = found.signed(request, secret)
    if not verify(scheme, **parts):
        raise Unauthorised(f"The signature does not hold for this desk's {channel} channel.")
    challenge = found.challenge(request, secret)
    if challenge is not None:
        return challenge
    if request.method != "POST":
        raise NotFound("There is nothing to read here; the provider posts to this address.")
    return _take_messages(request, _chat(found, secret, desk, request.deployment, filing))


def take_again(call: Mapping[str, Any], deployment: Deployment, filing: Filing) -> None:
    """Take in a call that was set aside, whose signature held then.

    Raises:
        DeadLetter: the call is gone, or the desk does not use the channel any more.
    """
    desk, channel = str(call["desk"]), str(call["channel"])
    found = adapter(channel)
    secret = aws.channel_secret(deployment, desk, channel, filing.now) if found else None
    if found is None or secret is None:
        raise DeadLetter(f"the desk {desk} does not use {channel} any more")
    chat = _chat(found, secret, desk, deployment, filing)
    body = chat.inbox.raw(str(call["key"]))
    query = {str(name): str(value) for name, value in dict(call["query"]).items()}
    _take_messages(Request("POST", deployment, filing.now, query=query, body=body), chat)


def _chat(
    found: Adapter, secret: Secret, desk: str, deployment: Deployment, filing: Filing
) -> Chat:
    inbox = Inbox(aws.client("s3"), deployment.mail_bucket)
    playbook = filing.store.playbook(desk, filing.now)
    return Chat(found, secret, replace(filing, default_channel=found.name), playbook, inbox)


def _take_messages(request: Request, chat: Chat) -> HttpResponse:
    try:
        messages = chat.channel.read(request, chat.secret)
    except Unreadable as error:
        _set_aside(request.body, str(error), chat, request.query)
        messages = ()
    said = ""
    for incoming in messages:
        said = take_in(incoming, chat)
    # Words can go back in the answer only where the call brought one person's one message.
    to = messages[0] if len(messages) == 1 else None
    return chat.channel.answer(request, chat.secret, to, said if to else "")


def take_in(incoming: Incoming, chat: Chat) -> str:
    """Take one message in, once (G1); what the HTTP answer may tell its writer, "" for nothing."""
    try:
        sender = chat_contact(chat.channel.name, incoming.user)
    except ContactError:
        _set_aside(incoming.raw, "nobody to answer", chat, None)
        return ""
    filing, desk = chat.filing, chat.playbook.desk
    digest = contact_hash(sender, desk, derive(filing.root, "contact"))
    # What has no id is known by all that it says, so that nobody's is taken for another's.
    known_by = incoming.message_id or sha256(incoming.raw).hexdigest()
    idempotency = IdempotencyRecord(desk, chat.channel.name, known_by)
    for tried in range(TRIES):
        known, conversation = filing.store.conversation(idempotency, digest)
        if known.idempotency is not None:
            return _said_before(known.idempotency, chat)
        try:
            ticket = _under_way(conversation, chat)
            if ticket is not None and _joins(incoming, ticket, idempotency, chat):
                return ""
            if incoming.kind in EVENTS or not incoming.opens:
                log.info("chat.ignored", extra={"desk": desk, "kind": incoming.kind})
                return ""
            return _file(incoming, sender, known, conversation, idempotency, chat)
        except Conflict:
            # They wrote two lines at once; the other one has opened a ticket or ended one.
            if tried == TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _under_way(conversation: Conversation, chat: Chat) -> Ticket | None:
    """The ticket that the person's words belong to: the newest one, unless it is over."""
    if conversation.number is None:
        return None
    try:
        ticket = chat.filing.store.load(conversation.desk, conversation.number)
    except NotFound:
        return None
    if ticket.customer.hash != conversation.contact_hash:
        return None  # its customer was erased
    last = survivor(chat.filing.store, ticket)  # a merged one goes on there
    if last.status in OPEN:
        return ticket
    ended = last.resolved_at
    waits = last.status in {"resolved", "in_review"} and ended is not None
    recent = ended is not None and chat.filing.now - ended <= chat.playbook.reopen_within
    return ticket if waits and recent else None


def _joins(incoming: Incoming, ticket: Ticket, idempotency: IdempotencyRecord, chat: Chat) -> bool:
    """Whether a ticket takes the message; one that was ended at this moment does not."""
    hiding = Hiding()
    words = hiding.mask("text", incoming.words(chat.playbook.locale))
    command: Command
    if incoming.kind in EVENTS:
        command, actor = Note(text=words[:MAX_TEXT]), "system"
    else:
        text, raw = words[:MAX_TEXT] or "-", _kept(incoming, words, chat)
        command, actor = CustomerMessage(text, chat.channel.name, raw=raw), "customer"
    try:
        change(
            chat.filing.store,
            ticket.desk,
            ticket.number,
            command,
            chat.playbook,
            chat.filing.now,
            actor=actor,
            loaded=ticket,
            idempotency=replace(idempotency, number=ticket.number, body=JOINED),
            original=original(hiding, chat.filing.seal_original),
        )
    except ActionNotAllowed:
        return False
    except Duplicate:
        return True
    return True


def _file(
    incoming: Incoming,
    sender: Contact,
    known: Known,
    conversation: Conversation,
    idempotency: IdempotencyRecord,
    chat: Chat,
) -> str:
    hiding = Hiding()
    # A request's description has no space around it; what was hidden is found by its deployment.
    said = incoming.words(chat.playbook.locale).strip()
    words = hiding.mask("description", said) or "-"
    hiding.mask("text", said)
    limit = chat.playbook.fields.description_max
    tracking = Tracking(
        text=words[:MAX_TEXT] if len(words) > limit else None,
        message_id=incoming.thread or None,
        raw=_kept(incoming, words, chat),
        sender=sender,
        hiding=hiding,
    )
    acknowledgement = Acknowledgement(chat, idempotency)
    filed = file_ticket(
        replace(
            chat.filing,
            tracking=tracking,
            conversation=conversation,
            acknowledge=acknowledgement.delivery if chat.channel.answers else None,
        ),
        chat.playbook,
        NewTicket(
            contact=sender.address,
            name=incoming.name[:200] or None,
            description=words[:limit],
            locale=nearest_locale(incoming.language),
        ),
        replace(idempotency, body=FILED),
        "customer",
        known=known,
    )
    if filed.number == acknowledgement.number:
        return acknowledgement.text
    return _said_before(replace(idempotency, body=FILED, number=filed.number), chat)


@dataclass
class Acknowledgement:
    """A4: what the answer to the first message says, in the playbook's words."""

    chat: Chat
    idempotency: IdempotencyRecord
    number: str = ""
    text: str = ""

    def delivery(self, commit: Commit, ticket: Ticket) -> Delivery | None:
        """The acknowledgement of a new ticket, as it goes on record; None where there is none."""
        found = acknowledged(commit, ticket, self.chat)
        if found is None:
            return None
        notice, words, link = found
        self.number, self.text = ticket.number, words.sms
        public = self.chat.playbook.public_contacts
        return Delivery(
            desk=ticket.desk,
            number=ticket.number,
            version=commit.version,
            event=notice.event.event,
            message=notice.message,
            recipient=notice.recipient,
            about=notice.timer_or_step,
            channel="message",
            to=ticket.customer.contact,
            text=mask_but(words.sms.replace(link, link.partition("?")[0]), public),
            state="sent",
            attempts=1,
            claimed_at=commit.at,
            at=commit.at,
            provider_id=f"answer to {self.idempotency.id}",
        )


def acknowledged(
    commit: Commit, ticket: Ticket, chat: Chat
) -> tuple[Notification, RenderedMessage, str] | None:
    """The notice by which the customer hears that a request has come, its words, and their link."""
    told = notifications_for(commit, ticket, chat.playbook)
    notice = next((notice for notice in told if notice.recipient == "customer"), None)
    if notice is None:
        return None
    filing = chat.filing
    link = status_url(filing.public_url, filing.root, ticket.desk, ticket.number)
    return notice, compose(notice, commit, ticket, chat.playbook, status_url=link), link


def _said_before(seen: IdempotencyRecord, chat: Chat) -> str:
    """What a message was answered with that comes again."""
    if seen.body != FILED or not chat.channel.answers:
        return ""
    first = chat.filing.store.commit_at(seen.desk, seen.number, 1)
    found = acknowledged(first, apply(None, first), chat) if first else None
    return found[1].sms if found else ""


def _kept(incoming: Incoming, words: str, chat: Chat) -> str | None:
    """Where the message as it came is kept, where the ticket does not hold all of it."""
    if incoming.media or len(words) > MAX_TEXT:
        return chat.inbox.store(incoming.raw)
    return None


def _set_aside(raw: bytes, cause: str, chat: Chat, query: Mapping[str, str] | None) -> None:
    """Keep whole what cannot be taken in (G3). The provider is told that all is well: sending it
    again would change nothing, and some providers send nothing else until it is taken.

    `query`: that of the call, where `raw` is all of its body and may be read again later.
    """
    desk, channel = chat.playbook.desk, chat.channel.name
    call: dict[str, Any] = {"desk": desk, "channel": channel}
    if query is not None:
        call["query"] = {name: query[name] for name in _READ_WITH if name in query}
    chat.inbox.set_aside(raw, chat.inbox.store(raw), desk, f"{channel}: {cause}", call=call)
    log.warning("chat.set_aside", extra={"desk": desk, "channel": channel})
