"""The function's entry: each desk is looked after, and none fails in silence."""

import json
from typing import Any

import pytest

from functions.core.domain.errors import NotFound
from functions.core.platform import container
from functions.core.platform.settings import Deployment
from functions.core.storage.database import Storage
from functions.core.storage.manifests import Manifest
from functions.reports import handler
from tests.core.sample_desk import NOON
from tests.workbench.conftest import DEPLOYMENT


class Context:
    memory_limit_in_mb = "1769"

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def test_a_desk_that_fails_raises_the_shared_alarm(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(container, "storage", lambda _: storage)
    monkeypatch.setattr(Deployment, "of", lambda _: DEPLOYMENT)
    event: dict[str, Any] = {"time": "2026-03-10T04:00:00Z", "desk": "nowhere"}
    with pytest.raises(ExceptionGroup) as failed:
        handler.reports(event, Context())
    assert failed.group_contains(NotFound)
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (alarm,) = (line for line in logged if line.get("message") == "alarm.raised")
    assert (alarm["condition"], alarm["desk"]) == ("reports_failed", "nowhere")


def test_another_desk_comes_first_in_each_run_and_the_next_run_does_the_rest(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[str] = []
    desks = ["a-desk", "b-desk", "c-desk"]
    listed = [Manifest(desk, NOON) for desk in desks]
    monkeypatch.setattr(type(storage.manifests), "list", lambda _: listed)
    monkeypatch.setattr(container, "storage", lambda _: storage)
    monkeypatch.setattr(Deployment, "of", lambda _: DEPLOYMENT)
    monkeypatch.setattr(handler, "_look_after", lambda desk, *_: began.append(desk))
    for run in range(3):
        time = NOON + run * handler.EVERY
        handler.reports({"time": time.isoformat()}, Context())
    assert sorted(began[::3]) == desks
    assert [sorted(began[n : n + 3]) for n in (0, 3, 6)] == [desks] * 3
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _: 60_000)
    handler.reports({"time": NOON.isoformat()}, Context())
    assert len(began) == 9
