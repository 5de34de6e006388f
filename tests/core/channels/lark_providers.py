"""Fake Feishu and DingTalk."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.core.channels.provider_requests import JSON, Call, FakeProvider, as_json


class Feishu(FakeProvider):
    """A self-built app, its events not encrypted."""

    secret: Mapping[str, Any] = {
        "app_id": "cli_0000000000000001",
        "app_secret": "a secret of an app",
        "encrypt_key": "an encrypt key for tests",
        "verification_token": "a-verification-token",
    }
    user: str = "oc_0000000000000000000000000example1"

    def call(self, body: bytes, now: datetime) -> Call:
        stamp, nonce = str(int(now.timestamp())), "7264"
        signed = f"{stamp}{nonce}{self.secret['encrypt_key']}".encode() + body
        headers = {
            "Content-Type": JSON,
            "X-Lark-Request-Timestamp": stamp,
            "X-Lark-Request-Nonce": nonce,
            "X-Lark-Signature": hashlib.sha256(signed).hexdigest(),
        }
        return Call(body, {}, headers)

    def check(self, token: str = "") -> Call:
        """Return the request that checks the address, which has no signature."""
        token = token or self.secret["verification_token"]
        content = {"challenge": "a-challenge", "token": token, "type": "url_verification"}
        return Call(as_json(content), {}, {"Content-Type": JSON})

    def event(self, event_type: str, event: Mapping[str, Any], now: datetime) -> bytes:
        header = {
            "event_id": uuid4().hex,
            "event_type": event_type,
            "create_time": str(int(now.timestamp() * 1000)),
            "token": self.secret["verification_token"],
            "app_id": self.secret["app_id"],
            "tenant_key": "tenant0001",
        }
        return as_json({"schema": "2.0", "header": header, "event": event})

    def text(self, words: str, now: datetime, **more: str) -> bytes:
        message = {
            "message_id": f"om_{more.get('id') or uuid4().hex}",
            "create_time": str(int(now.timestamp() * 1000)),
            "chat_id": more.get("user", self.user),
            "chat_type": "p2p",
            "message_type": "text",
            "content": json.dumps({"text": words}, ensure_ascii=False),
        }
        sender = {"sender_id": {"open_id": "ou_0001"}, "sender_type": "user"}
        return self.event("im.message.receive_v1", {"sender": sender, "message": message}, now)

    def accepted(self) -> bytes:
        return b'{"code":0,"msg":"success","data":{"message_id":"om_out1"}}'

    def refused(self) -> tuple[int, bytes]:
        return 400, b'{"code":230013,"msg":"Bot has NO availability to this user."}'

    def sent_message(self, body: Mapping[str, Any]) -> tuple[str, str]:
        # A reply names the message that it answers, in its URL, and no person.
        return body.get("receive_id", self.user), json.loads(body["content"])["text"]


class SafeFeishu(Feishu):
    """A self-built app with an Encrypt Key, which encrypts whatever it sends."""

    def call(self, body: bytes, now: datetime) -> Call:
        return super().call(self.encrypt(body), now)

    def check(self, token: str = "") -> Call:
        plain = super().check(token)
        return Call(self.encrypt(plain.body), {}, plain.headers)

    def encrypt(self, body: bytes) -> bytes:
        key, vector = (
            hashlib.sha256(self.secret["encrypt_key"].encode()).digest(),
            b"0123456789abcdef",
        )
        pad = 16 - len(body) % 16
        cipher = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
        data = cipher.update(body + bytes([pad]) * pad) + cipher.finalize()
        return as_json({"encrypt": base64.b64encode(vector + data).decode()})


class DingTalk(FakeProvider):
    """A bot of an organisation's own app."""

    secret: Mapping[str, Any] = {
        "app_key": "dingrobot0001",
        "app_secret": "a secret of an app",
    }
    user: str = "staff0000example1"
    signs_body: ClassVar[bool] = False

    def call(self, body: bytes, now: datetime) -> Call:
        stamp, key = str(int(now.timestamp() * 1000)), self.secret["app_secret"].encode()
        sign = hmac.digest(key, f"{stamp}\n".encode() + key, "sha256")
        return Call(
            body,
            {},
            {"Content-Type": JSON, "timestamp": stamp, "sign": base64.b64encode(sign).decode()},
        )

    def message(self, content: Mapping[str, Any], now: datetime, **more: str) -> bytes:
        at = int(now.timestamp() * 1000)
        user = more.get("user", self.user)
        message = {
            "conversationId": "cidAAAA0001==",
            "conversationType": "1",
            "chatbotUserId": "$:LWCP_v1:$BOT",
            "msgId": f"msg{more.get('id') or uuid4().hex}==",
            "senderNick": "Example",
            "senderStaffId": user,
            "senderId": f"$:LWCP_v1:${user}",
            "createAt": at,
            "robotCode": self.secret["app_key"],
            "sessionWebhook": "https://oapi.dingtalk.com/robot/sendBySession?session=0000",
            "sessionWebhookExpiredTime": at + 5_400_000,
            **content,
        }
        return as_json(message)

    def text(self, words: str, now: datetime, **more: str) -> bytes:
        return self.message({"msgtype": "text", "text": {"content": words}}, now, **more)

    def accepted(self) -> bytes:
        """Return what fits a message to a person; a session's response has an `errcode`."""
        return b'{"processQueryKey":"KEY1","invalidStaffIdList":[],"flowControlledStaffIdList":[]}'

    def refused(self) -> tuple[int, bytes]:
        return 200, b'{"processQueryKey":"KEY1","invalidStaffIdList":["staff0000example1"]}'

    def sent_message(self, body: Mapping[str, Any]) -> tuple[str, str]:
        if "text" in body:  # to the session of this person
            return self.user, body["text"]["content"]
        (person,) = body["userIds"]
        return person, json.loads(body["msgParam"])["content"]
