"""A small desk for tests, the table's indexes, and helpers that make tickets and commits."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from functions.core.domain import commands as c
from functions.core.domain.events import Commit, Event, TicketReceived
from functions.core.domain.lifecycle import apply, decide, queue_rank
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Customer, Ticket
from functions.core.storage.database import Storage
from functions.core.storage.items import read_ticket
from functions.core.storage.tickets import Change

TABLE = "deskbell-test"
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
"""A Tuesday, 12:00 in Shanghai: the desk has its lunch break."""


def both(text: str) -> dict[str, str]:
    """Return a text in both languages."""
    return {"zh-CN": text, "en": text}


DESK: dict[str, Any] = {
    "desk": "testdesk",
    "name": both("测试台"),
    "calendar": {
        "timezone": "Asia/Shanghai",
        "hours": {
            day: [["09:00", "12:00"], ["13:30", "18:00"]]
            for day in ("mon", "tue", "wed", "thu", "fri")
        },
        "holidays": ["2026-10-01", "2026-10-02", "2026-10-05"],
        "workdays": ["2026-10-10"],
    },
    "number": {"pattern": "CS{date:%Y%m%d}{serial:03}"},
    "fields": {"description_max": 200, "summary_max": 100, "status_by_contact": True},
    "mail": {"address": "support@testdesk.local", "sender": both("测试台")},
    "types": {"inquiry": {"label": both("咨询")}, "fault": {"label": both("报障")}},
    "default_type": "inquiry",
    "priorities": {
        "high": {"label": both("高")},
        "medium": {"label": both("中")},
        "low": {"label": both("低")},
    },
    "default_priority": "medium",
    "tags": {
        "login": {
            "label": both("G-登录"), "customer_label": both("登录"), "keywords": ["无法登录"],
            "type": "fault",
        },
    },
    "customer_classes": {"vip": {"customer_ids": ["V*"], "comes_first": True}},
    "teams": {
        "technical": {"label": both("技术支持组")},
        "general": {"label": both("通用咨询组")},
        "qa": {"label": both("质检组"), "role": "qa"},
    },
    "routing": [
        {"when": {"type": "fault"}, "team": "technical"},
        {"team": "general"},
    ],
    "assignment": {"capacity": 2, "order": ["vip", "priority", "age"]},
    "statuses": {
        status: {"label": both(status)}
        for status in (
            "received", "pending_confirmation", "queued", "assigned", "in_progress",
            "awaiting_customer", "resolved", "in_review", "archived", "closed",
        )
    },
    "timers": {
        "first_response": {
            "start": "TicketReceived",
            "stop": ["ReplySent", "InformationRequested", "TicketResolved"],
            "within": {"high": "2h", "medium": "24h", "low": "24h"},
            "warn_at": [0.5, 0.8],
            "on_breach": {"queue": "supervisor", "repeat_every": "1h"},
        },
        "confirm_type": {
            "start": "ConfirmationRequested",
            "stop": "TypeConfirmed",
            "within": "10m",
        },
        "customer_info": {
            "start": "InformationRequested",
            "stop": ["InformationReceived", "TicketResolved"],
            "within": "24h",
        },
        "resolution": {
            "start": ["TicketReceived", "TicketReopened"],
            "stop": "TicketResolved",
            "pause_in": "awaiting_customer",
            "within": {"high": "4h", "medium": "16h", "low": "40h"},
            "clock": "business",
            "warn_at": [0.75],
            "on_breach": {"raise_by": 1},
        },
        "callback": {
            "start": "ReviewRequested",
            "stop": ["CallbackRecorded", "ReviewExpired"],
            "within": "2d",
        },
    },
    "survey": {"wait": "7d", "review": {"below": 4, "team": "qa", "within": "3d"}},
    "reopen_within": "14d",
    "retention": {"years": 5},
}  # fmt: skip


def make_table(client: Any, name: str = TABLE) -> None:
    """Create the table as `infra/templates/foundation.yaml` does."""
    keys = ("pk", "sk", "queue_pk", "queue_sk", "due_pk", "due_sk", "contact_pk", "contact_sk")
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": f"{index}_pk", "KeyType": "HASH"},
                    {"AttributeName": f"{index}_sk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for index in ("queue", "due", "contact")
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )


def new_tickets(storage: Storage, desk: str = "testdesk") -> list[Ticket]:
    """Return the tickets in the queue `new` by age, which the `queue` index does not list yet."""
    scanned = storage.table.client.scan(
        TableName=storage.table.name,
        FilterExpression="sk = :sk AND begins_with(pk, :pk)",
        ExpressionAttributeValues={":sk": {"S": "TICKET"}, ":pk": {"S": f"TICKET#{desk}#"}},
    )
    found = (read_ticket(item) for item in scanned["Items"])
    by_age = sorted(found, key=lambda ticket: (ticket.received_at, ticket.number))
    return [ticket for ticket in by_age if ticket.queue == "new"]


def request(**changes: Any) -> TicketReceived:
    """Return a request as intake files it from a channel that proves the contact, masked."""
    given: dict[str, Any] = {
        "customer": Customer(name="*先生/女士", contact="****8000", kind="phone", hash="h1"),
        "channel": "web",
        "locale": "zh-CN",
        "type": "inquiry",
        "priority": "medium",
        "description": "无法登录",
        "contact_proven": True,
        "type_given": "type" in changes,
        "urgency": changes.get("priority"),
        **changes,
    }
    return TicketReceived(**given)


def committed(
    ticket: Ticket | None, events: tuple[Event, ...], at: datetime, number: str = ""
) -> Commit:
    """Return the commit of these events to a ticket."""
    return Commit(
        desk="testdesk",
        number=ticket.number if ticket else number,
        version=ticket.version + 1 if ticket else 1,
        at=at,
        actor="system",
        events=events,
    )


def then(
    ticket: Ticket | None, command: c.Command, playbook: Playbook, at: datetime = NOON
) -> Ticket:
    """Return the ticket after a command, unchanged if the command changes nothing."""
    events = decide(ticket, command, playbook, at)
    if not events:
        assert ticket is not None
        return ticket
    number = command.number if isinstance(command, c.Receive) else ""
    return apply(ticket, committed(ticket, events, at, number))


def received(playbook: Playbook, at: datetime = NOON, **changes: Any) -> Ticket:
    """Return a new ticket."""
    return then(None, c.Receive("CS20260310001", request(**changes)), playbook, at)


def file_ticket(
    storage: Storage, playbook: Playbook, number: str, at: datetime = NOON, **changes: Any
) -> Ticket:
    """Store a new ticket and return it."""
    events = decide(None, c.Receive(number, request(**changes)), playbook, at)
    after = apply(None, committed(None, events, at, number))
    change = Change(None, after, events, queue_rank(after, playbook))
    storage.tickets.commit_all((change,), actor="customer")
    return after


def agent(username: str = "agent-1", **changes: Any) -> Agent:
    """Return an agent of the technical team with a capacity of two."""
    given: dict[str, Any] = {
        "desk": "testdesk",
        "username": username,
        "role": "agent",
        "team": "technical",
        "capacity": 2,
        "online": True,
        **changes,
    }
    return Agent(**given)
