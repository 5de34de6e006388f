"""A ticket's life as an endpoint receives it: every event once, in any order."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from standardwebhooks import Webhook as Verifier

from functions.core.domain.events import EVENTS
from functions.core.domain.rules import Webhook
from functions.core.domain.webhooks import MessageId, rotated
from functions.core.platform import aws
from functions.core.storage.database import Storage
from functions.intake.signatures import verify
from functions.notify import wiring
from infra.simulator.simulator import Simulator
from tests.inprocess.conftest import ROOT, WEBHOOK_SECRET, shipped, simulator, storage
from tests.inprocess.test_standard import SECRETS, StandardJourney
from tests.notify.webhook_receiver import Receiver
from tests.permissions import granted, needed

pytestmark = pytest.mark.requirement("G5", "E11", "G4")
__all__ = ["simulator", "storage"]  # fixtures


@pytest.fixture
def receiver(simulator: Simulator, storage: Storage) -> Iterator[Receiver]:
    """Provide an endpoint for all events of a deployment that may send to this machine."""
    ssm = boto3.client("ssm")
    secret = rotated("", WEBHOOK_SECRET, datetime.now(UTC), timedelta())
    for name, value in (
        ("settings", '{"local_webhooks":"on"}'),
        ("desks/standard/webhooks/crm", secret),
    ):
        ssm.put_parameter(
            Name=simulator.deployment.parameter(name),
            Value=value,
            Type="SecureString",
            Overwrite=True,
        )
    for cached in (wiring.endpoint_budget, wiring.secret_cache, aws.parameter):
        cached.cache_clear()
    with Receiver().listening() as found:
        webhooks = {"crm": Webhook(url=found.url, events=("*",))}
        playbook = shipped(ROOT / "playbooks" / "standard.yaml")
        changed = playbook.model_copy(update={"webhooks": webhooks})
        storage.playbooks.put(changed, datetime.now(UTC))
        yield found
    for cached in (wiring.endpoint_budget, wiring.secret_cache):
        cached.cache_clear()


def handle_until_archived(journey: StandardJourney) -> None:
    """Handle a ticket until it is archived."""
    journey.online("li-1")
    journey.file()
    journey.act("li-1", "reply", text="请重置密码。")
    journey.act("li-1", "note", text="看过日志")
    journey.act("li-1", "resolve", summary="引导客户重置密码")
    journey.act_as_customer("survey", score=5)
    assert journey.status()["status"] == "archived"


def test_every_event_arrives_once(
    simulator: Simulator, storage: Storage, receiver: Receiver
) -> None:
    """Even if the endpoint fails at first and records come twice."""
    receiver.answers = [500, 503]
    journey = StandardJourney(simulator, storage)
    handle_until_archived(journey)
    tries = len(receiver.got)
    simulator.tick(datetime.now(UTC) + timedelta(minutes=6))
    simulator.pump()
    assert len(receiver.got) == tries + 2
    happened = {
        str(MessageId("standard", journey.number, commit.version, position, "crm")): event.event
        for commit in storage.tickets.history("standard", journey.number)
        for position, event in enumerate(commit.events)
        if event.event != "TimersSet"
    }
    accepted = receiver.got[2:]
    assert sorted(request.headers["webhook-id"] for request in accepted) == sorted(happened)
    for request in accepted:
        assert request.json["type"] == EVENTS[happened[request.headers["webhook-id"]]].webhook
        assert Verifier(WEBHOOK_SECRET).verify(request.body, request.headers)
        assert verify(
            "standard_webhooks",
            secret=WEBHOOK_SECRET,
            id=request.headers["webhook-id"],
            timestamp=request.headers["webhook-timestamp"],
            body=request.body,
            signature=request.headers["webhook-signature"],
            now=datetime.now(UTC).timestamp(),
        )
    assert {d.state for d in storage.deliveries.list("standard", journey.number)} == {"sent"}


def test_no_webhook_contains_a_raw_contact(
    simulator: Simulator, storage: Storage, receiver: Receiver
) -> None:
    handle_until_archived(StandardJourney(simulator, storage))
    sent = "\n".join(f"{request.headers} {request.body.decode()}" for request in receiver.got)
    assert "ticket.archived" in sent
    for secret in SECRETS:
        assert secret not in sent


def test_people_are_notified_whatever_the_endpoint_does(
    simulator: Simulator, storage: Storage, receiver: Receiver
) -> None:
    receiver.answers = [410] * 1000
    journey = StandardJourney(simulator, storage)
    handle_until_archived(journey)
    states: dict[str, set[str]] = {}
    for delivery in storage.deliveries.list("standard", journey.number):
        states.setdefault(delivery.channel, set()).add(delivery.state)
    assert states.pop("webhook") == {"dead_lettered", "retrying"}
    assert set().union(*states.values()) == {"sent"}
    queue = boto3.client("sqs").get_queue_attributes(
        QueueUrl=f"https://sqs.us-east-1.amazonaws.com/123456789012/{simulator.deployment.prefix}-notify-dlq",
        AttributeNames=["ApproximateNumberOfMessages"],
    )
    assert int(queue["Attributes"]["ApproximateNumberOfMessages"]) == len(receiver.got)


@pytest.mark.requirement("F7", "G5")
def test_notify_needs_no_right_that_it_lacks(
    simulator: Simulator, storage: Storage, receiver: Receiver
) -> None:
    handle_until_archived(StandardJourney(simulator, storage))
    used = {
        action
        for call in simulator.calls
        if call.function == "notify"
        for action in needed(call.service, call.operation, call.writes)
    }
    assert used <= granted("notify")


@pytest.mark.requirement("G7")
def test_a_desk_without_endpoints_makes_no_calls_for_them(
    simulator: Simulator, storage: Storage
) -> None:
    handle_until_archived(StandardJourney(simulator, storage))
    assert not [d for d in storage.deliveries.list("standard", "x") if d.channel == "webhook"]
    parameters = [
        call for call in simulator.calls if (call.function, call.service) == ("notify", "ssm")
    ]
    assert len(parameters) <= 2  # the root key and the API's address
