"""An encrypted WeChat conversation on the running system, over HTTP, with the local provider."""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime
from typing import Any

import pytest

from deskbell.client import ApiResponse
from tests.core.channels.provider_requests import Call, SafeWeChat
from tests.e2e.running_system import System, wait_until


class Account(SafeWeChat):
    """The official account that the local system created for a desk."""

    def __init__(self, system: System, desk: str = "standard") -> None:
        self.secret = system.local["channel_secrets"][desk]["wechat"]
        self.system, self.path = system, f"/desks/{desk}/channels/wechat"

    def send(self, call: Call) -> ApiResponse:
        raw = call.body or None
        return self.system.http(call.method, call.path(self.path), raw, headers=call.headers)

    def ask(self, words: str) -> str:
        """Write a message and return the passive reply, "" for none."""
        return self.reply_in(self.write(words).text)

    def write(self, words: str, **more: str) -> ApiResponse:
        now = datetime.now(UTC)
        answer = self.send(self.call(self.text(words, now, **more), now))
        assert answer.status == 200, answer.text
        return answer

    @property
    def messages(self) -> list[str]:
        """The texts of the messages that the provider got for the customer, in order."""
        with urllib.request.urlopen(
            f"{self.system.local['api']}/_providers/messages", timeout=30
        ) as answer:
            sent: Any = json.load(answer)
        return [self.sent_message(each["body"])[1] for each in sent if each["channel"] == "wechat"]


@pytest.fixture
def account(system: System) -> Account:
    return Account(system)


@pytest.mark.requirement("F5", "A4", "B8", "E10", "G1", "G8")
def test_a_wechat_conversation_goes_from_verification_to_survey(
    system: System, account: Account
) -> None:
    check = account.check(datetime.now(UTC))
    answer = account.send(check)
    assert (answer.status, answer.text) == (200, check.query["echostr"])

    first = account.reply(account.write("无法登录，验证码收不到", id="9001").text)["Content"]
    again = account.reply(account.write("无法登录，验证码收不到", id="9001").text)["Content"]
    assert first == again
    number = first.partition("工单")[2][:13]
    assert account.write("是手机端", id="9002").text == "success"

    token = system.sign_in("supervisor")
    path = f"/agent/desks/standard/tickets/{number}"
    ticket = system.http("GET", path, token=token).json
    assert ticket["customer"]["contact"].endswith(account.user[-4:])
    assert account.user not in json.dumps(ticket)
    for action, body in (
        ("take", {}),
        ("reply", {"text": "请点击“忘记密码”重置"}),
        ("resolve", {"summary": "重置密码后恢复"}),
    ):
        done = system.http("POST", f"{path}/{action}", body, token=token)
        assert done.status == 200, done.text
    wait_until(lambda: any("?key=" in words for words in account.messages), "the survey goes out")
    heard = account.messages
    assert any("请点击“忘记密码”重置" in words for words in heard)
    assert not any("已接收" in words for words in heard)  # that went with the answer
    messages = system.http("GET", path, token=token).json["messages"]
    assert {"是手机端"} <= {m["text"] for m in messages if m["direction"] == "in"}
    states = {m["delivery"] for m in messages if m["direction"] == "out"}
    assert states == {"sent"}


@pytest.mark.requirement("F5")
def test_a_request_that_wechat_did_not_sign_is_refused(account: Account) -> None:
    now = datetime.now(UTC)
    call = account.call(account.text("你好", now), now)
    forged = Call(call.body, {**call.query, "msg_signature": "0" * 40}, call.headers)
    answer = account.send(forged)
    assert (answer.status, answer.json["status"]) == (401, 401)
