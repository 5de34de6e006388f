"""Feishu and Lark apps: 接收消息 (events 2.0), 回复消息, 卡片回传交互, 获取消息中的资源文件.

An event is JSON, encrypted with the app's Encrypt Key, which also signs it; the response is due
within three seconds. Feishu repeats an event under other event ids, so the message's id counts.
Answers are replies to the person's message, in its thread if it is in one.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

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
    url_part,
)

_BLOCK = 16
_JSON = "application/json"
_KINDS: dict[str, Kind] = {
    "text": "text",
    "post": "text",
    "image": "image",
    "audio": "voice",
    "media": "video",
    "file": "file",
    "folder": "file",
    "sticker": "sticker",
    "location": "location",
}
"""message_type → kind; the others (cards, votes, calendar entries, forwarded chats …) are other."""

_NAMES = ("text", "file_name", "title", "topic", "summary", "name")
"""The fields of a content that say what it is, each in another message_type."""

_CAUSES = {
    "10003": "the app id is wrong",
    "10014": "the app secret is wrong",
    "230002": "the app is not in the group any more",
    "230006": "the app has no bot: switch it on and publish a version",
    "230011": "the customer took the message back that this answers",
    "230013": "the app is not available to this person",
    "230018": "the group does not allow the app to write",
    "230020": "too many messages to this person or group within a second",
    "230022": "Feishu refuses the words of this message",
    "230025": "the message is too long",
    "230027": "the app lacks a permission for messages",
    "230029": "the person has left the organisation",
    "230035": "the app may not write to this chat",
    "230053": "the person has stopped the app's messages",
    "99991672": "the app lacks a permission for messages",
}
"""code → the cause on a dead-lettered delivery (回复消息, 发送消息, 服务端错误码说明)."""

_CODES = ErrorCodes(
    "Feishu",
    _CAUSES,
    passing=frozenset({"2200", "11232", "11233", "230020", "230049", "99991400"}),
    renew=frozenset({"99991661", "99991663", "99991664", "99991668", "99991671", "99991677"}),
)

_MENTION = re.compile("@_(?:user_[0-9]{1,6}|all)")


class Feishu(Adapter):
    """A self-built app with a bot.

    Secret: `encrypt_key` and `verification_token` of the event subscription; `app_id` and
    `app_secret` for sending and media; `tenant_key` refuses the events of other organisations.
    """

    name: ClassVar[str] = "feishu"
    api: ClassVar[str] = "https://open.feishu.cn"
    max_text: ClassVar[int] = 20_000  # a card may have 30 KB, quotation marks escaped twice
    needs: ClassVar[tuple[str, ...]] = (
        "app_id", "app_secret", "encrypt_key", "verification_token",
    )  # fmt: skip
    options: ClassVar[tuple[str, ...]] = ("tenant_key",)
    max_choices: ClassVar[int] = 10

    def signed(self, request: ProviderRequest, secret: Secret) -> tuple[str, dict[str, Any]]:
        verification = _url_verification(request, secret)
        if verification is not None:
            # It has no signature; `challenge` answers it, so that it is never read as an event.
            return "feishu_token", {
                "secret": secret.get("verification_token"),
                "signature": verification.get("token"),
            }
        headers = request.headers
        return "feishu", {
            "encrypt_key": secret.get("encrypt_key"),
            "timestamp": headers.get("x-lark-request-timestamp"),
            "nonce": headers.get("x-lark-request-nonce"),
            "body": request.body,
            "signature": headers.get("x-lark-signature"),
            "now": request.now.timestamp(),
        }

    def challenge(self, request: ProviderRequest, secret: Secret) -> ProviderResponse | None:
        verification = _url_verification(request, secret)
        if verification is None:
            return None
        return ProviderResponse({"challenge": get_text(verification, "challenge")}, _JSON)

    def read(self, request: ProviderRequest, secret: Secret) -> tuple[IncomingMessage, ...]:
        content = _content(request, secret)
        header = get_object(content, "header")
        event_type = get_text(header, "event_type")
        if not event_type:
            raise Unreadable("no event_type")
        tenant = secret.get("tenant_key")
        if tenant and get_text(header, "tenant_key") != tenant:
            raise Unreadable("an event of another organisation")
        read_event = _EVENTS.get(event_type)
        message = read_event(content) if read_event else None
        return (message,) if message else ()

    def answer(
        self,
        request: ProviderRequest,
        secret: Secret,
        message: IncomingMessage | None = None,
        text: str = "",
    ) -> ProviderResponse:
        # A tapped button needs a JSON response, or Feishu shows the person an error.
        return ProviderResponse({}, _JSON)

    def token_call(self, secret: Secret, *, renew: bool) -> HttpCall | None:
        content = {"app_id": secret["app_id"], "app_secret": secret["app_secret"]}
        url = f"{self.base(secret)}/open-apis/auth/v3/tenant_access_token/internal"
        # A repetition is harmless: Feishu returns the same token for most of its two hours.
        return json_call(url, content, {}, repeatable=True)

    def token(self, status: int, body: bytes) -> Token | ProviderResult:
        content = response_object(body)
        value, seconds = get_text(content, "tenant_access_token"), get_text(content, "expire")
        if status == 200 and value and seconds.isdigit():
            return Token(value, int(seconds))
        return self.outcome(status, body)

    def send(self, message: OutgoingMessage, secret: Secret, token: str = "") -> HttpCall:
        text = self.fitted(message.text)
        content: dict[str, Any] = {"msg_type": "text", "content": _as_text(_plain(text))}
        if message.choices:
            content = {"msg_type": "interactive", "content": _as_text(_card(message, text))}
        if message.key:
            content["uuid"] = message.key
        path = f"messages/{url_part(message.thread)}/reply"
        if not message.thread:
            receiver = message.user.rpartition("/")[2]
            kind = "chat_id" if receiver.startswith("oc_") else "open_id"
            path = f"messages?receive_id_type={kind}"
            content["receive_id"] = receiver
        url = f"{self.base(secret)}/open-apis/im/v1/{path}"
        headers = {"Authorization": f"Bearer {token}"}
        return json_call(url, content, headers, repeatable=bool(message.key))

    def outcome(self, status: int, body: bytes) -> ProviderResult:
        content = response_object(body)
        code = get_text(content, "code")
        if status == 200 and code == "0" and get_object(content, "data"):
            return ProviderResult("sent", id=get_text(get_object(content, "data"), "message_id"))
        by_status = result_of_status(status, "from Feishu")
        if not code:
            return by_status
        return _CODES.result(code, get_text(content, "msg"), passing=by_status.state == "passing")

    def media_call(self, media: str, secret: Secret, token: str = "") -> HttpCall | None:
        message_id, _, key = media.partition("/")
        url = f"{self.base(secret)}/open-apis/im/v1/messages/{url_part(message_id)}"
        if key:
            kind = "image" if key.startswith("img") else "file"
            url += f"/resources/{url_part(key)}?type={kind}"
        return media_request(url, token)

    def media(
        self, status: int, headers: Mapping[str, str], body: bytes, secret: Secret, token: str = ""
    ) -> MediaFile | HttpCall | ProviderResult:
        content_type = headers.get("content-type", "")
        is_file = "content-disposition" in headers or not content_type.startswith(_JSON)
        if status == 200 and body and is_file:
            return MediaFile(body, content_type, attached_name(headers))
        items = get_object(response_object(body), "data").get("items")
        if status == 200 and isinstance(items, list):
            lines = filter(None, map(_forwarded, items))
            return MediaFile("\n".join(lines).encode(), "text/plain; charset=utf-8", "chat.txt")
        return self.outcome(status, body)


# Requests


def _content(request: ProviderRequest, secret: Secret) -> dict[str, Any]:
    """Return the JSON of a request, decrypted if it is encrypted."""
    content = parse_object(request.body)
    encrypted = content.get("encrypt")
    if isinstance(encrypted, str):
        return parse_object(decrypt(encrypted, str(secret.get("encrypt_key", ""))))
    return content


def decrypt(encrypted: str, encrypt_key: str) -> bytes:
    """Decrypt an event: AES-256-CBC, the IV before the data, PKCS#7.

    Raises:
        Unreadable: it was encrypted with another key.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    try:
        data = base64.b64decode(encrypted, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unreadable("encrypt is not base64") from error
    if len(data) < 2 * _BLOCK or len(data) % _BLOCK:
        raise Unreadable("encrypt is not whole blocks")
    key = hashlib.sha256(encrypt_key.encode()).digest()
    decryptor = Cipher(algorithms.AES(key), modes.CBC(data[:_BLOCK])).decryptor()
    plain = decryptor.update(data[_BLOCK:]) + decryptor.finalize()
    pad = plain[-1]
    if not 1 <= pad <= _BLOCK or not plain.endswith(bytes([pad]) * pad):
        raise Unreadable("encrypted with another key")
    return plain[:-pad]


def _url_verification(request: ProviderRequest, secret: Secret) -> dict[str, Any] | None:
    try:
        content = _content(request, secret)
    except Unreadable:
        return None
    return content if content.get("type") == "url_verification" else None


# Events


def _message(content: dict[str, Any]) -> IncomingMessage | None:
    sender, message = (get_object(content, "event", key) for key in ("sender", "message"))
    if get_text(sender, "sender_type") not in {"", "user"}:
        return None
    message_id, message_type = get_text(message, "message_id"), get_text(message, "message_type")
    if not message_id or not message_type:
        raise Unreadable("no message_id or no message_type")
    body = parse_object(get_text(message, "content").encode())
    kind, text, keys = _contents(message_type, body)
    # A forwarded chat is fetched by the message's own id.
    media = [message_id] if message_type == "merge_forward" else []
    return _incoming(
        content,
        get_text(message, "chat_id"),
        get_text(get_object(sender, "sender_id"), "open_id"),
        in_group=get_text(message, "chat_type") != "p2p",
        message_id=message_id,
        kind=kind,
        text=_without_mentions(text, message.get("mentions")),
        media=tuple(media + [f"{message_id}/{key}" for key in keys]),
        media_names=(get_text(body, "file_name"),),
        thread=message_id,
    )


def _entered(content: dict[str, Any]) -> IncomingMessage:
    chat = get_text(get_object(content, "event"), "chat_id")
    entered_at = unix_time(get_object(content, "header").get("create_time"), 1000)
    # A person opens the chat often; another time on the same day is no news.
    entry = f"{chat}:entered:{entered_at.date() if entered_at else ''}"
    return _incoming(content, chat, message_id=entry, kind="subscribed")


def _recalled(content: dict[str, Any]) -> IncomingMessage:
    """Read that a message was taken back; what it said stays on the ticket."""
    event = get_object(content, "event")
    recalled = f"{get_text(event, 'message_id')}:recalled"
    chat = get_text(event, "chat_id")
    return _incoming(content, chat, message_id=recalled, kind="recalled", opens=False)


def _tapped(content: dict[str, Any]) -> IncomingMessage | None:
    """Read the button that a person tapped; the same one of the same card counts once."""
    event = get_object(content, "event")
    value, card = get_object(event, "action", "value"), get_object(event, "context")
    choice, card_id = get_text(value, "choice"), get_text(card, "open_message_id")
    if not choice:
        return None
    return _incoming(
        content,
        get_text(card, "open_chat_id"),
        get_text(get_object(event, "operator"), "open_id"),
        in_group=value.get("in_group") is True,
        message_id=f"{card_id}:{choice}",
        text=get_text(value, "label"),
        thread=card_id,
        choice=choice,
    )


def _incoming(
    content: dict[str, Any], chat: str, person: str = "", *, in_group: bool = False, **fields: Any
) -> IncomingMessage:
    header = get_object(content, "header")
    # The chat of one person and the bot identifies that person; some events name nobody. In a group
    # each person has a separate ticket; the answer goes to the group.
    member = f"{chat}/{person}" if chat and person else ""
    return IncomingMessage(
        user=member if in_group else chat or person,
        account=get_text(header, "app_id"),
        at=unix_time(header.get("create_time"), 1000),
        raw=dump_raw(content),
        **fields,
    )


_EVENTS = {
    "im.message.receive_v1": _message,
    "im.chat.access_event.bot_p2p_chat_entered_v1": _entered,
    "im.message.recalled_v1": _recalled,
    "card.action.trigger": _tapped,
}
"""event_type → its reader; reactions, receipts and members do not concern a help desk."""


def _contents(message_type: str, content: dict[str, Any]) -> tuple[Kind, str, list[str]]:
    """Return the kind, the words and the keys of the files of a message's content."""
    kind = _KINDS.get(message_type, "other")
    if message_type in {"post", "interactive", "todo"}:
        text, keys = _rich_text(content)
        if message_type == "post" and keys:
            kind = "image" if keys[0].startswith("img") else "file"
        return kind, text, keys
    if kind == "location":
        names = ("name", "latitude", "longitude")
        return kind, " ".join(filter(None, (get_text(content, name) for name in names))), []
    # A sticker's file cannot be fetched, nor a folder; a video's image is only its preview.
    has_file = kind in {"image", "voice", "video", "file"} and message_type != "folder"
    key = get_text(content, "file_key", "image_key") if has_file else ""
    text = get_text(content, *_NAMES) or (message_type if kind == "other" else "")
    return kind, text, [key] if key else []


def _rich_text(content: dict[str, Any]) -> tuple[str, list[str]]:
    """Return the words and the files of a title and lines of runs (post, card, task)."""
    content = get_object(content, "summary") or content
    lines = content.get("content", content.get("elements"))
    texts, keys = [get_text(content, "title")], []
    for line in lines if isinstance(lines, list) else ():
        words = []
        for run in line if isinstance(line, list) else [line]:
            if not isinstance(run, dict):
                continue
            tag, text, link = (get_text(run, key) for key in ("tag", "text", "href"))
            if tag == "at":
                mention = get_text(run, "user_id")
                text = mention if _MENTION.fullmatch(mention) else ""
                text = text or f"@{get_text(run, 'user_name')}"
            elif tag in {"img", "media"}:
                keys.append(get_text(run, "file_key", "image_key"))
            words.append(f"{text} {link}" if link and link != text else text)
        texts.append("".join(words))
    return "\n".join(filter(None, texts)), list(filter(None, keys))


def _without_mentions(text: str, mentions: Any) -> str:
    """Cut the mentions of bots and those before the first word; write the others as @name."""
    names = {}
    for mention in mentions if isinstance(mentions, list) else ():
        name = get_text(mention, "name") if isinstance(mention, dict) else ""
        if name and mention.get("mentioned_type") != "bot":
            names[get_text(mention, "key")] = f"@{name}"
    text = re.sub(rf"^(?:\s*{_MENTION.pattern})+", "", text)
    return _MENTION.sub(lambda found: names.get(found[0], ""), text).strip()


def _forwarded(item: Any) -> str:
    """Return a message of a forwarded chat as a line."""
    message_type = get_text(item, "msg_type") if isinstance(item, dict) else ""
    if not message_type or message_type == "merge_forward":
        return ""
    content = response_object(get_text(get_object(item, "body"), "content").encode())
    kind, text, _ = _contents(message_type, content)
    text = _without_mentions(text, item.get("mentions"))
    return text if kind == "text" else f"[{message_type}] {text}".rstrip()


# Messages


def _plain(text: str) -> dict[str, str]:
    # Feishu reads <at user_id="all"> in a text as a mention of everybody.
    return {"text": re.sub("<(?=/?at[ >])", "＜", text)}


def _card(message: OutgoingMessage, text: str) -> dict[str, Any]:
    in_group = "/" in message.user
    buttons = [
        {
            "tag": "button",
            "text": {"tag": "plain_text", "content": choice.label},
            "value": {"choice": choice.id, "label": choice.label, "in_group": in_group},
        }
        for choice in message.choices
    ]
    return {
        "elements": [
            {"tag": "div", "text": {"tag": "plain_text", "content": text}},
            {"tag": "action", "actions": buttons},
        ]
    }


def _as_text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
