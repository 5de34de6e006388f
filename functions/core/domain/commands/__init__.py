"""Everything that can be asked of a ticket; `functions.core.domain.lifecycle.decide` answers.

One module per subject; `base` says how a command is declared. Rights are checked before a command
is made; whether the ticket's status allows it is decided with the command. The order of the
imports is the order of the actions wherever they are listed.
"""

# ruff: noqa: F403, I001 - all classes of a module are re-exported, in the order of the imports

from __future__ import annotations

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
from functions.core.domain.commands.deadlines import *
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
