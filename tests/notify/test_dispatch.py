"""Each message is sent once: claims, failures, retries and dead letters in any order."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from functions.core.deliver.failures import Passing, Permanent, Unclear
from functions.core.domain import commands as c, events as e
from functions.core.domain.delivery import RETRY_AFTER, Delivery
from functions.core.domain.errors import DeadLetter, TryAgain
from functions.core.domain.rules import Message
from functions.core.domain.ticket import Ticket
from functions.core.storage.database import Storage
from functions.core.storage.deliveries import Deliveries
from functions.core.text.tokens import ticket_of_message_id
from functions.notify.base_dispatch import CLAIM_TIMEOUT, OUTCOME_PAUSES, ClaimedElsewhere
from functions.notify.contact import OpenedContact
from functions.notify.dispatch import Dispatcher
from tests.notify.deployment import (
    ASSIGN,
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


def dies_on(*states: str) -> Callable[[Delivery], None]:
    def die(delivery: Delivery) -> None:
        if delivery.state in states:
            raise Died

    return die


@dataclass
class Case:
    """A filed ticket, the record of its newest event, and the dispatcher that processes it."""

    harness: Harness
    dispatcher: Dispatcher
    providers: Providers
    interrupted: InterruptedStore
    ticket: Ticket
    record: Any

    @property
    def deliveries(self) -> list[Delivery]:
        return self.harness.deliveries(self.ticket)

    @property
    def delivery(self) -> Delivery:
        [delivery] = self.deliveries
        return delivery

    @property
    def states(self) -> dict[str, str]:
        return {d.recipient: d.state for d in self.deliveries}

    def change(self, *commands: c.Command, actor: str = "agent") -> Case:
        """Apply commands; `record` is then the record of the last one's event."""
        self.ticket = self.harness.change(self.ticket, *commands, actor=actor)
        self.record = self.harness.event_record(self.ticket)
        return self

    def assign(self) -> Case:
        """Assign the ticket: the commit notifies the customer and the handler (A8)."""
        return self.change(ASSIGN)

    def assert_uncertain(self, recipient: str = "customer") -> None:
        """The one delivery to a recipient is dead-lettered: a person decides about it."""
        [delivery] = [d for d in self.deliveries if d.recipient == recipient]
        assert delivery.state == "dead_lettered"
        assert [cause for _, cause in self.providers.dead_letters] == [delivery.cause]
        assert (delivery.cause or "").startswith("uncertain")

    def drop_rule(self, message: str) -> None:
        rules = self.harness.playbook.notifications
        self.harness.change_playbook(
            notifications=tuple(rule for rule in rules if rule.message != message)
        )

    def break_message(self, name: str, **changes: Any) -> None:
        """Store a playbook whose message cannot be filled in."""
        bad: Any = {"zh-CN": "{{ 1 / 0 }}", "en": "x"}
        broken = {name: Message(subject=bad, text=bad)}
        self.harness.change_playbook(
            messages={**self.harness.playbook.messages, **broken}, **changes
        )

    def reload_playbook(self) -> None:
        """Use storage that has cached no playbook yet."""
        table = self.harness.storage.table
        self.dispatcher = replace(self.dispatcher, storage=Storage.on(table.client, table.name))

    def fail_once(self) -> Any:
        """Process the record with a passing failure; return the record of the due delivery."""
        self.providers.failures = [Passing("SES")]
        self.process()
        return self.harness.make_due(self.delivery)

    def staff_mail(self) -> Any:
        """Assign the ticket and return the mail to its handler."""
        self.assign().process()
        [raw] = [raw for to, raw in self.providers.sent if to == "tech@standard.local"]
        return message_from_bytes(raw, policy=policy.default)

    def process(
        self,
        record: Any = None,
        *,
        at: datetime = NOON,
        interrupted: bool = False,
        **providers: Any,
    ) -> None:
        """Process the newest event's record, or another."""
        storage = self.interrupted.storage if interrupted else self.dispatcher.storage
        sender = replace(self.dispatcher.sender, **providers)
        dispatcher = replace(self.dispatcher, storage=storage, sender=sender, now=at)
        dispatcher.process(record or self.record)

    def die_after_sending(self, record: Any = None) -> None:
        """End a run after the provider accepted the mail and before the outcome is written."""
        self.interrupted.on_move = dies_on("sent")
        with pytest.raises(Died):
            self.process(record, interrupted=True)
        self.interrupted.on_move = None


@pytest.fixture
def case(harness: Harness, dispatcher: Dispatcher, providers: Providers) -> Case:
    table = harness.storage.table
    interrupted = InterruptedStore(table)
    interrupted.storage = replace(Storage.on(table.client, table.name), deliveries=interrupted)
    ticket = harness.file(MAIL, message_id="<first@mail.example.com>")
    record = harness.event_record(ticket)
    return Case(harness, dispatcher, providers, interrupted, ticket, record)


@pytest.fixture
def assigned(case: Case) -> Case:
    return case.assign()


@pytest.mark.requirement("E11", "G1")
def test_the_same_event_twenty_times_sends_one_mail(case: Case) -> None:
    for n in range(20):
        case.process(at=NOON + n * timedelta(minutes=1))
    assert case.providers.addresses == [MAIL]
    assert case.delivery.state == "sent"


@pytest.mark.requirement("E11")
def test_a_throttled_read_after_the_claim_is_retried(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message was certainly not sent, so no person has to decide."""

    case.record["dynamodb"]["NewImage"].pop("sealed")  # so that it has to be read
    with monkeypatch.context() as patch:
        patch.setattr(case.harness.storage.tickets, "first_commit", busy)
        case.process()
    waiting = case.delivery
    assert (waiting.state, waiting.attempts) == ("retrying", 1)
    assert "Throttling" in (waiting.cause or "")
    assert case.providers.addresses == [] == case.harness.dead_letters


@pytest.mark.requirement("E11", "G3")
def test_a_crash_between_sending_and_recording_sends_no_second_mail(case: Case) -> None:
    """While the run may still be working the record is retried; then the delivery is dead-
    lettered."""
    case.die_after_sending()
    assert case.delivery.state == "claimed"
    with pytest.raises(TryAgain):
        case.process(at=SOON)
    case.process(at=LATER)
    case.process(at=LATER)
    case.assert_uncertain()
    assert case.providers.addresses == [MAIL]


@pytest.mark.requirement("E11", "G3")
@pytest.mark.parametrize("busy", [1, len(OUTCOME_PAUSES)])
def test_a_sent_message_is_recorded_through_a_short_outage(
    case: Case, monkeypatch: pytest.MonkeyPatch, busy: int
) -> None:
    """A table that is busy at that moment makes no message uncertain."""
    pauses: list[float] = []
    monkeypatch.setattr("functions.notify.base_dispatch.sleep", pauses.append)

    def throttle(delivery: Delivery) -> None:
        if delivery.state == "sent" and len(pauses) < busy:
            raise TryAgain("DynamoDB: throttled")

    case.interrupted.on_move = throttle
    case.process(interrupted=True)
    assert (case.delivery.state, pauses) == ("sent", [*OUTCOME_PAUSES[:busy]])
    assert case.providers.addresses == [MAIL]


@pytest.mark.requirement("E11")
def test_a_claim_that_the_sdk_repeated_succeeds(case: Case) -> None:
    case.interrupted.on_claim = lambda delivery, claimed: False
    case.process(interrupted=True)
    assert case.providers.addresses == [MAIL]
    assert case.delivery.state == "sent"


def test_a_refused_claim_whose_item_is_gone_is_retried(case: Case) -> None:
    def refused(delivery: Delivery, claimed: bool) -> bool:
        key = {
            "pk": {"S": f"TICKET#{delivery.desk}#{delivery.number}"},
            "sk": {"S": f"DELIVERY#{delivery.id}"},
        }
        case.interrupted.table.client.delete_item(TableName=case.interrupted.table.name, Key=key)
        return False

    case.interrupted.on_claim = refused
    with pytest.raises(TryAgain):
        case.process(interrupted=True)
    assert case.providers.sent == []


@pytest.mark.requirement("A4", "E11")
def test_a_throttled_provider_delays_the_mail_and_loses_nothing(case: Case) -> None:
    case.providers.failures = [Passing("SES TooManyRequestsException: slow down")]
    case.process()
    waiting = case.delivery
    assert (waiting.state, waiting.attempts) == ("retrying", 1)
    assert waiting.next_at == NOON + RETRY_AFTER[0]
    case.process(at=SOON)
    assert case.providers.sent == []
    again = case.harness.make_due(waiting)
    for _ in range(3):
        case.process(again, at=NOON + timedelta(minutes=1))
    sent = case.delivery
    assert (sent.state, sent.attempts, sent.cause, sent.next_at) == ("sent", 2, None, None)
    assert case.providers.addresses == [MAIL]


@pytest.mark.requirement("F3")
def test_a_retrying_delivery_is_in_the_sweeps_index_until_it_is_sent(case: Case) -> None:
    from functions.core.storage.items import SHARDS

    def waiting(at: datetime) -> list[str]:
        found = (
            due for shard in range(SHARDS) for due in case.harness.storage.tickets.due(shard, at)
        )
        return [due.sk for due in found if due.sk.startswith("DELIVERY#")]

    case.providers.failures = [Passing("SES")]
    case.process()
    assert waiting(NOON) == []
    assert waiting(NOON + RETRY_AFTER[0]) == ["DELIVERY#000001"]
    case.process(case.harness.make_due(case.delivery), at=NOON + RETRY_AFTER[0])
    assert waiting(NOON + timedelta(days=1)) == []


@pytest.mark.requirement("G3")
def test_a_delivery_is_dead_lettered_after_the_last_attempt(case: Case) -> None:
    case.providers.failures = [Passing("SES is down") for _ in range(len(RETRY_AFTER) + 1)]
    case.process()
    waits = []
    while (found := case.delivery).state == "retrying":
        assert found.next_at is not None
        waits.append(found.next_at - found.at)
        case.process(case.harness.make_due(found), at=found.next_at)
    assert tuple(waits) == RETRY_AFTER
    assert found.state == "dead_lettered"
    assert found.cause == f"gave up after {len(RETRY_AFTER) + 1} attempts: SES is down"
    assert case.providers.dead_letters == [(f"DELIVERY#{found.id}", found.cause)]


@pytest.mark.requirement("G3")
def test_a_replayed_dead_letter_is_sent(case: Case) -> None:
    case.providers.failures = [Permanent("SES MessageRejected: content")]
    case.process()
    delivery = case.delivery
    assert (delivery.state, delivery.cause) == ("dead_lettered", "SES MessageRejected: content")
    assert case.providers.dead_letters == [
        (f"DELIVERY#{delivery.id}", "SES MessageRejected: content")
    ]
    case.process(at=LATER)
    assert case.providers.sent == []
    case.process(case.harness.make_due(delivery), at=LATER)
    assert case.providers.addresses == [MAIL]


@pytest.mark.requirement("E11")
def test_a_timeout_of_the_provider_is_not_retried(case: Case) -> None:
    """The message may have been sent, so a person decides."""
    case.providers.failures = [Unclear("SES did not answer: ReadTimeoutError")]
    case.process()
    case.assert_uncertain()


@pytest.mark.requirement("E11")
def test_a_crash_of_a_second_attempt_sends_no_second_mail(case: Case) -> None:
    again = case.fail_once()
    case.die_after_sending(again)
    with pytest.raises(TryAgain):
        case.process(again, at=SOON)
    case.process(again, at=LATER)
    assert case.delivery.state == "dead_lettered"
    assert case.providers.addresses == [MAIL]


@pytest.mark.requirement("E11")
def test_two_runs_over_the_same_due_delivery_send_it_once(case: Case) -> None:
    again = case.fail_once()
    first_came = [True]

    def other_run_first(delivery: Delivery) -> None:
        if delivery.state == "claimed" and first_came.pop():
            case.interrupted.on_move = None
            case.process(again)

    case.interrupted.on_move = other_run_first
    case.process(again, interrupted=True)
    assert case.providers.addresses == [MAIL]
    assert case.delivery.state == "sent"


@pytest.mark.requirement("G3")
def test_the_outcome_of_a_run_that_was_taken_for_dead_is_only_logged(
    case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    def slow(sender: str, to: str, raw: bytes) -> str:
        case.process(at=LATER)
        return "late"

    case.process(send_mail=slow)
    assert case.delivery.state == "dead_lettered"
    assert '"delivery.overtaken"' in capsys.readouterr().out


@pytest.mark.requirement("G3")
def test_a_dead_letter_is_queued_before_the_delivery_is_marked(case: Case) -> None:
    """A crash in between cannot hide it."""
    case.providers.failures = [Permanent("no")]
    case.interrupted.on_move = dies_on("dead_lettered")
    with pytest.raises(Died):
        case.process(interrupted=True)
    assert len(case.providers.dead_letters) == 1
    assert case.delivery.state == "claimed"


@pytest.mark.requirement("A8")
def test_a_failed_recipient_does_not_delay_the_others(case: Case) -> None:
    case.assign()
    case.providers.failures = [Passing("SES")]
    case.process()
    assert case.providers.addresses == ["tech@standard.local"]
    states = {d.recipient: (d.state, d.to) for d in case.deliveries}
    assert states == {
        "customer": ("retrying", case.ticket.customer.contact),
        "handler": ("sent", "技术支持组"),
    }


BOTH = [MAIL, "tech@standard.local"]


@pytest.mark.requirement("E11", "G7")
def test_one_claim_covers_all_recipients_of_a_commit(assigned: Case) -> None:
    claimed: list[tuple[str, ...]] = []

    def note(delivery: Delivery, done: bool) -> bool:
        if delivery.state == "claimed":
            claimed.append(delivery.covers)
        return done

    assigned.interrupted.on_claim = note
    assigned.process(interrupted=True)
    assert claimed == [("000002#handler_assigned#handler",)]
    for n in range(5):
        assigned.process(at=NOON + n * timedelta(minutes=1))
    assert assigned.providers.addresses == BOTH
    assert assigned.states == {"customer": "sent", "handler": "sent"}


@pytest.mark.requirement("E11", "G3")
@pytest.mark.parametrize("sent", [0, 1, 2])
def test_a_crash_between_two_recipients_sends_nobody_a_message_twice(
    assigned: Case, sent: int
) -> None:
    """Covered recipients without an outcome are dead-lettered."""

    def mail(sender: str, to: str, raw: bytes) -> str:
        if len(assigned.providers.sent) == sent:
            raise Died
        return assigned.providers.mail(sender, to, raw)

    def move(delivery: Delivery) -> None:
        if sent == 2 and delivery.recipient == "handler":
            raise Died

    assigned.interrupted.on_move = move
    with pytest.raises(Died):
        assigned.process(interrupted=True, send_mail=mail)
    with pytest.raises(TryAgain):
        assigned.process(at=SOON)
    assigned.process(at=LATER)
    assigned.process(at=LATER)
    assert assigned.providers.addresses == BOTH[:sent]
    customer = "sent" if sent else "dead_lettered"
    assert assigned.states == {"customer": customer, "handler": "dead_lettered"}
    assert len(assigned.providers.dead_letters) == (1 if sent else 2)
    assert all(cause.startswith("uncertain") for _, cause in assigned.providers.dead_letters)


@pytest.mark.requirement("E11")
def test_rules_that_changed_between_two_runs_send_nobody_twice(assigned: Case) -> None:
    """The claim's key contains neither message nor recipient, so a new rule finds it."""
    assigned.die_after_sending()
    assigned.drop_rule("assigned")
    assigned.process(at=LATER)
    assert assigned.providers.addresses == [MAIL]
    assert assigned.states == {"customer": "dead_lettered", "handler": "dead_lettered"}
    assert len(assigned.providers.dead_letters) == 2


@pytest.mark.requirement("E11", "G3")
@pytest.mark.parametrize("left", ["no rule", "another recipient"])
def test_an_abandoned_claim_is_dead_lettered_although_its_rule_is_gone(
    case: Case, left: str
) -> None:
    case.die_after_sending()
    rules = tuple(
        rule.model_copy(update={"to": "handler"})  # there is none yet
        for rule in case.harness.playbook.notifications
        if rule.on == "TicketReceived" and left == "another recipient"
    )
    case.harness.change_playbook(notifications=rules)
    case.reload_playbook()
    with pytest.raises(ClaimedElsewhere):
        case.process(at=SOON)
    for _ in range(2):
        case.process(at=LATER)
    case.assert_uncertain()
    assert case.providers.addresses == [MAIL]


@pytest.mark.requirement("E11", "G3", "B10")
def test_an_abandoned_claim_is_dead_lettered_although_the_customer_was_erased(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.die_after_sending()
    gone = case.ticket.model_copy(update={"erased": True})
    monkeypatch.setattr(case.interrupted.storage.tickets, "load_since", lambda *_: gone)
    case.interrupted.on_move = None
    case.process(at=LATER, interrupted=True)
    assert case.delivery.state == "dead_lettered"
    assert case.providers.addresses == [MAIL]


@pytest.mark.requirement("G7")
def test_an_event_without_notifications_reads_no_deliveries(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the playbook that the commit was written under, no other run can have claimed any."""
    case.harness.storage.playbooks.get("standard", NOON)  # as every writer does
    case.change(c.SetPriority("低"))
    monkeypatch.setattr(case.interrupted, "get", lambda *_: pytest.fail("read"))
    case.process(interrupted=True)
    assert case.deliveries == []


def busy(*_: Any) -> Any:
    raise TryAgain("DynamoDB: ThrottlingException")


@pytest.fixture
def routed(case: Case) -> Case:
    """The same as `assigned`, by the router: the customer's mail is automatic."""
    return case.change(c.Assign("技术支持组", "agent-1"), actor="system")


@pytest.mark.requirement("E11", "G3")
def test_limits_that_cannot_be_read_leave_no_claim(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case.interrupted.storage.contacts, "opened_since", busy)
    with pytest.raises(TryAgain):
        case.process(interrupted=True)
    assert case.deliveries == []
    for _ in range(2):
        case.process(at=LATER)
    assert case.delivery.state == "sent"
    assert case.providers.addresses == [MAIL]
    assert case.providers.dead_letters == []


@pytest.mark.requirement("A8", "E11")
def test_limits_that_cannot_be_read_do_not_delay_other_recipients(
    routed: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routed.interrupted.storage.contacts, "opened_since", busy)
    for _ in range(2):
        with pytest.raises(TryAgain):
            routed.process(interrupted=True)
    assert routed.providers.addresses == BOTH[1:]
    for _ in range(2):
        routed.process(at=LATER)
    assert routed.providers.addresses == BOTH[::-1]
    assert routed.states == {"customer": "sent", "handler": "sent"}
    assert routed.providers.dead_letters == []


@pytest.mark.requirement("E11", "G3")
@pytest.mark.parametrize("order", [1, -1], ids=["bad text last", "bad text first"])
@pytest.mark.parametrize("wait", ["busy", "under way"])
def test_a_retry_takes_precedence_over_a_dead_letter(
    routed: Case, order: int, wait: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record is dead-lettered only when nothing in it has to be retried."""
    rules = routed.harness.playbook.notifications[::order]
    routed.break_message("handler_assigned", notifications=rules)
    if wait == "busy":
        monkeypatch.setattr(routed.interrupted.storage.contacts, "opened_since", busy)
    else:
        routed.die_after_sending()
    with pytest.raises(TryAgain):
        routed.process(at=SOON, interrupted=True)
    routed.reload_playbook()
    for _ in range(2):
        with pytest.raises(DeadLetter, match="cannot be filled in"):
            routed.process(at=LATER)
    assert routed.providers.addresses == [MAIL]
    assert routed.states == {"customer": "sent" if wait == "busy" else "dead_lettered"}


def test_a_rule_added_since_the_first_run_is_followed_once(assigned: Case) -> None:
    assigned.drop_rule("handler_assigned")
    assigned.process(at=LATER)
    assert assigned.providers.addresses == [MAIL]
    assigned.harness.change_playbook()
    for n in range(1, 4):
        assigned.process(at=LATER + n * timedelta(minutes=1))
    assert assigned.providers.addresses == BOTH


@pytest.mark.requirement("G3")
def test_the_outcome_that_another_run_wrote_first_stays(
    assigned: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    def mail(sender: str, to: str, raw: bytes) -> str:
        sent = assigned.providers.mail(sender, to, raw)
        if to != MAIL:
            assigned.process(at=LATER)
        return sent

    assigned.process(send_mail=mail)
    assert assigned.providers.addresses == BOTH
    assert assigned.states == {"customer": "sent", "handler": "dead_lettered"}
    assert '"delivery.overtaken"' in capsys.readouterr().out


@pytest.mark.requirement("F2")
def test_an_older_event_is_still_notified_of_once(case: Case) -> None:
    """The ticket is resolved by the time the stream delivers its assignment."""
    case.change(ASSIGN, c.Reply("请重置密码"), c.Resolve("已重置密码"))
    for version in range(1, case.ticket.version + 1):
        for _ in range(2):
            case.process(case.harness.event_record(case.ticket, version))
    customer = [d.message for d in case.deliveries if d.recipient == "customer"]
    assert customer == ["received", "assigned", "reply", "resolved"]
    assert case.providers.addresses.count(MAIL) == 4


@pytest.mark.requirement("G1")
def test_references_contain_the_keyed_id_of_the_ticket(case: Case) -> None:
    case.process()
    message = message_from_bytes(case.providers.sent[0][1], policy=policy.default)
    first, answered = message["References"].split()
    assert ticket_of_message_id(ROOT, first) == ("standard", case.ticket.number)
    assert answered == message["In-Reply-To"] == "<first@mail.example.com>"


@pytest.mark.requirement("G4")
def test_mail_to_staff_contains_no_keyed_id_and_no_secret(case: Case) -> None:
    """A colleague's reply must not pass for the customer's."""
    message = case.staff_mail()
    assert ticket_of_message_id(ROOT, message["Message-ID"]) is None
    assert "References" not in message
    assert "?key=" not in plain(message)
    assert message["Auto-Submitted"] == "auto-generated"


@pytest.mark.requirement("E10")
def test_the_handlers_mail_contains_the_description(case: Case) -> None:
    assert "无法登录" in plain(case.staff_mail())


@pytest.mark.requirement("F2")
def test_a_notification_to_a_team_without_mailbox_is_recorded(case: Case) -> None:
    case.harness.change_playbook(teams=without_mailboxes(case.harness.playbook))
    case.assign()
    case.process(at=NOON + timedelta(hours=1))
    [noted] = [d for d in case.deliveries if d.recipient == "handler"]
    assert (noted.state, noted.channel, noted.attempts) == ("sent", "none", 0)
    assert case.ticket.number in noted.text
    assert case.providers.addresses == [MAIL]


@pytest.mark.requirement("G4")
def test_the_contact_of_another_ticket_cannot_be_opened(case: Case) -> None:
    other = case.harness.file("other@example.com")
    case.record["dynamodb"]["NewImage"]["sealed"] = case.harness.event_record(other)["dynamodb"][
        "NewImage"
    ]["sealed"]
    case.process()
    found = case.delivery
    assert found.state == "dead_lettered"
    assert "KMS InvalidCiphertextException" in (found.cause or "")
    assert case.providers.sent == []


def test_the_contact_is_read_if_the_record_does_not_carry_it(case: Case) -> None:
    del case.record["dynamodb"]["NewImage"]["sealed"]
    case.process()
    assert case.providers.addresses == [MAIL]


@pytest.mark.requirement("G3")
def test_a_retry_whose_message_is_gone_from_the_playbook_is_dead_lettered(case: Case) -> None:
    again = case.fail_once()
    messages = {k: v for k, v in case.harness.playbook.messages.items() if k != "received"}
    case.harness.change_playbook(messages=messages, notifications=())
    case.process(again, at=NOON + timedelta(hours=1))
    found = case.delivery
    assert (found.state, found.cause) == (
        "dead_lettered",
        "the playbook of standard has no message 'received'",
    )
    assert len(case.providers.dead_letters) == 1


def test_a_retry_whose_event_is_gone_is_dead_lettered(case: Case) -> None:
    case.providers.failures = [Passing("SES")]
    case.process()
    stray = case.delivery.model_copy(update={"version": 9, "state": "due"})
    case.harness.storage.deliveries.claim(stray)
    due = {
        "pk": {"S": f"TICKET#standard#{case.ticket.number}"},
        "sk": {"S": f"DELIVERY#{stray.id}"},
    }
    image = {**due, "state": {"S": "due"}}
    case.process({"eventName": "MODIFY", "dynamodb": {"Keys": due, "NewImage": image}})
    causes = [d.cause for d in case.deliveries if d.version == 9]
    assert causes == ["the event that asked for it is gone"]


@pytest.mark.requirement("G3")
def test_a_broken_text_does_not_delay_other_recipients(case: Case) -> None:
    case.break_message("assigned")
    case.assign()
    with pytest.raises(DeadLetter, match="cannot be filled in"):
        case.process(at=NOON + timedelta(hours=1))
    assert case.providers.addresses == ["tech@standard.local"]


@pytest.mark.parametrize("record", [None, {}, {"dynamodb": {}}, {"dynamodb": {"Keys": {"sk": 1}}}])
def test_a_malformed_record_is_a_dead_letter(dispatcher: Dispatcher, record: Any) -> None:
    with pytest.raises(DeadLetter, match="not a record"):
        dispatcher.process(record)


@pytest.mark.requirement("F2")
def test_records_that_the_filter_should_not_pass_are_ignored(case: Case) -> None:
    case.process({**case.record, "eventName": "MODIFY"})
    sent = {
        "Keys": {"pk": {"S": "x"}, "sk": {"S": "DELIVERY#1"}},
        "NewImage": {"state": {"S": "sent"}},
    }
    case.process({"eventName": "MODIFY", "dynamodb": sent})
    gone = {
        "Keys": {"pk": {"S": "TICKET#standard#1"}, "sk": {"S": "DELIVERY#1"}},
        "NewImage": {"pk": {"S": "TICKET#standard#1"}, "state": {"S": "due"}},
    }
    case.process({"eventName": "MODIFY", "dynamodb": gone})
    assert case.providers.sent == []


@pytest.mark.requirement("G4")
def test_items_and_logs_are_masked(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    """No item and no log line contains the contact, the name or the customer's secret."""
    secrets = ("li.example", "13800138000", NAME, "first@mail.example.com")
    for contact in (MAIL, "13800138000"):
        case.ticket = case.harness.file(contact, message_id="<first@mail.example.com>")
        case.process(case.harness.event_record(case.ticket))
        case.providers.failures = [Passing("SES"), Permanent("no")]
        case.change(ASSIGN, c.RequestInformation("请提供型号"))
        for version in range(2, case.ticket.version + 1):
            case.process(case.harness.event_record(case.ticket, version))
        assert {d.state for d in case.deliveries} >= {"sent", "retrying"}
        items = repr(case.harness.storage.tickets.items("standard", case.ticket.number))
        assert not [secret for secret in secrets if secret in items]
        assert "?key=" not in items
    lines = capsys.readouterr().out
    assert "delivery.sent" in lines
    assert not [secret for secret in secrets if secret in lines]
    assert not [secret for secret in secrets if secret in json.dumps(case.providers.dead_letters)]


@pytest.mark.requirement("G4")
def test_the_contact_is_opened_once_for_a_delivery(case: Case) -> None:
    asked = []

    def opened(desk: str, number: str, sealed: bytes | None) -> OpenedContact:
        asked.append((desk, number))
        return case.dispatcher.sender.open_contact(desk, number, sealed)

    case.process(open_contact=opened)
    case.process(open_contact=opened)
    assert asked == [("standard", case.ticket.number)]


@pytest.mark.requirement("A6", "F3")
def test_events_of_two_timers_are_two_deliveries(case: Case) -> None:
    case.assign()
    late = case.harness.change(case.ticket, c.Tick(), at=NOON + timedelta(days=3))
    commit = case.harness.storage.tickets.commit_at("standard", case.ticket.number, late.version)
    assert commit is not None
    assert {x.kind for x in commit.of(e.TimerBreached)} == {"first_response", "resolution"}
    case.process(case.harness.event_record(late), at=NOON + timedelta(days=3))
    messages = [d.message for d in case.deliveries if d.recipient == "supervisor"]
    assert sorted(messages) == ["resolution_overdue", "response_overdue"]
