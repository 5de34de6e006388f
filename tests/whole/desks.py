"""One desk of the product in this process, with a roster that the test gives, and its people."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3

from functions.core import aws
from functions.core.playbook import Playbook
from functions.core.roster import Agent
from functions.core.store import Store
from functions.core.ticket import Ticket
from infra.local.inprocess import HttpAnswer, Loop
from infra.retention import Records, records_of
from tests.kept import aws_in_memory, kept
from tests.whole import conftest as whole


@contextmanager
def deployed(
    desk: str,
    roster: Iterable[Agent],
    folder: Path = whole.ROOT / "playbooks",
) -> Iterator[Case]:
    """A deployment of one desk with a roster of its own, and a case to walk through it."""
    with aws_in_memory(whole.PLACE.region):
        kept(("foundation", desk), lambda: whole.foundation(desk))
        with Loop(whole.PLACE).running() as loop:
            playbook = whole.shipped(folder / f"{desk}.yaml")
            store = Store(aws.dynamodb(), whole.PLACE.table)
            store.put_playbook(playbook, datetime.now(UTC))
            for agent in roster:
                store.put_agent(agent)
            loop.pump()
            loop.calls.clear()
            yield Case(loop, store, playbook)


class Case:
    """One ticket of a desk, and those who deal with it.

    A username tells the role: `zg-…` is a supervisor, `zj-…` of the QA team, others are agents.
    """

    def __init__(self, loop: Loop, store: Store, playbook: Playbook) -> None:
        self.loop = loop
        self.store = store
        self.playbook = playbook
        self.desk = playbook.desk
        self.number = ""
        self.link = ""
        self.seen: list[str] = []

    def http(self, method: str, path: str, body: Any = None, **more: Any) -> HttpAnswer:
        answer = self.loop.http(method, path, body, **more)
        self.seen.append(answer.text)
        self.loop.pump()
        return answer

    def online(self, *who: str) -> None:
        for username in who:
            path = f"/agent/desks/{self.desk}/me/presence"
            answer = self.http("PUT", path, {"online": True}, claims=self._of(username))
            assert answer.status == 200, answer.text

    def file(self, description: str, **fields: Any) -> str:
        """A customer files a request alone."""
        body = {"contact": "13812345678", "description": description, **fields}
        return self._filed(self.http("POST", f"/desks/{self.desk}/tickets", body))

    def enter(self, who: str, description: str, **fields: Any) -> str:
        """An agent enters a request: a call, or the desk's own."""
        body = {"contact": "13812345678", "description": description, **fields}
        path = f"/agent/desks/{self.desk}/tickets"
        return self._filed(self.http("POST", path, body, claims=self._of(who)))

    def _filed(self, answer: HttpAnswer) -> str:
        assert answer.status == 201, answer.text
        url = urlsplit(answer.json["status_url"])
        self.number, self.link = answer.json["number"], f"{url.path}?{url.query}"
        return self.number

    def customer(self, call: str, **body: Any) -> None:
        path, _, query = self.link.partition("?")
        answer = self.http("POST", f"{path}/{call}?{query}", body)
        assert answer.status in {200, 201}, answer.text

    def status(self) -> Any:
        answer = self.http("GET", self.link)
        assert answer.status == 200, answer.text
        return answer.json

    def act(self, who: str, action: str, **body: Any) -> None:
        answer = self.asks(who, action, **body)
        assert answer.status == 200, answer.text

    def asks(self, who: str, action: str, **body: Any) -> HttpAnswer:
        path = f"/agent/desks/{self.desk}/tickets/{self.number}/{action}"
        return self.http("POST", path, body, claims=self._of(who))

    def step(self, who: str, step: str, **fields: Any) -> None:
        """Take a step of the desk's own; `attachments` may be among the fields."""
        self.act(who, step, **fields)

    def upload(self, who: str, name: str, content: bytes) -> str:
        """The id of a file that an agent has put where the answer says (D10)."""
        answer = self.asks(who, "attachments", name=name, size=len(content))
        assert answer.status in {200, 201}, answer.text
        given = answer.json
        url = urlsplit(given["upload"]["url"])
        bucket = self.loop.place.mail_bucket
        boto3.client("s3").put_object(
            Bucket=bucket,
            Key=unquote(url.path).removeprefix(f"/{bucket}").lstrip("/"),
            Body=content,
            Metadata={"name": given["upload"]["headers"]["x-amz-meta-name"]},
        )
        return str(given["id"])

    def view(self, who: str = "zg-1") -> Any:
        path = f"/agent/desks/{self.desk}/tickets/{self.number}"
        answer = self.loop.http("GET", path, claims=self._of(who))
        assert answer.status == 200, answer.text
        self.seen.append(answer.text)
        return answer.json

    @property
    def ticket(self) -> Ticket:
        return self.store.load(self.desk, self.number)

    @property
    def records(self) -> Records:
        """Where its deployment's records lie, as holding and erasing want to know."""
        return records_of(self.loop.place.stage)

    def timer(self, kind: str) -> Any:
        """One timer of the ticket, as its agents see it."""
        return {timer["kind"]: timer for timer in self.view()["timers"]}[kind]

    def due(self, kind: str) -> datetime:
        found = self.ticket.timers[kind].due_at
        assert found is not None
        return found

    def tick(self, at: datetime) -> None:
        self.loop.tick(at)
        self.loop.pump()

    def told(self, recipient: str) -> list[str]:
        """The messages that a recipient was told, in order; all of them sent."""
        found = [d for d in self._deliveries() if d.recipient == recipient]
        assert {d.state for d in found} <= {"sent"}, found
        return [d.message for d in found]

    def said(self, recipient: str, message: str) -> str:
        """The words of the last such message."""
        texts: list[str] = [
            d.text for d in self._deliveries() if (d.recipient, d.message) == (recipient, message)
        ]
        assert texts, f"nobody told {recipient} {message}"
        return texts[-1]

    def way(self, message: str) -> str:
        """By which channel the customer was told."""
        found: str = next(d.channel for d in self._deliveries() if d.message == message)
        return found

    def _deliveries(self) -> Any:
        return self.store.deliveries(self.desk, self.number)

    def archived(self) -> tuple[Any, dict[str, str]]:
        """The document in the archive, and the years it is kept."""
        s3 = boto3.client("s3")
        bucket = self.loop.place.archive_bucket
        keys = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]]
        (key,) = [key for key in keys if re.search(rf"/{self.number}\.json$", key)]
        document = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        tags = s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
        return document, {tag["Key"]: tag["Value"] for tag in tags}

    def _of(self, who: str) -> Mapping[str, str]:
        role = {"zg": "supervisor", "zj": "qa"}.get(who.partition("-")[0], "agent")
        return {"cognito:username": who, "cognito:groups": f"{self.desk}:{role}"}
