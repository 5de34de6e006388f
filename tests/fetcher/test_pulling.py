"""Pulls of an announced account: each message once, whoever pulls and wherever it stops."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import boto3
import pytest

from functions.administration.redelivery import Redelivery
from functions.core.domain.errors import TryAgain
from functions.core.domain.events import CustomerWrote, NoteAdded
from functions.core.receive.chat import ChatChannel
from functions.core.storage.database import Storage
from functions.core.storage.pulls import AccountPull
from infra.console.quarantine import quarantine_of
from infra.simulator.simulator import Simulator
from tests.core.channels.wecom_provider import ACCOUNT
from tests.fetcher.conftest import Account
from tests.inprocess.test_chat import DESK, put_secret, quarantine_causes

pytestmark = pytest.mark.requirement("G1", "G3", "E10")


def texts(account: Account) -> list[str]:
    """The customer's messages on the ticket after the first."""
    return [event.text for event in account.events(CustomerWrote)]


def test_the_url_verification_returns_the_decrypted_word(account: Account) -> None:
    call = account.provider.check(account.now)
    path = call.path(f"/desks/{DESK}/channels/wecom")
    answer = account.simulator.http("GET", path)
    assert (answer.status, answer.text) == (200, "5837397520665436492")
    forged = {**call.query, "msg_signature": "0" * 40}
    call = type(call)(query=forged, method="GET")
    assert account.simulator.http("GET", call.path(f"/desks/{DESK}/channels/wecom")).status == 401


@pytest.mark.requirement("A1", "A4", "F5")
def test_an_announcement_is_answered_at_once_and_its_messages_are_pulled(account: Account) -> None:
    account.write("无法登录")
    account.announce(pump=False)
    assert account.server.calls == []  # the response waits for nothing
    account.simulator.pump()
    (ticket,) = account.tickets
    assert (ticket.channel, ticket.customer.kind) == ("wecom", "message")
    assert account.server.to("sync_msg")[0] == {
        "limit": 100, "voice_format": 0, "token": "T1", "open_kfid": ACCOUNT,
    }  # fmt: skip
    (sent,) = account.server.to("send_msg")
    assert (sent["touser"], sent["open_kfid"]) == (account.provider.user, ACCOUNT)
    assert ticket.number in sent["text"]["content"]
    assert len(sent["msgid"]) <= 32
    assert "owner" not in account.state


def test_all_pages_are_pulled_once_although_everything_is_announced_again(
    account: Account,
) -> None:
    for n in range(5):
        account.write(f"第{n}条")
    account.announce()
    assert account.state["cursor"] == "5"
    assert texts(account) == [f"第{n}条" for n in range(1, 5)]
    account.announce()
    account.server.api.written[ACCOUNT].append(account.server.api.written[ACCOUNT][0])
    account.announce()
    assert texts(account) == [f"第{n}条" for n in range(1, 5)]


@pytest.mark.requirement("E11")
def test_an_announcement_during_a_pull_is_left_to_its_holder(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages written after the last page was read are pulled too, and none twice."""
    save = AccountPull.save
    seen: list[str] = []

    def meanwhile(lease: AccountPull, before: str, cursor: str) -> bool:
        if not seen:
            account.write("第二条")
            account.announce(pump=False, Token="T2")
            name, event = account.simulator.accepted.pop()
            account.simulator.invoke(name, event)  # beside the first
            assert account.state["again"] == "T2"
        seen.append(cursor)
        return save(lease, before, cursor)

    monkeypatch.setattr(AccountPull, "save", meanwhile)
    account.write("无法登录")
    account.announce()
    assert seen == ["1", "2"]
    assert [body.get("token") for body in account.server.to("sync_msg")] == ["T1", "T2"]
    assert texts(account) == ["第二条"]
    assert {"owner", "again"}.isdisjoint(account.state)


def test_the_cursor_never_goes_back(storage: Storage) -> None:
    now = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
    first, second = (storage.account_pull(DESK, "wecom", "wk", owner) for owner in ("a", "b"))
    assert first.take(now, now + timedelta(minutes=2)) is not None
    assert first.save("", "1")
    assert second.take(now, now + timedelta(minutes=2)) is None
    later = now + timedelta(minutes=3)  # the first has died, or hangs
    assert not second.ask_again("T", later)
    state = second.take(later, later + timedelta(minutes=2))
    assert state is not None
    assert (state.cursor, state.since) == ("1", now)
    assert second.save("1", "3")
    assert not first.save("1", "2")
    assert first.release() is None
    twice = storage.account_pull(DESK, "wecom", "wk", "b")  # Lambda delivered the event twice
    assert not twice.save("1", "2")
    assert second.take(later, later + timedelta(minutes=2)) == state.__class__("3", now)


def failing_once(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, error: Exception) -> None:
    real: Callable[..., Any] = getattr(where, name)

    def once(*arguments: Any) -> Any:
        monkeypatch.setattr(where, name, real)
        raise error

    monkeypatch.setattr(where, name, once)


@pytest.mark.parametrize(
    ("where", "name"), [(AccountPull, "save"), (ChatChannel, "_process")], ids=["save", "process"]
)
def test_a_crash_before_the_cursor_is_saved_repeats_the_page_without_duplicates(
    account: Account, monkeypatch: pytest.MonkeyPatch, where: Any, name: str
) -> None:
    account.write("无法登录")
    account.write("是手机端")
    account.announce(pump=False)
    task = account.simulator.accepted.popleft()
    failing_once(monkeypatch, where, name, TryAgain("throttled"))
    with pytest.raises(TryAgain):
        account.simulator.invoke(*task)
    assert "cursor" not in account.state
    assert "owner" not in account.state
    account.simulator.invoke(*task)  # as Lambda does
    assert texts(account) == ["是手机端"]
    assert account.state["cursor"] == "2"


def test_a_message_that_cannot_be_processed_is_quarantined_alone_and_can_be_replayed(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.server.api.write(ACCOUNT, {"msgid": "bad"}, account.provider.entry("一", account.now))
    account.write("二")
    failing_once(monkeypatch, ChatChannel, "_join", ZeroDivisionError("a bug"))
    account.announce()
    chat: Any = account
    assert sorted(quarantine_causes(chat)) == [
        "wecom: ZeroDivisionError: a bug",
        "wecom: nobody to answer",
    ]
    account.write("三")
    account.announce()
    assert texts(account) == ["三"]
    replay(account, "ZeroDivisionError")
    assert texts(account) == ["三", "二"]


def replay(account: Account, cause: str) -> None:
    """Read a quarantined message again, as an operator lets intake do."""
    s3, bucket = boto3.client("s3"), account.simulator.deployment.mail_bucket
    for item in s3.list_objects_v2(Bucket=bucket, Prefix="quarantine/")["Contents"]:
        held = s3.get_object(Bucket=bucket, Key=item["Key"])["Metadata"]
        if cause in unquote(held["cause"]):
            call = {**json.loads(unquote(held["call"])), "key": unquote(held["mail"])}
            record = {"messageId": "m1", "body": json.dumps({"call": call})}
            answer = account.simulator.invoke("intake_mail", {"Records": [record]})
            assert answer == {"batchItemFailures": []}


def test_what_was_written_before_the_account_was_connected_opens_no_ticket(
    account: Account,
) -> None:
    """The first pull gives three days; colleagues have answered it in WeCom."""
    account.write("前天", at=account.now - timedelta(days=2))
    account.write("刚才", at=account.now - timedelta(minutes=5))
    account.announce()
    assert len(account.tickets) == 1
    assert account.events(CustomerWrote) == []
    assert account.state["cursor"] == "2"


def test_messages_that_waited_for_a_broken_pull_are_not_taken_for_older_ones(
    account: Account,
) -> None:
    account.server.answers["gettoken"] = [b'{"errcode": 60020, "errmsg": "not allow"}']
    account.announce(pump=False)
    task = account.simulator.accepted.popleft()
    with pytest.raises(Exception, match="trusted IP"):
        account.simulator.invoke(*task)
    account.write("无法登录")
    account.simulator.invoke(*task)
    assert len(account.tickets) == 1


def test_a_pull_without_time_is_handed_over(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter([120, 120, 10, *[120] * 20])

    def little(simulator: Simulator, function: str) -> Any:
        found = context(simulator, function)
        if function == "fetcher":
            found.get_remaining_time_in_millis = lambda: 1000 * next(left)
        return found

    context = Simulator.context
    monkeypatch.setattr(Simulator, "context", little)
    for n in range(5):
        account.write(f"第{n}条")
    account.announce()
    assert sum(call.function == "fetcher" for call in account.simulator.invocations) == 2
    assert texts(account) == [f"第{n}条" for n in range(1, 5)]


def test_an_expired_token_is_left_out(account: Account) -> None:
    account.server.api.expired_tokens.add("T1")
    account.write("无法登录")
    account.announce()
    assert [body.get("token") for body in account.server.to("sync_msg")] == ["T1", None]
    assert len(account.tickets) == 1


@pytest.mark.parametrize("code", [-1, 45009])
def test_a_busy_provider_is_asked_again_later(account: Account, code: int) -> None:
    account.write("无法登录")
    account.server.answers["sync_msg"] = [b'{"errcode": %d, "errmsg": "busy"}' % code]
    account.announce(pump=False)
    task = account.simulator.accepted.popleft()
    with pytest.raises(Exception, match="busy"):
        account.simulator.invoke(*task)
    account.simulator.invoke(*task)
    assert len(account.tickets) == 1


def test_what_lambda_gave_up_on_is_in_quarantine_and_is_replayed(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.write("无法登录")
    account.announce(pump=False)
    name, event = account.simulator.accepted.popleft()
    prefix = account.simulator.deployment.prefix
    failed = {"condition": "RetriesExhausted", "functionArn": f"arn:aws:lambda:::{prefix}-{name}"}
    letter = {"requestContext": failed, "requestPayload": event, "responsePayload": {}}
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{prefix}-mail-dlq")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(letter))

    def deliver(redelivery: Redelivery, payload: Any) -> str:
        account.simulator.invoke(redelivery.function.removeprefix(f"{prefix}-"), payload)
        return "done"

    monkeypatch.setattr(Redelivery, "event", deliver)
    box = quarantine_of(account.simulator.deployment.stage)
    with box.opened() as (held,):
        assert (held.function, held.desk, held.cause) == ("mail", DESK, "RetriesExhausted")
        assert box.replay(held) == "done"
    assert len(account.tickets) == 1


def test_an_old_announcement_without_an_account_pulls_the_secret_s(account: Account) -> None:
    account.write("无法登录")
    account.announce(OpenKfId="")
    assert account.server.to("sync_msg")[0]["open_kfid"] == ACCOUNT
    account.announce(Event="change_external_contact")
    assert len(account.server.to("sync_msg")) == 1
    assert len(account.tickets) == 1


def test_a_colleague_s_words_and_events_are_notes(account: Account) -> None:
    account.write("无法登录")
    account.write("已为您查询", origin=5, servicer_userid="LiSi")
    account.happen("user_recall_msg", recall_msgid="x")
    account.happen("session_status_change", change_type=1, new_servicer_userid="LiSi")
    account.announce()
    assert texts(account) == []
    assert [event.text for event in account.events(NoteAdded)] == [
        "[同事在该渠道回复] LiSi: 已为您查询",
        "[消息已撤回]",
        "[会话变更] taken LiSi",
    ]


@pytest.mark.requirement("B8")
@pytest.mark.parametrize(
    ("state", "outcome"),
    [(0, "sent"), (2, "the customer waits"), (3, "a colleague serves"), (4, "has ended")],
)
def test_a_refused_reply_moves_the_session_or_says_who_has_it(
    account: Account, state: int, outcome: str
) -> None:
    account.write("无法登录")
    account.announce()
    account.act("take")
    account.server.answers["send_msg"] = [b'{"errcode": 95018, "errmsg": "status invalid"}']
    account.server.api.states[account.provider.user] = state
    account.act("reply", text="请重置密码")
    (delivery,) = account.deliveries("ReplySent")
    if outcome == "sent":
        assert delivery.state == "sent"
        assert account.server.api.states[account.provider.user] == 1
        first, second = account.server.to("send_msg")[-2:]
        assert first["msgid"] == second["msgid"]
    else:
        assert delivery.state == "dead_lettered"
        assert outcome in delivery.cause


@pytest.mark.parametrize("channel", ["telegram", "line"])
def test_a_channel_that_is_not_pulled_or_not_connected_ends_the_task(
    account: Account, channel: str
) -> None:
    put_secret(account.simulator, "line", {"channel_secret": "x", "access_token": "y"})
    task = {"task": "pull", "desk": DESK, "channel": channel, "account": "", "token": ""}
    account.simulator.invoke("fetcher", task)
    assert account.server.calls == []
