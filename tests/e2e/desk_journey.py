"""A ticket's journey on the running system.

The counterpart of `tests.inprocess.desk_journey`: calls go over HTTP, SMTP and signed links, and
asynchronous effects are awaited.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

from deskbell.client import ApiResponse, Deskbell
from functions.core.domain.delivery import Delivery
from functions.core.storage.database import Storage
from tests.e2e.running_system import System, wait_until
from tests.journey import Journey

Found = TypeVar("Found")
TABLE = "deskbell-local"


class SystemJourney(Journey):
    """A ticket on the running system.

    Agents are named by their username without the desk: `technical-support-1`.
    """

    supervisor = "supervisors-1"

    def __init__(self, system: System, desk: str) -> None:
        super().__init__(desk)
        self.system = system
        # Tests share the running system, and an unproven number gets few messages an hour.
        self.contact = f"138{uuid4().int % 10_000:04}5678"
        self._sessions: dict[str, Deskbell] = {}
        self._links: dict[str, str] = {}
        self._storage = Storage.on(system.aws("dynamodb"), TABLE)
        self._s3 = system.aws("s3")

    # By HTTP

    def http(self, method: str, path: str, body: Any = None, **more: Any) -> ApiResponse:
        answer = self.system.http(method, path, body, **more)
        self.responses.append(answer.text)
        return answer

    def as_agent(self, who: str, method: str, path: str, body: Any = None) -> ApiResponse:
        if who not in self._sessions:
            username = f"{self.desk}-{who}"
            self._sessions[who] = self.system.session(username=username, desk=self.desk)
        path = f"/agent/desks/{self.desk}{path}"
        answer = self._sessions[who].request(method, path, body)
        self.responses.append(answer.text)
        return answer

    @property
    def link(self) -> str:
        if self.number not in self._links:
            self._links[self.number] = self.system.link_sent_about(self.number)
        return self._links[self.number]

    def put(self, upload: Any, content: bytes) -> None:
        """Upload by the presigned URL alone, as a browser does."""
        request = urllib.request.Request(
            upload["url"], method=upload["method"], data=content, headers=upload["headers"]
        )
        with urllib.request.urlopen(request, timeout=30) as put:
            assert put.status == 200

    def sign_in(self, who: str, password: str) -> None:
        """Sign in a user that `local.json` does not list."""
        self._sessions[who] = self.system.api.sign_in(f"{self.desk}-{who}", password)

    def set_online(self, team: str, *numbers: int) -> None:
        """Bring only these members of a team online; `team` as in their usernames."""
        for agent in self.system.local["agents"]:
            who = agent["username"].removeprefix(f"{self.desk}-")
            if agent["desk"] == self.desk and who.rpartition("-")[0] == team:
                online = int(who.rpartition("-")[2]) in numbers
                answer = self.as_agent(who, "PUT", "/me/presence", {"online": online})
                assert answer.status == 200, answer.text

    # By time

    def tick(self, at: datetime) -> None:
        """Run the sweep as at a given time."""
        tick(self.system, at)

    def due(self, kind: str) -> datetime:
        return datetime.fromisoformat(self.timer(kind)["due_at"])

    # Asynchronous effects

    def until(self, what: str, check: Callable[[], Found | None]) -> Found:
        return wait_until(check, f"{self.number}: {what}", every=0.1)

    def until_status(self, status: str) -> Any:
        """Wait for a status and return the customer's view."""
        return self.until(
            status, lambda: found if (found := self.status())["status"] == status else None
        )

    def until_handled_by(self, handler: str | None, seen_by: str = "supervisors-1") -> Any:
        """Wait until a handler (None: nobody) has the ticket and return the agents' view."""
        wanted = f"{self.desk}-{handler}" if handler else None

        def look() -> Any:
            found = self.view(seen_by)
            settled = found["status"] in {"assigned", "queued"}
            return found if settled and found["handler"] == wanted else None

        return self.until(f"with {handler or 'nobody'}", look)

    def await_message(self, recipient: str, message: str, times: int = 1) -> str:
        """Wait until a message was sent a number of times and return its last text."""

        def look() -> list[Delivery] | None:
            found = [d for d in self._deliveries(recipient) if d.message == message]
            sent = [d for d in found if d.state == "sent"]
            assert len(found) <= times, f"{recipient} was told {message} {len(found)} times"
            return sent if len(sent) == times else None

        return self.until(f"{recipient} is told {message}", look)[-1].text

    def never_sent(self, recipient: str, message: str) -> bool:
        """Return whether no such message has been sent so far."""
        return message not in [d.message for d in self._deliveries(recipient)]

    def channel_of(self, message: str) -> str:
        """The channel by which the customer received a message."""
        self.await_message("customer", message)
        return [d.channel for d in self._deliveries("customer") if d.message == message][-1]

    def _deliveries(self, recipient: str) -> list[Delivery]:
        found = self._storage.deliveries.list(self.desk, self.number)
        return [delivery for delivery in found if delivery.recipient == recipient]

    def mail(self, address: str, about: str) -> str:
        """Wait for a mail to an address that contains the ticket's number and a text."""

        def look() -> str | None:
            texts = [f"{m['Subject']}\n{m['BodyText']}" for m in self.system.sent(address)]
            found = [text for text in texts if about in text and self.number in text]
            return found[-1] if found else None

        return self.until(f"a mail to {address} about {about}", look)

    # Storage

    def archived(self) -> tuple[Any, dict[str, str]]:
        """Wait for the archived document and return it with its tags."""

        def look() -> str | None:
            keys = self._keys(self.bucket("archive"), f"archive/{self.desk}/")
            return next((key for key in keys if key.endswith(f"/{self.number}.json")), None)

        key = self.until("the archived document", look)
        bucket = self.bucket("archive")
        document = json.loads(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return document, self.tags(bucket, key)

    def tags(self, bucket: str, key: str) -> dict[str, str]:
        found = self._s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
        return {tag["Key"]: tag["Value"] for tag in found}

    def files(self) -> list[str]:
        """The keys of the files added to the ticket."""
        return self._keys(self.bucket("mail"), f"files/{self.desk}/{self.number}/")

    def bucket(self, kind: str) -> str:
        names = [bucket["Name"] for bucket in self._s3.list_buckets()["Buckets"]]
        return str(next(name for name in names if f"-{kind}-" in name))

    def _keys(self, bucket: str, prefix: str) -> list[str]:
        found = self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", [])]


def tick(system: System, at: datetime) -> None:
    """Invoke the sweep with the scheduled event's own time."""
    answer = system.aws("lambda").invoke(
        FunctionName=f"{TABLE}-sla_timer", Payload=json.dumps({"time": at.isoformat()})
    )
    assert "FunctionError" not in answer, answer["Payload"].read()


def fetch(url: str) -> tuple[int, bytes, dict[str, str]]:
    """Fetch a URL as a browser does: status, content, headers."""
    try:
        with urllib.request.urlopen(url, timeout=30) as found:
            return found.status, found.read(), dict(found.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), dict(error.headers)
