"""Compute the tickets a second that each stage carries, from measured lives and AWS's quotas.

`docs/scale.md` explains the stages and names the sources. The quotas are the defaults of us-east-1
for an account that was not raised.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from functions.core.storage.items import SHARDS
from infra.bench.sweep import MB_OF_A_VCPU, Rate, memory_of
from infra.bench.ticket_life import Life
from infra.deploy.stacks import load_template
from infra.deploy.steps import INFRA
from infra.simulator.simulator import Call

QUOTAS: dict[str, float] = {
    "ses.mails_a_day": 50_000,
    "ses.mails_a_second": 14,
    "sns.messages_a_second": 20,
    "stepfunctions.open_executions": 1_000_000,
    "stepfunctions.start_execution": 300,
    "stepfunctions.send_task_success": 500,
    "stepfunctions.state_transition": 5_000,
    "apigateway.requests": 10_000,
    "lambda.executions": 1_000,
    "lambda.executions_of_new_account": 10,
    "dynamodb.partition_write_units": 1_000,
    "dynamodb.table_write_units": 40_000,
    "dynamodb.new_table_shards": 4,
    "kms.requests": 10_000,
    "s3.puts_of_prefix": 3_500,
}
"""Default quota → its value; rates are per second (docs/scale.md, "Sources")."""


@dataclass(frozen=True)
class Ceiling:
    """The most tickets a second that a stage carries, with the arithmetic."""

    stage: str
    per_second: float
    arithmetic: str


def ceilings(form: Life, mail: Life, rate: Rate, wait: timedelta) -> list[Ceiling]:
    """The ceiling of each stage, the lowest first."""
    calls = list(form.calls)
    parameters = load_template(INFRA / "templates" / "wiring.yaml")["Parameters"]
    lanes, stage_rate, open_rate = (
        float(parameters[name]["Default"]) for name in ("StreamLanes", "StageRate", "OpenRate")
    )
    of_lanes = QUOTAS["dynamodb.new_table_shards"] * lanes
    swept = rate.of_stage(memory_of("sla_timer"))
    mail_lanes = load_template(INFRA / "templates" / "wiring.yaml")["Resources"]["MailToIntake"][
        "Properties"
    ]["ScalingConfig"]["MaximumConcurrency"]

    def quota(stage: str, name: str, each: float, unit: str) -> Ceiling:
        value = QUOTAS[name]
        return Ceiling(stage, value / each, f"{value:,.0f} ÷ {each:g} {unit}")

    mails = _count(calls, "sesv2", "SendEmail")
    a_day = QUOTAS["ses.mails_a_day"]
    partition = QUOTAS["dynamodb.partition_write_units"]
    due = _index_units(calls, "due")
    router, notify = _seconds(form, "router"), _seconds(form, "notify")
    reading = _seconds(mail, "intake_mail")
    found = [
        Ceiling("SES: mails a day", a_day / 86_400 / mails, f"{a_day:,.0f} ÷ 86,400 s ÷ {mails}"),
        quota("SES: mails a second", "ses.mails_a_second", mails, "mails"),
        quota("SNS: text messages", "sns.messages_a_second", mails, "messages, if all by SMS"),
        Ceiling(
            "closing workflow: open executions",
            QUOTAS["stepfunctions.open_executions"] / wait.total_seconds(),
            f"1,000,000 ÷ {wait.total_seconds() / 3600:g} h, all unanswered",
        ),
        quota("closing workflow: starts", "stepfunctions.start_execution", 1, "start"),
        quota("closing workflow: answers", "stepfunctions.send_task_success", 1, "answer"),
        quota(
            "closing workflow: transitions",
            "stepfunctions.state_transition",
            form.transitions,
            "transitions",
        ),
        Ceiling("API: open form", open_rate, f"OpenRate {open_rate:g}"),
        Ceiling(
            "API: all calls",
            stage_rate / form.requests,
            f"StageRate {stage_rate:g} ÷ calls of a life ({form.requests})",
        ),
        quota("API Gateway: the account", "apigateway.requests", form.requests, "calls"),
        quota("Lambda: a new account", "lambda.executions_of_new_account", _all_seconds(form), "s"),
        quota("Lambda: executions", "lambda.executions", _all_seconds(form), "s"),
        Ceiling("mail: reading", mail_lanes / reading, f"{mail_lanes} at once ÷ {reading:.2g} s"),
        quota("table: all writes", "dynamodb.table_write_units", form.write_units, "write units"),
        quota("table: serials of a desk", "dynamodb.partition_write_units", 1, "write unit"),
        quota(
            "table: roster of a desk",
            "dynamodb.partition_write_units",
            _agent_units(calls),
            "write units",
        ),
        quota("table: closed tickets of a desk", "dynamodb.partition_write_units", 1, "write unit"),
        Ceiling(
            "table: index of what is due",
            SHARDS * partition / due,
            f"{SHARDS} × {partition:,.0f} ÷ {due:g} write units",
        ),
        Ceiling("stream: router", of_lanes / router, f"{of_lanes:g} lanes ÷ {router:.2g} s"),
        Ceiling("stream: notify", of_lanes / notify, f"{of_lanes:g} lanes ÷ {notify:.2g} s"),
        Ceiling("sweep", swept, f"{SHARDS} invocations, a look a ticket"),
        quota("KMS", "kms.requests", _count(calls, "kms"), "calls"),
        quota("archive", "s3.puts_of_prefix", _count(calls, "s3", "PutObject"), "PUT"),
    ]
    return sorted(found, key=lambda ceiling: ceiling.per_second)


def _count(calls: Iterable[Call], service: str, operation: str = "") -> int:
    return sum(c.service == service and operation in {"", c.operation} for c in calls)


def _index_units(calls: Iterable[Call], index: str) -> float:
    return sum(call.parts.get(index, 0) for call in calls if call.write_units)


def _agent_units(calls: Iterable[Call]) -> float:
    """The write units of a life for its handler's load: two for each transaction."""
    return 2.0 * sum("AGENT" in call.items for call in calls if call.write_units)


def _seconds(life: Life, function: str) -> float:
    """The seconds of a life in a function with its memory (`costs`: time × memory is constant)."""
    return _scaled(life, lambda name: name == function)


def _all_seconds(life: Life) -> float:
    return round(_scaled(life, lambda name: name != "sla_timer"), 2)


def _scaled(life: Life, wanted: Callable[[str], bool]) -> float:
    return sum(
        run.seconds * MB_OF_A_VCPU / memory_of(run.function)
        for run in life.invocations
        if wanted(run.function)
    )
