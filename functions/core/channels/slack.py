"""Slack apps: Events API, "Verifying requests from Slack", `chat.postMessage`, interactive buttons.

Messages to the app, or in channels that it is in, open tickets; the answer goes into the thread
under the first message. Slack repeats a request three times if it has no answer within three
seconds.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from functions.core.channels.base import (
    Adapter,
    Choice,
    HttpCall,
    IncomingMessage,
    MediaFile,
    OutgoingMessage,
    ProviderRequest,
    ProviderResponse,
    ProviderResult,
    Secret,
    attached_name,
    dump_raw,
    form_field,
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

SECTION_LIMIT = 3000
"""Characters of a section of a message with buttons."""

LABEL_LIMIT = 75 * 2
"""75 characters of a button's label, in bytes."""

_BY_PEOPLE = frozenset({"", "file_share", "me_message", "thread_broadcast"})
"""Subtypes of messages that a person writes; the others report changes in a channel."""

_PASSING = frozenset(
    {"fatal_error", "internal_error", "ratelimited", "rate_limited", "request_timeout",
     "service_unavailable", "team_added_to_org"}
)  # fmt: skip
_CAUSES = {
    "channel_not_found": "the app is not in the channel, or it is gone",
    "invalid_auth": "the bot token is wrong",
    "is_archived": "the channel is archived",
    "missing_scope": "the app lacks the scope chat:write",
    "not_in_channel": "the app is not in the channel any more",
    "token_revoked": "the bot token was revoked",
}
_MENTION = re.compile(r"<@[A-Z0-9]{1,30}(?:\|[^<>]{0,80})?>")
_LINK = re.compile(r"<(?:mailto:|tel:)?([^<>|]{1,2000})(?:\|[^<>]{0,2000})?>")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


class Slack(Adapter):
    """An app in one workspace. Secret: `signing_secret` and `bot_token`."""

    name: ClassVar[str] = "slack"
    api: ClassVar[str] = "https://slack.com"
    max_text: ClassVar[int] = 12_000
    needs: ClassVar[tuple[str, ...]] = ("signing_secret", "bot_token")
    max_choices: ClassVar[int] = 25
    media_hosts: ClassVar[tuple[str, ...]] = ("files.slack.com",)

    def signed(self, request: ProviderRequest, secret: Secret) -> tuple[str, dict[str, Any]]:
        return "slack", {
            "secret": secret.get("signing_secret"),
            "timestamp": request.headers.get("x-slack-request-timestamp"),
            "body": request.body,
            "signature": request.headers.get("x-slack-signature"),
            "now": request.now.timestamp(),
        }

    def challenge(self, request: ProviderRequest, secret: Secret) -> ProviderResponse | None:
        if b"url_verification" not in request.body:
            return None
        content = response_object(request.body)
        if content.get("type") != "url_verification":
            return None
        return ProviderResponse({"challenge": get_text(content, "challenge")}, "application/json")

    def read(self, request: ProviderRequest, secret: Secret) -> tuple[IncomingMessage, ...]:
        if request.body.startswith(b"payload="):
            return _tapped(request.body)
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return ()  # a slash command
        content = parse_object(request.body)
        event = get_object(content, "event")
        if get_text(event, "type") not in {"message", "app_mention"}:
            return ()
        opens = True
        edited = get_object(event, "message")
        if get_text(event, "subtype") == "message_changed" and get_object(edited, "edited"):
            event, opens = {**edited, "channel": event.get("channel")}, False
        message = _message(event, content, opens=opens)
        return (message,) if message else ()

    def send(self, message: OutgoingMessage, secret: Secret, token: str = "") -> HttpCall:
        text = self.fitted(message.text)
        channel, _, thread = message.thread.partition("/")
        content: dict[str, Any] = {
            "channel": channel or message.user,
            "text": _escaped(text),
            "mrkdwn": False,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if thread:
            content["thread_ts"] = thread
        if message.choices:
            content["blocks"] = _blocks(text, message.choices)
        headers = {"Authorization": f"Bearer {secret['bot_token']}"}
        return json_call(f"{self.base(secret)}/api/chat.postMessage", content, headers)

    def check_call(self, secret: Secret, token: str = "") -> HttpCall | None:
        headers = {"Authorization": f"Bearer {secret['bot_token']}"}
        return json_call(f"{self.base(secret)}/api/auth.test", {}, headers)

    def outcome(self, status: int, body: bytes) -> ProviderResult:
        content = response_object(body)
        if status == 200 and content.get("ok") is True:
            return ProviderResult("sent", id=get_text(content, "ts"))
        error = get_text(content, "error")
        if status == 200:
            cause = f"Slack {error or 'unknown'}: {_CAUSES.get(error, 'the message was refused')}"
            return ProviderResult("passing" if error in _PASSING else "permanent", cause=cause)
        return result_of_status(status, f"from Slack: {error[:100]}")

    def media_call(self, media: str, secret: Secret, token: str = "") -> HttpCall | None:
        url = f"{self.base(secret)}/api/files.info?file={url_part(media)}"
        return media_request(url, secret["bot_token"])

    def media(
        self, status: int, headers: Mapping[str, str], body: bytes, secret: Secret, token: str = ""
    ) -> MediaFile | HttpCall | ProviderResult:
        content_type = headers.get("content-type", "")
        found = response_object(body) if content_type.startswith("application/json") else {}
        if found.get("ok") is False and found.get("error") == "missing_scope":
            return ProviderResult("permanent", cause="Slack: the app lacks the scope files:read")
        if url := get_text(get_object(found, "file"), "url_private_download", "url_private"):
            return media_request(url, secret["bot_token"])
        # Without the scope, Slack sends its sign-in page in place of the file.
        is_page = content_type.startswith("text/html") and "content-disposition" not in headers
        if status == 200 and is_page:
            return ProviderResult("permanent", cause="Slack: the app may not read the file")
        if status == 200 and body and "ok" not in found:
            return MediaFile(body, content_type, attached_name(headers))
        return self.outcome(status, body)


def _escaped(text: str) -> str:
    for entity, character in reversed(_ENTITIES):
        text = text.replace(character, entity)
    return text


def _blocks(text: str, choices: tuple[Choice, ...]) -> list[dict[str, Any]]:
    """Return a message's blocks: its text, in sections of limited length, and its buttons."""
    sections = [text[at : at + SECTION_LIMIT] for at in range(0, len(text), SECTION_LIMIT)]
    buttons = [
        {
            "type": "button",
            "action_id": choice.id,
            "value": choice.id,
            "text": _plain(truncate(choice.label, LABEL_LIMIT, "utf-16-le")),
        }
        for choice in choices
    ]
    shown = [{"type": "section", "text": _plain(section)} for section in sections]
    return [*shown, {"type": "actions", "elements": buttons}]


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _tapped(body: bytes) -> tuple[IncomingMessage, ...]:
    """Return the button that a person tapped; nothing for a slash command or another interaction.

    The form has the interaction as JSON in its only field ("Handling user interaction").
    """
    content = response_object(form_field(body, "payload").encode())
    actions = content.get("actions")
    action = get_object(actions[0]) if isinstance(actions, list) and actions else {}
    choice = get_text(action, "value")
    user = get_text(get_object(content, "user"), "id")
    channel = get_text(get_object(content, "channel"), "id")
    message, at = get_object(content, "message"), get_text(action, "action_ts")
    thread = get_text(message, "thread_ts", "ts")
    if not (choice and user and channel and at):
        return ()
    return (
        IncomingMessage(
            user=user,
            message_id=f"{channel}:{at}:{choice}",
            kind="menu",
            text=get_text(get_object(action, "text"), "text") or choice,
            thread=f"{channel}/{thread}" if thread else channel,
            account=get_text(content, "api_app_id"),
            at=unix_time(at),
            choice=choice,
            raw=dump_raw(content),
        ),
    )


def _message(
    event: dict[str, Any], content: dict[str, Any], *, opens: bool
) -> IncomingMessage | None:
    user, channel, ts = (get_text(event, key) for key in ("user", "channel", "ts"))
    # Slack reports an app's own messages too; answering them would never end.
    if get_text(event, "bot_id") or get_text(event, "subtype") not in _BY_PEOPLE:
        return None
    attached = event.get("files")
    files = [get_object(file) for file in attached] if isinstance(attached, list) else []
    text = _plain_text(get_text(event, "text"))
    if not (user and channel and ts) or not (text or files):
        return None
    edited = "" if opens else get_text(get_object(event, "edited"), "ts")
    files = [file for file in files if get_text(file, "id")] or files
    file_names = [get_text(file, "name", "title") for file in files]
    return IncomingMessage(
        user=user,
        # Slack reports one post as a message and as a mention, with the same channel and time.
        message_id=":".join(filter(None, (channel, ts, edited))),
        kind="file" if files else "text",
        text=" ".join(filter(None, (*file_names, text))),
        media=tuple(filter(None, (get_text(file, "id") for file in files))),
        media_names=tuple(file_names),
        thread=f"{channel}/{get_text(event, 'thread_ts') or ts}",
        account=get_text(content, "api_app_id"),
        at=unix_time(ts),
        opens=opens,
        raw=dump_raw(content),
    )


def _plain_text(text: str) -> str:
    """Convert Slack's markup to plain text: no mentions, bare links, no entities."""
    text = _LINK.sub(r"\1", _MENTION.sub("", text))
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return text.strip()
