"""The request itself, and its classification."""

import re
from datetime import datetime
from typing import Annotated, Literal
from unicodedata import east_asian_width

from functions.core.domain.chat import Reason, Writer
from functions.core.domain.events.base import Commit, Event
from functions.core.domain.privacy import PERSONAL, FreeText, PersonalText, TermName
from functions.core.domain.ticket import (
    Attachment,
    Customer,
    RefusedFile,
    Ticket,
    TicketChanges,
    Value,
)


class Product(Value):
    """The product that a request is about (D2)."""

    name: FreeText | None = None
    model: FreeText | None = None
    serial: FreeText | None = None
    purchased_on: PersonalText | None = None

    @property
    def title(self) -> str | None:
        """Name and model, for conditions and for agents who cover a product line (D7)."""
        return " ".join(filter(None, (self.name, self.model))) or None


class ChatLine(Value):
    """One message of a chat, as the agent reads it."""

    writer: Writer
    text: FreeText
    at: datetime


class ChatHandedOver(Value):
    """The chat that became this ticket (C6).

    `articles` are the intents that the assistant saw, in order; `values` the variables that it
    asked or looked up; `reason` says why a person was needed. `public_key` seals agents' replies
    for the chat.
    """

    id: TermName
    reason: Reason
    public_key: PersonalText = ""
    articles: tuple[TermName, ...] = ()
    values: dict[TermName, FreeText] = {}
    conversation: tuple[ChatLine, ...] = ()


class TicketReceived(
    Event,
    label=("已收到请求", "Request received"),
    webhook="ticket.received",
    wakes_router=True,
    customer="message",
    record="communication",
    says="description",
    direction="in",
):
    """A request came in.

    `description` is masked and cut to the desk's limit; `text` is the whole masked text of a longer
    mail. `raw` is the key of the original mail in the mail bucket. `refused` lists files that were
    not accepted. `unproven`: the sender may not be who the mail says (G3). `contact_proven`: the
    channel proves the contact. `since`, `environment` and `attempted` are what the customer says of
    a fault: when it began, where the product is used, what was tried (D2). `linked_to` is the
    number of the ended ticket that this one continues. `chat` is the chat with the assistant that
    was handed over. `privacy_version` is that of the notice that the sender agreed to.
    """

    customer: Customer
    channel: TermName
    locale: Literal["zh-CN", "en"]
    type: TermName
    priority: TermName
    urgency: TermName | None = None
    type_given: bool = False
    description: FreeText
    text: FreeText | None = None
    subject: FreeText | None = None
    raw: PersonalText | None = None
    attachments: tuple[Attachment, ...] = ()
    refused: Annotated[tuple[RefusedFile, ...], PERSONAL] = ()
    unproven: bool = False
    contact_proven: bool = False
    product: Product | None = None
    proof_of_purchase: FreeText | None = None
    order: FreeText | None = None
    entered_by: TermName | None = None
    linked_to: PersonalText | None = None
    since: FreeText | None = None
    environment: FreeText | None = None
    attempted: FreeText | None = None
    chat: ChatHandedOver | None = None
    privacy_version: TermName | None = None

    @property
    def words(self) -> str:
        return self.text or self.description

    @property
    def title(self) -> str | None:
        """Return what lists show of the request: its subject, else its first words."""
        return first_words(self.subject or "") or first_words(self.description) or None


class TicketImported(Event, label=("从其他系统导入", "Imported"), webhook=None, says="reference"):
    """The ticket began in another help desk, `source`, under the number `reference`.

    It stands in the first commit. The first `commits` ones are those of the import: they have the
    times of what they tell, wake no function, and reach nobody.
    """

    source: TermName
    reference: TermName
    commits: int = 1

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {"imported": self.source}


TITLE_WIDTH = 44
"""The width of a title, in Latin letters; a Chinese character is as wide as two."""

_CUT_WORD = re.compile(r"[!-~]+\Z")
_LAST_NUMBER = re.compile(r"(?=[!-~\d]*\d)[!-~\d]+\s*\Z")


def first_words(text: str) -> str:
    """Return the beginning of a text's first line, at most `TITLE_WIDTH` wide.

    A number is shown whole or not at all: its beginning could be read as that of a phone.
    """
    line = next(filter(None, map(str.strip, text.splitlines())), "")
    width = 0
    for end, character in enumerate(line):
        width += 2 if east_asian_width(character) in "WF" else 1
        if width > TITLE_WIDTH:
            cut = _CUT_WORD.sub("", line[:end])
            while number := _LAST_NUMBER.search(cut):
                cut = cut[: number.start()]
            return f"{cut.rstrip()}…" if cut.strip() else ""
    return line


class TicketClassified(
    Event,
    label=("已自动分类", "Classified"),
    webhook="ticket.classified",
    router_after_step=True,
):
    """The request got its type, tags and priority; `rules` names the rules that applied."""

    type: TermName
    tags: tuple[TermName, ...]
    priority: TermName
    mood: TermName | None = None
    confidence: float = 1.0
    rules: tuple[TermName, ...] = ()
    product: FreeText | None = None

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {
            "type": self.type,
            "tags": self.tags,
            "priority": self.priority,
            "mood": self.mood,
            "product": self.product or ticket.product,
            "proposed_type": None,
        }


class FollowUpClassified(
    Event, label=("已更新分类", "Classification updated"), webhook="ticket.follow_up_classified"
):
    """A later message of the customer added tags, changed the mood, or suggests another type.

    `tags` are those that are new, and `mood` is only set if it is new, so notifications about them
    are sent once. The priority follows as `PriorityChanged`; it only rises.
    """

    tags: tuple[TermName, ...] = ()
    mood: TermName | None = None
    product: FreeText | None = None
    proposed_type: TermName | None = None
    rules: tuple[TermName, ...] = ()

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        return {
            "tags": (*ticket.tags, *self.tags),
            "mood": self.mood or ticket.mood,
            "product": self.product or ticket.product,
            "proposed_type": self.proposed_type or ticket.proposed_type,
        }
