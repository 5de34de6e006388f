"""The shared alarm and the metric of spending: what CloudWatch reads from the log."""

import json
from decimal import Decimal
from typing import Any

import pytest

from functions.core.platform.alarms import raise_alarm, record_spending

pytestmark = pytest.mark.requirement("F8", "G3")


@pytest.fixture(autouse=True)
def _on_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "deskbell-test-reports")


def printed(capsys: pytest.CaptureFixture[str]) -> list[Any]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def directive(line: Any) -> Any:
    """The metric of a line, which has to have a value for each name (EMF specification)."""
    (found,) = line["_aws"]["CloudWatchMetrics"]
    (dimensions,), (metric,) = found["Dimensions"], found["Metrics"]
    assert isinstance(line["_aws"]["Timestamp"], int)
    values = {name: line[name] for name in dimensions}
    return found["Namespace"], metric["Name"], metric["Unit"], values, line[metric["Name"]]


def test_an_alarm_is_a_metric_of_the_stage_and_a_line_that_says_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The line is masked, as all are; the desk is no dimension, since each one costs."""
    raise_alarm("over_budget", "standard", spent="12.50", note="Tel. 13800138000")
    line, metric = printed(capsys)
    assert (line["message"], line["level"]) == ("alarm.raised", "ERROR")
    about = (line["condition"], line["desk"], line["spent"], line["note"])
    assert about == ("over_budget", "standard", "12.50", "Tel. 138****8000")
    assert directive(metric) == ("Deskbell", "Conditions", "Count", {"stage": "test"}, [1.0])


def test_spending_is_a_metric_of_the_desk(capsys: pytest.CaptureFixture[str]) -> None:
    """Stages of one account do not mix."""
    record_spending("standard", Decimal("0.0125"))
    record_spending("rapid", Decimal(2))
    first, second = (directive(line) for line in printed(capsys))
    assert first == ("Deskbell/test", "Spent", "None", {"desk": "standard"}, [0.0125])
    assert second[3:] == ({"desk": "rapid"}, [2.0])
