"""Shared fixtures of the workbench tests: a desk with a roster, and agents who call it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from functions.core.domain.events import Attachment, CustomerWrote, TicketClassified
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws
from functions.core.platform.settings import Deployment
from functions.core.platform.web import HttpResponse, Request
from functions.core.playbook import load
from functions.core.services.contacts import ContactCorrector
from functions.core.storage.board_snapshots import BoardSnapshots
from functions.core.storage.database import Storage
from functions.core.storage.event_codec import dump_events
from functions.core.storage.files import Files
from functions.core.storage.items import commit_sort_key, ticket_key
from functions.core.storage.table import key, stamp
from functions.workbench import calls
from tests.aws_snapshots import aws_in_memory, restore_or_make
from tests.core.sample_desk import DESK, NOON, agent, both, file_ticket, make_table

DEPLOYMENT = Deployment("aws", "us-east-1", "123456789012", "test")
NUMBER = "CS20260310001"
BUCKET = "deskbell-test-mail"
LONG = 2000
"""The entries of a long ticket."""

ROSTER = {
    "agent-1": ("agent", "technical"),
    "agent-2": ("agent", "technical"),
    "agent-3": ("agent", "general"),
    "supervisor-1": ("supervisor", "leads"),
    "qa-1": ("qa", "qa"),
    "finance-1": ("finance", "leads"),
}
"""Username → role and team."""


class Links(Files):
    """Files with readable links."""

    def link(self, file: Attachment) -> str:
        return f"https://files.example.com/{file.key}"


def _corrector(storage: Storage) -> ContactCorrector:
    return ContactCorrector(storage, lambda desk, number, contact: b"sealed:" + contact, bytes(32))


def _files() -> Links:
    import boto3

    return Links(boto3.client("s3", region_name=DEPLOYMENT.region), BUCKET)


@dataclass
class Agent:
    """A signed-in agent."""

    storage: Storage
    username: str
    groups: str

    def request(self, method: str, body: Any = None, **query: str) -> Request:
        return Request(
            method,
            DEPLOYMENT,
            NOON,
            query=query,
            body=b"" if body is None else json.dumps(body).encode(),
            claims={"cognito:username": self.username, "cognito:groups": self.groups},
        )

    def tickets(self, desk: str = "testdesk", **query: str) -> Any:
        return calls.list_tickets(self.request("GET", **query), self.storage, desk).body

    def numbers(self, **query: str) -> list[str]:
        return [ticket["number"] for ticket in self.tickets(**query)["tickets"]]

    def show(self, number: str = NUMBER, desk: str = "testdesk", **query: str) -> Any:
        request = replace(self.request("GET"), query=query)
        return calls.show_ticket(request, self.storage, desk, number, _files()).body

    def act(self, action: str, number: str = NUMBER, **body: Any) -> Any:
        request = self.request("POST", body)
        corrector = partial(_corrector, self.storage)
        answer = calls.act(
            request,
            self.storage,
            "testdesk",
            number,
            action,
            _files(),
            corrector,
            lambda *_: {},
            lambda *_: (),
        )
        return answer.body

    def presence(self, body: Any) -> HttpResponse:
        return calls.set_presence(self.request("PUT", body), self.storage, "testdesk")


class Counting:
    """A DynamoDB client that notes the calls made to it."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self.client, name)

        def call(**arguments: Any) -> Any:
            self.calls.append(name)
            return method(**arguments)

        return call


SignedIn = Callable[[str], Agent]


@pytest.fixture(autouse=True)
def _public_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "public_url", lambda deployment: "https://desk.example.com")


@pytest.fixture(scope="session")
def playbook() -> Playbook:
    """The tests' desk with a team of supervisors, an answer to offer and an article."""
    return load(
        {
            **DESK,
            "teams": {**DESK["teams"], "leads": {"label": both("主管组"), "role": "supervisor"}},
            "articles": {
                "password": {"title": both("密码找回"), "solution": both("点击“忘记密码”")}
            },
            "templates": [
                {
                    "id": "login",
                    "when": {"tags": "login"},
                    "parts": {
                        "opening": both("关于{{ tag }}的问题"),
                        "help": both("{{ solution }}"),
                    },
                    "article": "password",
                }
            ],
        }
    )


@pytest.fixture
def dynamodb(playbook: Playbook) -> Iterator[Any]:
    """A table with one desk and its roster, in memory."""
    import boto3

    with aws_in_memory():
        client = boto3.client("dynamodb", region_name="us-east-1")
        restore_or_make(("workbench", playbook.model_dump_json()), lambda: _desk(client, playbook))
        yield client


def _desk(client: Any, playbook: Playbook) -> None:
    make_table(client)
    storage = Storage.on(client, "deskbell-test")
    storage.playbooks.put(playbook, NOON)
    for username, (role, team) in ROSTER.items():
        storage.roster.put(agent(username, role=role, team=team))


@pytest.fixture
def storage(dynamodb: Any) -> Storage:
    """The table as the workbench uses it."""
    return Storage.on(dynamodb, "deskbell-test")


@pytest.fixture
def signed_in(storage: Storage) -> SignedIn:
    """Sign somebody of the roster in."""
    return lambda name: Agent(storage, name, f"testdesk:{ROSTER[name][0]}")


@pytest.fixture
def ticket(storage: Storage, playbook: Playbook) -> Ticket:
    return file_ticket(storage, playbook, NUMBER)


@pytest.fixture
def long_ticket(storage: Storage, playbook: Playbook, ticket: Ticket) -> Storage:
    """A ticket on which a customer has written thousands of long messages."""
    for version in range(2, LONG + 1):
        _put_commit(
            storage, version, CustomerWrote(text=f"{version} " + "很" * 4000, channel="web")
        )
    _put_commit(storage, 2, TicketClassified(type="fault", tags=(), priority="low", rules=("r1",)))
    item = storage.table.get(ticket_key("testdesk", NUMBER), "TICKET", consistent=True)
    assert item is not None
    body = json.loads(item["body"]["S"]) | {"records": LONG - 1}
    storage.table.client.put_item(
        TableName=storage.table.name,
        Item={**item, "version": {"N": str(LONG)}, "body": {"S": json.dumps(body)}},
    )
    return storage


def _put_commit(storage: Storage, version: int, event: Any) -> None:
    storage.table.client.put_item(
        TableName=storage.table.name,
        Item={
            **key(ticket_key("testdesk", NUMBER), commit_sort_key(version)),
            "at": {"S": stamp(NOON)},
            "actor": {"S": "customer"},
            "schema": {"N": "1"},
            "readers": {"S": "none"},
            "records": {"N": str(max(version - 2, 1))},
            "body": {"S": dump_events((event,))},
        },
    )


@pytest.fixture
def snapshots(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> BoardSnapshots:
    """The bucket of a deployment."""
    import boto3

    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket=DEPLOYMENT.mail_bucket)
    monkeypatch.setattr(aws, "client", lambda service: s3)
    return BoardSnapshots(s3, DEPLOYMENT.mail_bucket)
