"""The AWS calls of whole journeys, function by function, against the policies."""

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from functions.answers import encoder
from functions.core.domain.knowledge import Article, ArticleVersion
from functions.core.platform import aws, container
from functions.core.storage.database import Storage
from functions.core.storage.journal import SETTLED_AFTER
from infra.deploy.steps import INFRA
from infra.simulator.simulator import FUNCTIONS, Simulator
from tests.answers.sample_encoder import embed
from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.core.channels.wecom_provider import ACCOUNT, WeCom, wecom_server
from tests.inprocess.conftest import simulator, storage
from tests.inprocess.test_administration import administered
from tests.inprocess.test_chat import put_secret
from tests.inprocess.test_language_model import ModelJourney
from tests.inprocess.test_standard import StandardJourney
from tests.language_model.sample_model import says
from tests.notify.webhook_receiver import Receiver
from tests.permissions import UNUSED, granted, needed

__all__ = ["simulator", "storage"]  # fixtures


@pytest.mark.requirement("F7", "G4")
def test_a_function_s_policy_grants_exactly_the_calls_it_makes(
    simulator: Simulator, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A permission that no call uses has a written reason."""
    invoke = simulator.invoke

    def alone(function: str, event: Any) -> Any:
        # In one process what one function has read is there for the next; on Lambda it is not.
        aws.parameter.cache_clear()
        container.storage(simulator.deployment).knowledge.cache.clear()
        return invoke(function, event)

    monkeypatch.setattr(simulator, "invoke", alone)
    _well_rated(simulator, storage)
    storage.manifests.start("standard", datetime.now(UTC))
    simulator.invoke("search_index", {"time": (datetime.now(UTC) + SETTLED_AFTER).isoformat()})
    boto3.client("athena").create_work_group(Name=simulator.deployment.workgroup, Configuration={})
    simulator.invoke("reports", {"time": datetime.now(UTC).isoformat()})
    _badly_rated(simulator, storage)
    _not_answered(simulator, storage)
    _asked(simulator, storage, monkeypatch)
    _written_by_a_model(simulator, storage)
    _pulled(simulator)
    StandardJourney(simulator, storage).file()
    simulator.tick(datetime.now(UTC) + timedelta(days=2))
    administered(simulator, storage)
    used: dict[str, set[str]] = defaultdict(set)
    asked: dict[str, set[str]] = defaultdict(set)
    for call in simulator.calls:
        used[call.function] |= needed(call.service, call.operation, call.writes)
        for index in call.parts if call.operation == "Query" else ():
            asked[call.function].add(index)
    for function in ("api_handler", *FUNCTIONS):
        missing = used[function] - granted(function)
        assert not missing, f"{function} may not: {missing}"
        closed = asked[function] - _open_to_queries(function)
        assert not closed, f"{function} may not query: {closed}"
        idle = granted(function) - used[function] - set(UNUSED[function])
        assert not idle, f"{function} needs no right to: {idle}"


def _open_to_queries(function: str) -> set[str]:
    """Return the table and indexes that a function's policy lets it query."""
    policy = json.loads((INFRA / "policies" / f"{function}.json").read_text("utf-8"))
    found = set()
    for statement in policy["Statement"]:
        if "dynamodb:Query" in statement["Action"]:
            named = statement["Resource"]
            for resource in [named] if isinstance(named, str) else named:
                _, _, index = resource.partition("/index/")
                found.add(index or "table")
    return found


def _well_rated(simulator: Simulator, storage: Storage) -> None:
    journey = StandardJourney(simulator, storage)
    journey.online("li-1")
    journey.file()
    journey.view("li-1")
    opened = journey.try_action("li-1", "open-original", message=1, reason="客户要求回电")
    assert opened.status == 200, opened.text
    journey.act("li-1", "reply", text="请重置密码。")
    journey.act("li-1", "resolve", summary="引导客户重置密码")
    journey.act_as_customer("survey", score=5)
    assert journey.status()["status"] == "archived"


def _asked(simulator: Simulator, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "load", lambda: None)
    texts = {"zh-CN": "退款", "en": "Refund"}
    article = Article.model_validate(
        {"title": texts, "solution": texts, "asked": {"zh-CN": ["退款"]}}
    )
    storage.knowledge.put(
        "standard", "refund", ArticleVersion(1, "zg-1", datetime.now(UTC), article)
    )
    question = {"desk": "standard", "text": "退款", "at_once": 0.97, "offer": 0.4}
    assert simulator.invoke("answers", question)["kind"] in {"offer", "miss"}
    monkeypatch.setattr(encoder, "load", lambda: embed)
    night = "2026-03-09T18:30:00+00:00"  # 02:30 in Shanghai
    simulator.invoke("proposals", {"time": night})
    simulator.pump()


def _pulled(simulator: Simulator) -> None:
    provider = FAKE_PROVIDERS["wecom"]
    assert isinstance(provider, WeCom)
    with wecom_server() as server:
        put_secret(simulator, "wecom", {**provider.secret, "api": server.url})
        for more in ({}, {"msgtype": "image", "image": {"media_id": "1PNG"}}):
            server.api.write(ACCOUNT, provider.entry("无法登录", datetime.now(UTC), **more))
        server.api.files["1PNG"] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
        call = provider.announce(datetime.now(UTC))
        path = call.path("/desks/standard/channels/wecom")
        assert simulator.http("POST", path, call.body, headers=call.headers).status == 200
        simulator.pump()


def _written_by_a_model(simulator: Simulator, storage: Storage) -> None:
    with Receiver([says("请重置密码。"), says("客户无法登录。")]).listening() as endpoint:
        journey = ModelJourney(simulator, storage, endpoint.port)
        journey.set_up()
        journey.file()
        for task in ("draft", "summary"):
            journey.act("zg-1", task)


def _badly_rated(simulator: Simulator, storage: Storage) -> None:
    journey = StandardJourney(simulator, storage)
    raw = (
        b"From: customer@example.com\r\nTo: support@standard.local\r\n"
        b"Message-ID: <one@example.com>\r\nSubject: cannot log in\r\n\r\ncannot log in\r\n"
    )
    simulator.mail(raw, "support@standard.local")
    simulator.pump()
    (ticket,) = [t for t in _all(simulator) if t["channel"] == "mail"]
    journey.number = ticket["number"]
    journey.act("li-1", "resolve", summary="重置密码")
    journey.act_as_customer("survey", score=1)
    called = journey.try_action("zj-1", "callback", cause="慢", note="已回访")
    assert called.status == 200, called.text
    simulator.pump()


def _not_answered(simulator: Simulator, storage: Storage) -> None:
    journey = StandardJourney(simulator, storage)
    journey.file()
    journey.act("li-1", "resolve", summary="重置密码")
    (name,) = [n for n, run in simulator.workflows.executions.items() if run.status == "RUNNING"]
    simulator.workflows.expire(name)
    journey.file()
    journey.act("li-1", "resolve", summary="重置密码")
    journey.act_as_customer("survey", score=1)
    (name,) = [n for n, run in simulator.workflows.executions.items() if run.status == "RUNNING"]
    simulator.workflows.expire(name)


def _all(simulator: Simulator) -> list[dict[str, str]]:
    answer = simulator.http(
        "GET",
        "/agent/desks/standard/tickets?queue=all",
        claims={"cognito:username": "zg-1", "cognito:groups": "standard:supervisor"},
    )
    found: list[dict[str, str]] = answer.json["tickets"]
    return found
