"""The agents who have a ticket open: one item a desk, with an attribute for each agent.

It is part of no ticket and of no transaction: what it says is wrong after two minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, cast

from functions.core.storage.table import key

if TYPE_CHECKING:
    from functions.core.storage.database import Storage
    from functions.core.storage.table import Item

SORT_KEY = "VIEWERS"
SEEN_FOR = timedelta(minutes=2)
"""The time after which somebody who does not report any more counts as gone."""

_AGENT = "agent#"

Attention = Literal["viewing", "typing"]
"""The attention of an agent: reading a ticket, or writing an answer or a note."""


@dataclass(frozen=True)
class Viewer:
    """Somebody who has a ticket open; colleagues read the display name."""

    username: str
    name: str
    number: str
    attention: Attention
    at: datetime


def report(storage: Storage, desk: str, viewer: Viewer) -> None:
    """Note that somebody has a ticket open; it replaces what was noted of them before."""
    seen_until = int((viewer.at + SEEN_FOR).timestamp())
    entry = {
        "number": {"S": viewer.number},
        "name": {"S": viewer.name},
        "attention": {"S": viewer.attention},
        "until": {"N": str(seen_until)},
    }
    storage.table.client.update_item(
        TableName=storage.table.name,
        Key=key(_partition(desk), SORT_KEY),
        UpdateExpression="SET #agent = :entry, expires_at = :expires",
        ExpressionAttributeNames={"#agent": f"{_AGENT}{viewer.username}"},
        ExpressionAttributeValues={
            ":entry": {"M": entry},
            ":expires": {"N": str(seen_until)},
        },
    )


def leave(storage: Storage, desk: str, username: str, number: str) -> None:
    """Note that somebody closed a ticket, unless another one is open since."""
    storage.table.update_if(
        "#agent.#number = :number",
        _partition(desk),
        SORT_KEY,
        UpdateExpression="REMOVE #agent",
        ExpressionAttributeNames={"#agent": f"{_AGENT}{username}", "#number": "number"},
        ExpressionAttributeValues={":number": {"S": number}},
    )


def viewers(
    storage: Storage, desk: str, now: datetime, but: str = ""
) -> dict[str, list[tuple[str, Attention]]]:
    """Return the display names of who has a ticket open, by the ticket's number.

    Args:
        but: the username that is left out: nobody is told of themselves.
    """
    item = storage.table.get(_partition(desk), SORT_KEY) or {}
    found: dict[str, list[tuple[str, Attention]]] = {}
    for attribute, stored in sorted(item.items()):
        if not attribute.startswith(_AGENT) or attribute == f"{_AGENT}{but}":
            continue
        entry: Item = stored["M"]
        if int(entry["until"]["N"]) > now.timestamp():
            attention = cast("Attention", entry["attention"]["S"])
            found.setdefault(entry["number"]["S"], []).append((entry["name"]["S"], attention))
    return found


def _partition(desk: str) -> str:
    return f"VIEWERS#{desk}"
