"""WeCom customer service (微信客服): 接收消息和事件, 发送消息, 分配客服会话, 加解密方案说明.

An encrypted announcement says that an account (open_kfid) has messages or events; kf/sync_msg
gives them, for three days. WeChat's users write; colleagues may answer them in WeCom's own client.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from functions.core.channels import wechat_api
from functions.core.channels.base import (
    DeliveryReport,
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
    dump_raw,
    get_object,
    get_text,
    json_call,
    media_request,
    parse_object,
    response_object,
    truncate,
    unix_time,
    url_part,
)
from functions.core.channels.pulled import Announcement, PulledAdapter, PulledPage
from functions.core.channels.wechat_crypto import decrypt, xml_fields

PAGE = 100
"""The messages of a page, so that one is processed well within the function's time; WeCom gives up
to 1,000."""

WELCOME = timedelta(seconds=20)
"""The time for which a code to answer an event is valid, once."""

_MENU_HEAD, _MENU_ITEM = 1024, 128
_MESSAGE_ID = 32

_KINDS: dict[str, tuple[Kind, tuple[str, ...]]] = {
    "text": ("text", ("content",)),
    "image": ("image", ()),
    "voice": ("voice", ()),
    "video": ("video", ()),
    "file": ("file", ("filename",)),
    "location": ("location", ("name", "address", "latitude", "longitude")),
    "link": ("link", ("title", "desc", "url")),
    "business_card": ("other", ("userid",)),
    "miniprogram": ("link", ("title", "appid", "pagepath")),
    "msgmenu": ("other", ("head_content", "tail_content")),
}
"""msgtype → kind, the fields with text. A file's `media_id` is its medium."""

_CUSTOMER, _SYSTEM, _COLLEAGUE = "3", "4", "5"
"""`origin`: who wrote."""

_SESSION_CHANGES = {"1": "taken", "2": "passed on", "3": "ended", "4": "taken again"}

_TOKEN_EXPIRED, _WRONG_STATE = "95007", "95018"
_CAUSES = {
    "40001": "the secret is wrong",
    "40013": "the CorpID is wrong",
    "40096": "the account does not know this person (external_userid)",
    "48002": "the app may not use this account: add it to the apps that may call the API",
    "60020": "this address is not on the app's list of trusted IP addresses",
    "60030": "the app may not use this account",
    "95000": "there is no such account (open_kfid)",
    "95001": "five messages were sent since the customer's last one; they have to write again",
    "95002": "the customer's last message is more than 48 hours old; they have to write again",
    "95004": "there is no such account (open_kfid)",
    "95013": "the session has ended; the customer has to write again",
    "95016": "the session cannot change to this state",
    "95018": "a colleague has the session in WeCom, or it has ended",
}
"""errcode → the cause on a dead-lettered delivery (全局错误码)."""

_CODES = ErrorCodes(
    "WeCom",
    _CAUSES,
    passing=frozenset({"-1", "45009", "45033"}),
    closed=frozenset({"95001", "95002"}),
    renew=frozenset({"40014", "42001"}),
)

_FAILURES = {
    "0": "for an unknown reason",
    "1": "the account was deleted",
    "2": "the app was closed",
    "4": "the session is older than 48 hours",
    "5": "the session was closed",
    "6": "more than five messages since the customer's last one",
    "7": "no video account is bound",
    "8": "the company is not verified",
    "9": "no video account is bound, and the company is not verified",
    "10": "the customer refuses messages",
    "11": "nobody of the company has signed in to WeCom",
    "12": "messages of this kind are not allowed",
    "13": "WeCom's safety rules",
}
"""fail_type → why a message did not arrive (消息发送失败事件)."""

_STATES = {
    "2": "the customer waits in WeCom's queue for a colleague",
    "3": "a colleague serves the customer in WeCom",
    "4": "the session has ended; the customer has to write again",
}
"""service_state → why our message is refused (分配客服会话)."""


class WeCom(PulledAdapter):
    """The customer-service accounts of one company.

    Secret: `corp_id`; `secret` of the app that may call the API; `token` and `aes_key` of its
    callback; `open_kfid`, the account for people who have written to none.
    """

    name: ClassVar[str] = "wecom"
    api: ClassVar[str] = "https://qyapi.weixin.qq.com"
    max_text: ClassVar[int] = 2048
    needs: ClassVar[tuple[str, ...]] = ("corp_id", "secret", "token", "aes_key")
    options: ClassVar[tuple[str, ...]] = ("open_kfid",)
    windows: ClassVar[Windows] = {
        "message": Window(timedelta(hours=48), 5),
        "subscribed": Window(WELCOME, 1),
    }
    max_choices: ClassVar[int] = 10
    announced_within: ClassVar[timedelta] = timedelta(minutes=10)

    # Announcements

    def signed(self, request: ProviderRequest, secret: Secret) -> tuple[str, dict[str, Any]]:
        query = request.query
        parts: dict[str, Any] = {
            "token": secret.get("token"),
            "timestamp": query.get("timestamp"),
            "nonce": query.get("nonce"),
            "msg_signature": query.get("msg_signature"),
            "now": request.now.timestamp(),
        }
        if request.method == "GET":
            return self.name, {**parts, "echostr": query.get("echostr")}
        return self.name, {**parts, "body": request.body}

    def challenge(self, request: ProviderRequest, secret: Secret) -> ProviderResponse | None:
        if request.method != "GET":
            return None
        try:
            return ProviderResponse(_decrypt(request.query.get("echostr", ""), secret).decode())
        except (Unreadable, UnicodeDecodeError):
            return ProviderResponse("")  # WeCom tells the administrator that the key is wrong

    def announcement(self, request: ProviderRequest, secret: Secret) -> Announcement | None:
        fields = xml_fields(_decrypt(xml_fields(request.body).get("Encrypt", ""), secret))
        if fields.get("Event") != "kf_msg_or_event":
            return None
        account = fields.get("OpenKfId") or str(secret.get("open_kfid", ""))
        return Announcement(account, fields.get("Token", ""))

    def answer(
        self,
        request: ProviderRequest,
        secret: Secret,
        message: IncomingMessage | None = None,
        text: str = "",
    ) -> ProviderResponse:
        return ProviderResponse("success")

    # Pages

    def pull_call(
        self, announcement: Announcement, cursor: str, secret: Secret, token: str
    ) -> HttpCall:
        content: dict[str, Any] = {"limit": PAGE, "voice_format": 0}
        more = {"cursor": cursor, "token": announcement.token, "open_kfid": announcement.account}
        content |= {name: value for name, value in more.items() if value}
        # A page can be read again by the same cursor.
        return self._call("kf/sync_msg", content, secret, token, repeatable=True)

    def page(self, status: int, body: bytes) -> PulledPage | ProviderResult:
        content = response_object(body)
        code = get_text(content, "errcode")
        if code == _TOKEN_EXPIRED:
            return PulledPage(refused=True)
        if status != 200 or code != "0":
            return wechat_api.refusal(status, body, _CODES)
        more = get_text(content, "has_more") == "1"
        return PulledPage(get_text(content, "next_cursor"), more)

    def read(self, request: ProviderRequest, secret: Secret) -> tuple[IncomingMessage, ...]:
        found = (_message(entry, request.now) for entry in _entries(request.body))
        return tuple(message for message in found if message is not None)

    def reports(self, request: ProviderRequest, secret: Secret) -> tuple[DeliveryReport, ...]:
        events = (get_object(entry, "event") for entry in _entries(request.body))
        return tuple(
            DeliveryReport(
                get_text(event, "fail_msgid"),
                "failed",
                f"WeCom: {_FAILURES.get(get_text(event, 'fail_type'), 'for an unknown reason')}",
            )
            for event in events
            if get_text(event, "event_type") == "msg_send_fail"
        )

    # Sending

    def token_call(self, secret: Secret, *, renew: bool) -> HttpCall | None:
        company, app = url_part(str(secret["corp_id"])), url_part(str(secret["secret"]))
        query = f"corpid={company}&corpsecret={app}"
        return media_request(f"{self.base(secret)}/cgi-bin/gettoken?{query}")

    def token(self, status: int, body: bytes) -> Token | ProviderResult:
        return wechat_api.token(status, body, _CODES)

    def send(self, message: OutgoingMessage, secret: Secret, token: str = "") -> HttpCall:
        content: dict[str, Any] = {"msgid": _message_id(message.key)} if message.key else {}
        content |= self._content(message)
        if message.session:
            content["code"] = message.session
            return self._call("kf/send_msg_on_event", content, secret, token, repeatable=True)
        content |= {"touser": message.user, "open_kfid": message.thread or secret["open_kfid"]}
        # WeCom refuses an id that it has seen.
        return self._call("kf/send_msg", content, secret, token, repeatable=bool(message.key))

    def outcome(self, status: int, body: bytes) -> ProviderResult:
        return wechat_api.outcome(status, body, _CODES)

    def unblock(
        self, message: OutgoingMessage, result: ProviderResult, secret: Secret, token: str = ""
    ) -> HttpCall | None:
        if not result.cause.startswith(f"WeCom {_WRONG_STATE}:") or message.session:
            return None
        return self._session("get", message, secret, token)

    def unblocked(
        self, status: int, body: bytes, message: OutgoingMessage, secret: Secret, token: str = ""
    ) -> HttpCall | ProviderResult:
        result = self.outcome(status, body)
        state = get_text(response_object(body), "service_state")
        if result.state != "sent" or not state:
            return result
        if state == "0":  # new: the API may take it, as long as no colleague has it
            return self._session("trans", message, secret, token, service_state=1)
        return ProviderResult("permanent", cause=f"WeCom: {_STATES.get(state, 'another state')}")

    def media_call(self, media: str, secret: Secret, token: str = "") -> HttpCall | None:
        return wechat_api.media_call(self.base(secret), media, token)

    def media(
        self, status: int, headers: Mapping[str, str], body: bytes, secret: Secret, token: str = ""
    ) -> MediaFile | HttpCall | ProviderResult:
        return wechat_api.media(status, headers, body, _CODES)

    def _content(self, message: OutgoingMessage) -> dict[str, Any]:
        """Return the text of a message, as a menu if there are choices and it is short enough."""
        if message.choices and len(message.text.encode()) <= _MENU_HEAD:
            items = [
                {
                    "type": "click",
                    "click": {
                        "id": choice.id,
                        "content": truncate(choice.label, _MENU_ITEM, "utf-8"),
                    },
                }
                for choice in message.choices
            ]
            return {"msgtype": "msgmenu", "msgmenu": {"head_content": message.text, "list": items}}
        text = "\n".join((message.text, *(choice.label for choice in message.choices)))
        return {"msgtype": "text", "text": {"content": self.fitted(text)}}

    def _session(
        self, act: str, message: OutgoingMessage, secret: Secret, token: str, **more: Any
    ) -> HttpCall:
        account = message.thread or secret["open_kfid"]
        content = {"open_kfid": account, "external_userid": message.user, **more}
        return self._call(f"kf/service_state/{act}", content, secret, token, repeatable=True)

    def _call(
        self, path: str, content: Any, secret: Secret, token: str, *, repeatable: bool
    ) -> HttpCall:
        url = f"{self.base(secret)}/cgi-bin/{path}?access_token={token}"
        return json_call(url, content, {}, repeatable=repeatable)


def _decrypt(encrypted: str, secret: Secret) -> bytes:
    return decrypt(encrypted, str(secret.get("aes_key", "")), str(secret.get("corp_id", "")))


def _entries(body: bytes) -> list[Any]:
    entries = parse_object(body).get("msg_list", [])
    if not isinstance(entries, list):
        raise Unreadable(f"msg_list is no list: {type(entries).__name__}")
    return entries


def _message(entry: Any, now: datetime) -> IncomingMessage | None:
    """Return an entry of a page as a message, None if it concerns nobody.

    One that cannot be read is a message of nobody, so that it is quarantined alone.
    """
    raw = dump_raw({"errcode": 0, "msg_list": [entry]})  # a page that can be read again
    event = get_object({"entry": entry}, "entry", "event")
    about = {**event, **entry} if isinstance(entry, dict) else {}
    message = IncomingMessage(
        user=get_text(about, "external_userid"),
        message_id=get_text(about, "msgid"),
        kind="other",
        thread=get_text(about, "open_kfid"),
        account=get_text(about, "open_kfid"),
        at=unix_time(about.get("send_time")),
        raw=raw,
    )
    origin = get_text(about, "origin")
    if origin == _SYSTEM:
        return _event(message, event, now)
    message = _read(message, about)
    if origin == _COLLEAGUE:
        colleague, words = get_text(about, "servicer_userid"), message.display_text("zh-CN")
        said = f"{colleague}: {words}" if colleague else words
        return replace(message, kind="colleague", text=said, media=(), choice="", opens=False)
    return message if origin == _CUSTOMER else replace(message, user="")


def _read(message: IncomingMessage, entry: Mapping[str, Any]) -> IncomingMessage:
    """Return a message with the words and the medium of an entry."""
    kind_name = get_text(entry, "msgtype")
    kind, texts = _KINDS.get(kind_name, ("other", ()))
    content = get_object(entry, kind_name)
    words = [_words(content.get(name)) for name in texts] or [kind_name * (kind == "other")]
    return replace(
        message,
        kind=kind,
        text=" ".join(filter(None, words)),
        media=tuple(filter(None, [get_text(content, "media_id")])),
        choice=get_text(content, "menu_id"),
    )


def _words(value: Any) -> str:
    """Return a field as text; a coordinate is a number with a fraction."""
    return str(value) if isinstance(value, float) else get_text({"": value}, "").strip()


def _event(
    message: IncomingMessage, event: Mapping[str, Any], now: datetime
) -> IncomingMessage | None:
    """Return an event about a person; None for a failed message, and for what concerns none."""
    kind = get_text(event, "event_type")
    colleague = get_text(event, "servicer_userid")
    found = replace(message, opens=False)
    if kind == "enter_session":
        code = get_text(event, "welcome_code")
        in_time = code and message.at and now < message.at + WELCOME
        return replace(
            found,
            kind="subscribed",
            text=get_text(event, "scene"),
            session=code if in_time else "",
            opens=bool(code),
        )
    if kind in {"user_recall_msg", "servicer_recall_msg"}:
        return replace(found, kind="recalled", text=colleague)
    if kind == "session_status_change":
        change = _SESSION_CHANGES.get(get_text(event, "change_type"), "")
        to = get_text(event, "new_servicer_userid") or get_text(event, "old_servicer_userid")
        return replace(found, kind="session", text=" ".join(filter(None, (change, to))))
    if kind == "reject_customer_msg_switch_change":
        refused = get_text(event, "reject_switch") == "1"
        return replace(found, kind="session", text="refused" if refused else "accepted")
    return None


def _message_id(key: str) -> str:
    """Return a delivery's key as WeCom takes ids: up to 32 of these characters."""
    return re.sub(r"[^0-9A-Za-z_-]", "", key.replace("-", ""))[:_MESSAGE_ID]
