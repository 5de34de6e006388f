"""Read what call centres send about phone calls, each in its own form. Pure.

Deskbell's own form (`docs/calls.md`), the call records of Chinese providers (Aliyun, Baidu, Tinet,
Yeastar), whose fields `FIELDS` declares, and Amazon Connect's contact events, segments of Contact
Lens and invocations by a flow.

Sources: Amazon Connect administrator guide, "Contact events", "Real-time contact analysis segment
streams", "Invoke Lambda functions"; Aliyun VMS VoiceReport; Baidu 客悦 外呼通话记录推送; Yeastar
S-series API v2 NewCdr; 天润融通 SmartLink PushCdrRequest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal
from urllib.parse import urlsplit

from functions.core.domain.calls import (
    MAX_PART,
    CallEvent,
    CallPart,
    CallReport,
    Direction,
    Speaker,
)

CallForm = Literal["record", "connect_event", "connect_flow", "connect_segments"]

FIELDS: Mapping[str, tuple[str, ...]] = {
    "call": ("callid", "uniqueid", "sessionid", "callsid", "recordid", "linkedid", "cdrid"),
    "event": ("event", "eventtype"),
    "customer": ("customernumber", "mobile", "customerphone"),
    "from": (
        "caller", "callfrom", "callernumber", "callingnumber", "callerid", "ani", "from", "src",
    ),
    "to": (
        "didnumber", "called", "callee", "hotline", "callednum", "callednumber", "calleenumber",
        "callto", "to", "dst",
    ),
    "direction": ("direction", "calldirection", "cdrtype", "type", "calltype"),
    "agent": ("agent", "agentname", "agentid", "answeredby", "cno", "extension", "robotname"),
    "status": ("callstatus", "status", "disposition", "result"),
    "talked": ("talkduration", "bridgeduration", "talkingtimelen", "billsec"),
    "lasted": ("callduration", "totalduration"),
    "started": (
        "startedat", "originatetime", "ringtime", "timestart", "starttime", "begintime",
        "talkingstarttime",
    ),
    "answered": ("answeredat", "bridgetime", "answertime", "talkingstarttime"),
    "ended": ("endedat", "endtime", "timeend", "hanguptime", "releasetime"),
    "recording": ("recordingurl", "recordurl", "recording", "recordfile", "recordfileurl"),
    "transcript": ("transcript", "record", "dialogue", "dialog", "segments", "sentences"),
    "part": ("id", "partid", "sentenceid", "transcriptid"),
    "speaker": ("role", "speaker", "participantrole"),
    "text": ("text", "contexttext", "content", "sentence"),
    "at": ("atms", "beginoffsetmillis", "beginms", "start", "begintime", "time"),
}  # fmt: skip
"""A fact of a call → the fields that say it, the first one first.

Names are compared without case, `_` and `-`, so `call_id`, `callId` and `CallID` are one.
"""

EVENTS: Mapping[str, CallEvent] = {
    "ringing": "ringing", "ring": "ringing", "incoming": "ringing", "started": "ringing",
    "answered": "answered", "answer": "answered", "connected": "answered",
    "transcript": "transcript", "partial": "transcript",
    "transcribed": "transcribed",
    "ended": "ended", "hangup": "ended", "missed": "ended", "newcdr": "ended", "cdr": "ended",
}  # fmt: skip
"""The name of an event → its type. A record without one is of a call that has ended."""

STATUSES: Mapping[str, bool] = {
    "answered": True, "connected": True, "completed": True, "success": True, "normal": True,
    "noanswer": False, "notanswered": False, "unanswered": False, "unconnected": False,
    "notconnected": False, "missed": False, "busy": False, "failed": False, "voicemail": False,
    "cancelled": False, "canceled": False, "abandoned": False, "abandon": False,
    "已接": True, "已接听": True, "未接": False, "未接听": False, "无人接听": False,
}  # fmt: skip
"""The status of a record → whether somebody answered."""

DIRECTIONS: Mapping[str, Direction] = {
    "inbound": "inbound", "in": "inbound", "incoming": "inbound", "呼入": "inbound",
    "cdrib": "inbound",
    "outbound": "outbound", "out": "outbound", "outgoing": "outbound", "呼出": "outbound",
    "外呼": "outbound", "cdrob": "outbound", "callback": "outbound", "api": "outbound",
    "internal": "internal", "transfer": "internal", "queuetransfer": "internal",
    "disconnect": "internal", "monitor": "internal",
}  # fmt: skip

CONTACT_EVENTS: Mapping[str, CallEvent] = {
    "INITIATED": "ringing",
    "QUEUED": "ringing",
    "CONNECTED_TO_AGENT": "answered",
    "DISCONNECTED": "ended",
}
"""Contact events of Amazon Connect that say something of a call; others, as updates, do not."""

_CUSTOMERS = frozenset({"customer", "speech", "user", "caller", "client", "guest", "客户"})
"""Roles of the person who calls; whoever else speaks speaks for the desk (Baidu: `voice`)."""

MAX_ID, MAX_LINK, MAX_NAME = 200, 1000, 60


@dataclass(frozen=True)
class ReadCalls:
    """The events in a body, and the parts of a batch that are none, as they came."""

    form: CallForm
    reports: tuple[CallReport, ...] = ()
    unreadable: tuple[bytes, ...] = ()


def read_calls(body: bytes, zone: tzinfo) -> ReadCalls:
    """Read the events of calls in a body; `zone` is that of times without an offset.

    Raises:
        ValueError: the body is not JSON.
    """
    try:
        content: Any = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    records = list(_records(content))
    form: CallForm = "record"
    reports: list[CallReport] = []
    unreadable: list[bytes] = []
    for record in records:
        try:
            form, read = _read(record, zone)
        except ValueError:
            unreadable.append(json.dumps(record, ensure_ascii=False).encode("utf-8", "replace"))
        else:
            reports += read
    return ReadCalls(form, tuple(reports), tuple(unreadable))


def _records(content: Any) -> Iterator[Any]:
    """The records of a batch: a list, or an object with nothing but a list of them."""
    if isinstance(content, list):
        yield from content
        return
    if isinstance(content, dict):
        for inside in content.values():
            listed = isinstance(inside, list) and inside and isinstance(inside[0], dict)
            if listed and not _text(_folded(content), "call") and _text(_folded(inside[0]), "call"):
                yield from inside
                return
    yield content


def _read(record: Any, zone: tzinfo) -> tuple[CallForm, list[CallReport]]:
    if not isinstance(record, dict):
        raise ValueError("not an object")
    if record.get("source") == "aws.connect":
        return "connect_event", _contact_event(record)
    if isinstance(record.get("Details"), dict):
        return "connect_flow", _flow(record["Details"])
    if {"ContactId", "EventType"} <= record.keys():
        return "connect_segments", _segments(record)
    return "record", _record(record, zone)


# Amazon Connect


def _contact_event(event: Mapping[str, Any]) -> list[CallReport]:
    detail = event.get("detail")
    if event.get("detail-type") != "Amazon Connect Contact Event" or not isinstance(detail, dict):
        return []
    fields = _folded(detail)
    kind = CONTACT_EVENTS.get(str(fields.get("eventtype")))
    if kind is None or str(fields.get("channel")).upper() != "VOICE":
        return []
    agent = _folded(fields.get("agentinfo"))
    at = _time(event.get("time"), UTC)
    connected = _time(agent.get("connectedtoagenttimestamp"), UTC)
    if kind == "answered":
        connected = connected or at
    return [
        CallReport(
            call_id=_call_id(fields.get("contactid")),
            event=kind,
            direction=_direction(fields.get("initiationmethod")),
            customer=_address(fields.get("customerendpoint")),
            line=_address(fields.get("systemendpoint")),
            agent=_string(agent.get("agentarn")).rpartition("/")[2][:MAX_NAME],
            answered=True if agent and kind != "ringing" else None,
            started_at=_time(fields.get("initiationtimestamp"), UTC),
            answered_at=connected,
            ended_at=(_time(fields.get("disconnecttimestamp"), UTC) or at)
            if kind == "ended"
            else None,
        )
    ]


def _flow(details: Mapping[str, Any]) -> list[CallReport]:
    """The input that a flow gives a function: the caller, whom contact events may lack."""
    fields = _folded(details.get("ContactData"))
    if str(fields.get("channel")).upper() != "VOICE":
        return []
    return [
        CallReport(
            call_id=_call_id(fields.get("contactid")),
            event="ringing",
            direction=_direction(fields.get("initiationmethod")),
            customer=_address(fields.get("customerendpoint")),
            line=_address(fields.get("systemendpoint")),
        )
    ]


def _segments(event: Mapping[str, Any]) -> list[CallReport]:
    """Segments of Contact Lens: final transcripts alone; an utterance precedes its transcript."""
    call_id, kind = _call_id(event["ContactId"]), event["EventType"]
    if str(event.get("Channel", "VOICE")).upper() != "VOICE":
        return []
    if kind in ("COMPLETED", "FAILED"):
        return [CallReport(call_id=call_id, event="transcribed")]
    segments = event.get("Segments") or ()
    if kind != "SEGMENTS" or not isinstance(segments, list):
        return []
    final = [
        each["Transcript"] for each in segments if isinstance(each, dict) and "Transcript" in each
    ]
    parts = _parts(final, None, UTC)
    return [CallReport(call_id=call_id, event="transcript", parts=parts)] if parts else []


def _address(endpoint: Any) -> str:
    return _string(_folded(endpoint).get("address"))[:MAX_NAME]


# Call records


def _record(record: Mapping[str, Any], zone: tzinfo) -> list[CallReport]:
    fields = _folded(record)
    for inside in record.values():  # Baidu: `info` beside `record`
        if isinstance(inside, dict):
            fields = {**_folded(inside), **fields}
    call_id, named = _call_id(_text(fields, "call")), _fold(_text(fields, "event"))
    event = EVENTS.get(named) if named else "ended"
    if event is None:
        return []
    answered = _is_answered(fields, named)
    answered_at = _time_of(fields, "answered", zone) if answered is not False else None
    started_at = _time_of(fields, "started", zone)
    direction = next(filter(None, map(_direction, _values(fields, "direction"))), None)
    if direction is None and "voicetype" in fields:  # Aliyun's voice messages are all sent out
        direction = "outbound"
    ours, theirs = ("from", "to") if direction == "outbound" else ("to", "from")
    agent = _text(fields, "agent") or (
        _string(fields.get("callto")) if fields.get("didnumber") else ""
    )
    base = started_at or answered_at
    return [
        CallReport(
            call_id=call_id,
            event=event,
            direction=direction,
            customer=(_text(fields, "customer") or _text(fields, theirs))[:MAX_NAME],
            line=_text(fields, ours)[:MAX_NAME],
            agent=agent[:MAX_NAME] if answered is not False else "",
            answered=answered,
            started_at=started_at,
            answered_at=answered_at,
            ended_at=_ended_at(fields, started_at, zone) if event == "ended" else None,
            recording=next(filter(None, map(_link, _values(fields, "recording"))), ""),
            parts=next(
                filter(None, (_parts(each, base, zone) for each in _values(fields, "transcript"))),
                (),
            ),
        )
    ]


def _ended_at(
    fields: Mapping[str, Any], started_at: datetime | None, zone: tzinfo
) -> datetime | None:
    lasted = _text(fields, "lasted")
    counted = started_at is not None and lasted.isdecimal() and len(lasted) < 6
    return _time_of(fields, "ended", zone) or (
        started_at + timedelta(seconds=int(lasted)) if started_at and counted else None
    )


def _is_answered(fields: Mapping[str, Any], event: str) -> bool | None:
    """Say whether somebody answered; None if the record does not say."""
    if isinstance(fields.get("answered"), bool):
        return bool(fields["answered"])
    if event == "missed":
        return False
    status = _text(fields, "status")
    if "cdrtype" in fields and status.isdecimal():  # Tinet: 1 is 座席接听
        return status == "1"
    if (known := STATUSES.get(_fold(status))) is not None:
        return known
    talked = [_string(value) for value in _values(fields, "talked")]
    if "voicetype" in fields:  # Aliyun: the duration of the talk
        talked.append(_string(fields.get("duration")))
    lengths = [float(value) for value in talked if value.replace(".", "", 1).isdecimal()]
    return lengths[0] > 0 if lengths else None


def _parts(content: Any, base: datetime | None, zone: tzinfo) -> tuple[CallPart, ...]:
    parts = []
    for index, given in enumerate(content if isinstance(content, list) else ()):
        fields = _folded(given)
        text = _text(fields, "text")
        if not text.strip():
            continue
        at_ms = _offset(next(_values(fields, "at"), None), base, zone)
        part_id = _text(fields, "part") or (str(at_ms) if at_ms is not None else f"#{index}")
        if not _text(fields, "part"):
            part_id += f" {_speaker(_text(fields, 'speaker'))}"
        parts.append(
            CallPart(
                id=part_id[:MAX_ID],
                speaker=_speaker(_text(fields, "speaker")),
                text=text[:MAX_PART],
                at_ms=index if at_ms is None else at_ms,
                partial=fields.get("partial") is True or fields.get("final") is False,
            )
        )
    return tuple(parts)


def _speaker(role: str) -> Speaker:
    return "customer" if _fold(role) in _CUSTOMERS else "agent"


def _offset(value: Any, base: datetime | None, zone: tzinfo) -> int | None:
    """Return the position of a part in milliseconds, given so or as a time."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value) if abs(value) < 1e15 else None
    at = _time(value, zone)
    if at is None:
        return None
    return (at - (base or datetime.fromtimestamp(0, UTC))) // timedelta(milliseconds=1)


# Values


def _fold(name: object) -> str:
    return str(name).casefold().replace("_", "").replace("-", "").replace(" ", "")


def _folded(content: Any) -> dict[str, Any]:
    return (
        {_fold(key): value for key, value in content.items()} if isinstance(content, dict) else {}
    )


def _values(fields: Mapping[str, Any], what: str) -> Iterator[Any]:
    return (fields[name] for name in FIELDS[what] if fields.get(name) not in (None, ""))


def _text(fields: Mapping[str, Any], what: str) -> str:
    """Return the first text (or number) among the fields that say something."""
    return next(filter(None, map(_string, _values(fields, what))), "")


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value.strip().encode("utf-8", "replace").decode()
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value)[:MAX_ID] if numeric else ""


def _call_id(value: Any) -> str:
    call_id = _string(value)
    if not 0 < len(call_id) <= MAX_ID:
        raise ValueError("no id of a call")
    return call_id


def _direction(value: Any) -> Direction | None:
    named = _fold(value) if isinstance(value, str) else ""
    return DIRECTIONS.get(named) or DIRECTIONS.get(named[:5])  # Tinet: cdr_ob_…


def _link(value: Any) -> str:
    """Return a link that an agent may open: https, without a name and password."""
    text = _string(value)
    try:
        link = urlsplit(text)
        fits = link.scheme == "https" and link.hostname and link.username is None
    except ValueError:
        return ""
    return text if fits and len(text) <= MAX_LINK and text.isprintable() else ""


def _time_of(fields: Mapping[str, Any], what: str, zone: tzinfo) -> datetime | None:
    return _first(_time(value, zone) for value in _values(fields, what))


def _first(times: Iterable[datetime | None]) -> datetime | None:
    return next((time for time in times if time is not None), None)


def _time(value: Any, zone: tzinfo) -> datetime | None:
    """Return a time given as ISO 8601, as local date and time, or as Unix time (s or ms).

    None for any other text, and for a time of another century, which nobody called at.
    """
    try:
        at = _written_time(_string(value), zone)
    except (ValueError, OverflowError, OSError):
        return None
    return at if 2000 <= at.year < 2100 else None


def _written_time(text: str, zone: tzinfo) -> datetime:
    whole, _, fraction = text.partition(".")
    if whole.isdecimal() and len(whole) >= 9 and (not fraction or fraction.isdecimal()):
        seconds = float(text)
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
