"""Slack apps: Events API, "Verifying requests from Slack", `chat.postMessage`.

What people write to the app, or in channels that it is in, opens tickets; the answer goes into the
thread under the first message. Slack calls again three times where it has no answer within three
seconds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from functions.core.channels.base import (
    Adapter,
    HttpCall,
    Incoming,
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
    from functions.core.platform.web import HttpResponse, Request

LIMIT = 12_000
"""Bytes; Slack advises 4,000 characters at most, and cuts far beyond them."""

_BY_PEOPLE = frozenset({"", "file_share", "me_message", "thread_broadcast"})
"""Subtypes of messages that a person writes; the others tell of what happened in a channel."""

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
    needs: ClassVar[tuple[str, ...]] = ("signing_secret", "bot_token")

    def signed(self, request: Request, secret: Secret) -> tuple[str, dict[str, Any]]:
        return "slack", {
            "secret": secret.get("signing_secret"),
            "timestamp": request.headers.get("x-slack-request-timestamp"),
            "body": request.body,
            "signature": request.headers.get("x-slack-signature"),
            "now": request.now.timestamp(),
        }

    def challenge(self, request: Request, secret: Secret) -> HttpResponse | None:
        from functions.core.platform.web import HttpResponse

        if b"url_verification" not in request.body:
            return None
        try:
            found = json_object(request.body)
        except Unreadable:
            return None
        if found.get("type") != "url_verification":
            return None
        return HttpResponse({"challenge": said(found, "challenge")})

    def read(self, request: Request, secret: Secret) -> tuple[Incoming, ...]:
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return ()  # a command or a button, which answers to nobody's question here
        call = json_object(request.body)
        event = inner(call, "event")
        if not event or said(event, "type") not in {"message", "app_mention"}:
            return ()
        found, opens = event, True
        if said(event, "subtype") == "message_changed" and inner(event, "message", "edited"):
            found, opens = {**inner(event, "message"), "channel": event.get("channel")}, False
        incoming = _incoming(found, call, opens=opens)
        return (incoming,) if incoming else ()

    def send(self, message: Outgoing, secret: Secret, token: str = "") -> HttpCall:
        text = fitted(message.text, LIMIT, "utf-8")
        for written, plain in reversed(_ENTITIES):
            text = text.replace(plain, written)
        channel, _, thread = message.thread.partition("/")
        content = {
            "channel": channel or message.user,
            "text": text,
            "mrkdwn": False,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if thread:
            content["thread_ts"] = thread
        headers = {"Authorization": f"Bearer {secret['bot_token']}"}
        return json_call(f"{self.base(secret)}/api/chat.postMessage", content, headers)

    def outcome(self, status: int, body: bytes) -> ProviderResult:
        try:
            found = json_object(body)
        except Unreadable:
            found = {}
        if status == 200 and found.get("ok") is True:
            return ProviderResult("sent", id=said(found, "ts"))
        error = said(found, "error")
        if status == 200:
            cause = f"Slack {error or 'unknown'}: {_CAUSES.get(error, 'the message was refused')}"
            return ProviderResult("passing" if error in _PASSING else "permanent", cause=cause)
        return by_status(status, f"from Slack: {error[:100]}")


def _incoming(found: dict[str, Any], call: dict[str, Any], *, opens: bool) -> Incoming | None:
    user, channel, ts = said(found, "user"), said(found, "channel"), said(found, "ts")
    # An app's own words come back as events too: answering them would never end.
    if said(found, "bot_id") or said(found, "subtype") not in _BY_PEOPLE:
        return None
    files = found.get("files")
    media = [inner(each) for each in files] if isinstance(files, list) else []
    text = _plain(said(found, "text"))
    if not (user and channel and ts) or not (text or media):
        return None
    edited = said(inner(found, "edited"), "ts") if not opens else ""
    return Incoming(
        user=user,
        # One post is told as a message and as a mention; its place and time are the same.
        message_id=":".join(filter(None, (channel, ts, edited))),
        kind="file" if media else "text",
        text=" ".join(filter(None, (*(said(each, "name", "title") for each in media), text))),
        media=tuple(filter(None, (said(each, "id") for each in media))),
        thread=f"{channel}/{said(found, 'thread_ts') or ts}",
        account=said(call, "api_app_id"),
        at=moment(ts),
        opens=opens,
        raw=as_raw(call),
    )


def _plain(text: str) -> str:
    """Slack's writing as people read it: no mentions, links as they are, no entities."""
    text = _LINK.sub(r"\1", _MENTION.sub("", text))
    for written, plain in _ENTITIES:
        text = text.replace(written, plain)
    return text.strip()
