"""Telegram bots: Bot API, "Getting updates" (webhooks), `sendMessage`.

Telegram sends the secret token of `setWebhook` in a header of every update. A bot may write to
anybody who has written to it, at any time, unless that person blocks it.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from functions.core.channels.base import (
    Adapter,
    Encoding,
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

_MEDIA: dict[str, Kind] = {
    "photo": "image",
    "sticker": "sticker",
    "voice": "voice",
    "audio": "voice",
    "video": "video",
    "video_note": "video",
    "animation": "video",
    "document": "file",
    "contact": "other",
    "poll": "other",
    "dice": "other",
    "venue": "location",
    "location": "location",
}
"""Field of a message → kind; the first field that is present counts, since an animation also has a
`document` and a venue a `location`. An update with none of them (somebody joined …) is no message.
"""


class Telegram(Adapter):
    """A bot. Secret: `secret_token` (as given to `setWebhook`) and `bot_token`."""

    name: ClassVar[str] = "telegram"
    api: ClassVar[str] = "https://api.telegram.org"
    max_text: ClassVar[int] = 4096 * 2  # characters
    encoding: ClassVar[Encoding] = "utf-16-le"
    needs: ClassVar[tuple[str, ...]] = ("secret_token", "bot_token")
    max_choices: ClassVar[int] = 20

    def signed(self, request: ProviderRequest, secret: Secret) -> tuple[str, dict[str, Any]]:
        return "telegram", {
            "secret": secret.get("secret_token"),
            "signature": request.headers.get("x-telegram-bot-api-secret-token"),
        }

    def read(self, request: ProviderRequest, secret: Secret) -> tuple[IncomingMessage, ...]:
        update = parse_object(request.body)
        if not get_text(update, "update_id"):
            raise Unreadable("no update_id")
        message = _read_update(update)
        return (message,) if message else ()

    def answer(
        self,
        request: ProviderRequest,
        secret: Secret,
        message: IncomingMessage | None = None,
        text: str = "",
    ) -> ProviderResponse:
        """Accept a request; a tapped button stops waiting (answerCallbackQuery)."""
        tapped = get_text(get_object(response_object(request.body), "callback_query"), "id")
        if not tapped:
            return ProviderResponse()
        called = {"method": "answerCallbackQuery", "callback_query_id": tapped}
        return ProviderResponse(called, "application/json")

    def send(self, message: OutgoingMessage, secret: Secret, token: str = "") -> HttpCall:
        content: dict[str, Any] = {
            "chat_id": message.user.partition("/")[0],
            "text": self.fitted(message.text),
            "link_preview_options": {"is_disabled": True},
        }
        if message.choices:
            content["reply_markup"] = {
                "inline_keyboard": [
                    [{"text": choice.label, "callback_data": choice.id}]
                    for choice in message.choices
                ]
            }
        if re.fullmatch("[0-9]{1,18}", message.thread):
            content["reply_parameters"] = {
                "message_id": int(message.thread),
                "allow_sending_without_reply": True,
            }
        return json_call(f"{self._bot(secret)}/sendMessage", content, {})

    def check_call(self, secret: Secret, token: str = "") -> HttpCall | None:
        return json_call(f"{self._bot(secret)}/getMe", {}, {})

    def _bot(self, secret: Secret) -> str:
        return f"{self.base(secret)}/bot{secret['bot_token']}"

    def outcome(self, status: int, body: bytes) -> ProviderResult:
        content = response_object(body)
        if status == 200 and content.get("ok") is True:
            return ProviderResult("sent", id=get_text(get_object(content, "result"), "message_id"))
        return result_of_status(status, f"from Telegram: {get_text(content, 'description')[:100]}")

    def media_call(self, media: str, secret: Secret, token: str = "") -> HttpCall | None:
        url = f"{self.base(secret)}/bot{secret['bot_token']}/getFile"
        return media_request(f"{url}?file_id={url_part(media)}")

    def media(
        self, status: int, headers: Mapping[str, str], body: bytes, secret: Secret, token: str = ""
    ) -> MediaFile | HttpCall | ProviderResult:
        content_type = headers.get("content-type", "")
        found = response_object(body) if content_type.startswith("application/json") else {}
        if status == 200 and (path := get_text(get_object(found, "result"), "file_path")):
            parts = "/".join(map(url_part, path.split("/")))
            url = f"{self.base(secret)}/file/bot{secret['bot_token']}/{parts}"
            return media_request(url)
        if status == 200 and body and "ok" not in found:
            return MediaFile(body, content_type)
        return self.outcome(status, body)


def _read_update(update: dict[str, Any]) -> IncomingMessage | None:
    for key in ("message", "edited_message"):
        if message := get_object(update, key):
            return _read_message(message, update, opens=key == "message")
    if callback := get_object(update, "callback_query"):
        under, data = get_object(callback, "message"), get_text(callback, "data")
        message = {"chat": under.get("chat"), "from": callback.get("from")}
        text = _button_label(under, data) or data
        return _incoming(message, update, kind="menu", text=text, choice=data)
    member = get_object(update, "my_chat_member")
    if get_object(member, "new_chat_member").get("status") == "kicked":
        return _incoming(member, update, kind="unsubscribed")
    return None


def _read_message(
    message: dict[str, Any], update: dict[str, Any], *, opens: bool
) -> IncomingMessage | None:
    if get_object(message, "from").get("is_bot") is True:
        return None
    text = get_text(message, "text", "caption")
    kind = next((kind for key, kind in _MEDIA.items() if key in message), None)
    if kind is None and not text:
        return None
    if text.split()[:1] == ["/start"] and kind is None:
        return _incoming(message, update, kind="subscribed", opens=opens)
    if kind == "location":
        venue, degrees = get_object(message, "venue"), _degrees(get_object(message, "location"))
        parts = (get_text(venue, "title"), get_text(venue, "address"), degrees)
        text = " ".join(filter(None, parts))
    return _incoming(message, update, kind=kind or "text", text=text, opens=opens)


def _incoming(
    message: dict[str, Any],
    update: dict[str, Any],
    *,
    kind: Kind,
    text: str = "",
    choice: str = "",
    opens: bool = True,
) -> IncomingMessage:
    writer = get_object(message, "from")
    chat, person = get_text(get_object(message, "chat"), "id"), get_text(writer, "id")
    # In a group each person has a separate ticket; the answer goes to the group.
    user = chat if chat == person or not person else f"{chat}/{person}"
    names = (get_text(writer, "first_name"), get_text(writer, "last_name"))
    files = _files(message)
    return IncomingMessage(
        user=user if chat else "",
        message_id=get_text(update, "update_id"),
        kind=kind,
        text=text,
        name=" ".join(filter(None, names)),
        language=get_text(writer, "language_code"),
        media=tuple(files),
        media_names=tuple(files.values()),
        thread=get_text(message, "message_id"),
        at=unix_time(message.get("date")),
        choice=choice,
        opens=opens,
        raw=dump_raw(update),
    )


def _button_label(message: dict[str, Any], data: str) -> str:
    """Return what the button of a message with these data says, "" if there is no such button."""
    rows = get_object(message, "reply_markup").get("inline_keyboard")
    buttons = [
        get_object(button)
        for row in (rows if isinstance(rows, list) else [])
        for button in (row if isinstance(row, list) else [])
    ]
    return next(
        (get_text(each, "text") for each in buttons if each.get("callback_data") == data), ""
    )


def _files(message: dict[str, Any]) -> dict[str, str]:
    """Return a message's files, id → name; of a picture in several sizes the last and largest."""
    files: dict[str, str] = {}
    for key in _MEDIA:
        media = message.get(key)
        if isinstance(media, list):
            media = media[-1] if media else None
        if isinstance(media, dict) and (file_id := get_text(media, "file_id")):
            files[file_id] = get_text(media, "file_name")
    return files


def _degrees(location: dict[str, Any]) -> str:
    values = [location.get(key) for key in ("latitude", "longitude")]
    valid = [value for value in values if isinstance(value, int | float) and abs(value) <= 180]
    return " ".join(map(str, valid))
