"""What may be asked of a ticket. `functions.core.domain.lifecycle.decide` answers with events.

An `actor` is `customer`, `system` or an agent's username. Rights are checked before a command is
made; whether the ticket's status allows it is decided with the command.
"""

from __future__ import annotations

from dataclasses import dataclass

from functions.core.domain.events import Attachment, TicketReceived
from functions.core.domain.ticket import Customer, Queue, RefusedFile

BY_PEOPLE = (
    "confirm-type",
    "take",
    "assign",
    "priority",
    "reply",
    "request-info",
    "note",
    "resolve",
    "reopen",
    "callback",
    "close",
    "merge",
    "unmerge",
)
"""What an agent may ask for on every desk: the contract's actions, and those about two tickets."""


@dataclass(frozen=True)
class Receive:
    """Open a ticket under `number`."""

    number: str
    request: TicketReceived
    actor: str = "customer"


@dataclass(frozen=True)
class Classify:
    """Record what the words of the request give."""

    type: str
    tags: tuple[str, ...]
    priority: str
    mood: str | None = None
    confidence: float = 1.0
    rules: tuple[str, ...] = ()
    product: str | None = None


@dataclass(frozen=True)
class AskConfirmation:
    """Put the ticket in 待确认 and prompt `team` to say what it is about."""

    team: str
    question: str
    queue: Queue = "waiting"


@dataclass(frozen=True)
class Enqueue:
    """Let the ticket wait in a queue."""

    team: str
    queue: Queue = "waiting"
    reason: str = ""


@dataclass(frozen=True)
class Assign:
    """Give the ticket to an agent. `by_hand`: a person decided, so no place has to be free."""

    team: str
    handler: str
    reason: str = ""
    by_hand: bool = False


@dataclass(frozen=True)
class ConfirmType:
    """An agent says what a vague request is about; what is None stays."""

    type: str
    tags: tuple[str, ...] | None = None
    priority: str | None = None


@dataclass(frozen=True)
class SetPriority:
    """Change the priority."""

    priority: str
    reason: str = ""


@dataclass(frozen=True)
class Reply:
    """Answer the customer."""

    text: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class RequestInformation:
    """Ask the customer for something and wait for it."""

    text: str


@dataclass(frozen=True)
class CustomerMessage:
    """The customer adds something.

    `via` and `stranger` are filled in where it was written to a ticket that was merged into this.
    `by_another` is the masked address of a sender who is not the customer.
    """

    text: str
    channel: str
    raw: str | None = None
    attachments: tuple[Attachment, ...] = ()
    refused: tuple[RefusedFile, ...] = ()
    unproven: bool = False
    via: str | None = None
    stranger: bool = False
    by_another: str | None = None


@dataclass(frozen=True)
class Note:
    """An internal remark."""

    text: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class Resolve:
    """The problem is solved; `summary` names the key action."""

    summary: str


@dataclass(frozen=True)
class Confirm:
    """The customer says whether the problem is gone."""

    solved: bool
    reason: str = ""


@dataclass(frozen=True)
class Reopen:
    """Take a resolved or archived ticket up again."""

    reason: str = ""


@dataclass(frozen=True)
class AnswerSurvey:
    """The customer's score."""

    score: int
    comment: str = ""


@dataclass(frozen=True)
class ExpireSurvey:
    """The time for an answer to the survey of this resolution is over."""

    resolution: int


@dataclass(frozen=True)
class AssignReview:
    """A QA member takes or is given the call-back."""

    reviewer: str


@dataclass(frozen=True)
class RecordCallback:
    """The customer was called back."""

    cause: str
    note: str = ""


@dataclass(frozen=True)
class ExpireReview:
    """The time for the call-back after this resolution is over."""

    resolution: int


@dataclass(frozen=True)
class Close:
    """End the ticket without resolving it."""

    reason: str


@dataclass(frozen=True)
class ClassCustomer:
    """Say which class the customer belongs to."""

    customer_class: str | None


@dataclass(frozen=True)
class MailReturned:
    """A mail to the customer came back, or was complained of.

    `elsewhere`: it was another ticket's mail, so that there is news only where the mark is new.
    """

    cause: str
    permanent: bool
    elsewhere: bool = False


@dataclass(frozen=True)
class CorrectContact:
    """The customer's contact anew, sealed and as it may be shown; or the old one works again."""

    customer: Customer | None = None
    sealed: bytes | None = None


@dataclass(frozen=True)
class Link:
    """The conversation goes on in another ticket."""

    number: str


@dataclass(frozen=True)
class Tick:
    """Time has come to look at the ticket's timers: what is due at `now` happens."""


@dataclass(frozen=True)
class AskCustomer:
    """Ask the customer what a vague request is about (E2)."""

    question: str


@dataclass(frozen=True)
class TakeStep:
    """Take a step of the desk's own, with what belongs to it."""

    step: str
    fields: dict[str, str]
    attachments: tuple[Attachment, ...] = ()
    by: str = ""


@dataclass(frozen=True)
class Approve:
    """A supervisor approves or refuses the step that waits (C9)."""

    approved: bool
    reason: str = ""


@dataclass(frozen=True)
class Hold:
    """Keep the ticket's record beyond its time, or no longer (B10)."""

    held: bool
    reason: str = ""


@dataclass(frozen=True)
class ErasePerson:
    """Forget who the customer was (B10)."""

    reason: str = ""


@dataclass(frozen=True)
class Merge:
    """Let the ticket go on under the number `into`, which takes it in by the same change."""

    into: str
    reason: str = ""
    same_customer: bool = True


@dataclass(frozen=True)
class TakeIn:
    """The other half of a merge: the conversation of the ticket `other` goes on in this one."""

    other: str
    other_open: bool
    same_customer: bool = True
    reason: str = ""


@dataclass(frozen=True)
class Unmerge:
    """Undo the ticket's merge. `handler_stays`: whoever had it is still on the roster."""

    reason: str = ""
    handler_stays: bool = True


@dataclass(frozen=True)
class GiveBack:
    """The other half of an undone merge: the ticket `other` goes its own way again."""

    other: str
    reason: str = ""


@dataclass(frozen=True)
class OpenOriginal:
    """Have what was hidden of a message opened: the record of the act comes first."""

    message: int
    reason: str


@dataclass(frozen=True)
class Together:
    """Several commands as one change: all of them happen, in order, or none."""

    commands: tuple[Command, ...]


Command = (
    Receive
    | Classify
    | AskConfirmation
    | Enqueue
    | Assign
    | ConfirmType
    | SetPriority
    | Reply
    | RequestInformation
    | CustomerMessage
    | Note
    | Resolve
    | Confirm
    | Reopen
    | AnswerSurvey
    | ExpireSurvey
    | AssignReview
    | RecordCallback
    | ExpireReview
    | Close
    | ClassCustomer
    | MailReturned
    | CorrectContact
    | Link
    | Tick
    | AskCustomer
    | TakeStep
    | Approve
    | Hold
    | ErasePerson
    | Merge
    | TakeIn
    | Unmerge
    | GiveBack
    | OpenOriginal
    | Together
)
