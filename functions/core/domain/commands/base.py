"""The base class of commands, and the registry of actions.

A command class is the only declaration of an action. Its class keywords name the source statuses
and the target; `agents` adds label, rights and body for the workbench. Its `decide` method is the
rule. The allowed actions, the rights and the status table of `docs/architecture.md` derive from
these classes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from functions.core.domain.errors import ActionNotAllowed, FieldError, InvalidInput, Phrase
from functions.core.domain.events import Event, TicketReopened
from functions.core.domain.privacy import FREE_TEXT, TERM
from functions.core.domain.roster import Role
from functions.core.domain.rules import Locale, Playbook, Step
from functions.core.domain.tasks import open_slips
from functions.core.domain.ticket import MAX_ATTACHMENTS, OPEN, STATUSES, ReopenTo, Status, Ticket

ANY_STATUS: frozenset[Status] = frozenset(STATUSES)

Scope = Literal["own", "team", "callback", "call", "review", "merged", "any"]
"""The tickets on which a right holds.

- `own`: the caller is the handler.
- `team`: the caller is handler or reviewer, or the ticket waits for the caller's team or for
  routing.
- `callback`: the caller is to call the customer back: the reviewer (A13), or any member of the
  team that has to call (D13) who has not handled it.
- `call`: a call to the customer is the caller's task, whether a call-back or a message (B8).
- `review`: the ticket is in review, and the caller is not its handler.
- `merged`: the caller handled it when it was merged, or merged it.
- `any`: every ticket of the desk.
"""

LEADERS: Mapping[Role, Scope] = {"supervisor": "any", "admin": "any"}

# Bodies of agents' actions. Free text is masked for the command.

TO_CUSTOMER = "to customer"
"""Marks free text that the customer reads: the desk's own public contacts in it stay."""


@dataclass(frozen=True)
class TermOf:
    """A field that names a term of the playbook (`types`, `tags` …), by key or label."""

    section: str


WHOLE = BeforeValidator(lambda n: int(n) if isinstance(n, float) and n.is_integer() else n)
"""Marks an integer of a body: as in JSON Schema, 5.0 is one. It stands after the limits."""

Name = Annotated[str, Field(min_length=1, max_length=200), TERM]
MessageText = Annotated[str, Field(min_length=1, max_length=4000), FREE_TEXT, TO_CUSTOMER]
Remark = Annotated[str, Field(max_length=1000), FREE_TEXT]
Reason = Annotated[str, Field(min_length=1, max_length=1000), FREE_TEXT]


class Body(BaseModel):
    """The body of an action. `version` is the version that the agent saw; a stale one is 409."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)

    version: Annotated[int, Field(ge=1), WHOLE] | None = None


class BodyWithFiles(Body):
    """`attachments` are ids of uploads, as the `attachments` call returned them."""

    attachments: tuple[Name, ...] = Field(default=(), max_length=MAX_ATTACHMENTS)


@dataclass(frozen=True)
class AgentAction:
    """The workbench's part of a command's declaration.

    A role that is missing in `rights` has no right at all. `listed`: a ticket's view offers the
    action wherever status and rights allow it.
    """

    label: tuple[str, str]
    rights: Mapping[Role, Scope]
    body: type[Body] = Body
    listed: bool = True


@dataclass(frozen=True)
class Action:
    """The declaration of a command. With `target` None the status stays, as it does in `keeps`."""

    name: str
    sources: frozenset[Status]
    target: Status | None
    by: str
    meaning: str
    keeps: frozenset[Status]
    agents: AgentAction | None


ACTIONS: dict[str, type[TicketCommand]] = {}
"""Action name → the command that declares it, in the order of a ticket's life."""


class TicketCommand(ABC):
    """A command to an existing ticket; subclasses are frozen dataclasses."""

    action: ClassVar[Action]

    def __init_subclass__(
        cls,
        *,
        name: str,
        sources: Iterable[Status],
        by: str,
        meaning: str,
        target: Status | None = None,
        keeps: Iterable[Status] = (),
        agents: AgentAction | None = None,
    ) -> None:
        super().__init_subclass__()
        cls.action = Action(name, frozenset(sources), target, by, meaning, frozenset(keeps), agents)
        ACTIONS[name] = cls

    @abstractmethod
    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[Event]:
        """The events that the command causes; none if it changes nothing.

        The caller has checked the ticket's status.

        Raises:
            ActionNotAllowed: the state of the ticket does not allow it.
            InvalidInput: the content is invalid under the playbook.
        """


def agent_actions() -> dict[str, AgentAction]:
    return {
        name: command.action.agents
        for name, command in ACTIONS.items()
        if command.action.agents is not None
    }


def allowed(ticket: Ticket) -> tuple[str, ...]:
    """The listed agents' actions that the ticket's status allows."""
    names = [
        name
        for name, agents in agent_actions().items()
        if agents.listed and ticket.status in ACTIONS[name].action.sources
    ]
    if ticket.calls and ticket.status in ACTIONS["record-call"].action.sources:
        names.append("record-call")
    # A ticket in review is assigned to a reviewer.
    return ("assign", *names) if ticket.status == "in_review" else tuple(names)


def steps_allowed(ticket: Ticket, playbook: Playbook) -> tuple[str, ...]:
    """The desk's own steps that the ticket's status allows; `approve` if one is pending."""
    steps = [
        name
        for name, step in playbook.steps.items()
        if ticket.status in step.source and (not step.answers or open_slips(step, ticket))
    ]
    if ticket.pending is not None and ticket.status in OPEN:
        steps.insert(0, "approve")
    return tuple(steps)


def action_name(action: str, step: Step | None = None) -> Mapping[Locale, str]:
    """Name an action in an error: in English as in the address of its call."""
    agents = agent_actions().get(action)
    chinese = agents.label[0] if agents else step.label["zh-CN"] if step else action
    return {"zh-CN": chinese, "en": action}


def not_allowed(action: str, ticket: Ticket, playbook: Playbook) -> ActionNotAllowed:
    status = playbook.statuses.get(ticket.status)
    values: dict[str, Any] = {
        "action": action_name(action, playbook.steps.get(action)),
        "status": status.label if status else ticket.status,
    }
    detail = Phrase("{action} is not possible while the ticket is {status}.", **values)
    if ticket.merged:
        values["into"] = ticket.merged.into
        detail = Phrase(
            "{action} is not possible while the ticket is {status}. It goes on as {into}.", **values
        )
    return ActionNotAllowed(detail, (*allowed(ticket), *steps_allowed(ticket, playbook)))


def require_known(field: str, name: str, terms: Mapping[str, Any]) -> None:
    """Raise `InvalidInput` for a name that the playbook does not have."""
    errors = unknown_names(field, (name,), terms)
    if errors:
        raise InvalidInput(
            Phrase("There is no {field} '{name}' on this desk.", field=field, name=name), errors
        )


def unknown_names(
    field: str, names: Iterable[str], terms: Mapping[str, Any]
) -> tuple[FieldError, ...]:
    """An error for the field if it names something that the playbook does not have."""
    if all(name in terms for name in names):
        return ()
    return (one_of(field, terms),)


def one_of(field: str, terms: Mapping[str, Any]) -> FieldError:
    """The error for a field that has to name one of these terms, by their labels if they have."""
    return FieldError(
        field,
        Phrase(
            "one of: {names}", names=[getattr(term, "label", key) for key, term in terms.items()]
        ),
    )


def reopened(
    ticket: Ticket, reason: str, playbook: Playbook, to: ReopenTo = "team"
) -> TicketReopened:
    team = playbook.team_or_last(ticket.solved_by or ticket.team)
    return TicketReopened(reason=reason, team=team, to=to)
