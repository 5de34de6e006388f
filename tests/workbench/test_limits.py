"""Limits of roles, texts and idempotency keys in the agents' API."""

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.core.domain import commands as c
from functions.core.domain.errors import Forbidden
from functions.core.domain.events import OriginalOpened
from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from functions.core.services.command_service import change
from functions.core.services.create_ticket import TicketCreator
from functions.core.services.rights import may_step, principal_of
from functions.core.storage.database import Storage
from functions.core.storage.tickets import SealedOriginal, Tickets
from functions.workbench import calls
from tests.core.sample_desk import DESK, NOON, both, file_ticket
from tests.workbench.conftest import NUMBER, ROSTER, SignedIn

pytestmark = pytest.mark.requirement("A7", "A13", "A15", "G1", "G4")
PHONE = "13800138000"
OTHER = "CS20260310002"


@pytest.mark.requirement("A7", "A13")
def test_each_queue_is_open_to_its_roles_only(signed_in: SignedIn) -> None:
    """Agents see their own and their team's tickets, QA what it reviews, finance nothing."""
    leading = {"supervisor", "qa", "all", "mine", "team", "unassigned", "tasks"}
    seen = {
        "agent-1": {"mine", "team", "unassigned", "tasks"},
        "supervisor-1": leading,
        "qa-1": {"qa", "all", "mine", "tasks"},
        "finance-1": set[str](),
    }
    for who, queues in seen.items():
        for queue in leading:
            if queue in queues:
                assert signed_in(who).numbers(queue=queue) == []
            else:
                with pytest.raises(Forbidden):
                    signed_in(who).tickets(queue=queue)


WRITTEN: list[tuple[str, str, list[c.Command], dict[str, Any]]] = [
    ("agent-1", "reply", [], {"text": PHONE}),
    ("agent-1", "request-info", [], {"text": PHONE}),
    ("agent-1", "note", [], {"text": PHONE}),
    ("agent-1", "resolve", [], {"summary": PHONE}),
    ("agent-1", "reopen", [c.Resolve("已重置密码")], {"reason": PHONE}),
    ("agent-1", "priority", [], {"priority": "high", "reason": PHONE}),
    ("agent-1", "merge", [], {"into": OTHER, "reason": PHONE}),
    ("agent-1", "unmerge", [c.Merge(OTHER)], {"reason": PHONE}),
    ("supervisor-1", "close", [], {"reason": PHONE}),
    ("supervisor-1", "assign", [], {"agent": "agent-2", "reason": PHONE}),
    ("supervisor-1", "assign", [], {"team": "general", "reason": PHONE}),
    ("supervisor-1", "assign", [], {"queue": "supervisor", "reason": PHONE}),
    (
        "qa-1",
        "callback",
        [c.Resolve("已重置密码"), c.AnswerSurvey(2)],
        {"cause": f"见 {PHONE}", "note": PHONE},
    ),
]


@pytest.mark.requirement("G4")
@pytest.mark.parametrize(
    ("who", "action", "before", "body"),
    WRITTEN,
    ids=[f"{action}-{index}" for index, (_, action, _, _) in enumerate(WRITTEN)],
)
def test_every_text_of_an_agent_is_masked(
    storage: Storage,
    playbook: Playbook,
    signed_in: SignedIn,
    who: str,
    action: str,
    before: list[c.Command],
    body: dict[str, Any],
) -> None:
    """In reasons and remarks too."""
    for number in (NUMBER, OTHER):
        file_ticket(storage, playbook, number)
    for command in (c.Assign("technical", "agent-1", by_person=True), *before):
        change(storage, "testdesk", NUMBER, command, playbook, NOON, actor="agent-1")
    signed_in(who).act(action, **body)
    found = str([storage.tickets.items("testdesk", number) for number in (NUMBER, OTHER)])
    assert PHONE not in found
    assert "138****8000" in found


@pytest.mark.requirement("G4")
def test_the_reason_for_opening_an_original_is_masked(
    storage: Storage, playbook: Playbook, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The act stays in the history."""
    file_ticket(storage, playbook, NUMBER)
    command = c.Assign("technical", "agent-1", by_person=True)
    change(storage, "testdesk", NUMBER, command, playbook, NOON, actor="agent-1")
    first = storage.tickets.history("testdesk", NUMBER)[0]
    sealed = SealedOriginal(first, "original", (b"sealed",))
    monkeypatch.setattr(Tickets, "original", lambda *_: sealed)
    signed_in("agent-1").act("open-original", message=1, reason=f"回电 {PHONE}")
    (act,) = storage.tickets.history("testdesk", NUMBER)[-1].of(OriginalOpened)
    assert act.reason == "回电 138****8000"


@pytest.mark.requirement("D4", "D9")
@pytest.mark.parametrize(
    ("who", "by", "may"),
    [
        ("agent-1", "agent", True), ("agent-3", "agent", False), ("agent-1", "qa", False),
        ("finance-1", "supervisor", False), ("supervisor-1", "agent", True),
        ("supervisor-1", "qa", False),
    ],
)  # fmt: skip
def test_a_step_s_team_needs_the_step_s_role(
    storage: Storage, signed_in: SignedIn, who: str, by: str, may: bool
) -> None:
    """Membership of the named team gives no other role."""
    step = {
        "label": both("入库"), "by": by, "teams": ["technical", "leads"],
        "source": ["assigned", "in_progress"],
    }  # fmt: skip
    teams = {**DESK["teams"], "leads": {"label": both("主管组"), "role": "supervisor"}}
    playbook = load({**DESK, "teams": teams, "steps": {"stock": step}})
    file_ticket(storage, playbook, NUMBER)
    given = c.Assign("technical", "agent-2", by_person=True)
    ticket = change(storage, "testdesk", NUMBER, given, playbook, NOON, actor="system")
    at = principal_of(storage, _caller(who), "testdesk", NOON)
    assert may_step(at, playbook.steps["stock"], ticket) is may


def _caller(who: str) -> Any:
    from functions.core.services.rights import caller

    role, _ = ROSTER[who]
    return caller({"cognito:username": who, "cognito:groups": f"testdesk:{role}"})


@pytest.mark.requirement("G1")
def test_an_idempotency_key_is_separate_per_agent(
    storage: Storage, signed_in: SignedIn, creator: TicketCreator
) -> None:
    numbers = []
    for who in ("agent-1", "agent-2", "agent-1"):
        body = {"contact": PHONE, "description": f"{who} 来电"}
        request = replace(
            signed_in(who).request("POST"),
            body=json.dumps(body).encode(),
            headers={"idempotency-key": "k1"},
        )
        answer = calls.enter_ticket(request, storage, "testdesk", creator)
        numbers.append(answer.body["number"])
    assert numbers[0] == numbers[2] != numbers[1]


@pytest.fixture
def creator(storage: Storage) -> TicketCreator:
    return TicketCreator(
        storage=storage,
        seal=lambda desk, number, contact: b"sealed",
        seal_original=lambda desk, number, words: (),
        root_key=bytes(32),
        public_url="https://desk.example.com",
    )
