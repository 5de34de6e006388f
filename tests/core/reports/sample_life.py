"""A ticket's history made by real decisions, and a desk whose every measure has a rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from functions.core.domain import commands as c, events as e
from functions.core.domain.lifecycle import apply, decide
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.playbook import load
from tests.core.sample_desk import DESK, NOON, both, request

_TEXT = {"label": both("内容")}
AT_WORK = {"source": ["assigned", "in_progress"]}
DESK_OF_MEASURES: dict[str, Any] = {
    **DESK,
    "statuses": {**DESK["statuses"], "awaiting_department": {"label": both("协同中")}},
    "rules": [{"id": "air", "when": {"product": "空调"}, "then": {"product": "空调"}}],
    "steps": {
        "ask": {
            **AT_WORK, "label": both("请仓库协助"), "to": "awaiting_department",
            "asks": "field:owner",
            "fields": {"owner": {"label": both("部门"), "kind": "choice", "choices": ["general"]}},
        },
        "answer": {
            "label": both("仓库答复"), "source": ["assigned", "in_progress", "awaiting_department"],
            "to": "in_progress", "answers": "ask", "teams": ["general"],
        },
        "visit": {**AT_WORK, "label": both("预约上门"), "to": "in_progress"},
        "repaired": {
            **AT_WORK, "label": both("维修完成"), "resolves": "work_done",
            "fields": {
                "work_done": _TEXT,
                "parts_used": {"label": both("配件"), "kind": "list", "required": False},
                "amount": {"label": both("补偿"), "kind": "number", "required": False},
            },
        },
        "phone": {**AT_WORK, "label": both("电话联系"), "to": "in_progress", "responds": True},
    },
    "timers": {
        **DESK["timers"],
        "collaboration": {"start": "step:ask", "stop": "step:answer", "within": "2h"},
        "customer_update": {
            "start": "TicketReceived", "within": "1h", "appointment": True,
            "on_breach": {"repeat_every": "1h"},
        },
    },
    "reports": {"visits": ["visit"], "parts": ["parts_used"], "compensation": ["amount"]},
}  # fmt: skip


def desk_of_measures(**changes: Any) -> Playbook:
    return load({**DESK_OF_MEASURES, **changes})


@dataclass
class Life:
    """A ticket that lives by commands; `at` is the time of the next one."""

    playbook: Playbook
    number: str = "CS20260310001"
    at: datetime = NOON
    history: list[e.Commit] = field(default_factory=list)
    ticket: Ticket | None = None

    def wait(self, **time: float) -> Life:
        self.at += timedelta(**time)
        return self

    def receive(self, **changes: Any) -> Life:
        return self.do(c.Receive(self.number, request(**changes)), actor="customer")

    def do(self, command: c.Command, actor: str = "li-1") -> Life:
        """Carry out a command; one that changes nothing makes no commit."""
        events = decide(self.ticket, command, self.playbook, self.at)
        return self.commit(*events, actor=actor) if events else self

    def commit(self, *events: e.Event, actor: str = "system") -> Life:
        commit = e.Commit(
            desk="testdesk", number=self.number, version=len(self.history) + 1,
            at=self.at, actor=actor, events=events,
        )  # fmt: skip
        self.history.append(commit)
        self.ticket = apply(self.ticket, commit)
        return self

    def assign(self, handler: str = "li-1", team: str = "technical") -> Life:
        return self.do(c.Assign(team, handler, by_person=True), actor="system")

    def reply(self, actor: str = "li-1") -> Life:
        return self.do(c.Reply("请重置密码。"), actor)

    def resolve(self, actor: str = "li-1") -> Life:
        return self.do(c.Resolve("已重置密码"), actor)

    def step(self, name: str, actor: str = "li-1", **fields: str) -> Life:
        return self.do(c.TakeStep(name, fields), actor)
