"""Measure the metered usage of a ticket's life and of an idle month."""

import contextlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median

from functions.core.platform import container
from infra.bench import costs
from infra.bench.reports import RUNS_A_DAY
from infra.bench.ticket_life import Life, lives
from infra.deploy.stacks import load_template
from infra.deploy.steps import INFRA, ROOT
from infra.simulator.simulator import Call, Invocation, Simulator

IDLE_RUNS = 24
"""Measured runs of a scheduled function with nothing to do; of `search_index` two hours."""


def life_usage(
    simulator: Simulator,
) -> tuple[dict[str, Decimal], int, list[Life]]:
    """The mean usage of a life by web form and one by mail, the bytes of its logs, and both."""
    with contextlib.redirect_stdout(io.StringIO()) as logged:
        measured = lives(simulator)
    counted = [life for life in measured if life.name in {"web form", "mail"}]
    # Every life, including the two for warm-up, logs about the same.
    of_a_life = len(logged.getvalue().encode()) // (len(measured) + 2)
    used = costs.plus(*(_of_life(life, of_a_life) for life in counted))
    return costs.times(used, Decimal(1) / len(counted)), of_a_life, counted


def _of_life(life: Life, logged: int) -> dict[str, Decimal]:
    invocations = list(life.invocations)
    by_mail = Decimal(sum(1 for run in invocations if run.function == "intake_mail"))
    archived = Decimal(life.archive_bytes) / costs.GIGABYTE * costs.ASSUMPTIONS["archive_months"]
    storage = Decimal(life.table_bytes) / costs.GIGABYTE * costs.ASSUMPTIONS["table_months"]
    return costs.plus(
        costs.usage_of_calls(life.calls),
        lambda_usage(invocations, life.calls, logged),
        {
            "apigateway.request": Decimal(life.requests),
            "stepfunctions.transition": Decimal(life.transitions),
            "s3.storage": archived,
            "dynamodb.storage": storage,
            "dynamodb.point_in_time": storage,
            "cognito.active_user": costs.ASSUMPTIONS["agents_per_1000_lives"] / 1000,
            # SES stores the mail and publishes it; SQS sends, receives and deletes it.
            "ses.received": by_mail,
            "s3.put": by_mail,
            "sns.publish": by_mail,
            "sqs.request": by_mail * 3,
        },
    )


def memory(stage: str = "prod") -> dict[str, int]:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text("utf-8"))
    functions = config["stages"][stage]["lambda_functions"]
    return {name: settings["lambda_memory_size"] for name, settings in functions.items()}


def lambda_usage(
    invocations: Iterable[Invocation], calls: Iterable[Call], logged: int
) -> dict[str, Decimal]:
    runs = list(invocations)
    written = logged + len(runs) * costs.ASSUMPTIONS["lambda.platform_log_bytes"]
    return {
        "lambda.request": Decimal(len(runs)),
        "lambda.gb_second": gb_seconds(runs, calls, memory()),
        "logs.ingested": written / costs.GIGABYTE,
    }


def gb_seconds(
    runs: Sequence[Invocation],
    calls: Iterable[Call],
    megabytes: Mapping[str, int],
) -> Decimal:
    """The GB-seconds of these runs, given each function's memory.

    m MB have m/1769 of a vCPU, so computing costs the same with any memory. Waiting for a service
    takes as long with any memory, so it costs more with more.
    """
    cold = (
        len(runs)
        * costs.ASSUMPTIONS["lambda.cold_share"]
        * costs.ASSUMPTIONS["lambda.cold_gb_seconds"]
    )
    return cold + warm_gb_seconds(runs, calls, megabytes)


def warm_gb_seconds(
    runs: Sequence[Invocation],
    calls: Iterable[Call],
    megabytes: Mapping[str, int],
) -> Decimal:
    """The GB-seconds of these runs without the starts of containers."""
    computed = sum((Decimal(str(run.seconds)) for run in runs), Decimal(0))
    waited = (
        sum(megabytes[call.function] for call in calls) * costs.ASSUMPTIONS["lambda.call_ms"] / 1000
    )
    return (computed * costs.ASSUMPTIONS["lambda.mb_of_a_vcpu"] + waited) / 1024


def idle_usage(simulator: Simulator) -> dict[str, Decimal]:
    """The usage of a month without requests: schedules, queue pollers, fixed resources."""
    _settle(simulator)
    return costs.plus(
        scheduled_usage(simulator, "sla_timer", timedelta(minutes=1)),
        scheduled_usage(simulator, "search_index", timedelta(minutes=5)),
        # A whole day, with the reports that are written in it.
        scheduled_usage(simulator, "reports", timedelta(minutes=12), runs=RUNS_A_DAY),
        scheduled_usage(simulator, "proposals", timedelta(hours=1)),
        costs.idle_polling(),
        fixed_resources(),
    )


def _settle(simulator: Simulator) -> None:
    """Let the function `reports` take what arrived for settled, as it is two minutes later."""
    storage, now = container.storage(simulator.deployment), datetime.now(UTC)
    simulator.invoke("reports", {"time": now.isoformat()})
    for manifest in storage.manifests.list():
        progress = storage.report_progress.get(manifest.desk, now)
        storage.report_progress.put(manifest.desk, progress.changed(facts_through=now))


def scheduled_usage(
    simulator: Simulator, function: str, every: timedelta, runs: int = IDLE_RUNS
) -> dict[str, Decimal]:
    """The usage of a month of a function that is scheduled and finds nothing to do."""
    began = datetime.now(UTC)
    simulator.invoke(function, {"time": began.isoformat()})
    calls, before = len(simulator.calls), len(simulator.invocations)
    with contextlib.redirect_stdout(io.StringIO()) as logged:
        for run in range(1, runs + 1):
            simulator.expire_playbooks()
            simulator.invoke(function, {"time": (began + run * every).isoformat()})
    made, of_runs = simulator.calls[calls:], simulator.invocations[before:]
    usual = [replace(run, seconds=median(run.seconds for run in of_runs)) for run in of_runs]
    # It runs every few minutes, so its container stays warm.
    a_run = costs.plus(
        costs.times(costs.usage_of_calls(made), Decimal(1) / runs),
        {
            "lambda.request": Decimal(1),
            "lambda.gb_second": warm_gb_seconds(usual, made, memory()) / runs,
            "logs.ingested": (
                Decimal(len(logged.getvalue().encode())) / runs
                + costs.ASSUMPTIONS["lambda.platform_log_bytes"]
            )
            / costs.GIGABYTE,
            "eventbridge.schedule": Decimal(1),
        },
    )
    return costs.times(a_run, costs.MINUTES_OF_A_MONTH / (int(every.total_seconds()) // 60))


def fixed_resources() -> dict[str, Decimal]:
    kinds = [
        resource["Type"]
        for resource in load_template(INFRA / "templates" / "foundation.yaml")["Resources"].values()
    ]
    return {
        "kms.key": Decimal(kinds.count("AWS::KMS::Key")),
        "cloudwatch.alarm": Decimal(kinds.count("AWS::CloudWatch::Alarm")),
        "cloudwatch.dashboard": Decimal(kinds.count("AWS::CloudWatch::Dashboard")),
    }
