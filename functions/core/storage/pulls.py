"""The cursor of each announced account, and the lease of who pulls it (decision 41).

Parallel pulls would read the same pages, so the one at it holds a lease. The item is never deleted:
without its cursor the provider would start with its oldest messages again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.core.storage.table import Item, Table, key, parse_stamp, stamp

_NAMES = {
    "#owner": "owner",
    "#until": "until",
    "#since": "since",
    "#again": "again",
    "#cursor": "cursor",
}


@dataclass(frozen=True)
class PullState:
    """The cursor after the last page that was processed, "" before the first; and when the account
    was first announced.
    """

    cursor: str
    since: datetime


@dataclass(frozen=True)
class AccountPull:
    """The pull of one account by one owner, whose id is new for each event of the fetcher."""

    table: Table
    desk: str
    channel: str
    account: str
    owner: str

    def take(self, now: datetime, until: datetime) -> PullState | None:
        """Take the lease until then; None if somebody else holds it.

        The owner may take it again: Lambda repeats an event that failed under the same id.
        """
        item = self._update(
            "attribute_not_exists(#until) OR #until < :now OR #owner = :owner",
            "SET #owner = :owner, #until = :until, #since = if_not_exists(#since, :now) "
            "REMOVE #again",
            {":owner": self.owner, ":now": stamp(now), ":until": stamp(until)},
            "ALL_NEW",
        )
        if item is None:
            return None
        return PullState(item.get("cursor", {}).get("S", ""), parse_stamp(item["since"]["S"]))

    def ask_again(self, token: str, now: datetime) -> bool:
        """Ask the lease's holder to pull once more, with this token; False if nobody holds it."""
        asked = {":again": token, ":now": stamp(now)}
        return self._update("#until >= :now", "SET #again = :again", asked) is not None

    def save(self, before: str, cursor: str) -> bool:
        """Replace the cursor; False if somebody else has taken the lease or moved it."""
        same = "#cursor = :before" if before else "attribute_not_exists(#cursor)"
        values = {":owner": self.owner, ":cursor": cursor} | ({":before": before} if before else {})
        condition = f"#owner = :owner AND {same}"
        return self._update(condition, "SET #cursor = :cursor", values) is not None

    def release(self) -> str | None:
        """Release the lease; if another pull was asked for, keep it and return the token for that.

        Returns:
            None if nothing is left to do, also because somebody else has the lease by now.
        """
        own = {":owner": self.owner}
        free = "#owner = :owner AND attribute_not_exists(#again)"
        if self._update(free, "REMOVE #owner, #until", own) is not None:
            return None
        former = self._update("#owner = :owner", "REMOVE #again", own, "ALL_OLD")
        return None if former is None else former.get("again", {}).get("S", "")

    def give_up(self) -> None:
        """Release the lease whatever was asked for: another event is to come."""
        self._update("#owner = :owner", "REMOVE #owner, #until", {":owner": self.owner})

    def _update(
        self, condition: str, change: str, values: Mapping[str, str], returned: str = "ALL_NEW"
    ) -> Item | None:
        """Change the item on a condition; None if it does not hold."""
        from botocore.exceptions import ClientError

        written = f"{condition} {change}"
        arguments: dict[str, Any] = {
            "ConditionExpression": condition,
            "UpdateExpression": change,
            "ExpressionAttributeNames": {k: v for k, v in _NAMES.items() if k in written},
            "ExpressionAttributeValues": {name: {"S": value} for name, value in values.items()},
            "ReturnValues": returned,
        }
        try:
            response = self.table.client.update_item(
                TableName=self.table.name,
                Key=key(f"PULL#{self.desk}#{self.channel}", f"ACCOUNT#{self.account}"),
                **arguments,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return None
        return response.get("Attributes", {})
