"""Roles and rights of agents (contract, section 2: 401, 403, 404)."""

from __future__ import annotations

from typing import Any

import pytest

from functions.core.domain.commands import agent_actions
from functions.core.domain.commands.base import LEADERS
from functions.core.domain.errors import Forbidden, NotFound, Unauthorised
from functions.core.domain.roster import Role
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.storage.database import Storage
from functions.workbench.rights import (
    Principal,
    caller,
    may,
    principal_of,
    require_action,
    roles_of,
)
from tests.core.sample_desk import agent, received
from tests.workbench.conftest import ROSTER, Agent, SignedIn


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ("standard:agent", {"standard": {"agent"}}),
        ("standard:agent,standard:supervisor", {"standard": {"agent", "supervisor"}}),
        ("[a:qa b:agent]", {"a": {"qa"}, "b": {"agent"}}),
        (["a:qa", "*:admin"], {"a": {"qa"}, "*": {"admin"}}),
        ("a:owner, other, :agent, a:", {}),
        ("", {}),
        (None, {}),
    ],
)
def test_groups_give_roles(groups: object, expected: dict[str, set[str]]) -> None:
    """API Gateway writes a token's list as text, in several forms."""
    assert roles_of(groups) == expected


def test_a_group_for_all_desks_applies_to_each() -> None:
    who = caller({"cognito:username": "a", "cognito:groups": "*:admin,one:agent"})
    assert who.on("one") == {"admin", "agent"}
    assert who.on("two") == {"admin"}


@pytest.mark.parametrize("claims", [{}, {"cognito:username": ""}, {"cognito:username": 5}])
def test_a_request_without_a_username_is_401(claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthorised):
        caller(claims)


def test_another_desk_is_404(storage: Storage, signed_in: SignedIn) -> None:
    """Like its tickets."""
    stranger = Agent(storage, "agent-1", "otherdesk:supervisor")
    with pytest.raises(NotFound) as other:
        stranger.tickets()
    with pytest.raises(NotFound) as missing:
        Agent(storage, "admin", "*:admin").tickets(desk="nowhere")
    assert other.value.detail == missing.value.detail


def test_every_action_has_rights() -> None:
    assert all(action.rights for action in agent_actions().values())
    assert all("finance" not in action.rights for action in agent_actions().values())


def _principal(username: str, *roles: Role) -> Principal:
    role, team = ROSTER[username]
    return Principal(
        username,
        "testdesk",
        frozenset(roles or (role,)),  # type: ignore[arg-type]  # the roster's roles are roles
        agent(username, role=role, team=team),
    )


def _tickets(playbook: Playbook) -> dict[str, Ticket]:
    new = received(playbook)
    held = {"status": "assigned", "queue": "agent", "team": "technical", "handler": "agent-1"}
    return {
        "new": new,
        "waiting": new.model_copy(
            update={"status": "queued", "queue": "waiting", "team": "technical"}
        ),
        "supervisor": new.model_copy(
            update={"status": "queued", "queue": "supervisor", "team": "technical"}
        ),
        "held": new.model_copy(update=held),
        "review": new.model_copy(
            update={**held, "status": "in_review", "queue": "qa", "reviewer": "agent-3"}
        ),
    }


@pytest.mark.requirement("A7", "A13")
@pytest.mark.parametrize(
    ("who", "action", "on"),
    [
        ("agent-1", "take", "new waiting held review"),
        ("agent-1", "reply", "held review"),
        ("agent-1", "assign", ""),
        ("agent-1", "close", ""),
        ("agent-1", "callback", ""),
        ("agent-2", "take", "new waiting"),
        ("agent-2", "note", "new waiting"),
        ("agent-2", "reply", ""),
        ("agent-2", "resolve", ""),
        ("agent-3", "take", "new review"),
        ("agent-3", "callback", "review"),
        ("supervisor-1", "assign", "new waiting supervisor held review"),
        ("supervisor-1", "close", "new waiting supervisor held review"),
        ("qa-1", "assign", "review"),
        ("qa-1", "callback", "review"),
        ("qa-1", "note", "new waiting supervisor held review"),
        ("qa-1", "reply", ""),
        ("finance-1", "note", ""),
    ],
)
def test_a_role_has_its_actions_only(playbook: Playbook, who: str, action: str, on: str) -> None:
    """Agents on their own and their team's tickets, supervisors on all, QA on reviews."""
    at = _principal(who)
    found = [name for name, ticket in _tickets(playbook).items() if may(at, action, ticket)]
    assert found == on.split()


def test_a_missing_right_is_403_with_the_reason(playbook: Playbook) -> None:
    tickets = _tickets(playbook)
    with pytest.raises(Forbidden) as role:
        require_action(_principal("agent-1"), "close", tickets["held"])
    assert "admin, supervisor" in role.value.detail
    with pytest.raises(Forbidden) as hands:
        require_action(_principal("agent-2"), "reply", tickets["held"])
    assert "neither" in hands.value.detail


def test_roles_add_up(playbook: Playbook) -> None:
    both_roles = _principal("agent-2", "agent", "supervisor")
    assert may(both_roles, "reply", _tickets(playbook)["held"])


def test_an_agent_s_team_comes_from_the_roster(storage: Storage) -> None:
    who = caller({"cognito:username": "agent-1", "cognito:groups": "testdesk:agent"})
    assert principal_of(storage, who, "testdesk").team == "technical"
    guest = caller({"cognito:username": "guest", "cognito:groups": "testdesk:agent"})
    assert principal_of(storage, guest, "testdesk").team is None


def test_the_rights_of_every_action_are_these() -> None:
    """Supervisors and admins have every right on every ticket."""
    rights = {
        name: {role: scope for role, scope in action.rights.items() if role not in LEADERS}
        for name, action in agent_actions().items()
    }
    assert rights == {
        "confirm-type": {"agent": "team"},
        "take": {"agent": "team"},
        "assign": {"qa": "review"},
        "priority": {"agent": "team"},
        "reply": {"agent": "own"},
        "request-info": {"agent": "own"},
        "note": {"agent": "team", "qa": "any"},
        "open-original": {"agent": "own", "qa": "review"},
        "resolve": {"agent": "own"},
        "reopen": {"agent": "own"},
        "close": {},
        "approve": {},
        "callback": {"agent": "callback", "qa": "review"},
        "merge": {"agent": "team"},
        "unmerge": {"agent": "merged"},
        "set-customer-class": {},
        "correct-contact": {"agent": "team", "qa": "review"},
    }
