"""Rights: the caller's roles on a desk, and the tickets on which they allow an action.

The token says who calls, and by its groups (`<desk>:<role>`, `*:<role>`) at which desks; the roster
says as what: roles, team, and whether the person is still active. The entry read is at most
`ROSTER_TTL` old and overrides the token, which may be an hour old. The rights of an action are
declared with its command (`functions.core.domain.commands`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from functions.core.domain import commands as c
from functions.core.domain.commands.base import (
    LEADERS,
    Scope,
    action_name,
    allowed,
    steps_allowed,
)
from functions.core.domain.errors import Forbidden, NotFound, Phrase, Unauthorised
from functions.core.domain.roster import Agent, Role
from functions.core.domain.rules import Locale, Playbook, Step
from functions.core.domain.tasks import (
    has_task,
    has_to_call,
    has_to_call_back,
    may_call_back,
    open_slips,
)
from functions.core.domain.ticket import DONE, OPEN, Ticket
from functions.core.services.merging import same_customer
from functions.core.storage.database import Storage

RANKED: tuple[Role, ...] = ("admin", "supervisor", "qa", "agent", "finance")
"""The roles by rank; of several roles on a desk, the first is shown."""

ANY_DESK = "*"

SEES_TICKETS: frozenset[Role] = frozenset({"agent", "supervisor", "qa", "admin"})
SEPARATES_CUSTOMERS: frozenset[Role] = frozenset(LEADERS)
WRITES_ARTICLES: frozenset[Role] = frozenset(LEADERS)
ENTERS_TICKETS: frozenset[Role] = frozenset({"agent", "supervisor", "admin"})

_GROUP = re.compile(r"[\[\]\s,]+")


@dataclass(frozen=True)
class Caller:
    """The caller and the desks of the token's groups, which API Gateway has verified."""

    username: str
    desks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Principal:
    """The caller at one desk, as the roster has them; `agent` may be the entry for every desk."""

    username: str
    desk: str
    agent: Agent

    @property
    def roles(self) -> frozenset[Role]:
        return self.agent.roles

    @property
    def team(self) -> str | None:
        return self.agent.team if self.assignable else None

    @property
    def assignable(self) -> bool:
        """Return whether this desk's tickets can be assigned to the caller."""
        return self.agent.assignable and self.agent.desk == self.desk


def caller(claims: Mapping[str, object]) -> Caller:
    """Read the caller from the claims of an identity token.

    Raises:
        Unauthorised: they contain no username.
    """
    username = claims.get("cognito:username")
    if not isinstance(username, str) or not username:
        raise Unauthorised("Sign in by POST /session and send its token as a bearer token.")
    return Caller(username, desks_of(claims.get("cognito:groups")))


def desks_of(groups: object) -> frozenset[str]:
    """The desks of groups. API Gateway passes groups as text: `a:agent,b:qa` or `[a:agent b:qa]`.

    Groups of any other form belong to other applications and are ignored.
    """
    names = groups if isinstance(groups, list | tuple) else _GROUP.split(str(groups or ""))
    parts = (str(name).partition(":") for name in names)
    return frozenset(desk for desk, _, role in parts if desk and role in get_args(Role))


def highest_role(roles: frozenset[Role]) -> Role:
    """The first of these roles in the order of `RANKED`."""
    return next(role for role in RANKED if role in roles)


def principal_of(storage: Storage, signed_in: Caller, desk: str, now: datetime) -> Principal:
    """Return the caller at a desk.

    Raises:
        NotFound: the token names neither this desk nor every desk.
        Unauthorised: the caller is not on the roster, or was deactivated.
    """
    if not signed_in.desks & {desk, ANY_DESK}:
        raise NotFound("There is no such desk.")
    agent = storage.roster.current(desk, signed_in.username, now)
    if agent is None and ANY_DESK in signed_in.desks:
        agent = storage.roster.current(ANY_DESK, signed_in.username, now)
    if agent is None or not agent.active:
        raise Unauthorised("You do not work at this desk any more.")
    return Principal(signed_in.username, desk, agent)


def require(principal: Principal, roles: frozenset[Role], purpose: object) -> None:
    """Require one of `roles`.

    Raises:
        Forbidden: the caller has none of them.
    """
    if not principal.roles & roles:
        needed = [role for role in RANKED if role in roles]
        raise Forbidden(
            Phrase(
                "You need one of these roles to {purpose}: {roles}.", purpose=purpose, roles=needed
            )
        )


def require_action(
    principal: Principal,
    action: str,
    ticket: Ticket,
    playbook: Playbook,
    *,
    handler_is_offline: bool = False,
) -> None:
    """Require the right to `action` on this ticket.

    Args:
        handler_is_offline: the ticket's team may take it over.

    Raises:
        Forbidden: the caller's roles do not give it, in general or on this ticket.
    """
    require(principal, frozenset(_rights(action)), action_name(action))
    if action == "open-contact" and may_open_contact(principal, ticket, playbook):
        return
    if not (
        may(principal, action, ticket)
        or (handler_is_offline and may_take_over(principal, action, ticket))
    ):
        raise _not_yours(action, action_name(action))


def may_take_over(principal: Principal, action: str, ticket: Ticket) -> bool:
    """Return whether the caller may take a colleague's ticket while the colleague is offline."""
    in_team = principal.team is not None and principal.team == ticket.team
    return action == "take" and in_team and ticket.in_hand_of not in (None, principal.username)


def is_offline(storage: Storage, ticket: Ticket) -> bool:
    """Return whether a ticket is in the hand of somebody who is offline or has left."""
    handler = ticket.in_hand_of
    if handler is None:
        return False
    agent = storage.roster.get(ticket.desk, handler)
    return agent is None or not (agent.online and agent.assignable)


def require_merge_right(principal: Principal, action: str, tickets: Sequence[Ticket]) -> None:
    """Require a supervisor to merge tickets that may be of different customers.

    Raises:
        Forbidden: an agent may not combine the data of different customers.
    """
    if action == "merge" and not same_customer(*tickets):
        purpose = Phrase("merge tickets of different customers, or of a contact that is not proven")
        require(principal, frozenset(LEADERS), purpose)


def may_correct_contact(principal: Principal, ticket: Ticket) -> bool:
    """Return whether the caller may name another contact.

    Whoever changes a contact that works sends the customer's messages elsewhere, so a supervisor
    has to do it.
    """
    customer = ticket.customer
    works = customer.undeliverable is None or customer.complained
    return not works or not principal.roles.isdisjoint(LEADERS)


def may_open_contact(principal: Principal, ticket: Ticket, playbook: Playbook) -> bool:
    """Return whether the caller may open the customer's contact: whoever has to call (A13, B8,
    D13), and the handler for the first response, if a step that is a call can give it (E3)."""
    if ticket.erased:
        return False
    if may(principal, "open-contact", ticket):
        return True
    handles = ticket.handler == principal.username and ticket.customer.kind == "phone"
    first = handles and ticket.first_response_at is None
    steps = possible_steps(principal, ticket, playbook) if first else ()
    return any(playbook.steps[name].calls for name in steps)


def require_step(principal: Principal, name: str, step: Step, ticket: Ticket) -> None:
    """Require the right to one of the desk's own steps on this ticket.

    Raises:
        Forbidden: the playbook names other roles, or the caller does not handle the ticket.
    """
    require(principal, _roles_of(step), action_name(name, step))
    if not may_step(principal, step, ticket):
        if step.answers:
            raise Forbidden("Only the department that was asked may answer.")
        raise _not_yours(name, action_name(name, step))


def _not_yours(action: str, named: Mapping[Locale, str]) -> Forbidden:
    if action == "callback":
        return Forbidden(
            "You may not record this call-back: quality assurance, the team that has to call, and "
            "the assigned reviewer may."
        )
    if action in {"open-contact", "record-call"}:
        return Forbidden(
            Phrase(
                "You may not {action} on this ticket: only whoever has to call this customer may.",
                action=named,
            )
        )
    return Forbidden(
        Phrase(
            "You may not {action} this ticket: it is neither assigned to you nor waiting for your "
            "team. A supervisor can assign it to you.",
            action=named,
        )
    )


def _roles_of(step: Step) -> frozenset[Role]:
    """The roles that may take a step; supervisors and admins may do what agents may."""
    roles = frozenset(role for role in RANKED if role in step.by)
    return roles | LEADERS.keys() if "agent" in roles else roles


def may_step(principal: Principal, step: Step, ticket: Ticket) -> bool:
    """Return whether the caller's roles give the right to a step on this ticket.

    An agent needs to handle the ticket, or an unassigned one must wait for the agent's team;
    members of the step's own teams may take it on every ticket (D4, D9). Only members of the
    department that was asked, and supervisors, may answer a slip (B6, E5).
    """
    roles = principal.roles & _roles_of(step)
    if step.answers:
        asked = {slip.team for slip in open_slips(step, ticket)}
        return bool(roles) and (principal.team in asked or not roles.isdisjoint(LEADERS))
    if roles - {"agent"} or (roles and principal.team in step.teams):
        return True
    scope: Scope = "own" if ticket.handler else "team"
    return "agent" in roles and _SCOPES[scope](principal, ticket)


def may(principal: Principal, action: str, ticket: Ticket) -> bool:
    """Return whether the caller's roles give the right to `action` on this ticket."""
    rights = _rights(action)
    scopes = (rights.get(role) for role in principal.roles)
    return any(_SCOPES[scope](principal, ticket) for scope in scopes if scope is not None)


def _rights(action: str) -> Mapping[Role, Scope]:
    return c.agent_actions()[action].rights


def possible_actions(
    principal: Principal, ticket: Ticket, playbook: Playbook, *, handler_is_offline: bool = False
) -> list[str]:
    """The actions, the desk's own steps included, that status and rights allow."""
    actions = [
        action
        for action in allowed(ticket)
        if may(principal, action, ticket)
        or (handler_is_offline and may_take_over(principal, action, ticket))
    ]
    if "approve" in steps_allowed(ticket, playbook) and may(principal, "approve", ticket):
        actions.append("approve")
    if may_correct_contact(principal, ticket) and may(principal, "correct-contact", ticket):
        actions.append("correct-contact")
    if ticket.status in OPEN | DONE and may_open_contact(principal, ticket, playbook):
        actions.append("open-contact")
    return [*actions, *possible_steps(principal, ticket, playbook)]


def possible_steps(principal: Principal, ticket: Ticket, playbook: Playbook) -> list[str]:
    """The desk's own steps that status and rights allow."""
    return [
        name
        for name in steps_allowed(ticket, playbook)
        if name in playbook.steps and may_step(principal, playbook.steps[name], ticket)
    ]


def works_on(principal: Principal, ticket: Ticket) -> bool:
    """Return whether the caller works on this ticket and may open its files."""
    if principal.roles & {"supervisor", "admin", "qa"}:
        return True
    return (
        principal.username in (ticket.handler, ticket.reviewer)
        or ticket.team in (None, principal.team)
        or has_task(principal.agent, ticket)
    )


def _waits_for_team_or_is_own(principal: Principal, ticket: Ticket) -> bool:
    waits = ticket.queue in {"new", "waiting"} and ticket.team in (None, principal.team)
    return waits or principal.username in (ticket.handler, ticket.reviewer)


_SCOPES: Mapping[Scope, Callable[[Principal, Ticket], bool]] = {
    "own": lambda principal, ticket: ticket.handler == principal.username,
    "callback": lambda principal, ticket: has_to_call_back(principal.agent, ticket),
    "call": lambda principal, ticket: has_to_call(principal.agent, ticket),
    "team": _waits_for_team_or_is_own,
    "review": lambda principal, ticket: (
        ticket.status == "in_review" and may_call_back(principal.username, ticket)
    ),
    "merged": lambda principal, ticket: (
        principal.username in (ticket.handler, ticket.merged.by if ticket.merged else None)
    ),
    "any": lambda principal, ticket: True,
}
