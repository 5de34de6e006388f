"""Snapshots restore the prepared state without the changes of earlier tests."""

from typing import Any

import boto3

from tests import moto_internals
from tests.aws_snapshots import aws_in_memory, restore_or_make
from tests.core.sample_desk import TABLE, make_table


def make() -> None:
    make_table(boto3.client("dynamodb"))
    boto3.client("s3").create_bucket(Bucket="kept")
    boto3.client("sqs").create_queue(QueueName="kept")
    boto3.client("sesv2").create_email_identity(EmailIdentity="kept.local")
    boto3.client("ssm").put_parameter(Name="/kept", Value="kept", Type="String")


def read_and_change() -> list[Any]:
    """Return the content of each service, then add something to each."""
    sqs, s3, table = boto3.client("sqs"), boto3.client("s3"), boto3.client("dynamodb")
    ssm, queue = boto3.client("ssm"), sqs.get_queue_url(QueueName="kept")["QueueUrl"]
    before = len(moto_internals.sent_mails())
    content = [
        table.scan(TableName=TABLE)["Items"],
        s3.list_objects_v2(Bucket="kept")["KeyCount"],
        sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0).get("Messages", []),
        before,
        ssm.get_parameter(Name="/kept")["Parameter"]["Value"],
    ]
    table.put_item(TableName=TABLE, Item={"pk": {"S": "TICKET#a"}, "sk": {"S": "TICKET"}})
    s3.put_object(Bucket="kept", Key="a", Body=b"a")
    sqs.send_message(QueueUrl=queue, MessageBody="a")
    ssm.put_parameter(Name="/kept", Value="changed", Type="String", Overwrite=True)
    boto3.client("sesv2").send_email(
        FromEmailAddress="support@kept.local",
        Destination={"ToAddresses": ["customer@example.com"]},
        Content={"Raw": {"Data": b"Subject: a\r\n\r\na"}},
    )
    assert len(moto_internals.sent_mails()) == before + 1
    return content


def test_every_test_begins_with_the_snapshot() -> None:
    for _ in range(3):
        with aws_in_memory():
            restore_or_make("test", make)
            assert read_and_change() == [[], 0, [], 0, "kept"]
