"""What a customer adds to a ticket: a message, whether it is solved, a score (A11, A13, C10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from functions.core.domain import commands as c
from functions.core.domain.errors import (
    ActionNotAllowed,
    FieldError,
    Forgotten,
    InvalidInput,
    KeyReused,
)
from functions.core.domain.events import Attachment
from functions.core.domain.rules import FileRules, Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform.web import HttpResponse, Request
from functions.core.services.command_service import change
from functions.core.storage.store import Duplicate, IdempotencyRecord, Store
from functions.core.text.unmasking import Hiding, Original, Seal, original
from functions.portal.files import MOST, NewAttachment

CALLS = {"messages": "message", "confirmation": "confirm", "survey": "survey"}
"""The customer's calls and the action of the lifecycle behind each."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)


class NewMessage(_Body):
    """The customer adds something."""

    text: str = Field(min_length=1, max_length=4000)
    attachments: tuple[NewAttachment, ...] = Field(default=(), max_length=MOST)


class NewConfirmation(_Body):
    """The customer says whether the problem is gone."""

    solved: bool
    reason: str = Field(default="", max_length=1000)


class NewScore(_Body):
    """The customer's score: a number of the scale, or one of the desk's own words."""

    score: int | str
    comment: str = Field(default="", max_length=1000)

    @field_validator("score", mode="plain")
    @classmethod
    def _number_or_word(cls, given: object) -> int | str:
        # One message for the field, where a union would give one for each of its branches.
        if isinstance(given, bool) or not isinstance(given, int | str) or len(str(given)) > 40:
            raise PydanticCustomError("score", "a number, or one of the desk's own words")
        return given.strip() if isinstance(given, str) else given


Keep = Callable[[str, Sequence[NewAttachment], FileRules], tuple[Attachment, ...]]
"""Stores the files of a desk's customer, as the desk's rules say."""


def write_message(
    store: Store,
    playbook: Playbook,
    ticket: Ticket,
    request: Request,
    body: NewMessage,
    keep: Keep,
    seal: Seal,
) -> HttpResponse:
    """Add the customer's message; the same `Idempotency-Key` adds it once (G1).

    Raises:
        KeyReused: the key came before with another text.
    """
    key = request.key("Idempotency-Key")
    idempotency = None
    if key:
        digest = sha256(body.model_dump_json().encode()).hexdigest()
        idempotency = IdempotencyRecord(
            ticket.desk, "message", f"{ticket.number}:{key}", body=digest
        )
    folder = f"{ticket.desk}/{ticket.number}"
    files = keep(folder, body.attachments, playbook.files) if body.attachments else ()
    hiding = Hiding()
    text = hiding.mask("text", body.text)
    command = c.CustomerMessage(text=text, channel="web", attachments=files)
    hidden = original(hiding, seal)
    try:
        after = _carry_out(store, playbook, ticket, command, request, idempotency, hidden)
        # Where a merged request goes on under somebody else's number, that stays unsaid.
        own = after.customer.hash == ticket.customer.hash
        return _answer(after if own else ticket, 201)
    except Duplicate as duplicate:
        if idempotency and duplicate.found and duplicate.found.body != idempotency.body:
            raise KeyReused(
                "This Idempotency-Key was used before with another text. "
                "Use a new key for a new message."
            ) from duplicate
        return _answer(store.load(ticket.desk, ticket.number), 201)


def confirm(
    store: Store,
    playbook: Playbook,
    ticket: Ticket,
    request: Request,
    body: NewConfirmation,
    seal: Seal,
) -> HttpResponse:
    """Record whether the problem is gone; if not, the ticket is taken up again."""
    hiding = Hiding()
    command = c.Confirm(solved=body.solved, reason=hiding.mask("reason", body.reason))
    hidden = original(hiding, seal)
    return _answer(_carry_out(store, playbook, ticket, command, request, hidden=hidden))


def answer_survey(
    store: Store,
    playbook: Playbook,
    ticket: Ticket,
    request: Request,
    body: NewScore,
    seal: Seal,
) -> HttpResponse:
    """Record the customer's score, once (A13).

    Raises:
        AlreadyAnswered: this resolution has its score.
    """
    hiding = Hiding()
    comment = hiding.mask("comment", body.comment)
    command = c.AnswerSurvey(score=_score(playbook, body.score), comment=comment)
    hidden = original(hiding, seal)
    return _answer(_carry_out(store, playbook, ticket, command, request, hidden=hidden))


def _score(playbook: Playbook, given: int | str) -> int:
    if isinstance(given, int):
        return given
    if given in playbook.survey.words:
        return playbook.survey.words[given]
    if given.isascii() and given.isdigit():
        return int(given)
    low, high = playbook.survey.scores
    expected = ", ".join(playbook.survey.words) or f"a number from {low} to {high}"
    raise InvalidInput("The score does not fit.", (FieldError("score", expected),))


def _carry_out(
    store: Store,
    playbook: Playbook,
    ticket: Ticket,
    command: c.Command,
    request: Request,
    idempotency: IdempotencyRecord | None = None,
    hidden: Original | None = None,
) -> Ticket:
    try:
        return change(
            store,
            ticket.desk,
            ticket.number,
            command,
            playbook,
            request.now,
            actor="customer",
            loaded=ticket,
            idempotency=idempotency,
            original=hidden,
        )
    except Forgotten:
        raise
    except ActionNotAllowed as refused:
        # The lifecycle names what agents may do; a customer is told what customers may do.
        raise ActionNotAllowed(
            "This is not possible while the ticket is in its present state.",
            open_calls(ticket, playbook),
        ) from refused


def open_calls(ticket: Ticket, playbook: Playbook) -> tuple[str, ...]:
    """The customer's calls that are open: a survey that comes after the confirmation waits for it,
    one that is answered is over, and on an erased ticket nobody could answer anything (B10)."""
    if ticket.erased:
        return ()
    if ticket.merged is not None:
        return ("messages",)  # which go on where the ticket does
    found = [
        call for call, action in CALLS.items() if ticket.status in c.ACTIONS[action].action.sources
    ]
    asked = playbook.confirmation
    first = ticket.status == "awaiting_confirmation" and asked and asked.solved == "survey"
    if "survey" in found and (ticket.score is not None or first):
        found.remove("survey")
    return tuple(found)


def _answer(ticket: Ticket, status: int = 200) -> HttpResponse:
    return HttpResponse({"number": ticket.number, "status": ticket.status}, status)
