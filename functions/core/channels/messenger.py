"""Messenger pages: "Webhooks, messages", "Postbacks", "Send API", "Error codes".

One request may carry several events of several people. Messenger repeats a failed request for days.
A page may answer for 24 hours after the person's last message.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from functions.core.channels import meta_graph
from functions.core.channels.base import (
    Encoding,
    ErrorCodes,
    HttpCall,
    IncomingMessage,
    Kind,
    MediaFile,
    OutgoingMessage,
    ProviderRequest,
    ProviderResult,
    Secret,
    Unreadable,
    Window,
    Windows,
    attached_name,
    dump_raw,
    get_object,
    get_text,
    json_call,
    media_request,
    name_in_url,
    response_object,
    result_of_status,
    truncate,
    unix_time,
)
from functions.core.channels.meta_graph import as_list

_LABEL_LIMIT = 20 * 2

_FILES: dict[str, Kind] = {"image": "image", "audio": "voice", "video": "video", "file": "file"}
"""Types of attachments whose `url` is a file."""

_OTHERS: dict[str, Kind] = {"location": "location", "fallback": "link"}

_CODES = meta_graph.error_codes(
    "Messenger",
    {
        "551": "the customer cannot be reached; they may have blocked the page",
        "2018001": "the page does not know this person",
        "2018108": "the customer cannot be reached; they may have blocked the page",
        "2018278": "the customer's last message is more than 24 hours old; "
        "Messenger takes no message for them until they write again",
        "2018300": "another app has the conversation",
        "2534022": "the customer's last message is more than 24 hours old; "
        "Messenger takes no message for them until they write again",
    },
    closed=("2018278", "2534022"),
)
"""Error code or subcode → the cause on a dead-lettered delivery."""


class Messenger(meta_graph.MetaAdapter):
    """A Facebook page. Secret: `app_secret`, `verify_token`, `access_token` (of the page)."""

    name: ClassVar[str] = "messenger"
    max_text: ClassVar[int] = 2000 * 2  # characters
    encoding: ClassVar[Encoding] = "utf-16-le"
    codes: ClassVar[ErrorCodes] = _CODES
    needs: ClassVar[tuple[str, ...]] = ("app_secret", "verify_token", "access_token")
    windows: ClassVar[Windows] = {"message": Window(timedelta(hours=24))}
    max_choices: ClassVar[int] = 13

    def read(self, request: ProviderRequest, secret: Secret) -> tuple[IncomingMessage, ...]:
        # `standby` has the messages of conversations that another app has.
        return tuple(meta_graph.read_each(meta_graph.elements(request, "messaging"), _event))

    def send(self, message: OutgoingMessage, secret: Secret, token: str = "") -> HttpCall:
        content: dict[str, Any] = {"text": self.fitted(message.text)}
        if message.choices:
            content["quick_replies"] = [
                {
                    "content_type": "text",
                    "title": truncate(choice.label, _LABEL_LIMIT, "utf-16-le"),
                    "payload": choice.id,
                }
                for choice in message.choices
            ]
        body = {
            "recipient": {"id": message.user},
            "messaging_type": "RESPONSE",
            "message": content,
        }
        headers = {"Authorization": f"Bearer {secret['access_token']}"}
        return json_call(f"{self.base(secret)}/me/messages", body, headers)

    def outcome(self, status: int, body: bytes) -> ProviderResult:
        message_id = get_text(response_object(body), "message_id")
        return self.result(status, body, message_id)

    def media_call(self, media: str, secret: Secret, token: str = "") -> HttpCall | None:
        return media_request(media)

    def media(
        self, status: int, headers: Mapping[str, str], body: bytes, secret: Secret, token: str = ""
    ) -> MediaFile | HttpCall | ProviderResult:
        if status == 200 and body:
            return MediaFile(body, headers.get("content-type", ""), attached_name(headers))
        return result_of_status(status, "from Messenger")


def _event(event: dict[str, Any]) -> IncomingMessage | None:
    """Return the message in an event; receipts, reactions and hand-overs are none."""
    if message := get_object(event, "message"):
        return None if message.get("is_echo") is True else _message(event, message)
    if edited := get_object(event, "message_edit"):
        edition = f"{get_text(edited, 'mid')}:{get_text(edited, 'num_edit')}"
        return _incoming(event, edition, text=get_text(edited, "text"), opens=False)
    if postback := get_object(event, "postback"):
        payload = get_text(postback, "payload")
        person, at = get_text(get_object(event, "sender"), "id"), get_text(event, "timestamp")
        return _incoming(
            event,
            get_text(postback, "mid") or f"{person}{at}{payload}",
            kind="menu",
            text=get_text(postback, "title") or payload,
            choice=payload,
        )
    return None


def _message(event: dict[str, Any], message: dict[str, Any]) -> IncomingMessage:
    attached = [get_object(one) for one in as_list(message.get("attachments"))]
    kind: Kind = "text"
    if get_text(message, "text"):
        # Messenger attaches a preview to each address in a text.
        attached = [one for one in attached if get_text(one, "type") != "fallback"]
    if attached:
        first = get_text(attached[0], "type")
        kind = _FILES.get(first) or _OTHERS.get(first, "other")
        if get_text(get_object(attached[0], "payload"), "sticker_id"):
            kind = "sticker"
    elif not get_text(message, "text"):
        kind = "other"
    files = [one for one in attached if get_text(one, "type") in _FILES and _url(one)]
    texts = (get_text(message, "text"), *map(_line, attached))
    return _incoming(
        event,
        get_text(message, "mid"),
        kind=kind,
        text=" ".join(filter(None, texts)),
        media=tuple(map(_url, files)),
        media_names=tuple(map(_line, files)),
        choice=get_text(get_object(message, "quick_reply"), "payload"),
    )


def _url(attachment: dict[str, Any]) -> str:
    return get_text(get_object(attachment, "payload"), "url")


def _line(attachment: dict[str, Any]) -> str:
    """Return what names an attachment: a file's name, a place, a link's title and address."""
    payload, attachment_type = get_object(attachment, "payload"), get_text(attachment, "type")
    if attachment_type == "file":
        return name_in_url(_url(attachment))
    if attachment_type in _FILES:
        return ""
    places = (get_object(payload, "coordinates").get(key) for key in ("lat", "long"))
    degrees = " ".join(str(value) for value in places if isinstance(value, int | float | str))
    titles = (get_text(part, "title") for part in (attachment, payload))
    address = get_text(attachment, "url") or get_text(payload, "url")
    return " ".join(filter(None, (*titles, degrees, "" if degrees else address)))


def _incoming(
    event: dict[str, Any],
    message_id: str,
    *,
    kind: Kind = "text",
    text: str = "",
    media: tuple[str, ...] = (),
    media_names: tuple[str, ...] = (),
    choice: str = "",
    opens: bool = True,
) -> IncomingMessage:
    if not message_id:
        raise Unreadable("no mid")
    return IncomingMessage(
        user=get_text(get_object(event, "sender"), "id"),
        message_id=message_id,
        kind=kind,
        text=text,
        media=media,
        media_names=media_names,
        account=get_text(get_object(event, "recipient"), "id"),
        at=unix_time(event.get("timestamp"), 1000),
        choice=choice,
        opens=opens,
        raw=dump_raw(event),
    )
