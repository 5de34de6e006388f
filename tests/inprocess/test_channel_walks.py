"""One walk per chat channel, with repetitions, a message that is no text, and a provider that does
not respond.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from functions.core.channels.base import OutgoingMessage, ProviderRequest, adapter
from functions.core.deliver.message import token_cache
from functions.core.domain.ticket import OPEN
from functions.core.storage.database import Storage
from infra.simulator.simulator import Simulator
from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.core.channels.provider_requests import expected, fixture_folder
from tests.inprocess.recording_provider import NO_ANSWER, recording_provider
from tests.inprocess.test_chat import Chat, put_secret

pytestmark = pytest.mark.requirement("G1", "G3", "B8", "E10", "F5")

WALKED = {
    "douyin": "card.json",
    "dingtalk": "new-kind.json",
    "feishu": "location.json",
    "line": "location.json",
    "messenger": "location.json",
    "miniprogram": "card.json",
    "slack": "file.json",
    "telegram": "location.json",
    "wechat": "location.xml",
    "weibo": "image.json",
    "whatsapp": "location.json",
}
"""Channel → a fixture of the fake provider's person that is no text."""

PICTURE = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"

FIRST, *OTHERS = WALKED
"""Channels: the tests of every change walk the first one."""


@pytest.fixture(params=[FIRST, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)])
def chat(request: pytest.FixtureRequest, simulator: Simulator, storage: Storage) -> Iterator[Chat]:
    """A person on each channel."""
    provider = FAKE_PROVIDERS[request.param]
    token_cache.cache_clear()
    with recording_provider(provider.accepted()) as api:
        put_secret(simulator, request.param, {**provider.secret, "api": api.url})
        yield Chat(simulator, storage, request.param, provider, api)


def test_a_conversation_goes_from_the_first_message_to_the_survey(chat: Chat) -> None:
    found, provider = adapter(chat.name), chat.provider
    assert found is not None

    first = [chat.write("无法登录", id="1001").text for _ in range(3)]
    assert len(set(first)) == 1
    chat.simulator.pump()
    said = [provider.reply_in(first[0]), *(text for _, text in chat.sent_messages)]
    assert sum(chat.ticket.number in text for text in said) == 1, "one acknowledgement"

    chat.api.files = {"": (200, "image/gif", PICTURE)}
    other = fixture_folder(chat.name) / WALKED[chat.name]
    for _ in range(2):
        assert chat.send(provider.call(other.read_bytes(), chat.now)).status == 200
    request = ProviderRequest("POST", chat.now, body=other.read_bytes())
    (message,) = found.read(request, provider.secret)
    assert message.user == provider.user
    assert expected(chat.name)[other.name]
    assert [each.text for each in chat.written()] == [message.display_text("zh-CN")]

    chat.simulator.pump()
    assert len(chat.api.fetched) == len(message.media)

    chat.act("take")
    chat.api.answers = [(NO_ANSWER, b"")]
    chat.act("reply", text="请重置密码")
    repeatable = found.send(OutgoingMessage("1", "1", key="1"), provider.secret, "1").repeatable
    (reply,) = chat.replies()
    assert reply.state == ("retrying" if repeatable else "dead_lettered")
    chat.act("reply", text="请再重置一次")
    for words in ("请重置密码", "请再重置一次"):
        assert sum(words in text for _, text in chat.sent_messages) == 1, words

    chat.act("resolve", summary="已重置密码")
    assert chat.ticket.status not in OPEN
    for _ in range(2):
        chat.write("5分，谢谢", id="1002")
    assert (chat.ticket.status, chat.ticket.score) == ("archived", 5)
    assert {to for to, _ in chat.sent_messages} == {provider.reply_channel or provider.user}
