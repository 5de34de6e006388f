"""Roles and rights of agents (contract, section 2: 401, 403, 404)."""

from datetime import timedelta
from typing import Any

import pytest

from functions.core.domain.commands import agent_actions
from functions.core.domain.commands.base import LEADERS
from functions.core.domain.errors import Forbidden, NotFound, Unauthorised
from functions.core.domain.roster import Role
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.rights import (
    Principal,
    caller,
    desks_of,
    may,
    principal_of,
    require_action,
)
from functions.core.storage.database import Storage
from functions.core.storage.roster import MAX_CACHED, ROSTER_TTL, CachedAgent
from functions.core.storage.table import key
from tests.core.sample_desk import NOON, agent, received
from tests.workbench.conftest import ROSTER, Agent, SignedIn

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ("standard:agent", {"standard"}),
        ("standard:agent,standard:supervisor", {"standard"}),
        ("[a:qa b:agent]", {"a", "b"}),
        (["a:qa", "*:admin"], {"a", "*"}),
        ("a:owner, other, :agent, a:", set()),
        ("", set()),
        (None, set()),
    ],
)
def test_groups_name_desks(groups: object, expected: set[str]) -> None:
    """API Gateway writes a token's list as text, in several forms."""
    assert desks_of(groups) == expected


def test_an_entry_for_every_desk_applies_to_each_without_an_own_entry(storage: Storage) -> None:
    storage.roster.put(agent("a", desk="*", role="admin", team=""))
    storage.roster.put(agent("a", role="qa", team="qa"))
    who = caller({"cognito:username": "a", "cognito:groups": "*:admin"})
    assert principal_of(storage, who, "testdesk", NOON).roles == {"qa"}
    other = principal_of(storage, who, "other", NOON)
    assert (set(other.roles), other.team, other.assignable) == ({"admin"}, None, False)


@pytest.mark.parametrize("claims", [{}, {"cognito:username": ""}, {"cognito:username": 5}])
def test_a_request_without_a_username_is_401(claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthorised):
        caller(claims)


def test_another_desk_is_404(storage: Storage, signed_in: SignedIn) -> None:
    """Like its tickets."""
    stranger = Agent(storage, "agent-1", "otherdesk:supervisor")
    with pytest.raises(NotFound) as other:
        stranger.tickets()
    storage.roster.put(agent("admin", desk="*", role="admin", team=""))
    with pytest.raises(NotFound) as missing:
        Agent(storage, "admin", "*:admin").tickets(desk="nowhere")
    assert other.value.detail == missing.value.detail


def test_every_action_has_rights() -> None:
    assert all(action.rights for action in agent_actions().values())
    assert all("finance" not in action.rights for action in agent_actions().values())


def _principal(username: str, *roles: Role) -> Principal:
    role, team = ROSTER[username]
    first, *further = roles or (role,)
    person = agent(username, role=first, further_roles=tuple(further), team=team)
    return Principal(username, "testdesk", person)


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
        "unreviewed": new.model_copy(update={**held, "status": "in_review", "queue": "qa"}),
        "call-back": new.model_copy(
            update={**held, "status": "in_review", "queue": "waiting", "handler": None}
        ),
        "call": new.model_copy(update={**held, "calls": (4,)}),
    }


EVERY = "new waiting supervisor held review unreviewed call-back call"


@pytest.mark.requirement("A7", "A13", "B8", "D13")
@pytest.mark.parametrize(
    ("who", "action", "on"),
    [
        ("agent-1", "take", "new waiting held review unreviewed call-back call"),
        ("agent-1", "reply", "held review unreviewed call"),
        ("agent-1", "assign", ""),
        ("agent-1", "close", ""),
        ("agent-1", "callback", "call-back"),
        ("agent-1", "open-contact", "call-back call"),
        ("agent-1", "record-call", "call-back call"),
        ("agent-2", "take", "new waiting call-back"),
        ("agent-2", "note", "new waiting call-back"),
        ("agent-2", "reply", ""),
        ("agent-2", "resolve", ""),
        ("agent-2", "open-contact", "call-back"),
        ("agent-3", "take", "new review"),
        ("agent-3", "callback", "review"),
        ("agent-3", "open-contact", "review"),
        ("supervisor-1", "assign", EVERY),
        ("supervisor-1", "open-contact", EVERY),
        ("supervisor-1", "close", EVERY),
        ("qa-1", "assign", "review unreviewed call-back"),
        ("qa-1", "callback", "review unreviewed call-back"),
        ("qa-1", "open-contact", "unreviewed"),
        ("qa-1", "note", EVERY),
        ("qa-1", "reply", ""),
        ("finance-1", "note", ""),
        ("finance-1", "open-contact", ""),
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
        require_action(_principal("agent-1"), "close", tickets["held"], playbook)
    assert "admin, supervisor" in role.value.detail
    with pytest.raises(Forbidden) as hands:
        require_action(_principal("agent-2"), "reply", tickets["held"], playbook)
    assert "neither" in hands.value.detail


def test_roles_add_up(playbook: Playbook) -> None:
    both_roles = _principal("agent-2", "agent", "supervisor")
    assert may(both_roles, "reply", _tickets(playbook)["held"])


def test_roles_and_team_come_from_the_roster_whatever_the_token_says(storage: Storage) -> None:
    who = caller({"cognito:username": "agent-1", "cognito:groups": "testdesk:supervisor"})
    principal = principal_of(storage, who, "testdesk", NOON)
    assert (set(principal.roles), principal.team) == ({"agent"}, "technical")


def test_a_changed_role_holds_after_30_seconds(storage: Storage) -> None:
    """Another container changes it, so this one still has the entry that it read."""
    who = caller({"cognito:username": "agent-1", "cognito:groups": "testdesk:agent"})
    principal_of(storage, who, "testdesk", NOON)
    Storage.on(storage.table.client, storage.table.name).roster.put(
        agent("agent-1", role="qa", team="qa")
    )
    before = principal_of(storage, who, "testdesk", NOON + ROSTER_TTL - SECOND)
    after = principal_of(storage, who, "testdesk", NOON + ROSTER_TTL)
    assert (set(before.roles), set(after.roles)) == ({"agent"}, {"qa"})


@pytest.mark.parametrize("how", ["deactivated", "removed"])
def test_who_has_left_is_401_within_30_seconds(storage: Storage, how: str) -> None:
    """The token is still valid, and another container ended the access."""
    who = caller({"cognito:username": "agent-1", "cognito:groups": "testdesk:agent"})
    principal_of(storage, who, "testdesk", NOON)
    other = Storage.on(storage.table.client, storage.table.name)
    if how == "deactivated":
        other.roster.set_active("testdesk", "agent-1", False)
    else:
        storage.table.client.delete_item(
            TableName=storage.table.name, Key=key("DESK#testdesk", "AGENT#agent-1")
        )
    with pytest.raises(Unauthorised):
        principal_of(storage, who, "testdesk", NOON + ROSTER_TTL)


def test_who_was_never_on_the_roster_is_401(storage: Storage) -> None:
    guest = caller({"cognito:username": "guest", "cognito:groups": "testdesk:admin"})
    with pytest.raises(Unauthorised):
        principal_of(storage, guest, "testdesk", NOON)


def test_invented_names_do_not_fill_the_memory(storage: Storage) -> None:
    for number in range(MAX_CACHED + 5):
        storage.roster.cache["testdesk", f"a{number}"] = CachedAgent(NOON, None)
    storage.roster.current("testdesk", "agent-1", NOON)
    assert len(storage.roster.cache) == 1


def test_calls_within_30_seconds_read_the_roster_once(
    storage: Storage, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    get = storage.roster.get

    def counted(desk: str, username: str) -> Any:
        reads.append(username)
        return get(desk, username)

    monkeypatch.setattr(storage.roster, "get", counted)
    for _ in range(3):
        signed_in("agent-1").tickets()
    assert reads == ["agent-1"]


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
        "open-contact": {"agent": "call", "qa": "call"},
        "record-call": {"agent": "call", "qa": "call"},
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
