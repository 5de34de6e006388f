"""One walk per chat channel on the running system: with repetitions, a message that is no text, and
a provider whose connection breaks.
"""

from __future__ import annotations

import json
import re
import urllib.request
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from functions.core.channels.base import OutgoingMessage, ProviderRequest, adapter
from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.core.channels.provider_requests import fixture_folder
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
        self.former = FAKE_PROVIDERS[name]
        self.provider = copy(self.former)
        self.provider.secret = system.local["channel_secrets"][DESK][name]
        unique = f"{uuid4().int % 10**9:09}"
        self.provider.user = self.former.user[:-9] + unique
        if self.former.reply_channel:
            self.provider.reply_channel = self.former.reply_channel[:1] + unique
        self.account = f"wk{uuid4().hex}"

    def send(self, body: bytes) -> str:
        """Let the provider send a body; return the text in the response, "" for none."""
        now, path = datetime.now(UTC), f"/desks/{DESK}/channels/{self.name}"
        if isinstance(self.provider, WeCom):
            entries = [
                {**entry, "open_kfid": self.account, "send_time": int(now.timestamp())}
                for entry in json.loads(body)["msg_list"]
            ]
            written = {"open_kfid": self.account, "msg_list": entries}
            self.system.http("POST", "/_providers/wecom/written", written)
            call = self.provider.announce(now, OpenKfId=self.account)
        else:
            call = self.provider.call(body, now)
        headers = {"Content-Type": "application/json", **call.headers}
        answer = self.system.http(call.method, call.path(path), call.body, headers=headers)
        assert answer.status == 200, answer.text
        return self.provider.reply_in(answer.text)

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
        url = f"{self.system.local['api']}/_providers/messages"
        with urllib.request.urlopen(url, timeout=30) as answer:
            sent: Any = json.load(answer)
        ours = [each["body"] for each in sent if each["channel"] == self.name]
        to = {self.provider.user, self.provider.reply_channel}
        found = [self.provider.sent_message(body) for body in ours]
        return [text for recipient, text in found if recipient in to]


@pytest.mark.parametrize("name", NO_TEXT)
@pytest.mark.requirement("A4", "B8", "E10", "E11", "F5", "G1", "G3", "G4", "G8")
def test_a_conversation_with_repetitions_and_a_broken_connection(system: System, name: str) -> None:
    person, journey, found = Person(system, name), SystemJourney(system, DESK), adapter(name)
    assert found is not None

    replies = {person.write("无法登录，验证码收不到", "1001") for _ in range(3)}
    assert len(replies) == 1
    (reply,) = replies
    acknowledged = reply or wait_until(lambda: person.heard, "the acknowledgement")[0]
    number = re.search(r"CS\d{11}", acknowledged)
    assert number is not None, acknowledged
    journey.number = number[0]

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
    assert sum("收到" in text or "受理" in text for text in heard) >= 1
    assert len(heard) == len(set(heard))
