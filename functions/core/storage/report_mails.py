"""The mails with reports and jumps that were sent: each recipient gets each once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from functions.core.storage.table import Item, key

if TYPE_CHECKING:
    from functions.core.storage.table import Table

KEPT_FOR = timedelta(days=400)
"""The time after which DynamoDB may remove a claim: no report is mailed so late."""


@dataclass(frozen=True)
class ReportMails:
    """The claims of all desks, one item each."""

    table: Table

    def claim(self, desk: str, report: str, recipient: str, now: datetime) -> bool:
        """Record that a mail is about to be sent; False if it was before.

        Args:
            report: the kind and the period, such as `weekly/2026-W48`, or `jump/` and the day.
            recipient: as the playbook names it; of a jump, its group.
        """
        item: Item = key(*_key(desk, report, recipient)) | {
            "expires_at": {"N": str(int((now + KEPT_FOR).timestamp()))}
        }
        return self.table.put_if("attribute_not_exists(pk) OR attribute_exists(released)", item)

    def release(self, desk: str, report: str, recipient: str) -> None:
        """Take back a claim whose mail has not gone out."""
        self.table.update_if(
            "attribute_exists(pk)",
            *_key(desk, report, recipient),
            UpdateExpression="SET released = :yes",
            ExpressionAttributeValues={":yes": {"BOOL": True}},
        )


def _key(desk: str, report: str, recipient: str) -> tuple[str, str]:
    return f"REPORTMAIL#{desk}", f"{report}#{recipient}"
