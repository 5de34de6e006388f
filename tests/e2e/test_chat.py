"""An encrypted WeChat account on the running system, over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from deskbell.client import ApiResponse
from tests.core.channels.provider_requests import Call, SafeWeChat
from tests.e2e.running_system import System


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


@pytest.fixture
def account(system: System) -> Account:
    return Account(system)


@pytest.mark.requirement("F5")
def test_only_what_wechat_signed_is_answered(account: Account) -> None:
    now = datetime.now(UTC)
    check = account.check(now)
    answer = account.send(check)
    assert (answer.status, answer.text) == (200, check.query["echostr"])
    call = account.call(account.text("你好", now), now)
    forged = Call(call.body, {**call.query, "msg_signature": "0" * 40}, call.headers)
    answer = account.send(forged)
    assert (answer.status, answer.json["status"]) == (401, 401)
