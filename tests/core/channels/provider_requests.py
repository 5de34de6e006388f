"""Fake providers of the chat channels: they send requests, signed as the real ones sign them."""

import base64
import hashlib
import hmac
import json
import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4
from xml.etree import ElementTree

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from functions.core.channels.base import ProviderRequest

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Call:
    """A provider's webhook request."""

    body: bytes = b""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"

    def request(self, now: datetime) -> ProviderRequest:
        headers = {name.lower(): value for name, value in self.headers.items()}
        return ProviderRequest(self.method, now, self.query, headers, self.body)

    def path(self, path: str) -> str:
        return f"{path}?{urlencode(self.query)}" if self.query else path


class FakeProvider(ABC):
    """A provider: its secret with a desk, its signature, its text messages and responses."""

    secret: Mapping[str, Any]
    user: str
    reply_channel: str = ""
    closed: ClassVar[tuple[int, bytes] | None] = None
    """The response (status, body) to a message outside the window or count, if it has one."""
    signs_body: ClassVar[bool] = True
    signs_time: ClassVar[bool] = False
    pulled: ClassVar[bool] = False

    @abstractmethod
    def call(self, body: bytes, now: datetime) -> Call:
        """Return a signed request with a body."""

    def delivered(self, body: bytes, now: datetime) -> Call:
        """Return the request by which a body with messages comes: a pull gives it as it is."""
        return self.call(body, now)

    @abstractmethod
    def text(self, words: str, now: datetime, **more: str) -> bytes:
        """Return the body of a text message; `more` may set `user` and `id`."""

    @abstractmethod
    def accepted(self) -> bytes:
        """Return the provider's response to a message that it accepts."""

    def reply_in(self, answer: str) -> str:
        """Return the text for the customer in our response."""
        return ""

    @abstractmethod
    def refused(self) -> tuple[int, bytes]:
        """Return the provider's response (status, body) to a message that it refuses for good."""

    @abstractmethod
    def sent_message(self, body: Mapping[str, Any]) -> tuple[str, str]:
        """Return the recipient and the text of a call to the provider."""


class WeChat(FakeProvider):
    """An official account with plain messages."""

    secret: Mapping[str, Any] = {
        "token": "a-token-for-tests",
        "aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        "app_id": "wx0123456789abcdef",
        "app_secret": "a secret of an app",
    }
    user: str = "oExample-Open_Id-0000000abcd"
    closed = 200, b'{"errcode":45015,"errmsg":"response out of time limit"}'
    signs_body: ClassVar[bool] = False
    signs_time: ClassVar[bool] = True

    def query(self, now: datetime, nonce: str = "486452656") -> dict[str, str]:
        stamp = str(int(now.timestamp()))
        return {
            "signature": sha1(self.secret["token"], stamp, nonce),
            "timestamp": stamp,
            "nonce": nonce,
            "openid": self.user,
        }

    def check(self, now: datetime) -> Call:
        """Return the URL-verification request (接入指南)."""
        return Call(query={**self.query(now), "echostr": "5837397520665436492"}, method="GET")

    def call(self, body: bytes, now: datetime) -> Call:
        return Call(body, self.query(now), {"Content-Type": "text/xml"})

    def text(self, words: str, now: datetime, **more: str) -> bytes:
        return (
            f"<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>"
            f"<FromUserName><![CDATA[{more.get('user', self.user)}]]></FromUserName>"
            f"<CreateTime>{int(now.timestamp())}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
            f"<Content><![CDATA[{words}]]></Content><MsgId>{more.get('id') or uuid4().int}</MsgId>"
            "</xml>"
        ).encode()

    def reply_in(self, answer: str) -> str:
        return "" if answer == "success" else self.reply(answer)["Content"]

    def reply(self, answer: str) -> dict[str, str]:
        """Return the fields of a passive reply."""
        root = ElementTree.fromstring(answer)  # noqa: S314 - our own
        return {child.tag: child.text or "" for child in root}

    def accepted(self) -> bytes:
        return b'{"errcode":0,"errmsg":"ok"}'

    def refused(self) -> tuple[int, bytes]:
        return 200, b'{"errcode":43004,"errmsg":"require subscribe"}'

    def sent_message(self, body: Mapping[str, Any]) -> tuple[str, str]:
        return body["touser"], body["text"]["content"]


class SafeWeChat(WeChat):
    """An official account that encrypts (安全模式)."""

    signs_body: ClassVar[bool] = True

    def call(self, body: bytes, now: datetime) -> Call:
        encrypted = self.encrypt(body)
        query = self.query(now)
        stamp, nonce = query["timestamp"], query["nonce"]
        query |= {
            "encrypt_type": "aes",
            "msg_signature": sha1(self.secret["token"], stamp, nonce, encrypted),
        }
        sealed = (
            "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>"
            f"<Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        )
        return Call(sealed.encode(), query, {"Content-Type": "text/xml"})

    def reply(self, answer: str) -> dict[str, str]:
        fields = super().reply(answer)
        parts = (fields[name] for name in ("TimeStamp", "Nonce", "Encrypt"))
        assert fields["MsgSignature"] == sha1(self.secret["token"], *parts)
        return super().reply(self.decrypt(fields["Encrypt"]).decode())

    def encrypt(self, body: bytes) -> str:
        key = base64.b64decode(self.secret["aes_key"] + "=")
        plain = b"0123456789abcdef" + struct.pack(">I", len(body)) + body
        plain += self.secret["app_id"].encode()
        pad = 32 - len(plain) % 32
        cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
        data = cipher.update(plain + bytes([pad]) * pad) + cipher.finalize()
        return base64.b64encode(data).decode()

    def decrypt(self, encrypted: str) -> bytes:
        key = base64.b64decode(self.secret["aes_key"] + "=")
        cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        plain = cipher.update(base64.b64decode(encrypted)) + cipher.finalize()
        plain = plain[: -plain[-1]]
        (length,) = struct.unpack(">I", plain[16:20])
        assert plain[20 + length :] == self.secret["app_id"].encode()
        return plain[20 : 20 + length]


def sha1(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


class Line(FakeProvider):
    """A LINE official account."""

    secret: Mapping[str, Any] = {
        "channel_secret": "a channel secret for tests",
        "access_token": "an access token for tests",
    }
    user: str = "U00000000000000000000000000example1"

    def call(self, body: bytes, now: datetime) -> Call:
        digest = hmac.digest(self.secret["channel_secret"].encode(), body, "sha256")
        signature = base64.b64encode(digest).decode()
        return Call(body, {}, {"Content-Type": JSON, "X-Line-Signature": signature})

    def text(self, words: str, now: datetime, **more: str) -> bytes:
        event = {
            "type": "message",
            "mode": "active",
            "timestamp": int(now.timestamp() * 1000),
            "source": {"type": "user", "userId": more.get("user", self.user)},
            "webhookEventId": more.get("id") or uuid4().hex,
            "deliveryContext": {"isRedelivery": "id" in more},
            "replyToken": "0123456789abcdef",
            "message": {"id": uuid4().hex, "type": "text", "text": words},
        }
        return as_json({"destination": "U0123456789", "events": [event]})

    def accepted(self) -> bytes:
        return b'{"sentMessages":[{"id":"461230966842064897","quoteToken":"IStG5h1Tz7b"}]}'

    def refused(self) -> tuple[int, bytes]:
        return 400, b'{"message":"Failed to send messages"}'

    def sent_message(self, body: Mapping[str, Any]) -> tuple[str, str]:
        return body["to"], body["messages"][0]["text"]


class Slack(FakeProvider):
    """A Slack app in one workspace; people write to it in direct messages."""

    secret: Mapping[str, Any] = {
        "signing_secret": "a signing secret for tests",
        "bot_token": "xoxb-a-token-for-tests",
    }
    user: str = "U0EXAMPLE1"
    reply_channel: str = "D0EXAMPLE1"
    signs_time: ClassVar[bool] = True

    def call(self, body: bytes, now: datetime) -> Call:
        stamp = str(int(now.timestamp()))
        signed = b"v0:" + stamp.encode() + b":" + body
        digest = hmac.new(self.secret["signing_secret"].encode(), signed, "sha256").hexdigest()
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}
        return Call(body, {}, {"Content-Type": JSON, **headers})

    def text(self, words: str, now: datetime, **more: str) -> bytes:
        ts = more.get("id") or str(uuid4().int)[:10]
        event = {
            "type": "message",
            "channel_type": "im",
            "channel": self.reply_channel,
            "user": more.get("user", self.user),
            "text": words,
            "ts": f"{ts}.000100",
        }
        return as_json(
            {"type": "event_callback", "team_id": "T1", "event_id": f"Ev{ts}", "event": event}
        )

    def accepted(self) -> bytes:
        return b'{"ok":true,"channel":"D0EXAMPLE1","ts":"1773115300.000200"}'

    def refused(self) -> tuple[int, bytes]:
        return 200, b'{"ok":false,"error":"channel_not_found"}'

    def sent_message(self, body: Mapping[str, Any]) -> tuple[str, str]:
        text = body["text"]
        for written, plain in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
            text = text.replace(written, plain)
        return body["channel"], text


class Telegram(FakeProvider):
    """A Telegram bot."""

    secret: Mapping[str, Any] = {
        "secret_token": "a-secret-token-for-tests",
        "bot_token": "123456:a-bot-secret-for-tests",
    }
    user: str = "1000000001"
    signs_body: ClassVar[bool] = False

    def call(self, body: bytes, now: datetime) -> Call:
        token = {"X-Telegram-Bot-Api-Secret-Token": self.secret["secret_token"]}
        return Call(body, {}, {"Content-Type": JSON, **token})

    def text(self, words: str, now: datetime, **more: str) -> bytes:
        user = int("".join(c if c.isdigit() else "9" for c in more.get("user", self.user)))
        message = {
            "message_id": 7,
            "from": {"id": user, "is_bot": False, "first_name": "Example", "language_code": "zh"},
            "chat": {"id": user, "type": "private", "first_name": "Example"},
            "date": int(now.timestamp()),
            "text": words,
        }
        return as_json(
            {"update_id": int(more.get("id") or uuid4().int % 10**9), "message": message}
        )

    def accepted(self) -> bytes:
        return b'{"ok":true,"result":{"message_id":8}}'

    def refused(self) -> tuple[int, bytes]:
        return 403, b'{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked"}'

    def sent_message(self, body: Mapping[str, Any]) -> tuple[str, str]:
        return body["chat_id"], body["text"]


JSON = "application/json"


def as_json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()


def sent_body(raw: bytes) -> Any:
    """Return the content of a call's body: JSON, or the fields of a form."""
    try:
        return json.loads(raw)
    except ValueError:
        return dict(parse_qsl(raw.decode()))


def fixture_folder(name: str) -> Path:
    """Return the folder with a provider's requests and `expected.json`, the messages in each."""
    return HERE / name


def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((fixture_folder(name) / "expected.json").read_text("utf-8"))
    return found


NOW = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
