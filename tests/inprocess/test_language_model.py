"""A desk's language model: what agents get, what it may cost, and what is left of it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from functions.core.domain.knowledge import Article, ArticleVersion
from functions.core.domain.playbook_assistant import Assistant
from functions.core.domain.playbook_model import LanguageModel
from functions.core.platform import aws
from functions.core.storage.database import Storage
from infra.console.main import app
from infra.simulator.simulator import Simulator
from tests.inprocess.conftest import erase_customer
from tests.inprocess.test_assistant import Chat
from tests.inprocess.test_standard import SECRETS, StandardJourney
from tests.language_model.sample_model import document_of, says
from tests.notify.webhook_receiver import Receiver

pytestmark = pytest.mark.requirement("A9", "B10", "G4")
KEY = "sk-of-the-desk"
LOGIN = {
    "title": {"zh-CN": "重置密码"},
    "asked": {"zh-CN": ["无法登录怎么办", "无法登录"]},
    "solution": {"zh-CN": "请打开 {{ reset_page }} 重置密码，热线 400-800-1234。"},
    "needs": {"reset_page": "asked"},
}


@pytest.fixture
def model() -> Iterator[Receiver]:
    with Receiver().listening() as found:
        yield found


class ModelJourney(StandardJourney):
    """A ticket of the standard desk with a language model."""

    def __init__(self, simulator: Simulator, storage: Storage, port: int) -> None:
        super().__init__(simulator, storage)
        self.port = port
        deployment, ssm = simulator.deployment, boto3.client("ssm")
        settings = json.dumps(aws.settings(deployment) | {"local_webhooks": "on"})
        for name, value in (
            ("settings", settings),
            ("desks/standard/models/main", KEY),
        ):
            ssm.put_parameter(
                Name=deployment.parameter(name), Value=value, Type="SecureString", Overwrite=True
            )
        aws.parameter.cache_clear()
        article = Article.model_validate(LOGIN)
        storage.knowledge.put(
            "standard", "login", ArticleVersion(1, "zg-1", datetime.now(UTC), article)
        )

    def set_up(self, assistant: Assistant | None = None, **changes: Any) -> None:
        model = LanguageModel.model_validate(
            {
                "provider": "openai",
                "url": f"http://127.0.0.1:{self.port}/v1",
                "model": "small",
                "secret": "main",
                "budget": "1",
                "price": {"input": "1", "output": "10"},
                **changes,
            }
        )
        playbook = self.playbook.model_copy(
            update={"language_model": model, "assistant": assistant}
        )
        self.storage.playbooks.put(playbook, datetime.now(UTC))
        self.simulator.replace_containers()


@pytest.fixture
def journey(simulator: Simulator, storage: Storage, model: Receiver) -> ModelJourney:
    return ModelJourney(simulator, storage, model.port)


def test_an_agent_gets_drafts_and_summaries_within_the_budget(
    journey: ModelJourney, model: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    """Masked text alone is sent; the summary of a version is paid for once, and erased."""
    journey.online("li-1")
    journey.file()
    off = journey.try_action("li-1", "draft")
    assert (off.status, "language_model" in off.json["detail"]) == (409, True)
    journey.set_up()

    model.answers += [
        says("您好，请打开【请填写：reset_page】。"),
        says("客户无法登录，等待回电。"),
    ]
    draft = journey.act("li-1", "draft")
    assert draft == {
        "text": "您好，请打开【请填写：reset_page】。",
        "articles": [{"id": "login", "title": "重置密码"}],
        "model": "small",
        "tokens": {"input": 1000, "output": 200},
        "cost_usd": 0.003,
    }
    assert journey.try_action("li-1", "reply", text=draft["text"]).status == 400
    sent = model.got[0]
    assert (sent.path, sent.headers["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    (told,) = document_of(sent)["articles"]
    assert "【请填写：reset_page】" in told["solution"]

    journey.act("li-1", "note", text="客户说明天 13912345678 再联系")
    assert "model_summary" not in journey.view()
    first = journey.act("li-1", "summary")
    again = journey.act("zg-1", "summary")
    assert (again["text"], again["cost_usd"]) == (first["text"], 0)
    assert journey.view()["model_summary"]["text"] == first["text"]
    assert "再联系" in json.dumps(document_of(model.got[1]), ensure_ascii=False)
    assert "再联系" not in json.dumps(document_of(sent), ensure_ascii=False)
    everything = json.dumps([request.json for request in model.got], ensure_ascii=False)
    assert not [secret for secret in (*SECRETS, "13912345678") if secret in everything]
    assert journey.messages_to("customer") == ["received", "assigned"]

    day = datetime.now(UTC).astimezone(journey.playbook.zone).date().isoformat()
    uses = list(journey.storage.model_uses.of_day("standard", day))
    assert {(use.task, use.by, use.outcome) for use in uses} == {
        ("draft", "li-1", "answered"),
        ("summary", "li-1", "answered"),
    }
    listed = CliRunner().invoke(
        app, ["model", "uses", "standard", "--days", "1", "--json", "--stage", "test"]
    )
    assert {json.loads(line)["cost"] for line in listed.stdout.splitlines()} == {"0.003000"}
    spent = journey.storage.model_uses.spent("standard", day)
    assert spent == sum(use.cost for use in uses)

    journey.set_up(budget=str(spent))
    assert journey.try_action("li-1", "draft").status == 429
    assert len(model.got) == 2
    logged = capsys.readouterr().out
    assert logged.count("model.used") == 2
    assert "等待回电" not in logged

    erase_customer(journey.simulator, datetime.now(UTC), number=journey.number)
    assert "model_summary" not in journey.view()
    assert journey.storage.model_summaries.get("standard", journey.number) is None


def test_nothing_is_invented_and_a_failing_model_is_said_to_fail(
    journey: ModelJourney, model: Receiver
) -> None:
    journey.set_up(timeout="1s", uses=["draft", "phrasings"])
    journey.file("发票抬头写错了")
    assert journey.try_action("zg-1", "draft").status == 409
    assert journey.try_action("zg-1", "summary").status == 409
    assert journey.try_action("zg-1", "draft", articles=["refunds"]).status == 404
    assert model.got == []
    named = {"articles": ["login"]}
    model.answers += [says("NO_ANSWER"), 500, says("1. 忘了密码\n- 无法登录\n密码不对\n密码不对")]
    assert journey.try_action("zg-1", "draft", **named).status == 409
    failed = journey.try_action("zg-1", "draft", **named)
    assert (failed.status, failed.headers["content-type"]) == (424, "application/problem+json")
    journey.set_up(secret="lost")
    assert journey.try_action("zg-1", "draft", **named).status == 424
    assert len(model.got) == 2
    journey.set_up()
    at = "/articles/login/phrasings"
    assert journey.as_agent("li-1", "POST", at, {"locale": "zh-CN"}).status == 403
    written = journey.as_agent("zg-1", "POST", at, {"locale": "zh-CN"}).json
    assert written["phrasings"] == ["忘了密码", "密码不对"]
    assert journey.as_agent("zg-1", "POST", "/articles/x/phrasings", {"locale": "en"}).status == 404


@pytest.mark.slow
@pytest.mark.requirement("C6")
@pytest.mark.parametrize("uses", [["summary"], ["draft"]])
def test_a_chat_is_summarised_when_it_is_handed_over(
    journey: ModelJourney, model: Receiver, uses: list[str]
) -> None:
    """Once, and nobody waits for it: the answer is the same while the model is out of reach."""
    assistant = Assistant(welcome={"zh-CN": "您好", "en": "Hello"})
    journey.set_up(assistant, uses=uses, timeout="1s")
    summary, summarises = "客户要人工处理登录问题。", uses == ["summary"]
    for answer, expected in ((says(summary), summary), (500, None)):
        model.answers.append(answer)
        chat = Chat(journey)
        chat.begin()
        (handed_over,) = chat.new("handover")
        assert chat.new("handover") == []
        journey.number = handed_over["ticket"]["number"]
        journey.simulator.pump()
        shown = journey.view("zg-1").get("model_summary", {}).get("text")
        assert shown == (expected if summarises else None)
    assert len(model.got) == (2 if summarises else 0)
