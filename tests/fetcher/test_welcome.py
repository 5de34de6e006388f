"""The assistant welcomes whoever enters, by the event's code, within its twenty seconds."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from functions.core.deliver.message import token_cache
from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.core.channels.wecom_provider import ACCOUNT, WeCom, wecom_server
from tests.fetcher.conftest import Account
from tests.inprocess.desk_journey import SimulatedJourney
from tests.inprocess.test_assistant import Chat, journey
from tests.inprocess.test_chat import put_secret

__all__ = ["journey"]  # a fixture


@pytest.fixture
def entered(journey: SimulatedJourney) -> Iterator[Account]:
    """An account of a desk with an assistant."""
    token_cache.cache_clear()
    provider = FAKE_PROVIDERS["wecom"]
    assert isinstance(provider, WeCom)
    with wecom_server() as server:
        put_secret(journey.simulator, "wecom", {**provider.secret, "api": server.url})
        Chat(journey).begin()  # which builds the index
        yield Account(journey.simulator, journey.storage, server, provider)


@pytest.mark.requirement("C1", "C3", "E10")
def test_who_enters_is_welcomed_by_the_code_and_later_without_it(entered: Account) -> None:
    entered.happen("enter_session", scene="1", welcome_code="a-code")
    entered.announce()
    ((_, welcome),) = [call for call in entered.server.calls if "send_msg" in call[0]]
    assert welcome["code"] == "a-code"
    assert "您好" in welcome["msgmenu"]["head_content"]
    assert [each["click"]["content"] for each in welcome["msgmenu"]["list"]] == ["转人工"]
    entered.write("我的退款怎么还没到账")
    entered.announce()
    (answer,) = [body for body in entered.server.to("send_msg") if "touser" in body]
    assert "refund-status的回答" in answer["msgmenu"]["head_content"]
    assert (answer["touser"], answer["open_kfid"]) == (entered.provider.user, ACCOUNT)
    assert entered.tickets == []


def test_a_code_that_is_too_old_is_not_used(entered: Account) -> None:
    about: dict[str, Any] = {"event_type": "enter_session", "external_userid": "wm-late"}
    event = {**about, "open_kfid": ACCOUNT, "welcome_code": "late"}
    at = entered.now - timedelta(seconds=40)
    entry = entered.provider.entry("", at, origin=4, msgtype="event", event=event)
    entered.server.api.write(ACCOUNT, entry)
    entered.announce()
    assert all("code" not in body for body in entered.server.to("send_msg"))
