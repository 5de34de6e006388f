"""Moods by examples: what the layer over them makes of a text, and how it is counted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from typer.testing import CliRunner

from functions.answers import encoder, mood
from functions.answers.mood import Judged, figures, fit, likelihood
from functions.answers.vectors import Floats
from functions.core.text.terms import has_han
from infra.console.errors import UsageError
from infra.console.main import app

HERE = Path(__file__).parent
BOAT = "my boat has been rotting in your yard since May"


def embed(texts: Sequence[str]) -> Floats:
    """Return a direction of its own for each text."""
    rows = [np.random.default_rng(crc32(text.encode())).normal(size=384) for text in texts]
    return np.stack([row / np.linalg.norm(row) for row in rows]).astype(np.float32)


@pytest.mark.slow
def test_a_desks_own_examples_decide_about_what_is_like_them() -> None:
    assert likelihood(fit(embed, (BOAT,), ()), BOAT, embed) > 0.9
    assert likelihood(fit(embed, (), (BOAT,)), BOAT, embed) < 0.1


@pytest.mark.slow
def test_a_long_text_costs_no_more_than_nine_readings() -> None:
    layer, read = fit(embed), list[str]()

    def counting(texts: Sequence[str]) -> Floats:
        read.extend(texts)
        return embed(texts)

    likelihood(layer, "这是很长的一句话。" * 500, counting)
    assert len(read) == 9


def test_the_examples_are_none_of_the_sentences_that_measure_them() -> None:
    examples = mood.examples()
    texts = [*examples["upset"], *examples["calm"]]
    assert len(texts) == len(set(texts))
    for column in examples.values():
        assert 0.4 < sum(map(has_han, column)) / len(column) < 0.7
    measuring = [
        json.loads(line)["text"]
        for path in HERE.glob("*.jsonl")
        for line in path.read_text("utf-8").splitlines()
    ]
    assert not set(texts) & set(measuring)


def test_figures_are_shares_of_what_they_name() -> None:
    judged = [Judged("a", True), Judged("b", True), Judged("c", False), Judged("d", False)]
    found = figures(judged, [True, False, True, False])
    assert (found.recall, found.precision, found.false_alarms) == (0.5, 0.5, 0.5)
    nothing = figures([], [])
    assert (nothing.recall, nothing.precision, nothing.false_alarms) == (None, None, None)


@pytest.mark.slow
def test_the_console_measures_examples_and_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "load", lambda: embed)
    rows = [{"text": BOAT, "upset": True}, {"text": "I am fed up", "upset": True}]
    sentences = tmp_path / "sentences.jsonl"
    sentences.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    harbour = HERE.parent / "desks" / "harbour.yaml"
    command = ["answers", "mood", str(sentences), "--playbook", str(harbour)]
    result = CliRunner().invoke(app, [*command, "--json"])
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert list(printed) == ["examples", "rules", "together"]
    assert (printed["rules"]["recall"], printed["together"]["recall"]) == (0.5, 1)
    assert "together\t2\t2\t1.0" in CliRunner().invoke(app, command).stdout
    sentences.write_text('{"text": "a", "upset": "yes"}', "utf-8")
    assert isinstance(CliRunner().invoke(app, command).exception, UsageError)
