"""`make corpus` without the public collections."""

import json
from pathlib import Path

import pytest

from infra.bench import budgets, corpus


def test_without_a_folder_one_line_explains_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DESKBELL_CORPORA", raising=False)
    assert corpus.main([]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("skipped: ")


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    assert corpus.main([str(tmp_path)]) == 2


def test_the_bench_reports_a_skipped_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DESKBELL_CORPORA", raising=False)
    out = tmp_path / "bench.json"
    assert budgets.main(["--only", "corpus", "--out", str(out)]) == 0
    assert json.loads(out.read_text("utf-8"))["skipped"]["corpus"].startswith("skipped: ")


def test_the_bench_has_a_row_for_each_collection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With small collections made by the test."""
    raw = b"From: a@example.com\r\nSubject: x\r\n\r\ntext"
    bounces = tmp_path / "mail" / "bounces"
    bounces.mkdir(parents=True)
    (bounces / "1.eml").write_bytes(raw)
    case = {"id": "1", "input": "1.eml", "label": "human"}
    (bounces / "cases.jsonl").write_text(json.dumps(case) + "\n", "utf-8")
    patterns = tmp_path / "pii" / "pii_patterns"
    patterns.mkdir(parents=True)
    told = {"text": "13800138000", "spans": [{"type": "PHONE", "value": "13800138000"}]}
    plain = {"text": "order 20260101001", "spans": []}
    lines = "\n".join(map(json.dumps, (told, plain)))
    (patterns / "presidio_patterns.jsonl").write_text(lines, "utf-8")
    monkeypatch.setenv("DESKBELL_CORPORA", str(tmp_path))
    out = tmp_path / "bench.json"
    assert budgets.main(["--only", "corpus", "--out", str(out)]) == 0
    rows = {row["what"]: row["value"] for row in json.loads(out.read_text("utf-8"))["budgets"]}
    assert rows["mail/bounces"] == 100
    assert rows["pii/pii_patterns, hidden"] == 100
    assert rows["pii/pii_patterns, left alone"] == 100
    assert rows["mails parsed, against email alone"] > 0
