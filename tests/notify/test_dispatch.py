"""Each message once: claims, failures, retries and what is parked, in any order and repetition."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from functions.core.domain import commands as c
from functions.core.domain import events as e
from functions.core.domain.delivery import RETRY_AFTER, Delivery
from functions.core.domain.errors import DeadLetter, TryAgain
from functions.core.domain.rules import Message
from functions.core.domain.ticket import Ticket
from functions.core.services.command_service import change
from functions.core.storage.store import Store
from functions.core.text.tokens import ticket_of_message_id
from functions.notify.base_dispatch import CLAIM_TIMEOUT, ClaimedElsewhere
from functions.notify.contact import OpenContact
from functions.notify.deliver.failures import Passing, Permanent, Unclear
from functions.notify.dispatch import Dispatcher
from tests.notify.deployment import MAIL, NAME, NOON, ROOT, Post, World, plain, without_mailboxes

SOON = NOON + timedelta(seconds=10)
LATER = NOON + CLAIM_TIMEOUT


class Died(BaseException):
    """The function ends in the middle, as when Lambda stops it."""


@pytest.fixture
def ticket(world: World) -> Ticket:
    return world.file(MAIL, message_id="<first@mail.example.com>")


@pytest.fixture
def record(world: World, ticket: Ticket) -> Any:
    """The stream's record of a new ticket."""
    return world.event(ticket)


def only(world: World, ticket: Ticket) -> Delivery:
    [delivery] = world.deliveries(ticket)
    return delivery


class Breaking(Store):
    """The table, with something that happens in the middle of a call."""

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
def breaking(world: World) -> Breaking:
    return Breaking(world.store.client, world.store.table)


def with_providers(dispatcher: Dispatcher, **providers: Any) -> Dispatcher:
    return replace(dispatcher, sender=replace(dispatcher.sender, **providers))


def dies_on(*states: str) -> Callable[[Delivery], None]:
    def die(delivery: Delivery) -> None:
        if delivery.state in states:
            raise Died

    return die


def die_after_sending(record: Any, dispatcher: Dispatcher, breaking: Breaking) -> None:
    """A run that ends when the provider has the mail and before its outcome is written."""
    breaking.on_move = dies_on("sent")
    with pytest.raises(Died):
        replace(dispatcher, store=breaking).process(record)


def test_twenty_times_the_same_event_is_one_mail(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket, record: Any
) -> None:
    """E11, G1: nothing is answered twice."""
    for n in range(20):
        dispatcher.at(NOON + n * timedelta(minutes=1)).process(record)
    assert post.addresses == [MAIL]
    assert only(world, ticket).state == "sent"


def test_what_was_not_sent_since_the_table_was_busy_is_tried_again(
    world: World,
    dispatcher: Dispatcher,
    post: Post,
    ticket: Ticket,
    record: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """E11: a claim whose message surely did not go out is nobody's to puzzle over."""

    record["dynamodb"]["NewImage"].pop("sealed")  # so that it has to be read
    with monkeypatch.context() as patch:
        patch.setattr(world.store, "opening", busy)
        dispatcher.process(record)
    waiting = only(world, ticket)
    assert (waiting.state, waiting.attempts) == ("retrying", 1)
    assert "Throttling" in (waiting.cause or "")
    assert post.addresses == [] == world.dead_letters


def test_crash_between_sending_and_marking_sends_no_second_mail(
    world: World,
    dispatcher: Dispatcher,
    post: Post,
    ticket: Ticket,
    record: Any,
    breaking: Breaking,
) -> None:
    """E11, G3: for a minute it may still be under way; then it is parked for a person to decide."""
    die_after_sending(record, dispatcher, breaking)
    assert only(world, ticket).state == "claimed"
    with pytest.raises(TryAgain):
        dispatcher.at(SOON).process(record)
    dispatcher.at(LATER).process(record)
    dispatcher.at(LATER).process(record)
    parked = only(world, ticket)
    assert parked.state == "parked"
    assert parked.cause is not None
    assert parked.cause.startswith("uncertain")
    assert len(post.dead_letters) == 1
    assert post.addresses == [MAIL]


def test_claim_whose_answer_was_lost_is_known_again(
    world: World,
    dispatcher: Dispatcher,
    post: Post,
    ticket: Ticket,
    record: Any,
    breaking: Breaking,
) -> None:
    """E11: the SDK repeated a write that had succeeded; the claim is our own, so we send."""
    breaking.on_claim = lambda delivery, claimed: False
    replace(dispatcher, store=breaking).process(record)
    assert post.addresses == [MAIL]
    assert only(world, ticket).state == "sent"


def test_claim_that_is_refused_and_gone_is_tried_again(
    dispatcher: Dispatcher, post: Post, record: Any, breaking: Breaking
) -> None:
    def refused(delivery: Delivery, claimed: bool) -> bool:
        key = {
            "pk": {"S": f"TICKET#{delivery.desk}#{delivery.number}"},
            "sk": {"S": f"DELIVERY#{delivery.id}"},
        }
        breaking.client.delete_item(TableName=breaking.table, Key=key)
        return False

    breaking.on_claim = refused
    with pytest.raises(TryAgain):
        replace(dispatcher, store=breaking).process(record)
    assert post.sent == []


def test_throttled_then_fine(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket, record: Any
) -> None:
    """A4, E11: a throttled SES delays the mail and loses nothing."""
    post.failures = [Passing("SES TooManyRequestsException: slow down")]
    dispatcher.process(record)
    waiting = only(world, ticket)
    assert (waiting.state, waiting.attempts) == ("retrying", 1)
    assert waiting.next_at == NOON + RETRY_AFTER[0]
    dispatcher.at(SOON).process(record)
    assert post.sent == []
    again = world.due(waiting)
    for _ in range(3):
        dispatcher.at(NOON + timedelta(minutes=1)).process(again)
    sent = only(world, ticket)
    assert (sent.state, sent.attempts, sent.cause, sent.next_at) == ("sent", 2, None, None)
    assert post.addresses == [MAIL]


def test_sweep_finds_what_waits(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket, record: Any
) -> None:
    """F3: a delivery that waits stands in the index that the sweep reads, until it is sent."""
    from functions.core.storage.store import SHARDS

    def waiting(at: datetime) -> list[str]:
        found = (due for shard in range(SHARDS) for due in world.store.due(shard, at))
        return [due.sk for due in found if due.sk.startswith("DELIVERY#")]

    post.failures = [Passing("SES")]
    dispatcher.process(record)
    assert waiting(NOON) == []
    assert waiting(NOON + RETRY_AFTER[0]) == ["DELIVERY#000001"]
    dispatcher.at(NOON + RETRY_AFTER[0]).process(world.due(only(world, ticket)))
    assert waiting(NOON + timedelta(days=1)) == []


def test_after_the_last_attempt_it_is_parked(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket, record: Any
) -> None:
    """G3: what cannot be sent is retried, then kept, visible, with its cause."""
    post.failures = [Passing("SES is down") for _ in range(len(RETRY_AFTER) + 1)]
    dispatcher.process(record)
    waits = []
    while (found := only(world, ticket)).state == "retrying":
        assert found.next_at is not None
        waits.append(found.next_at - found.at)
        dispatcher.at(found.next_at).process(world.due(found))
    assert tuple(waits) == RETRY_AFTER
    assert found.state == "parked"
    assert found.cause == f"gave up after {len(RETRY_AFTER) + 1} attempts: SES is down"
    assert post.dead_letters == [(f"DELIVERY#{found.id}", found.cause)]


def test_parked_message_that_is_replayed_goes_out(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket, record: Any
) -> None:
    """G3: an operator makes it due; the stream brings it."""
    post.failures = [Permanent("SES MessageRejected: content")]
    dispatcher.process(record)
    parked = only(world, ticket)
    assert (parked.state, parked.cause) == ("parked", "SES MessageRejected: content")
    assert post.dead_letters == [(f"DELIVERY#{parked.id}", "SES MessageRejected: content")]
    dispatcher.at(LATER).process(record)
    assert post.sent == []
    dispatcher.at(LATER).process(world.due(parked))
    assert post.addresses == [MAIL]


def test_no_answer_of_the_provider_is_not_repeated(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket, record: Any
) -> None:
    """E11: after a timeout it may have been sent, so a person decides."""
    post.failures = [Unclear("SES did not answer: ReadTimeoutError")]
    dispatcher.process(record)
    found = only(world, ticket)
    assert found.state == "parked"
    assert found.cause is not None
    assert found.cause.startswith("uncertain")
    assert len(post.dead_letters) == 1


def test_crash_of_a_second_attempt(
    world: World,
    dispatcher: Dispatcher,
    post: Post,
    ticket: Ticket,
    record: Any,
    breaking: Breaking,
) -> None:
    """E11: the same care for a delivery that was due."""
    post.failures = [Passing("SES")]
    dispatcher.process(record)
    again = world.due(only(world, ticket))
    die_after_sending(again, dispatcher, breaking)
    with pytest.raises(TryAgain):
        dispatcher.at(SOON).process(again)
    dispatcher.at(LATER).process(again)
    assert only(world, ticket).state == "parked"
    assert post.addresses == [MAIL]


def test_two_runs_over_the_same_due_delivery(
    world: World,
    dispatcher: Dispatcher,
    post: Post,
    ticket: Ticket,
    record: Any,
    breaking: Breaking,
) -> None:
    """E11: the one that comes second finds the claim of the first."""
    post.failures = [Passing("SES")]
    dispatcher.process(record)
    again = world.due(only(world, ticket))
    breaking.on_move = lambda delivery: None
    first_came = [True]

    def other_run_first(delivery: Delivery) -> None:
        if delivery.state == "claimed" and first_came.pop():
            breaking.on_move = None
            dispatcher.process(again)

    breaking.on_move = other_run_first
    replace(dispatcher, store=breaking).process(again)
    assert post.addresses == [MAIL]
    assert only(world, ticket).state == "sent"


def test_outcome_of_a_run_that_was_taken_for_dead(
    world: World,
    dispatcher: Dispatcher,
    ticket: Ticket,
    record: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """G3: parked meanwhile, it stays parked, and the log says that it went out after all."""

    def slow(sender: str, to: str, raw: bytes) -> str:
        dispatcher.at(LATER).process(record)
        return "late"

    with_providers(dispatcher, send_mail=slow).process(record)
    assert only(world, ticket).state == "parked"
    assert '"delivery.overtaken"' in capsys.readouterr().out


def test_announcement_comes_before_the_mark(
    world: World,
    dispatcher: Dispatcher,
    post: Post,
    ticket: Ticket,
    record: Any,
    breaking: Breaking,
) -> None:
    """G3: a crash while parking cannot hide it."""
    post.failures = [Permanent("no")]
    breaking.on_move = dies_on("parked")
    with pytest.raises(Died):
        replace(dispatcher, store=breaking).process(record)
    assert len(post.dead_letters) == 1
    assert only(world, ticket).state == "claimed"


def test_one_recipient_that_fails_keeps_no_other_waiting(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket
) -> None:
    """A8: the handler is told although the customer's mail fails."""
    assigned = world.do(ticket, c.Assign("技术支持组", "agent-1", by_hand=True))
    post.failures = [Passing("SES")]
    dispatcher.process(world.event(assigned))
    assert post.addresses == ["tech@standard.local"]
    states = {d.recipient: (d.state, d.to) for d in world.deliveries(ticket)}
    assert states == {
        "customer": ("retrying", ticket.customer.contact),
        "handler": ("sent", "技术支持组"),
    }


@pytest.fixture
def assigned(world: World, ticket: Ticket) -> Ticket:
    """A ticket whose newest commit is told to two: the customer and the handler (A8)."""
    return world.do(ticket, c.Assign("技术支持组", "agent-1", by_hand=True))


BOTH = [MAIL, "tech@standard.local"]


def states(world: World, ticket: Ticket) -> dict[str, str]:
    return {d.recipient: d.state for d in world.deliveries(ticket)}


def test_one_claim_serves_all_whom_a_commit_is_told_to(
    world: World, dispatcher: Dispatcher, post: Post, assigned: Ticket, breaking: Breaking
) -> None:
    """E11, G7: written once for two; repetitions find it and send nothing."""
    claimed: list[tuple[str, ...]] = []

    def note(delivery: Delivery, done: bool) -> bool:
        if delivery.state == "claimed":
            claimed.append(delivery.covers)
        return done

    breaking.on_claim = note
    replace(dispatcher, store=breaking).process(world.event(assigned))
    assert claimed == [("000002#handler_assigned#handler",)]
    for n in range(5):
        dispatcher.at(NOON + n * timedelta(minutes=1)).process(world.event(assigned))
    assert post.addresses == BOTH
    assert states(world, assigned) == {"customer": "sent", "handler": "sent"}


@pytest.mark.parametrize("sent", [0, 1, 2])
def test_crash_between_two_recipients_sends_nobody_twice(
    world: World,
    dispatcher: Dispatcher,
    post: Post,
    assigned: Ticket,
    breaking: Breaking,
    sent: int,
) -> None:
    """E11, G3: whoever the claim covers and who has no outcome is parked for a person to decide."""

    def mail(sender: str, to: str, raw: bytes) -> str:
        if len(post.sent) == sent:
            raise Died
        return post.mail(sender, to, raw)

    def move(delivery: Delivery) -> None:
        if sent == 2 and delivery.recipient == "handler":
            raise Died

    breaking.on_move = move
    with pytest.raises(Died):
        with_providers(replace(dispatcher, store=breaking), send_mail=mail).process(
            world.event(assigned)
        )
    with pytest.raises(TryAgain):
        dispatcher.at(SOON).process(world.event(assigned))
    dispatcher.at(LATER).process(world.event(assigned))
    dispatcher.at(LATER).process(world.event(assigned))
    assert post.addresses == BOTH[:sent]
    customer = "sent" if sent else "parked"
    assert states(world, assigned) == {"customer": customer, "handler": "parked"}
    assert len(post.dead_letters) == (1 if sent else 2)
    assert all(cause.startswith("uncertain") for _, cause in post.dead_letters)


def test_rules_that_changed_between_two_runs_send_nobody_twice(
    world: World, dispatcher: Dispatcher, post: Post, assigned: Ticket, breaking: Breaking
) -> None:
    """E11: the claim's key says nothing of messages and recipients, so a new rule finds it."""
    die_after_sending(world.event(assigned), dispatcher, breaking)
    rules = tuple(rule for rule in world.playbook.notifications if rule.message != "assigned")
    world.edit(notifications=rules)
    dispatcher.at(LATER).process(world.event(assigned))
    assert post.addresses == [MAIL]
    assert states(world, assigned) == {"customer": "parked", "handler": "parked"}
    assert len(post.dead_letters) == 2


@pytest.mark.parametrize("left", ["no rule", "another recipient"])
def test_claim_whose_rule_is_gone_since_is_parked(
    world: World,
    dispatcher: Dispatcher,
    post: Post,
    ticket: Ticket,
    record: Any,
    breaking: Breaking,
    left: str,
) -> None:
    """E11, G3: nobody is to be told any more; what a run left behind is shown all the same."""
    die_after_sending(record, dispatcher, breaking)
    rules = tuple(
        rule.model_copy(update={"to": "handler"})  # there is none yet
        for rule in world.playbook.notifications
        if rule.on == "TicketReceived" and left == "another recipient"
    )
    world.edit(notifications=rules)
    anew = replace(dispatcher, store=Store(world.store.client, world.store.table))
    with pytest.raises(ClaimedElsewhere):
        anew.at(SOON).process(record)
    for _ in range(2):
        anew.at(LATER).process(record)
    [parked] = [d for d in world.deliveries(ticket) if d.recipient == "customer"]
    assert parked.state == "parked"
    assert [cause for _, cause in post.dead_letters] == [parked.cause]
    assert (parked.cause or "").startswith("uncertain")
    assert post.addresses == [MAIL]


def test_claim_for_who_was_erased_since_is_parked(
    world: World,
    dispatcher: Dispatcher,
    post: Post,
    ticket: Ticket,
    record: Any,
    breaking: Breaking,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """E11, G3, B10: nobody knows any more whom it was for; that a run left it behind is shown."""
    die_after_sending(record, dispatcher, breaking)
    gone = ticket.model_copy(update={"erased": True})
    monkeypatch.setattr(breaking, "load_since", lambda *_: gone)
    breaking.on_move = None
    replace(dispatcher, store=breaking).at(LATER).process(record)
    assert only(world, ticket).state == "parked"
    assert post.addresses == [MAIL]


def test_event_that_concerns_nobody_costs_no_look_at_deliveries(
    world: World,
    dispatcher: Dispatcher,
    ticket: Ticket,
    breaking: Breaking,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """G7: under the playbook that the commit was written under, no other run has claimed it."""
    world.store.playbook("standard", NOON)  # as every writer does
    changed = world.do(ticket, c.SetPriority("高"))
    monkeypatch.setattr(breaking, "delivery", lambda *_: pytest.fail("read"))
    replace(dispatcher, store=breaking).process(world.event(changed))


def busy(*_: Any) -> Any:
    raise TryAgain("DynamoDB: ThrottlingException")


@pytest.fixture
def routed(world: World, ticket: Ticket) -> Ticket:
    """The same as `assigned`, by the router: the customer's mail is an automatic one."""
    change(
        world.store,
        ticket.desk,
        ticket.number,
        c.Assign("技术支持组", "agent-1"),
        world.playbook,
        NOON,
        actor="system",
    )
    return world.store.load(ticket.desk, ticket.number)


def test_limits_that_cannot_be_read_leave_no_claim(
    world: World,
    dispatcher: Dispatcher,
    post: Post,
    ticket: Ticket,
    record: Any,
    breaking: Breaking,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """E11, G3: a busy table delays the mail; nobody has to puzzle over what never was sent."""
    monkeypatch.setattr(breaking, "opened_since", busy)
    with pytest.raises(TryAgain):
        replace(dispatcher, store=breaking).process(record)
    assert world.deliveries(ticket) == []
    for _ in range(2):
        dispatcher.at(LATER).process(record)
    assert only(world, ticket).state == "sent"
    assert post.addresses == [MAIL]
    assert post.dead_letters == []


def test_limits_that_cannot_be_read_keep_no_other_waiting(
    world: World,
    dispatcher: Dispatcher,
    post: Post,
    routed: Ticket,
    breaking: Breaking,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A8, E11: the handler is told at once, the customer when the table has time; each once."""
    monkeypatch.setattr(breaking, "opened_since", busy)
    for _ in range(2):
        with pytest.raises(TryAgain):
            replace(dispatcher, store=breaking).process(world.event(routed))
    assert post.addresses == BOTH[1:]
    for _ in range(2):
        dispatcher.at(LATER).process(world.event(routed))
    assert post.addresses == BOTH[::-1]
    assert states(world, routed) == {"customer": "sent", "handler": "sent"}
    assert post.dead_letters == []


@pytest.mark.parametrize("order", [1, -1], ids=["bad text last", "bad text first"])
@pytest.mark.parametrize("wait", ["busy", "under way"])
def test_what_comes_again_goes_before_what_is_parked(
    world: World,
    dispatcher: Dispatcher,
    post: Post,
    routed: Ticket,
    breaking: Breaking,
    order: int,
    wait: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """E11, G3: a record is parked when nothing of it has to come again, whichever came first."""
    bad: Any = {"zh-CN": "{{ 1 / 0 }}", "en": "x"}
    messages = {**world.playbook.messages, "handler_assigned": Message(subject=bad, text=bad)}
    rules = world.playbook.notifications[::order]
    world.edit(messages=messages, notifications=rules)
    other = Store(world.store.client, world.store.table)
    if wait == "busy":
        monkeypatch.setattr(breaking, "opened_since", busy)
    else:
        die_after_sending(world.event(routed), dispatcher, breaking)
        breaking.on_move = None
    with pytest.raises(TryAgain):
        replace(dispatcher, store=breaking).at(SOON).process(world.event(routed))
    for _ in range(2):
        with pytest.raises(DeadLetter, match="cannot be filled in"):
            replace(dispatcher, store=other).at(LATER).process(world.event(routed))
    assert post.addresses == [MAIL]
    assert states(world, routed) == {"customer": "sent" if wait == "busy" else "parked"}


def test_rule_that_came_between_two_runs_is_followed_once(
    world: World, dispatcher: Dispatcher, post: Post, assigned: Ticket
) -> None:
    rules = tuple(
        rule for rule in world.playbook.notifications if rule.message != "handler_assigned"
    )
    world.edit(notifications=rules)
    dispatcher.at(LATER).process(world.event(assigned))
    assert post.addresses == [MAIL]
    world.edit()
    for n in range(1, 4):
        dispatcher.at(LATER + n * timedelta(minutes=1)).process(world.event(assigned))
    assert post.addresses == BOTH


def test_an_outcome_that_another_run_wrote_first_stands(
    world: World,
    dispatcher: Dispatcher,
    post: Post,
    assigned: Ticket,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """G3: a run that took this one for dead has parked it; the log says that it was sent."""

    def mail(sender: str, to: str, raw: bytes) -> str:
        sent = post.mail(sender, to, raw)
        if to != MAIL:
            dispatcher.at(LATER).process(world.event(assigned))
        return sent

    with_providers(dispatcher, send_mail=mail).process(world.event(assigned))
    assert post.addresses == BOTH
    assert states(world, assigned) == {"customer": "sent", "handler": "parked"}
    assert '"delivery.overtaken"' in capsys.readouterr().out


def test_older_event_is_told_once_all_the_same(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket
) -> None:
    """F2: the ticket is resolved by the time the stream brings its assignment."""
    later = world.do(
        ticket,
        c.Assign("技术支持组", "agent-1", by_hand=True),
        c.Reply("请重置密码"),
        c.Resolve("已重置密码"),
    )
    for version in range(1, later.version + 1):
        dispatcher.process(world.event(later, version))
        dispatcher.process(world.event(later, version))
    customer = [d.message for d in world.deliveries(ticket) if d.recipient == "customer"]
    assert customer == ["received", "assigned", "reply", "resolved"]
    assert post.addresses.count(MAIL) == 4


def test_answers_find_their_ticket(
    dispatcher: Dispatcher, post: Post, ticket: Ticket, record: Any
) -> None:
    """G1: the keyed id in References is Deskbell's own, and the customer's mail is answered."""
    dispatcher.process(record)
    message = message_from_bytes(post.sent[0][1], policy=policy.default)
    first, answered = message["References"].split()
    assert ticket_of_message_id(ROOT, first) == ("standard", ticket.number)
    assert answered == message["In-Reply-To"] == "<first@mail.example.com>"


def test_mail_to_staff_proves_nothing(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket
) -> None:
    """G4: a colleague's answer to it must not pass for the customer's."""
    assigned = world.do(ticket, c.Assign("技术支持组", "agent-1", by_hand=True))
    dispatcher.process(world.event(assigned))
    [raw] = [raw for to, raw in post.sent if to == "tech@standard.local"]
    message = message_from_bytes(raw, policy=policy.default)
    assert ticket_of_message_id(ROOT, message["Message-ID"]) is None
    assert "References" not in message
    assert "?key=" not in plain(message)
    assert message["Auto-Submitted"] == "auto-generated"


def test_description_is_fetched_for_the_handler(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket
) -> None:
    """E10: what the customer said stands in the handler's mail."""
    assigned = world.do(ticket, c.Assign("技术支持组", "agent-1", by_hand=True))
    dispatcher.process(world.event(assigned))
    [raw] = [raw for to, raw in post.sent if to == "tech@standard.local"]
    assert "无法登录" in plain(message_from_bytes(raw, policy=policy.default))


def test_team_without_mailbox_is_on_the_record(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket
) -> None:
    """F2: nobody can be written to; the ticket shows what there was to say."""
    world.edit(teams=without_mailboxes(world.playbook))
    assigned = world.do(ticket, c.Assign("技术支持组", "agent-1", by_hand=True))
    dispatcher.at(NOON + timedelta(hours=1)).process(world.event(assigned))
    [noted] = [d for d in world.deliveries(ticket) if d.recipient == "handler"]
    assert (noted.state, noted.channel, noted.attempts) == ("sent", "none", 0)
    assert ticket.number in noted.text
    assert post.addresses == [MAIL]


def test_event_that_concerns_nobody(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket
) -> None:
    changed = world.do(ticket, c.SetPriority("高"))
    dispatcher.process(world.event(changed))
    assert world.deliveries(ticket) == []


def test_contact_of_another_ticket_cannot_be_opened(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket, record: Any
) -> None:
    """G4: the encryption context binds a contact to its desk and ticket."""
    other = world.file("other@example.com")
    record["dynamodb"]["NewImage"]["sealed"] = world.event(other)["dynamodb"]["NewImage"]["sealed"]
    dispatcher.process(record)
    found = only(world, ticket)
    assert found.state == "parked"
    assert "KMS InvalidCiphertextException" in (found.cause or "")
    assert post.sent == []


def test_contact_is_read_where_the_record_does_not_carry_it(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket, record: Any
) -> None:
    del record["dynamodb"]["NewImage"]["sealed"]
    dispatcher.process(record)
    assert post.addresses == [MAIL]


def test_message_that_the_desk_dropped_meanwhile_is_parked(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket, record: Any
) -> None:
    """G3: a retry finds its message gone from the playbook: kept, with the cause."""
    post.failures = [Passing("SES")]
    dispatcher.process(record)
    again = world.due(only(world, ticket))
    messages = {k: v for k, v in world.playbook.messages.items() if k != "received"}
    world.edit(messages=messages, notifications=())
    dispatcher.at(NOON + timedelta(hours=1)).process(again)
    found = only(world, ticket)
    assert (found.state, found.cause) == (
        "parked",
        "the playbook of standard has no message 'received'",
    )
    assert len(post.dead_letters) == 1


def test_retry_whose_event_is_gone_is_parked(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket, record: Any
) -> None:
    post.failures = [Passing("SES")]
    dispatcher.process(record)
    stray = only(world, ticket).model_copy(update={"version": 9, "state": "due"})
    world.store.claim(stray)
    due = {"pk": {"S": f"TICKET#standard#{ticket.number}"}, "sk": {"S": f"DELIVERY#{stray.id}"}}
    image = {**due, "state": {"S": "due"}}
    dispatcher.process({"eventName": "MODIFY", "dynamodb": {"Keys": due, "NewImage": image}})
    causes = [d.cause for d in world.deliveries(ticket) if d.version == 9]
    assert causes == ["the event that asked for it is gone"]


def test_bad_text_of_a_playbook_keeps_no_other_message_waiting(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket
) -> None:
    """G3: the record is parked with the cause; the other recipient is told."""
    bad: Any = {"zh-CN": "{{ 1 / 0 }}", "en": "x"}
    messages = {**world.playbook.messages, "assigned": Message(subject=bad, text=bad)}
    world.edit(messages=messages)
    assigned = world.do(ticket, c.Assign("技术支持组", "agent-1", by_hand=True))
    with pytest.raises(DeadLetter, match="cannot be filled in"):
        dispatcher.at(NOON + timedelta(hours=1)).process(world.event(assigned))
    assert post.addresses == ["tech@standard.local"]


@pytest.mark.parametrize("record", [None, {}, {"dynamodb": {}}, {"dynamodb": {"Keys": {"sk": 1}}}])
def test_record_that_is_none_is_parked(dispatcher: Dispatcher, record: Any) -> None:
    with pytest.raises(DeadLetter, match="not a record"):
        dispatcher.process(record)


def test_records_of_others_are_left_alone(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket, record: Any
) -> None:
    """F2: what the filter lets through by mistake does no harm."""
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
    assert post.sent == []


def test_what_is_stored_and_logged_is_masked(
    world: World,
    dispatcher: Dispatcher,
    post: Post,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """G4: no item of the table and no log line holds contact, name or the customer's secret."""
    secrets = ("li.example", "13800138000", NAME, "first@mail.example.com")
    for contact in (MAIL, "13800138000"):
        ticket = world.file(contact, message_id="<first@mail.example.com>")
        dispatcher.process(world.event(ticket))
        post.failures = [Passing("SES"), Permanent("no")]
        asked = world.do(
            ticket,
            c.Assign("技术支持组", "agent-1", by_hand=True),
            c.RequestInformation("请提供型号"),
        )
        for version in range(2, asked.version + 1):
            dispatcher.process(world.event(asked, version))
        assert {d.state for d in world.deliveries(ticket)} >= {"sent", "retrying"}
        items = repr(world.store.everything("standard", ticket.number))
        assert not [secret for secret in secrets if secret in items]
        assert "?key=" not in items
    lines = capsys.readouterr().out
    assert "delivery.sent" in lines
    assert not [secret for secret in secrets if secret in lines]
    assert not [secret for secret in secrets if secret in json.dumps(post.dead_letters)]


def test_open_contact_reaches_the_provider_only(
    dispatcher: Dispatcher, post: Post, ticket: Ticket, record: Any
) -> None:
    """G4: opened for one delivery, under the context of its desk and ticket."""
    asked = []

    def opened(desk: str, number: str, sealed: bytes | None) -> OpenContact:
        asked.append((desk, number))
        return dispatcher.sender.open_contact(desk, number, sealed)

    with_providers(dispatcher, open_contact=opened).process(record)
    with_providers(dispatcher, open_contact=opened).process(record)
    assert asked == [("standard", ticket.number)]


def test_events_of_two_timers_are_two_deliveries(
    world: World, dispatcher: Dispatcher, post: Post, ticket: Ticket
) -> None:
    """A6, F3: two deadlines that pass in one commit are both told."""
    world.do(ticket, c.Assign("技术支持组", "agent-1", by_hand=True))
    late = world.do(ticket, c.Tick(), at=NOON + timedelta(days=3))
    commit = world.store.commit_at("standard", ticket.number, late.version)
    assert commit is not None
    assert {x.kind for x in commit.of(e.TimerBreached.__name__)} == {"first_response", "resolution"}
    dispatcher.at(NOON + timedelta(days=3)).process(world.event(late))
    told = [d.message for d in world.deliveries(ticket) if d.recipient == "supervisor"]
    assert sorted(told) == ["resolution_overdue", "response_overdue"]
