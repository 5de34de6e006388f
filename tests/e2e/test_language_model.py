"""Language models on the running system: an endpoint on this machine, the emulator's Bedrock."""

import json
from pathlib import Path

import pytest

from functions.core.domain.roster import Agent
from infra.console.people import user_pool
from infra.deploy.desks import storage_of
from infra.deploy.local_stage import Ports, aws_environment
from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import ROOT, System
from tests.language_model.sample_model import document_of, says
from tests.notify.webhook_receiver import Receiver

pytestmark = pytest.mark.requirement("A9", "G4", "G8")
PHONE = "13912345678"
ARTICLES = """articles:
  login:
    title: {zh-CN: 重置密码, en: Reset}
    asked: {zh-CN: [无法登录怎么办]}
    solution: {zh-CN: "请打开“忘记密码”重置。", en: "Reset it"}
"""
MODEL = """
language_model:
  provider: {provider}
  budget: 5
  price: {{input: 1, output: 10}}
"""


def desk(system: System, name: str, provider: str, folder: Path) -> SystemJourney:
    """Apply a desk with a language model, an article and a supervisor by the console alone."""
    text = (ROOT / "playbooks" / "standard.yaml").read_text("utf-8")
    text = text.replace("desk: standard\n", f"desk: {name}\n")
    text = text.replace("support@standard.local", f"support@{name}.local")
    path = folder / f"{name}.yaml"
    path.write_text(text + MODEL.format(provider=provider), "utf-8")
    assert "OK" in system.command("playbook", "check", str(path))
    system.command("playbook", "apply", str(path))
    system.aws("sesv2").create_email_identity(EmailIdentity=f"support@{name}.local")
    articles = folder / "articles.yaml"
    articles.write_text(ARTICLES, "utf-8")
    system.command("knowledge", "apply", str(articles), "--desk", name)
    lead = Agent(desk=name, username=f"{name}-lead", role="supervisor", team="主管组", capacity=5)
    user_pool("local").create(lead.desk, lead.username, lead.role, "Password0000")
    storage_of("local").roster.put(lead)
    journey = SystemJourney(system, name)
    journey.sign_in("lead", "Password0000")
    journey.file(f"无法登录，请回电 {PHONE}", contact=f"{name}@example.com")
    return journey


def test_a_person_gets_what_a_model_writes_until_the_budget_is_spent(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in aws_environment(Ports(aws=system.aws_port)).items():
        monkeypatch.setenv(name, value)
    with Receiver().listening() as endpoint:
        _by_chat_completions(system, endpoint, tmp_path)
    # The emulator's answer names the model and a digest of what it was told.
    journey = desk(system, "written-aws", "bedrock\n  model: amazon.nova-lite-v1:0", tmp_path)
    draft = journey.act("lead", "draft")
    assert draft["text"].startswith("[ministack mock nova amazon.nova-lite-v1:0] reply for prompt#")
    assert draft["tokens"]["input"] > 100
    assert draft["cost_usd"] > 0


def _by_chat_completions(system: System, endpoint: Receiver, folder: Path) -> None:
    parameter = "/deskbell/local/desks/written/models/it"
    system.aws("ssm").put_parameter(Name=parameter, Value="sk-local", Type="SecureString")
    url = f"http://127.0.0.1:{endpoint.port}/v1"
    provider = f"openai\n  url: {url}\n  model: small\n  secret: it"
    journey = desk(system, "written", provider, folder)
    costly = {"prompt_tokens": 6_000_000, "completion_tokens": 1}
    endpoint.answers += [says("请重置密码。"), says("无法登录。"), says("登不上\n进不去", costly)]

    draft = journey.act("lead", "draft")
    assert (draft["text"], draft["cost_usd"]) == ("请重置密码。", 0.003)
    assert draft["articles"] == [{"id": "login", "title": "重置密码"}]
    assert journey.act("lead", "summary")["text"] == "无法登录。"
    assert journey.view("lead")["model_summary"]["text"] == "无法登录。"
    phrasings = journey.as_agent("lead", "POST", "/articles/login/phrasings", {"locale": "zh-CN"})
    assert phrasings.json["phrasings"] == ["登不上", "进不去"]
    over = journey.try_action("lead", "draft")
    assert (over.status, over.headers["Content-Type"]) == (429, "application/problem+json")

    assert {asked.headers["authorization"] for asked in endpoint.got} == {"Bearer sk-local"}
    assert PHONE not in json.dumps([asked.json for asked in endpoint.got])
    assert document_of(endpoint.got[0])["conversation"][0]["text"].startswith("无法登录，请回电")
    *uses, total = system.command("model", "uses", "written").splitlines()
    assert {line.split("\t")[1] for line in uses} == {"draft", "summary", "phrasings"}
    assert total.split("\t")[-1] == "6.006010"
