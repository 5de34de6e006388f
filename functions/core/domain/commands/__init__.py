"""Everything that can be asked of a ticket; `functions.core.domain.lifecycle.decide` answers.

One module per subject; `base` says how a command is declared. Rights are checked before a command
is made; whether the ticket's status allows it is decided with the command. The order of the
imports is the order of the actions wherever they are listed.
"""

# ruff: noqa: I001 - see above

from __future__ import annotations

from dataclasses import dataclass

from functions.core.domain.commands.base import (
    ACTIONS as ACTIONS,
    TicketCommand as TicketCommand,
    agent_actions as agent_actions,
)
from functions.core.domain.commands.routing import (
    AskConfirmation as AskConfirmation,
    AskCustomer as AskCustomer,
    Assign as Assign,
    Classify as Classify,
    ConfirmType as ConfirmType,
    Enqueue as Enqueue,
    SetPriority as SetPriority,
    Take as Take,
)
from functions.core.domain.commands.conversation import (
    CustomerMessage as CustomerMessage,
    Note as Note,
    OpenOriginal as OpenOriginal,
    Reply as Reply,
    RequestInformation as RequestInformation,
)
from functions.core.domain.commands.resolution import (
    AnswerSurvey as AnswerSurvey,
    AssignReview as AssignReview,
    Close as Close,
    Confirm as Confirm,
    ExpireReview as ExpireReview,
    ExpireSurvey as ExpireSurvey,
    RecordCallback as RecordCallback,
    Reopen as Reopen,
    Resolve as Resolve,
)
from functions.core.domain.commands.steps import (
    Approve as Approve,
    TakeStep as TakeStep,
)
from functions.core.domain.commands.merging import (
    Link as Link,
    Merge as Merge,
    ReceiveMerged as ReceiveMerged,
    ReleaseMerged as ReleaseMerged,
    Unmerge as Unmerge,
)
from functions.core.domain.commands.customer import (
    CorrectContact as CorrectContact,
    ErasePerson as ErasePerson,
    Hold as Hold,
    MailReturned as MailReturned,
    SetCustomerClass as SetCustomerClass,
)
from functions.core.domain.commands.deadlines import (
    Tick as Tick,
)
from functions.core.domain.events import TicketReceived


@dataclass(frozen=True)
class Receive:
    """Open a ticket under `number`."""

    number: str
    request: TicketReceived
    actor: str = "customer"


@dataclass(frozen=True)
class Together:
    """Several commands as one change: all of them, in order, or none."""

    commands: tuple[TicketCommand, ...]


Command = TicketCommand | Receive | Together
"""Anything that `decide` answers."""
