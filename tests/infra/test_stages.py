"""Stages are those of `.chalice/config.json`; a misspelt one creates nothing."""

from typing import Any

import boto3
import pytest

from infra.console import main as console
from infra.deploy.functions import StageMissingError
from infra.deploy.steps import deploy

pytestmark = pytest.mark.requirement("F7")


@pytest.fixture(autouse=True)
def nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """No account is asked: a foundation, once made, is retained and has a key that costs."""

    def refuse(*_: Any, **__: Any) -> Any:
        pytest.fail("AWS was asked")

    monkeypatch.setattr(boto3, "client", refuse)


@pytest.mark.requirement("F7", "G7")
def test_an_unknown_stage_is_refused_before_anything_is_created() -> None:
    said: list[str] = []
    with pytest.raises(StageMissingError, match=r"no stage 'prd' in .*, which has local, prod"):
        deploy("prd", said.append)
    assert said == []


def test_the_console_reports_an_unknown_stage_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["deskbell", "deploy", "--stage", "prd"])
    with pytest.raises(SystemExit) as ended:
        console.main()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("deskbell: no stage 'prd'")
    assert len(said.splitlines()) == 1
