"""A ticket's journey in this process, on a deployment of one desk with a given roster."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import pytest

from deskbell.client import ApiResponse
from functions.administration.retention import Archive
from functions.answers import encoder
from functions.answers.encoder import Encoder
from functions.core.domain import commands as c
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws
from functions.core.services.command_service import change
from functions.core.services.links import ticket_path
from functions.core.storage.database import Storage
from infra.console.retention import records_of
from infra.simulator.simulator import Simulator
from tests.aws_snapshots import aws_in_memory, restore_or_make
from tests.inprocess import conftest
from tests.journey import Journey


@contextmanager
def deployed(
    desk: str,
    roster: Iterable[Agent],
    folder: Path = conftest.ROOT / "playbooks",
    embed: Encoder | None = None,
) -> Iterator[SimulatedJourney]:
    """Yield a journey on a deployment of one desk with a given roster, and with this encoder."""
    people = tuple(roster)
    playbook = conftest.shipped(folder / f"{desk}.yaml")

    def make() -> None:
        restore_or_make(("foundation", desk), lambda: conftest.foundation(desk))
        storage = Storage.on(boto3.client("dynamodb"), conftest.DEPLOYMENT.table)
        storage.playbooks.put(playbook, datetime.now(UTC))
        for agent in people:
            storage.roster.put(agent)

    with pytest.MonkeyPatch.context() as patch, aws_in_memory(conftest.DEPLOYMENT.region):
        patch.setattr(encoder, "load", lambda: embed)
        restore_or_make(("deployed", folder, desk, repr(people)), make)
        with Simulator(conftest.DEPLOYMENT).running() as simulator:
            storage = Storage.on(aws.dynamodb(), conftest.DEPLOYMENT.table)
            simulator.pump()
            simulator.calls.clear()
            yield SimulatedJourney(simulator, storage, playbook)


def customer_link(simulator: Simulator, ticket: Ticket) -> str:
    """Return the path of the link that notify sends to a ticket's contact."""
    return ticket_path(aws.root_key(simulator.deployment), "customer", ticket)


class SimulatedJourney(Journey):
    """A ticket in this process.

    A username tells the role: `zg-…` is a supervisor, `zj-…` of the QA team, others are agents.
    """

    supervisor = "zg-1"

    def __init__(self, simulator: Simulator, storage: Storage, playbook: Playbook) -> None:
        super().__init__(playbook.desk)
        self.simulator = simulator
        self.storage = storage
        self.playbook = playbook

    def http(self, method: str, path: str, body: Any = None, **more: Any) -> ApiResponse:
        answer = self.simulator.http(method, path.removeprefix(conftest.URL), body, **more)
        self.responses.append(answer.text)
        if method != "GET":
            self.simulator.pump()
        return answer

    def as_agent(self, who: str, method: str, path: str, body: Any = None) -> ApiResponse:
        role = {"zg": "supervisor", "zj": "qa"}.get(who.partition("-")[0], "agent")
        claims = {"cognito:username": who, "cognito:groups": f"{self.desk}:{role}"}
        return self.http(method, f"/agent/desks/{self.desk}{path}", body, claims=claims)

    @property
    def link(self) -> str:
        return customer_link(self.simulator, self.ticket)

    def prove_contact(self) -> None:
        """Let the customer show that the contact is theirs, as a POST with their link does."""
        command, now = c.ProveContact(), datetime.now(UTC)
        change(self.storage, self.desk, self.number, command, self.playbook, now, actor="customer")

    def put(self, upload: Any, content: bytes) -> None:
        bucket = self.simulator.deployment.mail_bucket
        boto3.client("s3").put_object(
            Bucket=bucket,
            Key=unquote(urlsplit(upload["url"]).path).removeprefix(f"/{bucket}").lstrip("/"),
            Body=content,
            Metadata={"name": upload["headers"]["x-amz-meta-name"]},
        )

    def online(self, *who: str) -> None:
        for username in who:
            answer = self.as_agent(username, "PUT", "/me/presence", {"online": True})
            assert answer.status == 200, answer.text

    @property
    def stored_status(self) -> str:
        return self.ticket.status

    @property
    def ticket(self) -> Ticket:
        return self.storage.tickets.load(self.desk, self.number)

    @property
    def records(self) -> Archive:
        """The records of the deployment, for holds and erasures."""
        return records_of(self.simulator.deployment.stage)

    def due(self, kind: str) -> datetime:
        found = self.ticket.timers[kind].due_at
        assert found is not None
        return found

    def tick(self, at: datetime) -> None:
        self.simulator.tick(at)
        self.simulator.pump()

    def messages_to(self, recipient: str) -> list[str]:
        """Return the messages to a recipient in order; all must have been sent."""
        found = [d for d in self._deliveries() if d.recipient == recipient]
        assert {d.state for d in found} <= {"sent"}, found
        return [d.message for d in found]

    def message_text(self, recipient: str, message: str) -> str:
        """Return the text of the last such message."""
        texts: list[str] = [
            d.text for d in self._deliveries() if (d.recipient, d.message) == (recipient, message)
        ]
        assert texts, f"nobody told {recipient} {message}"
        return texts[-1]

    def channel_of(self, message: str) -> str:
        """Return the channel by which a message went out."""
        found: str = next(d.channel for d in self._deliveries() if d.message == message)
        return found

    def _deliveries(self) -> Any:
        return self.storage.deliveries.list(self.desk, self.number)

    def archived(self) -> tuple[Any, dict[str, str]]:
        """Return the archived document and its tags."""
        s3 = boto3.client("s3")
        bucket = self.simulator.deployment.archive_bucket
        keys = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]]
        (key,) = [key for key in keys if re.search(rf"/{self.number}\.json$", key)]
        document = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        tags = s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
        return document, {tag["Key"]: tag["Value"] for tag in tags}
