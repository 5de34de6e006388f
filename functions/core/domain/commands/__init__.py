"""The commands to a ticket, which `functions.core.domain.lifecycle.decide` turns into events.

One module per subject; `base` explains how to declare a command. Callers check rights before they
create a command; `decide` checks the ticket's status. Actions are listed in the order of these
imports.
"""

# ruff: noqa: F403, I001 - all classes of a module are re-exported, in the order of the imports

from dataclasses import dataclass

from functions.core.domain.commands.base import (
    ACTIONS as ACTIONS,
    TicketCommand as TicketCommand,
    agent_actions as agent_actions,
)
from functions.core.domain.commands.routing import *
from functions.core.domain.commands.conversation import *
from functions.core.domain.commands.resolution import *
from functions.core.domain.commands.steps import *
from functions.core.domain.commands.merging import *
from functions.core.domain.commands.customer import *
from functions.core.domain.commands.customer import ProveContact as ProveContact
from functions.core.domain.commands.deadlines import *
from functions.core.domain.events import TicketReceived
from functions.core.domain.privacy import TermName
from functions.core.domain.ticket import Ticket


@dataclass(frozen=True)
class Receive:
    """Create a ticket with this number."""

    number: TermName
    request: TicketReceived
    actor: TermName = "customer"


@dataclass(frozen=True)
class CommandGroup:
    """Several commands in one commit: all of them, in order, or none."""

    commands: tuple[TicketCommand, ...]


Command = TicketCommand | Receive | CommandGroup


def proving(command: TicketCommand, ticket: Ticket) -> TicketCommand | CommandGroup:
    """Return a command of the customer's, with the proof of the contact that it brings."""
    return command if ticket.contact_proven else CommandGroup((ProveContact(), command))
