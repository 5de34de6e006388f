"""The bill of an hour with 100 requests a second to the open form.

What one request uses is measured from the functions' own calls: one that opens a ticket, which is
routed and acknowledged by a text message, and one that waits in quarantine. How many there are of
each follows from the defaults: the throttle of the open routes (`infra/templates/wiring.yaml`) and
the playbook's limits. API Gateway does not charge for throttled requests (AWS re:Post, "Does AWS
charge for throttled requests").
"""

import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from functions.core.domain.playbook_limits import Sms, UnprovenTickets
from infra.bench import costs
from infra.bench.emulator import DESK
from infra.bench.usage import lambda_usage
from infra.deploy.stacks import load_template
from infra.deploy.steps import INFRA
from infra.simulator.simulator import Simulator

REQUESTS_A_SECOND = 100
SECONDS = 3600
MEASURED = 10
"""Requests of each kind that are measured."""

ONE_SOURCE, MANY_SOURCES = "198.51.100.7", "203.0.113.{}"


@dataclass(frozen=True)
class Hour:
    """The requests of one hour at one desk, by their outcome."""

    name: str
    opened: int
    quarantined: int = 0
    throttled: int = 0
    messages: int = 0

    def usage(
        self, opened: Mapping[str, Decimal], quarantined: Mapping[str, Decimal]
    ) -> dict[str, Decimal]:
        used = costs.plus(
            costs.times(opened, self.opened), costs.times(quarantined, self.quarantined)
        )
        return {**used, "sns.sms": self.messages * costs.ASSUMPTIONS["sms.parts"]}


def hours() -> list[Hour]:
    """The hour without limits, with those that ship against many sources, and against one."""
    sent = REQUESTS_A_SECOND * SECONDS
    wiring = load_template(INFRA / "templates" / "wiring.yaml")["Parameters"]
    taken = wiring["OpenRate"]["Default"] * SECONDS + wiring["OpenBurst"]["Default"]
    limits, daily = UnprovenTickets(), Sms().daily
    return [
        Hour("without limits", sent, messages=sent),
        *(
            Hour(name, opened, taken - opened, sent - taken, min(opened, daily))
            for name, opened in (
                ("many sources", limits.per_desk),
                ("one source", limits.per_source),
            )
        ),
    ]


def measure(
    simulator: Simulator,
) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    opened = _usage(simulator, [MANY_SOURCES.format(n) for n in range(MEASURED)], 201)
    for serial in range(UnprovenTickets().per_source):
        _file(simulator, ONE_SOURCE, serial + 1000)
    simulator.pump()
    quarantined = _usage(simulator, [ONE_SOURCE] * MEASURED, 202)
    return opened, quarantined


def _usage(simulator: Simulator, sources: list[str], status: int) -> dict[str, Decimal]:
    calls, runs = len(simulator.calls), len(simulator.invocations)
    with contextlib.redirect_stdout(io.StringIO()) as logged:
        for serial, source in enumerate(sources):
            answered = _file(simulator, source, serial)
            if answered != status:
                raise RuntimeError(f"a request was answered {answered}, not {status}")
            simulator.pump()
    used = costs.plus(
        costs.usage_of_calls(simulator.calls[calls:]),
        lambda_usage(
            simulator.invocations[runs:],
            simulator.calls[calls:],
            len(logged.getvalue().encode()),
        ),
        {"apigateway.request": Decimal(len(sources))},
    )
    return costs.times(used, Decimal(1) / len(sources))


def _file(simulator: Simulator, source: str, serial: int) -> int:
    body = {"contact": f"1380013{serial:04}", "description": "无法登录，提示密码错误，请协助处理"}
    return simulator.http("POST", f"/desks/{DESK}/tickets", body, source=source).status
