"""Make what search reads again from the table (`deskbell search rebuild`)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

import boto3

from functions.core.platform import aws
from functions.core.services.indexing import SearchIndex
from functions.core.storage.database import Storage
from functions.core.storage.items import ticket_key, ticket_of_key
from functions.core.storage.segments import Segments
from functions.core.storage.table import stamp
from infra.console.parallel import in_order
from infra.deploy.desks import storage_of
from infra.deploy.stacks import deployment_of

_EVER = datetime.fromtimestamp(0, UTC)


def rebuild(stage: str, desk: str) -> int:
    """Make all segments of a desk again; return how many tickets can be found.

    Raises:
        NotFound: there is no such desk.
        TryAgain: a customer was erased meanwhile.
    """
    storage, deployment = storage_of(stage), deployment_of(stage)
    storage.playbooks.get(desk, datetime.now(UTC))
    segments = Segments(boto3.client("s3"), deployment.mail_bucket)
    index = SearchIndex(storage, segments, partial(aws.root_key, deployment))
    texts = in_order(partial(index.text_of, desk), numbers(storage, desk))
    return index.rebuild(desk, (text.result() for _, text in texts), partial(datetime.now, UTC))


def numbers(storage: Storage, desk: str, since: datetime = _EVER) -> Iterator[str]:
    """Yield the numbers of a desk's tickets received since then, in no order.

    The table is read whole.
    """
    table = storage.table
    for page in table.client.get_paginator(operation_name="scan").paginate(
        TableName=table.name,
        FilterExpression="sk = :ticket AND begins_with(pk, :desk) AND contact_sk >= :since",
        ExpressionAttributeValues={
            ":ticket": {"S": "TICKET"},
            ":desk": {"S": ticket_key(desk, "")},
            ":since": {"S": stamp(since)},
        },
        ProjectionExpression="pk",
    ):
        for item in page["Items"]:
            yield ticket_of_key(item["pk"]["S"])[1]
