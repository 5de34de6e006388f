"""How much of the public collections of calls is read right, collection by collection.

The collections are not part of this repository; `infra.bench.corpus` says where they are. A message
of a person has to be read as one, with its words; whatever else a provider sends opens no ticket;
nothing breaks the reader.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from functions.core.channels.base import IncomingMessage, ProviderRequest, Unreadable, adapter

Cases = Iterator[tuple[str, bool]]

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def read(channel: str, body: bytes) -> tuple[IncomingMessage, ...]:
    """The messages in a call's body that would open a ticket."""
    found = adapter(channel)
    if found is None:
        raise LookupError(channel)
    request = ProviderRequest("POST", _NOW, body=body)
    try:
        messages = found.read(request, {})
    except Unreadable:
        return ()
    return tuple(m for m in messages if m.opens and m.kind not in _NO_MESSAGES)


_NO_MESSAGES = {"subscribed", "unsubscribed", "menu"}


def _line(path: Path) -> Cases:
    """Each event by itself: one message for a message, none for anything else."""
    call = json.loads((path / "webhook.json").read_text("utf-8"))
    for index, event in enumerate(call["events"]):
        found = read("line", json.dumps({**call, "events": [event]}).encode())
        wanted = event["type"] == "message"
        text = event.get("message", {}).get("text", "") if wanted else ""
        right = len(found) == wanted and (not text or found[0].text == text)
        yield f"{index}: {event['type']}", right


def _slack(path: Path) -> Cases:
    """Samples with placeholders: none opens a ticket; a person's message, filled in, does."""
    for file in sorted(path.glob("json-logs/samples/**/*.json")):
        sample = json.loads(file.read_text("utf-8"))
        event = sample.get("event") if isinstance(sample, dict) else None
        yield file.stem, not read("slack", file.read_bytes())
        if isinstance(event, dict) and event.get("type") == "message":
            given = {"user": "U1", "channel": "C1", "ts": "1.1", "text": "help", "bot_id": ""}
            filled = {**sample, "event": {**event, **given}}
            wanted = event.get("subtype", "") in _BY_PEOPLE
            yield (
                f"{file.stem}, filled in",
                len(read("slack", json.dumps(filled).encode())) == wanted,
            )


_BY_PEOPLE = {"", "file_share", "me_message", "thread_broadcast"}


def _telegram(path: Path) -> Cases:
    """A message's words are read; what is no message opens no ticket."""
    for line in (path / "cases.jsonl").read_text("utf-8").splitlines():
        case: Any = json.loads(line) if line.strip() else None
        if case is None:
            continue
        found = read("telegram", json.dumps(case["payload"]).encode())
        expected = case["expected"]
        if expected["kind"] != "message":
            yield case["id"], not found
        elif expected.get("text") and not str(expected["text"]).startswith("/start"):
            right = [m.text for m in found] == [expected["text"]]
            yield case["id"], right and found[0].user.startswith(str(expected["chat_id"]))
        else:
            yield case["id"], len(found) <= 1


_TOLD = {
    "delivered": "Delivery",
    "sent": "Send",
    "rejected": "Reject",
    "opened": "Open",
    "clicked": "Click",
    "failed": "Rendering Failure",
}


def _ses(path: Path) -> Cases:
    """What SES told, whom it concerns, and of a mail its recipient, subject and text."""
    for line in (path / "cases.jsonl").read_text("utf-8").splitlines():
        if line.strip():
            case: Any = json.loads(line)
            said = [(each["field"], each["expected"]) for each in case["assertions"]]
            yield case["id"], _told_right(json.dumps(case["sns_message"]), said)


def _told_right(body: str, said: list[tuple[str, Any]]) -> bool:
    from functions.core.domain.ticket import COMPLAINT
    from functions.intake import bounces

    expected = dict(said)
    kind = expected.get("event.event_type")
    found = bounces.read_ses_notification(body)
    if kind in {"bounced", "complained"}:
        recipients = {value for name, value in said if name == "event.recipient"}
        what = {"bounced": bounces.BOUNCE, "complained": COMPLAINT}[kind]
        return (
            isinstance(found, bounces.ReturnedMail)
            and found.kind == what
            and recipients <= set(found.recipients)
        )
    if kind in _TOLD:
        return found == _TOLD[kind]
    return found is None and _mail_right(body, expected) if kind else _is_answered(body, found)


def _is_answered(body: str, found: object) -> bool:
    """What has no answer in its collection is parked with its cause, or no matter of intake's."""
    from functions.core.domain.errors import DeadLetter
    from functions.intake.mail_store import read_announcement

    try:
        return found is not None or read_announcement(body) is None
    except DeadLetter:
        return True


def _mail_right(body: str, expected: dict[str, Any]) -> bool:
    from functions.intake.mail.parser import parse
    from functions.intake.mail_store import read_announcement

    told = read_announcement(body)
    if expected.get("message.envelope_recipient") not in told.recipients:
        return False
    if told.raw is None:  # it lies in a bucket that the collection does not have
        return bool(told.key)
    mail = parse(told.raw)
    return (
        mail.subject == expected["message.subject"]
        and mail.text.strip() == str(expected["message.text"]).strip()
        and mail.from_address in str(expected.get("str(message.from_email)"))
        and (told.verdicts.spam == "FAIL") is expected["message.spam_detected"]
    )


CASES: dict[str, Callable[[Path], Cases]] = {
    "ses_notifications": _ses,
    "line_events": _line,
    "slack_events": _slack,
    "telegram_updates": _telegram,
}
"""Collection → its cases, each with whether it was read right."""
