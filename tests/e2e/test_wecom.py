"""A WeCom conversation on the running system: announced, pulled, answered, with duplicates."""

from __future__ import annotations

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.core.channels.wecom_provider import WeCom
from tests.e2e.running_system import System, wait_until

DESK = "standard"


class Company(WeCom):
    """The company that the local system created for a desk, and one of its customers."""

    def __init__(self, system: System) -> None:
        self.secret = system.local["channel_secrets"][DESK]["wecom"]
        self.user = f"wm{uuid4().hex[:26]}test"
        self.account = f"wk{uuid4().hex}"
        self.system = system

    def write(self, *entries: dict[str, Any]) -> None:
        """Let WeCom have entries of the account."""
        named = [{**entry, "open_kfid": self.account} for entry in entries]
        body = {"open_kfid": self.account, "msg_list": named}
        assert self.system.http("POST", "/_providers/wecom/written", body).status == 200

    def announce_it(self) -> None:
        call = self.announce(datetime.now(UTC), OpenKfId=self.account)
        path = call.path(f"/desks/{DESK}/channels/wecom")
        answer = self.system.http("POST", path, call.body, headers=call.headers)
        assert (answer.status, answer.text) == (200, "success")

    @property
    def heard(self) -> list[str]:
        """The texts that the customer got, in order."""
        url = f"{self.system.local['api']}/_providers/messages"
        with urllib.request.urlopen(url, timeout=30) as answer:
            sent: Any = json.load(answer)
        ours = [each["body"] for each in sent if each["channel"] == "wecom"]
        return [body["text"]["content"] for body in ours if body.get("touser") == self.user]


@pytest.mark.requirement("F5", "A4", "B8", "E10", "E11", "G1", "G8")
def test_a_wecom_conversation_with_duplicates_and_a_timeout(system: System) -> None:
    assert "wecom" in FAKE_PROVIDERS
    company = Company(system)
    check = company.check(datetime.now(UTC))
    verified = system.http("GET", check.path(f"/desks/{DESK}/channels/wecom"))
    assert (verified.status, verified.text) == (200, "5837397520665436492")

    now = datetime.now(UTC)
    first = company.entry("无法登录，验证码收不到", now, user=company.user)
    company.write(first)
    # WeCom got no answer within its five seconds, and announces again; both times at once.
    with ThreadPoolExecutor(4) as pool:
        for asked in [pool.submit(company.announce_it) for _ in range(4)]:
            asked.result()
    words = wait_until(lambda: company.heard, "the acknowledgement goes out")
    number = words[0].partition("工单")[2][:13]

    image = {"msgtype": "image", "image": {"media_id": "expired-1"}}
    company.write(
        first,
        company.entry("是手机端", now, user=company.user),
        company.entry("", now, user=company.user, **image),
        company.entry("我来看看", now, user=company.user, origin=5, servicer_userid="LiSi"),
    )
    company.announce_it()
    token = system.sign_in("supervisor")
    path = f"/agent/desks/{DESK}/tickets/{number}"

    def history() -> str:
        return json.dumps(system.http("GET", path, token=token).json, ensure_ascii=False)

    def everything() -> str | None:
        seen = history()
        return seen if "LiSi" in seen and "40007" in seen else None

    seen = wait_until(everything, "everything is on the ticket")
    assert (seen.count('"是手机端"'), seen.count("[图片]")) == (1, 1), seen
    assert company.user not in seen

    # A reply during which the pull is announced once more changes nothing.
    company.announce_it()
    for action, body in (("take", {}), ("reply", {"text": "请点击“忘记密码”重置"})):
        done = system.http("POST", f"{path}/{action}", body, token=token)
        assert done.status == 200, done.text
    wait_until(lambda: "忘记密码" in "".join(company.heard), "the reply goes out")
    assert sum("忘记密码" in words for words in company.heard) == 1
