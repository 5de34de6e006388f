"""Message ids are unique per person at most (G1, G4)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from functions.core.domain import events as e
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import IdempotencyRecord
from infra.simulator.simulator import Simulator
from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.core.channels.provider_requests import Call
from tests.inprocess.recording_provider import recording_provider
from tests.inprocess.test_chat import DESK, Chat, put_secret


@pytest.fixture
def wechat(simulator: Simulator, storage: Storage) -> Iterator[Chat]:
    """A person on WeChat."""
    provider = FAKE_PROVIDERS["wechat"]
    with recording_provider(provider.accepted()) as api:
        put_secret(simulator, "wechat", {**provider.secret, "api": api.url})
        yield Chat(simulator, storage, "wechat", provider, api)


@pytest.mark.requirement("G1", "G4")
def test_two_people_whose_messages_have_the_same_id_get_a_ticket_each(wechat: Chat) -> None:
    first = wechat.write("无法登录", id="2100", user="o-first")
    second = wechat.write("支付失败", id="2100", user="o-second")
    wechat.simulator.pump()
    one, other = wechat.tickets
    assert one.customer.hash != other.customer.hash
    assert one.number in first.text
    assert other.number in second.text
    assert one.number not in second.text


@pytest.mark.requirement("G1")
def test_a_repeated_message_of_one_person_changes_nothing(wechat: Chat) -> None:
    for _ in range(2):
        wechat.write("无法登录", id="2100", user="o-first")
    wechat.simulator.pump()
    assert len(wechat.tickets) == 1


def click(chat: Chat, key: str) -> Call:
    """A click on a menu entry, always in the same second."""
    body = (
        "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>"
        f"<FromUserName><![CDATA[{chat.provider.user}]]></FromUserName>"
        "<CreateTime>1893456000</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        f"<Event><![CDATA[CLICK]]></Event><EventKey><![CDATA[{key}]]></EventKey></xml>"
    )
    return chat.provider.call(body.encode(), chat.now)


@pytest.mark.requirement("G1", "G3")
def test_two_menu_clicks_within_a_second_are_two_events(wechat: Chat) -> None:
    wechat.write("无法登录")
    for key in ("ORDERS", "REFUND", "ORDERS"):
        assert wechat.send(click(wechat, key)).status == 200
    wechat.simulator.pump()
    history = wechat.storage.tickets.history(DESK, wechat.ticket.number)
    notes = [note.text for commit in history for note in commit.of(e.NoteAdded)]
    assert [key for key in ("ORDERS", "REFUND") if any(key in note for note in notes)] == [
        "ORDERS",
        "REFUND",
    ]
    assert len(notes) == 2


def test_a_former_record_of_another_person_is_no_repetition(wechat: Chat) -> None:
    wechat.write("无法登录", id="2099", user="o-first")
    wechat.simulator.pump()
    former = IdempotencyRecord(DESK, "wechat", "2100", body="filed", number=wechat.ticket.number)
    wechat.storage.idempotency.put_once(former, wechat.now, timedelta(days=1))
    wechat.write("支付失败", id="2100", user="o-second")
    wechat.simulator.pump()
    assert len(wechat.tickets) == 2
