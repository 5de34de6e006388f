"""Douyin open platform (抖音开放平台): 接收私信消息事件, 接收用户进入私信会话页事件, 发送私信消息.

An event is JSON whose `content` is an object or JSON text. A message is answered by a call that
names it, for 24 hours; entering the chat can be answered for 30 seconds.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

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
    Token,
    Unreadable,
    Window,
    Windows,
    get_object,
    get_text,
    json_call,
    media_request,
    parse_object,
    response_object,
    result_of_status,
    unix_time,
)

MESSAGE = Window(timedelta(hours=24), 6)
ENTRANCE = Window(timedelta(seconds=30), 3)

MEDIA_HOSTS = ("douyin.com", "douyinpic.com", "douyincdn.com", "byteimg.com", "bytemastatic.com")
"""Hosts of pictures and videos."""

_KINDS: dict[str, Kind] = {
    "text": "text",
    "image": "image",
    "user_local_image": "image",
    "emoji": "sticker",
    "video": "video",
    "user_local_video": "video",
}
_FETCHED = frozenset({"user_local_image", "user_local_video"})
"""Types of message whose file Douyin gives out; other pictures are seen in its app only."""

_REPLY, _ENTER = "im_reply_msg", "im_enter_direct_msg"
"""Scenes of an answer: to a message, or to somebody who has entered the chat (as the event)."""

_RECALL = "im_recall_msg"

_CAUSES = {
    "10010": "the account has to authorise the app again (refresh_token)",
    "10020": "the account has to authorise the app again (refresh_token)",
    "28001012": "the account has not granted the app private messages (im.direct_message)",
    "28001015": "open_id and refresh_token are of different accounts",
    "28001018": "the app has no permission for private messages (im.direct_message)",
    "28001038": "Douyin refuses the text, such as one with an address of another site",
    "28003070": "the customer has to write again before Douyin takes more messages for them",
    "28003080": "the customer's last message is more than 24 hours old",
    "28003081": "the customer's last message is more than 24 hours old",
    "28003095": "the account answers by rules of its own in Douyin's workbench",
    "28029004": "Douyin has barred the account from sending messages",
}
"""error_code → the cause on a dead-lettered delivery."""

_CODES = ErrorCodes(
    "Douyin",
    _CAUSES,
    passing=frozenset(
        {"2100004", "2190001", "28001005", "28001006", "28003017", "28003018", "28029014"}
    ),
    closed=frozenset({"28003070", "28003080", "28003081"}),
    renew=frozenset({"10008", "2190002", "2190008", "28001003", "28001008"}),
)


class Douyin(Adapter):
    """A business account that has authorised an app.

    Secret: `client_secret` and `client_key` of the app; `open_id` and `refresh_token` of the
    account's authorisation, for sending.
    """

    name: ClassVar[str] = "douyin"
    api: ClassVar[str] = "https://open.douyin.com"
    max_text: ClassVar[int] = 1000 * 2  # characters
    encoding: ClassVar[Encoding] = "utf-16-le"
    media_hosts: ClassVar[tuple[str, ...]] = MEDIA_HOSTS
    needs: ClassVar[tuple[str, ...]] = ("client_key", "client_secret", "open_id", "refresh_token")
    windows: ClassVar[Windows] = {
        "message": MESSAGE,
        "subscribed": ENTRANCE,
    }

    def signed(self, request: ProviderRequest, secret: Secret) -> tuple[str, dict[str, Any]]:
        return "douyin", {
            "client_secret": secret.get("client_secret"),
            "body": request.body,
            "signature": request.headers.get("x-douyin-signature"),
        }

    def challenge(self, request: ProviderRequest, secret: Secret) -> ProviderResponse | None:
        event = response_object(request.body)
        if event.get("event") != "verify_webhook":
            return None
        answer = {"challenge": _content(event).get("challenge")}
        return ProviderResponse(answer, "application/json")

    def read(self, request: ProviderRequest, secret: Secret) -> tuple[IncomingMessage, ...]:
        event = parse_object(request.body)
        name = get_text(event, "event")
        if not name:
            raise Unreadable("no event")
        # The account's own messages are reported too (im_send_msg).
        if name not in {"im_receive_msg", _ENTER, _RECALL}:
            return ()
        content, user = _content(event), get_text(event, "from_user_id")
        if get_text(content, "conversation_type") not in {"", "1"}:
            return ()  # in a group
        message_id = get_text(content, "server_message_id")
        if not user or not message_id:
            raise Unreadable("no from_user_id or no server_message_id")
        if name == _RECALL:
            recalled = IncomingMessage(
                user=user,
                message_id=f"{message_id} recalled",
                kind="recalled",
                account=get_text(event, "to_user_id"),
                raw=request.body,
            )
            return (recalled,) if user != secret.get("open_id") else ()
        handle = f"{_ENTER if name == _ENTER else _REPLY} {message_id}"
        message_type = get_text(content, "message_type")
        conversation = get_text(content, "conversation_short_id")
        file = f"{conversation} {message_id}" if message_type in _FETCHED else ""
        return (
            IncomingMessage(
                user=user,
                message_id=message_id,
                kind="subscribed" if name == _ENTER else _KINDS.get(message_type, "other"),
                text=" ".join(filter(None, (get_text(content, "text"), *_card(content)))),
                name=_name(content, user),
                media=tuple(filter(None, (file, get_text(content, "resource_url")))),
                thread=f"{conversation} {handle}",
                account=get_text(event, "to_user_id"),
                at=unix_time(content.get("create_time"), 1000),
                # An entrance answers for 30 seconds; the last message may still do so afterwards.
                session="" if name == _ENTER else handle,
                session_until=request.now + MESSAGE.duration,
                raw=request.body,
            ),
        )

    def token_call(self, secret: Secret, *, renew: bool) -> HttpCall | None:
        fields = {
            "client_key": secret["client_key"],
            "grant_type": "refresh_token",
            "refresh_token": secret["refresh_token"],
        }
        # A repetition is harmless: Douyin returns the same token until it expires.
        return HttpCall(
            f"{self.base(secret)}/oauth/refresh_token/",
            urlencode(fields).encode(),
            {"Content-Type": "application/x-www-form-urlencoded"},
            repeatable=True,
        )

    def token(self, status: int, body: bytes) -> Token | ProviderResult:
        content = response_object(body)
        data = get_object(content, "data")
        value, seconds = get_text(data, "access_token"), get_text(data, "expires_in")
        if status == 200 and value and seconds.isdecimal():
            return Token(value, int(seconds))
        failure = _refusal(status, content)
        # A person has to authorise the app again; a repetition does not help.
        return replace(failure, state="permanent") if failure.state == "renew" else failure

    def send(self, message: OutgoingMessage, secret: Secret, token: str = "") -> HttpCall:
        conversation, _, handle = message.thread.partition(" ")
        scene, _, message_id = (message.session or handle).partition(" ")
        content = {
            "scene": scene or _REPLY,
            "msg_id": message_id,
            "conversation_id": conversation,
            "to_user_id": message.user,
            "content": {
                "msg_type": 1,
                "text": {"text": self.fitted(message.text)},
            },
        }
        query = urlencode({"open_id": str(secret["open_id"])})
        url = f"{self.base(secret)}/im/send/msg/?{query}"
        return json_call(url, content, {"access-token": token})

    def outcome(self, status: int, body: bytes) -> ProviderResult:
        content = response_object(body)
        if status == 200 and _code(content) == "0":
            return ProviderResult("sent", id=get_text(content, "msg_id"))
        return _refusal(status, content)

    def media_call(self, media: str, secret: Secret, token: str = "") -> HttpCall | None:
        conversation, _, message_id = media.partition(" ")
        if not message_id:
            return media_request(media)
        query = urlencode(
            {
                "open_id": str(secret["open_id"]),
                "conversation_id": conversation,
                "message_id": message_id,
            }
        )
        headers = {"access-token": token, "Content-Type": "application/json"}
        return _get(f"{self.base(secret)}/api/im/message/resources/?{query}", headers)

    def media(
        self, status: int, headers: Mapping[str, str], body: bytes, secret: Secret, token: str = ""
    ) -> MediaFile | HttpCall | ProviderResult:
        content_type = headers.get("content-type", "")
        if status == 200 and not content_type.startswith("application/json"):
            return MediaFile(body, content_type)
        content = response_object(body)
        url = get_text(get_object(content, "data"), "url").replace("\\u0026", "&")
        if status == 200 and url:
            return _get(url, {"Access-Token": token, "OpenID": str(secret["open_id"])})
        return _refusal(status, content)


def _get(url: str, headers: Mapping[str, str]) -> HttpCall:
    return HttpCall(url, b"", headers, method="GET", repeatable=True)


def _content(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of an event; Douyin's pages show it as an object and as JSON text."""
    content = event.get("content")
    if isinstance(content, str):
        return response_object(content.encode("utf-8", "replace"))
    return get_object(content)


def _card(content: Mapping[str, Any]) -> list[str]:
    """Return the answers in a contact card that the customer has filled in."""
    card = content.get("card_data")
    fields = [get_object(each) for each in card] if isinstance(card, list) else []
    return [f"{get_text(each, 'label')} {get_text(each, 'value')}".strip() for each in fields]


def _name(content: Mapping[str, Any], user: str) -> str:
    people = content.get("user_infos")
    infos = [get_object(each) for each in people] if isinstance(people, list) else []
    return next((get_text(each, "nick_name") for each in infos if each.get("open_id") == user), "")


def _code(content: Mapping[str, Any]) -> str:
    """Return the error code of a response, "0" for none; "" if it has none of Douyin's shapes."""
    codes = [
        get_text(get_object(content, "extra"), "error_code"),
        get_text(get_object(content, "data"), "error_code"),
        get_text(content, "err_no"),
    ]
    found = [code for code in codes if code.isdecimal()]
    return next((code for code in found if code != "0"), "0" if found else "")


def _refusal(status: int, content: Mapping[str, Any]) -> ProviderResult:
    code, by_status = _code(content), result_of_status(status, "from Douyin")
    if code in {"", "0"} or by_status.state == "passing":
        return by_status
    said = get_text(get_object(content, "extra"), "description")
    said = said or get_text(get_object(content, "data"), "description")
    said = said or get_text(content, "err_msg")
    return _CODES.result(code, said)
