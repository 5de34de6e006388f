"""WeCom's own risks: decryption, menus and welcome codes, session states, late failures."""

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.core.channels.base import (
    Choice,
    HttpCall,
    OutgoingMessage,
    ProviderRequest,
    ProviderResult,
    adapter,
)
from functions.core.channels.pulled import Announcement, PulledPage
from functions.core.channels.wecom import WeCom
from functions.intake.signatures import verify
from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.core.channels.provider_requests import NOW, as_json
from tests.core.channels.wecom_provider import ACCOUNT, WeCom as FakeSide

pytestmark = pytest.mark.requirement("F5")
# Computed from the formula of 加解密方案说明.
OWN: dict[str, Any] = {
    "token": "deskbelltesttoken",
    "encoding_aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    "receive_id": "ww0123456789abcdef",
}


@pytest.fixture
def wecom() -> WeCom:
    found = adapter("wecom")
    assert isinstance(found, WeCom)
    return found


def side() -> FakeSide:
    found = FAKE_PROVIDERS["wecom"]
    assert isinstance(found, FakeSide)
    return found


def body_of(call: HttpCall) -> Any:
    return json.loads(call.body)


@pytest.mark.requirement("F1", "G7")
def test_a_signature_that_is_right_over_what_cannot_be_decrypted_is_invalid() -> None:
    """The signature needs the token only; with the key, the receiver is checked too."""
    for call in (side().announce(NOW), side().check(NOW)):
        signed = {"token": side().secret["token"], **call.query}
        parts = signed if "echostr" in signed else {**signed, "body": call.body}
        key = side().secret["aes_key"]
        whole = {**parts, "encoding_aes_key": key, "receive_id": OWN["receive_id"]}
        assert verify("wecom", **parts)
        assert verify("wecom", **whole)
        for wrong in (
            {"encoding_aes_key": "B" * 43},
            {"encoding_aes_key": key[:-1]},
            {"receive_id": "ww-another"},
            {"token": "another"},
            {"msg_signature": "0" * 40},
            {"nonce": ""},
        ):
            assert not verify("wecom", **{**whole, **wrong}), wrong
    assert not verify("wecom", encoding_aes_key=OWN["encoding_aes_key"])


def test_an_announcement_is_read_with_and_without_an_account(wecom: WeCom) -> None:
    def announced(**fields: str) -> Announcement | None:
        call = side().announce(NOW, **fields)
        return wecom.announcement(call.request(NOW), {**side().secret, "open_kfid": "wk-own"})

    assert announced() == Announcement(ACCOUNT, "T1")
    assert announced(OpenKfId="") == Announcement("wk-own", "T1")
    assert announced(Event="subscribe") is None


def test_a_page_says_where_to_go_on(wecom: WeCom) -> None:
    assert wecom.page(200, b'{"errcode":0,"next_cursor":"c","has_more":1}') == PulledPage("c", True)
    assert wecom.page(200, b'{"errcode":95007}') == PulledPage(refused=True)
    for code, state in (
        (-1, "passing"),
        (45009, "passing"),
        (42001, "renew"),
        (60020, "permanent"),
    ):
        found = wecom.page(200, as_json({"errcode": code, "errmsg": "x"}))
        assert isinstance(found, ProviderResult)
        assert found.state == state
    assert isinstance(wecom.page(502, b""), ProviderResult)
    first = body_of(wecom.pull_call(Announcement(), "", side().secret, "t"))
    assert {"cursor", "token", "open_kfid"}.isdisjoint(first)


def test_late_failures_are_reported_with_their_reason(wecom: WeCom) -> None:
    event = {"event_type": "msg_send_fail", "fail_msgid": "1", "fail_type": 10}
    entry = side().entry("", NOW, origin=4, msgtype="event", event=event)
    request = ProviderRequest("POST", NOW, body=as_json({"msg_list": [entry, "x", None]}))
    (report,) = wecom.reports(request, {})
    assert (report.id, report.state, report.cause) == (
        "1", "failed", "WeCom: the customer refuses messages",
    )  # fmt: skip
    assert len(wecom.read(request, {})) == 2  # what cannot be read, to be quarantined


@pytest.mark.requirement("C1")
def test_choices_are_a_menu_and_a_welcome_uses_its_code(wecom: WeCom) -> None:
    key = "0f0e0d0c-0b0a-4908-8706-050403020100"
    choices = (Choice("1", "退款"), Choice("person", "转人工"))
    message = OutgoingMessage("wm1", "请选择", thread=ACCOUNT, key=key, choices=choices)
    call = wecom.send(message, side().secret, "t")
    sent = body_of(call)
    assert call.repeatable
    assert sent["msgid"] == key.replace("-", "")
    assert [item["click"] for item in sent["msgmenu"]["list"]] == [
        {"id": "1", "content": "退款"},
        {"id": "person", "content": "转人工"},
    ]
    long = OutgoingMessage("wm1", "长" * 400, thread=ACCOUNT, choices=choices)
    assert body_of(wecom.send(long, side().secret))["text"]["content"].endswith("退款\n转人工")
    welcome = OutgoingMessage("wm1", "您好", thread=ACCOUNT, key=key, session="a-code")
    call = wecom.send(welcome, side().secret, "t")
    assert "/kf/send_msg_on_event?" in call.url
    assert {"touser", "open_kfid"}.isdisjoint(body_of(call))
    assert body_of(call)["code"] == "a-code"


def test_a_welcome_code_answers_its_event_alone_for_twenty_seconds(wecom: WeCom) -> None:
    event = {"event_type": "enter_session", "external_userid": "wm1", "welcome_code": "c"}
    entry = side().entry("", NOW, origin=4, msgtype="event", event=event)
    body = as_json({"msg_list": [entry]})
    for seconds, code in ((19, "c"), (20, "")):
        request = ProviderRequest("POST", NOW + timedelta(seconds=seconds), body=body)
        (message,) = wecom.read(request, {})
        assert (message.session, message.session_until) == (code, None)


@pytest.mark.parametrize(
    ("state", "found"), [(0, "trans"), (1, "another state"), (3, "a colleague"), (4, "has ended")]
)
def test_a_session_is_taken_only_if_nobody_has_it(wecom: WeCom, state: int, found: str) -> None:
    message = OutgoingMessage("wm1", "x", thread=ACCOUNT)
    refused = wecom.outcome(200, b'{"errcode":95018}')
    call = wecom.unblock(message, refused, side().secret, "t")
    assert call is not None
    assert "service_state/get" in call.url
    step = wecom.unblocked(
        200, as_json({"errcode": 0, "service_state": state}), message, side().secret, "t"
    )
    if isinstance(step, HttpCall):
        assert found in step.url
        assert body_of(step)["service_state"] == 1
        done = wecom.unblocked(200, b'{"errcode":0}', message, side().secret, "t")
        assert isinstance(done, ProviderResult)
        assert done.state == "sent"
    else:
        assert found in step.cause
    other = wecom.outcome(*side().refused())
    assert wecom.unblock(message, other, side().secret, "t") is None
