"""`deskbell quarantine` shows and discards what has no readable form, whatever it is."""

import json
from typing import Any

import boto3
import pytest

from functions.administration.dead_letters import FUNCTIONS
from functions.administration.entries import QuarantineEntry
from functions.administration.unprocessed import Quarantine
from functions.core.domain.errors import ReplayError
from functions.core.storage.database import Storage
from functions.core.storage.items import ticket_key
from infra.console.quarantine import quarantine_of
from infra.deploy.desks import storage_of
from infra.simulator.simulator import Simulator
from tests.core.sample_desk import NOON
from tests.examples import examples
from tests.inprocess.conftest import (
    DEPLOYMENT,
    simulator as simulator,  # the deployment on moto
    storage as storage,
)
from tests.inprocess.test_returns import file_ticket

pytestmark = pytest.mark.requirement("G3")

MALFORMED = examples(__file__)["malformed"]


def send(function: str, body: str) -> None:
    sqs = boto3.client("sqs")
    queue = sqs.get_queue_url(QueueName=f"{DEPLOYMENT.prefix}-{function}-dlq")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=body)


@pytest.mark.slow
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_malformed_message_is_listed_shown_and_discarded(
    simulator: Simulator, function: str
) -> None:
    """One of them must not hide the others, and none leaves without a decision."""
    for body in MALFORMED:
        send(function, body.replace("\x07", ""))
    quarantine = quarantine_of(DEPLOYMENT.stage)
    with quarantine.opened() as entries:
        assert len(entries) == len(MALFORMED)
        for entry in entries:
            assert entry.cause
            assert quarantine.text(entry)
            if entry.unreadable:
                with pytest.raises(ReplayError):
                    quarantine.replay(entry)
            assert "discarded" in quarantine.discard(entry, "malformed", "ops", NOON)
    with quarantine_of(DEPLOYMENT.stage).opened() as left:
        assert left == []


def test_a_message_without_form_is_shown_as_it_is(simulator: Simulator) -> None:
    send("router", '{"keys": "x", "what": "\u202e别的"}')
    quarantine = quarantine_of(DEPLOYMENT.stage)
    with quarantine.opened() as (entry,):
        assert entry.unreadable
        assert entry.cause.startswith("unreadable: ")
        assert "\\u202e别的" in quarantine.text(entry)


def test_an_object_without_readable_metadata_is_listed(simulator: Simulator) -> None:
    bucket = DEPLOYMENT.mail_bucket
    for name, metadata in (("a", {"verdicts": "{"}), ("b", {"call": "[1]"}), ("c", {"by": "x"})):
        boto3.client("s3").put_object(
            Bucket=bucket, Key=f"quarantine/standard/{name}", Body=b"words", Metadata=metadata
        )
    boto3.client("s3").put_object(Bucket=bucket, Key="quarantine/odd", Body=b"words")
    quarantine = quarantine_of(DEPLOYMENT.stage)
    with quarantine.opened() as entries:
        assert len(entries) == 4
        for entry in entries:
            assert "words" in quarantine.text(entry)
    assert [entry.unreadable for entry in entries].count(True) == 2


def test_a_workflow_with_another_s_input_is_listed(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.administration import closing_workflows

    runs = [closing_workflows.Failed(f"run-{i}", NOON, "x", text) for i, text in enumerate("{[5")]
    monkeypatch.setattr(closing_workflows, "failed", lambda prefix: iter(runs))
    quarantine = quarantine_of(DEPLOYMENT.stage)
    with quarantine.opened() as entries:
        assert [entry.unreadable for entry in entries] == [True] * 3
        _refused(quarantine, entries[0])


def _refused(quarantine: Quarantine, entry: QuarantineEntry) -> None:
    with pytest.raises(ReplayError, match="Discard it"):
        quarantine.replay(entry)
    assert "discarded" in quarantine.discard(entry, "malformed", "ops", NOON)


@pytest.mark.parametrize("body", [{"S": "{"}, {"S": "[]"}, {"S": "{}"}, {"N": "5"}])
def test_an_unreadable_delivery_hides_no_ticket(
    simulator: Simulator, storage: Storage, body: Any
) -> None:
    number = file_ticket(simulator, storage)
    storage_of(DEPLOYMENT.stage).table.client.put_item(
        TableName=DEPLOYMENT.table,
        Item={
            "pk": {"S": ticket_key("standard", number)}, "sk": {"S": "DELIVERY#000001#x"},
            "state": {"S": "dead_lettered"}, "body": body,
        },
    )  # fmt: skip
    claims = {"cognito:username": "zg-1", "cognito:groups": "standard:supervisor"}
    path = f"/agent/desks/standard/tickets/{number}"
    assert simulator.http("GET", path, claims=claims).status == 200
    keys = {"pk": ticket_key("standard", number), "sk": "DELIVERY#000001#x"}
    send("notify", json.dumps({"keys": keys, "cause": "x"}))
    quarantine = quarantine_of(DEPLOYMENT.stage)
    with quarantine.opened() as (entry,):
        assert "unreadable" in quarantine.text(entry)
        _refused(quarantine, entry)
