"""DingTalk bots (HTTP mode): 机器人接收消息, sessionWebhook, 批量发送单聊消息, 下载文件内容.

The signature covers the time and not the message, unless the bot has an AES key: then the body is
encrypted as WeChat's is. Every message carries a URL that takes answers for about 90 minutes; later
answers are messages to the person.
"""

import json
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from functions.core.channels.base import (
    Adapter,
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
    attached_name,
    dump_raw,
    get_object,
    get_text,
    json_call,
    media_request,
    parse_object,
    response_object,
    result_of_status,
    unix_time,
)
from functions.core.channels.wechat_crypto import decrypt, encrypt, signature

SESSION_MARGIN = timedelta(minutes=1)
"""The time before its expiry at which a session is not used any more."""

_KINDS: dict[str, Kind] = {
    "text": "text",
    "richText": "text",
    "picture": "image",
    "audio": "voice",
    "video": "video",
    "file": "file",
    "location": "location",
    "link": "link",
}
_NAMES = ("recognition", "fileName", "title", "name", "address", "summary", "text")
"""The fields of a content with words, each in another msgtype."""

_SESSION = re.compile(r"https://((?:[a-z0-9-]+\.)*dingtalk\.com)(/[!-~]{1,500})")
_PASSING = frozenset({"-1", "130101", "410100"})
_RENEW = frozenset({"invalidauthentication", "invalidaccesstoken"})
_THROTTLED = ("throttling", "forbidden.accessdenied.qps")
_CAUSES = {
    "300001": "the session of the customer's last message is over",
    "130101": "too many messages in this conversation within a minute",
}
"""errcode → the cause on a dead-lettered delivery (自定义机器人, 错误码)."""


class DingTalk(Adapter):
    """A bot of an organisation's own app.

    Secret: `app_key` and `app_secret`; `robot_code` if it is not the app key, and messages to
    another bot are then refused; `aes_key` (and `token`) for encrypted messages, and plain ones are
    then refused.
    """

    name: ClassVar[str] = "dingtalk"
    api: ClassVar[str] = "https://api.dingtalk.com"
    max_text: ClassVar[int] = 12_000  # `msgParam` may have 15,000, quotation marks escaped
    needs: ClassVar[tuple[str, ...]] = ("app_key", "app_secret")
    options: ClassVar[tuple[str, ...]] = ("robot_code", "aes_key", "token")
    media_hosts: ClassVar[tuple[str, ...]] = ("dingtalk.com", "aliyuncs.com", "alicdn.com")

    def signed(self, request: ProviderRequest, secret: Secret) -> tuple[str, dict[str, Any]]:
        query, now = request.query, request.now.timestamp()
        encrypted = get_text(response_object(request.body), "encrypt")
        if _is_signed_event(request):
            return "dingtalk", {
                "token": secret.get("token"),
                "timestamp": query.get("timestamp"),
                "nonce": query.get("nonce"),
                "encrypt": encrypted,
                "msg_signature": query.get("msg_signature") or query.get("signature"),
                "now": now,
            }
        refused = secret.get("aes_key") and not encrypted
        return "dingtalk", {
            "app_secret": secret.get("app_secret"),
            "timestamp": request.headers.get("timestamp"),
            "sign": None if refused else request.headers.get("sign"),
            "now": now,
        }

    def read(self, request: ProviderRequest, secret: Secret) -> tuple[IncomingMessage, ...]:
        content = parse_object(request.body)
        if encrypted := get_text(content, "encrypt"):
            key, receiver = (str(secret.get(name, "")) for name in ("aes_key", "app_key"))
            content = parse_object(decrypt(encrypted, key, receiver))
        if get_text(content, "EventType"):
            return ()  # an event of the organisation, such as the check of the address
        robot = secret.get("robot_code")
        if robot and get_text(content, "robotCode") != robot:
            raise Unreadable("a message to another bot")
        if not get_text(content, "msgtype") or not get_text(content, "msgId"):
            raise Unreadable("no msgtype or no msgId")
        sender, bot = get_text(content, "senderId"), get_text(content, "chatbotUserId")
        return () if sender and sender == bot else (_message(content),)

    def answer(
        self,
        request: ProviderRequest,
        secret: Secret,
        message: IncomingMessage | None = None,
        text: str = "",
    ) -> ProviderResponse:
        if not _is_signed_event(request):
            return ProviderResponse()
        try:
            sealed = encrypt(b"success", str(secret.get("aes_key", "")), str(secret["app_key"]))
        except Unreadable:
            return ProviderResponse()  # the desk's key is wrong; the request is in quarantine
        now, nonce = str(int(request.now.timestamp() * 1000)), secrets.token_hex(8)
        signed = signature(str(secret["token"]), now, nonce, sealed)
        content = {"msg_signature": signed, "timeStamp": now, "nonce": nonce, "encrypt": sealed}
        return ProviderResponse(content, "application/json")

    def token_call(self, secret: Secret, *, renew: bool) -> HttpCall | None:
        content = {"appKey": secret["app_key"], "appSecret": secret["app_secret"]}
        # A repetition is harmless: DingTalk returns the same token until it expires.
        return json_call(
            f"{self.base(secret)}/v1.0/oauth2/accessToken", content, {}, repeatable=True
        )

    def token(self, status: int, body: bytes) -> Token | ProviderResult:
        content = response_object(body)
        value, seconds = get_text(content, "accessToken"), get_text(content, "expireIn")
        if status == 200 and value and seconds.isdigit():
            return Token(value, int(seconds))
        return self.outcome(status, body)

    def send(self, message: OutgoingMessage, secret: Secret, token: str = "") -> HttpCall:
        text = self.fitted(message.text)
        group, _, person = message.user.rpartition("/")
        # The session comes with the message, which is unsigned: only DingTalk's host counts.
        if session := _SESSION.fullmatch(message.session):
            host = str(secret.get("api") or f"https://{session[1]}").rstrip("/")
            content: dict[str, Any] = {"msgtype": "text", "text": {"content": text}}
            if group:
                content["at"] = {"atUserIds": [person]}
            return json_call(host + session[2], content, {})
        content = {
            "robotCode": _robot_code(secret),
            "userIds": [person],
            "msgKey": "sampleText",
            "msgParam": json.dumps({"content": text}, ensure_ascii=False),
        }
        url = f"{self.base(secret)}/v1.0/robot/oToMessages/batchSend"
        return json_call(url, content, _access(token))

    def outcome(self, status: int, body: bytes) -> ProviderResult:
        content = response_object(body)
        if status == 200 and (errcode := get_text(content, "errcode")):
            if errcode == "0":
                return ProviderResult("sent")
            words = _CAUSES.get(errcode, get_text(content, "errmsg")[:100])
            state: Any = "passing" if errcode in _PASSING else "permanent"
            return ProviderResult(state, cause=f"DingTalk {errcode}: {words}")
        if status == 200 and (query_key := get_text(content, "processQueryKey")):
            if content.get("invalidStaffIdList"):
                cause = "DingTalk: the organisation has no such person, or the bot is not theirs"
                return ProviderResult("permanent", cause=cause)
            if content.get("flowControlledStaffIdList"):
                return ProviderResult("passing", cause="DingTalk: too many messages to this person")
            return ProviderResult("sent", id=query_key)
        code = get_text(content, "code")
        cause = f"from DingTalk: {code} {get_text(content, 'message')[:100]}".rstrip(": ")
        if code.lower() in _RENEW:
            return ProviderResult("renew", cause=f"HTTP {status} {cause}")
        if code.lower().startswith(_THROTTLED):
            return ProviderResult("passing", cause=f"HTTP {status} {cause}")
        return result_of_status(status, cause)

    def media_call(self, media: str, secret: Secret, token: str = "") -> HttpCall | None:
        content = {"downloadCode": media, "robotCode": _robot_code(secret)}
        url = f"{self.base(secret)}/v1.0/robot/messageFiles/download"
        return json_call(url, content, _access(token), repeatable=True)

    def media(
        self, status: int, headers: Mapping[str, str], body: bytes, secret: Secret, token: str = ""
    ) -> MediaFile | HttpCall | ProviderResult:
        if status != 200:
            return self.outcome(status, body)
        content_type = headers.get("content-type", "")
        found = response_object(body) if content_type.startswith("application/json") else {}
        if url := get_text(found, "downloadUrl"):
            if not secret.get("api"):
                url = url.replace("http://", "https://", 1)
            return media_request(url)
        return MediaFile(body, content_type, attached_name(headers))


def _message(content: dict[str, Any]) -> IncomingMessage:
    kind, text, media = _contents(content)
    person = get_text(content, "senderStaffId", "senderId")
    group = get_text(content, "conversationId") if content.get("conversationType") == "2" else ""
    session = get_text(content, "sessionWebhook")
    until = unix_time(content.get("sessionWebhookExpiredTime"), 1000)
    if until is None or not _SESSION.fullmatch(session):
        session, until = "", None
    return IncomingMessage(
        # In a group each person has a separate ticket; the answer goes to the group.
        user=f"{group}/{person}" if group and person else person,
        message_id=get_text(content, "msgId"),
        kind=kind,
        text=text,
        name=get_text(content, "senderNick"),
        media=media,
        media_names=(get_text(get_object(content, "content"), "fileName"),),
        account=get_text(content, "robotCode"),
        at=unix_time(content.get("createAt"), 1000),
        session=session,
        session_until=until - SESSION_MARGIN if until else None,
        raw=dump_raw(content),
    )


def _contents(message: dict[str, Any]) -> tuple[Kind, str, tuple[str, ...]]:
    """Return the kind, the words and the download codes of a message."""
    message_type = get_text(message, "msgtype")
    kind = _KINDS.get(message_type, "other")
    if message_type == "text":
        return kind, get_text(get_object(message, "text"), "content").strip(), ()
    content = get_object(message, "content")
    if message_type == "richText":
        runs = [run for run in _list(content.get("richText")) if isinstance(run, dict)]
        words = (get_text(run, "text").strip() for run in runs)
        codes = tuple(filter(None, map(_download_code, runs)))
        return "image" if codes else kind, " ".join(filter(None, words)), codes
    text = get_text(content, *_NAMES)
    if message_type == "chatRecord":
        text = "\n".join(filter(None, (text, *_forwarded(get_text(content, "chatRecord")))))
    text = text or (message_type if kind == "other" else "")
    return kind, text, tuple(filter(None, (_download_code(content),)))


def _forwarded(records: str) -> list[str]:
    """Return the messages of a forwarded chat as lines."""
    found = _list(response_object(f'{{"records":{records or "[]"}}}'.encode()).get("records"))
    return [get_text(record, "content", "msgType") for record in found if isinstance(record, dict)]


def _download_code(content: dict[str, Any]) -> str:
    return get_text(content, "downloadCode", "pictureDownloadCode")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_signed_event(request: ProviderRequest) -> bool:
    """Return whether a request is an encrypted event (配置HTTP推送), signed in its query."""
    query = request.query
    if not (query.get("msg_signature") or query.get("signature")):
        return False
    return bool(get_text(response_object(request.body), "encrypt"))


def _robot_code(secret: Secret) -> str:
    return str(secret.get("robot_code") or secret["app_key"])


def _access(token: str) -> dict[str, str]:
    return {"x-acs-dingtalk-access-token": token}
