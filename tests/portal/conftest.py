"""Shared fixtures of the portal tests: a desk in the table, and its customer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from functions.core.domain import commands as c
from functions.core.domain.errors import Refused
from functions.core.domain.events import Attachment
from functions.core.domain.rules import FileRules, Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform.settings import Deployment
from functions.core.platform.web import HttpResponse, Request, locale_of, wants_page
from functions.core.playbook import load
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.text.tokens import LinkKind, link_key
from functions.portal.calls import show, write
from functions.portal.context import PortalContext
from functions.portal.files import NewAttachment, keep
from functions.portal.page import error_page
from tests.aws_snapshots import aws_in_memory, restore_or_make
from tests.core.sample_desk import DESK, NOON, agent, file_ticket, make_table

ROOT = b"k" * 32
DEPLOYMENT = Deployment("aws", "us-east-1", "123456789012", "test")
NUMBER = "CS20260310001"
CarryOut = Callable[..., Ticket]


def _keep(folder: str, files: Sequence[NewAttachment], rules: FileRules) -> tuple[Attachment, ...]:
    import boto3

    s3 = boto3.client("s3", region_name=DEPLOYMENT.region)
    s3.create_bucket(Bucket="mail")
    return keep(s3, "mail", folder, files, rules)


def _link(file: Attachment) -> str:
    return f"https://files.example.com/{file.key}"


def _seal(desk: str, number: str, words: bytes) -> tuple[bytes, ...]:
    return (b"\x01" + words[::-1],)


def _answered(request: Request, call: Callable[[], HttpResponse]) -> HttpResponse:
    """Call as `web.respond` does for a browser; a program's refusal is raised."""
    try:
        return call()
    except Refused as refused:
        if not wants_page(request.headers):
            raise
        return error_page(refused, locale_of(request, "zh-CN"), request)


@dataclass
class Customer:
    """A customer with a browser or a program, and the key of a ticket."""

    storage: Storage
    number: str = NUMBER
    desk: str = "testdesk"
    kind: LinkKind = "customer"
    generation: int = 1
    now: datetime = NOON

    @property
    def key(self) -> str:
        return link_key(ROOT, self.kind, self.desk, self.number, self.generation)

    @property
    def _desk(self) -> PortalContext:
        return PortalContext(self.storage, ROOT, _keep, _link, _seal)

    def get(self, accept: str = "application/json", **query: str) -> HttpResponse:
        request = Request("GET", DEPLOYMENT, self.now, query=query, headers={"accept": accept})
        return _answered(request, lambda: show(request, self._desk, self.desk, self.number))

    def post(self, call: str, body: bytes, query: dict[str, str], **headers: str) -> HttpResponse:
        written = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request("POST", DEPLOYMENT, self.now, query=query, headers=written, body=body)
        return _answered(request, lambda: write(request, self._desk, self.desk, self.number, call))

    def send(self, call: str, fields: dict[str, Any], **headers: str) -> HttpResponse:
        """A program's call with the key."""
        from json import dumps

        return self.post(call, dumps(fields).encode(), {"key": self.key}, **headers)

    def submit(self, call: str, **fields: str) -> HttpResponse:
        """A browser's form."""
        return self.post(
            call,
            urlencode(fields).encode(),
            {"key": self.key},
            accept="text/html,application/xhtml+xml,*/*;q=0.8",
            content_type="application/x-www-form-urlencoded",
        )


@pytest.fixture(scope="session")
def playbook() -> Playbook:
    return load(DESK)


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    """An empty table, in memory."""
    import boto3

    with aws_in_memory():
        client = boto3.client("dynamodb", region_name="us-east-1")
        restore_or_make("portal", lambda: make_table(client))
        yield client


@pytest.fixture
def storage(dynamodb: Any, playbook: Playbook) -> Storage:
    """A table with one desk and its agent."""
    found = Storage.on(dynamodb, "deskbell-test")
    found.playbooks.put(playbook, NOON)
    found.roster.put(agent())
    return found


@pytest.fixture
def ticket(storage: Storage, playbook: Playbook) -> Ticket:
    return file_ticket(storage, playbook, NUMBER)


@pytest.fixture
def customer(storage: Storage, ticket: Ticket) -> Customer:
    """The customer of `ticket`."""
    return Customer(storage)


@pytest.fixture
def carry_out(storage: Storage, playbook: Playbook, ticket: Ticket) -> CarryOut:
    """Carry commands out on the ticket, as agents and functions do."""

    def carry_out(*commands: c.Command, actor: str = "agent-1") -> Ticket:
        after = ticket
        for command in commands:
            after = change(storage, ticket.desk, NUMBER, command, playbook, NOON, actor=actor)
        return after

    return carry_out
