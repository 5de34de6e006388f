"""Each event goes to each endpoint: signed, retried for a day, without delaying people."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from standardwebhooks import Webhook as Verifier

from functions.core.domain import commands as c, events as e
from functions.core.domain.delivery import WEBHOOK_RETRY_AFTER, Delivery
from functions.core.domain.errors import TryAgain
from functions.core.domain.rules import Playbook, Webhook
from functions.core.domain.ticket import Ticket
from functions.core.domain.webhooks import rotated
from functions.core.platform import aws
from functions.core.storage.deliveries import Deliveries
from functions.notify import wiring
from functions.notify.base_dispatch import CLAIM_TIMEOUT
from functions.notify.deliver.failures import Passing, Permanent, Unclear
from functions.notify.deliver.webhook import SecretCache
from functions.notify.webhook_dispatch import (
    FAILURE_LIMIT,
    SUSPENSION,
    TIME_PER_MINUTE,
    EndpointBudget,
    WebhookDispatcher,
)
from functions.notify.webhook_message import message_body, retry_waits
from tests.notify.deployment import DEPLOYMENT, MAIL, NAME, NOON, PHONE, Harness
from tests.notify.webhook_receiver import Receiver

pytestmark = pytest.mark.requirement("G5")
SECRET = "whsec_" + b64encode(b"one secret of thirty-two octets!").decode()
OLDER = "whsec_" + b64encode(b"another secret of thirty-two oct").decode()
LATER = NOON + CLAIM_TIMEOUT


@pytest.fixture
def subscribed(playbook: Playbook) -> Playbook:
    """The desk `standard` with two endpoints."""
    return with_webhooks(
        playbook,
        crm={"url": "https://crm.example.com/hooks", "events": ["ticket.received", "note.added"]},
        bi={"url": "https://bi.example.com/in", "events": ["*"]},
    )


def with_webhooks(playbook: Playbook, **webhooks: Mapping[str, Any]) -> Playbook:
    """A playbook with these endpoints."""
    found = {name: Webhook.model_validate(given) for name, given in webhooks.items()}
    return playbook.model_copy(update={"webhooks": found})


@pytest.fixture
def desk(harness: Harness, subscribed: Playbook) -> Harness:
    harness.use_playbook(subscribed)
    return harness


@dataclass
class Time:
    """A clock that tests advance."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Endpoints:
    """Simulated endpoints with prepared answers."""

    time: Time = field(default_factory=Time)
    answers: list[Exception | Callable[[], None]] = field(default_factory=list)
    got: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    dead_letters: list[tuple[str, str]] = field(default_factory=list)
    takes: float = 0.0

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> str:
        self.time.at += self.takes
        self.got.append((url, body, dict(headers)))
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            answer()
        return "HTTP 204"

    def enqueue_dead_letter(self, keys: dict[str, str], cause: str) -> None:
        self.dead_letters.append((keys["sk"], cause))

    @property
    def hosts(self) -> list[str]:
        return [url.split("/")[2] for url, _, _ in self.got]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for _, _, headers in self.got]


@pytest.fixture
def endpoints() -> Endpoints:
    return Endpoints()


@pytest.fixture
def dispatcher(desk: Harness, endpoints: Endpoints) -> WebhookDispatcher:
    return WebhookDispatcher(
        storage=desk.storage,
        enqueue_dead_letter=endpoints.enqueue_dead_letter,
        now=NOON,
        secrets=lambda desk, name, now: (SECRET,),
        post=endpoints.post,
        budget=EndpointBudget(endpoints.time),
        in_time=lambda: True,
    )


@pytest.fixture
def ticket(desk: Harness) -> Ticket:
    return desk.file()


@pytest.fixture
def noted(desk: Harness, ticket: Ticket) -> Ticket:
    """A ticket whose newest event only endpoints subscribe to."""
    return desk.change(ticket, c.Note(text="看过"))


@pytest.fixture
def crm(desk: Harness, playbook: Playbook) -> None:
    """Leave one endpoint, for new tickets only."""
    only = with_webhooks(
        playbook, crm={"url": "https://crm.example.com/", "events": ["ticket.received"]}
    )
    desk.use_playbook(only)


def of(desk: Harness, ticket: Ticket) -> list[Delivery]:
    return [d for d in desk.deliveries(ticket) if d.channel == "webhook"]


def only(desk: Harness, ticket: Ticket) -> Delivery:
    [delivery] = of(desk, ticket)
    return delivery


@pytest.mark.requirement("G5")
def test_each_endpoint_gets_the_events_it_subscribes_to(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, noted: Ticket
) -> None:
    for version in range(1, noted.version + 1):
        dispatcher.process(desk.event_record(noted, version))
    received = [
        (host, json.loads(body)["type"])
        for host, (_, body, _) in zip(endpoints.hosts, endpoints.got, strict=True)
    ]
    expected = [
        event.webhook
        for commit in desk.storage.tickets.history("standard", noted.number)
        for event in commit.events
        if event.event != "TimersSet"
    ]
    assert [kind for host, kind in received if host == "crm.example.com"] == [
        "ticket.received",
        "note.added",
    ]
    assert [kind for host, kind in received if host == "bi.example.com"] == expected
    assert len(set(endpoints.ids)) == len(endpoints.ids)
    assert {delivery.state for delivery in of(desk, noted)} == {"sent"}


@pytest.mark.requirement("G5", "G4")
def test_a_message_describes_its_event_and_verifies(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, ticket: Ticket, crm: None
) -> None:
    """Verified by the library of Standard Webhooks; masked, without internal fields."""
    now = datetime.now(UTC)
    dispatcher.at(now).process(desk.event_record(ticket))
    [(_, body, headers)] = endpoints.got
    found = Verifier(SECRET).verify(body, headers)
    assert found == json.loads(body)
    assert headers["webhook-timestamp"] == str(int(now.timestamp()))
    assert found["type"] == "ticket.received"
    assert datetime.fromisoformat(found["timestamp"]) == NOON
    data = found["data"]
    assert (data["desk"], data["number"], data["version"]) == ("standard", ticket.number, 1)
    assert data["event"]["description"] == "无法登录"
    assert data["event"]["customer"]["contact"].startswith("*")
    assert data["ticket"]["status"] == ticket.status
    for secret in (MAIL, PHONE, NAME, ticket.customer.hash):
        assert secret.encode() not in body


@pytest.mark.requirement("G4")
def test_a_message_names_files_without_their_keys() -> None:
    kept = e.Attachment(name="a.png", content_type="image/png", size=3, key="files/x/secret")
    event = e.CustomerWrote(text="x", channel="mail", raw="mail/secret", attachments=(kept,))
    from tests.notify.sample_events import commit, ticket

    data = json.loads(message_body(event, commit(event), ticket()))["data"]
    assert data["event"]["attachments"] == [
        {"name": "a.png", "content_type": "image/png", "size": 3}
    ]
    assert "secret" not in json.dumps(data)


@pytest.mark.requirement("G5")
@pytest.mark.parametrize("name", sorted(set(e.EVENTS) - {"TimersSet"}))
def test_every_event_makes_a_message(name: str) -> None:
    from tests.core.domain.test_events import SAMPLES
    from tests.notify.sample_events import commit, ticket

    found = json.loads(message_body(SAMPLES[name], commit(SAMPLES[name]), ticket()))
    assert set(found) == {"type", "timestamp", "data"}
    assert set(found["data"]) == {"desk", "number", "version", "actor", "event", "ticket"}


@pytest.mark.requirement("G5")
def test_both_secrets_verify_during_a_rotation(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, ticket: Ticket, crm: None
) -> None:
    now = datetime.now(UTC)
    both = replace(dispatcher, secrets=lambda *_: (SECRET, OLDER))
    both.at(now).process(desk.event_record(ticket))
    [(_, body, headers)] = endpoints.got
    for secret in (SECRET, OLDER):
        assert Verifier(secret).verify(body, headers)


@pytest.mark.requirement("G3", "G5")
@pytest.mark.parametrize("written", ["whsec_!", "不", "", 5, None])
def test_a_malformed_secret_is_ignored(written: Any) -> None:
    secrets = SecretCache(lambda _: json.dumps([{"secret": written}]))
    with pytest.raises(Passing, match="rotate"):
        secrets.valid("a", NOON)


@pytest.mark.requirement("E11")
def test_a_throttled_read_after_the_claim_is_retried(
    desk: Harness,
    dispatcher: WebhookDispatcher,
    endpoints: Endpoints,
    ticket: Ticket,
    crm: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:

    def busy(*_: Any) -> Any:
        raise TryAgain("DynamoDB: ThrottlingException")

    with monkeypatch.context() as patch:
        patch.setattr(desk.storage.tickets, "load_since", busy)
        dispatcher.process(desk.event_record(ticket))
    [waiting] = [d for d in desk.deliveries(ticket) if d.channel == "webhook"]
    assert (waiting.state, waiting.attempts) == ("retrying", 1)
    assert endpoints.got == []


@pytest.mark.requirement("E11", "G5")
def test_the_same_event_twenty_times_is_one_request(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, ticket: Ticket, crm: None
) -> None:
    record = desk.event_record(ticket)
    for n in range(20):
        dispatcher.at(NOON + n * timedelta(minutes=1)).process(record)
    assert len(endpoints.got) == 1


@pytest.mark.requirement("G5", "G3")
def test_a_webhook_is_retried_for_a_day_and_then_dead_lettered(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, ticket: Ticket, crm: None
) -> None:
    """With the same id each time."""
    tries = len(WEBHOOK_RETRY_AFTER) + 1
    endpoints.answers = [Passing("crm.example.com answered 500")] * tries
    dispatcher.process(desk.event_record(ticket))
    moments = [NOON]
    while (waiting := only(desk, ticket)).state == "retrying":
        assert waiting.next_at is not None
        moments.append(waiting.next_at)
        endpoints.time.at += 600
        dispatcher.at(waiting.next_at).process(desk.make_due(waiting))
    delivery = only(desk, ticket)
    assert (delivery.state, delivery.attempts) == ("dead_lettered", tries)
    assert delivery.cause == f"gave up after {tries} attempts: crm.example.com answered 500"
    assert endpoints.dead_letters == [(f"DELIVERY#{delivery.id}", delivery.cause)]
    assert len(endpoints.got) == tries
    assert len(set(endpoints.ids)) == 1
    assert timedelta(hours=24) <= moments[-1] - moments[0] <= timedelta(hours=28)


@pytest.mark.requirement("G5")
def test_waits_differ_between_deliveries_and_not_between_runs() -> None:
    many = [retry_waits(f"000001#ticket.received#webhook:crm#{n}") for n in range(50)]
    assert many[7] == retry_waits("000001#ticket.received#webhook:crm#7")
    assert len({wait[-1] for wait in many}) == 50
    for found in many:
        assert timedelta(hours=24) < sum(found, timedelta()) < timedelta(hours=28)


@pytest.mark.requirement("G5")
def test_a_retry_succeeds_once_the_endpoint_is_back(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, ticket: Ticket, crm: None
) -> None:
    endpoints.answers = [Passing("x answered 503"), Unclear("x")]
    dispatcher.process(desk.event_record(ticket))
    dispatcher.at(LATER).process(desk.make_due(only(desk, ticket)))
    dispatcher.at(LATER).process(desk.make_due(only(desk, ticket)))
    sent = only(desk, ticket)
    assert (sent.state, sent.attempts, sent.provider_id) == ("sent", 3, "HTTP 204")


@pytest.mark.requirement("G5", "G3")
def test_a_permanent_failure_is_dead_lettered_at_once(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, ticket: Ticket, crm: None
) -> None:
    endpoints.answers = [Permanent("refused: crm.example.com is 10.0.0.1, not a public address")]
    dispatcher.process(desk.event_record(ticket))
    delivery = only(desk, ticket)
    assert delivery.state == "dead_lettered"
    assert [cause for _, cause in endpoints.dead_letters] == [delivery.cause]


@pytest.mark.requirement("G5")
def test_a_replayed_dead_letter_is_sent_with_the_same_id(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, ticket: Ticket, crm: None
) -> None:
    endpoints.answers = [Permanent("x")]
    dispatcher.process(desk.event_record(ticket))
    dispatcher.at(NOON + timedelta(days=3)).process(desk.make_due(only(desk, ticket)))
    assert only(desk, ticket).state == "sent"
    assert len(endpoints.ids) == 2
    assert len(set(endpoints.ids)) == 1


@pytest.mark.requirement("E11")
def test_a_webhook_is_not_sent_while_another_run_sends_it(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, ticket: Ticket, crm: None
) -> None:
    record = desk.event_record(ticket)
    met = []

    def meanwhile() -> None:
        with pytest.raises(TryAgain):
            dispatcher.process(record)
        met.append(True)

    endpoints.answers = [meanwhile]
    dispatcher.process(record)
    assert met
    assert len(endpoints.got) == 1


class Died(BaseException):
    """Ends the function in the middle."""


class RepeatingStore(Deliveries):
    """A store whose claims are repeated by the network, so that the second one is refused."""

    def claim(self, delivery: Delivery) -> bool:
        super().claim(delivery)
        return super().claim(delivery)


@pytest.mark.requirement("E11")
def test_a_claim_that_the_network_repeated_is_recognised_as_own(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, ticket: Ticket, crm: None
) -> None:
    storage = replace(desk.storage, deliveries=RepeatingStore(desk.storage.table))
    replace(dispatcher, storage=storage).process(desk.event_record(ticket))
    assert len(endpoints.got) == 1
    assert only(desk, ticket).state == "sent"


class ForgettingStore(Deliveries):
    """A store that refuses a claim and has no item."""

    def claim(self, delivery: Delivery) -> bool:
        return False


@pytest.mark.requirement("G3")
def test_a_refused_claim_whose_item_is_gone_is_retried(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, ticket: Ticket, crm: None
) -> None:
    storage = replace(desk.storage, deliveries=ForgettingStore(desk.storage.table))
    with pytest.raises(TryAgain):
        replace(dispatcher, storage=storage).process(desk.event_record(ticket))
    assert endpoints.got == []


@pytest.mark.requirement("G3", "E11")
def test_the_claim_of_a_dead_run_is_sent_again(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, ticket: Ticket, crm: None
) -> None:
    """The receiver recognises a repetition by its id."""
    record = desk.event_record(ticket)

    def die() -> None:
        raise Died

    endpoints.answers = [die]
    with pytest.raises(Died):
        dispatcher.process(record)
    with pytest.raises(TryAgain):
        dispatcher.at(NOON + timedelta(seconds=10)).process(record)
    dispatcher.at(LATER).process(record)
    waiting = only(desk, ticket)
    assert (waiting.state, waiting.next_at) == ("retrying", LATER)
    dispatcher.at(LATER).process(desk.make_due(waiting))
    assert only(desk, ticket).state == "sent"
    assert len(set(endpoints.ids)) == 1


@pytest.mark.requirement("G3")
def test_a_due_delivery_whose_run_died_is_retried(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, ticket: Ticket, crm: None
) -> None:

    def die() -> None:
        raise Died

    endpoints.answers = [Passing("x"), die]
    dispatcher.process(desk.event_record(ticket))
    record = desk.make_due(only(desk, ticket))
    with pytest.raises(Died):
        dispatcher.process(record)
    dispatcher.at(LATER).process(record)
    assert only(desk, ticket).state == "retrying"


@pytest.mark.requirement("G5")
def test_an_endpoint_that_keeps_failing_is_suspended(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, crm: None
) -> None:
    endpoints.answers = [Passing("x")] * FAILURE_LIMIT
    filed = [desk.file(contact=f"a{n}@example.com") for n in range(FAILURE_LIMIT + 2)]
    for ticket in filed:
        dispatcher.process(desk.event_record(ticket))
    assert len(endpoints.got) == FAILURE_LIMIT
    rested = only(desk, filed[-1])
    assert (rested.state, rested.attempts) == ("retrying", 1)
    assert rested.cause is not None
    assert rested.cause.startswith("not tried")
    dispatcher.process(desk.make_due(rested))
    assert only(desk, filed[-1]).attempts == 2
    endpoints.time.at += SUSPENSION.total_seconds()
    dispatcher.process(desk.make_due(only(desk, filed[-1])))
    assert only(desk, filed[-1]).state == "sent"
    assert dispatcher.budget.postponement("standard#crm") is None


@pytest.mark.requirement("G3")
def test_a_delivery_to_a_suspended_endpoint_is_dead_lettered_in_the_end(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, ticket: Ticket, crm: None
) -> None:
    endpoints.answers = [Passing("x")] * FAILURE_LIMIT
    for n in range(FAILURE_LIMIT):
        dispatcher.process(desk.event_record(desk.file(contact=f"a{n}@example.com")))
    dispatcher.process(desk.event_record(ticket))
    for _ in WEBHOOK_RETRY_AFTER:
        dispatcher.process(desk.make_due(only(desk, ticket)))
    delivery = only(desk, ticket)
    assert delivery.state == "dead_lettered"
    assert delivery.cause is not None
    assert "gave up" in delivery.cause
    assert len(endpoints.dead_letters) == 1


@pytest.mark.requirement("G5")
def test_slow_endpoints_get_a_limited_time_per_minute(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, crm: None
) -> None:
    endpoints.takes = TIME_PER_MINUTE.total_seconds() / 3
    filed = [desk.file(contact=f"a{n}@example.com") for n in range(5)]
    for ticket in filed:
        dispatcher.process(desk.event_record(ticket))
    assert len(endpoints.got) == 3
    put_off = only(desk, filed[-1])
    assert (put_off.state, put_off.attempts) == ("retrying", 0)
    assert put_off.next_at is not None
    assert timedelta(minutes=1) <= put_off.next_at - NOON <= timedelta(minutes=5)
    endpoints.time.at += 60
    dispatcher.process(desk.make_due(put_off))
    assert only(desk, filed[-1]).state == "sent"


def test_a_webhook_is_postponed_if_no_time_is_left(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, ticket: Ticket, crm: None
) -> None:
    replace(dispatcher, in_time=lambda: False).process(desk.event_record(ticket))
    assert endpoints.got == []
    assert only(desk, ticket).state == "retrying"


@pytest.mark.requirement("G3")
def test_a_retry_to_a_removed_endpoint_is_dead_lettered(
    desk: Harness,
    dispatcher: WebhookDispatcher,
    endpoints: Endpoints,
    playbook: Playbook,
    ticket: Ticket,
    crm: None,
) -> None:
    endpoints.answers = [Passing("x")]
    dispatcher.process(desk.event_record(ticket))
    desk.use_playbook(playbook)
    dispatcher.at(LATER).process(desk.make_due(only(desk, ticket)))
    delivery = only(desk, ticket)
    assert (delivery.state, delivery.cause) == (
        "dead_lettered",
        "the playbook has no such webhook any more",
    )


@pytest.mark.requirement("G3")
def test_a_retry_whose_event_is_gone_is_dead_lettered(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, ticket: Ticket, crm: None
) -> None:
    endpoints.answers = [Passing("x")]
    dispatcher.process(desk.event_record(ticket))
    waiting = only(desk, ticket)
    lost = waiting.model_copy(update={"version": 9, "state": "due"})
    assert desk.storage.deliveries.claim(lost)
    items = desk.storage.tickets.items("standard", ticket.number)
    [item] = [i for i in items if i["sk"]["S"].startswith("DELIVERY#000009")]
    from tests.notify.deployment import stream_record

    dispatcher.process(stream_record(item))
    [delivery] = [d for d in of(desk, ticket) if d.version == 9]
    assert delivery.cause == "the event that asked for it is gone"


@pytest.mark.requirement("B10")
def test_a_retry_contains_nothing_about_an_erased_customer(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, ticket: Ticket, crm: None
) -> None:
    endpoints.answers = [Passing("x")]
    dispatcher.process(desk.event_record(ticket))
    desk.change(ticket, c.ErasePerson(reason="应客户要求"))
    dispatcher.at(LATER).process(desk.make_due(only(desk, ticket)))
    data = json.loads(endpoints.got[-1][1])["data"]
    assert data["event"]["description"] == ""
    assert data["event"]["customer"]["contact"] == "****"


@pytest.mark.parametrize(
    "record",
    [
        {}, {"dynamodb": {}}, {"dynamodb": {"NewImage": {"pk": {"S": "x"}, "sk": {"S": "EVENT#"}}}},
        "x", {"eventName": "INSERT", "dynamodb": {"NewImage": {
            "pk": {"S": "TICKET#standard#CS1"}, "sk": {"S": "EVENT#000001"}}}},
    ],
)  # fmt: skip
def test_a_malformed_record_is_ignored(
    dispatcher: WebhookDispatcher, endpoints: Endpoints, record: Any
) -> None:
    dispatcher.process(record)
    assert endpoints.got == []


def test_a_delivery_that_is_gone_or_sent_is_not_retried(
    desk: Harness, dispatcher: WebhookDispatcher, endpoints: Endpoints, ticket: Ticket, crm: None
) -> None:
    dispatcher.process(desk.event_record(ticket))
    dispatcher.retry("standard", ticket.number, only(desk, ticket).id)
    dispatcher.retry("standard", ticket.number, "000001#x#webhook:y#0")
    assert len(endpoints.got) == 1


# The secrets


@pytest.mark.requirement("G5")
def test_secrets_are_read_again_after_their_ttl() -> None:
    time, read = Time(), []

    def document(name: str) -> str:
        read.append(name)
        return json.dumps([{"secret": SECRET}])

    secrets = SecretCache(document, time)
    assert secrets.valid("a", NOON) == secrets.valid("a", NOON) == (SECRET,)
    assert secrets.valid("b", NOON) == (SECRET,)
    time.at += 301
    assert secrets.valid("a", NOON) == (SECRET,)
    assert read == ["a", "b", "a"]


@pytest.mark.requirement("G3")
@pytest.mark.parametrize(
    "document", ["[]", "", "x", "{}", '[{"until": "x"}]', '[{"secret": "a", "until": "x"}]', "[1]"]
)
def test_a_webhook_without_a_secret_is_retried(document: str) -> None:
    """It is never sent unsigned."""
    with pytest.raises(Passing, match="rotate"):
        SecretCache(lambda _: document).valid("a", NOON)


# The whole function


@pytest.fixture
def receiver(desk: Harness, playbook: Playbook) -> Iterator[Receiver]:
    """A real endpoint on this machine, which the deployment may send to."""
    ssm = boto3.client("ssm")
    ssm.put_parameter(
        Name=DEPLOYMENT.parameter("settings"), Value='{"local_webhooks":"on"}', Type="String"
    )
    ssm.put_parameter(
        Name=DEPLOYMENT.parameter("desks/standard/webhooks/crm"),
        Value=rotated("", SECRET, NOON, timedelta()),
        Type="SecureString",
    )
    for cached in (wiring.endpoint_budget, wiring.secret_cache):
        cached.cache_clear()
    with Receiver().listening() as found:
        subscribed = with_webhooks(
            playbook, crm={"url": found.url, "events": ["ticket.received", "note.added"]}
        )
        desk.use_playbook(subscribed)
        yield found
    for cached in (wiring.endpoint_budget, wiring.secret_cache):
        cached.cache_clear()


@pytest.mark.requirement("G5")
def test_the_function_sends_to_people_and_endpoints(desk: Harness, receiver: Receiver) -> None:
    receiver.answers = [500]
    ticket = desk.file()
    record = desk.event_record(ticket)
    assert desk.invoke(record) == []
    assert desk.invoke(record) == []
    assert len(desk.mails) == 1
    [waiting] = of(desk, ticket)
    assert waiting.state == "retrying"
    assert desk.invoke(desk.make_due(waiting)) == []
    assert len(receiver.got) == 2
    assert len(set(receiver.ids)) == 1
    last = receiver.got[-1]
    assert Verifier(SECRET).verify(last.body, last.headers)
    assert len(desk.mails) == 1


@pytest.mark.requirement("G5")
def test_a_batch_notifies_people_before_endpoints(desk: Harness, receiver: Receiver) -> None:
    seen = []
    receiver.answers = [lambda _: seen.append(len(desk.mails))]
    records = [desk.event_record(desk.file(contact=f"a{n}@example.com")) for n in range(3)]
    assert desk.invoke(*records) == []
    assert seen == [3]


@pytest.mark.requirement("G5")
def test_this_machine_is_refused_unless_the_deployment_allows_it(
    desk: Harness, receiver: Receiver
) -> None:
    aws.client("ssm").put_parameter(
        Name=DEPLOYMENT.parameter("settings"),
        Value='{"local_webhooks":"off"}',
        Type="String",
        Overwrite=True,
    )
    ticket = desk.file()
    assert desk.invoke(desk.event_record(ticket)) == []
    assert receiver.got == []
    [delivery] = of(desk, ticket)
    assert delivery.state == "dead_lettered"
    assert desk.dead_letters[0]["cause"] == "refused: 127.0.0.1 is 127.0.0.1, not a public address"


@pytest.mark.requirement("G5")
def test_an_endpoint_without_a_secret_gets_no_request(desk: Harness, receiver: Receiver) -> None:
    aws.client("ssm").delete_parameter(Name=DEPLOYMENT.parameter("desks/standard/webhooks/crm"))
    ticket = desk.file()
    assert desk.invoke(desk.event_record(ticket)) == []
    assert receiver.got == []
    assert of(desk, ticket)[0].state == "retrying"


@pytest.mark.requirement("G5", "G7")
def test_a_desk_without_webhooks_reads_and_writes_nothing_for_them(harness: Harness) -> None:
    ticket = harness.change(harness.file(), c.Note(text="看过"))
    assert harness.event_record(ticket)["dynamodb"]["NewImage"]["readers"] == {"S": "none"}
    harness.invoke(harness.event_record(ticket, 1))
    assert of(harness, ticket) == []


@pytest.mark.requirement("G5")
def test_an_event_that_only_an_endpoint_subscribes_to_reaches_notify(
    desk: Harness, noted: Ticket
) -> None:
    assert desk.event_record(noted)["dynamodb"]["NewImage"]["readers"] == {"S": "notify"}
