"""The journal: what was written on a desk's tickets in the last weeks, in the order of arrival.

Search, the proposals for articles and rules, and the most frequent questions are made from it. It
holds masked text and terms only, and expires by itself. Further journals of the same kind tell the
reports what else has changed (decision 33).
"""

from datetime import datetime
from typing import Literal

from functions.core.domain import events as e
from functions.core.domain.classification import request_text
from functions.core.domain.privacy import FreeText, PersonalText, TermName
from functions.core.domain.ticket import Value

MAX_TEXT = 8000
"""Characters of one text; what a longer one says at its end is on the ticket only."""


class JournalRequest(Value):
    """A request as it was classified when it came in; `contact` is masked."""

    received_at: datetime
    channel: TermName
    locale: TermName
    contact: PersonalText
    type: TermName
    priority: TermName
    type_given: bool = False
    tags: tuple[TermName, ...] = ()


class JournalCorrection(Value):
    """A classification that a person set, whatever it was before (A6)."""

    type: TermName
    tags: tuple[TermName, ...] = ()


Outcome = Literal["answered", "picked", "missed", "none", "poor"]
"""The outcome of a question: answered at once, picked from an offer, not understood, none of what
was offered, or answered with a poor rating."""


class JournalQuestion(Value):
    """The outcome of a question in a chat, and the article that it was answered with."""

    outcome: Outcome
    article: TermName | None = None


class ChatEnd(Value):
    """The end of a chat that did not become a ticket."""

    outcome: Literal["confirmed", "silent"]
    channel: TermName


class JournalEntry(Value):
    """The words of a commit of a ticket, or a question in a chat, whose id is the `number` then.

    Of a commit without words only what identifies it; `usage` is what it used, by price name.
    `presence`: the agent `number` came online or went offline; `chat_end`: the chat `number` ended.

    `contact` is set, masked, by a commit that corrects it. `request` is set on a ticket's first
    commit; the first text is then the one it is classified by.
    """

    number: TermName
    version: int
    at: datetime
    texts: tuple[FreeText, ...] = ()
    contact: PersonalText = ""
    request: JournalRequest | None = None
    correction: JournalCorrection | None = None
    question: JournalQuestion | None = None
    usage: dict[str, float] = {}
    presence: bool | None = None
    chat_end: ChatEnd | None = None


def presence_entry(username: TermName, online: bool, at: datetime) -> JournalEntry:
    version = int(at.timestamp())
    return JournalEntry(number=username, version=version, at=at, presence=online)


def entry_of(commit: e.Commit) -> JournalEntry | None:
    """Return the journal's entry of a commit, None if the commit says nothing."""
    texts = dict.fromkeys(text[:MAX_TEXT] for event in commit.events for text in _texts(event))
    request = next((_request(commit, event) for event in commit.of(e.TicketReceived)), None)
    correction = _correction(commit)
    corrected = (event.customer for event in commit.of(e.ContactCorrected) if event.customer)
    contact = next((customer.contact for customer in corrected), "")
    if not (texts or contact or request or correction):
        return None
    return JournalEntry(
        number=commit.number,
        version=commit.version,
        at=commit.at,
        texts=tuple(texts),
        contact=contact,
        request=request,
        correction=correction,
    )


def _texts(event: e.Event) -> tuple[str, ...]:
    found: tuple[str | None, ...] = (event.words,)
    if isinstance(event, e.TicketReceived):
        product = event.product
        found = (
            request_text(event),
            *((product.name, product.model, product.serial) if product else ()),
            event.proof_of_purchase,
            event.order,
            event.since,
            event.environment,
            event.attempted,
            event.customer.name,
            event.customer.id,
        )
    elif isinstance(event, e.StepTaken):
        found = tuple(event.fields.values())
    return tuple(text for text in found if text)


def _request(commit: e.Commit, event: e.TicketReceived) -> JournalRequest:
    found = next(iter(commit.of(e.TicketClassified)), event)
    return JournalRequest(
        received_at=commit.at,
        channel=event.channel,
        locale=event.locale,
        contact=event.customer.contact,
        type=found.type,
        priority=found.priority,
        type_given=event.type_given,
        tags=getattr(found, "tags", ()),
    )


def _correction(commit: e.Commit) -> JournalCorrection | None:
    if commit.actor in e.MACHINES or commit.of(e.StepTaken):
        return None
    for event in commit.events:
        if isinstance(event, e.TypeConfirmed | e.TicketClassified):
            return JournalCorrection(type=event.type, tags=event.tags)
    return None
