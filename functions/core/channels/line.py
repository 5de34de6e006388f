"""LINE official accounts: Messaging API, "Receive messages (webhook)", "Send push message".

One request may carry several events of several people. If the account has webhook redelivery
switched on, LINE repeats a failed request, its events under the same ids.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from functions.core.channels.base import (
    Adapter,
    Choice,
    Encoding,
    HttpCall,
    IncomingMessage,
    Kind,
    MediaFile,
    OutgoingMessage,
    ProviderRequest,
    ProviderResult,
    Secret,
    Unreadable,
    dump_raw,
    get_object,
    get_text,
    json_call,
    media_request,
    parse_object,
    response_object,
    result_of_status,
    truncate,
    unix_time,
    url_part,
)

CONTENT = "https://api-data.line.me"
"""The API for the files that people send ("Get content")."""

LABEL_LIMIT = 20 * 2
"""20 UTF-16 units of a button's label, in bytes."""

DATA_LIMIT = 300
"""Characters of a postback's data, and of the text that it shows."""

_KINDS: dict[str, Kind] = {
    "text": "text",
    "image": "image",
    "video": "video",
    "audio": "voice",
    "file": "file",
    "location": "location",
    "sticker": "sticker",
}
_EVENTS: dict[str, Kind] = {"follow": "subscribed", "unfollow": "unsubscribed", "postback": "menu"}


class Line(Adapter):
    """An official account. Secret: `channel_secret` and `access_token` (a long-lived one)."""

    name: ClassVar[str] = "line"
    api: ClassVar[str] = "https://api.line.me"
    max_text: ClassVar[int] = 5000 * 2  # characters
    encoding: ClassVar[Encoding] = "utf-16-le"
    needs: ClassVar[tuple[str, ...]] = ("channel_secret", "access_token")
    max_choices: ClassVar[int] = 13
    media_hosts: ClassVar[tuple[str, ...]] = ("api-data.line.me",)

    def signed(self, request: ProviderRequest, secret: Secret) -> tuple[str, dict[str, Any]]:
        return "line", {
            "secret": secret.get("channel_secret"),
            "body": request.body,
            "signature": request.headers.get("x-line-signature"),
        }

    def read(self, request: ProviderRequest, secret: Secret) -> tuple[IncomingMessage, ...]:
        content = parse_object(request.body)
        events = content.get("events")
        if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
            raise Unreadable("no list of events")
        messages = (_message(event, get_text(content, "destination")) for event in events)
        return tuple(message for message in messages if message is not None)

    def send(self, message: OutgoingMessage, secret: Secret, token: str = "") -> HttpCall:
        # A label that is too long for its button is told whole in the text.
        long = [each.label for each in message.choices if _label(each) != each.label]
        text = "\n".join((message.text, *(f"· {label}" for label in long)))
        said: dict[str, Any] = {"type": "text", "text": self.fitted(text)}
        if message.choices:
            said["quickReply"] = {"items": [_button(choice) for choice in message.choices]}
        content = {"to": message.user.partition("/")[0], "messages": [said]}
        headers = _authorization(secret)
        if message.key:
            headers["X-Line-Retry-Key"] = message.key
        url = f"{self.base(secret)}/v2/bot/message/push"
        return json_call(url, content, headers, repeatable=bool(message.key))

    def check_call(self, secret: Secret, token: str = "") -> HttpCall | None:
        url = f"{self.base(secret)}/v2/bot/info"
        return HttpCall(url, b"", _authorization(secret), method="GET", repeatable=True)

    def outcome(self, status: int, body: bytes) -> ProviderResult:
        content = response_object(body)
        sent = content.get("sentMessages")
        first = sent[0] if isinstance(sent, list) and sent else None
        # 409: LINE accepted a message with this retry key before ("Retry failed API requests").
        if status in {200, 409}:
            return ProviderResult("sent", id=get_text(get_object(first), "id"))
        return result_of_status(status, f"from LINE: {get_text(content, 'message')[:100]}")

    def media_call(self, media: str, secret: Secret, token: str = "") -> HttpCall | None:
        base = self.base(secret) if secret.get("api") else CONTENT
        url = f"{base}/v2/bot/message/{url_part(media)}/content"
        return media_request(url, secret["access_token"])

    def media(
        self, status: int, headers: Mapping[str, str], body: bytes, secret: Secret, token: str = ""
    ) -> MediaFile | HttpCall | ProviderResult:
        if status == 200 and body:
            return MediaFile(body, headers.get("content-type", ""))
        if status == 202:
            return ProviderResult("passing", cause="LINE is still preparing the file")
        return result_of_status(status, "from LINE")


def _authorization(secret: Secret) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret['access_token']}"}


def _label(choice: Choice) -> str:
    return truncate(choice.label, LABEL_LIMIT, "utf-16-le")


def _button(choice: Choice) -> dict[str, Any]:
    """Return a quick reply; its data name the choice and, for the ticket, what it says."""
    action = {
        "type": "postback",
        "label": _label(choice),
        "data": f"{choice.id}\n{choice.label}"[:DATA_LIMIT],
        "displayText": choice.label[:DATA_LIMIT],
    }
    return {"type": "action", "action": action}


def _message(event: dict[str, Any], account: str) -> IncomingMessage | None:
    source, message = get_object(event, "source"), get_object(event, "message")
    event_type = get_text(event, "type")
    kind = (
        _KINDS.get(get_text(message, "type"), "other")
        if event_type == "message"
        else _EVENTS.get(event_type)
    )
    if kind is None:
        return None
    group, person = get_text(source, "groupId", "roomId"), get_text(source, "userId")
    # In a group each person has a separate ticket; the answer goes to the group.
    user = f"{group}/{person}" if group and person else group or person
    text, choice = get_text(message, "text"), ""
    if kind == "location":
        text = " ".join(filter(None, (get_text(message, "title"), get_text(message, "address"))))
    elif kind == "file":
        text = get_text(message, "fileName")
    elif kind == "menu":
        choice, _, label = get_text(get_object(event, "postback"), "data").partition("\n")
        text = label or choice
    has_media = kind in {"image", "video", "voice", "file", "other"}
    media = (get_text(message, "id"),) if has_media else ()
    return IncomingMessage(
        user=user,
        message_id=get_text(event, "webhookEventId") or get_text(message, "id"),
        kind=kind,
        text=text,
        media=tuple(filter(None, media)),
        media_names=(get_text(message, "fileName"),),
        account=account,
        at=unix_time(event.get("timestamp"), 1000),
        choice=choice,
        raw=dump_raw(event),
    )
