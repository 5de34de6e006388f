"""The audit: one item for each administrative act, by month (docs/architecture.md draws it)."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from functions.core.domain.audit import RETENTION, AuditEntry
from functions.core.domain.errors import TryAgain
from functions.core.storage.table import Item, Table, Write, between, key, parse_stamp, stamp

AUDIT = "AUDIT#"
"""The beginning of the entries' partition keys; the router's stream filter names it."""


@dataclass
class Audit:
    """The administrative acts of all desks. An entry is written once and never changed."""

    table: Table

    def write(self, entry: AuditEntry) -> Write:
        """The write of an entry, for the transaction that carries out the act."""
        return "audit", {
            "Put": {
                "TableName": self.table.name,
                "Item": _item(entry),
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }

    def record(self, entry: AuditEntry) -> None:
        """Write an entry before an act that cannot be part of its transaction.

        Raises:
            TryAgain: it was not written.
        """
        if not self.table.put_if("attribute_not_exists(pk)", _item(entry)):
            raise TryAgain("the act was not recorded")

    def list(self, since: datetime, until: datetime, desk: str = "") -> Iterator[AuditEntry]:
        """The entries from `since` to before `until`, oldest first.

        Args:
            desk: only this desk's.
        """
        for month in _months(since, until):
            query = between(AUDIT + month, stamp(since), stamp(until))
            for item in self.table.query(**query, ConsistentRead=True):
                if desk in ("", item["desk"]["S"]):
                    yield read_entry(item)


def read_entry(item: Item) -> AuditEntry:
    return AuditEntry(
        at=parse_stamp(item["sk"]["S"].partition("#")[0]),
        **{name: item[name]["S"] for name in ("actor", "act", "desk")},
        **json.loads(item["body"]["S"]),
    )


def _item(entry: AuditEntry) -> Item:
    body = entry.model_dump(mode="json", include={"target", "before", "after"})
    return {
        **key(f"{AUDIT}{_month(entry.at)}", f"{stamp(entry.at)}#{secrets.token_hex(4)}"),
        "actor": {"S": entry.actor},
        "act": {"S": entry.act},
        "desk": {"S": entry.desk},
        "body": {"S": json.dumps(body, ensure_ascii=False, separators=(",", ":"))},
        "expires_at": {"N": str(int((entry.at + RETENTION).timestamp()))},
    }


def _month(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m}"


def _months(since: datetime, until: datetime) -> Iterator[str]:
    """The UTC months of a span, `YYYY-MM`, oldest first."""
    first, last = since.astimezone(UTC), until.astimezone(UTC)
    for count in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        yield f"{count // 12:04}-{count % 12 + 1:02}"
