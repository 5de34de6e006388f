"""Public collections of providers' requests, responses and signatures."""

import os
from pathlib import Path

import pytest

from infra.bench.corpus_events import CASES

FOLDER = os.environ.get("DESKBELL_CORPORA", "")
pytestmark = [
    pytest.mark.requirement("F5", "G1"),
    pytest.mark.corpus,
    pytest.mark.skipif(not FOLDER, reason="DESKBELL_CORPORA names no folder"),
]


@pytest.mark.parametrize("name", CASES)
def test_every_request_of_the_corpus_is_read_correctly(name: str) -> None:
    cases = list(CASES[name](Path(FOLDER) / "events" / name))
    assert cases
    assert [case for case, right in cases if not right] == []
