"""Each event goes to each endpoint: signed, retried for a day, without delaying people."""

import json
import os
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import jsonschema_rs
import pytest
from standardwebhooks import Webhook as Verifier

from functions.core.deliver.failures import Passing, Permanent, Unclear
from functions.core.deliver.webhook import SecretCache
from functions.core.domain import commands as c, events as e
from functions.core.domain.delivery import WEBHOOK_RETRY_AFTER, Delivery
from functions.core.domain.errors import DeadLetter, TryAgain
from functions.core.domain.rules import Playbook, Webhook
from functions.core.domain.ticket import Ticket
from functions.core.domain.webhook_message import message_body, retry_waits
from functions.core.domain.webhooks import event_of_type, rotated
from functions.core.platform import aws
from functions.core.storage.database import Storage
from functions.core.storage.deliveries import Deliveries
from functions.notify import wiring
from functions.notify.base_dispatch import CLAIM_TIMEOUT
from functions.notify.webhook_dispatch import (
    FAILURE_LIMIT,
    SUSPENSION,
    TIME_PER_MINUTE,
    EndpointBudget,
    WebhookDispatcher,
)
from infra.docs.openapi import EXAMPLES, FILE
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

    def put(self, bus: str, kind: str, body: bytes) -> str:
        return self.post(f"bus://{bus}", body, {"detail-type": kind})

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
        put=endpoints.put,
        budget=EndpointBudget(endpoints.time),
        in_time=lambda: True,
    )


@dataclass
class Case:
    """A desk with endpoints, a new ticket and the record of its newest event."""

    desk: Harness
    endpoints: Endpoints
    dispatcher: WebhookDispatcher
    ticket: Ticket

    @property
    def record(self) -> Any:
        return self.desk.event_record(self.ticket)

    @property
    def deliveries(self) -> list[Delivery]:
        return webhooks(self.desk, self.ticket)

    @property
    def delivery(self) -> Delivery:
        [delivery] = self.deliveries
        return delivery

    def make_due(self) -> Any:
        return self.desk.make_due(self.delivery)

    def process(self, record: Any = None, *, at: datetime = NOON, **changes: Any) -> None:
        """Process the newest event's record, or another."""
        replace(self.dispatcher, now=at, **changes).process(record or self.record)

    def file(self, count: int) -> list[Ticket]:
        """File tickets of as many customers, and process their records."""
        filed = [self.desk.file(contact=f"a{n}@example.com") for n in range(count)]
        for ticket in filed:
            self.process(self.desk.event_record(ticket))
        return filed


@pytest.fixture
def noted(desk: Harness, endpoints: Endpoints, dispatcher: WebhookDispatcher) -> Case:
    """A ticket whose newest event no person is told of."""
    return Case(desk, endpoints, dispatcher, desk.change(desk.file(), c.Note(text="看过")))


@pytest.fixture
def crm(
    desk: Harness, endpoints: Endpoints, dispatcher: WebhookDispatcher, playbook: Playbook
) -> Case:
    """A desk with one endpoint, for new tickets only."""
    ticket = desk.file()
    endpoint = {"url": "https://crm.example.com/", "events": ["ticket.received"]}
    desk.use_playbook(with_webhooks(playbook, crm=endpoint))
    return Case(desk, endpoints, dispatcher, ticket)


def webhooks(desk: Harness, ticket: Ticket) -> list[Delivery]:
    return [d for d in desk.deliveries(ticket) if d.channel == "webhook"]


def die() -> None:
    """End the function in the middle, as if Lambda stopped it."""
    raise Died


def busy(*_: Any) -> Any:
    raise TryAgain("DynamoDB: ThrottlingException")


def test_each_endpoint_gets_the_events_it_subscribes_to(noted: Case) -> None:
    for version in range(1, noted.ticket.version + 1):
        noted.process(noted.desk.event_record(noted.ticket, version))
    received = [
        (host, json.loads(body)["type"])
        for host, (_, body, _) in zip(noted.endpoints.hosts, noted.endpoints.got, strict=True)
    ]
    expected = [
        event.webhook
        for commit in noted.desk.storage.tickets.history("standard", noted.ticket.number)
        for event in commit.events
        if event.event != "TimersSet"
    ]
    assert [kind for host, kind in received if host == "crm.example.com"] == [
        "ticket.received",
        "note.added",
    ]
    assert [kind for host, kind in received if host == "bi.example.com"] == expected
    assert len(set(noted.endpoints.ids)) == len(noted.endpoints.ids)
    assert {delivery.state for delivery in noted.deliveries} == {"sent"}


@pytest.mark.requirement("G5", "G4")
def test_a_message_describes_its_event_and_verifies(crm: Case) -> None:
    """Verified by the library of Standard Webhooks; masked, without internal fields."""
    now = datetime.now(UTC)
    crm.process(at=now)
    [(_, body, headers)] = crm.endpoints.got
    found = Verifier(SECRET).verify(body, headers)
    assert found == json.loads(body)
    assert headers["webhook-timestamp"] == str(int(now.timestamp()))
    assert found["type"] == "ticket.received"
    assert datetime.fromisoformat(found["timestamp"]) == NOON
    data = found["data"]
    assert (data["desk"], data["number"], data["version"]) == ("standard", crm.ticket.number, 1)
    assert data["event"]["description"] == "无法登录"
    assert data["event"]["customer"]["contact"].startswith("*")
    assert data["ticket"]["status"] == crm.ticket.status
    for secret in (MAIL, PHONE, NAME, crm.ticket.customer.hash):
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


@pytest.mark.requirement("G5", "G14")
def test_the_example_of_every_type_is_a_message_of_today() -> None:
    """The API's description shows them (`DESKBELL_RECORD_GOLDEN=1` writes them again)."""
    from tests.core.domain.test_events import SAMPLES
    from tests.notify.sample_events import commit, ticket

    made = {
        kind: json.loads(message_body(SAMPLES[name], commit(SAMPLES[name]), ticket()))
        for kind, name in event_of_type().items()
    }
    if os.environ.get("DESKBELL_RECORD_GOLDEN"):
        text = json.dumps(made, ensure_ascii=False, indent=1)
        EXAMPLES.write_text(f"{text}\n", "utf-8")
    assert json.loads(EXAMPLES.read_text("utf-8")) == made
    description = json.loads(FILE.read_text("utf-8"))
    assert set(description["webhooks"]) == set(made)
    for kind, example in made.items():
        media = description["webhooks"][kind]["post"]["requestBody"]["content"]["application/json"]
        assert media["example"] == example
        schema = {**media["schema"], "components": description["components"]}
        jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(example)


def test_both_secrets_verify_during_a_rotation(crm: Case) -> None:
    now = datetime.now(UTC)
    crm.process(at=now, secrets=lambda *_: (SECRET, OLDER))
    [(_, body, headers)] = crm.endpoints.got
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
    crm: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(crm.desk.storage.tickets, "load_since", busy)
        crm.process()
    waiting = crm.delivery
    assert (waiting.state, waiting.attempts) == ("retrying", 1)
    assert crm.endpoints.got == []


@pytest.mark.requirement("E11", "G5")
def test_the_same_event_twenty_times_is_one_request(crm: Case) -> None:
    for n in range(20):
        crm.process(at=NOON + n * timedelta(minutes=1))
    assert len(crm.endpoints.got) == 1


@pytest.mark.requirement("G5", "G3")
def test_a_webhook_is_retried_for_a_day_and_then_dead_lettered(crm: Case) -> None:
    """With the same id each time."""
    tries = len(WEBHOOK_RETRY_AFTER) + 1
    crm.endpoints.answers = [Passing("crm.example.com answered 500")] * tries
    crm.process()
    moments = [NOON]
    while (waiting := crm.delivery).state == "retrying":
        assert waiting.next_at is not None
        moments.append(waiting.next_at)
        crm.endpoints.time.at += 600
        crm.process(crm.make_due(), at=waiting.next_at)
    delivery = crm.delivery
    assert (delivery.state, delivery.attempts) == ("dead_lettered", tries)
    assert delivery.cause == f"gave up after {tries} attempts: crm.example.com answered 500"
    assert crm.endpoints.dead_letters == [(f"DELIVERY#{delivery.id}", delivery.cause)]
    assert len(crm.endpoints.got) == tries
    assert len(set(crm.endpoints.ids)) == 1
    assert timedelta(hours=24) <= moments[-1] - moments[0] <= timedelta(hours=28)


def test_waits_differ_between_deliveries_and_not_between_runs() -> None:
    many = [retry_waits(f"000001#ticket.received#webhook:crm#{n}") for n in range(50)]
    assert many[7] == retry_waits("000001#ticket.received#webhook:crm#7")
    assert len({wait[-1] for wait in many}) == 50
    for found in many:
        assert timedelta(hours=24) < sum(found, timedelta()) < timedelta(hours=28)


def test_a_retry_succeeds_once_the_endpoint_is_back(crm: Case) -> None:
    crm.endpoints.answers = [Passing("x answered 503"), Unclear("x")]
    crm.process()
    crm.process(crm.make_due(), at=LATER)
    crm.process(crm.make_due(), at=LATER)
    sent = crm.delivery
    assert (sent.state, sent.attempts, sent.provider_id) == ("sent", 3, "HTTP 204")


@pytest.mark.requirement("G5", "G3")
def test_an_event_bus_gets_the_same_message_with_its_id(crm: Case) -> None:
    """No signature, and the same id at the next attempt."""
    bus = {"bus": "orders", "events": ["ticket.received", "note.added"]}
    crm.desk.use_playbook(with_webhooks(crm.desk.playbook, crm=bus))
    crm.endpoints.answers = [Passing("EventBridge ThrottlingException")]
    crm.process(secrets=busy)
    assert (crm.delivery.state, crm.delivery.to) == ("retrying", "bus:orders")
    crm.process(crm.make_due(), at=NOON + timedelta(minutes=2), secrets=busy)
    assert crm.delivery.state == "sent"
    (first, *_), (second, body, headers) = crm.endpoints.got
    assert first == second == "bus://orders"
    message = json.loads(body)
    assert message["id"].startswith("msg_standard_")
    assert headers == {"detail-type": message["type"]}


def test_a_permanent_failure_is_dead_lettered_at_once(crm: Case) -> None:
    crm.endpoints.answers = [
        Permanent("refused: crm.example.com is 10.0.0.1, not a public address")
    ]
    crm.process()
    delivery = crm.delivery
    assert delivery.state == "dead_lettered"
    assert [cause for _, cause in crm.endpoints.dead_letters] == [delivery.cause]


def test_a_replayed_dead_letter_is_sent_with_the_same_id(crm: Case) -> None:
    crm.endpoints.answers = [Permanent("x")]
    crm.process()
    crm.process(crm.make_due(), at=NOON + timedelta(days=3))
    assert crm.delivery.state == "sent"
    assert len(crm.endpoints.ids) == 2
    assert len(set(crm.endpoints.ids)) == 1


@pytest.mark.requirement("E11")
def test_a_webhook_is_not_sent_while_another_run_sends_it(crm: Case) -> None:
    met = []

    def meanwhile() -> None:
        with pytest.raises(TryAgain):
            crm.process()
        met.append(True)

    crm.endpoints.answers = [meanwhile]
    crm.process()
    assert met
    assert len(crm.endpoints.got) == 1


class Died(BaseException):
    """Ends the function in the middle."""


def with_deliveries(case: Case, deliveries: type[Deliveries]) -> Storage:
    storage = case.desk.storage
    return replace(storage, deliveries=deliveries(storage.table))


class RepeatingStore(Deliveries):
    """A store whose claims are repeated by the network, so that the second one is refused."""

    def claim(self, delivery: Delivery) -> bool:
        super().claim(delivery)
        return super().claim(delivery)


@pytest.mark.requirement("E11")
def test_a_claim_that_the_network_repeated_is_recognised_as_own(crm: Case) -> None:
    crm.process(storage=with_deliveries(crm, RepeatingStore))
    assert len(crm.endpoints.got) == 1
    assert crm.delivery.state == "sent"


class ForgettingStore(Deliveries):
    """A store that refuses a claim and has no item."""

    def claim(self, delivery: Delivery) -> bool:
        return False


@pytest.mark.requirement("G3")
def test_a_refused_claim_whose_item_is_gone_is_retried(crm: Case) -> None:
    with pytest.raises(TryAgain):
        crm.process(storage=with_deliveries(crm, ForgettingStore))
    assert crm.endpoints.got == []


@pytest.mark.requirement("G3", "E11")
def test_the_claim_of_a_dead_run_is_sent_again(crm: Case) -> None:
    """The receiver recognises a repetition by its id."""
    crm.endpoints.answers = [die]
    with pytest.raises(Died):
        crm.process()
    with pytest.raises(TryAgain):
        crm.process(at=NOON + timedelta(seconds=10))
    crm.process(at=LATER)
    waiting = crm.delivery
    assert (waiting.state, waiting.next_at) == ("retrying", LATER)
    crm.process(crm.make_due(), at=LATER)
    assert crm.delivery.state == "sent"
    assert len(set(crm.endpoints.ids)) == 1


@pytest.mark.requirement("G3")
def test_a_due_delivery_whose_run_died_is_retried(crm: Case) -> None:
    crm.endpoints.answers = [Passing("x"), die]
    crm.process()
    record = crm.make_due()
    with pytest.raises(Died):
        crm.process(record)
    crm.process(record, at=LATER)
    assert crm.delivery.state == "retrying"


def test_an_endpoint_that_keeps_failing_is_suspended(crm: Case) -> None:
    crm.endpoints.answers = [Passing("x")] * FAILURE_LIMIT
    crm.ticket = crm.file(FAILURE_LIMIT + 2)[-1]
    assert len(crm.endpoints.got) == FAILURE_LIMIT
    rested = crm.delivery
    assert (rested.state, rested.attempts) == ("retrying", 1)
    assert rested.cause is not None
    assert rested.cause.startswith("not tried")
    crm.process(crm.make_due())
    assert crm.delivery.attempts == 2
    crm.endpoints.time.at += SUSPENSION.total_seconds()
    crm.process(crm.make_due())
    assert crm.delivery.state == "sent"
    assert crm.dispatcher.budget.postponement("standard#crm") is None


@pytest.mark.requirement("G3")
def test_a_delivery_to_a_suspended_endpoint_is_dead_lettered_in_the_end(crm: Case) -> None:
    crm.endpoints.answers = [Passing("x")] * FAILURE_LIMIT
    crm.file(FAILURE_LIMIT)
    crm.process()
    for _ in WEBHOOK_RETRY_AFTER:
        crm.process(crm.make_due())
    delivery = crm.delivery
    assert delivery.state == "dead_lettered"
    assert delivery.cause is not None
    assert "gave up" in delivery.cause
    assert len(crm.endpoints.dead_letters) == 1


def test_slow_endpoints_get_a_limited_time_per_minute(crm: Case) -> None:
    crm.endpoints.takes = TIME_PER_MINUTE.total_seconds() / 3
    crm.ticket = crm.file(5)[-1]
    assert len(crm.endpoints.got) == 3
    postponed = crm.delivery
    assert (postponed.state, postponed.attempts) == ("retrying", 0)
    assert postponed.next_at is not None
    assert timedelta(minutes=1) <= postponed.next_at - NOON <= timedelta(minutes=5)
    crm.endpoints.time.at += 60
    crm.process(crm.make_due())
    assert crm.delivery.state == "sent"


def test_a_webhook_is_postponed_if_no_time_is_left(crm: Case) -> None:
    crm.process(in_time=lambda: False)
    assert crm.endpoints.got == []
    assert crm.delivery.state == "retrying"


@pytest.mark.requirement("G3")
def test_a_retry_to_a_removed_endpoint_is_dead_lettered(crm: Case, playbook: Playbook) -> None:
    crm.endpoints.answers = [Passing("x")]
    crm.process()
    crm.desk.use_playbook(playbook)
    crm.process(crm.make_due(), at=LATER)
    delivery = crm.delivery
    assert (delivery.state, delivery.cause) == (
        "dead_lettered",
        "the playbook has no such webhook any more",
    )


@pytest.mark.requirement("G3")
def test_a_retry_whose_event_is_gone_is_dead_lettered(crm: Case) -> None:
    crm.endpoints.answers = [Passing("x")]
    crm.process()
    lost = crm.delivery.model_copy(update={"version": 9, "state": "due"})
    assert crm.desk.storage.deliveries.claim(lost)
    crm.process(crm.desk.stream_record(crm.ticket, f"DELIVERY#{lost.id}"))
    assert [d.cause for d in crm.deliveries if d.version == 9] == [
        "the event that asked for it is gone"
    ]


@pytest.mark.requirement("B10")
def test_a_retry_contains_nothing_about_an_erased_customer(crm: Case) -> None:
    crm.endpoints.answers = [Passing("x")]
    crm.process()
    crm.desk.change(crm.ticket, c.ErasePerson(reason="应客户要求"))
    crm.process(crm.make_due(), at=LATER)
    data = json.loads(crm.endpoints.got[-1][1])["data"]
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


def test_a_delivery_that_is_gone_or_sent_is_not_retried(crm: Case) -> None:
    crm.process()
    crm.dispatcher.retry("standard", crm.ticket.number, crm.delivery.id)
    crm.dispatcher.retry("standard", crm.ticket.number, "000001#x#webhook:y#0")
    assert len(crm.endpoints.got) == 1


# The secrets


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


def test_the_function_sends_to_people_and_endpoints(desk: Harness, receiver: Receiver) -> None:
    receiver.answers = [500]
    ticket = desk.file()
    record = desk.event_record(ticket)
    assert desk.invoke(record) == []
    assert desk.invoke(record) == []
    assert len(desk.mails) == 1
    [waiting] = webhooks(desk, ticket)
    assert waiting.state == "retrying"
    assert desk.invoke(desk.make_due(waiting)) == []
    assert len(receiver.got) == 2
    assert len(set(receiver.ids)) == 1
    last = receiver.got[-1]
    assert Verifier(SECRET).verify(last.body, last.headers)
    assert len(desk.mails) == 1


def test_a_batch_notifies_people_before_endpoints(desk: Harness, receiver: Receiver) -> None:
    seen = []
    receiver.answers = [lambda _: seen.append(len(desk.mails))]
    records = [desk.event_record(desk.file(contact=f"a{n}@example.com")) for n in range(3)]
    assert desk.invoke(*records) == []
    assert seen == [3]


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
    [delivery] = webhooks(desk, ticket)
    assert delivery.state == "dead_lettered"
    assert desk.dead_letters[0]["cause"] == "refused: 127.0.0.1 is 127.0.0.1, not a public address"


def test_an_endpoint_without_a_secret_gets_no_request(desk: Harness, receiver: Receiver) -> None:
    aws.client("ssm").delete_parameter(Name=DEPLOYMENT.parameter("desks/standard/webhooks/crm"))
    ticket = desk.file()
    assert desk.invoke(desk.event_record(ticket)) == []
    assert receiver.got == []
    assert webhooks(desk, ticket)[0].state == "retrying"


@pytest.mark.requirement("G5", "G7")
def test_a_desk_without_webhooks_reads_and_writes_nothing_for_them(harness: Harness) -> None:
    ticket = harness.file()
    harness.invoke(harness.event_record(ticket))
    assert webhooks(harness, ticket) == []


def test_bookkeeping_is_not_sent() -> None:
    from tests.notify.sample_events import commit, ticket

    event = e.TimersSet(timers={})
    with pytest.raises(DeadLetter, match="TimersSet"):
        message_body(event, commit(event), ticket())
