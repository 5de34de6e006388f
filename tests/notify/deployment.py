"""A deployment in memory, and records as the table's stream has them."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

from functions.core.domain import commands as c
from functions.core.domain.delivery import Delivery
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Playbook, Team
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws
from functions.core.platform.settings import Deployment
from functions.core.services.command_service import change
from functions.core.services.create_ticket import Filing, NewTicket, Tracking, file_ticket
from functions.core.storage.store import Store
from functions.notify.handler import notify
from tests import moto_internals

STAGE = "test"
REGION = "us-east-1"
ACCOUNT = "123456789012"
PLACE = Deployment("aws", REGION, ACCOUNT, STAGE)
ROOT = bytes(range(32))
URL = "https://api.example.com"
NOON = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
"""A Tuesday, 12:00 in Shanghai."""

AGENT = Agent(
    desk="standard", username="agent-1", role="agent", team="技术支持组", capacity=50, online=True
)

MAIL = "li.example@example.com"
PHONE = "+8613800138000"
NAME = "李样本"


@dataclass(frozen=True)
class Context:
    """Lambda's context, as far as Deskbell reads it."""

    invoked_function_arn: str = (
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:deskbell-{STAGE}-notify"
    )
    left: int = 60_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left


def stream_record(item: Any, event_name: str = "INSERT") -> dict[str, Any]:
    """An item as Lambda's event of a DynamoDB stream carries it: JSON, bytes in base64."""
    image = {
        name: {"B": b64encode(value["B"]).decode()} if "B" in value else value
        for name, value in item.items()
    }
    return {
        "eventID": "1",
        "eventName": event_name,
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {"pk": image["pk"], "sk": image["sk"]},
            "NewImage": image,
            "SequenceNumber": f"100-{item['sk']['S']}",
        },
    }


def make_services() -> None:
    """Everything of the foundation that notify touches."""
    import boto3

    from tests.core.sample_desk import make_table

    make_table(boto3.client("dynamodb"), PLACE.table)
    kms = boto3.client("kms")
    key = kms.create_key(Description="contacts")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=PLACE.contacts_key, TargetKeyId=key)
    ssm = boto3.client("ssm")
    ssm.put_parameter(
        Name=PLACE.parameter("key"), Value=b64encode(ROOT).decode(), Type="SecureString"
    )
    ssm.put_parameter(Name=PLACE.parameter("api"), Value=json.dumps({"url": URL}), Type="String")
    boto3.client("sqs").create_queue(QueueName=f"{PLACE.prefix}-notify-dlq")
    boto3.client("ses").verify_email_identity(EmailAddress="support@standard.local")


@dataclass
class World:
    """The desk `standard` with its table, and what has left the house."""

    store: Store
    playbook: Playbook

    def file(self, contact: str = MAIL, **body: Any) -> Ticket:
        """A new ticket, filed as intake does it."""
        message_id = body.pop("message_id", None)
        filing = Filing(
            store=self.store,
            seal=lambda desk, number, secret: aws.seal(PLACE, desk, number, secret),
            seal_original=lambda desk, number, words: (),
            root=ROOT,
            public_url=URL,
            now=NOON,
            tracking=Tracking(message_id=message_id),
        )
        request = NewTicket(contact=contact, **{"description": "无法登录", "name": NAME, **body})
        filed = file_ticket(filing, self.playbook, request, None, "customer")
        return self.store.load(self.playbook.desk, filed.number)

    def do(self, ticket: Ticket, *commands: c.Command, at: datetime = NOON) -> Ticket:
        """The ticket after some commands."""
        for command in commands:
            change(
                self.store,
                ticket.desk,
                ticket.number,
                command,
                self.playbook,
                at,
                actor="agent",
            )
        return self.store.load(ticket.desk, ticket.number)

    def event(self, ticket: Ticket, version: int | None = None) -> dict[str, Any]:
        """The stream's record of one version, the newest by default."""
        sk = f"EVENT#{version or ticket.version:06}"
        [item] = [
            i for i in self.store.everything(ticket.desk, ticket.number) if i["sk"]["S"] == sk
        ]
        return stream_record(item)

    def due(self, delivery: Delivery) -> dict[str, Any]:
        """The sweep makes a delivery due; the stream's record of that."""
        again = delivery.model_copy(update={"state": "due", "next_at": None})
        assert self.store.move(again, delivery.state)
        sk = f"DELIVERY#{delivery.id}"
        items = self.store.everything(delivery.desk, delivery.number)
        [item] = [i for i in items if i["sk"]["S"] == sk]
        return stream_record(item, "MODIFY")

    def run(self, *records: Any) -> list[str]:
        """Invoke the function; the sequence numbers that it wants again."""
        answer = notify({"Records": list(records)}, Context())
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def edit(self, **changes: Any) -> None:
        """Apply the playbook with these keys changed."""
        self.store.put_playbook(self.playbook.model_copy(update=changes), NOON)

    def deliveries(self, ticket: Ticket) -> list[Delivery]:
        return self.store.deliveries(ticket.desk, ticket.number)

    @property
    def mails(self) -> list[Any]:
        """What SES took."""
        return moto_internals.sent_mails(ACCOUNT, REGION)

    @property
    def texts(self) -> list[tuple[str, str]]:
        """What SNS took: number and text."""
        return moto_internals.sent_texts(ACCOUNT, REGION)

    @property
    def parked(self) -> list[dict[str, Any]]:
        """What lies in the dead-letter queue."""
        sqs = aws.client("sqs")
        url = sqs.get_queue_url(QueueName=f"{PLACE.prefix}-notify-dlq")["QueueUrl"]
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]


@dataclass
class Post:
    """SES and SNS as a list, with failures laid out beforehand, and the queue as another."""

    failures: list[Exception] = field(default_factory=list)
    sent: list[tuple[str, Any]] = field(default_factory=list)
    announced: list[tuple[str, str]] = field(default_factory=list)

    def mail(self, sender: str, to: str, raw: bytes) -> str:
        return self._take(to, raw)

    def sms(self, number: str, text: str, sender: str) -> str:
        return self._take(number, text)

    def _take(self, to: str, what: Any) -> str:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((to, what))
        return f"id-{len(self.sent)}"

    def announce(self, keys: dict[str, str], cause: str) -> None:
        self.announced.append((keys["sk"], cause))

    @property
    def addresses(self) -> list[str]:
        return [to for to, _ in self.sent]


def plain(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text


def without_mailboxes(playbook: Playbook) -> dict[str, Team]:
    """The desk's teams, of which none can be written to."""
    return {
        name: team.model_copy(update={"mailbox": None}) for name, team in playbook.teams.items()
    }
