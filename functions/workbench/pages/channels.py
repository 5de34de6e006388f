"""The channels of a desk, and whether messages come and go on them (H7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from functions.core.platform.web import HttpResponse
from functions.core.text.queue_texts import channel_label
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route
from functions.workbench.pages.ticket_words import Moment, Words
from functions.workbench.recent_deliveries import DAY, recent_deliveries

if TYPE_CHECKING:
    from functions.core.domain.delivery import Delivery

SAME = {"app": "web", "counter": "phone", "initiative": "phone", "email": "mail"}
"""Channels that are one on the page."""

NAMED = {
    "web": "channels.forms",
    "phone": "channels.by_staff",
    "chat": "channels.chat",
    "webhook": "channels.webhook",
}
IN_ONLY = frozenset({"web", "phone", "webhook", "voice"})
"""Channels that nothing is sent on: an answer goes by mail or text message."""


@dataclass(frozen=True)
class ChannelRow:
    """A channel: what it is, when it last received and sent, and what failed."""

    name: str
    detail: str
    received: Moment | None
    sent: Moment | None
    failed: int
    receives: bool = True
    sends: bool = True


@route("GET")
def show(page: WorkbenchPage) -> HttpResponse:
    """Show the channels that the desk has."""
    recent = recent_deliveries(page.storage, page.desk, page.request.now)
    words = Words(page)
    partial = recent.since > page.request.now - DAY
    return page.render(
        "channels.html",
        title=None,
        rows=_rows(page, recent.deliveries),
        since=words.moment(recent.since).short if partial else "",
    )


def _rows(page: WorkbenchPage, deliveries: Iterable[Delivery]) -> list[ChannelRow]:
    words, playbook = Words(page), page.playbook
    received = _received(page)
    sent, failed = _sent(page, deliveries)
    # Messages that join a ticket, or that the assistant answers, are in neither feed.
    for name, health in page.storage.channel_healths.of(page.desk).items():
        for last, at in ((received, health.last_in), (sent, health.last_out)):
            if at is not None:
                last[name] = max(at, last.get(name, at))
    connected: dict[str, str] = page.administer("channels.connected")
    own = ["web", "mail", *(["chat"] if playbook.assistant else []), "phone", "webhook"]
    others = dict.fromkeys([*sorted(connected), *received, *sent, *failed])
    details = {"mail": playbook.mail.address} | {
        name: page.say("channels.changed", at=words.moment(at).short)
        for name, at in connected.items()
    }

    def row(name: str) -> ChannelRow:
        label = page.say(NAMED[name]) if name in NAMED else channel_label(name, page.locale)
        known = name in own or name == "sms" or name in connected
        return ChannelRow(
            label,
            details.get(name, "" if known else page.say("channels.disconnected")),
            words.moment(received[name]) if name in received else None,
            words.moment(sent[name]) if name in sent else None,
            failed[name],
            receives=name != "sms",
            sends=name not in IN_ONLY,
        )

    return [row(name) for name in dict.fromkeys([*own, *others])]


def _received(page: WorkbenchPage) -> dict[str, datetime]:
    """Return the time of each channel's last request in the past days."""
    now, last = page.request.now, {}
    for _, entry in page.storage.journal.entries(page.desk, now - DAY, now):
        if entry.request:
            channel = SAME.get(entry.request.channel, entry.request.channel)
            last[channel] = entry.request.received_at
    return last


def _sent(
    page: WorkbenchPage, deliveries: Iterable[Delivery]
) -> tuple[dict[str, datetime], Counter[str]]:
    """Return when the last message left on each channel, and how many have not arrived.

    A message to a chat goes out where its ticket came in.
    """
    shown = [each for each in deliveries if each.channel in {"email", "sms", "message"}]
    numbers = list(dict.fromkeys(each.number for each in shown if each.channel == "message"))
    came_on = {
        ticket.number: ticket.channel
        for ticket in page.storage.tickets.load_many(page.desk, numbers)
    }
    sent: dict[str, datetime] = {}
    failed: Counter[str] = Counter()
    for each in shown:
        channel = came_on.get(each.number, "") if each.channel == "message" else each.channel
        channel = SAME.get(channel, channel)
        if not channel:
            continue
        if each.state == "sent":
            sent[channel] = max(each.at, sent.get(channel, each.at))
        failed[channel] += each.failed
    return sent, failed
