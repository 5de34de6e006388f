"""A sample ticket, and one event of each type that can cause a notification."""

from datetime import datetime, timedelta
from typing import Any

from functions.core.domain import events as e
from functions.core.domain.ticket import Customer, Ticket, Timer
from tests.notify.deployment import NOON

NUMBER = "CS20260310001"
LINK = f"https://api.example.com/desks/standard/tickets/{NUMBER}?key=0123456789abcdefghijkl"


def ticket(**changes: Any) -> Ticket:
    """A ticket of the desk `standard` that an agent is working on."""
    given: dict[str, Any] = {
        "desk": "standard",
        "number": NUMBER,
        "version": 5,
        "status": "in_progress",
        "customer": Customer(name="*先生/女士", contact="****e.com", kind="email", hash="h"),
        "channel": "web",
        "locale": "zh-CN",
        "type": "报障",
        "priority": "高",
        "received_at": NOON,
        "updated_at": NOON,
        "tags": ("无法登录",),
        "team": "技术支持组",
        "handler": "agent-1",
        "expected_response_by": NOON + timedelta(hours=2),
        "timers": {
            "resolution": timer(NOON + timedelta(hours=5)),
            "customer_info": timer(NOON + timedelta(hours=24)),
        },
        **changes,
    }
    return Ticket(**given)


def timer(due_at: datetime) -> Timer:
    """A running timer."""
    return Timer(
        state="running", started_at=NOON, allowed=due_at - NOON, due_at=due_at, wakes_at=due_at
    )


def commit(*events: e.Event, version: int = 5, number: str = NUMBER) -> e.Commit:
    """One change of the ticket."""
    return e.Commit(
        desk="standard", number=number, version=version, at=NOON, actor="system", events=events
    )


def received(**changes: Any) -> e.TicketReceived:
    """The request that opened the ticket."""
    given: dict[str, Any] = {
        "customer": ticket().customer,
        "channel": "web",
        "locale": "zh-CN",
        "type": "报障",
        "priority": "高",
        "description": "App 无法登录，提示 <网络错误> & 重试",
        **changes,
    }
    return e.TicketReceived(**given)


EVENTS: dict[str, e.Event] = {
    event.event: event
    for event in (
        received(),
        e.TicketAssigned(team="技术支持组", handler="agent-1"),
        e.TicketQueued(team="技术支持组", queue="supervisor"),
        e.ConfirmationRequested(team="通用咨询组", question="您指的是哪个功能？"),
        e.ReplySent(text="您好，请先更新到最新版本。\n\n如仍无法登录，请告诉我们 <错误代码>。"),
        e.InformationRequested(text="1. 手机型号\n2. App 版本"),
        e.CallRequested(),
        e.CustomerWrote(text="版本是 5.2.1", channel="email"),
        e.ContactBounced(permanent=True, cause="bounce 5.1.1"),
        e.LinkRequested(),
        e.ContactCorrected(
            customer=Customer(contact="****9.com", kind="email", hash="h2"),
            former=Customer(contact="****8.com", kind="email", hash="h1"),
        ),
        e.TicketResolved(summary="重置登录密码，客户已能登录", resolution=1),
        e.TicketReopened(reason="又无法登录了", team="技术支持组"),
        e.PriorityChanged(priority="高"),
        e.ReasonAsked(),
        e.TicketMerged(other="CS20260310002"),
        e.TicketClosed(reason="商品已由门店更换"),
        e.NobodyOnline(team="技术支持组"),
        e.ReviewRequested(team="质检组", score=2),
        e.ReviewAssigned(reviewer="qa-1"),
    )
}
