"""Feishu and DingTalk through the real handlers: repetitions, and no answer from the provider."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from functions.core.deliver import message
from functions.core.domain.events import NoteAdded
from functions.core.storage.database import Storage
from infra.simulator.simulator import Simulator
from tests.core.channels.lark_providers import DingTalk, SafeFeishu
from tests.core.channels.provider_requests import FakeProvider
from tests.inprocess.recording_provider import NO_ANSWER, recording_provider
from tests.inprocess.test_chat import DESK, Chat, put_secret, quarantine_causes

pytestmark = pytest.mark.requirement("F5", "G1", "E11")


def _chat(
    simulator: Simulator, storage: Storage, name: str, provider: FakeProvider
) -> Iterator[Chat]:
    message.token_cache.cache_clear()
    with recording_provider(provider.accepted()) as api:
        put_secret(simulator, name, {**provider.secret, "api": api.url})
        yield Chat(simulator, storage, name, provider, api)


@pytest.fixture
def feishu(simulator: Simulator, storage: Storage) -> Iterator[Chat]:
    yield from _chat(simulator, storage, "feishu", SafeFeishu())


@pytest.fixture
def dingtalk(simulator: Simulator, storage: Storage) -> Iterator[Chat]:
    yield from _chat(simulator, storage, "dingtalk", DingTalk())


def test_a_ticket_on_feishu_survives_repetitions_and_a_time_out(feishu: Chat) -> None:
    assert isinstance(feishu.provider, SafeFeishu)
    checked = feishu.send(feishu.provider.check())
    assert (checked.status, checked.json) == (200, {"challenge": "a-challenge"})
    assert feishu.send(feishu.provider.check("another")).status == 401
    for _ in range(3):  # each under another event id
        assert feishu.write("电脑连不上内网", id="1001").json == {}
    feishu.simulator.pump()
    assert feishu.ticket.customer.kind == "message"
    (reply,) = feishu.api.to("/open-apis/im/v1/messages/om_1001/reply")
    assert feishu.ticket.number in reply["content"]
    feishu.act("take")
    feishu.api.answers = [(NO_ANSWER, b"")]
    feishu.act("reply", text="请重启路由器")
    (waiting,) = feishu.replies()
    assert waiting.state == "retrying", "Feishu discards a repetition, so it is safe"
    feishu.simulator.tick(feishu.now + timedelta(minutes=2))
    feishu.simulator.pump()
    assert [delivery.state for delivery in feishu.replies()] == ["sent"]
    attempts = [b["uuid"] for b in feishu.api.to("/reply") if "请重启路由器" in b["content"]]
    assert len(attempts) == 2
    assert len(set(attempts)) == 1


def test_entering_and_taking_back_on_feishu_open_no_ticket(feishu: Chat) -> None:
    assert isinstance(feishu.provider, SafeFeishu)
    entered = "im.chat.access_event.bot_p2p_chat_entered_v1"
    event = {"chat_id": feishu.provider.user, "operator_id": {"open_id": "ou_0001"}}
    call = feishu.provider.call(feishu.provider.event(entered, event, feishu.now), feishu.now)
    assert feishu.send(call).status == 200
    assert feishu.tickets == []
    feishu.write("电脑连不上内网", id="1001")
    for _ in range(2):
        assert feishu.send(call).status == 200
    event = {"chat_id": feishu.provider.user, "message_id": "om_1001"}
    recalled = feishu.provider.event("im.message.recalled_v1", event, feishu.now)
    for _ in range(2):
        assert feishu.send(feishu.provider.call(recalled, feishu.now)).status == 200
    history = feishu.storage.tickets.history(DESK, feishu.ticket.number)
    notes = [event.text for commit in history for event in commit.of(NoteAdded)]
    assert ["撤回" in note for note in notes] == [False, True]
    assert feishu.written() == []
    assert quarantine_causes(feishu) == []


def test_a_ticket_on_dingtalk_survives_repetitions_and_a_time_out(dingtalk: Chat) -> None:
    for _ in range(3):
        assert dingtalk.write("VPN 连不上", id="1001").text == ""
    dingtalk.simulator.pump()
    (told,) = dingtalk.sent_messages
    assert told[0] == dingtalk.provider.user
    assert dingtalk.ticket.number in told[1]
    dingtalk.act("take")
    dingtalk.api.answers = [(NO_ANSWER, b"")]
    dingtalk.act("reply", text="请换一个节点")
    (unclear,) = dingtalk.replies()
    assert unclear.state == "dead_lettered", "DingTalk would send a repetition twice"
    assert "may" in str(unclear.cause)
    busy = b'{"processQueryKey":"K","flowControlledStaffIdList":["staff0000example1"]}'
    dingtalk.api.answers = [(200, busy)]
    dingtalk.act("reply", text="现在好了吗")
    (waiting,) = [d for d in dingtalk.replies() if d.state == "retrying"]
    assert "too many" in str(waiting.cause)
    dingtalk.simulator.tick(dingtalk.now + timedelta(minutes=2))
    dingtalk.simulator.pump()
    assert sorted(d.state for d in dingtalk.replies()) == ["dead_lettered", "sent"]
