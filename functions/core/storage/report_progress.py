"""The progress of the function `reports` with each desk: one item for each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from functions.core.domain.privacy import TermName
from functions.core.domain.ticket import Value
from functions.core.reports.spending import Spending
from functions.core.storage.journal import KEPT_FOR
from functions.core.storage.table import Item, Table, key

SORT_KEY = "PROGRESS"


class Progress(Value):
    """The progress of a desk's reports.

    `facts_through`: the arrival up to which the feeds are in the facts. `compacted`: the last local
    day whose facts were merged. `began`: the first run; commits before it may be in no feed.
    `unmailed`: reports whose mails have not all gone out. `spending`: the month's running sum.
    `counter` counts the changes.
    """

    facts_through: datetime
    began: datetime | None = None
    compacted: date | None = None
    unmailed: tuple[TermName, ...] = ()
    spending: Spending | None = None
    counter: int = 0

    def changed(self, **changes: object) -> Progress:
        return self.model_copy(update=changes)


@dataclass
class ReportProgress:
    """The progress of all desks."""

    table: Table

    def get(self, desk: str, now: datetime) -> Progress:
        """Return a desk's progress; a new desk begins with what the feeds still have."""
        item = self.table.get(_partition(desk), SORT_KEY, consistent=True)
        if item is None:
            return Progress(facts_through=now - KEPT_FOR, began=now)
        return Progress.model_validate_json(item["body"]["S"])

    def put(self, desk: str, progress: Progress) -> Progress | None:
        """Store a desk's next progress; None if another was stored since it was read."""
        after = progress.changed(counter=progress.counter + 1)
        item: Item = key(_partition(desk), SORT_KEY) | {
            "counter": {"N": str(after.counter)},
            "body": {"S": after.model_dump_json()},
        }
        if not progress.counter:
            stored = self.table.put_if("attribute_not_exists(pk)", item)
        else:
            stored = self.table.put_if(
                "#counter = :counter",
                item,
                ExpressionAttributeNames={"#counter": "counter"},
                ExpressionAttributeValues={":counter": {"N": str(progress.counter)}},
            )
        return after if stored else None


def _partition(desk: str) -> str:
    return f"REPORTS#{desk}"
