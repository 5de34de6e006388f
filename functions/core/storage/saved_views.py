"""The views that people have saved: one item a person and desk."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from functions.core.domain.errors import Conflict
from functions.core.domain.saved_views import SavedView, SavedViews
from functions.core.storage.table import Item, key

if TYPE_CHECKING:
    from functions.core.storage.table import Table

READ_EVERY = timedelta(seconds=30)
"""The age after which a container reads a person's views again."""

_TRIES = 3
_MOST_READ = 1000
"""People whose views a container remembers."""


@dataclass
class StoredViews:
    """The saved views of all desks; `read` keeps what this container has read, and when."""

    table: Table
    read: dict[tuple[str, str], tuple[datetime, SavedViews]] = field(default_factory=dict)

    def get(self, desk: str, username: str, now: datetime, *, newest: bool = False) -> SavedViews:
        """Return a person's views in order.

        Args:
            newest: read them, though this container may have done so just now.
        """
        known = self.read.get((desk, username))
        if known and not newest and timedelta(0) <= now - known[0] < READ_EVERY:
            return known[1]
        item = self.table.get(_partition(desk), username, consistent=newest)
        return self._remember(desk, username, now, _views(item))

    def change(
        self, desk: str, username: str, now: datetime, changed: Callable[[SavedViews], SavedViews]
    ) -> SavedViews:
        """Store what `changed` makes of a person's views, and return it.

        Raises:
            Conflict: other pages of the same person changed them `_TRIES` times in a row.
        """
        for _ in range(_TRIES):
            item = self.table.get(_partition(desk), username, consistent=True)
            views, version = changed(_views(item)), int(item["version"]["N"]) if item else 0
            new: Item = {
                **key(_partition(desk), username),
                "version": {"N": str(version + 1)},
                "body": {"S": json.dumps([v.model_dump() for v in views], ensure_ascii=False)},
            }
            if self.table.put_if(
                "attribute_not_exists(pk) OR version = :version",
                new,
                ExpressionAttributeValues={":version": {"N": str(version)}},
            ):
                return self._remember(desk, username, now, views)
        raise Conflict(f"the views of {username} have changed since")

    def _remember(self, desk: str, username: str, now: datetime, views: SavedViews) -> SavedViews:
        if len(self.read) >= _MOST_READ:
            self.read.clear()
        self.read[desk, username] = (now, views)
        return views


def _views(item: Item | None) -> SavedViews:
    stored = json.loads(item["body"]["S"]) if item else ()
    return tuple(SavedView.model_validate(each) for each in stored)


def _partition(desk: str) -> str:
    return f"VIEWS#{desk}"
