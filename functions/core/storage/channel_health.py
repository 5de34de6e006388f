"""The health of the desks' chat channels: when a message last came and went, and what failed (H7).

One item each, without personal data. A container writes that all is well at most once a minute, so
it costs no write per message.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from functions.core.domain.errors import TryAgain
from functions.core.storage.table import Item, key, parse_stamp, stamp

if TYPE_CHECKING:
    from functions.core.storage.table import Table

NOTED_EVERY = timedelta(minutes=1)
_WELL = {"in": "SET in_at = :at", "out": "SET out_at = :at REMOVE failures, cause"}
_CAUSE_LIMIT = 200


@dataclass(frozen=True)
class ChannelHealth:
    """A channel's last messages in and out, and the failures since the last one that went out."""

    last_in: datetime | None = None
    last_out: datetime | None = None
    failures: int = 0
    cause: str = ""


@dataclass
class ChannelHealths:
    """The health of all desks' channels; `noted` is what this container wrote last, and when."""

    table: Table
    noted: dict[tuple[str, str, str], datetime] = field(default_factory=dict)

    def note(self, desk: str, channel: str, direction: Literal["in", "out"], now: datetime) -> None:
        """Note that a message came or went."""
        before = self.noted.get((desk, channel, direction))
        if before is not None and before <= now < before + NOTED_EVERY:
            return
        self.noted[desk, channel, direction] = now
        self._update(desk, channel, _WELL[direction], {":at": {"S": stamp(now)}})

    def note_failure(self, desk: str, channel: str, cause: str) -> None:
        """Note that a message did not go out; the cause names no person."""
        self.noted.pop((desk, channel, "out"), None)
        values: Item = {":one": {"N": "1"}, ":cause": {"S": cause[:_CAUSE_LIMIT]}}
        self._update(desk, channel, "SET cause = :cause ADD failures :one", values)

    def of(self, desk: str) -> dict[str, ChannelHealth]:
        """Return the health of a desk's channels, by name."""
        items = self.table.query(
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": _partition(desk)}},
        )
        return {item["sk"]["S"]: _read(item) for item in items}

    def _update(self, desk: str, channel: str, update: str, values: Item) -> None:
        with suppress(TryAgain):  # the message itself matters more
            self.table.client.update_item(
                TableName=self.table.name,
                Key=key(_partition(desk), channel),
                UpdateExpression=update,
                ExpressionAttributeValues=values,
            )


def _read(item: Item) -> ChannelHealth:
    def moment(name: str) -> datetime | None:
        return parse_stamp(item[name]["S"]) if name in item else None

    return ChannelHealth(
        last_in=moment("in_at"),
        last_out=moment("out_at"),
        failures=int(item.get("failures", {}).get("N", "0")),
        cause=item.get("cause", {}).get("S", ""),
    )


def _partition(desk: str) -> str:
    return f"HEALTH#{desk}"
