"""The items by which a provider's report about a sent message finds its delivery.

Reports come in any order, even before the sender has written that it sent the message. So both
sides write to one item, and whichever comes second learns what the other wrote.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from functions.core.storage.table import Item, Table, key

SORT_KEY = "REPORT"
KEPT_FOR = timedelta(days=7)
"""Longer than any provider reports: operators give a message up after 72 hours at most."""


@dataclass(frozen=True)
class ExpectedReport:
    """The delivery that a provider's id belongs to, once it was sent, and the failure reported
    about it. `delivery` is its sort key. An empty field is not known yet."""

    number: str = ""
    delivery: str = ""
    failure: str = ""


@dataclass
class ExpectedReports:
    """The reports that all desks expect, by the provider's id of the message."""

    table: Table

    def expect(
        self, desk: str, provider: str, message_id: str, number: str, delivery: str, now: datetime
    ) -> ExpectedReport:
        """Write which delivery a message belongs to; return it with what was reported before."""
        written = {"number": number, "delivery": delivery}
        return self._write(desk, provider, message_id, written, now)

    def fail(
        self, desk: str, provider: str, message_id: str, cause: str, now: datetime
    ) -> ExpectedReport:
        """Write that a message failed; return it with its delivery, if that is known by now."""
        return self._write(desk, provider, message_id, {"failure": cause}, now)

    def _write(
        self, desk: str, provider: str, message_id: str, written: dict[str, str], now: datetime
    ) -> ExpectedReport:
        # Some providers' ids contain the person's number.
        digest = sha256(f"{provider}\n{message_id}".encode("utf-8", "replace")).hexdigest()[:32]
        item_key: Item = key(f"REPORT#{desk}#{digest}", SORT_KEY)
        names = {f"#{name}": name for name in written}
        assignments = ", ".join(f"#{name} = :{name}" for name in written)
        response = self.table.client.update_item(
            TableName=self.table.name,
            Key=item_key,
            UpdateExpression=f"SET {assignments}, expires_at = :expires",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={
                **{f":{name}": {"S": value} for name, value in written.items()},
                ":expires": {"N": str(int((now + KEPT_FOR).timestamp()))},
            },
            ReturnValues="ALL_NEW",
        )
        known = response["Attributes"]
        return ExpectedReport(
            *(known.get(name, {}).get("S", "") for name in ("number", "delivery", "failure"))
        )
