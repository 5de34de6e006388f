"""Who may do what: the caller's roles on a desk, and the one table of rights.

Roles are groups of the user pool, `<desk>:<role>`; `*:<role>` holds on every desk. Team and places
are the roster's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from functions.core.domain.errors import Forbidden, NotFound, Unauthorised
from functions.core.domain.lifecycle import allowed, steps_allowed
from functions.core.domain.roster import Agent, Role
from functions.core.domain.rules import Playbook, Step
from functions.core.domain.ticket import Ticket
from functions.core.storage.store import Store

Scope = Literal["own", "team", "given", "review", "merged", "any"]
"""On which tickets a right holds.

`own`: in the caller's hands. `given`: the caller is to call the customer back, which whoever
handled the ticket is not by that alone (A13), but every member of a team that has to (D13).
`team`: both, and what waits in the caller's team's queue or for routing. `review`: those in QA's
hands. `merged`: those that were in the caller's hands when they were merged, or that the caller
merged.
"""

RANKED: tuple[Role, ...] = ("admin", "supervisor", "qa", "agent", "finance")
"""Of several roles on a desk, the first is the one that is shown."""

ANY_DESK = "*"

_LEADING: Mapping[Role, Scope] = {"supervisor": "any", "admin": "any"}

RIGHTS: Mapping[str, Mapping[Role, Scope]] = {
    "confirm-type": {"agent": "team", **_LEADING},
    "take": {"agent": "team", **_LEADING},
    "assign": {"qa": "review", **_LEADING},
    "priority": {"agent": "team", **_LEADING},
    "reply": {"agent": "own", **_LEADING},
    "request-info": {"agent": "own", **_LEADING},
    "note": {"agent": "team", "qa": "any", **_LEADING},
    "resolve": {"agent": "own", **_LEADING},
    "reopen": {"agent": "own", **_LEADING},
    "callback": {"agent": "given", "qa": "review", **_LEADING},
    "approve": _LEADING,
    "close": _LEADING,
    "merge": {"agent": "team", **_LEADING},
    "unmerge": {"agent": "merged", **_LEADING},
    "open-original": {"agent": "own", "qa": "review", **_LEADING},
    "class-customer": _LEADING,
    "correct-contact": {"agent": "team", "qa": "review", **_LEADING},
}
"""Action → role → on which tickets. A role that is missing may not at all."""

SEES_TICKETS: frozenset[Role] = frozenset({"agent", "supervisor", "qa", "admin"})
ENTERS_TICKETS: frozenset[Role] = frozenset({"agent", "supervisor", "admin"})

_GROUP = re.compile(r"[\[\]\s,]+")


@dataclass(frozen=True)
class Caller:
    """Who calls, by the claims of a token that API Gateway has checked."""

    username: str
    roles: Mapping[str, frozenset[Role]] = field(default_factory=dict)

    def on(self, desk: str) -> frozenset[Role]:
        """The roles on a desk."""
        return self.roles.get(desk, frozenset()) | self.roles.get(ANY_DESK, frozenset())


@dataclass(frozen=True)
class Principal:
    """A caller at one desk; `agent` is the roster's entry, None where there is none."""

    username: str
    desk: str
    roles: frozenset[Role]
    agent: Agent | None

    @property
    def team(self) -> str | None:
        return self.agent.team if self.agent else None


def caller(claims: Mapping[str, object]) -> Caller:
    """The caller, from the claims of an identity token.

    Raises:
        Unauthorised: there is no username in them.
    """
    username = claims.get("cognito:username")
    if not isinstance(username, str) or not username:
        raise Unauthorised("Sign in by POST /session and send its token as a bearer token.")
    return Caller(username, roles_of(claims.get("cognito:groups")))


def roles_of(groups: object) -> dict[str, frozenset[Role]]:
    """Desk → roles. API Gateway hands groups on as text: `a:agent,b:qa` or `[a:agent b:qa]`.

    Groups of another form belong to somebody else and give nothing.
    """
    names = groups if isinstance(groups, list | tuple) else _GROUP.split(str(groups or ""))
    found: dict[str, frozenset[Role]] = {}
    for name in names:
        desk, _, role = str(name).partition(":")
        if desk and role in get_args(Role):
            found[desk] = found.get(desk, frozenset()) | {cast("Role", role)}
    return found


def first_of(roles: frozenset[Role]) -> Role:
    """The role that stands for all of them."""
    return next(role for role in RANKED if role in roles)


def seat(store: Store, who: Caller, desk: str) -> Principal:
    """The caller at a desk.

    Raises:
        NotFound: the caller has nothing to do with this desk, or it does not exist.
    """
    roles = who.on(desk)
    if not roles:
        raise NotFound("There is no such desk.")
    return Principal(who.username, desk, roles, store.agent(desk, who.username))


def require(at: Principal, roles: frozenset[Role], what: str) -> None:
    """Let pass whoever has one of `roles`.

    Raises:
        Forbidden: the caller has none of them.
    """
    if not at.roles & roles:
        needed = ", ".join(role for role in RANKED if role in roles)
        raise Forbidden(f"To {what} takes one of these roles: {needed}.")


def require_action(at: Principal, action: str, ticket: Ticket) -> None:
    """Let pass whoever may carry `action` out on this ticket.

    Raises:
        Forbidden: the role does not give the right, or not on this ticket.
    """
    require(at, frozenset(RIGHTS[action]), action)
    if not may(at, action, ticket):
        raise _not_yours(action)


def require_both(at: Principal, action: str, tickets: Sequence[Ticket]) -> None:
    """Let pass whoever may bring these tickets together: one customer's, or a supervisor's decision
    that two customers' requests are one.

    Raises:
        Forbidden: they are different customers', whose data an agent alone does not put together.
    """
    if action == "merge" and len({ticket.customer.hash for ticket in tickets}) > 1:
        require(at, frozenset(_LEADING), "merge the tickets of different customers")


def require_step(at: Principal, name: str, step: Step, ticket: Ticket) -> None:
    """Let pass whoever may take a step of the desk's own on this ticket.

    Raises:
        Forbidden: the playbook names other roles, or the ticket is not in the caller's hands.
    """
    require(at, _roles_of(step), name)
    if not may_step(at, step, ticket):
        raise _not_yours(name)


def _not_yours(action: str) -> Forbidden:
    if action == "callback":
        return Forbidden(
            "You may not record this call-back: quality assurance, or the team that has to call, "
            "does, and whoever it is given to."
        )
    return Forbidden(
        f"You may not {action} this ticket: it is neither in your hands nor waiting for your "
        "team. Whoever may assign it can give it to you."
    )


def _roles_of(step: Step) -> frozenset[Role]:
    """The roles that may take a step: supervisors stand in for agents, here as everywhere."""
    named = frozenset(role for role in RANKED if role in step.by)
    return named | _LEADING.keys() if "agent" in named else named


def may_step(at: Principal, step: Step, ticket: Ticket) -> bool:
    """Whether the caller's roles give the right to a step on this ticket.

    An agent may on what is in the agent's own hands, and, where a step is meant for it, on what is
    in nobody's and waits for the agent's team; members of the teams that the step names may
    everywhere (D4, D9).
    """
    roles = at.roles & _roles_of(step)
    if roles - {"agent"} or (roles and at.team in step.teams):
        return True
    scope: Scope = "own" if ticket.handler else "team"
    return "agent" in roles and _HOLDS[scope](at, ticket)


def may(at: Principal, action: str, ticket: Ticket) -> bool:
    """Whether the caller's roles give the right to `action` on this ticket."""
    scopes = (RIGHTS[action].get(role) for role in at.roles)
    return any(_HOLDS[scope](at, ticket) for scope in scopes if scope is not None)


def possible(at: Principal, ticket: Ticket, playbook: Playbook) -> list[str]:
    """The actions that both the ticket's status and the caller's rights allow; the desk's own
    steps are among them."""
    found = [action for action in allowed(ticket) if may(at, action, ticket)]
    if "approve" in steps_allowed(ticket, playbook) and may(at, "approve", ticket):
        found.append("approve")
    if ticket.customer.undeliverable and may(at, "correct-contact", ticket):
        found.append("correct-contact")
    return [*found, *possible_steps(at, ticket, playbook)]


def possible_steps(at: Principal, ticket: Ticket, playbook: Playbook) -> list[str]:
    """The desk's own steps that both the ticket's status and the caller's rights allow."""
    return [
        name
        for name in steps_allowed(ticket, playbook)
        if name in playbook.steps and may_step(at, playbook.steps[name], ticket)
    ]


def among_its_people(at: Principal, ticket: Ticket) -> bool:
    """Whether the caller works on this ticket, and so may open its files."""
    if at.roles & {"supervisor", "admin", "qa"}:
        return True
    return at.username in (ticket.handler, ticket.reviewer) or ticket.team in (None, at.team)


def _team(at: Principal, ticket: Ticket) -> bool:
    waits = ticket.queue in {"new", "waiting"} and ticket.team in (None, at.team)
    return waits or at.username in (ticket.handler, ticket.reviewer)


def _given(at: Principal, ticket: Ticket) -> bool:
    asked = ticket.status == "in_review" and ticket.queue == "waiting" and ticket.team == at.team
    return asked or ticket.reviewer == at.username


_HOLDS: Mapping[Scope, Callable[[Principal, Ticket], bool]] = {
    "own": lambda at, ticket: ticket.handler == at.username,
    "given": _given,
    "team": _team,
    "review": lambda at, ticket: ticket.status == "in_review",
    "merged": lambda at, ticket: (
        at.username in (ticket.handler, ticket.merged.by if ticket.merged else None)
    ),
    "any": lambda at, ticket: True,
}
