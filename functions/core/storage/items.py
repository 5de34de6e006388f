"""Keys and items of tickets, commits, deliveries and agents, and the cursor of a queue.

An item's body does not repeat its keys, so most items stay below 1 KB, one write unit (G7).
"""

import json
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import DeadLetter
from functions.core.domain.events import Commit
from functions.core.domain.roster import Agent
from functions.core.domain.ticket import Ticket, TicketTask
from functions.core.storage.event_codec import parse_events
from functions.core.storage.table import Item, key, parse_stamp, stamp

SHARDS = 4
"""Partitions of the `due` index: enough for 4,000 timer changes a second."""

ENDED_TASK_RETENTION = timedelta(days=1)
"""The time after which DynamoDB may remove the item of a task that is done."""

FORMER_STATES = {"dead_lettered": "parked"}
"""Delivery state → the value that was stored for it up to commit 196e096.

Such items stay in the table for years: they are read as the present state, and a write on
condition of that state accepts the former value too.
"""

_PRESENT_STATES = {former: present for present, former in FORMER_STATES.items()}


def ticket_key(desk: str, number: str) -> str:
    return f"TICKET#{desk}#{number}"


def ticket_of_key(pk: str) -> tuple[str, str]:
    _, desk, number = pk.split("#", 2)
    return desk, number


def commit_sort_key(version: int) -> str:
    return f"EVENT#{version:06}"


def shard(number: str) -> str:
    return f"DUE#{crc32(number.encode()) % SHARDS}"


def queue_key(ticket: Ticket) -> str:
    """The partition of the `queue` index that lists a ticket."""
    detail = {
        "waiting": ticket.team,
        "agent": ticket.handler,
        "closed": (ticket.archived_at or ticket.updated_at).strftime("%Y-%m"),
    }.get(ticket.queue)
    return "#".join(filter(None, (ticket.desk, ticket.queue, detail)))


def open_partitions(desk: str, teams: Iterable[str], handlers: Iterable[str]) -> list[str]:
    """The partitions of the `queue` index that list what has not ended."""
    waiting = [f"{desk}#waiting#{team}" for team in teams]
    held = [f"{desk}#agent#{handler}" for handler in handlers]
    return [f"{desk}#supervisor", f"{desk}#new", *waiting, *held, f"{desk}#qa"]


def queue_attributes(ticket: Ticket, rank: str) -> Item:
    """The attributes that list a ticket in the `queue` index; none for a ticket just received.

    The router moves that one within a second, and all new tickets of a desk share a partition. A
    ticket that is still new when the sweep looks at it is listed from then on.
    """
    if ticket.status == "received" and ticket.updated_at < ticket.pick_up_at:
        return {}
    return {"queue_pk": {"S": queue_key(ticket)}, "queue_sk": {"S": rank}}


def task_queue_key(desk: str, assignee: str) -> str:
    """The partition of the `queue` index that lists the tickets on which somebody has a task."""
    return f"{desk}#tasks#{assignee}"


def task_item(ticket: Ticket, task: TicketTask) -> Item:
    """The item that lists a ticket among the tasks of one assignee, the first due first."""
    return {
        **_task_key(ticket, task),
        "queue_pk": {"S": task_queue_key(ticket.desk, task.assignee)},
        "queue_sk": {"S": f"{stamp(task.due_at or ticket.received_at)}#{ticket.number}"},
    }


def ended_task_item(ticket: Ticket, task: TicketTask) -> Item:
    """The item of a task that is done: listed nowhere, and removed by DynamoDB.

    No function may delete items.
    """
    expires = int((ticket.updated_at + ENDED_TASK_RETENTION).timestamp())
    return {**_task_key(ticket, task), "expires_at": {"N": str(expires)}}


def _task_key(ticket: Ticket, task: TicketTask) -> Item:
    return key(ticket_key(ticket.desk, ticket.number), f"TASK#{task.kind}#{task.assignee}")


def due_attributes(number: str, at: datetime | None) -> Item:
    """The attributes that list an item in the `due` index; none without a time."""
    return {} if at is None else {"due_pk": {"S": shard(number)}, "due_sk": {"S": stamp(at)}}


# Tickets

_IN_TICKET_KEYS: Any = {
    "desk": True,
    "number": True,
    "version": True,
    "received_at": True,
    "wakes_at": True,
    "customer": {"hash"},
}


def ticket_item(ticket: Ticket, rank: str, wake: datetime | None) -> Item:
    """The item of a ticket.

    Args:
        rank: its position in its queue (`lifecycle.queue_rank`).
        wake: the next time that the sweep reads it (`ticket.next_wake`).
    """
    return {
        **key(ticket_key(ticket.desk, ticket.number), "TICKET"),
        "version": {"N": str(ticket.version)},
        "body": {"S": _ticket_body(ticket)},
        **queue_attributes(ticket, rank),
        "contact_pk": {"S": f"{ticket.desk}#{ticket.customer.hash}"},
        "contact_sk": {"S": stamp(ticket.received_at)},
        **due_attributes(ticket.number, wake),
    }


def _ticket_body(ticket: Ticket) -> str:
    body = ticket.model_dump(mode="json", exclude_defaults=True, exclude=_IN_TICKET_KEYS)
    timers = body.get("timers", {})
    if _first_response_due(timers) == body.get("expected_response_by"):
        body.pop("expected_response_by", None)
    received = ticket.model_dump(mode="json", include={"received_at"})["received_at"]
    for timer in timers.values():
        if timer.get("started_at") == received:
            del timer["started_at"]
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _first_response_due(timers: dict[str, Any]) -> str | None:
    due: str | None = timers.get("first_response", {}).get("due_at")
    return due


def read_ticket(item: Item) -> Ticket:
    """The ticket of an item.

    Raises:
        DeadLetter: the item is not a ticket that this code can read.
    """
    try:
        desk, number = ticket_of_key(item["pk"]["S"])
        received = parse_stamp(item["contact_sk"]["S"])
        body: dict[str, Any] = json.loads(item["body"]["S"])
        body["customer"]["hash"] = item["contact_pk"]["S"].removeprefix(f"{desk}#")
        timers = body.get("timers", {})
        body.setdefault("expected_response_by", _first_response_due(timers))
        for timer in timers.values():
            if timer["state"] in {"running", "paused"} or "allowed" in timer:
                timer.setdefault("started_at", received)
        return Ticket(
            desk=desk,
            number=number,
            version=int(item["version"]["N"]),
            received_at=received,
            wakes_at=parse_stamp(item["due_sk"]["S"]) if "due_sk" in item else None,
            **body,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DeadLetter(f"not a ticket: {type(error).__name__}") from error


# Commits


def read_commit(item: Item) -> Commit:
    """The commit of an item or of its image in the stream.

    Raises:
        DeadLetter: the item is not a commit that this code can read.
    """
    try:
        desk, number = ticket_of_key(item["pk"]["S"])
        at = parse_stamp(item["at"]["S"])
        return Commit(
            desk=desk,
            number=number,
            version=int(item["sk"]["S"].removeprefix("EVENT#")),
            at=at,
            actor=item["actor"]["S"],
            events=parse_events(item["body"]["S"], int(item["schema"]["N"]), at),
            sealed="original" in item or "outgoing" in item,
            records_before=int(item["records"]["N"]) if "records" in item else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DeadLetter(f"not a commit: {type(error).__name__}: {error}") from error


def read_pieces(item: Item, name: str) -> tuple[bytes, ...]:
    """The encrypted pieces in an attribute of a commit's item or image; the latter has base64."""
    pieces = (piece["B"] for piece in item.get(name, {}).get("L", ()))
    return tuple(b64decode(piece) if isinstance(piece, str) else piece for piece in pieces)


# Deliveries

_BESIDE_DELIVERY_BODY = {"desk", "number", "version", "lead", "state"}
_IN_DELIVERY_KEY = {"message", "recipient", "about"}


def delivery_item(delivery: Delivery) -> Item:
    """The item of a delivery; a delivery to retry is listed in the `due` index."""
    next_at = delivery.next_at if delivery.state == "retrying" else None
    return {
        **key(ticket_key(delivery.desk, delivery.number), f"DELIVERY#{delivery.id}"),
        "state": {"S": delivery.state},
        "body": {"S": delivery_body(delivery)},
        **due_attributes(delivery.number, next_at),
    }


def delivery_body(delivery: Delivery) -> str:
    """The body of a delivery's item; it contains a claim only while the claim is valid."""
    left_out = set(_BESIDE_DELIVERY_BODY)
    if not delivery.lead:
        left_out |= _IN_DELIVERY_KEY
    if delivery.state != "claimed":
        left_out.add("claim")
    if delivery.claimed_at == delivery.at:
        left_out.add("claimed_at")
    return delivery.model_dump_json(exclude_defaults=True, exclude=left_out)


def read_delivery(item: Item) -> Delivery:
    """The delivery of an item.

    Raises:
        DeadLetter: the item is not a delivery that this code can read.
    """
    try:
        desk, number = ticket_of_key(item["pk"]["S"])
        _, version, *rest = item["sk"]["S"].split("#", 4)
        body: dict[str, Any] = json.loads(item["body"]["S"])
        state = item["state"]["S"]
        fields: dict[str, Any] = {
            "desk": desk,
            "number": number,
            "version": int(version),
            "lead": not rest,
            "state": _PRESENT_STATES.get(state, state),
            "claimed_at": body["at"],
        }
        fields |= zip(("message", "recipient", "about"), rest, strict=False)
        return Delivery.model_validate(fields | body)
    except (KeyError, TypeError, ValueError) as error:
        raise DeadLetter(f"not a delivery: {type(error).__name__}") from error


# Agents

_PROFILE = {
    "display_name", "email", "further_roles", "skills", "products", "languages", "level", "shift",
}  # fmt: skip
"""Fields of an agent that are stored as one document, since routing reads them all."""


def agent_profile(agent: Agent) -> str:
    return agent.model_dump_json(include=_PROFILE, exclude_defaults=True)


def read_agent(desk: str, item: Item) -> Agent:
    assigned = item.get("assigned_at")
    return Agent(
        **json.loads(item.get("profile", {}).get("S", "{}")),
        desk=desk,
        username=item["sk"]["S"].removeprefix("AGENT#"),
        role=item["role"]["S"],
        team=item["team"]["S"],
        capacity=int(item["capacity"]["N"]),
        active=item.get("active", {}).get("BOOL", True),
        online=item["online"]["BOOL"],
        load=int(item["load"]["N"]),
        assigned_at=parse_stamp(assigned["S"]) if assigned else None,
    )


# The cursor of a queue

_QUEUE_KEY = ("pk", "sk", "queue_pk", "queue_sk")


def read_cursor(cursor: str | None) -> tuple[int, Item | None]:
    """The position of a cursor: the index of the partition, and the key that it starts after.

    Raises:
        ValueError: it is not a cursor.
    """
    if cursor is None:
        return 0, None
    try:
        index, *start = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if type(index) is not int or index < 0 or not all(type(part) is str for part in start):
            raise ValueError("not a position")
        if not start:
            return index, None
        values = dict(zip(_QUEUE_KEY, start, strict=True))
        return index, {name: {"S": value} for name, value in values.items()}
    except (ValueError, TypeError) as error:
        raise ValueError("not a cursor") from error


def write_cursor(index: int, start: Item | None) -> str:
    position = [index, *(start[name]["S"] for name in _QUEUE_KEY)] if start else [index]
    document = json.dumps(position, ensure_ascii=False, separators=(",", ":")).encode()
    return urlsafe_b64encode(document).rstrip(b"=").decode()
