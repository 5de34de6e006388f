"""Public collections of mails with their own expectations."""

import os
from pathlib import Path

import pytest

from infra.bench import corpus

FOLDER = os.environ.get("DESKBELL_CORPORA", "")
pytestmark = [
    pytest.mark.requirement("F1"),
    pytest.mark.corpus,
    pytest.mark.skipif(not FOLDER, reason="DESKBELL_CORPORA names no folder"),
]

SHARES = {
    "crisp_reply_parser": 0.96,
    "github_reply_parser": 0.95,
    "quotequail": 0.85,
    "mail_parser_reply": 0.95,
    "chatwoot_mail": 1.0,
    "bounces": 0.99,
}


@pytest.mark.parametrize("name", SHARES)
def test_the_share_of_correct_mails_is_high_enough(name: str) -> None:
    right, count = corpus.scores(FOLDER, name)[name]
    assert count > 0
    assert right / count >= SHARES[name], corpus.wrong(FOLDER, name)


def test_the_patterns_of_the_collection_match() -> None:
    right, count = corpus.patterns(FOLDER)
    assert right == count


def test_no_bounce_is_taken_for_a_person_s_mail() -> None:
    """Answering one bounce automatically would be a failure."""
    assert corpus.wrong(FOLDER, "bounces") == []


def test_the_parser_is_about_as_fast_as_the_standard_library() -> None:
    rates = corpus.speed(FOLDER)
    assert rates["deskbell"] > 0.1 * rates["email"]


@pytest.mark.slow
def test_the_report_has_a_row_for_each_folder(capsys: pytest.CaptureFixture[str]) -> None:
    """`make corpus` prints the share of each folder and the rate against Python's `email`."""
    assert corpus.main([FOLDER]) == 0
    said = capsys.readouterr().out
    for part in ("mail/bounces", "events/ses_notifications", "pii/pii_patterns, hidden", "email"):
        assert part in said


def test_chat_calls_are_read_and_personal_data_masked() -> None:
    """Nothing leaks, at least 98 % of other text stays unchanged, every call is read."""
    found = corpus.everything(FOLDER)
    for name, (right, count) in found.items():
        if name.startswith("events/") or name.endswith("hidden"):
            assert (name, right) == (name, count)
    right, count = found["pii/pii_patterns, left alone"]
    assert right >= 0.98 * count


def test_a_missing_folder_is_reported(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert corpus.main([str(tmp_path)]) == 2
    assert "DESKBELL_CORPORA" in capsys.readouterr().err
