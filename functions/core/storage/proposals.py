"""Proposals and the decisions about them, by desk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, get_args

from functions.core.domain.proposals import ProposalDecision, Proposals, Source
from functions.core.storage.table import Item, beginning, key

if TYPE_CHECKING:
    from functions.core.storage.table import Table

DECISION = "DECISION#"
KEPT_FOR = timedelta(days=800)
"""The time for which a decision is kept."""


@dataclass
class DeskProposals:
    """The proposals of all desks: one item a source, replaced when new ones are made."""

    table: Table

    def get(self, desk: str, source: Source) -> Proposals | None:
        item = self.table.get(_partition(desk), source.upper(), consistent=True)
        return Proposals.model_validate_json(item["body"]["S"]) if item else None

    def put(self, desk: str, source: Source, proposals: Proposals) -> None:
        """Replace what was proposed before; of two runs the one with the later time stays."""
        item: Item = key(_partition(desk), source.upper()) | {
            "body": {"S": proposals.model_dump_json(exclude_defaults=True)},
            "made_at": {"S": proposals.made_at.isoformat()},
        }
        self.table.put_if(
            "attribute_not_exists(pk) OR made_at <= :made",
            item,
            ExpressionAttributeValues={":made": item["made_at"]},
        )

    def decide(self, desk: str, decision: ProposalDecision) -> bool:
        """Store a decision; False if somebody has decided about the proposal before."""
        return self.table.put_if("attribute_not_exists(pk)", _decision(desk, decision))

    def update(self, desk: str, decision: ProposalDecision) -> None:
        """Replace a decision by one that knows more of its effect."""
        self.table.put_if("attribute_exists(pk)", _decision(desk, decision))

    def decisions(self, desk: str) -> Iterator[ProposalDecision]:
        for item in self.table.query(**beginning(_partition(desk), DECISION)):
            yield ProposalDecision.model_validate_json(item["body"]["S"])

    def forget(self, desk: str, origin: str) -> None:
        """Remove the questions of a chat or ticket whose customer is erased."""
        for source in get_args(Source):
            found = self.get(desk, source)
            if found is not None and (left := found.without(frozenset({origin}))) != found:
                self.put(desk, source, left)


def _partition(desk: str) -> str:
    return f"PROPOSALS#{desk}"


def _decision(desk: str, decision: ProposalDecision) -> Item:
    expires: datetime = decision.at + KEPT_FOR
    return key(_partition(desk), f"{DECISION}{decision.id}") | {
        "body": {"S": decision.model_dump_json(exclude_defaults=True)},
        "expires_at": {"N": str(int(expires.timestamp()))},
    }
