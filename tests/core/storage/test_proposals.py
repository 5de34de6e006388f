"""Proposals in the table: the newest of each source, and one decision about each."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.core.domain.proposals import ProposalDecision, Proposals
from functions.core.storage.database import Storage

NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)
DECISION = ProposalDecision(
    id="p", source="chats", accepted=True, by="zg-1", at=NOW, count=4, members=("c#1",)
)


@pytest.mark.requirement("C12")
def test_of_two_runs_the_later_one_stays(storage: Storage) -> None:
    later = Proposals(made_at=NOW, since=NOW, seen=2)
    earlier = later.model_copy(update={"made_at": NOW - timedelta(minutes=1), "seen": 1})
    for made in (later, earlier):
        storage.proposals.put("d", "chats", made)
    assert storage.proposals.get("d", "chats") == later
    assert storage.proposals.get("d", "rules") is None


def test_a_proposal_is_decided_once(storage: Storage) -> None:
    assert storage.proposals.decide("d", DECISION)
    assert not storage.proposals.decide("d", DECISION.model_copy(update={"by": "zg-2"}))
    storage.proposals.update("d", DECISION.model_copy(update={"helped": 1.0}))
    storage.proposals.update("d", DECISION.model_copy(update={"id": "unknown"}))
    (kept,) = storage.proposals.decisions("d")
    assert (kept.by, kept.helped) == ("zg-1", 1.0)
