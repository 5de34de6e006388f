"""WhatsApp Cloud API: "Webhooks, messages", "Messages API", "Media", "Error codes".

One request may carry several messages of several people, and reports about sent messages. WhatsApp
repeats a request for days until it succeeds. A desk may write freely for 24 hours after the
person's last message.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

from functions.core.channels import meta_graph
from functions.core.channels.base import (
    Choice,
    DeliveryReport,
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
    response_object,
    truncate,
    unix_time,
    url_part,
)
from functions.core.channels.meta_graph import as_list

BUTTONS_LIMIT = 1024 * 2
"""The limit of a text with buttons."""

_LABEL_LIMIT = 20 * 2

_MEDIA: dict[str, Kind] = {
    "image": "image",
    "audio": "voice",
    "video": "video",
    "document": "file",
    "sticker": "sticker",
}
_IGNORED = frozenset({"reaction", "system"})
"""Types of messages that say nothing to a desk: an emoji on a message, a changed number."""

_CODES = meta_graph.error_codes(
    "WhatsApp",
    {
        "131005": "the app lacks the permission to send messages",
        "131021": "the customer's number is the desk's own",
        "131026": "the customer's number is not on WhatsApp, or cannot receive the message",
        "131030": "the customer's number is not on the test account's list",
        "131031": "the business account is locked",
        "131042": "the business account has no valid means of payment",
        "131045": "the desk's number is not registered",
        "131047": "the customer's last message is more than 24 hours old; "
        "WhatsApp takes no text for them until they write again",
        "131050": "the customer has stopped messages from the desk",
        "131051": "WhatsApp does not support this kind of message",
    },
    closed=("131047",),
)
"""Error code → the cause on a dead-lettered delivery."""


class WhatsApp(meta_graph.MetaAdapter):
    """A business number. Secret: `app_secret`, `verify_token`, `phone_number_id`, `access_token`
    (of a system user).
    """

    name: ClassVar[str] = "whatsapp"
    max_text: ClassVar[int] = 4096 * 2  # characters
    encoding: ClassVar[Encoding] = "utf-16-le"
    codes: ClassVar[ErrorCodes] = _CODES
    needs: ClassVar[tuple[str, ...]] = (
        "app_secret", "verify_token", "phone_number_id", "access_token",
    )  # fmt: skip
    windows: ClassVar[Windows] = {"message": Window(timedelta(hours=24))}
    max_choices: ClassVar[int] = 3

    def read(self, request: ProviderRequest, secret: Secret) -> tuple[IncomingMessage, ...]:
        return tuple(
            message
            for value in _values(request)
            for message in meta_graph.read_each(
                as_list(value.get("messages")), partial(_message, value)
            )
        )

    def reports(self, request: ProviderRequest, secret: Secret) -> tuple[DeliveryReport, ...]:
        statuses = (
            get_object(status)
            for value in _values(request)
            for status in as_list(value.get("statuses"))
        )
        reports = (_report(status) for status in statuses)
        return tuple(report for report in reports if report is not None)

    def send(self, message: OutgoingMessage, secret: Secret, token: str = "") -> HttpCall:
        content: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            # Somebody who hides their number is known by an id that is written elsewhere
            # ("Business-scoped user IDs").
            "to" if message.user.isdecimal() else "recipient": message.user,
        }
        text = message.text
        if message.choices and truncate(text, BUTTONS_LIMIT, "utf-16-le") == text:
            content |= {"type": "interactive", "interactive": _with_buttons(text, message.choices)}
        else:
            lines = (f"{n}. {choice.label}" for n, choice in enumerate(message.choices, 1))
            body = self.fitted("\n".join((text, *lines)))
            content |= {"type": "text", "text": {"body": body, "preview_url": False}}
        url = f"{self.base(secret)}/{secret['phone_number_id']}/messages"
        return json_call(url, content, {"Authorization": f"Bearer {secret['access_token']}"})

    def outcome(self, status: int, body: bytes) -> ProviderResult:
        sent = as_list(response_object(body).get("messages"))
        message_id = get_text(get_object(sent[0]), "id") if sent else ""
        return self.result(status, body, message_id)

    def node(self, secret: Secret) -> str:
        return str(secret["phone_number_id"])

    def media_call(self, media: str, secret: Secret, token: str = "") -> HttpCall | None:
        url = f"{self.base(secret)}/{url_part(media)}?phone_number_id={secret['phone_number_id']}"
        return media_request(url, secret["access_token"])

    def media(
        self, status: int, headers: Mapping[str, str], body: bytes, secret: Secret, token: str = ""
    ) -> MediaFile | HttpCall | ProviderResult:
        content_type = headers.get("content-type", "")
        found = response_object(body) if content_type.startswith("application/json") else {}
        if status == 200 and found.get("messaging_product") == "whatsapp":
            # The address of the file, for five minutes.
            return media_request(get_text(found, "url"), secret["access_token"])
        if status == 200 and body:
            return MediaFile(body, content_type, attached_name(headers))
        return self.result(status, body)


def _with_buttons(text: str, choices: tuple[Choice, ...]) -> dict[str, Any]:
    buttons = [
        {
            "type": "reply",
            "reply": {
                "id": choice.id,
                "title": truncate(choice.label, _LABEL_LIMIT, "utf-16-le"),
            },
        }
        for choice in choices
    ]
    return {"type": "button", "body": {"text": text}, "action": {"buttons": buttons}}


def _values(request: ProviderRequest) -> Iterator[dict[str, Any]]:
    """Yield the changes of messages; the others are about templates, accounts, calls."""
    for change in meta_graph.elements(request, "changes"):
        if get_object(change).get("field") == "messages":
            yield get_object(change, "value")


def _message(value: dict[str, Any], message: dict[str, Any]) -> IncomingMessage | None:
    message_type = get_text(message, "type")
    if message_type in _IGNORED:
        return None
    contact = _contact(value, message)
    user = get_text(message, "from", "from_user_id") or get_text(contact, "wa_id", "user_id")
    message_id = get_text(message, "id")
    if not message_type or not message_id:
        raise Unreadable("no type or no id")
    kind, text, media, choice = _content(message_type, message)
    return IncomingMessage(
        user=user,
        message_id=message_id,
        kind=kind,
        text=text,
        name=get_text(get_object(contact, "profile"), "name"),
        media=(media,) if media else (),
        media_names=(get_text(get_object(message, message_type), "filename"),) if media else (),
        account=get_text(get_object(value, "metadata"), "phone_number_id"),
        at=unix_time(message.get("timestamp")),
        choice=choice,
        raw=dump_raw(message),
    )


def _contact(value: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    """Return the contact of a message's writer; with one contact it is always that one."""
    contacts = [get_object(contact) for contact in as_list(value.get("contacts"))]
    if len(contacts) == 1:
        return contacts[0]
    ids = {get_text(message, "from"), get_text(message, "from_user_id")} - {""}
    known = (c for c in contacts if ids & {get_text(c, "wa_id"), get_text(c, "user_id")})
    return next(known, {})


def _content(message_type: str, message: dict[str, Any]) -> tuple[Kind, str, str, str]:
    """Return a message's kind, text, medium and choice.

    Raises:
        Unreadable: a type that WhatsApp documents has no content.
    """
    content = get_object(message, message_type)
    if message_type == "contacts":
        return "other", _contact_lines(message), "", ""
    if message_type in {"text", "button", "interactive", "location", "order"} and not content:
        raise Unreadable(f"a message of the type {message_type} without content")
    if message_type in _MEDIA:
        text = " ".join(filter(None, (get_text(content, key) for key in ("filename", "caption"))))
        return _MEDIA[message_type], text, get_text(content, "id"), ""
    if message_type == "text":
        return "text", get_text(content, "body"), "", ""
    if message_type == "button":
        return "text", get_text(content, "text"), "", get_text(content, "payload")
    if message_type == "interactive":
        reply = get_object(content, get_text(content, "type"))
        return "text", get_text(reply, "title", "body"), "", get_text(reply, "id")
    if message_type == "location":
        parts = (get_text(content, "name"), get_text(content, "address"), _degrees(content))
        return "location", " ".join(filter(None, parts)), "", ""
    if message_type == "order":
        return "other", _order_lines(content), "", ""
    errors = as_list(message.get("errors"))
    return "other", get_text(get_object(errors[0]), "title") if errors else "", "", ""


def _contact_lines(message: dict[str, Any]) -> str:
    contacts = [get_object(contact) for contact in as_list(message.get("contacts"))]
    names = (get_text(get_object(contact, "name"), "formatted_name") for contact in contacts)
    phones = (
        get_text(get_object(phone), "phone")
        for contact in contacts
        for phone in as_list(contact.get("phones"))
    )
    return " ".join(filter(None, (*names, *phones)))


def _order_lines(order: dict[str, Any]) -> str:
    items = (get_object(item) for item in as_list(order.get("product_items")))
    lines = (
        " × ".join(filter(None, (get_text(i, "product_retailer_id"), get_text(i, "quantity"))))
        for i in items
    )
    return "\n".join(filter(None, (get_text(order, "text"), *lines)))


def _degrees(location: dict[str, Any]) -> str:
    values = (location.get(key) for key in ("latitude", "longitude"))
    return " ".join(str(value) for value in values if isinstance(value, int | float | str))


def _report(status: dict[str, Any]) -> DeliveryReport | None:
    """Return a report; None for a message that WhatsApp has only sent on."""
    state, message_id = get_text(status, "status"), get_text(status, "id")
    if state in {"delivered", "read"}:
        return DeliveryReport(message_id, "delivered")
    if state != "failed":
        return None
    error = get_object(next(iter(as_list(status.get("errors"))), None))
    code = get_text(error, "code")
    cause = _CODES.causes.get(code) or get_text(error, "title")[:100]
    return DeliveryReport(message_id, "failed", f"WhatsApp {code}: {cause}")
