"""WeChat official accounts (微信公众平台): 接入指南, 接收普通消息, 被动回复, 消息加解密, 客服消息.

A message is XML in the clear or encrypted (AES-256-CBC), and the HTTP answer within five seconds
may be a reply; WeChat calls three times before it gives up. Later words go out as customer-service
messages, for 48 hours after the person's last one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import struct
from typing import TYPE_CHECKING, Any, ClassVar
from xml.parsers import expat

from functions.core.channels.base import (
    Adapter,
    HttpCall,
    Incoming,
    Kind,
    Outgoing,
    ProviderResult,
    Secret,
    Token,
    Unreadable,
    by_status,
    fitted,
    json_call,
    json_object,
    moment,
    said,
)

if TYPE_CHECKING:
    from functions.core.platform.web import HttpResponse, Request

LIMIT = 2048
"""Bytes of a text at most, in a reply and in a customer-service message."""

_PAD = 32
_DEPTH = 8
_FIELDS = 200

_KINDS: dict[str, tuple[Kind, tuple[str, ...], tuple[str, ...]]] = {
    "text": ("text", ("Content",), ()),
    "image": ("image", (), ("MediaId", "PicUrl")),
    "voice": ("voice", ("Recognition",), ("MediaId", "MediaId16K")),
    "video": ("video", (), ("MediaId", "ThumbMediaId")),
    "shortvideo": ("video", (), ("MediaId", "ThumbMediaId")),
    "location": ("location", ("Label", "Location_X", "Location_Y"), ()),
    "link": ("link", ("Title", "Description", "Url"), ()),
    "file": ("file", ("Title",), ("MediaId",)),
}
"""MsgType → kind, the fields that are words, and those that name media."""

_EVENTS: dict[str, Kind] = {
    "subscribe": "subscribed",
    "unsubscribe": "unsubscribed",
    "CLICK": "menu",
}
"""Event → kind; the others (LOCATION, VIEW, TEMPLATESENDJOBFINISH …) say nothing to a help desk."""

_RENEW = frozenset({40001, 40014, 42001})
_PASSING = frozenset({-1, 45009, 45011})
_CAUSES = {
    40003: "the account does not know this person (openid)",
    40013: "the app id is wrong",
    40125: "the app secret is wrong",
    40164: "this address is not on the account's list of allowed IP addresses",
    43004: "the customer does not follow the account",
    45015: "the customer's last message is more than 48 hours old, or they unsubscribed; "
    "WeChat takes no message for them until they write again",
    45047: "the customer has to write again before WeChat takes more messages for them",
    48001: "the account has no permission for customer-service messages",
    48002: "the customer has refused messages from the account, or the window is closed",
}
"""errcode → what it means for whoever reads the parked message (全局返回码说明)."""


class WeChat(Adapter):
    """An official account. Secret: `token`, and `aes_key` and `app_id` for encrypted messages;
    `app_id` and `app_secret` for sending; `only_encrypted` refuses messages in the clear."""

    name: ClassVar[str] = "wechat"
    api: ClassVar[str] = "https://api.weixin.qq.com"
    needs: ClassVar[tuple[str, ...]] = ("token",)
    options: ClassVar[tuple[str, ...]] = ("aes_key", "app_id", "app_secret", "only_encrypted")
    answers: ClassVar[bool] = True

    def signed(self, request: Request, secret: Secret) -> tuple[str, dict[str, Any]]:
        query = request.query
        parts: dict[str, Any] = {
            "token": secret.get("token"),
            "timestamp": query.get("timestamp"),
            "nonce": query.get("nonce"),
            "now": request.now.timestamp(),
        }
        if request.method == "POST" and query.get("encrypt_type") == "aes":
            try:
                encrypted = _fields(request.body).get("Encrypt")
            except Unreadable:
                encrypted = None
            parts |= {"encrypted": encrypted, "signature": query.get("msg_signature")}
            return "wechat_aes", parts
        refused = request.method == "POST" and secret.get("only_encrypted")
        return "wechat_sha1", {**parts, "signature": None if refused else query.get("signature")}

    def challenge(self, request: Request, secret: Secret) -> HttpResponse | None:
        from functions.core.platform.web import HttpResponse

        if request.method != "GET":
            return None
        return HttpResponse(request.query.get("echostr", ""), content_type="text/plain")

    def read(self, request: Request, secret: Secret) -> tuple[Incoming, ...]:
        sealed = request.query.get("encrypt_type") == "aes"
        raw = request.body
        if sealed:
            raw = opened(_fields(raw).get("Encrypt", ""), secret)
        fields = _fields(raw)
        user, created = fields.get("FromUserName", ""), fields.get("CreateTime", "")
        written = fields.get("MsgType", "")
        if not user or not written:
            raise Unreadable("no FromUserName or no MsgType")
        message_id = fields.get("MsgId", "")
        if written == "event":
            found = _EVENTS.get(fields.get("Event", ""))
            if found is None:
                return ()
            kind, text = found, fields.get("EventKey", "") if found == "menu" else ""
            media: tuple[str, ...] = ()
            # Events have no MsgId; this is what WeChat says to tell them apart by.
            message_id = f"{user}{created}{fields.get('Event')}"
        else:
            kind, words, named = _KINDS.get(written, ("other", (), ("MediaId",)))
            text = " ".join(filter(None, (fields.get(name, "").strip() for name in words)))
            media = tuple(filter(None, (fields.get(name, "") for name in named)))
        return (
            Incoming(
                user=user,
                message_id=message_id,
                kind=kind,
                text=text,
                media=media,
                account=fields.get("ToUserName", ""),
                at=moment(created),
                sealed=sealed,
                raw=raw,
            ),
        )

    def answer(
        self, request: Request, secret: Secret, to: Incoming | None = None, text: str = ""
    ) -> HttpResponse:
        from functions.core.platform.web import HttpResponse

        if to is None or not text:
            return HttpResponse("success", content_type="text/plain")
        now = str(int(request.now.timestamp()))
        reply = _xml(
            ToUserName=to.user,
            FromUserName=to.account,
            CreateTime=now,
            MsgType="text",
            Content=fitted(text, LIMIT, "utf-8"),
        )
        if to.sealed:
            encrypted, nonce = sealed_for(reply.encode(), secret), secrets.token_hex(8)
            token = str(secret["token"])
            signed = "".join(sorted((token, now, nonce, encrypted))).encode()
            reply = _xml(
                Encrypt=encrypted,
                MsgSignature=hashlib.sha1(signed, usedforsecurity=False).hexdigest(),
                TimeStamp=now,
                Nonce=nonce,
            )
        return HttpResponse(reply, content_type="text/xml")

    def token_call(self, secret: Secret, *, renew: bool) -> HttpCall | None:
        content = {
            "grant_type": "client_credential",
            "appid": secret["app_id"],
            "secret": secret["app_secret"],
            "force_refresh": renew,
        }
        # Asking for it again does no harm: an unexpired one is given once more.
        return json_call(f"{self.base(secret)}/cgi-bin/stable_token", content, {}, repeatable=True)

    def token(self, status: int, body: bytes) -> Token | ProviderResult:
        if status != 200:
            return by_status(status, "to the request for an access token")
        try:
            found = json_object(body)
        except Unreadable:
            return ProviderResult("passing", cause="no JSON to the request for an access token")
        value, seconds = said(found, "access_token"), said(found, "expires_in")
        if value and seconds.isdigit():
            return Token(value, int(seconds))
        return _failed(found)

    def send(self, message: Outgoing, secret: Secret, token: str = "") -> HttpCall:
        content = {
            "touser": message.user,
            "msgtype": "text",
            "text": {"content": fitted(message.text, LIMIT, "utf-8")},
        }
        url = f"{self.base(secret)}/cgi-bin/message/custom/send?access_token={token}"
        return json_call(url, content, {})

    def outcome(self, status: int, body: bytes) -> ProviderResult:
        if status != 200:
            return by_status(status, "from WeChat")
        try:
            found = json_object(body)
        except Unreadable:
            return ProviderResult("permanent", cause="WeChat's answer is no JSON")
        if said(found, "errcode") == "0":
            return ProviderResult("sent", id=said(found, "msgid"))
        return _failed(found)


def _failed(found: dict[str, Any]) -> ProviderResult:
    written = said(found, "errcode") or "unknown"
    code = int(written) if written.removeprefix("-").isdigit() else None
    cause = f"WeChat {written}: {_CAUSES.get(code or 0, said(found, 'errmsg')[:100])}"
    if code in _RENEW:
        return ProviderResult("renew", cause=cause)
    return ProviderResult("passing" if code in _PASSING else "permanent", cause=cause)


# XML: one level of names and texts, and nothing that could unfold


def _fields(body: bytes) -> dict[str, str]:
    """The texts directly below the root. A document type, and with it every entity, is refused."""
    reader = expat.ParserCreate()
    found: dict[str, list[str]] = {}
    path: list[str] = []

    def refuse(*_: Any) -> None:
        raise Unreadable("XML with a document type")

    def start(name: str, _attributes: Any) -> None:
        path.append(name)
        if len(path) > _DEPTH or len(found) > _FIELDS:
            raise Unreadable("XML of another shape")

    def end(_name: str) -> None:
        path.pop()

    def text(data: str) -> None:
        if len(path) == 2:
            found.setdefault(path[1], []).append(data)

    reader.StartDoctypeDeclHandler = refuse
    reader.StartElementHandler = start
    reader.EndElementHandler = end
    reader.CharacterDataHandler = text
    try:
        reader.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Unreadable(f"not XML: {error}") from error
    return {name: "".join(texts) for name, texts in found.items()}


def _xml(**fields: str) -> str:
    written = {n: text if text.isdecimal() else _cdata(text) for n, text in fields.items()}
    inside = "".join(f"<{name}>{text}</{name}>" for name, text in written.items())
    return f"<xml>{inside}</xml>"


def _cdata(text: str) -> str:
    allowed = "".join(c for c in text if c in "\t\n\r" or 0x20 <= ord(c) not in _NO_CHARACTERS)
    return f"<![CDATA[{allowed.replace(']]>', ']]]]><![CDATA[>')}]]>"


_NO_CHARACTERS = frozenset((*range(0xD800, 0xE000), 0xFFFE, 0xFFFF))


# 消息加解密: random(16) + length(4) + message + app id, PKCS#7 to 32, AES-256-CBC


def opened(encrypted: str, secret: Secret) -> bytes:
    """The message in an `Encrypt` element.

    Raises:
        Unreadable: it was not encrypted with this account's key, or for another account.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key = _key(secret)
    try:
        data = base64.b64decode(encrypted, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unreadable("Encrypt is not base64") from error
    if not data or len(data) % 16:
        raise Unreadable("Encrypt is not whole blocks")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    plain = decryptor.update(data) + decryptor.finalize()
    pad = plain[-1]
    if not 1 <= pad <= _PAD or not plain.endswith(bytes([pad]) * pad):
        raise Unreadable("encrypted with another key")
    plain = plain[:-pad]
    if len(plain) < 20:
        raise Unreadable("encrypted with another key")
    (length,) = struct.unpack(">I", plain[16:20])
    message, app_id = plain[20 : 20 + length], plain[20 + length :]
    if len(message) != length or app_id != str(secret.get("app_id", "")).encode():
        raise Unreadable("encrypted for another account")
    return message


def sealed_for(message: bytes, secret: Secret) -> str:
    """A message as the `Encrypt` element of a reply has it."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key = _key(secret)
    app_id = str(secret.get("app_id", "")).encode()
    plain = secrets.token_bytes(16) + struct.pack(">I", len(message)) + message + app_id
    pad = _PAD - len(plain) % _PAD
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    data = encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()
    return base64.b64encode(data).decode()


def _key(secret: Secret) -> bytes:
    """The 32 bytes of an EncodingAESKey (43 characters).

    Raises:
        Unreadable: the desk's secret has none that fits.
    """
    try:
        key = base64.b64decode(f"{secret.get('aes_key', '')}=", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unreadable("the channel's aes_key is not an EncodingAESKey") from error
    if len(key) != 32:
        raise Unreadable("the channel's aes_key is not an EncodingAESKey of 43 characters")
    return key
