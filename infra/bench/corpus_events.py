"""Score the channel adapters on public collections of providers' calls.

The collections are not part of this repository; see `infra.bench.corpus`. A person's message must
be read as one with its text; no other call may open a ticket; no call may raise.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from functions.core.channels.base import IncomingMessage, ProviderRequest, Unreadable, adapter
from infra.bench.corpus_channels import CASES as CHANNELS, Cases

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def read(channel: str, body: bytes) -> tuple[IncomingMessage, ...]:
    chat_adapter = adapter(channel)
    if chat_adapter is None:
        raise LookupError(channel)
    request = ProviderRequest("POST", _NOW, body=body)
    try:
        messages = chat_adapter.read(request, {})
    except Unreadable:
        return ()
    return tuple(m for m in messages if m.opens and m.kind not in _NO_MESSAGES)


_NO_MESSAGES = {"subscribed", "unsubscribed", "menu"}


def _line(path: Path) -> Cases:
    """Each event on its own: a message event gives one message, any other event none."""
    call = json.loads((path / "webhook.json").read_text("utf-8"))
    for index, event in enumerate(call["events"]):
        messages = read("line", json.dumps({**call, "events": [event]}).encode())
        wanted = event["type"] == "message"
        text = event.get("message", {}).get("text", "") if wanted else ""
        right = len(messages) == wanted and (not text or messages[0].text == text)
        yield f"{index}: {event['type']}", right


def _slack(path: Path) -> Cases:
    """Samples with placeholders open no ticket; a person's message does once it is filled in."""
    for file in sorted(path.glob("json-logs/samples/**/*.json")):
        sample = json.loads(file.read_text("utf-8"))
        event = sample.get("event") if isinstance(sample, dict) else None
        yield file.stem, not read("slack", file.read_bytes())
        if isinstance(event, dict) and event.get("type") == "message":
            fixed = {"user": "U1", "channel": "C1", "ts": "1.1", "text": "help", "bot_id": ""}
            filled = {**sample, "event": {**event, **fixed}}
            wanted = event.get("subtype", "") in _BY_PEOPLE
            yield (
                f"{file.stem}, filled in",
                len(read("slack", json.dumps(filled).encode())) == wanted,
            )


_BY_PEOPLE = {"", "file_share", "me_message", "thread_broadcast"}


def _telegram(path: Path) -> Cases:
    """A message's text is read; anything else opens no ticket."""
    for line in (path / "cases.jsonl").read_text("utf-8").splitlines():
        case: Any = json.loads(line) if line.strip() else None
        if case is None:
            continue
        messages = read("telegram", json.dumps(case["payload"]).encode())
        expected = case["expected"]
        if expected["kind"] != "message":
            yield case["id"], not messages
        elif expected.get("text") and not str(expected["text"]).startswith("/start"):
            right = [m.text for m in messages] == [expected["text"]]
            yield case["id"], right and messages[0].user.startswith(str(expected["chat_id"]))
        else:
            yield case["id"], len(messages) <= 1


_NOTIFICATIONS = {
    "delivered": "Delivery",
    "sent": "Send",
    "rejected": "Reject",
    "opened": "Open",
    "clicked": "Click",
    "failed": "Rendering Failure",
}


def _ses(path: Path) -> Cases:
    """The type and recipients of SES's notifications; recipient, subject and text of mails."""
    for line in (path / "cases.jsonl").read_text("utf-8").splitlines():
        if line.strip():
            case: Any = json.loads(line)
            assertions = [(each["field"], each["expected"]) for each in case["assertions"]]
            yield case["id"], _notification_right(json.dumps(case["sns_message"]), assertions)


def _notification_right(body: str, assertions: list[tuple[str, Any]]) -> bool:
    from functions.core.domain.ticket import COMPLAINT
    from functions.intake import bounces

    expected = dict(assertions)
    kind = expected.get("event.event_type")
    notification = bounces.read_ses_notification(body)
    if kind in {"bounced", "complained"}:
        recipients = {value for name, value in assertions if name == "event.recipient"}
        what = {"bounced": bounces.BOUNCE, "complained": COMPLAINT}[kind]
        return (
            isinstance(notification, bounces.ReturnedMail)
            and notification.kind == what
            and recipients <= set(notification.recipients)
        )
    if kind in _NOTIFICATIONS:
        return notification == _NOTIFICATIONS[kind]
    return (
        notification is None and _mail_right(body, expected)
        if kind
        else _is_answered(body, notification)
    )


def _is_answered(body: str, notification: object) -> bool:
    """A notification without an expected result is dead-lettered or ignored."""
    from functions.core.domain.errors import DeadLetter
    from functions.intake.mail_store import read_announcement

    try:
        return notification is not None or read_announcement(body) is None
    except DeadLetter:
        return True


def _mail_right(body: str, expected: dict[str, Any]) -> bool:
    from functions.core.mail.parser import parse
    from functions.intake.mail_store import read_announcement

    notification = read_announcement(body)
    if expected.get("message.envelope_recipient") not in notification.recipients:
        return False
    if notification.raw is None:  # the mail is in a bucket that the collection does not include
        return bool(notification.key)
    mail = parse(notification.raw)
    return (
        mail.subject == expected["message.subject"]
        and mail.text.strip() == str(expected["message.text"]).strip()
        and mail.from_address in str(expected.get("str(message.from_email)"))
        and (notification.verdicts.spam == "FAIL") is expected["message.spam_detected"]
    )


CASES: dict[str, Callable[[Path], Cases]] = {
    "ses_notifications": _ses,
    "line_events": _line,
    "slack_events": _slack,
    "telegram_updates": _telegram,
    **CHANNELS,
}
"""The cases of each collection, with whether they were read correctly."""
