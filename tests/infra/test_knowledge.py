"""`deskbell knowledge`: check, apply, list and export the articles of a desk."""

import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from functions.core.domain.classification import classify
from functions.core.domain.errors import NotFound, PlaybookError
from functions.core.knowledge.loader import load
from functions.core.playbook.loader import load as load_playbook
from functions.core.storage.database import Storage
from infra.console.main import app
from infra.deploy.steps import ROOT
from infra.simulator.simulator import Simulator
from tests.inprocess.conftest import (
    DEPLOYMENT,
    simulator as simulator,  # the deployment on moto, which checks permissions
    storage as storage,
)

pytestmark = pytest.mark.requirement("A9")
SHIPPED = ROOT / "knowledge" / "assisted.yaml"
FILE = """articles:
  refund:
    title: {zh-CN: 退款, en: Refund}
    solution: {zh-CN: 七天内, en: Within a week}
"""


def console(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["knowledge", *arguments])
    if done.exception is not None:
        raise done.exception
    return done.output


def on_stage(*arguments: str) -> str:
    return console(*arguments, "--stage", DEPLOYMENT.stage)


def put(simulator: Simulator, body: Any) -> int:
    claims = {"cognito:username": "zg-1", "cognito:groups": "standard:supervisor"}
    path = "/agent/desks/standard/articles/refund"
    return simulator.http("PUT", path, body, claims=claims).status


def test_check_prints_errors_and_what_could_be_better(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(FILE, "utf-8")
    assert console("check", str(path)).splitlines() == [
        "OK: 1 articles",
        "warning: refund: no zh-CN: phrasings",
        "warning: refund: no en: phrasings",
    ]
    path.write_text(FILE.replace("七天内", "'{{ days }}'"), "utf-8")
    with pytest.raises(PlaybookError, match=r"a.yaml:4: articles.refund.solution.zh-CN"):
        console("check", str(path))


def test_apply_stores_what_differs_once(
    simulator: Simulator, storage: Storage, tmp_path: Path
) -> None:
    """An export can be applied again; an edit through the API is a further version."""
    path = tmp_path / "a.yaml"
    path.write_text(FILE, "utf-8")
    assert on_stage("apply", str(path), "--desk", "standard").splitlines()[-1] == (
        "desk standard: knowledge base 1, 1 changed"
    )
    again = on_stage("apply", str(path), "--desk", "standard")
    assert again == "desk standard: knowledge base 1, no changes\n"
    assert put(simulator, {"title": {"en": "Refund"}, "solution": {"en": "Soon"}}) == 200
    path.write_text(on_stage("export", "standard"), "utf-8")
    assert "no changes" in on_stage("apply", str(path), "--desk", "standard")
    path.write_text(FILE, "utf-8")
    said = on_stage("apply", str(path), "--desk", "standard")
    assert "~ refund.solution.en: Soon → Within a week" in said
    rows = [line.split("\t") for line in on_stage("list", "standard").splitlines()]
    assert [row[:5] for row in rows] == [["refund", "3", "published", "customer", "-"]]
    history = storage.knowledge.versions("standard", "refund")
    assert [version.author.partition(":")[0] for version in history] == [
        "console", "zg-1", "console",
    ]  # fmt: skip


def test_articles_need_a_desk_that_knows_their_variables_and_type(
    storage: Storage, tmp_path: Path
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"{FILE}    needs: {{days: ticket}}\n", "utf-8")
    with pytest.raises(PlaybookError, match=r"articles.refund.needs.days: the desk's tickets have"):
        on_stage("apply", str(path), "--desk", "standard")
    path.write_text(f"{FILE}    type: refunds\n", "utf-8")
    with pytest.raises(PlaybookError, match=r"articles.refund.type: one of: .*咨询"):
        on_stage("apply", str(path), "--desk", "standard")
    assert storage.knowledge.version("standard") == 0
    for arguments in (("apply", str(path), "--desk", "nowhere"), ("export", "nowhere")):
        with pytest.raises(NotFound):
            on_stage(*arguments)


def test_the_shipped_welcome_names_a_phrasing_of_an_article() -> None:
    """The example that the desk gives gets an answer when it is typed."""
    assistant = load_playbook(ROOT / "playbooks" / "assisted.yaml").assistant
    assert assistant is not None
    asked = load(SHIPPED)["refund-status"].asked
    for locale, text in assistant.welcome.items():
        example, *_ = re.findall('[“"](.+?)[”"]', text)
        assert example in asked[locale]


def test_no_rule_hands_over_a_shipped_title_whose_article_would_answer() -> None:
    playbook = load_playbook(ROOT / "playbooks" / "assisted.yaml")
    default = playbook.ranks[playbook.default_priority]
    for name, article in load(SHIPPED).items():
        for title in article.title.values():
            found = classify(title, playbook, channel="chat")
            urgent = playbook.ranks[found.priority] < default or found.mood
            assert article.then == "hand_over" or not urgent, f"{name}: {title}"


def test_the_shipped_articles_are_without_a_finding() -> None:
    assert console("check", str(SHIPPED)).count("\n") == 1
