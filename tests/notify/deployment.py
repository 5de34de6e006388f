"""A deployment on moto, and records as the table's stream delivers them."""

import json
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

from functions.core.deliver.sms import TextMessage
from functions.core.domain import commands as c
from functions.core.domain.delivery import Delivery
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Playbook, Team
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws
from functions.core.platform.settings import Deployment
from functions.core.services.command_service import change
from functions.core.services.create_ticket import NewTicket, Source, TicketCreator, TicketRequest
from functions.core.storage.database import Storage
from functions.notify.handler import notify
from tests import moto_internals

STAGE = "test"
REGION = "us-east-1"
ACCOUNT = "123456789012"
DEPLOYMENT = Deployment("aws", REGION, ACCOUNT, STAGE)
ROOT = bytes(range(32))
URL = "https://api.example.com"
NOON = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
"""A Tuesday, 12:00 in Shanghai."""

AGENT = Agent(
    desk="standard", username="agent-1", role="agent", team="技术支持组", capacity=50, online=True
)

ASSIGN = c.Assign("技术支持组", "agent-1", by_person=True)
"""A person assigns the ticket to the agent."""

MAIL = "li.example@example.com"
PHONE = "+8613800138000"
NAME = "李样本"


@dataclass(frozen=True)
class Context:
    """The part of Lambda's context that Deskbell reads."""

    invoked_function_arn: str = (
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:deskbell-{STAGE}-notify"
    )
    memory_limit_in_mb: int = 512
    left: int = 60_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left


def stream_record(item: Any, event_name: str = "INSERT") -> dict[str, Any]:
    """Return an item as a DynamoDB stream record: JSON, bytes in base64."""
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
    """Create the resources of the foundation stack that notify uses."""
    import boto3

    from tests.core.sample_desk import make_table

    make_table(boto3.client("dynamodb"), DEPLOYMENT.table)
    kms = boto3.client("kms")
    key = kms.create_key(Description="contacts")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=DEPLOYMENT.contacts_key, TargetKeyId=key)
    ssm = boto3.client("ssm")
    ssm.put_parameter(
        Name=DEPLOYMENT.parameter("key"), Value=b64encode(ROOT).decode(), Type="SecureString"
    )
    ssm.put_parameter(
        Name=DEPLOYMENT.parameter("api"), Value=json.dumps({"url": URL}), Type="String"
    )
    boto3.client("sqs").create_queue(QueueName=f"{DEPLOYMENT.prefix}-notify-dlq")
    boto3.client("ses").verify_email_identity(EmailAddress="support@standard.local")


@dataclass
class Harness:
    """The desk `standard` with its table, and the messages that were sent."""

    storage: Storage
    playbook: Playbook

    def file(self, contact: str = MAIL, **body: Any) -> Ticket:
        """File a ticket as intake does."""
        message_id = body.pop("message_id", None)
        creator = TicketCreator(
            storage=self.storage,
            seal=lambda desk, number, secret: aws.seal(DEPLOYMENT, desk, number, secret),
            seal_original=lambda desk, number, words: (),
            root_key=ROOT,
            public_url=URL,
        )
        new = NewTicket(contact=contact, **{"description": "无法登录", "name": NAME, **body})
        request = TicketRequest(new, NOON, source=Source(message_id=message_id))
        filed = creator.create(self.playbook, request)
        return self.storage.tickets.load(self.playbook.desk, filed.number)

    def change(
        self, ticket: Ticket, *commands: c.Command, at: datetime = NOON, actor: str = "agent"
    ) -> Ticket:
        """Apply commands to a ticket and return it."""
        desk, number = ticket.desk, ticket.number
        for command in commands:
            change(self.storage, desk, number, command, self.playbook, at, actor=actor)
        return self.storage.tickets.load(ticket.desk, ticket.number)

    def event_record(self, ticket: Ticket, version: int | None = None) -> dict[str, Any]:
        """Return the stream record of one version, by default the newest."""
        return self.stream_record(ticket, f"EVENT#{version or ticket.version:06}")

    def stream_record(
        self, ticket: Ticket | Delivery, sk: str, event_name: str = "INSERT"
    ) -> dict[str, Any]:
        """Return the stream record of one item of a ticket."""
        items = self.storage.tickets.items(ticket.desk, ticket.number)
        [item] = [item for item in items if item["sk"]["S"] == sk]
        return stream_record(item, event_name)

    def make_due(self, delivery: Delivery) -> dict[str, Any]:
        """Make a delivery due as the sweep does, and return its stream record."""
        again = delivery.model_copy(update={"state": "due", "next_at": None})
        assert self.storage.deliveries.move(again, delivery.state)
        return self.stream_record(delivery, f"DELIVERY#{delivery.id}", "MODIFY")

    def invoke(self, *records: Any) -> list[str]:
        """Invoke the function and return the sequence numbers of failed records."""
        answer = notify({"Records": list(records)}, Context())
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def change_playbook(self, **changes: Any) -> None:
        """Store the playbook with these keys changed."""
        self.storage.playbooks.put(self.playbook.model_copy(update=changes), NOON)

    def use_playbook(self, playbook: Playbook) -> None:
        """Replace the playbook at once, although the store caches it for a minute."""
        self.storage.playbooks.put(playbook, NOON)
        self.storage.playbooks.cache.clear()
        self.playbook = playbook

    def deliveries(self, ticket: Ticket) -> list[Delivery]:
        return self.storage.deliveries.list(ticket.desk, ticket.number)

    @property
    def mails(self) -> list[Any]:
        """The mails that SES accepted."""
        return moto_internals.sent_mails(ACCOUNT, REGION)

    @property
    def sms(self) -> list[tuple[str, str]]:
        """The number and text of each SMS that SNS accepted."""
        return moto_internals.sent_texts(ACCOUNT, REGION)

    @property
    def dead_letters(self) -> list[dict[str, Any]]:
        """The messages in the dead-letter queue."""
        sqs = aws.client("sqs")
        url = sqs.get_queue_url(QueueName=f"{DEPLOYMENT.prefix}-notify-dlq")["QueueUrl"]
        response = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(message["Body"]) for message in response.get("Messages", [])]


@dataclass
class Providers:
    """Simulated SES, SNS and dead-letter queue, with prepared failures."""

    failures: list[Exception] = field(default_factory=list)
    sent: list[tuple[str, Any]] = field(default_factory=list)
    dead_letters: list[tuple[str, str]] = field(default_factory=list)

    def mail(self, sender: str, to: str, raw: bytes) -> str:
        return self._send(to, raw)

    def sms(self, playbook: Playbook, message: TextMessage) -> str:
        return self._send(message.number, message.text)

    def _send(self, to: str, content: Any) -> str:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((to, content))
        return f"id-{len(self.sent)}"

    def enqueue_dead_letter(self, keys: dict[str, str], cause: str) -> None:
        self.dead_letters.append((keys["sk"], cause))

    @property
    def addresses(self) -> list[str]:
        return [to for to, _ in self.sent]


def plain(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text


def without_mailboxes(playbook: Playbook) -> dict[str, Team]:
    """Return the desk's teams without their mailboxes."""
    return {
        name: team.model_copy(update={"mailbox": None}) for name, team in playbook.teams.items()
    }
