"""The commands to a ticket, which `functions.core.domain.lifecycle.decide` turns into events.

One module per subject; `base` explains how to declare a command. Callers check rights before they
create a command; `decide` checks the ticket's status. Actions are listed in the order of these
imports.
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
from functions.core.domain.commands.steps import Approve as Approve, TakeStep as TakeStep
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
from functions.core.domain.commands.deadlines import Tick as Tick
from functions.core.domain.events import TicketReceived


@dataclass(frozen=True)
class Receive:
    """Create a ticket with this number."""

    number: str
    request: TicketReceived
    actor: str = "customer"


@dataclass(frozen=True)
class CommandGroup:
    """Several commands in one commit: all of them, in order, or none."""

    commands: tuple[TicketCommand, ...]


Command = TicketCommand | Receive | CommandGroup
