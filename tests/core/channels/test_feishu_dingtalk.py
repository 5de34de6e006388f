"""Feishu and DingTalk: their guarantees beside those of every channel."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.core.channels import feishu
from functions.core.channels.base import (
    Adapter,
    Choice,
    HttpCall,
    MediaFile,
    OutgoingMessage,
    ProviderRequest,
    ProviderResult,
    Token,
    Unreadable,
    adapter,
)
from functions.core.channels.wechat_crypto import decrypt, encrypt, signature
from functions.intake.signatures import verify
from tests.core.channels.lark_providers import DingTalk, Feishu, SafeFeishu
from tests.core.channels.provider_requests import NOW, Call, as_json

pytestmark = pytest.mark.requirement("F5")
JSON_HEADERS = {"content-type": "application/json; charset=utf-8"}
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
SEALED = {**DingTalk.secret, "aes_key": KEY, "token": "a-token"}
SESSION = "https://oapi.dingtalk.com/robot/sendBySession?session=0000"


def of(name: str) -> Adapter:
    found = adapter(name)
    assert found is not None
    return found


def is_valid(name: str, call: Call, secret: Mapping[str, Any], at: datetime = NOW) -> bool:
    scheme, parts = of(name).signed(call.request(at), secret)
    return verify(scheme, **parts)


# Feishu: requests


@pytest.mark.parametrize("provider", [Feishu(), SafeFeishu()])
def test_feishu_s_unsigned_check_of_the_address_is_known_by_its_token(provider: Feishu) -> None:
    call = provider.check()
    assert is_valid("feishu", call, provider.secret)
    response = of("feishu").challenge(call.request(NOW), provider.secret)
    assert response is not None
    assert response.body == {"challenge": "a-challenge"}
    assert not is_valid("feishu", provider.check("another"), provider.secret)
    assert not is_valid("feishu", call, {**provider.secret, "verification_token": ""})


def test_the_token_that_checks_the_address_does_not_stand_in_for_a_signature() -> None:
    """A request that its token makes valid is answered and never read as an event."""
    body = json.loads(Feishu().text("你好", NOW))
    forged = Call(as_json({**body, "token": Feishu.secret["verification_token"]}))
    assert not is_valid("feishu", forged, Feishu.secret)
    posed = Call(as_json({**json.loads(forged.body), "type": "url_verification"}))
    assert of("feishu").challenge(posed.request(NOW), Feishu.secret) is not None


def test_an_encrypted_event_is_read_only_with_its_key() -> None:
    provider = SafeFeishu()
    request = provider.call(provider.text("无法登录", NOW), NOW).request(NOW)
    assert "无法登录".encode() not in request.body
    (message,) = of("feishu").read(request, provider.secret)
    assert message.text == "无法登录"
    for broken in ({"encrypt": "x"}, {"encrypt": "AAAA"}, {"encrypt": "A" * 64}):
        with pytest.raises(Unreadable):
            of("feishu").read(replace(request, body=as_json(broken)), provider.secret)
    with pytest.raises(Unreadable):
        of("feishu").read(request, {**provider.secret, "encrypt_key": "another"})


def test_the_constant_of_feishu_s_documentation_is_decrypted() -> None:
    assert feishu.decrypt("P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=", "test key") == (
        b"hello world"
    )


def test_a_repetition_under_another_event_id_is_the_same_message() -> None:
    first, again = (Feishu().text("支付失败", NOW, id="1") for _ in range(2))
    assert first != again
    requests = (Feishu().call(body, NOW).request(NOW) for body in (first, again))
    (one,), (two,) = (of("feishu").read(request, {}) for request in requests)
    assert one.message_id == two.message_id


@pytest.mark.parametrize(
    ("name", "secret"),
    [("feishu", {"tenant_key": "another"}), ("dingtalk", {"robot_code": "another"})],
)
def test_nothing_of_another_tenant_is_read(name: str, secret: Mapping[str, Any]) -> None:
    provider = {"feishu": Feishu(), "dingtalk": DingTalk()}[name]
    request = provider.call(provider.text("你好", NOW), NOW).request(NOW)
    own = {"tenant_key": "tenant0001", "robot_code": "dingrobot0001"}
    assert len(of(name).read(request, {**provider.secret, **own})) == 1
    with pytest.raises(Unreadable):
        of(name).read(request, {**provider.secret, **secret})


# Feishu: answers


def test_a_reply_goes_to_the_message_and_is_deduplicated() -> None:
    message = OutgoingMessage(Feishu.user, '请重启 <at user_id="all">', "om_1", key="uuid-1")
    call = of("feishu").send(message, Feishu.secret, "t-1")
    assert call.url == "https://open.feishu.cn/open-apis/im/v1/messages/om_1/reply"
    assert call.headers["Authorization"] == "Bearer t-1"
    assert call.repeatable
    body = json.loads(call.body)
    assert (body["uuid"], body["msg_type"]) == ("uuid-1", "text")
    assert "<at" not in json.loads(body["content"])["text"], "it would mention everybody"
    for user, kind in ((Feishu.user, "chat_id"), ("oc_1/ou_1", "open_id")):
        direct = of("feishu").send(replace(message, user=user, thread=""), {}, "t")
        assert direct.url.endswith(f"/im/v1/messages?receive_id_type={kind}")
        assert json.loads(direct.body)["receive_id"] == user.rpartition("/")[2]


@pytest.mark.parametrize("user", ["oc_1", "oc_1/ou_1"])
def test_the_button_that_a_person_taps_is_the_choice_on_the_card(user: str) -> None:
    choices = (Choice("invoice", "开发票"), Choice("none", "都不是"))
    message = OutgoingMessage(user, "请选择", "om_1", key="k", choices=choices)
    body = json.loads(of("feishu").send(message, Feishu.secret, "t").body)
    assert body["msg_type"] == "interactive"
    card = json.loads(body["content"])
    assert card["elements"][0]["text"]["content"] == "请选择"
    button = card["elements"][1]["actions"][1]
    assert button["text"]["content"] == "都不是"
    event = {
        "operator": {"open_id": "ou_1"},
        "action": {"tag": "button", "value": button["value"]},
        "context": {"open_message_id": "om_card", "open_chat_id": "oc_1"},
    }
    request = Feishu().call(Feishu().event("card.action.trigger", event, NOW), NOW).request(NOW)
    (tapped,) = of("feishu").read(request, Feishu.secret)
    assert (tapped.choice, tapped.text, tapped.kind) == ("none", "都不是", "text")
    assert (tapped.user, tapped.thread) == (user, "om_card")
    assert of("feishu").answer(request, Feishu.secret).body == {}


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [
        (400, 230020, "passing"), (200, 99991400, "passing"), (400, 230049, "passing"),
        (500, 230001, "passing"), (400, 99991663, "renew"), (401, 99991677, "renew"),
        (400, 230013, "permanent"), (400, 230011, "permanent"), (200, 1, "permanent"),
    ],
)  # fmt: skip
def test_feishu_s_codes_have_their_meaning(status: int, code: int, state: str) -> None:
    found = of("feishu").outcome(status, as_json({"code": code, "msg": "words"}))
    assert found.state == state
    assert str(code) in found.cause


def test_access_tokens_are_read() -> None:
    secret = {**Feishu.secret, **DingTalk.secret}
    for name, path, body in (
        ("feishu", "/tenant_access_token/internal", {"tenant_access_token": "t", "expire": 7200}),
        ("dingtalk", "/oauth2/accessToken", {"accessToken": "t", "expireIn": 7200}),
    ):
        call = of(name).token_call(secret, renew=False)
        assert call is not None
        assert call.url.endswith(path)
        assert of(name).token(200, as_json({"code": 0, **body})) == Token("t", 7200)
    refused = of("feishu").token(200, b'{"code":10014,"msg":"app secret invalid"}')
    assert refused == ProviderResult("permanent", cause="Feishu 10014: the app secret is wrong")


# Media


def test_feishu_s_files_are_fetched_with_their_message() -> None:
    call = of("feishu").media_call("om_1/img_v3_1", Feishu.secret, "t")
    assert call is not None
    assert call.url.endswith("/im/v1/messages/om_1/resources/img_v3_1?type=image")
    assert (call.method, call.headers["Authorization"]) == ("GET", "Bearer t")
    other = of("feishu").media_call("om_1/file_v3_1", Feishu.secret, "t")
    assert other is not None
    assert other.url.endswith("type=file")
    headers = {"content-type": "text/plain", "content-disposition": 'attachment; filename="a.txt"'}
    media = of("feishu").media(200, headers, b"log", Feishu.secret)
    assert media == MediaFile(b"log", "text/plain", "a.txt")
    refused = of("feishu").media(400, JSON_HEADERS, b'{"code":99991663}', Feishu.secret)
    assert isinstance(refused, ProviderResult)
    assert refused.state == "renew"


def test_a_forwarded_chat_becomes_a_text_file() -> None:
    call = of("feishu").media_call("om_14", Feishu.secret, "t")
    assert call is not None
    assert call.url.endswith("/im/v1/messages/om_14")
    items = [
        {"msg_type": "merge_forward", "body": {"content": "{}"}},
        {"msg_type": "text", "body": {"content": '{"text":"@_user_1 打印机坏了"}'},
         "mentions": [{"key": "@_user_1", "name": "示例"}]},
        {"msg_type": "file", "body": {"content": '{"file_key":"f","file_name":"日志.txt"}'}},
    ]  # fmt: skip
    body = as_json({"code": 0, "data": {"items": items}})
    media = of("feishu").media(200, JSON_HEADERS, body, Feishu.secret)
    assert isinstance(media, MediaFile)
    assert media.content.decode() == "打印机坏了\n[file] 日志.txt"


def test_dingtalk_names_the_address_of_a_file() -> None:
    call = of("dingtalk").media_call("DC1", {**DingTalk.secret, "robot_code": "r"}, "t")
    assert call is not None
    assert json.loads(call.body) == {"downloadCode": "DC1", "robotCode": "r"}
    assert call.headers["x-acs-dingtalk-access-token"] == "t"
    body = as_json({"downloadUrl": "http://down.dingtalk.com/a?b=c"})
    further = of("dingtalk").media(200, JSON_HEADERS, body, DingTalk.secret, "t")
    assert further == HttpCall("https://down.dingtalk.com/a?b=c", b"", {}, "GET", repeatable=True)
    file = of("dingtalk").media(200, {"content-type": "image/png"}, b"png", DingTalk.secret, "t")
    assert file == MediaFile(b"png", "image/png")


# DingTalk: answers


def test_an_answer_goes_to_the_session_while_there_is_one() -> None:
    message = OutgoingMessage(DingTalk.user, "请重启", session=SESSION)
    call = of("dingtalk").send(message, DingTalk.secret, "t")
    assert call.url == SESSION
    assert "x-acs-dingtalk-access-token" not in call.headers
    assert not call.repeatable, "DingTalk discards no repetition"
    group = of("dingtalk").send(replace(message, user=f"cid/1==/{DingTalk.user}"), {}, "t")
    assert json.loads(group.body)["at"] == {"atUserIds": [DingTalk.user]}
    local = of("dingtalk").send(message, {"api": "http://127.0.0.1:9/"}, "t")
    assert local.url == "http://127.0.0.1:9/robot/sendBySession?session=0000"


@pytest.mark.parametrize(
    "session",
    ["", "http://oapi.dingtalk.com/x", "https://dingtalk.com.example.com/x",
     "https://example.com/.dingtalk.com/x", "https://a@example.com#.dingtalk.com/x",
     "https://oapi.dingtalk.com@example.com/x", "https://oapi.dingtalk.com:8443/x"],
)  # fmt: skip
def test_another_host_s_session_gets_no_answer(session: str) -> None:
    """DingTalk does not sign the message that names it."""
    message = OutgoingMessage(f"cid==/{DingTalk.user}", "请重启", session=session)
    call = of("dingtalk").send(message, DingTalk.secret, "t")
    assert call.url == "https://api.dingtalk.com/v1.0/robot/oToMessages/batchSend"
    assert json.loads(call.body)["userIds"] == [DingTalk.user]


def test_a_session_ends_before_dingtalk_ends_it() -> None:
    request = DingTalk().call(DingTalk().text("你好", NOW), NOW).request(NOW)
    (message,) = of("dingtalk").read(request, DingTalk.secret)
    assert message.session == SESSION
    assert message.session_until is not None
    assert timedelta(minutes=85) < message.session_until - NOW < timedelta(minutes=90)


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (200, {"errcode": 0, "errmsg": "ok"}, "sent"),
        (200, {"errcode": 300001, "errmsg": "session 不存在"}, "permanent"),
        (200, {"errcode": 130101, "errmsg": "send too fast"}, "passing"),
        (200, {"processQueryKey": "K", "invalidStaffIdList": ["x"]}, "permanent"),
        (200, {"processQueryKey": "K", "flowControlledStaffIdList": ["x"]}, "passing"),
        (200, {"processQueryKey": "K", "invalidStaffIdList": []}, "sent"),
        (401, {"code": "InvalidAuthentication", "message": "不合法的access_token"}, "renew"),
        (403, {"code": "Forbidden.AccessDenied.QpsLimitForApi", "message": "x"}, "passing"),
        (400, {"code": "staffId.notExisted", "message": "x"}, "permanent"),
    ],
)  # fmt: skip
def test_dingtalk_s_lists_and_codes_decide(status: int, body: Any, state: str) -> None:
    assert of("dingtalk").outcome(status, as_json(body)).state == state


# DingTalk: encryption


def sealed_event(body: bytes) -> Call:
    """Return an encrypted event (配置HTTP推送)."""
    sealed = encrypt(body, KEY, DingTalk.secret["app_key"])
    stamp = str(int(NOW.timestamp() * 1000))
    signed = signature("a-token", stamp, "nonce-1", sealed)
    query = {"msg_signature": signed, "timestamp": stamp, "nonce": "nonce-1"}
    return Call(as_json({"encrypt": sealed}), query)


def test_an_encrypted_event_is_verified_read_and_answered_encrypted() -> None:
    call = sealed_event(DingTalk().text("无法登录", NOW))
    assert is_valid("dingtalk", call, SEALED)
    assert not is_valid("dingtalk", call, SEALED, NOW + timedelta(hours=2))
    assert not is_valid("dingtalk", call, {**SEALED, "token": "another"})
    assert not is_valid("dingtalk", call, DingTalk.secret)
    (message,) = of("dingtalk").read(call.request(NOW), SEALED)
    assert message.text == "无法登录"
    check = sealed_event(b'{"EventType":"check_url"}').request(NOW)
    assert of("dingtalk").read(check, SEALED) == ()
    answer = of("dingtalk").answer(check, SEALED).body
    assert isinstance(answer, dict)
    parts = (answer[name] for name in ("timeStamp", "nonce", "encrypt"))
    assert answer["msg_signature"] == signature("a-token", *parts)
    assert decrypt(answer["encrypt"], KEY, "dingrobot0001") == b"success"
    assert of("dingtalk").answer(check, {**SEALED, "aes_key": "short"}).body == ""


def test_a_bot_with_an_aes_key_takes_no_plain_message() -> None:
    plain = DingTalk().call(DingTalk().text("你好", NOW), NOW)
    assert is_valid("dingtalk", plain, DingTalk.secret)
    assert not is_valid("dingtalk", plain, SEALED)
    sealed = replace(plain, body=sealed_event(plain.body).body)
    assert is_valid("dingtalk", sealed, SEALED)
    (message,) = of("dingtalk").read(sealed.request(NOW), SEALED)
    assert message.text == "你好"
    with pytest.raises(Unreadable):
        of("dingtalk").read(ProviderRequest("POST", NOW, body=b'{"encrypt":"eA=="}'), SEALED)
