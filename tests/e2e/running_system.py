"""The whole system in real processes."""

import json
import re
import signal
import smtplib
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from deskbell.client import ApiResponse, Deskbell
from tests.e2e import console_commands

ROOT = Path(__file__).parents[2]
READY_SECONDS = 600
Found = TypeVar("Found")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(
    check: Callable[[], Found | None], what: str, seconds: float = 60, every: float = 0.3
) -> Found:
    """Return the first truthy result of `check`, polled every `every` seconds.

    Slow checks are polled less often, so that they do not slow down what they wait for.
    """
    deadline = time.monotonic() + seconds
    while True:
        asked = time.monotonic()
        found = check()
        if found:
            return found
        now = time.monotonic()
        if now > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(max(every, min(2 * (now - asked), 2)))


@dataclass
class System:
    """`deskbell up` in its own data folder on free ports."""

    data: Path
    http_port: int = field(default_factory=free_port)
    aws_port: int = field(default_factory=free_port)
    smtp_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    started_at: int = 0

    # Process

    def start(self) -> None:
        self.started_at = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(
                        sys.executable,
                        "-m",
                        "infra.console.main",
                        "up",
                        "--data",
                        str(self.data),
                    ),
                    *("--port", str(self.http_port), "--aws-port", str(self.aws_port)),
                    *("--smtp-port", str(self.smtp_port), "--no-prepare"),
                ],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_until(self._ready, "ready", READY_SECONDS)
        except AssertionError:
            self.stop(signal.SIGTERM)
            raise

    def _ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}:\n{self.output()}")
        return (self.data / "local.json").exists() and "ready in" in self.output_since_start()

    def stop(self, how: signal.Signals) -> int:
        """Stop it, wait until all its processes have ended, and return the exit code."""
        assert self.process is not None
        family = [self.process.pid, *descendants(self.process.pid)]
        self.process.send_signal(how)
        code = self.process.wait(60)
        wait_until(lambda: not [pid for pid in family if alive(pid)], "no process is left", 60)
        return code

    @property
    def log(self) -> Path:
        return self.data / "up.log"

    def output(self) -> str:
        return self.log.read_text("utf-8")

    def output_since_start(self) -> str:
        """The output since the last start."""
        return self.log.read_bytes()[self.started_at :].decode()

    def command(self, *arguments: str, code: int = 0) -> str:
        """Run `deskbell …`, check its exit code and return its output."""
        ended, said = console_commands.run(self.data, *arguments)
        assert ended == code, said
        return said

    # HTTP and SMTP

    @property
    def local(self) -> Any:
        return json.loads((self.data / "local.json").read_text("utf-8"))

    @property
    def api(self) -> Deskbell:
        """The client of the API, without a session."""
        return Deskbell(self.local["api"])

    def http(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ApiResponse:
        """Call the HTTP API by path or URL; `body` is JSON or bytes."""
        return self.api.request(method, path, body, token=token, headers=headers)

    def file(self, contact: str, description: str, **more: Any) -> Any:
        """Create a ticket by HTTP and return the response body."""
        return self.api.file("standard", contact=contact, description=description, **more)

    def mail(
        self, sender: str, subject: str, text: str, *, desk: str = "standard", **headers: str
    ) -> None:
        """Send a mail to a desk over SMTP."""
        message = EmailMessage()
        message["From"], message["To"] = sender, self.local["mailboxes"][desk]
        message["Subject"] = subject
        for name, value in headers.items():
            message[name.replace("_", "-")] = value
        message.set_content(text)
        with self.smtp() as connection:
            connection.send_message(message)

    def smtp(self) -> smtplib.SMTP:
        """Connect to the SMTP listener."""
        host, _, port = self.local["smtp"].partition(":")
        return smtplib.SMTP(host, int(port), timeout=30)

    def sign_in(
        self, role: str = "supervisor", username: str | None = None, desk: str = "standard"
    ) -> str:
        """Sign in the desk's first agent with a role, or a given user, and return the token."""
        session = self.session(role, username, desk).session
        assert session is not None
        return session["token"]

    def session(
        self, role: str = "supervisor", username: str | None = None, desk: str = "standard"
    ) -> Deskbell:
        """The client of the API with the session of such an agent."""
        agent = next(
            agent
            for agent in self.local["agents"]
            if agent["desk"] == desk
            and (agent["username"] == username if username else agent["role"] == role)
        )
        return self.api.sign_in(agent["username"], agent["password"])

    # Behind them

    def aws(self, service: str, config: Config | None = None) -> Any:
        """A boto3 client of the emulator."""
        return boto3.client(
            service,  # type: ignore[call-overload]  # the name is the caller's choice
            endpoint_url=self.local["aws_endpoint"],
            region_name="us-east-1",
            aws_access_key_id="000000000000",
            aws_secret_access_key="local",
            config=config,
        )

    def free_capacity(self, desk: str) -> None:
        """Let the agents of a desk hold all that the tests file, in whatever order they run."""
        table = self.aws("dynamodb")
        for agent in self.local["agents"]:
            if agent["desk"] == desk:
                key = {"pk": {"S": f"DESK#{desk}"}, "sk": {"S": f"AGENT#{agent['username']}"}}
                table.update_item(
                    TableName="deskbell-local",
                    Key=key,
                    UpdateExpression="SET #capacity = :many",
                    ExpressionAttributeNames={"#capacity": "capacity"},
                    ExpressionAttributeValues={":many": {"N": "1000"}},
                )

    def queue(self, name: str) -> str:
        url: str = self.aws("sqs").get_queue_url(QueueName=f"deskbell-local-{name}")["QueueUrl"]
        return url

    def sent(self, address: str) -> list[Any]:
        """The mails that were sent to an address, oldest first."""
        with urllib.request.urlopen(
            f"{self.local['aws_endpoint']}/_ministack/ses/messages", timeout=30
        ) as answer:
            accounts = json.load(answer)["messages"]
        return [mail for sent in accounts.values() for mail in sent if address in mail["To"]]

    def mails(self, address: str) -> list[bytes]:
        """The mails that were sent to an address, oldest first, each as it was given to SES."""
        url = f"{self.local['aws_endpoint']}/_deskbell/mails"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return [b64decode(mail["raw"]) for mail in json.load(answer) if address in mail["to"]]

    def mail_about(self, address: str, words: str) -> EmailMessage:
        """Wait for the first mail to an address whose subject has the words; return it parsed."""

        def look() -> EmailMessage | None:
            for raw in self.mails(address):
                mail = message_from_bytes(raw, policy=policy.default)
                if words in mail["Subject"]:
                    assert isinstance(mail, EmailMessage)
                    return mail
            return None

        return wait_until(look, f"a mail to {address} about {words}")

    def link_sent_about(self, number: str) -> str:
        """Wait for a mail or SMS with a ticket's link, as its contact does; return the link.

        The short link of an SMS is followed.
        """
        link = re.compile(rf"https?://\S+?(/desks/\S+/{re.escape(number)}\?key=[\w-]+)")
        short = re.compile(r"https?://\S+?(/t/\w{11})\b")

        def look() -> str | None:
            for text in self.all_sent():
                if found := link.search(text):
                    return found[1]
                found = short.search(text)
                other = re.search(r"[A-Z]{2}\d{11,}|\b20\d{7,}", text)  # another ticket's number
                if found and (number in text or not other):
                    path = self.followed(found[1])
                    if f"/{number}?" in path:
                        return path
            return None

        # A desk's links may begin with a name of its own, which nothing here answers.
        return f"{self.local['api']}{wait_until(look, f'a message with the link of {number}')}"

    def followed(self, path: str) -> str:
        """Return the path and query that a link leads to; empty if it has ended."""
        return _followed(f"{self.local['api']}{path}")

    def all_sent(self) -> Iterator[str]:
        at = self.local["aws_endpoint"]
        for path in ("ses/messages", "sns/sms-messages"):
            with urllib.request.urlopen(f"{at}/_ministack/{path}", timeout=30) as answer:
                yield from _texts(json.load(answer))


@cache  # wrong codes are counted
def _followed(url: str) -> str:
    asked = urllib.request.Request(url, headers={"Accept": "text/html"})
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            to = urlsplit(answer.url)
    except urllib.error.HTTPError:
        return ""
    return f"{to.path}?{to.query}"


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts anywhere in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def descendants(pid: int) -> list[int]:
    """Return every process below one, from `/proc`."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text("utf-8", "replace")
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found, above = [], {pid}
    while above := {child for child, parent in parents.items() if parent in above}:
        found += sorted(above)
    return found


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return False
    return state[0] != "Z"
