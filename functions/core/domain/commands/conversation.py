"""Messages between customer and desk, and notes among colleagues."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field, StrictBool

from functions.core.domain import events as e
from functions.core.domain.commands.base import (
    ANY_STATUS,
    LEADERS,
    WHOLE,
    AgentAction,
    Body,
    BodyWithFiles,
    MessageText,
    Reason,
    TicketCommand,
    not_allowed,
    reopened,
)
from functions.core.domain.endings import read_ending
from functions.core.domain.errors import FieldError, InvalidInput
from functions.core.domain.follow_ups import alarms, evaluated
from functions.core.domain.privacy import FREE_TEXT, FreeText, PersonalText, TermName
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import DONE, OPEN, Attachment, RefusedFile, Status, Ticket

_WORKED_ON: frozenset[Status] = frozenset({"assigned", "in_progress", "awaiting_customer"})


_PLACEHOLDER = re.compile(r"【请填写|\[fill in")


def _require_filled_in(text: str) -> None:
    """Refuse a draft whose placeholders nobody has filled in (E4)."""
    if _PLACEHOLDER.search(text):
        error = FieldError("text", "fill in the placeholders of the draft, or delete them")
        raise InvalidInput("Some fields are invalid.", (error,))


class ReplyBody(BodyWithFiles):
    text: MessageText


@dataclass(frozen=True)
class Reply(
    TicketCommand,
    name="reply",
    sources=_WORKED_ON | {"awaiting_department"},
    target="in_progress",
    keeps={"awaiting_customer", "awaiting_department"},
    by="agent",
    meaning="the customer gets an answer",
    agents=AgentAction(label=("回复", "Reply"), rights={"agent": "own", **LEADERS}, body=ReplyBody),
):
    """Answer the customer (A10)."""

    text: FreeText
    attachments: tuple[Attachment, ...] = ()

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        _require_filled_in(self.text)
        return [e.ReplySent(text=self.text, attachments=self.attachments)]


class RequestInformationBody(BodyWithFiles):
    text: MessageText


@dataclass(frozen=True)
class RequestInformation(
    TicketCommand,
    name="request-info",
    sources=_WORKED_ON,
    target="awaiting_customer",
    by="agent",
    meaning="the customer is asked for information",
    agents=AgentAction(
        label=("请客户补充信息", "Request information"),
        rights={"agent": "own", **LEADERS},
        body=RequestInformationBody,
    ),
):
    """Ask the customer for information and wait for it (A11)."""

    text: FreeText
    attachments: tuple[Attachment, ...] = ()

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        _require_filled_in(self.text)
        return [e.InformationRequested(text=self.text, attachments=self.attachments)]


@dataclass(frozen=True)
class CustomerMessage(
    TicketCommand,
    name="message",
    sources=OPEN | DONE,
    by="customer",
    meaning="the customer writes; a ticket that waited for it goes on",
):
    """Add a message of the customer.

    The command service sets `via` and `stranger` on a message to a merged ticket. `by_another` is
    the masked address of a sender who is not the customer; `by_submitter`: a submitter link was
    used, which proves no contact. Only a `proven` customer's message scores or confirms.
    """

    text: FreeText
    channel: TermName
    raw: PersonalText | None = None
    attachments: tuple[Attachment, ...] = ()
    refused: tuple[RefusedFile, ...] = ()
    unproven: bool = False
    via: TermName | None = None
    stranger: bool = False
    by_another: PersonalText | None = None
    by_submitter: bool = False
    proven: bool = True

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        message = e.CustomerWrote(**vars(self))  # which ignores `proven`
        if ticket.status in DONE or ticket.status == "awaiting_confirmation":
            return [message, *self._after_resolution(ticket, playbook, now)]
        goes_on = ticket.waiting_status == "awaiting_customer" and not self.stranger
        if goes_on and not (self.attachments or self.refused):
            goes_on = not read_ending(self.text, playbook).answers_nothing
        received = [e.InformationReceived()] if goes_on else []
        return [message, *received, *self._evaluated(ticket, playbook)]

    def _evaluated(self, ticket: Ticket, playbook: Playbook) -> Sequence[e.Event]:
        return [] if self.stranger else evaluated(ticket, self.text, playbook)

    def _after_resolution(
        self, ticket: Ticket, playbook: Playbook, now: datetime
    ) -> Sequence[e.Event]:
        """Act on a message to a resolved or ended ticket by what it says (A13, D13, E7).

        What is unclear changes nothing: its handler reads it and can reopen the ticket. Danger
        reopens it however the message begins and whenever it comes (D5, E3).
        """
        # Not imported before: actions are listed in the order of their declarations.
        from functions.core.domain.commands.resolution import AnswerSurvey, Confirm

        ending = read_ending(self.text, playbook)
        kind, words = ending.kind, "" if ending.bare else self.text
        own = self.proven and not (self.stranger or self.by_submitter or self.by_another)
        awaiting = ticket.status == "awaiting_confirmation"
        known = ending.needs_no_answer or (ending.score is not None and ending.bare)
        alarm = not (known or self.stranger) and alarms(ticket, self.text, playbook)
        answers: list[e.Event] = []
        poor = ending.score is not None and ending.score < playbook.survey.review.below
        if ending.score is not None and (poor or not alarm):
            confirms = own and awaiting and ending.solved is not None and not self.attachments
            if own and ticket.score is None and ticket.status in AnswerSurvey.action.sources:
                scores = AnswerSurvey(ending.score, words, decides=not confirms)
                answers += scores.decide(ticket, playbook, now)
            if confirms and ending.solved is not None:
                confirm = Confirm(ending.solved, "" if ending.solved else words)
                scored = ticket.changed(score=ending.score)
                answers += confirm.decide(scored, playbook, now)
            if alarm and not any(isinstance(event, e.TicketReopened) for event in answers):
                answers = [event for event in answers if isinstance(event, e.SurveyAnswered)]
            elif alarm:
                return [*answers, *self._evaluated(ticket, playbook)]
            elif answers or not poor or ticket.status == "in_review":
                return answers
            kind = "unsolved"
        if alarm:
            kind, words = "unsolved", self.text
        if kind == "solved" and awaiting and own and not self.attachments:
            return Confirm(solved=True).decide(ticket, playbook, now)
        if ending.needs_no_answer and not self.attachments:
            return []
        ended = ticket.archived_at or ticket.resolved_at
        late = not alarm and (ended is None or now - ended > playbook.reopen_within)
        unclear = kind not in {"unsolved", "other"}
        kept = kind != "unsolved" and (awaiting or ticket.status == "in_review")
        if late or kept or (unclear and ticket.handler is not None):
            return self._evaluated(ticket, playbook) if awaiting else []
        if kind == "unsolved" and own and (awaiting or ticket.status == "resolved"):
            again = Confirm(solved=False, reason=words).decide(ticket, playbook, now)
        else:
            again = [] if awaiting and not alarm else [reopened(ticket, "", playbook)]
        return [*answers, *again, *self._evaluated(ticket, playbook)]


@dataclass(frozen=True)
class AddFiles(
    TicketCommand,
    name="files",
    sources=OPEN | DONE,
    by="system",
    meaning="the files of the customer's message are added once they are fetched",
):
    """Add the files of a customer's message, which the provider held.

    The command service sets `via` and `stranger` as on a `CustomerMessage`.
    """

    channel: TermName
    attachments: tuple[Attachment, ...] = ()
    refused: tuple[RefusedFile, ...] = ()
    cause: FreeText = ""
    via: TermName | None = None
    stranger: bool = False

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        return [] if ticket.erased else [e.FilesReceived(**vars(self))]


class NoteBody(BodyWithFiles):
    text: Annotated[str, Field(min_length=1, max_length=4000), FREE_TEXT]


@dataclass(frozen=True)
class Note(
    TicketCommand,
    name="note",
    sources=OPEN | DONE,
    by="agent",
    meaning="an internal note",
    agents=AgentAction(
        label=("添加备注", "Add note"),
        rights={"agent": "team", "qa": "any", **LEADERS},
        body=NoteBody,
    ),
):
    """Add an internal note."""

    text: FreeText
    attachments: tuple[Attachment, ...] = ()

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        return [e.NoteAdded(text=self.text, attachments=self.attachments)]


class OpenOriginalBody(Body):
    """`message` is the version of a message whose `sealed` is true."""

    message: Annotated[int, Field(ge=1), WHOLE]
    reason: Reason


@dataclass(frozen=True)
class OpenOriginal(
    TicketCommand,
    name="open-original",
    sources=ANY_STATUS,
    by="agent",
    meaning="the original of a message is opened to the agent who asks",
    agents=AgentAction(
        label=("查看原文", "Open original"),
        rights={"agent": "own", "qa": "review", **LEADERS},
        body=OpenOriginalBody,
        listed=False,
    ),
):
    """Record that an agent opens the original of a message; unsealing follows the record (G4)."""

    message: int
    reason: FreeText

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        return [e.OriginalOpened(message=self.message, reason=self.reason)]


class OpenContactBody(Body):
    reason: Reason


@dataclass(frozen=True)
class OpenContact(
    TicketCommand,
    name="open-contact",
    sources=OPEN | DONE,
    by="agent",
    meaning="the customer's contact is opened to the agent who has to call",
    agents=AgentAction(
        label=("查看联系方式", "Open contact"),
        rights={"agent": "call", "qa": "call", **LEADERS},
        body=OpenContactBody,
        listed=False,
    ),
):
    """Record that an agent opens the customer's contact; unsealing follows the record (G4)."""

    reason: FreeText

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        return [e.ContactOpened(reason=self.reason)]


class RecordCallBody(Body):
    """`reached` is false if nobody answered; the call then remains to be made."""

    outcome: Reason
    reached: StrictBool = True


@dataclass(frozen=True)
class RecordCall(
    TicketCommand,
    name="record-call",
    sources=OPEN | DONE,
    by="agent",
    meaning="the customer was called and told what waited for a call",
    agents=AgentAction(
        label=("记录致电", "Record call"),
        rights={"agent": "call", "qa": "call", **LEADERS},
        body=RecordCallBody,
        listed=False,
    ),
):
    """Record the call to a customer who is called (B8)."""

    outcome: FreeText
    reached: bool = True

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        if not ticket.calls:
            raise not_allowed("record-call", ticket, playbook)
        told = ticket.calls if self.reached else ()
        return [e.CallRecorded(outcome=self.outcome, reached=self.reached, calls=told)]
