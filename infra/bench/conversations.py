"""Measure conversations with the assistant: their cost, and the time of a question (C11).

A conversation is a welcome, an answer with its rating, and a question that misses. One in five ends
with a person, as C11 expects at most. While it lasts the customer's page asks for new messages
`POLLS` times.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from statistics import median
from typing import Any

from infra.bench import costs
from infra.bench.emulator import DEPLOYMENT
from infra.bench.usage import lambda_usage
from infra.deploy.knowledge import ensure_knowledge
from infra.deploy.trail import OperatorTrail
from infra.simulator.simulator import Simulator

DESK, CONVERSATIONS, HANDED_OVER, POLLS = "assisted", 20, 5, 30
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("messages", {"text": "开发票"}),
    ("rating", {"score": 5}),
    ("messages", {"text": "今天会下雨吗"}),
)


@dataclass(frozen=True)
class ConversationCosts:
    """The mean usage of a conversation, and the milliseconds of a question."""

    usage: costs.Usage
    milliseconds: float


def measure(simulator: Simulator) -> ConversationCosts:
    """Hold conversations once the index is built."""
    ensure_knowledge(OperatorTrail.of(DEPLOYMENT.stage), datetime.now(UTC))
    simulator.invoke("answers", {"desk": DESK})
    simulator.invoke("answers", {"desk": DESK, "mood_of": "", "upset": [], "calm": []})
    first_call, first_run = len(simulator.calls), len(simulator.invocations)
    for each in range(CONVERSATIONS):
        _hold(simulator, handed_over=each % HANDED_OVER == 0)
    runs, calls = simulator.invocations[first_run:], simulator.calls[first_call:]
    questions = [run.seconds for run in runs if run.function == "answers"]
    # A line of the log for each invocation; the functions themselves write none.
    used = costs.plus(
        costs.usage_of_calls(calls),
        lambda_usage(runs, calls, 0),
        {"apigateway.request": Decimal((2 + len(CALLS) + POLLS) * CONVERSATIONS)},
    )
    return ConversationCosts(
        costs.times(used, Decimal(1) / CONVERSATIONS), median(questions) * 1000
    )


def _hold(simulator: Simulator, *, handed_over: bool) -> None:
    path = f"/desks/{DESK}/chats"
    begun = simulator.http("POST", path, {"contact": "chat@example.com"}).json
    headers = {"Authorization": f"Bearer {begun['token']}"}
    path, last = f"{path}/{begun['chat']}", "1"
    for call, body in (*CALLS, *([("handover", {})] if handed_over else [])):
        answer = simulator.http("POST", f"{path}/{call}", body, headers=headers)
        last = answer.json["messages"][-1]["id"]
    for _ in range(POLLS):
        simulator.http("GET", f"{path}/messages?after={last}", headers=headers)
