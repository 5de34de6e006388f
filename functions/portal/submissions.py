"""Customer submissions: messages, confirmations and scores (A11, A13, C10)."""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from functions.core.domain import commands as c
from functions.core.domain.commands.base import one_of
from functions.core.domain.errors import (
    ActionNotAllowed,
    FieldError,
    Forgotten,
    InvalidInput,
    KeyReused,
    Phrase,
    TooManyAttempts,
)
from functions.core.domain.events import CustomerWrote
from functions.core.domain.matching import find_term
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import OPEN, Ticket
from functions.core.platform.web import HttpResponse, Request
from functions.core.services.command_service import change
from functions.core.services.merging import same_customer
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import Duplicate, IdempotencyRecord
from functions.core.text.tokens import LinkKind
from functions.core.text.unmasking import MessageMasker, Original, Seal
from functions.portal.access import Proof, no_such_ticket
from functions.portal.files import MAX_FILES, Keep, NewAttachment

if TYPE_CHECKING:
    from functions.portal.shapes import Changed

MAX_MESSAGES = 30
"""Messages that one kind of a ticket's links takes within `MESSAGE_WINDOW`."""
MESSAGE_WINDOW = timedelta(hours=1)

CALLS = {"messages": "message", "confirmation": "confirm", "survey": "survey"}
"""The customer's HTTP calls → their actions in the lifecycle."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)


class NewMessage(_Body):
    """The body of a customer's message."""

    text: str = Field(min_length=1, max_length=4000)
    attachments: tuple[NewAttachment, ...] = Field(default=(), max_length=MAX_FILES)


class NewConfirmation(_Body):
    """The body of a confirmation: whether the problem is solved."""

    solved: bool
    reason: str = Field(default="", max_length=1000)


_Score = int | Annotated[str, Field(max_length=40)]


class NewScore(_Body):
    """The body of a survey: a number of the scale, or one of the desk's own words."""

    score: int | str
    comment: str = Field(default="", max_length=1000)

    @field_validator("score", mode="plain", json_schema_input_type=_Score)
    @classmethod
    def _number_or_word(cls, score: object) -> int | str:
        # One message for the field; a union would give one for each of its branches.
        if isinstance(score, bool) or not isinstance(score, int | str) or len(str(score)) > 40:
            raise PydanticCustomError("score", "a number, or one of the desk's own words")
        return score.strip() if isinstance(score, str) else score


@dataclass(frozen=True)
class Submission:
    """A customer's request about a ticket, and what carrying it out needs."""

    storage: Storage
    playbook: Playbook
    ticket: Ticket
    proof: LinkKind
    request: Request
    keep: Keep
    seal: Seal

    def write_message(self, body: NewMessage) -> HttpResponse:
        """Add the customer's message; a repeated `Idempotency-Key` adds no second one (G1).

        Raises:
            KeyReused: the key was used before with another text.
            TooManyAttempts: `MAX_MESSAGES` came by this kind of link within an hour.
        """
        ticket = self.ticket
        self._require_below_limit()
        key = self.request.key("Idempotency-Key")
        idempotency = None
        if key:
            digest = sha256(body.model_dump_json().encode()).hexdigest()
            idempotency = IdempotencyRecord(
                ticket.desk, "message", f"{ticket.number}:{key}", body=digest
            )
        folder, rules = f"{ticket.desk}/{ticket.number}", self.playbook.files
        files = self.keep(folder, body.attachments, rules) if body.attachments else ()
        hiding = MessageMasker()
        text = hiding.mask("text", body.text)
        by_submitter = self.proof == "submitter"
        command = c.CustomerMessage(
            text=text,
            channel="web",
            attachments=files,
            unproven=by_submitter,
            by_submitter=by_submitter,
        )
        try:
            changed = self._change(command, hiding, idempotency)
            # The number of another customer's ticket that this one was merged into is not revealed.
            proven = ticket.changed(contact_proven=not by_submitter)
            own = changed.number == ticket.number or same_customer(changed, proven)
            return _response(changed if own else ticket, 201)
        except Duplicate as duplicate:
            if idempotency and duplicate.record and duplicate.record.body != idempotency.body:
                raise KeyReused(
                    "This Idempotency-Key was used before with another text. "
                    "Use a new key for a new message."
                ) from duplicate
            return _response(self.storage.tickets.load(ticket.desk, ticket.number), 201)

    def _require_below_limit(self) -> None:
        ticket = self.ticket
        if ticket.version < MAX_MESSAGES:
            return
        newest = self.storage.tickets.history_page(
            ticket.desk, ticket.number, ticket.version, 2 * MAX_MESSAGES
        )
        since, by_submitter = self.request.now - MESSAGE_WINDOW, self.proof == "submitter"
        written = sum(
            event.channel == "web" and event.by_submitter == by_submitter
            for commit in newest
            if commit.at > since
            for event in commit.of(CustomerWrote)
        )
        if written >= MAX_MESSAGES:
            raise TooManyAttempts("Too many messages in an hour. Please try again later.")

    def confirm(self, body: NewConfirmation) -> HttpResponse:
        """Record whether the problem is solved; if not, the ticket is reopened."""
        hiding = MessageMasker()
        command = c.Confirm(solved=body.solved, reason=hiding.mask("reason", body.reason))
        return _response(self._change(command, hiding))

    def answer_survey(self, body: NewScore) -> HttpResponse:
        """Record the customer's score, once (A13).

        Raises:
            AlreadyAnswered: this resolution has a score.
        """
        hiding = MessageMasker()
        comment = hiding.mask("comment", body.comment)
        command = c.AnswerSurvey(score=_score(self.playbook, body.score), comment=comment)
        return _response(self._change(command, hiding))

    def _change(
        self,
        command: c.TicketCommand,
        hiding: MessageMasker,
        idempotency: IdempotencyRecord | None = None,
    ) -> Ticket:
        try:
            return change(
                self.storage,
                self.ticket.desk,
                self.ticket.number,
                command if self.proof == "submitter" else c.proving(command, self.ticket),
                self.playbook,
                self.request.now,
                actor="customer",
                loaded=self.ticket,
                idempotency=idempotency,
                original=Original(hiding, self.seal),
            )
        except Forgotten as erased:
            raise no_such_ticket() from erased  # its links ended with the erasure
        except ActionNotAllowed as refused:
            # The lifecycle's error names the agents' actions; this one names the customer's calls.
            calls = open_calls(self.ticket, self.proof)
            raise ActionNotAllowed(_why_not(command, self.ticket), calls) from refused


def _why_not(command: c.TicketCommand, ticket: Ticket) -> Phrase:
    """Say why the customer can neither confirm nor rate a ticket now."""
    if ticket.merged is not None:
        return Phrase("This request was merged with another one and goes on there.")
    if ticket.status == "closed":
        return Phrase("This request was closed. If you still need help, send us a message.")
    rates = isinstance(command, c.AnswerSurvey)
    if ticket.status in OPEN and rates:
        return Phrase("This request is not solved yet. You can rate it once it is.")
    if ticket.status in OPEN:
        return Phrase("This request is not solved yet. You can confirm it once it is.")
    if rates:
        return Phrase(
            "The time for rating this request is over. If the problem is back, send us a message."
        )
    return Phrase("This request is complete. If the problem is back, send us a message.")


def _score(playbook: Playbook, score: int | str) -> int:
    if isinstance(score, int):
        return score
    words = playbook.survey.words
    word = find_term(score, words)
    if word is not None:
        return words[word].score
    if score.isascii() and score.isdigit():
        return int(score)
    low, high = playbook.survey.scores
    number = FieldError("score", Phrase("a number from {low} to {high}", low=low, high=high))
    raise InvalidInput("The score is invalid.", (one_of("score", words) if words else number,))


def open_calls(ticket: Ticket, proof: Proof) -> tuple[str, ...]:
    """Return the customer's calls that are possible now by this proof.

    An answered survey is closed.
    """
    if proof == "contact":
        return ()
    if ticket.merged is not None or proof == "submitter":
        return ("messages",)  # those to a merged ticket go to its merge target
    calls = [
        call for call, action in CALLS.items() if ticket.status in c.ACTIONS[action].action.sources
    ]
    if "survey" in calls and ticket.score is not None:
        calls.remove("survey")
    return tuple(calls)


def _response(ticket: Ticket, status: int = 200) -> HttpResponse:
    changed: Changed = {"number": ticket.number, "status": ticket.status}
    return HttpResponse(changed, status)
