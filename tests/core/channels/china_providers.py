"""Fake providers of channels in mainland China: mini-programs, Weibo, Douyin."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import unquote
from uuid import uuid4

from tests.core.channels.provider_requests import (
    JSON,
    Call,
    FakeProvider,
    SafeWeChat,
    WeChat,
    as_json,
    sha1,
)


class MiniProgram(WeChat):
    """A mini-program that has chosen JSON, with plain messages."""

    closed = 200, b'{"errcode":45047,"errmsg":"out of response count"}'

    def call(self, body: bytes, now: datetime) -> Call:
        return Call(body, self.query(now), {"Content-Type": JSON})

    def text(self, words: str, now: datetime, **more: str) -> bytes:
        given = more.get("id") or str(uuid4().int % 10**17)
        message = {
            "ToUserName": "gh_0123456789ab",
            "FromUserName": more.get("user", self.user),
            "CreateTime": int(now.timestamp()),
            "MsgType": "text",
            "Content": words,
            "MsgId": int(given) if given.isdecimal() else given,
        }
        return as_json(message)

    def reply_in(self, answer: str) -> str:
        assert answer == "success"
        return ""


class SafeMiniProgram(MiniProgram):
    """A mini-program that encrypts (安全模式), in JSON."""

    signs_body: ClassVar[bool] = True

    def call(self, body: bytes, now: datetime) -> Call:
        encrypted, query = SafeWeChat().encrypt(body), self.query(now)
        stamp, nonce = query["timestamp"], query["nonce"]
        signature = sha1(self.secret["token"], stamp, nonce, encrypted)
        query |= {"encrypt_type": "aes", "msg_signature": signature}
        sealed = as_json({"ToUserName": "gh_0123456789ab", "Encrypt": encrypted})
        return Call(sealed, query, {"Content-Type": JSON})


class Weibo(FakeProvider):
    """A verified account."""

    secret: Mapping[str, Any] = {
        "app_secret": "an app secret for tests",
        "access_token": "2.00a-token-for-tests",
    }
    user: str = "2000000001"
    signs_body: ClassVar[bool] = False
    signs_time: ClassVar[bool] = True

    def query(self, now: datetime, nonce: str = "57155157") -> dict[str, str]:
        stamp = str(int(now.timestamp() * 1000))
        signature = sha1(self.secret["app_secret"], stamp, nonce)
        return {"signature": signature, "timestamp": stamp, "nonce": nonce}

    def check(self, now: datetime) -> Call:
        """Return the URL-verification request."""
        return Call(query={**self.query(now), "echostr": "dnPdpTZz85"}, method="GET")

    def call(self, body: bytes, now: datetime) -> Call:
        return Call(body, self.query(now), {"Content-Type": JSON})

    def text(self, words: str, now: datetime, **more: str) -> bytes:
        # There is no id. `data` is empty for a text; here it tells messages of one second apart.
        user = "".join(c if c.isdigit() else "9" for c in more.get("user", self.user))
        message = {
            "type": "text",
            "receiver_id": 1000000001,
            "sender_id": int(user),
            "created_at": "Tue Mar 10 12:00:00 +0800 2026",
            "text": words,
            "data": {"id": more.get("id") or uuid4().hex},
        }
        return as_json(message)

    def reply_in(self, answer: str) -> str:
        if not answer:
            return ""
        reply = json.loads(answer)
        assert (reply["result"], reply["sender_id"], reply["type"]) == (True, "1000000001", "text")
        text: str = json.loads(unquote(reply["data"]))["text"]
        assert len(text) < 300
        return text

    def accepted(self) -> bytes:
        return b'{"result":true,"receiver_id":2000000001,"type":"text"}'

    def refused(self) -> tuple[int, bytes]:
        return 403, b'{"error":"Insufficient app permissions!","error_code":10014}'

    def sent_message(self, body: Mapping[str, Any]) -> tuple[str, str]:
        assert body["type"] == "text"
        return body["receiver_id"], json.loads(body["data"])["text"]


class Douyin(FakeProvider):
    """A business account that has authorised an app."""

    secret: Mapping[str, Any] = {
        "client_secret": "a client secret for tests",
        "client_key": "aw000000000000000",
        "open_id": "b0000000-0000-4000-8000-000000000009",
        "refresh_token": "rft.a-token-for-tests",
    }
    user: str = "a0000000-0000-4000-8000-000000000001"
    closed = 200, b'{"extra":{"error_code":28003081,"description":"more than 24 hours"}}'

    def call(self, body: bytes, now: datetime) -> Call:
        signed = self.secret["client_secret"].encode() + body
        signature = hashlib.sha1(signed, usedforsecurity=False).hexdigest()
        return Call(body, {}, {"Content-Type": JSON, "X-Douyin-Signature": signature})

    def text(self, words: str, now: datetime, **more: str) -> bytes:
        user = more.get("user", self.user)
        content = {
            "conversation_short_id": "@conversation+1/=",
            "server_message_id": more.get("id") or uuid4().hex,
            "conversation_type": 1,
            "message_type": "text",
            "create_time": int(now.timestamp() * 1000),
            "source": "",
            "user_infos": [{"open_id": user, "nick_name": "示例", "avatar": ""}],
            "text": words,
        }
        event = {
            "event": "im_receive_msg",
            "client_key": self.secret["client_key"],
            "from_user_id": user,
            "to_user_id": self.secret["open_id"],
            "log_id": "1",
            "content": json.dumps(content, ensure_ascii=False),
        }
        return as_json(event)

    def accepted(self) -> bytes:
        return b'{"data":{"error_code":0,"description":""},"extra":{"error_code":0},"msg_id":"@1"}'

    def refused(self) -> tuple[int, bytes]:
        return 200, b'{"extra":{"error_code":28001018,"description":"no permission"}}'

    def sent_message(self, body: Mapping[str, Any]) -> tuple[str, str]:
        assert body["content"]["msg_type"] == 1
        return body["to_user_id"], body["content"]["text"]["text"]
