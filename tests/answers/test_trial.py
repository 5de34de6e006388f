"""The figures of `deskbell answers try` and `report`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from functions.answers.building import build
from functions.answers.engine import Decision
from functions.answers.report import report
from functions.answers.trial import Question, Tried, figures
from infra.console.errors import UsageError
from infra.console.main import app
from tests.answers.sample_encoder import ASKED, embed

NAMES = [
    "questions", "top1", "macro_f1", "at_once", "wrong_at_once", "offered", "served",
    "false_answers", "false_offers", "p50_ms",
]  # fmt: skip


def tried(article: str | None, kind: str, *articles: str) -> Tried:
    decision = Decision(kind, articles, 0.5)  # type: ignore[arg-type]
    return Tried(Question("?", article), decision, 2.0)


def test_the_figures_are_those_of_the_contract() -> None:
    result = figures(
        [
            tried("a", "answer", "a"),
            tried("a", "answer", "b"),
            tried("b", "offer", "b", "a"),
            tried("b", "offer", "a", "b"),
            tried("b", "miss"),
            tried(None, "answer", "a"),
            tried(None, "offer", "b"),
            tried(None, "miss"),
        ],
        ["a", "b"],
    )
    assert result.questions == 8
    assert result.top1 == 3 / 8
    assert result.at_once == 2 / 5
    assert result.wrong_at_once == 2 / 3
    assert result.offered == 2 / 5
    assert result.served == 3 / 5
    assert result.false_answers == 1 / 3
    assert result.false_offers == 1 / 3
    assert result.p50_ms == 2.0
    of_a, of_b, of_none = 2 * 1 / (3 + 2), 2 * 1 / (3 + 3), 2 * 1 / (2 + 3)
    assert result.macro_f1 == pytest.approx((of_a + of_b + of_none) / 3)


def test_null_counts_as_a_class_only_where_it_was_asked() -> None:
    assert figures([tried("a", "answer", "a")], ["a"]).macro_f1 == 1.0
    assert figures([tried("a", "answer", "a"), tried(None, "miss")], ["a"]).macro_f1 == 1.0


def test_nothing_counted_is_null() -> None:
    result = figures([], ["a"])
    assert result.questions == 0
    assert (result.top1, result.wrong_at_once, result.false_answers) == (None, None, None)


def test_the_report_names_confusions_and_thin_articles() -> None:
    asked = {
        **ASKED,
        "money": {"en": ["status of my refund please", "where is my refund now"]},
    }
    result = report(build(asked, embed))
    assert result.accuracy is not None
    assert 0 < result.accuracy < 1
    assert {"refund", "money"} in [{one.asked, one.found} for one in result.confusions]
    assert result.thin["refund"] == {"zh-CN": 3}
    assert "address" not in result.thin


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    path = tmp_path / "articles.yaml"
    extra = {"title": {"en": "An article"}, "owner": "anybody"}
    content = {name: {"asked": asked, **extra} for name, asked in ASKED.items()}
    path.write_text(yaml.safe_dump({"articles": content}), "utf-8")
    return path


@pytest.fixture(params=[embed, None], ids=["model", "words"])
def _encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.answers.encoder.load", lambda: request.param)


@pytest.mark.slow
@pytest.mark.usefixtures("_encoder")
def test_try_prints_one_json_object(articles: Path, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    rows = [
        {"text": "my refund has not arrived", "article": "refund"},
        {"text": "hi", "article": None},
    ]
    questions.write_text("\n".join(json.dumps(row) for row in rows) + "\n", "utf-8")
    command = ["answers", "try", str(questions), "--articles", str(articles), "--json"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert list(printed) == NAMES
    assert printed["questions"] == 2
    assert printed["false_answers"] == 0
    assert CliRunner().invoke(app, command[:-1]).exit_code == 0


@pytest.mark.usefixtures("_encoder")
def test_report_prints_accuracy_as_no_forecast(articles: Path) -> None:
    result = CliRunner().invoke(app, ["answers", "report", "--articles", str(articles)])
    assert result.exit_code == 0, result.output
    assert "accuracy, leave-one-out (no forecast)" in result.stdout
    assert "too few phrasings: invoice" in result.stdout
    as_json = CliRunner().invoke(app, ["answers", "report", "--articles", str(articles), "--json"])
    assert json.loads(as_json.stdout)["thin"]["refund"] == {"zh-CN": 3}


@pytest.mark.parametrize("line", ["[]", "{}", '{"text": "a"}', "no json"])
def test_a_line_that_is_no_question_is_named(line: str, articles: Path, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text(line, "utf-8")
    command = ["answers", "try", str(questions), "--articles", str(articles)]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, UsageError)
    assert "questions.jsonl:1" in str(result.exception)


@pytest.mark.parametrize("content", ["", "articles: []", "articles: {a: {asked: text}}"])
def test_a_file_without_articles_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "articles.yaml"
    path.write_text(content, "utf-8")
    result = CliRunner().invoke(app, ["answers", "report", "--articles", str(path)])
    assert isinstance(result.exception, UsageError)
