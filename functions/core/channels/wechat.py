"""WeChat official accounts (微信公众平台): 接入指南, 接收普通消息, 被动回复, 消息加解密, 客服消息.

A message is plain or encrypted XML (AES-256-CBC), and the HTTP response within five seconds may be
a reply; WeChat makes three attempts. Later texts go out as customer-service messages, for 48 hours
after the person's last message.
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from functions.core.channels import wechat_api
from functions.core.channels.base import (
    Adapter,
    ErrorCodes,
    HttpCall,
    IncomingMessage,
    Kind,
    MediaFile,
    OutgoingMessage,
    ProviderRequest,
    ProviderResponse,
    ProviderResult,
    Secret,
    Token,
    Unreadable,
    Window,
    Windows,
    json_call,
    unix_time,
)
from functions.core.channels.wechat_crypto import decrypt, encrypt, signature, to_xml, xml_fields

Kinds = Mapping[str, tuple[Kind, tuple[str, ...], tuple[str, ...]]]
"""MsgType → kind, the fields with text, the fields that name media."""

KINDS: Kinds = {
    "text": ("text", ("Content",), ()),
    "image": ("image", (), ("MediaId",)),
    "voice": ("voice", ("Recognition",), ("MediaId",)),
    "video": ("video", (), ("MediaId",)),
    "shortvideo": ("video", (), ("MediaId",)),
    "location": ("location", ("Label", "Location_X", "Location_Y"), ()),
    "link": ("link", ("Title", "Description", "Url"), ()),
    "file": ("file", ("Title",), ("MediaId",)),
}

_EVENTS: dict[str, Kind] = {
    "subscribe": "subscribed",
    "unsubscribe": "unsubscribed",
    "CLICK": "menu",
}
"""Event → kind; the others (LOCATION, VIEW, TEMPLATESENDJOBFINISH …) do not concern a help desk."""

_CAUSES = {
    "40003": "the account does not know this person (openid)",
    "40013": "the app id is wrong",
    "40125": "the app secret is wrong",
    "40164": "this address is not on the account's list of allowed IP addresses",
    "43004": "the customer does not follow the account",
    "45015": "the customer's last message is more than 48 hours old, or they unsubscribed; "
    "WeChat takes no message for them until they write again",
    "45047": "the customer has to write again before WeChat takes more messages for them",
    "48001": "the account has no permission for customer-service messages",
    "48002": "the customer has refused messages from the account, or the window is closed",
}
"""errcode → the cause on a dead-lettered delivery (全局返回码说明)."""

_CODES = ErrorCodes(
    "WeChat",
    _CAUSES,
    passing=frozenset({"-1", "45009", "45011"}),
    closed=frozenset({"45015", "45047"}),
    renew=frozenset({"40001", "40014", "42001"}),
)


class WeChat(Adapter):
    """An official account.

    Secret: `token`; `aes_key` and `app_id` for encrypted messages; `app_id` and `app_secret` for
    sending; `only_encrypted` refuses plain messages.
    """

    name: ClassVar[str] = "wechat"
    api: ClassVar[str] = "https://api.weixin.qq.com"
    max_text: ClassVar[int] = 2048
    needs: ClassVar[tuple[str, ...]] = ("token",)
    options: ClassVar[tuple[str, ...]] = ("aes_key", "app_id", "app_secret", "only_encrypted")
    answers: ClassVar[bool] = True
    windows: ClassVar[Windows] = {
        "message": Window(timedelta(hours=48), 5),
        "subscribed": Window(timedelta(minutes=1), 3),
    }
    media_hosts: ClassVar[tuple[str, ...]] = ("weixin.qq.com", "video.qq.com")
    kinds: ClassVar[Kinds] = KINDS
    events: ClassVar[Mapping[str, Kind]] = _EVENTS

    def fields(self, body: bytes) -> dict[str, str]:
        """Return the texts of a body's fields.

        Raises:
            Unreadable: the body is of another form.
        """
        return xml_fields(body)

    def signed(self, request: ProviderRequest, secret: Secret) -> tuple[str, dict[str, Any]]:
        query = request.query
        parts: dict[str, Any] = {
            "token": secret.get("token"),
            "timestamp": query.get("timestamp"),
            "nonce": query.get("nonce"),
            "now": request.now.timestamp(),
        }
        if request.method == "POST" and query.get("encrypt_type") == "aes":
            try:
                encrypted = self.fields(request.body).get("Encrypt")
            except Unreadable:
                encrypted = None
            parts |= {"encrypted": encrypted, "signature": query.get("msg_signature")}
            return "wechat_aes", parts
        refused = request.method == "POST" and secret.get("only_encrypted")
        return "wechat_sha1", {**parts, "signature": None if refused else query.get("signature")}

    def challenge(self, request: ProviderRequest, secret: Secret) -> ProviderResponse | None:
        return (
            ProviderResponse(request.query.get("echostr", "")) if request.method == "GET" else None
        )

    def read(self, request: ProviderRequest, secret: Secret) -> tuple[IncomingMessage, ...]:
        encrypted = request.query.get("encrypt_type") == "aes"
        raw = request.body
        if encrypted:
            raw = decrypt(self.fields(raw).get("Encrypt", ""), *_key_and_receiver(secret))
        fields = self.fields(raw)
        if not fields.get("FromUserName") or not fields.get("MsgType"):
            raise Unreadable("no FromUserName or no MsgType")
        if fields["MsgType"] == "event":
            message = _event(fields, self.events)
        else:
            message = _message(fields, self.kinds)
        return (replace(message, encrypted=encrypted, raw=raw),) if message else ()

    def answer(
        self,
        request: ProviderRequest,
        secret: Secret,
        message: IncomingMessage | None = None,
        text: str = "",
    ) -> ProviderResponse:
        if message is None or not text:
            return ProviderResponse("success")
        now = str(int(request.now.timestamp()))
        reply = to_xml(
            ToUserName=message.user,
            FromUserName=message.account,
            CreateTime=now,
            MsgType="text",
            Content=self.fitted(text),
        )
        if message.encrypted:
            encrypted = encrypt(reply.encode(), *_key_and_receiver(secret))
            nonce = secrets.token_hex(8)
            reply = to_xml(
                Encrypt=encrypted,
                MsgSignature=signature(str(secret["token"]), now, nonce, encrypted),
                TimeStamp=now,
                Nonce=nonce,
            )
        return ProviderResponse(reply, "text/xml")

    def token_call(self, secret: Secret, *, renew: bool) -> HttpCall | None:
        content = {
            "grant_type": "client_credential",
            "appid": secret["app_id"],
            "secret": secret["app_secret"],
            "force_refresh": renew,
        }
        # A repetition is harmless: WeChat returns the same token until it expires.
        return json_call(f"{self.base(secret)}/cgi-bin/stable_token", content, {}, repeatable=True)

    def token(self, status: int, body: bytes) -> Token | ProviderResult:
        return wechat_api.token(status, body, _CODES)

    def send(self, message: OutgoingMessage, secret: Secret, token: str = "") -> HttpCall:
        content = {
            "touser": message.user,
            "msgtype": "text",
            "text": {"content": self.fitted(message.text)},
        }
        url = f"{self.base(secret)}/cgi-bin/message/custom/send?access_token={token}"
        return json_call(url, content, {})

    def outcome(self, status: int, body: bytes) -> ProviderResult:
        return wechat_api.outcome(status, body, _CODES)

    def media_call(self, media: str, secret: Secret, token: str = "") -> HttpCall | None:
        return wechat_api.media_call(self.base(secret), media, token)

    def media(
        self, status: int, headers: Mapping[str, str], body: bytes, secret: Secret, token: str = ""
    ) -> MediaFile | HttpCall | ProviderResult:
        return wechat_api.media(status, headers, body, _CODES)


def _key_and_receiver(secret: Secret) -> tuple[str, str]:
    return str(secret.get("aes_key", "")), str(secret.get("app_id", ""))


def _message(fields: Mapping[str, str], kinds: Kinds) -> IncomingMessage:
    kind, texts, media = kinds.get(fields["MsgType"], ("other", (), ("MediaId",)))
    return IncomingMessage(
        user=fields["FromUserName"],
        message_id=fields.get("MsgId", ""),
        kind=kind,
        text=" ".join(filter(None, (fields.get(name, "").strip() for name in texts))),
        media=tuple(filter(None, (fields.get(name, "") for name in media))),
        account=fields.get("ToUserName", ""),
        at=unix_time(fields.get("CreateTime", "")),
    )


def _event(fields: Mapping[str, str], events: Mapping[str, Kind]) -> IncomingMessage | None:
    event, user, created = fields.get("Event"), fields["FromUserName"], fields.get("CreateTime", "")
    kind = events.get(event or "")
    if kind is None:
        return None
    entry = fields.get("EventKey", "") if kind == "menu" else ""
    return IncomingMessage(
        user=user,
        # Events have no MsgId. WeChat's documentation names sender and time, but a person can click
        # two menu entries within a second.
        message_id=f"{user}{created}{event}{entry}",
        kind=kind,
        text=entry,
        account=fields.get("ToUserName", ""),
        at=unix_time(created),
    )
