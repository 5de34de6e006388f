"""Telegram bots: Bot API, "Getting updates" (webhooks), `sendMessage`.

The secret token of `setWebhook` comes back in a header with every update. A bot may write to
whoever has written to it, at any time, unless that person blocks it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from functions.core.channels.base import (
    Adapter,
    HttpCall,
    Incoming,
    Kind,
    Outgoing,
    ProviderResult,
    Secret,
    Unreadable,
    as_raw,
    by_status,
    fitted,
    inner,
    json_call,
    json_object,
    moment,
    said,
)

if TYPE_CHECKING:
    from functions.core.platform.web import Request

LIMIT = 4096 * 2
"""4,096 UTF-16 units, in bytes."""

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
"""Field of a message → kind. An animation has a `document` too, a venue a `location`: the first of
these that is there counts. What has none of them (somebody joined a group …) is no message."""


class Telegram(Adapter):
    """A bot. Secret: `secret_token` (as given to `setWebhook`) and `bot_token`."""

    name: ClassVar[str] = "telegram"
    api: ClassVar[str] = "https://api.telegram.org"
    needs: ClassVar[tuple[str, ...]] = ("secret_token", "bot_token")

    def signed(self, request: Request, secret: Secret) -> tuple[str, dict[str, Any]]:
        return "telegram", {
            "secret": secret.get("secret_token"),
            "signature": request.headers.get("x-telegram-bot-api-secret-token"),
        }

    def read(self, request: Request, secret: Secret) -> tuple[Incoming, ...]:
        update = json_object(request.body)
        update_id = said(update, "update_id")
        if not update_id:
            raise Unreadable("no update_id")
        for name in ("message", "edited_message"):
            if found := inner(update, name):
                return _message(found, update, opens=name == "message")
        if chosen := inner(update, "callback_query"):
            place = {"chat": inner(chosen, "message").get("chat"), "from": chosen.get("from")}
            return _incoming(place, update, kind="menu", text=said(chosen, "data"))
        status = inner(update, "my_chat_member", "new_chat_member").get("status")
        if status == "kicked":
            return _incoming(inner(update, "my_chat_member"), update, kind="unsubscribed")
        return ()

    def send(self, message: Outgoing, secret: Secret, token: str = "") -> HttpCall:
        content: dict[str, Any] = {
            "chat_id": message.user.partition("/")[0],
            "text": fitted(message.text, LIMIT, "utf-16-le"),
            "link_preview_options": {"is_disabled": True},
        }
        if re.fullmatch("[0-9]{1,18}", message.thread):
            content["reply_parameters"] = {
                "message_id": int(message.thread),
                "allow_sending_without_reply": True,
            }
        return json_call(f"{self.base(secret)}/bot{secret['bot_token']}/sendMessage", content, {})

    def outcome(self, status: int, body: bytes) -> ProviderResult:
        try:
            found = json_object(body)
        except Unreadable:
            found = {}
        if status == 200 and found.get("ok") is True:
            return ProviderResult("sent", id=said(inner(found, "result"), "message_id"))
        return by_status(status, f"from Telegram: {said(found, 'description')[:100]}")


def _message(found: dict[str, Any], update: dict[str, Any], *, opens: bool) -> tuple[Incoming, ...]:
    if inner(found, "from").get("is_bot") is True:
        return ()
    text = said(found, "text", "caption")
    kind = next((kind for name, kind in _MEDIA.items() if name in found), None)
    if kind is None and not text:
        return ()
    if text.split()[:1] == ["/start"] and kind is None:
        return _incoming(found, update, kind="subscribed", opens=opens)
    if kind == "location":
        spot, venue = inner(found, "location"), inner(found, "venue")
        parts = (said(venue, "title"), said(venue, "address"), _degrees(spot))
        text = " ".join(filter(None, parts))
    return _incoming(found, update, kind=kind or "text", text=text, opens=opens)


def _incoming(
    found: dict[str, Any],
    update: dict[str, Any],
    *,
    kind: Kind,
    text: str = "",
    opens: bool = True,
) -> tuple[Incoming, ...]:
    chat, person = inner(found, "chat"), inner(found, "from")
    place, who = said(chat, "id"), said(person, "id")
    # In a group each person has a ticket of their own; the answer goes to the group.
    user = place if place == who or not who else f"{place}/{who}"
    names = (said(person, "first_name"), said(person, "last_name"))
    return (
        Incoming(
            user=user if place else "",
            message_id=said(update, "update_id"),
            kind=kind,
            text=text,
            name=" ".join(filter(None, names)),
            language=said(person, "language_code"),
            media=tuple(_files(found)),
            thread=said(found, "message_id"),
            at=moment(found.get("date")),
            opens=opens,
            raw=as_raw(update),
        ),
    )


def _files(found: dict[str, Any]) -> list[str]:
    """The ids of a message's files; of a picture in several sizes the last and largest."""
    files = []
    for name in _MEDIA:
        media = found.get(name)
        if isinstance(media, list):
            media = media[-1] if media else None
        if isinstance(media, dict) and (file_id := said(media, "file_id")):
            files.append(file_id)
    return list(dict.fromkeys(files))


def _degrees(spot: dict[str, Any]) -> str:
    found = [spot.get(name) for name in ("latitude", "longitude")]
    good = [value for value in found if isinstance(value, int | float) and abs(value) <= 180]
    return " ".join(map(str, good))
