"""LINE official accounts: Messaging API, "Receive messages (webhook)", "Send push message".

One call may bring several events of several people. A call that failed comes again where the
account has redelivery switched on, its events under the ids that they had.
"""

from __future__ import annotations

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

LIMIT = 5000 * 2
"""5,000 UTF-16 units, in bytes."""

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
    needs: ClassVar[tuple[str, ...]] = ("channel_secret", "access_token")

    def signed(self, request: Request, secret: Secret) -> tuple[str, dict[str, Any]]:
        return "line", {
            "secret": secret.get("channel_secret"),
            "body": request.body,
            "signature": request.headers.get("x-line-signature"),
        }

    def read(self, request: Request, secret: Secret) -> tuple[Incoming, ...]:
        call = json_object(request.body)
        events = call.get("events")
        if not isinstance(events, list) or not all(isinstance(each, dict) for each in events):
            raise Unreadable("no list of events")
        found = (_incoming(event, said(call, "destination")) for event in events)
        return tuple(incoming for incoming in found if incoming is not None)

    def send(self, message: Outgoing, secret: Secret, token: str = "") -> HttpCall:
        content = {
            "to": message.user.partition("/")[0],
            "messages": [{"type": "text", "text": fitted(message.text, LIMIT, "utf-16-le")}],
        }
        headers = {"Authorization": f"Bearer {secret['access_token']}"}
        if message.key:
            headers["X-Line-Retry-Key"] = message.key
        url = f"{self.base(secret)}/v2/bot/message/push"
        return json_call(url, content, headers, repeatable=bool(message.key))

    def outcome(self, status: int, body: bytes) -> ProviderResult:
        try:
            found = json_object(body)
        except Unreadable:
            found = {}
        messages = found.get("sentMessages")
        first = messages[0] if isinstance(messages, list) and messages else None
        # 409: a message with this retry key was taken before ("Retry failed API requests").
        if status in {200, 409}:
            return ProviderResult("sent", id=said(inner(first), "id"))
        return by_status(status, f"from LINE: {said(found, 'message')[:100]}")


def _incoming(event: dict[str, Any], account: str) -> Incoming | None:
    source, message = inner(event, "source"), inner(event, "message")
    what = said(event, "type")
    kind = _KINDS.get(said(message, "type"), "other") if what == "message" else _EVENTS.get(what)
    if kind is None:
        return None
    place = said(source, "groupId", "roomId")
    who = said(source, "userId")
    # In a group each person has a ticket of their own; the answer goes to the group.
    user = f"{place}/{who}" if place and who else place or who
    text = said(message, "text")
    if kind == "location":
        text = " ".join(filter(None, (said(message, "title"), said(message, "address"))))
    elif kind == "file":
        text = said(message, "fileName")
    elif kind == "menu":
        text = said(inner(event, "postback"), "data")
    media = (said(message, "id"),) if kind in {"image", "video", "voice", "file", "other"} else ()
    return Incoming(
        user=user,
        message_id=said(event, "webhookEventId") or said(message, "id"),
        kind=kind,
        text=text,
        media=tuple(filter(None, media)),
        account=account,
        at=moment(event.get("timestamp"), 1000),
        raw=as_raw(event),
    )
