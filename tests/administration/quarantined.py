"""Entries of a desk's quarantine, on AWS in memory."""

import json
from email.message import EmailMessage
from typing import Any

import boto3

from functions.administration.dead_letters import FUNCTIONS
from functions.core.platform import aws
from functions.core.storage.quarantined import quarantine
from tests.workbench.conftest import DEPLOYMENT

SPAM = "spam: the filter takes this mail for spam"
VIRUS = "virus: the scanner found one in this mail"
INFECTED = {"virusVerdict": {"status": "FAIL"}}


def make_quarantine() -> None:
    """Create the bucket and the queues."""
    aws.client.cache_clear()
    boto3.client("s3").create_bucket(Bucket=DEPLOYMENT.mail_bucket)
    sqs = boto3.client("sqs")
    for name in ("mail", *(f"{function}-dlq" for function in FUNCTIONS)):
        sqs.create_queue(QueueName=f"{DEPLOYMENT.prefix}-{name}")


def hold_mail(
    name: str,
    desk: str = "testdesk",
    *,
    cause: str = SPAM,
    subject: str = "请回电 13800138000",
    text: str = "昨天起无法登录。",
    receipt: dict[str, Any] | None = None,
) -> str:
    """Put a mail into quarantine and return its id."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "wang@example.com", "a@desk.example", subject
    mail.set_content(text)
    bucket, raw = DEPLOYMENT.mail_bucket, mail.as_bytes()
    quarantine(boto3.client("s3"), bucket, raw, f"mail/{name}", desk, cause, receipt=receipt)
    return f"quarantine/{desk}/{name}"


def put_dead_letter(function: str, body: dict[str, Any]) -> str:
    """Put a message into a function's dead-letter queue and return the message's id."""
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{DEPLOYMENT.prefix}-{function}-dlq")["QueueUrl"]
    return sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))["MessageId"]


def record_of(desk: str, cause: str = "KeyError: 'x'") -> dict[str, Any]:
    """A dead letter about a ticket of a desk."""
    keys = {"pk": f"TICKET#{desk}#CS1", "sk": "EVENT#000001"}
    return {"function": "router", "cause": cause, "keys": keys}


def queued() -> list[Any]:
    """Return the mails that wait for intake."""
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{DEPLOYMENT.prefix}-mail")["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in found]
