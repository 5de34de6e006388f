"""The shared alarm: conditions that somebody has to look at, as one metric of the stage."""

import os
import time

from functions.core.platform.logging import logger

NAMESPACE, METRIC = "Deskbell", "Conditions"

log = logger("alarms")


def raise_alarm(condition: str, desk: str, **fields: object) -> None:
    """Write a log line from which CloudWatch counts the stage's metric `Conditions`.

    The condition and the desk are fields of the line: a further dimension of a metric is paid.
    """
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    metric = {
        "Namespace": NAMESPACE,
        "Dimensions": [["stage"]],
        "Metrics": [{"Name": METRIC, "Unit": "Count"}],
    }
    log.error(
        "condition.met",
        extra={
            "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]},
            "stage": function.removeprefix("deskbell-").partition("-")[0],
            METRIC: 1,
            "condition": condition,
            "desk": desk,
            **fields,
        },
    )
