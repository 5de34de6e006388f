"""Floods of unproven requests: what is over a limit waits in quarantine, and nothing is lost."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from deskbell.client import ApiResponse
from functions.administration.entries import QuarantineEntry
from functions.core.domain.playbook_limits import UnprovenTickets
from functions.core.domain.rules import Playbook
from functions.core.platform import clock, container
from functions.core.storage.counters import Counters
from functions.core.storage.database import Storage
from functions.core.storage.table import Table
from functions.core.text.tokens import source_hash
from infra.console.quarantine import quarantine_of
from infra.simulator.simulator import Simulator
from tests.core.sample_desk import new_tickets
from tests.infra.test_quarantine import process_mail_queue, raw_mail
from tests.inprocess.conftest import (
    DEPLOYMENT,
    WEBHOOK_SECRET,
    simulator as simulator,  # the deployment on moto
    storage as storage,
)
from tests.signed_requests import signed

pytestmark = pytest.mark.requirement("G9")
ATTACKER = "198.51.100.7"
UNCONFIRMED = {"dmarcVerdict": {"status": "GRAY"}}
NOON = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _queue(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    boto3.client("sqs").create_queue(QueueName=f"{DEPLOYMENT.prefix}-mail")
    monkeypatch.setattr(clock, "now", lambda: NOON)


def limited(simulator: Simulator, storage: Storage, **limits: int) -> Playbook:
    """Store the desk's playbook with other limits."""
    playbook = storage.playbooks.get("standard", NOON)
    changed = playbook.model_copy(update={"unproven_tickets": UnprovenTickets(**limits)})
    storage.playbooks.put(changed, NOON)
    simulator.replace_containers()
    return changed


def file(simulator: Simulator, source: str, **more: Any) -> ApiResponse:
    body = {"contact": "li@example.com", "description": more.pop("description", "无法登录")}
    return simulator.http("POST", "/desks/standard/tickets", body, source=source, **more)


def waiting() -> list[QuarantineEntry]:
    with quarantine_of(DEPLOYMENT.stage).opened() as entries:
        return list(entries)


def numbers(storage: Storage) -> list[str]:
    return [ticket.number for ticket in new_tickets(storage, "standard")]


def test_what_a_source_has_too_many_of_waits_and_is_filed_with_its_time(
    simulator: Simulator, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer says so; another source is not affected."""
    limited(simulator, storage, per_source=2)
    answers = [file(simulator, ATTACKER) for _ in range(4)]
    assert [answer.status for answer in answers] == [201, 201, 202, 202]
    assert answers[-1].json["quarantined"] is True
    assert "已收到" in answers[-1].json["detail"]
    assert file(simulator, "203.0.113.9").status == 201
    assert len(numbers(storage)) == 3
    held = waiting()
    assert [(entry.function, entry.desk) for entry in held] == [("form", "standard")] * 2
    assert held[0].cause == "flood: over 2 unproven tickets an hour of this source"
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(days=2))
    for entry in held:
        assert quarantine_of(DEPLOYMENT.stage).replay(entry) == "the call is queued for standard"
    assert len(list(process_mail_queue(simulator))) == 2
    assert waiting() == []
    found = new_tickets(storage, "standard")
    assert [ticket.received_at for ticket in found] == [NOON] * 5


def test_an_answer_in_the_customers_language(simulator: Simulator, storage: Storage) -> None:
    limited(simulator, storage, per_source=1)
    file(simulator, ATTACKER)
    answer = file(simulator, ATTACKER, description="I cannot log in any more")
    assert answer.json["detail"].startswith("We have received your request.")


def test_a_desk_has_a_limit_over_all_sources(simulator: Simulator, storage: Storage) -> None:
    """The next hour starts anew."""
    limited(simulator, storage, per_desk=3)
    statuses = [file(simulator, f"203.0.113.{n}").status for n in range(6)]
    assert statuses == [201, 201, 201, 202, 202, 202]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOON + timedelta(hours=1))
        assert file(simulator, "203.0.113.1").status == 201


def test_the_excess_of_one_source_does_not_use_up_the_desks_limit(
    simulator: Simulator, storage: Storage
) -> None:
    limited(simulator, storage, per_desk=3, per_source=1)
    assert [file(simulator, ATTACKER).status for _ in range(5)] == [201, 202, 202, 202, 202]
    assert [file(simulator, f"203.0.113.{n}").status for n in range(3)] == [201, 201, 202]


def test_a_repetition_gets_its_first_answer_even_over_the_limit(
    simulator: Simulator, storage: Storage
) -> None:
    """A request that waits is kept once under its key, and filing it later makes one ticket."""
    limited(simulator, storage, per_source=1)
    first = file(simulator, ATTACKER, headers={"Idempotency-Key": "one"})
    assert file(simulator, ATTACKER, headers={"Idempotency-Key": "one"}).text == first.text
    for _ in range(3):
        assert file(simulator, ATTACKER, headers={"Idempotency-Key": "two"}).status == 202
    (entry,) = waiting()
    quarantine_of(DEPLOYMENT.stage).replay(entry)
    list(process_mail_queue(simulator))
    assert len(numbers(storage)) == 2
    again = file(simulator, ATTACKER, headers={"Idempotency-Key": "two"})
    assert again.status == 201
    assert len(numbers(storage)) == 2


@pytest.mark.parametrize(("key", "kept"), [("k" * 200, True), ("é" * 200, False)])
def test_the_longest_idempotency_key_survives_quarantine(
    simulator: Simulator, storage: Storage, key: str, kept: bool
) -> None:
    """Metadata has no room for the rarest keys; their requests are filed all the same."""
    limited(simulator, storage, per_source=1)
    file(simulator, ATTACKER)
    assert file(simulator, ATTACKER, headers={"Idempotency-Key": key}).status == 202
    (entry,) = waiting()
    assert entry.call.get("id") == (key if kept else None)
    quarantine_of(DEPLOYMENT.stage).replay(entry)
    assert len(list(process_mail_queue(simulator))) == 1
    assert len(numbers(storage)) == 2


def test_a_released_form_that_the_desk_no_longer_accepts_is_dead_lettered(
    simulator: Simulator, storage: Storage
) -> None:
    playbook = limited(simulator, storage, per_source=1)
    file(simulator, ATTACKER)
    file(simulator, ATTACKER, description="无" * 100)
    shorter = playbook.fields.model_copy(update={"description_max": 20})
    storage.playbooks.put(playbook.model_copy(update={"fields": shorter}), NOON)
    simulator.replace_containers()
    (entry,) = waiting()
    quarantine_of(DEPLOYMENT.stage).replay(entry)
    list(process_mail_queue(simulator))
    (left,) = waiting()
    assert "can no longer be filed" in left.cause
    assert len(numbers(storage)) == 1


def test_an_invalid_request_does_not_count(simulator: Simulator, storage: Storage) -> None:
    limited(simulator, storage, per_source=1)
    for _ in range(3):
        assert file(simulator, ATTACKER, description="").status == 400
    assert file(simulator, ATTACKER).status == 201


def test_a_sources_address_is_not_stored_in_clear(simulator: Simulator, storage: Storage) -> None:
    """And not for longer than its hour needs."""
    limited(simulator, storage, per_source=1)
    file(simulator, ATTACKER)
    items = boto3.client("dynamodb").scan(TableName=DEPLOYMENT.table)["Items"]
    assert ATTACKER not in str(items)
    (counter,) = [i for i in items if i["pk"]["S"].startswith("COUNT#standard#new#")]
    assert int(counter["expires_at"]["N"]) == int((NOON + timedelta(hours=2)).timestamp())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True), ("2001:db8::1", "2001:db8:0:1::1", False),
        ("198.51.100.7", "::ffff:198.51.100.7", True), ("198.51.100.7", "198.51.100.8", False),
    ],
)  # fmt: skip
def test_an_ipv6_network_is_one_source(one: str, other: str, same: bool) -> None:
    assert (source_hash(b"root", one) == source_hash(b"root", other)) is same


@pytest.mark.parametrize("limits", [{}, {"per_source": 1}, {"per_desk": 1}])
def test_on_the_local_system_only_a_limit_that_the_playbook_names_applies(
    simulator: Simulator, storage: Storage, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int]
) -> None:
    fields = UnprovenTickets.model_fields
    monkeypatch.setattr(fields["per_desk"], "default", 1)
    monkeypatch.setattr(fields["per_source"], "default", 1)
    limited(simulator, storage, **limits)
    statuses = [file(simulator, "127.0.0.1").status for _ in range(3)]
    assert statuses == ([201, 202, 202] if limits else [201, 201, 201])


@pytest.mark.parametrize(
    ("verdicts", "opened"),
    [(UNCONFIRMED, 1), ({"dmarcVerdict": {"status": "PASS"}}, 3), ({"receiptId": "1"}, 3)],
    ids=["unconfirmed", "confirmed", "unchecked"],
)
def test_unproven_mail_counts_towards_the_desks_limit(
    simulator: Simulator, storage: Storage, verdicts: dict[str, Any], opened: int
) -> None:
    limited(simulator, storage, per_desk=1)
    for serial in range(3):
        raw = raw_mail(f"<m{serial}@example.com>", f"第{serial}次")
        simulator.mail(raw, "support@standard.local", verdicts=verdicts)
    assert len(numbers(storage)) == opened
    held = waiting()
    assert len(held) == 3 - opened
    for entry in held:
        assert entry.cause == "flood: over 1 unproven tickets an hour of this desk"
        quarantine_of(DEPLOYMENT.stage).replay(entry)
    list(process_mail_queue(simulator))
    assert len(numbers(storage)) == 3


def test_a_signed_webhook_is_not_limited(simulator: Simulator, storage: Storage) -> None:
    limited(simulator, storage, per_desk=1, per_source=1)
    boto3.client("ssm").put_parameter(
        Name=DEPLOYMENT.parameter("desks/standard/webhook"),
        Value=WEBHOOK_SECRET,
        Type="SecureString",
        Overwrite=True,
    )
    raw = json.dumps({"contact": "li@example.com", "description": "无法登录"}).encode()
    for serial in range(3):
        headers = signed(WEBHOOK_SECRET, raw, f"msg_{serial}", NOON.timestamp())
        answer = simulator.http(
            "POST", "/desks/standard/channels/webhook", raw, headers=headers, source=ATTACKER
        )
        assert answer.status == 201, answer.text


def counters(table: Table) -> Counters:
    """A container's counters."""
    return Counters(table)


def test_an_ordinary_hour_costs_no_write(storage: Storage, simulator: Simulator) -> None:
    """A container counts a tenth of a limit on its own."""
    table = container.storage(DEPLOYMENT).table
    simulator.calls.clear()
    one = counters(table)
    assert all(one.admits("standard", "new", 600, "hour", NOON) for _ in range(60))
    assert simulator.calls == []
    assert one.admits("standard", "new", 600, "hour", NOON)
    assert [call.operation for call in simulator.calls] == ["UpdateItem"]


@pytest.mark.parametrize("containers", [1, 3])
def test_containers_share_a_count_and_stop_asking_once_it_is_full(
    simulator: Simulator, containers: int
) -> None:
    """Of 300 requests each admits its tenth, and all together little more than the limit."""
    table = container.storage(DEPLOYMENT).table
    pool = [counters(table) for _ in range(containers)]
    simulator.calls.clear()
    admitted = [
        pool[n % containers].admits("standard", "new", 50, "hour", NOON) for n in range(300)
    ]
    assert 50 <= sum(admitted) <= 50 + containers * 5
    full = len(simulator.calls)
    assert full <= 50 + containers
    assert not any(member.admits("standard", "new", 50, "hour", NOON) for member in pool)
    assert len(simulator.calls) == full
    assert all(member.admits("standard", "new", 90, "hour", NOON) for member in pool)


def test_a_container_forgets_sources_before_they_fill_its_memory(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.core.storage import counters as module

    monkeypatch.setattr(module, "_MOST_NAMES", 5)
    one = counters(container.storage(DEPLOYMENT).table)
    for n in range(50):
        assert one.admits("standard", f"new#{n}", 20, "hour", NOON)
        assert len(one.counts) <= 5
