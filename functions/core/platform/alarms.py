"""The alarm that all conditions share, and the metric of a desk's spending.

Both are log lines in CloudWatch's embedded metric format, so that neither makes a call. CloudWatch
charges for each metric and each alarm: what is wrong stands in the log line `alarm.raised`, not in
a dimension.
"""

import os
from decimal import Decimal

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from functions.core.platform.logging import logger
from functions.core.platform.settings import APP

NAMESPACE = "Deskbell"

log = logger("alarms")


def raise_alarm(condition: str, desk: str, **about: object) -> None:
    """Raise the alarm `deskbell-<stage>-conditions` and log what it is about.

    Args:
        condition: what is wrong, in one word of `docs/operations.md` (Alarms).
        desk: the desk, or `domain.audit.STAGE` for all of them.
    """
    log.error("alarm.raised", extra={"condition": condition, "desk": desk, **about})
    with single_metric("Conditions", MetricUnit.Count, 1, namespace=NAMESPACE) as metric:
        metric.add_dimension("stage", _stage())
        metric.add_metadata("condition", condition)


def record_spending(desk: str, usd: Decimal) -> None:
    """Add what a desk has spent to its metric, `Spent` in the namespace `Deskbell/<stage>`."""
    namespace = f"{NAMESPACE}/{_stage()}"
    with single_metric("Spent", MetricUnit.NoUnit, float(usd), namespace=namespace) as metric:
        metric.add_dimension("desk", desk)


def _stage() -> str:
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", f"{APP}-local")
    return function.removeprefix(f"{APP}-").partition("-")[0]
