"""Mini-programs, Weibo and Douyin: the behaviour that only they have."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from functions.core.channels.base import (
    Adapter,
    HttpCall,
    IncomingMessage,
    MediaFile,
    OutgoingMessage,
    ProviderResult,
    Token,
    Unreadable,
    adapter,
)
from functions.intake.signatures import verify
from tests.core.channels.china_providers import Douyin, MiniProgram, SafeMiniProgram, Weibo
from tests.core.channels.provider_requests import NOW, Call, WeChat, as_json

pytestmark = pytest.mark.requirement("F5", "G1", "B8")


def adapter_of(name: str) -> Adapter:
    found = adapter(name)
    assert found is not None
    return found


def read(name: str, call: Call, secret: Mapping[str, Any]) -> IncomingMessage:
    (message,) = adapter_of(name).read(call.request(NOW), secret)
    return message


def test_an_encrypted_json_message_is_verified_and_read() -> None:
    """Its MsgId is beyond 2^53 and keeps its digits."""
    found, provider = adapter_of("miniprogram"), SafeMiniProgram()
    call = provider.call(provider.text("怎么退货？😀", NOW, id="25000000000000003"), NOW)
    scheme, parts = found.signed(call.request(NOW), provider.secret)
    assert scheme == "wechat_aes"
    assert verify(scheme, **parts)
    message = read("miniprogram", call, provider.secret)
    assert (message.text, message.message_id) == ("怎么退货？😀", "25000000000000003")
    with pytest.raises(Unreadable):
        found.read(call.request(NOW), {**provider.secret, "app_id": "wx-another"})


@pytest.mark.parametrize("provider", [MiniProgram(), SafeMiniProgram()], ids=["plain", "safe"])
def test_a_mini_program_may_choose_xml(provider: WeChat) -> None:
    body = WeChat().text("你好", NOW, id="7")
    message = read("miniprogram", provider.call(body, NOW), provider.secret)
    assert (message.text, message.message_id, message.user) == ("你好", "7", provider.user)


@pytest.mark.parametrize("name", ["miniprogram", "wechat"])
def test_wechat_s_files_come_by_id_and_a_video_by_a_link(name: str) -> None:
    found, secret = adapter_of(name), WeChat.secret
    call = found.media_call("MEDIA/1", secret, "token")
    assert call is not None
    assert (call.method, call.url) == (
        "GET",
        "https://api.weixin.qq.com/cgi-bin/media/get?access_token=token&media_id=MEDIA%2F1",
    )
    headers = {"content-type": "image/jpeg", "content-disposition": 'attachment; filename="a.jpg"'}
    assert found.media(200, headers, b"\xff", secret) == MediaFile(b"\xff", "image/jpeg", "a.jpg")
    text = {"content-type": "text/plain"}
    assert found.media(200, text, b"a,b", secret) == MediaFile(b"a,b", "text/plain")
    link = found.media(200, text, b'{"video_url":"http://example.com/v"}', secret)
    assert isinstance(link, HttpCall)
    assert link.url == "https://example.com/v"
    refused = found.media(200, text, b'{"errcode":40001,"errmsg":"invalid credential"}', secret)
    assert isinstance(refused, ProviderResult)
    assert refused.state == "renew"


def test_a_weibo_message_is_told_by_person_time_and_text() -> None:
    provider = Weibo()

    def key(words: str, **changed: Any) -> str:
        body = json.loads(provider.text(words, NOW, id="1")) | changed
        return read("weibo", provider.call(as_json(body), NOW), provider.secret).message_id

    once = key("在吗")
    assert once == key("在吗")
    later, another = {"created_at": "Tue Mar 10 12:00:01 +0800 2026"}, {"sender_id": 2000000002}
    assert len({once, key("在"), key("在吗", **later), key("在吗", **another)}) == 4


def test_a_weibo_answer_swaps_the_ids_and_has_fewer_than_300_characters() -> None:
    """The example of 发送被动响应消息."""
    found = adapter_of("weibo")
    request = Call().request(NOW)
    message = IncomingMessage("2000000001", "1", account="1000000001")
    assert found.answer(request, {}, message, "中文消息").body == {
        "result": True,
        "sender_id": "1000000001",
        "receiver_id": "2000000001",
        "type": "text",
        "data": "%7B%22text%22%3A%22%E4%B8%AD%E6%96%87%E6%B6%88%E6%81%AF%22%7D",
    }
    for long in ("长" * 300, "😀" * 300):
        body: Any = found.answer(request, {}, message, long).body
        words = json.loads(unquote(body["data"]))["text"]
        assert words.endswith("…")
        assert len(words.encode("utf-16-le")) // 2 < 300
    assert found.answer(request, {}, message).body == ""


@pytest.mark.parametrize(
    ("name", "status", "body", "state"),
    [
        ("weibo", 200, {"result": True}, "sent"),
        ("weibo", 200, {"result": False}, "permanent"),
        ("weibo", 403, {"error": "rate", "error_code": 10023}, "passing"),
        ("weibo", 200, {"error": "expired_token", "error_code": 21327}, "permanent"),
        ("douyin", 200, {"err_no": 0, "err_msg": ""}, "sent"),
        ("douyin", 200, {"data": {"error_code": 0}, "extra": {"error_code": 2190008}}, "renew"),
        ("douyin", 200, {"err_no": 28001005}, "passing"),
        ("douyin", 200, {"data": {"error_code": 28003070}}, "permanent"),
        ("douyin", 200, {"message": "success"}, "permanent"),
        ("miniprogram", 200, {"errcode": -1, "errmsg": "system busy"}, "passing"),
        ("miniprogram", 200, {"errcode": 42001, "errmsg": "expired"}, "renew"),
    ],
)
def test_a_response_has_its_meaning(
    name: str, status: int, body: dict[str, Any], state: str
) -> None:
    assert adapter_of(name).outcome(status, as_json(body)).state == state


def test_douyin_s_challenge_is_answered_with_its_number() -> None:
    found, secret = adapter_of("douyin"), Douyin.secret
    for content in ({"challenge": 12345}, '{"challenge": 12345}'):
        call = Douyin().call(as_json({"event": "verify_webhook", "content": content}), NOW)
        response = found.challenge(call.request(NOW), secret)
        assert response is not None
        assert (response.body, response.content_type) == ({"challenge": 12345}, "application/json")
    assert found.challenge(Call(b"[1").request(NOW), secret) is None


def test_a_douyin_message_answers_the_newest_one() -> None:
    """An entrance can be answered too, and does not replace the person's message."""
    found, provider = adapter_of("douyin"), Douyin()
    first = read("douyin", provider.call(provider.text("在吗", NOW, id="@1"), NOW), provider.secret)
    body = json.loads(provider.text("", NOW, id="@2")) | {"event": "im_enter_direct_msg"}
    entered = read("douyin", provider.call(as_json(body), NOW), provider.secret)
    assert (entered.kind, entered.session) == ("subscribed", "")
    assert first.session_until == NOW + timedelta(hours=24)
    message = OutgoingMessage(first.user, "您好", thread=first.thread)
    for sent, scene, message_id in (
        (message, "im_reply_msg", "@1"),
        (replace(message, session="im_reply_msg @3"), "im_reply_msg", "@3"),
        (replace(message, thread=entered.thread), "im_enter_direct_msg", "@2"),
    ):
        call = found.send(sent, provider.secret, "token")
        content = json.loads(call.body)
        assert (content["scene"], content["msg_id"]) == (scene, message_id)
        assert content["conversation_id"] == "@conversation+1/="
        assert call.headers["access-token"] == "token"
        assert parse_qs(urlsplit(call.url).query) == {"open_id": [provider.secret["open_id"]]}


def test_douyin_s_access_token_comes_from_the_refresh_token() -> None:
    found = adapter_of("douyin")
    data = {"access_token": "act.1", "expires_in": "1296000", "error_code": 0}
    assert found.token(200, as_json({"data": data})) == Token("act.1", 1296000)
    for code in (10008, 10010):
        refused = found.token(200, as_json({"data": {"error_code": code, "description": "x"}}))
        assert isinstance(refused, ProviderResult)
        assert refused.state == "permanent"


def test_douyin_gives_a_link_to_a_file() -> None:
    found, secret = adapter_of("douyin"), Douyin.secret
    call = found.media_call("@conversation+1/= @5", secret, "token")
    assert call is not None
    assert parse_qs(urlsplit(call.url).query) == {
        "open_id": [secret["open_id"]],
        "conversation_id": ["@conversation+1/="],
        "message_id": ["@5"],
    }
    answer = as_json({"err_no": 0, "data": {"media_type": "image", "url": "https://example.com/f"}})
    as_json_text = {"content-type": "application/json"}
    link = found.media(200, as_json_text, answer, secret, "token")
    assert isinstance(link, HttpCall)
    assert link.headers == {"Access-Token": "token", "OpenID": secret["open_id"]}
    picture = found.media(200, {"content-type": "image/png"}, b"\x89PNG", secret, "token")
    assert picture == MediaFile(b"\x89PNG", "image/png")
    emoji = found.media_call("https://example.com/e.gif", secret, "token")
    assert emoji is not None
    assert (emoji.url, emoji.headers) == ("https://example.com/e.gif", {}), "no token for others"
    refused = found.media(200, as_json_text, b'{"err_no":28001008}', secret)
    assert isinstance(refused, ProviderResult)
    assert refused.state == "renew"
