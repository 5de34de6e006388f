"""Each message is sent once: claims, failures, retries and dead letters in any order."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from functions.core.domain import commands as c, events as e
from functions.core.domain.delivery import RETRY_AFTER, Delivery
from functions.core.domain.errors import DeadLetter, TryAgain
from functions.core.domain.rules import Message
from functions.core.domain.ticket import Ticket
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.storage.deliveries import Deliveries
from functions.core.text.tokens import ticket_of_message_id
from functions.notify.base_dispatch import CLAIM_TIMEOUT, ClaimedElsewhere
from functions.notify.contact import OpenContact
from functions.notify.deliver.failures import Passing, Permanent, Unclear
from functions.notify.dispatch import Dispatcher
from tests.notify.deployment import (
    MAIL,
    NAME,
    NOON,
    ROOT,
    Harness,
    Providers,
    plain,
    without_mailboxes,
)

SOON = NOON + timedelta(seconds=10)
LATER = NOON + CLAIM_TIMEOUT


class Died(BaseException):
    """The function ends in the middle, as if Lambda stopped it."""


@pytest.fixture
def ticket(harness: Harness) -> Ticket:
    return harness.file(MAIL, message_id="<first@mail.example.com>")


@pytest.fixture
def record(harness: Harness, ticket: Ticket) -> Any:
    """The stream's record of a new ticket."""
    return harness.event_record(ticket)


def only(harness: Harness, ticket: Ticket) -> Delivery:
    [delivery] = harness.deliveries(ticket)
    return delivery


class InterruptedStore(Deliveries):
    """A store that calls back in the middle of a claim or a move."""

    storage: Storage
    on_claim: Callable[[Delivery, bool], bool] | None = None
    on_move: Callable[[Delivery], None] | None = None

    def claim(self, delivery: Delivery) -> bool:
        claimed = super().claim(delivery)
        return self.on_claim(delivery, claimed) if self.on_claim else claimed

    def move(self, delivery: Delivery, expected: str | None) -> bool:
        if self.on_move:
            self.on_move(delivery)
        return super().move(delivery, expected)


@pytest.fixture
def interrupted(harness: Harness) -> InterruptedStore:
    table = harness.storage.table
    interruptedstore = InterruptedStore(table)
    interruptedstore.storage = replace(
        Storage.on(table.client, table.name), deliveries=interruptedstore
    )
    return interruptedstore


def with_providers(dispatcher: Dispatcher, **providers: Any) -> Dispatcher:
    return replace(dispatcher, sender=replace(dispatcher.sender, **providers))


def dies_on(*states: str) -> Callable[[Delivery], None]:
    def die(delivery: Delivery) -> None:
        if delivery.state in states:
            raise Died

    return die


def die_after_sending(record: Any, dispatcher: Dispatcher, interrupted: InterruptedStore) -> None:
    """End a run after the provider has accepted the mail and before the outcome is written."""
    interrupted.on_move = dies_on("sent")
    with pytest.raises(Died):
        replace(dispatcher, storage=interrupted.storage).process(record)


@pytest.mark.requirement("E11", "G1")
def test_the_same_event_twenty_times_sends_one_mail(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket, record: Any
) -> None:
    for n in range(20):
        dispatcher.at(NOON + n * timedelta(minutes=1)).process(record)
    assert providers.addresses == [MAIL]
    assert only(harness, ticket).state == "sent"


@pytest.mark.requirement("E11")
def test_a_throttled_read_after_the_claim_is_retried(
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    ticket: Ticket,
    record: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The message was certainly not sent, so no person has to decide."""

    record["dynamodb"]["NewImage"].pop("sealed")  # so that it has to be read
    with monkeypatch.context() as patch:
        patch.setattr(harness.storage.tickets, "first_commit", busy)
        dispatcher.process(record)
    waiting = only(harness, ticket)
    assert (waiting.state, waiting.attempts) == ("retrying", 1)
    assert "Throttling" in (waiting.cause or "")
    assert providers.addresses == [] == harness.dead_letters


@pytest.mark.requirement("E11", "G3")
def test_a_crash_between_sending_and_recording_sends_no_second_mail(
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    ticket: Ticket,
    record: Any,
    interrupted: InterruptedStore,
) -> None:
    """While the run may still be working the record is retried; then the delivery is dead-
    lettered."""
    die_after_sending(record, dispatcher, interrupted)
    assert only(harness, ticket).state == "claimed"
    with pytest.raises(TryAgain):
        dispatcher.at(SOON).process(record)
    dispatcher.at(LATER).process(record)
    dispatcher.at(LATER).process(record)
    delivery = only(harness, ticket)
    assert delivery.state == "dead_lettered"
    assert delivery.cause is not None
    assert delivery.cause.startswith("uncertain")
    assert len(providers.dead_letters) == 1
    assert providers.addresses == [MAIL]


@pytest.mark.requirement("E11")
def test_a_claim_that_the_sdk_repeated_succeeds(
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    ticket: Ticket,
    record: Any,
    interrupted: InterruptedStore,
) -> None:
    interrupted.on_claim = lambda delivery, claimed: False
    replace(dispatcher, storage=interrupted.storage).process(record)
    assert providers.addresses == [MAIL]
    assert only(harness, ticket).state == "sent"


def test_a_refused_claim_whose_item_is_gone_is_retried(
    dispatcher: Dispatcher, providers: Providers, record: Any, interrupted: InterruptedStore
) -> None:
    def refused(delivery: Delivery, claimed: bool) -> bool:
        key = {
            "pk": {"S": f"TICKET#{delivery.desk}#{delivery.number}"},
            "sk": {"S": f"DELIVERY#{delivery.id}"},
        }
        interrupted.table.client.delete_item(TableName=interrupted.table.name, Key=key)
        return False

    interrupted.on_claim = refused
    with pytest.raises(TryAgain):
        replace(dispatcher, storage=interrupted.storage).process(record)
    assert providers.sent == []


@pytest.mark.requirement("A4", "E11")
def test_a_throttled_provider_delays_the_mail_and_loses_nothing(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket, record: Any
) -> None:
    providers.failures = [Passing("SES TooManyRequestsException: slow down")]
    dispatcher.process(record)
    waiting = only(harness, ticket)
    assert (waiting.state, waiting.attempts) == ("retrying", 1)
    assert waiting.next_at == NOON + RETRY_AFTER[0]
    dispatcher.at(SOON).process(record)
    assert providers.sent == []
    again = harness.make_due(waiting)
    for _ in range(3):
        dispatcher.at(NOON + timedelta(minutes=1)).process(again)
    sent = only(harness, ticket)
    assert (sent.state, sent.attempts, sent.cause, sent.next_at) == ("sent", 2, None, None)
    assert providers.addresses == [MAIL]


@pytest.mark.requirement("F3")
def test_a_retrying_delivery_is_in_the_sweeps_index_until_it_is_sent(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket, record: Any
) -> None:
    from functions.core.storage.items import SHARDS

    def waiting(at: datetime) -> list[str]:
        found = (due for shard in range(SHARDS) for due in harness.storage.tickets.due(shard, at))
        return [due.sk for due in found if due.sk.startswith("DELIVERY#")]

    providers.failures = [Passing("SES")]
    dispatcher.process(record)
    assert waiting(NOON) == []
    assert waiting(NOON + RETRY_AFTER[0]) == ["DELIVERY#000001"]
    dispatcher.at(NOON + RETRY_AFTER[0]).process(harness.make_due(only(harness, ticket)))
    assert waiting(NOON + timedelta(days=1)) == []


@pytest.mark.requirement("G3")
def test_a_delivery_is_dead_lettered_after_the_last_attempt(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket, record: Any
) -> None:
    providers.failures = [Passing("SES is down") for _ in range(len(RETRY_AFTER) + 1)]
    dispatcher.process(record)
    waits = []
    while (found := only(harness, ticket)).state == "retrying":
        assert found.next_at is not None
        waits.append(found.next_at - found.at)
        dispatcher.at(found.next_at).process(harness.make_due(found))
    assert tuple(waits) == RETRY_AFTER
    assert found.state == "dead_lettered"
    assert found.cause == f"gave up after {len(RETRY_AFTER) + 1} attempts: SES is down"
    assert providers.dead_letters == [(f"DELIVERY#{found.id}", found.cause)]


@pytest.mark.requirement("G3")
def test_a_replayed_dead_letter_is_sent(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket, record: Any
) -> None:
    providers.failures = [Permanent("SES MessageRejected: content")]
    dispatcher.process(record)
    delivery = only(harness, ticket)
    assert (delivery.state, delivery.cause) == ("dead_lettered", "SES MessageRejected: content")
    assert providers.dead_letters == [(f"DELIVERY#{delivery.id}", "SES MessageRejected: content")]
    dispatcher.at(LATER).process(record)
    assert providers.sent == []
    dispatcher.at(LATER).process(harness.make_due(delivery))
    assert providers.addresses == [MAIL]


@pytest.mark.requirement("E11")
def test_a_timeout_of_the_provider_is_not_retried(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket, record: Any
) -> None:
    """The message may have been sent, so a person decides."""
    providers.failures = [Unclear("SES did not answer: ReadTimeoutError")]
    dispatcher.process(record)
    found = only(harness, ticket)
    assert found.state == "dead_lettered"
    assert found.cause is not None
    assert found.cause.startswith("uncertain")
    assert len(providers.dead_letters) == 1


@pytest.mark.requirement("E11")
def test_a_crash_of_a_second_attempt_sends_no_second_mail(
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    ticket: Ticket,
    record: Any,
    interrupted: InterruptedStore,
) -> None:
    providers.failures = [Passing("SES")]
    dispatcher.process(record)
    again = harness.make_due(only(harness, ticket))
    die_after_sending(again, dispatcher, interrupted)
    with pytest.raises(TryAgain):
        dispatcher.at(SOON).process(again)
    dispatcher.at(LATER).process(again)
    assert only(harness, ticket).state == "dead_lettered"
    assert providers.addresses == [MAIL]


@pytest.mark.requirement("E11")
def test_two_runs_over_the_same_due_delivery_send_it_once(
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    ticket: Ticket,
    record: Any,
    interrupted: InterruptedStore,
) -> None:
    providers.failures = [Passing("SES")]
    dispatcher.process(record)
    again = harness.make_due(only(harness, ticket))
    interrupted.on_move = lambda delivery: None
    first_came = [True]

    def other_run_first(delivery: Delivery) -> None:
        if delivery.state == "claimed" and first_came.pop():
            interrupted.on_move = None
            dispatcher.process(again)

    interrupted.on_move = other_run_first
    replace(dispatcher, storage=interrupted.storage).process(again)
    assert providers.addresses == [MAIL]
    assert only(harness, ticket).state == "sent"


@pytest.mark.requirement("G3")
def test_the_outcome_of_a_run_that_was_taken_for_dead_is_only_logged(
    harness: Harness,
    dispatcher: Dispatcher,
    ticket: Ticket,
    record: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:

    def slow(sender: str, to: str, raw: bytes) -> str:
        dispatcher.at(LATER).process(record)
        return "late"

    with_providers(dispatcher, send_mail=slow).process(record)
    assert only(harness, ticket).state == "dead_lettered"
    assert '"delivery.overtaken"' in capsys.readouterr().out


@pytest.mark.requirement("G3")
def test_a_dead_letter_is_queued_before_the_delivery_is_marked(
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    ticket: Ticket,
    record: Any,
    interrupted: InterruptedStore,
) -> None:
    """A crash in between cannot hide it."""
    providers.failures = [Permanent("no")]
    interrupted.on_move = dies_on("dead_lettered")
    with pytest.raises(Died):
        replace(dispatcher, storage=interrupted.storage).process(record)
    assert len(providers.dead_letters) == 1
    assert only(harness, ticket).state == "claimed"


@pytest.mark.requirement("A8")
def test_a_failed_recipient_does_not_delay_the_others(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket
) -> None:
    assigned = harness.change(ticket, c.Assign("技术支持组", "agent-1", by_person=True))
    providers.failures = [Passing("SES")]
    dispatcher.process(harness.event_record(assigned))
    assert providers.addresses == ["tech@standard.local"]
    states = {d.recipient: (d.state, d.to) for d in harness.deliveries(ticket)}
    assert states == {
        "customer": ("retrying", ticket.customer.contact),
        "handler": ("sent", "技术支持组"),
    }


@pytest.fixture
def assigned(harness: Harness, ticket: Ticket) -> Ticket:
    """A ticket whose newest commit notifies the customer and the handler (A8)."""
    return harness.change(ticket, c.Assign("技术支持组", "agent-1", by_person=True))


BOTH = [MAIL, "tech@standard.local"]


def states(harness: Harness, ticket: Ticket) -> dict[str, str]:
    return {d.recipient: d.state for d in harness.deliveries(ticket)}


@pytest.mark.requirement("E11", "G7")
def test_one_claim_covers_all_recipients_of_a_commit(
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    assigned: Ticket,
    interrupted: InterruptedStore,
) -> None:
    claimed: list[tuple[str, ...]] = []

    def note(delivery: Delivery, done: bool) -> bool:
        if delivery.state == "claimed":
            claimed.append(delivery.covers)
        return done

    interrupted.on_claim = note
    replace(dispatcher, storage=interrupted.storage).process(harness.event_record(assigned))
    assert claimed == [("000002#handler_assigned#handler",)]
    for n in range(5):
        dispatcher.at(NOON + n * timedelta(minutes=1)).process(harness.event_record(assigned))
    assert providers.addresses == BOTH
    assert states(harness, assigned) == {"customer": "sent", "handler": "sent"}


@pytest.mark.requirement("E11", "G3")
@pytest.mark.parametrize("sent", [0, 1, 2])
def test_a_crash_between_two_recipients_sends_nobody_a_message_twice(
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    assigned: Ticket,
    interrupted: InterruptedStore,
    sent: int,
) -> None:
    """Covered recipients without an outcome are dead-lettered."""

    def mail(sender: str, to: str, raw: bytes) -> str:
        if len(providers.sent) == sent:
            raise Died
        return providers.mail(sender, to, raw)

    def move(delivery: Delivery) -> None:
        if sent == 2 and delivery.recipient == "handler":
            raise Died

    interrupted.on_move = move
    with pytest.raises(Died):
        with_providers(replace(dispatcher, storage=interrupted.storage), send_mail=mail).process(
            harness.event_record(assigned)
        )
    with pytest.raises(TryAgain):
        dispatcher.at(SOON).process(harness.event_record(assigned))
    dispatcher.at(LATER).process(harness.event_record(assigned))
    dispatcher.at(LATER).process(harness.event_record(assigned))
    assert providers.addresses == BOTH[:sent]
    customer = "sent" if sent else "dead_lettered"
    assert states(harness, assigned) == {"customer": customer, "handler": "dead_lettered"}
    assert len(providers.dead_letters) == (1 if sent else 2)
    assert all(cause.startswith("uncertain") for _, cause in providers.dead_letters)


@pytest.mark.requirement("E11")
def test_rules_that_changed_between_two_runs_send_nobody_twice(
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    assigned: Ticket,
    interrupted: InterruptedStore,
) -> None:
    """The claim's key contains neither message nor recipient, so a new rule finds it."""
    die_after_sending(harness.event_record(assigned), dispatcher, interrupted)
    rules = tuple(rule for rule in harness.playbook.notifications if rule.message != "assigned")
    harness.change_playbook(notifications=rules)
    dispatcher.at(LATER).process(harness.event_record(assigned))
    assert providers.addresses == [MAIL]
    assert states(harness, assigned) == {"customer": "dead_lettered", "handler": "dead_lettered"}
    assert len(providers.dead_letters) == 2


@pytest.mark.requirement("E11", "G3")
@pytest.mark.parametrize("left", ["no rule", "another recipient"])
def test_an_abandoned_claim_is_dead_lettered_although_its_rule_is_gone(
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    ticket: Ticket,
    record: Any,
    interrupted: InterruptedStore,
    left: str,
) -> None:
    die_after_sending(record, dispatcher, interrupted)
    rules = tuple(
        rule.model_copy(update={"to": "handler"})  # there is none yet
        for rule in harness.playbook.notifications
        if rule.on == "TicketReceived" and left == "another recipient"
    )
    harness.change_playbook(notifications=rules)
    anew = replace(
        dispatcher, storage=Storage.on(harness.storage.table.client, harness.storage.table.name)
    )
    with pytest.raises(ClaimedElsewhere):
        anew.at(SOON).process(record)
    for _ in range(2):
        anew.at(LATER).process(record)
    [delivery] = [d for d in harness.deliveries(ticket) if d.recipient == "customer"]
    assert delivery.state == "dead_lettered"
    assert [cause for _, cause in providers.dead_letters] == [delivery.cause]
    assert (delivery.cause or "").startswith("uncertain")
    assert providers.addresses == [MAIL]


@pytest.mark.requirement("E11", "G3", "B10")
def test_an_abandoned_claim_is_dead_lettered_although_the_customer_was_erased(
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    ticket: Ticket,
    record: Any,
    interrupted: InterruptedStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    die_after_sending(record, dispatcher, interrupted)
    gone = ticket.model_copy(update={"erased": True})
    monkeypatch.setattr(interrupted.storage.tickets, "load_since", lambda *_: gone)
    interrupted.on_move = None
    replace(dispatcher, storage=interrupted.storage).at(LATER).process(record)
    assert only(harness, ticket).state == "dead_lettered"
    assert providers.addresses == [MAIL]


@pytest.mark.requirement("G7")
def test_an_event_without_notifications_reads_no_deliveries(
    harness: Harness,
    dispatcher: Dispatcher,
    ticket: Ticket,
    interrupted: InterruptedStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Under the playbook that the commit was written under, no other run can have claimed any."""
    harness.storage.playbooks.get("standard", NOON)  # as every writer does
    changed = harness.change(ticket, c.SetPriority("高"))
    monkeypatch.setattr(interrupted, "get", lambda *_: pytest.fail("read"))
    replace(dispatcher, storage=interrupted.storage).process(harness.event_record(changed))


def busy(*_: Any) -> Any:
    raise TryAgain("DynamoDB: ThrottlingException")


@pytest.fixture
def routed(harness: Harness, ticket: Ticket) -> Ticket:
    """The same as `assigned`, by the router, so that the customer's mail is automatic."""
    change(
        harness.storage,
        ticket.desk,
        ticket.number,
        c.Assign("技术支持组", "agent-1"),
        harness.playbook,
        NOON,
        actor="system",
    )
    return harness.storage.tickets.load(ticket.desk, ticket.number)


@pytest.mark.requirement("E11", "G3")
def test_limits_that_cannot_be_read_leave_no_claim(
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    ticket: Ticket,
    record: Any,
    interrupted: InterruptedStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(interrupted.storage.contacts, "opened_since", busy)
    with pytest.raises(TryAgain):
        replace(dispatcher, storage=interrupted.storage).process(record)
    assert harness.deliveries(ticket) == []
    for _ in range(2):
        dispatcher.at(LATER).process(record)
    assert only(harness, ticket).state == "sent"
    assert providers.addresses == [MAIL]
    assert providers.dead_letters == []


@pytest.mark.requirement("A8", "E11")
def test_limits_that_cannot_be_read_do_not_delay_other_recipients(
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    routed: Ticket,
    interrupted: InterruptedStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(interrupted.storage.contacts, "opened_since", busy)
    for _ in range(2):
        with pytest.raises(TryAgain):
            replace(dispatcher, storage=interrupted.storage).process(harness.event_record(routed))
    assert providers.addresses == BOTH[1:]
    for _ in range(2):
        dispatcher.at(LATER).process(harness.event_record(routed))
    assert providers.addresses == BOTH[::-1]
    assert states(harness, routed) == {"customer": "sent", "handler": "sent"}
    assert providers.dead_letters == []


@pytest.mark.requirement("E11", "G3")
@pytest.mark.parametrize("order", [1, -1], ids=["bad text last", "bad text first"])
@pytest.mark.parametrize("wait", ["busy", "under way"])
def test_a_retry_takes_precedence_over_a_dead_letter(
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    routed: Ticket,
    interrupted: InterruptedStore,
    order: int,
    wait: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A record is dead-lettered only when nothing in it has to be retried."""
    bad: Any = {"zh-CN": "{{ 1 / 0 }}", "en": "x"}
    messages = {**harness.playbook.messages, "handler_assigned": Message(subject=bad, text=bad)}
    rules = harness.playbook.notifications[::order]
    harness.change_playbook(messages=messages, notifications=rules)
    other = Storage.on(harness.storage.table.client, harness.storage.table.name)
    if wait == "busy":
        monkeypatch.setattr(interrupted.storage.contacts, "opened_since", busy)
    else:
        die_after_sending(harness.event_record(routed), dispatcher, interrupted)
        interrupted.on_move = None
    with pytest.raises(TryAgain):
        replace(dispatcher, storage=interrupted.storage).at(SOON).process(
            harness.event_record(routed)
        )
    for _ in range(2):
        with pytest.raises(DeadLetter, match="cannot be filled in"):
            replace(dispatcher, storage=other).at(LATER).process(harness.event_record(routed))
    assert providers.addresses == [MAIL]
    assert states(harness, routed) == {"customer": "sent" if wait == "busy" else "dead_lettered"}


def test_a_rule_added_since_the_first_run_is_followed_once(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, assigned: Ticket
) -> None:
    rules = tuple(
        rule for rule in harness.playbook.notifications if rule.message != "handler_assigned"
    )
    harness.change_playbook(notifications=rules)
    dispatcher.at(LATER).process(harness.event_record(assigned))
    assert providers.addresses == [MAIL]
    harness.change_playbook()
    for n in range(1, 4):
        dispatcher.at(LATER + n * timedelta(minutes=1)).process(harness.event_record(assigned))
    assert providers.addresses == BOTH


@pytest.mark.requirement("G3")
def test_the_outcome_that_another_run_wrote_first_stays(
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    assigned: Ticket,
    capsys: pytest.CaptureFixture[str],
) -> None:

    def mail(sender: str, to: str, raw: bytes) -> str:
        sent = providers.mail(sender, to, raw)
        if to != MAIL:
            dispatcher.at(LATER).process(harness.event_record(assigned))
        return sent

    with_providers(dispatcher, send_mail=mail).process(harness.event_record(assigned))
    assert providers.addresses == BOTH
    assert states(harness, assigned) == {"customer": "sent", "handler": "dead_lettered"}
    assert '"delivery.overtaken"' in capsys.readouterr().out


@pytest.mark.requirement("F2")
def test_an_older_event_is_still_notified_of_once(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket
) -> None:
    """The ticket is resolved by the time the stream delivers its assignment."""
    later = harness.change(
        ticket,
        c.Assign("技术支持组", "agent-1", by_person=True),
        c.Reply("请重置密码"),
        c.Resolve("已重置密码"),
    )
    for version in range(1, later.version + 1):
        dispatcher.process(harness.event_record(later, version))
        dispatcher.process(harness.event_record(later, version))
    customer = [d.message for d in harness.deliveries(ticket) if d.recipient == "customer"]
    assert customer == ["received", "assigned", "reply", "resolved"]
    assert providers.addresses.count(MAIL) == 4


@pytest.mark.requirement("G1")
def test_references_contain_the_keyed_id_of_the_ticket(
    dispatcher: Dispatcher, providers: Providers, ticket: Ticket, record: Any
) -> None:
    dispatcher.process(record)
    message = message_from_bytes(providers.sent[0][1], policy=policy.default)
    first, answered = message["References"].split()
    assert ticket_of_message_id(ROOT, first) == ("standard", ticket.number)
    assert answered == message["In-Reply-To"] == "<first@mail.example.com>"


@pytest.mark.requirement("G4")
def test_mail_to_staff_contains_no_keyed_id_and_no_secret(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket
) -> None:
    """A colleague's reply must not pass for the customer's."""
    assigned = harness.change(ticket, c.Assign("技术支持组", "agent-1", by_person=True))
    dispatcher.process(harness.event_record(assigned))
    [raw] = [raw for to, raw in providers.sent if to == "tech@standard.local"]
    message = message_from_bytes(raw, policy=policy.default)
    assert ticket_of_message_id(ROOT, message["Message-ID"]) is None
    assert "References" not in message
    assert "?key=" not in plain(message)
    assert message["Auto-Submitted"] == "auto-generated"


@pytest.mark.requirement("E10")
def test_the_handlers_mail_contains_the_description(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket
) -> None:
    assigned = harness.change(ticket, c.Assign("技术支持组", "agent-1", by_person=True))
    dispatcher.process(harness.event_record(assigned))
    [raw] = [raw for to, raw in providers.sent if to == "tech@standard.local"]
    assert "无法登录" in plain(message_from_bytes(raw, policy=policy.default))


@pytest.mark.requirement("F2")
def test_a_notification_to_a_team_without_mailbox_is_recorded(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket
) -> None:
    harness.change_playbook(teams=without_mailboxes(harness.playbook))
    assigned = harness.change(ticket, c.Assign("技术支持组", "agent-1", by_person=True))
    dispatcher.at(NOON + timedelta(hours=1)).process(harness.event_record(assigned))
    [noted] = [d for d in harness.deliveries(ticket) if d.recipient == "handler"]
    assert (noted.state, noted.channel, noted.attempts) == ("sent", "none", 0)
    assert ticket.number in noted.text
    assert providers.addresses == [MAIL]


def test_an_event_without_notifications_sends_nothing(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket
) -> None:
    changed = harness.change(ticket, c.SetPriority("高"))
    dispatcher.process(harness.event_record(changed))
    assert harness.deliveries(ticket) == []


@pytest.mark.requirement("G4")
def test_the_contact_of_another_ticket_cannot_be_opened(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket, record: Any
) -> None:
    other = harness.file("other@example.com")
    record["dynamodb"]["NewImage"]["sealed"] = harness.event_record(other)["dynamodb"]["NewImage"][
        "sealed"
    ]
    dispatcher.process(record)
    found = only(harness, ticket)
    assert found.state == "dead_lettered"
    assert "KMS InvalidCiphertextException" in (found.cause or "")
    assert providers.sent == []


def test_the_contact_is_read_if_the_record_does_not_carry_it(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket, record: Any
) -> None:
    del record["dynamodb"]["NewImage"]["sealed"]
    dispatcher.process(record)
    assert providers.addresses == [MAIL]


@pytest.mark.requirement("G3")
def test_a_retry_whose_message_is_gone_from_the_playbook_is_dead_lettered(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket, record: Any
) -> None:
    providers.failures = [Passing("SES")]
    dispatcher.process(record)
    again = harness.make_due(only(harness, ticket))
    messages = {k: v for k, v in harness.playbook.messages.items() if k != "received"}
    harness.change_playbook(messages=messages, notifications=())
    dispatcher.at(NOON + timedelta(hours=1)).process(again)
    found = only(harness, ticket)
    assert (found.state, found.cause) == (
        "dead_lettered",
        "the playbook of standard has no message 'received'",
    )
    assert len(providers.dead_letters) == 1


def test_a_retry_whose_event_is_gone_is_dead_lettered(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket, record: Any
) -> None:
    providers.failures = [Passing("SES")]
    dispatcher.process(record)
    stray = only(harness, ticket).model_copy(update={"version": 9, "state": "due"})
    harness.storage.deliveries.claim(stray)
    due = {"pk": {"S": f"TICKET#standard#{ticket.number}"}, "sk": {"S": f"DELIVERY#{stray.id}"}}
    image = {**due, "state": {"S": "due"}}
    dispatcher.process({"eventName": "MODIFY", "dynamodb": {"Keys": due, "NewImage": image}})
    causes = [d.cause for d in harness.deliveries(ticket) if d.version == 9]
    assert causes == ["the event that asked for it is gone"]


@pytest.mark.requirement("G3")
def test_a_broken_text_does_not_delay_other_recipients(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket
) -> None:
    bad: Any = {"zh-CN": "{{ 1 / 0 }}", "en": "x"}
    messages = {**harness.playbook.messages, "assigned": Message(subject=bad, text=bad)}
    harness.change_playbook(messages=messages)
    assigned = harness.change(ticket, c.Assign("技术支持组", "agent-1", by_person=True))
    with pytest.raises(DeadLetter, match="cannot be filled in"):
        dispatcher.at(NOON + timedelta(hours=1)).process(harness.event_record(assigned))
    assert providers.addresses == ["tech@standard.local"]


@pytest.mark.parametrize("record", [None, {}, {"dynamodb": {}}, {"dynamodb": {"Keys": {"sk": 1}}}])
def test_a_malformed_record_is_a_dead_letter(dispatcher: Dispatcher, record: Any) -> None:
    with pytest.raises(DeadLetter, match="not a record"):
        dispatcher.process(record)


@pytest.mark.requirement("F2")
def test_records_that_the_filter_should_not_pass_are_ignored(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket, record: Any
) -> None:
    dispatcher.process({**record, "eventName": "MODIFY"})
    sent = {
        "Keys": {"pk": {"S": "x"}, "sk": {"S": "DELIVERY#1"}},
        "NewImage": {"state": {"S": "sent"}},
    }
    dispatcher.process({"eventName": "MODIFY", "dynamodb": sent})
    gone = {
        "Keys": {"pk": {"S": "TICKET#standard#1"}, "sk": {"S": "DELIVERY#1"}},
        "NewImage": {"pk": {"S": "TICKET#standard#1"}, "state": {"S": "due"}},
    }
    dispatcher.process({"eventName": "MODIFY", "dynamodb": gone})
    assert providers.sent == []


@pytest.mark.requirement("G4")
def test_items_and_logs_are_masked(
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No item and no log line contains the contact, the name or the customer's secret."""
    secrets = ("li.example", "13800138000", NAME, "first@mail.example.com")
    for contact in (MAIL, "13800138000"):
        ticket = harness.file(contact, message_id="<first@mail.example.com>")
        dispatcher.process(harness.event_record(ticket))
        providers.failures = [Passing("SES"), Permanent("no")]
        asked = harness.change(
            ticket,
            c.Assign("技术支持组", "agent-1", by_person=True),
            c.RequestInformation("请提供型号"),
        )
        for version in range(2, asked.version + 1):
            dispatcher.process(harness.event_record(asked, version))
        assert {d.state for d in harness.deliveries(ticket)} >= {"sent", "retrying"}
        items = repr(harness.storage.tickets.items("standard", ticket.number))
        assert not [secret for secret in secrets if secret in items]
        assert "?key=" not in items
    lines = capsys.readouterr().out
    assert "delivery.sent" in lines
    assert not [secret for secret in secrets if secret in lines]
    assert not [secret for secret in secrets if secret in json.dumps(providers.dead_letters)]


@pytest.mark.requirement("G4")
def test_the_contact_is_opened_once_for_a_delivery(
    dispatcher: Dispatcher, providers: Providers, ticket: Ticket, record: Any
) -> None:
    asked = []

    def opened(desk: str, number: str, sealed: bytes | None) -> OpenContact:
        asked.append((desk, number))
        return dispatcher.sender.open_contact(desk, number, sealed)

    with_providers(dispatcher, open_contact=opened).process(record)
    with_providers(dispatcher, open_contact=opened).process(record)
    assert asked == [("standard", ticket.number)]


@pytest.mark.requirement("A6", "F3")
def test_events_of_two_timers_are_two_deliveries(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, ticket: Ticket
) -> None:
    harness.change(ticket, c.Assign("技术支持组", "agent-1", by_person=True))
    late = harness.change(ticket, c.Tick(), at=NOON + timedelta(days=3))
    commit = harness.storage.tickets.commit_at("standard", ticket.number, late.version)
    assert commit is not None
    assert {x.kind for x in commit.of(e.TimerBreached)} == {"first_response", "resolution"}
    dispatcher.at(NOON + timedelta(days=3)).process(harness.event_record(late))
    messages = [d.message for d in harness.deliveries(ticket) if d.recipient == "supervisor"]
    assert sorted(messages) == ["resolution_overdue", "response_overdue"]
