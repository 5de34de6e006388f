"""Weibo fans service (微博粉丝服务): 消息推送服务, 接收普通消息, 接收事件推送, 发送被动响应消息.

Messages are JSON without an id, and the HTTP response within five seconds may be a reply; Weibo
makes three attempts. Later texts go out by messages/reply, for 48 hours after the person wrote or
followed, and no longer once they have left.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from functions.core.channels.base import (
    Adapter,
    Encoding,
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
    Unreadable,
    Window,
    Windows,
    attached_name,
    get_object,
    get_text,
    media_request,
    parse_object,
    response_object,
    result_of_status,
)

FILES = "https://upload.api.weibo.com"
"""The address of pictures and voice messages."""

OAUTH = "https://api.weibo.com"
"""The address that tells about access tokens."""

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_KINDS: dict[str, Kind] = {
    "text": "text",
    "position": "location",
    "voice": "voice",
    "image": "image",
}
_EVENTS: dict[str, Kind] = {
    "follow": "subscribed",
    "subscribe": "subscribed",
    "scan_follow": "subscribed",
    "unfollow": "unsubscribed",
    "unsubscribe": "unsubscribed",
    "click": "menu",
}
"""Subtype → kind; the others (view, scan …) say nothing to a help desk."""

_TOKEN = ("21314", "21315", "21316", "21317", "21319", "21327", "21332")
"""error_code of an access token that Weibo does not accept any more (OAuth2.0 错误码)."""

_CODES = ErrorCodes(
    "Weibo",
    dict.fromkeys(_TOKEN, "the account has to authorise the app again (access_token)"),
    passing=frozenset(
        {"10001", "10002", "10003", "10009", "10010", "10011", "10022", "10023", "10024"}
    ),
)


class Weibo(Adapter):
    """A verified account. Secret: `app_secret`; `access_token` of the account for sending."""

    name: ClassVar[str] = "weibo"
    api: ClassVar[str] = "https://m.api.weibo.com"
    needs: ClassVar[tuple[str, ...]] = ("app_secret", "access_token")
    answers: ClassVar[bool] = True
    max_text: ClassVar[int] = 299 * 2  # fewer than 300 characters
    encoding: ClassVar[Encoding] = "utf-16-le"
    media_hosts: ClassVar[tuple[str, ...]] = ("upload.api.weibo.com",)
    windows: ClassVar[Windows] = {
        "message": Window(timedelta(hours=48)),
        "subscribed": Window(timedelta(hours=48)),
    }

    def signed(self, request: ProviderRequest, secret: Secret) -> tuple[str, dict[str, Any]]:
        return "weibo", {
            "app_secret": secret.get("app_secret"),
            "timestamp": request.query.get("timestamp"),
            "nonce": request.query.get("nonce"),
            "signature": request.query.get("signature"),
            "now": request.now.timestamp(),
        }

    def challenge(self, request: ProviderRequest, secret: Secret) -> ProviderResponse | None:
        return (
            ProviderResponse(request.query.get("echostr", "")) if request.method == "GET" else None
        )

    def read(self, request: ProviderRequest, secret: Secret) -> tuple[IncomingMessage, ...]:
        content = parse_object(request.body)
        message_type, sender = get_text(content, "type"), get_text(content, "sender_id")
        if not message_type or not sender:
            raise Unreadable("no type or no sender_id")
        if message_type == "mention":  # a public post
            return ()
        data, created = get_object(content, "data"), get_text(content, "created_at")
        kind = _KINDS.get(message_type, "other")
        if message_type == "event":
            subtype = get_text(data, "subtype")
            if subtype not in _EVENTS:
                return ()
            kind = _EVENTS[subtype]
        # Weibo recommends sender and time, but a person can write twice within a second.
        digest = sha256(request.body).hexdigest()[:32]
        return (
            IncomingMessage(
                user=sender,
                message_id=f"{sender} {created} {digest}",
                kind=kind,
                text=_text(kind, content, data),
                media=tuple(filter(None, (get_text(data, "tovfid"),))),
                account=get_text(content, "receiver_id"),
                at=_time(created),
                raw=request.body,
            ),
        )

    def answer(
        self,
        request: ProviderRequest,
        secret: Secret,
        message: IncomingMessage | None = None,
        text: str = "",
    ) -> ProviderResponse:
        if message is None or not text:
            return ProviderResponse()  # to Weibo an empty response is a receipt
        reply = {
            "result": True,
            "sender_id": message.account,
            "receiver_id": message.user,
            "type": "text",
            "data": quote(self._data(text), safe=""),
        }
        return ProviderResponse(reply, "application/json")

    def send(self, message: OutgoingMessage, secret: Secret, token: str = "") -> HttpCall:
        fields = {
            "access_token": str(secret["access_token"]),
            "type": "text",
            "receiver_id": message.user,
            "data": self._data(message.text),
        }
        return HttpCall(
            f"{self.base(secret)}/2/messages/reply.json",
            urlencode(fields).encode(),
            _FORM,
        )

    def _data(self, text: str) -> str:
        content = {"text": self.fitted(text)}
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"))

    def outcome(self, status: int, body: bytes) -> ProviderResult:
        content = response_object(body)
        if status == 200 and content.get("result") and not content.get("error_code"):
            return ProviderResult("sent")
        return _refusal(status, content)

    def check_call(self, secret: Secret, token: str = "") -> HttpCall | None:
        """Ask whom the access token is for (oauth2/get_token_info)."""
        fields = urlencode({"access_token": str(secret["access_token"])}).encode()
        host = str(secret.get("api") or OAUTH).rstrip("/")
        return HttpCall(f"{host}/oauth2/get_token_info", fields, _FORM, repeatable=True)

    def checked(self, status: int, body: bytes) -> ProviderResult:
        content = response_object(body)
        if status == 200 and get_text(content, "uid"):
            return ProviderResult("sent")
        return _refusal(status, content)

    def media_call(self, media: str, secret: Secret, token: str = "") -> HttpCall | None:
        query = urlencode({"access_token": str(secret["access_token"]), "fid": media})
        base = str(secret.get("api") or FILES).rstrip("/")
        return media_request(f"{base}/2/mss/msget?{query}")

    def media(
        self, status: int, headers: Mapping[str, str], body: bytes, secret: Secret, token: str = ""
    ) -> MediaFile | HttpCall | ProviderResult:
        content_type = headers.get("content-type", "")
        if status == 200 and not content_type.startswith(("application/json", "text/")):
            return MediaFile(body, content_type, attached_name(headers))
        return _refusal(status, response_object(body))


def _refusal(status: int, content: dict[str, Any]) -> ProviderResult:
    code, by_status = get_text(content, "error_code"), result_of_status(status, "from Weibo")
    if not code.isdecimal():
        return by_status
    return _CODES.result(code, get_text(content, "error"), passing=by_status.state == "passing")


def _text(kind: Kind, content: dict[str, Any], data: dict[str, Any]) -> str:
    """Return what a person wrote, without Weibo's own words for pictures, voice and events."""
    if kind in {"text", "other"}:
        return get_text(content, "text")
    if kind == "location":
        position = (get_text(data, "latitude"), get_text(data, "longitude"))
        return " ".join(filter(None, (get_text(content, "text"), ",".join(filter(None, position)))))
    return get_text(data, "key") if kind == "menu" else ""


def _time(created: str) -> datetime | None:
    """Return the time of `Thu Oct 09 16:53:20 +0800 2025`, None if it is not one."""
    try:
        return datetime.strptime(created, "%a %b %d %H:%M:%S %z %Y").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
