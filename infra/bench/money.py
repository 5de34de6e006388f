"""What a life and an idle month use, as AWS meters it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from statistics import median

from infra.bench import costs
from infra.bench.sweep import FILED
from infra.bench.ticket_life import Life, lives
from infra.deploy.stacks import load_template
from infra.deploy.steps import INFRA
from infra.simulator.simulator import Invocation, Simulator

IDLE_SWEEPS = 20
"""Sweeps over nothing that are measured for the median."""


def life_usage(loop: Simulator, prices: costs.PriceList) -> tuple[dict[str, Decimal], int]:
    """The mean of a life by web form and one by mail, and the bytes that its functions log."""
    with contextlib.redirect_stdout(io.StringIO()) as logged:
        found = lives(loop)
    counted = [life for life in found if life.name in {"web form", "mail"}]
    # Every life, the two that warm up with them, logged about the same.
    of_a_life = len(logged.getvalue().encode()) // (len(found) + 2)
    used = costs.plus(*(_of_life(life, prices, of_a_life) for life in counted))
    return costs.times(used, Decimal(1) / len(counted)), of_a_life


def _of_life(life: Life, prices: costs.PriceList, logged: int) -> dict[str, Decimal]:
    given = prices.assumptions
    invocations = list(life.invocations)
    by_mail = Decimal(sum(1 for run in invocations if run.function == "intake_mail"))
    archived = Decimal(life.archive_bytes) / costs.GIGABYTE * given["archive_months"]
    kept = Decimal(life.table_bytes) / costs.GIGABYTE * given["table_months"]
    return costs.plus(
        costs.usage_of_calls(life.calls),
        _lambda(invocations, prices, logged),
        {
            "apigateway.request": Decimal(life.requests),
            "stepfunctions.transition": Decimal(life.transitions),
            "s3.storage": archived,
            "dynamodb.storage": kept,
            "dynamodb.point_in_time": kept,
            "cognito.active_user": given["agents_per_1000_lives"] / 1000,
            # SES puts the mail in the bucket and announces it; the queue is sent to, read, emptied.
            "ses.received": by_mail,
            "s3.put": by_mail,
            "sns.publish": by_mail,
            "sqs.request": by_mail * 3,
        },
    )


def _lambda(
    invocations: Iterable[Invocation], prices: costs.PriceList, logged: int
) -> dict[str, Decimal]:
    given = prices.assumptions
    runs = list(invocations)
    # m MB get m/1769 of a vCPU: the time grows as the memory shrinks, their product stays.
    seconds = sum((Decimal(str(run.seconds)) for run in runs), Decimal(0))
    warm = seconds * given["lambda.mb_of_a_vcpu"] / 1024
    cold = len(runs) * given["lambda.cold_share"] * given["lambda.cold_gb_seconds"]
    written = logged + len(runs) * given["lambda.platform_log_bytes"]
    return {
        "lambda.request": Decimal(len(runs)),
        "lambda.gb_second": warm + cold,
        "logs.ingested": written / costs.GIGABYTE,
    }


def idle_usage(loop: Simulator, prices: costs.PriceList) -> dict[str, Decimal]:
    """A month in which nothing comes: the sweeps, the mail queue's pollers, what stands there."""
    given = prices.assumptions
    calls, runs = len(loop.calls), len(loop.invocations)
    with contextlib.redirect_stdout(io.StringIO()) as logged:
        for minute in range(IDLE_SWEEPS):
            loop.expire_playbooks()
            loop.tick(FILED + timedelta(minutes=minute))
    each = median(run.seconds for run in loop.invocations[runs:])
    a_sweep = costs.plus(
        costs.times(costs.usage_of_calls(loop.calls[calls:]), Decimal(1) / IDLE_SWEEPS),
        {
            "lambda.request": Decimal(1),
            # Woken every minute, its container stays warm.
            "lambda.gb_second": Decimal(str(each)) * given["lambda.mb_of_a_vcpu"] / 1024,
            "logs.ingested": (
                Decimal(len(logged.getvalue().encode())) / IDLE_SWEEPS
                + given["lambda.platform_log_bytes"]
            )
            / costs.GIGABYTE,
            "eventbridge.schedule": Decimal(1),
        },
    )
    return costs.plus(
        costs.times(a_sweep, costs.MINUTES_OF_A_MONTH), costs.idle_polling(prices), standing()
    )


def standing() -> dict[str, Decimal]:
    """What the foundation has standing: the key, alarms, the dashboard."""
    kinds = [
        resource["Type"]
        for resource in load_template(INFRA / "templates" / "foundation.yaml")["Resources"].values()
    ]
    return {
        "kms.key": Decimal(kinds.count("AWS::KMS::Key")),
        "cloudwatch.alarm": Decimal(kinds.count("AWS::CloudWatch::Alarm")),
        "cloudwatch.dashboard": Decimal(kinds.count("AWS::CloudWatch::Dashboard")),
    }
