"""One walk per chat channel on the running system: with repetitions, a message that is no text, and
a provider whose connection breaks.
"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from functions.core.channels.base import OutgoingMessage, ProviderRequest, adapter
from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.core.channels.provider_requests import Call, SafeWeChat, fixture_folder
from tests.core.channels.wecom_provider import WeCom
from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System, wait_until

DESK, SUPERVISOR = "standard", "supervisors-1"

NO_TEXT = {
    "dingtalk": "new-kind.json",
    "douyin": "local-image.json",
    "feishu": "image.json",
    "line": "image.json",
    "messenger": "location.json",
    "miniprogram": "image.json",
    "slack": "file.json",
    "telegram": "location.json",
    "wechat": "image.xml",
    "wecom": "media.json",
    "weibo": "image.json",
    "whatsapp": "image.json",
}
"""Channel → a fixture of the fake provider's person that is no text."""


class Person:
    """Somebody who writes on a channel to the local system's desk."""

    def __init__(self, system: System, name: str) -> None:
        self.system, self.name = system, name
        self.former = SafeWeChat() if name == "wechat" else FAKE_PROVIDERS[name]
        self.provider = copy(self.former)
        self.provider.secret = system.local["channel_secrets"][DESK][name]
        unique = f"{uuid4().int % 10**9:09}"
        self.provider.user = self.former.user[:-9] + unique
        if self.former.reply_channel:
            self.provider.reply_channel = self.former.reply_channel[:1] + unique
        self.account = f"wk{uuid4().hex}"
        self.before = len(self._taken())

    def send(self, body: bytes) -> str:
        """Let the provider send a body; return the text in the response, "" for none."""
        if isinstance(self.provider, WeCom):
            self.keep(*json.loads(body)["msg_list"])
            return self.announce()
        return self.call(self.provider.call(body, datetime.now(UTC)))

    def call(self, call: Call) -> str:
        headers = {"Content-Type": "application/json", **call.headers}
        path = call.path(f"/desks/{DESK}/channels/{self.name}")
        answer = self.system.http(call.method, path, call.body or None, headers=headers)
        assert answer.status == 200, answer.text
        return self.provider.reply_in(answer.text)

    def keep(self, *entries: Any) -> None:
        """Let WeCom have entries of the account, until they are pulled."""
        now = int(datetime.now(UTC).timestamp())
        named = [{**each, "open_kfid": self.account, "send_time": now} for each in entries]
        body = {"open_kfid": self.account, "msg_list": named}
        assert self.system.http("POST", "/_providers/wecom/written", body).status == 200

    def announce(self) -> str:
        assert isinstance(self.provider, WeCom)
        return self.call(self.provider.announce(datetime.now(UTC), OpenKfId=self.account))

    def write(self, words: str, message: str) -> str:
        return self.send(self.provider.text(words, datetime.now(UTC), id=message))

    @property
    def no_text(self) -> bytes:
        """The body of a message that is no text."""
        raw = (fixture_folder(self.name) / NO_TEXT[self.name]).read_text("utf-8")
        for former, ours in (
            (self.former.user, self.provider.user),
            (self.former.reply_channel, self.provider.reply_channel),
        ):
            raw = raw.replace(former, ours) if former else raw
        return raw.encode()

    @property
    def heard(self) -> list[str]:
        """The texts that the provider took for this person, in order."""
        to = {self.provider.user, self.provider.reply_channel}
        found = map(self.provider.sent_message, self._taken()[self.before :])
        return [text for recipient, text in found if recipient in to]

    def _taken(self) -> list[Any]:
        sent = self.system.http("GET", "/_providers/messages").json
        return [each["body"] for each in sent if each["channel"] == self.name]


def number_in(acknowledgement: str) -> str:
    found = re.search(r"CS\d{11}", acknowledgement)
    assert found is not None, acknowledgement
    return found[0]


@pytest.mark.parametrize("name", NO_TEXT)
@pytest.mark.requirement("A4", "B8", "E10", "E11", "F5", "G1", "G3", "G4", "G8")
def test_a_conversation_with_repetitions_and_a_broken_connection(system: System, name: str) -> None:
    person, journey, found = Person(system, name), SystemJourney(system, DESK), adapter(name)
    assert found is not None

    replies = {person.write("无法登录，验证码收不到", "1001") for _ in range(3)}
    assert len(replies) == 1
    (reply,) = replies
    journey.number = number_in(reply or wait_until(lambda: person.heard, "the acknowledgement")[0])

    for _ in range(2):
        person.send(person.no_text)
    request = ProviderRequest("POST", datetime.now(UTC), body=person.no_text)
    messages = found.read(request, person.provider.secret)
    assert {message.user for message in messages} == {person.provider.user}

    def texts(event: str) -> list[str]:
        return [each["text"] for each in journey.view()["messages"] if each["event"] == event]

    files = sum(len(message.media) for message in messages)
    journey.until("its files", lambda: len(texts("FilesReceived")) == files)
    assert texts("CustomerWrote") == [message.display_text("zh-CN") for message in messages]
    assert person.provider.user not in json.dumps(journey.view())

    def states(event: str = "") -> set[str]:
        sent = [each for each in journey.view()["messages"] if each["direction"] == "out"]
        return {each["delivery"] for each in sent if event in ("", each["event"])}

    journey.act(SUPERVISOR, "take")
    journey.until("who handles it is told", lambda: states() == {"sent"})
    system.http("POST", "/_providers/breaks", {"channel": name})
    journey.act(SUPERVISOR, "reply", text="请重置密码")
    example = OutgoingMessage("1", "1", thread="1", key=str(uuid4()))
    repeatable = found.send(example, person.provider.secret, "1").repeatable

    if repeatable:
        journey.until("the reply waits", lambda: states("ReplySent") == {"retrying"})
        journey.tick(datetime.now(UTC) + timedelta(minutes=2))
    settled = "sent" if repeatable else "dead_lettered"
    journey.until(f"the reply is {settled}", lambda: states("ReplySent") == {settled})
    assert sum("请重置密码" in text for text in person.heard) == 1

    journey.act(SUPERVISOR, "resolve", summary="已重置密码")
    journey.until("the survey", lambda: any("请评1-5分" in text for text in person.heard))
    for _ in range(2):
        person.write("5分，谢谢", "1002")

    def ended() -> Any:
        view = journey.view()
        return view if view["status"] == "archived" else None

    assert journey.until("its end", ended)["score"] == 5
    heard = [*person.heard, reply]
    assert sum("请求已接收" in text for text in heard) == 1
    assert len(heard) == len(set(heard))


@pytest.mark.requirement("E10", "F5", "G1", "G4")
def test_wecom_s_announcements_at_once_give_each_message_once(system: System) -> None:
    person, journey, now = Person(system, "wecom"), SystemJourney(system, DESK), datetime.now(UTC)
    wecom = person.provider
    assert isinstance(wecom, WeCom)
    check = wecom.check(now)
    verified = system.http("GET", check.path(f"/desks/{DESK}/channels/wecom"))
    assert (verified.status, verified.text) == (200, "5837397520665436492")

    first = wecom.entry("无法登录，验证码收不到", now)
    person.keep(first)
    # WeCom got no answer within its five seconds, and announces again; both times at once.
    with ThreadPoolExecutor(4) as pool:
        for announced in [pool.submit(person.announce) for _ in range(4)]:
            announced.result()
    journey.number = number_in(wait_until(lambda: person.heard, "the acknowledgement")[0])

    expired = {"msgtype": "image", "image": {"media_id": "expired-1"}}
    person.keep(
        first,
        wecom.entry("是手机端", now),
        wecom.entry("", now, **expired),
        wecom.entry("我来看看", now, origin=5, servicer_userid="LiSi"),
    )
    person.announce()

    def everything() -> str | None:
        seen = json.dumps(journey.view(), ensure_ascii=False)
        return seen if "LiSi" in seen and "40007" in seen else None

    seen = journey.until("everything is on the ticket", everything)
    assert (seen.count('"是手机端"'), seen.count("[图片]")) == (1, 1), seen
    assert wecom.user not in seen
