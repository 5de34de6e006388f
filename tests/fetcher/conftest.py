"""A desk whose WeCom account is announced and pulled, through the real handlers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from deskbell.client import ApiResponse
from functions.core.deliver import message
from functions.core.domain.events import Event
from functions.core.domain.ticket import Ticket
from functions.core.storage.database import Storage
from infra.simulator.simulator import Simulator
from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.core.channels.wecom_provider import ACCOUNT, WeCom, WeComServer, wecom_server
from tests.inprocess.conftest import simulator, storage
from tests.inprocess.test_chat import DESK, put_secret
from tests.inprocess.test_returns import SUPERVISOR

__all__ = ["simulator", "storage"]  # fixtures


@dataclass
class Account:
    """A customer who writes to the desk's account, and the company's WeCom."""

    simulator: Simulator
    storage: Storage
    server: WeComServer
    provider: WeCom

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def write(self, words: str, **more: Any) -> dict[str, Any]:
        """Write a message, which nobody has announced."""
        entry = self.provider.entry(words, more.pop("at", self.now), **more)
        self.server.api.write(ACCOUNT, entry)
        return entry

    def happen(self, kind: str, **event: Any) -> None:
        """Let an event happen."""
        about = {"event_type": kind, "open_kfid": ACCOUNT, "external_userid": self.provider.user}
        entry = self.provider.entry("", self.now, origin=4, msgtype="event", event=about | event)
        self.server.api.write(ACCOUNT, entry)

    def announce(self, *, pump: bool = True, **fields: str) -> ApiResponse:
        call = self.provider.announce(self.now, **fields)
        answer = self.simulator.http(
            "POST", call.path(f"/desks/{DESK}/channels/wecom"), call.body, headers=call.headers
        )
        assert (answer.status, answer.text) == (200, "success")
        if pump:
            self.simulator.pump()
        return answer

    @property
    def tickets(self) -> list[Ticket]:
        scan = boto3.client("dynamodb").get_paginator("scan")
        pages = scan.paginate(TableName=self.simulator.deployment.table)
        keys = [(item["pk"]["S"], item["sk"]["S"]) for page in pages for item in page["Items"]]
        numbers = sorted(pk.rpartition("#")[2] for pk, sk in keys if sk == "TICKET")
        return [self.storage.tickets.load(DESK, number) for number in numbers]

    def events(self, kind: type[Event]) -> list[Any]:
        """Return the events of a kind on the only ticket."""
        (ticket,) = self.tickets
        history = self.storage.tickets.history(DESK, ticket.number)
        return [event for commit in history for event in commit.events if isinstance(event, kind)]

    @property
    def state(self) -> dict[str, str]:
        """The stored state of the account."""
        item = boto3.client("dynamodb").get_item(
            TableName=self.simulator.deployment.table,
            Key={"pk": {"S": f"PULL#{DESK}#wecom"}, "sk": {"S": f"ACCOUNT#{ACCOUNT}"}},
        )["Item"]
        return {name: value["S"] for name, value in item.items()}

    def act(self, action: str, **body: Any) -> None:
        (ticket,) = self.tickets
        path = f"/agent/desks/{DESK}/tickets/{ticket.number}/{action}"
        answer = self.simulator.http("POST", path, body, claims=SUPERVISOR)
        assert answer.status == 200, answer.text
        self.simulator.pump()

    def deliveries(self, event: str) -> list[Any]:
        (ticket,) = self.tickets
        return [d for d in self.storage.deliveries.list(DESK, ticket.number) if d.event == event]


@pytest.fixture
def account(simulator: Simulator, storage: Storage) -> Iterator[Account]:
    """An account whose pages have two messages at most."""
    message.token_cache.cache_clear()
    provider = FAKE_PROVIDERS["wecom"]
    assert isinstance(provider, WeCom)
    with wecom_server(page=2) as server:
        put_secret(simulator, "wecom", {**provider.secret, "api": server.url})
        yield Account(simulator, storage, server, provider)
