"""A changed playbook is rehearsed on real histories: what differs, and nothing else."""

from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from functions.core.domain import commands as c, events as e
from functions.core.domain.classification import classify_request
from functions.core.domain.errors import DeskbellError
from functions.core.domain.lifecycle import apply, decide
from functions.core.domain.playbook_assistant import UPSET
from functions.core.domain.rehearsal import RehearsalSummary, Rehearsed, outcome, rehearsed
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.playbook import load
from tests.core.domain.test_lifecycle import COMMANDS, STEPS
from tests.core.sample_desk import DESK, NOON, SHANGHAI, both, request

pytestmark = pytest.mark.requirement("G15")

RULES = [
    {"id": "burns", "when": {"mentions": "冒烟"}, "then": {"priority": "high"}},
    {"id": "upset", "when": {"mood": "upset"}, "then": {"add_tags": "login"}},
]
VAGUE: dict[str, Any] = {
    "other": {
        "label": both("不清楚"),
        "keywords": ["坏了"],
        "vague": {"ask": "customer", "times": 1, "question": both("?"), "unless_mentions": []},
    }
}


def desk(**changes: Any) -> Playbook:
    return load({**DESK, "steps": STEPS, "rules": RULES, **changes})


CURRENT = desk()


class Life:
    """A ticket that goes through real commands; the sweep comes whenever something is due."""

    def __init__(self, playbook: Playbook = CURRENT, text: str = "无法登录", **given_: Any) -> None:
        self.playbook = playbook
        self.now: datetime = NOON
        self.ticket: Ticket | None = None
        self.commits: list[e.Commit] = []
        filed = request(description=text, **given_)
        self.do(c.Receive("CS1", filed), 0, "customer")

    def do(self, command: c.Command, minutes: int = 1, actor: str = "agent-1") -> None:
        self.wait(minutes)
        self._commit(command, self.now, actor)

    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes, seconds=minutes % 59)
        while self.ticket and (due := self.ticket.next_due) and due < self.now:
            self._commit(c.Tick(), due, "system")

    def _commit(self, command: c.Command, at: datetime, actor: str) -> None:
        events = decide(self.ticket, command, self.playbook, at)
        if events:
            version = len(self.commits) + 1
            commit = e.Commit(
                desk="testdesk", number="CS1", version=version, at=at, actor=actor, events=events
            )
            self.ticket = apply(self.ticket, commit)
            self.commits.append(commit)

    def under(self, changed: Playbook) -> Rehearsed:
        return rehearsed("CS1", self.commits, self.playbook, changed, self.now)

    def differences(self, changed: Playbook) -> dict[str, tuple[str, str]]:
        return {d.what: (d.before, d.after) for d in self.under(changed).differences}


def local(hour: int, minute: int = 0, day: int = 10) -> str:
    moment = datetime(2026, 3, day, hour, minute, tzinfo=SHANGHAI)
    return moment.isoformat(timespec="minutes")


def without(kind: str, **changed: Any) -> dict[str, Any]:
    return {**DESK["timers"], kind: {**DESK["timers"][kind], **changed}}


def test_a_changed_keyword_classifies_routes_and_promises_otherwise() -> None:
    login = {**DESK["tags"]["login"], "keywords": ["登不上"]}
    assert Life().differences(desk(tags={"login": login})) == {
        "type": ("fault", "inquiry"),
        "tags": ("login", ""),
        "team": ("technical", "general"),
    }


def test_the_type_that_a_channel_gave_stays() -> None:
    login = {**DESK["tags"]["login"], "keywords": ["登不上"]}
    differences = Life(type="fault").differences(desk(tags={"login": login}))
    assert differences == {"tags": ("login", "")}


def test_a_rule_changes_priority_promise_and_breach() -> None:
    life = Life()
    life.do(c.Assign("technical", "agent-1"))
    life.do(c.Reply("您好"), 180)
    rules = [*RULES, {"id": "l", "when": {"tags": "login"}, "then": {"priority": "high"}}]
    assert life.differences(desk(rules=rules)) == {
        "priority": ("medium", "high"),
        "expected response by": (local(12, day=11), local(14)),
        "expected resolution by": (local(14, 30, day=12), local(17, 30)),
        "warning first_response 50%": ("", local(13)),
        "warning first_response 80%": ("", local(13, 36)),
        "breach first_response": ("", local(14)),
    }


def test_a_shorter_time_is_missed_and_the_shares_say_so() -> None:
    kept, late = Life(), Life()
    for life, minutes in ((kept, 5), (late, 90)):
        life.do(c.Assign("technical", "agent-1"))
        life.do(c.Reply("您好"), minutes)
    changed = desk(timers=without("first_response", within="1h", warn_at=[]))
    summary = RehearsalSummary()
    for life in (kept, late):
        summary.add(life.under(changed))
    assert summary.promises() == {"first_response": ((2, 2), (1, 2))}
    assert (summary.compared, summary.differing) == (2, 2)
    assert summary.differences["breach first_response"] == 1
    assert summary.differences["expected response by"] == 2


def test_a_changed_route_moves_the_team_with_its_needs() -> None:
    routing = [{"team": "general", "queue": "supervisor", "needs": {"skills": "网络"}}]
    assert Life().differences(desk(routing=routing)) == {
        "team": ("technical", "general"),
        "queue": ("team", "supervisor"),
        "needs": ("", "网络"),
    }


def test_a_request_that_becomes_vague_is_asked_about() -> None:
    life = Life(text="坏了")
    assert life.differences(desk(tags={**DESK["tags"], **VAGUE}))["asks first"] == ("", "customer")


def test_later_messages_and_steps_follow_the_changed_rules() -> None:
    life = Life(text="请问几点上班")
    life.do(c.Assign("general", "agent-1"))
    life.do(c.CustomerMessage("现在冒烟了", "web"), actor="customer")
    assert life.ticket is not None
    assert life.ticket.priority == "high"
    assert life.differences(desk(rules=[]))["later priority"] == ("high", "medium")
    stepped = Life()
    stepped.do(c.TakeStep("look", {}))
    look = {**STEPS["look"], "then": {"priority": "high", "add_tags": "login"}}
    changed = desk(steps={**STEPS, "look": look})
    assert stepped.differences(changed)["later priority"] == ("medium", "high")


def test_a_mood_by_examples_stays_and_rules_that_follow_it_are_decided_again() -> None:
    life = Life(text="请问几点上班")
    life.do(c.CustomerMessage("太过分了", "web"), actor="customer")
    life.do(c.RecogniseMood("太过分了"), actor="system")
    assert life.differences(desk(rules=[])) == {"later tags": ("login", "")}


def test_a_request_that_the_router_classified_again_is_classified_again() -> None:
    """By the mood that examples told, and by what its customer added to a vague one."""
    moody = Life(text="请问几点上班")
    filed = moody.commits[0].of(e.TicketReceived)[0]
    upset = classify_request(filed, CURRENT, None, mood=UPSET)
    moody.do(c.Classify.by(upset), actor="system")
    assert moody.ticket is not None
    assert moody.ticket.tags == ("login",)
    assert moody.differences(desk(rules=[])) == {"later tags": ("login", "")}
    vague = Life(desk(tags={**DESK["tags"], **VAGUE}), text="坏了")
    vague.do(c.AskCustomer("?"), actor="system")
    vague.do(c.CustomerMessage("无法打开", "web"), actor="customer")
    found = classify_request(filed, vague.playbook, None, "坏了\n无法打开")
    vague.do(c.Classify.by(found), actor="system")
    login = {**DESK["tags"]["login"], "keywords": ["无法打开"]}
    changed = desk(tags={**VAGUE, "login": login})
    assert vague.differences(changed)["later tags"] == ("other", "login, other")


def test_what_people_decided_stays() -> None:
    life = Life()
    life.do(c.SetPriority("low"))
    rules = [{"id": "l", "when": {"tags": "login"}, "then": {"priority": "high"}}]
    assert life.differences(desk(rules=rules))["priority"] == ("medium", "high")
    priorities = {"high": DESK["priorities"]["high"], "medium": DESK["priorities"]["medium"]}
    timers = {
        kind: {**rule, "within": {"high": "2h", "medium": "24h"}}
        for kind, rule in DESK["timers"].items()
        if kind in {"first_response", "resolution"}
    }
    changed = desk(priorities=priorities, timers={**DESK["timers"], **timers})
    assert life.differences(changed)["later priority"] == ("low", "medium")


def test_an_erased_ticket_and_an_incomplete_history_are_not_compared() -> None:
    life = Life()
    life.do(c.ErasePerson())
    summary = RehearsalSummary()
    summary.add(life.under(desk(rules=[])))
    summary.add(rehearsed("CS2", [], CURRENT, CURRENT, NOON))
    assert summary.not_compared == Counter(erased=1, incomplete=1)
    assert summary.compared == 0


_APART = {"classify", "erase"}
"""The router's own classification, which is no rule's here, and what is not compared."""
_acts = st.tuples(
    st.sampled_from([command for name, command in COMMANDS.items() if name not in _APART]),
    st.integers(1, 60 * 30),
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(acts=st.lists(_acts, max_size=12), text=st.sampled_from(["无法登录", "冒烟", "请问"]))
def test_the_playbook_in_force_gives_what_happened(acts: list[Any], text: str) -> None:
    """And so the same playbook never differs: the replay is the product's own rules."""
    life = Life(text=text)
    for command, minutes in acts:
        actor = "customer" if command.action.by == "customer" else "agent-1"
        with suppress(DeskbellError):
            life.do(command, minutes, "system" if command.action.by == "router" else actor)
    assert life.under(desk()).differences == ()
    found = outcome(life.commits, CURRENT, life.now, SHANGHAI)
    first = life.commits[0].of(e.TicketClassified)[0]
    assert (found.values["type"], found.values["priority"]) == (first.type, first.priority)
    assert life.ticket is not None
    assert found.values["later priority"] == life.ticket.priority
    assert found.values["later tags"] == ", ".join(life.ticket.tags)
    fired = [event for commit in life.commits for event in commit.of(e.TimerBreached)]
    assert found.missed == Counter(event.kind for event in fired if event.count == 1)
